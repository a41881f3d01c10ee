"""--why and --probe: what a server takes."""
import functools
import json
import socket

import peers
from harness import Failed, Proc, cert, same

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


def serve_all(test, listener, ctx):
    while not test.stopped:
        try:
            with listener.accept()[0] as raw:
                raw.settimeout(test.left())
                ctx.wrap_socket(raw, server_side=True).close()
        except OSError:
            pass


def one_name(test, listener, asked):
    """A server of one name, which takes no hello with another."""
    def choose(_, name, __):
        asked.append(name)
        if name is not None:
            return peers.ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None
    ctx = peers.server_context(EC)
    ctx.sni_callback = choose
    serve_all(test, listener, ctx)


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


def probe(test, port, *args, ca="root.pem"):
    """The report of check --probe, and what it says of each version."""
    p = test.start(Proc, [test.mptls, "check", "127.0.0.1:%d" % port,
                          "--server-hostname", "localhost", "--cafile",
                          cert(ca), "--probe", "--json", *args],
                   env=test.env)
    p.end()
    p.wait()
    report = json.loads(p.out.all(test.left()))
    found = report["probe"]
    same("stopped", found["stopped"], None)
    if not 10 < found["connections"] <= 150:
        raise Failed("%d connections" % found["connections"])
    for v in found["versions"]:
        same("refusal of " + v["version"], v["refusal"] is None, v["accepted"])
    return report, {v["version"]: v for v in found["versions"]}


def devices(found):
    return {d["name"]: d for d in found["devices"]}


NEW, OLD = "micropython-1.29", "micropython-1.24"
ESP8266, ZEPHYR, IDF = "micropython-esp8266", "zephyr", "esp-idf"
ORDER = ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
         "TLS_RSA_WITH_AES_256_CBC_SHA",
         "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
ORDERED = ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA:"
           "ECDHE-RSA-AES256-GCM-SHA384")

# name, s_server's options, certificate, what is accepted of each version, what
# the report says besides, and the status of some devices.
PROBE = (
    ("the server's order", ORDERED + ("-serverpref", "-groups", "P-384"), RSA,
     {"TLSv1.2": {"ciphers": list(ORDER), "groups": ["secp384r1"],
                  "server_chooses": True}},
     {"server_chooses": True, "certificate_wanted": False,
      "server_name_needed": False},
     {NEW: 0, ESP8266: 0, ZEPHYR: 0, IDF: 0}),
    ("the client's order", ORDERED, RSA,
     {"TLSv1.2": {"ciphers": sorted(ORDER), "server_chooses": False}},
     {"server_chooses": False}, {NEW: 0}),
    ("one suite", ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-CCM8"), EC,
     {"TLSv1.2": {"ciphers": ["TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"],
                  "server_chooses": None}},
     {"server_chooses": False}, {NEW: 22, ESP8266: 22, ZEPHYR: 22, IDF: 0}),
    ("TLS 1.3 only", ("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256",
                      "-groups", "P-384:ffdhe3072:x448"), EC,
     {"TLSv1.3": {"ciphers": ["TLS_AES_128_CCM_SHA256"],
                  "groups": ["ffdhe3072", "secp384r1", "x448"],
                  "sig_algs": ["ecdsa_secp256r1_sha256"]}},
     {}, {NEW: 22, OLD: 22, ESP8266: 22, ZEPHYR: 22, IDF: 22}),
    ("RSA in TLS 1.3", ("-tls1_3",), RSA,
     {"TLSv1.3": {"sig_algs": ["rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384",
                               "rsa_pss_rsae_sha512"]}}, {}, {}),
    ("old versions", ("-no_tls1_3", "-no_tls1_2", "-cipher",
                      "ECDHE-RSA-AES128-SHA:AES128-SHA:@SECLEVEL=0"), RSA,
     {v: {"ciphers": ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
                      "TLS_RSA_WITH_AES_128_CBC_SHA"]}
      for v in ("TLSv1.0", "TLSv1.1")},
     {}, {NEW: 21, ESP8266: 0, ZEPHYR: 21, "arduino-esp8266": 0}),
    ("rare suites", ("-tls1_2", "-cipher", "ADH-AES128-SHA:AECDH-NULL-SHA:"
                     "ARIA128-GCM-SHA256:@SECLEVEL=0"), RSA,
     {"TLSv1.2": {"ciphers": ["TLS_DH_anon_WITH_AES_128_CBC_SHA",
                              "TLS_ECDH_anon_WITH_NULL_SHA",
                              "TLS_RSA_WITH_ARIA_128_GCM_SHA256"]}},
     {}, {NEW: 22, ESP8266: 22}),
    ("two certificates", ("-tls1_2", "-dcert", cert(RSA + ".pem"), "-dkey",
                          cert(RSA + "-key.pem"), "-sigalgs",
                          "RSA+SHA256:ECDSA+SHA256"), EC,
     {"TLSv1.2": {"sig_algs": ["ecdsa_secp256r1_sha256",
                               "rsa_pkcs1_sha256"]}},
     {}, {NEW: 0, ESP8266: 0, ZEPHYR: 0}),
    ("a client's certificate", ("-tls1_2", "-Verify", "1"), EC,
     {}, {"certificate_wanted": True}, {NEW: 37}),
    ("a client's certificate, TLS 1.3", ("-tls1_3", "-verify", "1"), EC,
     {}, {"certificate_wanted": True}, {}),
    ("short records", ("-tls1_2", "-max_send_frag", "512"), RSA,
     {}, {}, {NEW: 0, OLD: 51, ESP8266: 0, IDF: 0}),
)

# Certificates after the server's own, and who cannot take them.
CHAINS = ((1, {NEW: 0, OLD: 0, ESP8266: 0, ZEPHYR: 0, IDF: 0}),
          (3, {NEW: 0, OLD: 0, ESP8266: 0, ZEPHYR: 51, IDF: 0}),
          (14, {NEW: 0, OLD: 0, ESP8266: 51, ZEPHYR: 51, IDF: 0}),
          (60, {NEW: 51, OLD: 51, ESP8266: 51, ZEPHYR: 51, IDF: 51}))


def probe_openssl(options, name, versions, facts, statuses, test):
    report, got = probe(test, server(test, options, name))
    found = report["probe"]
    if versions:
        same("versions", [v for v in got if got[v]["accepted"]],
             sorted(versions, reverse=True))
    for version, wanted in versions.items():
        for key, value in wanted.items():
            seen = got[version][key]
            if isinstance(value, list) and not wanted.get("server_chooses"):
                seen, value = sorted(seen), sorted(value)
            same("%s of %s" % (key, version), seen, value)
    for key, value in facts.items():
        same(key, found[key], value)
    for device, status in statuses.items():
        same(device + " (%s)" % devices(found)[device]["result"],
             devices(found)[device]["status"], status)


def probe_chain(count, statuses, test):
    with open(cert("root.pem"), encoding="ascii") as f:
        chain = test.file("chain.pem", f.read() * count)
    probe_openssl(("-tls1_2", "-cert_chain", chain), RSA, {}, {}, statuses,
                  test)


def probe_extensions(test):
    """What the server answers with where it has it, and where it has not."""
    for options, has in (((), True), (("-no_ticket", "-no_etm"), False)):
        report, _ = probe(test, server(test, ("-tls1_2",) + options, EC))
        seen = report["probe"]["accepted"]["extensions"]
        for name in ("session_ticket", "encrypt_then_mac"):
            same(name, name in seen, has)
        for name in ("renegotiation_info", "extended_master_secret",
                     "max_fragment_length"):
            same(name, name in seen, True)


def probe_after_failure(test):
    """The probe does not depend on the handshake before it."""
    port = server(test, ("-tls1_2",), EC)
    report, got = probe(test, port, "--ciphers", "AES128-SHA")
    same("status", report["status"], 22)
    same("accepted", got["TLSv1.2"]["accepted"], True)
    report, got = probe(test, port, ca="other-root.pem")
    same("status", report["status"], 30)
    same("accepted", got["TLSv1.2"]["accepted"], True)


def probe_with_certificate(test):
    """Devices show ours, where it is asked for."""
    port = server(test, ("-tls1_2", "-Verify", "1", "-CAfile",
                         peers.ROOT_CA, "-verify_return_error"), EC)
    report, _ = probe(test, port, "--cert", cert("client-ec256.pem"), "--key",
                      cert("client-ec256-key.pem"))
    same("status", report["status"], 0)
    same(NEW, devices(report["probe"])[NEW]["status"], 0)


def probe_mptls(test):
    s, port = test.serve("--keep-open", "--ciphers",
                         "TLS_AES_128_GCM_SHA256,"
                         "TLS_ECDHE_ECDSA_WITH_AES_128_CCM")
    _, got = probe(test, port)
    same("accepted", [v for v in got if got[v]["accepted"]],
         ["TLSv1.3", "TLSv1.2"])
    same("1.3", got["TLSv1.3"]["ciphers"], ["TLS_AES_128_GCM_SHA256"])
    same("1.2", got["TLSv1.2"]["ciphers"],
         ["TLS_ECDHE_ECDSA_WITH_AES_128_CCM"])
    same("groups of 1.3", got["TLSv1.3"]["groups"][:4],
         ["x25519", "secp256r1", "secp384r1", "secp521r1"])
    same("groups of 1.2", got["TLSv1.2"]["groups"],
         ["x25519", "secp256r1"])  # the key's own goes before the others
    s.kill()


def probe_gnutls(test):
    port = peers.gnutls_server(
        test, "--disable-client-cert", "--priority",
        "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-GROUP-ALL:"
        "+GROUP-X25519:+GROUP-SECP384R1:-CIPHER-ALL:+AES-128-GCM")
    report, got = probe(test, port)
    same("accepted", [v for v in got if got[v]["accepted"]],
         ["TLSv1.3", "TLSv1.2"])
    same("1.3", got["TLSv1.3"]["ciphers"], ["TLS_AES_128_GCM_SHA256"])
    same("1.2", got["TLSv1.2"]["ciphers"],
         ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"])
    same("groups", sorted(got["TLSv1.3"]["groups"]), ["secp384r1", "x25519"])
    same(NEW, devices(report["probe"])[NEW]["status"], 0)


def probe_stunnel(test):
    _, got = probe(test, peers.stunnel_server(test))
    same("accepted", [v for v in got if got[v]["accepted"]],
         ["TLSv1.3", "TLSv1.2"])


def wants_a_name(test, listener):
    ctx = peers.server_context(EC)
    ctx.sni_callback = lambda _, name, __: (
        None if name else peers.ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
    serve_all(test, listener, ctx)


def probe_name(test):
    listener, port = test.listen()
    test.thread(wants_a_name, test, listener)
    report, _ = probe(test, port)
    same("server_name_needed", report["probe"]["server_name_needed"], True)
    got = devices(report["probe"])
    same(NEW, got[NEW]["status"], 0)


def tests():
    for row in PROBE:
        yield "check: " + row[0], functools.partial(probe_openssl, *row[1:])
    for count, statuses in CHAINS:
        yield "check: a chain of %d more" % count, functools.partial(
            probe_chain, count, statuses)
    yield "check: extensions", probe_extensions
    yield "check: after a failure", probe_after_failure
    yield "check: our certificate", probe_with_certificate
    yield "check: an mptls server", probe_mptls
    yield "check: a GnuTLS server", probe_gnutls
    yield "check: stunnel", probe_stunnel
    yield "check: a server that wants a name", probe_name
    for row in WHY:
        yield "why: " + row[0], functools.partial(why, *row[1:])
    yield "why: an mptls server", mbedtls
    yield "why: a GnuTLS server", gnutls
    yield "why: a name that is refused", refused_name
    yield "why: TLS 1.3 is not tolerated", intolerant_of_versions
    yield "why: nothing is asked where the cause is known", nothing_is_asked
