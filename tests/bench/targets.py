"""Many targets: check --jobs, and a shell that runs s_client for each.

All targets are one server, which takes clients while others are connected. A
client of either kind verifies, says nothing and closes.
"""
import os
import tempfile

import peers
from measure import NO_ACCEL, OURS, PLAIN, Goal, Row, in_turn, timed
from peers import ROOT

JOBS = 16
PEER = "xargs s_client"


def command(programs, tool, at, count, folder):
    path = os.path.join(folder, "targets")
    with open(path, "w", encoding="ascii") as f:
        f.write((at + "\n") * count)
    if tool == PEER:
        return ["sh", "-c", "exec xargs -P %d -I TARGET %s s_client -connect "
                "TARGET -quiet -no_ign_eof -CAfile %s -no-CApath -no-CAstore "
                "-verify_return_error -verify_hostname localhost <%s" % (
                    JOBS, programs["openssl"], ROOT, path)]
    return [programs[OURS], "check", "--targets", path, "--jobs", str(JOBS),
            "--cafile", ROOT, "--server-hostname", "localhost"]


def start(programs):
    if programs.has("nginx"):
        return peers.nginx(programs, peers.NGINX_HTTP)
    return peers.mptls(programs, "--keep-open", "--discard")


def run(programs, settings):
    rows = []
    server, port = start(programs)
    tools = [*programs.listed(OURS, PLAIN), PEER if programs.has("openssl") and
             programs.has("xargs") else (PEER, "not installed")]
    with server, tempfile.TemporaryDirectory(prefix="mptls-") as folder:
        for count in settings.targets:
            title = "{:,} targets".format(count)
            goals = [Goal("<=", 0.2, PEER)] if count >= 1000 else []
            rows += in_turn(
                [Row("targets.%d" % count, title + ", time", "s", *goals,
                     note="targets are checked %d at a time" % JOBS),
                 Row("targets.%d.cpu" % count, title + ", CPU", "s")],
                tools, lambda tool: timed(command(
                    programs, tool, "127.0.0.1:%d" % port, count, folder),
                    NO_ACCEL if tool == PLAIN else None),
                settings.rounds(3))
    return rows
