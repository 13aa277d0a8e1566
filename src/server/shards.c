/* SPDX-License-Identifier: Apache-2.0 */
/* shards: what is said of the shards of a warehouse on a cluster. */
#include "server/shards.h"

#define SHARDS_TOLD_MAX 64

void shards_write_missing(struct json_writer *writer, struct warehouse *warehouse)
{
    struct problem missing = { .error = ERR_OK };
    if (warehouse != NULL && warehouse_check(warehouse, &missing) != ERR_OK)
        json_member_text(writer, STR("warehouse"), str_from_c(missing.detail));
}

void shards_write_list(struct json_writer *writer, struct warehouse *warehouse)
{
    struct warehouse_shard_state shards[SHARDS_TOLD_MAX];
    size_t count = warehouse != NULL ? warehouse_shards(warehouse, shards, SHARDS_TOLD_MAX) : 0;
    json_put_key(writer, STR("shards"));
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("url"), str_from_c(shards[i].url));
        json_member_bool(writer, STR("ready"), shards[i].is_up);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void shards_write_metrics(struct buffer *out, struct warehouse *warehouse)
{
    struct warehouse_shard_state shards[SHARDS_TOLD_MAX];
    size_t count = warehouse != NULL ? warehouse_shards(warehouse, shards, SHARDS_TOLD_MAX) : 0;
    if (count == 0)
        return;
    buffer_append_str(out, STR("# HELP kith_warehouse_shard_up 1 when this shard answers\n"
                               "# TYPE kith_warehouse_shard_up gauge\n"));
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "kith_warehouse_shard_up{shard=\"%zu\"} %d\n", i + 1, shards[i].is_up);
}
