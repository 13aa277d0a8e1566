/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone: what keeps an erased customer from coming back: the keyed hashes of her identifiers, and nothing else of them.
 *
 * An event is about her when one of its strong identifiers lies here, or when nothing but such identifiers is on it. Then it is not
 * taken. Of an event that another strong identifier gives to somebody else, what lies here is left out.
 *
 * A tombstone may be lifted: she comes back of her own will. What happened before that moment stays out. */
#include <string.h>

#include "base/arena.h"
#include "identity/state.h"

static uint32_t find(const struct identity *identity, const uint8_t hash[HASH_BYTES])
{
    struct index_key key = index_key_of_hash(hash);
    return index_get(&identity->tombstone_index, &key);
}

static void put(const struct tombstone *stone, struct ledger_writes *writes)
{
    if (writes == NULL)
        return;
    LEDGER_PUT(writes, LEDGER_TOMBSTONES,
               ledger_blob(str_from_bytes((const char *)stone->hash, HASH_BYTES)),
               ledger_int(stone->erasure), ledger_int(stone->type), ledger_int(stone->row),
               ledger_int(stone->at_ms), ledger_int(stone->lifted_ms),
               ledger_int((int64_t)stone->refused), ledger_int(stone->last_ms));
}

static err add(struct identity *identity, const struct tombstone *stone, uint32_t *number)
{
    if (identity->tombstone_count == identity->tombstone_capacity) {
        uint32_t capacity =
            identity->tombstone_capacity == 0 ? 64 : identity->tombstone_capacity * 2;
        struct tombstone *stones =
            memory_resize(identity->tombstones, capacity * sizeof *identity->tombstones);
        if (stones == NULL)
            return ERR_NOMEM;
        identity->tombstones = stones;
        identity->tombstone_capacity = capacity;
    }
    struct index_key key = index_key_of_hash(stone->hash);
    err error = index_add(&identity->tombstone_index, &key, identity->tombstone_count + 1);
    if (error != ERR_OK)
        return error;
    identity->tombstones[identity->tombstone_count++] = *stone;
    *number = identity->tombstone_count;
    return ERR_OK;
}

err tombstone_put(struct act *act, const uint8_t hash[HASH_BYTES], uint32_t type, uint32_t row,
                  uint32_t erasure)
{
    struct identity *identity = act->identity;
    struct tombstone fresh = { .erasure = erasure, .type = type, .row = row, .at_ms = act->now_ms };
    uint32_t number = find(identity, hash);
    memcpy(fresh.hash, hash, HASH_BYTES);
    err error = ERR_OK;
    if (number == 0)
        error = add(identity, &fresh, &number);
    else
        identity->tombstones[number - 1] = fresh; /* lifted once, and now again */
    if (error == ERR_OK)
        put(&identity->tombstones[number - 1], act->writes);
    return error;
}

static bool load_stone(void *context, const struct ledger_value *values)
{
    struct tombstone_loading *loading = context;
    struct tombstone stone = {
        .erasure = (uint32_t)values[1].integer,
        .type = (uint32_t)values[2].integer,
        .row = (uint32_t)values[3].integer,
        .at_ms = values[4].integer,
        .lifted_ms = values[5].integer,
        .refused = (uint64_t)values[6].integer,
        .last_ms = values[7].integer,
    };
    uint32_t number;
    if (values[0].bytes.size != HASH_BYTES) {
        loading->error = ERR_CORRUPT;
        return false;
    }
    memcpy(stone.hash, values[0].bytes.data, HASH_BYTES);
    loading->error = add(loading->identity, &stone, &number);
    return loading->error == ERR_OK;
}

err tombstones_load(struct identity *identity, struct ledger *ledger, struct problem *problem)
{
    struct tombstone_loading loading = { .identity = identity };
    err error = ledger_scan(ledger, LEDGER_TOMBSTONES, NULL, load_stone, &loading, problem);
    if (error == ERR_OK && loading.error == ERR_CORRUPT)
        problem_set(problem, ERR_CORRUPT, "ledger: a tombstone has no hash of 16 bytes");
    return error != ERR_OK ? error : loading.error;
}

/* ---- events ---- */

/* The stone over this identifier that refuses an event of `time_ms`; NULL if there is none. */
static struct tombstone *stone_of(struct identity *identity,
                                  const struct event_identifier *identifier, int64_t time_ms)
{
    uint32_t number = find(identity, identifier->hash);
    for (uint32_t i = 0; number == 0 && i < identifier->other_hash_count && i < 3; i++)
        number = find(identity, identifier->other_hashes[i]);
    if (number == 0)
        return NULL;
    struct tombstone *stone = &identity->tombstones[number - 1];
    return stone->lifted_ms != 0 && time_ms >= stone->lifted_ms ? NULL : stone;
}

bool tombstone_stands(struct identity *identity, const struct event_identifier *identifier,
                      int64_t time_ms)
{
    return stone_of(identity, identifier, time_ms) != NULL;
}

static bool is_strong(const struct identity *identity, const struct event_identifier *identifier)
{
    const struct identifier_type *type = type_find(identity, identifier->type);
    return type != NULL && type->strong;
}

static void count_refusal(struct tombstone *stone, int64_t now_ms, struct ledger_writes *writes)
{
    stone->refused++;
    stone->last_ms = now_ms;
    put(stone, writes);
}

/* She has come back: her identifier has a value again, in the place for what came after its digest. */
void tombstone_revive(struct identity *identity, const struct event_identifier *identifier,
                      struct ledger_writes *writes)
{
    uint32_t number = find(identity, identifier->hash);
    if (number == 0 || writes == NULL)
        return;
    struct tombstone *stone = &identity->tombstones[number - 1];
    if (stone->row == 0 || (identifier->flags & IDENTIFIER_HASHED) != 0)
        return;
    LEDGER_PUT(writes, LEDGER_IDENTIFIER_HASHES,
               ledger_blob(str_from_bytes((const char *)identifier->hash, HASH_BYTES)),
               ledger_int(stone->row), ledger_blob(identifier->value),
               ledger_blob(str_from_bytes((const char *)identifier->tail_hash,
                                          sizeof identifier->tail_hash)));
    stone->row = 0;
    put(stone, writes);
}

bool identity_has_tombstones(const struct identity *identity)
{
    return identity->tombstone_count > 0;
}

enum identity_about identity_about_erased(struct identity *identity, struct event *event,
                                          struct ledger_writes *writes)
{
    struct tombstone *first = NULL;
    bool other_strong = false, hers_strong = false;
    uint32_t kept = 0, found = 0;
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        struct event_identifier *identifier = &event->identifiers[i];
        struct tombstone *stone = stone_of(identity, identifier, event->time_ms);
        bool strong = is_strong(identity, identifier);
        found += stone != NULL;
        first = first == NULL ? stone : first;
        hers_strong = hers_strong || (stone != NULL && strong);
        other_strong = other_strong || (stone == NULL && strong);
    }
    if (found == 0) {
        for (uint32_t i = 0; i < event->identifier_count; i++)
            tombstone_revive(identity, &event->identifiers[i], writes);
        return ABOUT_OTHERS;
    }
    if (hers_strong || !other_strong) {
        count_refusal(first, event->received_ms, writes);
        return ABOUT_ERASED;
    }
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        if (stone_of(identity, &event->identifiers[i], event->time_ms) == NULL)
            event->identifiers[kept++] = event->identifiers[i];
    }
    event->identifier_count = kept;
    return ABOUT_BOTH;
}

size_t identity_lift(struct identity *identity, const uint8_t hash[HASH_BYTES], int64_t now_ms,
                     struct ledger_writes *writes)
{
    uint32_t number = find(identity, hash);
    size_t lifted = 0;
    if (number == 0 || identity->tombstones[number - 1].lifted_ms != 0)
        return 0;
    uint32_t row = identity->tombstones[number - 1].row;
    uint32_t erasure = identity->tombstones[number - 1].erasure;
    /* All hashes of the same identifier. */
    for (uint32_t i = 0; i < identity->tombstone_count; i++) {
        struct tombstone *stone = &identity->tombstones[i];
        if (i + 1 != number &&
            (stone->row != row || row == 0 || stone->erasure != erasure || stone->lifted_ms != 0))
            continue;
        stone->lifted_ms = now_ms;
        put(stone, writes);
        lifted++;
    }
    return lifted;
}

err identity_bury(struct identity *identity, const uint8_t hash[HASH_BYTES], uint64_t seq,
                  int64_t now_ms, struct ledger_writes *writes, size_t *changed)
{
    struct act act = act_of_command(identity, writes, now_ms, seq);
    uint32_t row = identity_find_row(identity, hash);
    if (find(identity, hash) != 0 || (row != 0 && row_at(identity, row)->node != 0))
        return ERR_OK;
    ++*changed;
    return tombstone_put(&act, hash, 0, row, 0);
}

void tombstones_digest(const struct identity *identity, struct digest *digest)
{
    for (uint32_t i = 0; i < identity->tombstone_count; i++) {
        const struct tombstone *stone = &identity->tombstones[i];
        uint64_t image[5] = { 0, 0, (uint64_t)stone->lifted_ms, stone->refused,
                              (uint64_t)stone->row << 32 | stone->erasure };
        memcpy(image, stone->hash, HASH_BYTES);
        digest_add(digest, image, sizeof image);
    }
}
