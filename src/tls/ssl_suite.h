/*
 * ssl_suite.h - what a cipher suite wants of the two ends.
 */
#ifndef TLS_SSL_SUITE_H
#define TLS_SSL_SUITE_H

#include <stdbool.h>

enum ssl_suite_key { SSL_KEY_NONE, SSL_KEY_RSA, SSL_KEY_EC, SSL_KEY_DSS };

struct ssl_suite {
    bool tls12, tls13; /* the versions it is for; neither: it is no suite, but
                          a signal (RFC 5746, RFC 7507), GREASE, or unknown */
    bool ec;           /* a group that is a curve */
    bool dhe;          /* primes, named in the key exchange */
    bool psk;          /* a pre-shared key */
    bool signs;        /* the server signs its key exchange */
    enum ssl_suite_key key; /* of the server's certificate; in TLS 1.3 the
                               suite does not say */
};

/**
 * Read it off the suite's name (RFC 5246 A.5, RFC 8446 B.4), so that it is
 * known of suites, too, that this build has not.
 *
 * @param id  an SSL_KIND_CIPHER number
 */
struct ssl_suite ssl_suite_of(unsigned id);

/**
 * @param id  an SSL_KIND_SIG_ALG number
 * @return the key that makes such signatures; SSL_KEY_NONE: another one, or
 *         not known
 */
enum ssl_suite_key ssl_suite_signer(unsigned id);

/**
 * @param id  an SSL_KIND_GROUP number
 * @return whether a key can be agreed on with it in TLS 1.3 (RFC 8446 4.2.7,
 *         which has left some curves), or in TLS 1.2 (RFC 8422 5.1.1)
 */
bool ssl_suite_group(unsigned id, bool tls13);

#endif
