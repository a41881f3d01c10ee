#include "report/explain.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/causes.h"
#include "tls/ssl_info.h"

const struct explain_cause *explain_at(size_t i) {
    size_t n = 0;
    while (n < i && causes_at(n) != NULL) {
        n++;
    }
    return causes_at(n) != NULL ? causes_at(n) : findings_at(i - n);
}

const char *explain_next_key(const char *keys, struct explain_key *key) {
    keys += strspn(keys, " ");
    size_t len = strcspn(keys, " ");
    const char *colon = memchr(keys, ':', len);
    if (colon == NULL) {
        return NULL;
    }
    char *end;
    snprintf(key->origin, sizeof key->origin, "%.*s", (int)(colon - keys),
             keys);
    key->code = strtoll(colon + 1, &end, 0);
    int rest = (int)(keys + len - end);
    snprintf(key->name, sizeof key->name, "%.*s", rest > 0 ? rest - 1 : 0,
             rest > 0 ? end + 1 : "");
    return keys + len;
}

/* The cause with a key of this origin that has the name, or the code if that
 * is NULL. */
static const struct explain_cause *find(const char *origin, const char *name,
                                        int64_t code, struct explain_key *key) {
    const struct explain_cause *c;
    for (size_t i = 0; (c = explain_at(i)) != NULL; i++) {
        struct explain_key k;
        const char *at = c->keys;
        while ((at = explain_next_key(at, &k)) != NULL) {
            if (strcmp(k.origin, origin) == 0 &&
                (name != NULL ? strcmp(k.name, name) == 0 : k.code == code)) {
                if (key != NULL) {
                    *key = k;
                }
                return c;
            }
        }
    }
    return NULL;
}

const struct explain_cause *explain_find(const char *origin, int64_t code,
                                         struct explain_key *key) {
    return find(origin, NULL, code, key);
}

const struct explain_cause *explain_find_name(const char *origin,
                                              const char *name,
                                              struct explain_key *key) {
    return find(origin, name, 0, key);
}

/* What Mbed TLS calls bad input is a mistake of the caller's, or, in a
 * handshake, what the peer sent. */
static const struct explain_cause *of_tls(int64_t code, int status,
                                          struct explain_key *key) {
    enum { LOW = 0x7F }; /* mbedtls/error.h: the low half of a sum */
    enum { BAD_INPUT = -0x7100, ILLEGAL_PARAMETER = -0x6600, PROTOCOL = 23 };
    int64_t low = -(-code & LOW), high = code - low;
    const struct explain_cause *c = NULL;
    if (low != 0) {
        c = explain_find("tls", low, key);
    }
    c = c != NULL ? c : explain_find("tls", high, key);
    return code == BAD_INPUT && status == PROTOCOL
               ? explain_find("tls", ILLEGAL_PARAMETER, NULL)
               : c;
}

static const struct explain_cause *of_flags(uint32_t flags,
                                            struct explain_key *key) {
    const struct ssl_flag *flag;
    for (size_t i = 0; (flag = ssl_flag_at(i)) != NULL; i++) {
        if ((flags & flag->bit) != 0) {
            return explain_find("flag", flag->bit, key);
        }
    }
    return NULL;
}

/* A TLS 1.2 server says handshake_failure where one of TLS 1.3 says
 * certificate_required, and 37 tells that this is what it means. */
static const struct explain_cause *of_alert(int64_t alert, int status,
                                            struct explain_key *key) {
    enum { HANDSHAKE_FAILURE = 40, CERTIFICATE_REQUIRED = 116, REFUSED = 37 };
    bool wanted = alert == HANDSHAKE_FAILURE && status == REFUSED;
    const struct explain_cause *c = explain_find("alert", alert, key);
    return wanted ? explain_find("alert", CERTIFICATE_REQUIRED, NULL) : c;
}

/* A connection that breaks has other causes in the handshake than later. */
static const struct explain_cause *of_errno(int64_t code, int status,
                                            struct explain_key *key) {
    enum { RESET = 43 };
    const struct explain_cause *c = explain_find("errno", code, key);
    return c != NULL && status == RESET ? explain_find("exit", RESET, NULL) : c;
}

const struct explain_cause *explain_of(const struct err *e, int status,
                                       struct explain_key *key) {
    const struct explain_cause *c = NULL;
    switch (e->origin) {
    case ERR_NONE:
    case ERR_USAGE:
    case ERR_SIGNAL:
        return NULL;
    case ERR_OS:
    case ERR_NET:
        c = of_errno(e->code, status, key);
        break;
    case ERR_DNS:
        c = explain_find("dns", e->code, key);
        break;
    case ERR_TLS:
        c = of_tls(e->code, status, key);
        break;
    case ERR_VERIFY:
        c = of_flags((uint32_t)e->code, key);
        break;
    case ERR_ALERT:
        c = of_alert(e->code, status, key);
        break;
    default: /* the status says more than the code */
        break;
    }
    return c != NULL ? c : explain_find("exit", status, key);
}
