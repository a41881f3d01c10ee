/*
 * shakes.c - the load for servers: many handshakes, by OpenSSL's library.
 *
 * usage: shakes PORT COUNT THREADS full|resumed 1.2|1.3
 *
 * COUNT clients connect to 127.0.0.1:PORT, THREADS at a time; each shakes
 * hands, ends with close_notify, and waits for the server's end. A resumed one
 * shows the ticket that its thread's first connection had, which is not
 * counted. The server's certificate is not verified: that is the client's work
 * and not what is measured. Prints the seconds that it took, the processor
 * seconds that this program needed, and how many were resumed.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64
#define PATIENCE_S 20

static struct {
    SSL_CTX *ctx;
    unsigned short port;
    bool resume;
    atomic_long left, resumed;
    pthread_barrier_t ready;
} all;

/* A thread's session, for the connections that come after. */
static _Thread_local SSL_SESSION *session;
static _Thread_local bool want_session;

static _Noreturn void die(const char *what) {
    fprintf(stderr, "shakes: %s: ", what);
    if (ERR_peek_error() != 0) {
        ERR_print_errors_fp(stderr);
    } else {
        perror(NULL);
    }
    exit(1);
}

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int remember(SSL *ssl, SSL_SESSION *given) {
    (void)ssl;
    if (!want_session) {
        return 0;
    }
    SSL_SESSION_free(session);
    session = given;
    return 1;
}

static int dial(void) {
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons(all.port) };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || connect(s, (struct sockaddr *)&at, sizeof(at)) != 0) {
        die("connect");
    }
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    return s;
}

/* One connection; @return whether it was resumed */
static bool shake(void) {
    int s = dial();
    SSL *ssl = SSL_new(all.ctx);
    if (ssl == NULL || SSL_set_fd(ssl, s) != 1 ||
        SSL_set_tlsext_host_name(ssl, "localhost") != 1) {
        die("set-up");
    }
    if (session != NULL) {
        /* The library uses one once only in TLS 1.3. */
        SSL_SESSION *copy = SSL_SESSION_dup(session);
        if (copy == NULL || SSL_set_session(ssl, copy) != 1) {
            die("session");
        }
        SSL_SESSION_free(copy);
    }
    if (SSL_connect(ssl) != 1) {
        die("handshake");
    }
    bool resumed = SSL_session_reused(ssl) == 1;
    char byte;
    SSL_shutdown(ssl);
    while (SSL_read(ssl, &byte, 1) > 0) {
    }
    ERR_clear_error(); /* a server may end as it likes */
    SSL_free(ssl);
    close(s);
    return resumed;
}

static void *client(void *arg) {
    (void)arg;
    if (all.resume) {
        want_session = true;
        shake();
        want_session = false;
        if (session == NULL) {
            fputs("shakes: the server gives no ticket\n", stderr);
            exit(3);
        }
    }
    pthread_barrier_wait(&all.ready);
    while (atomic_fetch_sub(&all.left, 1) > 0) {
        atomic_fetch_add(&all.resumed, shake());
    }
    SSL_SESSION_free(session);
    return NULL;
}

static void set_up(const char *version) {
    int v = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    all.ctx = SSL_CTX_new(TLS_client_method());
    if (all.ctx == NULL || SSL_CTX_set_min_proto_version(all.ctx, v) != 1 ||
        SSL_CTX_set_max_proto_version(all.ctx, v) != 1) {
        die("context");
    }
    SSL_CTX_set_verify(all.ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(all.ctx, SSL_SESS_CACHE_CLIENT |
                                                SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(all.ctx, remember);
}

int main(int argc, char **argv) {
    pthread_t thread[THREADS_MAX];
    unsigned n;
    if (argc != 6 || (n = (unsigned)strtoul(argv[3], NULL, 10)) < 1 ||
        n > THREADS_MAX) {
        fputs("usage: shakes PORT COUNT THREADS full|resumed 1.2|1.3\n",
              stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    all.port = (unsigned short)strtoul(argv[1], NULL, 10);
    all.resume = strcmp(argv[4], "resumed") == 0;
    atomic_store(&all.left, strtol(argv[2], NULL, 10));
    set_up(argv[5]);
    pthread_barrier_init(&all.ready, NULL, n + 1);
    for (unsigned i = 0; i < n; i++) {
        if (pthread_create(&thread[i], NULL, client, NULL) != 0) {
            die("thread");
        }
    }
    pthread_barrier_wait(&all.ready);
    double began = seconds(CLOCK_MONOTONIC);
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < n; i++) {
        pthread_join(thread[i], NULL);
    }
    printf("%.6f %.6f %ld\n", seconds(CLOCK_MONOTONIC) - began,
           seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, atomic_load(&all.resumed));
    SSL_CTX_free(all.ctx);
    return 0;
}
