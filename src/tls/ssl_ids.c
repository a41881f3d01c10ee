#include <stddef.h>
#include <string.h>

#include "tls/ssl_info.h"

bool ssl_ids_has(const struct ssl_ids *ids, unsigned id) {
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->id[i] == id) {
            return true;
        }
    }
    return false;
}

void ssl_ids_put(struct ssl_ids *ids, unsigned id) {
    if (ids->n < SSL_IDS_MAX) {
        ids->id[ids->n++] = (uint16_t)id;
    }
}

void ssl_ids_add(struct ssl_ids *ids, unsigned id) {
    if (!ssl_ids_has(ids, id)) {
        ssl_ids_put(ids, id);
    }
}

void ssl_info_clear(struct ssl_info *info) {
    memset(info, 0, offsetof(struct ssl_info, certs));
}
