/* SPDX-License-Identifier: Apache-2.0 */
/* guess: how a sample of a file wants to be read: encoding, separator and quote, the row of names. Private to table/.
 *
 * Nothing here fails for odd input: a guess is shown to people, who can change it. */
#ifndef KITH_TABLE_GUESS_H
#define KITH_TABLE_GUESS_H

#include "table/inside.h"

/* `whole`: the sample is all of the file. False when it is no text at all. */
bool guess_encoding(str bytes, bool whole, enum table_encoding *encoding);
/* Separator and quote of `text`, which is UTF-8. */
err guess_dialect(str text, bool whole, str hint, struct table_form *form,
                  struct problem *problem) MUST_USE;

/* The row of names among the first rows. */
#define GUESS_ROWS_MAX 60
struct guess_row {
    uint64_t place; /* what table_form.header_row would be */
    const struct table_cell *cells;
    uint32_t count;
};
uint32_t guess_header(const struct guess_row *rows, size_t count);

#endif
