/*
 * flood - a TLS client that sends the same senseless record for ever.
 *
 * usage: flood PORT 1.2|1.3 empty|warning
 *
 * After the handshake with 127.0.0.1:PORT: records without data, or warning
 * alerts. A line on stdout says that it has begun. The exit status is 0 once
 * the server has ended the connection, 1 if there was none.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mbedtls/psa_util.h"
#include "mbedtls/ssl.h"
#include "psa/crypto.h"

enum { USER_CANCELED = 90 };

static int send_some(void *ctx, const unsigned char *buf, size_t len) {
    ssize_t n = send(*(int *)ctx, buf, len, 0);
    return n < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)n;
}

static int recv_some(void *ctx, unsigned char *buf, size_t len) {
    ssize_t n = recv(*(int *)ctx, buf, len, 0);
    return n < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)n;
}

static int dial(const char *port) {
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) },
                              .sin_port =
                                  htons((uint16_t)strtoul(port, NULL, 10)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        fprintf(stderr, "flood: connect: %s\n", strerror(errno));
        exit(1);
    }
    return fd;
}

static void check(const char *what, int rc) {
    if (rc != 0) {
        fprintf(stderr, "flood: %s: -0x%04x\n", what, (unsigned)-rc);
        exit(1);
    }
}

int main(int argc, char **argv) {
    mbedtls_ssl_config conf;
    mbedtls_ssl_context ssl;
    if (argc != 4) {
        fprintf(stderr, "usage: flood PORT 1.2|1.3 empty|warning\n");
        return 1;
    }
    mbedtls_ssl_protocol_version version = strcmp(argv[2], "1.2") == 0
                                               ? MBEDTLS_SSL_VERSION_TLS1_2
                                               : MBEDTLS_SSL_VERSION_TLS1_3;
    int warning = strcmp(argv[3], "warning") == 0;
    int fd = dial(argv[1]);
    signal(SIGPIPE, SIG_IGN);
    check("psa", psa_crypto_init());
    mbedtls_ssl_config_init(&conf);
    mbedtls_ssl_init(&ssl);
    check("config", mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_CLIENT,
                                                MBEDTLS_SSL_TRANSPORT_STREAM,
                                                MBEDTLS_SSL_PRESET_DEFAULT));
    mbedtls_ssl_conf_rng(&conf, mbedtls_psa_get_random,
                         MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_authmode(&conf, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_min_tls_version(&conf, version);
    mbedtls_ssl_conf_max_tls_version(&conf, version);
    check("setup", mbedtls_ssl_setup(&ssl, &conf));
    check("name", mbedtls_ssl_set_hostname(&ssl, NULL));
    mbedtls_ssl_set_bio(&ssl, &fd, send_some, recv_some, NULL);
    check("handshake", mbedtls_ssl_handshake(&ssl));
    puts("begun");
    fflush(stdout);
    int rc = 0;
    while (rc == 0) {
        rc = warning ? mbedtls_ssl_send_alert_message(
                           &ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING, USER_CANCELED)
                     : mbedtls_ssl_write(&ssl, (unsigned char *)"", 0);
    }
    mbedtls_ssl_free(&ssl);
    mbedtls_ssl_config_free(&conf);
    close(fd);
    return 0;
}
