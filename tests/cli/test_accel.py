"""Who encrypts: Mbed TLS, and libipsec-mb where it is and there is much."""
import os
import shutil
import subprocess

from harness import Skipped, each, parse_reports, read_file, test
from test_jail import NO_PROC, folder, need_landlock, need_root

MEGABYTE = bytes(range(256)) * 4096
FEW = MEGABYTE[:200 * 1024]  # less than it takes
OWN = "Mbed TLS"
ACCELERATED = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
               "TLS_CHACHA20_POLY1305_SHA256"] + [
    "TLS_ECDHE_ECDSA_WITH_" + x for x in (
        "AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")]
OTHERS = ["TLS_AES_128_CCM_SHA256"] + ["TLS_ECDHE_ECDSA_WITH_" + x for x in (
    "AES_128_CBC_SHA256", "AES_256_CCM", "ARIA_128_GCM_SHA256",
    "CAMELLIA_128_GCM_SHA256")]
NONE, AUTO = {"MPTLS_ACCEL": "none"}, {"MPTLS_ACCEL": "auto"}


def told(t, what, **env):
    """What --version says is for `what`, and why."""
    r = t.run("--version", env=env)
    t.eq((r.status, r.err), (0, ""), "status and stderr")
    lines = [x.split(": ", 1) for x in r.out.decode().splitlines()[1:]]
    t.eq([x[0] for x in lines], ["bulk encryption", "signatures on P-256"],
         "what is told of")
    return dict(lines)[what]


def bulk(t, **env):
    return told(t, "bulk encryption", **env)


def need_library(t):
    by = bulk(t, **AUTO)
    if by.startswith(OWN):
        raise Skipped("no accelerator: " + by)
    t.has(by, "libipsec-mb ")
    return by


def spoken(t, data, *args, server_env=None, client_env=None, serve=()):
    """@return the reports of both, after `data` went both ways"""
    server = t.serve(*serve, stdin=t.file("in", data), env=server_env)
    c = t.connect(server, *args, stdin=t.file("in", data),
                  env=client_env).wait()
    s = server.wait()
    t.ok(c, data)
    t.ok(s, data)
    return c, s


def by(r):
    return r.report["tls"]["encrypted_by"]


@each([("%s, %s" % (x, name), x, at_server, at_client)
       for x in ACCELERATED
       for name, at_server, at_client in (
           ("both", AUTO, AUTO), ("the client", NONE, AUTO),
           ("the server", AUTO, NONE), ("neither", NONE, NONE))])
def suites(t, suite, at_server, at_client):
    library = need_library(t)
    c, s = spoken(t, MEGABYTE, "--ciphers", suite, server_env=at_server,
                  client_env=at_client)
    t.eq(c.report["tls"]["cipher"], suite, "the suite")
    for r, env in ((c, at_client), (s, at_server)):
        t.eq(by(r), OWN if env is NONE else library, "who encrypted")


@each([(x, x) for x in OTHERS])
def suites_that_are_left_to_mbedtls(t, suite):
    c, s = spoken(t, MEGABYTE, "--ciphers", suite)
    t.eq((by(c), by(s)), (OWN, OWN), "who encrypted")


@test
def few_bytes_are_not_worth_while(t):
    server = t.serve("-v", stdin=b"")
    c = t.connect(server, "-v", stdin=t.file("in", FEW)).wait()
    s = server.wait()
    t.ok(c)
    t.ok(s, FEW)
    t.eq((by(c), by(s)), (OWN, OWN), "who encrypted")
    for r in (c, s):
        t.has(r.err, "mptls: encrypted by Mbed TLS\n")


@test
def verbose_says_who(t):
    library = need_library(t)
    c, _ = spoken(t, MEGABYTE, "-v")
    t.has(c.err, "mptls: encrypted by %s\n" % library)


@test
def it_can_be_turned_off(t):
    t.eq(bulk(t, **AUTO), bulk(t, MPTLS_ACCEL=""), "set, but empty")
    t.has(bulk(t, **NONE), OWN + " (")
    r = t.run("explain", "22", env={"MPTLS_ACCEL": "yes"})
    t.eq((r.status, r.out, r.err),
         (2, b"", "mptls: MPTLS_ACCEL=yes is neither auto nor none\n"),
         "what became of it")


def soname(library):
    """The file of "libipsec-mb 1.3.0"."""
    return "libIPSec_MB.so." + library.split()[1].split(".")[0]


def stand_in(t, name, source):
    """The environment in which another library of that name is found first,
    one that cannot be loaded where there is no source."""
    where = t.path("lib")
    os.mkdir(where)
    env = {"MPTLS_ACCEL": "auto", "LD_LIBRARY_PATH": where}
    if source is None:
        with open(os.path.join(where, name), "wb") as f:
            f.write(b"\x7fELF\2\1\1" + bytes(57))
        return env
    compiler = shutil.which("cc")
    if compiler is None:
        raise Skipped("there is no cc")
    subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-", "-o",
                    os.path.join(where, name)], input=source, check=True)
    return env


@each([("another version",
        b"unsigned imb_get_version(void) { return 0x10200; }"
        b"const char *imb_get_version_str(void) { return \"1.2.0\"; }",
        "is not the version that mptls was built with"),
       ("nothing in it", b"int nothing;",
        "is not the version that mptls was built with")])
def a_library_that_is_not_ours(t, source, say):
    env = stand_in(t, soname(need_library(t)), source)
    t.eq(bulk(t, **env), "%s (libipsec-mb %s)" % (OWN, say), "bulk encryption")
    c, s = spoken(t, MEGABYTE, server_env=env, client_env=env)
    t.eq((by(c), by(s)), (OWN, OWN), "who encrypted")


@test
def a_library_that_is_not_there(t):
    env = stand_in(t, soname(need_library(t)), None)
    t.eq(bulk(t, **env), OWN + " (libipsec-mb is not installed)",
         "bulk encryption")
    c, s = spoken(t, MEGABYTE, server_env=env, client_env=env)
    t.eq((by(c), by(s)), (OWN, OWN), "who encrypted")


@test
def landlock_leaves_it(t):
    need_landlock()
    library = need_library(t)
    t.eq(by(spoken(t, MEGABYTE)[1]), library, "who encrypted")


@test
def another_root_leaves_it(t):
    need_root(t)
    library = need_library(t)
    _, s = spoken(t, MEGABYTE, serve=("--chroot", folder(t), "--user",
                                      "54321:54322"),
                  server_env=dict(NO_PROC, **AUTO))
    t.eq(by(s), library, "who encrypted")


@test
def workers_have_it(t):
    library = need_library(t)
    log = t.path("json")
    server = t.serve("--keep-open", "--echo", "--workers", "2", "--json=" + log)
    for _ in range(3):
        r = t.connect(server, stdin=t.file("in", MEGABYTE)).wait()
        t.ok(r, MEGABYTE)
        t.eq(by(r), library, "who encrypted")
    server.signal(15)
    t.eq(server.wait().status, 143, "status")
    reports = parse_reports(read_file(log).decode())[1]
    t.eq([x["tls"]["encrypted_by"] for x in reports if x["peer"]],
         [library] * 3, "who encrypted")
