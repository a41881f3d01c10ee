"""serve --http: the report of the connection, to any HTTP request."""
import json
import os
import signal

from harness import Failed, check_shape, each, read_some, test

GET = b"GET / HTTP/1.1\r\nHost: board\r\n\r\n"


def both_versions(function):
    each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])(function)
    return function


def ask(t, request, *options):
    """The head's lines, the body, and the server's result.

    The client's stdin stays open: it is the server that ends.
    """
    r, w = t.pipe()
    os.write(w, request)
    server = t.serve("--http", *options)
    c = t.connect(server, stdin=r).wait()
    t.eq(c.status, 0, "the client's status")
    head, _, body = c.out.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body, t.ok(server.wait())


def field(lines, name):
    found = [x.split(": ", 1)[1] for x in lines[1:]
             if x.startswith(name + ": ")]
    if len(found) != 1:
        raise Failed("%s is there %d times: %r" % (name, len(found), lines))
    return found[0]


@both_versions
def the_report_as_text(t, version):
    lines, body, s = ask(t, GET, "--max-version", version)
    t.eq(lines[0], "HTTP/1.1 200 OK", "the status line")
    t.eq(field(lines, "Content-Type"), "text/plain; charset=utf-8", "type")
    t.eq(field(lines, "Connection"), "close", "Connection")
    t.eq(field(lines, "Content-Length"), str(len(body)), "the length")
    text = body.decode()
    t.has(text, "TLSv" + version, s.report["tls"]["cipher"])
    t.eq(text.splitlines()[-1].split(), ["verdict:", "ok"], "the last line")
    t.eq(s.report["bytes"]["in"], len(GET), "bytes in")


@each([("by the path", b"GET /a.json?b HTTP/1.0\r\n\r\n"),
       ("by Accept", b"GET / HTTP/1.1\r\nAccept: text/html, "
        b"application/json;q=0.9\r\n\r\n")])
def the_report_as_json(t, request):
    lines, body, s = ask(t, request, "--alpn", "http/1.1")
    t.eq(field(lines, "Content-Type"), "application/json", "the type")
    report = json.loads(body)
    check_shape(report)
    t.eq((report["ok"], report["status"], report["command"]),
         (True, 0, "serve"), "how it is")
    for key in ("version", "cipher", "group", "sig_alg", "extensions"):
        t.eq(report["tls"][key], s.report["tls"][key], key)
    t.eq(report["offers"], s.report["offers"], "the offers")
    t.eq(report["peer"], s.report["peer"], "the peer")


@test
def head_has_no_body(t):
    lines, body, _ = ask(t, b"HEAD / HTTP/1.1\r\n\r\n")
    t.eq((lines[0], body), ("HTTP/1.1 200 OK", b""), "the answer")
    if int(field(lines, "Content-Length")) < 100:
        raise Failed("the length is that of no report")


@each([("no HTTP", b"hello\r\n", "400 Bad Request"),
       ("another version", b"GET / HTTP/2.0\r\n\r\n", "400 Bad Request"),
       ("too much", GET[:-2] + b"X: " + bytes(16384).replace(b"\0", b"x"),
        "431 Request Header Fields Too Large")])
def what_is_refused(t, request, status):
    lines, body, _ = ask(t, request)
    t.eq((lines[0], body), ("HTTP/1.1 " + status, b""), "the answer")


@test
def a_body_is_dropped(t):
    request = b"POST / HTTP/1.1\r\nContent-Length: 50000\r\n\r\n"
    lines, body, _ = ask(t, request + bytes(50000))
    t.eq(lines[0], "HTTP/1.1 200 OK", "the answer")
    t.eq(field(lines, "Content-Length"), str(len(body)), "the length")


@each([("nothing", b"", b""),
       ("a part", GET[:-2], b"HTTP/1.1 400 Bad Request\r\n")])
def a_client_that_ends_early(t, request, answer):
    server = t.serve("--http")
    c = t.connect(server, stdin=request).wait()
    t.eq(c.status, 0, "the client's status")
    t.eq(c.out[:len(answer)], answer, "the answer")
    t.eq(bool(c.out), bool(answer), "whether there is one")
    t.ok(server.wait())


@test
def the_next_client_is_answered_anew(t):
    server = t.serve("--http", "--keep-open")
    first = t.connect(server, stdin=GET[:-2]).wait()
    t.has(first.out, b"400 Bad Request")
    second = t.connect(server, stdin=GET).wait()
    t.has(second.out, b"200 OK")
    server.signal(signal.SIGTERM)
    t.eq(server.wait().status, 128 + signal.SIGTERM, "the status")


@test
def a_request_in_pieces(t):
    r, w = t.pipe()
    out, out_w = t.pipe()
    server = t.serve("--http")
    client = t.connect(server, stdin=r, stdout=out_w)
    t.close_pipe(out_w)
    for at in range(0, len(GET), 7):
        os.write(w, GET[at:at + 7])
    t.has(read_some(out), b"HTTP/1.1 200 OK\r\n")
    while read_some(out):
        pass
    t.ok(client.wait())
    t.ok(server.wait())
