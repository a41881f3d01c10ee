"""What --keylog is for: tshark reads a capture with it, and cannot without.

Nothing is captured from an interface, which would need privileges: a relay
notes what passes, and it is written down as the TCP that it was.
"""
import functools
import os
import random
import re
import struct
import subprocess

import peers
from harness import VERSIONS, Failed, need, same

PORT = 443, 50000  # of the server and the client, in the capture
FINISHED = 20  # the handshake message that is encrypted in every version
QUESTION = random.Random(1).randbytes(40000)  # some records of each
ANSWER = random.Random(2).randbytes(50000)
FIN, SYN, PSH, ACK = 1, 2, 8, 16
LINKTYPE_RAW = 101  # IP, and nothing before it
SEGMENT = 1400


def only(version):
    return "--min-version", version, "--max-version", version


# The capture.

class Capture:
    """A pcap file of one connection."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535,
                                    LINKTYPE_RAW))
        self.sequence = [1000, 2000]  # the client's, the server's
        self.count = 0

    def packet(self, side, flags, data=b""):
        """side: 0 for what the client sends, 1 for the server."""
        there, back = self.sequence[side], self.sequence[1 - side]
        tcp = struct.pack(">HHIIBBHHH", PORT[1 - side], PORT[side], there,
                          back if flags & ACK else 0, 5 << 4, flags, 65535, 0,
                          0) + data
        ip = struct.pack(">BBHHHBBH4B4B", 0x45, 0, 20 + len(tcp), self.count,
                         0, 64, 6, 0, 10, 0, 0, 1 + side, 10, 0, 0, 2 - side)
        size = len(ip) + len(tcp)
        self.file.write(struct.pack("<IIII", self.count // 1000,
                                    self.count % 1000 * 1000, size, size))
        self.file.write(ip + tcp)
        self.count += 1
        self.sequence[side] += len(data) + bool(flags & (SYN | FIN))

    def connection(self, relay):
        """The three packets that open it, and what the relay has seen."""
        self.packet(0, SYN)
        self.packet(1, SYN | ACK)
        self.packet(0, ACK)
        for lane, data in relay.seen:
            side = relay.lanes.index(lane)
            for i in range(0, len(data), SEGMENT):
                self.packet(side, PSH | ACK, data[i:i + SEGMENT])
            if not data:
                self.packet(side, FIN | ACK)
        self.file.close()


def written(test, relay):
    for lane in relay.lanes:
        lane.join(test.left())
        if lane.is_alive():
            raise Failed("the relay has not ended")
    path = os.path.join(test.dir, "capture.pcap")
    Capture(path).connection(relay)
    return path


def read_with_tshark(test, path, *options):
    """What it decrypts: Finished messages, and both directions' bytes."""
    run = subprocess.run(
        [need("tshark"), "-n", "-r", path, "-d",
         "tcp.port==%d,tls" % PORT[0], *options, "-T", "fields", "-e",
         "tls.handshake.type", "-z", "follow,tls,raw,0"],
        env=dict(test.env, HOME=test.dir), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
        timeout=test.left())
    if run.returncode != 0:
        raise Failed("tshark exits %d: %s" % (
            run.returncode, run.stderr.decode(errors="replace")))
    types, found, stream = run.stdout.decode().partition("Follow: tls,raw")
    if not found:
        raise Failed("tshark follows no stream: %r" % types[-200:])
    lanes = [bytes.fromhex("".join(re.findall(pattern, stream, re.M)))
             for pattern in (r"^([0-9a-f]+)$", r"^\t([0-9a-f]+)$")]
    if ":%d\n" % PORT[0] in stream.partition("Node 1")[0]:
        lanes.reverse()  # its node 0 is not always the client
    return re.findall(r"\d+", types).count(str(FINISHED)), *lanes


def compare(test, relay, keylog):
    path = written(test, relay)
    same("what tshark reads without the secrets",
         read_with_tshark(test, path), (0, b"", b""))
    finished, there, back = read_with_tshark(test, path, "-o",
                                             "tls.keylog_file:" + keylog)
    same("Finished messages that tshark decrypts", finished, 2)
    same("what the client sent, by tshark", there, QUESTION)
    same("what the server sent, by tshark", back, ANSWER)


# The connections.

def logging(test, how):
    """The file, and the options that name it, unless the environment does."""
    path = os.path.join(test.dir, "keylog")
    if how == "--keylog":
        return path, ("--keylog", path)
    test.env = dict(test.env, SSLKEYLOGFILE=path)
    return path, ()


def connect(how, version, test):
    need("tshark")
    path, options = logging(test, how)
    listener, port = test.listen()
    peer = test.thread(peers.answer, test, listener, ANSWER)
    relay = peers.Relay(test, port)
    p = test.connect(relay.port, *options, *only(version))
    p.feed_aside(QUESTION)
    p.done(out=ANSWER, version=version, notified=True)
    same("what the server got", peer.done(), QUESTION)
    compare(test, relay, path)


def serve(how, version, test):
    need("tshark")
    path, options = logging(test, how)
    s, port = test.serve(*options, *only(version))
    relay = peers.Relay(test, port)
    client = peers.gnutls_client(test, relay.port)
    client.feed_aside(QUESTION)
    s.out.all(test.left())  # gnutls-cli goes with the server's end
    s.feed_aside(ANSWER)
    s.done(out=QUESTION, version=version, notified=True)
    same("gnutls-cli's exit status", client.wait(), 0)
    same("what it got", client.out.all(test.left()), ANSWER)
    compare(test, relay, path)


def tests():
    part = functools.partial
    for v in VERSIONS:
        for how in ("--keylog", "SSLKEYLOGFILE"):
            yield "connect %s, TLS %s" % (how, v), part(connect, how, v)
            yield "serve %s, TLS %s" % (how, v), part(serve, how, v)
