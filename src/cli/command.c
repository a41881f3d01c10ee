#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/signals.h"
#include "cli/status.h"
#include "report/report.h"

int command_flush(void) {
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return 0;
    }
    if (errno == EPIPE) {
        signals_die_of_pipe();
    }
    report_line(stderr, "write to stdout: %s", strerror(errno));
    return 1;
}

int command_parse(const struct command *c, void *options, int argc, char **argv,
                  const char **operands, size_t *operand_count,
                  size_t operand_max, int *status, struct err *err) {
    int rc = opt_parse(c->groups, options, argc, argv, operands, operand_count,
                       operand_max, err);
    if (rc == OPT_HELP) {
        help_command(stdout, c);
        *status = command_flush();
    }
    return rc;
}

int command_failed(const struct command *c, const struct err *err) {
    report_line(stderr, "%s", err->msg);
    if (err->origin == ERR_USAGE) {
        report_line(stderr, "try 'mptls %s --help'", c->name);
    }
    return status_of(err, STAGE_SETUP, false).number;
}
