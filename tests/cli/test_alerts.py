"""Each alert that a server can refuse with: the same cause in the text, in the
report and from `mptls explain`, on connect and check."""
import json
import threading

from harness import DEADLINE, Failed, cert, each, test

# number, name (RFC 8446 6 and what is older), exit status without a
# certificate of ours
ALERTS = [
    (10, "unexpected_message", 22), (20, "bad_record_mac", 22),
    (21, "decryption_failed", 22), (22, "record_overflow", 22),
    (30, "decompression_failure", 22), (40, "handshake_failure", 22),
    (41, "no_certificate", 37), (42, "bad_certificate", 22),
    (43, "unsupported_certificate", 22), (44, "certificate_revoked", 22),
    (45, "certificate_expired", 22), (46, "certificate_unknown", 22),
    (47, "illegal_parameter", 22), (48, "unknown_ca", 22),
    (49, "access_denied", 22), (50, "decode_error", 22),
    (51, "decrypt_error", 22), (60, "export_restriction", 22),
    (70, "protocol_version", 22), (71, "insufficient_security", 22),
    (80, "internal_error", 22), (86, "inappropriate_fallback", 22),
    (90, "user_canceled", 22), (100, "no_renegotiation", 22),
    (109, "missing_extension", 22), (110, "unsupported_extension", 22),
    (111, "certificate_unobtainable", 22), (112, "unrecognized_name", 22),
    (113, "bad_certificate_status_response", 22),
    (114, "bad_certificate_hash_value", 22),
    (115, "unknown_psk_identity", 22), (116, "certificate_required", 37),
    (120, "no_application_protocol", 22), (121, "ech_required", 22),
]
OURS = ("--cert", cert("client-ec256.pem"),
        "--key", cert("client-ec256-key.pem"))
ABOUT_OURS = {41, 42, 43, 44, 45, 46, 48, 49, 116}


def refuse(t, number):
    """A port that answers each ClientHello with this alert."""
    listener = t.listener()

    def run():
        while True:
            try:
                c = listener.accept()[0]
            except OSError:
                return
            with c:
                c.settimeout(DEADLINE)
                c.recv(65536)
                c.sendall(bytes((21, 3, 3, 0, 2, 2, number)))
                while c.recv(65536):
                    pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return "127.0.0.1:%d" % listener.getsockname()[1]


def flat(text):
    """Lines of a report in text, with what was wrapped in one."""
    words = []
    for line in text.splitlines():
        words += line.replace("mptls:", "", 1).split()
    return " ".join(words)


@each([("%d %s" % row[:2], *row) for row in ALERTS])
def an_alert_is_explained(t, number, name, status):
    address = refuse(t, number)
    explained = t.run("explain", "--json", "alert %d" % number)
    (reading,) = [json.loads(x) for x in explained.out.splitlines()]
    for command in ("connect", "check"):
        r = t.run(command, "--cafile", cert("root.pem"), address)
        t.bad(r, status, "alert", number, name, out=r.out)
        cause = r.error["cause"]
        t.eq((cause["name"], cause["who"]), (name, "peer"), "name and who")
        if not cause["what"] or not cause["causes"]:
            raise Failed("nothing is said: %r" % cause)
        if cause["what"] != reading["what"] and number != 40:
            raise Failed("%r, but explain has %r"
                         % (cause["what"], reading["what"]))
        t.has(flat(r.err), "why: " + cause["what"], cause["board"],
              "alert %d" % number, "more: mptls explain " + name)
        t.eq(r.error["micropython"],
             "OSError(-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')",
             "what MicroPython raises")


@test
def an_alert_about_our_certificate_is_a_class_of_its_own(t):
    for number, name, _ in ALERTS:
        r = t.run("connect", "--cafile", cert("root.pem"), *OURS,
                  refuse(t, number))
        t.bad(r, 37 if number in ABOUT_OURS else 22, "alert", number, name)


@test
def an_alert_that_nobody_knows_is_told_by_its_number(t):
    r = t.run("connect", "--cafile", cert("root.pem"), refuse(t, 200))
    t.bad(r, 22, "alert", 200, "unknown (200)")
