"""COUNT clients of mptls under valgrind: no error, no leak, all is closed."""
import collections
import re
import shutil
import sys

import load

BINARY = sys.argv[1]
COUNT, PARALLEL = load.number("COUNT", 200), load.number("PARALLEL", 32)
WRONG = 99  # valgrind's exit status for errors


def one(server, ctx, n):
    """Every other leaves without a word, or with a reset."""
    sock = load.shake(ctx, load.dial(server.port))
    load.echoes(sock, b"%d\n" % n * 1000)
    if n % 4 == 1:
        load.reset(sock)
    elif n % 4 == 3:
        sock.close()
    else:
        sock.unwrap().close()


def ground(valgrind, count):
    """@return valgrind's sums, and how many descriptors were open at exit"""
    ctx = load.client_context()
    wrap = (valgrind, "--error-exitcode=%d" % WRONG, "--leak-check=full",
            "--errors-for-leak-kinds=definite,possible", "--track-fds=yes")
    with load.Mptls(BINARY, "--echo", wrap=wrap) as server:
        load.every(lambda n: one(server, ctx, n), range(count), PARALLEL)
        rc = server.stop()
        said = server.said()
        classes = collections.Counter(r["class"] for r in server.logged())
        if rc != 143 or sum(classes.values()) != count:
            raise load.Failed("exit status %d, the log has %s\n%s" % (
                rc, dict(classes), said))
        return (re.findall(r"(?:in use at exit|ERROR SUMMARY): .*", said),
                int(re.search(r"DESCRIPTORS: (\d+) open", said)[1]), classes)


def run():
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        load.say("SKIP valgrind: not installed")
        return 0
    _, none, _ = ground(valgrind, 0)
    sums, some, classes = ground(valgrind, COUNT)
    load.say("valgrind, %d connections, %s: %s" % (
        COUNT, dict(classes), "; ".join(sums)))
    if some != none:
        raise load.Failed("%d descriptors are open at exit, and %d without "
                          "clients" % (some, none))
    return 0


load.main(run)
