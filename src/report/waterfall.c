#include "report/waterfall.h"

#include <inttypes.h>
#include <string.h>

/* Columns, the space before each included. */
enum {
    ARROW = 3,
    TIME = 10,
    BYTES = 8,
    HEAP = 9,
    BAR_WANTED = 21,
    BAR_LEAST = 9,
    ROOM_MAX = 512
};

static const char mark[] = "mptls: ";
static const char legend[] = ". waited # computed";

static void sum_up(struct waterfall *w, const struct waterfall_cost *c) {
    w->sum.waited_us += c->waited_us;
    w->sum.computed_us += c->computed_us;
    w->sum.heap = c->heap;
    if (c->heap_peak > w->sum.heap_peak) {
        w->sum.heap_peak = c->heap_peak;
    }
}

void waterfall_add(struct waterfall *w, const struct waterfall_row *row) {
    if (w->n < WATERFALL_ROWS) {
        w->rows[w->n] = *row;
    }
    w->n++;
    sum_up(w, &row->cost);
}

void waterfall_end(struct waterfall *w, bool done, int64_t us,
                   const struct waterfall_cost *cost) {
    w->done = done;
    w->end_us = us;
    w->end = *cost;
    sum_up(w, cost);
}

static bool take(unsigned *left, unsigned n) {
    bool fits = *left >= n;
    *left -= fits ? n : 0;
    return fits;
}

struct waterfall_columns waterfall_columns(unsigned room, bool heap) {
    struct waterfall_columns c = { true, true, true, heap, heap, 0 };
    if (room == 0) {
        return c;
    }
    unsigned left = room;
    if (!take(&left, ARROW + WATERFALL_NAME)) {
        left = 0;
    }
    c.at = take(&left, TIME);
    c.bytes = c.at && take(&left, BYTES);
    unsigned bar = left < BAR_WANTED ? left : BAR_WANTED;
    left -= bar;
    c.peak = heap && take(&left, HEAP);
    c.split = take(&left, 2 * TIME);
    c.heap = c.peak && c.split && take(&left, HEAP);
    bar += left;
    c.bar = bar < BAR_LEAST ? 0 : bar - 1;
    c.bar = c.bar < WATERFALL_BAR_MAX ? c.bar : WATERFALL_BAR_MAX;
    return c;
}

static unsigned column_of(int64_t us, int64_t all, unsigned columns) {
    double share = all > 0 && us > 0 ? (double)us / (double)all : 0;
    return (unsigned)((share < 1 ? share : 1) * columns + 0.5);
}

void waterfall_bar(const struct waterfall *w, size_t i, unsigned columns,
                   char *buf) {
    bool message = i < w->n && i < WATERFALL_ROWS;
    const struct waterfall_row *r = &w->rows[message ? i : 0];
    const struct waterfall_cost *c = message ? &r->cost : &w->end;
    bool out = message && r->out;
    int64_t end = message ? r->us : w->end_us;
    int64_t last = out ? c->computed_us : c->waited_us;
    int64_t first = out ? c->waited_us : c->computed_us;
    unsigned from = column_of(end - last - first, w->end_us, columns);
    unsigned half = column_of(end - last, w->end_us, columns);
    unsigned to = column_of(end, w->end_us, columns);
    memset(buf, ' ', from);
    memset(buf + from, out ? '.' : '#', half - from);
    memset(buf + half, out ? '#' : '.', to - half);
    if (from == to) {
        to = to < columns ? to : columns - 1;
        buf[to++] = '|';
    }
    buf[to] = '\0';
}

/* How the lines of one waterfall are printed. */
struct printer {
    FILE *f;
    const struct waterfall_look *look;
    struct waterfall_columns columns;
    char head[160]; /* what each line begins with */
    size_t room;    /* for what follows it */
};

static void printer_init(struct printer *p, FILE *f, const struct waterfall *w,
                         const struct waterfall_look *look) {
    bool terminal = look->width > 0;
    bool named = !terminal && w->peer != NULL;
    *p = (struct printer){ .f = f, .look = look };
    snprintf(p->head, sizeof p->head, "%s%s%s%s", mark,
             terminal ? "" : "cost: ", named ? w->peer : "", named ? " " : "");
    size_t len = strlen(p->head);
    p->room = !terminal ? ROOM_MAX : look->width > len ? look->width - len : 1;
    p->columns = waterfall_columns(terminal ? (unsigned)p->room : 0,
                                   w->sum.heap_peak > 0);
}

/* @param sgr  a colour, or "" */
static void paint(const struct printer *p, const char *sgr, const char *text,
                  size_t len) {
    bool colour = p->look->colour && sgr[0] != '\0' && len > 0;
    fprintf(p->f, "%s%s%s%.*s%s", colour ? "\033[" : "", colour ? sgr : "",
            colour ? "m" : "", (int)len, text, colour ? "\033[0m" : "");
}

/* The cells of a line, of which the first is in colour, and its bar. */
static void print_line(const struct printer *p, const char *sgr,
                       const char *cells, const char *bar) {
    size_t len = strlen(cells), first = ARROW + WATERFALL_NAME;
    len = len < p->room ? len : p->room;
    first = first < len ? first : len;
    fputs(p->head, p->f);
    paint(p, sgr, cells, first);
    paint(p, "", cells + first, len - first);
    size_t left = p->room - len, n = strlen(bar);
    if (left > 0 && n > 0) {
        fputc(' ', p->f);
        n = n < left ? n : left - 1;
    } else {
        n = 0;
    }
    for (size_t at = 0, run; at < n; at += run) {
        char is[2] = { bar[at], '\0' };
        run = strspn(bar + at, is);
        run = run < n - at ? run : n - at;
        paint(p, is[0] == '#' ? "33" : is[0] == '.' ? "34" : "", bar + at, run);
    }
    fputc('\n', p->f);
}

static void add(char *line, size_t len, bool wanted, int width,
                const char *text) {
    size_t at = strlen(line);
    if (wanted) {
        snprintf(line + at, len - at, " %*s", width - 1, text);
    }
}

static const char *ms(int64_t us, char *buf, size_t len) {
    snprintf(buf, len, "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
    return buf;
}

static const char *count(size_t n, char *buf, size_t len) {
    snprintf(buf, len, "%zu", n);
    return buf;
}

static void print_heading(const struct printer *p) {
    const struct waterfall_columns *c = &p->columns;
    char line[256];
    snprintf(line, sizeof line, "%-*s", ARROW + WATERFALL_NAME, "   message");
    add(line, sizeof line, c->bytes, BYTES, "bytes");
    add(line, sizeof line, c->at, TIME, "at ms");
    add(line, sizeof line, c->split, TIME, "waited");
    add(line, sizeof line, c->split, TIME, "computed");
    add(line, sizeof line, c->heap, HEAP, "heap");
    add(line, sizeof line, c->peak, HEAP, "peak");
    print_line(p, "", line, c->bar < strlen(legend) ? "" : legend);
}

/* @param row  the end has neither an arrow nor a size */
static void print_row(const struct printer *p, const struct waterfall *w,
                      size_t i, const struct waterfall_row *row) {
    const struct waterfall_columns *c = &p->columns;
    bool message = i < w->n;
    char line[256], n[24], bar[WATERFALL_BAR_MAX + 1] = "";
    const char *sgr = strncmp(row->name, "alert", 5) == 0 ? "31"
                      : message                           ? row->out ? "36" : ""
                      : w->done                           ? "32"
                                                          : "31";
    snprintf(line, sizeof line, "%-*s%-*s", ARROW,
             !message   ? ""
             : row->out ? "->"
                        : "<-",
             WATERFALL_NAME, row->name);
    add(line, sizeof line, c->bytes, BYTES,
        message ? count(row->bytes, n, sizeof n) : "");
    add(line, sizeof line, c->at, TIME, ms(row->us, n, sizeof n));
    add(line, sizeof line, c->split, TIME,
        ms(row->cost.waited_us, n, sizeof n));
    add(line, sizeof line, c->split, TIME,
        ms(row->cost.computed_us, n, sizeof n));
    add(line, sizeof line, c->heap, HEAP, count(row->cost.heap, n, sizeof n));
    add(line, sizeof line, c->peak, HEAP,
        count(row->cost.heap_peak, n, sizeof n));
    if (c->bar > 0) {
        waterfall_bar(w, i, c->bar, bar);
    }
    print_line(p, sgr, line, bar);
}

static void print_sums(const struct printer *p, const struct waterfall *w) {
    char line[160], peak[64] = "", waited[24], computed[24];
    if (w->sum.heap_peak > 0) {
        snprintf(peak, sizeof peak, ", heap at most %zu bytes",
                 w->sum.heap_peak);
    }
    snprintf(line, sizeof line, "waited %s ms, computed %s ms%s",
             ms(w->sum.waited_us, waited, sizeof waited),
             ms(w->sum.computed_us, computed, sizeof computed), peak);
    print_line(p, "", line, "");
}

void report_text_waterfall(FILE *f, const struct waterfall *w,
                           const struct waterfall_look *look) {
    struct printer p;
    char line[96];
    size_t kept = w->n < WATERFALL_ROWS ? w->n : WATERFALL_ROWS;
    struct waterfall_row end = { .us = w->end_us, .cost = w->end };
    snprintf(end.name, sizeof end.name, "%s", w->done ? "done" : "failed");
    printer_init(&p, f, w, look);
    if (look->width > 0 && w->peer != NULL) {
        print_line(&p, "", w->peer, "");
    }
    print_heading(&p);
    for (size_t i = 0; i < kept; i++) {
        print_row(&p, w, i, &w->rows[i]);
    }
    if (w->n > kept) {
        snprintf(line, sizeof line, "   and %zu more", w->n - kept);
        print_line(&p, "", line, "");
    }
    print_row(&p, w, w->n, &end);
    print_sums(&p, w);
}
