#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/help.h"

static const char *command_name(const void *arg, size_t i) {
    (void)arg;
    return commands[i] != NULL ? commands[i]->name : NULL;
}

const struct command *command_find(const char *name, struct err *err) {
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    const char *near = text_nearest(name, command_name, NULL);
    err_set(err, ERR_USAGE, 0, "unknown command '%.40s'%s%s%s", name,
            near != NULL ? "; did you mean " : "", near != NULL ? near : "",
            near != NULL ? "?" : "");
    return NULL;
}

static int help_run(int argc, char **argv) {
    struct err err = ERR_INIT;
    const char *name = NULL;
    size_t n = 0;
    int status = 0;
    int rc =
        command_parse(&cmd_help, NULL, argc, argv, &name, &n, 1, &status, &err);
    if (rc == OPT_HELP) {
        return status;
    }
    const struct command *c = NULL;
    if (rc != 0 || (n > 0 && (c = command_find(name, &err)) == NULL)) {
        return command_failed(&cmd_help, &err);
    }
    if (c != NULL) {
        help_command(stdout, c);
    } else {
        help_all(stdout, commands);
    }
    return command_flush();
}

const struct command cmd_help = {
    .name = "help",
    .operand = "[COMMAND]",
    .summary = "this help, or a command's",
    .run = help_run,
};
