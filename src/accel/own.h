/*
 * own.h - names for Mbed TLS's own GCM, ChaCha20-Poly1305, ECDSA and SHA-256
 * beside ours.
 *
 * To be included in pairs: the first gives what Mbed TLS's headers and sources
 * say in between the prefix mptls_own_, the second ends that. With the first
 * alone tests/deps.sh compiles Mbed TLS's gcm.c, chachapoly.c, ecdsa.c and
 * sha256.c once more.
 */
#ifndef ACCEL_OWN_NAMES
#define ACCEL_OWN_NAMES

#define mbedtls_gcm_context mptls_own_gcm_context
#define mbedtls_gcm_init mptls_own_gcm_init
#define mbedtls_gcm_free mptls_own_gcm_free
#define mbedtls_gcm_setkey mptls_own_gcm_setkey
#define mbedtls_gcm_starts mptls_own_gcm_starts
#define mbedtls_gcm_update_ad mptls_own_gcm_update_ad
#define mbedtls_gcm_update mptls_own_gcm_update
#define mbedtls_gcm_finish mptls_own_gcm_finish
#define mbedtls_gcm_crypt_and_tag mptls_own_gcm_crypt_and_tag
#define mbedtls_gcm_auth_decrypt mptls_own_gcm_auth_decrypt
#define mbedtls_gcm_self_test mptls_own_gcm_self_test

#define mbedtls_chachapoly_context mptls_own_chachapoly_context
#define mbedtls_chachapoly_mode_t mptls_own_chachapoly_mode_t
#define MBEDTLS_CHACHAPOLY_ENCRYPT MPTLS_OWN_CHACHAPOLY_ENCRYPT
#define MBEDTLS_CHACHAPOLY_DECRYPT MPTLS_OWN_CHACHAPOLY_DECRYPT
#define mbedtls_chachapoly_init mptls_own_chachapoly_init
#define mbedtls_chachapoly_free mptls_own_chachapoly_free
#define mbedtls_chachapoly_setkey mptls_own_chachapoly_setkey
#define mbedtls_chachapoly_starts mptls_own_chachapoly_starts
#define mbedtls_chachapoly_update_aad mptls_own_chachapoly_update_aad
#define mbedtls_chachapoly_update mptls_own_chachapoly_update
#define mbedtls_chachapoly_finish mptls_own_chachapoly_finish
#define mbedtls_chachapoly_encrypt_and_tag mptls_own_chachapoly_encrypt_and_tag
#define mbedtls_chachapoly_auth_decrypt mptls_own_chachapoly_auth_decrypt
#define mbedtls_chachapoly_self_test mptls_own_chachapoly_self_test

#define mbedtls_ecdsa_can_do mptls_own_ecdsa_can_do
#define mbedtls_ecdsa_free mptls_own_ecdsa_free
#define mbedtls_ecdsa_from_keypair mptls_own_ecdsa_from_keypair
#define mbedtls_ecdsa_genkey mptls_own_ecdsa_genkey
#define mbedtls_ecdsa_init mptls_own_ecdsa_init
#define mbedtls_ecdsa_read_signature mptls_own_ecdsa_read_signature
#define mbedtls_ecdsa_read_signature_restartable                               \
    mptls_own_ecdsa_read_signature_restartable
#define mbedtls_ecdsa_sign mptls_own_ecdsa_sign
#define mbedtls_ecdsa_sign_det_ext mptls_own_ecdsa_sign_det_ext
#define mbedtls_ecdsa_sign_det_restartable mptls_own_ecdsa_sign_det_restartable
#define mbedtls_ecdsa_sign_restartable mptls_own_ecdsa_sign_restartable
#define mbedtls_ecdsa_verify mptls_own_ecdsa_verify
#define mbedtls_ecdsa_verify_restartable mptls_own_ecdsa_verify_restartable
#define mbedtls_ecdsa_write_signature mptls_own_ecdsa_write_signature
#define mbedtls_ecdsa_write_signature_restartable                              \
    mptls_own_ecdsa_write_signature_restartable

#define mbedtls_sha256_init mptls_own_sha256_init
#define mbedtls_sha256_free mptls_own_sha256_free
#define mbedtls_sha256_clone mptls_own_sha256_clone
#define mbedtls_sha256_starts mptls_own_sha256_starts
#define mbedtls_sha256_update mptls_own_sha256_update
#define mbedtls_sha256_finish mptls_own_sha256_finish
#define mbedtls_sha256 mptls_own_sha256
#define mbedtls_internal_sha256_process mptls_own_internal_sha256_process

#else
#undef ACCEL_OWN_NAMES

#undef mbedtls_gcm_context
#undef mbedtls_gcm_init
#undef mbedtls_gcm_free
#undef mbedtls_gcm_setkey
#undef mbedtls_gcm_starts
#undef mbedtls_gcm_update_ad
#undef mbedtls_gcm_update
#undef mbedtls_gcm_finish
#undef mbedtls_gcm_crypt_and_tag
#undef mbedtls_gcm_auth_decrypt
#undef mbedtls_gcm_self_test

#undef mbedtls_chachapoly_context
#undef mbedtls_chachapoly_mode_t
#undef MBEDTLS_CHACHAPOLY_ENCRYPT
#undef MBEDTLS_CHACHAPOLY_DECRYPT
#undef mbedtls_chachapoly_init
#undef mbedtls_chachapoly_free
#undef mbedtls_chachapoly_setkey
#undef mbedtls_chachapoly_starts
#undef mbedtls_chachapoly_update_aad
#undef mbedtls_chachapoly_update
#undef mbedtls_chachapoly_finish
#undef mbedtls_chachapoly_encrypt_and_tag
#undef mbedtls_chachapoly_auth_decrypt
#undef mbedtls_chachapoly_self_test

#undef mbedtls_ecdsa_can_do
#undef mbedtls_ecdsa_free
#undef mbedtls_ecdsa_from_keypair
#undef mbedtls_ecdsa_genkey
#undef mbedtls_ecdsa_init
#undef mbedtls_ecdsa_read_signature
#undef mbedtls_ecdsa_read_signature_restartable
#undef mbedtls_ecdsa_sign
#undef mbedtls_ecdsa_sign_det_ext
#undef mbedtls_ecdsa_sign_det_restartable
#undef mbedtls_ecdsa_sign_restartable
#undef mbedtls_ecdsa_verify
#undef mbedtls_ecdsa_verify_restartable
#undef mbedtls_ecdsa_write_signature
#undef mbedtls_ecdsa_write_signature_restartable

#undef mbedtls_sha256_init
#undef mbedtls_sha256_free
#undef mbedtls_sha256_clone
#undef mbedtls_sha256_starts
#undef mbedtls_sha256_update
#undef mbedtls_sha256_finish
#undef mbedtls_sha256
#undef mbedtls_internal_sha256_process

#endif
