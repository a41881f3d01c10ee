#include <stdio.h>

#include "cli/help.h"
#include "test.h"

struct options {
    int mode;
    unsigned verbose;
    const char *cert, *name;
    struct opt_optional json;
    struct opt_many pins;
    int64_t limit, size;
};

static const char *const modes[] = { "none", "optional", "required", NULL };

static const struct opt tls_rows[] = {
    OPT_ROW_CHOICE(struct options, mode, 0, "verify", "MODE", modes,
                   "how far to check the certificate of the peer"),
    OPT_ROW_STRING(struct options, cert, 'c', "cert", "DATA",
                   "our certificate chain, PEM or DER, ours first and then "
                   "each one that signed the one before it, without the root"),
    OPT_ROW_STRING(struct options, name, 0, "a-very-long-option-name", "NAME",
                   "beneath"),
    OPT_END
};

static const struct opt other_rows[] = {
    OPT_ROW_COUNT(struct options, verbose, 'v', "verbose", "say more"),
    OPT_ROW_OPTIONAL(struct options, json, 0, "json", "FILE", "report as JSON"),
    OPT_ROW_DURATION(struct options, limit, 0, "max-time", "give up"), OPT_END
};

static const struct opt more_rows[] = {
    OPT_ROW_MANY(struct options, pins, 0, "pin", "PIN", "a key"), OPT_END
};

static const struct opt_group groups[] = { { "TLS", tls_rows, 0 },
                                           { "Other", other_rows, 0 },
                                           { NULL, more_rows, 0 },
                                           OPT_GROUPS_END };

static const char *const connect_lines[] = {
    "# fetch a page", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | mptls connect h:1",
    "mptls connect --verify none h:1", NULL
};
static const char *const serve_lines[] = { "mptls serve 4433", "not this",
                                           NULL };

static const struct command connect_command = {
    .name = "connect",
    .operand = "HOST:PORT",
    .summary = "pipe stdin and stdout over TLS",
    .description = "The chain and the name are verified unless --verify says "
                   "otherwise, and what is piped is not looked at.\n\nEnd.",
    .examples = connect_lines,
    .groups = groups,
};
static const struct command serve_command = { .name = "serve",
                                              .summary = "the other end",
                                              .examples = serve_lines };
static const struct command help_cmd = { .name = "help",
                                         .operand = "[COMMAND]",
                                         .summary = "print help" };
static const struct command *const commands[] = { &connect_command,
                                                  &serve_command, &help_cmd,
                                                  NULL };

static char page[8192];

static const char *page_of(const struct command *c) {
    FILE *f = tmpfile();
    assert_non_null(f);
    if (c != NULL) {
        help_command(f, c);
    } else {
        help_all(f, commands);
    }
    rewind(f);
    size_t n = fread(page, 1, sizeof page - 1, f);
    fclose(f);
    page[n] = '\0';
    return page;
}

static void the_help_is_exactly_this(void **state) {
    (void)state;
    assert_string_equal(
        page_of(&connect_command),
        "usage: mptls connect [options] HOST:PORT\n"
        "\n"
        "pipe stdin and stdout over TLS\n"
        "\n"
        "Examples:\n"
        "  # fetch a page\n"
        "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | mptls connect h:1\n"
        "  mptls connect --verify none h:1\n"
        "\n"
        "The chain and the name are verified unless --verify says otherwise, "
        "and what is\n"
        "piped is not looked at.\n"
        "\n"
        "End.\n"
        "\n"
        "TLS:\n"
        "      --verify MODE    how far to check the certificate of the peer "
        "(none,\n"
        "                       optional, required)\n"
        "  -c, --cert DATA      our certificate chain, PEM or DER, ours first "
        "and then\n"
        "                       each one that signed the one before it, "
        "without the root\n"
        "      --a-very-long-option-name NAME\n"
        "                       beneath\n"
        "\n"
        "Other:\n"
        "  -v, --verbose        say more\n"
        "      --json[=FILE]    report as JSON\n"
        "      --max-time TIME  give up\n"
        "      --pin PIN        a key (may be repeated)\n"
        "\n"
        "Help:\n"
        "  -h, --help           print this help and exit\n"
        "\n"
        "TIME is in seconds (1.5) or has a unit (300ms, 10s, 2m, 1h); 0 is no "
        "limit.\n"
        "DATA is a path, or base64:..., hex:..., pem:..., or fd:N.\n"
        "\n"
        "Exit status and everything else: man mptls.\n");
}

static void a_command_without_options_has_help_all_the_same(void **state) {
    (void)state;
    assert_string_equal(page_of(&help_cmd),
                        "usage: mptls help [options] [COMMAND]\n"
                        "\n"
                        "print help\n"
                        "\n"
                        "Help:\n"
                        "  -h, --help  print this help and exit\n"
                        "\n"
                        "Exit status and everything else: man mptls.\n");
    assert_non_null(
        strstr(page_of(&serve_command), "usage: mptls serve [options]\n\n"));
}

static void the_programs_help_has_two_examples_and_every_command(void **state) {
    (void)state;
    assert_string_equal(
        page_of(NULL),
        "usage: mptls COMMAND [options] [operands]\n"
        "\n"
        "A TLS client and server for pipes that speaks as MicroPython does.\n"
        "\n"
        "Examples:\n"
        "  # fetch a page\n"
        "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | mptls connect h:1\n"
        "  mptls serve 4433\n"
        "\n"
        "Commands:\n"
        "  connect  pipe stdin and stdout over TLS\n"
        "  serve    the other end\n"
        "  help     print help\n"
        "\n"
        "mptls help COMMAND: a command's options. Everything: man mptls.\n");
}

/* Every length of help and of label, so that each wrap is met at its edge. */
static void no_line_is_over_79_columns(void **state) {
    (void)state;
    char help[256] = "", name[40] = "n";
    for (size_t len = 1; len < 34; len++) {
        for (size_t words = 1; words < 30; words++) {
            help[0] = '\0';
            for (size_t w = 0; w < words; w++) {
                strcat(help, &"abcdefg"[(w * 5 + words + len) % 7]);
                strcat(help, w + 1 < words ? " " : "z");
            }
            const struct opt row[] = {
                OPT_ROW_SIZE(struct options, size, 0, name, 0, 9, help), OPT_END
            };
            const struct opt_group g[] = { { "G", row, 0 }, OPT_GROUPS_END };
            const struct command c = {
                .name = "x", .summary = help, .description = help, .groups = g
            };
            const char *line = page_of(&c);
            while (*line != '\0') {
                size_t n = strcspn(line, "\n");
                assert_true(n <= 79);
                assert_true(n == 0 || line[n - 1] != ' ');
                line += n + 1;
            }
        }
        strcat(name, "n");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_help_is_exactly_this),
        cmocka_unit_test(a_command_without_options_has_help_all_the_same),
        cmocka_unit_test(the_programs_help_has_two_examples_and_every_command),
        cmocka_unit_test(no_line_is_over_79_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
