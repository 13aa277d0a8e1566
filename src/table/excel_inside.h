/* SPDX-License-Identifier: Apache-2.0 */
/* excel_inside: the parts of an Excel file (ECMA-376: a zip of XML). Private to table/.
 *
 *     _rels/.rels ─▶ xl/workbook.xml ─▶ its .rels ─▶ sheets · sharedStrings.xml · styles.xml
 *
 * The sheet is streamed; shared strings and styles are held, within budgets. */
#ifndef KITH_TABLE_EXCEL_INSIDE_H
#define KITH_TABLE_EXCEL_INSIDE_H

#include <expat.h>
#include <zip.h>

#include "table/inside.h"

#define EXCEL_STRINGS_BYTES_MAX (512u * 1024 * 1024)
#define EXCEL_STRINGS_MAX (64u * 1024 * 1024)
#define EXCEL_STYLES_MAX 65536
#define EXCEL_SHEETS_MAX 1000

/* ---- a part, as a stream of XML ---- */

struct excel_xml {
    XML_Parser parser; /* handlers get the struct excel_xml, */
    void *context;     /* and find the reader's own state here */
    zip_file_t *file;
    char name[256];
    uint64_t packed_bytes, size_bytes, read_bytes;
    err error; /* why a handler stopped the parser */
    bool suspended, ended;
};
/* NOT_FOUND when there is no such part. Handlers are set by the caller on xml->parser. */
err excel_xml_open(struct excel_xml *xml, zip_t *zip, const char *part, void *context,
                   struct problem *problem) MUST_USE;
void excel_xml_close(struct excel_xml *xml);
/* Parse until a handler suspends (xml->suspended) or stops, or the end (xml->ended). */
err excel_xml_run(struct excel_xml *xml, struct problem *problem) MUST_USE;
/* From a handler. */
void excel_xml_suspend(struct excel_xml *xml);
void excel_xml_stop(struct excel_xml *xml, err error);
/* Without the prefix of its namespace. */
bool excel_name_is(const XML_Char *name, const char *local);
/* NULL when it is not there; `name` without prefix. */
const char *excel_attribute(const XML_Char **attributes, const char *name);

/* ---- the book ---- */

/* What a style makes of a number. */
enum excel_class { EXCEL_NUMBER, EXCEL_DATE, EXCEL_DATE_TIME, EXCEL_TIME, EXCEL_ELAPSED };

struct excel_sheet {
    str name;
    char part[256];
    char relation[64];
    bool hidden;
};

struct excel_book {
    zip_t *zip;
    struct arena arena;
    struct excel_sheet *sheets;
    uint32_t sheet_count;
    bool from_1904;
    char strings_part[256], styles_part[256];
    struct buffer strings; /* the shared texts, one behind the other */
    struct buffer begins;  /* uint32_t each; one more than there are texts */
    struct buffer classes; /* uint8_t (enum excel_class) for each style of a cell */
};

/* Workbook and relations: what there is. UNSUPPORTED with the cure when it is no Excel file. */
err excel_book_open(struct excel_book *book, const char *path, struct problem *problem) MUST_USE;
/* Shared strings and styles. */
err excel_book_load(struct excel_book *book, struct problem *problem) MUST_USE;
void excel_book_close(struct excel_book *book);
uint32_t excel_book_string_count(const struct excel_book *book);
str excel_book_string(const struct excel_book *book, uint32_t index);
enum excel_class excel_book_class(const struct excel_book *book, uint32_t style);

/* ---- values ---- */

enum excel_class excel_class_of_format(str code);
enum excel_class excel_class_of_number(uint32_t format);
/* A serial day as text; false when it is no time that Excel has. *kind: TIME, or TEXT for a time of day. */
bool excel_write_time(double serial, enum excel_class class, bool from_1904, struct buffer *out,
                      enum cell_kind *kind);
/* _x000D_ in texts stands for the character of that number. In place; returns the new size. */
size_t excel_unescape(char *text, size_t size);

#endif
