"""--trace: what each message of a handshake cost, as a table, as bars on a
terminal, and in JSON."""
import fcntl
import json
import os
import pty
import re
import signal
import ssl
import struct
import termios

from harness import ROOT, Failed, Peer, cert, each, read_some, test
from test_server import Client, echo, ended
from test_trace import LINE

ROW = re.compile(r"^mptls: cost: (->|<-|  ) (\S+) +(\d*) +([\d.]+) +([\d.]+) +"
                 r"([\d.]+)(?: +(\d+) +(\d+))?$")
SUMS = re.compile(r"^mptls: cost: waited ([\d.]+) ms, computed ([\d.]+) ms"
                  r"(?:, heap at most (\d+) bytes)?$")
COLOUR = re.compile("\033\\[\\d+m")
SGR = {"ours": "\033[36m-> ClientHello", "done": "\033[32m   done",
       "failed": "\033[31m   failed", "bar": "\033[33m#"}


def us(text):
    whole, part = text.split(".")
    return int(whole) * 1000 + int(part)


class Row:
    def __init__(self, m):
        self.arrow, self.name, self.bytes = m.group(1, 2, 3)
        self.at, self.waited, self.computed = (us(m.group(i))
                                               for i in (4, 5, 6))
        self.heap, self.peak = (int(x) if x else None for x in m.group(7, 8))


def cost(t, text):
    """The rows of the one table in it, which has to be right in itself."""
    lines = [x for x in text.splitlines() if x.startswith("mptls: cost: ")]
    t.has(lines[0], "mptls: cost:    message ", "at ms    waited  computed")
    rows = []
    for line in lines[1:-1]:
        m = ROW.match(line)
        if m is None:
            raise Failed("a line of the table is %r" % line)
        rows.append(Row(m))
    sums = SUMS.match(lines[-1])
    if sums is None:
        raise Failed("the sums are %r" % lines[-1])
    t.eq((us(sums.group(1)), us(sums.group(2))),
         (sum(r.waited for r in rows), sum(r.computed for r in rows)),
         "the sums of the times")
    peaks = [r.peak for r in rows]
    t.eq(int(sums.group(3)) if sums.group(3) else None,
         max(peaks) if None not in peaks else None, "the highest peak")
    before = 0
    for r in rows:
        if before + r.waited + r.computed > r.at:
            raise Failed("%s: %d + %d us since %d, but it came at %d" % (
                r.name, r.waited, r.computed, before, r.at))
        if r.peak is not None and not 0 < r.heap <= r.peak:
            raise Failed("%s: heap %d, peak %d" % (r.name, r.heap, r.peak))
        before = r.at
    return rows


def same_as_traced(t, text):
    """The messages are those of the lines above the table. @return its rows"""
    above = text.split("mptls: cost: ")[0]
    lines = [LINE.match(x) for x in above.splitlines() if "trace: " in x]
    rows = cost(t, text)
    t.eq([(r.arrow, r.name, r.bytes, r.at) for r in rows[:-1]],
         [(m.group(3), m.group(4) + m.group(5), m.group(6),
           int(m.group(1)) * 1000 + int(m.group(2))) for m in lines],
         "the messages of the table")
    return rows


@each([("connect, TLS 1.2", "connect", "1.2"),
       ("connect, TLS 1.3", "connect", "1.3"),
       ("check, TLS 1.2", "check", "1.2"), ("check, TLS 1.3", "check", "1.3"),
       ("serve, TLS 1.2", "serve", "1.2"), ("serve, TLS 1.3", "serve", "1.3")])
def cost_of_a_handshake(t, who, version):
    trace = ("--trace",)
    server = t.serve("--max-version", version,
                     *trace * (who == "serve"), stdin=b"")
    if who == "check":
        c = t.check(server, *trace)
        t.eq(c.status, 0, "status")
    else:
        c = t.ok(t.connect(server, *trace * (who == "connect")).wait())
    s = server.wait()
    rows = same_as_traced(t, (s if who == "serve" else c).err)
    t.eq((rows[-1].arrow, rows[-1].name, rows[-1].bytes), ("  ", "done", ""),
         "the last row")
    t.eq(rows[0].arrow, "<-" if who == "serve" else "->", "the first arrow")
    if who != "serve":
        t.eq(rows[0].waited, 0, "what a ClientHello was waited for")
        # The peer has the time that it takes to print the first.
        t.eq(rows[0].at + rows[1].waited + rows[1].computed, rows[1].at,
             "all that went by before the second message")
    # A key exchange and a signature are more than nothing.
    t.eq(sum(r.computed for r in rows) > 0, True, "something computed")


@test
def cost_of_a_failure_has_the_alert_last(t):
    server = t.serve(name="server-expired")
    c = t.connect(server, "--trace").wait()
    t.bad(c, 31, "verify", 1)
    server.wait()
    rows = same_as_traced(t, c.err)
    t.eq([(r.arrow, r.name.rstrip("*")) for r in rows[-2:]],
         [("->", "alert"), ("  ", "failed")], "the last rows")


@test
def cost_of_what_a_device_cannot_take(t):
    server = t.serve(name="server-rsa2048")
    c = t.connect(server, "--trace", "--max-in-record", "512").wait()
    t.eq((c.status, c.error["origin"]), (51, "device"), "the failure")
    server.wait()
    rows = same_as_traced(t, c.err)
    t.eq([r.name for r in rows[-2:]], ["Certificate*", "failed"],
         "the last rows")


@test
def cost_of_a_silence_was_waited_for(t):
    peer = Peer(t, lambda c: [x for x in iter(lambda: c.recv(4096), b"")])
    c = t.run("connect", "--cafile", cert("root.pem"), "--trace",
              "--handshake-timeout", "300ms", peer.address)
    t.bad(c, 20, "timeout", 300)
    rows = same_as_traced(t, c.err)
    t.eq([r.name for r in rows], ["ClientHello", "failed"], "the rows")
    t.eq(rows[1].at >= 299000, True, "its end is after 300 ms")
    t.eq(rows[1].waited > rows[1].computed, True, "most of it waited for")


@test
def cost_of_nothing_is_not_shown(t):
    peer = Peer(t, lambda c: None)
    c = t.run("connect", "--trace", "--expect", "status=10", "127.0.0.1:x")
    t.eq("cost" in c.err, False, "a table without a connection")
    server = t.serve("--trace")
    t.tcp(server.address).close()
    s = server.wait()
    t.bad(s, 24, "tls", -0x7280)
    t.eq("cost" in s.err, False, "a table without a message")
    del peer


@test
def cost_of_each_of_many_clients(t):
    """The first to come speaks last: for that it is waited."""
    server = echo(t, "--trace")
    late = t.tcp(server.address)
    early = Client(t, server).echoes(b"x")
    context = ssl.create_default_context(
        cafile=os.path.join(ROOT, cert("root.pem")))
    names = ["%s:%d" % s.getsockname() for s in (early.s, late)]
    late = context.wrap_socket(late, server_hostname="localhost")
    t.on_exit(late.close)
    early.leave()
    late.unwrap().close()
    server.signal(signal.SIGTERM)
    err = ended(t, server, 143).err
    tables = [cost(t, err.replace("cost: %s " % name, "cost: ").replace(
        "cost: 127", "others: 127")) for name in names]
    for rows in tables:
        t.eq((rows[0].name, rows[-1].name), ("ClientHello", "done"),
             "first and last of one")
    first, end = tables[1][0], tables[0][-1]
    t.eq(first.at > end.at, True, "it came after the other's end")
    t.eq(first.waited > first.computed, True, "it was waited for")


@each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])
def cost_in_json(t, version):
    server = t.serve("--max-version", version, stdin=b"x")
    c = t.ok(t.connect(server, "--trace", "--json").wait(), b"x")
    server.wait()
    events = [json.loads(line) for line in c.lines]
    heap = events.pop()["heap"]
    at = 0
    for e in events:
        if at + e["waited_ms"] + e["computed_ms"] > e["time_ms"] + 1e-6:
            raise Failed("since %g: %r" % (at, e))
        at = e["time_ms"]
        if heap is None:
            t.eq((e["heap"], e["heap_peak"]), (None, None), "no heap")
        elif not 0 < e["heap"] <= e["heap_peak"] <= heap["peak"]:
            raise Failed("the heap, with %r: %r" % (heap, e))
    t.eq(sum(e["computed_ms"] for e in events) > 0, True, "something computed")
    t.eq((events[0]["message"], events[0]["waited_ms"]), ("ClientHello", 0),
         "the first message")
    if heap is not None:
        steps = heap["steps"]
        t.eq(events[0]["heap_peak"], steps[0]["peak"], "the first peak")
        t.eq(events[0]["heap"], steps[1]["now"], "what was in use then")


def on_terminal(t, server, columns, *args, env=None):
    """What connect writes to a terminal that is so wide, as lines."""
    master, slave = pty.openpty()
    t.on_exit(lambda: os.close(master))
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    variables = {"TERM": "xterm", "NO_COLOR": "", "COLUMNS": "33"}
    variables.update(env or {})
    p = t.start("connect", "--cafile", cert("root.pem"), "--trace", *args,
                server.address, stderr=slave, env=variables)
    os.close(slave)
    got = b""
    try:
        while True:
            got += read_some(master)
    except OSError:  # the other end is closed
        pass
    p.wait()
    return [x for x in got.decode().split("\r\n") if "trace: " not in x and x]


def bars(lines):
    """From a name to what its bar shows."""
    found = {}
    for line in lines:
        m = re.match(r"mptls: (?:->|<-|  ) (\S+) .*?([.#|]*)$",
                     COLOUR.sub("", line))
        if m:
            found[m.group(1).rstrip("*")] = m.group(2)
    return found


@each([("37", 37, False), ("40", 40, True), ("60", 60, True), ("80", 80, True),
       ("100", 100, True), ("132", 132, True), ("200", 200, True)])
def waterfall_is_as_wide_as_the_terminal(t, columns, drawn):
    server = t.serve(stdin=b"")
    lines = on_terminal(t, server, columns)
    server.wait()
    widest = max(len(COLOUR.sub("", line)) for line in lines)
    shown = bars(lines)
    t.eq(["ClientHello" in shown, "Finished" in shown, "done" in shown],
         [True] * 3, "rows")
    if drawn:  # that of the end goes all the way; one column stays free
        t.eq(widest, columns - 1, "the widest line")
        t.eq([n for n in shown if n != "message" and not shown[n]], [],
             "rows without a bar")
    else:
        t.eq(widest < columns, True, "within the columns")
        t.eq(set(shown.values()), {""}, "bars")


@each([("by itself", (), {}, True), ("NO_COLOR", (), {"NO_COLOR": "1"}, False),
       ("a dumb terminal", (), {"TERM": "dumb"}, False),
       ("--color=never", ("--color=never",), {}, False),
       ("--color=auto", ("--color", "auto"), {"NO_COLOR": "x"}, False),
       ("--color=always", ("--color=always",), {"NO_COLOR": "1"}, True)])
def waterfall_has_colours(t, args, env, wanted):
    server = t.serve(stdin=b"")
    text = "\n".join(on_terminal(t, server, 80, *args, env=env))
    server.wait()
    t.eq("\033" in text, wanted, "colours")
    for name in ("ours", "done", "bar") * wanted:
        t.has(text, SGR[name])
    t.has(COLOUR.sub("", text), "mptls: -> ClientHello   ", "mptls:    done")


@test
def waterfall_of_a_failure(t):
    server = t.serve(name="server-expired")
    lines = on_terminal(t, server, 80)
    server.wait()
    t.has("\n".join(lines), SGR["failed"], "\033[31m-> alert", "has expired")


@test
def waterfall_where_there_is_no_terminal_but_colours_are_wanted(t):
    server = t.serve(stdin=b"")
    c = t.ok(t.connect(server, "--trace", "--color=always",
                       env={"COLUMNS": "70"}).wait())
    server.wait()
    lines = [x for x in c.lines if "trace: " not in x]
    t.has(c.err, SGR["done"], SGR["bar"])
    t.eq(max(len(COLOUR.sub("", x)) for x in lines) < 70, True,
         "within COLUMNS")


@test
def color_wants_one_of_three(t):
    t.usage(["connect", "--color=sometimes", "localhost:1"], "sometimes",
            command="connect")
