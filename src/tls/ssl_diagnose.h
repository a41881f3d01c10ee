/*
 * ssl_diagnose.h - beyond the code and the flags: why is it so, and what is the
 * smallest change that mends it?
 *
 * Each answer is a struct ssl_finding in a struct ssl_info, the likeliest
 * first. Nothing here changes a verdict.
 */
#ifndef TLS_SSL_DIAGNOSE_H
#define TLS_SSL_DIAGNOSE_H

#include "tls/ssl_context.h"
#include "tls/ssl_verify.h"

/**
 * Look at a chain as it was sent: what is wrong with it or with what we trust,
 * and which certificates it could do without. Fills info->sent with its
 * `needed` and `flags`, info->anchored and info->findings.
 *
 * Names of findings, in the order in which they are looked for:
 *
 *   clock-early, clock-late   nothing but the time is wrong: by how much, and
 *                             when the chain is valid
 *   wrong-order               the first certificate is not the leaf
 *   address-as-name           an address is there, but written as a DNS name
 *   name-only-in-cn           the name is there, but as common name only
 *   name-mismatch             neither: the names that would match
 *   self-signed               the leaf is its own issuer, and not trusted
 *   ca-is-leaf                what we trust is the peer's own, CA-signed
 *                             certificate, or no CA's
 *   ca-other-key              what we trust has the issuer's name, another key
 *   path-too-long             a CA's pathLenConstraint
 *   issuer-not-ca             what signed a certificate is sent, and no CA's
 *   issuer-other-key          a certificate with the issuer's name was sent,
 *                             and has another key
 *   missing-intermediate      the issuer was not sent and is not trusted; with
 *                             the AIA URL if it has one
 *   unknown-root              the chain leads to a root that is not trusted;
 *                             where it was not sent, a guess: what a CA lacks
 *                             is a root, what a leaf lacks an intermediate,
 *                             unless it is named root
 *   wrong-purpose             keyUsage or extKeyUsage, and what it is for
 *   weak                      which key or hash, and what would do
 *   revoked, crl              by which CRL; what is wrong with the CRL
 *   pin-mismatch              the pin that would match
 *   wrong-order               one of the path stands before what it signed,
 *                             which Mbed TLS does not mind
 *   unnecessary               certificates that a client does without, with
 *                             their bytes; also where all is well
 *   cadata-many, cadata-pem   a board wants one certificate in DER as cadata:
 *                             the command that converts it; where all is well
 *
 * @param sent   in the order sent; NULL: none came
 * @param ctx    the context that judged it; its ca_source is asked
 * @param v      what the verification found; `called` may be false
 * @param flags  all flags
 * @param info   its findings are added to
 */
void ssl_diagnose_chain(const mbedtls_x509_crt *sent, struct ssl_context *ctx,
                        const struct ssl_verify *v, uint32_t flags,
                        struct ssl_info *info);

/**
 * What this context offers or takes: what Mbed TLS would send or accept.
 *
 * @param asked  the name that the client asks a server for, "": none
 * @param offer  overwritten; a server's ciphers are those its certificates for
 *               this name can be used with
 */
void ssl_diagnose_ours(const struct ssl_context *ctx, const char *asked,
                       struct ssl_offer *offer);

/**
 * Lay two offers side by side and say what they lack in common. Adds a finding
 * for each of these that is so:
 *
 *   no-common-version, no-common-cipher, no-common-group, no-common-sig-alg
 *   cipher-wants-other-key    the suites in common want a certificate of the
 *                             other type (RSA, EC)
 *   no-common-alpn            of application protocols
 *   no-server-name            we sent none, and the server may need it; only
 *                             where nothing else was found
 *
 * It goes as a negotiation does: by the highest version in common, which the
 * server takes, and what that one needs. Of a server only what is listed is
 * known: a list of its that is empty says nothing.
 *
 * `here` and `there` are the smallest change on either end: an option of
 * mptls's here ("--max-version 1.3"), words there; "nothing: ..." where there
 * is none, and why.
 *
 * @param info  ours, theirs and server_side are read; theirs may be unknown
 * @return how many findings were added
 */
size_t ssl_diagnose_offers(const struct ssl_context *ctx,
                           struct ssl_info *info);

/**
 * Why the device that is played could not go on: which of its limits, and what
 * would keep within it. To be called after ssl_diagnose_chain(). Findings:
 *
 *   device-chain   the peer's chain does not fit the input buffer: each
 *                  certificate's key and size
 *   device-message another message of theirs does not, in whatever records
 *   device-record  a record does not
 *   device-spread  a message came in several records
 *   device-output  a message of ours does not fit the output buffer
 *   device-heap    an allocation would have gone over the limit
 *   device-key     it cannot read a certificate, or compute with its key
 *
 * @param over  how a limit of the wire was passed, if one was
 * @param v     what the verification found
 * @param heap  NULL: not counted
 * @param info  sent and max_fragment_length are read
 */
void ssl_diagnose_device(const struct ssl_overrun *over,
                         const struct ssl_verify *v,
                         const struct ssl_heap_account *heap,
                         struct ssl_info *info);

/**
 * Add a finding, unless there are SSL_FINDINGS_MAX or one of this name.
 *
 * @param name   static
 * @param here, there  the changes; NULL: none
 * @return the finding, or NULL
 */
struct ssl_finding *ssl_diagnose_add(struct ssl_info *info, const char *name,
                                     const char *here, const char *there,
                                     const char *fmt, ...) ERR_PRINTF(5, 6);

#endif
