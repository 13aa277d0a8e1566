/* SPDX-License-Identifier: Apache-2.0 */
/* excel: what detection asks of an Excel file. Private to table/. */
#ifndef KITH_TABLE_EXCEL_H
#define KITH_TABLE_EXCEL_H

#include "table/inside.h"

/* Sets form->sheets and form->sheet (the first that is shown). UNSUPPORTED with the cure for a zip that is no Excel
 * file. */
err excel_look(const char *path, struct table_form *form, struct problem *problem) MUST_USE;
/* JSON array of the names. */
err excel_write_sheets(const char *path, struct buffer *out, struct problem *problem) MUST_USE;

#endif
