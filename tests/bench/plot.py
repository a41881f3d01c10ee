"""Figures against a size, as SVG: lines on two logarithmic axes."""
import html
import math

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 80, 170, 50, 60
COLOURS = ("#c02020", "#2050b0", "#208040", "#c08000", "#7030a0", "#008090",
           "#606060")
STYLE = "font-family:sans-serif;font-size:13px"


class Axis:
    """From values to a place on the paper, and what to write there."""

    def __init__(self, values, start, end):
        self.low, self.high = math.log10(min(values)), math.log10(max(values))
        if self.high - self.low < 0.5:
            self.low, self.high = self.low - 0.25, self.high + 0.25
        self.start, self.end = start, end

    def at(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self):
        return [m * 10 ** e for e in range(math.floor(self.low),
                                           math.ceil(self.high) + 1)
                for m in (1, 2, 5)
                if self.low - 1e-9 <= math.log10(m * 10 ** e) <=
                self.high + 1e-9]


def text(x, y, words, anchor="start", more=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" style="%s"%s>%s</text>' \
        % (x, y, anchor, STYLE, more, html.escape(words))


def line(x1, y1, x2, y2, colour):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>' % (
        x1, y1, x2, y2, colour)


def axes(x, y, sizes, labels):
    """The grid, what it stands for, and the names of both axes."""
    parts = []
    bottom, middle = HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
    for value in y.ticks():
        at = y.at(value)
        parts += [line(LEFT, at, WIDTH - RIGHT, at, "#ddd"),
                  text(LEFT - 8, at + 4, "{:,g}".format(value), "end")]
    for value in sizes:
        at = x.at(value)
        parts += [line(at, TOP, at, bottom, "#ddd"),
                  text(at, bottom + 20, "{:,g}".format(value), "middle")]
    parts += [
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, labels[0], "middle"),
        text(18, middle, labels[1], "middle",
             ' transform="rotate(-90 18 %.1f)"' % middle)]
    return parts


def curve(x, y, points, colour):
    """Medians, and from quartile to quartile."""
    parts = ['<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>'
             % (colour, " ".join("%.1f,%.1f" % (x.at(n), y.at(f["median"]))
                                 for n, f in points))]
    for n, f in points:
        parts += [line(x.at(n), y.at(f["q1"]), x.at(n), y.at(f["q3"]), colour),
                  '<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (
                      x.at(n), y.at(f["median"]), colour)]
    return parts


def svg(title, labels, series):
    """@param labels  of x and y
    @param series  for each tool [(size, median and quartiles)], ours first"""
    sizes = sorted({n for points in series.values() for n, _ in points})
    values = [f[k] for points in series.values() for _, f in points
              for k in ("q1", "q3")]
    x = Axis(sizes, LEFT, WIDTH - RIGHT)
    y = Axis(values, HEIGHT - BOTTOM, TOP)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
             'viewBox="0 0 %d %d">' % (WIDTH, HEIGHT, WIDTH, HEIGHT),
             '<rect width="100%" height="100%" fill="#fff"/>',
             text(LEFT, 28, title, more=' font-weight="bold"')]
    parts += axes(x, y, sizes, labels)
    for n, (tool, points) in enumerate(series.items()):
        colour = COLOURS[n % len(COLOURS)]
        parts += curve(x, y, points, colour)
        key = TOP + 10 + 22 * n
        parts += ['<rect x="%d" y="%d" width="14" height="4" fill="%s"/>' % (
            WIDTH - RIGHT + 16, key - 6, colour),
            text(WIDTH - RIGHT + 36, key, tool)]
    return "\n".join(parts + ["</svg>"]) + "\n"
