#include "cli/opt.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const struct opt opt_help = { .letter = 'h',
                              .name = "help",
                              .help = "print this help and exit",
                              .type = OPT_FLAG };

struct opt_parser {
    const struct opt_group *groups;
    char *options;
    int argc;
    char **argv;
    int next; /* the first word not yet read */
    bool seen[OPT_MAX];
    bool help;
    struct err *err;
};

/* A user's word in quotes, cut so that the rest of a message has room. */
struct opt_quote {
    char text[48];
};

static struct opt_quote opt_quote(const char *word) {
    struct opt_quote q;
    bool whole = strlen(word) < sizeof q.text - 2;
    snprintf(q.text, sizeof q.text, whole ? "'%s'" : "'%.40s...'", word);
    return q;
}

const struct opt *opt_at(const struct opt_group *groups, size_t i,
                         size_t *base) {
    const struct opt_group *g = groups;
    for (; g != NULL && g->opts != NULL; g++) {
        for (const struct opt *o = g->opts; o->name != NULL; o++) {
            if (i-- == 0) {
                if (base != NULL) {
                    *base = g->base;
                }
                return o;
            }
        }
    }
    if (base != NULL) {
        *base = 0;
    }
    return i == 0 ? &opt_help : NULL;
}

bool opt_needs_value(const struct opt *o) {
    return o->type != OPT_FLAG && o->type != OPT_COUNT &&
           o->type != OPT_OPTIONAL;
}

bool opt_may_repeat(const struct opt *o) {
    return o->type == OPT_COUNT || o->type == OPT_MANY;
}

bool opt_takes_value(const struct opt *o) {
    return opt_needs_value(o) || o->type == OPT_OPTIONAL;
}

/* Both finders answer an index that opt_at has no row for if there is none. */
static size_t opt_find_name(const struct opt_group *groups, const char *name,
                            size_t len) {
    size_t i = 0;
    const struct opt *o;
    while ((o = opt_at(groups, i, NULL)) != NULL &&
           (strlen(o->name) != len || memcmp(o->name, name, len) != 0)) {
        i++;
    }
    return i;
}

static size_t opt_find_letter(const struct opt_group *groups, char letter) {
    size_t i = 0;
    const struct opt *o;
    while ((o = opt_at(groups, i, NULL)) != NULL && o->letter != letter) {
        i++;
    }
    return i;
}

static bool opt_read_digits(const char **s, int64_t *value) {
    const char *p = *s;
    int64_t v = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        int digit = *p - '0';
        if (v > (INT64_MAX - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    bool any = p != *s;
    *s = p;
    *value = v;
    return any;
}

/* The digits after a point in billionths, rounded up. */
static bool opt_read_fraction(const char **s, int64_t *billionths) {
    const char *p = *s;
    int64_t v = 0, unit = 100000000;
    bool rest = false;
    for (; *p >= '0' && *p <= '9'; p++) {
        v += (*p - '0') * unit;
        rest = rest || (unit == 0 && *p != '0');
        unit /= 10;
    }
    bool any = p != *s;
    *s = p;
    *billionths = v + (rest ? 1 : 0);
    return any;
}

static bool opt_read_duration(const char *s, int64_t *ms) {
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = { { "", 1000 },
                  { "ms", 1 },
                  { "s", 1000 },
                  { "m", 60000 },
                  { "h", 3600000 } };
    int64_t whole = 0, part = 0;
    if (*s != '.' && !opt_read_digits(&s, &whole)) {
        return false;
    }
    if (*s == '.') {
        s++;
        if (!opt_read_fraction(&s, &part)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(s, units[i].name) == 0) {
            if (whole > OPT_DURATION_MAX / units[i].ms) {
                return false;
            }
            *ms = whole * units[i].ms +
                  (part * units[i].ms + 999999999) / 1000000000;
            return *ms <= OPT_DURATION_MAX;
        }
    }
    return false;
}

static bool opt_read_size(const char *s, int64_t *bytes) {
    int64_t unit = 1;
    if (!opt_read_digits(&s, bytes)) {
        return false;
    }
    switch (*s) {
    case 'k':
    case 'K':
        unit = INT64_C(1) << 10;
        break;
    case 'm':
    case 'M':
        unit = INT64_C(1) << 20;
        break;
    case 'g':
    case 'G':
        unit = INT64_C(1) << 30;
        break;
    default:
        break;
    }
    s += unit != 1 ? 1 : 0;
    if (*s != '\0' || *bytes > INT64_MAX / unit) {
        return false;
    }
    *bytes *= unit;
    return true;
}

static int opt_store_number(const struct opt *o, void *at, const char *value,
                            struct err *err) {
    int64_t n = 0;
    long long min = o->min, max = o->max;
    const char *p = value;
    const struct opt_quote q = opt_quote(value);
    if (o->type == OPT_DURATION) {
        if (!opt_read_duration(value, &n)) {
            return err_set(err, ERR_USAGE, 0,
                           "--%s: %s is no time such as 1.5, 300ms, 10s, 2m "
                           "or 1h (at most a year)",
                           o->name, q.text);
        }
        *(int64_t *)at = n;
        return 0;
    }
    if (o->type == OPT_SIZE) {
        if (!opt_read_size(value, &n) || n < min || n > max) {
            return err_set(err, ERR_USAGE, 0,
                           "--%s: %s is no size such as 512 or 16k, from %lld "
                           "to %lld bytes",
                           o->name, q.text, min, max);
        }
        *(int64_t *)at = n;
        return 0;
    }
    if (!opt_read_digits(&p, &n) || *p != '\0' || n < min || n > max) {
        return err_set(err, ERR_USAGE, 0,
                       "--%s: %s is no number from %lld to %lld", o->name,
                       q.text, min, max);
    }
    *(unsigned *)at = (unsigned)n;
    return 0;
}

static const char *opt_choice_at(const void *choices, size_t i) {
    return ((const char *const *)choices)[i];
}

static int opt_store_choice(const struct opt *o, int *at, const char *value,
                            struct err *err) {
    char all[80] = "";
    size_t used = 0;
    for (int i = 0; o->choices[i] != NULL; i++) {
        if (strcmp(o->choices[i], value) == 0) {
            *at = i;
            return 0;
        }
        size_t need = strlen(o->choices[i]) + 2;
        bool fits = used + need + sizeof "..." <= sizeof all;
        if (used < sizeof all) {
            snprintf(all + used, sizeof all - used, "%s%s", i == 0 ? "" : ", ",
                     fits ? o->choices[i] : "...");
            used = fits ? used + strlen(all + used) : sizeof all;
        }
    }
    const char *near = text_nearest(value, opt_choice_at, o->choices);
    return err_set(err, ERR_USAGE, 0, "--%s: %s is not one of %s%s%s%s",
                   o->name, opt_quote(value).text, all,
                   near != NULL ? "; did you mean " : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

static int opt_store_one_more(const struct opt *o, struct opt_many *many,
                              const char *value, struct err *err) {
    if (many->n == OPT_MANY_MAX) {
        return err_set(err, ERR_USAGE, 0,
                       "option --%s is given more than %d times", o->name,
                       OPT_MANY_MAX);
    }
    many->value[many->n++] = value;
    return 0;
}

static int opt_store(const struct opt *o, void *at, const char *value,
                     struct err *err) {
    switch (o->type) {
    case OPT_FLAG:
        *(bool *)at = true;
        return 0;
    case OPT_COUNT:
        ++*(unsigned *)at;
        return 0;
    case OPT_STRING:
    case OPT_LIST:
        *(const char **)at = value;
        return 0;
    case OPT_MANY:
        return opt_store_one_more(o, at, value, err);
    case OPT_OPTIONAL:
        *(struct opt_optional *)at = (struct opt_optional){ true, value };
        return 0;
    case OPT_CHOICE:
        return opt_store_choice(o, at, value, err);
    case OPT_UINT:
    case OPT_DURATION:
    case OPT_SIZE:
        break;
    }
    return opt_store_number(o, at, value, err);
}

static int opt_take(struct opt_parser *p, size_t i, const char *value) {
    size_t base;
    const struct opt *o = opt_at(p->groups, i, &base);
    if (o == &opt_help) {
        p->help = true;
        return 0;
    }
    assert(i < OPT_MAX);
    if (p->seen[i] && !opt_may_repeat(o)) {
        /* DATA may be a key, and is not repeated. */
        bool secret = o->arg != NULL && strcmp(o->arg, "DATA") == 0;
        value = secret ? NULL : value;
        return err_set(p->err, ERR_USAGE, 0, "option --%s is given twice%s%s",
                       o->name, value != NULL ? ", again with " : "",
                       value != NULL ? opt_quote(value).text : "");
    }
    p->seen[i] = true;
    return opt_store(o, p->options + base + o->offset, value, p->err);
}

/* The word after an option, which is its value; NULL with *err set. */
static const char *opt_next_word(struct opt_parser *p, const struct opt *o) {
    const char *word = p->next < p->argc ? p->argv[p->next] : NULL;
    if (word == NULL) {
        err_set(p->err, ERR_USAGE, 0, "option --%s needs a value, %s", o->name,
                o->arg);
        return NULL;
    }
    if (strncmp(word, "--", 2) == 0) {
        size_t i = opt_find_name(p->groups, word + 2, strlen(word + 2));
        if (opt_at(p->groups, i, NULL) != NULL) {
            err_set(p->err, ERR_USAGE, 0,
                    "option --%s needs a value, %s, but %s follows", o->name,
                    o->arg, word);
            return NULL;
        }
    }
    p->next++;
    return word;
}

static const char *opt_name_at(const void *groups, size_t i) {
    const struct opt *o = opt_at(groups, i, NULL);
    return o != NULL ? o->name : NULL;
}

static int opt_unknown(struct opt_parser *p, const char *dashes,
                       const char *name, size_t len) {
    char word[TEXT_WORD_MAX + 1] = "";
    const char *near = NULL;
    if (len < sizeof word) {
        memcpy(word, name, len);
        near = text_nearest(word, opt_name_at, p->groups);
    }
    return err_set(p->err, ERR_USAGE, 0, "unknown option %s%.*s%s%s%s%s",
                   dashes, len < sizeof word ? (int)len : 40, name,
                   len < sizeof word ? "" : "...",
                   near != NULL ? "; did you mean --" : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

static int opt_long(struct opt_parser *p, const char *word) {
    size_t len = strcspn(word, "=");
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    size_t i = opt_find_name(p->groups, word, len);
    const struct opt *o = opt_at(p->groups, i, NULL);
    if (o == NULL) {
        return opt_unknown(p, "--", word, len);
    }
    if (value != NULL && !opt_takes_value(o)) {
        return err_set(p->err, ERR_USAGE, 0,
                       "option --%s takes no value, but is given %s", o->name,
                       opt_quote(value).text);
    }
    if (value == NULL && opt_needs_value(o)) {
        value = opt_next_word(p, o);
        if (value == NULL) {
            return -1;
        }
    }
    return opt_take(p, i, value);
}

static int opt_letters(struct opt_parser *p, const char *word) {
    int status = 0;
    const char *value = NULL;
    for (const char *c = word; *c != '\0' && value == NULL; c++) {
        size_t i = opt_find_letter(p->groups, *c);
        const struct opt *o = opt_at(p->groups, i, NULL);
        if (o == NULL) {
            /* The whole word: -servername is what other tools call one. */
            return opt_unknown(p, "-", word, strcspn(word, "="));
        }
        if (opt_needs_value(o)) {
            value = c[1] != '\0' ? c + 1 : opt_next_word(p, o);
            if (value == NULL) {
                return -1;
            }
        }
        status |= opt_take(p, i, value);
    }
    return status;
}

static bool opt_is_operand(const struct opt_group *groups, const char *word) {
    if (word[0] != '-' || word[1] == '\0') {
        return true;
    }
    return word[1] >= '0' && word[1] <= '9' &&
           opt_at(groups, opt_find_letter(groups, word[1]), NULL) == NULL;
}

int opt_parse(const struct opt_group *groups, void *options, int argc,
              char **argv, const char **operands, size_t *operand_count,
              size_t operand_max, struct err *err) {
    struct opt_parser p = { .groups = groups,
                            .options = options,
                            .argc = argc,
                            .argv = argv,
                            .next = 1,
                            .err = err };
    int status = 0;
    bool ended = false;
    *operand_count = 0;
    while (p.next < argc) {
        const char *word = argv[p.next++];
        if (ended || opt_is_operand(groups, word)) {
            if (*operand_count < operand_max) {
                operands[(*operand_count)++] = word;
            } else {
                status = err_set(err, ERR_USAGE, 0, "unexpected argument %s",
                                 opt_quote(word).text);
            }
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (word[1] == '-') {
            status |= opt_long(&p, word + 2);
        } else {
            status |= opt_letters(&p, word + 1);
        }
    }
    return p.help ? OPT_HELP : status;
}

static bool opt_is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool opt_is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *opt_row_fault(const struct opt *o) {
    for (const char *c = o->name; *c != '\0'; c++) {
        if (!opt_is_lower(*c) && (c == o->name || !opt_is_digit(*c)) &&
            (c == o->name || *c != '-')) {
            return "the name is not lower case";
        }
    }
    bool upper = o->letter >= 'A' && o->letter <= 'Z';
    if (o->letter != 0 && !upper && !opt_is_lower(o->letter) &&
        !opt_is_digit(o->letter)) {
        return "the letter is none";
    }
    const char *h = o->help;
    if (h == NULL || *h == '\0' || h[strlen(h) - 1] == '.') {
        return "the help is missing or ends in a full stop";
    }
    if (h[0] >= 'A' && h[0] <= 'Z' && opt_is_lower(h[1])) {
        return "the help begins with a capital";
    }
    if (opt_takes_value(o) != (o->arg != NULL)) {
        return "the type and the value's name disagree";
    }
    if ((o->type == OPT_CHOICE) != (o->choices != NULL)) {
        return "the type and the choices disagree";
    }
    bool ranged = o->type == OPT_UINT || o->type == OPT_SIZE;
    if (ranged && (o->min < 0 || o->min >= o->max ||
                   (o->type == OPT_UINT && o->max > UINT_MAX))) {
        return "the range is wrong";
    }
    return *o->name == '\0' ? "the name is empty" : NULL;
}

int opt_check(const struct opt_group *groups, struct err *err) {
    const struct opt *o;
    for (size_t i = 0; (o = opt_at(groups, i, NULL)) != NULL; i++) {
        const char *fault = opt_row_fault(o);
        if (opt_find_name(groups, o->name, strlen(o->name)) != i) {
            fault = "the name is another row's too";
        } else if (o->letter != 0 && opt_find_letter(groups, o->letter) != i) {
            fault = "the letter is another row's too";
        } else if (i > OPT_MAX) {
            fault = "it is one row too many";
        }
        if (fault != NULL) {
            return err_set(err, ERR_USAGE, 0, "--%s: %s", o->name, fault);
        }
    }
    return 0;
}
