"""d16 and d17: what may be written on the command line."""
import functools
import json
import re

import peers
from classes import ended, plain
from harness import Failed, same

HELLO = b"hello\n"


# D16: the names of suites.

def listed(test, *args):
    p = plain(test, "ciphers", "--json", *args)
    same("exit status", p.wait(), 0)
    return [json.loads(line) for line in
            p.out.all(test.left()).decode().splitlines()]


def openssls_names(test):
    """OpenSSL's own list: number, IANA's name and OpenSSL's."""
    p = test.spawn("openssl", "ciphers", "-V", "-stdname",
                   "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    text = p.out.all(test.left()).decode()
    ours = {row["id"]: row for row in listed(test)}
    known = 0
    for a, b, iana, name in re.findall(
            r"^ *0x(..),0x(..) - (\S+) +- (\S+)", text, re.M):
        row = ours.get(int(a + b, 16))
        if row is None:
            continue
        known += 1
        same("IANA's name of " + name, row["iana"], iana)
        same("OpenSSL's name of " + iana, row["openssl"], name)
        for word in (name, iana, row["mbedtls"], "0x" + a + b, name.lower(),
                     iana.lower()):
            same("--ciphers " + word, listed(test, "--ciphers", word), [row])
    if known < 30:
        raise Failed("openssl knows %d of our suites only" % known)


def negotiated(test):
    """One list for every version and spelling, to a server's own choice."""
    for row in listed(test, "--ciphers", "TLS_AES_256_GCM_SHA384,"
                      "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256,"
                      "ECDHE-ECDSA-CHACHA20-POLY1305"):
        for word in (row["iana"], row["mbedtls"], row["openssl"],
                     "0x%04X" % row["id"]):
            p = test.connect(peers.openssl_rev(test), "--ciphers", word)
            r = p.feed(HELLO, end=True).done(version=row["version"][4:])
            same("the suite", r["tls"]["cipher"], row["iana"])


TYPOS = (("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA255",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
         ("ECDHE-RSA-AES128-GCM-SHA265", "ECDHE-RSA-AES128-GCM-SHA256"),
         ("TLS-ECDHE-ECDSA-WITH-AES-128-CBC-SHE",
          "TLS-ECDHE-ECDSA-WITH-AES-128-CBC-SHA"),
         ("TLS1-3-AES-128-GMC-SHA256", "TLS1-3-AES-128-GCM-SHA256"))


def did_you_mean(typo, meant, test):
    _, port = test.listen()
    r = test.connect(port, "--ciphers", typo).done(3, "tls", -0x5E80, out=b"")
    if "did you mean %s?" % meant not in r["error"]["text"]:
        raise Failed(r["error"]["text"])


# D17: no target.

def no_target(words, say, test):
    p = plain(test, *words)
    p.end()
    err = ended(test, p, 2)
    if say not in err or len(err.splitlines()) != 2:
        raise Failed("stderr is %r" % err)


def tests():
    part = functools.partial
    yield "d16 OpenSSL's list has the names that we have", openssls_names
    yield "d16 any spelling will do", negotiated
    for typo, meant in TYPOS:
        yield "d16 did you mean, " + typo, part(did_you_mean, typo, meant)
    for words, say in (((), "a command is wanted"),
                       (("connect",), "connect wants HOST:PORT"),
                       (("connect", "localhost"), "no port"),
                       (("connect", ""), "HOST"),
                       (("connect", ":443"), "HOST")):
        yield ("d17 no target is a usage error, mptls " + " ".join(words),
               part(no_target, words, say))
