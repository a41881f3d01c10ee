"""--trace and -vv: what they show of a connection, and that it is true."""
import json
import re

from harness import Failed, each, test

LINE = re.compile(r"^mptls: trace: +(\d+)\.(\d{3}) ms (->|<-) (\w+)(\*?), "
                  r"(\d+) bytes?(?: in (\d+) records)?(?:: (.*))?$")
CLIENT_13 = [("->", "ClientHello", ""), ("<-", "ServerHello", ""),
             ("<-", "EncryptedExtensions", "*"), ("<-", "Certificate", "*"),
             ("<-", "CertificateVerify", "*"), ("<-", "Finished", "*"),
             ("->", "Finished", "*"), ("->", "application_data", "*"),
             ("->", "alert", "*"),
             ("<-", "application_data", "*"), ("<-", "alert", "*")]
CLIENT_12 = [("->", "ClientHello", ""), ("<-", "ServerHello", ""),
             ("<-", "Certificate", ""), ("<-", "ServerKeyExchange", ""),
             ("<-", "ServerHelloDone", ""), ("->", "ClientKeyExchange", ""),
             ("->", "Finished", "*"), ("<-", "Finished", "*"),
             ("->", "application_data", "*"), ("->", "alert", "*"),
             ("<-", "application_data", "*"), ("<-", "alert", "*")]


def traced(text):
    """(direction, name, star) of each line, in time's order."""
    found, last = [], -1
    for line in text.splitlines():
        if not line.startswith("mptls: trace: "):
            continue
        m = LINE.match(line)
        if m is None:
            raise Failed("a trace line is %r" % line)
        at = int(m.group(1)) * 1000 + int(m.group(2))
        if at < last:
            raise Failed("time runs backwards at %r" % line)
        last = at
        found.append((m.group(3), m.group(4), m.group(5)))
    return found


def spoken(t, *args, version="1.3", **kw):
    server = t.serve("--max-version", version, stdin=b"back")
    c = t.connect(server, "--max-version", version, *args, stdin=b"there",
                  **kw).wait()
    t.ok(c, b"back")
    t.ok(server.wait(), b"there")
    return c


@each([("TLS 1.2", "1.2", CLIENT_12), ("TLS 1.3", "1.3", CLIENT_13)])
def trace_shows_every_message(t, version, wanted):
    c = spoken(t, "--trace", version=version)
    got = [x for x in traced(c.err) if x[1] != "change_cipher_spec"]
    # Which of our own and the peer's data comes first is chance.
    hello = len([x for x in wanted if x[1] not in
                 ("application_data", "alert")])
    t.eq(got[:hello], wanted[:hello], "the handshake")
    t.eq(sorted(got[hello:]), sorted(wanted[hello:]), "what came after it")
    t.has(c.err, "1 certificate of ", "ecdsa_secp256r1_sha256", "TLSv" +
          version)


@test
def trace_on_the_servers_side(t):
    server = t.serve("--trace", stdin=b"x")
    t.ok(t.connect(server).wait(), b"x")
    s = t.ok(server.wait())
    got = traced(s.err)
    t.eq(got[0], ("<-", "ClientHello", ""), "the first message")
    t.eq(("->", "CertificateVerify", "*") in got, True, "its signature")


@test
def trace_in_hex_has_the_bytes(t):
    c = spoken(t, "--trace=hex", version="1.2")
    m = re.search(r"-> ClientHello, (\d+) bytes.*\n((?:mptls: trace:   "
                  r"[0-9a-f]{4} (?: [0-9a-f]{2})+\n)+)", c.err)
    t.eq(m is not None, True, "a dump of the ClientHello")
    data = bytes.fromhex("".join(
        line.split(None, 3)[3] for line in m.group(2).splitlines()))
    t.eq(len(data), int(m.group(1)), "bytes in hex")
    t.eq(data[:1], b"\x01", "the message's type")


@test
def trace_as_json_events(t):
    server = t.serve(stdin=b"x")
    c = t.ok(t.connect(server, "--trace=hex", "--json").wait(), b"x")
    server.wait()
    events = [json.loads(line) for line in c.lines]
    t.eq(events.pop()["event"], "connection", "the last event")
    t.eq({e["event"] for e in events}, {"message"}, "the others")
    first = events[0]
    t.eq((first["direction"], first["message"], first["encrypted"],
          first["records"]), ("out", "ClientHello", False, 1), "the first")
    t.eq(len(bytes.fromhex(first["hex"])), first["bytes"], "bytes in hex")
    t.has(first["text"], "TLSv1.3", "groups ")
    names = [e["message"] for e in events]
    t.eq("CertificateVerify" in names, True, "CertificateVerify in it")
    server = t.serve(stdin=b"x")
    c = t.ok(t.connect(server, "--trace", "--json").wait(), b"x")
    t.eq({json.loads(line).get("hex") for line in c.lines}, {None}, "hex")


@test
def trace_shows_a_failure_to_its_end(t):
    server = t.serve(name="server-expired")
    c = t.connect(server, "--trace").wait()
    t.bad(c, 31, "verify", 1)
    got = traced(c.err)
    t.eq(got[-1][:2], ("->", "alert"), "the last message")
    t.has(c.err, "certificate_expired (45)")
    server.wait()


@test
def trace_wants_hex_or_nothing(t):
    t.usage(["connect", "--trace=all", "localhost:1"], "--trace=all",
            command="connect")


@test
def twice_verbose_has_what_mbedtls_says(t):
    c = spoken(t, "-v")
    t.eq("mptls: mbedtls " in c.err, False, "Mbed TLS's words with -v")
    c = spoken(t, "-vv")
    t.has(c.err, "mptls: mbedtls 2: ", "handshake")
    t.eq("mptls: mbedtls 4: " in c.err, False, "its bytes with -vv")
    c = spoken(t, "-vvv")
    t.has(c.err, "mptls: mbedtls 4: ")


@test
def a_reason_is_the_same_however_much_is_said(t):
    texts = set()
    for words in ([], ["-v"], ["-vv"], ["-vvv"], ["--trace"]):
        server = t.serve("--max-version", "1.2", "--ciphers",
                         "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
        c = t.connect(server, "--max-version", "1.2", "--ciphers",
                      "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", *words).wait()
        t.bad(c, 22, "alert", 40)
        s = server.wait()
        t.bad(s, 21, "tls", -0x6E00)
        texts.add((c.error["text"], s.error["text"]))
    t.eq(len(texts), 1, "the number of different messages")
