/*
 * record.c - record what a real peer sends, as a seed for fuzz_socket_*.
 *
 *   record client|server SETUP <socket >socket 3>SEED
 *
 * SETUP is SETUP_BYTES in hexadecimal, see socket.h. The peer is at the other
 * end of stdin and stdout, e.g.
 *
 *   openssl s_server -accept 4433 -cert certs/server-ec256.pem \
 *       -key certs/server-ec256-key.pem -rev &
 *   socat TCP:127.0.0.1:4433 EXEC:'record client 8101' 3>seed
 *
 * A seed is good for as long as what we send stays as it is: with FUZZ_SAY=1
 * in the environment, fuzz_socket_client says of each whether it still opens
 * a connection. Not built by default; it links as a target does, without
 * main.c.
 */
#include "socket.h"

#include <unistd.h>

enum { SEED_FD = 3 };

static ssize_t wire_read(struct stream *s, void *buf, size_t len,
                         struct err *err) {
    ssize_t n = read(STDIN_FILENO, buf, len);
    (void)s;
    (void)err;
    CHECK(n >= 0 && write(SEED_FD, buf, (size_t)n) == n);
    return n;
}

static ssize_t wire_write(struct stream *s, const void *buf, size_t len,
                          struct err *err) {
    ssize_t n = write(STDOUT_FILENO, buf, len);
    (void)s;
    (void)err;
    CHECK(n > 0);
    return n;
}

static int wire_end(struct stream *s, struct err *err) {
    (void)s;
    (void)err;
    abort();
}

int main(int argc, char **argv) {
    static const struct stream_ops ops = { wire_read, wire_write, wire_end };
    struct stream wire = { .ops = &ops, .fd = STDIN_FILENO };
    unsigned long bits = argc == 3 ? strtoul(argv[2], NULL, 16) : 0;
    const uint8_t setup[SETUP_BYTES] = { (uint8_t)(bits >> 8), (uint8_t)bits };
    CHECK(argc == 3 && write(SEED_FD, setup, sizeof setup) == sizeof setup);
    socket_run(strcmp(argv[1], "server") == 0, setup, &wire);
    return 0;
}
