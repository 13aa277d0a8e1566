/* SPDX-License-Identifier: Apache-2.0 */
/* form: how to read a file, as JSON. */
#include <stdio.h>
#include <string.h>

#include "table/excel.h"
#include "table/inside.h"
#include "table/temporary.h"

#include <unistd.h>

static const char *const formats[] = { "", "csv", "xlsx", "jsonl", "parquet" };
static const char *const packings[] = { "plain", "gzip", "zstd" };
static const char *const encodings[] = { "utf-8", "gb18030", "utf-16le", "utf-16be",
                                         "windows-1252" };
#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static str text_of_byte(const char *byte)
{
    return str_from_bytes(byte, *byte != '\0' ? 1 : 0);
}

void table_form_write(const struct table_form *form, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("format"), str_from_c(formats[form->format]));
    json_member_text(&writer, STR("packing"), str_from_c(packings[form->packing]));
    json_member_text(&writer, STR("encoding"), str_from_c(encodings[form->encoding]));
    json_member_text(&writer, STR("separator"), text_of_byte(&form->separator));
    json_member_text(&writer, STR("quote"), text_of_byte(&form->quote));
    json_member_int(&writer, STR("header_row"), form->header_row);
    json_member_int(&writer, STR("sheet"), form->sheet);
    json_member_int(&writer, STR("sheets"), form->sheets);
    json_end_object(&writer);
}

static err refuse(struct problem *problem, const char *member, const char *cure)
{
    problem_set(problem, ERR_INVALID, "'%s' of the form cannot be this", member);
    problem_at(problem, ERR_INVALID, "/%s", member);
    return problem_hint(problem, ERR_INVALID, "%s", cure);
}

/* The place of the member's text in `names`; *out stays when there is none. */
static err read_name(json_value json, const char *member, const char *const *names, int count,
                     const char *cure, int *out, struct problem *problem)
{
    json_value value = json_get(json, str_from_c(member));
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    for (int i = 0; i < count; i++)
        if (names[i][0] != '\0' && str_equal(json_text(value), str_from_c(names[i]))) {
            *out = i;
            return ERR_OK;
        }
    return refuse(problem, member, cure);
}

static err read_byte(json_value json, const char *member, bool may_be_none, char *out,
                     struct problem *problem)
{
    json_value value = json_get(json, str_from_c(member));
    str text = json_text(value);
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    bool fine = json_kind(value) == JSON_TEXT && text.size <= 1 && (may_be_none || text.size == 1);
    if (fine && text.size == 1)
        fine = (unsigned char)text.data[0] < 0x80 && text.data[0] != '\n' && text.data[0] != '\r';
    if (!fine)
        return refuse(problem, member, "one ASCII character, such as ',' or a tab");
    *out = text.size == 1 ? text.data[0] : '\0';
    return ERR_OK;
}

static err read_count(json_value json, const char *member, uint32_t *out, struct problem *problem)
{
    json_value value = json_get(json, str_from_c(member));
    int64_t number = json_int(value, -1);
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    if (number < 0 || number > INT32_MAX)
        return refuse(problem, member, "a number from 0 up");
    *out = (uint32_t)number;
    return ERR_OK;
}

static err read_names(json_value json, struct table_form *form, struct problem *problem)
{
    int format = (int)form->format, packing = (int)form->packing, encoding = (int)form->encoding;
    err error = read_name(json, "format", formats, COUNT(formats),
                          "one of csv, xlsx, jsonl, parquet", &format, problem);
    if (error == ERR_OK)
        error = read_name(json, "packing", packings, COUNT(packings), "one of plain, gzip, zstd",
                          &packing, problem);
    if (error == ERR_OK)
        error = read_name(json, "encoding", encodings, COUNT(encodings),
                          "one of utf-8, gb18030, utf-16le, utf-16be", &encoding, problem);
    form->format = (enum table_format)format;
    form->packing = (enum table_packing)packing;
    form->encoding = (enum table_encoding)encoding;
    return error;
}

err table_form_read(json_value json, struct table_form *form, struct problem *problem)
{
    struct table_form read = *form;
    if (!json_is_object(json))
        return problem_set(problem, ERR_INVALID, "the form of a file is a JSON object");
    err error = read_names(json, &read, problem);
    if (error == ERR_OK)
        error = read_byte(json, "separator", read.format != TABLE_CSV, &read.separator, problem);
    if (error == ERR_OK)
        error = read_byte(json, "quote", true, &read.quote, problem);
    if (error == ERR_OK && read.quote != '\0' && read.quote == read.separator)
        error = refuse(problem, "quote", "another character than the separator");
    if (error == ERR_OK)
        error = read_count(json, "header_row", &read.header_row, problem);
    if (error == ERR_OK)
        error = read_count(json, "sheet", &read.sheet, problem);
    if (error == ERR_OK)
        error = read_count(json, "sheets", &read.sheets, problem);
    if (error == ERR_OK)
        *form = read;
    return error;
}

err table_sheets_write(const char *path, const struct table_form *form, struct buffer *out,
                       struct problem *problem)
{
    char unpacked[TEMPORARY_PATH_BYTES];
    int fd = -1;
    if (form->format != TABLE_XLSX) {
        buffer_append_str(out, STR("[]"));
        return ERR_OK;
    }
    if (form->packing == TABLE_PLAIN)
        return excel_write_sheets(path, out, problem);
    err error = temporary_unpack(path, form->packing, &fd, problem);
    if (error != ERR_OK)
        return error;
    temporary_path(fd, unpacked);
    error = excel_write_sheets(unpacked, out, problem);
    close(fd);
    return error;
}
