"""How much memory does a connection take that does nothing?

CONNS clients (10000) connect, are all there at once, and are then asked for an
echo, each: one that has no answer is a failure. Resident memory of the server,
and of its children, before and after, is divided by their number.

The peers have as many connections as they can: gnutls-serv waits by select(),
stunnel has a thread for each, and those that connect on have two descriptors.
"""
import json
import os
import shutil
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "soak"))
import load  # noqa: E402 - it is there

BINARY = sys.argv[1]
CONNS, PARALLEL = load.number("CONNS", 10000), load.number("PARALLEL", 32)
CERT, KEY = load.cert("server-ec256.pem"), load.cert("server-ec256-key.pem")
NGINX = """daemon off;
worker_processes 2;
worker_rlimit_nofile {fds};
error_log stderr crit;
pid {dir}/pid;
{modules}
events {{ worker_connections {fds}; }}
stream {{
    server {{
        listen 127.0.0.1:{port} ssl reuseport;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        proxy_timeout 1h;
        proxy_pass 127.0.0.1:{backend};
    }}
}}
"""


def mptls(_):
    server = load.Mptls(BINARY, "--echo")
    return server, server.port


def gnutls(_):
    server = load.Process([
        "gnutls-serv", "--port", 0, "--echo", "--quiet", "--x509certfile",
        CERT, "--x509keyfile", KEY, "--disable-client-cert"])
    return server, server.listening_port()


def stunnel(backend):
    folder = load.folder()
    conf = write(folder, "\n".join((
        "foreground = yes", "pid =", "syslog = no", "debug = 3", "[s]",
        "accept = 127.0.0.1:0", "connect = 127.0.0.1:%d" % backend.port,
        "cert = " + CERT, "key = " + KEY, "")))
    server = load.Process(["stunnel", conf], folder)
    return server, server.listening_port()


def nginx(backend):
    folder = load.folder()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    program = find_nginx()
    module = os.path.join(os.path.dirname(os.path.realpath(program)),
                          "usr/lib/nginx/modules/ngx_stream_module.so")
    if not os.path.exists(module):
        module = "/usr/lib/nginx/modules/ngx_stream_module.so"
    conf = write(folder, NGINX.format(
        dir=folder, port=port, cert=CERT, key=KEY, backend=backend.port,
        fds=FDS, modules=os.path.exists(module) and
        "load_module %s;" % module or ""))
    server = load.Process([program, "-e", "stderr", "-p", folder, "-c", conf],
                          folder)
    return server, server.listening_port()


def write(folder, text):
    path = os.path.join(folder, "conf")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def find_nginx():
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    return (shutil.which("nginx", path=path) or shutil.which(os.path.join(
        load.ROOT, "build/deps/nginx/nginx")))


def measure(start, backend, count):
    """@return bytes for each connection, handshakes a second, echoes a second
    """
    server, port = start(backend)
    with server:
        ctx = load.client_context()
        load.echoes(load.shake(ctx, load.dial(port)), b"the first\n")
        before = server.resident()
        began = time.monotonic()
        socks = load.every(
            lambda n: load.shake(ctx, load.dial(port, load.source(n))),
            range(count), PARALLEL)
        shaken = time.monotonic()
        each = (server.resident() - before) / count
        load.every(lambda s: load.echoes(s, b"are you there?\n"), socks,
                   PARALLEL)
        answered = time.monotonic()
        awake = (server.resident() - before) / count
        for s in socks:
            s.close()
    return {"connections": count, "idle_bytes": round(each),
            "echoed_bytes": round(awake),
            "handshakes_per_s": round(count / (shaken - began), 1),
            "echoes_per_s": round(count / (answered - shaken), 1)}


FDS = load.raise_fd_limit(2 * CONNS + 200)


def peers():
    """Name, command, starter, and how many connections it can have."""
    yield "mptls", BINARY, mptls, min(CONNS, FDS - 100)
    yield "nginx", find_nginx(), nginx, min(CONNS, FDS - 100)
    yield ("stunnel", shutil.which("stunnel"), stunnel,
           min(CONNS, FDS // 5))
    yield "gnutls-serv", shutil.which("gnutls-serv"), gnutls, min(CONNS, 1000)


def run():
    backend = load.Backend()
    found = {}
    load.say("%-12s %6s %12s %12s %6s %12s %9s" % (
        "idle", "conns", "bytes each", "after echo", "ratio", "handshakes/s",
        "echoes/s"))
    with backend:
        for name, command, start, count in peers():
            if command is None:
                load.say("SKIP %s: not installed" % name)
                continue
            found[name] = r = measure(start, backend, count)
            load.say("%-12s %6d %12d %12d %6.2f %12.0f %9.0f" % (
                name, count, r["idle_bytes"], r["echoed_bytes"],
                found["mptls"]["echoed_bytes"] / r["echoed_bytes"],
                r["handshakes_per_s"], r["echoes_per_s"]))
    if "JSON" in os.environ:
        with open(os.environ["JSON"], "w", encoding="ascii") as f:
            json.dump(found, f, indent=1)
            f.write("\n")
    return 0


load.main(run)
