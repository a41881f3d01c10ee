"""The other ends: each tool as a server and as a client, and Python's own."""
import os
import shutil
import socket
import ssl
import threading
import time

from harness import (CERTS, HERE, ROOT, Failed, Skipped, cert, listening_port,
                     need)

ROOT_CA = cert("root.pem")
LOCALHOST = "127.0.0.1"


# Python's ssl, in this process.

def server_context(name="server-ec256"):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(cert(name + ".pem"), cert(name + "-key.pem"))
    return ctx


def client_context():
    return ssl.create_default_context(cafile=ROOT_CA)


def accept_tls(test, listener, ctx=None):
    raw = test.accept(listener)
    return test.keep((ctx or server_context()).wrap_socket(
        raw, server_side=True, suppress_ragged_eofs=False))


def dial_tls(test, port, ctx=None):
    return test.keep((ctx or client_context()).wrap_socket(
        test.dial(port), server_hostname="localhost",
        suppress_ragged_eofs=False))


def read_to_end(sock, sink=None):
    """What comes until close_notify; without one an ssl.SSLEOFError."""
    got = bytearray()
    while True:
        try:
            data = sock.recv(65536)
        except ssl.SSLZeroReturnError:
            data = b""
        if not data:
            return bytes(got)
        if sink:
            sink(data)
        else:
            got += data


def half_close(sock):
    """Send close_notify, and go on reading."""
    limit = sock.gettimeout()
    sock.settimeout(0)
    try:
        sock.unwrap()
    except ssl.SSLWantReadError:
        pass
    sock.settimeout(limit)


def answer(test, listener, reply=None, delay=0.0, ctx=None):
    """One client: read to its end, answer after `delay` (None: echo)."""
    with accept_tls(test, listener, ctx) as sock:
        got = read_to_end(sock)
        time.sleep(delay)  # the slowness is what is tested
        sock.sendall(got if reply is None else reply)
        sock.unwrap()
        return got


class Lane(threading.Thread):
    """One direction of a Relay."""

    def __init__(self, relay, src, dst):
        super().__init__(daemon=True)
        self.test, self.relay = relay.test, relay
        self.src, self.dst, self.most = src, dst, relay.most
        self.total = 0
        self.changed = threading.Condition()

    def run(self):
        try:
            while True:
                data = self.src.recv(65536)
                self.relay.seen.append((self, data))
                for i in range(0, len(data), self.most):
                    self.dst.sendall(data[i:i + self.most])
                with self.changed:
                    self.total += len(data)
                    self.changed.notify_all()
                if not data:
                    break
            self.dst.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def wait_past(self, total):
        with self.changed:
            if not self.changed.wait_for(lambda: self.total > total,
                                         self.test.left()):
                raise Failed("waited in vain for another byte on the wire")


class Relay:
    """A TCP relay for one client: what passes can be waited for, and cut.

    seen: what passed, in order, as (lane, bytes); no bytes for an end.
    """

    def __init__(self, test, port, most=65536):
        self.test = test
        self.target, self.most = port, most
        self.listener, self.port = test.listen()
        self.ready = threading.Event()
        self.lanes = None
        self.seen = []
        test.thread(self._accept)

    def _accept(self):
        a = self.test.accept(self.listener)
        b = self.test.dial(self.target)
        self.lanes = Lane(self, a, b), Lane(self, b, a)
        for lane in self.lanes:
            lane.start()
        self.ready.set()

    @property
    def up(self):
        """What the client sends."""
        if not self.ready.wait(self.test.left()):
            raise Failed("no client comes to the relay")
        return self.lanes[0]


# Servers: each returns the port to connect to. They echo.

def pem(name):
    return cert(name + ".pem"), cert(name + "-key.pem")


def openssl_server(test, *options, name="server-ec256"):
    """Reverses lines, rather than echoing them."""
    crt, key = pem(name)
    return test.spawn("openssl", "s_server", "-accept", LOCALHOST + ":0",
                      "-cert", crt, "-key", key, "-naccept", 1, *options)


def openssl_rev(test, *options, **more):
    return listening_port(openssl_server(test, "-rev", *options, **more))


def openssl_quiet(test):
    return openssl_server(test, "-quiet", "-no_ign_eof")


def gnutls_server(test, *options):
    """Knows no address to listen on but all."""
    crt, key = pem("server-ec256")
    return listening_port(test.spawn(
        "gnutls-serv", "--port", 0, "--echo", "--x509certfile", crt,
        "--x509keyfile", key, *(options or ["--disable-client-cert"])))


def socat_server(test, command="EXEC:cat", wait="0.5"):
    crt, key = pem("server-ec256")
    return listening_port(test.spawn(
        "socat", "-t", wait, "OPENSSL-LISTEN:0,bind=%s,cert=%s,key=%s,"
        "verify=0" % (LOCALHOST, crt, key), command))


def ncat_server(test):
    crt, key = pem("server-ec256")
    return test.spawn("ncat", "--listen", LOCALHOST, 0, "--ssl", "--ssl-cert",
                      crt, "--ssl-key", key)


def stunnel_conf(test, *lines):
    return test.file("stunnel.conf", "\n".join(
        ("foreground = yes", "pid =", "syslog = no") + lines) + "\n")


def stunnel_server(test):
    crt, key = pem("server-ec256")
    return listening_port(test.spawn("stunnel", stunnel_conf(
        test, "[s]", "accept = %s:0" % LOCALHOST, "exec = " + need("cat"),
        "cert = " + crt, "key = " + key)))


def python_server(test):
    listener, port = test.listen()
    test.thread(answer, test, listener)
    return port


def micropython():
    places = (os.environ.get("MICROPYTHON"), "micropython",
              os.path.join(ROOT, "build/deps/bin/micropython"),
              os.path.join(ROOT, "build/deps/micropython/bin/micropython"))
    for place in places:
        path = place and shutil.which(place)
        if path:
            return path
    raise Skipped("no micropython")


def micropython_server(test, *options):
    p = test.spawn(micropython(), os.path.join(HERE, "mp_server.py"),
                   cert("server-ec256.der"), cert("server-ec256-key.der"),
                   *options)
    return int(p.expect(rb"(\d+)\r?\n").group(1))


# Clients: each is a process with stdin and stdout.

def openssl_client(test, port, *options):
    return test.spawn(
        "openssl", "s_client", "-connect", "%s:%d" % (LOCALHOST, port),
        "-CAfile", ROOT_CA, "-verify_return_error", "-verify_hostname",
        "localhost", "-servername", "localhost", "-quiet", "-no_ign_eof",
        *options)


def gnutls_client(test, port, *options):
    return test.spawn(
        "gnutls-cli", LOCALHOST, "--port", port, "--x509cafile", ROOT_CA,
        "--sni-hostname", "localhost", "--verify-hostname", "localhost",
        "--logfile", os.devnull, *options)


def socat_client(test, port):
    return test.spawn("socat", "-", "OPENSSL:%s:%d,cafile=%s,commonname="
                      "localhost" % (LOCALHOST, port, ROOT_CA))


def ncat_client(test, port):
    return test.spawn(
        "ncat", "--ssl-verify", "--ssl-trustfile", ROOT_CA,
        "--ssl-servername", "localhost", LOCALHOST, port)


def stunnel_client(test, port):
    return test.spawn("stunnel", stunnel_conf(
        test, "client = yes", "connect = %s:%d" % (LOCALHOST, port),
        "CAfile = " + ROOT_CA, "verifyChain = yes", "checkHost = localhost"))


def curl_client(test, port):
    return test.spawn(
        "curl", "--silent", "--show-error", "--noproxy", "*", "--cacert",
        ROOT_CA, "https://%s:%d/" % (LOCALHOST, port))


def micropython_client(test, port, ca=os.path.join(CERTS, "root.der")):
    return test.spawn(
        micropython(), os.path.join(HERE, "mp_client.py"), LOCALHOST, port, ca,
        "localhost", "30")
