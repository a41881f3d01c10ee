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

static int days_of_year(int year) {
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return leap ? 366 : 365;
}

/* @param mon  1 to 12 */
static int days_of_month(int year, int mon) {
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    return days[mon - 1] + (mon == 2 && days_of_year(year) == 366);
}

static bool is_date(const mbedtls_x509_time *t) {
    return t->mon >= 1 && t->mon <= 12 && t->day >= 1 &&
           t->day <= days_of_month(t->year, t->mon);
}

void clock_of(int64_t since_1970, mbedtls_x509_time *t) {
    enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
    int64_t days = since_1970 / DAY;
    int rest = (int)(since_1970 % DAY);
    int year = 1970, mon = 1;
    for (; days >= days_of_year(year); year++) {
        days -= days_of_year(year);
    }
    for (; days >= days_of_month(year, mon); mon++) {
        days -= days_of_month(year, mon);
    }
    *t = (mbedtls_x509_time){
        year,         mon, (int)days + 1, rest / HOUR, rest % HOUR / MINUTE,
        rest % MINUTE
    };
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
        if (now < 0) {
            return err_set(err, ERR_OS, 0, "the system's clock is unreadable");
        }
        clock_of(now, t);
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
