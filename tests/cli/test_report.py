"""What -v and --json say."""
import json
import re

from harness import cert, each, parse_reports, read_some, test


def spoken(t, *args, **kw):
    """connect's result and serve's, with a byte each way."""
    server = t.serve(*args, stdin=b"back", **kw)
    c = t.connect(server, *args, stdin=b"there").wait()
    return c, server.wait(), server


@test
def silent_on_success(t):
    c, s, server = spoken(t)
    t.ok(c, b"back")
    t.ok(s, b"there")
    t.eq(c.err, "", "connect's stderr")
    t.eq(s.err, "mptls: listening on %s\n" % server.address, "serve's stderr")


@test
def verbose(t):
    c, s, server = spoken(t, "-v")
    t.ok(c, b"back")
    t.ok(s, b"there")
    for pattern in (r"connected to %s \(resolve [0-9.]+ ms, connect [0-9.]+ "
                    r"ms, handshake [0-9.]+ ms\)" % re.escape(server.address),
                    r"TLSv1\.3, TLS_\w+",
                    r"verified: is 127\.0\.0\.1, trusted by --cafile",
                    r"certificate 0: CN=localhost \(EC 256, 2020-01-01 to "
                    r"2060-01-01\), names DNS:localhost, .*",
                    r"5 bytes sent, 4 received; close_notify sent and "
                    r"received"):
        if not re.search("^mptls: %s$" % pattern, c.err, re.M):
            t.has(c.err, pattern)
    for part in ("listening on ", "client 127.0.0.1:", "TLSv1.3, ",
                 "4 bytes sent, 5 received; close_notify sent and received"):
        t.has(s.err, "mptls: " + part)


@test
def verbose_of_a_failure_has_how_far_it_got(t):
    server = t.serve("--mp-defaults", "--on-eof", "close", stdin=b"data")
    r = t.connect(server, "-v").wait()
    t.bad(r, 40, "truncated", 0, out=b"data")
    t.has(r.err, "mptls: truncated: ", "mptls: micropython: ",
          "0 bytes sent, 4 received; close_notify ")


@test
def json_on_stderr_is_in_place_of_text(t):
    server = t.serve("--json", "-v", stdin=b"back")
    c = t.connect(server, "--json", "-v", "--verify", "none",
                  stdin=b"there").wait()
    s = server.wait()
    t.ok(c, b"back")
    t.ok(s, b"there")
    t.eq(len(c.lines), 1, "connect's lines")
    t.eq((len(s.lines), s.listening), (2, [server.address]), "serve's lines")


@test
def json_in_a_file_is_beside_the_text(t):
    name = t.path("json")
    server = t.serve(stdin=b"back")
    c = t.connect(server, "--json=" + name, "-v").wait()
    t.eq(c.status, 0, "status")
    t.has(c.err, "mptls: connected to")
    with open(name) as f:
        reports = parse_reports(f.read())[1]
    t.eq(len(reports), 1, "reports")
    t.eq(reports[0]["target"], server.address, "the target")


@test
def listening_is_told_at_once(t):
    """The event is in the file before the first client comes."""
    server = t.serve()
    with open(server.json_name) as f:
        listening, reports = parse_reports(f.read())
    t.eq((listening, reports), ([server.address], []), "events")
    t.ok(t.connect(server).wait())
    t.ok(server.wait())


@test
def facts(t):
    server = t.serve(name="server-chain", stdin=b"back")
    c = t.connect(server, "--server-hostname", "localhost",
                  stdin=b"there").wait()
    r = t.ok(c, b"back").report
    t.eq((r["command"], r["ok"], r["status"], r["class"], r["stage"],
          r["error"]), ("connect", True, 0, "ok", "stream", None), "the end")
    t.eq((r["target"], r["peer"]), (server.address, server.address), "where")
    t.has(r["local"], "127.0.0.1:")
    t.eq(r["verify"]["flags"], [], "flags")
    t.has([x["subject"] for x in r["verify"]["chain"]][0], "CN=localhost")
    t.has([x["issuer"] for x in r["verify"]["chain"]][0], "intermediate")
    leaf = r["verify"]["chain"][0]
    t.eq((leaf["not_before"][:10], leaf["not_after"][:10], leaf["flags"]),
         ("2020-01-01", "2060-01-01", []), "the leaf")
    t.eq((r["bytes"]["in"], r["bytes"]["out"]), (4, 5), "bytes")
    for name in ("resolve", "connect", "handshake", "total"):
        if not 0 <= r["times_ms"][name] < 10000:
            t.eq(r["times_ms"][name], "a time", name)
    s = t.ok(server.wait(), b"there").report
    t.eq((s["peer"], s["local"], s["command"]),
         (r["local"], r["peer"], "serve"), "the server's view")
    t.eq((s["bytes"]["wire_in"], s["bytes"]["wire_out"]),
         (r["bytes"]["wire_out"], r["bytes"]["wire_in"]), "the wire")


@test
def the_hash_is_that_of_the_certificate(t):
    import hashlib
    from harness import read_file
    server = t.serve(stdin=b"x")
    r = t.ok(t.connect(server).wait(), b"x").report
    der = read_file(cert("server-ec256.der"))
    leaf = r["verify"]["chain"][0]
    t.eq((leaf["sha256"], leaf["der_bytes"]),
         (hashlib.sha256(der).hexdigest(), len(der)), "hash and length")


@each([("a quote", 'a"b:1'), ("a backslash", "a\\b:1"), ("a tab", "a\tb:1"),
       ("not UTF-8", b"\xff\xfe:1"), ("UTF-8", "b\u00fccher:0")])
def json_of_a_strange_target(t, target):
    r = t.run("connect", "--json", "--verify", "none", target)
    if r.status not in (2, 10):
        t.eq(r.status, 2, "status")
    wanted = target
    if isinstance(target, bytes):
        wanted = "\ufffd\ufffd:1"
    t.eq(r.report["target"], wanted, "the target")


@test
def ready_line_and_listening_line_agree(t):
    server = t.serve("--json")
    t.ok(t.connect(server).wait())
    s = t.ok(server.wait())
    t.eq(s.listening, [server.address], "listening")
    t.eq([json.loads(x)["event"] for x in s.lines],
         ["listening", "connection"], "events")


@test
def stdout_has_only_data(t):
    r, w = t.pipe()
    server = t.serve("-v", "--json", stdout=w, stdin=b"back")
    t.close_pipe(w)
    t.ok(t.connect(server, "-v", stdin=b"there").wait(), b"back")
    got = b""
    while True:
        more = read_some(r)
        if more == b"":
            break
        got += more
    t.eq(got, b"there", "serve's stdout")
    t.eq(server.wait().status, 0, "status")
