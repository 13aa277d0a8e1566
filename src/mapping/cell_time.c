/* SPDX-License-Identifier: Apache-2.0 */
/* How people and programs write times in files. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "mapping/value.h"

/* Fields as they are read; base/clock.h judges the date and does the sum. */
struct moment {
    int year, month, day, hour, minute, second, ms;
    bool afternoon, morning; /* twelve hours and which half of the day */
    bool zoned;
    int zone_minutes;
};

/* People are born before 1970; a year before 1900 is somebody's mistake (and Excel's calendar begins there). */
#define TIME_MIN_MS INT64_C(-2208988800000)  /* 1900-01-01T00:00:00.000Z */
#define TIME_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static char *put_digits(char *at, int value, int count, char behind)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    at[count] = behind;
    return at + count + 1;
}

/* Written out as base/clock.h reads it, by hand: this is done for every row of a file, and printf takes longer
 * than all the rest of a time. */
static str moment_text(const struct moment *moment, char room[32])
{
    char *at = put_digits(room, moment->year, 4, '-');
    at = put_digits(at, moment->month, 2, '-');
    at = put_digits(at, moment->day, 2, 'T');
    at = put_digits(at, moment->hour, 2, ':');
    at = put_digits(at, moment->minute, 2, ':');
    at = put_digits(at, moment->second, 2, '.');
    at = put_digits(at, moment->ms, 3, 'Z');
    return str_from_bytes(room, (size_t)(at - room));
}

static bool moment_to_ms(const struct moment *moment, int zone_offset_seconds, int64_t *out_ms)
{
    char room[32];
    struct moment made = *moment;
    if (made.afternoon || made.morning) {
        if (made.hour < 1 || made.hour > 12)
            return false;
        made.hour = made.hour % 12 + (made.afternoon ? 12 : 0);
    }
    if (made.year < 0 || made.year > 9999 || made.month < 0 || made.month > 99 || made.day < 0 ||
        made.day > 99 || made.hour > 99 || made.minute > 99 || made.second > 99 || made.ms > 999)
        return false;
    if (!time_parse(moment_text(&made, room), 0, out_ms))
        return false;
    bool is_good = *out_ms >= TIME_MIN_MS;
    *out_ms -= made.zoned ? made.zone_minutes * MINUTE_MS : zone_offset_seconds * SECOND_MS;
    return is_good;
}

/* ---- reading parts ---- */

static bool take(str *rest, str sign)
{
    if (!str_starts_with(*rest, sign))
        return false;
    *rest = str_slice(*rest, sign.size, rest->size);
    return true;
}

/* Between `least` and `most` digits. */
static bool take_number(str *rest, size_t least, size_t most, int *out)
{
    size_t count = 0;
    int value = 0;
    for (; count < rest->size && count < most; count++) {
        char c = rest->data[count];
        if (c < '0' || c > '9')
            break;
        value = value * 10 + (c - '0');
    }
    if (count < least)
        return false;
    *out = value;
    *rest = str_slice(*rest, count, rest->size);
    return true;
}

/* Any number of digits, the first three of which count. */
static bool take_fraction(str *rest, int *out_ms)
{
    int unit = 100, ms = 0, digit;
    if (!take_number(rest, 1, 1, &digit))
        return false;
    do {
        ms += digit * unit;
        unit /= 10;
    } while (take_number(rest, 1, 1, &digit));
    *out_ms = ms;
    return true;
}

static void take_half_of_day(str *rest, struct moment *moment)
{
    if (take(rest, STR("上午")) || take(rest, STR("AM")) || take(rest, STR("am")) ||
        take(rest, STR("a.m.")))
        moment->morning = true;
    else if (take(rest, STR("下午")) || take(rest, STR("PM")) || take(rest, STR("pm")) ||
             take(rest, STR("p.m.")))
        moment->afternoon = true;
    *rest = str_trim(*rest);
}

static bool take_zone(str *rest, struct moment *moment)
{
    int hours, minutes = 0;
    *rest = str_trim(*rest);
    if (take(rest, STR("Z")) || take(rest, STR("UTC"))) {
        moment->zoned = true;
        moment->zone_minutes = 0;
        return rest->size == 0;
    }
    (void)take(rest, STR("GMT"));
    bool west = rest->size > 0 && rest->data[0] == '-';
    if (!take(rest, STR("+")) && !take(rest, STR("-")))
        return rest->size == 0;
    if (!take_number(rest, 1, 2, &hours))
        return false;
    (void)take(rest, STR(":"));
    if (rest->size > 0 && !take_number(rest, 2, 2, &minutes))
        return false;
    moment->zoned = true;
    moment->zone_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    return rest->size == 0 && hours <= 23 && minutes <= 59;
}

/* "8:03", "08:03:01.25", "8时3分1秒", "8:26 AM", "下午 3:05" */
static bool take_clock(str *rest, struct moment *moment)
{
    take_half_of_day(rest, moment);
    if (!take_number(rest, 1, 2, &moment->hour))
        return false;
    if (take(rest, STR("时")) || take(rest, STR("点"))) {
        if (take_number(rest, 1, 2, &moment->minute) && !take(rest, STR("分")))
            return false;
        if (take_number(rest, 1, 2, &moment->second) && !take(rest, STR("秒")))
            return false;
        return true;
    }
    if (!take(rest, STR(":")) || !take_number(rest, 1, 2, &moment->minute))
        return false;
    if (take(rest, STR(":"))) {
        if (!take_number(rest, 1, 2, &moment->second))
            return false;
        if ((take(rest, STR(".")) || take(rest, STR(","))) && !take_fraction(rest, &moment->ms))
            return false;
    }
    *rest = str_trim(*rest);
    if (!moment->morning && !moment->afternoon)
        take_half_of_day(rest, moment);
    return true;
}

/* Nothing, or a clock and perhaps a zone behind a date. */
static bool take_rest(str rest, struct moment *moment)
{
    (void)(take(&rest, STR("T")) || take(&rest, STR("t")));
    rest = str_trim(rest);
    return rest.size == 0 || (take_clock(&rest, moment) && take_zone(&rest, moment));
}

/* "2024-1-5", "2024/01/05", "2024.1.5", "2024年1月5日", then a clock. */
static bool read_year_first(str text, struct moment *moment)
{
    static const str signs[] = { { "-", 1 }, { "/", 1 }, { ".", 1 } };
    if (!take_number(&text, 4, 4, &moment->year))
        return false;
    if (take(&text, STR("年"))) {
        text = str_trim(text);
        if (!take_number(&text, 1, 2, &moment->month) || !take(&text, STR("月")))
            return false;
        text = str_trim(text);
        if (!take_number(&text, 1, 2, &moment->day) || !take(&text, STR("日")))
            return false;
        return take_rest(text, moment);
    }
    for (size_t i = 0; i < 3; i++)
        if (take(&text, signs[i]))
            return take_number(&text, 1, 2, &moment->month) && take(&text, signs[i]) &&
                   take_number(&text, 1, 2, &moment->day) && take_rest(text, moment);
    return false;
}

enum order_of_date { DATE_NONE, DATE_CLEAR, DATE_AMBIGUOUS };

/* "25/01/2024" has one meaning, "05/01/2024" two; 05/05 is the same either way. */
static enum order_of_date read_year_last(str text, struct moment *moment)
{
    int first, second;
    if (!take_number(&text, 1, 2, &first))
        return DATE_NONE;
    str sign = str_slice(text, 0, 1);
    if ((!str_equal(sign, STR("/")) && !str_equal(sign, STR("-")) && !str_equal(sign, STR("."))) ||
        !take(&text, sign) || !take_number(&text, 1, 2, &second) || !take(&text, sign) ||
        !take_number(&text, 4, 4, &moment->year) || !take_rest(text, moment))
        return DATE_NONE;
    if (first <= 12 && second <= 12 && first != second)
        return DATE_AMBIGUOUS;
    moment->day = first > 12 ? first : second;
    moment->month = first > 12 ? second : first;
    return DATE_CLEAR;
}

/* ---- numbers as times ---- */

/* Days since 1899-12-30 (or 1904-01-01): exact in decimals, rounded to the second as Excel shows it when
 * the digits of a double end there. */
static bool serial_to_ms(str text, bool from_1904, int zone_offset_seconds, int64_t *out_ms)
{
    struct exact days, ms;
    int64_t whole;
    if (!exact_parse(text, false, &days) || days.coefficient < 0)
        return false;
    if (!exact_multiply(exact_round(days, 12), exact_from_int(DAY_MS), &ms) ||
        !exact_to_int(exact_round(ms, 0), &whole))
        return false;
    int64_t epoch_days = from_1904 ? 24107 : 25569;
    int64_t rest = whole % SECOND_MS;
    /* Fifteen digits of a day are good to a tenth of a millisecond; halves of a second are real. */
    if (rest <= 1 || rest >= SECOND_MS - 1)
        whole = (whole + SECOND_MS / 2) / SECOND_MS * SECOND_MS;
    *out_ms = whole - epoch_days * DAY_MS - zone_offset_seconds * SECOND_MS;
    return whole > 0 && *out_ms <= TIME_MAX_MS;
}

static bool unix_to_ms(str text, bool seconds, int64_t *out_ms)
{
    struct exact number, ms;
    if (!exact_parse(text, false, &number) ||
        !exact_multiply(number, exact_from_int(seconds ? 1000 : 1), &ms) ||
        !exact_to_int(exact_floor(ms), out_ms))
        return false;
    return *out_ms >= 0 && *out_ms <= TIME_MAX_MS;
}

static bool is_number(str text, size_t *whole_digits)
{
    size_t point = str_find_byte(text, '.');
    for (size_t i = 0; i < text.size; i++)
        if (i != point && (text.data[i] < '0' || text.data[i] > '9'))
            return false;
    *whole_digits = point;
    return text.size > 0;
}

/* 20240105, 20240105080301, 45296.33, 1704412981, 1704412981000: told apart by their digits. */
static bool read_number(str text, size_t whole_digits, int zone_offset_seconds, int64_t *out_ms)
{
    struct moment moment = { .year = 0 };
    bool whole = whole_digits == text.size;
    if (whole && (whole_digits == 8 || whole_digits == 12 || whole_digits == 14) &&
        (text.data[0] == '1' || text.data[0] == '2')) {
        (void)take_number(&text, 4, 4, &moment.year);
        (void)take_number(&text, 2, 2, &moment.month);
        (void)take_number(&text, 2, 2, &moment.day);
        (void)take_number(&text, 2, 2, &moment.hour);
        (void)take_number(&text, 2, 2, &moment.minute);
        (void)take_number(&text, 2, 2, &moment.second);
        return moment_to_ms(&moment, zone_offset_seconds, out_ms);
    }
    if (whole_digits == 5 && text.data[0] >= '1' && text.data[0] <= '7')
        return serial_to_ms(text, false, zone_offset_seconds, out_ms);
    if (whole_digits == 9 || whole_digits == 10)
        return unix_to_ms(text, true, out_ms);
    return whole && whole_digits == 13 && unix_to_ms(text, false, out_ms);
}

/* ---- patterns ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The next token of a pattern: a run of one letter, a quoted text, or one other byte. */
static str next_token(str *pattern, bool *literal)
{
    char first = pattern->data[0];
    size_t size = 1;
    *literal = !is_letter(first);
    if (first == '\'') {
        str quoted = str_slice(*pattern, 1, pattern->size);
        size = str_find_byte(quoted, '\'');
        str token = str_slice(quoted, 0, size);
        *pattern = str_slice(quoted, size + 1, quoted.size);
        return token;
    }
    while (!*literal && size < pattern->size && pattern->data[size] == first)
        size++;
    str token = str_slice(*pattern, 0, size);
    *pattern = str_slice(*pattern, size, pattern->size);
    return token;
}

static bool take_token(str token, str *rest, struct moment *moment)
{
    size_t least = token.size > 1 ? 2 : 1;
    switch (token.data[0]) {
    case 'y':
        if (token.size == 4)
            return take_number(rest, 4, 4, &moment->year);
        /* POSIX: 69 to 99 are of the last century. */
        if (!take_number(rest, 2, 2, &moment->year))
            return false;
        moment->year += moment->year >= 69 ? 1900 : 2000;
        return true;
    case 'M':
        return take_number(rest, least, 2, &moment->month);
    case 'd':
        return take_number(rest, least, 2, &moment->day);
    case 'H':
    case 'h':
        return take_number(rest, least, 2, &moment->hour);
    case 'm':
        return take_number(rest, least, 2, &moment->minute);
    case 's':
        return take_number(rest, least, 2, &moment->second);
    case 'S':
        return take_fraction(rest, &moment->ms);
    case 'a':
        take_half_of_day(rest, moment);
        return moment->morning || moment->afternoon;
    default:
        return false;
    }
}

static bool read_pattern(str text, str pattern, struct moment *moment)
{
    bool literal;
    while (pattern.size > 0) {
        str token = next_token(&pattern, &literal);
        if (literal ? !take(&text, token) : !take_token(token, &text, moment))
            return false;
    }
    return take_zone(&text, moment);
}

static err check_pattern(str pattern, struct problem *problem)
{
    bool literal, year = false, month = false, day = false;
    for (str rest = pattern; rest.size > 0;) {
        str token = next_token(&rest, &literal);
        char c = literal || token.size == 0 ? ' ' : token.data[0];
        if (c != ' ' &&
            (strchr("yMdHhmsSa", c) == NULL || (c == 'y' && token.size != 2 && token.size != 4) ||
             (c != 'y' && c != 'S' && token.size > 2))) {
            problem_set(problem, ERR_UNPROCESSABLE, "'" STR_FMT "' in a time format means nothing",
                        STR_ARG(token));
            return problem_hint(problem, ERR_UNPROCESSABLE,
                                "use yyyy MM dd HH mm ss, other letters in quotes");
        }
        year |= c == 'y';
        month |= c == 'M';
        day |= c == 'd';
    }
    if (year && month && day)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE,
                "the time format '" STR_FMT "' has no year, month or day",
                (int)(pattern.size < 60 ? pattern.size : 60), pattern.data);
    return problem_hint(problem, ERR_UNPROCESSABLE, "as in dd/MM/yyyy HH:mm:ss");
}

err time_format_parse(str text, struct time_format *out, struct problem *problem)
{
    static const struct {
        const char *name;
        enum time_format_kind kind;
    } names[] = { { "auto", TIME_AUTO },
                  { "excel", TIME_EXCEL },
                  { "excel1904", TIME_EXCEL_1904 },
                  { "unix_s", TIME_UNIX_S },
                  { "unix_ms", TIME_UNIX_MS } };
    *out = (struct time_format){ .kind = TIME_PATTERN, .pattern = text };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_equal(text, str_from_c(names[i].name))) {
            out->kind = names[i].kind;
            return ERR_OK;
        }
    return check_pattern(text, problem);
}

/* Zones of Chinese brands' files: none of them has had summer time for decades. */
bool zone_parse(str text, int *offset_seconds)
{
    static const struct {
        const char *name;
        int minutes;
    } zones[] = { { "UTC", 0 },
                  { "Z", 0 },
                  { "GMT", 0 },
                  { "Asia/Shanghai", 480 },
                  { "Asia/Chongqing", 480 },
                  { "Asia/Hong_Kong", 480 },
                  { "Asia/Macau", 480 },
                  { "Asia/Taipei", 480 },
                  { "Asia/Singapore", 480 },
                  { "Asia/Kuala_Lumpur", 480 },
                  { "Asia/Tokyo", 540 },
                  { "Asia/Seoul", 540 },
                  { "Asia/Bangkok", 420 },
                  { "Asia/Ho_Chi_Minh", 420 },
                  { "Asia/Jakarta", 420 },
                  { "Asia/Kolkata", 330 },
                  { "Asia/Dubai", 240 } };
    struct moment moment = { .zoned = false };
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        if (str_equal(text, str_from_c(zones[i].name))) {
            *offset_seconds = zones[i].minutes * 60;
            return true;
        }
    if (text.size < 2 || (text.data[0] != '+' && text.data[0] != '-') ||
        !take_zone(&text, &moment) || !moment.zoned || moment.zone_minutes > 14 * 60 ||
        moment.zone_minutes < -12 * 60)
        return false;
    *offset_seconds = moment.zone_minutes * 60;
    return true;
}

/* ---- any ---- */

static bool refuse_time(str text, bool ambiguous, struct refusal *refusal)
{
    char room[REFUSAL_SHOWN_BYTES];
    if (ambiguous) {
        refusal_set(refusal, REFUSAL_AMBIGUOUS_DATE, "'%s' may be two days",
                    refusal_shown(text, room));
        return refusal_cure(refusal, "say the format in the mapping: dd/MM/yyyy or MM/dd/yyyy");
    }
    if (cell_has_exponent(text)) {
        refusal_set(refusal, REFUSAL_LOST_DIGITS, "'%s' has lost its digits",
                    refusal_shown(text, room));
        return refusal_cure(refusal, "export again with the column as text");
    }
    refusal_set(refusal, REFUSAL_NOT_A_TIME, "'%s' is not a time", refusal_shown(text, room));
    return refusal_cure(refusal, "times look like 2024-01-05 08:03:01; say the format of others");
}

static bool to_time_auto(str text, int zone_offset_seconds, int64_t *out_ms,
                         struct refusal *refusal)
{
    struct moment moment = { .year = 0 };
    size_t whole_digits;
    /* What most files say is read at once; all else, and what this refuses, is looked at more closely. */
    if (text.size >= 19 && text.data[4] == '-' && text.data[13] == ':' &&
        zone_offset_seconds % 60 == 0 && time_parse(text, zone_offset_seconds / 60, out_ms) &&
        *out_ms >= TIME_MIN_MS)
        return true;
    if (is_number(text, &whole_digits))
        return read_number(text, whole_digits, zone_offset_seconds, out_ms) ||
               refuse_time(text, false, refusal);
    if (read_year_first(text, &moment))
        return moment_to_ms(&moment, zone_offset_seconds, out_ms) ||
               refuse_time(text, false, refusal);
    moment = (struct moment){ .year = 0 };
    enum order_of_date order = read_year_last(text, &moment);
    if (order == DATE_CLEAR && moment_to_ms(&moment, zone_offset_seconds, out_ms))
        return true;
    return refuse_time(text, order == DATE_AMBIGUOUS, refusal);
}

bool cell_to_time(str text, const struct time_format *format, int zone_offset_seconds,
                  struct arena *arena, int64_t *out_ms, struct refusal *refusal)
{
    struct moment moment = { .year = 0 };
    bool good = false;
    str half;
    if (!cell_half_width(cell_clean(text), arena, &half, refusal))
        return false;
    switch (format->kind) {
    case TIME_AUTO:
        return to_time_auto(half, zone_offset_seconds, out_ms, refusal);
    case TIME_PATTERN:
        good = read_pattern(half, format->pattern, &moment) &&
               moment_to_ms(&moment, zone_offset_seconds, out_ms);
        break;
    case TIME_EXCEL:
    case TIME_EXCEL_1904:
        good = serial_to_ms(half, format->kind == TIME_EXCEL_1904, zone_offset_seconds, out_ms);
        break;
    case TIME_UNIX_S:
    case TIME_UNIX_MS:
        good = unix_to_ms(half, format->kind == TIME_UNIX_S, out_ms);
        break;
    }
    return good || refuse_time(half, false, refusal);
}
