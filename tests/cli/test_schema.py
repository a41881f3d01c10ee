"""The man page's schema of the JSON: it catches what is not as it says."""
import copy
import json
import os

import schema
from harness import ROOT, SCHEMA, Failed, cert, check_shape, each, test


def failed(t):
    """A report with a failure, a finding or none, and two certificates."""
    r = t.run("verify", "--json", cert("server-chain.pem"), "--cafile",
              cert("other-root.pem"))
    t.eq(r.status, 30, "status")
    return json.loads(r.out)


def put(*path):
    """A change: the last of `path` becomes the value before it."""
    def change(report):
        at = report
        for key in path[:-2]:
            at = at[key]
        at[path[-2]] = path[-1]
    return change


def drop(*path):
    def change(report):
        at = report
        for key in path[:-1]:
            at = at[key]
        del at[path[-1]]
    return change


# name, change, what is said of it
PLANTED = [
    ("a key too many", put("extra", 1), "verify has also the key extra"),
    ("a key missing", drop("times_ms"), "verify lacks the key times_ms"),
    ("one missing inside", drop("error", "cause", "who"),
     "verify.error.cause lacks the key who"),
    ("one too many in an array", put("verify", "chain", 1, "x", 0),
     "verify.verify.chain[1] has also the key x"),
    ("a number for a string", put("class", 30), "verify.class is 30"),
    ("a string for a number", put("status", "30"), "verify.status is '30'"),
    ("a boolean for a number", put("status", True), "verify.status is True"),
    ("a number for a boolean", put("ok", 0), "verify.ok is 0"),
    ("null for an object", put("tls", None), "verify.tls is None"),
    ("null for an array", put("findings", None), "findings is None"),
    ("an object for an array", put("verify", "chain", {}),
     "verify.verify.chain is {}"),
    ("a string for an object", put("error", "cause", "x"),
     "verify.error.cause is 'x'"),
    ("null in an array", put("verify", "flags", [None]),
     "verify.verify.flags[0] is None"),
    ("an unknown word", put("error", "origin", "moon"),
     "verify.error.origin is 'moon', not one of"),
    ("an unknown event", put("event", "moon"), "no event has the name 'moon'"),
    ("no event", drop("event"), "no event has the name None"),
]


@each(PLANTED)
def schema_catches(t, change, said):
    report = failed(t)
    check_shape(report)
    change(report)
    try:
        check_shape(report)
    except Failed as e:
        t.has(str(e), said)
        return
    raise Failed("it is not caught")


@test
def schema_allows_null_only_where_it_says_so(t):
    report = failed(t)
    null = copy.deepcopy(report)
    for key in report:
        null[key] = None
        shape = SCHEMA.shapes["Reports"].keys[key]
        t.eq(not SCHEMA.differences(null), shape.null, key)
        null[key] = report[key]


# name, text in the page, in its place, what is said of it
BROKEN = [
    ("no type", "boolean: there was no failure", "there was no failure",
     "no type begins 'there was no failure"),
    ("an unknown type", "boolean: there was", "truth: there was",
     "no type begins"),
    ("an object without keys", "boolean: there was", "object: there was",
     "only an object has keys"),
    ("keys of what is none", "object: what was agreed on",
     "string: what was agreed on", "only an object has keys"),
    ("a plural alone", "boolean: there was", "booleans: there was",
     "no type begins"),
    ("a key twice", ".It Li ok\n", ".It Li status\n", "status is there twice"),
    ("a reference to nothing", "with the keys of\n.Li chain",
     "with the keys of\n.Li moon", "there is no moon"),
    ("two lists", ".Ss Servers that listen\n", "", "a subsection of its own"),
]


@each(BROKEN)
def schema_refuses_a_page_with(t, old, new, said):
    with open(os.path.join(ROOT, "man", "mptls.1"), encoding="utf-8") as f:
        page = f.read()
    t.has(page, old)
    name = t.named(page.replace(old, new, 1).encode())
    try:
        schema.read(name)
    except schema.BadPage as e:
        t.has(str(e), said)
        return
    raise Failed("it is not refused")
