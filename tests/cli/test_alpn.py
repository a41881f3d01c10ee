"""--alpn: what is offered, taken and refused."""
from harness import each, test


@each([("the server's order decides", "h2,http/1.1", "http/1.1,h2",
        "http/1.1"),
       ("the only one in common", "mqtt,h2", "h2", "h2")])
def alpn_is_agreed_on(t, offered, taken, agreed):
    server = t.serve("--alpn", taken, "-v", "--trace", stdin=b"x")
    c = t.connect(server, "--alpn", offered, "--trace").wait()
    t.ok(c, b"x")
    s = t.ok(server.wait())
    t.has(s.err, "ALPN " + offered.replace(",", ", "))
    for r in (c, s):
        t.eq(r.report["tls"]["alpn"], agreed, "the protocol")


@test
def alpn_is_not_agreed_on_where_one_end_has_none(t):
    for mine, theirs in ((["--alpn", "h2"], []), ([], ["--alpn", "h2"])):
        server = t.serve(*theirs, stdin=b"x")
        c = t.ok(t.connect(server, *mine).wait(), b"x")
        t.ok(server.wait())
        t.eq(c.report["tls"]["alpn"], None, "the protocol")


@each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])
def alpn_with_nothing_in_common(t, version):
    server = t.serve("--alpn", "h2", "--max-version", version)
    c = t.connect(server, "--alpn", "http/1.1").wait()
    t.bad(c, 22, "alert", 120, "no_application_protocol")
    s = t.bad(server.wait(), 21, "tls", -0x7580)
    found = s.report["findings"]
    t.eq([f["name"] for f in found], ["no-common-alpn"], "findings")
    t.has(found[0]["text"], "the client offers http/1.1; the server takes h2")
    t.has(s.err, "mptls: here: --alpn with one of the client's names")


@each([("empty", ""), ("an empty name", "h2,,http/1.1"),
       ("a comma at the end", "h2,"), ("a long name", "x" * 256),
       ("too many", ",".join(["a"] * 17))])
def alpn_names_are_judged(t, names):
    t.usage(["connect", "--alpn", names, "localhost:1"],
            "ALPN '%s': " % names[:60], "1 to 255 bytes", command="connect")
