"""What is left of a private key in a process's memory, once it is loaded."""
import base64
import os
import re
import signal
import subprocess

from harness import (ROOT, Failed, Skipped, cert, each, read_file, test,
                     wait_until)

PIECE = 16  # bytes or characters in a row that cannot be there by chance


def pieces(data):
    """Runs of it: a copy may have lost its beginning to the allocator."""
    return [data[i:i + PIECE] for i in range(0, len(data) - PIECE + 1, PIECE)]


def integers(der):
    """A key's numbers that are secret, as openssl has them, big-endian."""
    text = subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-text", "-noout"], input=der,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    ).stdout.decode()
    found = []
    for name in ("priv", "privateExponent", "prime1", "prime2"):
        for digits in re.findall(r"^%s:\n((?:    [0-9a-f:]+\n)+)" % name, text,
                                 re.M):
            found.append(bytes.fromhex(re.sub(r"[\s:]", "", digits))
                         .lstrip(b"\0"))
    if not found:
        raise Failed("openssl shows no number of the key")
    return found


def secrets(pem):
    """What tells the key, in each of the forms that it is given in: (form,
    bytes). The public key is in the certificate, too, and says nothing."""
    body = b"".join(pem.split(b"-----")[2].split())
    der = base64.b64decode(body)
    found = []
    for number in integers(der):
        found += [("DER", x) for x in pieces(number)]
        found += [("hex", x.hex().encode()) for x in pieces(number)]
        at = der.index(number)
        # The digits of base64 that have only bits of the number.
        found += [("base64", x) for x in
                  pieces(body[-(-at // 3) * 4:(at + len(number)) // 3 * 4])]
    return found


def memory(pid):
    """Each mapping that is written to: (where, bytes)."""
    try:
        with open("/proc/%d/maps" % pid, encoding="ascii") as maps, \
                open("/proc/%d/mem" % pid, "rb", 0) as mem:
            for line in maps:
                span, rights, *rest = line.split()
                begin, end = (int(x, 16) for x in span.split("-"))
                # A sanitizer maps terabytes that nothing is in.
                if not rights.startswith("rw") or end - begin > 1 << 26:
                    continue
                mem.seek(begin)
                yield rest[3] if len(rest) > 3 else "", mem.read(end - begin)
    except (FileNotFoundError, PermissionError) as e:
        raise Skipped("another process's memory: %s" % e)


def found_in(pid, wanted):
    """(form, where) of what is there."""
    return sorted({(form, where or "mmap") for where, data in memory(pid)
                   for form, piece in wanted if piece in data})


KEYS = [("an EC key in PEM", "server-ec256", "server-ec256-key.pem"),
        ("an EC key in SEC1", "server-ec256", "server-ec256-key-sec1.pem"),
        ("an EC key in DER", "server-ec256", "server-ec256-key.der"),
        ("an RSA key", "server-rsa2048", "server-rsa2048-key.pem")]


INLINE = [("an EC key in hex", "server-ec256",
           "hex:" + read_file(cert("server-ec256-key.der")).hex()),
          ("an RSA key in base64", "server-rsa2048",
           "base64:" + "".join(read_file(cert("server-rsa2048-key.pem"))
                               .decode().split("-----")[2].split()))]


@each([(name, chain, cert(key)) for name, chain, key in KEYS] + INLINE)
def no_copy_of_a_key_is_left(t, chain, key):
    wanted = secrets(read_file(cert(chain + "-key.pem")))
    server = t.serve("--cert", cert(chain + ".pem"), "--key", key,
                     "--keep-open", "--echo", name=None)
    t.eq(found_in(server.pid, wanted), [], "what is left after the start")
    t.eq(t.check(server).status, 0, "check's status")
    t.eq(found_in(server.pid, wanted), [], "what is left after a client")
    before = server.stderr().count("reloaded")
    server.signal(signal.SIGHUP)
    wait_until("a line more", lambda:
               server.stderr().count("reloaded") > before)
    t.has(server.stderr(), "mptls: reloaded")
    t.eq(found_in(server.pid, wanted), [], "what is left after SIGHUP")
    t.eq(t.check(server).status, 0, "check's status after SIGHUP")


@each([("hex", "hex:", bytes.hex),
       ("base64", "base64:", lambda key: base64.b64encode(key).decode())])
def an_inline_key_is_gone_from_the_command_line(t, form, encode):
    key = read_file(cert("client-ec256-key.der"))
    listener = t.listener()
    p = t.start("connect", "--cafile", cert("root.pem"), "--cert",
                cert("client-ec256.pem"), "--key", form + encode(key),
                "127.0.0.1:%d" % listener.getsockname()[1])
    t.accept(listener)  # so it is loaded by now
    words = read_file("/proc/%d/cmdline" % p.pid).decode().split("\0")
    t.eq(words[words.index("--key") + 1],
         form + "x" * len(encode(key)), "the value of --key")
    t.eq(found_in(p.pid, secrets(read_file(cert("client-ec256-key.pem")))), [],
         "what is left of the key")


@test
def no_copy_is_left_of_a_file_with_both(t):
    """A chain with its key, which is how some servers want it."""
    pem = read_file(cert("server-ec256-key.pem"))
    both = t.named(read_file(cert("server-ec256.pem")) + pem)
    server = t.serve("--cert", both, "--key", both, "--keep-open", "--echo",
                     name=None)
    t.eq(found_in(server.pid, secrets(pem)), [], "what is left")
    t.eq(t.check(server).status, 0, "check's status")


@test
def a_copy_of_a_key_would_be_found(t):
    """In a process that does keep it: the search itself."""
    pem = read_file(cert("server-ec256-key.pem"))
    r, w = t.pipe()
    holder = subprocess.Popen(
        ["python3", "-c", "import sys, os\n"
         "kept = open(sys.argv[1], 'rb').read()\n"
         "os.write(int(sys.argv[2]), b'.')\n"
         "sys.stdin.read()", os.path.join(ROOT, cert("server-ec256-key.pem")),
         str(w)], stdin=subprocess.PIPE, pass_fds=(w,))
    t.on_exit(lambda: holder.communicate(timeout=10))
    t.eq(os.read(r, 1), b".", "its sign")
    t.eq([form for form, _ in found_in(holder.pid, secrets(pem))], ["base64"],
         "what is found")


def secrets_in(log):
    """Those of a key log, as they are and as its lines have them."""
    found = []
    for line in read_file(log).decode().splitlines():
        secret = line.split()[2]
        found += [("raw", x) for x in pieces(bytes.fromhex(secret))]
        found += [("hex", x.encode()) for x in pieces(secret)]
    return found


@each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])
def no_secret_of_a_connection_outlives_it(t, version):
    log = t.path("keys")
    server = t.serve("--keep-open", "--echo", "--max-version", version,
                     "--keylog", log)
    idle, end = t.pipe()
    client = t.connect(server, stdin=idle)
    wait_until("its secrets", lambda: read_file(log).count(b"\n")
               == (1 if version == "1.2" else 4))
    wait_until("they are found, since it is there", lambda: (
        "raw" in [form for form, _ in found_in(server.pid, secrets_in(log))]))
    t.close_pipe(end)
    t.eq(client.wait().status, 0, "connect's status")
    wait_until("its report", lambda: b'"bytes"' in read_file(server.json_name))
    wait_until("nothing is left", lambda:
               found_in(server.pid, secrets_in(log)) == [])
