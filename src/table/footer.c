/* SPDX-License-Identifier: Apache-2.0 */
/* footer: closing lines that people's systems write below the data; and the text of refused rows. */
#include "table/decode.h"
#include "table/inside.h"

/* A word of a sum stands alone or before a mark ("合计：", "合计(3)"); one of a report begins the cell. */
static const str sum_words[] = { TEXT("合计"),       TEXT("总计"),  TEXT("小计"),
                                 TEXT("共计"),       TEXT("累计"),  TEXT("总和"),
                                 TEXT("Total"),      TEXT("TOTAL"), TEXT("total"),
                                 TEXT("Sum"),        TEXT("SUM"),   TEXT("Grand total"),
                                 TEXT("Grand Total") };
static const str report_words[] = { TEXT("导出时间"), TEXT("导出日期"),    TEXT("导出人"),
                                    TEXT("制表时间"), TEXT("制表人"),      TEXT("制表日期"),
                                    TEXT("打印时间"), TEXT("统计时间"),    TEXT("生成时间"),
                                    TEXT("下载时间"), TEXT("Exported at"), TEXT("Exported on") };
static const str marks[] = { TEXT(":"), TEXT("："), TEXT("("), TEXT("（"),
                             TEXT(" "), TEXT("="),  TEXT("\t") };
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool is_footer_word(str text)
{
    for (size_t i = 0; i < COUNT(report_words); i++)
        if (str_starts_with(text, report_words[i]))
            return true;
    for (size_t i = 0; i < COUNT(sum_words); i++) {
        if (!str_starts_with(text, sum_words[i]))
            continue;
        str rest = str_slice(text, sum_words[i].size, text.size);
        for (size_t k = 0; k < COUNT(marks); k++)
            if (rest.size == 0 || str_starts_with(rest, marks[k]))
                return true;
    }
    return false;
}

/* The first bytes of all these words; most rows end here. */
static bool may_be_footer(str text)
{
    if (text.size < 3)
        return false;
    switch ((unsigned char)text.data[0]) {
    case 0xE5:
    case 0xE6:
    case 0xE7:
    case 0xE4:
    case 0xE3:
    case 'T':
    case 't':
    case 'S':
    case 'G':
    case 'E':
    case '#':
    case '*':
    case ' ':
        return true;
    default:
        return false;
    }
}

bool footer_is(const struct table_cell *cells, uint32_t count, uint32_t columns)
{
    uint32_t first = 0, filled = 0;
    while (first < count && cells[first].text.size == 0)
        first++;
    if (first == count || !may_be_footer(cells[first].text))
        return false;
    str text = cells[first].text;
    while (text.size > 0 && (text.data[0] == '#' || text.data[0] == '*' || text.data[0] == ' '))
        text = str_slice(text, 1, text.size);
    if (!is_footer_word(str_trim(text)))
        return false;
    for (uint32_t i = first; i < count; i++)
        filled += cells[i].text.size > 0;
    return filled < columns;
}

void raw_write(struct buffer *out, str text)
{
    text = str_slice(text, 0, TABLE_RAW_BYTES_MAX);
    while (text.size > 0) {
        bool cut;
        size_t valid = decode_utf8_valid(text.data, text.size, &cut);
        buffer_append(out, text.data, valid);
        if (valid == text.size || cut)
            return;
        buffer_append_str(out, STR("\xEF\xBF\xBD"));
        text = str_slice(text, valid + 1, text.size);
    }
}
