"""--keylog: the same secrets as the other end logs (RFC 9850)."""
import functools
import os
import stat

import peers
from harness import VERSIONS, Failed, same

HELLO, WORLD = b"hello\n", b"world\n"


def only(version):
    return "--min-version", version, "--max-version", version


def lines(path):
    with open(path, encoding="ascii") as f:
        return {line.lower() for line in f if not line.startswith("#")}


def same_secrets(ours, theirs):
    """Mbed TLS does not export the exporter's."""
    theirs = {x for x in lines(theirs) if not x.startswith("exporter_")}
    if not theirs:
        raise Failed("the peer logged nothing")
    same("the secrets", lines(ours), theirs)


def connect(version, test):
    """The file is made for its owner only, and appended to."""
    ours, theirs = (os.path.join(test.dir, x) for x in ("ours", "theirs"))
    for seen in (1, 2):
        port = peers.openssl_rev(test, "-keylogfile", theirs)
        p = test.connect(port, "--keylog", ours, *only(version))
        p.feed(HELLO, end=True).done(version=version)
        same_secrets(ours, theirs)
        same("connections", len({x.split()[1] for x in lines(ours)}), seen)
    same("mode", stat.S_IMODE(os.stat(ours).st_mode), 0o600)


def serve(version, test):
    ours, theirs = (os.path.join(test.dir, x) for x in ("ours", "theirs"))
    s, port = test.serve("--keylog", ours, *only(version))
    client = peers.openssl_client(test, port, "-keylogfile", theirs)
    client.feed(HELLO)
    s.expect(HELLO)
    s.feed(WORLD, end=True)
    client.feed(b"", end=True)
    s.done(version=version, out=HELLO)
    same_secrets(ours, theirs)


def tests():
    part = functools.partial
    for v in VERSIONS:
        yield "connect, TLS " + v, part(connect, v)
        yield "serve, TLS " + v, part(serve, v)
