/* SPDX-License-Identifier: Apache-2.0 */
/* renew_count: what is still sealed by older keys, store by store, for `kith check`; counted apart from the job, so that the one shows
 * where the other is wrong. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "access/sealed_file.h"
#include "base/clock.h"
#include "base/codec.h"
#include "privacy/inside.h"

#define QUERY_MS (30 * MINUTE_MS)

struct counting {
    const struct keys *keys;
    enum ledger_table table;
    uint64_t found;
};

static bool count_row(void *context, const struct ledger_value *values)
{
    struct counting *counting = context;
    size_t old = 0;
    for (int i = ledger_table_keys(counting->table); i < ledger_table_columns(counting->table); i++)
        if (values[i].kind == LEDGER_TEXT || values[i].kind == LEDGER_BLOB)
            old += keys_count_old(counting->keys, values[i].bytes);
    counting->found += old > 0;
    return true;
}

static err count_ledger(struct engine *engine, uint64_t *found, struct problem *problem)
{
    struct counting counting = { .keys = engine_keys(engine) };
    err error = ERR_OK;
    for (int table = 0; error == ERR_OK && table < LEDGER_TABLE_COUNT; table++) {
        counting.table = (enum ledger_table)table;
        if (counting.table != LEDGER_AUDIT)
            error = ledger_scan(engine_ledger(engine), counting.table, NULL, count_row, &counting,
                                problem);
    }
    *found = counting.found;
    return error;
}

static err count_log(struct engine *engine, uint64_t *found, struct problem *problem)
{
    struct log *log = engine_log(engine);
    uint64_t seq = log_first_seq(log), last = log_last_seq(log);
    err error = ERR_OK;
    while (error == ERR_OK && seq <= last) {
        struct log_block *block = NULL;
        struct log_record record;
        error = log_read(log, seq, &block, problem);
        if (error != ERR_OK)
            break;
        struct log_cursor cursor = { .block = block };
        while (log_block_next(&cursor, &record))
            *found += keys_count_old(engine_keys(engine), record.body) > 0;
        seq = block->first_seq + block->count;
        log_block_release(&block);
    }
    return error;
}

static err count_warehouse(struct engine *engine, uint64_t *found, struct problem *problem)
{
    struct warehouse *warehouse = engine_warehouse(engine);
    const struct keys *keys = engine_keys(engine);
    struct buffer sql, answer;
    if (warehouse == NULL || keys_newest(keys) == keys_oldest(keys))
        return ERR_OK;
    buffer_init(&sql, 8192);
    buffer_init(&answer, 4096);
    buffer_append_str(&sql, STR("SELECT toUInt64(count()) FROM events WHERE "));
    renew_write_condition(keys_oldest(keys), keys_newest(keys), &sql);
    buffer_append_str(&sql, STR(" FORMAT RowBinary"));
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_wait(warehouse, MINUTE_MS, problem);
    if (error == ERR_OK)
        error = warehouse_query(warehouse, buffer_str(&sql), NULL, 0, QUERY_MS, &answer, problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    if (error == ERR_OK)
        *found = read_u64(&cursor);
    buffer_deinit(&sql);
    buffer_deinit(&answer);
    return error;
}

/* Files whose head names an older key. */
static err count_folder(struct engine *engine, const char *below, uint64_t *found)
{
    char folder[PRIVACY_PATH_BYTES], path[PRIVACY_PATH_BYTES + 300];
    const struct keys *keys = engine_keys(engine);
    snprintf(folder, sizeof folder, "%.900s/%s", engine_folder(engine), below);
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        struct problem unused;
        struct sealed_file *file;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR ||
            sealed_file_open(&file, keys, path, false, &unused) != ERR_OK)
            continue; /* of another kind */
        *found += sealed_file_key(file) < keys_newest(keys);
        sealed_file_close(&file);
    }
    if (entries != NULL)
        closedir(entries);
    return ERR_OK;
}

static err count_files(struct engine *engine, uint64_t *found, struct problem *problem)
{
    static const char *const folders[] = { "exports", "imports", "imports/uploads" };
    (void)problem;
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < sizeof folders / sizeof folders[0]; i++)
        error = count_folder(engine, folders[i], found);
    return error;
}

err privacy_print_old_seals(struct engine *engine, FILE *out, struct problem *problem)
{
    static err (*const counters[])(struct engine *, uint64_t *, struct problem *) = {
        count_ledger,
        count_log,
        count_warehouse,
        count_files,
    };
    static const char *const names[] = { "rows of the ledger", "records of the log",
                                         "rows of the warehouse", "files" };
    uint64_t found[4] = { 0 };
    err error = ERR_OK;
    for (int i = 0; error == ERR_OK && i < 4; i++)
        error = counters[i](engine, &found[i], problem);
    if (error != ERR_OK)
        return error;
    fprintf(out, "sealing: key %u; sealed by older keys:", keys_newest(engine_keys(engine)));
    bool none = true;
    for (int i = 0; i < 4; i++) {
        if (found[i] > 0)
            fprintf(out, "%s %llu %s", none ? "" : ",", (unsigned long long)found[i], names[i]);
        none = none && found[i] == 0;
    }
    fprintf(out, "%s\n", none ? " none" : "");
    return ERR_OK;
}
