"""Instructions, which the machine's load does not change.

callgrind counts them; it plays a processor of its own, so that what the
program chooses by the processor's features may be another choice there. The
counts are compared with baseline.json, which says what they were made with.
"""
import collections
import json
import os
import re
import subprocess
import tempfile

import bulk
import connect
import load
import peers
from measure import OURS

BASELINE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "baseline.json")
SHOWN = 5  # functions
WORK = {  # parts of it, and the functions that have all of one
    "signatures verified": ["mbedtls_pk_verify_ext"],
    "signatures made": ["mbedtls_pk_sign_ext", "mbedtls_pk_sign"],
    "keys agreed on": ["psa_raw_key_agreement", "psa_export_public_key"],
    "keys derived": ["psa_key_derivation_output_bytes"],
    "PEM decoded": ["pem_decode"],
    "encryption": ["mbedtls_ssl_encrypt_buf"],
    "decryption": ["mbedtls_ssl_decrypt_buf"],
    "the dynamic linker": ["_dl_start"],
}
TIMES = 5
TITLES = {
    "start": "--version",
    "connect": "one connect, one CA file",
    "store": "one connect, the system's trust store",
    "send": "%d MiB sent",
    "receive": "%d MiB received",
    "serve": "%d handshakes served",
}


class Grind:
    """Programs as Programs has them, of which one runs under callgrind."""

    def __init__(self, programs, folder):
        self.programs = programs
        self.out = os.path.join(folder, "out")

    def wrap(self, args):
        return [self.programs["valgrind"], "--tool=callgrind", "-q",
                "--callgrind-out-file=" + self.out, self.programs[OURS],
                *map(str, args)]

    def run(self, *args, env=None):
        r = subprocess.run(self.wrap(args), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                           env=env, timeout=10 * load.PATIENCE, check=False)
        if r.returncode != 0:
            raise load.Failed(r.stderr.decode(errors="replace")[-300:])

    def annotated(self, *options):
        """@return the sum, and what each function has of it"""
        r = subprocess.run(["callgrind_annotate", "--auto=no",
                            "--threshold=100", *options, self.out],
                           stdout=subprocess.PIPE, check=True)
        head, _, text = r.stdout.decode().partition("PROGRAM TOTALS")
        inside = collections.defaultdict(list)
        for n, name in re.findall(
                r"^ *([\d,]+) [^:\n]*?[^ \n]*:([^ \n]+)[^\n]*$", text, re.M):
            inside[name].append(int(n.replace(",", "")))
        total = re.findall(r"([\d,]+) \([^)]*\) *$", head)[0]
        return int(total.replace(",", "")), inside

    def figures(self):
        """The sum, what parts of the work have of it, and the functions that
        most of it is in themselves."""
        total, own = self.annotated()
        _, whole = self.annotated("--inclusive=yes")
        # A function is listed anew for each file that it is compiled from.
        own = collections.Counter({name: sum(n) for name, n in own.items()})
        work = {title: sum(max(whole.get(name, [0])) for name in names) / total
                for title, names in WORK.items()}
        return {"instructions": total,
                "work": {t: round(n, 4) for t, n in work.items() if n},
                "in": [[name, round(n / total, 4)]
                       for name, n in own.most_common(SHOWN)]}


def usual(grind, *args, **how):
    """The median of some runs: no two make the same key."""
    found = []
    for _ in range(TIMES):
        grind.run(*args, **how)
        found.append(grind.figures())
    return sorted(found, key=lambda f: f["instructions"])[TIMES // 2]


def connects(programs, grind):
    server, port = peers.openssl(programs)
    with server:
        yield "connect", usual(grind, *connect.with_file(OURS, port))
        with connect.Store(programs) as store:
            yield "store", usual(grind, *connect.with_store(
                OURS, port, store)[0], env=store.ours)


class Flow(bulk.Mptls):
    """One of the two under callgrind."""

    def __init__(self, programs, grind, slow):
        self.grind, self.slow = grind, slow
        super().__init__(programs, {"version": "1.3", "suite": None})

    def launch(self, tool, *args, **how):
        if args[0] != self.slow:
            return super().launch(tool, *args, **how)
        part = load.Process(self.grind.wrap(args), env=self.env, **how)
        self.parts.append(part)
        return part


def carry(programs, grind, slow, count):
    flow = Flow(programs, grind, slow)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        feeder = bulk.Feeder(flow.into, count)
        feeder.start()
        bulk.drain(flow, count, null)
        feeder.join()
        client, server = flow.parts[1], flow.parts[0]
        client.p.stdin.close(), server.p.stdin.close()
        if client.ended() != 0 or server.ended() != 0:
            raise load.Failed(flow.died())
    finally:
        os.close(null)
        flow.end()
    return grind.figures()


def served(programs, grind, count):
    server = load.Process(grind.wrap((
        "serve", "127.0.0.1:0", "--cert", peers.CERT, "--key", peers.KEY,
        "--keep-open", "--discard")))
    with server:
        port = load.wait_until("mptls to listen", lambda: peers.told(server))
        subprocess.run([programs["shakes"], str(port), str(count), "1",
                        "full", "1.3"], check=True, stdout=subprocess.DEVNULL)
        server.stop()
    return grind.figures()


def measure(programs, settings):
    """@return for each name its figures"""
    found = {}
    with tempfile.TemporaryDirectory(prefix="mptls-") as folder:
        grind = Grind(programs, folder)
        found["start"] = usual(grind, "--version")
        found.update(connects(programs, grind))
        for name, slow in (("send", "connect"), ("receive", "serve")):
            found[name] = carry(programs, grind, slow, settings.counted << 20)
        if programs.has("shakes"):
            found["serve"] = served(programs, grind, settings.counted)
    for name, figures in found.items():
        title = TITLES[name]
        figures["title"] = title % settings.counted if "%" in title else title
    return found


def made_with(programs):
    said = subprocess.run(
        ["readelf", "-p", ".comment", programs[OURS]], check=False,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    found = re.findall(r"\]\s+(.*)", said)
    return "; ".join((found[0] if found else "unknown compiler",
                      programs.version(OURS), programs.version("valgrind")))


def compare(programs, settings, write=False):
    """@return the counts, each with the baseline's where there is one"""
    if not programs.has("valgrind"):
        load.say("counts: valgrind is not installed")
        return {}
    found = measure(programs, settings)
    if write:
        with open(BASELINE, "w", encoding="ascii") as f:
            json.dump({"made_with": made_with(programs), "counts": {
                f["title"]: f["instructions"] for f in found.values()}},
                f, indent=1)
            f.write("\n")
    with open(BASELINE, encoding="ascii") as f:
        baseline = json.load(f)
    if baseline["made_with"] != made_with(programs):
        load.say("counts: the baseline is of another build: %s\n"
                 "counts: and this is                      %s" % (
                     baseline["made_with"], made_with(programs)))
    for figures in found.values():
        old = baseline["counts"].get(figures["title"])
        figures["baseline"] = old
        load.say("%-42s %15s instructions %s" % (
            figures["title"], "{:,}".format(figures["instructions"]),
            "%+7.2f %% from the baseline" % (
                100 * figures["instructions"] / old - 100) if old else ""))
    return found
