"""--print-cadata and --print-micropython: what comes in place of the report."""
import ast
import base64
import os
import pty

from harness import cert, each, read_file, test
from test_connect import free_port

UNVERIFIED = ("mptls: the CA printed is not verified, only what the peer sent: "
              "compare it with one from another source\n")


def der(name):
    """The first certificate of a PEM file."""
    text = read_file(cert(name)).decode().split("-----")[2]
    return base64.b64decode(text)


def decoded(form, out):
    if form == "der":
        return out
    if form == "base64":
        return base64.b64decode(out, validate=False)
    names = {}
    exec(compile(ast.parse(out), "cadata", "exec"), names)
    return names["cadata"]


FORMS = ("der", "base64", "micropython")

# name, chain, trusted, what is printed, status, whether it is verified
PICKED = [
    ("the root", "server-chain", "root.pem", "root.pem", 0, True),
    ("an intermediate that is trusted", "server-missing-intermediate",
     "intermediate.pem", "intermediate.pem", 0, True),
    ("the top of what was sent", "server-chain", "other-root.pem",
     "intermediate.pem", 30, False),
    ("the root that was sent, whatever the order", "server-reversed-chain",
     "other-root.pem", "root.pem", 30, False),
    ("a self-signed leaf", "server-self-signed", "root.pem",
     "server-self-signed.pem", 30, False),
    ("the anchor of an expired one", "server-expired", "root.pem", "root.pem",
     31, True),
]


@each([(name + ", " + form, form, *row) for name, *row in PICKED
       for form in FORMS])
def verify_prints(t, form, chain, trusted, printed, status, good):
    r = t.run("verify", cert(chain + ".pem"), "--cafile", cert(trusted),
              "--server-hostname", "localhost", "--print-cadata", form)
    t.eq((r.status, decoded(form, r.out) == der(printed)), (status, True),
         "status and CA (stderr: %s)" % r.err)
    t.eq(UNVERIFIED in r.err, not good, "the warning")


@each([(name, *row) for name, *row in PICKED])
def check_prints(t, chain, trusted, printed, status, good):
    server = t.serve(name=chain)
    r = t.check(server, "--server-hostname", "localhost", "--print-cadata",
                "der", ca=trusted)
    t.eq((r.status, r.out == der(printed)), (status, True),
         "status and CA (stderr: %s)" % r.err)
    t.eq(UNVERIFIED in r.err, not good, "the warning")
    if status == 0:
        t.eq(r.err, "", "stderr")
    server.wait()


@test
def nothing_is_printed_where_there_is_no_ca(t):
    server = t.serve()
    r = t.check(server, "--verify", "none", "--print-cadata", "base64", ca=None)
    t.bad(r, 1, "os", 0, "no CA to print")
    server.wait()


@test
def the_failure_stays_the_failure_where_there_is_no_ca(t):
    server = t.serve()
    r = t.check(server, "--server-hostname", "localhost", "--print-cadata",
                "base64", ca="other-root.pem")
    t.bad(r, 30, "verify", 8)
    server.wait()


@test
def a_terminal_gets_no_der(t):
    master, slave = pty.openpty()
    t.on_exit(lambda: os.close(master))
    p = t.start("verify", cert("root.pem"), "--print-cadata", "der",
                stdout=slave)
    os.close(slave)
    r = p.wait()
    t.eq(r.status, 2, "status")
    t.has(r.err, "--print-cadata der is not for a terminal")


@each([("two targets", ("check", "--print-cadata", "base64", "h:1", "h:2"),
        "--print-cadata is for one target, not 2"),
       ("a program for two", ("check", "--print-micropython", "h:1", "h:2"),
        "--print-micropython is for one target, not 2"),
       ("both", ("check", "--print-cadata", "der", "--print-micropython",
                 "h:1"), "one or the other"),
       ("another form", ("check", "--print-cadata", "pem", "h:1"), "pem")])
def print_usage(t, words, say):
    t.usage(words, say, command="check")


@each([("check", ("check", "--print-cadata", "base64", "--json", "h:1")),
       ("verify", ("verify", "--print-cadata", "base64", "--json", "x"))])
def two_for_stdout(t, words):
    r = t.run(*words, report=False)
    t.eq(r.status, 2, "status")
    t.has(r.out.decode(), "both want stdout")


@test
def the_program_never_has_a_key(t):
    server = t.serve()
    key = "base64:" + base64.b64encode(
        read_file(cert("client-ec256-key.der"))).decode()
    r = t.check(server, "--server-hostname", "localhost", "--cert",
                cert("client-ec256.pem"), "--key", key, "--print-micropython")
    t.eq(r.status, 0, "status")
    program = r.out.decode()
    ast.parse(program)
    t.has(program, 'ctx.load_cert_chain("%s", "client-key.der")'
          % cert("client-ec256.pem"))
    t.eq(key[7:40] in program, False, "the key is in it")
    server.wait()


@test
def the_program_says_what_a_board_cannot(t):
    server = t.serve()
    r = t.check(server, "--server-hostname", "localhost", "--min-version",
                "1.3", "--alpn", "h2", "--time", "2030-01-01",
                "--print-micropython")
    t.has(r.out.decode(), "# TLS 1.3 was spoken here",
          "# A board cannot ask for TLS 1.3", "(--alpn)", "(--time)",
          "ntptime.settime()")
    server.wait()


@test
def the_program_comes_also_where_nothing_listens(t):
    where = "127.0.0.1:%d" % free_port(t)
    r = t.run("check", where, "--print-micropython", "--cafile",
              cert("root.pem"))
    t.eq(r.status, 11, "status")
    program = r.out.decode()
    ast.parse(program)
    t.has(program, "# It failed here: connect to " + where,
          "# It should raise OSError(111)")
