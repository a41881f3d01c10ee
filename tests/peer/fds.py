"""d18 and d19: records and buffers of every size, and inherited flags."""
import fcntl
import functools
import json
import os
import pty
import random
import signal
import socket
import ssl
import termios

import attack
import bulk
import peers
from classes import only, pair, plain
from harness import VERSIONS, Failed, cert, same

HELLO, WORLD = b"hello\n", b"world\n"


# D18: records and buffers.

SIZES = (1, 2, 255, 256, 4095, 4096, 4097, 16383, 16384)


def records(sock, size, count):
    """`count` records of `size` bytes, in as few segments as TCP makes."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    data = random.Random(size).randbytes(size * count)
    for i in range(0, len(data), size):
        sock.sendall(data[i:i + size])
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    return data


def read_by(pipe, size, total):
    fd = pipe.fileno()
    got = bytearray()
    while len(got) < total:
        data = os.read(fd, size)
        if not data:
            raise Failed("it ended after %d of %d bytes" % (len(got), total))
        got += data
    return bytes(got)


def sizes(side, record, version, test):
    """All has to come before the peer says more: nothing may be stuck."""
    for size in SIZES:
        p, sock = attack.connected(test, side, *only(version), raw=True)
        bulk.small_pipes(p)
        count = max(3, min(300, 40000 // record))
        sent = test.thread(records, sock, record, count)
        got = read_by(p.p.stdout, size, record * count)
        same("the bytes read by %d" % size, got, sent.done())
        p.feed(got[:record], end=True)
        same("what came back", peers.read_to_end(sock), got[:record])
        sock.unwrap()
        sock.close()
        p.p.stdout.close()
        p.done(version=version, notified=True)


# D19: descriptors that others have as well.

class Inherited:
    """A stdin, stdout and stderr, and what their flags are."""

    def __init__(self, kind, blocking):
        if kind == "tty":
            self.ends = list(pty.openpty())
            self.input = self.output = self.ends[0]
            self.given = [self.ends[1]] * 3
        else:
            pipes = [os.pipe() for _ in range(3)]
            self.ends = [fd for pipe in pipes for fd in pipe]
            self.input, self.output = pipes[0][1], pipes[1][0]
            self.given = [pipes[0][0], pipes[1][1], pipes[2][1]]
        for fd in self.given:
            os.set_blocking(fd, blocking)
        self.before = self.flags()

    def flags(self):
        """Of what is open, which all that inherit it share."""
        found = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in self.given]
        if os.isatty(self.given[0]):
            found += termios.tcgetattr(self.given[0])
        return found

    def unchanged(self, when):
        same("the flags " + when, self.flags(), self.before)

    def read_until(self, wanted):
        got = b""
        while wanted not in got:
            got += os.read(self.output, 4096)

    def close(self):
        for fd in self.ends:
            os.close(fd)

    def streams(self):
        return dict(zip(("stdin", "stdout", "stderr"), self.given))


def begin(test, who, mine, ca):
    """mptls with these descriptors, and how to make its peer."""
    log = ("--json=" + os.path.join(test.dir, "report"), "-v")
    if who == "connect":
        listener, port = test.listen()
        p = plain(test, "connect", "127.0.0.1:%d" % port, "--cadata",
                  cert(ca), "--server-hostname", "localhost", *log,
                  **mine.streams())
        return p, lambda: peers.accept_tls(test, listener)
    r, w = os.pipe()
    p = plain(test, "serve", "127.0.0.1:0", *pair(), "--ready-fd", w, *log,
              pass_fds=(w,), **mine.streams())
    os.close(w)
    with os.fdopen(r, "rb") as ready:
        port = int(ready.readline().rsplit(b":", 1)[1])
    return p, lambda: peers.dial_tls(test, port)


def whole(test, mine, p, sock):
    if os.isatty(mine.input):
        os.write(mine.input, b"\x04")
    else:
        mine.ends.remove(mine.input)
        os.close(mine.input)
    peers.read_to_end(sock)
    sock.unwrap()
    same("exit status", p.wait(), 0)
    return None


def cut(test, mine, p, sock):
    attack.plain(test, sock).shutdown(socket.SHUT_WR)
    same("exit status", p.wait(), 40)
    return "truncated", 0


def terminated(test, mine, p, sock):
    p.p.send_signal(signal.SIGTERM)
    same("exit status", p.wait(), 128 + signal.SIGTERM)
    return "signal", signal.SIGTERM


def murdered(test, mine, p, sock):
    """Who would restore flags at the end cannot do it here."""
    p.p.kill()
    p.wait()


def flags_stay(who, kind, blocking, end, test):
    mine = Inherited(kind, blocking)
    test.sockets.append(mine)
    p, meet = begin(test, who, mine, "root.der")
    sock = meet()
    sock.sendall(WORLD)
    mine.read_until(b"world")
    os.write(mine.input, HELLO)
    same("what the peer got", sock.recv(100), HELLO)
    mine.unchanged("during")
    wanted = end(test, mine, p, sock)
    mine.unchanged("after")
    if end is murdered:
        return
    with open(os.path.join(test.dir, "report"), encoding="ascii") as f:
        error = json.loads(f.read().splitlines()[-1])["error"]
    same("the error", error and (error["origin"], error["code"]), wanted)


def flags_stay_refused(kind, blocking, test):
    """A failure before there is a stream."""
    mine = Inherited(kind, blocking)
    test.sockets.append(mine)
    p, meet = begin(test, "connect", mine, "other-root.der")
    peer = test.thread(meet)
    same("exit status", p.wait(), 30)
    try:
        peer.done().recv(1)
    except (ssl.SSLError, OSError):
        pass
    mine.unchanged("after")


def tests():
    part = functools.partial
    for v in VERSIONS:
        for side in ("connect", "serve"):
            for record in SIZES:
                yield ("d18 %s, records of %d, TLS %s" % (side, record, v),
                       part(sizes, side, record, v))
    for kind in ("pipes", "tty"):
        for blocking in (True, False):
            what = "%s%s" % (kind, "" if blocking else ", non-blocking")
            for who in ("connect", "serve"):
                for end in (whole, cut, terminated, murdered):
                    yield ("d19 flags stay, %s, %s, %s" % (
                        who, what, end.__name__),
                           part(flags_stay, who, kind, blocking, end))
            yield ("d19 flags stay, connect, %s, refused" % what,
                   part(flags_stay_refused, kind, blocking))
