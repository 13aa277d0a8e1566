/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_text: where PostgreSQL's words differ from those of store/migrations and ledger_table.c. Private to store/. */
#ifndef KITH_STORE_POSTGRES_TEXT_H
#define KITH_STORE_POSTGRES_TEXT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

/* A migration in PostgreSQL's words: INTEGER is BIGINT, BLOB is BYTEA, TEXT sorts by its bytes, WITHOUT ROWID goes. What
 * stands in quotes and comments stays. */
void postgres_write_migration(str text, struct buffer *out);
/* '?' becomes $1, $2 …; how many there are. */
int postgres_write_statement(str text, struct buffer *out);
/* What an SQLSTATE means to who called; "" or NULL: the connection is lost. */
err postgres_error_of(const char *state);

#endif
