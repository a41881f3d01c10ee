#define _DEFAULT_SOURCE /* TCP_ULP */
#include "io/ktls.h"

#include <errno.h>
#include <string.h>

#if defined(__linux__) && defined(__has_include) && !defined(__cppcheck__)
#if __has_include(<linux/tls.h>)
#define HAVE_KTLS
#endif
#endif

#ifdef HAVE_KTLS
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/wipe.h"

#ifndef SOL_TLS
#define SOL_TLS 282
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static int failed(const char *verb, ssize_t want, struct err *err) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return (int)want;
    }
    return err_set(err, ERR_NET, errno, "%s the peer: %s", verb,
                   strerror(errno));
}

static int refused(struct err *err) {
    int why = errno;
    return err_set(err, ERR_OS, why, "%s",
                   why == ENOENT ? "this kernel has no TLS, or has not loaded "
                                   "its module tls"
                   : why == ENOTCONN ? "the connection is closed already"
                   : why == EOPNOTSUPP || why == ENOPROTOOPT
                       ? "this socket is none of TCP's"
                   : why == EINVAL ? "this kernel does not take these keys"
                                   : strerror(why));
}

union info {
    struct tls_crypto_info head;
    struct tls12_crypto_info_aes_gcm_128 gcm128;
    struct tls12_crypto_info_aes_gcm_256 gcm256;
#ifdef TLS_CIPHER_CHACHA20_POLY1305
    struct tls12_crypto_info_chacha20_poly1305 chacha;
#endif
};

#define FILL(to, key_, iv_, seq_)                                              \
    (memcpy((to).key, key_, sizeof(to).key),                                   \
     memcpy((to).iv, (iv_) + sizeof(iv_) - sizeof(to).iv, sizeof(to).iv),      \
     memcpy((to).rec_seq, seq_, sizeof(to).rec_seq), sizeof(to))

/* @return its size; 0: the header knew nothing of it */
static size_t fill(union info *info, const struct record_keys *k) {
    unsigned char seq[8];
    for (size_t i = 0; i < sizeof seq; i++) {
        seq[i] = (unsigned char)(k->seq >> (8 * (sizeof seq - 1 - i)));
    }
    memset(info, 0, sizeof *info);
    info->head.version = k->tls13 ? TLS_1_3_VERSION : TLS_1_2_VERSION;
    switch (k->cipher) {
    case RECORD_AES_128_GCM:
        info->head.cipher_type = TLS_CIPHER_AES_GCM_128;
        memcpy(info->gcm128.salt, k->iv, sizeof info->gcm128.salt);
        return FILL(info->gcm128, k->key, k->iv, seq);
    case RECORD_AES_256_GCM:
        info->head.cipher_type = TLS_CIPHER_AES_GCM_256;
        memcpy(info->gcm256.salt, k->iv, sizeof info->gcm256.salt);
        return FILL(info->gcm256, k->key, k->iv, seq);
    case RECORD_CHACHA20_POLY1305:
#ifdef TLS_CIPHER_CHACHA20_POLY1305
        info->head.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
        return FILL(info->chacha, k->key, k->iv, seq);
#else
        break;
#endif
    }
    return 0;
}

/* That nobody pads records lets the kernel open them where they are to go; one
 * that is padded all the same, it opens once more. */
static void expect_no_padding(int fd) {
#ifdef TLS_RX_EXPECT_NO_PAD
    int yes = 1;
    (void)setsockopt(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &yes, sizeof yes);
#else
    (void)fd;
#endif
}

static int op_begin(struct record_stream *s, bool out,
                    const struct record_keys *keys, struct err *err) {
    struct ktls *k = (struct ktls *)s;
    union info info;
    int fd = s->stream.fd;
    size_t len = fill(&info, keys);
    int rc = -1;
    if (len == 0) {
        errno = EINVAL;
    } else if (k->attached ||
               setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls") == 0) {
        k->attached = true;
        rc = setsockopt(fd, SOL_TLS, out ? TLS_TX : TLS_RX, &info,
                        (socklen_t)len);
    }
    if (rc != 0) {
        rc = refused(err);
    } else if (out) {
        k->out = true;
    } else {
        k->in = true;
        expect_no_padding(fd);
    }
    wipe(&info, sizeof info);
    return rc;
}

/* Its own error number stays with the socket, and sending is to go on. */
static ssize_t not_opened(int fd, ssize_t what) {
    int ignored;
    socklen_t len = sizeof ignored;
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &ignored, &len);
    return what;
}

union control {
    struct cmsghdr header;
    unsigned char room[CMSG_SPACE(1)];
};

static ssize_t op_read_record(struct record_stream *s, unsigned char *type,
                              void *buf, size_t len, struct err *err) {
    union control control;
    struct iovec iov = { .iov_base = buf, .iov_len = len };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.room,
                          .msg_controllen = sizeof control.room };
    int fd = s->stream.fd;
    ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);
    if (n < 0) {
        return errno == EBADMSG ? not_opened(fd, RECORD_FORGED)
               : errno == EINVAL || errno == EMSGSIZE
                   ? not_opened(fd, RECORD_INVALID)
                   : failed("read from", STREAM_WANT_RD, err);
    }
    const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    bool record = c != NULL && c->cmsg_level == SOL_TLS &&
                  c->cmsg_type == TLS_GET_RECORD_TYPE;
    *type = record ? *CMSG_DATA(c) : RECORD_DATA;
    if (n == 0 && record) { /* an empty one is no end */
        return *type == RECORD_DATA ? STREAM_WANT_RD : RECORD_INVALID;
    }
    return n;
}

/* A record of its own, and with it whatever the kernel still has to send: for
 * that there has to be room, since shutdown() does not wait for it. */
static ssize_t send_typed(int fd, unsigned char type, const void *buf,
                          size_t len) {
    union control control = { .room = { 0 } };
    struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.room,
                          .msg_controllen = sizeof control.room };
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_TLS;
    c->cmsg_type = TLS_SET_RECORD_TYPE;
    c->cmsg_len = CMSG_LEN(1);
    *CMSG_DATA(c) = type;
    if (poll(&p, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t op_write_record(struct record_stream *s, unsigned char type,
                               const void *buf, size_t len, struct err *err) {
    int fd = s->stream.fd;
    ssize_t n = type == RECORD_DATA
                    ? send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                    : send_typed(fd, type, buf, len);
    return n < 0 ? failed("write to", STREAM_WANT_WR, err) : n;
}

#else

static int op_begin(struct record_stream *s, bool out,
                    const struct record_keys *keys, struct err *err) {
    (void)s;
    (void)out;
    (void)keys;
    return err_set(err, ERR_OS, ENOSYS, "it is not in this build");
}

static ssize_t op_read_record(struct record_stream *s, unsigned char *type,
                              void *buf, size_t len, struct err *err) {
    *type = RECORD_DATA;
    return s->stream.ops->read(&s->stream, buf, len, err);
}

static ssize_t op_write_record(struct record_stream *s, unsigned char type,
                               const void *buf, size_t len, struct err *err) {
    (void)type;
    return s->stream.ops->write(&s->stream, buf, len, err);
}

#endif

static ssize_t op_read(struct stream *s, void *buf, size_t len,
                       struct err *err) {
    struct ktls *k = (struct ktls *)s;
    unsigned char ignored;
    if (!k->in) {
        ssize_t n = k->lower->ops->read(k->lower, buf, len, err);
        s->held = k->lower->held;
        return n;
    }
    ssize_t n = op_read_record(&k->records, &ignored, buf, len, err);
    return n == RECORD_FORGED || n == RECORD_INVALID ? STREAM_EOF : n;
}

static ssize_t op_write(struct stream *s, const void *buf, size_t len,
                        struct err *err) {
    struct ktls *k = (struct ktls *)s;
    k->lower->more = s->more;
    return k->lower->ops->write(k->lower, buf, len, err);
}

static int op_end(struct stream *s, struct err *err) {
    struct ktls *k = (struct ktls *)s;
    return k->lower->ops->end(k->lower, err);
}

void ktls_init(struct ktls *k, struct stream *lower) {
    static const struct stream_ops ops = { op_read, op_write, op_end };
    static const struct record_ops records = { "Linux", op_begin,
                                               op_read_record,
                                               op_write_record };
    *k = (struct ktls){
        .records = { .stream = { .ops = &ops, .fd = lower->fd },
                     .ops = &records },
        .lower = lower,
    };
    k->records.stream.held = lower->held;
}
