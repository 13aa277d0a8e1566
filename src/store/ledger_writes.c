/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_writes: sets of rows on their way to the ledger, packed one after another. */
#include <string.h>

#include "store/ledger_inside.h"

struct ledger_writes *ledger_writes_new(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    struct ledger_writes *writes = ledger->free_writes;
    if (writes != NULL) {
        ledger->free_writes = writes->next_free;
        ledger->free_count--;
    }
    pthread_mutex_unlock(&ledger->mutex);
    if (writes == NULL) {
        writes = memory_alloc(sizeof(*writes));
        if (writes == NULL)
            return NULL;
        writes->ledger = ledger;
        buffer_init(&writes->rows, WRITES_BYTES_MAX);
    }
    return writes;
}

static void destroy(struct ledger_writes *writes)
{
    buffer_deinit(&writes->rows);
    memory_free(writes);
}

/* Sets that grew large give their memory back. */
void writes_recycle(struct ledger *ledger, struct ledger_writes *writes)
{
    bool keep = writes->rows.capacity <= WRITES_KEPT_BYTES_MAX;
    buffer_clear(&writes->rows);
    writes->count = 0;
    pthread_mutex_lock(&ledger->mutex);
    keep = keep && ledger->free_count < WRITES_KEPT_MAX;
    if (keep) {
        writes->next_free = ledger->free_writes;
        ledger->free_writes = writes;
        ledger->free_count++;
    }
    pthread_mutex_unlock(&ledger->mutex);
    if (!keep)
        destroy(writes);
}

void writes_free_all(struct ledger *ledger)
{
    while (ledger->free_writes != NULL) {
        struct ledger_writes *writes = ledger->free_writes;
        ledger->free_writes = writes->next_free;
        destroy(writes);
    }
    ledger->free_count = 0;
}

void ledger_writes_free(struct ledger_writes **out)
{
    struct ledger_writes *writes = *out;
    *out = NULL;
    if (writes != NULL)
        writes_recycle(writes->ledger, writes);
}

size_t ledger_writes_count(const struct ledger_writes *writes)
{
    return writes->count;
}

/* A value that its column cannot hold is a defect of the caller, and would stop every commit after
 * it: it is caught here. */
static size_t checked_size(const struct table *table, const struct ledger_value *values, int count)
{
    size_t size = 2;
    for (int i = 0; i < count; i++) {
        enum ledger_kind kind = values[i].kind;
        INVARIANT(kind == table->kinds[i] || (kind == LEDGER_NULL && table->nullable[i]));
        if (kind == LEDGER_INT)
            size += 1 + sizeof(int64_t);
        else if (kind == LEDGER_NULL)
            size += 1;
        else
            size += 1 + sizeof(uint32_t) + values[i].bytes.size;
    }
    return size;
}

static char *pack_value(char *at, const struct ledger_value *value)
{
    *at++ = (char)value->kind;
    if (value->kind == LEDGER_INT) {
        memcpy(at, &value->integer, sizeof(value->integer));
        return at + sizeof(value->integer);
    }
    if (value->kind == LEDGER_NULL)
        return at;
    uint32_t size = (uint32_t)value->bytes.size;
    memcpy(at, &size, sizeof(size));
    at += sizeof(size);
    if (size > 0)
        memcpy(at, value->bytes.data, size);
    return at + size;
}

static void pack(struct ledger_writes *writes, enum writes_operation operation,
                 enum ledger_table table, const struct ledger_value *values, int count)
{
    size_t size = checked_size(table_of(table), values, count);
    char *begin = buffer_reserve(&writes->rows, size);
    if (begin == NULL)
        return;
    char *at = begin;
    *at++ = (char)operation;
    *at++ = (char)table;
    for (int i = 0; i < count; i++)
        at = pack_value(at, &values[i]);
    INVARIANT((size_t)(at - begin) == size);
    buffer_advance(&writes->rows, size);
    writes->count++;
}

void ledger_put(struct ledger_writes *writes, enum ledger_table table,
                const struct ledger_value *values)
{
    pack(writes, WRITES_PUT, table, values, table_of(table)->columns);
}

void ledger_delete(struct ledger_writes *writes, enum ledger_table table,
                   const struct ledger_value *key)
{
    pack(writes, WRITES_DELETE, table, key, table_of(table)->keys);
}

void ledger_renew(struct ledger_writes *writes, enum ledger_table table,
                  const struct ledger_value *key)
{
    pack(writes, WRITES_RENEW, table, key, table_of(table)->keys);
}

static const char *unpack_value(const char *at, struct ledger_value *value)
{
    value->kind = (enum ledger_kind) * at++;
    if (value->kind == LEDGER_INT) {
        memcpy(&value->integer, at, sizeof(value->integer));
        return at + sizeof(value->integer);
    }
    if (value->kind == LEDGER_NULL)
        return at;
    uint32_t size;
    memcpy(&size, at, sizeof(size));
    value->bytes = (str){ .data = at + sizeof(size), .size = size };
    return at + sizeof(size) + size;
}

bool writes_next(struct writes_cursor *cursor, struct writes_row *row)
{
    if (cursor->next == cursor->end)
        return false;
    const char *at = cursor->next;
    row->operation = (enum writes_operation) * at++;
    row->table = (enum ledger_table)(unsigned char)*at++;
    const struct table *table = table_of(row->table);
    row->count = row->operation == WRITES_PUT ? table->columns : table->keys;
    for (int i = 0; i < row->count; i++)
        at = unpack_value(at, &row->values[i]);
    INVARIANT(at <= cursor->end);
    cursor->next = at;
    return true;
}

err ledger_apply(struct ledger *ledger, struct ledger_writes **out, uint64_t applied_seq,
                 void (*committed)(void *context, uint64_t applied_seq), void *context)
{
    struct ledger_writes *writes = *out;
    err error = buffer_status(&writes->rows);
    if (error != ERR_OK)
        return error;
    *out = NULL;
    writes->applied_seq = applied_seq;
    writes->committed = committed;
    writes->context = context;
    size_t bytes = writes->rows.size + sizeof(*writes);
    atomic_fetch_add(&ledger->pending_bytes, bytes);
    pthread_mutex_lock(&ledger->mutex);
    ledger->handed_in++;
    pthread_mutex_unlock(&ledger->mutex);
    queue_put_always(&ledger->queue, &writes->item, bytes);
    if (atomic_load(&ledger->pending_bytes) >= GATHER_BYTES)
        ledger_hurry(ledger);
    return ERR_OK;
}

size_t ledger_pending_bytes(struct ledger *ledger)
{
    return atomic_load(&ledger->pending_bytes);
}
