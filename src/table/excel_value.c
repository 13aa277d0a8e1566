/* SPDX-License-Identifier: Apache-2.0 */
/* excel_value: what number formats mean, serial days as times, and escapes in texts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "table/excel_inside.h"

/* ---- formats ---- */

/* The built-in ones (ECMA-376, 18.8.30), and those that Chinese Excel uses without writing them out (27-36, 50-58). */
enum excel_class excel_class_of_number(uint32_t format)
{
    if ((format >= 14 && format <= 17) || (format >= 27 && format <= 31) || format == 36 ||
        (format >= 50 && format <= 54) || format == 57 || format == 58)
        return EXCEL_DATE;
    if (format == 22)
        return EXCEL_DATE_TIME;
    if (format == 46)
        return EXCEL_ELAPSED;
    if ((format >= 18 && format <= 21) || format == 45 || format == 47 ||
        (format >= 32 && format <= 35) || format == 55 || format == 56)
        return EXCEL_TIME;
    return EXCEL_NUMBER;
}

/* [h], [mm], [ss]: a time that goes on beyond 24 hours. */
static bool is_elapsed(str bracket)
{
    if (bracket.size == 0)
        return false;
    for (size_t i = 0; i < bracket.size; i++)
        if (strchr("hHmMsS", bracket.data[i]) == NULL || bracket.data[i] != bracket.data[0])
            return false;
    return true;
}

/* Letters of the first section that are neither quoted, escaped nor in brackets tell. */
enum excel_class excel_class_of_format(str code)
{
    bool date = false, time = false, month = false, elapsed = false;
    if (str_equal_ignoring_case(code, STR("general")))
        return EXCEL_NUMBER;
    for (size_t i = 0; i < code.size && code.data[i] != ';'; i++) {
        str rest = str_slice(code, i + 1, code.size);
        switch (code.data[i]) {
        case '"':
            i += str_find_byte(rest, '"') + 1;
            break;
        case '[':
            elapsed |= is_elapsed(str_slice(rest, 0, str_find_byte(rest, ']')));
            i += str_find_byte(rest, ']') + 1;
            break;
        case '\\':
        case '_':
        case '*':
            i++;
            break;
        case 'y':
        case 'Y':
        case 'd':
        case 'D':
            date = true;
            break;
        case 'h':
        case 'H':
        case 's':
        case 'S':
            time = true;
            break;
        case 'm':
        case 'M':
            month = true;
            break;
        default:
            break;
        }
    }
    if (elapsed)
        return EXCEL_ELAPSED;
    if (date || (month && !time))
        return time ? EXCEL_DATE_TIME : EXCEL_DATE;
    return time ? EXCEL_TIME : EXCEL_NUMBER;
}

/* ---- times ---- */

#define SERIAL_MAX 2958466 /* 10000-01-01 */
/* Days from 1970-01-01 back to day 0 of either calendar. Excel's 1900 has a 29th of February that never was:
 * before March its days are one less. */
#define EPOCH_1900 25569
#define EPOCH_1904 24107
#define FALSE_LEAP_DAY 60

/* Writers cut the fraction of a day after some digits: what is this near a second is that second. */
static int64_t milliseconds_of(double serial)
{
    int64_t ms = (int64_t)llround(serial * DAY_MS);
    int64_t seconds = (ms + 500) / 1000;
    int64_t off = ms - seconds * 1000;
    return off >= -2 && off <= 2 ? seconds * 1000 : ms;
}

static void write_clock(int64_t ms, struct buffer *out)
{
    buffer_printf(out, "%02lld:%02lld:%02lld", (long long)(ms / HOUR_MS),
                  (long long)(ms / MINUTE_MS % 60), (long long)(ms / SECOND_MS % 60));
    if (ms % SECOND_MS != 0)
        buffer_printf(out, ".%03lld", (long long)(ms % SECOND_MS));
}

static void write_day(int64_t day, struct buffer *out)
{
    struct date date = date_of_day(day);
    buffer_printf(out, "%04lld-%02d-%02d", (long long)date.year, date.month, date.day);
}

bool excel_write_time(double serial, enum excel_class class, bool from_1904, struct buffer *out,
                      enum cell_kind *kind)
{
    if (!(serial >= 0) || serial >= SERIAL_MAX)
        return false;
    int64_t ms = milliseconds_of(serial);
    *kind = CELL_TEXT;
    if (class == EXCEL_ELAPSED || (class == EXCEL_TIME && ms < DAY_MS)) {
        write_clock(ms, out);
        return true;
    }
    *kind = CELL_TIME;
    int64_t day = ms / DAY_MS;
    int64_t epoch = from_1904 ? EPOCH_1904 : day < FALSE_LEAP_DAY ? EPOCH_1900 - 1 : EPOCH_1900;
    write_day(day - epoch, out);
    if (class != EXCEL_DATE || ms % DAY_MS != 0) {
        buffer_append_byte(out, ' ');
        write_clock(ms % DAY_MS, out);
    }
    return true;
}

/* ---- escapes ---- */

static int hex_of(char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char *found =
        byte != '\0' ? strchr(digits, byte >= 'A' && byte <= 'F' ? byte + 32 : byte) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

/* The character of "_x000D_" at the beginning of `text`; -1: it is none. */
static int32_t escaped_character(str text)
{
    int32_t character = 0;
    if (text.size < 7 || text.data[0] != '_' || text.data[1] != 'x' || text.data[6] != '_')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_of(text.data[i]);
        if (digit < 0)
            return -1;
        character = character << 4 | digit;
    }
    return character;
}

size_t excel_unescape(char *text, size_t size)
{
    size_t to = 0;
    for (size_t at = 0; at < size;) {
        int32_t character = escaped_character(str_from_bytes(text + at, size - at));
        /* Others than ASCII are never written so. */
        if (character > 0 && character < 0x80) {
            text[to++] = (char)character;
            at += 7;
        } else {
            text[to++] = text[at++];
        }
    }
    return to;
}
