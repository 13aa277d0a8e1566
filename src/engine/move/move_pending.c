/* SPDX-License-Identifier: Apache-2.0 */
/* move_pending: moves by time alone, until a tick tells the journeys; see move_pending.h. */
#include "engine/move/move_pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/tables.h"

/* A tick tells so many and the rest of the bucket: some milliseconds when journeys listen to them. */
#define TOLD_AT_ONCE 4096u
#define FIRST_CAPACITY 1024u

/* ---- one ---- */

struct heard *move_heard_new(const struct audience_move *moved)
{
    size_t cause = strlen(moved->cause);
    struct heard *heard = memory_alloc(sizeof *heard + moved->key.size + cause + 1);
    if (heard == NULL)
        return NULL;
    char *key = (char *)(heard + 1), *text = key + moved->key.size;
    memcpy(key, moved->key.data, moved->key.size);
    memcpy(text, moved->cause, cause + 1);
    heard->move = *moved;
    heard->move.key = str_from_bytes(key, moved->key.size);
    heard->move.cause = text;
    return heard;
}

void move_heard_drop(struct heard **list)
{
    while (*list != NULL) {
        struct heard *heard = *list;
        *list = heard->next;
        memory_free(heard);
    }
}

/* ---- all that wait ---- */

void move_pending_init(struct move_pending *pending)
{
    *pending = (struct move_pending){ .next_number = 1 };
}

void move_pending_deinit(struct move_pending *pending)
{
    for (uint32_t i = 0; i < pending->bucket_count; i++)
        move_heard_drop(&pending->buckets[i]);
    memory_free((void *)pending->buckets);
    memory_free((void *)pending->fresh);
    memory_free(pending->gone);
    move_pending_init(pending);
}

static err bucket_of(struct move_pending *pending, uint32_t customer, struct heard ***bucket)
{
    uint32_t index = customer >> PENDING_BUCKET_BITS;
    if (index >= pending->bucket_count) {
        uint32_t count = index + 64;
        struct heard **longer =
            memory_resize((void *)pending->buckets, count * sizeof(struct heard *));
        if (longer == NULL)
            return ERR_NOMEM;
        memset((void *)(longer + pending->bucket_count), 0,
               (count - pending->bucket_count) * sizeof(struct heard *));
        pending->buckets = longer;
        pending->bucket_count = count;
    }
    *bucket = &pending->buckets[index];
    return ERR_OK;
}

static err put(struct move_pending *pending, struct heard *heard)
{
    struct heard **bucket = NULL;
    err error = bucket_of(pending, heard->move.customer, &bucket);
    if (error != ERR_OK)
        return error;
    heard->next = *bucket;
    *bucket = heard;
    pending->count++;
    return ERR_OK;
}

static err note_fresh(struct move_pending *pending, struct heard *heard)
{
    if (pending->fresh_count == pending->fresh_capacity) {
        size_t capacity =
            pending->fresh_capacity == 0 ? FIRST_CAPACITY : pending->fresh_capacity * 2;
        struct heard **longer =
            memory_resize((void *)pending->fresh, capacity * sizeof(struct heard *));
        if (longer == NULL)
            return ERR_NOMEM;
        pending->fresh = longer;
        pending->fresh_capacity = capacity;
    }
    pending->fresh[pending->fresh_count++] = heard;
    return ERR_OK;
}

err move_pending_add(struct move_pending *pending, const struct audience_move *moved)
{
    struct heard *heard = move_heard_new(moved);
    if (heard == NULL)
        return ERR_NOMEM;
    err error = note_fresh(pending, heard);
    if (error == ERR_OK && (error = put(pending, heard)) != ERR_OK)
        pending->fresh_count--;
    if (error != ERR_OK)
        memory_free(heard);
    else
        heard->number = pending->next_number++;
    return error;
}

static bool load_row(void *context, const struct ledger_value *values)
{
    struct move_pending *pending = context;
    char cause[32];
    snprintf(cause, sizeof cause, "%.*s", (int)values[5].bytes.size, values[5].bytes.data);
    struct audience_move moved = { .kind = (enum audience_kind)values[2].integer,
                                   .key = values[3].bytes,
                                   .customer = (uint32_t)values[1].integer,
                                   .was_in = (values[4].integer & 1) != 0,
                                   .is_in = (values[4].integer & 2) != 0,
                                   .cause = cause };
    struct heard *heard = move_heard_new(&moved);
    if (heard == NULL)
        return false;
    heard->number = (uint64_t)values[0].integer;
    heard->is_stored = true;
    if (put(pending, heard) != ERR_OK) {
        memory_free(heard);
        return false;
    }
    pending->next_number = heard->number + 1;
    return true;
}

err move_pending_load(struct move_pending *pending, struct ledger *ledger, struct problem *problem)
{
    return ledger_scan(ledger, LEDGER_JOURNEY_PENDING, NULL, load_row, pending, problem);
}

/* ---- telling ---- */

static int compare_heard(const void *left, const void *right)
{
    const struct heard *a = *(const struct heard *const *)left;
    const struct heard *b = *(const struct heard *const *)right;
    if (a->move.customer != b->move.customer)
        return a->move.customer < b->move.customer ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static err note_gone(struct move_pending *pending, const struct heard *heard)
{
    if (!heard->is_stored)
        return ERR_OK;
    if (pending->gone_count == pending->gone_capacity) {
        size_t capacity = pending->gone_capacity == 0 ? FIRST_CAPACITY : pending->gone_capacity * 2;
        struct ledger_value *longer = memory_resize(pending->gone, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        pending->gone = longer;
        pending->gone_capacity = capacity;
    }
    pending->gone[pending->gone_count++] = ledger_int((int64_t)heard->number);
    return ERR_OK;
}

static void forget_fresh(struct move_pending *pending)
{
    size_t kept = 0;
    for (size_t i = 0; i < pending->fresh_count; i++)
        if (!pending->fresh[i]->is_told)
            pending->fresh[kept++] = pending->fresh[i];
    pending->fresh_count = kept;
}

/* The list of a bucket, in order; it is taken out. */
static err tell_bucket(struct move_pending *pending, struct heard **bucket,
                       err (*tell)(void *context, const struct audience_move *moved), void *context,
                       size_t *told)
{
    struct heard *list = *bucket;
    size_t count = 0, i = 0;
    for (const struct heard *heard = list; heard != NULL; heard = heard->next)
        count++;
    struct heard **all = (struct heard **)memory_alloc((count + 1) * sizeof(struct heard *));
    if (all == NULL)
        return ERR_NOMEM;
    for (struct heard *heard = list; heard != NULL; heard = heard->next)
        all[i++] = heard;
    qsort((void *)all, count, sizeof(*all), compare_heard);
    *bucket = NULL; /* what is told may bring more, for another tick */
    err error = ERR_OK;
    for (i = 0; i < count; i++) {
        if (error == ERR_OK)
            error = tell(context, &all[i]->move);
        if (error == ERR_OK)
            error = note_gone(pending, all[i]);
        all[i]->is_told = true;
    }
    forget_fresh(pending);
    move_heard_drop(&list);
    memory_free((void *)all);
    pending->count -= count;
    *told += count;
    return error;
}

err move_pending_tell(struct move_pending *pending,
                      err (*tell)(void *context, const struct audience_move *moved), void *context)
{
    size_t told = 0, most = pending->count;
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < pending->bucket_count && told < most; i++) {
        if (pending->buckets[i] == NULL)
            continue;
        if (told >= TOLD_AT_ONCE)
            break;
        error = tell_bucket(pending, &pending->buckets[i], tell, context, &told);
    }
    pending->ticks++;
    atomic_store(&pending->left_by, pending->count > 0 ? pending->ticks : 0);
    return error;
}

uint64_t move_pending_left_by(const struct move_pending *pending)
{
    return atomic_load(&pending->left_by);
}

void move_pending_commit(struct move_pending *pending, struct ledger_writes *writes)
{
    for (size_t i = 0; i < pending->gone_count; i++)
        ledger_delete(writes, LEDGER_JOURNEY_PENDING, &pending->gone[i]);
    pending->gone_count = 0;
    for (size_t i = 0; i < pending->fresh_count; i++) {
        struct heard *heard = pending->fresh[i];
        heard->is_stored = true;
        LEDGER_PUT(writes, LEDGER_JOURNEY_PENDING, ledger_int((int64_t)heard->number),
                   ledger_int(heard->move.customer), ledger_int(heard->move.kind),
                   ledger_text(heard->move.key),
                   ledger_int((heard->move.was_in ? 1 : 0) | (heard->move.is_in ? 2 : 0)),
                   ledger_text(str_from_c(heard->move.cause)));
    }
    pending->fresh_count = 0;
}
