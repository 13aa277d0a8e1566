/* SPDX-License-Identifier: Apache-2.0 */
/* guess_header: the first row that is as wide as the data and reads like names. */
#include <string.h>

#include "table/guess.h"

/* A name is short. */
#define NAME_BYTES_LONG 120

static bool is_one_of(unsigned char byte, const char *set)
{
    return byte != '\0' && strchr(set, byte) != NULL;
}

/* A number, an amount, a date, a time, a phone, a mail address, a link: not the name of a column. */
static bool is_value(const struct table_cell *cell)
{
    str text = str_trim(cell->text);
    if (cell->kind == CELL_NUMBER || cell->kind == CELL_TIME || cell->kind == CELL_BOOL ||
        cell->kind == CELL_LOST || text.size > NAME_BYTES_LONG)
        return true;
    bool digit = false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '@' && i > 0)
            return true;
        if (byte >= '0' && byte <= '9')
            digit = true;
    }
    if (!digit)
        return false;
    if (str_starts_with(text, STR("http")))
        return true;
    for (size_t i = 0; i < text.size; i++) {
        static const str signs[] = { TEXT("年"), TEXT("月"), TEXT("日"), TEXT("时"), TEXT("分"),
                                     TEXT("秒"), TEXT("￥"), TEXT("¥"),  TEXT("元") };
        unsigned char byte = (unsigned char)text.data[i];
        if ((byte >= '0' && byte <= '9') || is_one_of(byte, "+-.,:/ %$*TZE#"))
            continue;
        bool sign = false;
        for (size_t k = 0; k < sizeof(signs) / sizeof(signs[0]) && !sign; k++)
            if (str_starts_with(str_slice(text, i, text.size), signs[k])) {
                sign = true;
                i += signs[k].size - 1;
            }
        if (!sign)
            return false;
    }
    return true;
}

static uint32_t filled(const struct guess_row *row)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < row->count; i++)
        count += str_trim(row->cells[i].text).size > 0;
    return count;
}

static uint32_t values(const struct guess_row *row)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < row->count; i++)
        count += is_value(&row->cells[i]);
    return count;
}

/* How wide the data is: the width that most rows have. */
static uint32_t usual_width(const struct guess_row *rows, size_t count)
{
    uint32_t width = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t same = 0;
        for (size_t k = 0; k < count; k++)
            same += rows[k].count == rows[i].count;
        if (same > most || (same == most && rows[i].count > width)) {
            most = same;
            width = rows[i].count;
        }
    }
    return width;
}

/* Below a name that is text, values stand. */
static bool has_contrast(const struct guess_row *rows, size_t count, size_t place)
{
    const struct guess_row *names = &rows[place];
    for (uint32_t column = 0; column < names->count; column++) {
        uint32_t below = 0, like_values = 0;
        if (str_trim(names->cells[column].text).size == 0 || is_value(&names->cells[column]))
            continue;
        for (size_t i = place + 1; i < count; i++) {
            if (column >= rows[i].count || rows[i].cells[column].text.size == 0)
                continue;
            below++;
            like_values += is_value(&rows[i].cells[column]);
        }
        if (below > 0 && like_values * 2 > below)
            return true;
    }
    return false;
}

/* A value comes again below it; a name does not, unless the whole row of names does. */
static bool comes_again(const struct guess_row *rows, size_t count, size_t place)
{
    const struct guess_row *names = &rows[place];
    for (size_t i = place + 1; i < count; i++) {
        uint32_t same = 0, compared = 0;
        for (uint32_t column = 0; column < names->count && column < rows[i].count; column++) {
            if (names->cells[column].text.size == 0)
                continue;
            compared++;
            same += str_equal(names->cells[column].text, rows[i].cells[column].text);
        }
        if (same > 0 && same < compared)
            return true;
    }
    return false;
}

uint32_t guess_header(const struct guess_row *rows, size_t count)
{
    uint32_t width = usual_width(rows, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t cells = filled(&rows[i]);
        if (cells * 2 <= width)
            continue;
        uint32_t like_values = values(&rows[i]);
        bool contrast = has_contrast(rows, count, i);
        bool names = like_values == 0 ? contrast || !comes_again(rows, count, i)
                                      : contrast && like_values * 5 <= cells;
        return names ? (uint32_t)rows[i].place : 0;
    }
    return 0;
}
