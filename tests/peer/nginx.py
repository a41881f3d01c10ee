"""serve --forward as the TLS of a real web server, for curl and for others."""
import errno
import functools
import http.client as http_client
import os
import random
import shutil
import signal
import socket
import subprocess
import time

import peers
from harness import (ROOT, VERSIONS, Failed, Skipped, listening_port,
                     same)
from modes import curl, only

SIZE = 5 * 1000 * 1000
LARGE = 60 * 1000 * 1000  # no set of socket buffers holds it
CONF = """daemon off;
master_process off;
error_log stderr warn;
pid {dir}/nginx.pid;
events {{ worker_connections 500; }}
http {{
    access_log off;
    default_type text/plain;
    client_max_body_size 0;
    client_body_temp_path {dir}/temp;
    proxy_temp_path {dir}/temp;
    fastcgi_temp_path {dir}/temp;
    uwsgi_temp_path {dir}/temp;
    scgi_temp_path {dir}/temp;
    server {{
        listen {where};
        root {dir}/www;
        location /put/ {{ dav_methods PUT; }}
        location = /post {{ return 200 "$request_method $content_length"; }}
    }}
}}
"""


def program():
    """The machine's own, or what deps.sh has unpacked."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    found = (shutil.which("nginx", path=path) or
             shutil.which(os.path.join(ROOT, "build/deps/nginx/nginx")))
    if found is None:
        raise Skipped("no nginx")
    return found


def run_nginx(test, where):
    os.makedirs(os.path.join(test.dir, "www", "put"), exist_ok=True)
    conf = test.file("nginx.conf", CONF.format(dir=test.dir, where=where))
    return test.spawn(program(), "-e", "stderr", "-p", test.dir, "-c", conf)


def on_unix(test):
    """@return the process, and what --forward calls it"""
    path = os.path.join(test.dir, "nginx.socket")
    p = run_nginx(test, "unix:" + path)
    while p.p.poll() is None and time.monotonic() < test.deadline:
        with socket.socket(socket.AF_UNIX) as s:
            if s.connect_ex(path) == 0:
                return p, "unix:" + path
        try:
            p.p.wait(0.005)
        except subprocess.TimeoutExpired:
            pass
    raise Failed("nginx does not listen: %s" % p.err.data)


def on_tcp(test):
    """It cannot say which port it has, and another may be quicker."""
    for _ in range(5):
        with socket.socket() as s:
            s.bind((peers.LOCALHOST, 0))
            port = s.getsockname()[1]
        p = run_nginx(test, "%s:%d" % (peers.LOCALHOST, port))
        try:
            return p, "127.0.0.1:%d" % listening_port(p)
        except Failed:
            if b"Address already in use" not in p.err.all(test.left()):
                raise
    raise Failed("five ports were taken")


def page(test, name, size):
    """A file that nginx serves; no file without nginx."""
    program()
    data = random.Random(name).randbytes(size)
    os.makedirs(os.path.join(test.dir, "www"), exist_ok=True)
    with open(os.path.join(test.dir, "www", name), "wb") as f:
        f.write(data)
    return data


def begin(test, start, version="1.3"):
    """@return nginx, mptls, and its port"""
    nginx, where = start(test)
    s, port = test.serve(*only(version), "--keep-open", "--forward", where)
    return nginx, s, port


def logged(s):
    """End the server, and have what it reported of each client."""
    s.p.send_signal(signal.SIGTERM)
    same("the status", s.wait(), 128 + signal.SIGTERM)
    return s.reports()[:-1]


def all_well(reports, n):
    same("clients", len(reports), n)
    same("their ends", {r["status"] for r in reports} <= {0, 40}, True)


def get(start, version, test):
    body = page(test, "page", SIZE)
    _, s, port = begin(test, start, version)
    c = curl(test, port, "page")
    same("curl's status", c.wait(), 0)
    same("the body is the file", c.out.all(test.left()) == body, True)
    reports = logged(s)
    all_well(reports, 1)
    if reports[0]["bytes"]["out"] <= SIZE:
        raise Failed("%r bytes were sent" % reports[0]["bytes"])


def put(start, version, test):
    """The other way: what nginx has on disk is what curl sent."""
    body = page(test, "mine", SIZE)
    _, s, port = begin(test, start, version)
    c = curl(test, port, "put/there", "--upload-file",
             os.path.join(test.dir, "www", "mine"))
    same("curl's status", c.wait(), 0)
    with open(os.path.join(test.dir, "www", "put", "there"), "rb") as f:
        same("the file is the body", f.read() == body, True)
    all_well(logged(s), 1)


def kept_alive(start, version, test):
    """curl asks three times on one connection."""
    body = page(test, "page", SIZE)
    _, s, port = begin(test, start, version)
    more = ["https://localhost:%d/page" % port] * 2
    c = curl(test, port, "page", "--write-out", "[%{num_connects}]", *more)
    same("curl's status", c.wait(), 0)
    same("what came", c.out.all(test.left()) ==
         body + b"[1]" + body + b"[0]" + body + b"[0]", True)
    all_well(logged(s), 1)


def mixed(start, version, test):
    """Bodies both ways on one connection: each is read to its end."""
    body = page(test, "page", SIZE)
    _, s, port = begin(test, start, version)
    http = http_client.HTTPConnection("localhost")
    http.auto_open = False
    http.sock = peers.dial_tls(test, port)
    for _ in range(3):
        same("GET", ask(http, "GET", "/page") == body, True)
        same("POST", ask(http, "POST", "/post", body), b"POST %d" % SIZE)
        same("PUT", ask(http, "PUT", "/put/it", body), b"")
        same("what was PUT", ask(http, "GET", "/put/it") == body, True)
    http.sock.unwrap()
    reports = logged(s)
    same("how it ended", [r["status"] for r in reports], [0])


def ask(http, method, path, body=None):
    http.request(method, path, body)
    answer = http.getresponse()
    if answer.status not in (200, 201, 204):
        raise Failed("%s %s: %d" % (method, path, answer.status))
    return answer.read()


def pipelined(start, version, test):
    """All requests at once, and the answers in their order."""
    pages = [page(test, "page%d" % i, 100000 + i) for i in range(5)]
    _, s, port = begin(test, start, version)
    requests = "".join(
        "GET /page%d HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (
            i, "" if i < 4 else "Connection: close\r\n") for i in range(5))
    with peers.dial_tls(test, port) as sock:
        sock.sendall(requests.encode())
        stream = sock.makefile("rb")
        for i, body in enumerate(pages):
            same("status", stream.readline(), b"HTTP/1.1 200 OK\r\n")
            while stream.readline() != b"\r\n":
                pass
            same("page %d is the file" % i, stream.read(len(body)) == body,
                 True)
        same("what follows", stream.read(), b"")
        sock.unwrap()
    same("how it ended", [r["status"] for r in logged(s)], [0])


def parallel(start, version, test):
    body = page(test, "page", SIZE)
    _, s, port = begin(test, start, version)
    clients = [curl(test, port, "page") for _ in range(20)]
    for c in clients:
        same("curl's status", c.wait(), 0)
        same("the body is the file", c.out.all(test.left()) == body, True)
    all_well(logged(s), 20)


def killed(version, test):
    """nginx is gone in the middle of an answer, and then altogether."""
    page(test, "page", LARGE)
    nginx, s, port = begin(test, on_unix, version)
    c = curl(test, port, "page", raw=True)
    got = len(c.p.stdout.read(1))
    nginx.kill()
    while data := c.p.stdout.read(1 << 20):
        got += len(data)
    same("curl's status", c.wait(), 18)  # of a body that is too short
    if got >= LARGE:
        raise Failed("the whole body came")
    same("curl's status", curl(test, port, "page").wait(), (52, 56))
    first, second = logged(s)
    same("the first, which the end of nginx ended", first["status"], (0, 43))
    same("the second, which nobody took", (
        second["status"], second["error"]["origin"], second["error"]["code"]),
         (11, "net", errno.ECONNREFUSED))


def tests():
    part = functools.partial
    for v in VERSIONS:
        for name, function in (
                ("GET", get), ("PUT", put), ("three requests", kept_alive),
                ("GET, POST and PUT", mixed), ("pipelining", pipelined),
                ("20 in parallel", parallel)):
            yield "%s, unix, TLS %s" % (name, v), part(function, on_unix, v)
        yield "nginx is killed, TLS " + v, part(killed, v)
    yield "GET, TCP", part(get, on_tcp, "1.3")
    yield "20 in parallel, TCP", part(parallel, on_tcp, "1.3")
