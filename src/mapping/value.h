/* SPDX-License-Identifier: Apache-2.0 */
/* value: what expressions work on, why a row is refused, and how a cell of a file is read.
 *
 * A cell is text first. What it means is said by who asks: the same cell "01024001" is a number for a sum
 * and an id for a key. Every reading is total: it gives a value, nothing, or a refusal with its cure.
 */
#ifndef KITH_MAPPING_VALUE_H
#define KITH_MAPPING_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "mapping/exact.h"
#include "mapping/mapping.h"

/* ---- refusals ---- */

/* X(NAME, code, in Chinese, in English) */
#define REFUSAL_TABLE(X)                                                                      \
    X(LOST_DIGITS, "lost_digits", "数字的位数已丢失", "digits are lost")                      \
    X(NOT_A_NUMBER, "not_a_number", "不是数字", "not a number")                               \
    X(NOT_A_TIME, "not_a_time", "不是时间", "not a time")                                     \
    X(AMBIGUOUS_DATE, "ambiguous_date", "日期的月和日分不清",                                 \
      "day and month cannot be told apart")                                                   \
    X(NOT_A_BOOLEAN, "not_a_boolean", "不是是/否", "neither yes nor no")                      \
    X(UNKNOWN_CURRENCY, "unknown_currency", "未知的币种", "unknown currency")                 \
    X(NUMBER_RANGE, "number_range", "数字超出范围", "a number beyond its range")              \
    X(MISSING, "missing_value", "缺少必填的值", "a required value is missing")                \
    X(NO_EVENT_NAME, "no_event_name", "没有事件名称", "the event has no name")                \
    X(NOBODY, "no_identifier", "没有可用的标识", "no usable identifier")                      \
    X(BAD_IDENTIFIER, "bad_identifier", "标识不合规", "an identifier that is none")           \
    X(NOT_JSON, "not_json", "不是 JSON", "not JSON")                                          \
    X(TOO_LARGE, "too_large", "事件过大", "the event is too large")                           \
    X(TOO_MANY, "too_many_values", "值太多", "too many values")                               \
    X(SCRIPT, "script_failed", "脚本出错", "the script failed")                               \
    X(REGEX, "regex_limit", "正则匹配超出限制", "a regular expression ran into its limit")    \
    X(ORDER, "order_refused", "同一订单的其他行有误", "another row of the order is wrong")    \
    X(NOT_ADJACENT, "order_not_adjacent", "同一订单的行不相邻", "rows of an order lie apart") \
    X(REFUSED, "refused", "被映射规则拒绝", "refused by the mapping")                         \
    X(UNREADABLE, "unreadable_row", "无法读取的行", "the row cannot be read")                 \
    X(NOT_YOURS, "not_yours", "不是本团队能看到的事件", "an event that the team would not see")

enum refusal_code {
#define X(NAME, ...) REFUSAL_##NAME,
    REFUSAL_TABLE(X)
#undef X
        REFUSAL_COUNT
};

struct refusal {
    enum refusal_code code;
    struct problem problem; /* UNPROCESSABLE, with detail and cure; NOMEM stops the job */
};
/* Both return false, so that a refusal is one line. */
bool refusal_set(struct refusal *refusal, enum refusal_code code, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
bool refusal_cure(struct refusal *refusal, const char *cure, ...)
    __attribute__((format(printf, 2, 3)));
bool refusal_nomem(struct refusal *refusal);
/* What may be shown of a value: short, and nothing of a person. `room` holds REFUSAL_SHOWN_BYTES. */
#define REFUSAL_SHOWN_BYTES 48
const char *refusal_shown(str text, char room[REFUSAL_SHOWN_BYTES]);

/* ---- values ---- */

enum value_kind { VALUE_NULL, VALUE_TEXT, VALUE_NUMBER, VALUE_BOOL, VALUE_TIME, VALUE_JSON };
struct value {
    enum value_kind kind;
    bool lost; /* TEXT: the file has lost its digits */
    bool sure; /* TEXT: the file has kept its digits from whoever rounds */
    union {
        str text; /* TEXT, JSON */
        struct exact number;
        int64_t time_ms;
        bool truth;
    };
};

static inline struct value value_null(void)
{
    return (struct value){ .kind = VALUE_NULL };
}
static inline struct value value_text(str text)
{
    return (struct value){ .kind = text.size > 0 ? VALUE_TEXT : VALUE_NULL, .text = text };
}
static inline struct value value_number(struct exact number)
{
    return (struct value){ .kind = VALUE_NUMBER, .number = number };
}
static inline struct value value_bool(bool truth)
{
    return (struct value){ .kind = VALUE_BOOL, .truth = truth };
}
static inline struct value value_time(int64_t time_ms)
{
    return (struct value){ .kind = VALUE_TIME, .time_ms = time_ms };
}

/* ---- texts of cells (cell.c) ---- */

/* Without margins and without what spreadsheets put around digits: a tab or ' before, ="…", '…'. */
str cell_clean(str text);
/* str_trim, quick where there is nothing to trim. */
str cell_trim(str text);
/* Full-width letters, digits and signs in their plain form; `text` itself where it has none. NULL data
 * and refusal by NOMEM. */
bool cell_half_width(str text, struct arena *arena, str *out, struct refusal *refusal);
/* Are these the same but for full-width forms? */
bool cell_is_same(str a, str b);
/* A number whose digits Excel has written as 1.23E+17, or replaced by zeros from the 16th on. */
bool cell_is_rounded(str text);
bool cell_has_exponent(str text);

/* `refusal` says what was wrong; false then. `currency` is 3 letters, or "" where any sign is fine. */
bool cell_to_number(str text, str currency, struct arena *arena, struct exact *out,
                    struct refusal *refusal);
/* 是 否 Y N yes no TRUE FALSE 1 0 有 无 √ × on off. */
bool cell_to_bool(str text, bool *out, struct refusal *refusal);
/* Signs and names of currencies in files ("￥", "元", "RMB", "usd") as ISO code; false if unknown. */
bool cell_to_currency(str text, char code[4]);

/* ---- times (cell_time.c) ---- */

enum time_format_kind {
    TIME_AUTO,
    TIME_PATTERN,
    TIME_EXCEL,
    TIME_EXCEL_1904,
    TIME_UNIX_S,
    TIME_UNIX_MS
};
struct time_format {
    enum time_format_kind kind;
    str pattern; /* "dd/MM/yyyy HH:mm" */
};
/* "auto", "excel", "excel1904", "unix_s", "unix_ms", or a pattern of yyyy yy M MM d dd H HH h hh m mm s ss S a
 * and other signs as they are, letters in quotes. UNPROCESSABLE names what is wrong. */
err time_format_parse(str text, struct time_format *out, struct problem *problem) MUST_USE;
/* "+08:00", "UTC", "Asia/Shanghai" and its like without summer time. */
bool zone_parse(str text, int *offset_seconds);
bool cell_to_time(str text, const struct time_format *format, int zone_offset_seconds,
                  struct arena *arena, int64_t *out_ms, struct refusal *refusal);

#endif
