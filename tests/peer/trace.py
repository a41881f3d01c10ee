"""--trace beside what openssl -msg shows of the same connection."""
import functools
import re

import peers
from harness import VERSIONS, Failed, same

THEIRS = re.compile(rb"^(<<<|>>>) [^,]*, (?:Handshake|Alert) "
                    rb"\[length ([0-9a-f]+)\], (.*)$", re.M)
# openssl does not show a ChangeCipherSpec that it receives.
UNSHOWN = ("application_data", "change_cipher_spec")
# A Finished of TLS 1.2 stays sealed to us, with what follows it.
SEALED = {"Finished", "alert"}


def seen_by_openssl(text):
    """(to the server?, name, bytes): <<< is what openssl received."""
    found = []
    for arrow, length, name in THEIRS.findall(text):
        name = name.decode()
        if name.split()[0] in ("warning", "fatal"):
            name = "alert"
        found.append((arrow == b"<<<", name, int(length, 16)))
    return found


def seen_by_us(text):
    found = []
    for arrow, name, length in re.findall(
            r"trace: .* ms (->|<-) (\w+)\*?, (\d+) bytes?", text):
        if name not in UNSHOWN:
            found.append((arrow == "->", name, int(length)))
    return found


def same_messages(ours, theirs, tls12):
    """Direction by direction, for only within one is there an order."""
    for out in (True, False):
        mine, other = ([x[1:] for x in rows if x[0] == out]
                       for rows in (ours, theirs))
        if tls12:
            mine, other = ([(n, None if n in SEALED else size)
                            for n, size in rows] for rows in (mine, other))
        same("messages %s" % ("sent" if out else "received"), mine, other)
        if len(mine) < 2:
            raise Failed("only %r" % mine)


def only(version):
    return ("--min-version", version, "--max-version", version)


def quiet_end(p):
    """What --trace said, once the connection has ended well."""
    same("exit status", p.wait(), 0)
    return p.err.all(p.test.left()).decode()


def connect(version, name, options, ours, test):
    s = peers.openssl_server(test, "-msg", *options, name=name)
    port = peers.listening_port(s)
    p = test.start(type(s), [
        test.mptls, "connect", "127.0.0.1:%d" % port, "--cafile",
        peers.ROOT_CA, *only(version), "--trace", *ours], env=test.env)
    p.feed(b"", end=True)
    text = quiet_end(p)
    s.wait()
    same_messages(seen_by_us(text), seen_by_openssl(
        bytes(s.out.all(test.left()))), version == "1.2")


CASES = (
    ("EC", "server-ec256", (), ()),
    ("RSA", "server-rsa2048", (), ()),
    ("P-384", "server-ec384", ("-groups", "P-384"), ()),
    ("a small chain in small records", "server-ec256",
     ("-max_send_frag", "512"), ()),
    ("a client certificate", "server-ec256", ("-Verify", "1"),
     ("--cert", peers.cert("client-ec256.pem"),
      "--key", peers.cert("client-ec256-key.pem"))),
)


def tests():
    part = functools.partial
    for v in VERSIONS:
        for name, cert, options, ours in CASES:
            yield "connect, TLS %s, %s" % (v, name), part(
                connect, v, cert, options, ours)
