"""--as: a device's hello and failures, beside those of the real firmware, and
the limits that no desktop has, against real servers."""
import functools
import json
import os
import re
import subprocess

import peers
from harness import Failed, Skipped, cert, same

HELLO = b"hello\n"
CERT_DER = cert("root.der")

# A client that says what it raises.
PROGRAM = """import socket, sys, tls
port, mode, ca, name = sys.argv[1:]
try:
    ctx = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    ctx.verify_mode = int(mode)
    if ca != "-":
        with open(ca, "rb") as f:
            ctx.load_verify_locations(f.read())
    s = socket.socket()
    s.connect(socket.getaddrinfo("127.0.0.1", int(port))[0][-1])
    s = ctx.wrap_socket(s, server_hostname=None if name == "-" else name)
    print("shaken")
except Exception as e:
    print(repr(e))
"""


@functools.lru_cache(maxsize=None)
def profile():
    """Of the firmware that is here."""
    out = subprocess.run(
        [peers.micropython(), "-c",
         "import sys; print(sys.implementation[1][:2])"],
        stdout=subprocess.PIPE, check=True).stdout.decode()
    version = tuple(map(int, re.findall(r"\d+", out)))
    for first, name in (((1, 29), "micropython-1.29"),
                        ((1, 24), "micropython-1.24"),
                        ((1, 23), "micropython-1.23"),
                        ((1, 22), "micropython-1.22")):
        if version >= first:
            return name
    raise Skipped("no profile for MicroPython %s" % out)


def board(test, port, mode=0, ca="-", name="localhost"):
    """What MicroPython prints: its exception, or that all went well."""
    p = test.spawn(peers.micropython(), test.file("client.py", PROGRAM), port,
                   mode, ca, name)
    p.end()
    p.wait()
    return p.out.all(test.left()).decode().strip()


def like_board(test, port, mode=0, ca="-", name="localhost", more=()):
    args = ["--cafile", ca] if ca != "-" else []
    return test.run_mptls(
        "connect", "127.0.0.1:%d" % port, "--as", profile(), "--verify",
        ("none", "optional", "required")[mode], "--server-hostname",
        "" if name == "-" else name, *args, *more)


def hello_of(test, listener):
    """The first record that a client sends, header and all."""
    s = test.accept(listener)
    data = b""
    while len(data) < 5 or len(data) < 5 + int.from_bytes(data[3:5], "big"):
        more = s.recv(4096)
        if more == b"":
            raise Failed("no whole hello but %r" % data)
        data += more
    s.close()
    return data


def parts(hello):
    """As a list, so that a difference shows which part it is in."""
    at = 5 + 4 + 2 + 32
    found = [("record", hello[:5]), ("header", hello[5:9]),
             ("version", hello[9:11])]
    for what, width in (("session id", 1), ("ciphers", 2), ("compression", 1),
                        ("extensions", 2)):
        n = int.from_bytes(hello[at:at + width], "big")
        body = hello[at + width:at + width + n]
        at += width + n
        if what != "extensions":
            found.append((what, body))
            continue
        while body:
            n = int.from_bytes(body[2:4], "big")
            found.append(("extension %d" % int.from_bytes(body[:2], "big"),
                          body[4:4 + n]))
            body = body[4 + n:]
    same("bytes after the hello", hello[at:], b"")
    return found


def hello(name, test):
    """But for the random bytes, they are the same, byte by byte."""
    peers.micropython()
    listener, port = test.listen()
    t = test.thread(hello_of, test, listener)
    board(test, port, name=name)
    theirs = parts(t.done())
    t = test.thread(hello_of, test, listener)
    p = like_board(test, port, name=name)
    ours = parts(t.done())
    p.done(24, "tls", -0x7280)
    same("the parts of the hello", [x[0] for x in ours],
         [x[0] for x in theirs])
    for mine, board_s in zip(ours, theirs):
        same(mine[0], mine[1].hex(), board_s[1].hex())


def openssl_pss(test):
    """A certificate that is signed by RSASSA-PSS."""
    key, crt = (os.path.join(test.dir, n) for n in ("key.pem", "crt.pem"))
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
         key, "-out", crt, "-days", "30", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-sigopt", "rsa_padding_mode:pss",
         "-sha256"], stderr=subprocess.PIPE, check=False)
    same("openssl req", made.returncode, 0)
    return test.spawn("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                      crt, "-key", key, "-naccept", 2, "-tls1_2", "-quiet")


def openssl(*options, name="server-ec256"):
    """Two clients' server, which sends all that the file has."""
    def start(test):
        crt, key = peers.pem(name)
        with open(crt, encoding="ascii") as f:
            rest = f.read().split("-----END CERTIFICATE-----\n", 1)[1]
        chain = ("-cert_chain", test.file("chain.pem", rest)) if rest else ()
        return test.spawn("openssl", "s_server", "-accept", "127.0.0.1:0",
                          "-cert", crt, "-key", key, "-naccept", 2, "-quiet",
                          *chain, *options)
    return start


# name, server, verify_mode, CA, name asked for, status, origin, code
FAILURES = (
    ("TLS 1.3 only", openssl("-tls1_3"), 0, "-", "localhost",
     22, "alert", 70),
    ("X25519 only", openssl("-groups", "X25519"), 0, "-", "localhost",
     22, "alert", 40),
    ("ChaCha20 only", openssl("-cipher", "CHACHA20"), 0, "-", "localhost",
     22, "alert", 40),
    ("the wrong CA", openssl(), 2, cert("other-root.der"), "localhost",
     30, "verify", 8),
    ("the wrong name", openssl(), 2, CERT_DER, "other.test",
     32, "verify", 4),
    ("expired", openssl(name="server-expired"), 2, CERT_DER, "localhost",
     31, "verify", 1),
    ("no CA", openssl(), 2, "-", "localhost", 30, "tls", -0x7680),
    ("RSA 1024", openssl("-cipher", "ALL:@SECLEVEL=0", name="server-rsa1024"),
     2, CERT_DER, "localhost", 34, "verify", 1 << 16),
    ("a SHA-1 signature",
     openssl("-cipher", "ALL:@SECLEVEL=0", name="server-sha1"), 2, CERT_DER,
     "localhost", 34, "verify", 1 << 14),
    ("PEM as cadata", openssl(), 2, cert("root.pem"), "localhost",
     3, "tls", -0x2180),
    ("RSASSA-PSS", openssl_pss, 0, "-", "localhost", 51, "device", -0x2300),
)


def failure(start, mode, ca, name, status, origin, code, test):
    """The report's line is what the real board raises."""
    if profile() == "micropython-1.29" and code == -0x2180:
        raise Skipped("MicroPython 1.29 reads PEM")
    server = start(test)
    port = peers.listening_port(server)
    # Of one argument MicroPython says (x,).
    theirs = re.sub(r",\)$", ")", board(test, port, mode, ca, name))
    p = like_board(test, port, mode, ca, name)
    p.end()
    report = p.done(status, origin, code)
    ours = report["error"]["micropython"]
    # A list of reasons has 256 bytes on the board, and the rest is cut.
    if len(theirs) < 200 or not ours.startswith(theirs[:200]):
        same("what the board raises", ours, theirs)


def success(start, ca, test):
    server = start(test)
    port = peers.listening_port(server)
    same("the board", board(test, port, 2, ca), "shaken")
    p = test.run_mptls("check", "127.0.0.1:%d" % port, "--as", profile(),
                       "--verify", "required", "--server-hostname",
                       "localhost", "--cafile", ca)
    rc = p.wait()
    report = json.loads(p.out.all(test.left()))
    same("status and error", (rc, report["error"]), (0, None))


def limited(start, wanted, args, test):
    """status, origin, code, finding, words."""
    status, origin, code, finding, words = wanted
    port = peers.listening_port(start(test))
    p = test.run_mptls("connect", "127.0.0.1:%d" % port, "--server-hostname",
                       "localhost", *args)
    p.end()
    report = p.done(status, origin, code)
    for word in words:
        if word not in report["error"]["text"]:
            raise Failed("%r is not in %r" % (word, report["error"]["text"]))
    if finding is not None:
        same("the finding", report["findings"][0]["name"], finding)


def gnutls(name):
    def start(test):
        crt, key = peers.pem(name)
        return test.spawn("gnutls-serv", "--port", 0, "--echo",
                          "--x509certfile", crt, "--x509keyfile", key,
                          "--disable-client-cert")
    return start


RSA4096 = ("--cafile", cert("root-rsa4096.der"))
TOO_BIG = (51, "device", -0x7100, "device-chain",
           ("the server's Certificate message is 4363 bytes",
            "input buffer holds 4096"))
LIMITS = (
    ("a chain over 4 KiB, OpenSSL", openssl(name="server-rsa4096"), TOO_BIG,
     ("--max-in-record", "4k", "--max-version", "1.2", *RSA4096)),
    ("a chain over 3 KiB, GnuTLS", gnutls("server-rsa4096"),
     (51, "device", -0x7100, "device-chain",
      ("the server's Certificate message is ", "input buffer holds 3072")),
     ("--max-in-record", "3k", "--max-version", "1.2", *RSA4096)),
    ("messages in several records",
     openssl("-max_send_frag", "512", name="server-rsa2048"),
     (51, "device", -0x7080, "device-spread",
      ("the device takes no message in several records",)),
     ("--as", "micropython-1.24")),
    ("a chain over zephyr's 1500 bytes",
     openssl("-cipher", "AES128-SHA:@SECLEVEL=0", name="server-rsa4096"),
     (51, "device", -0x7100, "device-chain", ("input buffer holds 1500",)),
     ("--as", "zephyr", *RSA4096)),
    ("out of heap, OpenSSL", openssl("-tls1_2"),
     (51, "device", -0x2700, "device-heap",
      ("out of heap: ", "after the server's Certificate")),
     ("--as", "micropython-1.24", "--heap-limit", "30k", "--verify",
      "required", "--cafile", CERT_DER)),
    ("out of heap, GnuTLS", gnutls("server-ec256"),
     (51, "device", None, "device-heap", ("out of heap: ",)),
     ("--as", "micropython-1.24", "--heap-limit", "28k", "--verify",
      "required", "--cafile", CERT_DER)),
    ("the clock at 2000", openssl(),
     (31, "verify", 512, "clock-early", ("is not valid yet",)),
     ("--as", "micropython-esp32", "--verify", "required", "--cafile",
      CERT_DER)),
    ("the clock at 1970, and dates ignored", openssl("-tls1_2"),
     (0, None, None, None, ()),
     ("--as", "esp-idf", "--verify", "required", "--cafile", CERT_DER)),
    ("RSA 4096", openssl(name="server-rsa4096"),
     (51, "device", -0x3000, "device-key", ("an RSA key of 4096 bits",)),
     ("--as", "arduino-esp32", "--verify", "required", *RSA4096)),
    ("RSA 4096, unverified", openssl(name="server-rsa4096"),
     (51, "device", -0x3000, "device-key", ("certificate 0 ",)),
     ("--as", "arduino-esp32", "--verify", "none")),
    ("an esp8266 and a server without RSA", openssl(),
     (22, "alert", 40, None, ()), ("--as", "micropython-esp8266")),
)


def of_axtls(test):
    """Its exceptions are other ones: an alert is a number."""
    port = peers.listening_port(openssl()(test))
    p = test.run_mptls("connect", "127.0.0.1:%d" % port, "--as",
                       "micropython-esp8266")
    p.end()
    report = p.done(22, "alert", 40)
    same("micropython", report["error"]["micropython"], "OSError(-40)")


def large_data(version, test):
    """What came before it is delivered; the record that is too large is not."""
    crt, key = peers.pem("server-rsa2048")
    server = test.spawn("openssl", "s_server", "-accept", "127.0.0.1:0",
                        "-cert", crt, "-key", key, "-naccept", 1, "-quiet",
                        "-no_ign_eof", version)
    port = peers.listening_port(server)
    p = test.connect(port, "--max-in-record", "4k").feed(HELLO)
    server.expect(HELLO)
    server.feed(b"y" * 3000)
    p.expect(b"y" * 3000)
    server.feed(b"z" * 8000)
    p.done(51, "device", out=b"y" * 3000)


def served_board(test):
    peers.micropython()
    p, port = test.serve("--as", "micropython-1.24", "--cert",
                         cert("server-ec256.der"), "--key",
                         cert("server-ec256-key.der"), "--allow-truncation",
                         name=None)
    same("the board", board(test, port, 2, CERT_DER), "shaken")
    p.end()
    r = p.done(0)
    same("the suite", r["tls"]["cipher"],
         "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")


def refused_client(options, code, test):
    p, port = test.serve("--as", "micropython-1.24", "--cert",
                         cert("server-ec256.der"), "--key",
                         cert("server-ec256-key.der"), name=None)
    c = peers.openssl_client(test, port, *options)
    c.end()
    p.end()
    p.done(21, "tls", code)
    if c.wait() == 0:
        raise Failed("the client is happy")


def tests():
    for name in ("localhost", "-", "127.0.0.1"):
        yield "the hello, server_hostname %s" % name, functools.partial(
            hello, name)
    for name, *row in FAILURES:
        yield "as MicroPython: " + name, functools.partial(failure, *row)
    yield "as MicroPython: RSA 4096", functools.partial(
        success, openssl("-tls1_2", name="server-rsa4096"),
        cert("root-rsa4096.der"))
    yield "as MicroPython: EC 384", functools.partial(
        success, openssl("-tls1_2", name="server-ec384"), CERT_DER)
    for name, *row in LIMITS:
        yield "limits: " + name, functools.partial(limited, *row)
    yield "axTLS has exceptions of its own", of_axtls
    for version in ("-tls1_2", "-tls1_3"):
        yield "a large record of data, " + version[1:], functools.partial(
            large_data, version)
    yield "serve --as, MicroPython", served_board
    yield "serve --as, TLS 1.3 only", functools.partial(
        refused_client, ("-tls1_3",), -0x6E00)
    yield "serve --as, X25519 only", functools.partial(
        refused_client, ("-groups", "X25519"), -0x6E00)
