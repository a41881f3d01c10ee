"""The peer tests: run them, several at a time, and say what came of it."""
import concurrent.futures
import os
import resource
import signal
import sys
import time

import attack
import bulk
import capture
import certificates
import check
import crowd
import defects
import device
import harness
import identity
import interop
import keylog
import lab
import local
import modes
import nginx
import odd
import probe
import siege
import trace

SUITES = (bulk, lab, interop, odd, attack, certificates, keylog,
          capture, defects, modes, nginx, crowd, siege, trace, probe,
          check, identity, local, device)


def collect(words):
    found = []
    for suite in SUITES:
        for name, function in suite.tests():
            full = suite.__name__ + ": " + name
            if not words or any(w in full for w in words):
                found.append(harness.Test(full, function))
    return found


def environment():
    """A sanitizer's findings are no exit status of mptls's own."""
    env = dict(os.environ)
    for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"):
        env[name] = ":".join(filter(None, [env.get(name), "exitcode=99"]))
    return env


def report(test, why):
    if why is None:
        word = "ok  "
    elif isinstance(why, harness.Skipped):
        word = "SKIP"
    else:
        word = "FAIL"
    print("%s %s (%.1f s)%s" % (word, test.name, test.seconds,
                                ": %s" % why if why else ""), flush=True)
    return word


def run_all(tests, jobs):
    count = {"ok  ": 0, "FAIL": 0, "SKIP": 0}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            waiting = {pool.submit(t.run): t for t in tests}
            for f in concurrent.futures.as_completed(waiting):
                count[report(waiting[f], f.result())] += 1
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for t in tests:
                t.end()
            raise
    return count


def room_for_crowds():
    """Some hundreds of sockets for each test that runs."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def stop(number, _):
    raise SystemExit(128 + number)


def main(argv):
    if len(argv) < 2:
        print("usage: run.sh MPTLS [WORD...]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, stop)
    room_for_crowds()
    harness.Test.mptls = os.path.abspath(argv[1])
    harness.Test.env = environment()
    tests = collect(argv[2:])
    began = time.monotonic()
    count = run_all(tests, int(os.environ.get("MPTLS_JOBS", "8")))
    lab.print_table(tests)
    print("%.0f s" % (time.monotonic() - began))
    print("%d passed, %d failed, %d skipped" % (
        count["ok  "], count["FAIL"], count["SKIP"]))
    return 1 if count["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
