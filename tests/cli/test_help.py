"""What is printed on request: stdout, exit 0, nothing on stderr."""
import os
import signal

from harness import SCHEMA, Failed, Skipped, each, read_some, test

COMMANDS = ["connect", "serve", "verify", "ciphers", "explain", "completion",
            "help"]


def printed(t, *args):
    """What a command prints, all of it fit for a terminal."""
    r = t.run(*args)
    t.eq((r.status, r.err), (0, ""), "status and stderr")
    text = r.out.decode()
    if not text.endswith("\n"):
        raise Failed("no newline at the end of %r" % text[-40:])
    return text


def narrow(t, text):
    for line in text.splitlines():
        if len(line) > 79 or line != line.rstrip():
            raise Failed("a bad line: %r" % line)


@test
def help_has_one_text_however_it_is_asked_for(t):
    text = printed(t, "--help")
    narrow(t, text)
    t.has(text, *("\n  %s " % name for name in COMMANDS))
    for args in (["-h"], ["help"]):
        t.eq(printed(t, *args), text, "the help")


@each([(name, name) for name in COMMANDS])
def help_of_a_command(t, name):
    text = printed(t, "help", name)
    narrow(t, text)
    t.has(text, "usage: mptls %s [options]" % name, "--help")
    t.eq(printed(t, name, "--help"), text, "the help")
    t.eq(printed(t, name, "-h"), text, "the help")
    t.eq(printed(t, name, "--unknown", "--help"), text, "the help")


@test
def serve_says_its_default_port(t):
    t.has(printed(t, "help", "serve"), "4433")


@test
def version_names_both(t):
    text = printed(t, "--version")
    t.has(text, "mptls ", "Mbed TLS 3.")
    t.has(text, "\nbulk encryption: ", "\nsignatures on P-256: ")
    t.eq(len(text.splitlines()), 3, "lines")


@test
def ciphers_lists_what_there_is(t):
    import json
    names = printed(t, "ciphers").split()
    t.has(names, "TLS_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    t.eq(len(set(names)), len(names), "different names")
    rows = [json.loads(x) for x in printed(t, "ciphers", "--json").splitlines()]
    t.eq([x["iana"] for x in rows], names, "IANA names")
    t.eq({x["v"] for x in rows}, {1}, "versions of the format")
    shape = SCHEMA.shapes["Cipher suites"]
    t.eq([shape.differences(x, "a suite") for x in rows], [[]] * len(rows),
         "what is not as the man page says")
    by = {v: printed(t, "ciphers", "--tls-version", v).split()
          for v in ("1.2", "1.3")}
    t.eq(sorted(by["1.2"] + by["1.3"]), sorted(names), "all names")
    one = [x for x in rows if x["iana"].startswith("TLS_ECDHE_RSA")][0]
    for spelling in (one["iana"], one["mbedtls"], one["openssl"],
                     "0x%04X" % one["id"]):
        t.eq(printed(t, "ciphers", "--ciphers", spelling), one["iana"] + "\n",
             "the suite")


# name, arguments that print on stdout
PRINTERS = [("help", ["--help"]), ("help of a command", ["help", "connect"]),
            ("option", ["serve", "--help"]), ("version", ["--version"]),
            ("ciphers", ["ciphers"]),
            ("ciphers in JSON", ["ciphers", "--json"]),
            ("completion", ["completion", "bash"])]


@each(PRINTERS)
def full_stdout(t, args):
    if not os.path.exists("/dev/full"):
        raise Skipped("no /dev/full")
    r = t.run(*args, redirect=">/dev/full")
    t.eq(r.status, 1, "status")
    t.has(r.err, "write to stdout: No space left on device")


@each(PRINTERS)
def closed_stdout(t, args):
    r = t.run(*args, redirect=">&-")
    t.eq(r.status, 1, "status")
    t.has(r.err, "write to stdout: Bad file descriptor")


@test
def a_reader_that_leaves_ends_it_by_sigpipe(t):
    for args in (["--help"], ["ciphers"]):
        r, w = t.pipe()
        t.close_pipe(r)
        p = t.start(*args, stdout=w)
        t.eq(p.wait().status, -signal.SIGPIPE, "status")
        p = t.start(*args, stdout=w, restore_signals=False)
        result = p.wait()
        t.eq(result.status, 1, "status where SIGPIPE is ignored")
        t.has(result.err, "write to stdout: Broken pipe")


@test
def help_needs_no_stdin_and_no_stderr(t):
    for redirect in ("<&-", "2>&-", "<&- 2>&-"):
        r, w = t.pipe()
        p = t.start("--help", stdout=w, redirect=redirect)
        t.close_pipe(w)
        t.has(read_some(r), b"usage: mptls")
        t.eq(p.wait().status, 0, "status")
