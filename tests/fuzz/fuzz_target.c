/*
 * fuzz_target.c - HOST:PORT, [ADDR:]PORT and inline DATA. Nothing is resolved,
 * and no path or descriptor is opened.
 */
#include "fuzz.h"

#include "io/data.h"
#include "io/net.h"

static void check_target(const char *text, bool listening) {
    struct net_target t, again;
    struct err err = ERR_INIT;
    char whole[NET_HOST_MAX + 16];
    int rc = listening ? net_parse_listen(text, &t, &err)
                       : net_parse_target(text, &t, &err);
    CHECK(rc == 0 || rc == -1);
    fuzz_check_err(rc != 0, &err);
    if (rc != 0) {
        CHECK(err.origin == ERR_USAGE);
        return;
    }
    if (t.path[0] != '\0') {
        CHECK(listening && strncmp(text, "unix:", 5) == 0 &&
              strcmp(text + 5, t.path) == 0 && t.host[0] == '\0' &&
              t.port[0] == '\0');
        return;
    }
    fuzz_check_line(t.host, sizeof t.host);
    fuzz_check_line(t.port, sizeof t.port);
    CHECK(listening || t.host[0] != '\0');
    char *end;
    long port = strtol(t.port, &end, 10);
    CHECK(*end == '\0' && port >= (listening ? 0 : 1) && port <= 65535);
    /* What was understood, written again, is understood the same. */
    bool ipv6 = strchr(t.host, ':') != NULL;
    snprintf(whole, sizeof whole, "%s%s%s:%s", ipv6 ? "[" : "", t.host,
             ipv6 ? "]" : "", t.port);
    rc = listening ? net_parse_listen(whole, &again, &err)
                   : net_parse_target(whole, &again, &err);
    CHECK(rc == 0 && strcmp(t.host, again.host) == 0 &&
          strcmp(t.port, again.port) == 0);
}

static void write_hex(const unsigned char *data, size_t len, char *out) {
    for (size_t i = 0; i < len; i++) {
        out += snprintf(out, 3, "%02x", data[i]);
    }
    *out = '\0';
}

static void write_base64(const unsigned char *data, size_t len, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)data[i] << 16;
        v |= i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0;
        v |= i + 2 < len ? data[i + 2] : 0;
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[v & 63] : '=';
    }
    *out = '\0';
}

/* Written again in this form, the bytes are the same. */
static void check_again(const char *prefix,
                        void (*write)(const unsigned char *, size_t, char *),
                        const unsigned char *data, size_t len) {
    char *text = malloc(2 * len + 16);
    unsigned char *back = NULL;
    size_t n = 0;
    struct err err = ERR_INIT;
    CHECK(text != NULL);
    strcpy(text, prefix);
    write(data, len, text + strlen(prefix));
    CHECK(data_read(text, &back, &n, &err) == 0);
    CHECK(n == len && memcmp(back, data, len) == 0);
    free(back);
    free(text);
}

/* Nothing but what stands for these bytes was taken for them. */
static void check_digits(const char *text, const unsigned char *data,
                         size_t len) {
    char *again = malloc(2 * len + 16);
    CHECK(again != NULL);
    write_base64(data, len, again);
    const char *p = again;
    for (; *text != '\0'; text++) {
        if (strchr(" \t\r\n=", *text) == NULL) {
            CHECK(*p++ == *text);
        }
    }
    CHECK(strspn(p, "=") == strlen(p));
    free(again);
}

/* A message says where, but repeats nothing: the longest has no room for
 * more than its own words and a number. */
static void check_data(const char *prefix, const char *text) {
    char *arg = malloc(strlen(prefix) + strlen(text) + 1);
    unsigned char *data = NULL;
    size_t len = 0;
    struct err err = ERR_INIT;
    CHECK(arg != NULL);
    strcpy(arg, prefix);
    strcat(arg, text);
    int rc = data_read(arg, &data, &len, &err);
    fuzz_check_err(rc != 0, &err);
    if (rc != 0) {
        CHECK(rc == -1 && data == NULL && err.origin == ERR_USAGE);
        CHECK(strncmp(err.msg, prefix, strlen(prefix)) == 0);
        fuzz_check_ascii(err.msg, 80);
    } else {
        CHECK(len > 0 && len <= strlen(text) && data[len] == '\0');
        if (strcmp(prefix, "base64:") == 0) {
            check_digits(text, data, len);
        }
        check_again("hex:", write_hex, data, len);
        check_again("base64:", write_base64, data, len);
    }
    free(data);
    free(arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = (char *)fuzz_copy(data, size, 1);
    check_target(text, false);
    check_target(text, true);
    check_data("base64:", text);
    check_data("hex:", text);
    check_data("pem:", text);
    free(text);
    return 0;
}
