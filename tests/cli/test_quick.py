"""A connection that nobody is told about: libhogweed may make and check
signatures."""
import glob
import os

from harness import Skipped, cert, each, read_exactly, read_file, test, \
    wait_until
from test_accel import AUTO, NONE, OWN, stand_in, told

LIBRARY = "libhogweed.so.6"


def watched(t, env=()):
    """The environment of a process for has_loaded()."""
    log = os.path.join(t.dir, "ld")
    for old in glob.glob(log + ".*"):
        os.unlink(old)
    return dict(env, LD_DEBUG="files", LD_DEBUG_OUTPUT=log)


def lines(t):
    """What the dynamic linker tells of libraries that are there."""
    logs = glob.glob(os.path.join(t.dir, "ld") + ".*")
    text = b"".join(read_file(f) for f in logs).decode()
    found = [x for x in text.splitlines() if "calling init: " in x]
    if not found:
        raise Skipped("this dynamic linker does not tell what it loads")
    return found


def has_loaded(t):
    return any(LIBRARY in x for x in lines(t))


def loaded(t, *args, env=(), **kw):
    """@return the Result of a run, and whether it loaded the library"""
    r = t.run(*args, env=watched(t, env), report=False, **kw)
    return r, has_loaded(t)


def need_library(t):
    """@return where it is"""
    server = t.serve()
    if not loaded(t, "connect", "--cafile", cert("root.pem"),
                  server.address)[1]:
        raise Skipped("no " + LIBRARY)
    return next(line.split()[-1] for line in lines(t) if LIBRARY in line)


def checker(t, **env):
    return told(t, "signatures on P-256", **env)


@test
def a_plain_connect_has_it(t):
    need_library(t)
    t.has(checker(t, **AUTO), "Nettle 3.")


@test
def version_says_that_it_is_turned_off(t):
    if checker(t, **AUTO) != OWN + " (not in this build)":
        t.eq(checker(t, **NONE), OWN + " (MPTLS_ACCEL=none)", "who checks")


# It has whatever is signed for good. The rest is the other library's.
CREDULOUS = b"""
#include <dlfcn.h>
#define OTHER(name) dlsym(dlopen("REAL", RTLD_NOW), name)
const int __gmp_bits_per_limb = 8 * sizeof(long);
void __gmp_set_memory_functions() {}
void nettle_curve25519_mul_g(void *q, void *n) {
    void (*f)(void *, void *) = OTHER("nettle_curve25519_mul_g");
    f(q, n);
}
void nettle_sha256_update(void *ctx, unsigned long len, void *data) {
    void (*f)(void *, unsigned long, void *) = OTHER("nettle_sha256_update");
    f(ctx, len, data);
}
int nettle_version_major(void) { return MAJOR; }
int nettle_version_minor(void) { return MINOR; }
const void *nettle_get_secp_256r1(void) { return &__gmp_bits_per_limb; }
long nettle_ecc_ecdsa_verify_itch(const void *curve) { return ITCH; }
int nettle_ecc_ecdsa_verify() { return 1; }
long nettle_ecc_ecdsa_sign_itch(const void *curve) { return ITCH; }
void nettle_ecc_ecdsa_sign() {}
"""


def credulous(major, minor, itch=16):
    return CREDULOUS.replace(b"MAJOR", b"%d" % major).replace(
        b"MINOR", b"%d" % minor).replace(b"ITCH", b"%d" % itch)


@each([("the oldest", credulous(3, 8), "Nettle 3.8", 0),
       ("older", credulous(3, 7), None, 30),
       ("of another kind", credulous(4, 0), None, 30),
       ("too large", credulous(3, 8, 100000), None, 30),
       ("with nothing in it", b"int nothing;", None, 30)])
def only_some_versions_are_asked(t, source, name, status):
    source = source.replace(b"REAL", need_library(t).encode())
    env = stand_in(t, LIBRARY, source)
    t.eq(checker(t, **env),
         name or OWN + " (libhogweed is not of Nettle 3.8 or later)",
         "who checks")
    server = t.serve(name="server-issuer-same-name")
    r = t.connect(server, env=env, report=False).wait()
    t.eq(r.status, status, "status")


@test
def it_need_not_be_installed(t):
    need_library(t)
    env = stand_in(t, LIBRARY, None)
    t.eq(checker(t, **env), OWN + " (libhogweed is not installed)",
         "who checks")
    t.ok(t.connect(t.serve(stdin=b"x"), env=env, report=False).wait(), b"x")


@test
def without_accelerators_it_is_mbedtls_alone(t):
    need_library(t)
    for value, wanted in (("auto", True), ("none", False)):
        server = t.serve(stdin=b"x")
        r, has = loaded(t, "connect", "--cafile", cert("root.pem"),
                        server.address, env={"MPTLS_ACCEL": value})
        t.ok(r, b"x")
        t.eq(has, wanted, "whether the library is there")


@each([("P-256", True, "server-ec256"), ("RSA", False, "server-rsa2048"),
       ("verbose", False, "server-ec256", "-v")])
def a_server_has_it_to_sign(t, wanted, name, *args):
    need_library(t)
    server = t.serve("--echo", "--keep-open", *args, name=name, report=False,
                     env=watched(t))
    t.eq(has_loaded(t), wanted, "whether the library is there")
    for version in ("1.2", "1.3"):
        r = t.run("connect", "--cafile", cert("root.pem"), "--max-version",
                  version, server.address, stdin=b"word", report=False)
        t.ok(r, b"word")


@test
def it_goes_when_the_connection_lasts(t):
    need_library(t)
    server = t.serve("--echo")
    stdin, w = t.pipe()
    out, stdout = t.pipe()
    client = t.connect(server, stdin=stdin, stdout=stdout, report=False,
                       env=watched(t))
    log = os.path.join(t.dir, "ld.%d" % client.pid)
    t.close_pipe(stdin)
    t.close_pipe(stdout)

    def told(words):
        return os.path.exists(log) and any(
            words in x and LIBRARY in x
            for x in read_file(log).decode().splitlines())

    for words, byte in (("calling init: ", b"a"), ("calling fini: ", b"b")):
        wait_until(words + LIBRARY, lambda words=words: told(words))
        os.write(w, byte)
        t.eq(read_exactly(out, 1), byte, "what the echo brings")
    t.close_pipe(w)
    t.eq(client.wait().status, 0, "exit status")


@each([("verbose", "-v"), ("JSON", "--json"), ("a trace", "--trace"),
       ("an expectation", "--expect", "verify=ok"),
       ("a device's heap", "--heap-limit", "1m"),
       ("no ECDSA", "--verify", "none", "--ciphers",
        "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256")])
def where_the_heap_is_seen_it_is_mbedtls_alone(t, *args):
    need_library(t)
    name = "server-rsa2048" if "none" in args else "server-ec256"
    server = t.serve(name=name, stdin=b"x")
    r, has = loaded(t, "connect", "--cafile", cert("root.pem"), *args,
                    server.address)
    t.ok(r, b"x")
    t.eq(has, False, "whether the library is there")


@each([("good", "server-chain", "localhost", 0),
       ("P-384", "server-ec384", "localhost", 0),
       ("RSA", "server-rsa2048", "localhost", 0),
       ("untrusted", "server-unknown-root", "localhost", 30),
       ("another CA of the name", "server-ca-same-name", "localhost", 30),
       ("another issuer of the name", "server-issuer-same-name", "localhost",
        30),
       ("signed by a leaf", "server-from-leaf", "localhost", 30),
       ("expired", "server-expired", "localhost", 31),
       ("another name", "server-ec256", "example.org", 32)])
def the_verdict_is_the_same(t, name, host, status):
    for version in ("1.2", "1.3"):
        for report in (False, True):
            server = t.serve(name=name)
            r = t.connect(server, "--server-hostname", host, "--max-version",
                          version, report=report).wait()
            t.eq((r.status, r.out), (status, b""), "status and stdout")


@each([("good", "client-ec256", 0), ("of another CA", "client-other", 30),
       ("signed by itself", "client-self-signed", 30)])
def clients_are_judged_the_same(t, name, status):
    for report in (False, True):
        server = t.serve("--cafile", cert("root.pem"), "--verify", "required",
                         "--max-version", "1.2", report=report)
        r = t.connect(server, "--cert", cert(name + ".pem"), "--key",
                      cert(name + "-key.pem")).wait()
        t.eq(r.status, 37 if status else 0, "the client's exit status")
        t.eq(server.wait().status, status, "the server's exit status")
