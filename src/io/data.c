#include "io/data.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "io/file.h"

static const char blanks[] = " \t\r\n";

/* strchr finds the NUL too, which no set here means. */
static bool data_in(const char *set, char c) {
    return c != '\0' && strchr(set, c) != NULL;
}

static int data_bad(const char *form, const char *why, size_t at,
                    struct err *err) {
    return err_set(err, ERR_USAGE, 0, "%s: %s at character %zu", form, why,
                   at + 1);
}

static int base64_value(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c != '\0' ? strchr(digits, c) : NULL;
    return p != NULL ? (int)(p - digits) : -1;
}

/* What stands after the last digit: the right padding, or none. */
static int base64_end(const char *s, size_t at, size_t digits, unsigned rest,
                      struct err *err) {
    size_t pads = 0, wanted = (4 - digits % 4) % 4;
    size_t end = at;
    for (; s[end] == '=' || data_in(blanks, s[end]); end++) {
        pads += s[end] == '=';
    }
    if (s[end] != '\0') {
        return data_bad("base64",
                        pads > 0 ? "more after the padding"
                                 : "not a base64 digit",
                        end, err);
    }
    if (digits % 4 == 1) {
        return data_bad("base64", "cut short", end, err);
    }
    if (pads != 0 && pads != wanted) {
        return data_bad("base64", "wrong padding", at, err);
    }
    if (rest != 0) {
        return data_bad("base64", "stray bits before the end", at, err);
    }
    return 0;
}

static int base64_decode(const char *s, unsigned char *out, size_t *len,
                         struct err *err) {
    unsigned bits = 0, have = 0;
    size_t digits = 0, at = 0;
    *len = 0;
    for (; s[at] != '\0'; at++) {
        int v = base64_value(s[at]);
        if (v < 0 && data_in(blanks, s[at])) {
            continue;
        }
        if (v < 0) {
            break;
        }
        digits++;
        bits = bits << 6 | (unsigned)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[(*len)++] = (unsigned char)(bits >> have);
            bits &= (1U << have) - 1;
        }
    }
    return base64_end(s, at, digits, bits, err);
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int hex_decode(const char *s, unsigned char *out, size_t *len,
                      struct err *err) {
    *len = 0;
    for (size_t at = 0; s[at] != '\0';) {
        if (s[at] == ':' || data_in(blanks, s[at])) {
            at++;
            continue;
        }
        int high = hex_value(s[at]);
        if (high < 0) {
            return data_bad("hex", "not a hexadecimal digit", at, err);
        }
        int low = hex_value(s[at + 1]);
        if (low < 0) {
            return data_bad("hex", "half a byte", at, err);
        }
        out[(*len)++] = (unsigned char)(high << 4 | low);
        at += 2;
    }
    return 0;
}

static int pem_decode(const char *s, unsigned char *out, size_t *len,
                      struct err *err) {
    (void)err;
    *len = 0;
    while (*s != '\0') {
        bool escape = s[0] == '\\' && s[1] == 'n';
        out[(*len)++] = escape ? '\n' : (unsigned char)*s;
        s += escape ? 2 : 1;
    }
    return 0;
}

struct data_form {
    const char *prefix;
    /* Room for as many bytes as `s` has; no form grows. */
    int (*decode)(const char *s, unsigned char *out, size_t *len,
                  struct err *err);
};

static int data_decode(const struct data_form *form, const char *s,
                       unsigned char **data, size_t *len, struct err *err) {
    size_t n = 0;
    unsigned char *buf = malloc(strlen(s) + 1);
    if (buf == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "decode %s data", form->prefix);
    }
    int st = form->decode(s, buf, &n, err);
    if (st == 0 && n == 0) {
        st = err_set(err, ERR_USAGE, 0, "%s no data", form->prefix);
    }
    if (st != 0) {
        wipe_free(buf, n);
        return -1;
    }
    buf[n] = '\0';
    *data = buf;
    *len = n;
    return 0;
}

static int data_read_fd(const char *arg, unsigned char **data, size_t *len,
                        struct err *err) {
    const char *digits = arg + strlen("fd:");
    size_t n = strlen(digits);
    long fd = n <= 9 ? strtol(digits, NULL, 10) : -1;
    if (n == 0 || strspn(digits, "0123456789") != n || fd < 0) {
        return err_set(err, ERR_USAGE, 0, "'%.110s': not a descriptor number",
                       arg);
    }
    return file_read_fd((int)fd, arg, FILE_MAX, data, len, err);
}

int data_read(const char *arg, unsigned char **data, size_t *len,
              struct err *err) {
    static const struct data_form forms[] = { { "base64:", base64_decode },
                                              { "hex:", hex_decode },
                                              { "pem:", pem_decode } };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t skip = strlen(forms[i].prefix);
        if (strncmp(arg, forms[i].prefix, skip) == 0) {
            return data_decode(&forms[i], arg + skip, data, len, err);
        }
    }
    if (strncmp(arg, "fd:", 3) == 0) {
        return data_read_fd(arg, data, len, err);
    }
    if (arg[0] == '\0') {
        return err_set(err, ERR_USAGE, 0,
                       "an empty path, where DATA is "
                       "wanted");
    }
    return file_read(arg, FILE_MAX, data, len, err);
}
