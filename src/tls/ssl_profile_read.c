#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "tls/ssl_profile.h"

enum {
    LIKES_MAX = 4,
    SSL3 = 0x0300,
    TLS12 = 0x0303,
    TLS13 = 0x0304,
    RECORD_MIN = 512, /* the least that RFC 6066 4 can agree on */
    RECORD_MAX = 16384,
    HEAP_MIN = 1024,
    NUMBER_MAX = 999999999
};

static const char blanks[] = " \t\r";

struct reader {
    struct ssl_profile *p;
    unsigned line;
    const char *key;   /* of the line; NULL: it is not known */
    unsigned seen;     /* bits of lists that this text has begun */
    bool said_message; /* this text has the limit of a message */
};

static int wrong(const struct reader *r, struct err *err, const char *what,
                 const char *word, size_t len) {
    return err_set(err, ERR_FILE, 0, "%.40s: line %u: %s%s%s '%.*s'",
                   r->p->name, r->line, r->key != NULL ? r->key : "",
                   r->key != NULL ? ": " : "", what, (int)(len < 60 ? len : 60),
                   word);
}

/* The next word of a value. @return its bytes, 0: there is none */
static size_t next_word(const char **at, const char *end) {
    while (*at < end && strchr(blanks, **at) != NULL) {
        (*at)++;
    }
    const char *p = *at;
    while (p < end && strchr(blanks, *p) == NULL) {
        p++;
    }
    return (size_t)(p - *at);
}

static bool is(const char *word, size_t len, const char *text) {
    return strlen(text) == len && strncasecmp(word, text, len) == 0;
}

static int read_id(const struct reader *r, enum ssl_kind kind, const char *word,
                   size_t len, struct err *err) {
    char name[SSL_LABEL_MAX];
    snprintf(name, sizeof name, "%.*s", (int)len, word);
    int id = len < sizeof name ? ssl_name_find(kind, name) : -1;
    if (kind == SSL_KIND_VERSION && (id < SSL3 || id > TLS13)) {
        id = -1;
    }
    return id >= 0 ? id : wrong(r, err, "unknown", word, len);
}

/* A list of numbers: a first line replaces what was there, others add. */
struct list {
    const char *key;
    enum ssl_kind kind;
};

static const struct list lists[] = {
    { "versions", SSL_KIND_VERSION },     { "ciphers", SSL_KIND_CIPHER },
    { "groups", SSL_KIND_GROUP },         { "sig-algs", SSL_KIND_SIG_ALG },
    { "extensions", SSL_KIND_EXTENSION }, { "curves", SSL_KIND_GROUP },
    { "hashes", SSL_OFFER_KINDS },
};

enum { LISTS = sizeof lists / sizeof lists[0], CURVES = 5, HASHES = 6 };

static void clear_list(struct ssl_profile *p, size_t i) {
    switch (i) {
    case SSL_KIND_VERSION:
        p->min_version = UINT16_MAX;
        p->max_version = 0;
        break;
    case SSL_KIND_CIPHER:
        p->ciphers[0] = 0;
        break;
    case SSL_KIND_GROUP:
        p->groups[0] = 0;
        break;
    case SSL_KIND_SIG_ALG:
        p->sig_algs[0] = 0;
        break;
    case SSL_KIND_EXTENSION:
        p->extensions.n = 0;
        break;
    case CURVES:
        p->certs.allowed_curves = 0;
        break;
    default:
        p->certs.allowed_mds = 0;
        break;
    }
}

/* @return whether there was room */
static bool append(uint16_t *list, int id) {
    size_t n = 0;
    while (list[n] != 0) {
        n++;
    }
    if (n == SSL_PROFILE_IDS) {
        return false;
    }
    list[n] = (uint16_t)id;
    list[n + 1] = 0;
    return true;
}

/* A curve that Mbed TLS can verify with; others it does not know. */
static void allow_curve(struct ssl_profile *p, int group) {
    static const struct {
        int group;
        mbedtls_ecp_group_id id;
    } rows[] = {
        { 0x0013, MBEDTLS_ECP_DP_SECP192R1 },
        { 0x0015, MBEDTLS_ECP_DP_SECP224R1 },
        { 0x0016, MBEDTLS_ECP_DP_SECP256K1 },
        { 0x0017, MBEDTLS_ECP_DP_SECP256R1 },
        { 0x0018, MBEDTLS_ECP_DP_SECP384R1 },
        { 0x0019, MBEDTLS_ECP_DP_SECP521R1 },
        { 0x001A, MBEDTLS_ECP_DP_BP256R1 },
        { 0x001B, MBEDTLS_ECP_DP_BP384R1 },
        { 0x001C, MBEDTLS_ECP_DP_BP512R1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].group == group) {
            p->certs.allowed_curves |=
                (uint32_t)MBEDTLS_X509_ID_FLAG(rows[i].id);
        }
    }
}

static int allow_hash(const struct reader *r, const char *word, size_t len,
                      struct err *err) {
    static const struct {
        const char *name;
        mbedtls_md_type_t id;
    } rows[] = {
        { "md5", MBEDTLS_MD_MD5 },       { "sha1", MBEDTLS_MD_SHA1 },
        { "sha224", MBEDTLS_MD_SHA224 }, { "sha256", MBEDTLS_MD_SHA256 },
        { "sha384", MBEDTLS_MD_SHA384 }, { "sha512", MBEDTLS_MD_SHA512 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (is(word, len, rows[i].name)) {
            r->p->certs.allowed_mds |=
                (uint32_t)MBEDTLS_X509_ID_FLAG(rows[i].id);
            return 0;
        }
    }
    return wrong(r, err, "unknown", word, len);
}

static bool append_to(struct ssl_profile *p, size_t i, int id) {
    switch (i) {
    case SSL_KIND_VERSION:
        p->min_version = id < p->min_version ? (uint16_t)id : p->min_version;
        p->max_version = id > p->max_version ? (uint16_t)id : p->max_version;
        return true;
    case SSL_KIND_CIPHER:
        return append(p->ciphers, id);
    case SSL_KIND_GROUP:
        return append(p->groups, id);
    case SSL_KIND_SIG_ALG:
        return append(p->sig_algs, id);
    case SSL_KIND_EXTENSION:
        ssl_ids_add(&p->extensions, (unsigned)id);
        return ssl_ids_has(&p->extensions, (unsigned)id);
    default:
        allow_curve(p, id);
        return true;
    }
}

static int read_list(struct reader *r, size_t i, const char *at,
                     const char *end, struct err *err) {
    if ((r->seen & 1u << i) == 0) {
        r->seen |= 1u << i;
        clear_list(r->p, i);
    }
    for (size_t len; (len = next_word(&at, end)) != 0; at += len) {
        if (i == HASHES) {
            if (allow_hash(r, at, len, err) != 0) {
                return -1;
            }
            continue;
        }
        int id = read_id(r, lists[i].kind, at, len, err);
        if (id < 0) {
            return -1;
        }
        if (!append_to(r->p, i, id)) {
            return wrong(r, err, "too many, at", at, len);
        }
    }
    return 0;
}

static int read_number(const struct reader *r, const char **at, const char *end,
                       size_t *n, struct err *err) {
    enum { DIGITS = 9 };
    size_t len = next_word(at, end), value = 0;
    if (len == 0) {
        return wrong(r, err, "a number is wanted:", *at, 0);
    }
    for (size_t i = 0; i < len; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9' || len > DIGITS) {
            return wrong(r, err, "no number of at most 9 digits:", *at, len);
        }
        value = value * 10 + (size_t)(c - '0');
    }
    *at += len;
    *n = value;
    return 0;
}

static int read_end(const struct reader *r, const char *at, const char *end,
                    struct err *err) {
    size_t len = next_word(&at, end);
    return len == 0 ? 0 : wrong(r, err, "one number too many:", at, len);
}

/* A value that is one word of several. */
static int read_choice(const struct reader *r, const char *value, size_t len,
                       const char *const *names, int *i, struct err *err) {
    char say[80] = "not one of ";
    for (*i = 0; names[*i] != NULL; (*i)++) {
        if (is(value, len, names[*i])) {
            return 0;
        }
        text_append(say, sizeof say, *i > 0 ? ", " : "", *i > 0 ? 2 : 0);
        text_append(say, sizeof say, names[*i], strlen(names[*i]));
    }
    text_append(say, sizeof say, ":", 1);
    return wrong(r, err, say, value, len);
}

static int read_rsa(const struct reader *r, const char *at, const char *end,
                    struct err *err) {
    size_t low, high;
    if (read_number(r, &at, end, &low, err) != 0) {
        return -1;
    }
    const char *most = at;
    if (read_number(r, &at, end, &high, err) != 0 ||
        read_end(r, at, end, err) != 0) {
        return -1;
    }
    if (high != 0 && high < low) {
        size_t len = next_word(&most, end);
        return wrong(r, err, "the most is less than the least:", most, len);
    }
    r->p->certs.rsa_min_bitlen = (unsigned)low;
    r->p->device.rsa_max_bits = (unsigned)high;
    return 0;
}

static const struct size_key {
    const char *key;
    unsigned least, most; /* beside 0 */
    size_t offset;        /* in struct ssl_device */
} sizes[] = {
    { "max-in-record", RECORD_MIN, RECORD_MAX,
      offsetof(struct ssl_device, max_in_record) },
    { "max-in-message", RECORD_MIN, NUMBER_MAX,
      offsetof(struct ssl_device, max_in_message) },
    { "max-out-record", RECORD_MIN, RECORD_MAX,
      offsetof(struct ssl_device, max_out_record) },
    { "heap", HEAP_MIN, NUMBER_MAX, offsetof(struct ssl_device, heap.bytes) },
};

static int read_size(struct reader *r, const struct size_key *k, const char *at,
                     const char *end, struct err *err) {
    const char *word = at;
    size_t n;
    if (read_number(r, &at, end, &n, err) != 0 ||
        read_end(r, at, end, err) != 0) {
        return -1;
    }
    if (n != 0 && (n < k->least || n > k->most)) {
        char say[60];
        snprintf(say, sizeof say, "neither 0 nor %u to %u:", k->least, k->most);
        return wrong(r, err, say, word, (size_t)(at - word));
    }
    struct ssl_device *d = &r->p->device;
    if (k == &sizes[0] && !r->said_message) {
        ssl_device_limit_in(d, n);
        return 0;
    }
    r->said_message |= k == &sizes[1];
    memcpy((char *)d + k->offset, &n, sizeof n);
    return 0;
}

enum choice {
    MESSAGES,
    VERIFY,
    TRUST,
    FORMATS,
    PSS,
    DATES,
    CLOSE_NOTIFY,
    SNI_ADDRESS,
    ERRORS,
    CHOICES
};

static const struct {
    const char *key;
    const char *names[4];
} choices[CHOICES] = {
    [MESSAGES] = { "messages", { "joined", "whole" } },
    [VERIFY] = { "verify", { "none", "optional", "required" } },
    [TRUST] = { "trust", { "store", "none" } },
    [FORMATS] = { "formats", { "pem der", "der pem", "der" } },
    [PSS] = { "pss", { "yes", "no" } },
    [DATES] = { "dates", { "checked", "ignored" } },
    [CLOSE_NOTIFY] = { "close-notify", { "yes", "no" } },
    [SNI_ADDRESS] = { "sni-address", { "yes", "no" } },
    [ERRORS] = { "errors", { "micropython", "axtls", "none" } },
};

/* @param i  of the choice's names */
static void set_choice(struct ssl_profile *p, enum choice which, int i) {
    struct ssl_device *d = &p->device;
    switch (which) {
    case MESSAGES:
        d->whole_messages = i == 1;
        break;
    case VERIFY: /* in the enumeration's order */
        p->verify_mode = (enum ssl_verify_mode)i;
        break;
    case TRUST:
        p->has_store = i == 0;
        break;
    case FORMATS:
        d->der_only = i == 2;
        break;
    case PSS:
        d->no_pss = i == 1;
        break;
    case DATES:
        d->no_dates = i == 1;
        break;
    case CLOSE_NOTIFY:
        p->close_notify = i == 0;
        break;
    case SNI_ADDRESS:
        d->sends_addresses = i == 0;
        break;
    default: /* ERRORS, in the enumeration's order */
        p->errors = (enum mp_errors)i;
        break;
    }
}

/* Those whose text is shown, and says nothing to us. */
static const char *const texts[] = { "source", "library", "unlike" };

static int read_text(struct reader *r, const char *key, const char *value,
                     size_t len, struct err *err) {
    struct ssl_profile *p = r->p;
    if (strcmp(key, "title") == 0) {
        snprintf(p->title, sizeof p->title, "%.*s", (int)len, value);
        return 0;
    }
    if (strcmp(key, "clock") == 0) {
        bool host = is(value, len, "host");
        if (!host && len != strlen("2000-01-01T00:00:00Z")) {
            return wrong(r, err, "no time such as 2000-01-01T00:00:00Z:", value,
                         len);
        }
        snprintf(p->clock, sizeof p->clock, "%.*s", host ? 0 : (int)len, value);
        return 0;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(key, texts[i]) == 0) {
            return 0;
        }
    }
    r->key = NULL;
    return wrong(r, err, "unknown key", key, strlen(key));
}

static int read_value(struct reader *r, const char *key, const char *value,
                      size_t len, struct err *err) {
    const char *end = value + len;
    r->key = key;
    if (len == 0) {
        /* A list may be empty: no groups, no extensions. */
        bool list = false;
        for (size_t i = 0; i < LISTS; i++) {
            list |= strcmp(key, lists[i].key) == 0;
        }
        if (!list) {
            return wrong(r, err, "no value:", value, 0);
        }
    }
    for (size_t i = 0; i < LISTS; i++) {
        if (strcmp(key, lists[i].key) == 0) {
            return read_list(r, i, value, end, err);
        }
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (strcmp(key, sizes[i].key) == 0) {
            return read_size(r, &sizes[i], value, end, err);
        }
    }
    for (int i = 0; i < CHOICES; i++) {
        int said;
        if (strcmp(key, choices[i].key) == 0) {
            if (read_choice(r, value, len, choices[i].names, &said, err) != 0) {
                return -1;
            }
            set_choice(r->p, (enum choice)i, said);
            return 0;
        }
    }
    return strcmp(key, "rsa") == 0 ? read_rsa(r, value, end, err)
                                   : read_text(r, key, value, len, err);
}

/* One line: its key and its value, without the comment and blanks around.
 * @return where the next one begins, or NULL past the last */
static const char *next_line(const char *at, const char **key, size_t *key_len,
                             const char **value, size_t *len) {
    size_t all = strcspn(at, "\n");
    const char *next = at[all] != '\0' ? at + all + 1 : at + all;
    const char *end = at + strcspn(at, "#\n");
    if (*at == '\0') {
        return NULL;
    }
    *key_len = next_word(&at, end);
    *key = at;
    at += *key_len;
    (void)next_word(&at, end);
    while (end > at && strchr(blanks, end[-1]) != NULL) {
        end--;
    }
    *value = at;
    *len = (size_t)(end - at);
    return next;
}

const char *ssl_profile_next(const char *text, const char *key,
                             const char **value, size_t *len) {
    const char *at;
    size_t key_len;
    while ((text = next_line(text, &at, &key_len, value, len)) != NULL) {
        if (is(at, key_len, key)) {
            return text;
        }
    }
    return NULL;
}

static int read_all(struct reader *r, const char *text, unsigned likes,
                    struct err *err);

/* Its values are here as if they stood in this text. */
static int read_like(const struct reader *r, const char *value, size_t len,
                     unsigned likes, struct err *err) {
    char name[sizeof r->p->name];
    snprintf(name, sizeof name, "%.*s", (int)len, value);
    const char *text = ssl_profile_text(name);
    if (text == NULL || likes == LIKES_MAX) {
        return wrong(r, err, "there is no profile", value, len);
    }
    struct reader other = { .p = r->p };
    return read_all(&other, text, likes + 1, err);
}

static int read_all(struct reader *r, const char *text, unsigned likes,
                    struct err *err) {
    const char *key, *value;
    size_t key_len, len;
    bool begun = false;
    while ((text = next_line(text, &key, &key_len, &value, &len)) != NULL) {
        char name[24];
        r->line++;
        r->key = NULL;
        if (key_len == 0) {
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)key_len, key);
        bool like = strcmp(name, "like") == 0;
        if (key_len >= sizeof name || (like && begun)) {
            return wrong(r, err, like ? "too late for" : "unknown key", key,
                         key_len);
        }
        begun = true;
        if ((like ? read_like(r, value, len, likes, err)
                  : read_value(r, name, value, len, err)) != 0) {
            return -1;
        }
    }
    return begun ? 0
                 : err_set(err, ERR_FILE, 0, "%.40s: there is nothing in it",
                           r->p->name);
}

/* What a text need not say: Mbed TLS as it comes. */
static void defaults(struct ssl_profile *p, const char *name,
                     const char *text) {
    const int *c = mbedtls_ssl_list_ciphersuites();
    static const uint16_t groups[] = { 0x001D, 0x0017, 0x0018, 0x0019, 0 };
    static const uint16_t sig_algs[] = { 0x0603, 0x0601, 0x0503, 0x0501,
                                         0x0403, 0x0401, 0 };
    static const uint16_t extensions[] = { 0, 10, 11, 13, 22, 23, 35, 0 };
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->title, sizeof p->title, "%s", name);
    p->text = text;
    p->min_version = p->max_version = TLS12;
    for (; *c != 0; c++) {
        bool tls12, tls13;
        ssl_cipher_versions(*c, &tls12, &tls13);
        if (tls12) {
            (void)append(p->ciphers, *c);
        }
    }
    memcpy(p->groups, groups, sizeof groups);
    memcpy(p->sig_algs, sig_algs, sizeof sig_algs);
    for (size_t i = 0; i == 0 || extensions[i] != 0; i++) {
        ssl_ids_add(&p->extensions, extensions[i]);
    }
    p->certs = mbedtls_x509_crt_profile_default;
    p->verify_mode = SSL_CERT_REQUIRED;
    p->close_notify = true;
    p->errors = MP_ERRORS_NONE;
}

int ssl_profile_read(struct ssl_profile *p, const char *name, const char *text,
                     struct err *err) {
    struct reader r = { .p = p };
    defaults(p, name, text);
    if (read_all(&r, text, 0, err) != 0) {
        return -1;
    }
    p->device.sends_no_name = !ssl_ids_has(&p->extensions, 0);
    if (p->ciphers[0] == 0) {
        return err_set(err, ERR_FILE, 0, "%.40s: no ciphers", name);
    }
    if (p->max_version < TLS12) {
        return err_set(err, ERR_FILE, 0,
                       "%.40s: none of its versions is TLSv1.2 or TLSv1.3, "
                       "which is what Mbed TLS has",
                       name);
    }
    return 0;
}
