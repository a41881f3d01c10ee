"""COUNT clients that come, have a line echoed, and leave, PARALLEL at a time.

None may fail: close_notify goes both ways, and mptls has a line for each.
"""
import collections
import sys
import time

import load

BINARY = sys.argv[1]
COUNT, PARALLEL = load.number("COUNT", 50000), load.number("PARALLEL", 64)


def one(server, ctx, n):
    """@return None, or why it failed"""
    try:
        with load.shake(ctx, load.dial(server.port, load.source(n))) as sock:
            load.echoes(sock, b"%d\n" % n)
            sock.unwrap().close()
    except (OSError, load.Failed) as e:
        return "client %d: %s: %s" % (n, type(e).__name__, e)
    return None


def check_log(lines):
    """A line for each, and none of a failure."""
    classes = collections.Counter(r["class"] for r in lines)
    seen = {r["peer"].split(":")[0] for r in lines}
    if classes != {"ok": COUNT} or len(seen) != COUNT:
        raise load.Failed("the log has %s, of %d clients" % (
            dict(classes), len(seen)))


def run():
    load.raise_fd_limit(4096)
    ctx = load.client_context()
    with load.Mptls(BINARY, "--echo") as server:
        size, fds = server.resident(), server.descriptors()
        began = time.monotonic()
        failed = list(filter(None, load.every(
            lambda n: one(server, ctx, n), range(COUNT), PARALLEL)))
        took = time.monotonic() - began
        load.wait_until("the descriptors to be closed",
                        lambda: server.descriptors() == fds)
        load.say("%d connections, %d at a time: %d failed; %.0f/s, server "
                 "%.2f ms of CPU each; %.1f MiB grew to %.1f" % (
                     COUNT, PARALLEL, len(failed), COUNT / took,
                     1000 * server.seconds() / COUNT, size / 2**20,
                     server.resident() / 2**20))
        if failed:
            raise load.Failed("; ".join(failed[:5]))
        rc = server.stop()
        if rc != 143:
            raise load.Failed("exit status %d" % rc)
        check_log(server.logged())
    return 0


load.main(run)
