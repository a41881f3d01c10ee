"""Options, help, completion and man page say the same.

usage: consistency.py PROGRAM MANPAGE [STATUS_C]

Prints every difference; exit 1 if there is one. STATUS_C has the table of
exit statuses, src/cli/status.c of this tree unless it is given.
"""
import os
import re
import shlex
import subprocess
import sys

HELP = {"-h", "--help"}  # every command's, so described once
SHELLS = ("bash", "zsh", "fish")
# Subsections of the man page for more than one command.
SHARED = {"Options of clients": ("connect", "check"),
          "Options of connections": ("connect", "serve", "check"),
          "Options of pipes": ("connect", "serve"),
          "Options of devices": ("connect", "serve", "check"),
          "Options of many clients": ("connect", "serve"),
          "Options of expectation": ("connect", "serve", "check", "verify"),
          "Options that save": ("connect", "serve", "check"),
          "Options of trust": ("connect", "serve", "check", "verify")}
TOP = {"help", "version"}  # of mptls itself, beside every command's own
STATUS_C = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                        "src", "cli", "status.c")


class Differences:
    def __init__(self):
        self.count = 0

    def say(self, text):
        print("consistency: " + text)
        self.count += 1

    def same(self, where, got, wanted, what):
        """Two sets, and what their elements are."""
        for x in sorted(wanted - got):
            self.say("%s: lacks %s %s" % (where, what, x))
        for x in sorted(got - wanted):
            self.say("%s: has %s %s, which there is not" % (where, what, x))


def output(program, *args):
    return subprocess.run([program, *args], stdin=subprocess.DEVNULL,
                          capture_output=True, check=True, timeout=30,
                          text=True).stdout


def section(text, title):
    """The indented lines below "title:"."""
    m = re.search(r"^%s:\n((?:  .*\n)+)" % title, text, re.M)
    return m.group(1) if m else ""


def help_commands(program):
    return re.findall(r"^  (\w+)", section(output(program, "help"), "Commands"),
                      re.M)


def help_options(text):
    """Long names and letters, as "--name" and "-x"."""
    found = set()
    for letter, name in re.findall(r"^  (?:-(\w),|   ) --([a-z0-9-]+)", text,
                                   re.M):
        found.add("--" + name)
        if letter:
            found.add("-" + letter)
    return found


def long_only(options):
    return {o for o in options if o.startswith("--")}


# Completion: one parser a shell, from its script to the options of a command.

def bash_options(script, command):
    m = re.search(r"^ *'%s -'\*\) words='([^']*)'" % command, script, re.M)
    return set(m.group(1).split()) if m else set()


def zsh_options(script, command):
    m = re.search(r"^    %s\)\n(.*?)^        ;;" % command, script,
                  re.M | re.S)
    found = set()
    for line in m.group(1).splitlines() if m else ():
        # What is before the description: '--name=[, {-v,--verbose}'[
        found |= set(re.findall(r"--[a-z0-9-]+", line.split("[")[0]))
    return found


def fish_options(script, command):
    return {"--" + name for name in
            re.findall(r"^complete -c mptls -n '__mptls_is %s' -l (\S+)"
                       % command, script, re.M)}


COMPLETED = {"bash": bash_options, "zsh": zsh_options, "fish": fish_options}


# The man page, in mdoc.

def unescape(line):
    for escape, char in ((r"\-", "-"), (r"\(dq", '"'), (r"\(aq", "'"),
                         (r"\e", "\\"), (r"\&", ""), (r"\(ti", "~"),
                         (r"\(ha", "^")):
        line = line.replace(escape, char)
    return line


def man_sections(name):
    """From a section's title to its lines, comments left out."""
    sections, lines = {}, []
    with open(name, encoding="utf-8") as f:
        for line in f.read().splitlines():
            if line.startswith((r'.\"', r"'\"")):
                continue
            if line.startswith(".Sh "):
                lines = sections.setdefault(line[4:].strip('" '), [])
            else:
                lines.append(unescape(line))
    return sections


def flags_in(line):
    """The options that a macro line names with Fl."""
    found = set()
    for word in re.findall(r"\bFl\s+((?:Fl\s+)?-?[A-Za-z0-9][\w-]*)", line):
        name = word.replace("Fl ", "-").replace(" ", "")
        found.add("-" + name)
    return found


def man_options(sections):
    """From a subsection's title to the options that have an item there."""
    found, title = {}, ""
    for line in sections.get("OPTIONS", ()):
        if line.startswith(".Ss "):
            title = line[4:].strip('" ')
        elif line.startswith(".It Fl "):
            found.setdefault(title, set())
            found[title] |= flags_in(line)
    return found


def man_mentions(sections):
    """Every option that is named anywhere."""
    return {o for lines in sections.values() for line in lines
            if line.startswith(".") for o in flags_in(line)}


def check_options(d, sections, options):
    """A command's options are in "Options of COMMAND", or shared."""
    man = man_options(sections)
    for c, wanted in options.items():
        titles = ["Options of " + c]
        titles += [t for t, whose in SHARED.items() if c in whose]
        if any(t in man for t in titles):
            got = set().union(*(man.get(t, set()) for t in titles))
            d.same("man page's options of " + c, got - HELP, wanted - HELP,
                   "option")
    every = {"--" + t for t in TOP}.union(*options.values())
    d.same("man page", set().union(*man.values()), every, "option")
    for o in sorted(long_only(man_mentions(sections)) - every):
        d.say("man page: names an option %s, which there is not" % o)


def man_synopsis(sections):
    """From a command's name to the options that its synopsis shows."""
    shown, command, fresh = {}, None, False
    for line in sections.get("SYNOPSIS", ()):
        m = re.match(r"\.Nm(?: mptls)?(?: (?:Cm|Ic) ([a-z]+)\b.*)?$", line)
        c = re.match(r"\.(?:Cm|Ic) ([a-z]+)\b", line) if fresh else None
        if m or c:
            command = (m or c).group(1)
        fresh = m is not None and command is None
        if command:
            shown.setdefault(command, set())
            shown[command] |= long_only(flags_in(line))
    return shown


def man_statuses(sections):
    found = set()
    for line in sections.get("EXIT STATUS", ()):
        m = re.match(r"\.It (?:[A-Z][a-z] )?(\d+)(?![\d+])", line)
        if m:
            found.add(int(m.group(1)))
    return found


def table_statuses(name):
    with open(name, encoding="utf-8") as f:
        m = re.search(r"classes\[\] = \{(.*?)^\};", f.read(), re.M | re.S)
    return {int(n) for n in re.findall(r"\{ (\d+), \"", m.group(1))}


# Examples.

def example_lines(text):
    """Lines with a command line in them; one ending in \\ goes on."""
    for line in text.replace("\\\n", " ").splitlines():
        if re.search(r"\bmptls\s+[-a-z]", line):
            yield line


def man_examples(sections):
    text = []
    for title, lines in sections.items():
        literal = False
        for line in lines:
            if line.startswith((".Bd", ".Ed")):
                literal = line.startswith(".Bd") and "-literal" in line
            elif line.startswith((".Dl ", ".D1 ")):
                text.append(line[4:])
            elif literal and not line.startswith("."):
                text.append(line)
            if title == "EXAMPLES" and line.startswith(".Ic mptls "):
                text.append(line[4:])
    return example_lines("\n".join(text))


def words_of(line):
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return line.split()


def check_example(d, where, line, options):
    words = words_of(line)
    while "mptls" in words:
        words = words[words.index("mptls") + 1:]
        command = words[0] if words else ""
        if command in ("--help", "-h", "--version"):
            continue
        if command not in options:
            d.say("%s: example %r: no command %s" % (where, line, command))
            continue
        for word in words[1:]:
            if re.match(r"[|&;()]+$", word) or word == "--":
                break
            name = word.split("=")[0]
            letters = re.match(r"-[A-Za-z]+$", name)
            names = ["-" + x for x in name[1:]] if letters else [name]
            if name.startswith("--") or letters:
                for n in names:
                    if n not in options[command]:
                        d.say("%s: example %r: no option %s"
                              % (where, line, n))


def compare(program, manpage, status_c):
    d = Differences()
    commands = help_commands(program)
    texts = {c: output(program, "help", c) for c in commands}
    options = {c: help_options(texts[c]) for c in commands}
    if not commands or any(not options[c] for c in commands):
        d.say("help: no commands or no options found")
    for shell in SHELLS:
        script = output(program, "completion", shell)
        for c in commands:
            d.same("%s completion of %s" % (shell, c),
                   COMPLETED[shell](script, c), long_only(options[c]),
                   "option")
    for c in commands:
        for line in example_lines(section(texts[c], "Examples")):
            check_example(d, "help " + c, line, options)
    for line in example_lines(section(output(program, "help"), "Examples")):
        check_example(d, "help", line, options)
    try:
        man = man_sections(manpage)
    except OSError as e:
        d.say("%s: %s" % (manpage, e.strerror))
        return d
    check_options(d, man, options)
    synopsis = man_synopsis(man)
    d.same("man page's synopsis", set(synopsis), set(commands), "command")
    for c, shown in synopsis.items():
        for o in sorted(shown - options.get(c, set())):
            d.say("man page's synopsis of %s: no option %s" % (c, o))
    d.same("man page's exit statuses", man_statuses(man),
           table_statuses(status_c), "status")
    for line in man_examples(man):
        check_example(d, "man page", line, options)
    return d


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: consistency.py PROGRAM MANPAGE [STATUS_C]")
    status_c = sys.argv[3] if len(sys.argv) == 4 else STATUS_C
    d = compare(os.path.abspath(sys.argv[1]), sys.argv[2], status_c)
    sys.exit(d.count != 0)


if __name__ == "__main__":
    main()
