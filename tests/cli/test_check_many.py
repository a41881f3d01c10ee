"""check with many targets: some at a time, a report from each, a sum."""
import collections
import json
import os
import pty
import re
import signal
import socket
import ssl
import subprocess

from harness import (ROOT, Failed, Peer, cert, each, read_some, test,
                     wait_until)
from test_connect import free_port

TRUST = ("--cafile", cert("root.pem"))


class Board(Peer):
    """A TLS server that keeps each client's random bytes."""

    def __init__(self, t):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(
            os.path.join(ROOT, cert("server-ec256.pem")),
            os.path.join(ROOT, cert("server-ec256-key.pem")))
        self.randoms = []
        super().__init__(t, self.greet)

    def greet(self, c):
        # record and message headers, version, random
        self.randoms.append(c.recv(43, socket.MSG_PEEK)[11:43])
        tls = self.context.wrap_socket(c, server_side=True)
        tls.recv(1)
        tls.close()


def silent(t):
    """The address of a listener that accepts nobody."""
    return "127.0.0.1:%d" % t.listener(backlog=512).getsockname()[1]


def closed(t):
    return "127.0.0.1:%d" % free_port(t)


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return f.read().split()


@test
def each_target_has_a_line_and_the_largest_status_is_the_result(t):
    board, nobody = Board(t), closed(t)
    r = t.run("check", *TRUST, "--max-version", "1.2", board.address, nobody,
              board.address, report=False)
    t.eq(r.status, 11, "status")
    lines = r.out.decode().splitlines()
    t.eq(len([x for x in lines if x.startswith(
        board.address + ": ok: TLSv1.2, TLS_ECDHE_")]), 2, "the good ones")
    t.has(r.out.decode(), "%s: 11 connect: connect to %s: Connection refused\n"
          % (nobody, nobody))
    t.eq((len(lines), r.err), (3, "mptls: 3 targets: 2 ok, 1 connect\n"),
         "lines and sum")


@test
def verbose_prints_whole_reports(t):
    board, nobody = Board(t), closed(t)
    r = t.run("check", "-v", *TRUST, board.address, nobody, report=False)
    out = r.out.decode()
    t.eq(sorted(re.findall(r"^target: +(.*)$", out, re.M)),
         sorted([board.address, nobody]), "targets")
    t.eq(sorted(re.findall(r"^verdict: +(\w+)", out, re.M)), ["11", "ok"],
         "verdicts")
    t.has(r.err, "mptls: micropython: OSError(111)\n",
          "mptls: 2 targets: 1 ok, 1 connect\n")


@test
def json_has_a_line_for_each(t):
    board, nobody = Board(t), closed(t)
    r = t.run("check", "--json", *TRUST, board.address, nobody, board.address,
              report=False)
    t.eq((r.status, r.err), (11, ""), "status and stderr")
    t.eq(sorted((x["target"], x["class"]) for x in
                map(json.loads, r.out.splitlines())),
         sorted([(board.address, "ok"), (nobody, "connect"),
                 (board.address, "ok")]), "reports")


@test
def json_in_a_file_is_beside_the_lines(t):
    board, name = Board(t), t.path("json")
    r = t.run("check", "--json=" + name, *TRUST, board.address, board.address,
              report=False)
    t.eq((r.status, len(r.out.splitlines())), (0, 2), "status and lines")
    with open(name, encoding="utf-8") as f:
        t.eq([json.loads(x)["ok"] for x in f], [True, True], "reports")


LIST = """# our boards

  %(good)s\t# the first\r
%(good)s#no
nonsense
[::1
"""


@each([("a file", False), ("stdin", True)])
def a_list(t, stdin):
    board = Board(t)
    data = (LIST % {"good": board.address}).encode()
    f = t.file("list", data)
    name = "stdin" if stdin else f.name
    r = t.run("check", *TRUST, "--targets", "-" if stdin else f.name,
              report=False, **({"stdin": f} if stdin else {}))
    t.eq(r.status, 2, "status")
    lines = r.out.decode().splitlines()
    t.eq(len(lines), 4, "lines")
    for number, text in (4, board.address + "#no"), (5, "nonsense"), (6, "[::1"):
        (line,) = [x for x in lines if x.startswith(text + ": ")]
        t.has(line, ": 2 usage: %s:%d: " % (name[:60], number))
    t.eq(r.err, "mptls: 4 targets: 1 ok, 3 usage\n", "sum")


@test
def one_target_in_a_list_is_reported_in_full(t):
    board = Board(t)
    r = t.run("check", *TRUST, "--targets",
              t.named(board.address.encode()))
    t.eq(r.status, 0, "status")
    t.has(r.out.decode(), "\nverdict:     ok\n")


@each([("an empty list", ("--targets", "/dev/null"), 3, "has no target"),
       ("no such list", ("--targets", "/nowhere"), 3, "/nowhere"),
       ("a wrong operand", ("h:1", "nonsense", "h:2"), 2, "nonsense"),
       ("no job", ("--jobs", "0", "h:1"), 2, "--jobs"),
       ("too many jobs", ("--jobs", "257", "h:1"), 2, "--jobs")])
def bad_lists(t, words, status, say):
    r = t.run("check", *words)
    t.eq((r.status, r.out), (status, b""), "status and stdout")
    t.bad(r, status, "usage" if status == 2 else "file", r.error["code"], say)


@test
def no_two_processes_draw_the_same_random_numbers(t):
    board = Board(t)
    r = t.run("check", *TRUST, "--jobs", "2", *[board.address] * 8,
              report=False)
    t.eq(r.status, 0, "status")
    t.eq((len(board.randoms), len(set(board.randoms))), (8, 8), "randoms")


@test
def a_thousand_targets(t):
    board, quiet = Board(t), silent(t)
    targets = ([board.address] * 970 + [closed(t) for _ in range(20)] +
               [quiet] * 10)
    p = t.start("check", *TRUST, "--handshake-timeout", "3", "--jobs", "32",
                "--targets", t.named("\n".join(targets).encode()),
                report=False)
    most = 0
    for _ in range(20):
        most = max(most, len(os.listdir("/proc/%d/fd" % p.pid)))
        try:
            p.popen.wait(0.05)
            break
        except subprocess.TimeoutExpired:
            pass
    p.popen.wait(60)
    r = p.wait()
    t.eq(r.err, "mptls: 1000 targets: 970 ok, 20 connect, "
         "10 handshake-timeout\n", "sum")
    verdicts = collections.Counter(
        re.match(r"[^ ]*: ([^:]*)", x).group(1)
        for x in r.out.decode().splitlines())
    t.eq(verdicts, {"ok": 970, "11 connect": 20, "20 handshake-timeout": 10},
         "verdicts")
    t.eq(r.status, 20, "status")
    if most > 32 * 3 + 16:
        raise Failed("%d descriptors were open" % most)


@each([("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)])
def a_signal_ends_all(t, number):
    quiet, nobody = silent(t), closed(t)
    r, w = t.pipe()
    p = t.start("check", "--jobs", "3", nobody, quiet, quiet, quiet,
                stdout=w, report=False)
    t.close_pipe(w)
    t.has(os.read(r, 4096).decode(), nobody)
    wait_until("three processes", lambda: len(children(p.pid)) == 3)
    pids = children(p.pid)
    p.signal(number)
    result = p.wait()
    t.eq(result.status, 128 + number, "status")
    t.has(result.err, "mptls: 4 targets: 1 connect, 3 not done\n",
          "mptls: stopped by signal %d" % number)
    for pid in pids:
        if os.path.exists("/proc/" + pid):
            raise Failed("process %s is left" % pid)


@test
def a_process_that_dies_is_told_of(t):
    quiet, nobody = silent(t), closed(t)
    r, w = t.pipe()
    p = t.start("check", "--jobs", "1", nobody, quiet, nobody, stdout=w,
                report=False)
    t.close_pipe(w)
    t.has(read_some(r).decode(), nobody)
    wait_until("the next process", lambda: len(children(p.pid)) == 1)
    os.kill(int(children(p.pid)[0]), signal.SIGKILL)
    rest = b""
    while (more := read_some(r)) != b"":
        rest += more
    t.eq(rest.decode().splitlines()[0], quiet + ": 1 local-io: its process "
         "was ended by signal 9", "its line")
    result = p.wait()
    t.eq((result.status, result.err),
         (11, "mptls: 3 targets: 1 local-io, 2 connect\n"), "status and sum")


@test
def a_process_that_dies_has_a_report(t):
    quiet, name = silent(t), t.path("json")
    p = t.start("check", "--json=" + name, "--jobs", "1", quiet, closed(t),
                report=False)
    wait_until("a process", lambda: len(children(p.pid)) == 1)
    os.kill(int(children(p.pid)[0]), signal.SIGKILL)
    p.wait()
    with open(name, encoding="utf-8") as f:
        first = json.loads(f.readline())
    t.eq((first["target"], first["status"], first["error"]["origin"],
          first["error"]["code"]), (quiet, 1, "os", 0), "its report")
    t.has(first["error"]["text"], "signal 9")


@test
def the_runs_limit_ends_all(t):
    quiet = silent(t)
    r = t.run("check", "--json", "--max-time", "0.3", "--jobs", "2", quiet,
              quiet, quiet, report=False)
    found = [json.loads(x) for x in r.out.splitlines()]
    t.eq(r.status, 42, "status")
    t.eq([x["target"] for x in found if x["class"] != "max-time"], [],
         "other ends")
    t.eq(found[-1]["target"], None, "what ended the run")


@test
def a_closed_pipe_ends_all(t):
    board = Board(t)
    r, w = t.pipe()
    p = t.start("check", *TRUST, "--jobs", "1", *[board.address] * 50,
                stdout=w, report=False)
    t.close_pipe(w)
    os.read(r, 16)
    t.close_pipe(r)
    result = p.wait()
    t.eq((result.status, result.err), (-signal.SIGPIPE, ""),
         "status and stderr")


@test
def a_terminal_is_shown_how_far_it_is(t):
    nobody = closed(t)
    master, slave = pty.openpty()
    p = t.start("check", nobody, nobody, stderr=slave, report=False)
    os.close(slave)
    got = b""
    try:
        while True:
            got += os.read(master, 4096)
    except OSError:
        os.close(master)
    p.popen.wait(10)
    text = got.decode()
    t.has(text, "mptls: 0 of 2 done, 0 failed, 2 running\r")
    t.has(text, "\rmptls: 2 targets: 2 connect\r\n")
