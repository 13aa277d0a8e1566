/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of numbers, amounts and times. Numbers are whole millionths: the same on every machine. */
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/money.h"
#include "template/inside.h"

#define DIGITS_MAX 6

__extension__ typedef __int128 wide;

/* ---- numbers and texts ---- */

/* "-1299.5": digits, a point, at most six more digits that count. */
bool number_parse(str text, int64_t *millionths)
{
    bool is_negative = text.size > 0 && text.data[0] == '-';
    wide number = 0;
    int decimals = -1;
    size_t digits = 0;
    for (size_t i = is_negative; i < text.size; i++) {
        char c = text.data[i];
        if (c == '.' && decimals < 0 && digits > 0) {
            decimals = 0;
            continue;
        }
        if (c < '0' || c > '9' || ++digits > 40)
            return false;
        if (decimals >= DIGITS_MAX)
            continue;
        number = number * 10 + (c - '0');
        decimals += decimals >= 0;
        if (number > INT64_MAX)
            return false;
    }
    if (digits == 0 || text.data[text.size - 1] == '.')
        return false;
    for (int i = decimals < 0 ? 0 : decimals; i < DIGITS_MAX; i++)
        number *= 10;
    if (number > INT64_MAX)
        return false;
    *millionths = (int64_t)(is_negative ? -number : number);
    return true;
}

static int64_t power_of_ten(int exponent)
{
    int64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

/* Half away from zero, as people round prices. */
int64_t number_round(int64_t millionths, int digits)
{
    if (digits >= DIGITS_MAX)
        return millionths;
    int64_t unit = power_of_ten(DIGITS_MAX - digits), rest = millionths % unit;
    int64_t whole = millionths - rest;
    if (rest >= unit / 2 + (unit == 1) && whole <= INT64_MAX - unit)
        whole += unit;
    if (-rest >= unit / 2 + (unit == 1) && whole >= -INT64_MAX + unit)
        whole -= unit;
    return whole;
}

static size_t write_whole(uint64_t whole, bool grouped, char *out)
{
    char digits[32];
    size_t count = 0, size = 0;
    do {
        digits[count++] = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole > 0);
    while (count-- > 0) {
        out[size++] = digits[count];
        if (grouped && count > 0 && count % 3 == 0)
            out[size++] = ',';
    }
    return size;
}

size_t number_write(int64_t millionths, int digits, bool grouped, char out[NUMBER_BYTES])
{
    size_t size = 0;
    if (digits >= 0)
        millionths = number_round(millionths, digits);
    uint64_t magnitude = millionths < 0 ? 0 - (uint64_t)millionths : (uint64_t)millionths;
    uint64_t decimals = magnitude % (uint64_t)MILLION;
    if (millionths < 0)
        out[size++] = '-';
    size += write_whole(magnitude / (uint64_t)MILLION, grouped, out + size);
    int shown = digits < 0 ? DIGITS_MAX : digits < DIGITS_MAX ? digits : DIGITS_MAX;
    for (;
         digits < 0 && shown > 0 && decimals % (uint64_t)power_of_ten(DIGITS_MAX + 1 - shown) == 0;)
        shown--;
    if (shown > 0)
        out[size++] = '.';
    for (int i = 1; i <= shown; i++)
        out[size++] = (char)('0' + decimals / (uint64_t)power_of_ten(DIGITS_MAX - i) % 10);
    return size;
}

static err number_of(struct rendering *rendering, const struct template_value *value,
                     int64_t *millionths)
{
    return value_number(value, millionths)
               ? ERR_OK
               : rendering_fail(rendering, "a number is wanted here, and the value is none");
}

static err digits_of(struct rendering *rendering, const struct template_value *arguments,
                     size_t count, int otherwise, int *digits)
{
    int64_t millionths;
    *digits = otherwise;
    if (count == 0)
        return ERR_OK;
    if (!value_number(&arguments[0], &millionths) || millionths < 0 ||
        millionths > DIGITS_MAX * MILLION)
        return rendering_fail(rendering, "decimals are from 0 to %d", DIGITS_MAX);
    *digits = (int)(millionths / MILLION);
    return ERR_OK;
}

static err set_text(struct rendering *rendering, struct template_value *value, str text)
{
    str kept;
    if (arena_dup(&rendering->scratch, text, &kept) != ERR_OK)
        return rendering_nomem(rendering);
    value_set_text(value, kept);
    return ERR_OK;
}

FILTER(number)
{
    char text[NUMBER_BYTES];
    int64_t number = 0;
    int digits = -1;
    err error = number_of(rendering, value, &number);
    if (error == ERR_OK)
        error = digits_of(rendering, arguments, count, -1, &digits);
    return error == ERR_OK
               ? set_text(rendering, value,
                          str_from_bytes(text, number_write(number, digits, true, text)))
               : error;
}

FILTER(round)
{
    int64_t number = 0;
    int digits = 0;
    err error = number_of(rendering, value, &number);
    if (error == ERR_OK)
        error = digits_of(rendering, arguments, count, 0, &digits);
    if (error == ERR_OK)
        value_set_number(value, number_round(number, digits));
    return error;
}

FILTER(percent)
{
    char text[NUMBER_BYTES + 1];
    int64_t number = 0;
    int digits = -1;
    err error = number_of(rendering, value, &number);
    if (error == ERR_OK)
        error = digits_of(rendering, arguments, count, -1, &digits);
    if (error == ERR_OK && (number > INT64_MAX / 100 || number < -INT64_MAX / 100))
        error = rendering_fail(rendering, "this number is too large");
    if (error != ERR_OK)
        return error;
    size_t size = number_write(number * 100, digits, false, text);
    text[size++] = '%';
    return set_text(rendering, value, str_from_bytes(text, size));
}

/* Minor units with as many digits behind the point as the currency has. */
FILTER(money)
{
    char text[NUMBER_BYTES];
    int64_t number = 0;
    str style = STR_NONE;
    bool known = true;
    err error = number_of(rendering, value, &number);
    if (error == ERR_OK && count > 0)
        error = value_text(rendering, &arguments[0], &style);
    if (error != ERR_OK)
        return error;
    bool is_short = str_equal(style, STR("short"));
    int digits = style.size == 0 || is_short ? 2 : currency_minor_digits(style, &known);
    if (!known)
        return rendering_fail(rendering, "the filter 'money' knows no currency of that name");
    int64_t major = number / power_of_ten(digits);
    if (is_short && number % (power_of_ten(digits) * MILLION) == 0)
        digits = 0;
    return set_text(rendering, value,
                    str_from_bytes(text, number_write(major, digits, false, text)));
}

/* ---- arithmetic ---- */

static err calculate(struct rendering *rendering, struct template_value *value,
                     const struct template_value *argument, char sign)
{
    int64_t a = 0, b = 0;
    wide result;
    err error = number_of(rendering, value, &a);
    if (error == ERR_OK)
        error = number_of(rendering, argument, &b);
    if (error != ERR_OK)
        return error;
    if (sign == '/' && b == 0)
        return rendering_fail(rendering, "divided by 0");
    if (sign == '+' || sign == '-')
        result = sign == '+' ? (wide)a + b : (wide)a - b;
    else
        result = sign == '*' ? (wide)a * b / MILLION : (wide)a * MILLION / b;
    if (result > INT64_MAX || result < -INT64_MAX)
        return rendering_fail(rendering, "the number becomes too large");
    value_set_number(value, (int64_t)result);
    return ERR_OK;
}

FILTER(plus)
{
    (void)count;
    return calculate(rendering, value, &arguments[0], '+');
}

FILTER(minus)
{
    (void)count;
    return calculate(rendering, value, &arguments[0], '-');
}

FILTER(times)
{
    (void)count;
    return calculate(rendering, value, &arguments[0], '*');
}

FILTER(divided_by)
{
    (void)count;
    return calculate(rendering, value, &arguments[0], '/');
}

/* ---- times ---- */

struct civil {
    int64_t year, day_of_year; /* from 1 */
    int month, day, weekday;   /* 0: Sunday */
    int hour, minute, second;
};

static void civil_of(int64_t local_ms, struct civil *out)
{
    int64_t day = floor_div(local_ms, DAY_MS);
    int64_t seconds = (local_ms - day * DAY_MS) / SECOND_MS;
    struct date date = date_of_day(day);
    *out = (struct civil){
        .year = date.year,
        .day_of_year = day - day_of_date(date.year, 1, 1) + 1,
        .month = date.month,
        .day = date.day,
        .weekday = (weekday_of_day(day) + 1) % 7,
        .hour = (int)(seconds / 3600),
        .minute = (int)(seconds / 60 % 60),
        .second = (int)(seconds % 60),
    };
}

/* In English and Chinese, as %a, %A, %b and %B say it. */
static const char *const names[2][4][12] = {
    { { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" },
      { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" },
      { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" },
      { "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December" } },
    { { "周日", "周一", "周二", "周三", "周四", "周五", "周六" },
      { "星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六" },
      { "1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月" },
      { "1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月" } },
};

static const char *name_of(const struct civil *time, char letter, bool is_chinese)
{
    bool is_day = letter == 'a' || letter == 'A', is_full = letter == 'A' || letter == 'B';
    return names[is_chinese][(is_day ? 0 : 2) + is_full][is_day ? time->weekday : time->month - 1];
}

/* One letter behind '%' ('-': without zeros in front). False: there is no such. */
static bool write_field(struct buffer *out, const struct civil *time, char letter, bool is_bare,
                        bool is_chinese)
{
    switch (letter) {
    case 'Y':
        buffer_printf(out, "%04lld", (long long)time->year);
        return true;
    case 'y':
        buffer_printf(out, "%02d", (int)(time->year % 100));
        return true;
    case 'm':
        buffer_printf(out, is_bare ? "%d" : "%02d", time->month);
        return true;
    case 'd':
        buffer_printf(out, is_bare ? "%d" : "%02d", time->day);
        return true;
    case 'H':
        buffer_printf(out, is_bare ? "%d" : "%02d", time->hour);
        return true;
    case 'I':
        buffer_printf(out, is_bare ? "%d" : "%02d", (time->hour + 11) % 12 + 1);
        return true;
    case 'M':
        buffer_printf(out, is_bare ? "%d" : "%02d", time->minute);
        return true;
    case 'S':
        buffer_printf(out, is_bare ? "%d" : "%02d", time->second);
        return true;
    case 'j':
        buffer_printf(out, is_bare ? "%d" : "%03d", (int)time->day_of_year);
        return true;
    case 'p':
        buffer_append_str(out, is_chinese ? (time->hour < 12 ? STR("上午") : STR("下午"))
                                          : (time->hour < 12 ? STR("AM") : STR("PM")));
        return true;
    case 'a':
    case 'A':
    case 'b':
    case 'B':
        buffer_append_str(out, str_from_c(name_of(time, letter, is_chinese)));
        return true;
    case '%':
        buffer_append_byte(out, '%');
        return true;
    default:
        return false;
    }
}

err time_text(struct rendering *rendering, int64_t time_ms, str format, str *out)
{
    bool is_chinese = !str_starts_with(rendering->values->locale, STR("en"));
    int64_t local_ms = time_ms + rendering->values->zone_offset_seconds * SECOND_MS;
    struct civil time;
    struct buffer text;
    err error = ERR_OK;
    if (time_ms > INT64_C(253402300799999) || time_ms < -INT64_C(62135596800000))
        return rendering_fail(rendering, "a time is outside of the years 1 to 9999");
    if (format.size == 0)
        format = is_chinese ? STR("%Y年%-m月%-d日") : STR("%b %-d, %Y");
    civil_of(local_ms, &time);
    buffer_init(&text, 4096);
    for (size_t i = 0; error == ERR_OK && i < format.size; i++) {
        if (format.data[i] != '%') {
            buffer_append_byte(&text, (uint8_t)format.data[i]);
            continue;
        }
        bool is_bare = i + 1 < format.size && format.data[i + 1] == '-';
        i += is_bare ? 2 : 1;
        char letter = i < format.size ? format.data[i] : '\0';
        if (!write_field(&text, &time, letter, is_bare, is_chinese)) {
            error =
                rendering_fail(rendering, "a date's form does not know what stands behind '%%'");
            problem_hint(
                rendering->problem, error,
                "there are %%Y %%m %%d %%H %%M %%S %%-m %%-d %%a %%A %%b %%B %%j %%p %%%%");
        }
    }
    if (error == ERR_OK && text.failed)
        error = rendering_fail(rendering, "a date's form is too long");
    if (error == ERR_OK && arena_dup(&rendering->scratch, buffer_str(&text), out) != ERR_OK)
        error = rendering_nomem(rendering);
    buffer_deinit(&text);
    return error;
}

/* A time, or a text or number of ms that is one. */
static err time_of(struct rendering *rendering, const struct template_value *value,
                   int64_t *time_ms)
{
    if (value->kind == TEMPLATE_TIME)
        *time_ms = value->number;
    else if (value->kind == TEMPLATE_NUMBER && value->number / MILLION > 100000000)
        *time_ms = value->number / MILLION * (value->number / MILLION < 100000000000 ? 1000 : 1);
    else if (value->kind != TEMPLATE_TEXT ||
             !time_parse(value->text, rendering->values->zone_offset_seconds / 60, time_ms))
        return rendering_fail(rendering, "a time is wanted here, and the value is none");
    return ERR_OK;
}

FILTER(date)
{
    int64_t time_ms = 0;
    str format = STR_NONE, text;
    err error = time_of(rendering, value, &time_ms);
    if (error == ERR_OK && count > 0)
        error = value_text(rendering, &arguments[0], &format);
    if (error == ERR_OK)
        error = time_text(rendering, time_ms, format, &text);
    if (error == ERR_OK)
        value_set_text(value, text);
    return error;
}

FILTER(add_days)
{
    int64_t time_ms = 0, days = 0;
    (void)count;
    err error = time_of(rendering, value, &time_ms);
    if (error == ERR_OK)
        error = number_of(rendering, &arguments[0], &days);
    if (error != ERR_OK)
        return error;
    if (days > 100000 * MILLION || days < -100000 * MILLION)
        return rendering_fail(rendering, "that are too many days");
    *value = (struct template_value){ .kind = TEMPLATE_TIME,
                                      .number = time_ms + days / 1000 * (DAY_MS / 1000) };
    return ERR_OK;
}
