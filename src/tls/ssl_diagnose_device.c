#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tls/ssl_diagnose.h"
#include "tls/ssl_hello.h"

/* What there is to say of the peer's chain. */
struct chain {
    char text[SSL_TEXT_MAX]; /* each certificate's key and size */
    size_t unneeded;         /* bytes that a client does without */
    bool rsa;                /* one has such a key */
};

static void look_at(const struct ssl_info *info, struct chain *chain) {
    char list[SSL_TEXT_MAX - 80] = "";
    size_t bytes = 0;
    *chain = (struct chain){ .unneeded = 0 };
    for (size_t i = 0; i < info->sent_count; i++) {
        const struct ssl_cert_info *c = &info->sent[i];
        bool needless = info->anchored && !c->needed;
        char one[96];
        snprintf(one, sizeof one, "%s%s %zu bytes%s", i == 0 ? "" : ", ",
                 c->key, c->der_len, needless ? " (not needed)" : "");
        text_append(list, sizeof list, one, strlen(one));
        bytes += c->der_len;
        chain->unneeded += needless ? c->der_len : 0;
        chain->rsa |= strncmp(c->key, "RSA", 3) == 0;
    }
    snprintf(chain->text, sizeof chain->text,
             "the chain is %zu bytes in %zu certificate%s: %s", bytes,
             info->sent_count, info->sent_count == 1 ? "" : "s", list);
}

static const char as_a_whole[] =
    "a message of %zu bytes must fit the device's buffer of %zu as a whole, in "
    "however many records it comes";

static void larger_buffer(const struct ssl_overrun *over, char *buf,
                          size_t len) {
    snprintf(buf, len,
             "--max-in-record %zu: a firmware with a larger input buffer",
             over->bytes);
}

/* Their chain makes a record or message too large. What came of it may not be
 * enough to see a certificate. */
static void diagnose_their_chain(const struct ssl_overrun *over,
                                 struct ssl_info *info) {
    char here[SSL_NAME_MAX];
    struct chain chain;
    look_at(info, &chain);
    const char *there = "a chain with fewer or smaller certificates";
    if (chain.unneeded > 0) {
        there = chain.rsa ? "leave out what is not needed, and take P-256 in "
                            "place of RSA"
                          : "leave out what is not needed";
    } else if (chain.rsa) {
        there = "take P-256 in place of RSA, which saves 500 to 700 bytes a "
                "certificate";
    }
    larger_buffer(over, here, sizeof here);
    if (info->sent_count == 0) {
        ssl_diagnose_add(info, "device-chain", here, there, as_a_whole,
                         over->bytes, over->limit);
    } else {
        ssl_diagnose_add(info, "device-chain", here, there, "%s", chain.text);
    }
}

/* Another message: smaller records do not help. */
static void diagnose_message(const struct ssl_overrun *over,
                             struct ssl_info *info) {
    char here[SSL_NAME_MAX];
    larger_buffer(over, here, sizeof here);
    ssl_diagnose_add(
        info, "device-message", here,
        over->type == SSL_MSG_CLIENT_HELLO
            ? "fewer key shares: one of a post-quantum group has 1.2 kB"
        : over->type == SSL_MSG_CERTIFICATE_REQUEST ? "name fewer CAs in it"
        : over->type == SSL_MSG_NEW_SESSION_TICKET  ? "no tickets, or smaller"
                                                    : NULL,
        as_a_whole, over->bytes, over->limit);
}

static void diagnose_record(const struct ssl_overrun *over,
                            struct ssl_info *info) {
    char here[SSL_NAME_MAX], there[SSL_NAME_MAX];
    if (info->max_fragment_length == 0 && over->limit >= 512 &&
        !info->server_side) {
        snprintf(here, sizeof here,
                 "--max-fragment-length %d asks the server for smaller ones; "
                 "or a firmware with a larger input buffer",
                 over->limit >= 4096   ? 4096
                 : over->limit >= 2048 ? 2048
                 : over->limit >= 1024 ? 1024
                                       : 512);
    } else {
        larger_buffer(over, here, sizeof here);
    }
    snprintf(there, sizeof there,
             "send at most %zu bytes at a time, or honour "
             "max_fragment_length (RFC 6066 4)",
             over->limit);
    ssl_diagnose_add(info, "device-record", here, there,
                     "the peer's largest record had %zu bytes, and the "
                     "device's buffer has %zu; %s",
                     over->bytes, over->limit,
                     info->max_fragment_length != 0
                         ? "max_fragment_length was agreed on"
                         : "max_fragment_length was not agreed on");
}

static void diagnose_heap(const struct ssl_heap_account *a,
                          struct ssl_info *info) {
    char here[SSL_NAME_MAX];
    size_t wanted = a->refused_at + a->refused;
    if (a->limit.bytes == 0 || wanted <= a->limit.bytes) {
        return; /* it was made to fail */
    }
    snprintf(here, sizeof here,
             "--heap-limit %zu gets past this step; smaller record buffers "
             "save the most, --max-in-record and --max-out-record",
             wanted);
    ssl_diagnose_add(info, "device-heap", here,
                     "a shorter chain, and P-256 in place of RSA",
                     "%zu bytes of the heap were in use, of which the context "
                     "has %zu, and %zu at once were wanted",
                     a->refused_at, a->beside, a->refused);
}

/* Which of the chain's certificates it is that is too much. */
static void diagnose_key(const struct ssl_verify *v, struct ssl_info *info) {
    struct chain chain;
    look_at(info, &chain);
    bool pss = v->device.code == MBEDTLS_ERR_X509_INVALID_ALG;
    ssl_diagnose_add(info, "device-key",
                     pss ? "a firmware with MBEDTLS_X509_RSASSA_PSS_SUPPORT"
                         : "a firmware that computes with such keys in "
                           "software (ESP-IDF: "
                           "CONFIG_MBEDTLS_LARGE_KEY_SOFTWARE_MPI)",
                     pss ? "a certificate signed by RSA PKCS#1 or ECDSA"
                         : "a chain with P-256 or RSA 2048 keys, up to its "
                           "root",
                     "%s", chain.text);
}

static void diagnose(const struct ssl_overrun *over, const struct ssl_verify *v,
                     const struct ssl_heap_account *heap,
                     struct ssl_info *info) {
    switch (over->what) {
    case SSL_OVER_RECORD:
        if (info->sent_count > 0 && over->record == MBEDTLS_SSL_MSG_HANDSHAKE) {
            diagnose_their_chain(over, info);
        } else {
            diagnose_record(over, info);
        }
        break;
    case SSL_OVER_MESSAGE:
        if (over->type == SSL_MSG_CERTIFICATE) {
            diagnose_their_chain(over, info);
        } else {
            diagnose_message(over, info);
        }
        break;
    case SSL_OVER_SPREAD:
        ssl_diagnose_add(info, "device-spread",
                         "a firmware with Mbed TLS 3.6.3 or later",
                         "send each handshake message in one record",
                         "a handshake message comes in several records (RFC "
                         "8446 5.1), which the device does not join");
        break;
    case SSL_OVER_OUT:
        ssl_diagnose_add(info, "device-output",
                         "a shorter chain of ours, or one with EC keys", NULL,
                         "a message of ours has %zu bytes, and must fit into "
                         "one record",
                         over->bytes);
        break;
    default:
        if (v->device.origin != ERR_NONE) {
            diagnose_key(v, info);
        } else if (heap != NULL && heap->refused != 0) {
            diagnose_heap(heap, info);
        }
        break;
    }
}

/* It is why, whatever else was found of the chain. */
void ssl_diagnose_device(const struct ssl_overrun *over,
                         const struct ssl_verify *v,
                         const struct ssl_heap_account *heap,
                         struct ssl_info *info) {
    bool any = over->what != SSL_OVER_NOT || v->device.origin != ERR_NONE ||
               (heap != NULL && heap->refused != 0);
    if (any && info->finding_count == SSL_FINDINGS_MAX) {
        info->finding_count--;
    }
    size_t before = info->finding_count;
    diagnose(over, v, heap, info);
    if (info->finding_count > before) {
        struct ssl_finding why = info->findings[before];
        memmove(&info->findings[1], &info->findings[0],
                before * sizeof info->findings[0]);
        info->findings[0] = why;
    }
}
