"""What a test needs: processes, sockets, deadlines, and assertions.

Every wait has a deadline, and whatever a test starts is ended and reaped with
it. Nothing sleeps to let something happen: it waits for what happened.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CERTS = os.path.join(ROOT, "certs")
LIMIT = float(os.environ.get("MPTLS_LIMIT", 60))  # seconds for one test
VERSIONS = ("1.2", "1.3")
# Of the kernel's machine (tests/ktls), where all else is to be the same.
KTLS = ["--ktls"] if os.environ.get("MPTLS_KTLS") else []
NO_KTLS = {"check", "--as", "--max-in-record", "--max-out-record", "--trace",
           "--trace=hex", "--heap-limit", "--heap-fail-at", "--ktls"}

sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))
import schema  # noqa: E402 - it is there
SCHEMA = schema.Schema(os.path.join(ROOT, "man", "mptls.1"))


class Failed(Exception):
    """The program under test did something else."""


class Skipped(Exception):
    """What the test needs is not here."""


def cert(name):
    return os.path.join(CERTS, name)


def need(tool):
    """The path of a tool, or no test."""
    path = shutil.which(tool)
    if path is None:
        raise Skipped("no " + tool)
    return path


def short(data):
    text = repr(bytes(data))
    return text if len(text) < 160 else "%s... (%d bytes)" % (text[:150],
                                                              len(data))


def same(what, got, wanted):
    """wanted: the value, or a tuple of those that will do."""
    if got != wanted and not (isinstance(wanted, tuple) and got in wanted):
        if isinstance(got, (bytes, bytearray)):
            got, wanted = short(got), short(wanted)
        raise Failed("%s is %s, not %s" % (what, got, wanted))


class Sink:
    """Reads a pipe to its end, and lets others wait for what comes."""

    def __init__(self, pipe):
        self.data = bytearray()
        self.ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(pipe,),
                                       daemon=True)
        self.thread.start()

    def _read(self, pipe):
        with pipe:
            while True:
                got = pipe.read(65536)
                with self.changed:
                    self.data += got
                    self.ended = not got
                    self.changed.notify_all()
                if not got:
                    return

    def wait_for(self, pattern, left):
        """The match of a bytes pattern in what came so far."""
        with self.changed:
            found = self.changed.wait_for(
                lambda: re.search(pattern, self.data) or self.ended, left)
        if found is None or found is False or found is True:
            raise Failed("waited for %r, %s: %s" % (
                pattern, "and it ended" if found else "in vain",
                short(self.data)))
        return found

    def all(self, left):
        self.thread.join(left)
        if not self.ended:
            raise Failed("waited in vain for the end of the output")
        return bytes(self.data)


PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE,
         "stderr": subprocess.PIPE}


class Proc:
    """A process in a session of its own, with pipes where nothing is given."""

    def __init__(self, test, argv, raw=False, **more):
        self.test = test
        self.argv = argv
        self.p = subprocess.Popen(argv, bufsize=0, start_new_session=True,
                                  **dict(PIPES, **more))
        self.out = self.p.stdout and not raw and Sink(self.p.stdout) or None
        self.err = self.p.stderr and Sink(self.p.stderr)
        self.feeder = None

    def feed(self, data, end=False):
        """Give stdin bytes, and with `end` its end.

        One that has ended cannot take them: its exit status says why.
        """
        try:
            while data:
                data = data[self.p.stdin.write(data):]
        except BrokenPipeError:
            pass
        if end:
            self.end()
        return self

    def feed_aside(self, data):
        """Give stdin more than a pipe holds, and its end."""
        self.feeder = self.test.thread(self.feed, data, True)
        return self

    def end(self):
        if not self.p.stdin.closed:
            self.p.stdin.close()

    def expect(self, pattern):
        return self.out.wait_for(pattern, self.test.left())

    def wait(self):
        try:
            return self.p.wait(self.test.left())
        except subprocess.TimeoutExpired:
            pass
        raise Failed("%s does not end; stderr %s" % (
            os.path.basename(self.argv[0]),
            short(self.err.data if self.err else b"")))

    def kill(self):
        """End it and what it started, whatever state it is in."""
        if self.p.poll() is None:
            os.killpg(self.p.pid, signal.SIGKILL)
            self.p.wait()
        if self.p.stdin and not self.p.stdin.closed:
            try:
                self.p.stdin.close()
            except OSError:
                pass


class Mptls(Proc):
    """mptls with a JSON report on stderr."""

    LISTENING = rb'"event":"listening","address":"[^"]*:(\d+)"'

    def listening(self):
        return int(self.err.wait_for(self.LISTENING, self.test.left())[1])

    def ports(self):
        """Those it listens on, once it has said something."""
        self.err.wait_for(b"\n", self.test.left())
        return [int(n) for n in re.findall(self.LISTENING, self.err.data)]

    def reports(self):
        text = self.err.all(self.test.left()).decode(errors="replace")
        lines = [s for s in text.splitlines() if s.startswith('{"v":1,')]
        found = [json.loads(s) for s in lines]
        same("the report's shape", [SCHEMA.differences(r) for r in found],
             [[] for _ in found])
        found = [r for r in found if r["event"] == "connection"]
        if not found:
            raise Failed("no report; status %s, stderr %s" % (
                self.p.poll(), short(text.encode())))
        return found

    def done(self, status=0, origin=None, code=None, out=None, **more):
        """Wait for the end; check status, report and stdout."""
        rc = self.wait()
        r = self.reports()[-1]
        why = r["error"] or {"origin": None, "code": None, "text": ""}
        same("exit status (%s)" % why["text"], rc, status)
        same("the report's status", r["status"], rc)
        same("ok", r["ok"], rc == 0)
        same("origin (%s)" % why["text"], why["origin"], origin)
        if code is not None:
            same("code (%s)" % why["text"], why["code"], code)
        if self.out is not None:
            got = self.out.all(self.test.left())
            same("bytes.in", r["bytes"]["in"], len(got))
            if out is not None:
                same("stdout", got, out)
        check_report(r, **more)
        return r


def check_report(r, version=None, notified=None, flags=None, text=None):
    if version is not None:
        same("version", r["tls"]["version"], "TLSv" + version)
    if notified is not None:
        same("close_notify_received", r["tls"]["close_notify_received"],
             notified)
    if flags is not None:
        same("flags", r["verify"]["flags"], flags)
    if text is not None and text not in r["error"]["text"]:
        raise Failed("no %r in %r" % (text, r["error"]["text"]))


class Thread(threading.Thread):
    """A thread whose exception is its join's."""

    def __init__(self, test, function, args):
        super().__init__(daemon=True)
        self.test, self.function, self.args = test, function, args
        self.result = self.error = None
        self.start()

    def run(self):
        try:
            self.result = self.function(*self.args)
        except Exception as e:  # pylint: disable=broad-except
            self.error = e

    def done(self):
        self.join(self.test.left())
        if self.is_alive():
            raise Failed("the peer's thread does not end")
        if self.error is not None:
            raise self.error
        return self.result


class Test:
    """One test: what it started, and until when it may run."""

    env = {}
    mptls = None

    def __init__(self, name, function):
        self.name, self.function = name, function
        self.started = []
        self.sockets = []
        self.dir = None
        self.deadline = None
        self.cells = {}
        self.seconds = 0
        self.passed = False
        self.stopped = False

    def left(self):
        return max(self.deadline - time.monotonic(), 0.01)

    def start(self, kind, argv, **more):
        if self.stopped:
            raise Failed("stopped")
        p = kind(self, list(map(str, argv)), **more)
        self.started.append(p)
        return p

    def spawn(self, tool, *args, **more):
        return self.start(Proc, [need(tool), *args], **more)

    def run_mptls(self, *args, **more):
        also = [] if set(args) & NO_KTLS else KTLS
        return self.start(Mptls, [self.mptls, *args, *also, "--json"],
                          env=self.env, **more)

    def connect(self, port, *args, ca="root.der", name="localhost", **more):
        return self.run_mptls(
            "connect", "127.0.0.1:%d" % port, "--cadata", cert(ca),
            "--server-hostname", name, "--verify", "required", *args, **more)

    def serve(self, *args, name="server-ec256", **more):
        """mptls serve, and its port; without a name the options say which
        certificate."""
        pair = ("--cert", cert(name + ".pem"), "--key",
                cert(name + "-key.pem")) if name else ()
        p = self.run_mptls("serve", "127.0.0.1:0", *pair, *args, **more)
        return p, p.listening()

    def thread(self, function, *args):
        return Thread(self, function, args)

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def keep(self, sock):
        """A socket whose every wait ends with the test."""
        sock.settimeout(self.left())
        self.sockets.append(sock)
        return sock

    def listen(self):
        s = self.keep(socket.socket())
        s.bind(("127.0.0.1", 0))
        s.listen(8)
        return s, s.getsockname()[1]

    def accept(self, listener):
        return self.at_once(listener.accept()[0])

    def dial(self, port):
        return self.at_once(socket.create_connection(("127.0.0.1", port),
                                                     self.left()))

    def at_once(self, sock):
        """What is written leaves: even if a reset comes next."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.keep(sock)

    def cell(self, column, text):
        """A cell of the table that the run prints, if the test passes."""
        self.cells[column] = text

    def run(self):
        """None, or why it did not pass."""
        began = time.monotonic()
        self.deadline = began + LIMIT
        self.dir = tempfile.mkdtemp(prefix="mptls-peer-")
        alarm = threading.Timer(LIMIT + 1, self.end)  # for waits without one
        alarm.daemon = True
        alarm.start()
        try:
            self.function(self)
            self.passed = True
            return None
        except (Failed, Skipped) as e:
            return e
        except Exception as e:  # pylint: disable=broad-except
            return Failed("%s: %s" % (type(e).__name__, e))
        finally:
            alarm.cancel()
            self.end()
            self.seconds = time.monotonic() - began

    def end(self):
        self.stopped = True
        for p in self.started:
            p.kill()
        for s in self.sockets:
            s.close()
        if self.dir is not None:
            shutil.rmtree(self.dir, ignore_errors=True)


def listening_port(proc):
    """The IPv4 port a process listens on, once it does: Linux's /proc says.

    It neither takes a one-client server's only connection nor guesses ports.
    """
    while proc.p.poll() is None and time.monotonic() < proc.test.deadline:
        inodes = socket_inodes(proc.p.pid)
        for line in table_lines():
            if line[3] == "0A" and line[9] in inodes:
                return int(line[1].split(":")[1], 16)
        try:
            proc.p.wait(0.005)
        except subprocess.TimeoutExpired:
            pass
    raise Failed("%s does not listen: %s" % (
        proc.argv[0], short(proc.err.data)))


def socket_inodes(pid):
    return {target[8:-1] for _, target in open_files(pid)
            if target.startswith("socket:[")}


def open_files(pid):
    """(number, what it is) of a process's descriptors."""
    folder = "/proc/%d/fd" % pid
    try:
        numbers = os.listdir(folder)
    except OSError:
        return
    for number in numbers:
        try:
            yield int(number), os.readlink(os.path.join(folder, number))
        except OSError:
            continue


def table_lines():
    with open("/proc/net/tcp", encoding="ascii") as f:
        return [line.split() for line in f][1:]
