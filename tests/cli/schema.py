"""The shapes that the man page gives the JSON, and whether a value has one.

In the section JSON a subsection with a list describes one kind of object. An
item is a key, or several; its text begins with the type:

    .It Li ems , etm
    boolean or null: ...

The type is string, number, boolean, object, "array of" one of these, in the
plural, or one "or null". An object's keys are the list within its item; where
the text has "the keys of .Li NAME", they are those of the item NAME, here or in
a subsection above. After "one of" the quoted words up to a semicolon are all
that a string can be.
"""
import re

TYPES = {"string": str, "number": (int, float), "boolean": bool,
         "object": dict, "null": type(None)}
TYPE = re.compile(r"(array of )?(string|number|boolean|object)(s?)"
                  r"( or null)?(?::|\.?$)")


class BadPage(Exception):
    """The man page does not keep to the form above."""


class Shape:
    """What a value must be."""

    def __init__(self, text, names):
        m = TYPE.match(text)
        if not m or bool(m.group(1)) != bool(m.group(3)):
            raise BadPage("%s: no type begins %r" % (names, text))
        self.array, self.null = bool(m.group(1)), bool(m.group(4))
        self.kind = m.group(2)
        self.keys = {}
        self.text = text
        found = re.search(r"the keys of (\w+)", text)
        self.like = found.group(1) if found else None
        words = re.search(r'\bone of (?=")([^;]*)', text)
        self.words = re.findall('"([^"]*)"', words.group(1)) if words else None

    def __repr__(self):
        return self.text.split(":")[0]

    def differences(self, value, where):
        """What is wrong with a value, each as a line."""
        if value is None and self.null:
            return []
        if not self.array:
            return self.one(value, where)
        if not isinstance(value, list):
            return ["%s is %r, not an array" % (where, value)]
        return [line for i, x in enumerate(value)
                for line in self.one(x, "%s[%d]" % (where, i))]

    def one(self, value, where):
        kinds = TYPES[self.kind]
        if (not isinstance(value, kinds) or
                (isinstance(value, bool) and self.kind != "boolean")):
            return ["%s is %r, not %r" % (where, value, self)]
        if self.words is not None and value not in self.words:
            return ["%s is %r, not one of %s" % (where, value, self.words)]
        if self.kind != "object":
            return []
        said = []
        for key in sorted(set(value) ^ set(self.keys)):
            said.append("%s %s the key %s" % (
                where, "lacks" if key in self.keys else "has also", key))
        for key in set(value) & set(self.keys):
            said += self.keys[key].differences(value[key], where + "." + key)
        return said


def plain(line):
    """A line of mdoc without its macros, but with quotes."""
    if line.startswith(".Dq "):
        line = re.sub(r"^\.Dq (.*?)( [,.:;])?$", r'"\1"\2', line)
    elif line.startswith("."):
        line = re.sub(r"^\.\S+ ?", "", line)
    return re.sub(r" ([,.:;])$", r"\1", line)


class Reader:
    """Reads one list after its .Bl, and the lists in it."""

    def __init__(self, lines, before):
        self.lines = lines
        self.named = {}
        self.before = before  # the items of the subsections above

    def list(self):
        keys, names, text, inner = {}, [], [], {}

        def finish():
            if names:
                shape = Shape(" ".join(text), names)
                shape.keys = inner
                for name in names:
                    if name in keys:
                        raise BadPage("%s is there twice" % name)
                    keys[name] = shape
                    self.named.setdefault(name, shape)

        for line in self.lines:
            if line.startswith(".It "):
                finish()
                names = [x for x in line.split()[2:] if x != ","]
                text, inner = [], {}
            elif line.startswith(".Bl "):
                inner = self.list()
            elif line.startswith(".El"):
                finish()
                return keys
            else:
                text.append(plain(line))
        raise BadPage("a list does not end")

    def resolve(self, shape, where):
        """Lend keys to who refers to them; objects without any are a slip."""
        if shape.like:
            like = self.named.get(shape.like, self.before.get(shape.like))
            if like is None:
                raise BadPage("%s: there is no %s" % (where, shape.like))
            shape.keys = like.keys
        elif bool(shape.keys) != (shape.kind == "object"):
            raise BadPage("%s: only an object has keys" % where)
        else:
            for key, inner in shape.keys.items():
                self.resolve(inner, where + "." + key)


def read(manpage):
    """From a subsection's title to its Shape."""
    with open(manpage, encoding="utf-8") as f:
        section = re.search(r"^\.Sh JSON\n(.*?)^\.Sh ", f.read(),
                            re.M | re.S).group(1)
    shapes, title, before = {}, None, {}
    lines = iter(section.splitlines())
    for line in lines:
        if line.startswith(".Ss "):
            title = line[4:]
        elif line.startswith(".Bl "):
            shape = Shape("object", title)
            reader = Reader(lines, before)
            shape.keys = reader.list()
            reader.resolve(shape, title)
            before = dict(reader.named, **before)
            if title is None or title in shapes:
                raise BadPage("a list needs a subsection of its own")
            shapes[title] = shape
    return shapes


class Schema:
    """All the shapes of a man page."""

    def __init__(self, manpage):
        self.shapes = read(manpage)
        self.events = {}
        for shape in self.shapes.values():
            if "event" in shape.keys:
                for word in shape.keys["event"].words:
                    self.events[word] = shape

    def differences(self, value):
        """What is wrong with an object that names its event."""
        event = value.get("event") if isinstance(value, dict) else None
        if event not in self.events:
            return ["no event has the name %r" % event]
        return self.events[event].differences(value, event)
