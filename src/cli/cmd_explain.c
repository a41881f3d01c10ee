#include <ctype.h>
#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/commands.h"
#include "cli/explain_code.h"
#include "cli/explain_print.h"
#include "cli/status.h"
#include "report/explain.h"
#include "report/report.h"
#include "tls/mp_error.h"
#include "tls/ssl_alert.h"

struct explain_options {
    bool json;
};

static const struct opt explain_opts[] = {
    OPT_ROW_FLAG(struct explain_options, json, 0, "json",
                 "one JSON object for each reading"),
    OPT_END
};

static const struct opt_group explain_groups[] = {
    { "Options", explain_opts, 0 }, OPT_GROUPS_END
};

static const char *const examples[] = {
    "mptls explain -0x2700 'OSError: -40'",
    "mptls explain handshake_failure MBEDTLS_ERR_SSL_CONN_EOF", NULL
};

/* One CODE. It is read twice, so that nothing is printed if one is unknown. */
struct operand {
    const char *text;
    bool json, print;
    size_t readings;
};

static void show(struct operand *x, const struct explain_reading *r) {
    x->readings++;
    if (x->print) {
        (x->json ? explain_print_json : explain_print_text)(x->text, r);
    }
}

static bool is(const struct explain_reading *r, const char *origin) {
    return strcmp(r->origin, origin) == 0;
}

static void fill_micropython(struct explain_reading *r, int64_t whole) {
    static const struct {
        const char *key;
        enum err_origin origin;
    } rows[] = { { "alert", ERR_ALERT }, { "flag", ERR_VERIFY },
                 { "errno", ERR_OS },    { "newlib", ERR_OS },
                 { "dns", ERR_DNS },     { "tls", ERR_TLS } };
    char *text = r->micropython;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = { rows[i].origin, whole, "" };
        if (is(r, rows[i].key) && whole != 0) {
            mp_error(&e, text, sizeof r->micropython);
        }
    }
    size_t len = strlen(text);
    if (is(r, "alert") && whole != 0) {
        snprintf(text + len, sizeof r->micropython - len,
                 "; OSError(-%d) on an esp8266", (int)r->code);
    } else if (is(r, "axtls") || is(r, "tls2")) {
        snprintf(text, sizeof r->micropython, "OSError(%d, '%s')", (int)whole,
                 r->name);
    } else if (is(r, "value")) {
        snprintf(text, sizeof r->micropython, "ValueError('%s')", r->name);
    } else if (r->code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        snprintf(text, sizeof r->micropython,
                 "ValueError with a line for each reason; up to 1.21 "
                 "OSError(-9984, 'MBEDTLS_ERR_X509_CERT_VERIFY_FAILED')");
    }
}

/* Name and words where the table of causes leaves them to others. */
static void fill_texts(struct explain_reading *r,
                       const struct explain_key *key) {
    const char *tls = explain_tls_name(r->code);
    if (is(r, "alert")) {
        snprintf(r->name, sizeof r->name, "alert %d, %s", (int)r->code,
                 ssl_alert_name((int)r->code));
    } else if (is(r, "flag")) {
        size_t i = 0;
        while (ssl_flag_at(i)->bit != r->code) {
            i++;
        }
        snprintf(r->name, sizeof r->name, "certificate %s", key->name);
        snprintf(r->what, sizeof r->what, "The certificate %s.",
                 ssl_flag_at(i)->text);
    } else if (is(r, "exit")) {
        size_t i = 0;
        while (status_at(i).number != r->code) {
            i++;
        }
        snprintf(r->name, sizeof r->name, "exit status %d, %s", (int)r->code,
                 status_at(i).name);
    } else if (is(r, "tls") && tls != NULL) {
        snprintf(r->name, sizeof r->name, "MBEDTLS_ERR_%s", tls);
        mbedtls_strerror((int)r->code, r->what, sizeof r->what);
    } else {
        snprintf(r->name, sizeof r->name, "%s%s",
                 is(r, "tls2") ? "MBEDTLS_ERR_" : "", key->name);
        for (char *p = r->name; *p != '\0'; p++) {
            *p = *p == '+' ? ' ' : *p;
        }
    }
    if (r->cause != NULL && r->cause->what != NULL) {
        snprintf(r->what, sizeof r->what, "%s", r->cause->what);
    }
}

/* When a reading applies, by one of these origins. */
static const char *applies_of(const char *origin) {
    static const char *const rows[][2] = {
        { "tls", "Mbed TLS 3.x (MicroPython since 1.23)" },
        { "tls2", "Mbed TLS 2.28 and before (MicroPython up to 1.22)" },
        { "psa", "Mbed TLS 4.x" },
        { "alert", "a TLS alert from the peer" },
        { "flag", "a reason to refuse a certificate" },
        { "axtls", "axTLS (esp8266)" },
        { "errno", "an errno, as most ports number it" },
        { "newlib", "an errno, as an esp32 numbers it" },
        { "dns", "name resolution; -2xx on an esp32" },
        { "value", "a ValueError of MicroPython's" },
        { "why", "what a diagnosis found" },
        { "exit", "mptls's exit status" },
    };
    size_t i = 0;
    while (strcmp(rows[i][0], origin) != 0) {
        i++;
    }
    return rows[i][1];
}

/* @param whole    the sum that `code` is a half of, or `code`
 * @param applies  NULL: what applies_of() says */
static void read_key(struct operand *x, const char *origin, int64_t code,
                     int64_t whole, const char *applies) {
    struct explain_key key = { "", 0, "" };
    struct explain_reading r = { .origin = origin, .code = code };
    r.applies = applies != NULL ? applies : applies_of(origin);
    r.cause = explain_find(origin, code, &key);
    if (r.cause == NULL && !(is(&r, "tls") && explain_tls_name(code) != NULL)) {
        return; /* neither the table nor the library knows it */
    }
    fill_texts(&r, &key);
    fill_micropython(&r, whole);
    if (is(&r, "tls") || is(&r, "tls2")) {
        explain_numbers(origin, code, whole, r.numbers);
    }
    show(x, &r);
}

enum { LOW_HALF = 0x7F }; /* mbedtls/error.h */

/* @param named  by its name in 3.x: it has no meaning in 2.28 */
static void read_tls(struct operand *x, int64_t code, bool named) {
    int64_t low = -(-code & LOW_HALF), high = code - low;
    bool sum = low != 0 && high != 0;
    if (high != 0) {
        read_key(x, "tls", high, code,
                 sum ? "Mbed TLS 3.x, high half: what was being done" : NULL);
    }
    if (high != 0 && !named) {
        read_key(x, "tls2", high, code, NULL);
    }
    if (low != 0) {
        read_key(x, "tls", low, code,
                 sum ? "Mbed TLS, low half: why that failed"
                     : "Mbed TLS, a low-level code by itself; MicroPython "
                       "raises it as if it were an errno");
    }
}

/* What the words before a number say of it. */
enum from { FROM_ANY, FROM_OSERROR, FROM_ALERT, FROM_EXIT };

static void read_number(struct operand *x, int64_t n, bool hex,
                        enum from from) {
    static const char *const both[] = { "axtls", "dns", "psa" };
    const int64_t most = 0x7FFF, high = 0x1000;
    if (n < -most || n > most) {
        return;
    }
    const int64_t u = n < 0 ? -n : n;
    if (from == FROM_ALERT || from == FROM_EXIT) {
        read_key(x, from == FROM_ALERT ? "alert" : "exit", n, n, NULL);
        return;
    }
    if (hex || u >= high) {
        read_tls(x, -u, false);
        return;
    }
    if (n < 0) {
        read_key(x, "alert", u, u,
                 "an alert from the peer, as an esp8266 (axTLS) raises it: "
                 "negated");
    } else if (from == FROM_ANY) {
        read_key(x, "alert", u, u, NULL);
        read_key(x, "exit", u, u, NULL);
    }
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        read_key(x, both[i], n, n, NULL);
    }
    read_key(x, "errno", u, u, NULL);
    read_key(x, "newlib", u, u, NULL);
    read_tls(x, u <= LOW_HALF ? -u : 0, false);
}

static void read_name(struct operand *x, const char *s) {
    int code = explain_tls_code(s);
    if (code != 0) {
        read_tls(x, code, true);
        return;
    }
    s += strncmp(s, "MBEDTLS_ERR_", 12) == 0 ? 12 : 0;
    const struct explain_cause *c;
    struct explain_key key;
    for (size_t i = 0; (c = explain_at(i)) != NULL; i++) {
        const char *at = c->keys;
        while ((at = explain_next_key(at, &key)) != NULL) {
            /* A finding that has a flag's name is that flag's. */
            bool again = strcmp(key.origin, "why") == 0 && x->readings > 0;
            if (key.name[0] != '\0' && strcasecmp(s, key.name) == 0 && !again) {
                read_key(x, key.origin, key.code, key.code, NULL);
            }
        }
    }
    for (int i = 0; i < 256; i++) {
        const char *name = ssl_alert_name(i);
        if (strcmp(name, "unknown") != 0 && strcasecmp(s, name) == 0) {
            read_key(x, "alert", i, i, NULL);
        }
    }
    for (size_t i = 0; x->readings == 0 && status_at(i).name != NULL; i++) {
        if (strcasecmp(s, status_at(i).name) == 0) {
            read_key(x, "exit", status_at(i).number, 1, NULL);
        }
    }
}

/* The sentences that MicroPython puts into a ValueError. */
static void read_sentences(struct operand *x) {
    static const char *const values[] = {
        "invalid key", "invalid cert", "CERT_REQUIRED requires server_hostname"
    };
    const struct ssl_flag *f;
    for (size_t i = 0; (f = ssl_flag_at(i)) != NULL; i++) {
        char text[128] = "";
        mbedtls_x509_crt_verify_info(text, sizeof text, "", f->bit);
        text[strcspn(text, "\n")] = '\0';
        if (text[0] != '\0' && strstr(x->text, text) != NULL) {
            read_key(x, "flag", f->bit, f->bit, NULL);
        }
    }
    for (int i = 0; i < (int)(sizeof values / sizeof values[0]); i++) {
        if (strstr(x->text, values[i]) != NULL) {
            read_key(x, "value", i + 1, i + 1, NULL);
        }
    }
}

/* @return bytes, or 0 if the text is no hex of at least 4 of them; dots at its
 * end stand for more */
static size_t unhex(const char *s, unsigned char *out, size_t max) {
    size_t digits = 0;
    for (; *s != '\0'; s++) {
        int c = toupper((unsigned char)*s);
        if (isspace(c) || c == ':') {
            continue;
        }
        if (strcmp(s, "...") == 0 || strcmp(s, "\xE2\x80\xA6") == 0) {
            break;
        }
        if (!isxdigit(c)) {
            return 0;
        }
        if (digits / 2 < max) {
            unsigned char *byte = &out[digits++ / 2];
            *byte = (unsigned char)(*byte << 4 |
                                    (c <= '9' ? c - '0' : c - 'A' + 10));
        }
    }
    return digits >= 8 ? digits / 2 : 0;
}

/* The record's header (RFC 8446 5.1), and what begins in it. */
static void read_record(struct operand *x, const unsigned char *p, size_t n) {
    static const char *const types[] = { "change_cipher_spec", "alert",
                                         "handshake", "application_data",
                                         "heartbeat" };
    static const char *const messages[] = {
        [0] = "HelloRequest",        [1] = "ClientHello",
        [2] = "ServerHello",         [4] = "NewSessionTicket",
        [8] = "EncryptedExtensions", [11] = "Certificate",
        [12] = "ServerKeyExchange",  [13] = "CertificateRequest",
        [14] = "ServerHelloDone",    [15] = "CertificateVerify",
        [16] = "ClientKeyExchange",
    };
    struct explain_reading r = { .origin = "record",
                                 .applies = "a TLS record" };
    if (n < 4 || p[0] < 20 || p[0] > 24 || p[1] != 3 || p[2] > 4) {
        return;
    }
    r.code = p[0];
    const bool alert = p[0] == 21 && p[3] == 0 && n >= 7 && p[4] == 2;
    const int len = p[3] << 8 | p[4], here = n > 5 ? (int)n - 5 : 0;
    const char *message =
        p[0] == 22 && n >= 9 && p[5] <= 16 && p[6] == 0 ? messages[p[5]] : NULL;
    snprintf(r.name, sizeof r.name, "a TLS record: %s%s%s", types[p[0] - 20],
             message != NULL ? ", " : "", message != NULL ? message : "");
    size_t at = (size_t)snprintf(r.what, sizeof r.what, "Version 0x%04X (%s%d)",
                                 (unsigned)(p[1] << 8 | p[2]),
                                 p[2] == 0 ? "SSL " : "TLS 1.",
                                 p[2] == 0 ? 3 : p[2] - 1);
    if (n < 5) {
        snprintf(r.what + at, sizeof r.what - at,
                 "; the rest of its header is cut off.");
        show(x, &r);
        return;
    }
    at += (size_t)snprintf(
        r.what + at, sizeof r.what - at, ", %d bytes, here %d%s.", len,
        here < len ? here : len,
        len > 16384 + 2048 ? ": more than a record may have" : "");
    if (message != NULL) {
        snprintf(r.what + at, sizeof r.what - at, " The %s has %d bytes.",
                 message, p[7] << 8 | p[8]);
    } else if (alert) {
        snprintf(r.what + at, sizeof r.what - at, " Level %d, %s.", p[5],
                 p[5] == 1 ? "warning" : "fatal");
    } else if (p[0] != 20) {
        snprintf(r.what + at, sizeof r.what - at, " Encrypted, or cut off.");
    }
    show(x, &r);
    if (alert) {
        read_key(x, "alert", p[6], p[6], NULL);
    }
}

static void read_plaintext(struct operand *x, const unsigned char *p) {
    struct explain_reading r = { .origin = "plain",
                                 .code = 1,
                                 .applies = "no TLS" };
    int n = 0;
    while (p[n] >= 0x20 && p[n] <= 0x7E) {
        n++;
    }
    if (n >= 4) {
        r.cause = explain_find("plain", 1, NULL);
        snprintf(r.name, sizeof r.name, "plaintext");
        snprintf(r.what, sizeof r.what, "%s \"%.*s\"", r.cause->what, n,
                 (const char *)p);
        show(x, &r);
    }
}

/* Skip a word at the beginning, if it is there. */
static bool strip(const char **s, const char *word) {
    bool there = strncasecmp(*s, word, strlen(word)) == 0;
    *s += there ? strlen(word) : 0;
    return there;
}

static void read_operand(struct operand *x) {
    unsigned char bytes[64] = { 0 };
    size_t n = unhex(x->text, bytes, sizeof bytes - 1);
    if (n != 0) {
        read_record(x, bytes, n);
        read_plaintext(x, bytes);
    } else {
        read_sentences(x);
    }
    if (n != 0 || x->readings > 0) {
        return;
    }
    enum from from = FROM_ANY;
    const char *s = x->text;
    for (;;) {
        s += strspn(s, " :([");
        if (strip(&s, "OSError") || strip(&s, "Errno")) {
            from = FROM_OSERROR;
        } else if (strip(&s, "alert")) {
            from = FROM_ALERT;
        } else if (strip(&s, "exit status") || strip(&s, "exit")) {
            from = FROM_EXIT;
        } else {
            break;
        }
    }
    bool hex = strncmp(s + (*s == '-'), "0x", 2) == 0;
    char *end;
    long long number = strtoll(s, &end, hex ? 16 : 10);
    if (end != s && (*end == '\0' || from == FROM_OSERROR)) {
        read_number(x, number, hex, from);
    } else {
        read_name(x, s);
    }
}

static int explain_codes(const struct explain_options *o, const char **codes,
                         size_t n, struct err *err) {
    for (int print = 0; print < 2; print++) {
        for (size_t i = 0; i < n; i++) {
            struct operand x = { codes[i], o->json, print != 0, 0 };
            read_operand(&x);
            if (x.readings == 0) {
                return err_set(err, ERR_USAGE, 0,
                               "'%.30s' is no known CODE such as "
                               "-0x2700, -9984, SSL_CONN_EOF, 'OSError: -40', "
                               "'alert 40', unknown_ca, expired, 'exit 30' or "
                               "a record in hex",
                               codes[i]);
            }
        }
    }
    return 0;
}

static int explain_run(int argc, char **argv) {
    struct explain_options o = { 0 };
    struct err err = ERR_INIT;
    size_t n = 0;
    int status = 0;
    const char **codes = calloc((size_t)argc, sizeof *codes);
    int rc = codes == NULL ? err_set(&err, ERR_OS, errno, "no memory")
                           : command_parse(&cmd_explain, &o, argc, argv, codes,
                                           &n, (size_t)argc, &status, &err);
    if (rc == 0) {
        rc = n > 0 ? explain_codes(&o, codes, n, &err)
                   : err_set(&err, ERR_USAGE, 0, "explain wants a CODE");
        status = rc == 0 ? command_flush() : 0;
    }
    free(codes);
    return rc < 0 ? command_failed(&cmd_explain, &err) : status;
}

const struct command cmd_explain = {
    .name = "explain",
    .operand = "CODE...",
    .summary = "an error code, an alert or a record, in words",
    .examples = examples,
    .groups = explain_groups,
    .run = explain_run,
};
