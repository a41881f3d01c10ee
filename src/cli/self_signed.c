#include "cli/self_signed.h"

#include <errno.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "tls/ssl_cert.h"
#include "tls/ssl_failure.h"

static const char form[] = "base64:"; /* of DATA */

/* What a client on this machine, or beside it, is likely to connect to. */
static const char usual[] = "localhost,127.0.0.1,::1";

static void default_names(char *buf, size_t size) {
    char host[256];
    int n = snprintf(buf, size, "%s", usual);
    if (gethostname(host, sizeof host) != 0) {
        return;
    }
    host[sizeof host - 1] = '\0';
    if (strcmp(host, "localhost") != 0 &&
        ssl_self_signed_name(host, strlen(host))) {
        snprintf(buf + n, size - (size_t)n, ",%s", host);
    }
}

int self_signed_make(const char *names, struct ssl_self_signed *made,
                     struct err *err) {
    char buf[sizeof usual + 256];
    struct err why = ERR_INIT;
    if (names == NULL) {
        default_names(buf, sizeof buf);
        names = buf;
    }
    if (ssl_self_signed_make(names, made, &why) == 0) {
        return 0;
    }
    return err_set(err, why.origin, why.code, "--self-signed: %s", why.msg);
}

int self_signed_tell(const struct ssl_self_signed *made,
                     const struct output *out, struct err *err) {
    mbedtls_x509_crt crt;
    struct ssl_cert_info info;
    int rc = -1;
    char *cadata = malloc(sizeof form + made->cert_len / 3 * 4 + 4);
    mbedtls_x509_crt_init(&crt);
    if (cadata == NULL) {
        err_set(err, ERR_OS, ENOMEM, "show the certificate");
        goto out;
    }
    int ret = mbedtls_x509_crt_parse_der(&crt, made->cert, made->cert_len);
    if (ret != 0) {
        ssl_failure_of(err, ret, "show the certificate");
        goto out;
    }
    ssl_cert_describe(&crt, NULL, &info);
    memcpy(cadata, form, sizeof form);
    text_base64(made->cert, made->cert_len, cadata + strlen(form));
    output_self_signed(out, &info, cadata);
    rc = 0;
out:
    mbedtls_x509_crt_free(&crt);
    free(cadata);
    return rc;
}
