/*
 * print_micropython.h - --print-micropython: the program that does on a board
 * what this run did.
 *
 * MicroPython: socket, ssl.SSLContext and wrap_socket(); tls.SSLContext where
 * suites are chosen, which the module ssl cannot do since 1.23.
 */
#ifndef CLI_PRINT_MICROPYTHON_H
#define CLI_PRINT_MICROPYTHON_H

#include "cli/client.h"
#include "cli/print_cadata.h"

/**
 * Print it on `f`, in Python: what a board cannot do is in its remarks. No
 * private key is printed; the program reads it from a file.
 *
 * @param c       after its connection, with the context that it used
 * @param target  where it went
 * @param cadata  what was picked; a CA that the user gave goes before it
 * @param r       how it ended
 */
void print_micropython(FILE *f, const struct client *c,
                       const struct net_target *target,
                       const struct cadata *cadata, const struct report *r);

#endif
