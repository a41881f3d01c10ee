#include "accel/accel.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "accel/dl.h"
#include "accel/ipsec_mb.h"
#include "accel/nettle.h"
#include "base/cpu.h"

static struct {
    void *handle;     /* NULL: not opened */
    const char *lack; /* why there is none; NULL: not known */
    char name[48];    /* with its version */
    uint64_t seen;    /* bytes, until it is set up */
    bool ready;       /* `functions` are there */
    struct ipsec_mb functions;
} lib;

/* The layout of IMB_MGR is that of the header: of this version, and no other
 * is known to have the same. */
static void open_library(void) {
    if (!cpu_has_aes()) {
        lib.lack = "this CPU has no AES instructions";
        return;
    }
    snprintf(lib.name, sizeof lib.name, "libIPSec_MB.so.%d",
             IMB_VERSION_NUM >> 16);
    lib.handle = dlopen(lib.name, RTLD_NOW | RTLD_LOCAL);
    if (lib.handle == NULL) {
        lib.lack = "libipsec-mb is not installed";
        return;
    }
    unsigned (*number)(void);
    const char *(*text)(void);
    if (!dl_find(lib.handle, "imb_get_version", &number) ||
        !dl_find(lib.handle, "imb_get_version_str", &text) ||
        number() >> 8 != IMB_VERSION_NUM >> 8) {
        lib.lack = "libipsec-mb is not the version that mptls was built with";
        dlclose(lib.handle);
        lib.handle = NULL;
        return;
    }
    snprintf(lib.name, sizeof lib.name, "libipsec-mb %s", text());
}

const char *accel_library(void) {
    if (lib.handle == NULL && lib.lack == NULL) {
        open_library();
    }
    return lib.lack == NULL ? lib.name : NULL;
}

const char *accel_lack(void) {
    return accel_library() == NULL ? lib.lack : NULL;
}

void accel_disable(const char *why) {
    lib.lack = why;
    lib.ready = false;
    nettle_disable(why);
}

void accel_anew(void) {
    lib.seen = 0;
    lib.ready = false;
}

static void copy_functions(const IMB_MGR *m) {
    lib.functions = (struct ipsec_mb){
        .gcm_pre = { m->gcm128_pre, m->gcm192_pre, m->gcm256_pre },
        .gcm_encrypt = { m->gcm128_enc, m->gcm192_enc, m->gcm256_enc },
        .gcm_decrypt = { m->gcm128_dec, m->gcm192_dec, m->gcm256_dec },
        .chacha_init = m->chacha20_poly1305_init,
        .chacha_encrypt = m->chacha20_poly1305_enc_update,
        .chacha_decrypt = m->chacha20_poly1305_dec_update,
        .chacha_finish = m->chacha20_poly1305_finalize,
    };
}

/* Its manager, of 200 KB, chooses the functions for this CPU and tests them;
 * they do not need it. */
static void set_up(void) {
    IMB_MGR *(*new)(uint64_t);
    void (*init)(IMB_MGR *, IMB_ARCH *);
    void (*delete)(IMB_MGR *);
    IMB_MGR *m = NULL;
    if (!dl_find(lib.handle, "alloc_mb_mgr", &new) ||
        !dl_find(lib.handle, "init_mb_mgr_auto", &init) ||
        !dl_find(lib.handle, "free_mb_mgr", &delete) || (m = new (0)) == NULL) {
        lib.lack = "libipsec-mb cannot be set up";
        return;
    }
    IMB_ARCH arch;
    init(m, &arch);
    uint64_t need =
        IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SELF_TEST_PASS;
    if ((m->features & need) == need) {
        copy_functions(m);
        lib.ready = true;
    } else {
        lib.lack = "libipsec-mb fails its self-test on this CPU";
    }
    delete (m);
}

const struct ipsec_mb *ipsec_mb_for(size_t bytes) {
    if (!lib.ready && lib.lack == NULL) {
        lib.seen += bytes;
        if (lib.seen >= ACCEL_AFTER && accel_library() != NULL) {
            set_up();
        }
    }
    return lib.ready ? &lib.functions : NULL;
}

bool ipsec_mb_takes(const void *in, const void *out, size_t len) {
    uintptr_t a = (uintptr_t)in, b = (uintptr_t)out;
    return a == b || (a < b ? b - a : a - b) >= len;
}

const char *accel_by(const char *suite) {
    bool ours =
        (strstr(suite, "AES") != NULL && strstr(suite, "GCM") != NULL) ||
        strstr(suite, "CHACHA20") != NULL;
    return ours && lib.ready ? lib.name : "Mbed TLS";
}
