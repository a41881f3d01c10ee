"""The README's page of failures, from what the program says.

usage: readme.py PROGRAM [--write]

Runs each example against its peer and compares README.md with the result,
or, with --write, puts it there. Exit 1 if the page is stale.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "cli"))
import harness  # noqa: E402 - it is there
from harness import cert  # noqa: E402

README = os.path.join(harness.ROOT, "README.md")
BEGIN = "<!-- Made by `make readme`; changes here are lost. -->\n"
END = "<!-- The end of what is made. -->\n"
CA = ("--cafile", cert("root.pem"))
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


class Example:
    """One run: the command as it is shown, and what it says."""

    def __init__(self, command, said, secret, status):
        self.command, self.said, self.status = command, said, status
        for port, shown in secret.items():
            self.said = self.said.replace(":" + port, ":" + shown)

    def text(self):
        lines = ["$ " + self.command, *self.said.splitlines(),
                 "$ echo $?", str(self.status)]
        return "".join("    %s\n" % line for line in lines)


def words(args):
    return " ".join(args)


def port_of(address):
    return address.rsplit(":", 1)[1]


def run_client(t, port, *args):
    """connect to a port of this machine, which is shown as 4433."""
    r = t.run("connect", "localhost:" + port, *args, report=False)
    return Example(words(("mptls connect localhost:4433", *args)), r.err,
                   {port: "4433"}, r.status)


def client(*args, serve=(), name="server-ec256"):
    """An example of connect, against our own server."""
    def example(t):
        server = t.serve(*serve, name=name, report=False, stdin=b"data")
        return run_client(t, port_of(server.address), *args)
    return example


def stranger(answer, *args):
    """The same against what is no TLS server."""
    def example(t):
        listener = t.listener()
        p = t.start("connect", "localhost:%d" % listener.getsockname()[1],
                    *args, report=False)
        peer = t.accept(listener)
        peer.recv(65536)
        peer.sendall(answer)
        peer.close()
        r = p.wait()
        return Example(words(("mptls connect localhost:4433", *args)), r.err,
                       {str(listener.getsockname()[1]): "4433"}, r.status)
    return example


def server(*args, connect=(), name="server-ec256"):
    """An example of serve, with a client of ours."""
    def example(t):
        p = t.serve(*args, name=name, report=False)
        t.connect(p, *connect, report=False).wait()
        r = p.wait()
        shown = words(("mptls serve --cert certs/%s.pem --key certs/%s-key.pem"
                       % (name, name), *args))
        said = r.err.replace(p.address, "[::]:4433")
        return Example(shown, said, {}, r.status)
    return example


RSA_CA = ("--cafile", cert("root-rsa4096.der"))
DER_CA = ("--verify", "required", "--cafile", cert("root.der"))


def only_x25519(*args):
    """An example of connect, against a server with one group."""
    def example(t):
        profile = t.named(b"groups x25519\n")
        return client(*args, serve=("--as", profile, "--keep-open"))(t)
    return example


PAGE = [
    ("The clock is not set",
     "An esp32 starts at 2000-01-01, and every certificate is from its "
     "future.",
     client("--as", "micropython-esp32", *DER_CA)),
    ("The chain does not fit the input buffer",
     "A firmware that was built for 4 KB, and a server that sends more than "
     "it needs.",
     client("--max-in-record", "4k", *RSA_CA, name="server-rsa4096")),
    ("The heap is used up",
     "",
     client("--as", "micropython-1.24", "--heap-limit", "30k", *DER_CA)),
    ("An RSA key of 4096 bits",
     "Arduino's precompiled libraries for the ESP32 leave such numbers to "
     "hardware that\ncannot do them.",
     client("--as", "arduino-esp32", "--verify", "required", *RSA_CA,
            name="server-rsa4096")),
    ("PEM where DER is wanted",
     "",
     client("--as", "micropython-1.24", "--verify", "required", *CA)),
    ("The group is another",
     "MicroPython leaves X25519 out; this server has nothing else.",
     only_x25519("--as", "micropython-1.24", *DER_CA, "--why")),
    ("The name is another",
     "",
     client(*CA, name="server-wrong-host")),
    ("The intermediate certificate is missing",
     "Browsers fetch it, which is why they do not complain. A board does "
     "not.",
     client(*CA, name="server-missing-intermediate")),
    ("The root is not trusted",
     "",
     client("--cafile", cert("other-root.pem"), name="server-chain")),
    ("Nothing in common",
     "The server sees both offers. Here the client has an esp8266's suites, "
     "all of\nwhich want an RSA certificate.",
     server("--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256,AES128-SHA",
            connect=("--ciphers", "TLS_RSA_WITH_AES_128_CBC_SHA,"
                                  "TLS_RSA_WITH_AES_256_CBC_SHA,"
                                  "TLS_RSA_WITH_AES_128_CBC_SHA256,"
                                  "TLS_RSA_WITH_AES_256_CBC_SHA256"))),
    ("TLS 1.3 only",
     "MicroPython has TLS 1.2 at most. `--why` asks the server, by further "
     "connections,\nwhat it takes.",
     client("--as", "micropython-1.24", *DER_CA, "--why",
            serve=("--min-version", "1.3", "--keep-open"))),
    ("Not TLS at all",
     "A port for HTTP answers in HTTP.",
     stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n", *CA)),
    ("Closed in the handshake",
     "",
     stranger(b"", *CA)),
    ("A client certificate is wanted",
     "",
     client(*CA, "--max-version", "1.2",
            serve=("--verify", "required", *CA))),
    ("No close_notify",
     "MicroPython closes the socket and no more; `--allow-truncation` takes "
     "that for an\nend.",
     client(*CA, serve=("--mp-defaults", "--on-eof", "close"))),
]


def page(binary):
    text = BEGIN
    for title, intro, example in PAGE:
        t = harness.Test(binary)
        try:
            made = example(t)
        finally:
            t.close()
        text += "\n### %s\n\n" % title
        text += "%s\n\n" % intro if intro else ""
        text += made.text()
    return text + "\n" + END


def split(text):
    """What stands before, in and after the page."""
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    return text[:begin], text[begin:end], text[end:]


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--write"]):
        sys.exit("usage: readme.py PROGRAM [--write]")
    with open(README, encoding="utf-8") as f:
        before, old, after = split(f.read())
    new = page(os.path.abspath(sys.argv[1]))
    if sys.argv[2:]:
        with open(README, "w", encoding="utf-8") as f:
            f.write(before + new + after)
    elif new != old:
        sys.exit("README.md is stale: run make readme")


if __name__ == "__main__":
    main()
