"""SIGHUP at serve --keep-open: the files are read anew, or the old ones stay."""
import json
import os
import pty
import select
import shutil
import signal

from harness import (ROOT, cert, each, read_exactly, read_file, read_some,
                     test, wait_until)

KEPT = "mptls: not reloaded, the old ones stay in use: "
DONE = "mptls: reloaded: the next clients meet what the files have now\n"


def copy(t, name, to=None):
    """A file of the test PKI under a name that can be overwritten."""
    to = to or t.path("pem")
    shutil.copyfile(os.path.join(ROOT, cert(name)), to)
    return to


def hup(server, *said):
    """Send it, and wait until there is a line more that says what came of it."""
    before = server.stderr().count("reloaded")
    server.signal(signal.SIGHUP)
    wait_until("a line more", lambda:
               server.stderr().count("reloaded") > before)
    server.t.has(server.stderr(), *said)


def stop(server, count=None):
    server.signal(signal.SIGTERM)
    r = server.wait()
    server.t.eq(r.status, 143, "status")
    if count is not None:
        server.t.eq(r.err.count("reloaded"), count, "lines about reloading")
    return r


def subject(t, server, *args):
    """Of the certificate that a client meets."""
    r = t.check(server, "--verify", "none", *args, ca=None)
    t.eq(r.status, 0, "status of " + r.err)
    return r.report["verify"]["sent"][0]["key"]


@test
def reload_takes_a_new_pair(t):
    c, k = copy(t, "server-ec256.pem"), copy(t, "server-ec256-key.pem")
    server = t.serve("--cert", c, "--key", k, "--keep-open", name=None)
    t.eq(subject(t, server), "EC 256", "the first key")
    copy(t, "server-rsa2048.pem", c)
    t.eq(subject(t, server), "EC 256", "the key before SIGHUP")
    copy(t, "server-rsa2048-key.pem", k)
    hup(server, DONE)
    t.eq(subject(t, server), "RSA 2048", "the key after SIGHUP")
    copy(t, "server-ec384.pem", c)
    copy(t, "server-ec384-key.pem", k)
    hup(server)
    t.eq(subject(t, server), "EC 384", "the key after another")
    stop(server, 2)


def remove(path):
    os.unlink(path)


def empty(path):
    with open(path, "w", encoding="ascii"):
        pass


# name, what is done to the certificate's file, what is said
BAD = [
    ("one that is gone", remove, "--cert: read "),
    ("an empty one", empty, "the certificate: "),
    ("another's", lambda p: copy(None, "server-rsa2048.pem", p),
     "the key is not that of the certificate"),
    ("a fifo", lambda p: (os.unlink(p), os.mkfifo(p)),
     "can be read only once"),
    ("a directory", lambda p: (os.unlink(p), os.mkdir(p)),
     "can be read only once"),
]


@each(BAD)
def reload_keeps_the_old_pair_for(t, spoil, said):
    c = copy(t, "server-ec256.pem")
    server = t.serve("--cert", c, "--key", cert("server-ec256-key.pem"),
                     "--keep-open", name=None)
    spoil(c)
    hup(server, KEPT, said)
    t.eq(subject(t, server), "EC 256", "the key")
    if os.path.isdir(c):
        os.rmdir(c)
    elif os.path.exists(c):
        os.unlink(c)
    copy(t, "server-ec256.pem", c)
    hup(server, DONE)
    events = [json.loads(x)
              for x in read_file(server.json_name).decode().splitlines()]
    t.eq([(x["ok"], x["text"] is None) for x in events
          if x["event"] == "reload"], [(False, False), (True, True)], "events")
    stop(server, 2)


@test
def reload_takes_a_new_ca_and_crl(t):
    ca, crl = copy(t, "other-root.pem"), copy(t, "crl.pem")
    pair = ("--cert", cert("client-ec256.pem"),
            "--key", cert("client-ec256-key.pem"))
    server = t.serve("--cafile", ca, "--verify", "required", "--keep-open",
                     "--crl", crl)
    t.eq(t.check(server, *pair).status, 37, "status with another CA")
    copy(t, "root.pem", ca)
    hup(server, DONE)
    t.eq(t.check(server, *pair).status, 0, "status with the right one")
    empty(crl)
    hup(server, KEPT + "--crl")
    t.eq(t.check(server, *pair).status, 0, "status with the old one")
    stop(server, 2)


@test
def reload_keeps_what_was_read_from_a_descriptor(t):
    with open(os.path.join(ROOT, cert("server-ec256-key.pem")), "rb") as f:
        key = t.pipe_with(f.read())
    server = t.serve("--cert", cert("server-ec256.pem"), "--key",
                     "fd:%d" % key, "--keep-open", name=None, pass_fds=(key,))
    hup(server, KEPT + "--key fd:%d can be read only once" % key)
    t.eq(subject(t, server), "EC 256", "the key")
    stop(server, 1)


@test
def reload_keeps_what_was_made(t):
    server = t.serve("--self-signed", "--keep-open", name=None)
    hup(server, DONE)
    t.eq(server.stderr().count("cadata"), 1, "certificates that were made")
    cadata = [x for x in server.stderr().splitlines() if "cadata" in x][0]
    r = t.check(server, "--cadata", cadata.split()[2], "--server-hostname",
                "localhost", ca=None)
    t.eq(r.status, 0, "status")
    stop(server, 1)


@test
def reload_does_not_disturb_a_connection(t):
    """It is served to its end first, with the old files."""
    c = copy(t, "server-ec256.pem")
    s_out, s_out_w = t.pipe()
    c_in, c_in_w = t.pipe()
    server = t.serve("--cert", c, "--key", cert("server-ec256-key.pem"),
                     "--keep-open", name=None, stdout=s_out_w)
    client = t.connect(server, stdin=c_in)
    for i, word in enumerate((b"one", b"two", b"three")):
        os.write(c_in_w, word)
        t.eq(read_exactly(s_out, len(word)), word, "what the server got")
        if i == 0:
            remove(c)
        server.signal(signal.SIGHUP)
    t.eq("reloaded" in server.stderr(), False, "a line while it is served")
    t.close_pipe(c_in_w)
    t.ok(client.wait())
    wait_until("the line", lambda: "reloaded" in server.stderr())
    t.eq(server.stderr().count(KEPT), 1, "one for all three")
    t.eq(subject(t, server), "EC 256", "the key")
    stop(server, 1)


@test
def reload_is_for_servers_that_stay(t):
    for server in (t.serve(), t.serve("--self-signed", name=None)):
        server.signal(signal.SIGHUP)
        t.eq(server.wait().status, -signal.SIGHUP, "status")


@test
def reload_is_none_when_the_terminal_goes(t):
    """SIGHUP then ends the server, as it always has."""
    ours, theirs = pty.openpty()
    server = t.serve("--keep-open", stdin=theirs)
    t.on_exit(lambda: os.close(theirs))
    server.signal(signal.SIGHUP)
    wait_until("the line", lambda: DONE in server.stderr())
    os.close(ours)  # a process that is being started may have it a bit longer
    gone = select.poll()
    gone.register(theirs, 0)
    wait_until("the terminal is gone", lambda: gone.poll(0) != [])
    server.signal(signal.SIGHUP)
    r = server.wait()
    t.bad(r, 129, "signal", 1, "the terminal is gone")


@test
def reload_alone_in_json(t):
    r, w = t.pipe()
    server = t.serve("--keep-open", "--json", stderr=w)
    read_some(r)
    server.signal(signal.SIGHUP)
    t.eq(json.loads(read_some(r)),
         {"v": 1, "event": "reload", "ok": True, "text": None}, "the event")
    server.signal(signal.SIGTERM)
    server.popen.wait()
