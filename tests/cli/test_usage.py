"""Command lines that are wrong: exit 2, the reason, and where help is."""
import os

from harness import cert, each, parse_reports, test

PAIR = ("--cert", cert("server-ec256.pem"),
        "--key", cert("server-ec256-key.pem"))

# name, command (None: none), arguments, what the message says
WRONG = [
    ("no command", None, [], "a command is wanted"),
    ("an unknown command", None, ["conect"], "'conect'",
     "did you mean connect?"),
    ("a command like none", None, ["xyzzy"], "unknown command 'xyzzy'"),
    ("an unknown option first", None, ["--verzion"], "--verzion"),
    ("help for an unknown command", "help", ["help", "serv"],
     "'serv'", "did you mean serve?"),
    ("help for two commands", "help", ["help", "serve", "connect"],
     "unexpected argument 'connect'"),
    ("an unknown option", "connect", ["connect", "--cafil", "x", "h:1"],
     "unknown option --cafil; did you mean --cafile?"),
    ("an empty path for --cafile", "connect",
     ["connect", "--cafile", "", "h:1"], "--cafile: the path is empty"),
    ("an empty path for --keylog", "connect",
     ["connect", "--keylog", "", "h:1"], "--keylog: the path is empty"),
    ("a name in brackets", "connect",
     ["connect", "--server-hostname", "[::1]", "h:1"],
     "server_hostname [::1] is no name"),
    ("a dot for a name", "connect",
     ["connect", "--server-hostname", ".", "h:1"],
     "server_hostname . is no name"),
    ("an abbreviation", "connect", ["connect", "--verb", "h:1"],
     "unknown option --verb"),
    ("an unknown letter", "connect", ["connect", "-z", "h:1"],
     "unknown option -z"),
    ("another tool's option", "connect", ["connect", "-servername", "h:1"],
     "unknown option -servername"),
    ("a missing value at the end", "connect", ["connect", "h:1", "--cafile"],
     "--cafile needs a value, FILE"),
    ("a missing value before an option", "connect",
     ["connect", "--cafile", "--verbose", "h:1"],
     "--cafile needs a value, FILE, but --verbose follows"),
    ("a value where none goes", "connect",
     ["connect", "--verbose=2", "h:1"], "takes no value", "'2'"),
    ("a repeated option", "connect",
     ["connect", "--max-time", "1", "--max-time=2", "h:1"],
     "--max-time is given twice", "'2'"),
    ("a repeated flag", "connect",
     ["connect", "--mp-defaults", "--mp-defaults", "h:1"],
     "--mp-defaults is given twice"),
    ("a bad duration", "connect", ["connect", "--max-time", "soon", "h:1"],
     "--max-time: 'soon' is no time"),
    ("a negative duration", "connect",
     ["connect", "--idle-timeout", "-1", "h:1"], "'-1' is no time"),
    ("a duration with a wrong unit", "connect",
     ["connect", "--connect-timeout", "5d", "h:1"], "'5d' is no time"),
    ("an empty duration", "connect", ["connect", "--max-time=", "h:1"],
     "'' is no time"),
    ("a bad choice", "connect", ["connect", "--verify", "maybe", "h:1"],
     "--verify: 'maybe' is not one of none, optional, required"),
    ("a choice misspelt", "connect", ["connect", "--verify", "requird", "h:1"],
     "'requird'", "did you mean required?"),
    ("an old version", "connect", ["connect", "--min-version", "1.0", "h:1"],
     "--min-version: '1.0' is not one of 1.2, 1.3"),
    ("a bad descriptor", "serve", ["serve", *PAIR, "--ready-fd", "x", ":0"],
     "--ready-fd: 'x' is no number"),
    ("no operand", "connect", ["connect"], "connect wants HOST:PORT"),
    ("two operands", "connect", ["connect", "h:1", "i:2"],
     "unexpected argument 'i:2'"),
    ("two operands to serve", "serve", ["serve", *PAIR, ":0", ":1"],
     "unexpected argument ':1'"),
    ("an operand where none goes", "ciphers", ["ciphers", "extra"],
     "unexpected argument 'extra'"),
    ("no shell", "completion", ["completion"], "bash, zsh or fish"),
    ("an unknown shell", "completion", ["completion", "bsh"],
     "'bsh'; did you mean bash?"),
    ("cafile with cadata", "connect",
     ["connect", "--cafile", cert("root.pem"), "--cadata", cert("root.der"),
      "h:1"], "--cafile and --cadata are one or the other"),
    ("cert without key", "connect", ["connect", *PAIR[:2], "h:1"],
     "--cert wants --key"),
    ("key without cert", "connect", ["connect", *PAIR[2:], "h:1"],
     "--key wants --cert"),
    ("serve without key", "serve", ["serve", *PAIR[:2], ":0"],
     "--cert wants --key"),
    ("serve without cert", "serve", ["serve", ":0"],
     "serve wants --cert and --key",
     "mptls: for tests, --self-signed makes a pair for this run; to make one that "
     "stays: openssl req -x509"),
    ("self-signed with cert", "serve",
     ["serve", "--self-signed", *PAIR, ":0"],
     "--self-signed and --cert are one or the other"),
    ("self-signed with key", "serve",
     ["serve", "--self-signed", *PAIR[2:], ":0"],
     "--self-signed and --key are one or the other"),
    ("self-signed for no name", "serve",
     ["serve", "--self-signed=", ":0"],
     "--self-signed: '' is neither a DNS name nor an address"),
    ("self-signed for what is no name", "serve",
     ["serve", "--self-signed=localhost,a b", ":0"],
     "--self-signed: 'a b' is neither a DNS name nor an address"),
    ("self-signed for too many names", "serve",
     ["serve", "--self-signed=" + ",".join("abcdefghijklmnopq"), ":0"],
     "--self-signed: a certificate has 16 names at most"),
    ("self-signed for a client", "connect",
     ["connect", "--self-signed", "h:1"], "unknown option --self-signed"),
    ("versions the wrong way round", "connect",
     ["connect", "--min-version", "1.3", "--max-version", "1.2", "h:1"],
     "TLS 1.3, is above the highest, TLS 1.2"),
    ("ciphers that fit no version", "connect",
     ["connect", "--ciphers", "TLS_AES_128_GCM_SHA256", "--max-version",
      "1.2", "h:1"], "none of the cipher suites chosen works"),
    ("two reports", "connect", ["connect", "--json", "--json=x", "h:1"],
     "--json is given twice"),
    ("required beside mp-defaults without a name", "connect",
     ["connect", "--mp-defaults", "--verify", "required", "--cafile",
      cert("root.pem"), "127.0.0.1:1"],
     "server_hostname"),
    ("empty DATA", "connect", ["connect", "--cadata", "", "h:1"],
     "--cadata", "empty path"),
    ("bad base64", "connect", ["connect", "--cadata", "base64:AA!A", "h:1"],
     "--cadata: base64: not a base64 digit at character 3"),
    ("half a hex byte", "connect", ["connect", "--cadata", "hex:abc", "h:1"],
     "--cadata: hex: half a byte at character 3"),
    ("no inline data", "connect", ["connect", "--cadata", "pem:", "h:1"],
     "--cadata: pem: no data"),
    ("no descriptor number", "connect", ["connect", "--cadata", "fd:x", "h:1"],
     "--cadata: 'fd:x': not a descriptor number"),
    ("a name not in ASCII", "connect",
     ["connect", "--server-hostname", "b\u00fccher.example", "127.0.0.1:1"],
     "not ASCII", "xn--"),
]


@each(WRONG)
def usage_error(t, command, args, *say):
    if "--json" in args:  # a report, so no text
        r = t.run(*args)
        t.bad(r, 2, "usage", 0, *say)
        return
    t.usage(args, *say, command=command)


# HOST:PORT, what the message says
TARGETS = [
    ("h", "no port"),
    ("h:", "the port is not a number"),
    (":1", "no host"),
    ("h:0", "the port is not a number from 1 to 65535"),
    ("h:65536", "the port is not a number"),
    ("h:1x", "the port is not a number"),
    ("h:+1", "the port is not a number"),
    ("h:https", "the port is not a number"),
    ("::1:443", "needs brackets"),
    ("[::1]", "not an IPv6 address"),
    ("[::1]443", "not an IPv6 address"),
    ("[]:443", "not an IPv6 address"),
    ("[::1:443", "not an IPv6 address"),
    ("[h]:443", "not an IPv6 address"),
    ("https://h:1", "a URL"),
    ("h/path:1", "not a host name"),
    ("a b:1", "a space or control character"),
    ("", "no port"),
    ("a" * 256 + ":1", "255 bytes"),
]


@each([(repr(row[0][:20]), *row) for row in TARGETS])
def bad_target(t, target, say):
    t.usage(["connect", "--", target], say, command="connect")


@each([("a word", "https"), ("a port too high", "65536"), ("a URL", "x://y:1"),
       ("bare IPv6", "::1"), ("no closing bracket", "[::1:0")])
def bad_address_to_serve(t, where):
    r = t.usage(["serve", *PAIR, where], where, command="serve")
    t.eq(r.report["target"], where, "the target")


@each([("before", ["--json", "--bad"]), ("after", ["--bad", "--json"]),
       ("after the operand", ["--bad", "h:1", "--json"])])
def json_says_usage_error_wherever_it_stands(t, words):
    for command in ("connect", "serve"):
        r = t.run(command, *words)
        t.bad(r, 2, "usage", 0, "unknown option --bad")
        t.eq(len(r.lines), 1, "lines on stderr")
        t.eq(r.report["command"], command, "the command")


@test
def json_for_serve_without_cert_is_one_line(t):
    r = t.run("serve", "--json", ":0")
    t.bad(r, 2, "usage", 0, "serve wants --cert and --key")
    t.eq(len(r.lines), 1, "lines on stderr")


@each([("json", "--json=%s"), ("usage error too", "--json=%s --bad")])
def json_that_cannot_be_written(t, form):
    name = t.dir + "/none/report"
    r = t.run("connect", *(form % name).split(), "127.0.0.1:1")
    t.eq(r.out, b"", "stdout")
    if "--bad" in form:  # the first thing that was wrong
        t.eq(r.status, 2, "status")
        t.has(r.err, "unknown option --bad")
    else:
        t.eq(r.status, 3, "status")
        t.has(r.err, "--json: write", "No such file or directory")


@test
def json_on_a_full_disk_is_told(t):
    if not os.path.exists("/dev/full"):
        return
    server = t.serve()
    r = t.run("connect", "--json=/dev/full", "--cafile", cert("root.pem"),
              server.address)
    t.eq((r.status, r.out), (1, b""), "status and stdout")
    t.has(r.err, "--json: write /dev/full: No space left on device")
    t.ok(server.wait())


@test
def control_bytes_of_the_command_line_do_not_reach_the_terminal(t):
    r = t.usage(["connect", "--\x1b[31m\nmptls: fine", "h:1"],
                "unknown option --?[31m?mptls: fine", command="connect")
    t.eq(len(r.lines), 2, "lines on stderr")
    t.eq(parse_reports(b"".decode()), ([], []), "nothing parsed")


# name, the suites, what the message says
SUITES = [
    ("a typo in IANA's spelling", "TLS_AES_128_GCM_SHA265",
     "did you mean TLS_AES_128_GCM_SHA256?"),
    ("a typo in the board's", "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA255",
     "did you mean TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256?"),
    ("an empty name", "TLS_AES_128_GCM_SHA256,,", "(empty)"),
    ("an unknown number", "0xFFFE", "0xFFFE"),
]


@each(SUITES)
def unknown_cipher(t, names, say):
    for command, rest in (("connect", ["127.0.0.1:1"]),
                          ("serve", [*PAIR, "127.0.0.1:0"])):
        r = t.run(command, "--ciphers", names, *rest)
        t.bad(r, 3, "tls", -0x5E80, "unknown cipher suite", say)
    r = t.run("ciphers", "--ciphers", names)
    t.eq((r.status, r.out), (3, b""), "status and stdout")
    t.has(r.err, "unknown cipher suite", say)
