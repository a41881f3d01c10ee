/*
 * main.c - the table of commands, and descriptors 0 to 2 as they must be.
 */
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accel/accel.h"
#include "cli/commands.h"
#include "report/report.h"
#include "tls/ssl_heap.h"

const struct command *const commands[] = {
    &cmd_connect,  &cmd_serve,   &cmd_check,      &cmd_verify, &cmd_ciphers,
    &cmd_profiles, &cmd_explain, &cmd_completion, &cmd_help,   NULL,
};

/* A socket must not become stdin, stdout or stderr because one of them was
 * closed. What takes the place fails where the closed one would have: stdin
 * cannot be read, stdout cannot be written. */
static int hold_standard_descriptors(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", flags) != fd) {
            return -1;
        }
    }
    return 0;
}

static void print_who(const char *what, const char *library, const char *lack) {
    if (library != NULL) {
        printf("%s: %s\n", what, library);
    } else {
        printf("%s: Mbed TLS (%s)\n", what, lack);
    }
}

static int version(void) {
    printf("mptls %s (%s)\n", MPTLS_VERSION, MBEDTLS_VERSION_STRING_FULL);
    print_who("bulk encryption", accel_library(), accel_lack());
    print_who("signatures on P-256", accel_nettle_library(),
              accel_nettle_lack());
    return command_flush();
}

static int usage(const char *text) {
    report_line(stderr, "%s", text);
    report_line(stderr, "try 'mptls --help'");
    return 2;
}

/* @return 0, or the exit status */
static int obey_environment(void) {
    const char *accel = getenv("MPTLS_ACCEL");
    if (accel == NULL || accel[0] == '\0' || strcmp(accel, "auto") == 0) {
        return 0;
    }
    if (strcmp(accel, "none") == 0) {
        accel_disable("MPTLS_ACCEL=none");
        return 0;
    }
    report_line(stderr, "MPTLS_ACCEL=%s is neither auto nor none", accel);
    return 2;
}

int main(int argc, char **argv) {
    if (hold_standard_descriptors() != 0) {
        return 1;
    }
    (void)ssl_heap_start(); /* who needs it asks ssl_heap_counts() */
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    int status = obey_environment();
    if (status != 0) {
        return status;
    }
    if (argc < 2) {
        return usage(
            "a command is wanted: mptls connect HOST:PORT, or another");
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        return version();
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return cmd_help.run(1, (char *[]){ "help", NULL });
    }
    struct err err = ERR_INIT;
    const struct command *c = command_find(name, &err);
    return c != NULL ? c->run(argc - 1, argv + 1) : usage(err.msg);
}
