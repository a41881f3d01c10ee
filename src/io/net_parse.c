#include "io/net.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int net_bad(const char *text, const char *why, struct err *err) {
    return err_set(err, ERR_USAGE, 0, "'%.110s': %s", text, why);
}

/* @return NULL, or what is wrong with it */
static const char *net_host_fault(const char *host, size_t len) {
    if (len > NET_HOST_MAX) {
        return "the host is over 255 bytes long";
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)host[i];
        if (c <= ' ' || c == 0x7f) {
            return "a space or control character in the host";
        }
        if (strchr("[]/", c) != NULL) {
            return "not a host name or address";
        }
    }
    return NULL;
}

static bool net_port_ok(const char *port, long least) {
    size_t len = strlen(port);
    if (len == 0 || len > 5 || strspn(port, "0123456789") != len) {
        return false;
    }
    long n = strtol(port, NULL, 10);
    return n >= least && n <= 65535;
}

static int net_parse(const char *text, bool listening, struct net_target *out,
                     struct err *err) {
    out->path[0] = '\0';
    const char *host = text;
    const char *end = strchr(text, ':');
    if (strstr(text, "://") != NULL) {
        return net_bad(text, "a URL, where HOST:PORT is wanted", err);
    }
    if (text[0] == '[') {
        host = text + 1;
        end = strchr(host, ']');
        if (end == NULL || end == host || end[1] != ':' ||
            memchr(host, ':', (size_t)(end - host)) == NULL) {
            return net_bad(text, "not an IPv6 address as in [::1]:443", err);
        }
    } else if (end != NULL && strchr(end + 1, ':') != NULL) {
        return net_bad(text, "an IPv6 address needs brackets: [::1]:443", err);
    }
    if (end == NULL && !listening) {
        return net_bad(text, "no port; HOST:PORT is wanted", err);
    }
    size_t len = end != NULL ? (size_t)(end - host) : 0;
    if (len == 0 && !listening) {
        return net_bad(text, "no host; HOST:PORT is wanted", err);
    }
    const char *fault = net_host_fault(host, len);
    if (fault != NULL) {
        return net_bad(text, fault, err);
    }
    const char *port = end == NULL ? text : strchr(end, ':') + 1;
    if (!net_port_ok(port, listening ? 0 : 1)) {
        return net_bad(text,
                       listening ? "[ADDR:]PORT is wanted, PORT 0 to 65535"
                                 : "the port is not a number from 1 to 65535",
                       err);
    }
    memcpy(out->host, host, len);
    out->host[len] = '\0';
    snprintf(out->port, sizeof out->port, "%.5s", port);
    return 0;
}

int net_parse_target(const char *text, struct net_target *out,
                     struct err *err) {
    return net_parse(text, false, out, err);
}

int net_parse_listen(const char *text, struct net_target *out,
                     struct err *err) {
    static const char prefix[] = "unix:";
    const char *path = text + sizeof prefix - 1;
    if (strncmp(text, prefix, sizeof prefix - 1) == 0) {
        out->host[0] = out->port[0] = '\0';
        if (path[0] == '\0' || strlen(path) >= sizeof out->path) {
            return net_bad(text, "a path of 1 to 107 bytes is wanted", err);
        }
        snprintf(out->path, sizeof out->path, "%s", path);
        return 0;
    }
    return net_parse(text, true, out, err);
}
