"""What run.sh measures, with the standard library of Python 3.

Each round measures mptls, then its peers; the table has medians. Throughput:
MIB from a client's stdin to the stdout of the same tool's server. Handshakes:
SHAKES client processes, one after the other, to one openssl s_server.
"""
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

BIN = sys.argv[1] if len(sys.argv) == 2 else sys.exit("usage: run.sh BIN")
MIB, ROUNDS, SHAKES = (int(os.environ.get(name, default)) for name, default in
                       (("MIB", 256), ("ROUNDS", 5), ("SHAKES", 50)))
CERTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../certs/")
CERT, KEY, ROOT = (CERTS + name for name in (
    "server-ec256.pem", "server-ec256-key.pem", "root.pem"))
NULL, PIPE = subprocess.DEVNULL, subprocess.PIPE
BLOCK = os.urandom(1 << 16)


def commands(tool, version, port, clients):
    """@return a server, and the client for it"""
    at, v = f"127.0.0.1:{port}", version
    return {
        "mptls": (
            [BIN, "serve", at, "--cert", CERT, "--key", KEY, "--min-version",
             v, "--max-version", v],
            [BIN, "connect", at, "--cafile", ROOT, "--server-hostname",
             "localhost"]),
        "openssl": (
            ["openssl", "s_server", "-accept", at, "-quiet", "-cert", CERT,
             "-key", KEY, "-tls1_" + v[2:], "-naccept", str(clients)],
            ["openssl", "s_client", "-connect", at, "-quiet", "-no_ign_eof",
             "-CAfile", ROOT, "-verify_return_error", "-verify_hostname",
             "localhost"]),
        "socat": (
            ["socat", "-u", f"OPENSSL-LISTEN:{port},bind=127.0.0.1,"
             f"cert={CERT},key={KEY},verify=0,min-version=TLS{v},"
             f"max-version=TLS{v}", "-"],
            ["socat", "-u", "-", f"OPENSSL:{at},cafile={ROOT},"
             "commonname=localhost"]),
    }[tool]


def start(args, stdin=PIPE, stdout=NULL):
    return subprocess.Popen(args, stdin=stdin, stdout=stdout, stderr=NULL)


def serve(server, client, version, clients=1, stdout=NULL):
    """Start it, and look for its port where that does not cost a client."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = start(commands(server, version, port, clients)[0], stdout=stdout)
    mark = f"0100007F:{port:04X} 00000000:0000 0A"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with open("/proc/net/tcp", encoding="ascii") as table:
            if mark in table.read():
                return process, commands(client, version, port, clients)[1]
        time.sleep(0.005)
    sys.exit(f"bench: {server} does not listen")


def transfer(tool, version):
    """@return MiB/s, and the client's peak memory in MiB"""
    s, args = serve(tool, tool, version, stdout=PIPE)
    began = time.monotonic()
    c = start(args)
    feeder = threading.Thread(
        target=lambda: [c.stdin.write(BLOCK) for _ in range(MIB * 16)])
    feeder.start()
    left = MIB << 20
    while left > 0:
        got = os.read(s.stdout.fileno(), 1 << 20)
        left -= len(got) or sys.exit(f"bench: {tool}: {left} bytes lost")
    took = time.monotonic() - began
    feeder.join()
    with open(f"/proc/{c.pid}/status", encoding="ascii") as status:
        peak = int(re.search(r"VmHWM:\s*(\d+)", status.read())[1]) / 1024
    c.kill(), s.kill()
    c.wait(), s.wait()
    return MIB / took, peak


def handshakes(tool, version):
    s, args = serve("openssl", tool, version, SHAKES)
    began = time.monotonic()
    for _ in range(SHAKES):
        if start(args, NULL).wait(10) != 0:
            sys.exit(f"bench: {tool} cannot connect")
    took = time.monotonic() - began
    s.kill(), s.wait()
    return (SHAKES / took,)


def compare(names, measure, peers, version):
    found = [(tool, []) for tool in ["mptls"] + peers]
    for _ in range(ROUNDS):
        for tool, results in found:
            results.append(measure(tool, version))
    for i, name in enumerate(names):
        (_, ours), *others = [(tool, statistics.median(r[i] for r in results))
                              for tool, results in found]
        for tool, theirs in others:
            print(f"{name:20} {version:4} {tool:8} {ours:8.1f} {theirs:8.1f} "
                  f"{ours / theirs:6.2f}", flush=True)


here = [tool for tool in ("openssl", "socat") if shutil.which(tool)]
for tool in {"openssl", "socat"} - set(here):
    print(f"SKIP {tool}: not installed")
print(f"{'':20} {'TLS':4} {'peer':8} {'mptls':>8} {'peer':>8} {'ratio':>6}")
for tls in ("1.3", "1.2"):
    compare(("throughput, MiB/s", "client's peak, MiB"), transfer, here, tls)
    if "openssl" in here:
        compare(("handshakes, 1/s",), handshakes, ["openssl"], tls)
