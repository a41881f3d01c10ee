"""Run the tests of the command line: runner.py PROGRAM [PATTERN]"""
import concurrent.futures
import os
import sys
import time
import traceback

import harness

import test_accel  # noqa: F401
import test_access_log  # noqa: F401
import test_alerts  # noqa: F401 - importing registers
import test_alpn  # noqa: F401 - importing registers
import test_attack  # noqa: F401 - importing registers
import test_attack2  # noqa: F401
import test_chain  # noqa: F401 - importing registers
import test_check  # noqa: F401 - importing registers
import test_check_many  # noqa: F401 - importing registers
import test_check_again  # noqa: F401
import test_check_print  # noqa: F401 - importing registers
import test_connect  # noqa: F401 - importing registers
import test_cost  # noqa: F401
import test_crl  # noqa: F401
import test_device  # noqa: F401
import test_exec  # noqa: F401
import test_expect  # noqa: F401
import test_explain  # noqa: F401
import test_files  # noqa: F401
import test_forward  # noqa: F401
import test_handover  # noqa: F401
import test_help  # noqa: F401
import test_house  # noqa: F401
import test_http  # noqa: F401
import test_jail  # noqa: F401
import test_ktls  # noqa: F401
import test_limits  # noqa: F401
import test_modes  # noqa: F401
import test_identity  # noqa: F401
import test_policy  # noqa: F401
import test_probe  # noqa: F401
import test_profile  # noqa: F401
import test_quick  # noqa: F401
import test_readme  # noqa: F401
import test_reload  # noqa: F401
import test_report  # noqa: F401
import test_schema  # noqa: F401
import test_server  # noqa: F401
import test_signals  # noqa: F401
import test_self_signed  # noqa: F401
import test_secrets  # noqa: F401
import test_streams  # noqa: F401
import test_tickets  # noqa: F401
import test_trace  # noqa: F401
import test_tunnel  # noqa: F401
import test_untold  # noqa: F401
import test_usage  # noqa: F401
import test_verify  # noqa: F401
import test_workers  # noqa: F401

WORKERS = 4  # most tests wait for processes
SLOW = []


def run_one(binary, entry):
    """None, or (whether it is only skipped, why)."""
    _, function, row = entry
    t = harness.Test(binary)
    began = time.monotonic()
    try:
        function(t, *row)
        return None
    except harness.Skipped as e:
        return True, str(e)
    except harness.Failed as e:
        return False, str(e)
    except Exception:  # a test that is itself broken has failed
        return False, traceback.format_exc()
    finally:
        t.close()
        SLOW.append((time.monotonic() - began, entry[0]))


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: runner.py PROGRAM [PATTERN]")
    binary = os.path.abspath(sys.argv[1])
    pattern = sys.argv[2] if len(sys.argv) > 2 else ""
    chosen = [e for e in harness.TESTS if pattern in e[0]]
    if not chosen:
        sys.exit("cli: no test has %r in its name" % pattern)
    began = time.monotonic()
    failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(lambda e: run_one(binary, e), chosen)
        for (name, _, _), why in zip(chosen, results):
            if why is None:
                continue
            skipped += why[0]
            failed += not why[0]
            print("%s %s: %s" % ("SKIP" if why[0] else "FAIL", name, why[1]),
                  flush=True)
    print("cli: %d tests in %.1f s"
          % (len(chosen), time.monotonic() - began))
    if os.environ.get("SLOW"):
        for seconds, name in sorted(SLOW)[-20:]:
            print("%6.2f s %s" % (seconds, name))
    print("%d passed, %d failed, %d skipped"
          % (len(chosen) - failed - skipped, failed, skipped))
    sys.exit(failed != 0)


main()
