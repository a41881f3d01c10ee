"""--access-log: a line for each connection of a server."""
import concurrent.futures
import errno
import fcntl
import json
import os
import re
import resource
import signal
import socket
import ssl

from harness import (DEADLINE, Failed, ROOT, cert, check_shape, each,
                     read_file, test, wait_until)
from test_server import Client, ended

ANEW = "mptls: --access-log: opened anew "
LINE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) ([\w-]+)"
                  r"((?: \w+=(?:[!#-<>-\[\]-~]+|\"(?:[^\"\\]|\\.)*\"))*)$")
FIELD = re.compile(r" (\w+)=(\"(?:[^\"\\]|\\.)*\"|\S+)")


def lines(path):
    with open(path) as f:
        text = f.read()
    if text and not text.endswith("\n"):
        raise Failed("the last line has no end: %r" % text[-80:])
    return text.splitlines()


def parsed(line):
    m = LINE.match(line)
    if not m:
        raise Failed("no line of a log: %r" % line)
    return m.group(2), m.group(3), dict(FIELD.findall(m.group(4)))


def logged(t, *args, **kw):
    """A server of many, and its log."""
    path = t.path("log")
    server = t.serve("--echo", "--keep-open", "--access-log", path, *args,
                     **kw)
    return server, path


def has_lines(path, n):
    wait_until("%d lines" % n, lambda: len(lines(path)) == n)


def plain(t, server, data):
    """A client that speaks no TLS."""
    s = t.tcp(server.address)
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096) != b"":
            pass
    except OSError as e:
        if e.errno not in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN):
            raise
    s.close()


def reset(s):
    """Close with an RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                 b"\1\0\0\0\0\0\0\0")
    s.close()


def all_kinds(t, server):
    """A client of each; returns the classes that are to be logged."""
    Client(t, server).echoes(b"hello").leave()
    plain(t, server, b"GET / HTTP/1.0\r\n\r\n")
    Client(t, server).echoes(b"x").s.close()
    reset(Client(t, server).echoes(b"x").s)
    t.tcp(server.address).close()
    t.eq(t.run("connect", "--cafile", cert("other-root.pem"),
               server.address).status, 30, "who does not trust us")
    return ["ok", "not-tls", "truncated", "reset", "closed-in-handshake",
            "alert"]


def classes(t, found, server):
    """Each kind once; what they are called is the exit status's to say."""
    r = ended(t, server, 143)
    t.eq(sorted(found), sorted(x["class"] for x in r.reports[:-1]),
         "the classes in the log, and in the reports")
    return r


@test
def each_connection_has_a_line(t):
    server, path = logged(t)
    n = len(all_kinds(t, server))
    has_lines(path, n)
    server.signal(signal.SIGTERM)
    got = [parsed(x) for x in lines(path)]
    r = classes(t, [x[1] for x in got], server)
    t.eq(sorted(x[0] for x in got), sorted(x["peer"] for x in r.reports[:-1]),
         "the clients")
    ok = [f for _, c, f in got if c == "ok"]
    t.eq(len(ok), 1, "how many went well")
    t.eq((ok[0]["version"], ok[0]["sni"], ok[0]["in"], ok[0]["out"],
          "message" in ok[0]), ("TLSv1.3", "localhost", "5", "5", False),
         "what is known of it")
    for _, c, f in got:
        t.eq("message" in f, c != "ok", "a message for %s" % c)
        t.eq(float(f["total_ms"]) > 0, True, "its time")


@test
def each_connection_has_an_object(t):
    server, path = logged(t, "--log-format", "json")
    n = len(all_kinds(t, server))
    has_lines(path, n)
    server.signal(signal.SIGTERM)
    got = [json.loads(x) for x in lines(path)]
    r = classes(t, [x["class"] for x in got], server)
    reports = {x["peer"]: x for x in r.reports[:-1]}
    for line in got:
        check_shape(line)
        report = reports[line["peer"]]
        for key in ("ok", "status", "class", "bytes", "exec"):
            t.eq(line[key], report[key], key)
        t.eq(line["text"], report["error"] and report["error"]["text"], "text")
        for key in ("version", "cipher", "alpn"):
            t.eq(line[key], report["tls"][key], key)


@each([("a good one", "client-ec256", "ok"),
       ("none", None, "no-peer-certificate"),
       ("one of others", "client-self-signed", "untrusted"),
       ("an old one", "client-expired", "expired")])
def a_certificate_of_the_client(t, name, wanted):
    server, path = logged(t, "--verify", "required", "--cafile",
                          cert("root.pem"))
    own = ("--cert", cert(name + ".pem"), "--key", cert(name + "-key.pem")) \
        if name else ()
    t.run("connect", "--cafile", cert("root.pem"), *own, server.address)
    has_lines(path, 1)
    _, found, fields = parsed(lines(path)[0])
    t.eq(found, wanted, "the class")
    t.eq("subject" in fields, name is not None, "its subject is told")
    server.signal(signal.SIGTERM)
    ended(t, server, 143)


@test
def the_pipe_and_a_single_client_have_one_too(t):
    for args in ((), ("--echo",), ("--keep-open",)):
        path = t.path("log")
        server = t.serve("--access-log", path, *args)
        t.run("connect", "--cafile", cert("root.pem"), server.address)
        has_lines(path, 1)
        t.eq(parsed(lines(path)[0])[1], "ok", "its class")


@test
def a_client_cannot_forge_a_line(t):
    server, path = logged(t, "--verify", "optional", "--cafile",
                          cert("root.pem"))
    context = ssl.create_default_context(
        cafile=os.path.join(ROOT, cert("root.pem")))
    context.check_hostname = False
    hello = bytearray()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    o = context.wrap_bio(incoming, outgoing, server_hostname="n" * 24)
    try:
        o.do_handshake()
    except ssl.SSLWantReadError:
        hello += outgoing.read()
    evil = b'"\n2026 1.2.3.4:5 ok\x1b[2J\\'.ljust(24, b"x")[:24]
    plain(t, server, bytes(hello).replace(b"n" * 24, evil))
    has_lines(path, 1)
    peer, _, fields = parsed(lines(path)[0])
    t.eq(fields.get("sni", "").isascii(), True, "what it asked for")
    t.eq("1.2.3.4:5" in peer, False, "the client")


@test
def sigusr1_opens_it_anew(t):
    """As logrotate does it, with clients coming meanwhile."""
    server, path = logged(t)
    total, files = 200, []

    def come():
        for _ in range(total):
            Client(t, server).leave()

    def all_lines():
        return sum(read_file(x).count(b"\n") for x in files + [path]
                   if os.path.exists(x))

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        coming = pool.submit(come)
        for i in range(10):
            wait_until("more lines", lambda: all_lines() > 18 * i)
            name = "%s.%d" % (path, i)
            os.rename(path, name)
            files.append(name)
            server.signal(signal.SIGUSR1)
            wait_until("it is said",
                       lambda: server.stderr().count(ANEW) == i + 1)
        coming.result()
    Client(t, server).leave()
    wait_until("every line", lambda: all_lines() == total + 1)
    for name in files + [path]:
        t.eq({parsed(x)[1] for x in lines(name)} - {"ok"}, set(),
             "other classes in " + name)
    server.signal(signal.SIGTERM)
    ended(t, server, 143)


@test
def the_old_file_stays_if_the_new_one_cannot_be_opened(t):
    folder = t.path("dir")
    os.mkdir(folder)
    path = os.path.join(folder, "log")
    server = t.serve("--echo", "--keep-open", "--access-log", path,
                     "--no-landlock")
    os.rename(folder, folder + ".gone")
    server.signal(signal.SIGUSR1)
    wait_until("the line", lambda: "the old file stays" in server.stderr())
    t.has(server.stderr(), path, "No such file or directory")
    Client(t, server).leave()
    has_lines(os.path.join(folder + ".gone", "log"), 1)
    server.signal(signal.SIGTERM)
    ended(t, server, 143)


@test
def a_full_disk_is_said_once(t):
    server = t.serve("--echo", "--keep-open", "--access-log", "/dev/full",
                     "--no-landlock")
    for _ in range(3):
        Client(t, server).echoes(b"x").leave()
    server.signal(signal.SIGTERM)
    r = ended(t, server, 143)
    t.eq(r.err.count("cannot write /dev/full: No space left on device"), 1,
         "lines about it")
    t.has(r.err, "cannot write /dev/full: 3 lines are lost\n")
    t.eq(len(r.reports), 4, "reports")


@test
def it_is_appended_to_and_private(t):
    path = t.path("log")
    with open(path, "w") as f:
        f.write("before\n")
    server = t.serve("--echo", "--access-log", path)
    Client(t, server).leave()
    t.ok(server.wait())
    t.eq(len(lines(path)), 2, "lines")
    t.eq(lines(path)[0], "before", "the first")
    fresh = t.path("log")
    server = t.serve("--echo", "--access-log", fresh)
    t.eq(os.stat(fresh).st_mode & 0o137, 0, "what others may")
    Client(t, server).leave()
    t.ok(server.wait())


@each([("a folder that is not there", "%s/no/log", 3),
       ("a folder", "%s", 3), ("nothing", "", 2)])
def a_log_cannot_be(t, name, status):
    folder = t.path("dir")
    os.mkdir(folder)
    name = name % folder if "%s" in name else name
    r = t.run("serve", "--cert", cert("server-ec256.pem"), "--key",
              cert("server-ec256-key.pem"), "--echo", "--access-log", name,
              "127.0.0.1:0")
    t.eq(r.status, status, "status of " + r.err)
    t.has(r.error["text"], "--access-log", name)
    t.eq(r.error["origin"], "file" if status == 3 else "usage", "origin")


@test
def a_format_wants_a_log(t):
    t.usage(["serve", "--cert", cert("server-ec256.pem"), "--key",
             cert("server-ec256-key.pem"), "--echo", "--log-format", "json",
             "127.0.0.1:0"], "--log-format wants --access-log",
            command="serve")


@test
def without_a_log_sigusr1_ends_the_server(t):
    server = t.serve("--echo", "--keep-open")
    server.signal(signal.SIGUSR1)
    t.eq(server.popen.wait(DEADLINE), -signal.SIGUSR1, "status")


@test
def a_disk_that_has_room_again_is_said(t):
    path = t.path("log")
    os.symlink("/dev/full", path)
    server = t.serve("--echo", "--keep-open", "--access-log", path,
                     "--no-landlock")
    Client(t, server).echoes(b"x").leave()
    wait_until("it is said", lambda: "cannot write" in server.stderr())
    os.remove(path)
    server.signal(signal.SIGUSR1)
    wait_until("the line", lambda: ANEW in server.stderr())
    Client(t, server).echoes(b"x").leave()
    has_lines(path, 1)
    server.signal(signal.SIGTERM)
    r = ended(t, server, 143)
    t.has(r.err, "mptls: --access-log: can write again %s: "
          "1 line is lost\n" % path)


@test
def a_line_that_was_cut_takes_no_other_with_it(t):
    """The limit is as a disk that fills up; it must not kill the server."""
    server, path = logged(t, report=False)
    Client(t, server).echoes(b"x").leave()
    has_lines(path, 1)
    size = os.path.getsize(path)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size + 20, size * 9))
    Client(t, server).echoes(b"x").leave()
    wait_until("it is said", lambda: "cannot write" in server.stderr())
    t.has(server.stderr(), "File too large")
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size * 9, size * 9))
    Client(t, server).echoes(b"x").leave()
    wait_until("it can again", lambda: "1 line is lost" in server.stderr())
    got = lines(path)
    t.eq((len(got), parsed(got[0])[1], len(got[1]), parsed(got[2])[1]),
         (3, "ok", 20, "ok"), "the classes, and what is left between")
    server.signal(signal.SIGTERM)
    ended(t, server, 143)


@test
def a_pipe_that_nobody_empties_holds_no_client(t):
    path = t.path("log")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    t.on_exit(lambda: os.close(reader))
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    server = t.serve("--echo", "--keep-open", "--access-log", path)
    for _ in range(30):
        Client(t, server).echoes(b"x").leave()
    wait_until("it is said", lambda: "cannot write" in server.stderr())
    server.signal(signal.SIGTERM)
    ended(t, server, 143)


@test
def the_name_of_a_local_socket_is_one_word(t):
    folder = t.path("a dir")
    os.mkdir(folder)
    where = os.path.join(folder, "s")
    path = t.path("log")
    server = t.serve("--echo", "--access-log", path, where="unix:" + where)
    s = socket.socket(socket.AF_UNIX)
    s.connect(where)
    s.close()
    server.wait()
    t.eq(lines(path)[0].split(" closed-in-handshake ")[0][25:],
         '"unix:%s"' % where, "the client")
