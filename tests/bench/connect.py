"""A client's whole life: start, connect, verify, send nothing, close."""
import os
import re
import shutil
import subprocess
import tempfile

import load
import peers
from measure import NO_ACCEL, OURS, PLAIN, Goal, Row, in_turn, timed
from peers import ROOT

# Where systems have theirs.
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem",
           "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n",
                 re.S)


def pair(name, title, limit):
    return [Row(name + ".wall", title + ", time", "ms", Goal("<=", limit)),
            Row(name + ".cpu", title + ", CPU", "ms", Goal("<=", limit))]


def with_file(tool, port):
    """The client's command, with one CA in a file."""
    at = "127.0.0.1:%d" % port
    if tool in (OURS, PLAIN):
        return ["connect", at, "--cafile", ROOT, "--server-hostname",
                "localhost"]
    return {
        "openssl": lambda: [
            "s_client", "-connect", at, "-quiet", "-no_ign_eof", "-CAfile",
            ROOT, "-no-CApath", "-no-CAstore", "-verify_return_error",
            "-verify_hostname", "localhost"],
        "gnutls-cli": lambda: [
            "--logfile=/dev/null", "--x509cafile=" + ROOT, "--port=%d" % port,
            "--verify-hostname=localhost", "127.0.0.1"],
        "socat": lambda: ["-u", "-", "OPENSSL:%s,cafile=%s,commonname="
                          "localhost" % (at, ROOT)],
        "ncat": lambda: ["--send-only", "--ssl-verify", "--ssl-trustfile",
                         ROOT, "--ssl-servername", "localhost", "127.0.0.1",
                         str(port)],
    }[tool]()


class Store:
    """A copy of the system's trust store, with the tests' root in it: a file,
    and a directory that OpenSSL's tools look names up in."""

    def __init__(self, programs):
        found = [path for path in BUNDLES if os.path.exists(path)]
        if not found:
            raise load.Failed("no trust store here; install ca-certificates")
        self.dir = tempfile.mkdtemp(prefix="mptls-store-")
        self.bundle = os.path.join(self.dir, "bundle.pem")
        self.hashed = os.path.join(self.dir, "hashed")
        os.mkdir(self.hashed)
        with open(found[0], encoding="utf-8") as f:
            certs = PEM.findall(f.read())
        with open(ROOT, encoding="ascii") as f:
            certs.append(f.read())
        self.count = len(certs)
        for n, text in enumerate(certs):
            with open(os.path.join(self.hashed, "%d.pem" % n), "w",
                      encoding="ascii") as f:
                f.write(text)
        with open(self.bundle, "w", encoding="ascii") as f:
            f.write("".join(certs))
        subprocess.run([programs["openssl"], "rehash", self.hashed],
                       check=True, stderr=subprocess.DEVNULL)
        # OpenSSL's tools read a whole file where the system has one.
        told = subprocess.run([programs["openssl"], "version", "-d"],
                              check=True, stdout=subprocess.PIPE)
        own = re.search(r'"(.*)"', told.stdout.decode())[1]
        has = os.path.exists(os.path.join(own, "cert.pem"))
        self.files = "a file and a directory" if has else "a directory"
        none = os.path.join(self.dir, "none.pem")
        self.env = {**os.environ, "SSL_CERT_DIR": self.hashed,
                    "SSL_CERT_FILE": self.bundle if has else none}
        # Ours reads the file where the system has one, and no directory then.
        self.ours = {**os.environ, "SSL_CERT_DIR": "",
                     "SSL_CERT_FILE": self.bundle}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)


def with_store(tool, port, store):
    """The command and its environment, with the trust of the system."""
    at = "127.0.0.1:%d" % port
    if tool in (OURS, PLAIN):
        return ["connect", at, "--server-hostname", "localhost"], {
            **store.ours, "MPTLS_ACCEL": "none" if tool == PLAIN else "auto"}
    return {
        "openssl": lambda: [
            "s_client", "-connect", at, "-quiet", "-no_ign_eof",
            "-verify_return_error", "-verify_hostname", "localhost"],
        "curl": lambda: [
            "-sfo", os.devnull, "--cacert", store.bundle, "--capath",
            store.hashed, "--resolve", "localhost:%d:127.0.0.1" % port,
            "https://localhost:%d/" % port],
        "socat": lambda: ["-u", "-", "OPENSSL:%s,commonname=localhost" % at],
        "gnutls-cli": lambda: [
            "--logfile=/dev/null", "--x509cafile=" + store.bundle,
            "--port=%d" % port, "--verify-hostname=localhost", "127.0.0.1"],
    }[tool](), store.env


def stored(programs, tool, port, store):
    args, env = with_store(tool, port, store)
    return timed([programs[tool], *args], env)


def milliseconds(pair_of_seconds):
    return [1000 * s for s in pair_of_seconds]


def run(programs, settings):
    server, port = peers.openssl(programs)
    with server:
        file_rows = in_turn(
            pair("connect", "one verified connect, one CA file", 0.5),
            programs.listed(OURS, PLAIN, "openssl", "gnutls-cli", "socat",
                            "ncat"),
            lambda tool: milliseconds(timed(
                [programs[tool], *with_file(tool, port)],
                NO_ACCEL if tool == PLAIN else None)),
            settings.rounds(100))
        with Store(programs) as store:
            store_rows = in_turn(
                pair("store", "the same with the system's trust store", 0.2),
                programs.listed(OURS, PLAIN, "openssl", "curl", "socat",
                                "gnutls-cli"),
                lambda tool: milliseconds(stored(programs, tool, port, store)),
                settings.rounds(100))
    for row in store_rows:
        row.note = "%d certificates; OpenSSL's tools have them in %s" % (
            store.count, store.files)
    start_rows = in_turn(
        pair("start", "--version, start-up", 0.5),
        programs.listed(OURS, "openssl"),
        lambda tool: milliseconds(timed(
            [programs[tool], "version" if tool == "openssl" else
             "--version"])), settings.rounds(300))
    return file_rows + store_rows + start_rows
