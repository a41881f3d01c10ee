"""Handshakes served, full and resumed, with a P-256 certificate.

The load is the same for all: shakes.c, on OpenSSL's library, four clients at
a time. It needs about as much of a processor as a fast server does; so what is
served in a second says little where both have to share, and a server's own
processor seconds are counted beside it.
"""
import contextlib
import subprocess

import load
import peers
from measure import NO_ACCEL, OURS, PLAIN, Goal, Row, in_turn, processor, \
    ratio_to

CLIENTS = 4
KINDS = (("full", "1.3"), ("resumed", "1.3"), ("full", "1.2"),
         ("resumed", "1.2"))
TOOLS = (OURS, PLAIN, "openssl", "gnutls-serv", "stunnel", "nginx")


def start(programs, tool, backend):
    if tool in (OURS, PLAIN):
        # The others give tickets without being told.
        return peers.mptls(programs, "--keep-open", "--discard", "--tickets",
                           env=NO_ACCEL if tool == PLAIN else None)
    return {
        "openssl": lambda: peers.openssl(programs),
        "gnutls-serv": lambda: peers.gnutls(programs),
        "stunnel": lambda: peers.stunnel(programs, backend),
        "nginx": lambda: peers.nginx(programs, peers.NGINX_HTTP),
    }[tool]()


def shake(programs, server, port, kind, version, count):
    """@return handshakes a second, in a second of the server's processor, and
    in one of the load's"""
    before = processor(server)
    r = subprocess.run(
        [programs["shakes"], str(port), str(count), str(CLIENTS), kind,
         version], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL, timeout=4 * load.PATIENCE, check=False)
    if r.returncode != 0:
        raise load.Failed(r.stderr.decode(errors="replace")[:200])
    used = processor(server) - before
    took, load_used, resumed = r.stdout.decode().split()
    if int(resumed) != (count if kind == "resumed" else 0):
        raise load.Failed("%s of %d were resumed" % (resumed, count))
    return count / float(took), count / used, count / float(load_used)


def run(programs, settings):
    rows, servers = [], {}
    with contextlib.ExitStack() as stack:
        plain, backend = peers.sink(programs)
        stack.enter_context(plain)
        tools = programs.listed(*TOOLS)
        for n, tool in enumerate(tools):
            try:
                if tool in TOOLS:
                    servers[tool] = start(programs, tool, backend)
                    stack.enter_context(servers[tool][0])
            except load.Failed as e:
                tools[n] = (tool, str(e))
        for kind, version in KINDS:
            name = "shakes.%s.%s" % (kind, version.replace(".", ""))
            title = "%s handshakes, TLS %s" % (kind, version)
            goals = Goal(">=", 2.0, "openssl"), Goal(">=", 1.0, "nginx")
            rows += in_turn(
                [Row(name, title, "1/s", *goals, more=True, note="tests/bench/"
                     "shakes.c asks for %d handshakes at a time" % CLIENTS),
                 Row(name + ".cpu", title + ", server's CPU", "1/CPU s",
                     ratio_to("openssl"), ratio_to("nginx"), more=True),
                 Row(name + ".load", title + ", the load's own CPU",
                     "1/CPU s", more=True)],
                tools, lambda tool: shake(
                    programs, *servers[tool], kind, version,
                    settings.shakes), settings.rounds(5))
    return rows
