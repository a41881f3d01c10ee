"""Profiles of the user's own, good and bad, and where they come from."""
import os
import signal
import threading

from harness import cert, each, test
from test_reload import DONE, hup, stop

BOARD = b"like micropython-esp8266\n"


def told(t, words, status, origin, *say):
    """By each command; with its option's name where it has one."""
    for command in (("connect", "127.0.0.1:1"), ("check", "127.0.0.1:1"),
                    ("verify", cert("root.pem")), ("ciphers",)):
        r = t.run(*command, "--as", *words)
        t.eq(r.status, status, "exit status of " + command[0])
        t.has(r.err, "mptls: --as: ", *say)
    r = t.run("profiles", *words)
    t.eq(r.status, status, "exit status of profiles")
    t.has(r.err, *say)
    t.eq("--as" in r.err, False, "an option that was not given")
    t.eq(r.err.count("mptls: "), 1 + (origin == "usage"), "lines: " + r.err)


@each([("empty", b"", "there is nothing in it"),
       ("a comment", b" # like esp-idf\n\n", "there is nothing in it"),
       ("more than a number", b"max-in-record 4096 bytes\n",
        "line 1: max-in-record: one number too many: 'bytes'"),
       ("more than two", b"rsa 2048 4096 8192\n",
        "line 1: rsa: one number too many: '8192'"),
       ("from much to little", b"rsa 4096 2048\n",
        "line 1: rsa: the most is less than the least: '2048'"),
       ("a tiny buffer", b"title A\nmax-in-record 3\n",
        "line 2: max-in-record: neither 0 nor 512 to 16384: '3'"),
       ("a huge buffer", b"max-out-record 16385\n",
        "max-out-record: neither 0 nor 512 to 16384: '16385'"),
       ("a version that is none", b"versions 0x0000 TLSv1.2\n",
        "line 1: versions: unknown '0x0000'"),
       ("another", b"versions TLSv1.2 0xFFFF\n",
        "line 1: versions: unknown '0xFFFF'"),
       ("a word of three", b"verify yes\n",
        "line 1: verify: not one of none, optional, required: 'yes'"),
       ("a month that is none", b"clock 2000-13-01T00:00:00Z\n",
        "clock: '2000-13-01T00:00:00Z' is no time"),
       ("too many extensions", b"extensions" + b"".join(
           b" 0x%04x" % i for i in range(200)),
        "line 1: extensions: too many, at '0x0080'"),
       ("suites of another version", b"versions TLSv1.3\n",
        "it cannot be played: none of the cipher suites"),
       ("suites without a group", b"groups\n",
        "it cannot be played: ", "No group available"),
       ("a BOM", b"\xef\xbb\xbflike zephyr\n", "line 1: unknown key '"),
       ("a key's case", b"Like zephyr\n", "line 1: unknown key 'Like'")])
def a_profile_that_is_wrong(t, text, *say):
    told(t, (t.named(text),), 3, "file", *say)


def feed(t, path, text):
    """Write it to whoever opens a FIFO first, and to nobody else."""
    def run():
        with open(path, "wb") as f:
            f.write(text)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@each([("connect", "connect", "127.0.0.1:1"), ("check", "check", "127.0.0.1:1"),
       ("verify", "verify", cert("server-ec256.pem"), "--cafile",
        cert("root.pem")),
       ("serve", "serve", "--cert", cert("root.pem"), "--key",
        cert("root-key.pem"), "127.0.0.1:0")])
def a_profile_from_a_pipe_is_read_once(t, *words):
    path = t.path("fifo")
    os.mkfifo(path)
    writer = feed(t, path, BOARD + b"errors micropython\nverify none\n")
    r = t.run(*words, "--as", path)
    writer.join(5)
    # What it says goes for the failure and for how it is told.
    want = {"verify": 3, "serve": 3}.get(words[0], 11)
    t.eq(r.status, want, "exit status: " + r.err)
    if want == 3:
        t.has(r.err, "reads DER only", "micropython: ")


@test
def a_profile_from_a_descriptor(t):
    fd = t.pipe_with(b"like micropython-1.24\n")
    r = t.run("verify", cert("server-ec256.pem"), "--cafile", cert("root.pem"),
              "--as", "/dev/fd/%d" % fd, pass_fds=(fd,))
    t.bad(r, 3, "tls", -0x2180, "the CA is in PEM, and the device reads DER")


@test
def a_reload_does_not_want_the_profile_again(t):
    """It may have gone, or be out of reach in a jail."""
    path = t.named(b"like micropython-1.29\n")
    server = t.serve("--echo", "--keep-open", "--as", path)
    os.unlink(path)
    hup(server, DONE)
    c = t.connect(server, "--allow-truncation", stdin=b"x").wait()
    t.eq(c.report["tls"]["version"], "TLSv1.2", "the version")
    stop(server)


@each([("no curve", b"curves\n", "server-ec256.pem", "root.der",
        "has a key of a curve that is not taken, EC 256: RSA of 2048 bits "
        "would do"),
       ("not this one", b"curves secp384r1\n", "server-ec256.pem", "root.der",
        "curve that is not taken, EC 256: RSA of 2048 bits or EC P-384 would "
        "do"),
       ("no such hash", b"hashes sha384 sha512\ncurves secp256r1\n",
        "server-ec256.pem", "root.der", "hash that is not taken, ECDSA with "
        "SHA256", ": SHA-384 or SHA-512 would do"),
       ("RSA of few bits", b"rsa 3072 4096\ncurves secp256r1 secp521r1\n",
        "server-rsa2048.pem", "root.der", "has a weak key, RSA 2048: RSA of "
        "3072 bits, EC P-256 or EC P-521 would do")])
def what_a_device_would_take_is_what_it_knows(t, text, chain, ca, *say):
    r = t.run("verify", cert(chain), "--cafile", cert(ca), "--as",
              t.named(b"like zephyr\n" + text))
    t.eq((r.status, r.report["findings"][0]["name"]), (34, "weak"), "verdict")
    t.has(r.report["findings"][0]["text"], *say)


@test
def a_larger_buffer_is_one_for_messages_too(t):
    """The man page's example of a firmware of one's own."""
    server = t.serve("--echo", "--keep-open", name="server-rsa4096")
    c = t.connect(server, "--as", "zephyr", "--verify", "none",
                  "--max-in-record", "1k", ca=None).wait()
    t.bad(c, 51, "device", -0x7100, "Certificate message is 4363 bytes; the "
          "device's input buffer holds 1024")
    small = t.named(b"like zephyr\nmax-in-record 1024\n")
    c = t.connect(server, "--as", small, "--verify", "none", ca=None).wait()
    t.bad(c, 51, "device", -0x7100, "holds 1024")
