#include "cli/clock.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

/* A fixed number of digits, with what stands after them. */
static bool digits(const char **s, int n, const char *after, int *value) {
    *value = 0;
    for (; n > 0; n--, (*s)++) {
        if (**s < '0' || **s > '9') {
            return false;
        }
        *value = *value * 10 + (**s - '0');
    }
    size_t len = strlen(after);
    bool ok = strncmp(*s, after, len) == 0;
    *s += ok ? len : 0;
    return ok;
}

static bool is_date(const mbedtls_x509_time *t) {
    static const int month_days[] = { 31, 28, 31, 30, 31, 30,
                                      31, 31, 30, 31, 30, 31 };
    if (t->mon < 1 || t->mon > 12) {
        return false;
    }
    bool leap = t->year % 4 == 0 && (t->year % 100 != 0 || t->year % 400 == 0);
    int days = month_days[t->mon - 1] + (leap && t->mon == 2);
    return t->day >= 1 && t->day <= days;
}

/* RFC 3339 5.6, in UTC and whole seconds. */
static bool read_time(const char *s, mbedtls_x509_time *t) {
    memset(t, 0, sizeof *t);
    bool whole = strchr(s, 'T') != NULL;
    if (!digits(&s, 4, "-", &t->year) || !digits(&s, 2, "-", &t->mon) ||
        !digits(&s, 2, whole ? "T" : "", &t->day) || !is_date(t)) {
        return false;
    }
    if (whole &&
        (!digits(&s, 2, ":", &t->hour) || !digits(&s, 2, ":", &t->min) ||
         !digits(&s, 2, "Z", &t->sec) || t->hour > 23 || t->min > 59 ||
         t->sec > 59)) {
        return false;
    }
    return *s == '\0';
}

int clock_read(const char *when, mbedtls_x509_time *t, struct err *err) {
    if (when == NULL || strcmp(when, "now") == 0) {
        time_t now = time(NULL);
        struct tm tm;
        if (gmtime_r(&now, &tm) == NULL) {
            return err_set(err, ERR_OS, 0, "the system's clock is unreadable");
        }
        *t = (mbedtls_x509_time){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                                  tm.tm_hour,        tm.tm_min,     tm.tm_sec };
        return 0;
    }
    if (!read_time(when, t)) {
        return err_set(err, ERR_USAGE, 0,
                       "--time: '%.60s' is no time such as "
                       "2000-01-01T00:00:00Z, 2000-01-01 or now",
                       when);
    }
    return 0;
}
