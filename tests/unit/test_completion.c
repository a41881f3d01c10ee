#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/completion.h"
#include "test.h"

typedef void writer(FILE *f, const struct command *const *commands);

struct options {
    int mode;
    unsigned verbose;
    const char *cert, *name;
    struct opt_optional json;
    struct opt_many pins, files;
};

static const char *const modes[] = { "none", "optional", "required", NULL };

static const struct opt rows[] = {
    OPT_ROW_CHOICE(struct options, mode, 'm', "verify", "MODE", modes,
                   "the peer's [chain]: how far to check"),
    OPT_ROW_STRING(struct options, cert, 'c', "cert", "DATA", "our chain"),
    OPT_ROW_STRING(struct options, name, 0, "name", "NAME", "a name"),
    OPT_ROW_OPTIONAL(struct options, json, 0, "json", "FILE", "JSON"),
    OPT_ROW_COUNT(struct options, verbose, 'v', "verbose", "say more"),
    OPT_ROW_MANY(struct options, pins, 0, "pin", "PIN", "a key"),
    OPT_ROW_MANY(struct options, files, 'f', "file", "FILE", "a file"),
    OPT_END
};

static const struct opt_group groups[] = { { "All", rows, 0 }, OPT_GROUPS_END };

static const struct command all[] = {
    { .name = "connect",
      .operand = "HOST:PORT",
      .summary = "pipe: it's TLS",
      .groups = groups },
    { .name = "verify",
      .operand = "CHAIN",
      .summary = "verify a chain",
      .groups = groups },
    { .name = "completion",
      .operand = "bash|zsh|fish",
      .summary = "print a script" },
    { .name = "help", .operand = "[COMMAND]", .summary = "print help" },
};
static const struct command *const commands[] = { &all[0], &all[1], &all[2],
                                                  &all[3], NULL };

static char output[16384];

/* What a shell prints, to stdout or stderr, when it reads a script and then
 * `calls` on its stdin. Skips the test where there is no such shell. */
static int shell(const char *name, const char *arg, writer *script,
                 const char *calls) {
    FILE *in = tmpfile(), *out = tmpfile();
    assert_true(in != NULL && out != NULL);
    script(in, commands);
    fputs(calls, in);
    fflush(in);
    rewind(in);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(in), 0);
        dup2(fileno(out), 1);
        dup2(fileno(out), 2);
        execlp(name, name, arg, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    rewind(out);
    output[fread(output, 1, sizeof output - 1, out)] = '\0';
    fclose(in);
    fclose(out);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        print_message("no %s here\n", name);
        skip();
    }
    return status;
}

/* What completing the last of the words, which are quoted for bash, offers. */
static const char *offered(const char *words) {
    char calls[512];
    snprintf(calls, sizeof calls,
             "d=$(mktemp -d) && cd \"$d\" || exit 1\n"
             "touch 'a b.pem' key.pem; mkdir certs\n"
             "COMP_WORDS=(mptls %s)\n"
             "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
             "_mptls\n"
             "for w in \"${COMPREPLY[@]}\"; do printf '%%s;' \"$w\"; done\n"
             "cd / && rm -r \"$d\"\n",
             words);
    assert_int_equal(shell("bash", "--norc", completion_bash, calls), 0);
    return output;
}

static const char *text_of(writer *script) {
    FILE *f = tmpfile();
    assert_non_null(f);
    script(f, commands);
    rewind(f);
    output[fread(output, 1, sizeof output - 1, f)] = '\0';
    fclose(f);
    return output;
}

static void the_shell_can_parse_its_script(void **state) {
    writer *const *w = *state;
    const char *name = *w == completion_bash  ? "bash"
                       : *w == completion_zsh ? "zsh"
                                              : "fish";
    assert_int_equal(shell(name, "-n", *w, ""), 0);
    assert_string_equal(output, "");
}

static void bash_completes_commands(void **state) {
    (void)state;
    assert_string_equal(offered("''"),
                        "connect;verify;completion;help;--help;--version;");
    assert_string_equal(offered("co"), "connect;completion;");
    assert_string_equal(offered("--v"), "--version;");
}

static void bash_completes_options_of_the_command(void **state) {
    (void)state;
    assert_string_equal(offered("connect -"), "--verify;--cert;--name;--json;"
                                              "--verbose;--pin;--file;--help;");
    assert_string_equal(offered("connect h:1 -v --ve"), "--verify;--verbose;");
    assert_string_equal(offered("help -"), "--help;");
    assert_string_equal(offered("nonsense -"), "");
}

static void bash_completes_choices(void **state) {
    (void)state;
    assert_string_equal(offered("connect --verify ''"),
                        "none;optional;required;");
    assert_string_equal(offered("connect -m r"), "required;");
    assert_string_equal(offered("connect --verify ="),
                        "none;optional;required;");
    assert_string_equal(offered("connect --verify = o"), "optional;");
    assert_string_equal(offered("connect --verify = o --j"), "--json;");
}

static void bash_completes_files_where_one_is_wanted(void **state) {
    (void)state;
    assert_string_equal(offered("connect --cert a"), "a b.pem;");
    assert_string_equal(offered("connect -c ke"), "key.pem;");
    assert_string_equal(offered("connect --json = ce"), "certs;");
    assert_string_equal(offered("connect --file key.pem --file ce"), "certs;");
    assert_string_equal(offered("verify -v k"), "key.pem;");
    assert_string_equal(offered("connect --json k"), "");
    assert_string_equal(offered("connect --name k"), "");
    assert_string_equal(offered("connect k"), "");
}

static void bash_completes_operands(void **state) {
    (void)state;
    assert_string_equal(offered("completion ''"), "bash;zsh;fish;");
    assert_string_equal(offered("help c"), "connect;completion;");
}

static void zsh_is_told_each_option(void **state) {
    (void)state;
    const char *text = text_of(completion_zsh);
    assert_memory_equal(text, "#compdef mptls\n", 15);
    assert_non_null(strstr(text, "'connect:pipe: it'\\''s TLS'"));
    assert_non_null(strstr(text, "'(-m --verify)'{-m+,--verify=}'[the peer"
                                 "'\\''s \\[chain\\]: how far to check]:MODE:"
                                 "(none optional required)' \\\n"));
    assert_non_null(strstr(text, "'--json=-[JSON]::FILE:_files'"));
    assert_non_null(strstr(text, "\\*{-v,--verbose}'[say more]'"));
    assert_non_null(strstr(text, "'*--pin=[a key]:PIN: '"));
    assert_non_null(strstr(text, "\\*{-f+,--file=}'[a file]:FILE:_files'"));
    assert_non_null(strstr(text, "'*:HOST\\:PORT: '"));
    assert_non_null(strstr(text, "'*:bash|zsh|fish:(bash zsh fish)'"));
}

static void fish_is_told_each_option(void **state) {
    (void)state;
    const char *text = text_of(completion_fish);
    assert_non_null(strstr(text, "-n __mptls_none -a connect -d "
                                 "'pipe: it'\\''s TLS'\n"));
    assert_non_null(strstr(text, "-n '__mptls_is connect' -l verify -s m -x -a "
                                 "'none optional required' -d 'the peer"));
    assert_non_null(strstr(text, "-l cert -s c -r -F -d 'our chain'\n"));
    assert_non_null(strstr(text, "-l json -d 'JSON'\n"));
    assert_non_null(strstr(text, "'__mptls_is verify' -F\n"));
    assert_non_null(
        strstr(text, "'__mptls_is help' -a 'connect verify completion help'"));
}

int main(void) {
    static writer *bash = completion_bash, *zsh = completion_zsh,
                  *fish = completion_fish;
    const struct CMUnitTest tests[] = {
        { "bash_can_parse_its_script", the_shell_can_parse_its_script, NULL,
          NULL, &bash },
        { "zsh_can_parse_its_script", the_shell_can_parse_its_script, NULL,
          NULL, &zsh },
        { "fish_can_parse_its_script", the_shell_can_parse_its_script, NULL,
          NULL, &fish },
        cmocka_unit_test(bash_completes_commands),
        cmocka_unit_test(bash_completes_options_of_the_command),
        cmocka_unit_test(bash_completes_choices),
        cmocka_unit_test(bash_completes_files_where_one_is_wanted),
        cmocka_unit_test(bash_completes_operands),
        cmocka_unit_test(zsh_is_told_each_option),
        cmocka_unit_test(fish_is_told_each_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
