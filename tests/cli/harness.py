"""What the tests of the command line are written in.

A test is a function that takes a Test: it starts processes, waits for them
under a deadline and compares. Every run of connect and serve also writes its
JSON report into a file, and every report is checked against the exit status
and against the one shape that reports have.
"""
import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import schema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
DEADLINE = 10.0  # seconds, for anything that is waited for
MODES = ("--echo", "--discard", "--chargen", "--reply", "--exec", "--sh",
         "--forward", "--http")
REPORTING = ("connect", "serve", "check", "verify")
SCHEMA = schema.Schema(os.path.join(ROOT, "man", "mptls.1"))

class Failed(Exception):
    """What was expected is not what happened."""


class Skipped(Exception):
    """This machine cannot run the test."""


TESTS = []


def test(function):
    """Register a test; its name is its function's."""
    TESTS.append((function.__name__.replace("_", " "), function, ()))
    return function


def each(rows):
    """Register a function once per row; row[0] names the test."""
    def register(function):
        base = function.__name__.replace("_", " ")
        for row in rows:
            TESTS.append(("%s: %s" % (base, row[0]), function, row[1:]))
        return function
    return register


def cert(name):
    """A file of the test PKI, relative to where the programs run."""
    return os.path.join("certs", name)


def read_file(name):
    with open(os.path.join(ROOT, name), "rb") as f:
        return f.read()


def check_shape(event):
    """As the man page has it, whether success or failure."""
    said = SCHEMA.differences(event)
    if said:
        raise Failed("not as the man page says: " + "; ".join(said))


def parse_reports(text):
    """Every line as JSON; the listening events apart from the reports."""
    listening, reports = [], []
    for line in text.splitlines():
        event = json.loads(line)
        check_shape(event)
        if event["v"] != 1:
            raise Failed("v is %r" % event["v"])
        if event["event"] == "listening":
            listening.append(event["address"])
        elif event["event"] not in ("message", "self-signed", "reload",
                                    "worker"):
            reports.append(event)
    return listening, reports


def read_some(fd, timeout=DEADLINE):
    """What there is, b"" at the end."""
    if not select.select([fd], [], [], timeout)[0]:
        raise Failed("nothing to read within %g s" % timeout)
    return os.read(fd, 65536)


def read_exactly(fd, n):
    got = b""
    while len(got) < n:
        more = read_some(fd)
        if more == b"":
            raise Failed("the stream ended after %r" % got)
        got += more
    return got


def wait_until(what, condition):
    """For what nothing reports: looked at again and again, up to DEADLINE."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise Failed("not within %g s: %s" % (DEADLINE, what))
        time.sleep(0.002)


def descriptors(proc):
    """What those of a process are, as /proc has it: "socket:[7]", a path."""
    where = "/proc/%d/fd" % proc.pid
    found = []
    try:
        names = os.listdir(where)
    except PermissionError as e:  # it has a key, and nobody may look at it
        raise Skipped("it takes root: %s" % e) from e
    for name in names:
        try:
            found.append(os.readlink(os.path.join(where, name)))
        except FileNotFoundError:
            pass
    return found


class Result:
    """A process that has ended."""

    def __init__(self, status, out, err, listening, reports):
        self.status = status  # negative: killed by that signal
        self.out = out
        self.err = err
        self.listening = listening
        self.reports = reports

    @property
    def report(self):
        if not self.reports:
            raise Failed("no report; stderr: %s" % self.err)
        return self.reports[-1]

    @property
    def error(self):
        return self.report["error"]

    @property
    def lines(self):
        return self.err.splitlines()


class Proc:
    """A running mptls."""

    def __init__(self, t, args, stdin, stdout, stderr, env, pass_fds,
                 redirect, wrap, report, popen):
        self.t = t
        self.args = args
        self.json_name = None
        self.reporting = bool(args) and args[0] in REPORTING
        self.address = None
        self.piped_out = stdout is not None
        self.err_file = t.file("stderr")
        self.out_file = t.file("stdout")
        argv = list(args)
        if report and self.reporting and not has_json(argv):
            self.json_name = t.path("json")
            argv.insert(1, "--json=" + self.json_name)
        argv.insert(0, t.binary)
        if redirect is not None:
            wrap = ("sh", "-c", 'exec "$@" ' + redirect, "sh")
        argv = list(wrap) + argv
        self.popen = subprocess.Popen(
            argv, cwd=ROOT, env=t.environment(env), pass_fds=pass_fds,
            stdin=stdin, stdout=stdout or self.out_file,
            stderr=stderr or self.err_file, **popen)
        self.pid = self.popen.pid
        t.on_exit(self.end)

    def end(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        for f in (self.popen.stdin, self.popen.stdout):
            if f is not None:
                f.close()

    def signal(self, number):
        self.popen.send_signal(number)

    def stderr(self):
        return read_file(self.err_file.name).decode("utf-8", "replace")

    def wait(self):
        """The Result, its text and its report checked."""
        try:
            status = self.popen.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise Failed("still running after %g s: mptls %s; stderr: %s"
                         % (DEADLINE, " ".join(self.args), self.stderr()))
        out = b"" if self.piped_out else read_file(self.out_file.name)
        err = self.stderr()
        listening, reports = [], []
        text = err
        if self.reporting and has_json(self.args) == "free":
            # What these print is their report.
            on_stdout = self.args[0] in ("check", "verify")
            listening, reports = parse_reports(
                out.decode() if on_stdout else err)
            text = err if on_stdout else ""
        elif self.json_name is not None and os.path.exists(self.json_name):
            listening, reports = parse_reports(
                read_file(self.json_name).decode())
        for line in text.splitlines():
            if not line.startswith("mptls: "):
                raise Failed("stderr has the line %r" % line)
        if reports:  # check's status is the largest of those of its targets
            check_status(status, max(reports, key=lambda x: x["status"])
                         if self.args[0] == "check" else reports[-1])
        if reports and text and status >= 0:
            if serves_many(self.args):
                check_lines(text, reports, "-v" in self.args)
            else:
                check_words(text, reports)
        return Result(status, out, err, listening, reports)


def check_status(status, report):
    said = report["status"]
    if said != status and status != -signal.SIGPIPE:
        raise Failed("exit status %d, but the report says %d: %s"
                     % (status, said, report["error"]))
    if report["ok"] != (said == 0) or report["ok"] != (report["class"] == "ok"):
        raise Failed("ok %r, status %d, class %s"
                     % (report["ok"], said, report["class"]))


def check_words(text, reports):
    """The text explains each failure in the words of the JSON, and no other."""
    flat = " ".join(" ".join(x[len("mptls: "):]
                             for x in text.splitlines()).split())
    explained = 0
    for report in reports:
        error = report["error"]
        cause = error and error["cause"]
        if not cause:
            continue
        explained += 1
        found = [x["text"] for x in report["findings"]
                 if x["name"] == cause["name"]]
        parts = [error["text"], cause["board"], cause["mbedtls"] or "",
                 error["micropython"] or ""] + (found or cause["causes"])
        if report["stage"] != "setup":
            parts.append(cause["step"])
        for part in parts:
            if " ".join(part.split()) not in flat:
                raise Failed("%r is in the JSON, but not in %r" % (part, text))
    if flat.count("more: mptls explain ") != explained:
        raise Failed("explained %d times in JSON, but: %r" % (explained, text))


def serves_many(args):
    """Of many clients each has a line."""
    if args[0] == "connect" and "--listen" in args:
        return True
    return args[0] == "serve" and "--keep-open" in args and any(
        x.split("=")[0] in MODES for x in args)


def check_lines(text, reports, verbose):
    """Each client that failed has a line that names it, and with -v each."""
    for report in reports[:-1]:
        error = report["error"]
        if error and (verbose or error["origin"] != "signal"):
            line = "mptls: %s: %s (" % (report["client"] or report["peer"],
                                        error["text"])
            if text.count(line) != 1:
                raise Failed("%d times %r in %r"
                             % (text.count(line), line, text))
    one = len(reports) == 1  # the server's own
    if "more: mptls explain " in text and not verbose and not one:
        raise Failed("explained, though there are many: %r" % text)


def has_json(args):
    """None, "free" (stderr, or stdout where that is free) or a file's name."""
    for word in args:
        if word == "--json":
            return "free"
        if word.startswith("--json="):
            return word[7:]
    return None


class Peer:
    """A listener with a thread for each client."""

    def __init__(self, t, talk):
        self.talk = talk
        self.listener = t.listener(backlog=512)
        self.listener.settimeout(None)
        self.port = self.listener.getsockname()[1]
        self.address = "localhost:%d" % self.port
        threading.Thread(target=self.run, daemon=True).start()
        t.on_exit(lambda: self.listener.shutdown(socket.SHUT_RDWR))

    def run(self):
        try:
            while True:
                c = self.listener.accept()[0]
                threading.Thread(target=self.one, args=(c,),
                                 daemon=True).start()
        except OSError:
            pass

    def one(self, c):
        with c:
            c.settimeout(10)
            try:
                self.talk(c)
            except OSError:
                pass


class Test:
    """What one test has to do with: its files and its processes."""

    def __init__(self, binary):
        self.binary = binary
        self.dir = tempfile.mkdtemp(prefix="mptls-cli-")
        self.exits = [lambda: shutil.rmtree(self.dir, ignore_errors=True)]
        self.made = 0
        self.open_ends = set()

    def close(self):
        while self.exits:
            self.exits.pop()()

    def on_exit(self, function):
        self.exits.append(function)

    def environment(self, extra):
        env = {k: v for k, v in os.environ.items()
               if k not in ("SSL_CERT_FILE", "SSL_CERT_DIR", "LANG")}
        env["LC_ALL"] = "C"
        # The loader puts the vector registers on the stack when it binds a
        # function late, as it does for a sanitizer's library, and a key may be
        # in them. The program itself is bound at its start.
        env["LD_BIND_NOW"] = "1"
        # A sanitizer's exit is not to be taken for one of ours.
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            env[name] = ":".join([env.get(name, ""), "exitcode=99"]).strip(":")
        env.update(extra or {})
        return env

    # Files, descriptors and sockets, gone when the test is over.

    def path(self, kind):
        self.made += 1
        return os.path.join(self.dir, "%d.%s" % (self.made, kind))

    def file(self, kind, data=b""):
        """An open file with `data` in it, to be read from its beginning."""
        f = open(self.path(kind), "w+b")
        f.write(data)
        f.flush()
        f.seek(0)
        self.on_exit(f.close)
        return f

    def named(self, data, kind="data"):
        return self.file(kind, data).name

    def pipe(self):
        """Read end, write end: descriptors, not inherited."""
        ends = os.pipe()
        for f in ends:
            self.on_exit(lambda f=f: self.close_pipe(f))
        self.open_ends |= set(ends)
        return ends

    def close_pipe(self, fd):
        """Close one end, once."""
        if fd in self.open_ends:
            self.open_ends.discard(fd)
            os.close(fd)

    def pipe_with(self, data):
        """The read end of a pipe that has `data` in it, and then ends."""
        r, w = self.pipe()
        os.write(w, data)
        self.close_pipe(w)
        return r

    def listener(self, backlog=8):
        s = socket.socket()
        self.on_exit(s.close)
        s.settimeout(DEADLINE)
        s.bind(("127.0.0.1", 0))
        s.listen(backlog)
        return s

    def accept(self, listener):
        c = listener.accept()[0]
        self.on_exit(c.close)
        c.settimeout(DEADLINE)
        return c

    def tcp(self, address):
        host, port = address.rsplit(":", 1)
        s = socket.create_connection((host.strip("[]"), int(port)), DEADLINE)
        self.on_exit(s.close)
        return s

    # Programs.

    def start(self, *args, stdin=subprocess.DEVNULL, stdout=None,
              stderr=None, env=None, pass_fds=(), redirect=None, wrap=(),
              report=True, **popen):
        """stdin: bytes (through a pipe), a file or a descriptor. redirect:
        as the shell writes it. wrap: words before the program's. report: write
        one into a file, where none is asked for."""
        if isinstance(stdin, bytes):
            stdin = self.pipe_with(stdin)
        return Proc(self, args, stdin, stdout, stderr, env, pass_fds,
                    redirect, wrap, report, popen)

    def run(self, *args, **kw):
        return self.start(*args, **kw).wait()

    def check(self, server, *args, ca="root.pem", **kw):
        """check a Proc that serves; its end is waited for."""
        words = ("--cafile", cert(ca)) if ca else ()
        return self.run("check", *words, *args, server.address, **kw)

    def connect(self, server, *args, ca="root.pem", **kw):
        """connect to a Proc that serves, trusting the test root."""
        words = ("--cafile", cert(ca)) if ca else ()
        return self.start("connect", *words, *args, server.address, **kw)

    def serve(self, *args, name="server-ec256", where="127.0.0.1:0",
              pass_fds=(), **kw):
        """A server that is ready."""
        r, w = self.pipe()
        words = ("--cert", cert(name + ".pem"),
                 "--key", cert(name + "-key.pem")) if name else ()
        p = self.start("serve", *words, "--ready-fd", str(w), *args, where,
                       pass_fds=(w,) + tuple(pass_fds), **kw)
        self.close_pipe(w)
        line = read_some(r).decode()
        if not line.endswith("\n"):
            raise Failed("no ready line but %r; stderr: %s"
                         % (line, p.stderr()))
        p.address = line.strip()
        if read_some(r) != b"":
            raise Failed("more than a line on --ready-fd")
        return p

    # Comparisons.

    def eq(self, got, wanted, what="value"):
        if got != wanted:
            raise Failed("%s is %r, not %r" % (what, got, wanted))

    def has(self, text, *parts):
        for part in parts:
            if part not in text:
                raise Failed("%r is not in %r" % (part, text))

    def ok(self, result, out=b""):
        """Success: nothing but data on stdout."""
        if result.status != 0:
            raise Failed("exit status %d: %s" % (result.status, result.err))
        self.eq(result.out, out, "stdout")
        return result

    def bad(self, result, status, origin, code, *say, out=b""):
        """A failure that is reported, with its origin, code and words."""
        if result.status != status:
            raise Failed("exit status %d, not %d: %s"
                         % (result.status, status, result.err))
        self.eq(result.out, out, "stdout")
        error = result.error
        self.eq((error["origin"], error["code"]), (origin, code), "the error")
        self.has(error["text"], *say)
        if not result.err.startswith("{"):
            self.has(result.err, error["text"])
        return result

    def lost(self, result, stage="stream"):
        """A peer that is gone, by an end of TCP or by a reset: which of them
        is a matter of time."""
        end, reset = {"handshake": ((24, "tls", -0x7280), 24),
                      "stream": ((40, "truncated", 0), 43)}[stage]
        e = result.error
        seen = (result.status, e["origin"], e["code"])
        if seen not in (end, (reset, "net", errno.ECONNRESET),
                        (reset, "net", errno.EPIPE)):
            raise Failed("status and error %s: %s" % (seen, result.err))
        self.eq(result.report["stage"], stage, "the stage")

    def usage(self, args, *say, command=None, **kw):
        """Exit 2, the reason in words, and where help is."""
        r = self.run(*args, **kw)
        self.eq((r.status, r.out), (2, b""), "status and stdout")
        self.has(r.err, *say)
        where = "mptls %s --help" % command if command else "mptls --help"
        self.has(r.err, "mptls: try '%s'\n" % where)
        if r.reports:
            self.bad(r, 2, "usage", 0)
        return r
