"""The program's size, and the memory that it alone has when it waits."""
import os
import re
import subprocess
import tempfile
import time

import load
import peers
from measure import OURS, Goal, Row, in_turn
from peers import ROOT

MIB = 1 << 20


def stripped(path):
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["strip", "-o", copy.name, path], check=True)
        return os.path.getsize(copy.name)


def private(process):
    """Bytes of it and its children: what ends with them. A kernel that does
    not let us see that of a process with a key tells what it allocated."""
    total = 0
    for pid in process.pids():
        found = re.findall(r"Private_\w+:\s*(\d+)", load.read(
            "/proc/%d/smaps_rollup" % pid)) or re.findall(
                r"RssAnon:\s*(\d+)", load.read("/proc/%d/status" % pid))
        total += 1024 * sum(map(int, found))
    return total


def at_rest(process):
    """What it has once that is no longer getting less."""
    least = private(process)
    calm = 0
    while calm < 5:
        time.sleep(0.1)
        now = private(process)
        calm = 0 if now < least else calm + 1
        least = min(now, least)
    return least


def waiting(programs, tool, backend):
    """Before any client."""
    server, _ = {
        OURS: lambda: peers.mptls(programs, "--keep-open", "--echo"),
        "openssl": lambda: peers.openssl(programs),
        "gnutls-serv": lambda: peers.gnutls(programs),
        "stunnel": lambda: peers.stunnel(programs, backend),
        "nginx": lambda: peers.nginx(programs, peers.NGINX_HTTP),
    }[tool]()
    with server:
        return (at_rest(server) / MIB,)


def connected(programs, tool):
    """A client that has had an answer, and has nothing to do. The server is
    another program: what it shares with ours would not be private."""
    server, port = peers.openssl(programs, "-rev")
    with server:
        at = "127.0.0.1:%d" % port
        args = {
            OURS: ["connect", at, "--cafile", ROOT, "--server-hostname",
                   "localhost"],
            "openssl": ["s_client", "-connect", at, "-quiet", "-CAfile", ROOT,
                        "-verify_return_error"],
            "socat": ["-", "OPENSSL:%s,cafile=%s,commonname=localhost" % (
                at, ROOT)],
            "ncat": ["--ssl-verify", "--ssl-trustfile", ROOT,
                     "--ssl-servername", "localhost", "127.0.0.1", port],
            "gnutls-cli": ["--logfile=/dev/null", "--x509cafile=" + ROOT,
                           "--verify-hostname=localhost", "--port=%d" % port,
                           "127.0.0.1"],
        }[tool]
        client = load.Process([programs[tool], *args], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
        with client, client.p.stdin, client.p.stdout:
            os.write(client.p.stdin.fileno(), b"?\n")
            if not client.p.stdout.read(1):
                raise load.Failed(client.said())
            return (at_rest(client) / MIB,)


def run(programs, settings):
    size = Row("size.binary", "stripped binary", "MiB", Goal("<=", 1.2, None))
    size.add(OURS, stripped(programs[OURS]) / MIB)
    serve = Row("size.serve", "private memory of an idle server", "MiB",
                Goal("<=", 2, None))
    plain, backend = peers.sink(programs)
    with plain:
        in_turn([serve], programs.listed(
            OURS, "openssl", "gnutls-serv", "stunnel", "nginx"),
            lambda tool: waiting(programs, tool, backend), settings.rounds(3))
    connect = in_turn(
        [Row("size.connect", "private memory of a connected client", "MiB",
             Goal("<=", 2, None))],
        programs.listed(OURS, "openssl", "gnutls-cli", "socat", "ncat"),
        lambda tool: connected(programs, tool), settings.rounds(3))
    return [size, serve, *connect]
