/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_sql: the product's SQL as servers of a cluster understand it. Private to store/.
 *
 * Kith writes one SQL, that of the embedded warehouse. On a cluster the tables lie otherwise (docs/formats/warehouse.md)
 * and servers may be years old: Debian's is 18.16. The text is rewritten here, token by token, never within a quoted text:
 *
 *     {name:Type}              the value, quoted: CAST('…' AS Type); no value is ever text of the query
 *     FROM events_kept         FROM events PREWHERE <not taken back>; a view would read all of the table
 *     WAREHOUSE_CURRENT_…      joinGet over a table of the Join engine, instead of a dictionary
 *     x IN (SELECT …)          x GLOBAL IN (SELECT …): the inner one too is about the rows of all
 *     TABLE events             TABLE events_shard, in what is no SELECT: it is done on each shard
 *     JSONExtractString(props, 'name')   of servers before 20: a pattern that keeps to the outermost object
 *     multiSearchAny(props, ['a', …])    of servers before 20: position(props, 'a') > 0 OR …
 *
 * Newer servers understand all of it as well, so there is one text for all. */
#ifndef KITH_STORE_CLUSTER_SQL_H
#define KITH_STORE_CLUSTER_SQL_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/warehouse.h"

/* A text as a literal of SQL, any bytes: quoted, and what the server would read as an escape is escaped. */
void cluster_sql_quote(struct buffer *out, str text);
/* INVALID: a parameter that has no value or no type, a text that does not end. `modern`: of 20 or later. */
err cluster_sql_write(str sql, const struct warehouse_parameter *parameters, size_t parameter_count,
                      bool modern, struct buffer *out, struct problem *problem) MUST_USE;
/* SELECT, SHOW, DESCRIBE, EXISTS: asked once. Everything else is done on each shard. */
bool cluster_sql_is_question(str sql);

#endif
