/*
 * fuzz_json.c - a report whose every text is the input's, read back by a
 * strict reader of its own (RFC 8259, RFC 3629).
 */
#include "fuzz.h"

#include "report/report.h"

enum { DEPTH_MAX = 16 };

/* What is left to read, and room for one string's bytes. */
struct json {
    const unsigned char *p, *end;
    unsigned char *text;
    size_t text_len;
};

/* @return the code point at s and its bytes, 0 if that is not UTF-8 */
static size_t utf8(const unsigned char *s, size_t len, uint32_t *code) {
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (n > len || (s[0] >= 0x80 && s[0] < 0xC0) || s[0] >= 0xF8) {
        return 0;
    }
    *code = n == 1 ? s[0] : s[0] & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (s[i] & 0x3FU);
    }
    bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < least[n] || *code > 0x10FFFF || surrogate ? 0 : n;
}

static bool next_is(struct json *j, char c) {
    if (j->p < j->end && *j->p == (unsigned char)c) {
        j->p++;
        return true;
    }
    return false;
}

static void add(struct json *j, const char *bytes, size_t n) {
    memcpy(j->text + j->text_len, bytes, n);
    j->text_len += n;
}

static void read_escape(struct json *j) {
    static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    CHECK(j->p < j->end);
    unsigned char c = *j->p++;
    if (c != 'u') {
        const char *at = memchr(letters, c, sizeof letters - 1);
        CHECK(at != NULL);
        add(j, means + (at - letters), 1);
        return;
    }
    char digits[5] = "", bytes[2], *end;
    CHECK(j->end - j->p >= 4);
    memcpy(digits, j->p, 4);
    j->p += 4;
    CHECK(strspn(digits, "0123456789abcdefABCDEF") == 4);
    unsigned long code = strtoul(digits, &end, 16);
    /* The writer escapes nothing else: ASCII, C1, and what was no UTF-8. */
    CHECK(*end == '\0' && (code < 0xA0 || code == 0xFFFD));
    if (code == 0xFFFD) {
        add(j, "\xEF\xBF\xBD", 3);
        return;
    }
    bytes[0] = code < 0x80 ? (char)code : '\xC2';
    bytes[1] = (char)code;
    add(j, bytes, code < 0x80 ? 1 : 2);
}

static void read_string(struct json *j) {
    CHECK(next_is(j, '"'));
    j->text_len = 0;
    while (!next_is(j, '"')) {
        uint32_t code = 0;
        CHECK(j->p < j->end);
        size_t n = utf8(j->p, (size_t)(j->end - j->p), &code);
        CHECK(n != 0 && code >= 0x20 && (code < 0x7F || code >= 0xA0));
        if (next_is(j, '\\')) {
            read_escape(j);
            continue;
        }
        add(j, (const char *)j->p, n);
        j->p += n;
    }
}

static size_t read_digits(struct json *j) {
    const unsigned char *from = j->p;
    while (j->p < j->end && *j->p >= '0' && *j->p <= '9') {
        j->p++;
    }
    CHECK(j->p != from);
    return (size_t)(j->p - from);
}

static void read_number(struct json *j) {
    next_is(j, '-');
    bool zero = j->p < j->end && *j->p == '0';
    CHECK(read_digits(j) == 1 || !zero);
    if (next_is(j, '.')) {
        read_digits(j);
    }
}

static bool read_word(struct json *j, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0) {
        return false;
    }
    j->p += n;
    return true;
}

static void read_value(struct json *j, int depth) {
    CHECK(j->p < j->end && depth < DEPTH_MAX);
    bool object = *j->p == '{';
    if (*j->p == '"') {
        read_string(j);
    } else if (object || *j->p == '[') {
        char close = object ? '}' : ']';
        j->p++;
        if (next_is(j, close)) {
            return;
        }
        do {
            if (object) {
                read_string(j);
                CHECK(j->text_len > 0 && next_is(j, ':'));
            }
            read_value(j, depth + 1);
        } while (next_is(j, ','));
        CHECK(next_is(j, close));
    } else if (!read_word(j, "null") && !read_word(j, "true") &&
               !read_word(j, "false")) {
        read_number(j);
    }
}

/* One object and a newline, which is the only one. */
static void check_json(const char *out, size_t len) {
    struct json j = { (const unsigned char *)out,
                      (const unsigned char *)out + len, NULL, 0 };
    CHECK(len > 0 && out[0] == '{');
    CHECK(memchr(out, '\n', len) == out + len - 1);
    j.text = fuzz_copy(NULL, 0, len);
    read_value(&j, 0);
    CHECK(next_is(&j, '\n') && j.p == j.end);
    free(j.text);
}

/* What was UTF-8 comes back; in the rest each wrong byte is a U+FFFD. */
static void check_string(const uint8_t *data, size_t size) {
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    CHECK(f != NULL);
    report_json_string(f, (const char *)data, size);
    CHECK(fclose(f) == 0);
    struct json j = { (unsigned char *)out, (unsigned char *)out + len, NULL,
                      0 };
    j.text = fuzz_copy(NULL, 0, len);
    read_string(&j);
    CHECK(j.p == j.end);
    size_t at = 0;
    for (size_t i = 0; i < size;) {
        uint32_t code;
        size_t n = utf8(data + i, size - i, &code);
        const void *want = n != 0 ? (const void *)(data + i) : "\xEF\xBF\xBD";
        size_t want_len = n != 0 ? n : 3;
        CHECK(j.text_len - at >= want_len &&
              memcmp(j.text + at, want, want_len) == 0);
        at += want_len;
        i += n != 0 ? n : 1;
    }
    CHECK(at == j.text_len);
    free(j.text);
    free(out);
}

/* The input, taken apart. */
struct input {
    const uint8_t *p;
    size_t left;
};

static uint64_t take_number(struct input *in, size_t bytes) {
    uint64_t v = 0;
    for (; bytes > 0 && in->left > 0; bytes--, in->left--) {
        v = v << 8 | *in->p++;
    }
    return v;
}

/* Up to the next NUL, cut to fit. */
static void take_text(struct input *in, char *buf, size_t size) {
    const uint8_t *nul = in->left > 0 ? memchr(in->p, '\0', in->left) : NULL;
    size_t n = nul != NULL ? (size_t)(nul - in->p) : in->left;
    size_t used = nul != NULL ? n + 1 : n;
    n = n < size ? n : size - 1;
    if (n > 0) {
        memcpy(buf, in->p, n);
    }
    buf[n] = '\0';
    in->p += used;
    in->left -= used;
}

static int64_t take_time(struct input *in) {
    int64_t us = (int64_t)(take_number(in, 6) & INT64_MAX);
    return us % 5 == 0 ? -1 : us;
}

static void take_finding(struct input *in, struct ssl_info *t) {
    static const char *const names[] = { "missing-intermediate", "unnecessary",
                                         "no-common-cipher", "new" };
    struct ssl_finding *f = &t->findings[t->finding_count++];
    f->name = names[take_number(in, 1) % 4];
    take_text(in, f->text, sizeof f->text);
    take_text(in, f->here, sizeof f->here);
    take_text(in, f->there, sizeof f->there);
}

static void take_offer(struct input *in, struct ssl_offer *o) {
    uint64_t bits = take_number(in, 1);
    o->known = bits % 4 != 0;
    for (int k = 0; k < SSL_OFFER_KINDS; k++) {
        o->of[k].n = bits >> k & 3;
        for (size_t i = 0; i < o->of[k].n; i++) {
            o->of[k].id[i] = (uint16_t)take_number(in, 2);
        }
    }
    take_text(in, o->alpn, sizeof o->alpn);
    take_text(in, o->server_name, sizeof o->server_name);
}

enum { TEXTS = 8 };

static void take_report(struct input *in, struct report *r,
                        char text[TEXTS][400]) {
    const char **const texts[TEXTS] = {
        &r->micropython, &r->target,     &r->peer, &r->local,
        &r->trust,       &r->tls.cipher, &r->name, &r->mbedtls,
    };
    uint64_t bits = take_number(in, 2);
    memset(r, 0, sizeof *r);
    r->command = "connect";
    r->stage = (enum report_stage)(bits % (STAGES + 1));
    r->err.origin = (enum err_origin)(bits / 8 % (ERR_ORIGINS + 1));
    r->err.code = (int64_t)take_number(in, 8);
    r->status = (int)take_number(in, 1);
    r->status_name = r->exit_name = "untrusted";
    r->resolve_us = take_time(in);
    r->total_us = r->handshake_us = r->connect_us = take_time(in);
    r->bytes_in = take_number(in, 8);
    r->tls.wire_out = r->bytes_out = ~r->bytes_in;
    r->tls.verify_mode = (enum ssl_verify_mode)(bits / 256 % 3);
    r->tls.verified = (bits & 0x800) != 0;
    r->tls.name_checked = (bits & 0x1000) != 0;
    r->tls.handshake_done = (bits & 0x2000) != 0;
    r->tls.version = r->tls.handshake_done ? "TLSv1.3" : NULL;
    r->tls.verify_flags = (uint32_t)take_number(in, 4);
    take_text(in, r->err.msg, sizeof r->err.msg);
    take_text(in, r->tls.server_hostname, sizeof r->tls.server_hostname);
    for (size_t i = 0; i < TEXTS; i++) {
        take_text(in, text[i], sizeof text[i]);
        *texts[i] = text[i][0] != '\0' ? text[i] : NULL;
    }
    take_finding(in, &r->tls);
    take_offer(in, &r->tls.ours);
    take_offer(in, &r->tls.theirs);
    while (in->left > 0 && r->tls.cert_count < SSL_CHAIN_MAX) {
        struct ssl_cert_info *c = &r->tls.certs[r->tls.cert_count++];
        take_text(in, c->subject, sizeof c->subject);
        take_text(in, c->issuer, sizeof c->issuer);
        take_text(in, c->names, sizeof c->names);
        take_text(in, c->key, sizeof c->key);
        take_text(in, c->not_before, sizeof c->not_before);
        c->flags = (uint32_t)take_number(in, 4);
        c->sha256[0] = (unsigned char)c->flags;
        c->der_len = c->flags;
    }
}

static void check_report(struct report *r) {
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    CHECK(f != NULL);
    report_json(f, r);
    CHECK(fclose(f) == 0);
    check_json(out, len);
    free(out);
    f = open_memstream(&out, &len);
    CHECK(f != NULL);
    report_json_listening(f, r->err.msg);
    CHECK(fclose(f) == 0);
    check_json(out, len);
    free(out);
}

/* For people: lines of ours, which no text can add to. */
static void check_text(struct report *r) {
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    CHECK(f != NULL);
    report_text_handshake(f, r);
    report_text_end(f, r, true);
    CHECK(fclose(f) == 0);
    for (char *line = out; line < out + len;) {
        char *end = memchr(line, '\n', (size_t)(out + len - line));
        CHECK(end != NULL && strncmp(line, "mptls: ", 7) == 0);
        *end = '\0';
        fuzz_check_line(line, (size_t)(end - line) + 1);
        line = end + 1;
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct report r;
    static char text[TEXTS][400];
    struct input in = { data, size };
    take_report(&in, &r, text);
    check_report(&r);
    check_text(&r);
    check_string(data, size);
    return 0;
}
