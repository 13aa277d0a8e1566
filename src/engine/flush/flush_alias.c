/* SPDX-License-Identifier: Apache-2.0 */
/* flush_alias: whose customer a node is today, for the dictionary of the warehouse. */
#include "base/arena.h"
#include "base/logline.h"
#include "engine/flush/flush_inside.h"
#include "engine/state.h"
#include "store/events.h"

#define ALIAS_ROWS_MAX 100000

/* ---- noting ---- */

bool flusher_grow(void *list, size_t *capacity, size_t count, size_t size)
{
    void **items = list;
    if (count < *capacity)
        return true;
    size_t capacity_new = *capacity == 0 ? 1024 : *capacity * 2;
    void *grown = memory_resize(*items, capacity_new * size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = capacity_new;
    return true;
}

void flusher_note_alias(struct flusher *flusher, uint32_t node, uint32_t customer, uint64_t seq)
{
    pthread_mutex_lock(&flusher->mutex);
    if (flusher->alias_count < ALIAS_ROWS_MAX &&
        flusher_grow(&flusher->aliases, &flusher->alias_capacity, flusher->alias_count,
                     sizeof *flusher->aliases))
        flusher->aliases[flusher->alias_count++] = (struct alias){ node, customer, seq };
    else
        flusher->all_aliases = true;
    pthread_mutex_unlock(&flusher->mutex);
}

void flusher_note_all_aliases(struct flusher *flusher)
{
    pthread_mutex_lock(&flusher->mutex);
    flusher->all_aliases = true;
    pthread_mutex_unlock(&flusher->mutex);
}

/* ---- putting ---- */

static err put_aliases(struct flusher *flusher, const struct alias *aliases, size_t count,
                       struct problem *problem)
{
    struct warehouse_alias *rows = memory_alloc((count + 1) * sizeof *rows);
    if (rows == NULL)
        return ERR_NOMEM;
    for (size_t index = 0; index < count; index++)
        rows[index] = (struct warehouse_alias){ .customer = aliases[index].node,
                                                .current = aliases[index].customer,
                                                .version = aliases[index].seq };
    err error = warehouse_put_aliases(flusher->engine->warehouse, rows, count, problem);
    memory_free(rows);
    return error;
}

/* Nodes that merges and splits after `seq` have touched, with their customers of now. */
struct alias_catch_up {
    struct engine_question question;
    uint64_t since_seq, seq;
    struct alias *aliases;
    size_t count, capacity;
};

static bool touched_by_merge(void *context, const struct ledger_value *values)
{
    struct alias_catch_up *catch_up = context;
    enum { SURVIVOR = 1, ABSORBED = 2, SEQ = 5, UNDONE_SEQ = 12 }; /* columns of MERGES */
    uint64_t made = (uint64_t)values[SEQ].integer, undone = (uint64_t)values[UNDONE_SEQ].integer;
    if (made <= catch_up->since_seq && undone <= catch_up->since_seq)
        return true;
    for (int side = SURVIVOR; side <= ABSORBED; side++) {
        if (!flusher_grow(&catch_up->aliases, &catch_up->capacity, catch_up->count,
                          sizeof *catch_up->aliases))
            return false;
        catch_up->aliases[catch_up->count++] =
            (struct alias){ .node = (uint32_t)values[side].integer };
    }
    return true;
}

static void ask_customers(const struct engine_state *state, struct engine_question *question)
{
    struct alias_catch_up *catch_up = queue_entry(question, struct alias_catch_up, question);
    size_t touched = catch_up->count;
    catch_up->seq = state->applied_seq;
    for (size_t index = 0; index < touched; index++) {
        uint32_t nodes[256], root = identity_root(state->identity, catch_up->aliases[index].node);
        size_t count = identity_nodes(state->identity, root, nodes, 256);
        catch_up->aliases[index].customer = root;
        for (size_t node = 0; node < count && node < 256; node++) {
            if (!flusher_grow(&catch_up->aliases, &catch_up->capacity, catch_up->count,
                              sizeof *catch_up->aliases))
                return;
            catch_up->aliases[catch_up->count++] =
                (struct alias){ .node = nodes[node], .customer = root };
        }
    }
    for (size_t index = 0; index < catch_up->count; index++)
        catch_up->aliases[index].seq = state->applied_seq;
}

static err catch_up_aliases(struct flusher *flusher, struct problem *problem)
{
    struct alias_catch_up catch_up = { .question = { .ask = ask_customers },
                                       .since_seq = flusher->alias_seq };
    err error = ledger_scan(flusher->engine->ledger, LEDGER_MERGES, NULL, touched_by_merge,
                            &catch_up, problem);
    if (error == ERR_OK && catch_up.count > 0)
        error = engine_ask_wait(flusher->engine, &catch_up.question);
    if (error == ERR_OK && catch_up.count > 0)
        error = put_aliases(flusher, catch_up.aliases, catch_up.count, problem);
    if (error == ERR_OK && catch_up.seq > flusher->alias_seq)
        flusher->alias_seq = catch_up.seq;
    memory_free(catch_up.aliases);
    return error;
}

void flusher_put_aliases(struct flusher *flusher)
{
    struct problem problem = { .error = ERR_OK };
    pthread_mutex_lock(&flusher->mutex);
    struct alias *aliases = flusher->aliases;
    size_t count = flusher->alias_count;
    bool all = flusher->all_aliases;
    flusher->aliases = NULL;
    flusher->alias_count = flusher->alias_capacity = 0;
    flusher->all_aliases = false;
    pthread_mutex_unlock(&flusher->mutex);
    err error = ERR_OK;
    if (all)
        error = catch_up_aliases(flusher, &problem);
    else if (count > 0)
        error = put_aliases(flusher, aliases, count, &problem);
    if (error != ERR_OK) {
        log_line(LOG_WARN, "alias_retry", "count=%zu reason=\"%s\"", count, problem.detail);
        flusher_note_all_aliases(flusher);
    } else if (count > 0 && !all) {
        flusher->alias_seq = aliases[count - 1].seq;
    }
    memory_free(aliases);
}
