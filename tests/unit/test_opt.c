#include "cli/opt.h"
#include "test.h"

struct tls_part {
    int verify;
    const char *hostname;
    const char *cert;
    const char *ciphers;
};

struct options {
    unsigned verbose;
    bool insecure, keep;
    struct opt_optional json;
    struct opt_many pins;
    unsigned port, repeat;
    int64_t limit, size;
    struct tls_part tls;
};

static const char *const modes[] = { "none", "optional", "required", NULL };

static const struct opt tls_rows[] = {
    OPT_ROW_CHOICE(struct tls_part, verify, 0, "verify", "MODE", modes,
                   "how far to check"),
    OPT_ROW_STRING(struct tls_part, hostname, 0, "server-hostname", "NAME",
                   "the name to ask for"),
    OPT_ROW_STRING(struct tls_part, cert, 'c', "cert", "DATA", "our chain"),
    OPT_ROW_LIST(struct tls_part, ciphers, 0, "ciphers", "NAME[,NAME...]",
                 "suites"),
    OPT_END
};

static const struct opt rows[] = {
    OPT_ROW_COUNT(struct options, verbose, 'v', "verbose", "say more"),
    OPT_ROW_FLAG(struct options, insecure, 'k', "insecure", "trust anyone"),
    OPT_ROW_FLAG(struct options, keep, 0, "keep-open", "stay"),
    OPT_ROW_OPTIONAL(struct options, json, 'j', "json", "FILE", "JSON"),
    OPT_ROW_MANY(struct options, pins, 'P', "pin", "PIN", "a key"),
    OPT_ROW_UINT(struct options, port, 'p', "port", "N", 1, 65535, "port"),
    OPT_ROW_UINT(struct options, repeat, 0, "repeat", "N", 0, 4294967295,
                 "times"),
    OPT_ROW_DURATION(struct options, limit, 0, "max-time", "give up"),
    OPT_ROW_SIZE(struct options, size, 0, "max-in", 64, INT64_MAX, "record"),
    OPT_END
};

static const struct opt_group groups[] = { { "TLS", tls_rows,
                                             offsetof(struct options, tls) },
                                           { "Other", rows, 0 },
                                           OPT_GROUPS_END };

static struct options got;
static const char *operand[4];
static size_t operands;
static struct err err;

/* The words after "connect", ended by NULL; at most 3 operands. */
static int parse(const char *const *words) {
    static char name[] = "connect";
    char *argv[2 * OPT_MANY_MAX + 4] = { name };
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    }
    got = (struct options){ .limit = 7, .tls.verify = 2 };
    err = (struct err)ERR_INIT;
    return opt_parse(groups, &got, argc, argv, operand, &operands, 3, &err);
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

#define ASSERT_REFUSED(text, ...)                                              \
    do {                                                                       \
        assert_int_equal(PARSE(__VA_ARGS__), -1);                              \
        assert_int_equal(err.origin, ERR_USAGE);                               \
        assert_int_equal(err.code, 0);                                         \
        assert_string_equal(err.msg, text);                                    \
    } while (0)

static void options_stand_anywhere_in_every_spelling(void **state) {
    (void)state;
    assert_int_equal(PARSE("--cert", "a.pem", "h:1", "--server-hostname=x=y",
                           "-kvv", "-p443", "--verify", "none", "-v",
                           "--ciphers", "A,B", "--repeat=4294967295"),
                     0);
    assert_int_equal(err.origin, ERR_NONE);
    assert_string_equal(got.tls.cert, "a.pem");
    assert_string_equal(got.tls.hostname, "x=y");
    assert_string_equal(got.tls.ciphers, "A,B");
    assert_int_equal(got.tls.verify, 0);
    assert_true(got.insecure);
    assert_false(got.keep);
    assert_int_equal(got.verbose, 3);
    assert_int_equal(got.port, 443);
    assert_int_equal(got.repeat, 4294967295);
    assert_int_equal(operands, 1);
    assert_string_equal(operand[0], "h:1");
    assert_int_equal(PARSE("-vc", "b.pem"), 0);
    assert_string_equal(got.tls.cert, "b.pem");
    assert_int_equal(PARSE("-kcb.pem"), 0);
    assert_string_equal(got.tls.cert, "b.pem");
}

static void what_is_not_given_keeps_its_default(void **state) {
    (void)state;
    assert_int_equal(PARSE("h:1"), 0);
    assert_int_equal(got.limit, 7);
    assert_int_equal(got.tls.verify, 2);
    assert_null(got.tls.cert);
    assert_false(got.json.given);
}

static void dashes_can_be_operands(void **state) {
    (void)state;
    assert_int_equal(PARSE("-", "-v", "--", "--cert"), 0);
    assert_int_equal(operands, 2);
    assert_string_equal(operand[0], "-");
    assert_string_equal(operand[1], "--cert");
    assert_int_equal(got.verbose, 1);
    assert_int_equal(PARSE("-30592", "-0x7280", ""), 0);
    assert_int_equal(operands, 3);
    assert_string_equal(operand[1], "-0x7280");
    assert_string_equal(operand[2], "");
    assert_int_equal(PARSE("-c", "-"), 0);
    assert_string_equal(got.tls.cert, "-");
}

static void an_empty_value_is_a_string(void **state) {
    (void)state;
    assert_int_equal(PARSE("--server-hostname", ""), 0);
    assert_string_equal(got.tls.hostname, "");
    assert_int_equal(PARSE("--server-hostname="), 0);
    assert_string_equal(got.tls.hostname, "");
}

static void an_optional_value_needs_the_equals_sign(void **state) {
    (void)state;
    assert_int_equal(PARSE("--json", "f"), 0);
    assert_true(got.json.given);
    assert_null(got.json.value);
    assert_int_equal(operands, 1);
    assert_int_equal(PARSE("--json=f"), 0);
    assert_string_equal(got.json.value, "f");
    assert_int_equal(PARSE("-jv", "f"), 0);
    assert_null(got.json.value);
    assert_int_equal(got.verbose, 1);
}

static void an_unknown_option_suggests_the_one_meant(void **state) {
    (void)state;
    ASSERT_REFUSED("unknown option --verfy; did you mean --verify?", "--verfy");
    ASSERT_REFUSED("unknown option --verfy; did you mean --verify?",
                   "--verfy=none");
    ASSERT_REFUSED("unknown option --server-host; did you mean "
                   "--server-hostname?",
                   "--server-host", "x");
    ASSERT_REFUSED("unknown option --hepl; did you mean --help?", "--hepl");
    ASSERT_REFUSED("unknown option -CERT; did you mean --cert?", "-CERT");
    ASSERT_REFUSED("unknown option -x", "-x");
    ASSERT_REFUSED("unknown option -vx", "-vx");
    ASSERT_REFUSED("unknown option ---v", "---v");
    ASSERT_REFUSED("unknown option --", "--=v");
    ASSERT_REFUSED(
        "unknown option --aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"
        "...",
        "--aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffgggggg"
        "fffff");
}

static void a_missing_value_is_told(void **state) {
    (void)state;
    ASSERT_REFUSED("option --cert needs a value, DATA", "--cert");
    ASSERT_REFUSED("option --cert needs a value, DATA", "-vc");
    ASSERT_REFUSED("option --cert needs a value, DATA, but --verify follows",
                   "--cert", "--verify", "none");
    assert_int_equal(got.tls.verify, 0);
    assert_int_equal(PARSE("--cert=--verify"), 0);
    assert_string_equal(got.tls.cert, "--verify");
    assert_int_equal(PARSE("--cert", "--other"), 0);
    assert_string_equal(got.tls.cert, "--other");
}

static void a_flag_takes_no_value(void **state) {
    (void)state;
    ASSERT_REFUSED("option --insecure takes no value, but is given 'no'",
                   "--insecure=no");
    ASSERT_REFUSED("option --verbose takes no value, but is given ''",
                   "--verbose=");
    assert_false(got.insecure);
}

static void a_repeatable_option_keeps_every_value_in_order(void **state) {
    (void)state;
    assert_int_equal(PARSE("h:1"), 0);
    assert_int_equal(got.pins.n, 0);
    assert_int_equal(PARSE("--pin", "b", "h:1", "--pin=", "-Pa", "-P", "b"), 0);
    assert_int_equal(got.pins.n, 4);
    assert_string_equal(got.pins.value[0], "b");
    assert_string_equal(got.pins.value[1], "");
    assert_string_equal(got.pins.value[2], "a");
    assert_string_equal(got.pins.value[3], "b");
    ASSERT_REFUSED("option --pin needs a value, PIN", "--pin=a", "--pin");
    assert_int_equal(got.pins.n, 1);
}

static void one_value_too_many_is_refused(void **state) {
    const char *words[OPT_MANY_MAX + 2];
    (void)state;
    for (size_t i = 0; i < OPT_MANY_MAX + 1; i++) {
        words[i] = "--pin=x";
    }
    words[OPT_MANY_MAX] = NULL;
    assert_int_equal(parse(words), 0);
    assert_int_equal(got.pins.n, OPT_MANY_MAX);
    words[OPT_MANY_MAX] = "--pin=y";
    words[OPT_MANY_MAX + 1] = NULL;
    assert_int_equal(parse(words), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_string_equal(err.msg, "option --pin is given more than 32 times");
    assert_int_equal(got.pins.n, OPT_MANY_MAX);
}

static void a_repeated_option_is_refused_and_the_first_stays(void **state) {
    (void)state;
    ASSERT_REFUSED("option --cert is given twice", "-c", "a", "--cert=b");
    assert_string_equal(got.tls.cert, "a");
    ASSERT_REFUSED("option --insecure is given twice", "-kk");
    ASSERT_REFUSED("option --json is given twice", "--json=f", "--json");
    assert_string_equal(got.json.value, "f");
}

static void a_bad_number_is_told_with_what_is_right(void **state) {
    (void)state;
    static const char *const bad[] = {
        "0",  "65536", "",    "-1", "+1",
        " 1", "0x1",   "1.0", "1 ", "99999999999999999999"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[80] = "--port: '";
        strcat(strcat(text, bad[i]), "' is no number from 1 to 65535");
        ASSERT_REFUSED(text, "-p", bad[i]);
        assert_int_equal(got.port, 0);
    }
    assert_int_equal(PARSE("--port=0443"), 0);
    assert_int_equal(got.port, 443);
}

static void durations_have_fractions_and_units(void **state) {
    (void)state;
    static const struct {
        const char *word;
        int64_t ms;
    } cases[] = {
        { "0", 0 },           { "0.0", 0 },     { "10", 10000 },
        { "1.5", 1500 },      { ".5", 500 },    { "300ms", 300 },
        { "10s", 10000 },     { "2m", 120000 }, { "1h", 3600000 },
        { "1.5m", 90000 },    { "0.0001", 1 },  { "0.00000000001", 1 },
        { "1.001", 1001 },    { "0.1ms", 1 },   { "8760h", OPT_DURATION_MAX },
        { "0.0000000000", 0 }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(PARSE("--max-time", cases[i].word), 0);
        assert_int_equal(got.limit, cases[i].ms);
    }
}

static void what_is_no_duration_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = { "",
                                       "-1",
                                       "1.5.2",
                                       "nan",
                                       "inf",
                                       "1e3",
                                       "1.",
                                       ".",
                                       "1 s",
                                       " 1",
                                       "ms",
                                       "1d",
                                       "1S",
                                       "0x10",
                                       "1,5",
                                       "1.s",
                                       "8761h",
                                       "8760.1h",
                                       "9223372036854775807",
                                       "9223372036854775808" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[160] = "--max-time: '";
        strcat(strcat(text, bad[i]), "' is no time such as 1.5, 300ms, 10s, "
                                     "2m or 1h (at most a year)");
        ASSERT_REFUSED(text, "--max-time", bad[i]);
        assert_int_equal(got.limit, 7);
    }
}

static void sizes_are_powers_of_1024(void **state) {
    (void)state;
    assert_int_equal(PARSE("--max-in=512"), 0);
    assert_int_equal(got.size, 512);
    assert_int_equal(PARSE("--max-in=16k"), 0);
    assert_int_equal(got.size, 16384);
    assert_int_equal(PARSE("--max-in=3M"), 0);
    assert_int_equal(got.size, 3145728);
    assert_int_equal(PARSE("--max-in=2g"), 0);
    assert_int_equal(got.size, INT64_C(2147483648));
    static const char *const bad[] = { "63",
                                       "",
                                       "k",
                                       "1kb",
                                       "1.5k",
                                       "-64",
                                       "1e3",
                                       "64 ",
                                       "9007199254740992k",
                                       "9223372036854775808" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[160] = "--max-in: '";
        strcat(strcat(text, bad[i]), "' is no size such as 512 or 16k, from "
                                     "64 to 9223372036854775807 bytes");
        ASSERT_REFUSED(text, "--max-in", bad[i]);
        assert_int_equal(got.size, 0);
    }
}

static void a_bad_choice_is_told_with_the_list(void **state) {
    (void)state;
    ASSERT_REFUSED(
        "--verify: 'requried' is not one of none, optional, required; "
        "did you mean required?",
        "--verify=requried");
    ASSERT_REFUSED("--verify: 'xyz' is not one of none, optional, required",
                   "--verify=xyz");
    ASSERT_REFUSED("--verify: '' is not one of none, optional, required",
                   "--verify=");
    ASSERT_REFUSED(
        "--verify: 'NONE' is not one of none, optional, required; did "
        "you mean none?",
        "--verify=NONE");
    ASSERT_REFUSED("--verify: 'aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd...' "
                   "is not one of none, optional, required",
                   "--verify=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee");
    assert_int_equal(got.tls.verify, 2);
}

static void a_long_list_of_choices_is_cut_and_the_hint_is_not(void **state) {
    (void)state;
    static const char *const many[] = { "micropython-1.20-esp32",
                                        "micropython-1.22-esp32",
                                        "micropython-1.24-esp32",
                                        "micropython-1.26-rp2",
                                        "zephyr-3.7",
                                        NULL };
    struct only {
        int as;
    } o = { 0 };
    const struct opt row[] = { OPT_ROW_CHOICE(struct only, as, 0, "as",
                                              "PROFILE", many, "device"),
                               OPT_END };
    const struct opt_group table[] = { { "T", row, 0 }, OPT_GROUPS_END };
    char name[] = "connect", word[] = "--as=zephyr-3.8";
    char *argv[] = { name, word };
    err = (struct err)ERR_INIT;
    assert_int_equal(opt_parse(table, &o, 2, argv, operand, &operands, 0, &err),
                     -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_string_equal(
        err.msg, "--as: 'zephyr-3.8' is not one of micropython-1.20-esp32, "
                 "micropython-1.22-esp32, micropython-1.24-esp32, ...; "
                 "did you mean zephyr-3.7?");
}

static void one_operand_too_many_is_named(void **state) {
    (void)state;
    ASSERT_REFUSED("unexpected argument 'd'", "a", "b", "c", "d", "e");
    assert_int_equal(operands, 3);
}

static void reading_goes_on_after_the_first_error(void **state) {
    (void)state;
    ASSERT_REFUSED("unknown option --verfy; did you mean --verify?", "--verfy",
                   "-p", "0", "--json=f", "h:1");
    assert_string_equal(got.json.value, "f");
    assert_int_equal(operands, 1);
}

static void help_wins_over_every_error(void **state) {
    (void)state;
    assert_int_equal(PARSE("--help"), OPT_HELP);
    assert_int_equal(PARSE("-vh"), OPT_HELP);
    assert_int_equal(PARSE("-h", "--help", "--nonsense"), OPT_HELP);
    assert_int_equal(PARSE("--nonsense", "--cert", "--help"), OPT_HELP);
    assert_int_equal(PARSE("--", "--help"), 0);
    assert_string_equal(operand[0], "--help");
    ASSERT_REFUSED("option --help takes no value, but is given 'x'",
                   "--help=x");
}

static void a_command_can_have_no_table(void **state) {
    (void)state;
    char name[] = "help", word[] = "--json";
    char *argv[] = { name, word };
    err = (struct err)ERR_INIT;
    assert_int_equal(opt_parse(NULL, NULL, 2, argv, NULL, &operands, 0, &err),
                     -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_string_equal(err.msg, "unknown option --json");
    assert_int_equal(opt_check(NULL, &err), 0);
}

static void a_sound_table_passes_the_check(void **state) {
    (void)state;
    err = (struct err)ERR_INIT;
    assert_int_equal(opt_check(groups, &err), 0);
    assert_int_equal(err.origin, ERR_NONE);
}

static void every_fault_in_a_table_is_found(void **state) {
    (void)state;
    static const struct {
        struct opt row;
        const char *text;
    } cases[] = {
        { { .name = "json", .help = "x" },
          "--json: the name is another row's "
          "too" },
        { { .name = "help", .help = "x" },
          "--help: the name is another row's "
          "too" },
        { { 'v', .name = "x", .help = "x" },
          "--x: the letter is another row's too" },
        { { 'h', .name = "x", .help = "x" },
          "--help: the letter is another row's too" },
        { { '=', .name = "x", .help = "x" }, "--x: the letter is none" },
        { { .name = "Xa", .help = "x" }, "--Xa: the name is not lower case" },
        { { .name = "-x", .help = "x" }, "---x: the name is not lower case" },
        { { .name = "", .help = "x" }, "--: the name is empty" },
        { { .name = "x" }, "--x: the help is missing or ends in a full stop" },
        { { .name = "x", .help = "stop." },
          "--x: the help is missing or ends in a full stop" },
        { { .name = "x", .help = "Print" },
          "--x: the help begins with a capital" },
        { { .name = "x", .help = "x", .type = OPT_STRING },
          "--x: the type and the value's name disagree" },
        { { .name = "x", .help = "x", .type = OPT_MANY },
          "--x: the type and the value's name disagree" },
        { { .name = "x", .help = "x", .arg = "N" },
          "--x: the type and the value's name disagree" },
        { { .name = "x", .help = "x", .arg = "N", .type = OPT_CHOICE },
          "--x: the type and the choices disagree" },
        { { .name = "x", .help = "x", .arg = "N", .type = OPT_UINT },
          "--x: the range is wrong" },
        { { .name = "x",
            .help = "x",
            .arg = "N",
            .type = OPT_UINT,
            .max = INT64_C(4294967296) },
          "--x: the range is wrong" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct opt bad[] = { cases[i].row, OPT_END };
        const struct opt_group table[] = { { "Good", rows, 0 },
                                           { "Bad", bad, 0 },
                                           OPT_GROUPS_END };
        err = (struct err)ERR_INIT;
        assert_int_equal(opt_check(table, &err), -1);
        assert_int_equal(err.origin, ERR_USAGE);
        assert_string_equal(err.msg, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere_in_every_spelling),
        cmocka_unit_test(what_is_not_given_keeps_its_default),
        cmocka_unit_test(dashes_can_be_operands),
        cmocka_unit_test(an_empty_value_is_a_string),
        cmocka_unit_test(an_optional_value_needs_the_equals_sign),
        cmocka_unit_test(an_unknown_option_suggests_the_one_meant),
        cmocka_unit_test(a_missing_value_is_told),
        cmocka_unit_test(a_flag_takes_no_value),
        cmocka_unit_test(a_repeatable_option_keeps_every_value_in_order),
        cmocka_unit_test(one_value_too_many_is_refused),
        cmocka_unit_test(a_repeated_option_is_refused_and_the_first_stays),
        cmocka_unit_test(a_bad_number_is_told_with_what_is_right),
        cmocka_unit_test(durations_have_fractions_and_units),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(a_bad_choice_is_told_with_the_list),
        cmocka_unit_test(a_long_list_of_choices_is_cut_and_the_hint_is_not),
        cmocka_unit_test(one_operand_too_many_is_named),
        cmocka_unit_test(reading_goes_on_after_the_first_error),
        cmocka_unit_test(help_wins_over_every_error),
        cmocka_unit_test(a_command_can_have_no_table),
        cmocka_unit_test(a_sound_table_passes_the_check),
        cmocka_unit_test(every_fault_in_a_table_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
