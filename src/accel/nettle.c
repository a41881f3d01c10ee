#include "accel/nettle.h"

#include <stdbool.h>
#include <stdio.h>

#include "accel/accel.h"
#include "accel/dl.h"
#include "base/wipe.h"

/* nettle_get_secp_256r1() */
typedef const struct ecc_curve *get_curve(void);
/* nettle_ecc_ecdsa_verify_itch() and _sign_itch(): limbs of scratch */
typedef long itch(const struct ecc_curve *curve);
/* nettle_version_major() and _minor(), of libnettle */
typedef int number(void);

#if __has_include(<nettle/ecdsa.h>)
#include <nettle/curve25519.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/sha2.h>
#include <nettle/version.h>
#define IS(name, type)                                                         \
    _Static_assert(_Generic(&(name), type * : 1, default : 0),                 \
                   #name " is declared otherwise")
IS(nettle_get_secp_256r1, get_curve);
IS(nettle_ecc_ecdsa_verify_itch, itch);
IS(nettle_ecc_ecdsa_verify, nettle_verify);
IS(nettle_ecc_ecdsa_sign_itch, itch);
IS(nettle_ecc_ecdsa_sign, nettle_sign);
IS(nettle_curve25519_mul_g, nettle_mul_g);
IS(nettle_version_minor, number);
#define SAME(member)                                                           \
    _Static_assert(offsetof(struct nettle_sha256, member) ==                   \
                       offsetof(struct sha256_ctx, member),                    \
                   "struct sha256_ctx has another " #member)
SAME(state);
SAME(count);
SAME(index);
SAME(block);
_Static_assert(sizeof(struct nettle_sha256) == sizeof(struct sha256_ctx),
               "struct sha256_ctx has another size");
#endif

/* mp_set_memory_functions() of GMP; NULL for its own */
typedef void set_memory(void *(*get)(size_t),
                        void *(*resize)(void *, size_t, size_t),
                        void (*release)(void *, size_t));

static struct {
    void *handle;     /* NULL: not opened */
    const char *lack; /* why there is none; NULL: not known */
    struct nettle functions;
    char name[24]; /* with its version */
    bool used;
} lib;

/* @return whether it is one that we take; lib.name is then set */
static bool is_right(void *handle) {
    number *major, *minor;
    const int *bits;
    if (!dl_find(handle, "nettle_version_major", &major) ||
        !dl_find(handle, "nettle_version_minor", &minor) ||
        !dl_find(handle, "__gmp_bits_per_limb", &bits)) {
        return false;
    }
    snprintf(lib.name, sizeof lib.name, "Nettle %d.%d", major(), minor());
    return major() == NETTLE_MAJOR && minor() >= NETTLE_MINOR_MIN &&
           *bits == 8 * (int)sizeof(nettle_limb);
}

static bool find_all(void *handle, struct nettle *f) {
    get_curve *curve;
    itch *to_verify, *to_sign;
    set_memory *memory;
    if (!dl_find(handle, "nettle_get_secp_256r1", &curve) ||
        !dl_find(handle, "nettle_ecc_ecdsa_verify_itch", &to_verify) ||
        !dl_find(handle, "nettle_ecc_ecdsa_verify", &f->verify) ||
        !dl_find(handle, "nettle_ecc_ecdsa_sign_itch", &to_sign) ||
        !dl_find(handle, "nettle_ecc_ecdsa_sign", &f->sign) ||
        !dl_find(handle, "nettle_curve25519_mul_g", &f->mul_g) ||
        !dl_find(handle, "nettle_sha256_update", &f->sha256) ||
        !dl_find(handle, "__gmp_set_memory_functions", &memory)) {
        return false;
    }
    f->p256 = curve();
    memory(NULL, NULL, wipe_free);
    return to_verify(f->p256) <= NETTLE_SCRATCH &&
           to_sign(f->p256) <= NETTLE_SCRATCH;
}

static void open_library(void) {
    /* Lazily: few of GMP's functions are called, and to bind them all is a
     * thirtieth of what a connection takes. */
    void *handle = dlopen(NETTLE_HOGWEED, RTLD_LAZY | RTLD_LOCAL);
    if (handle == NULL) {
        lib.lack = "libhogweed is not installed";
    } else if (is_right(handle) && find_all(handle, &lib.functions)) {
        lib.handle = handle;
        struct nettle_sha256 any = { .count = 0 };
        lib.functions.sha256(&any, sizeof any.block, any.block);
        nettle_wipe_stack();
    } else {
        lib.lack = "libhogweed is not of Nettle 3.8 or later";
        dlclose(handle);
    }
}

void nettle_wipe_stack(void) {
    unsigned char below[8192];
    wipe(below, sizeof below);
}

const char *accel_nettle_library(void) {
    if (lib.handle == NULL && lib.lack == NULL) {
        open_library();
    }
    return lib.lack == NULL ? lib.name : NULL;
}

const char *accel_nettle_lack(void) {
    return accel_nettle_library() == NULL ? lib.lack : NULL;
}

void accel_nettle_release(void) {
    if (lib.handle != NULL) {
        dlclose(lib.handle);
        lib.handle = NULL;
    }
}

void accel_nettle_use(bool use) {
    lib.used = use;
}

const struct nettle *nettle_open(void) {
    return lib.used && accel_nettle_library() != NULL ? &lib.functions : NULL;
}

const struct nettle *nettle_opened(void) {
    return lib.used && lib.handle != NULL && lib.lack == NULL ? &lib.functions
                                                              : NULL;
}

void nettle_disable(const char *why) {
    lib.lack = why;
}
