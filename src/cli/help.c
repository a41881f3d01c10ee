#include "cli/help.h"

#include <string.h>

enum {
    HELP_WIDTH = 79,
    HELP_LABEL_MAX = 28, /* a longer one has its help on the next line */
};

/* Where the next word goes: columns count from 0. */
struct help_column {
    FILE *f;
    size_t left; /* where a wrapped line begins */
    size_t at;
};

static void help_indent(struct help_column *c, size_t to) {
    fprintf(c->f, "%*s", (int)(to - c->at), "");
    c->at = to;
}

static void help_break(struct help_column *c) {
    fputc('\n', c->f);
    c->at = 0;
}

static void help_words(struct help_column *c, const char *text) {
    const char *word = text;
    while (*word != '\0') {
        if (*word == '\n') {
            help_break(c);
        }
        if (*word == '\n' || *word == ' ') {
            word++;
            continue;
        }
        size_t len = strcspn(word, " \n");
        if (c->at > c->left && c->at + 1 + len > HELP_WIDTH) {
            help_break(c);
        }
        if (c->at != c->left) {
            help_indent(c, c->at < c->left ? c->left : c->at + 1);
        }
        fprintf(c->f, "%.*s", (int)len, word);
        c->at += len;
        word += len;
    }
}

static size_t help_label(char *label, size_t size, const struct opt *o) {
    char letter[] = "   ";
    if (o->letter != 0) {
        letter[0] = '-';
        letter[1] = o->letter;
        letter[2] = ',';
    }
    const char *before = "", *after = "";
    if (o->type == OPT_OPTIONAL) {
        before = "[=";
        after = "]";
    } else if (o->arg != NULL) {
        before = " ";
    }
    int n = snprintf(label, size, "  %s --%s%s%s%s", letter, o->name, before,
                     o->arg != NULL ? o->arg : "", after);
    return n < 0 ? 0 : (size_t)n;
}

static void help_option(FILE *f, const struct opt *o, size_t left) {
    char label[96];
    struct help_column c = { f, left, 0 };
    help_label(label, sizeof label, o);
    c.at = strlen(label);
    fputs(label, f);
    if (c.at + 2 > left) {
        help_break(&c);
    }
    help_indent(&c, left);
    help_words(&c, o->help);
    for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++) {
        char word[48];
        snprintf(word, sizeof word, "%s%s%s", i == 0 ? "(" : "", o->choices[i],
                 o->choices[i + 1] != NULL ? "," : ")");
        help_words(&c, word);
    }
    if (o->type == OPT_MANY) {
        help_words(&c, "(may be repeated)");
    }
    help_break(&c);
}

/* The widest label that still has its help beside it sets the column. */
static size_t help_left(const struct opt_group *groups) {
    size_t widest = 0;
    const struct opt *o;
    for (size_t i = 0; (o = opt_at(groups, i, NULL)) != NULL; i++) {
        char label[96];
        size_t len = help_label(label, sizeof label, o);
        if (len > widest && len <= HELP_LABEL_MAX) {
            widest = len;
        }
    }
    return widest + 2;
}

static void help_notes(FILE *f, const struct opt_group *groups) {
    static const struct {
        const char *arg, *note;
    } notes[] = {
        { "TIME", "TIME is in seconds (1.5) or has a unit (300ms, 10s, 2m, "
                  "1h); 0 is no limit." },
        { "SIZE", "SIZE is in bytes, or has k, m or g: times 1024, 1024^2, "
                  "1024^3." },
        { "DATA", "DATA is a path, or base64:..., hex:..., pem:..., or fd:N." },
    };
    bool first = true;
    for (size_t n = 0; n < sizeof notes / sizeof *notes; n++) {
        const struct opt *o;
        size_t i = 0;
        while ((o = opt_at(groups, i, NULL)) != NULL &&
               (o->arg == NULL || strcmp(o->arg, notes[n].arg) != 0)) {
            i++;
        }
        if (o != NULL) {
            fprintf(f, "%s%s\n", first ? "\n" : "", notes[n].note);
            first = false;
        }
    }
}

static void help_usage(FILE *f, const struct command *c) {
    bool operand = c->operand != NULL && *c->operand != '\0';
    fprintf(f, "usage: mptls %s [options]%s%s\n", c->name, operand ? " " : "",
            operand ? c->operand : "");
}

void help_command(FILE *f, const struct command *c) {
    help_usage(f, c);
    struct help_column text = { f, 0, 0 };
    help_break(&text);
    help_words(&text, c->summary);
    help_break(&text);
    if (c->examples != NULL && c->examples[0] != NULL) {
        fputs("\nExamples:\n", f);
        for (size_t i = 0; c->examples[i] != NULL; i++) {
            fprintf(f, "  %s\n", c->examples[i]);
        }
    }
    if (c->description != NULL) {
        help_break(&text);
        help_words(&text, c->description);
        help_break(&text);
    }
    size_t left = help_left(c->groups);
    const struct opt_group *g = c->groups;
    for (; g != NULL && g->opts != NULL; g++) {
        if (g->title != NULL) {
            fprintf(f, "\n%s:\n", g->title);
        }
        for (const struct opt *o = g->opts; o->name != NULL; o++) {
            help_option(f, o, left);
        }
    }
    fputs("\nHelp:\n", f);
    help_option(f, &opt_help, left);
    help_notes(f, c->groups);
    fputs("\nExit status and everything else: man mptls.\n", f);
}

/* The first example, with the remarks above it. */
static void help_first_example(FILE *f, const struct command *c) {
    bool remark = true;
    for (size_t i = 0; remark && c->examples[i] != NULL; i++) {
        remark = c->examples[i][0] == '#';
        fprintf(f, "  %s\n", c->examples[i]);
    }
}

void help_all(FILE *f, const struct command *const *commands) {
    size_t widest = 0;
    fputs("usage: mptls COMMAND [options] [operands]\n"
          "\n"
          "A TLS client and server for pipes that speaks as MicroPython does.\n"
          "\n"
          "Examples:\n",
          f);
    for (size_t i = 0; commands[i] != NULL; i++) {
        size_t len = strlen(commands[i]->name);
        widest = len > widest ? len : widest;
        if (i < 2 && commands[i]->examples != NULL) {
            help_first_example(f, commands[i]);
        }
    }
    fputs("\nCommands:\n", f);
    for (size_t i = 0; commands[i] != NULL; i++) {
        struct help_column c = { f, widest + 4, 0 };
        help_indent(&c, 2);
        c.at += strlen(commands[i]->name);
        fputs(commands[i]->name, f);
        help_indent(&c, c.left);
        help_words(&c, commands[i]->summary);
        help_break(&c);
    }
    fputs("\n"
          "mptls help COMMAND: a command's options. Everything: man mptls.\n",
          f);
}
