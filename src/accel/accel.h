/*
 * accel.h - AES-GCM, ChaCha20-Poly1305, ECDSA, X25519 and SHA-256 by faster
 * libraries than Mbed TLS.
 *
 * Mbed TLS calls mbedtls_gcm_*() and mbedtls_chachapoly_*() here, by way of its
 * MBEDTLS_GCM_ALT and MBEDTLS_CHACHAPOLY_ALT, and nothing in here implements a
 * primitive: a call goes to libipsec-mb, or to Mbed TLS's own code, which is in
 * the build under the names of accel/own.h. The library is large, so it is
 * opened and set up only when ACCEL_AFTER bytes have gone through this process,
 * which is about where that has paid. Where it is not installed, is another
 * version than its header was, or the CPU has no AES instructions, everything
 * is Mbed TLS's.
 *
 * In the same way, by MBEDTLS_ECDSA_VERIFY_ALT, a signature on P-256 is checked
 * by Nettle's libhogweed where accel_nettle_use() allows it, and one is made by
 * it (MBEDTLS_ECDSA_SIGN_ALT). It can only say that a signature is good;
 * whatever it does not take is judged by Mbed TLS. The last of those that were
 * good need not be checked again, since nothing that a verdict depends on can
 * have changed where all of it is the same. Once that has opened the library it
 * makes the public keys of X25519 and hashes with SHA-256
 * (MBEDTLS_SHA256_PROCESS_ALT), too, which alone are not worth the opening.
 *
 * For one thread, as all of TLS here.
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include <mbedtls/build_info.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of a process that Mbed TLS's own code does first. */
enum { ACCEL_AFTER = 256 * 1024 };

#ifdef MBEDTLS_GCM_ALT

/**
 * Find the library, without setting it up: due before a process gives up the
 * files, since it cannot be found afterwards. It costs about as much as one
 * more shared library of the program.
 *
 * @return e.g. "libipsec-mb 1.3.0", static; NULL: Mbed TLS does it all
 */
const char *accel_library(void);

/** @return why accel_library() is NULL, static; NULL if it is not */
const char *accel_lack(void);

/**
 * From now on, and from the start if it is called then, Mbed TLS does it all.
 *
 * @param why  what accel_lack() and accel_nettle_lack() say; borrowed for good
 */
void accel_disable(const char *why);

/**
 * Count the bytes of a process from 0 again, so that what is done next is done
 * as if nothing had been before. Due when no key is in use.
 */
void accel_anew(void);

/**
 * Who encrypts and decrypts the records of a cipher suite at this moment.
 *
 * @param suite  its name in any spelling
 * @return "Mbed TLS", or as accel_library(); static
 */
const char *accel_by(const char *suite);

/**
 * From now on, have by Nettle what it can do, or do not. At first it is not
 * used: it takes less of Mbed TLS's allocator than Mbed TLS itself, which an
 * account of a device's heap must not miss.
 */
void accel_nettle_use(bool use);

/**
 * Open the library; which the first signature does, too. It is due before a
 * process gives up the files, since it cannot be found afterwards.
 *
 * @return e.g. "Nettle 3.8", static; NULL: Mbed TLS does it all
 */
const char *accel_nettle_library(void);

/** @return why accel_nettle_library() is NULL, static; NULL if it is not */
const char *accel_nettle_lack(void);

/** Give up the library's memory; the next signature finds it again. */
void accel_nettle_release(void);

/**
 * The public key of a secret of X25519 (RFC 7748, 6.1), if Nettle is open.
 *
 * @param key     set; the lowest byte first
 * @param secret  likewise; its bits are set and cleared as the RFC says
 * @return whether it was made
 */
bool accel_x25519(unsigned char key[32], const unsigned char secret[32]);

#else

static inline const char *accel_library(void) {
    return NULL;
}

static inline const char *accel_lack(void) {
    return "not in this build";
}

static inline void accel_disable(const char *why) {
    (void)why;
}

static inline void accel_anew(void) {
}

static inline const char *accel_by(const char *suite) {
    (void)suite;
    return "Mbed TLS";
}

static inline void accel_nettle_use(bool use) {
    (void)use;
}

static inline const char *accel_nettle_library(void) {
    return NULL;
}

static inline const char *accel_nettle_lack(void) {
    return "not in this build";
}

static inline void accel_nettle_release(void) {
}

static inline bool accel_x25519(unsigned char key[32],
                                const unsigned char secret[32]) {
    (void)key;
    (void)secret;
    return false;
}

#endif

#endif
