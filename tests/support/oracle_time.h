/* SPDX-License-Identifier: Apache-2.0 */
/* The naive twin's calendar: days counted out one by one. Shares nothing with src/rule/zone.c. */
#ifndef KITH_TESTS_SUPPORT_ORACLE_TIME_H
#define KITH_TESTS_SUPPORT_ORACLE_TIME_H

#include <stdbool.h>

#include "base/json.h"
#include "support/oracle.h"

struct oracle_date {
    int64_t year;
    int month, day;
};

struct oracle_term {
    int64_t count;
    char unit;
};

struct oracle_shift {
    int64_t months, days, ms;
};

int oracle_month_length(int64_t year, int month);
struct oracle_date oracle_date(int64_t day); /* days since 1970-01-01 */
int64_t oracle_day_from(int64_t year, int64_t month, int64_t day);
int64_t oracle_clock(const struct oracle *oracle, int64_t at_ms);
int64_t oracle_day_start(const struct oracle *oracle, int64_t day);
int64_t oracle_day(const struct oracle *oracle, int64_t at_ms);
/* "90d" */
bool oracle_term(str text, struct oracle_term *term);
void oracle_add_term(struct oracle_shift *shift, struct oracle_term term, int64_t sign);
/* A time as a rule writes it, now; an edge of a window, which may also be how long ago. */
int64_t oracle_moment(const struct oracle *oracle, json_value json);
int64_t oracle_edge(const struct oracle *oracle, json_value json);

#endif
