#include "cli/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "cli/status.h"
#include "tls/mp_error.h"
#include "tls/ssl_alert.h"
#include "tls/ssl_cipher.h"
#include "tls/ssl_pin.h"

struct expect_key {
    const char *name;
    /** Write what it is, up to EXPECT_MAX bytes; nothing: not known. */
    void (*get)(const struct report *r, char *buf);
    /** Is it `wanted`? `actual` is what `get` wrote. NULL: the same text. */
    bool (*same)(const char *wanted, const char *actual);
    /** The i-th word that `wanted` can be, or NULL. NULL: any text. */
    const char *(*word)(const void *arg, size_t i);
    /** What else it can be, with `word`; NULL: nothing. */
    bool (*other)(const char *wanted);
    const char *what; /* it can be, for the message; without `word`: NULL */
};

enum { EXPECT_MAX = sizeof((struct report_expect *)0)->actual };

static void put(char *buf, const char *text) {
    snprintf(buf, EXPECT_MAX, "%s", text != NULL ? text : "");
}

static void put_or_none(char *buf, const char *text) {
    put(buf, text != NULL && text[0] != '\0' ? text : "none");
}

static void add(char *buf, const char *text) {
    size_t at = strlen(buf);
    snprintf(buf + at, EXPECT_MAX - at, "%s%s", at != 0 ? ", " : "", text);
}

static bool number_of(const char *text, long long *n) {
    char *end;
    *n = strtoll(text, &end, 0);
    return end != text && *end == '\0' && text[0] > ' ';
}

static bool is_byte(const char *wanted) {
    long long n;
    return number_of(wanted, &n) && n >= 0 && n <= 255;
}

/* Is `wanted` one of the words in a list that commas part? */
static bool listed(const char *wanted, const char *actual) {
    size_t len = strlen(wanted);
    const char *at = actual;
    while (*at != '\0') {
        size_t n = strcspn(at, ",");
        if (n == len && strncasecmp(at, wanted, n) == 0) {
            return true;
        }
        at += n;
        at += strspn(at, ", ");
    }
    return false;
}

/* "31 (expired)": by its number or by its name. */
static bool numbered(const char *wanted, const char *actual) {
    long long n;
    size_t len = strcspn(actual, " ");
    const char *name = actual + len + (actual[len] != '\0' ? 2 : 0);
    if (number_of(wanted, &n)) {
        return n == strtoll(actual, NULL, 10);
    }
    return strncasecmp(name, wanted, strlen(wanted)) == 0 &&
           strcmp(name + strlen(wanted), ")") == 0;
}

static bool handshake_known(const struct report *r) {
    return r->tls.handshake_done;
}

static void get_version(const struct report *r, char *buf) {
    put(buf, r->tls.version);
}

/* "TLSv1.3", "TLS 1.3" and "1.3" are one. */
static const char *version_digits(const char *version) {
    bool tls = strncasecmp(version, "TLS", 3) == 0 &&
               (version[3] == 'v' || version[3] == ' ');
    return tls ? version + 4 : version;
}

static bool same_version(const char *wanted, const char *actual) {
    return strcmp(version_digits(wanted), version_digits(actual)) == 0;
}

static const char *version_word(const void *arg, size_t i) {
    static const char *const words[] = { "TLSv1.3", "TLSv1.2", "1.3", "1.2" };
    (void)arg;
    return i < sizeof words / sizeof words[0] ? words[i] : NULL;
}

static bool is_version(const char *wanted) {
    const char *digits = version_digits(wanted);
    return strcmp(digits, "1.3") == 0 || strcmp(digits, "1.2") == 0 ||
           strcmp(digits, "1.1") == 0 || strcmp(digits, "1.0") == 0;
}

static void get_cipher(const struct report *r, char *buf) {
    put(buf, r->tls.cipher);
}

static bool same_cipher(const char *wanted, const char *actual) {
    return ssl_name_find(SSL_KIND_CIPHER, wanted) ==
           ssl_name_find(SSL_KIND_CIPHER, actual);
}

static const char *cipher_word(const void *arg, size_t i) {
    static char buf[SSL_CIPHER_NAME_MAX];
    const char *wanted = arg;
    return i == 0 ? ssl_cipher_nearest(wanted, buf) : NULL;
}

static bool is_cipher(const char *wanted) {
    return ssl_name_find(SSL_KIND_CIPHER, wanted) >= 0;
}

static void get_name(enum ssl_kind kind, unsigned id, char *buf) {
    char name[SSL_LABEL_MAX];
    put(buf, id != 0 ? ssl_name(kind, id, name) : NULL);
}

static void get_group(const struct report *r, char *buf) {
    get_name(SSL_KIND_GROUP, r->tls.group, buf);
}

static bool same_group(const char *wanted, const char *actual) {
    return ssl_name_find(SSL_KIND_GROUP, wanted) ==
           ssl_name_find(SSL_KIND_GROUP, actual);
}

/* Some of them, to guess what was meant. */
static const char *group_word(const void *arg, size_t i) {
    static const char *const words[] = {
        "secp256r1", "secp384r1", "secp521r1", "x25519", "x448", "ffdhe2048"
    };
    (void)arg;
    return i < sizeof words / sizeof words[0] ? words[i] : NULL;
}

static bool is_group(const char *wanted) {
    return ssl_name_find(SSL_KIND_GROUP, wanted) >= 0;
}

static void get_sigalg(const struct report *r, char *buf) {
    get_name(SSL_KIND_SIG_ALG, r->tls.sig_alg, buf);
}

static bool same_sigalg(const char *wanted, const char *actual) {
    return ssl_name_find(SSL_KIND_SIG_ALG, wanted) ==
           ssl_name_find(SSL_KIND_SIG_ALG, actual);
}

static const char *sigalg_word(const void *arg, size_t i) {
    static const char *const words[] = {
        "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384",
        "ecdsa_secp521r1_sha512", "rsa_pkcs1_sha256",
        "rsa_pss_rsae_sha256",    "ed25519",
    };
    (void)arg;
    return i < sizeof words / sizeof words[0] ? words[i] : NULL;
}

static bool is_sigalg(const char *wanted) {
    return ssl_name_find(SSL_KIND_SIG_ALG, wanted) >= 0;
}

static void get_alpn(const struct report *r, char *buf) {
    if (handshake_known(r)) {
        put_or_none(buf, r->tls.alpn);
    }
}

/* What was found, also where the handshake failed by it; "none": nothing was
 * looked at. */
static void get_verify(const struct report *r, char *buf) {
    const struct ssl_info *t = &r->tls;
    uint32_t flags = t->verify_flags;
    if (r->err.origin == ERR_VERIFY) {
        flags |= (uint32_t)r->err.code;
    }
    const struct ssl_flag *f;
    for (size_t i = 0; (f = ssl_flag_at(i)) != NULL; i++) {
        if ((flags & f->bit) != 0) {
            add(buf, f->name);
        }
    }
    if (flags == 0 && t->verified) {
        put(buf, "ok");
    } else if (flags == 0 && handshake_known(r)) {
        put(buf, "none");
    }
}

static const char *verify_word(const void *arg, size_t i) {
    static const char *const words[] = { "ok", "none" };
    enum { N = sizeof words / sizeof words[0] };
    (void)arg;
    const struct ssl_flag *f = i >= N ? ssl_flag_at(i - N) : NULL;
    return i < N ? words[i] : f != NULL ? f->name : NULL;
}

/* A handshake that has gone well had none; later ones count, too. */
static void get_alert(const struct report *r, char *buf) {
    if (r->err.origin == ERR_ALERT) {
        snprintf(buf, EXPECT_MAX, "%d (%s)", (int)r->err.code,
                 ssl_alert_name((int)r->err.code));
    } else if (r->stage >= STAGE_HANDSHAKE) {
        put(buf, "none");
    }
}

static bool same_alert(const char *wanted, const char *actual) {
    return strcasecmp(wanted, actual) == 0 ||
           (strcmp(actual, "none") != 0 && numbered(wanted, actual));
}

/* "none", then the names; ssl_alert_name() has "unknown" in the gaps. */
static const char *alert_word(const void *arg, size_t i) {
    (void)arg;
    return i == 0 ? "none" : i <= 256 ? ssl_alert_name((int)i - 1) : NULL;
}

static void get_exit(const struct report *r, char *buf) {
    snprintf(buf, EXPECT_MAX, "%d (%s)", r->status, r->status_name);
}

static const char *exit_word(const void *arg, size_t i) {
    (void)arg;
    return status_at(i).name;
}

static const struct ssl_cert_info *leaf(const struct report *r) {
    const struct ssl_info *t = &r->tls;
    return t->cert_count > 0   ? &t->certs[0]
           : t->sent_count > 0 ? &t->sent[0]
                               : NULL;
}

static void get_subject(const struct report *r, char *buf) {
    put(buf, leaf(r) != NULL ? leaf(r)->subject : NULL);
}

static void get_issuer(const struct report *r, char *buf) {
    put(buf, leaf(r) != NULL ? leaf(r)->issuer : NULL);
}

static bool same_exactly(const char *wanted, const char *actual) {
    return strcmp(wanted, actual) == 0;
}

static void get_names(const struct report *r, char *buf) {
    if (leaf(r) != NULL) {
        put_or_none(buf, leaf(r)->names);
    }
}

/* With its kind, as it is reported, or without. */
static bool same_name(const char *wanted, const char *actual) {
    char full[SSL_NAME_MAX + 4];
    bool found = listed(wanted, actual);
    static const char *const kinds[] = { "DNS:", "IP:" };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !found; i++) {
        snprintf(full, sizeof full, "%s%s", kinds[i], wanted);
        found = listed(full, actual);
    }
    return found;
}

static void get_pin(const struct report *r, char *buf) {
    char text[SSL_PIN_TEXT_MAX];
    put(buf, leaf(r) != NULL ? ssl_pin_text(leaf(r)->spki_sha256, text) : NULL);
}

static bool is_pin(const char *wanted) {
    struct ssl_pin pin;
    return ssl_pin_read(wanted, &pin);
}

static bool same_pin(const char *wanted, const char *actual) {
    struct ssl_pin a, b;
    return ssl_pin_read(wanted, &a) && ssl_pin_read(actual, &b) &&
           memcmp(&a, &b, sizeof a) == 0;
}

static const char *no_word(const void *arg, size_t i) {
    (void)arg;
    (void)i;
    return NULL;
}

/* That the client asks for: ours, or what came in its hello. */
static void get_server_hostname(const struct report *r, char *buf) {
    const struct ssl_info *t = &r->tls;
    if (!t->server_side) {
        put_or_none(buf, t->server_hostname);
    } else if (t->theirs.known) {
        put_or_none(buf, t->theirs.server_name);
    }
}

static void get_origin(const struct report *r, char *buf) {
    put(buf, err_origin_name(r->err.origin));
}

static const char *origin_word(const void *arg, size_t i) {
    (void)arg;
    return i < ERR_ORIGINS ? err_origin_name((enum err_origin)i) : NULL;
}

/* The number, and the name of one of Mbed TLS's. */
static void get_code(const struct report *r, char *buf) {
    char name[160];
    snprintf(buf, EXPECT_MAX, "%lld%s%s%s", (long long)r->err.code,
             r->err.origin == ERR_TLS ? " (" : "",
             r->err.origin == ERR_TLS
                 ? mp_error_name((int)r->err.code, name, sizeof name)
                 : "",
             r->err.origin == ERR_TLS ? ")" : "");
}

/* Mbed TLS's names are written with and without their beginning. */
static const char *bare_name(const char *name) {
    static const char prefix[] = "MBEDTLS_ERR_";
    size_t len = sizeof prefix - 1;
    return strncasecmp(name, prefix, len) == 0 ? name + len : name;
}

/* And its codes with and without the sign. */
static bool same_code(const char *wanted, const char *actual) {
    char name[EXPECT_MAX];
    long long n, is = strtoll(actual, NULL, 10);
    bool named = strchr(actual, ' ') != NULL;
    if (number_of(wanted, &n)) {
        return n == is || (named && n == -is);
    }
    snprintf(name, sizeof name, "MBEDTLS_ERR_%s", bare_name(wanted));
    return numbered(name, actual);
}

static const char *code_word(const void *arg, size_t i) {
    (void)arg;
    return mp_error_name_at(i, NULL);
}

static bool is_code(const char *wanted) {
    const char *name;
    long long n;
    bool known = number_of(wanted, &n);
    for (size_t i = 0; !known && (name = mp_error_name_at(i, NULL)) != NULL;
         i++) {
        known = strcasecmp(name, bare_name(wanted)) == 0;
    }
    return known;
}

static void get_stage(const struct report *r, char *buf) {
    put(buf, report_stage_name(r->stage));
}

static const char *stage_word(const void *arg, size_t i) {
    (void)arg;
    return i < STAGES ? report_stage_name((enum report_stage)i) : NULL;
}

static void get_finding(const struct report *r, char *buf) {
    for (size_t i = 0; i < r->tls.finding_count; i++) {
        add(buf, r->tls.findings[i].name);
    }
    if (buf[0] == '\0') {
        put(buf, "none");
    }
}

static const struct expect_key keys[] = {
    { "version", get_version, same_version, version_word, is_version,
      "TLSv1.3 or TLSv1.2" },
    { "cipher", get_cipher, same_cipher, cipher_word, is_cipher,
      "a cipher suite" },
    { "group", get_group, same_group, group_word, is_group, "a group" },
    { "sigalg", get_sigalg, same_sigalg, sigalg_word, is_sigalg,
      "a signature algorithm" },
    { "alpn", get_alpn, same_exactly, NULL, NULL, NULL },
    { "verify", get_verify, listed, verify_word, NULL,
      "ok, none, or a flag such as expired" },
    { "alert", get_alert, same_alert, alert_word, is_byte,
      "an alert's name or number, or none" },
    { "exit", get_exit, numbered, exit_word, is_byte,
      "an exit status or its class" },
    { "peer-subject", get_subject, same_exactly, NULL, NULL, NULL },
    { "peer-issuer", get_issuer, same_exactly, NULL, NULL, NULL },
    { "peer-name", get_names, same_name, NULL, NULL, NULL },
    { "pin", get_pin, same_pin, no_word, is_pin,
      "sha256/ and 44 digits of base64" },
    { "server-hostname", get_server_hostname, NULL, NULL, NULL, NULL },
    { "origin", get_origin, NULL, origin_word, NULL, "an error's origin" },
    { "code", get_code, same_code, code_word, is_code,
      "an error's number, or Mbed TLS's name for it" },
    { "stage", get_stage, NULL, stage_word, NULL, "a stage" },
    { "finding", get_finding, listed, NULL, NULL, NULL },
};

enum { KEYS = sizeof keys / sizeof keys[0] };

static const char *key_name(const void *arg, size_t i) {
    (void)arg;
    return i < KEYS ? keys[i].name : NULL;
}

const char *expect_key_at(size_t i) {
    return key_name(NULL, i);
}

static const struct expect_key *key_find(const char *word, size_t len,
                                         struct err *err) {
    char name[TEXT_WORD_MAX + 1];
    for (size_t i = 0; i < KEYS; i++) {
        if (strlen(keys[i].name) == len &&
            memcmp(keys[i].name, word, len) == 0) {
            return &keys[i];
        }
    }
    snprintf(name, sizeof name, "%.*s",
             (int)(len < TEXT_WORD_MAX ? len : TEXT_WORD_MAX), word);
    const char *near = text_nearest(name, key_name, NULL);
    err_set(err, ERR_USAGE, 0, "--expect: there is no key '%.40s'%s%s%s", name,
            near != NULL ? "; did you mean " : "", near != NULL ? near : "",
            near != NULL ? "?" : "");
    return NULL;
}

static int value_check(const struct expect_key *key, const char *wanted,
                       struct err *err) {
    const char *word;
    if (wanted[0] == '\0') {
        return err_set(err, ERR_USAGE, 0, "--expect: %s= has no value",
                       key->name);
    }
    if (key->word == NULL || (key->other != NULL && key->other(wanted))) {
        return 0;
    }
    for (size_t i = 0; (word = key->word(wanted, i)) != NULL; i++) {
        if (strcasecmp(word, wanted) == 0 && strcmp(word, "unknown") != 0) {
            return 0;
        }
    }
    /* What cipher_word gives depends on `wanted`. */
    const char *near = key->word == cipher_word
                           ? cipher_word(wanted, 0)
                           : text_nearest(wanted, key->word, wanted);
    return err_set(err, ERR_USAGE, 0, "--expect: %s='%.40s' is not %s%s%s%s",
                   key->name, wanted, key->what,
                   near != NULL ? "; did you mean " : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

int expect_read(struct expect *e, const struct opt_many *given,
                struct err *err) {
    e->n = 0;
    for (size_t i = 0; i < given->n; i++) {
        const char *text = given->value[i];
        const char *equals = strchr(text, '=');
        if (equals == NULL) {
            return err_set(err, ERR_USAGE, 0,
                           "--expect: '%.60s' is no KEY=VALUE", text);
        }
        const struct expect_key *key =
            key_find(text, (size_t)(equals - text), err);
        if (key == NULL || value_check(key, equals + 1, err) != 0) {
            return -1;
        }
        e->keys[i] = key;
        e->rows[i] =
            (struct report_expect){ .key = key->name, .wanted = equals + 1 };
    }
    e->n = given->n;
    return 0;
}

static void judge_one(const struct expect_key *key, struct report_expect *row,
                      const struct report *r) {
    row->actual[0] = '\0';
    if (r->stage != STAGE_SETUP || key->get == get_exit) {
        key->get(r, row->actual);
    }
    if (row->actual[0] == '\0') {
        put(row->actual, "unknown");
        row->met = false;
    } else {
        row->met = key->same != NULL
                       ? key->same(row->wanted, row->actual)
                       : strcasecmp(row->wanted, row->actual) == 0;
    }
}

static const char *name_of(int status) {
    size_t i = 0;
    while (status_at(i).number != status) {
        i++;
    }
    return status_at(i).name;
}

void expect_judge(struct expect *e, struct report *r) {
    enum { OURS = 1, UNMET = 50 };
    bool all = true, about_exit = false;
    for (size_t i = 0; i < e->n; i++) {
        judge_one(e->keys[i], &e->rows[i], r);
        all = all && e->rows[i].met;
        about_exit = about_exit || e->keys[i]->get == get_exit;
    }
    r->expects = e->rows;
    r->expect_count = e->n;
    bool fixed = r->err.origin == ERR_SIGNAL || r->err.origin == ERR_USAGE ||
                 (r->status == OURS && !about_exit);
    if (e->n > 0 && !fixed) {
        r->exit = all ? 0 : UNMET;
        r->exit_name = name_of(r->exit);
    }
}
