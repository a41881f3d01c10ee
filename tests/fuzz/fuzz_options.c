/*
 * fuzz_options.c - a command line: words that end in NUL or newline.
 */
#include "fuzz.h"

#include "cli/expect.h"
#include "cli/tls_options.h"

struct options {
    struct tls_options tls;
    bool keep;
    unsigned count, port;
    int64_t size;
};

static const struct opt rows[] = {
    OPT_ROW_FLAG(struct options, keep, 'k', "keep-open", "stay"),
    OPT_ROW_COUNT(struct options, count, 'c', "count", "count"),
    OPT_ROW_UINT(struct options, port, 'p', "port", "N", 1, 65535, "port"),
    OPT_ROW_SIZE(struct options, size, 's', "size", 64, INT64_MAX, "size"),
    OPT_END
};

static const struct opt_group groups[] = {
    { "TLS", tls_opts, offsetof(struct options, tls) },
    { "Trust", tls_trust_opts, offsetof(struct options, tls) },
    { "Save", tls_save_opts, offsetof(struct options, tls) },
    { "Expect", tls_expect_opts, offsetof(struct options, tls) },
    { "Pipe", tls_pipe_opts, offsetof(struct options, tls) },
    { "Time-outs", tls_time_opts, offsetof(struct options, tls) },
    { "Output", tls_output_opts, offsetof(struct options, tls) },
    { "Other", rows, 0 },
    OPT_GROUPS_END
};

enum { WORDS_MAX = 64, OPERANDS_MAX = 3, SIZE_UNSET = 3 };

struct result {
    struct options o;
    const char *operand[OPERANDS_MAX];
    size_t operands;
    struct err err;
    int rc;
};

static void parse(struct result *r, int argc, char **argv) {
    memset(r, 0, sizeof *r);
    r->o = (struct options){ .tls = TLS_OPTIONS_INIT, .size = SIZE_UNSET };
    r->rc = opt_parse(groups, &r->o, argc, argv, r->operand, &r->operands,
                      OPERANDS_MAX, &r->err);
}

/* Does `s` begin in one of the words, and so end with it? */
static bool points_into(int argc, char **argv, const char *s) {
    for (int i = 1; i < argc; i++) {
        if (s >= argv[i] && s <= argv[i] + strlen(argv[i])) {
            return true;
        }
    }
    return false;
}

static void check_string(int argc, char **argv, const char *s) {
    CHECK(s == NULL || points_into(argc, argv, s));
}

static void check_row(const struct opt *o, const char *at, int argc,
                      char **argv) {
    const struct opt_optional *optional;
    const struct opt_many *many;
    int choice;
    unsigned number;
    int64_t size;
    switch (o->type) {
    case OPT_STRING:
    case OPT_LIST:
        check_string(argc, argv, *(const char *const *)(const void *)at);
        break;
    case OPT_MANY:
        many = (const void *)at;
        CHECK(many->n <= OPT_MANY_MAX);
        for (size_t i = 0; i < many->n; i++) {
            CHECK(points_into(argc, argv, many->value[i]));
        }
        break;
    case OPT_OPTIONAL:
        optional = (const void *)at;
        CHECK(optional->given || optional->value == NULL);
        check_string(argc, argv, optional->value);
        break;
    case OPT_CHOICE:
        choice = *(const int *)(const void *)at;
        CHECK(choice >= -1);
        for (int i = 0; i <= choice; i++) {
            CHECK(o->choices[i] != NULL);
        }
        break;
    case OPT_UINT:
        number = *(const unsigned *)(const void *)at;
        CHECK(number == 0 || (number >= o->min && number <= o->max));
        break;
    case OPT_SIZE:
        size = *(const int64_t *)(const void *)at;
        CHECK(size == SIZE_UNSET || (size >= o->min && size <= o->max));
        break;
    case OPT_DURATION:
        size = *(const int64_t *)(const void *)at;
        CHECK(size >= 0 && size <= OPT_DURATION_MAX);
        break;
    case OPT_FLAG:
    case OPT_COUNT:
        break;
    }
}

static void check(const struct result *r, int argc, char **argv) {
    CHECK(r->rc == 0 || r->rc == -1 || r->rc == OPT_HELP);
    /* With --help, what else was wrong may be there or not. */
    fuzz_check_err(r->rc == OPT_HELP ? r->err.origin != ERR_NONE : r->rc == -1,
                   &r->err);
    CHECK(r->err.origin == ERR_NONE || r->err.origin == ERR_USAGE);
    CHECK(r->operands <= OPERANDS_MAX);
    for (size_t i = 0; i < r->operands; i++) {
        CHECK(points_into(argc, argv, r->operand[i]));
    }
    const struct opt *o;
    size_t base;
    for (size_t i = 0; (o = opt_at(groups, i, &base)) != &opt_help; i++) {
        check_row(o, (const char *)&r->o + base + o->offset, argc, argv);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char name[] = "connect", help[] = "--help";
    static struct result r;
    char *buf = (char *)fuzz_copy(data, size, 1);
    char *argv[WORDS_MAX + 2] = { name };
    int argc = 1;
    for (char *p = buf; p < buf + size && argc <= WORDS_MAX; argc++) {
        argv[argc] = p;
        p += strcspn(p, "\n");
        *p++ = '\0';
    }
    struct err err = ERR_INIT;
    CHECK(opt_check(groups, &err) == 0);
    parse(&r, argc, argv);
    check(&r, argc, argv);
    tls_on_eof(&r.o.tls, true);
    static struct expect expect;
    bool bad = expect_read(&expect, &r.o.tls.expects, &err) != 0;
    fuzz_check_err(bad, &err);
    CHECK(expect.n == (bad ? 0 : r.o.tls.expects.n));
    /* Whatever follows it, help is help. */
    memmove(argv + 2, argv + 1, (WORDS_MAX - 1) * sizeof *argv);
    argv[1] = help;
    parse(&r, argc <= WORDS_MAX ? argc + 1 : argc, argv);
    CHECK(r.rc == OPT_HELP);
    free(buf);
    return 0;
}
