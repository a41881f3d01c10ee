#include "tls/ssl_alert.h"

#include <stddef.h>

static const struct alert {
    int number;
    bool certificate;
    const char *name;
} alerts[] = {
    { 0, false, "close_notify" },
    { 10, false, "unexpected_message" },
    { 20, false, "bad_record_mac" },
    { 21, false, "decryption_failed" },
    { 22, false, "record_overflow" },
    { 30, false, "decompression_failure" },
    { 40, false, "handshake_failure" },
    { 41, true, "no_certificate" },
    { 42, true, "bad_certificate" },
    { 43, true, "unsupported_certificate" },
    { 44, true, "certificate_revoked" },
    { 45, true, "certificate_expired" },
    { 46, true, "certificate_unknown" },
    { 47, false, "illegal_parameter" },
    { 48, true, "unknown_ca" },
    { 49, true, "access_denied" },
    { 50, false, "decode_error" },
    { 51, false, "decrypt_error" },
    { 60, false, "export_restriction" },
    { 70, false, "protocol_version" },
    { 71, false, "insufficient_security" },
    { 80, false, "internal_error" },
    { 86, false, "inappropriate_fallback" },
    { 90, false, "user_canceled" },
    { 100, false, "no_renegotiation" },
    { 109, false, "missing_extension" },
    { 110, false, "unsupported_extension" },
    { 111, false, "certificate_unobtainable" },
    { 112, false, "unrecognized_name" },
    { 113, false, "bad_certificate_status_response" },
    { 114, false, "bad_certificate_hash_value" },
    { 115, false, "unknown_psk_identity" },
    { 116, true, "certificate_required" },
    { 120, false, "no_application_protocol" },
    { 121, false, "ech_required" },
};

static const struct alert *find(int number) {
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        if (alerts[i].number == number) {
            return &alerts[i];
        }
    }
    return NULL;
}

const char *ssl_alert_name(int alert) {
    const struct alert *a = find(alert);
    return a != NULL ? a->name : "unknown";
}

bool ssl_alert_is_about_certificate(int alert) {
    const struct alert *a = find(alert);
    return a != NULL && a->certificate;
}
