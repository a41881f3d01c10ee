#include "io/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A message has 191 bytes: a long name must leave room for the reason. */
#define NAME "%.110s"

int resolve_failed(const char *host, int rc, int os, struct err *err) {
    return err_set(err, ERR_DNS, rc, "resolve " NAME ": %s", host,
                   rc == EAI_SYSTEM ? strerror(os) : gai_strerror(rc));
}

/* Shared by the thread that asks and the one that waits, and freed by the
 * later of the two. */
struct lookup {
    pthread_mutex_t lock; /* guards refs, rc, os and list */
    int refs;
    int rc, os;
    struct addrinfo *list;
    int done_fd; /* the thread's end of the pipe: closed when it is done */
    char host[RESOLVE_HOST_MAX + 1];
    char port[RESOLVE_PORT_MAX + 1];
};

static void lookup_unref(struct lookup *k) {
    pthread_mutex_lock(&k->lock);
    int refs = --k->refs;
    pthread_mutex_unlock(&k->lock);
    if (refs == 0) {
        pthread_mutex_destroy(&k->lock);
        if (k->list != NULL) {
            freeaddrinfo(k->list);
        }
        free(k);
    }
}

static void *lookup_run(void *arg) {
    struct lookup *k = arg;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(k->host, k->port, &hints, &list);
    int os = errno;
    pthread_mutex_lock(&k->lock);
    k->rc = rc;
    k->os = os;
    k->list = rc == 0 ? list : NULL;
    pthread_mutex_unlock(&k->lock);
    close(k->done_fd);
    lookup_unref(k);
    return NULL;
}

/* @return 0, or an errno; the thread has then not started */
static int lookup_spawn(struct lookup *k) {
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    int rc = pthread_attr_init(&attr);
    if (rc != 0) {
        return rc;
    }
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    /* Signals are for the thread that waits, whose poll they interrupt. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&thread, &attr, lookup_run, k);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}

/* @return the waiting end of the pipe, or -1 with ERR_OS */
static int lookup_start(const char *host, const char *port, struct lookup **out,
                        struct err *err) {
    int ends[2];
    struct lookup *k = calloc(1, sizeof *k);
    if (k == NULL || pipe(ends) != 0) {
        int why = errno;
        free(k);
        return err_set(err, ERR_OS, why, "resolve " NAME, host);
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pthread_mutex_init(&k->lock, NULL);
    k->refs = 2;
    k->done_fd = ends[1];
    snprintf(k->host, sizeof k->host, "%s", host);
    snprintf(k->port, sizeof k->port, "%s", port);
    int rc = lookup_spawn(k);
    if (rc != 0) {
        close(ends[0]);
        close(ends[1]);
        k->refs = 1;
        lookup_unref(k);
        return err_set(err, ERR_OS, rc, "resolve " NAME ": no thread", host);
    }
    *out = k;
    return ends[0];
}

static int lookup_wait(const struct loop *l, int fd, const char *host,
                       const struct loop_limit *limit, struct err *err) {
    char awaiting[RESOLVE_HOST_MAX + 32], words[LOOP_DURATION_MAX];
    struct pollfd done = { .fd = fd, .events = POLLIN };
    struct err why = ERR_INIT;
    snprintf(awaiting, sizeof awaiting, "the address of " NAME, host);
    if (loop_wait(l, &done, 1, limit, awaiting, &why) == 0) {
        return 0;
    }
    if (why.origin == ERR_TIMEOUT) {
        return err_set(err, ERR_TIMEOUT, why.code,
                       "resolve " NAME ": no answer within %s", host,
                       loop_duration(why.code, words));
    }
    return err_set(err, why.origin, why.code, "%s", why.msg);
}

int resolve(const struct loop *l, const char *host, const char *port,
            const struct loop_limit *limit, struct addrinfo **list,
            struct err *err) {
    const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST,
                                      .ai_socktype = SOCK_STREAM };
    if (strlen(host) > RESOLVE_HOST_MAX || strlen(port) > RESOLVE_PORT_MAX) {
        return resolve_failed(host, EAI_NONAME, 0, err);
    }
    int rc = getaddrinfo(host, port, &numeric, list);
    if (rc != EAI_NONAME) {
        return rc == 0 ? 0 : resolve_failed(host, rc, errno, err);
    }
    struct lookup *k = NULL;
    int fd = lookup_start(host, port, &k, err);
    if (fd < 0) {
        return -1;
    }
    int st = lookup_wait(l, fd, host, limit, err);
    if (st == 0) {
        pthread_mutex_lock(&k->lock);
        st = k->rc == 0 ? 0 : resolve_failed(host, k->rc, k->os, err);
        *list = k->list;
        k->list = NULL;
        pthread_mutex_unlock(&k->lock);
    }
    close(fd);
    lookup_unref(k);
    return st;
}
