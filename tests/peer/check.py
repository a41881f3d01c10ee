"""check: what it prints for a board does on MicroPython what check did."""
import ast
import functools
import json
import os

import peers
from harness import ROOT, Failed, Proc, cert, same

BOARD = os.path.join(ROOT, "tests", "peer", "board")
CLIENT = ("--cert", cert("client-ec256.der"),
          "--key", cert("client-ec256-key.der"))
SUITE = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"

# name, server's certificate and options, check's, the exit status
RUNS = (
    ("success", "server-ec256", (), ("--cadata", cert("root.der")), 0),
    ("a chain", "server-chain", (), ("--cadata", cert("root.der")), 0),
    ("a bundle of CAs", "server-ec256", (),
     ("--cafile", "bundle"), 0),
    ("a suite", "server-ec256", (),
     ("--cadata", cert("root.der"), "--ciphers", SUITE), 0),
    ("our certificate", "server-ec256",
     ("--verify", "required", "--cafile", cert("root.pem")),
     ("--cadata", cert("root.der"), *CLIENT), 0),
    ("our certificate and a suite", "server-ec256",
     ("--verify", "required", "--cafile", cert("root.pem")),
     ("--cadata", cert("root.der"), "--ciphers", SUITE, *CLIENT), 0),
    ("nothing verified", "server-ec256", (), ("--verify", "none"), 0),
    ("the wrong CA", "server-ec256", (),
     ("--cadata", cert("other-root.der")), 30),
    ("another name", "server-wrong-host", (),
     ("--cadata", cert("root.der")), 32),
    ("expired", "server-expired", (), ("--cadata", cert("root.der")), 31),
    ("no certificate of ours", "server-ec256",
     ("--verify", "required", "--cafile", cert("root.pem")),
     ("--cadata", cert("root.der"),), 37),
)


def bundle(test):
    """The root, after another one."""
    text = ""
    for name in ("other-root.pem", "root.pem"):
        with open(cert(name), encoding="ascii") as f:
            text += f.read()
    return test.file("bundle", text)


def check(test, port, *args):
    """Its output and its report; TLS 1.2, as a board has it."""
    name = os.path.join(test.dir, "json")
    p = test.start(Proc, [test.mptls, "check", "127.0.0.1:%d" % port,
                          "--server-hostname", "localhost", "--max-version",
                          "1.2", "--json=" + name, *args], env=test.env)
    p.end()
    rc = p.wait()
    with open(name, encoding="utf-8") as f:
        report = json.load(f)
    same("status (%s)" % p.err.all(test.left()), report["status"], rc)
    return p.out.all(test.left()), report


def on_a_board(test, program):
    """What the program prints, and its exit status."""
    p = test.spawn(peers.micropython(), test.file("board.py", program),
                   env=dict(os.environ, MICROPYPATH=BOARD + ":.frozen"))
    p.end()
    rc = p.wait()
    text = p.out.all(test.left()) + p.err.all(test.left())
    return rc, text.decode(errors="replace")


def reproduced(name, theirs, ours, status, test):
    peers.micropython()
    _, port = test.serve("--keep-open", *theirs, name=name)
    args = [bundle(test) if x == "bundle" else x for x in ours]
    program, report = check(test, port, "--print-micropython", *args)
    same("status", report["status"], status)
    program = program.decode()
    ast.parse(program)
    if "PRIVATE" in program:
        raise Failed("a key was printed")
    rc, text = on_a_board(test, program)
    if status == 0:
        same("the board's status (%s)" % text, rc, 0)
        suite = report["tls"]["cipher"].replace("_", "-")
        if "--ciphers" in ours:
            same("what the board says", text, "ok: ('%s', 'TLSv1.2')\n" % suite)
        return
    same("the board's status (%s)" % text, rc, 1)
    # A traceback ends in the exception: its type, and its text.
    kind, rest = report["error"]["micropython"].split("(", 1)
    raised = ast.literal_eval("(" + rest)
    wanted = "%s: %s" % (kind, raised)
    if not text.rstrip().endswith(wanted.rstrip()):
        raise Failed("the board raises %r, not %r" % (text, wanted))


def printed(form, test):
    """--print-cadata gives the CA's bytes, whichever form it takes."""
    _, port = test.serve("--keep-open", name="server-chain")
    out, report = check(test, port, "--cafile", cert("root.pem"),
                        "--print-cadata", "micropython")
    same("status", report["status"], 0)
    with open(cert("root.der"), "rb") as f:
        wanted = f.read()
    program = out.decode() + "import sys\nsys.stdout.buffer.write(cadata)\n"
    if form == "CPython":
        names = {}
        exec(out.decode(), names)  # pylint: disable=exec-used
        same("cadata", names["cadata"], wanted)
        return
    p = test.spawn(peers.micropython(), test.file("ca.py", program))
    p.end()
    same("the board's status", p.wait(), 0)
    same("cadata", p.out.all(test.left()), wanted)


def tests():
    for name, theirs, options, ours, status in RUNS:
        yield "print-micropython, " + name, functools.partial(
            reproduced, theirs, options, ours, status)
    for form in ("CPython", "MicroPython"):
        yield "print-cadata on " + form, functools.partial(printed, form)
