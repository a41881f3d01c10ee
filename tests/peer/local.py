"""Local ends: serve on a path, and ports of connect --listen."""
import functools
import hashlib
import os
import random
import signal
import socket

import peers
from harness import VERSIONS, cert, listening_port, same
from modes import CLIENTS, MEGABYTES_10

EVENT = rb'"event":"listening","address":"unix:'


def on_path(test, version, *args):
    path = os.path.join(test.dir, "s")
    p = test.run_mptls(
        "serve", "unix:" + path, "--cert", cert("server-ec256.pem"), "--key",
        cert("server-ec256-key.pem"), "--min-version", version,
        "--max-version", version, *args)
    p.err.wait_for(EVENT, test.left())
    return p, path


def path_openssl(version, test):
    s, path = on_path(test, version, "--echo")
    c = test.spawn("openssl", "s_client", "-unix", path, "-CAfile",
                   peers.ROOT_CA, "-verify_return_error", "-verify_hostname",
                   "localhost", "-servername", "localhost", "-quiet",
                   "-no_ign_eof").feed(b"hello\n")
    c.expect(b"hello\n")
    c.end()
    same("the client's status", c.wait(), 0)
    r = finished(s)
    same("its peer", r["peer"], "unix:" + path)
    same("the path is there", os.path.exists(path), False)


def path_curl(version, test):
    s, path = on_path(test, version, "--http")
    c = test.spawn("curl", "--silent", "--show-error", "--fail", "--cacert",
                   peers.ROOT_CA, "--unix-socket", path, "https://localhost/")
    same("curl's status", c.wait(), 0)
    same("the page has the version",
         ("TLSv" + version).encode() in c.out.all(test.left()), True)
    finished(s, (0, 40))


def finished(s, status=0):
    rc = s.wait()
    r = s.reports()[-1]
    same("exit status (%s)" % r["error"], rc, status)
    return r


def tunnel(test, target, *args):
    """One to a port of this machine, and its own port."""
    p = test.run_mptls(
        "connect", "--listen", "127.0.0.1:0", "--cadata", cert("root.der"),
        "--server-hostname", "localhost", "127.0.0.1:%d" % target, *args)
    return p, p.listening()


def stopped(p, statuses):
    """The tunnel goes on until it is told; how its connections ended."""
    p.p.send_signal(signal.SIGINT)
    same("exit status", p.wait(), 130)
    found = p.reports()
    same("the connections' status", [r["status"] for r in found],
         statuses + [130])
    return found


def openssl_www(test):
    return listening_port(peers.openssl_server(test, "-www"))


def gnutls_http(test):
    crt, key = peers.pem("server-ec256")
    return listening_port(test.spawn(
        "gnutls-serv", "--port", 0, "--http", "--disable-client-cert",
        "--x509certfile", crt, "--x509keyfile", key))


def mptls_http(test):
    return test.serve("--http")[1]


def curl_through(start, word, test):
    """curl without TLS has a page of a server with TLS."""
    p, port = tunnel(test, start(test), "--allow-truncation")
    c = test.spawn("curl", "--silent", "--show-error", "--fail", "--noproxy",
                   "*", "--header", "Connection: close",
                   "http://%s:%d/" % (peers.LOCALHOST, port))
    same("curl's status", c.wait(), 0)
    same("the page has " + word,
         word.encode() in c.out.all(test.left()), True)
    stopped(p, [0])


def word_through(start, test):
    p, port = tunnel(test, start(test), "--allow-truncation")
    with test.dial(port) as s:
        s.sendall(b"hello\n")
        same("what came back", s.recv(100), b"hello\n")
        s.shutdown(socket.SHUT_WR)
        same("the end", s.recv(100), b"")
    stopped(p, [0])


def drain(sock, digest):
    total = 0
    while True:
        data = sock.recv(65536)
        if not data:
            return total
        digest.update(data)
        total += len(data)


def bulk_through(version, test):
    """10 MB both ways at once."""
    _, there = test.serve("--echo", "--keep-open", "--max-version", version)
    p, port = tunnel(test, there)
    data = random.Random(7).randbytes(MEGABYTES_10)
    got = hashlib.sha256()
    with test.dial(port) as s:
        reader = test.thread(drain, s, got)
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        same("bytes that came back", reader.done(), len(data))
    same("their digest", got.digest(), hashlib.sha256(data).digest())
    r = stopped(p, [0])[0]
    same("version", r["tls"]["version"], "TLSv" + version)
    same("bytes", (r["bytes"]["in"], r["bytes"]["out"]),
         (len(data), len(data)))


def both_ends(start, test):
    """A tool with TLS, serve --forward, connect --listen, serve --echo."""
    _, echo = test.serve("--echo", "--keep-open")
    _, near = tunnel(test, echo)
    s, port = test.serve("--forward", "127.0.0.1:%d" % near)
    c = start(test, port).feed(b"hello\n")
    c.expect(b"hello\n")
    c.end()
    same("the client's status", c.wait(), 0)
    finished(s)


def tests():
    part = functools.partial
    for v in VERSIONS:
        yield ("openssl s_client -unix, TLS " + v, part(path_openssl, v))
        yield ("curl --unix-socket, TLS " + v, part(path_curl, v))
        yield ("10 MB through connect --listen, TLS " + v,
               part(bulk_through, v))
    for name, start, word in (
            ("openssl s_server -www", openssl_www, "s_server"),
            ("gnutls-serv --http", gnutls_http, "GnuTLS"),
            ("serve --http", mptls_http, "TLSv1.3")):
        yield ("curl through connect --listen to " + name,
               part(curl_through, start, word))
    yield ("a word through connect --listen to gnutls-serv",
           part(word_through, peers.gnutls_server))
    for name, start in CLIENTS:
        yield ("%s, serve --forward and connect --listen" % name,
               part(both_ends, start))
