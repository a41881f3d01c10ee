"""The tools that mptls is measured beside, and how each is told to do it."""
import os
import re
import shutil
import socket
import subprocess

import load
from load import cert
from measure import KTLS, OURS, PLAIN

CERT, KEY = cert("server-ec256.pem"), cert("server-ec256-key.pem")
ROOT = cert("root.pem")
PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
STUNNEL = """foreground = yes
pid =
syslog = no
debug = 3
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
{tls}
{service}
"""
NGINX = """daemon off;
worker_processes {workers};
worker_rlimit_nofile {fds};
error_log stderr crit;
pid {dir}/pid;
{modules}
events {{ worker_connections {fds}; }}
{block}
"""
NGINX_HTTP = """http {{
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        return 204;
    }}
}}"""
NGINX_STREAM = """stream {{
    server {{
        listen 127.0.0.1:{port} ssl reuseport;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        proxy_timeout 1h;
        proxy_pass 127.0.0.1:{backend};
    }}
}}"""


class Programs:
    """Where each tool is; mptls twice if it has an accelerator."""

    def __init__(self, binary):
        self.paths = {OURS: binary, KTLS: binary}
        for name in ("openssl", "gnutls-cli", "gnutls-serv", "socat", "ncat",
                     "stunnel", "curl", "xargs", "valgrind"):
            self.paths[name] = shutil.which(name, path=PATH)
        own = os.path.join(load.ROOT, "build/deps/nginx/nginx")
        self.paths["nginx"] = shutil.which("nginx", path=PATH) or \
            shutil.which(own)
        for name in ("flow", "shakes"):
            self.paths[name] = shutil.which(os.path.join(
                os.path.dirname(binary), "tests/bench", name))
        if re.search(r"encryption: lib", self.version(OURS)):
            self.paths[PLAIN] = binary

    def __getitem__(self, name):
        if not self.paths.get(name):
            raise load.Failed(name + " is not installed")
        return self.paths[name]

    def has(self, name):
        return bool(self.paths.get(name))

    def listed(self, *names):
        """As in_turn() wants them; PLAIN is not missed."""
        return [name if self.has(name) else (name, "not installed")
                for name in names if name != PLAIN or self.has(name)]

    def takes(self, command, option):
        r = subprocess.run([self[OURS], command, "--help"], check=True,
                           stdout=subprocess.PIPE)
        return option.encode() in r.stdout

    def version(self, name):
        """What it says of itself, in a line."""
        option = {"openssl": "version", "stunnel": "-version", "nginx": "-v",
                  "socat": "-V"}.get(name, "--version")
        r = subprocess.run([self[name], option], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           check=False)
        lines = r.stdout.decode(errors="replace").splitlines()
        if name == OURS:
            return "; ".join(r.stdout.decode().splitlines())
        found = re.search(r"\d+\.\d[\w.]*", r.stdout.decode(errors="replace"))
        return "%s %s" % (name, found[0] if found else "of unknown version")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def conf(folder, text):
    path = os.path.join(folder, "conf")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def nginx(programs, block, backend=None, workers=1, fds=1024):
    """http or stream; @return the process, and its port"""
    folder, port = load.folder(), free_port()
    at = {"dir": folder, "port": port, "cert": CERT, "key": KEY,
          "backend": backend}
    module = os.path.join(os.path.dirname(os.path.realpath(
        programs["nginx"])), "usr/lib/nginx/modules/ngx_stream_module.so")
    if not os.path.exists(module):
        module = "/usr/lib/nginx/modules/ngx_stream_module.so"
    path = conf(folder, NGINX.format(
        fds=fds, workers=workers, block=block.format(**at),
        modules="load_module %s;" % module if block is NGINX_STREAM and
        os.path.exists(module) else "", **at))
    server = load.Process([programs["nginx"], "-e", "stderr", "-p", folder,
                           "-c", path], folder)
    return server, server.listening_port()


def stunnel_conf(folder, service, version=None, suite=None):
    tls = (version and "sslVersion = TLSv" + version,
           suite and "ciphersuites = " + suite)
    return conf(folder, STUNNEL.format(service="\n".join(service),
                                       tls="\n".join(filter(None, tls))))


def stunnel(programs, backend):
    folder = load.folder()
    path = stunnel_conf(folder, (
        "[s]", "accept = 127.0.0.1:0", "connect = 127.0.0.1:%d" % backend,
        "cert = " + CERT, "key = " + KEY))
    server = load.Process([programs["stunnel"], path], folder)
    return server, server.listening_port()


def gnutls(programs):
    server = load.Process([
        programs["gnutls-serv"], "--port", 0, "--echo", "--quiet",
        "--x509certfile", CERT, "--x509keyfile", KEY, "--disable-client-cert"])
    return server, server.listening_port()


def openssl(programs, *args):
    """With -www it needs no standard input."""
    server = load.Process([
        programs["openssl"], "s_server", "-accept", "127.0.0.1:0", "-quiet",
        "-cert", CERT, "-key", KEY, *(args or ("-www",))])
    return server, server.listening_port()


def mptls(programs, *args, **how):
    """Without a log, which the others do not write either."""
    server = load.Process([
        programs[OURS], "serve", "127.0.0.1:0", "--cert", CERT, "--key", KEY,
        *args], **how)
    return server, load.wait_until("mptls to listen", lambda: told(server))


def told(server):
    found = re.search(r"listening on 127\.0\.0\.1:(\d+)", server.said())
    if not found and server.p.poll() is not None:
        raise load.Failed("mptls ended: " + server.said()[:400])
    return found and int(found[1])


def sink(programs):
    server = load.Process([programs["flow"], "sink"])
    return server, server.listening_port()
