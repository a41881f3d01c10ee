"""mptls explain: every form of a CODE, and what is said of it."""
import json

from harness import SCHEMA, Failed, each, test


def readings(t, *codes):
    """The JSON objects, each checked for its shape."""
    r = t.run("explain", "--json", "--", *codes)
    t.eq((r.status, r.err), (0, ""), "status and stderr")
    rows = [json.loads(line) for line in r.out.decode().splitlines()]
    for x in rows:
        t.eq(SCHEMA.shapes["Readings of a code"].differences(x, "a reading"),
             [], "what is not as the man page says")
        t.eq(x["v"], 1, "version of the format")
        if not x["name"] or not x["applies"] or x["given"] not in codes:
            raise Failed("not said what it is: %r" % x)
    return rows


def keys(rows):
    return [(x["origin"], x["code"]) for x in rows]


SSL = "MBEDTLS_ERR_SSL_"
BOTH = [("tls", -0x4300), ("tls", -0x10)]
HANDSHAKE = [("alert", 40)]

# name, CODE, its readings
CODES = [(repr(code), code, wanted) for code, wanted in (
    ("-0x2700", [("tls", -0x2700)]),
    ("-9984", [("tls", -0x2700)]),
    ("9984", [("tls", -0x2700)]),
    ("0x7780", [("tls", -0x7780)]),
    ("-17168", BOTH),
    ("MBEDTLS_ERR_RSA_PRIVATE_FAILED+MBEDTLS_ERR_MPI_ALLOC_FAILED", BOTH),
    ("-40", HANDSHAKE),
    ("OSError: -40", HANDSHAKE),
    ("alert 40", HANDSHAKE),
    ("handshake_failure", HANDSHAKE),
    ("40", [("alert", 40), ("exit", 40)]),
    ("MBEDTLS_ERR_SSL_CONN_EOF", [("tls", -0x7280)]),
    ("ssl_conn_eof", [("tls", -0x7280)]),
    ("OSError(-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')",
     [("tls", -0x7780)]),
    ("OSError: (-23936, 'MBEDTLS_ERR_UNKNOWN (0x5D80)')", [("tls", -0x5D80)]),
    ("OSError: 16", [("errno", 16), ("tls", -0x10)]),
    ("[Errno 104] ECONNRESET", [("errno", 104), ("tls", -0x68)]),
    ("113", [("alert", 113), ("errno", 113), ("newlib", 113)]),
    ("ECONNABORTED", [("errno", 103), ("newlib", 113)]),
    ("-2", [("axtls", -2), ("dns", -2), ("errno", 2), ("tls", -2)]),
    ("-202", [("dns", -202)]),
    ("-141", [("psa", -141)]),
    ("-256", [("axtls", -256)]),
    ("NO_CIPHER", [("axtls", -266)]),
    ("-0x7300", [("tls", -0x7300), ("tls2", -0x7300)]),
    ("SSL_DECODE_ERROR", [("tls", -0x7300)]),
    ("SSL_NO_CIPHER_CHOSEN", [("tls2", -0x7380)]),
    ("-0x7380", [("tls2", -0x7380)]),
    ("expired", [("flag", 1)]),
    ("name-mismatch", [("flag", 4)]),
    ("missing-intermediate", [("why", 8)]),
    ("No-Common-Cipher", [("why", 102)]),
    ("revoked", [("flag", 2)]),
    ("weak", [("why", 13)]),
    ("pin-mismatch", [("flag", 0x1000000)]),
    ("exit 30", [("exit", 30)]),
    ("truncated", [("exit", 40)]),
    ("ValueError: invalid key", [("value", 1)]),
    ("ValueError: \nThe certificate validity has expired\n\nThe certificate "
     "is not correctly signed by the trusted CA\n",
     [("flag", 8), ("flag", 1)]),
    ("1603010005010000010a", [("record", 22)]),
    ("16030100", [("record", 22)]),
    ("16030100...", [("record", 22)]),
    ("1603010005010000010a\u2026", [("record", 22)]),
    ("15 03 03 00 02 02 28", [("record", 21), ("alert", 40)]),
    ("48:54:54:50:2f:31:2e:31", [("plain", 1)]),
)]


@each(CODES)
def explain_reads(t, code, wanted):
    rows = readings(t, code)
    t.eq(keys(rows), wanted, "readings")


@test
def explain_tells_what_micropython_raises(t):
    x, = readings(t, "unknown_ca")
    t.eq((x["who"], x["code"]), ("peer", 48), "who and the alert")
    t.has(x["micropython"], "OSError(-30592, '" + SSL + "FATAL_ALERT_MESSAGE')",
          "OSError(-48) on an esp8266")
    x, = readings(t, "expired")
    t.has(x["micropython"], "The certificate validity has expired")
    x, = readings(t, "-0x7F00")
    t.eq(x["micropython"], "OSError(12)", "the exception")


@test
def explain_names_the_generations_of_mbedtls(t):
    new, old = readings(t, "-29440")
    t.has(new["numbers"], "-0x7300 = -29440", SSL + "UNKNOWN_CIPHER")
    t.has(old["numbers"], SSL + "DECODE_ERROR")
    t.has(readings(t, "SSL_ALLOC_FAILED")[0]["numbers"], "-141")
    for half in readings(t, "-17168"):
        t.has(half["numbers"], "-0x4310 = -17168", "no such sums")
        t.has(half["micropython"], "RSA_PRIVATE_FAILED+MBEDTLS_ERR_MPI_ALLOC")


@each([(name, name, psa) for name, psa in (
    ("SSL_ALLOC_FAILED", -141), ("X509_BUFFER_TOO_SMALL", -138),
    ("PK_BAD_INPUT_DATA", -135), ("ECP_VERIFY_FAILED", -149),
    ("GCM_AUTH_FAILED", -149), ("OID_NOT_FOUND", -134),
    ("ERROR_CORRUPTION_DETECTED", -151), ("SSL_CONN_EOF", None),
    ("X509_CERT_VERIFY_FAILED", None))])
def explain_gives_the_code_of_mbedtls_4(t, name, psa):
    x, = readings(t, name)
    t.eq("; in 4.x PSA_ERROR_" in x["numbers"], psa is not None, x["numbers"])
    if psa is not None:
        t.has(x["numbers"], ", %d" % psa)
        y = [r for r in readings(t, str(psa)) if r["origin"] == "psa"]
        t.eq(len(y), 1, "readings of %d for 4.x" % psa)
        t.has(x["numbers"], "in 4.x " + y[0]["name"])


@test
def explain_describes_records(t):
    x, = readings(t, "16 0301 00c5 01 0000c1 0303")
    t.has(x["name"], "handshake, ClientHello")
    t.has(x["what"], "0x0301 (TLS 1.0)", "197 bytes", "ClientHello has 193")
    x, = readings(t, "16030100")
    t.has(x["what"], "0x0301 (TLS 1.0); the rest of its header is cut off.")
    x, _ = readings(t, "15030300020228")
    t.has(x["what"], "fatal")
    x, = readings(t, b"HTTP/1.1 400".hex())
    t.has(x["what"], '"HTTP/1.1 400"')


@test
def explain_says_the_same_in_text_within_the_terminal(t):
    codes = [code for _, code, _ in CODES]
    r = t.run("explain", *codes)
    t.eq((r.status, r.err), (0, ""), "status and stderr")
    text = r.out.decode()
    for line in text.splitlines():
        if line.startswith(" ") and (len(line) > 79 and " " in line.strip()):
            raise Failed("a long line: %r" % line)
    flat = " ".join(text.split())
    for x in readings(t, *codes):
        for word in ("what", "board", "server", "step"):
            t.has(flat, x[word] or "")
    t.has(flat, "likely causes 1. No cipher suite in common. 2. ")


@test
def explain_lets_no_code_drive_the_terminal(t):
    r = t.run("explain", "ValueError: \x1b[31m\ninvalid key")
    t.eq(r.status, 0, "status")
    t.eq(r.out.count(b"\x1b"), 0, "escapes")


BAD = [(repr(code), code) for code in
       ("bogus", "", " ", "99999", "-99999999999999999999", "0xZZ", "alert",
        "alert 200", "exit 99", "OSError", "1234567890", "160301", "-", "+",
        "MBEDTLS_ERR_", "SSL_CONN_EOF+", "-40x")]


@each(BAD)
def explain_refuses(t, code):
    r = t.run("explain", "-40", "--", code)
    t.eq((r.status, r.out), (2, b""), "status and stdout")
    t.has(r.err, "mptls: '%s' is no known CODE" % code, "'alert 40'",
          "try 'mptls explain --help'")


@test
def explain_wants_a_code(t):
    r = t.run("explain")
    t.eq((r.status, r.out), (2, b""), "status and stdout")
    t.has(r.err, "explain wants a CODE")


@test
def explain_takes_any_number_of_codes(t):
    t.eq(len(readings(t, *["-0x7280"] * 500)), 500, "readings")
