"""Local files: what is wrong with one is exit 3 and names it, and every form
of DATA gives the same bytes."""
import base64
import binascii
import errno
import os

from harness import Failed, cert, each, read_file, test

CERT, KEY, ROOT_PEM = "server-ec256.pem", "server-ec256-key.pem", "root.pem"

# MBEDTLS_ERR_* values
X509_UNKNOWN_FORMAT = -0x2780
X509_INVALID_FORMAT = -0x2180
PK_KEY_INVALID_FORMAT = -0x3D00
PK_PASSWORD_REQUIRED = -0x3C00
PK_TYPE_MISMATCH = -0x3F00
PEM_NO_HEADER = -0x1080


def pem(name):
    return read_file(cert(name))


def der(name):
    return read_file(cert(name))


def one_broken():
    """A bundle whose second certificate has a byte changed in its middle."""
    lines = pem("other-root.pem").splitlines(True)
    lines[3] = b"AAAA" + lines[3][4:]
    return pem("root.pem") + b"".join(lines)


# name, the file's content, the code
BAD_CERTS = [
    ("garbage", lambda: b"garbage\n", X509_INVALID_FORMAT),
    ("empty", lambda: b"", X509_UNKNOWN_FORMAT),
    ("a key", lambda: pem(KEY), None),
    ("truncated PEM", lambda: pem(CERT)[:-40], None),
    ("PEM without an end", lambda: pem(CERT).split(b"-----END")[0], None),
    ("truncated DER", lambda: der("server-ec256.der")[:-1], None),
    ("DER with garbage behind", lambda: der("server-ec256.der") + b"xyz",
     X509_INVALID_FORMAT),
    ("a bundle with one broken", one_broken, X509_INVALID_FORMAT),
    ("zeros", lambda: bytes(1000), X509_INVALID_FORMAT),
    ("PEM with NULs", lambda: pem(CERT).replace(b"\n", b"\0\n"), None),
]


def bad_file(t, args, name, code, *say):
    r = t.run(*args)
    error = r.error
    if code is None:  # one of the library's, whichever
        code = error["code"]
        if code >= 0:
            raise Failed("code is %d" % code)
    return t.bad(r, 3, "tls", code, name, *say)


@each(BAD_CERTS)
def bad_cert(t, content, code):
    name = t.named(content())
    bad_file(t, ["serve", "--cert", name, "--key", cert(KEY), "127.0.0.1:0"],
             name, code, "the certificate")
    bad_file(t, ["connect", "--cert", name, "--key", cert(KEY),
                 "127.0.0.1:1"], name, code, "the certificate")


@each(BAD_CERTS)
def bad_ca(t, content, code):
    name = t.named(content())
    for option in ("--cafile", "--cadata"):
        bad_file(t, ["connect", option, name, "127.0.0.1:1"], name, code,
                 "the CA", option)


# name, the file's content, the code, what the message says
BAD_KEYS = [
    ("garbage", lambda: b"garbage\n", PK_KEY_INVALID_FORMAT, "the key"),
    ("empty", lambda: b"", None, "the key"),
    ("a certificate", lambda: pem(CERT), None, "the key"),
    ("truncated PEM", lambda: pem(KEY)[:-40], None, "the key"),
    ("truncated DER", lambda: der("server-ec256-key.der")[:-5], None,
     "the key"),
    ("encrypted", lambda: pem("server-ec256-key-encrypted.pem"),
     PK_PASSWORD_REQUIRED, "the key is encrypted"),
    ("another certificate's", lambda: pem("client-other-key.pem"),
     None, "the key is not that of the certificate"),
    ("another kind's", lambda: pem("server-rsa2048-key.pem"),
     PK_TYPE_MISMATCH, "the key is not that of the certificate"),
]


@each(BAD_KEYS)
def bad_key(t, content, code, say):
    name = t.named(content())
    bad_file(t, ["serve", "--cert", cert(CERT), "--key", name, "127.0.0.1:0"],
             name, code, say)


# name, option (the others are right), path, errno
UNREADABLE = [
    (option + " " + what, option, path, number)
    for option in ("--cert", "--key", "--cafile", "--cadata")
    for what, path, number in (("missing", "none/none.pem", errno.ENOENT),
                               ("a directory", "certs", errno.EISDIR),
                               ("below a file", cert(CERT) + "/x",
                                errno.ENOTDIR),
                               ("a form with ./", "./hex:00", errno.ENOENT))
]


@each(UNREADABLE)
def unreadable(t, option, path, number):
    given = {"--cert": cert(CERT), "--key": cert(KEY)}
    if option not in given:
        given = {}
    given[option] = path
    r = t.run("connect", *(w for pair in given.items() for w in pair),
              "127.0.0.1:1")
    t.bad(r, 3, "file", number, option, path, os.strerror(number))


@test
def a_file_without_permission(t):
    name = t.named(pem(ROOT_PEM))
    os.chmod(name, 0)
    wrap = ()
    if os.access(name, os.R_OK):  # root reads everything, by this right
        rights = "-dac_override,-dac_read_search"
        wrap = ("setpriv", "--bounding-set", rights, "--inh-caps", rights)
    r = t.run("connect", "--cafile", name, "127.0.0.1:1", wrap=wrap)
    t.bad(r, 3, "file", errno.EACCES, name)


@test
def an_endless_file_ends(t):
    r = t.run("connect", "--cafile", "/dev/zero", "127.0.0.1:1")
    t.bad(r, 3, "file", errno.EFBIG, "/dev/zero")


@test
def a_closed_descriptor(t):
    r = t.run("connect", "--cadata", "fd:99", "127.0.0.1:1")
    t.bad(r, 3, "file", errno.EBADF, "fd:99")


@each([("file", "SSL_CERT_FILE"), ("directory", "SSL_CERT_DIR")])
def missing_store(t, variable):
    r = t.run("connect", "127.0.0.1:1", env={variable: "none/none.pem"})
    t.bad(r, 3, "file", errno.ENOENT, variable, "none/none.pem")


def secret_chunks(text):
    """Pieces of a key that no message may have."""
    text = text.replace("\n", "")
    return [text[i:i + 12] for i in range(0, len(text) - 12, 6)]


# name, the key as DATA
SECRETS = [
    ("base64", lambda: "base64:" + base64.b64encode(
        der("client-ec256-key.der")).decode()),
    ("hex", lambda: "hex:" + binascii.hexlify(
        der("client-ec256-key.der")).decode()),
    ("pem", lambda: "pem:" + pem("client-ec256-key.pem").decode()),
    ("bad base64", lambda: "base64:" + base64.b64encode(
        der("client-ec256-key.der")).decode() + "!"),
    ("bad hex", lambda: "hex:" + binascii.hexlify(
        der("client-ec256-key.der")).decode() + "x"),
    ("pem cut short", lambda: "pem:" +
     pem("client-ec256-key.pem").decode()[:-60]),
]


@each(SECRETS)
def no_message_has_the_key(t, data):
    """The key belongs to another certificate, or is malformed."""
    word = data()
    r = t.run("serve", "-v", "--cert", cert(CERT), "--key", word,
              "127.0.0.1:0")
    t.eq((r.status in (2, 3), r.out), (True, b""), "status and stdout")
    said = r.err + str(r.report)
    for chunk in secret_chunks(word.split(":", 1)[1]):
        if chunk in said:
            raise Failed("a message has %r of the key" % chunk)


def by_fd(t, data, fds):
    r = t.pipe_with(data)
    fds.append(r)
    return "fd:%d" % r


# name, from (the test, PEM, DER, descriptors to pass) to DATA
FORMS = [
    ("a PEM file", lambda t, p, d, fds: t.named(p)),
    ("a DER file", lambda t, p, d, fds: t.named(d)),
    ("base64 of DER", lambda t, p, d, fds:
     "base64:" + base64.b64encode(d).decode()),
    ("base64 of PEM, in lines", lambda t, p, d, fds:
     "base64:" + base64.encodebytes(p).decode()),
    ("hex of DER", lambda t, p, d, fds: "hex:" + d.hex()),
    ("hex of DER with colons", lambda t, p, d, fds: "hex:" + d.hex(":")),
    ("hex of PEM", lambda t, p, d, fds: "hex:" + p.hex()),
    ("pem", lambda t, p, d, fds: "pem:" + p.decode()),
    ("pem with escapes", lambda t, p, d, fds:
     "pem:" + p.decode().replace("\n", "\\n")),
    ("PEM from a descriptor", lambda t, p, d, fds: by_fd(t, p, fds)),
    ("DER from a descriptor", lambda t, p, d, fds: by_fd(t, d, fds)),
    ("PEM with CRLF", lambda t, p, d, fds:
     t.named(p.replace(b"\n", b"\r\n"))),
    ("PEM without its last newline", lambda t, p, d, fds:
     t.named(p.rstrip(b"\n"))),
    ("PEM with text around", lambda t, p, d, fds:
     t.named(b"subject: x\n" + p + b"the end\n")),
]


@each(FORMS)
def data_as(t, form):
    fds = []
    words = []
    for option, name in (("--cert", "server-ec256"),
                         ("--key", "server-ec256-key")):
        words += [option, form(t, pem(name + ".pem"), der(name + ".der"), fds)]
    server = t.serve(*words, name=None, stdin=b"hello", pass_fds=fds)
    fds = []
    ca = form(t, pem(ROOT_PEM), der("root.der"), fds)
    r = t.run("connect", "--cadata", ca, server.address, pass_fds=fds)
    t.ok(r, b"hello")
    t.eq(r.report["verify"]["trust"], "--cadata", "what is trusted")
    t.ok(server.wait())


@each([("SEC1", "server-ec256", "server-ec256-key-sec1"),
       ("PKCS#1", "server-rsa2048", "server-rsa2048-key-pkcs1"),
       ("P-384", "server-ec384", "server-ec384-key"),
       ("a chain", "server-chain", "server-chain-key")])
def key_as(t, name, key):
    server = t.serve("--cert", cert(name + ".pem"), "--key",
                     cert(key + ".pem"), name=None, stdin=b"x")
    t.ok(t.connect(server).wait(), b"x")
    t.ok(server.wait())
