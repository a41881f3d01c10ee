"""--why: what a server takes, asked of servers that take little."""
import functools
import socket

import peers
from harness import Failed, same

EC, RSA = "server-ec256", "server-rsa2048"
LISTS = ("versions", "ciphers", "groups", "sig_algs")

# name, s_server's options and certificate (None: none), mptls's options,
# the findings, and what the server takes, by list.
WHY = (
    ("suite", ("-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"), RSA,
     ("--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"), "no-common-cipher",
     {"versions": ["TLSv1.2"],
      "ciphers": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]}),
    ("suite of 1.3", ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"),
     EC, ("--ciphers", "TLS_AES_128_GCM_SHA256"), "no-common-cipher",
     {"versions": ["TLSv1.3"], "ciphers": ["TLS_AES_256_GCM_SHA384"]}),
    ("version, 1.3 only", ("-tls1_3",), EC, ("--max-version", "1.2"),
     "no-common-version", {"versions": ["TLSv1.3"]}),
    ("version, 1.2 only", ("-tls1_2",), EC, ("--min-version", "1.3"),
     "no-common-version", {"versions": ["TLSv1.2"]}),
    ("version, 1.0 only", ("-tls1", "-cipher", "ALL:@SECLEVEL=0"), RSA, (),
     "no-common-version", {"versions": ["TLSv1.0"]}),
    ("group of 1.2", ("-tls1_2", "-groups", "sect571r1:secp224r1"), EC, (),
     "no-common-group", {"groups": ["sect571r1", "secp224r1"]}),
    ("signature algorithm", ("-tls1_2", "-sigalgs", "ECDSA+SHA224"), EC, (),
     "no-common-sig-alg", {"sig_algs": ["sha224+ecdsa"]}),
    ("pre-shared keys", ("-nocert", "-psk", "0102", "-tls1_2", "-cipher",
                         "PSK-AES128-GCM-SHA256"), None, (),
     "no-common-cipher", {"ciphers": ["TLS_PSK_WITH_AES_128_GCM_SHA256"]}),
    ("no certificate", ("-nocert",), None, (), "refuses-all", None),
)


def server(test, options, name):
    """s_server, for any number of clients."""
    pair = ()
    if name:
        crt, key = peers.pem(name)
        pair = ("-cert", crt, "-key", key)
    return peers.listening_port(test.spawn(
        "openssl", "s_server", "-accept", peers.LOCALHOST + ":0", "-quiet",
        *pair, *options))


def finding(report, name):
    names = [f["name"] for f in report["findings"]]
    if name not in names:
        raise Failed("no finding %s in %s: %s" % (
            name, names, report["offers"]))


def why(options, name, ours, wanted, takes, test):
    port = server(test, options, name)
    p = test.connect(port, "--why", *ours, ca="root.pem")
    p.end()
    r = p.done(22, "alert")
    finding(r, wanted)
    theirs = r["offers"]["theirs"]
    if takes is None:
        same("theirs", theirs, None)
        return
    for key in LISTS:
        if key in takes:
            same(key, theirs[key], takes[key])


def nothing_is_asked(test):
    """Neither after success nor where the cause is known."""
    for name, ca, status, origin in ((EC, "root.pem", 0, None),
                                     (EC, "other-root.pem", 30, "verify")):
        listener, port = test.listen()
        peer = test.thread(peers.accept_tls, test, listener,
                           peers.server_context(name))
        p = test.connect(port, "--why", "--max-version", "1.2", ca=ca)
        p.end()
        if status == 0:
            peer.done().unwrap()
        p.done(status, origin)
        listener.settimeout(0)
        try:
            listener.accept()
        except BlockingIOError:
            continue
        raise Failed("there was a second connection")


def mbedtls(test):
    s, port = test.serve("--keep-open", "--max-version", "1.2", "--ciphers",
                         "TLS_ECDHE_ECDSA_WITH_AES_256_CCM")
    p = test.connect(port, "--why", "--ciphers",
                     "TLS_ECDHE_ECDSA_WITH_AES_128_CCM")
    p.end()
    r = p.done(22, "alert", 40)
    finding(r, "no-common-cipher")
    same("ciphers", r["offers"]["theirs"]["ciphers"],
         ["TLS_ECDHE_ECDSA_WITH_AES_256_CCM"])
    s.kill()


def gnutls(test):
    port = peers.gnutls_server(
        test, "--disable-client-cert", "--priority",
        "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+AES-256-GCM:+AEAD:+SIGN-ALL:"
        "+GROUP-SECP384R1:+GROUP-SECP256R1:+COMP-NULL")
    p = test.connect(port, "--why", "--ciphers", "ECDHE-ECDSA-AES128-SHA")
    p.end()
    r = p.done(22, "alert")
    finding(r, "no-common-cipher")
    same("ciphers", r["offers"]["theirs"]["ciphers"],
         ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"])


def one_name(test, listener, asked):
    """A server of one name, which takes no hello with another."""
    def choose(_, name, __):
        asked.append(name)
        if name is not None:
            return peers.ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None
    ctx = peers.server_context(EC)
    ctx.sni_callback = choose
    while not test.stopped:
        try:
            with listener.accept()[0] as raw:
                raw.settimeout(test.left())
                ctx.wrap_socket(raw, server_side=True).close()
        except OSError:
            pass


def refused_name(test):
    listener, port = test.listen()
    asked = []
    test.thread(one_name, test, listener, asked)
    p = test.connect(port, "--why")
    p.end()
    r = p.done(22, "alert", 112)
    finding(r, "server-name-refused")
    if None not in asked or "localhost" not in asked:
        raise Failed("asked for %s" % asked)


def intolerant(test, listener):
    """Answers no hello that names TLS 1.3, as old middleboxes do."""
    ctx = peers.server_context(EC)
    ctx.maximum_version = peers.ssl.TLSVersion.TLSv1_2
    while not test.stopped:
        try:
            with listener.accept()[0] as raw:
                raw.settimeout(test.left())
                hello = raw.recv(4096, socket.MSG_PEEK)
                if b"\x00\x2b" in hello[43:]:
                    raw.recv(len(hello))
                else:
                    ctx.wrap_socket(raw, server_side=True).close()
        except OSError:
            pass


def intolerant_of_versions(test):
    listener, port = test.listen()
    test.thread(intolerant, test, listener)
    p = test.connect(port, "--why")
    p.end()
    r = p.done(24, "tls", -0x7280)
    finding(r, "version-intolerant")
    same("versions", r["offers"]["theirs"]["versions"], ["TLSv1.2"])


def tests():
    for row in WHY:
        yield "why: " + row[0], functools.partial(why, *row[1:])
    yield "why: an mptls server", mbedtls
    yield "why: a GnuTLS server", gnutls
    yield "why: a name that is refused", refused_name
    yield "why: TLS 1.3 is not tolerated", intolerant_of_versions
    yield "why: nothing is asked where the cause is known", nothing_is_asked
