#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/completion.h"

static const struct shell {
    const char *name;
    void (*write)(FILE *f, const struct command *const *commands);
} shells[] = {
    { "bash", completion_bash },
    { "zsh", completion_zsh },
    { "fish", completion_fish },
};

static const char *const examples[] = {
    "mptls completion bash >/etc/bash_completion.d/mptls", NULL
};

static const char *shell_name(const void *arg, size_t i) {
    (void)arg;
    return i < sizeof shells / sizeof shells[0] ? shells[i].name : NULL;
}

static int completion_run(int argc, char **argv) {
    struct err err = ERR_INIT;
    const char *shell = NULL;
    size_t n = 0;
    int status = 0;
    int rc = command_parse(&cmd_completion, NULL, argc, argv, &shell, &n, 1,
                           &status, &err);
    if (rc == OPT_HELP) {
        return status;
    }
    if (rc == 0 && n == 0) {
        err_set(&err, ERR_USAGE, 0, "completion wants bash, zsh or fish");
    }
    for (size_t i = 0; err.origin == ERR_NONE && shell_name(NULL, i); i++) {
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].write(stdout, commands);
            return command_flush();
        }
    }
    const char *near = n > 0 ? text_nearest(shell, shell_name, NULL) : NULL;
    err_set(&err, ERR_USAGE, 0, "no completion for '%s'%s%s%s", shell,
            near != NULL ? "; did you mean " : ": bash, zsh or fish",
            near != NULL ? near : "", near != NULL ? "?" : "");
    return command_failed(&cmd_completion, &err);
}

const struct command cmd_completion = {
    .name = "completion",
    .operand = "bash|zsh|fish",
    .summary = "a script that completes commands and options",
    .examples = examples,
    .run = completion_run,
};
