#include "cli/words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

/* Copy what a pair of quotes holds.
 * @return where it goes on, or NULL: there is no second one */
static const char *quoted(const char *at, char **to) {
    char quote = *at++;
    while (*at != '\0' && *at != quote) {
        if (quote == '"' && *at == '\\' && (at[1] == '"' || at[1] == '\\')) {
            at++;
        }
        *(*to)++ = *at++;
    }
    return *at == quote ? at + 1 : NULL;
}

/* Copy one word, with a NUL.
 * @return where it ends, or NULL: *why says what is missing */
static const char *word(const char *at, char **to, const char **why) {
    while (at != NULL && *at != '\0' && !blank(*at)) {
        if (*at == '\'' || *at == '"') {
            at = quoted(at, to);
            *why = "a quote has no end";
        } else if (*at != '\\') {
            *(*to)++ = *at++;
        } else if (at[1] != '\0') {
            *(*to)++ = at[1];
            at += 2;
        } else {
            *why = "it ends in a backslash";
            at = NULL;
        }
    }
    *(*to)++ = '\0';
    return at;
}

int words_split(const char *option, const char *text, char ***words,
                struct err *err) {
    const char *why = "there is no command in it";
    size_t len = strlen(text), n = 0;
    /* No more words than every second character, and no longer in all. */
    size_t most = len / 2 + 2;
    char **w = malloc(most * sizeof *w + len + 2);
    if (w == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "out of memory");
    }
    char *to = (char *)(w + most);
    const char *at = text + strspn(text, " \t\n");
    while (at != NULL && *at != '\0') {
        w[n++] = to;
        at = word(at, &to, &why);
        at = at != NULL ? at + strspn(at, " \t\n") : NULL;
    }
    if (at == NULL || n == 0) {
        free(w);
        return err_set(err, ERR_USAGE, 0, "%s: %s: '%.80s'", option, why, text);
    }
    w[n] = NULL;
    *words = w;
    return 0;
}
