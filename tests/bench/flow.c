/*
 * flow.c - what the machine does without TLS, for the benches.
 *
 * usage: flow memcpy MIB    copy so much, and print MiB/s
 *        flow send PORT     standard input to 127.0.0.1:PORT, until its end
 *        flow receive       the first client of a port to standard output
 *        flow sink          clients' data to nowhere, for ever
 *
 * The last two listen on a port of 127.0.0.1 that the kernel chooses. Blocks
 * are of 128 KiB.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK ((size_t)128 << 10)
#define CLIENTS 1024

static _Noreturn void die(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int tcp(unsigned port, int listening) {
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons((unsigned short)port) };
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0) {
        die("socket");
    }
    if (listening) {
        if (bind(s, (struct sockaddr *)&at, sizeof(at)) != 0 ||
            listen(s, SOMAXCONN) != 0) {
            die("listen");
        }
    } else if (connect(s, (struct sockaddr *)&at, sizeof(at)) != 0) {
        die("connect");
    }
    return s;
}

static void copy(int from, int to) {
    static char block[BLOCK];
    ssize_t got;
    while ((got = read(from, block, sizeof(block))) > 0) {
        for (ssize_t done = 0; done < got;) {
            ssize_t n = write(to, block + done, (size_t)(got - done));
            if (n < 0) {
                die("write");
            }
            done += n;
        }
    }
    if (got < 0) {
        die("read");
    }
}

/* More than a cache holds, back and forth. */
static void copy_memory(size_t mib) {
    size_t size = (size_t)64 << 20;
    char *here = malloc(size), *there = malloc(size);
    if (here == NULL || there == NULL) {
        die("malloc");
    }
    memset(here, 1, size);
    memset(there, 2, size);
    double began = now();
    for (size_t done = 0; done < mib; done += 64) {
        memcpy(there, here, size);
        here[done % size] = there[size - 1 - done % size];
    }
    printf("%.1f\n", (double)mib / (now() - began));
    free(here);
    free(there);
}

/* Read what has come; @return 0 at its end */
static int drained(int client) {
    static char block[BLOCK];
    return read(client, block, sizeof(block)) > 0;
}

static _Noreturn void sink(void) {
    static struct pollfd at[CLIENTS + 1];
    nfds_t n = 1;
    at[0].fd = tcp(0, 1);
    at[0].events = POLLIN;
    for (;;) {
        if (poll(at, n, -1) < 0) {
            die("poll");
        }
        for (nfds_t i = n - 1; i > 0; i--) {
            if (at[i].revents != 0 && !drained(at[i].fd)) {
                close(at[i].fd);
                at[i] = at[--n];
            }
        }
        if (at[0].revents != 0 && n <= CLIENTS) {
            at[n].fd = accept(at[0].fd, NULL, NULL);
            at[n].events = POLLIN;
            n += at[n].fd >= 0;
        }
    }
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "memcpy") == 0) {
        copy_memory(strtoul(argv[2], NULL, 10));
    } else if (argc == 3 && strcmp(argv[1], "send") == 0) {
        copy(STDIN_FILENO, tcp((unsigned)strtoul(argv[2], NULL, 10), 0));
    } else if (argc == 2 && strcmp(argv[1], "receive") == 0) {
        copy(accept(tcp(0, 1), NULL, NULL), STDOUT_FILENO);
    } else if (argc == 2 && strcmp(argv[1], "sink") == 0) {
        sink();
    } else {
        fputs("usage: flow memcpy MIB | send PORT | receive | sink\n", stderr);
        return 2;
    }
    return 0;
}
