/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of the shards of a warehouse on a cluster: in /readyz, /metrics and /system. Any thread. */
#ifndef KITH_SERVER_SHARDS_H
#define KITH_SERVER_SHARDS_H

#include "base/json.h"
#include "store/warehouse.h"

/* "warehouse": what of it is missing; nothing where nothing is. */
void shards_write_missing(struct json_writer *writer, struct warehouse *warehouse);
/* "shards": of a cluster each, with its address; an empty list when it is embedded. */
void shards_write_list(struct json_writer *writer, struct warehouse *warehouse);
/* By number, not by address: the page may be read by many. */
void shards_write_metrics(struct buffer *out, struct warehouse *warehouse);

#endif
