/* SPDX-License-Identifier: Apache-2.0 */
/* json_row: an object of JSON cut into cells. Private to table/.
 *
 * Texts are cut from the line itself, so numbers keep their digits. The keys seen so far are a tree: the path of
 * an object's members to their columns. Rows mostly have the same keys in the same order, so the next sibling is
 * tried before the hash table. */
#ifndef KITH_TABLE_JSON_ROW_H
#define KITH_TABLE_JSON_ROW_H

#include "table/inside.h"

struct json_row;

err json_row_new(struct json_row **row, struct names *names) MUST_USE;
void json_row_free(struct json_row **row);

/* `text` is valid UTF-8. *cells has names->count cells, borrowed until the next call and as long as `text`. Keys that
 * are new become columns. INVALID, with what is wrong and at which byte. */
err json_row_cut(struct json_row *row, str text, const struct table_cell **cells,
                 struct problem *problem) MUST_USE;

#endif
