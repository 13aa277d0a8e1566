/* SPDX-License-Identifier: Apache-2.0 */
/* pack_load: what a start takes out of history.pack, and what is left to ask the warehouse for; see pack.h. */
#include "base/logline.h"
#include "engine/past/pack_inside.h"

/* More blocks than that are not named in a query: all rows are asked for. */
#define NAMED_MAX 4096u
#define PIECE_BYTES_MAX ((size_t)1 << 30)

static uint32_t number_of(enum pack_kind kind, uint32_t number)
{
    return kind == PACK_SEEN ? (number - 1) / PACK_SEEN_ROWS : number / HISTORY_BLOCK_NODES;
}

void packed_begin(struct engine *engine)
{
    engine->packing->is_taken = atomic_load(&engine->flushed_seq) > 0;
}

static struct packs *packs_of(const struct engine *engine)
{
    return engine->packing->is_taken ? engine->packing->packs : NULL;
}

uint64_t packed_until(const struct engine *engine, enum pack_kind kind, uint32_t node)
{
    const struct packs *packs = packs_of(engine);
    return packs != NULL ? packs_seq(packs, kind, number_of(kind, node)) : 0;
}

static bool has_left(void *context, uint32_t node)
{
    return visitors_has_left(context, node);
}

/* ---- taking pieces ---- */

struct taking {
    struct engine *engine;
    enum pack_kind kind;
    err (*take)(struct engine *engine, uint32_t number, str bytes);
};

static err take_sums(struct engine *engine, uint32_t number, str bytes)
{
    return profile_sums_read(engine->profile, number * HISTORY_BLOCK_NODES, HISTORY_BLOCK_NODES,
                             bytes, has_left, engine);
}

static err take_seen(struct engine *engine, uint32_t number, str bytes)
{
    return identity_seen_read(engine->identity, number * PACK_SEEN_ROWS + 1, PACK_SEEN_ROWS, bytes);
}

static err take_events(struct engine *engine, uint32_t number, str bytes)
{
    uint64_t serial = 0;
    /* The tail has no values of a column for events that are here already. */
    bool must_be_whole =
        packs_seq(engine->packing->packs, PACK_EVENTS, number) > atomic_load(&engine->flushed_seq);
    err error =
        history_unpack(engine->history, number, bytes, must_be_whole, has_left, engine, &serial);
    if (error == ERR_OK && packed_block(engine->packing, number) != NULL)
        engine->packing->blocks[number].serial = serial;
    return error;
}

/* One that cannot be used is left out, and asked for in the warehouse. */
static err take_pieces(const struct taking *taking)
{
    struct packs *packs = packs_of(taking->engine);
    struct buffer bytes;
    uint32_t taken = 0, numbers = packs != NULL ? packs_numbers(packs, taking->kind) : 0;
    steady_ns start = steady_now();
    err error = ERR_OK;
    buffer_init(&bytes, PIECE_BYTES_MAX);
    for (uint32_t number = 0; number < numbers && error != ERR_NOMEM; number++) {
        if (!packs_read(packs, taking->kind, number, &bytes))
            continue;
        error = taking->take(taking->engine, number, buffer_str(&bytes));
        if (error == ERR_OK)
            taken++;
        else
            packs_refuse(packs, taking->kind, number);
    }
    buffer_deinit(&bytes);
    if (numbers > 0)
        log_line(LOG_INFO, "pack_loaded", "kind=%s pieces=%u of=%u ms=%lld",
                 packs_kind_name(taking->kind), taken, numbers, (long long)steady_since_ms(start));
    return error == ERR_NOMEM ? error : ERR_OK;
}

err packed_load_sums(struct engine *engine)
{
    struct taking taking = { engine, PACK_SUMS, take_sums };
    return take_pieces(&taking);
}

err packed_load_seen(struct engine *engine)
{
    struct taking taking = { engine, PACK_SEEN, take_seen };
    return take_pieces(&taking);
}

err packed_load_events(struct engine *engine)
{
    struct taking taking = { engine, PACK_EVENTS, take_events };
    return take_pieces(&taking);
}

void packed_loaded(struct engine *engine)
{
    struct packing *packing = engine->packing;
    uint64_t stamp = history_columns_stamp(engine->history);
    for (uint32_t i = 0; i < packing->block_count; i++)
        packing->blocks[i].stamp = stamp;
    if (packing->packs != NULL && packs_refused(packing->packs) > 0)
        log_line(LOG_WARN, "history_pack_refused", "pieces=%u", packs_refused(packing->packs));
}

/* ---- what is left ---- */

/* The seq up to which all pieces that count have everything; how many do not count. */
static uint64_t known_until(const struct packs *packs, enum pack_kind kind, uint32_t *missing)
{
    uint64_t until = packs_round_seq(packs);
    *missing = 0;
    for (uint32_t number = 0; number < packs_numbers(packs, kind); number++)
        *missing += packs_seq(packs, kind, number) == 0;
    return until;
}

void packed_write_condition(const struct engine *engine, enum pack_kind kind, struct buffer *sql)
{
    const struct packs *packs = packs_of(engine);
    uint32_t missing = 0;
    uint64_t until = packs != NULL ? known_until(packs, kind, &missing) : 0;
    if (until == 0 || missing > (kind == PACK_SEEN ? 0 : NAMED_MAX))
        return;
    buffer_printf(sql, " AND (seq > %llu", (unsigned long long)until);
    for (uint32_t number = 0, named = 0; named < missing; number++) {
        if (packs_seq(packs, kind, number) != 0)
            continue;
        buffer_printf(sql, "%s%u", named == 0 ? " OR intDiv(customer, 512) IN (" : ",", number);
        if (++named == missing)
            buffer_append_byte(sql, ')');
    }
    buffer_append_byte(sql, ')');
}
_Static_assert(HISTORY_BLOCK_NODES == 512, "as the query says");

/* ---- what was damaged ---- */

static void name_piece(struct packs_name name, struct buffer *text)
{
    bool of_rows = name.kind == PACK_SEEN;
    uint64_t size = of_rows ? PACK_SEEN_ROWS : HISTORY_BLOCK_NODES;
    uint64_t first = name.number * size + (of_rows ? 1 : 0);
    buffer_printf(text, "%s%s of %s %llu to %llu", text->size > 0 ? ", " : "",
                  packs_kind_name(name.kind), of_rows ? "identifiers" : "customers",
                  (unsigned long long)first, (unsigned long long)(first + size - 1));
}

err engine_check_packs(const struct engine *engine, struct buffer *report, struct problem *problem)
{
    const struct packs *packs = packs_of(engine);
    uint32_t refused = packs != NULL ? packs_refused(packs) : 0;
    struct buffer names;
    buffer_printf(report, "%u damaged pieces", refused);
    if (refused == 0)
        return buffer_status(report);
    buffer_init(&names, 1 << 12);
    for (uint32_t i = 0; i < refused && i < PACKS_REFUSED_NAMED; i++)
        name_piece(packs_refused_at(packs, i), &names);
    problem_set(problem, ERR_CORRUPT, "history.pack has %u damaged pieces: " STR_FMT "%s", refused,
                STR_ARG(buffer_str(&names)), refused > PACKS_REFUSED_NAMED ? ", ..." : "");
    buffer_deinit(&names);
    return problem_hint(problem, ERR_CORRUPT,
                        "no event is lost: a start asks the warehouse for them, and they are "
                        "packed anew; look at the disk");
}
