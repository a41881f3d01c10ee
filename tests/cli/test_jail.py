"""What serve gives up: root, the root directory, files (Landlock), cores."""
import ctypes
import grp
import os
import pty
import pwd
import shutil
import signal

from harness import (ROOT, Skipped, cert, descriptors, each, read_file, test,
                     wait_until)

NOT = "mptls: not reloaded, the old ones stay in use: "
DONE = "mptls: reloaded: "
PAIR = ("server-ec256.pem", "server-ec256-key.pem")
# In another root there is no /proc, which LeakSanitizer wants.
NO_PROC = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}
OTHER = ("server-rsa2048.pem", "server-rsa2048-key.pem")


def need_root(t):
    if os.geteuid() != 0:
        raise Skipped("it takes root")
    if b".gcda" in read_file(t.binary):
        raise Skipped("gcov could not write its files then")


def nobody():
    try:
        return pwd.getpwnam("nobody")
    except KeyError as e:
        raise Skipped("there is no user nobody") from e


def need_landlock():
    create_ruleset = 444  # on every architecture but alpha
    if ctypes.CDLL(None).syscall(create_ruleset, None, 0, 1) < 1:
        raise Skipped("the kernel has no Landlock")


def status(pid):
    """A process's, as /proc has it."""
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return {key: value.split()
                for key, value in (x.split(":", 1) for x in f)}


def folder(t, mode=0o755):
    """One that others may look into."""
    os.chmod(t.dir, 0o755)
    path = t.path("d")
    os.mkdir(path)
    os.chmod(path, mode)
    return path


def put(where, names, mode=0o644):
    """Files of the test PKI, in the place of those that are there."""
    made = []
    for name, to in zip(names, ("cert.pem", "key.pem")):
        path = os.path.join(where, to)
        shutil.copyfile(os.path.join(ROOT, cert(name)), path + ".new")
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)
        made.append(path)
    return made


def serve(t, pair, *args, **kw):
    return t.serve("--cert", pair[0], "--key", pair[1], *args, name=None, **kw)


def hup(server, *said):
    before = server.stderr().count("reloaded")
    server.signal(signal.SIGHUP)
    wait_until("a line more", lambda:
               server.stderr().count("reloaded") > before)
    server.t.has(server.stderr(), *said)


def key_of(t, server):
    """Of the certificate that a client meets."""
    r = t.check(server, "--verify", "none", ca=None)
    t.eq(r.status, 0, "status of " + r.err)
    return r.report["verify"]["sent"][0]["key"]


def stop(server):
    server.signal(signal.SIGTERM)
    server.t.eq(server.wait().status, 143, "status")


@each([("a name", "nobody", None), ("a name and a group", "nobody:daemon",
                                    "daemon"),
       ("numbers", "54321:54322", None)])
def user(t, who, group):
    need_root(t)
    p = nobody()
    try:
        gid = grp.getgrnam(group).gr_gid if group else p.pw_gid
    except KeyError as e:
        raise Skipped("there is no group daemon") from e
    uid, gid = (54321, 54322) if who[0] == "5" else (p.pw_uid, gid)
    server = t.serve("--user", who, "--keep-open", "--echo")
    is_now = status(server.pid)
    t.eq(is_now["Uid"], [str(uid)] * 4, "Uid")
    t.eq(is_now["Gid"], [str(gid)] * 4, "Gid")
    t.eq(str(gid) in is_now["Groups"] and "0" not in is_now["Groups"], True,
         "right Groups")
    for kind in ("CapPrm", "CapEff", "CapAmb"):
        t.eq(int(is_now[kind][0], 16), 0, kind)
    # Not its own to look into: it dumps no core.
    t.eq(os.stat("/proc/%d/environ" % server.pid).st_uid, 0,
         "the owner of /proc/PID/environ")
    t.eq(key_of(t, server), "EC 256", "the key")
    stop(server)


@test
def user_opens_a_log_that_it_may(t):
    """Root makes the first one, before; the next is the user's."""
    need_root(t)
    where = folder(t, 0o777)
    log = where + "/log"
    server = t.serve("--user", "54321:54322", "--keep-open", "--echo",
                     "--access-log", log)
    t.eq(t.check(server).status, 0, "check's status")
    wait_until("a line", lambda: len(read_file(log).splitlines()) == 1)
    server.signal(signal.SIGUSR1)
    wait_until("it is said", lambda: "stays in use" in server.stderr())
    t.has(server.stderr(), log, "Permission denied")
    os.rename(log, log + ".1")
    server.signal(signal.SIGUSR1)
    wait_until("it is there", lambda: os.path.exists(log))
    t.eq(os.stat(log).st_uid, 54321, "its owner")
    t.eq(t.check(server).status, 0, "check's status")
    wait_until("another line", lambda: len(read_file(log).splitlines()) == 1)
    stop(server)


@test
def user_runs_the_commands(t):
    """They are no secret of anyone's, and may dump a core."""
    need_root(t)
    server = t.serve("--user", "54321:54322", "--exec",
                     "stat -c %u:%g /proc/self/environ")
    t.eq(t.connect(server).wait().out, b"54321:54322\n",
         "the owner of /proc/PID/environ")
    t.eq(server.wait().status, 0, "serve's status")


@test
def user_reads_anew_what_it_may(t):
    need_root(t)
    nobody()
    where = folder(t)
    pair = put(where, PAIR)
    server = serve(t, pair, "--user", "nobody", "--keep-open", "--echo")
    put(where, OTHER)
    hup(server, DONE)
    t.eq(key_of(t, server), "RSA 2048", "the new key")
    put(where, PAIR, 0o600)
    hup(server, NOT, "cert.pem: Permission denied")
    t.eq(key_of(t, server), "RSA 2048", "the key that stays")
    stop(server)


@each([("an unknown one", "no-such-user", "there is no user 'no-such-user'"),
       ("root", "root", "'root' is root, who gives nothing up"),
       ("nobody at all", "", "'' is not NAME[:GROUP]")])
def user_that_cannot_be(t, who, say):
    t.usage(("serve", "--cert", cert(PAIR[0]), "--key", cert(PAIR[1]),
             "--user", who, "127.0.0.1:0"), "--user: " + say, command="serve")


@each([("user", ("--user", "54321:54322"), "--user 54321:54322"),
       ("chroot", ("--chroot", "/"), "--chroot /")])
def without_root(t, options, who):
    words = ()
    if os.geteuid() == 0:
        words = ("setpriv", "--bounding-set", "-setuid,-setgid,-sys_chroot")
        if shutil.which("setpriv") is None:
            raise Skipped("no setpriv")
    r = t.run("serve", "--cert", cert(PAIR[0]), "--key", cert(PAIR[1]),
              *options, "127.0.0.1:0", wrap=words)
    t.bad(r, 1, "os", 1, who + ": Operation not permitted (it takes root)")
    t.eq(r.listening, [], "who listens")


@test
def chroot_is_where_it_is(t):
    need_root(t)
    where = folder(t)
    os.mkdir(where + "/root")
    pair = put(where, PAIR)
    server = serve(t, pair, "--chroot", where + "/root", "--user",
                   "54321:54322", "--keep-open", "--http", env=NO_PROC)
    for link in ("root", "cwd"):
        t.eq(os.readlink("/proc/%d/%s" % (server.pid, link)), where + "/root",
             link)
    hup(server, NOT, "cert.pem: No such file or directory")
    p = t.connect(server, "--on-eof", "wait", stdin=b"GET / HTTP/1.0\r\n\r\n")
    r = p.wait()
    t.has(r.out.decode(), "HTTP/1.1 200")
    # What stands there under the same name is taken.
    inside = where + "/root" + where
    os.makedirs(inside)
    put(inside, OTHER)
    hup(server)
    stop(server)


@test
def chroot_reads_anew_what_is_in_it(t):
    need_root(t)
    where = folder(t)
    pair = put(where, PAIR)
    inside = where + "/root" + where
    os.makedirs(inside)
    put(inside, OTHER)
    server = serve(t, pair, "--chroot", where + "/root", "--keep-open",
                   "--echo", env=NO_PROC)
    t.eq(key_of(t, server), "EC 256", "the first key")
    hup(server, DONE)
    t.eq(key_of(t, server), "RSA 2048", "the key in the root")
    stop(server)


@test
def chroot_can_pipe(t):
    need_root(t)
    server = t.serve("--chroot", folder(t), stdin=b"from the server",
                     env=NO_PROC)
    p = t.connect(server, stdin=b"from the client")
    t.ok(p.wait(), b"from the server")
    t.ok(server.wait(), b"from the client")


@test
def chroot_that_is_no_directory(t):
    r = t.run("serve", "--cert", cert(PAIR[0]), "--key", cert(PAIR[1]),
              "--chroot", t.dir + "/none", "127.0.0.1:0")
    t.bad(r, 3, "file", 2, "--chroot " + t.dir + "/none: No such file")


@test
def landlock_lets_a_new_file_in(t):
    where = folder(t)
    pair = put(where, PAIR)
    server = serve(t, pair, "--keep-open", "--echo")
    t.eq(status(server.pid)["NoNewPrivs"], ["1"], "NoNewPrivs")
    put(where, OTHER)
    hup(server, DONE)
    t.eq(key_of(t, server), "RSA 2048", "the new key")
    stop(server)


@each([("with it", (), NOT, "EC 256"),
       ("without it", ("--no-landlock",), DONE, "RSA 2048")])
def landlock_keeps_to_the_directory(t, options, said, key):
    need_landlock()
    where, elsewhere = folder(t), folder(t)
    pair = put(where, PAIR)
    away = put(elsewhere, OTHER)
    server = serve(t, pair, "--keep-open", "--echo", *options)
    for path, to in zip(pair, away):
        os.unlink(path)
        os.symlink(to, path)
    hup(server, said)
    if not options:
        t.has(server.stderr(), "cert.pem: Permission denied")
    t.eq(key_of(t, server), key, "the key")
    t.eq(status(server.pid)["NoNewPrivs"], ["0" if options else "1"],
         "NoNewPrivs")
    stop(server)


@test
def landlock_lets_a_link_go_on(t):
    """As certbot renews: another file of the archive."""
    need_landlock()
    live, archive = folder(t), folder(t)
    first = put(archive, PAIR)
    pair = []
    for name, to in zip(("cert.pem", "key.pem"), first):
        pair.append(os.path.join(live, name))
        os.symlink(to, pair[-1])
    os.mkdir(archive + "/2")
    second = put(archive + "/2", OTHER)
    server = serve(t, pair, "--keep-open", "--echo")
    for path, to in zip(pair, second):
        os.unlink(path)
        os.symlink(to, path)
    hup(server, DONE)
    t.eq(key_of(t, server), "RSA 2048", "the new key")
    stop(server)


@test
def landlock_is_not_for_commands(t):
    server = t.serve("--exec", "cat /proc/self/status", "--keep-open")
    t.eq(status(server.pid)["NoNewPrivs"], ["0"], "the server's NoNewPrivs")
    r = t.connect(server).wait()
    t.has(r.out.decode(), "NoNewPrivs:\t0\n")
    stop(server)


@test
def landlock_lets_saved_and_logged_secrets_out(t):
    where = folder(t)
    chain, keys = where + "/chain.pem", where + "/keys"
    server = t.serve("--echo", "--verify", "required", "--cafile",
                     cert("root.pem"), "--save-chain", chain, "--keylog", keys)
    r = t.check(server, "--cert", cert("client-ec256.pem"), "--key",
                cert("client-ec256-key.pem"))
    t.eq(r.status, 0, "check's status")
    t.eq(server.wait().status, 0, "serve's status")
    t.has(read_file(chain).decode(), "BEGIN CERTIFICATE")
    t.has(read_file(keys).decode(), "SERVER_TRAFFIC_SECRET_0 ")


@test
def landlock_lets_the_system_store_be_read(t):
    """It is, for the first client that shows a certificate."""
    where = folder(t)
    links = folder(t)
    shutil.copyfile(os.path.join(ROOT, cert("root.pem")), where + "/root.pem")
    os.symlink(where + "/root.pem", links + "/0.pem")
    for env in ({"SSL_CERT_FILE": where + "/root.pem"},
                {"SSL_CERT_DIR": links}):
        server = t.serve("--echo", "--verify", "required", env=env)
        r = t.check(server, "--cert", cert("client-ec256.pem"), "--key",
                    cert("client-ec256-key.pem"))
        t.eq(r.status, 0, "check's status")
        t.eq(server.wait().status, 0, "serve's status")


def dumps(t, *words):
    """Whether a process that has come so far that it connects leaves a core."""
    listener = t.listener()
    p = t.start("connect", "--verify", "none", *words,
                "127.0.0.1:%d" % listener.getsockname()[1],
                wrap=("sh", "-c", 'ulimit -c unlimited && cd "$0" && exec "$@"',
                      t.dir))
    t.accept(listener)
    p.signal(signal.SIGQUIT)
    _, how = os.waitpid(p.pid, 0)
    t.eq(os.WTERMSIG(how), signal.SIGQUIT, "what it died of")
    return os.WCOREDUMP(how)


@test
def no_core_is_dumped_with_a_key(t):
    if not dumps(t):
        raise Skipped("no core is dumped here by any process")
    t.eq(dumps(t, "--cert", os.path.join(ROOT, cert("client-ec256.pem")),
               "--key", os.path.join(ROOT, cert("client-ec256-key.pem"))),
         False, "whether there is a core")


@test
def landlock_lets_the_terminal_be_opened_anew(t):
    """So that one that is stopped (^S) blocks nothing."""
    ours, theirs = pty.openpty()
    for fd in (ours, theirs):
        t.on_exit(lambda fd=fd: os.close(fd))
    name = os.ttyname(theirs)
    server = t.serve(stdout=theirs)
    r, _ = t.pipe()
    t.connect(server, stdin=r)
    wait_until("it is open twice", lambda: descriptors(server).count(name) == 2)
