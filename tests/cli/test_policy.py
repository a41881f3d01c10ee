"""What makes a peer's certificate a good one beyond its chain: the clock."""
from harness import cert, each, test

EXPIRED, FUTURE = 0x01, 0x0200
ROOT = ("--cafile", cert("root.pem"))


def client(name):
    return ("--cert", cert(name + ".pem"), "--key", cert(name + "-key.pem"))


# name, the server's certificate, --time, status, bits, words
CLOCKS = [
    ("a board's clock", "server-ec256", "2000-01-01", 31, FUTURE,
     "is not valid yet (2020-01-01T00:00:00Z): the clock says 2000-01-01, "
     "7305 days early"),
    ("late", "server-ec256", "2060-01-01T00:00:01Z", 31, EXPIRED,
     "the clock says 2060-01-01T00:00:01Z, 1 second late"),
    ("in the past", "server-expired", "2020-06-01", 0, None, None),
    ("in the future", "server-not-yet-valid", "2059-06-01", 0, None, None),
    ("now, expired", "server-expired", "now", 31, EXPIRED, "the clock says 2"),
    ("not said, expired", "server-expired", None, 31, EXPIRED,
     "the clock says 2"),
]


@each(CLOCKS)
def connect_goes_by_the_clock(t, name, when, status, bits, words):
    server = t.serve(name=name)
    time = ("--time", when) if when else ()
    r = t.connect(server, "--server-hostname", "localhost", *time).wait()
    if status == 0:
        t.ok(r)
    else:
        t.bad(r, status, "verify", bits, words)


@each([("early", "2000-01-01", FUTURE, "days early"),
       ("late", "2061-01-01", EXPIRED, "days late")])
def serve_goes_by_the_clock(t, when, bits, words):
    server = t.serve("--verify", "required", *ROOT, "--time", when)
    t.connect(server, *client("client-ec256")).wait()
    t.bad(server.wait(), 31, "verify", bits, "the clock says " + when, words)


@each([(c, c) for c in ("connect", "serve")])
def a_time_that_is_none_for(t, command):
    t.usage([command, *client("server-ec256"), "--time", "noon", "h:1"],
            "--time: 'noon' is no time", "2000-01-01", command=command)


@test
def every_client_is_judged_by_it(t):
    server = t.serve("--verify", "required", *ROOT, "--keep-open",
                     "--time", "2020-06-01")
    for _ in range(2):
        t.ok(t.connect(server, *client("client-ec256")).wait())
