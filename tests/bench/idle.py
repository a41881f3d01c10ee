"""How much memory does a connection take that does nothing?

The clients connect, are all there at once, and are then asked for an echo,
each: one that has no answer is a failure. Resident memory of the server, and
of its children, less what it was after one client, is divided by their number.

The peers have as many connections as they can: gnutls-serv waits by select(),
stunnel has a thread for each, and those that connect on have two descriptors.
"""
import load
import peers
from measure import OURS, Goal, Row

PARALLEL = 32
TOOLS = (OURS, "nginx", "stunnel", "gnutls-serv")


def start(programs, tool, backend, fds):
    return {
        OURS: lambda: peers.mptls(programs, "--keep-open", "--echo"),
        "nginx": lambda: peers.nginx(
            programs, peers.NGINX_STREAM, backend.port, workers=2, fds=fds),
        "stunnel": lambda: peers.stunnel(programs, backend.port),
        "gnutls-serv": lambda: peers.gnutls(programs),
    }[tool]()


def grow(server, port, steps):
    """@return for each step the connections, and the bytes for each of them
    before it says anything and when it has said something"""
    found = []
    ctx, socks = load.client_context(), []
    load.echoes(load.shake(ctx, load.dial(port)), b"the first\n")
    before = server.resident()
    for count in steps:
        socks += load.every(
            lambda n: load.shake(ctx, load.dial(port, load.source(n))),
            range(len(socks), count), PARALLEL)
        idle = (server.resident() - before) / count
        load.every(lambda s: load.echoes(s, b"are you there?\n"), socks,
                   PARALLEL)
        found.append((count, idle, (server.resident() - before) / count))
    for s in socks:
        s.close()
    return found


def rows(steps):
    made = []
    for n in steps:
        goals = [Goal("<=", 0.5)] if n == steps[-1] else []
        count = "{:,} ".format(n)
        made.append((
            Row("idle.%d" % n, count + "idle connections, each", "KiB",
                *goals),
            Row("idle.%d.echoed" % n, count + "connections after an echo, each",
                "KiB")))
    return made


def run(programs, settings):
    steps = settings.idle
    fds = load.raise_fd_limit(2 * steps[-1] + 200)
    most = {OURS: fds - 100, "nginx": fds - 100, "stunnel": fds // 5,
            "gnutls-serv": 1000}
    made = rows(steps)
    backend = load.Backend()
    with backend:
        for tool in TOOLS:
            own = sorted({min(n, most[tool]) for n in steps})
            try:
                programs[tool]
                server, port = start(programs, tool, backend, fds)
                with server:
                    found = grow(server, port, own)
            except (load.Failed, OSError) as e:
                for row in sum(made, ()):
                    row.absent[tool] = str(e)
                continue
            for n, (idle, echoed) in zip(steps, made):
                at = min(n, most[tool])
                _, a, b = next(f for f in found if f[0] == at)
                idle.add(tool, a / 1024), echoed.add(tool, b / 1024)
                if at < n:
                    idle.at[tool] = echoed.at[tool] = at
    return list(sum(made, ()))
