#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tls/ssl_cipher.h"
#include "tls/ssl_info.h"

struct row {
    uint16_t id;
    const char *name;
};

static const struct row versions[] = {
    { 0x0002, "SSLv2" },    { 0x0101, "TLCPv1.1" }, { 0x0300, "SSLv3" },
    { 0x0301, "TLSv1.0" },  { 0x0302, "TLSv1.1" },  { 0x0303, "TLSv1.2" },
    { 0x0304, "TLSv1.3" },  { 0xFEFC, "DTLSv1.3" }, { 0xFEFD, "DTLSv1.2" },
    { 0xFEFF, "DTLSv1.0" },
};

/* Without "TLS_"; those that Mbed TLS has not, and what only looks like a
 * suite. What it has is named by ssl_cipher_iana(). */
static const struct row ciphers[] = {
    { 0x0000, "NULL_WITH_NULL_NULL" },
    { 0x0001, "RSA_WITH_NULL_MD5" },
    { 0x0002, "RSA_WITH_NULL_SHA" },
    { 0x0003, "RSA_EXPORT_WITH_RC4_40_MD5" },
    { 0x0004, "RSA_WITH_RC4_128_MD5" },
    { 0x0005, "RSA_WITH_RC4_128_SHA" },
    { 0x0006, "RSA_EXPORT_WITH_RC2_CBC_40_MD5" },
    { 0x0007, "RSA_WITH_IDEA_CBC_SHA" },
    { 0x0008, "RSA_EXPORT_WITH_DES40_CBC_SHA" },
    { 0x0009, "RSA_WITH_DES_CBC_SHA" },
    { 0x000A, "RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0x000B, "DH_DSS_EXPORT_WITH_DES40_CBC_SHA" },
    { 0x000C, "DH_DSS_WITH_DES_CBC_SHA" },
    { 0x000D, "DH_DSS_WITH_3DES_EDE_CBC_SHA" },
    { 0x000E, "DH_RSA_EXPORT_WITH_DES40_CBC_SHA" },
    { 0x000F, "DH_RSA_WITH_DES_CBC_SHA" },
    { 0x0010, "DH_RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0x0011, "DHE_DSS_EXPORT_WITH_DES40_CBC_SHA" },
    { 0x0012, "DHE_DSS_WITH_DES_CBC_SHA" },
    { 0x0013, "DHE_DSS_WITH_3DES_EDE_CBC_SHA" },
    { 0x0014, "DHE_RSA_EXPORT_WITH_DES40_CBC_SHA" },
    { 0x0015, "DHE_RSA_WITH_DES_CBC_SHA" },
    { 0x0016, "DHE_RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0x0017, "DH_anon_EXPORT_WITH_RC4_40_MD5" },
    { 0x0018, "DH_anon_WITH_RC4_128_MD5" },
    { 0x0019, "DH_anon_EXPORT_WITH_DES40_CBC_SHA" },
    { 0x001A, "DH_anon_WITH_DES_CBC_SHA" },
    { 0x001B, "DH_anon_WITH_3DES_EDE_CBC_SHA" },
    { 0x001E, "KRB5_WITH_DES_CBC_SHA" },
    { 0x001F, "KRB5_WITH_3DES_EDE_CBC_SHA" },
    { 0x0020, "KRB5_WITH_RC4_128_SHA" },
    { 0x0021, "KRB5_WITH_IDEA_CBC_SHA" },
    { 0x0022, "KRB5_WITH_DES_CBC_MD5" },
    { 0x0023, "KRB5_WITH_3DES_EDE_CBC_MD5" },
    { 0x0024, "KRB5_WITH_RC4_128_MD5" },
    { 0x0025, "KRB5_WITH_IDEA_CBC_MD5" },
    { 0x0026, "KRB5_EXPORT_WITH_DES_CBC_40_SHA" },
    { 0x0027, "KRB5_EXPORT_WITH_RC2_CBC_40_SHA" },
    { 0x0028, "KRB5_EXPORT_WITH_RC4_40_SHA" },
    { 0x0029, "KRB5_EXPORT_WITH_DES_CBC_40_MD5" },
    { 0x002A, "KRB5_EXPORT_WITH_RC2_CBC_40_MD5" },
    { 0x002B, "KRB5_EXPORT_WITH_RC4_40_MD5" },
    { 0x002C, "PSK_WITH_NULL_SHA" },
    { 0x002D, "DHE_PSK_WITH_NULL_SHA" },
    { 0x002E, "RSA_PSK_WITH_NULL_SHA" },
    { 0x0030, "DH_DSS_WITH_AES_128_CBC_SHA" },
    { 0x0031, "DH_RSA_WITH_AES_128_CBC_SHA" },
    { 0x0032, "DHE_DSS_WITH_AES_128_CBC_SHA" },
    { 0x0034, "DH_anon_WITH_AES_128_CBC_SHA" },
    { 0x0036, "DH_DSS_WITH_AES_256_CBC_SHA" },
    { 0x0037, "DH_RSA_WITH_AES_256_CBC_SHA" },
    { 0x0038, "DHE_DSS_WITH_AES_256_CBC_SHA" },
    { 0x003A, "DH_anon_WITH_AES_256_CBC_SHA" },
    { 0x003B, "RSA_WITH_NULL_SHA256" },
    { 0x003E, "DH_DSS_WITH_AES_128_CBC_SHA256" },
    { 0x003F, "DH_RSA_WITH_AES_128_CBC_SHA256" },
    { 0x0040, "DHE_DSS_WITH_AES_128_CBC_SHA256" },
    { 0x0042, "DH_DSS_WITH_CAMELLIA_128_CBC_SHA" },
    { 0x0043, "DH_RSA_WITH_CAMELLIA_128_CBC_SHA" },
    { 0x0044, "DHE_DSS_WITH_CAMELLIA_128_CBC_SHA" },
    { 0x0046, "DH_anon_WITH_CAMELLIA_128_CBC_SHA" },
    { 0x0066, "DHE_DSS_WITH_RC4_128_SHA" },
    { 0x0068, "DH_DSS_WITH_AES_256_CBC_SHA256" },
    { 0x0069, "DH_RSA_WITH_AES_256_CBC_SHA256" },
    { 0x006A, "DHE_DSS_WITH_AES_256_CBC_SHA256" },
    { 0x006C, "DH_anon_WITH_AES_128_CBC_SHA256" },
    { 0x006D, "DH_anon_WITH_AES_256_CBC_SHA256" },
    { 0x0081, "GOSTR341001_WITH_28147_CNT_IMIT" },
    { 0x0083, "GOSTR341001_WITH_NULL_GOSTR3411" },
    { 0x0085, "DH_DSS_WITH_CAMELLIA_256_CBC_SHA" },
    { 0x0086, "DH_RSA_WITH_CAMELLIA_256_CBC_SHA" },
    { 0x0087, "DHE_DSS_WITH_CAMELLIA_256_CBC_SHA" },
    { 0x0089, "DH_anon_WITH_CAMELLIA_256_CBC_SHA" },
    { 0x008A, "PSK_WITH_RC4_128_SHA" },
    { 0x008B, "PSK_WITH_3DES_EDE_CBC_SHA" },
    { 0x008E, "DHE_PSK_WITH_RC4_128_SHA" },
    { 0x008F, "DHE_PSK_WITH_3DES_EDE_CBC_SHA" },
    { 0x0092, "RSA_PSK_WITH_RC4_128_SHA" },
    { 0x0093, "RSA_PSK_WITH_3DES_EDE_CBC_SHA" },
    { 0x0096, "RSA_WITH_SEED_CBC_SHA" },
    { 0x0097, "DH_DSS_WITH_SEED_CBC_SHA" },
    { 0x0098, "DH_RSA_WITH_SEED_CBC_SHA" },
    { 0x0099, "DHE_DSS_WITH_SEED_CBC_SHA" },
    { 0x009A, "DHE_RSA_WITH_SEED_CBC_SHA" },
    { 0x009B, "DH_anon_WITH_SEED_CBC_SHA" },
    { 0x00A0, "DH_RSA_WITH_AES_128_GCM_SHA256" },
    { 0x00A1, "DH_RSA_WITH_AES_256_GCM_SHA384" },
    { 0x00A2, "DHE_DSS_WITH_AES_128_GCM_SHA256" },
    { 0x00A3, "DHE_DSS_WITH_AES_256_GCM_SHA384" },
    { 0x00A4, "DH_DSS_WITH_AES_128_GCM_SHA256" },
    { 0x00A5, "DH_DSS_WITH_AES_256_GCM_SHA384" },
    { 0x00A6, "DH_anon_WITH_AES_128_GCM_SHA256" },
    { 0x00A7, "DH_anon_WITH_AES_256_GCM_SHA384" },
    { 0x00B0, "PSK_WITH_NULL_SHA256" },
    { 0x00B1, "PSK_WITH_NULL_SHA384" },
    { 0x00B4, "DHE_PSK_WITH_NULL_SHA256" },
    { 0x00B5, "DHE_PSK_WITH_NULL_SHA384" },
    { 0x00B8, "RSA_PSK_WITH_NULL_SHA256" },
    { 0x00B9, "RSA_PSK_WITH_NULL_SHA384" },
    { 0x00BB, "DH_DSS_WITH_CAMELLIA_128_CBC_SHA256" },
    { 0x00BC, "DH_RSA_WITH_CAMELLIA_128_CBC_SHA256" },
    { 0x00BD, "DHE_DSS_WITH_CAMELLIA_128_CBC_SHA256" },
    { 0x00BF, "DH_anon_WITH_CAMELLIA_128_CBC_SHA256" },
    { 0x00C1, "DH_DSS_WITH_CAMELLIA_256_CBC_SHA256" },
    { 0x00C2, "DH_RSA_WITH_CAMELLIA_256_CBC_SHA256" },
    { 0x00C3, "DHE_DSS_WITH_CAMELLIA_256_CBC_SHA256" },
    { 0x00C5, "DH_anon_WITH_CAMELLIA_256_CBC_SHA256" },
    { 0x00C6, "SM4_GCM_SM3" },
    { 0x00C7, "SM4_CCM_SM3" },
    { 0x00FF, "EMPTY_RENEGOTIATION_INFO_SCSV" },
    { 0x1306, "AEGIS_256_SHA512" },
    { 0x1307, "AEGIS_128L_SHA256" },
    { 0x5600, "FALLBACK_SCSV" },
    { 0xC001, "ECDH_ECDSA_WITH_NULL_SHA" },
    { 0xC002, "ECDH_ECDSA_WITH_RC4_128_SHA" },
    { 0xC003, "ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA" },
    { 0xC006, "ECDHE_ECDSA_WITH_NULL_SHA" },
    { 0xC007, "ECDHE_ECDSA_WITH_RC4_128_SHA" },
    { 0xC008, "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA" },
    { 0xC00B, "ECDH_RSA_WITH_NULL_SHA" },
    { 0xC00C, "ECDH_RSA_WITH_RC4_128_SHA" },
    { 0xC00D, "ECDH_RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0xC010, "ECDHE_RSA_WITH_NULL_SHA" },
    { 0xC011, "ECDHE_RSA_WITH_RC4_128_SHA" },
    { 0xC012, "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0xC015, "ECDH_anon_WITH_NULL_SHA" },
    { 0xC016, "ECDH_anon_WITH_RC4_128_SHA" },
    { 0xC017, "ECDH_anon_WITH_3DES_EDE_CBC_SHA" },
    { 0xC018, "ECDH_anon_WITH_AES_128_CBC_SHA" },
    { 0xC019, "ECDH_anon_WITH_AES_256_CBC_SHA" },
    { 0xC01A, "SRP_SHA_WITH_3DES_EDE_CBC_SHA" },
    { 0xC01B, "SRP_SHA_RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0xC01C, "SRP_SHA_DSS_WITH_3DES_EDE_CBC_SHA" },
    { 0xC01D, "SRP_SHA_WITH_AES_128_CBC_SHA" },
    { 0xC01E, "SRP_SHA_RSA_WITH_AES_128_CBC_SHA" },
    { 0xC01F, "SRP_SHA_DSS_WITH_AES_128_CBC_SHA" },
    { 0xC020, "SRP_SHA_WITH_AES_256_CBC_SHA" },
    { 0xC021, "SRP_SHA_RSA_WITH_AES_256_CBC_SHA" },
    { 0xC022, "SRP_SHA_DSS_WITH_AES_256_CBC_SHA" },
    { 0xC033, "ECDHE_PSK_WITH_RC4_128_SHA" },
    { 0xC034, "ECDHE_PSK_WITH_3DES_EDE_CBC_SHA" },
    { 0xC039, "ECDHE_PSK_WITH_NULL_SHA" },
    { 0xC03A, "ECDHE_PSK_WITH_NULL_SHA256" },
    { 0xC03B, "ECDHE_PSK_WITH_NULL_SHA384" },
    { 0xC03E, "DH_DSS_WITH_ARIA_128_CBC_SHA256" },
    { 0xC03F, "DH_DSS_WITH_ARIA_256_CBC_SHA384" },
    { 0xC040, "DH_RSA_WITH_ARIA_128_CBC_SHA256" },
    { 0xC041, "DH_RSA_WITH_ARIA_256_CBC_SHA384" },
    { 0xC042, "DHE_DSS_WITH_ARIA_128_CBC_SHA256" },
    { 0xC043, "DHE_DSS_WITH_ARIA_256_CBC_SHA384" },
    { 0xC046, "DH_anon_WITH_ARIA_128_CBC_SHA256" },
    { 0xC047, "DH_anon_WITH_ARIA_256_CBC_SHA384" },
    { 0xC054, "DH_RSA_WITH_ARIA_128_GCM_SHA256" },
    { 0xC055, "DH_RSA_WITH_ARIA_256_GCM_SHA384" },
    { 0xC056, "DHE_DSS_WITH_ARIA_128_GCM_SHA256" },
    { 0xC057, "DHE_DSS_WITH_ARIA_256_GCM_SHA384" },
    { 0xC058, "DH_DSS_WITH_ARIA_128_GCM_SHA256" },
    { 0xC059, "DH_DSS_WITH_ARIA_256_GCM_SHA384" },
    { 0xC05A, "DH_anon_WITH_ARIA_128_GCM_SHA256" },
    { 0xC05B, "DH_anon_WITH_ARIA_256_GCM_SHA384" },
    { 0xC07E, "DH_RSA_WITH_CAMELLIA_128_GCM_SHA256" },
    { 0xC07F, "DH_RSA_WITH_CAMELLIA_256_GCM_SHA384" },
    { 0xC080, "DHE_DSS_WITH_CAMELLIA_128_GCM_SHA256" },
    { 0xC081, "DHE_DSS_WITH_CAMELLIA_256_GCM_SHA384" },
    { 0xC082, "DH_DSS_WITH_CAMELLIA_128_GCM_SHA256" },
    { 0xC083, "DH_DSS_WITH_CAMELLIA_256_GCM_SHA384" },
    { 0xC084, "DH_anon_WITH_CAMELLIA_128_GCM_SHA256" },
    { 0xC085, "DH_anon_WITH_CAMELLIA_256_GCM_SHA384" },
    { 0xC0B0, "ECCPWD_WITH_AES_128_GCM_SHA256" },
    { 0xC0B1, "ECCPWD_WITH_AES_256_GCM_SHA384" },
    { 0xC0B2, "ECCPWD_WITH_AES_128_CCM_SHA256" },
    { 0xC0B3, "ECCPWD_WITH_AES_256_CCM_SHA384" },
    { 0xC0B4, "SHA256_SHA256" },
    { 0xC0B5, "SHA384_SHA384" },
    { 0xC0FF, "ECJPAKE_WITH_AES_128_CCM_8" },
    { 0xC100, "GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC" },
    { 0xC101, "GOSTR341112_256_WITH_MAGMA_CTR_OMAC" },
    { 0xC102, "GOSTR341112_256_WITH_28147_CNT_IMIT" },
    { 0xC103, "GOSTR341112_256_WITH_KUZNYECHIK_MGM_L" },
    { 0xC104, "GOSTR341112_256_WITH_MAGMA_MGM_L" },
    { 0xC105, "GOSTR341112_256_WITH_KUZNYECHIK_MGM_S" },
    { 0xC106, "GOSTR341112_256_WITH_MAGMA_MGM_S" },
    { 0xCC13, "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256_DRAFT" },
    { 0xCC14, "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256_DRAFT" },
    { 0xCC15, "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256_DRAFT" },
    { 0xD001, "ECDHE_PSK_WITH_AES_128_GCM_SHA256" },
    { 0xD002, "ECDHE_PSK_WITH_AES_256_GCM_SHA384" },
    { 0xD003, "ECDHE_PSK_WITH_AES_128_CCM_8_SHA256" },
    { 0xD005, "ECDHE_PSK_WITH_AES_128_CCM_SHA256" },
};

static const struct row groups[] = {
    { 1, "sect163k1" },
    { 2, "sect163r1" },
    { 3, "sect163r2" },
    { 4, "sect193r1" },
    { 5, "sect193r2" },
    { 6, "sect233k1" },
    { 7, "sect233r1" },
    { 8, "sect239k1" },
    { 9, "sect283k1" },
    { 10, "sect283r1" },
    { 11, "sect409k1" },
    { 12, "sect409r1" },
    { 13, "sect571k1" },
    { 14, "sect571r1" },
    { 15, "secp160k1" },
    { 16, "secp160r1" },
    { 17, "secp160r2" },
    { 18, "secp192k1" },
    { 19, "secp192r1" },
    { 20, "secp224k1" },
    { 21, "secp224r1" },
    { 22, "secp256k1" },
    { 23, "secp256r1" },
    { 24, "secp384r1" },
    { 25, "secp521r1" },
    { 26, "brainpoolP256r1" },
    { 27, "brainpoolP384r1" },
    { 28, "brainpoolP512r1" },
    { 29, "x25519" },
    { 30, "x448" },
    { 31, "brainpoolP256r1tls13" },
    { 32, "brainpoolP384r1tls13" },
    { 33, "brainpoolP512r1tls13" },
    { 34, "GC256A" },
    { 35, "GC256B" },
    { 36, "GC256C" },
    { 37, "GC256D" },
    { 38, "GC512A" },
    { 39, "GC512B" },
    { 40, "GC512C" },
    { 41, "curveSM2" },
    { 0x0100, "ffdhe2048" },
    { 0x0101, "ffdhe3072" },
    { 0x0102, "ffdhe4096" },
    { 0x0103, "ffdhe6144" },
    { 0x0104, "ffdhe8192" },
    { 0x0200, "MLKEM512" },
    { 0x0201, "MLKEM768" },
    { 0x0202, "MLKEM1024" },
    { 0x11EB, "SecP256r1MLKEM768" },
    { 0x11EC, "X25519MLKEM768" },
    { 0x11ED, "SecP384r1MLKEM1024" },
    { 0x11EE, "curveSM2MLKEM768" },
    { 0x4138, "CECPQ2" },
    { 0x6399, "X25519Kyber768Draft00" },
    { 0x639A, "SecP256r1Kyber768Draft00" },
    { 0xFF01, "arbitrary_explicit_prime_curves" },
    { 0xFF02, "arbitrary_explicit_char2_curves" },
};

static const struct row sig_algs[] = {
    { 0x0201, "rsa_pkcs1_sha1" },
    { 0x0202, "dsa_sha1" },
    { 0x0203, "ecdsa_sha1" },
    { 0x0401, "rsa_pkcs1_sha256" },
    { 0x0402, "dsa_sha256" },
    { 0x0403, "ecdsa_secp256r1_sha256" },
    { 0x0420, "rsa_pkcs1_sha256_legacy" },
    { 0x0501, "rsa_pkcs1_sha384" },
    { 0x0502, "dsa_sha384" },
    { 0x0503, "ecdsa_secp384r1_sha384" },
    { 0x0520, "rsa_pkcs1_sha384_legacy" },
    { 0x0601, "rsa_pkcs1_sha512" },
    { 0x0602, "dsa_sha512" },
    { 0x0603, "ecdsa_secp521r1_sha512" },
    { 0x0620, "rsa_pkcs1_sha512_legacy" },
    { 0x0704, "eccsi_sha256" },
    { 0x0705, "iso_ibs1" },
    { 0x0706, "iso_ibs2" },
    { 0x0707, "iso_chinese_ibs" },
    { 0x0708, "sm2sig_sm3" },
    { 0x0709, "gostr34102012_256a" },
    { 0x070A, "gostr34102012_256b" },
    { 0x070B, "gostr34102012_256c" },
    { 0x070C, "gostr34102012_256d" },
    { 0x070D, "gostr34102012_512a" },
    { 0x070E, "gostr34102012_512b" },
    { 0x070F, "gostr34102012_512c" },
    { 0x0804, "rsa_pss_rsae_sha256" },
    { 0x0805, "rsa_pss_rsae_sha384" },
    { 0x0806, "rsa_pss_rsae_sha512" },
    { 0x0807, "ed25519" },
    { 0x0808, "ed448" },
    { 0x0809, "rsa_pss_pss_sha256" },
    { 0x080A, "rsa_pss_pss_sha384" },
    { 0x080B, "rsa_pss_pss_sha512" },
    { 0x081A, "ecdsa_brainpoolP256r1tls13_sha256" },
    { 0x081B, "ecdsa_brainpoolP384r1tls13_sha384" },
    { 0x081C, "ecdsa_brainpoolP512r1tls13_sha512" },
    { 0x0840, "gostr34102012_256" },
    { 0x0841, "gostr34102012_512" },
    { 0x0904, "mldsa44" },
    { 0x0905, "mldsa65" },
    { 0x0906, "mldsa87" },
    { 0x0911, "slhdsa_sha2_128s" },
    { 0x0912, "slhdsa_sha2_128f" },
    { 0x0913, "slhdsa_sha2_192s" },
    { 0x0914, "slhdsa_sha2_192f" },
    { 0x0915, "slhdsa_sha2_256s" },
    { 0x0916, "slhdsa_sha2_256f" },
    { 0x0917, "slhdsa_shake_128s" },
    { 0x0918, "slhdsa_shake_128f" },
    { 0x0919, "slhdsa_shake_192s" },
    { 0x091A, "slhdsa_shake_192f" },
    { 0x091B, "slhdsa_shake_256s" },
    { 0x091C, "slhdsa_shake_256f" },
};

static const struct row extensions[] = {
    { 0, "server_name" },
    { 1, "max_fragment_length" },
    { 2, "client_certificate_url" },
    { 3, "trusted_ca_keys" },
    { 4, "truncated_hmac" },
    { 5, "status_request" },
    { 6, "user_mapping" },
    { 7, "client_authz" },
    { 8, "server_authz" },
    { 9, "cert_type" },
    { 10, "supported_groups" },
    { 11, "ec_point_formats" },
    { 12, "srp" },
    { 13, "signature_algorithms" },
    { 14, "use_srtp" },
    { 15, "heartbeat" },
    { 16, "application_layer_protocol_negotiation" },
    { 17, "status_request_v2" },
    { 18, "signed_certificate_timestamp" },
    { 19, "client_certificate_type" },
    { 20, "server_certificate_type" },
    { 21, "padding" },
    { 22, "encrypt_then_mac" },
    { 23, "extended_master_secret" },
    { 24, "token_binding" },
    { 25, "cached_info" },
    { 26, "tls_lts" },
    { 27, "compress_certificate" },
    { 28, "record_size_limit" },
    { 29, "pwd_protect" },
    { 30, "pwd_clear" },
    { 31, "password_salt" },
    { 32, "ticket_pinning" },
    { 33, "tls_cert_with_extern_psk" },
    { 34, "delegated_credential" },
    { 35, "session_ticket" },
    { 36, "TLMSP" },
    { 37, "TLMSP_proxying" },
    { 38, "TLMSP_delegate" },
    { 39, "supported_ekt_ciphers" },
    { 41, "pre_shared_key" },
    { 42, "early_data" },
    { 43, "supported_versions" },
    { 44, "cookie" },
    { 45, "psk_key_exchange_modes" },
    { 47, "certificate_authorities" },
    { 48, "oid_filters" },
    { 49, "post_handshake_auth" },
    { 50, "signature_algorithms_cert" },
    { 51, "key_share" },
    { 52, "transparency_info" },
    { 53, "connection_id_deprecated" },
    { 54, "connection_id" },
    { 55, "external_id_hash" },
    { 56, "external_session_id" },
    { 57, "quic_transport_parameters" },
    { 58, "ticket_request" },
    { 59, "dnssec_chain" },
    { 60, "sequence_number_encryption_algorithms" },
    { 61, "rrc" },
    { 62, "tls_flags" },
    { 0x3374, "next_protocol_negotiation" },
    { 0x4469, "application_settings_old" },
    { 0x44CD, "application_settings" },
    { 0x7550, "channel_id" },
    { 0xCA34, "trust_anchors" },
    { 0xFD00, "ech_outer_extensions" },
    { 0xFE0D, "encrypted_client_hello" },
    { 0xFF01, "renegotiation_info" },
    { 0xFFA5, "quic_transport_parameters_draft" },
    { 0xFFCE, "encrypted_server_name" },
};

static const struct row messages[] = {
    { 0, "HelloRequest" },
    { 1, "ClientHello" },
    { 2, "ServerHello" },
    { 3, "HelloVerifyRequest" },
    { 4, "NewSessionTicket" },
    { 5, "EndOfEarlyData" },
    { 6, "HelloRetryRequest" },
    { 8, "EncryptedExtensions" },
    { 9, "RequestConnectionId" },
    { 10, "NewConnectionId" },
    { 11, "Certificate" },
    { 12, "ServerKeyExchange" },
    { 13, "CertificateRequest" },
    { 14, "ServerHelloDone" },
    { 15, "CertificateVerify" },
    { 16, "ClientKeyExchange" },
    { 17, "ClientCertificateRequest" },
    { 20, "Finished" },
    { 21, "CertificateURL" },
    { 22, "CertificateStatus" },
    { 23, "SupplementalData" },
    { 24, "KeyUpdate" },
    { 25, "CompressedCertificate" },
    { 26, "EKTKey" },
    { 67, "NextProtocol" },
    { 254, "message_hash" },
};

static const struct row records[] = {
    { 20, "change_cipher_spec" },
    { 21, "alert" },
    { 22, "handshake" },
    { 23, "application_data" },
    { 24, "heartbeat" },
    { 25, "tls12_cid" },
    { 26, "ACK" },
};

#define TABLE(t, width)                                                        \
    { t, sizeof(t) / sizeof(t)[0], width }

static const struct {
    const struct row *rows;
    size_t n;
    int width; /* digits of a number without a name */
} tables[] = {
    [SSL_KIND_VERSION] = TABLE(versions, 4),
    [SSL_KIND_CIPHER] = TABLE(ciphers, 4),
    [SSL_KIND_GROUP] = TABLE(groups, 4),
    [SSL_KIND_SIG_ALG] = TABLE(sig_algs, 4),
    [SSL_KIND_EXTENSION] = TABLE(extensions, 4),
    [SSL_KIND_MESSAGE] = TABLE(messages, 2),
    [SSL_KIND_RECORD] = TABLE(records, 2),
};

static const char *prefix(enum ssl_kind kind) {
    return kind == SSL_KIND_CIPHER ? "TLS_" : "";
}

bool ssl_name_grease(unsigned id) {
    return id <= 0xFFFF && (id & 0x0F0F) == 0x0A0A && id >> 8 == (id & 0xFF);
}

/* The versions that were on the way to TLS 1.3. */
static bool draft(enum ssl_kind kind, unsigned id, char *buf) {
    if (kind != SSL_KIND_VERSION || id >> 8 != 0x7F) {
        return false;
    }
    snprintf(buf, SSL_LABEL_MAX, "TLSv1.3-draft%u", id & 0xFF);
    return true;
}

/* TLS 1.2 puts a hash and a signature together (RFC 5246 7.4.1.4.1); TLS 1.3
 * has names for some of the pairs only. */
static bool pair(enum ssl_kind kind, unsigned id, char *buf) {
    static const char *const hashes[] = { "none",   "md5",    "sha1",  "sha224",
                                          "sha256", "sha384", "sha512" };
    static const char *const keys[] = { "anonymous", "rsa", "dsa", "ecdsa" };
    unsigned hash = id >> 8, key = id & 0xFF;
    if (kind != SSL_KIND_SIG_ALG || hash >= sizeof hashes / sizeof hashes[0] ||
        key >= sizeof keys / sizeof keys[0]) {
        return false;
    }
    snprintf(buf, SSL_LABEL_MAX, "%s+%s", hashes[hash], keys[key]);
    return true;
}

const char *ssl_name(enum ssl_kind kind, unsigned id, char *buf) {
    if (kind < SSL_OFFER_KINDS && ssl_name_grease(id)) {
        snprintf(buf, SSL_LABEL_MAX, "GREASE");
        return buf;
    }
    if (kind == SSL_KIND_CIPHER && id <= 0xFFFF &&
        ssl_cipher_iana((int)id, buf) != NULL) {
        return buf;
    }
    for (size_t i = 0; i < tables[kind].n; i++) {
        if (tables[kind].rows[i].id == id) {
            snprintf(buf, SSL_LABEL_MAX, "%s%s", prefix(kind),
                     tables[kind].rows[i].name);
            return buf;
        }
    }
    if (!draft(kind, id, buf) && !pair(kind, id, buf)) {
        snprintf(buf, SSL_LABEL_MAX, "0x%0*X", tables[kind].width, id);
    }
    return buf;
}

/* A number in hexadecimal, or -1. */
static int number(const char *text) {
    char *end;
    if (strncasecmp(text, "0x", 2) != 0 || strlen(text) > 6) {
        return -1;
    }
    unsigned long id = strtoul(text, &end, 16);
    return *end == '\0' && end > text + 2 ? (int)id : -1;
}

int ssl_name_find(enum ssl_kind kind, const char *name) {
    const char *head = prefix(kind);
    char buf[SSL_LABEL_MAX];
    int id = number(name);
    if (id < 0 && kind == SSL_KIND_CIPHER) {
        id = ssl_cipher_find(name, strlen(name));
        id = id == 0 ? -1 : id;
    }
    if (id < 0 && strncasecmp(name, head, strlen(head)) == 0) {
        const char *rest = name + strlen(head);
        for (size_t i = 0; i < tables[kind].n; i++) {
            if (strcasecmp(tables[kind].rows[i].name, rest) == 0) {
                return tables[kind].rows[i].id;
            }
        }
    }
    for (unsigned i = 0x7F00; id < 0 && i < 0x8000; i++) {
        id = draft(kind, i, buf) && strcasecmp(buf, name) == 0 ? (int)i : -1;
    }
    for (unsigned i = 0; id < 0 && i < 0x0700; i++) {
        id = pair(kind, i, buf) && strcasecmp(buf, name) == 0 ? (int)i : -1;
    }
    return id;
}
