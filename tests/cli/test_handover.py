"""Sockets that a service manager hands over, unix sockets, and readiness."""
import os
import signal
import socket
import ssl
import subprocess

from harness import (DEADLINE, Failed, ROOT, cert, each, test, wait_until)

KEYS = ("--cert", cert("server-ec256.pem"), "--key",
        cert("server-ec256-key.pem"))


def context():
    return ssl.create_default_context(
        cafile=os.path.join(ROOT, cert("root.pem")))


def talk(t, s, word=b"hello"):
    s.settimeout(DEADLINE)
    tls = context().wrap_socket(s, server_hostname="localhost")
    t.on_exit(tls.close)
    tls.sendall(word)
    t.eq(tls.recv(100), word, "what came back")
    tls.unwrap()
    return tls


def activated(t, sockets, *args, pid=None, fds=None, env=None, **kw):
    """As systemd starts it: the sockets from descriptor 3 on, and LISTEN_PID
    the server's own, which sh can know only by exec."""
    keep = {3 + i: s for i, s in enumerate(sockets)}
    moved = []
    for to, s in keep.items():
        high = os.dup(s.fileno())
        os.set_inheritable(high, True)
        moved.append((high, to))
    script = "".join("exec %d<&%d; " % (to, high) for high, to in moved)
    script += "".join("exec %d<&-; " % high for high, _ in moved
                      if high not in keep)
    script += 'export LISTEN_PID=%s LISTEN_FDS=%s; exec "$@"' % (
        pid or "$$", fds or len(sockets))
    p = t.start("serve", *KEYS, *args,
                wrap=("bash", "-c", script, "sh"), env=env,
                pass_fds=[high for high, _ in moved], **kw)
    for high, _ in moved:
        os.close(high)
    return p


def listener(t, family=socket.AF_INET, address=("127.0.0.1", 0)):
    s = socket.socket(family)
    t.on_exit(s.close)
    s.bind(address)
    s.listen(8)
    return s


def ended(t, p, status):
    r = p.wait()
    t.eq(r.status, status, "exit status: %s" % r.err)
    return r


@each([("with many clients", ("--keep-open",)),
       ("with workers", ("--keep-open", "--workers", "2"))])
def sockets_are_listened_on(t, args):
    path = os.path.join(t.dir, "s")
    ip, local = listener(t), listener(t, socket.AF_UNIX, path)
    p = activated(t, [ip, local], "--echo", *args)
    wait_until("both lines", lambda: p.stderr().count("listening on ") == 2)
    for _ in range(3):
        talk(t, socket.create_connection(ip.getsockname(), DEADLINE))
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        talk(t, s)
    t.has(p.stderr(), "listening on unix:" + path)
    p.signal(signal.SIGTERM)
    ended(t, p, 143)
    t.eq(os.path.exists(path), True, "it is not ours to remove")


@test
def a_socket_is_there_before_the_server(t):
    """Who connected to it is served."""
    ip = listener(t)
    early = socket.create_connection(ip.getsockname(), DEADLINE)
    p = activated(t, [ip], "--echo")
    talk(t, early)
    t.ok(p.wait())


@each([("another process", "1", None), ("nobody: there are none", None, "0")])
def these_sockets_are_for(t, pid, fds):
    p = activated(t, [listener(t)], "--echo", "127.0.0.1:0", pid=pid, fds=fds)
    wait_until("the line", lambda: "listening on 127" in p.stderr())
    p.signal(signal.SIGTERM)
    ended(t, p, 143)


@test
def what_is_handed_over_is_not_handed_on(t):
    ip = listener(t)
    p = activated(t, [ip], "--sh", "echo ${LISTEN_FDS-none}"
                  " ${LISTEN_PID-none} ${NOTIFY_SOCKET-none};"
                  " exec ls /proc/self/fd",
                  env={"NOTIFY_SOCKET": os.path.join(t.dir, "no")})
    s = context().wrap_socket(
        socket.create_connection(ip.getsockname(), DEADLINE),
        server_hostname="localhost")
    got = b""
    while True:
        more = s.recv(100)
        if more == b"":
            break
        got += more
    # ls has one of its own, of the folder.
    t.eq(got.split(), [b"none"] * 3 + [b"0", b"1", b"2", b"3"],
         "the environment and the descriptors")
    s.unwrap()
    p.wait()


@each([("no number", "x"), ("too many", "99")])
def listen_fds_cannot_be(t, value):
    r = activated(t, [listener(t)], "--echo", fds=value).wait()
    t.bad(r, 2, "usage", 0, "LISTEN_FDS", value)


@test
def what_does_not_listen_is_refused(t):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    t.on_exit(s.close)
    r = activated(t, [s], "--echo").wait()
    t.bad(r, 2, "usage", 0, "descriptor 3")


@test
def an_address_and_sockets_are_one_or_the_other(t):
    r = activated(t, [listener(t)], "--echo", "127.0.0.1:0").wait()
    t.bad(r, 2, "usage", 0, "LISTEN_FDS and 127.0.0.1:0")


def pair(t):
    """A connection, and its other end."""
    where = listener(t)
    ours = socket.create_connection(where.getsockname(), DEADLINE)
    t.on_exit(ours.close)
    theirs = where.accept()[0]
    t.on_exit(theirs.close)
    return ours, theirs


@each([("systemd's Accept=yes", False), ("inetd", True)])
def a_connection_is_served(t, inetd):
    for mode in (("--echo",), ("--exec", "cat")):
        ours, theirs = pair(t)
        if inetd:
            p = t.start("serve", *KEYS, *mode, "--inetd", stdin=theirs)
        else:
            p = activated(t, [theirs], *mode)
        theirs.close()
        port = ours.getsockname()[1]
        talk(t, ours)
        r = t.ok(p.wait())
        t.eq(r.report["peer"], "127.0.0.1:%d" % port, "its address")


@each([("--echo", "--echo"), ("--discard", "--discard")])
def a_connection_that_others_have_too_is_ended(t, mode):
    """Whoever started the server has not closed it: a shell, say."""
    ours, theirs = pair(t)
    p = t.start("serve", *KEYS, mode, "--inetd", stdin=theirs)
    ours.settimeout(DEADLINE)
    tls = context().wrap_socket(ours, server_hostname="localhost")
    raw = tls.unwrap()
    t.on_exit(raw.close)
    try:
        t.eq(raw.recv(100), b"", "the end")
    except TimeoutError as e:
        raise Failed("no end of TCP after close_notify") from e
    t.ok(p.wait())


@test
def nothing_else_is_written_to_a_connection(t):
    """inetd has it as stdout and stderr, too."""
    ours, theirs = pair(t)
    p = t.start("serve", *KEYS, "--inetd", "--echo", "-v", stdin=theirs,
                stdout=theirs, stderr=theirs)
    theirs.close()
    ours.sendall(b"GET / HTTP/1.0\r\n\r\n")
    got = b""
    while True:
        try:
            more = ours.recv(4096)
        except ConnectionResetError:
            break
        if more == b"":
            break
        got += more
    t.eq(got[:1] in (b"", b"\x15"), True, "more than an alert: %r" % got)
    t.eq(b"mptls" in got, False, "a message: %r" % got)
    t.eq(p.popen.wait(DEADLINE), 23, "exit status")


@test
def a_wrong_option_is_not_written_to_it_either(t):
    ours, theirs = pair(t)
    p = t.start("serve", "--inetd", "--echo", "--max-conns", "x", stdin=theirs,
                stdout=theirs, stderr=theirs, report=False)
    theirs.close()
    t.eq(p.popen.wait(DEADLINE), 2, "exit status")
    t.eq(ours.recv(100), b"", "what came")


@each([("no connection", (), "standard input is no connection"),
       ("--keep-open", ("--keep-open",), "--inetd and --keep-open"),
       ("an address", ("127.0.0.1:0",), "--inetd and 127.0.0.1:0"),
       ("no mode", (), "wants a mode")])
def inetd_is_refused_with(t, args, said):
    _, theirs = pair(t)
    mode = () if said == "wants a mode" else ("--echo",)
    stdin = subprocess.DEVNULL if "no connection" in said else theirs
    r = t.run("serve", *KEYS, "--inetd", *mode, *args, stdin=stdin)
    t.bad(r, 2, "usage", 0, said)


@each([("a path", False), ("an abstract name", True)])
def the_manager_is_told(t, abstract):
    name = os.path.join(t.dir, "notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    t.on_exit(manager.close)
    manager.settimeout(DEADLINE)
    manager.bind("\0" + name if abstract else name)
    env = {"NOTIFY_SOCKET": ("@" if abstract else "") + name}
    for args in ((), ("--echo",), ("--echo", "--workers", "2")):
        p = t.serve("--keep-open", *args, env=env)
        t.eq(manager.recv(1000).decode(),
             "READY=1\nSTATUS=listening on " + p.address, "the first word")
        p.signal(signal.SIGHUP)
        t.has(manager.recv(1000).decode(), "RELOADING=1\nMONOTONIC_USEC=")
        t.eq(manager.recv(1000), b"READY=1", "after the reload")
        p.signal(signal.SIGTERM)
        t.eq(manager.recv(1000), b"STOPPING=1", "the last word")
        ended(t, p, 143)
        manager.setblocking(False)
        try:
            while manager.recv(1000) == b"STOPPING=1":
                pass
            raise Failed("more than that")
        except BlockingIOError:
            manager.settimeout(DEADLINE)


@test
def nobody_needs_a_manager(t):
    for where in ("/no/such/socket", "nonsense", ""):
        for verbose in ((), ("-v",)):
            p = t.serve("--echo", "--keep-open", *verbose,
                        env={"NOTIFY_SOCKET": where})
            p.signal(signal.SIGTERM)
            t.eq("NOTIFY_SOCKET" in ended(t, p, 143).err,
                 where != "" and verbose != (), "a word about it")


@test
def a_path_is_served_and_removed(t):
    path = os.path.join(t.dir, "s")
    for _ in range(2):
        p = t.serve("--echo", "--keep-open", where="unix:" + path)
        t.eq(p.address, "unix:" + path, "the address")
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        talk(t, s)
        p.signal(signal.SIGTERM)
        r = ended(t, p, 143)
        t.eq(r.reports[0]["peer"], "unix:" + path, "its peer")
        t.eq(os.path.exists(path), False, "the socket is still there")


@test
def a_path_that_was_left_is_taken_over(t):
    path = os.path.join(t.dir, "s")
    p = t.serve("--echo", "--keep-open", where="unix:" + path)
    t.bad(t.run("serve", *KEYS, "--echo", "unix:" + path), 14, "net", 98, path)
    p.signal(signal.SIGKILL)
    p.popen.wait(DEADLINE)
    t.eq(os.path.exists(path), True, "what it left")
    p = t.serve("--echo", "--keep-open", where="unix:" + path)
    p.signal(signal.SIGTERM)
    ended(t, p, 143)


@each([("empty", "unix:", 2, "usage", 0),
       ("too long", "unix:/" + "x" * 108, 2, "usage", 0),
       ("a file", "unix:%s", 14, "net", 98),
       ("in no folder", "unix:%s/no/s", 14, "net", 20)])
def a_path_cannot_be(t, path, status, origin, code):
    name = t.named(b"precious")
    path = path % name if "%s" in path else path
    t.bad(t.run("serve", *KEYS, "--echo", path), status, origin, code)
    with open(name, "rb") as f:
        t.eq(f.read(), b"precious", "the file")


@test
def a_path_is_told_in_full(t):
    """What --ready-fd says is what can be connected to."""
    path = os.path.join(t.dir, "s" * (106 - len(t.dir)))
    p = t.serve("--echo", "--keep-open", where="unix:" + path)
    t.eq(p.address, "unix:" + path, "the address")
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    talk(t, s)
    p.signal(signal.SIGTERM)
    t.eq(ended(t, p, 143).reports[0]["peer"], "unix:" + path, "its peer")


@test
def a_name_without_a_file_is_told(t):
    name = "mptls-test-%d" % os.getpid()
    where = listener(t, socket.AF_UNIX, "\0" + name)
    p = activated(t, [where], "--echo")
    s = socket.socket(socket.AF_UNIX)
    s.connect("\0" + name)
    talk(t, s)
    t.eq(t.ok(p.wait()).report["peer"], "unix:@" + name, "its peer")


@test
def workers_share_a_path(t):
    path = os.path.join(t.dir, "s")
    p = t.serve("--echo", "--keep-open", "--workers", "2",
                where="unix:" + path)
    for _ in range(6):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        talk(t, s)
    p.signal(signal.SIGTERM)
    ended(t, p, 143)
    t.eq(os.path.exists(path), False, "the socket is still there")
