"""serve --tickets: sessions that are resumed."""
import os
import signal
import ssl

from harness import Failed, ROOT, cert, each, test

VERSIONS = (("1.2", ssl.TLSVersion.TLSv1_2), ("1.3", ssl.TLSVersion.TLSv1_3))
CA = ("--cafile", cert("root.pem"))


def context(version):
    c = ssl.create_default_context(
        cafile=os.path.join(ROOT, cert("root.pem")))
    c.minimum_version = c.maximum_version = version
    return c


def visit(t, server, ctx, session=None):
    """@return the session, and whether it was resumed"""
    s = ctx.wrap_socket(t.tcp(server.address), server_hostname="localhost",
                        session=session)
    s.sendall(b"word")
    t.eq(s.recv(4), b"word", "what came back")
    found = s.session, s.session_reused  # in TLS 1.3 the ticket is read by now
    s.unwrap().close()
    return found


def resumed(reports):
    return [r["tls"]["resumed"] for r in reports if "tls" in r]


@each(VERSIONS)
def a_client_with_a_ticket_comes_back(t, version):
    ctx = context(version)
    server = t.serve("--echo", "--keep-open", "--tickets")
    session, first = visit(t, server, ctx)
    _, second = visit(t, server, ctx, session)
    t.eq((first, second), (False, True), "what was resumed")
    server.signal(signal.SIGTERM)
    r = server.wait()
    t.eq(resumed(r.reports)[:2], [False, True], "what is reported")


@each(VERSIONS)
def without_tickets_a_client_is_always_new(t, version):
    ctx = context(version)
    server = t.serve("--echo", "--keep-open")
    session, _ = visit(t, server, ctx)
    t.eq(visit(t, server, ctx, session)[1], False, "resumed")
    server.signal(signal.SIGTERM)
    t.eq(resumed(server.wait().reports)[:2], [False, False], "the reports")


@each(VERSIONS)
def a_ticket_of_another_server_is_not_taken(t, version):
    ctx = context(version)
    one, other = (t.serve("--echo", "--keep-open", "--tickets")
                  for _ in range(2))
    session, _ = visit(t, one, ctx)
    t.eq(visit(t, other, ctx, session)[1], False, "resumed")
    for server in one, other:
        server.signal(signal.SIGTERM)
        server.wait()


@test
def tickets_are_for_clients_that_are_not_verified(t):
    pin = "--pin=sha256/" + "A" * 43 + "="
    for args in (("--verify", "optional", *CA), ("--verify", "required", *CA),
                 (pin,)):
        r = t.run("serve", "--cert", cert("server-ec256.pem"), "--key",
                  cert("server-ec256-key.pem"), "--tickets", *args,
                  "127.0.0.1:0")
        t.eq(r.status, 2, "exit status with " + args[0])
        if "--tickets goes with neither" not in r.err:
            raise Failed("it says %r" % r.err)
