"""The README's page of failures is what the program says."""
import os
import sys

from harness import ROOT, Failed, test

sys.path.insert(0, os.path.join(ROOT, "tests"))
import readme  # noqa: E402 - it is there


@test
def readme_page_is_fresh(t):
    with open(readme.README, encoding="utf-8") as f:
        there = readme.split(f.read())[1].splitlines()
    here = readme.page(t.binary).splitlines()
    for n, (old, new) in enumerate(zip(there, here)):
        if old != new:
            raise Failed("line %d of the page is %r, but now it is said: %r; "
                         "run make readme" % (n, old, new))
    t.eq(len(there), len(here), "lines of the page")


@test
def readme_page_has_fifteen_failures_each_with_its_reason(t):
    with open(readme.README, encoding="utf-8") as f:
        page = readme.split(f.read())[1]
    t.eq((page.count("\n### "), page.count("    $ mptls "),
          page.count("    mptls: why: "), page.count("    mptls: who: ")),
         (15, 15, 14, 14), "failures, commands and reasons")
