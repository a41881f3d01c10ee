"""Bulk: a pipe, a client, a server, a pipe; and what the machine can do.

The clock and the processors' are read when the first block has come out at
the other end, and again when the last has: neither start-up nor handshake is
in the figures. The bytes come from memory and go to nowhere without a copy.
"""
import os
import shutil
import socket
import subprocess
import threading
import time

import load
import peers
from measure import KTLS, OURS, PLAIN, Goal, Row, in_turn, processor
from peers import CERT, KEY, ROOT

FIRST = 1 << 16
WINDOW = 1 << 20
SUITES = (  # name, title, version, OpenSSL's name of it, GnuTLS's
    ("default", "default suite", "1.3", None, None),
    ("tls12", "TLS 1.2", "1.2", None, None),
    ("aes256", "AES-256-GCM", "1.3", "TLS_AES_256_GCM_SHA384", "AES-256-GCM"),
    ("chacha", "ChaCha20-Poly1305", "1.3", "TLS_CHACHA20_POLY1305_SHA256",
     "CHACHA20-POLY1305"))
TOOLS = (OURS, PLAIN, "openssl", "socat", "ncat", "gnutls", "stunnel")
NOTE = ("gnutls is gnutls-cli and s_server, and stunnel's server ends in TCP; "
        "by default mptls takes AES-128-GCM first, and OpenSSL and GnuTLS "
        "AES-256-GCM")
OPENSSL_CONF = """openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
MinProtocol = TLSv{version}
MaxProtocol = TLSv{version}
{suites}
"""


class Flow:
    """A client and a server that are processes; the server's output, as a
    descriptor."""
    tool = None

    def __init__(self, programs, how):
        self.programs, self.how = programs, how
        self.version, self.suite = how["version"], how["suite"]
        self.folder = load.folder()
        self.parts, self.helpers = [], []
        self.env = dict(os.environ, OPENSSL_CONF=peers.conf(
            self.folder, OPENSSL_CONF.format(
                version=self.version, suites="Ciphersuites = " + self.suite
                if self.suite else "")))
        if self.tool == PLAIN:
            self.env.update(MPTLS_ACCEL="none")
        try:
            self.start()
        except BaseException:
            self.end()
            raise

    def launch(self, tool, *args, **how):
        part = load.Process([self.programs[tool], *args], env=self.env, **how)
        self.parts.append(part)
        return part

    def serve(self, tool, *args):
        """Its standard output is what comes."""
        server = self.launch(tool, *args, stdout=subprocess.PIPE,
                             stdin=subprocess.PIPE)
        self.out = server.p.stdout.fileno()
        return server

    def connect(self, tool, *args, **how):
        client = self.launch(tool, *args, stdin=subprocess.PIPE, **how)
        self.into = client.p.stdin.fileno()
        return client

    def end(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        for part in self.parts + self.helpers:
            part.end()
            for pipe in (part.p.stdin, part.p.stdout):
                if pipe:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        pass

    def died(self):
        return " ".join(load.read(part.errors)[:200] for part in self.parts)


class Mptls(Flow):
    tool = OURS
    options = []

    def start(self):
        v = ["--min-version", self.version, "--max-version", self.version,
             *self.options]
        if self.suite:
            v += ["--ciphers", self.suite]
        record = []
        if self.how.get("record"):
            if not self.programs.takes("connect", "--max-out-record"):
                raise load.Failed("it has no --max-out-record")
            record = ["--max-out-record", self.how["record"]]
        server = self.serve(self.tool, "serve", "127.0.0.1:0", "--cert", CERT,
                            "--key", KEY, *v)
        port = load.wait_until("mptls to listen", lambda: peers.told(server))
        self.connect(self.tool, "connect", "127.0.0.1:%d" % port, "--cafile",
                     ROOT, "--server-hostname", "localhost", *v, *record)


class Ktls(Mptls):
    """The kernel's code."""
    tool = KTLS
    options = ["--ktls"]


def kernel_tls():
    """As in_turn() wants it."""
    ulp = 31
    with socket.create_server(("127.0.0.1", 0)) as s, \
            socket.create_connection(s.getsockname()) as c:
        try:
            c.setsockopt(socket.IPPROTO_TCP, ulp, b"tls")
        except OSError:
            return KTLS, "this kernel has no TLS"
    return KTLS


class Plain(Mptls):
    """Mbed TLS's own code."""
    tool = PLAIN


class Openssl(Flow):
    def start(self):
        server = self.serve("openssl", "s_server", "-accept", "127.0.0.1:0",
                            "-quiet", "-cert", CERT, "-key", KEY)
        extra = []
        if self.how.get("record"):
            extra = ["-max_send_frag", self.how["record"]]
        self.connect("openssl", "s_client", "-quiet", "-CAfile", ROOT,
                     "-verify_return_error", *extra, "-connect",
                     "127.0.0.1:%d" % server.listening_port())


class Socat(Flow):
    def start(self):
        server = self.serve(
            "socat", "-b131072", "-u", "OPENSSL-LISTEN:0,bind=127.0.0.1,"
            "cert=%s,key=%s,verify=0" % (CERT, KEY), "-")
        self.connect(
            "socat", "-b%d" % (self.how.get("record") or 131072), "-u", "-",
            "OPENSSL:127.0.0.1:%d,cafile=%s,commonname=localhost" % (
                server.listening_port(), ROOT))


class Ncat(Flow):
    def start(self):
        port = peers.free_port()
        server = self.serve("ncat", "--recv-only", "--ssl", "--ssl-cert",
                            CERT, "--ssl-key", KEY, "-l", "127.0.0.1", port)
        server.listening_port()
        self.connect("ncat", "--send-only", "--ssl-verify", "--ssl-trustfile",
                     ROOT, "--ssl-servername", "localhost", "127.0.0.1", port)


class Gnutls(Flow):
    """gnutls-serv cannot take bulk: it answers lines. So its client alone."""

    def start(self):
        priority = "NORMAL:-VERS-ALL:+VERS-TLS" + self.version
        if self.suite:
            priority += ":-CIPHER-ALL:+" + self.how["gnutls"]
        server = self.serve("openssl", "s_server", "-accept", "127.0.0.1:0",
                            "-quiet", "-cert", CERT, "-key", KEY)
        self.connect(
            "gnutls-cli", "--logfile=/dev/null", "--x509cafile=" + ROOT,
            "--verify-hostname=localhost", "--priority", priority,
            "--port=%d" % server.listening_port(), "127.0.0.1")


class Stunnel(Flow):
    """A server of stunnel's can only connect on: to a plain TCP socket."""

    def start(self):
        plain = self.serve("flow", "receive")
        folder = load.folder()
        how = {"version": self.version, "suite": self.suite}
        server = self.launch("stunnel", peers.stunnel_conf(folder, (
            "[s]", "accept = 127.0.0.1:0",
            "connect = 127.0.0.1:%d" % plain.listening_port(),
            "cert = " + CERT, "key = " + KEY), **how), where=folder)
        folder = load.folder()
        self.connect("stunnel", peers.stunnel_conf(folder, (
            "client = yes", "connect = 127.0.0.1:%d" % server.listening_port(),
            "CAfile = " + ROOT, "verifyChain = yes",
            "checkHost = localhost"), **how),
            where=folder)
        self.parts.remove(plain)
        self.helpers.append(plain)


class Tcp(Flow):
    """The same without TLS, with blocks of 128 KiB."""

    def start(self):
        server = self.serve("flow", "receive")
        self.connect("flow", "send", server.listening_port())


KINDS = {OURS: Mptls, PLAIN: Plain, KTLS: Ktls, "openssl": Openssl,
         "socat": Socat, "ncat": Ncat, "gnutls": Gnutls, "stunnel": Stunnel,
         "tcp": Tcp}


class Feeder(threading.Thread):
    """Bytes into a pipe: of a file that is memory, or in pieces."""

    def __init__(self, fd, count):
        super().__init__(daemon=True)
        self.fd, self.left = fd, count

    def run(self):
        memory = os.memfd_create("mptls-bench")
        os.write(memory, os.urandom(WINDOW))
        at = 0
        try:
            while self.left > 0:
                n = os.splice(memory, self.fd, min(self.left, WINDOW - at),
                              offset_src=at)
                self.left -= n
                at = (at + n) % WINDOW
        except BrokenPipeError:
            pass
        finally:
            os.close(memory)


def drain(flow, count, null):
    """Take so many bytes of its output."""
    while count > 0:
        n = os.splice(flow.out, null, count)
        if n == 0:
            raise load.Failed("%d bytes are lost: %s" % (count, flow.died()))
        count -= n


def transfer(flow, count):
    """@return MiB a second, processor seconds for a GiB"""
    null = os.open(os.devnull, os.O_WRONLY)
    guard = threading.Timer(load.PATIENCE * 4, flow.end)
    guard.daemon = True
    guard.start()
    try:
        first = Feeder(flow.into, FIRST)
        first.start()
        drain(flow, FIRST, null)
        first.join()
        cpu = -sum(map(processor, flow.parts))
        began = time.perf_counter()
        feeder = Feeder(flow.into, count)
        feeder.start()
        drain(flow, count, null)
        took = time.perf_counter() - began
        cpu += sum(map(processor, flow.parts))
        feeder.join(1)
    finally:
        guard.cancel()
        flow.end()
        os.close(null)
    return count / took / (1 << 20), cpu / count * (1 << 30)


def limits(programs, settings):
    """What there is to win: memory, and a pipe without TLS."""
    tcp = [Row("limit.tcp", "plain TCP pipe", "MiB/s", more=True),
           Row("limit.tcp.cpu", "plain TCP pipe, CPU", "s/GiB")]
    how = {"version": "1.3", "suite": None}
    in_turn(tcp, ["tcp"], lambda tool: transfer(
        Tcp(programs, how), settings.mib << 20), settings.rounds(5))
    memory = in_turn(
        [Row("limit.memcpy", "memcpy", "MiB/s", more=True)], ["memcpy"],
        lambda tool: [float(subprocess.run(
            [programs["flow"], "memcpy", "2048"], check=True,
            stdout=subprocess.PIPE).stdout)], settings.rounds(5))
    return memory + tcp


def records(programs, settings):
    """Throughput against the size of the records, where it can be chosen."""
    rows = []
    for size in (512, 1024, 2048, 4096, 8192, 16384):
        how = {"version": "1.3", "suite": None, "record": size}
        rows += in_turn(
            [Row("records.%d" % size, "records of %d bytes" % size, "MiB/s",
                 more=True),
             Row("records.%d.cpu" % size, "records of %d bytes, CPU" % size,
                 "s/GiB")],
            [OURS, "openssl", "socat"], lambda tool: transfer(
                KINDS[tool](programs, how), settings.records_mib << 20),
            settings.rounds(3))
    return rows


def run(programs, settings):
    rows = []
    tools = [t for t in TOOLS if t != PLAIN or programs.has(PLAIN)]
    for name, title, version, suite, gnutls in SUITES:
        how = {"version": version, "suite": suite, "gnutls": gnutls}
        kernel = [kernel_tls()] if name == "default" else []
        rows += in_turn(
            [Row("bulk." + name, "bulk, %s" % title, "MiB/s",
                 Goal(">=", 1.5), more=True, note=NOTE),
             Row("bulk.%s.cpu" % name, "bulk, %s, CPU" % title, "s/GiB",
                 Goal("<=", 0.7))],
            tools + kernel, lambda tool: transfer(
                KINDS[tool](programs, how), settings.mib << 20),
            settings.bulk_rounds)
    return rows + limits(programs, settings)
