"""serve --workers: several processes on one port, and what becomes of them."""
import json
import os
import pty
import select
import signal
import socket
import ssl

from harness import (DEADLINE, Failed, ROOT, Skipped, cert, descriptors, each,
                     read_file, read_some, test, wait_until)
from test_jail import need_root, status
from test_reload import DONE, KEPT, copy, empty, subject
from test_server import Client, by_status, ended


def start(t, n, *args, mode="--echo", **kw):
    server = t.serve(mode, "--keep-open", "--workers", str(n), *args, **kw)
    wait_until("all run", lambda: len(children(server.pid)) == n)
    return server


def children(pid):
    """Those of a process, in the order of their start."""
    with open("/proc/%d/task/%d/children" % (pid, pid), "rb") as f:
        return [int(x) for x in f.read().split()]


def events(server):
    """What the server wrote about its workers."""
    found = [json.loads(x)
             for x in read_file(server.json_name).decode().splitlines()]
    return [x for x in found if x["event"] == "worker"]


def reported(name, n):
    """Wait until a file has the reports of n clients."""
    wait_until("%d reports" % n, lambda: read_file(name).count(
        b'"event":"connection"') == n)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with open("/proc/%d/stat" % pid, "rb") as f:
        return f.read().rpartition(b")")[2].split()[0] == b"Z"


def ports_of(pid):
    """The peers' ports of a process's connections."""
    inodes = set()
    try:
        names = os.listdir("/proc/%d/fd" % pid)
    except PermissionError as e:  # it has a key, and nobody may look at it
        raise Skipped("it takes root: %s" % e) from e
    for name in names:
        try:
            target = os.readlink("/proc/%d/fd/%s" % (pid, name))
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [x.split() for x in f.readlines()[1:]]
    return {int(x[2].split(":")[1], 16) for x in rows if x[9] in inodes}


def clients_of(t, server, n):
    """n echo clients, each with the process that serves it."""
    pids = children(server.pid)
    clients = [Client(t, server).echoes(b"hello") for _ in range(n)]
    ports = {pid: ports_of(pid) for pid in pids}
    for c in clients:
        port = c.s.getsockname()[1]
        c.pid = [pid for pid in pids if port in ports[pid]][0]
    return clients


def refuses(server):
    """Wait until nobody listens on the server's port any more."""
    port = int(server.address.rsplit(":", 1)[1])

    def nobody():
        with open("/proc/net/tcp", encoding="ascii") as f:
            rows = [x.split() for x in f.readlines()[1:]]
        return not any(x[3] == "0A" and int(x[1].split(":")[1], 16) == port
                       for x in rows)
    wait_until("the listener is closed", nobody)


@test
def workers_share_the_clients(t):
    server = start(t, 4)
    pids = children(server.pid)
    t.eq(len(pids), 4, "processes")
    clients = clients_of(t, server, 64)
    if len({c.pid for c in clients}) < 2:
        raise Failed("all 64 clients are with one of 4 processes")
    for c in clients:
        c.leave()
    server.signal(signal.SIGTERM)
    r = ended(t, server, 143)
    t.eq(by_status(r), [0] * 64, "how they ended")
    t.eq([x for x in pids if not gone(x)], [], "processes that are left")


@test
def one_that_is_killed_is_replaced(t):
    server = start(t, 3)
    before = children(server.pid)
    clients = clients_of(t, server, 20)
    victim = clients[0].pid
    os.kill(victim, signal.SIGKILL)
    wait_until("the line", lambda: "started anew" in server.stderr())
    event = events(server)[0]
    t.has(server.stderr(), "mptls: worker %d (pid %d) was killed by signal 9; "
          "started anew as pid %d\n"
          % (before.index(victim) + 1, victim, event["next"]))
    t.eq((event["worker"], event["pid"], event["signal"], event["status"],
          event["delay_ms"], event["text"]),
         (before.index(victim) + 1, victim, 9, None, None, None), "the event")
    t.eq(sorted(children(server.pid)),
         sorted(set(before) - {victim} | {event["next"]}), "processes")
    for c in clients:
        if c.pid != victim:
            c.echoes(b"still here")
    for _ in range(20):
        Client(t, server).echoes(b"new").leave()
    server.signal(signal.SIGINT)
    ended(t, server, 130)


@test
def one_that_dies_again_and_again_is_started_later(t):
    """And nobody else suffers from it."""
    server = start(t, 2)
    client = clients_of(t, server, 1)[0]
    for n in range(3):
        victim = [x for x in children(server.pid) if x != client.pid][0]
        os.kill(victim, signal.SIGKILL)
        wait_until("a line", lambda n=n: len(events(server)) == n + 1)
        client.echoes(b"x")
        wait_until("a successor", lambda: len(children(server.pid)) == 2)
    said = events(server)
    t.eq(len({x["worker"] for x in said}), 1, "how many died")
    t.eq([x["delay_ms"] for x in said], [None, 100, 200], "delays")
    t.eq([x["next"] is None for x in said], [False, True, True],
         "whether one was started at once")
    t.has(server.stderr(), "was killed by signal 9; started anew in 200 ms\n")
    server.signal(signal.SIGTERM)
    client.leave()
    ended(t, server, 143)


@each([("drain", signal.SIGTERM), ("int", signal.SIGINT)])
def a_signal_to_the_parent_reaches_all(t, number):
    server = start(t, 3, "--drain-timeout", "1h")
    clients = [Client(t, server).echoes(b"x") for _ in range(12)]
    server.signal(number)
    if number == signal.SIGTERM:
        refuses(server)
        for c in clients:
            c.echoes(b"still here").leave()
    else:
        for c in clients:
            c.ends()
    r = ended(t, server, 128 + number)
    t.eq(by_status(r),
         [0 if number == signal.SIGTERM else 130] * 12, "how they ended")
    t.bad(r, 128 + number, "signal", number, "a client")
    t.eq(r.err.count("stopped by signal"), 1, "lines about it")


@test
def sigint_ends_a_drain(t):
    server = start(t, 2, "--drain-timeout", "1h")
    clients = [Client(t, server).echoes(b"x") for _ in range(6)]
    server.signal(signal.SIGTERM)
    refuses(server)
    server.signal(signal.SIGINT)
    for c in clients:
        c.ends()
    ended(t, server, 143)


@test
def a_drain_has_an_end(t):
    server = start(t, 2, "--drain-timeout", "200ms")
    clients = [Client(t, server).echoes(b"x") for _ in range(6)]
    server.signal(signal.SIGTERM)
    for c in clients:
        c.ends()
    t.eq(by_status(ended(t, server, 143)), [143] * 6, "how they ended")


@test
def a_terminal_signals_once(t):
    """^C reaches every process of the group; so does a service manager."""
    server = start(t, 3, "--drain-timeout", "1h", start_new_session=True)
    clients = [Client(t, server).echoes(b"x") for _ in range(6)]
    os.killpg(server.pid, signal.SIGTERM)
    for c in clients:
        c.echoes(b"still here").leave()
    t.eq(events(server), [], "workers that died")
    t.eq(by_status(ended(t, server, 143)), [0] * 6, "how they ended")
    server = start(t, 3, start_new_session=True)
    clients = [Client(t, server).echoes(b"x") for _ in range(6)]
    os.killpg(server.pid, signal.SIGINT)
    for c in clients:
        c.ends()
    t.eq(events(server), [], "workers that died")
    ended(t, server, 130)


@each([("killed", (signal.SIGKILL,)),
       ("signalled twice", (signal.SIGTERM, signal.SIGTERM))])
def no_worker_outlives_its_parent_when_that_is(t, numbers):
    server = start(t, 3, "--drain-timeout", "1h")
    pids = children(server.pid)
    clients = [Client(t, server).echoes(b"x") for _ in range(6)]
    for n, number in enumerate(numbers):
        if n > 0:  # a second one right away would be the same
            refuses(server)
        server.signal(number)
    t.eq(server.popen.wait(DEADLINE), -numbers[-1], "status")
    for c in clients:
        try:
            t.eq(c.s.recv(1), b"", "the end")
        except (ConnectionResetError, ssl.SSLEOFError):
            pass
    wait_until("all are gone", lambda: all(gone(x) for x in pids))


@test
def sighup_reloads_in_all(t):
    c, k = copy(t, "server-ec256.pem"), copy(t, "server-ec256-key.pem")
    server = start(t, 3, "--cert", c, "--key", k, name=None)
    copy(t, "server-rsa2048.pem", c)
    copy(t, "server-rsa2048-key.pem", k)
    server.signal(signal.SIGHUP)
    wait_until("a line of each", lambda: server.stderr().count(DONE) == 3)
    for _ in range(20):
        t.eq(subject(t, server), "RSA 2048", "the key after SIGHUP")
    # A successor has it as well, and bad files change nothing.
    empty(c)
    server.signal(signal.SIGHUP)
    wait_until("a line of each", lambda: server.stderr().count(KEPT) == 3)
    for pid in children(server.pid):
        os.kill(pid, signal.SIGKILL)
    wait_until("three successors", lambda: len(events(server)) == 3)
    for _ in range(10):
        t.eq(subject(t, server), "RSA 2048", "the key of successors")
    server.signal(signal.SIGTERM)
    ended(t, server, 143)


@test
def sigusr1_opens_the_log_anew_in_all(t):
    log = t.path("log")
    server = start(t, 3, "--access-log", log)
    os.rename(log, log + ".1")
    server.signal(signal.SIGUSR1)
    wait_until("a line of each",
               lambda: server.stderr().count("opened anew") == 3)
    os.kill(children(server.pid)[0], signal.SIGKILL)
    wait_until("a successor", lambda: events(server) != [])
    for _ in range(20):
        Client(t, server).echoes(b"x").leave()
    server.signal(signal.SIGTERM)
    ended(t, server, 143)
    with open(log, encoding="ascii") as f:
        t.eq(len(f.readlines()), 20, "lines in the new log")
    t.eq(os.path.getsize(log + ".1"), 0, "bytes in the old one")


@test
def max_time_ends_all_workers(t):
    server = start(t, 3, "--max-time", "1s")
    clients = [Client(t, server).echoes(b"x") for _ in range(6)]
    for c in clients:
        c.ends()
    r = ended(t, server, 42)
    t.bad(r, 42, "max-time", 1000, "for the whole run", "a client")
    t.eq(by_status(r), [42] * 6, "how they ended")
    t.eq("worker" in r.err, False, "that a worker died")


@test
def max_conns_is_for_all_together(t):
    server = start(t, 2, "--max-conns", "5")
    waiting = [t.tcp(server.address) for _ in range(40)]
    wait_until("five are accepted", lambda: sum(
        len(ports_of(x) - {0}) for x in children(server.pid)) == 5)
    for s in waiting:
        s.close()
    server.signal(signal.SIGINT)
    ended(t, server, 130)


@test
def workers_share_a_local_socket(t):
    path = t.path("sock")
    server = start(t, 3, "--no-landlock", where="unix:" + path)
    for _ in range(10):
        s = socket.socket(socket.AF_UNIX)
        t.on_exit(s.close)
        s.settimeout(DEADLINE)
        s.connect(path)
        c = ssl.create_default_context(cafile=os.path.join(
            ROOT, cert("root.pem"))).wrap_socket(
                s, server_hostname="localhost")
        c.sendall(b"x")
        t.eq(c.recv(1), b"x", "what came back")
        c.unwrap().close()
    reported(server.json_name, 10)
    os.kill(children(server.pid)[0], signal.SIGKILL)
    wait_until("a successor", lambda: events(server) != [])
    t.eq(os.path.exists(path), True, "the socket, after one has died")
    server.signal(signal.SIGTERM)
    t.eq(by_status(ended(t, server, 143)), [0] * 10, "how they ended")
    t.eq(os.path.exists(path), False, "the socket in the end")


@test
def who_waits_for_one_that_is_killed_is_served_by_its_successor(t):
    """The parent keeps each worker's own queue."""
    server = start(t, 2)
    pids = children(server.pid)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    waiting = [t.tcp(server.address) for _ in range(20)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    context = ssl.create_default_context(
        cafile=os.path.join(ROOT, cert("root.pem")))
    for s in waiting:
        c = context.wrap_socket(s, server_hostname="localhost")
        c.sendall(b"x")
        t.eq(c.recv(1), b"x", "what came back")
        c.unwrap().close()
    server.signal(signal.SIGTERM)
    ended(t, server, 143)


@test
def reports_of_many_processes_stay_whole(t):
    """harness.py parses each; here they come at the same time."""
    server = start(t, 4, "--trace", mode="--discard")
    procs = [t.start("connect", "--cafile", cert("root.pem"), server.address,
                     stdin=b"x" * 1000) for _ in range(40)]
    for p in procs:
        t.ok(p.wait())
    server.signal(signal.SIGTERM)
    r = ended(t, server, 143)
    t.eq(by_status(r), [0] * 40, "how they ended")
    t.eq({x["bytes"]["in"] for x in r.reports[:-1]}, {1000}, "bytes")


@test
def json_on_stderr_stays_whole(t):
    err = t.file("err")
    server = start(t, 3, "--json", stderr=err)
    for _ in range(10):
        Client(t, server).echoes(b"x").leave()
    reported(err.name, 10)
    os.kill(children(server.pid)[0], signal.SIGKILL)
    wait_until("the event", lambda: b'"worker"' in read_file(err.name))
    server.signal(signal.SIGTERM)
    t.eq(server.popen.wait(DEADLINE), 143, "status")
    said = [json.loads(x) for x in read_file(err.name).splitlines()]
    t.eq([x["event"] for x in said].count("connection"), 11, "reports")


@test
def workers_are_another_user_and_so_are_their_successors(t):
    need_root(t)
    server = start(t, 2, "--user", "54321:54322")
    before = children(server.pid)
    os.kill(before[0], signal.SIGKILL)
    wait_until("a successor", lambda: events(server) != [])
    for pid in [server.pid] + children(server.pid):
        t.eq(status(pid)["Uid"], ["54321"] * 4, "Uid")
    for _ in range(10):
        Client(t, server).echoes(b"x").leave()
    server.signal(signal.SIGINT)
    ended(t, server, 130)


@test
def workers_run_commands(t):
    server = start(t, 2, mode="--sh=read x; echo $x; exit 3")
    for _ in range(8):
        c = Client(t, server)
        c.s.sendall(b"hello\n")
        t.eq(c.s.recv(100), b"hello\n", "its answer")
        c.ends()
    server.signal(signal.SIGTERM)
    r = ended(t, server, 143)
    t.eq([x["exec"]["status"] for x in r.reports[:-1]], [3] * 8, "statuses")


@test
def workers_end_with_their_terminal(t):
    """Which signals every process of the group, but none of them dies of it."""
    ours, theirs = pty.openpty()
    server = start(t, 2, stdin=theirs, start_new_session=True)
    t.on_exit(lambda: os.close(theirs))
    c = Client(t, server).echoes(b"x")
    os.close(ours)
    gone_now = select.poll()
    gone_now.register(theirs, 0)
    wait_until("the terminal is gone", lambda: gone_now.poll(0) != [])
    os.killpg(server.pid, signal.SIGHUP)
    c.ends()
    t.eq(events(server), [], "workers that died")
    t.bad(ended(t, server, 129), 129, "signal", 1, "the terminal is gone")


@test
def no_descriptor_is_left_of_those_that_died(t):
    server = start(t, 2)
    server.signal(signal.SIGHUP)  # whoever hears it has started all
    wait_until("a line of each", lambda: server.stderr().count(DONE) == 2)
    before = len(descriptors(server))
    for n in range(3):
        os.kill(children(server.pid)[0], signal.SIGKILL)
        wait_until("a line", lambda n=n: len(events(server)) == n + 1)
        wait_until("both run", lambda: len(children(server.pid)) == 2)
    wait_until("no descriptor is left of them",
               lambda: len(descriptors(server)) == before)
    server.signal(signal.SIGTERM)
    ended(t, server, 143)


@each([("the pipe", ("--keep-open", "--workers", "2"), "a mode"),
       ("one client", ("--echo", "--workers", "2"), "--keep-open"),
       ("too few", ("--echo", "--keep-open", "--workers", "3", "--max-conns",
                    "2"), "--max-conns 2 is not enough for --workers 3"),
       ("none", ("--echo", "--keep-open", "--workers", "0"), "0"),
       ("too many", ("--echo", "--keep-open", "--workers", "65"), "65"),
       ("a word", ("--echo", "--keep-open", "--workers", "few"), "few")])
def workers_make_no_sense_for(t, args, said):
    t.usage(["serve", "--cert", cert("server-ec256.pem"), "--key",
             cert("server-ec256-key.pem"), *args, "127.0.0.1:0"], said,
            "--workers", command="serve")


@test
def workers_that_cannot_be_started(t):
    """A descriptor for each, and its listener, are more than there may be."""
    r = t.run("serve", "--cert", cert("server-ec256.pem"), "--key",
              cert("server-ec256-key.pem"), "--echo", "--keep-open",
              "--workers", "24", "127.0.0.1:0", wrap=("sh", "-c",
              'ulimit -n 40 && exec "$@"', "sh"))
    t.bad(r, 1, "os", 24, "start worker ", " of 24: Too many open files")
