"""What the soak and the benches share: a server, its size, many clients."""
import concurrent.futures
import json
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
CERTS = os.path.join(ROOT, "certs")
PATIENCE = 60  # seconds for any single wait


class Failed(Exception):
    """The server did something else."""


def cert(name):
    return os.path.join(CERTS, name)


def number(name, default):
    """A parameter, from the environment."""
    return int(os.environ.get(name, default))


def say(text):
    print(text, flush=True)


def sanitized(binary):
    """Whether its memory is not its own: ASan keeps what is free."""
    with open(binary, "rb") as f:
        return b"__asan_init" in f.read()


def raise_fd_limit(wanted):
    """@return how many descriptors this process and its children may have"""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def wait_until(what, condition, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise Failed("waited in vain for " + what)


def folder():
    return tempfile.mkdtemp(prefix="mptls-load-")


class Process:
    """A server, and what it and its children are."""

    def __init__(self, argv, where=None, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL, env=None):
        self.dir = where or folder()
        self.errors = os.path.join(self.dir, "stderr")
        with open(self.errors, "wb") as err:
            self.p = subprocess.Popen(
                list(map(str, argv)), stdin=stdin, stdout=stdout, stderr=err,
                env=env, start_new_session=True)

    def said(self):
        with open(self.errors, "rb") as f:
            return f.read().decode(errors="replace")

    def pids(self):
        """Its own, and those of its children."""
        found, i = [self.p.pid], 0
        while i < len(found):
            for task in listdir("/proc/%d/task" % found[i]):
                found += map(int, read("/proc/%d/task/%s/children" % (
                    found[i], task)).split())
            i += 1
        return found

    def resident(self):
        """Bytes of memory: of the program, and not of commands of its."""
        found = [re.findall(r"Name:\s*(.*)|VmRSS:\s*(\d+)",
                            read("/proc/%d/status" % pid))
                 for pid in self.pids()]
        return 1024 * sum(int(f[1][1]) for f in found
                          if len(f) == 2 and f[0] == found[0][0])

    def seconds(self):
        """Of the processor, so far."""
        ticks = 0
        for pid in self.pids():
            ticks += sum(map(int, read("/proc/%d/stat" % pid).rpartition(
                ")")[2].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        """How many; None if they are another user's to see: a process that
        has a key does not show them to everybody."""
        if not os.access("/proc/%d/fd" % self.p.pid, os.R_OK):
            return None
        return sum(len(listdir("/proc/%d/fd" % pid)) for pid in self.pids())

    def settled(self):
        """descriptors(), once that has stayed the same for a while: worker
        processes close what they inherit when the first of them listens."""
        last = []

        def look():
            last.append(self.descriptors())
            return len(set(last[-30:])) == 1 and len(last) >= 30
        wait_until("the descriptors to settle", look)
        return last[-1]

    def listening_port(self):
        """As the kernel has it, for servers that do not tell."""
        def look():
            if self.p.poll() is not None:
                raise Failed("the server ended: " + self.said()[:400])
            inodes = {link(os.path.join("/proc/%d/fd" % pid, fd))
                      for pid in self.pids()
                      for fd in listdir("/proc/%d/fd" % pid)}
            for line in read("/proc/net/tcp").splitlines()[1:]:
                f = line.split()
                if f[3] == "0A" and "socket:[%s]" % f[9] in inodes:
                    return int(f[1].split(":")[1], 16)
            return 0
        return wait_until("a listener", look)

    def stop(self, number=signal.SIGTERM):
        """@return the exit status"""
        self.p.send_signal(number)
        return self.ended()

    def ended(self):
        """@return the exit status; a second signal would kill it"""
        try:
            rc = self.p.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failed("the server does not end") from None
        return 128 - rc if rc < 0 else rc

    def end(self):
        if self.p.poll() is None:
            os.killpg(self.p.pid, signal.SIGKILL)
            self.p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def link(path):
    """Where it leads, or "" if it has gone meanwhile."""
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


def listdir(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


class Backend(Process):
    """A plain echo, for what only connects on."""

    PROGRAM = """
import selectors, socket
s = socket.create_server(("127.0.0.1", 0), backlog=4096)
poll = selectors.DefaultSelector()
poll.register(s, selectors.EVENT_READ)
def forget(c):
    poll.unregister(c)
    c.close()
while True:
    for key, events in poll.select():
        c = key.fileobj
        if c is s:
            new = s.accept()[0]
            new.setblocking(False)
            poll.register(new, selectors.EVENT_READ, b"")
            continue
        try:
            data = key.data
            if events & selectors.EVENT_READ:
                data = c.recv(65536)
                if not data:
                    forget(c)
                    continue
            try:
                data = data[c.send(data):]
            except BlockingIOError:
                pass
        except OSError:
            forget(c)
            continue
        poll.modify(c, selectors.EVENT_WRITE if data else
                    selectors.EVENT_READ, data)
"""

    def __init__(self):
        super().__init__([sys.executable, "-c", self.PROGRAM])
        self.port = self.listening_port()


class Mptls(Process):
    """mptls serve --keep-open, its port, and its access log."""

    def __init__(self, binary, *args, wrap=()):
        where = folder()
        self.log = os.path.join(where, "log")
        super().__init__([
            *wrap, binary, "serve", "127.0.0.1:0", "--keep-open", "--cert",
            cert("server-ec256.pem"), "--key", cert("server-ec256-key.pem"),
            "--access-log", self.log, "--log-format", "json", *args], where)
        self.port = wait_until("mptls to listen", self.ready)

    def ready(self):
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.said())
        if not found and self.p.poll() is not None:
            raise Failed("mptls ended: " + self.said())
        return found and int(found[1])


    def turn_over(self):
        """What an administrator does in the night: a new log, and the keys
        anew."""
        old = sum(name.startswith("log.") for name in os.listdir(self.dir))
        os.rename(self.log, "%s.%d" % (self.log, old))
        self.p.send_signal(signal.SIGUSR1)
        self.p.send_signal(signal.SIGHUP)
        wait_until("a new log", lambda: os.path.exists(self.log))

    def logged(self):
        """A dictionary for each line of the log, old ones as well."""
        lines = []
        for name in os.listdir(self.dir):
            if name.startswith("log"):
                with open(os.path.join(self.dir, name), encoding="ascii") as f:
                    lines += [json.loads(line) for line in f]
        return lines


def client_context(identity=None):
    ctx = ssl.create_default_context(cafile=cert("root.pem"))
    ctx.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if identity:
        ctx.load_cert_chain(cert(identity + ".pem"),
                            cert(identity + "-key.pem"))
    return ctx


def source(n):
    """A loopback address for the n-th client: one has 28,000 ports only."""
    return "127.%d.%d.%d" % (1 + (n >> 16), n >> 8 & 255, n & 255)


def dial(port, own="127.0.0.1"):
    s = socket.socket()
    s.settimeout(PATIENCE)
    s.bind((own, 0))
    s.connect(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def shake(ctx, sock):
    return ctx.wrap_socket(sock, server_hostname="localhost",
                           suppress_ragged_eofs=False)


def reset(sock):
    """Close with a reset in place of an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    if isinstance(sock, ssl.SSLSocket):
        socket.socket(fileno=sock.detach()).close()
    else:
        sock.close()


def echoes(sock, data):
    """Send it, and have it back."""
    sock.sendall(data)
    got = bytearray()
    while len(got) < len(data):
        more = sock.recv(65536)
        if not more:
            raise Failed("the end after %d of %d bytes" % (
                len(got), len(data)))
        got += more
    if got != data:
        raise Failed("other bytes came back")


def every(work, items, threads):
    """Do it for all, some at a time; @return the results, in order"""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def main(run):
    """Exit as run() does, and on its failure with 1."""
    try:
        sys.exit(run())
    except Failed as e:
        say("FAIL %s" % e)
        sys.exit(1)
