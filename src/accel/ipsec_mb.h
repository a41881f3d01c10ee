/*
 * ipsec_mb.h - libipsec-mb, as far as we call it.
 */
#ifndef ACCEL_IPSEC_MB_H
#define ACCEL_IPSEC_MB_H

#include <intel-ipsec-mb.h>
#include <stdbool.h>
#include <stddef.h>

enum { IPSEC_MB_KEYS = 3 }; /* AES of 128, 192 and 256 bits */

/* Its functions for this CPU. They keep nothing, and clear what they leave in
 * registers and on the stack. A call with an argument that they refuse does
 * nothing and says nothing: the callers see to it that there is none. */
struct ipsec_mb {
    aes_gcm_pre_t gcm_pre[IPSEC_MB_KEYS]; /* expands a key */
    aes_gcm_enc_dec_t gcm_encrypt[IPSEC_MB_KEYS], gcm_decrypt[IPSEC_MB_KEYS];
    chacha_poly_init_t chacha_init;
    chacha_poly_enc_dec_update_t chacha_encrypt, chacha_decrypt;
    chacha_poly_finalize_t chacha_finish;
};

/**
 * The library, if it is worth while by now.
 *
 * @param bytes  that are about to be encrypted or decrypted; they count
 * @return static; NULL: not yet, or there is none
 */
const struct ipsec_mb *ipsec_mb_for(size_t bytes);

/**
 * @return whether the library takes these buffers: one and the same, or two
 *         that have nothing in common (Mbed TLS takes some more)
 */
bool ipsec_mb_takes(const void *in, const void *out, size_t len);

#endif
