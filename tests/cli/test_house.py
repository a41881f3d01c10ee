"""The checks that hold the tree together, and that each of them fails on a
planted violation."""
import glob
import os
import re
import shutil
import subprocess
import sys

from harness import ROOT, Failed, Skipped, each, test

HERE = os.path.dirname(os.path.abspath(__file__))
LINT = os.path.join(ROOT, "tests", "lint.sh")
LAYERS = ["base", "tls", "io", "report", "cli"]
MANPAGE = os.path.join(ROOT, "man", "mptls.1")


def command(args, cwd):
    p = subprocess.run(args, cwd=cwd, stdin=subprocess.DEVNULL, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=60)
    return p.returncode, p.stdout


# The man page.

def consistency(t, manpage, *status_c):
    return command([sys.executable, "-B", os.path.join(HERE, "consistency.py"),
                    t.binary, manpage, *status_c], ROOT)


@test
def options_help_completion_and_man_page_agree(t):
    status, said = consistency(t, MANPAGE)
    if status != 0:
        raise Failed("\n" + said)


def man_text():
    if not os.path.exists(MANPAGE):
        raise Skipped("no man page yet")
    with open(MANPAGE, encoding="utf-8") as f:
        return f.read()


def first_item(text, pattern):
    m = re.search(pattern, text, re.M)
    if m is None:
        raise Failed("nothing to plant a violation in: %s" % pattern)
    return m


def without_option(text):
    return text.replace(first_item(
        text, r"^\.It Fl -cafile\b.*\n").group(0), ".It x\n"), "--cafile"


def with_option(text):
    item = first_item(text, r"^\.It Fl -cafile\b.*\n").group(0)
    return text.replace(item, ".It Fl -planted\n" + item), "--planted"


def moved_option(text):
    """From serve's options to those that connect has too."""
    item = first_item(text, r"^\.It Fl -keep-open\b.*\n").group(0)
    both = first_item(text, r"^\.Ss Options of connections\n(?:.*\n)*?\.Bl.*\n")
    text = text.replace(both.group(0), both.group(0) + item)
    return text, "options of connect: has option --keep-open"


def with_mention(text):
    return text + ".Fl -planted\n", "names an option --planted"


def without_status(text):
    return text.replace(first_item(
        text, r"^\.It .*\b34\b.*\n").group(0), ".It x\n"), "status 34"


def with_status(text):
    item = first_item(text, r"^\.It .*\b34\b.*\n").group(0)
    return text.replace(item, item.replace("34", "99") + item), "status 99"


def without_command(text):
    text, n = re.subn(r"\b(Cm|Ic) ciphers\b", "Ar x", text)
    if n == 0:
        raise Failed("the man page does not have Cm ciphers")
    return text, "command ciphers"


def with_example(text):
    return text + ".Sh PLANTED\n.Dl mptls connect \\-\\-planted h:1\n", \
        "no option --planted"


@each([(f.__name__.replace("_", " "), f) for f in
       (without_option, with_option, moved_option, with_mention,
        without_status, with_status, without_command, with_example)])
def a_man_page(t, plant):
    text, wanted = plant(man_text())
    status, said = consistency(t, t.named(text.encode()))
    t.eq(status, 1, "status")
    t.has(said, wanted)


@test
def a_missing_man_page_is_a_difference(t):
    status, said = consistency(t, t.dir + "/none")
    t.eq(status, 1, "status")
    t.has(said, "No such file")


@test
def a_class_without_its_line_in_the_man_page(t):
    man_text()
    with open(os.path.join(ROOT, "src/cli/status.c"), encoding="utf-8") as f:
        table = f.read().replace('{ 0, "ok" },',
                                 '{ 0, "ok" },\n    { 98, "planted" },')
    status, said = consistency(t, MANPAGE, t.named(table.encode(), "c"))
    t.eq(status, 1, "status")
    t.has(said, "lacks status 98")


# The layers.

def tree(t):
    """A copy of the sources and of the program's own objects."""
    build = os.path.dirname(t.binary)
    if not glob.glob(build + "/src/tls/*.o"):
        raise Skipped("no objects beside the program")
    copy = os.path.join(t.dir, "tree")
    shutil.copytree(os.path.join(ROOT, "src"), copy + "/src")
    shutil.copytree(os.path.join(build, "src"), copy + "/build/src")
    return copy


def layers(copy):
    return command(["sh", LINT, "layers", "build", *LAYERS], copy)


def append(copy, name, text):
    with open(os.path.join(copy, name), "a", encoding="utf-8") as f:
        f.write(text)


@test
def layers_are_kept(t):
    status, said = layers(tree(t))
    if status != 0:
        raise Failed("\n" + said)


# name, file, what it includes
BAD_INCLUDES = [
    ("tls includes cli", "tls/ssl_alert.c", '"cli/opt.h"'),
    ("tls includes io", "tls/ssl_info.h", '"io/net.h"'),
    ("base includes tls", "base/err.h", '"tls/ssl_info.h"'),
    ("io includes tls", "io/net.c", '"tls/ssl_info.h"'),
    ("io includes Mbed TLS", "io/file.c", "<mbedtls/ssl.h>"),
    ("io includes PSA", "io/file.c", "<psa/crypto.h>"),
    ("base includes Mbed TLS", "base/text.c", "<mbedtls/error.h>"),
    ("report includes Mbed TLS", "report/json.c", "<mbedtls/ssl.h>"),
    ("report includes the context", "report/text.c", '"tls/ssl_context.h"'),
    ("report includes io", "report/report.h", '"io/loop.h"'),
    ("a header without its layer", "cli/opt.c", '"opt.h"'),
]


@test
def planted_includes(t):
    copy = tree(t)
    for _, name, what in BAD_INCLUDES:
        append(copy, "src/" + name, "#  include " + what + "\n")
    status, said = layers(copy)
    t.eq(status, 1, "status")
    for why, name, what in BAD_INCLUDES:
        if "src/%s: includes %s" % (name, what.strip('"<>')) not in said:
            raise Failed("unseen: %s\n%s" % (why, said))
    t.eq(len(said.splitlines()), len(BAD_INCLUDES), "faults")


# name, layer, statement, the symbol
BAD_CALLS = [
    ("tls prints", "tls", 'printf("%d\\n", n);', "printf"),
    ("tls prints, fortified", "tls", "__printf_chk(1, \"x\", n);",
     "__printf_chk"),
    ("tls puts", "tls", 'puts("x");', "puts"),
    ("tls names stderr", "tls", "fputs(\"x\", stderr);", "stderr"),
    ("tls exits", "tls", "exit(n);", "exit"),
    ("tls reads a clock", "tls", "time(0);", "time"),
    ("tls reads the environment", "tls", 'getenv("X");', "getenv"),
    ("tls reads a descriptor", "tls", "read(n, 0, 0);", "read"),
    ("base polls", "base", "poll(0, 0, n);", "poll"),
    ("io prints", "io", 'puts("x");', "puts"),
    ("io exits", "io", "exit(n);", "exit"),
    ("report names stdout", "report", "fputc(n, stdout);", "stdout"),
    ("report prints", "report", 'puts("x");', "puts"),
]


def plant_call(t, copy, name, statement):
    append(copy, name + ".c", """#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
int __printf_chk(int, const char *, ...);
void planted(int n);
void planted(int n) { (void)n; %s }
""" % statement)
    t.eq(command(["cc", "-w", "-c", "-o", "build/%s.o" % name, name + ".c"],
                 copy), (0, ""), "cc")


@test
def planted_calls(t):
    if shutil.which("cc") is None:
        raise Skipped("no cc")
    copy = tree(t)
    planted = []
    for i, (why, layer, statement, symbol) in enumerate(BAD_CALLS):
        name = "src/%s/planted%d" % (layer, i)
        plant_call(t, copy, name, statement)
        planted.append((why, "build/%s.o: refers to %s," % (name, symbol)))
    status, said = layers(copy)
    t.eq(status, 1, "status")
    for why, line in planted:
        if line not in said:
            raise Failed("unseen: %s\n%s" % (why, said))


@test
def one_violation_is_enough(t):
    copy = tree(t)
    append(copy, "src/base/err.c", '#include "io/net.h"\n')
    status, said = layers(copy)
    t.eq((status, len(said.splitlines())), (1, 1), "status and faults")


@test
def a_directory_that_is_no_layer(t):
    copy = tree(t)
    os.mkdir(copy + "/src/planted")
    status, said = layers(copy)
    t.eq(status, 1, "status")
    t.has(said, "src/planted/: not one of the layers")


@test
def a_source_that_is_not_built(t):
    copy = tree(t)
    append(copy, "src/tls/planted.c", "int x;\n")
    status, said = layers(copy)
    t.eq(status, 1, "status")
    t.has(said, "build/src/tls/planted.o: not there")


# Sizes and words.

def c_function(lines):
    return "int planted(int a,\n            int b) {\n" + \
        "    a += b;\n" * (lines - 4) + "    return a;\n}\n"


def python_function(lines):
    return "def planted():\n" + "    x = 1\n" * (lines - 1)


# name, file, its text, what is said (None: it is fine)
SIZES = [
    ("a function of 70 lines", "src/a.c", c_function(70), None),
    ("a function of 71 lines", "src/a.c", c_function(71),
     "src/a.c:1: planted has 71 lines"),
    ("a table of 100 lines", "src/a.c",
     "static const int a[] = {\n" + "    f(1),\n" * 98 + "};\n", None),
    ("a file of 600 lines", "src/a.c", "int x;\n" * 600, None),
    ("a file of 601 lines", "tests/x/a.h", "int x;\n" * 601,
     "tests/x/a.h: 601 lines"),
    ("a shell function of 71 lines", "tests/a.sh",
     "planted() {\n" + "    x\n" * 69 + "}\n", "planted has 71 lines"),
    ("a Python function of 70 lines", "tests/a.py",
     python_function(70) + "\n\n" + python_function(3), None),
    ("a Python function of 71 lines", "tests/a.py", python_function(71),
     "planted has 71 lines"),
    ("unfinished work", "README", "TO" + "DO: more\n", "README:1:"),
    ("work to mend", "src/a.c", "/* FIX" + "ME */\n", "src/a.c:1:"),
    ("a machine's path", "tests/x.txt", "x\n/ho" + "me/me/x\n",
     "tests/x.txt:2:"),
    ("another machine's path", "a", "cd /ro" + "ot/x\n", "a:1:"),
]


@each(SIZES)
def size(t, name, text, wanted):
    copy = os.path.join(t.dir, "tree")
    os.makedirs(os.path.dirname(os.path.join(copy, name)))
    append(copy, name, text)
    status, said = command(["sh", LINT, "size"], copy)
    t.eq(status, 0 if wanted is None else 1, "status")
    t.has(said, wanted or "")
    if wanted is None:
        t.eq(said, "", "what is said")
