#include "tls/ssl_profile.h"

#include <string.h>

enum { TLS10 = 0x0301, TLS12 = 0x0303, TLS13 = 0x0304 };

/* Mbed TLS with all that MicroPython's common configuration has: ECDHE and RSA
 * key exchange, AES in GCM and CBC. */
static const int common_ciphers[] = { 0xC02C, 0xC030, 0xC024, 0xC028, 0xC00A,
                                      0xC014, 0xC02B, 0xC02F, 0xC023, 0xC027,
                                      0xC009, 0xC013, 0x009D, 0x003D, 0x0035,
                                      0x009C, 0x003C, 0x002F, 0 };

/* Up to 1.23 without ECDHE-RSA and GCM. */
static const int old_ciphers[] = { 0xC024, 0xC00A, 0xC023, 0xC009, 0x003D,
                                   0x0035, 0x003C, 0x002F, 0 };

static const uint16_t nist_groups[] = { 0x0017, 0x0018, 0x0019, 0 };

static const uint16_t mbedtls2_groups[] = { 0x0019, 0x0018, 0x0017,
                                            0x0016, 0x0015, 0x0014,
                                            0x0013, 0x0012, 0 };

static const uint16_t pkcs1_sig_algs[] = { 0x0603, 0x0601, 0x0503, 0x0501,
                                           0x0403, 0x0401, 0 };

static const uint16_t mbedtls2_sig_algs[] = { 0x0603, 0x0601, 0x0503, 0x0501,
                                              0x0403, 0x0401, 0x0303, 0x0301,
                                              0x0203, 0x0201, 0 };

/* ESP-IDF: AES in CCM too, and static ECDH. */
static const int idf_ciphers[] = {
    0xC02C, 0xC030, 0xC0AD, 0xC024, 0xC028, 0xC00A, 0xC014, 0xC0AF,
    0xC02B, 0xC02F, 0xC0AC, 0xC023, 0xC027, 0xC009, 0xC013, 0xC0AE,
    0x009D, 0xC09D, 0x003D, 0x0035, 0xC032, 0xC02A, 0xC00F, 0xC02E,
    0xC026, 0xC005, 0xC0A1, 0x009C, 0xC09C, 0x003C, 0x002F, 0xC031,
    0xC029, 0xC00E, 0xC02D, 0xC025, 0xC004, 0xC0A0, 0
};

static const uint16_t idf_groups[] = { 0x001D, 0x0017, 0x0018, 0x0019,
                                       0x001A, 0x001B, 0x001C, 0 };

static const uint16_t pss_sig_algs[] = { 0x0603, 0x0806, 0x0601, 0x0503, 0x0805,
                                         0x0501, 0x0403, 0x0804, 0x0401, 0 };

static const int axtls_ciphers[] = { 0x002F, 0x003C, 0x0035, 0x003D, 0 };

static const uint16_t axtls_sig_algs[] = { 0x0601, 0x0501, 0x0401, 0x0201, 0 };

/* Zephyr: RSA key exchange and AES in CBC is what is on by default. */
static const int zephyr_ciphers[] = { 0x003D, 0x0035, 0x003C, 0x002F, 0 };

static const uint16_t zephyr_sig_algs[] = { 0x0601, 0x0501, 0x0401, 0 };

static const int bearssl_ciphers[] = {
    0xCCA9, 0xCCA8, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xC0AC, 0xC0AD,
    0xC0AE, 0xC0AF, 0xC023, 0xC027, 0xC024, 0xC028, 0xC009, 0xC013,
    0xC00A, 0xC014, 0xC02D, 0xC031, 0xC02E, 0xC032, 0xC025, 0xC029,
    0xC026, 0xC02A, 0xC004, 0xC00E, 0xC005, 0xC00F, 0x009C, 0x009D,
    0xC09C, 0xC09D, 0xC0A0, 0xC0A1, 0x003C, 0x003D, 0x002F, 0x0035,
    0xC008, 0xC012, 0xC003, 0xC00D, 0x000A, 0
};

static const uint16_t bearssl_groups[] = { 0x001D, 0x0017, 0x0018, 0x0019, 0 };

static const uint16_t bearssl_sig_algs[] = { 0x0403, 0x0303, 0x0503, 0x0603,
                                             0x0203, 0x0401, 0x0301, 0x0501,
                                             0x0601, 0x0201, 0 };

static const uint16_t none[] = { 0 };

static const struct ssl_profile profiles[] = {
    {
        .name = "micropython-1.29",
        .title = "MicroPython 1.29-preview on rp2, stm32, mimxrt, unix",
        .source = "MicroPython 1c3c201149 (1.29.0-preview), Mbed TLS 3.6.6, "
                  "extmod/mbedtls/mbedtls_config_common.h; its ClientHello",
        .min_version = TLS12,
        .max_version = TLS12,
        .ciphers = common_ciphers,
        .groups = nist_groups,
        .sig_algs = pkcs1_sig_algs,
        .max_in_record = 16384,
        .max_in_message = 16384,
        .max_out_record = 4096,
        .joins = true,
        .server_name = true,
        .ec_keys = true,
        .boot_clock = "2021-01-01T00:00:00Z",
        .notes = "the clock is that of rp2; stm32 begins at 2015-01-01, unix "
                 "has the host's",
    },
    {
        .name = "micropython-1.24",
        .title = "MicroPython 1.24 to 1.28 on rp2, stm32, mimxrt, unix",
        .source = "MicroPython 1.25.0, Mbed TLS 3.5.1 to 3.6.2, "
                  "extmod/mbedtls/mbedtls_config_common.h; its ClientHello",
        .min_version = TLS12,
        .max_version = TLS12,
        .ciphers = common_ciphers,
        .groups = nist_groups,
        .sig_algs = pkcs1_sig_algs,
        .max_in_record = 16384,
        .max_in_message = 16384,
        .max_out_record = 4096,
        .server_name = true,
        .ec_keys = true,
        .boot_clock = "2021-01-01T00:00:00Z",
        .notes = "the clock is that of rp2; stm32 begins at 2015-01-01, unix "
                 "has the host's",
    },
    {
        .name = "micropython-1.23",
        .title = "MicroPython 1.23 on stm32, mimxrt, unix (not rp2)",
        .source = "MicroPython 1.23.0, Mbed TLS 3.5.1, "
                  "extmod/mbedtls/mbedtls_config_common.h; get_ciphers()",
        .min_version = TLS12,
        .max_version = TLS12,
        .ciphers = old_ciphers,
        .groups = nist_groups,
        .sig_algs = pkcs1_sig_algs,
        .max_in_record = 16384,
        .max_in_message = 16384,
        .max_out_record = 4096,
        .server_name = true,
        .ec_keys = true,
        .boot_clock = "2015-01-01T00:00:00Z",
        .notes = "the clock is that of stm32; unix has the host's",
    },
    {
        .name = "micropython-1.22",
        .title = "MicroPython 1.22 on stm32, mimxrt, unix (not rp2)",
        .source = "MicroPython 1.22.2, Mbed TLS 2.28.3, "
                  "extmod/mbedtls/mbedtls_config_common.h; its ClientHello",
        .min_version = TLS10,
        .max_version = TLS12,
        .ciphers = old_ciphers,
        .groups = mbedtls2_groups,
        .sig_algs = mbedtls2_sig_algs,
        .max_in_record = 16384,
        .max_in_message = 16384,
        .max_out_record = 4096,
        .server_name = true,
        .ec_keys = true,
        .boot_clock = "2015-01-01T00:00:00Z",
        .notes = "TLS 1.0 and 1.1 are not offered; the clock is that of "
                 "stm32, unix has the host's",
    },
    {
        .name = "micropython-esp32",
        .title = "MicroPython 1.24 and later on esp32",
        .source = "MicroPython 1c3c201149, ports/esp32/boards/sdkconfig.base; "
                  "ESP-IDF 5 components/mbedtls/Kconfig",
        .min_version = TLS12,
        .max_version = TLS12,
        .ciphers = idf_ciphers,
        .groups = nist_groups,
        .sig_algs = pss_sig_algs,
        .max_in_record = 16384,
        .max_in_message = 16384,
        .max_out_record = 4096,
        .joins = true,
        .server_name = true,
        .master_secret = true,
        .etm = true,
        .tickets = true,
        .ec_keys = true,
        .pss = true,
        .boot_clock = "2000-01-01T00:00:00Z",
        .notes = "static ECDH; before ESP-IDF's Mbed TLS 3.6.3 messages in "
                 "several records fail",
    },
    {
        .name = "micropython-esp8266",
        .title = "MicroPython on esp8266 (axTLS)",
        .source = "MicroPython 1c3c201149, axTLS 2.1.5 (531cab9), "
                  "extmod/axtls-include/config.h; the ClientHello of 1.19",
        .min_version = TLS10,
        .max_version = TLS12,
        .ciphers = axtls_ciphers,
        .groups = none,
        .sig_algs = axtls_sig_algs,
        .max_in_record = 5115,
        .max_in_message = 5115,
        .max_out_record = 1024,
        .joins = true,
        .server_name = true,
        .notes = "TLS 1.0 and 1.1 are not offered; the device verifies "
                 "nothing",
    },
    {
        .name = "esp-idf",
        .title = "ESP-IDF 5 with its default configuration",
        .source = "espressif/esp-idf 0109cfea, components/mbedtls/Kconfig, "
                  "defaults",
        .min_version = TLS12,
        .max_version = TLS12,
        .ciphers = idf_ciphers,
        .groups = idf_groups,
        .sig_algs = pss_sig_algs,
        .max_in_record = 16384,
        .max_in_message = 16384,
        .max_out_record = 4096,
        .joins = true,
        .server_name = true,
        .master_secret = true,
        .etm = true,
        .tickets = true,
        .ec_keys = true,
        .pss = true,
        .notes = "static ECDH; before its Mbed TLS 3.6.3 messages in several "
                 "records fail; dates are not looked at",
    },
    {
        .name = "zephyr",
        .title = "Zephyr with the defaults of its Mbed TLS",
        .source = "zephyrproject-rtos/zephyr 06a7d498, "
                  "modules/mbedtls/Kconfig.tls-generic, defaults",
        .min_version = TLS12,
        .max_version = TLS12,
        .ciphers = zephyr_ciphers,
        .groups = none,
        .sig_algs = zephyr_sig_algs,
        .max_in_record = 1500,
        .max_in_message = 1500,
        .max_out_record = 1500,
        .joins = true,
        .notes = "nearly all of it is chosen when the firmware is built; "
                 "dates are not looked at",
    },
    {
        .name = "arduino-esp8266",
        .title = "Arduino's BearSSL::WiFiClientSecure on esp8266",
        .source = "esp8266/Arduino 0093cca8, "
                  "libraries/ESP8266WiFi/src/WiFiClientSecureBearSSL.cpp; "
                  "BearSSL 0.6",
        .min_version = TLS10,
        .max_version = TLS12,
        .ciphers = bearssl_ciphers,
        .groups = bearssl_groups,
        .sig_algs = bearssl_sig_algs,
        .max_in_record = 16384 + 325,
        .max_out_record = 512,
        .joins = true,
        .server_name = true,
        .ec_keys = true,
        .notes = "TLS 1.0 and 1.1, static ECDH and 3DES are not offered",
    },
};

const struct ssl_profile *ssl_profile_at(size_t i) {
    return i < sizeof profiles / sizeof profiles[0] ? &profiles[i] : NULL;
}

const struct ssl_profile *ssl_profile_find(const char *name) {
    const struct ssl_profile *p;
    for (size_t i = 0; (p = ssl_profile_at(i)) != NULL; i++) {
        if (strcmp(p->name, name) == 0) {
            return p;
        }
    }
    return NULL;
}

int ssl_profile_apply(const struct ssl_profile *p, struct ssl_context *ctx,
                      struct err *err) {
    mbedtls_ssl_config *conf = &ctx->conf;
    size_t n = 0;
    while (n < SSL_CIPHERS_MAX && p->ciphers[n] != 0) {
        ctx->ciphers[n] = p->ciphers[n];
        n++;
    }
    ctx->ciphers[n] = 0;
    mbedtls_ssl_conf_ciphersuites(conf, ctx->ciphers);
    mbedtls_ssl_conf_groups(conf, p->groups);
    mbedtls_ssl_conf_sig_algs(conf, p->sig_algs);
    mbedtls_ssl_conf_extended_master_secret(
        conf, p->master_secret ? MBEDTLS_SSL_EXTENDED_MS_ENABLED
                               : MBEDTLS_SSL_EXTENDED_MS_DISABLED);
    mbedtls_ssl_conf_encrypt_then_mac(conf, p->etm ? MBEDTLS_SSL_ETM_ENABLED
                                                   : MBEDTLS_SSL_ETM_DISABLED);
    mbedtls_ssl_conf_session_tickets(
        conf, p->tickets ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                         : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    return ssl_context_set_versions(
        ctx, p->min_version < TLS13 ? SSL_TLS_1_2 : SSL_TLS_1_3,
        p->max_version < TLS13 ? SSL_TLS_1_2 : SSL_TLS_1_3, err);
}
