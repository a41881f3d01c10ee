"""serve --exec and --sh: a command has the connection as stdin and stdout."""
import errno
import os
import signal

from harness import cert, each, read_exactly, read_some, test, \
    wait_until

MEGABYTE = bytes(range(256)) * 4096


def both_versions(function):
    each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])(function)
    return function


def ended(t, result, status, number=None):
    t.eq(result.report["exec"], {"status": status, "signal": number},
         "how the command ended")


@both_versions
def a_command_gets_the_connection(t, version):
    server = t.serve("--exec", "cat", "--max-version", version)
    t.ok(t.connect(server, stdin=t.file("in", MEGABYTE)).wait(), MEGABYTE)
    s = t.ok(server.wait())
    ended(t, s, 0)
    t.eq((s.report["bytes"]["in"], s.report["bytes"]["out"]),
         (len(MEGABYTE), len(MEGABYTE)), "bytes in and out")


@each([("quotes", r"""printf '%s|' 'a  b' "c \"d\\" e\ f '' $HOME""",
        rb"""a  b|c "d\|e f||$HOME|"""),
       ("a folder of PATH", "sh -c 'echo $0' x", b"x\n")])
def without_a_shell(t, command, out):
    server = t.serve("--exec", command)
    t.ok(t.connect(server).wait(), out)
    ended(t, t.ok(server.wait()), 0)


@test
def with_a_shell(t):
    server = t.serve("--sh", "sed s/l/L/g | tr o 0; echo $((6 * 7))")
    t.ok(t.connect(server, stdin=b"hello\n").wait(), b"heLL0\n42\n")
    ended(t, t.ok(server.wait()), 0)


@each([("none", "", "there is no command"),
       ("blanks", "  ", "there is no command"),
       ("a quote", "echo 'x", "a quote has no end: 'echo 'x'"),
       ("a double quote", 'echo "x', "a quote has no end"),
       ("a backslash", "echo \\", "ends in a backslash")])
def a_command_that_is_none(t, command, words):
    t.usage(("serve", "--exec", command, "--cert", cert("server-ec256.pem"),
             "--key", cert("server-ec256-key.pem")), "--exec: ", words,
            command="serve")


@each([("no such file", "/nowhere/none", errno.ENOENT),
       ("not in PATH", "no-such-command-at-all", errno.ENOENT),
       ("a folder", "/", errno.EACCES)])
def one_that_cannot_be_started(t, command, code):
    """The client is not to take it for an empty answer."""
    server = t.serve("--exec", command)
    c = t.connect(server, stdin=b"hello").wait()
    t.bad(server.wait(), 3, "file", code, "--exec: start " + command)
    t.lost(c)


@test
def the_next_client_is_served_all_the_same(t):
    server = t.serve("--exec", "/nowhere/none", "--keep-open")
    for _ in range(2):
        t.connect(server).wait()
    server.signal(signal.SIGTERM)
    s = server.wait()
    t.eq([r["status"] for r in s.reports], [3, 3, 128 + signal.SIGTERM],
         "the statuses")


@each([("with -v", ("-v",), 0, True), ("not otherwise", (), 0, False),
       ("but for a failure", (), 3, True)])
def how_it_ended_is_said(t, options, status, said):
    server = t.serve("--sh", "exit %d" % status, *options)
    t.ok(t.connect(server).wait())
    s = t.ok(server.wait())
    ended(t, s, status)
    line = "mptls: the command ended with exit status %d\n" % status
    t.eq(line in s.err, said, "whether it is said")


@test
def a_signal_that_ended_it_is_said(t):
    server = t.serve("--sh", "kill -9 $$")
    t.ok(t.connect(server).wait())
    s = t.ok(server.wait())
    ended(t, s, None, signal.SIGKILL)
    t.has(s.err, "mptls: the command was ended by signal 9\n")


def environment(out):
    return dict(x.split("=", 1) for x in out.decode().splitlines()
                if x.startswith("MPTLS_"))


@both_versions
def the_environment_tells_of_the_client(t, version):
    server = t.serve("--exec", "env", "--verify", "required", "--cafile",
                     cert("root.pem"), "--alpn", "mqtt,http/1.1",
                     "--max-version", version,
                     env={"MPTLS_SNI": "ours", "KEPT": "yes"})
    c = t.connect(server, "--cert", cert("client-ec256.pem"), "--key",
                  cert("client-ec256-key.pem"), "--alpn", "http/1.1",
                  "--server-hostname", "localhost").wait()
    s = t.ok(server.wait())
    peer = s.report["verify"]["chain"][0]
    t.eq(environment(c.out), {
        "MPTLS_PEER_ADDR": s.report["peer"],
        "MPTLS_PEER_SUBJECT": peer["subject"],
        "MPTLS_PEER_SPKI_SHA256": peer["spki_sha256"],
        "MPTLS_VERSION": "TLSv" + version,
        "MPTLS_CIPHER": s.report["tls"]["cipher"],
        "MPTLS_SNI": "localhost", "MPTLS_ALPN": "http/1.1"}, "environment")
    t.has(c.out, b"KEPT=yes\n")


@test
def what_is_unknown_is_not_set(t):
    """Nor is what we ourselves were started with."""
    names = ["MPTLS_" + x for x in ("PEER_SUBJECT", "PEER_SPKI_SHA256", "SNI",
                                    "ALPN")]
    server = t.serve("--exec", "env", env=dict.fromkeys(names, "forged"))
    c = t.connect(server, "--verify", "none", "--server-hostname", "").wait()
    t.ok(server.wait())
    t.eq(sorted(environment(c.out)), ["MPTLS_CIPHER", "MPTLS_PEER_ADDR",
                                      "MPTLS_VERSION"], "the variables")


@test
def no_other_file_is_its(t):
    """Whatever we have open: sockets, the JSON file, the secrets' file."""
    script = ("i=0; while [ $i -lt 64 ]; do [ -e /proc/$$/fd/$i ] && "
              "echo $i; i=$((i + 1)); done")
    server = t.serve("--sh", script, "--keylog", t.path("keylog"))
    t.ok(t.connect(server).wait(), b"0\n1\n2\n")
    t.ok(server.wait())


@test
def stdin_is_its_as_well_when_ours_is_closed(t):
    server = t.serve("--exec", "cat", redirect="<&- >&-")
    t.ok(t.connect(server, stdin=b"hello").wait(), b"hello")
    t.ok(server.wait())


@test
def an_end_of_its_output_is_passed_on(t):
    """It goes on reading, and the client sending."""
    r, w = t.pipe()
    out, out_w = t.pipe()
    name = t.path("rest")
    server = t.serve("--sh", "echo over; exec >&-; cat >" + name)
    client = t.connect(server, stdin=r, stdout=out_w)
    t.close_pipe(out_w)
    t.eq(read_exactly(out, 5), b"over\n", "the output")
    t.eq(read_some(out), b"", "its end")
    os.write(w, b"the rest")
    t.close_pipe(w)
    t.ok(client.wait())
    t.ok(server.wait())
    with open(name, "rb") as f:
        t.eq(f.read(), b"the rest", "what it read")


@test
def an_end_of_its_input_is_seen(t):
    server = t.serve("--sh", "wc -c")
    c = t.connect(server, stdin=t.file("in", MEGABYTE)).wait()
    t.eq(c.out.strip(), b"%d" % len(MEGABYTE), "the answer after the end")
    ended(t, t.ok(server.wait()), 0)


@each([("which ended", "echo bye"),
       ("which reads no more", "exec <&-; echo bye")])
def a_command_ends_the_connection(t, script):
    """The client's stdin stays open: it is not waited for."""
    r, w = t.pipe()
    os.write(w, b"not read")
    server = t.serve("--sh", script)
    client = t.connect(server, stdin=r)
    ended(t, t.ok(server.wait()), 0)
    t.ok(client.wait(), b"bye\n")


@test
def more_than_it_reads_is_no_failure(t):
    server = t.serve("--exec", "head -c 3")
    c = t.connect(server, stdin=t.file("in", MEGABYTE)).wait()
    t.eq(c.out, MEGABYTE[:3], "the answer")
    ended(t, t.ok(server.wait()), 0)


def started(t, name):
    wait_until("the command is there", lambda: os.path.getsize(name) > 0)
    with open(name, encoding="ascii") as f:
        return int(f.read())


@test
def one_that_goes_on_is_ended(t):
    """After its grace, which only this test waits for."""
    name = t.named(b"")
    server = t.serve("--sh", "echo $$ >%s; exec sleep 1000" % name,
                     "--idle-timeout", "300ms")
    client = t.connect(server)
    pid = started(t, name)
    s = server.wait()
    t.bad(s, 41, "timeout", 300)
    ended(t, s, None, signal.SIGTERM)
    t.eq(os.path.exists("/proc/%d" % pid), False, "whether it is there")
    client.wait()


@test
def our_end_is_its_end(t):
    name = t.named(b"")
    r, _ = t.pipe()
    server = t.serve("--sh", "echo $$ >%s; exec sleep 1000" % name)
    client = t.connect(server, stdin=r)
    pid = started(t, name)
    server.signal(signal.SIGTERM)
    s = server.wait()
    t.bad(s, 128 + signal.SIGTERM, "signal", signal.SIGTERM)
    ended(t, s, None, signal.SIGTERM)
    t.eq(os.path.exists("/proc/%d" % pid), False, "whether it is there")
    client.wait()
