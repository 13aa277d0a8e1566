/* SPDX-License-Identifier: Apache-2.0 */
/* What was taken: the last ones whole in a ring, all of them counted by who, whom and key.
 *
 * A count is 24 bytes, whatever was sent: a hundred million messages fit into 4.8 GB at most, a million into 48 MB. */
#include <string.h>

#include "sandbox/inside.h"

#define CONTENT_BYTES_MAX 4096

/* ---- counts ---- */

static hash128 count_key(enum kind kind, str account, str recipient, str key)
{
    return name_hash(100 + (unsigned)kind, NULL, account, recipient, key);
}

static struct count_slot *find_count(struct count_slot *slots, size_t capacity, hash128 key)
{
    size_t at = key.low & (capacity - 1);
    while (slots[at].count > 0 && (slots[at].key.low != key.low || slots[at].key.high != key.high))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool grow_counts(struct ledger_of_taken *taken)
{
    size_t capacity = taken->count_capacity > 0 ? taken->count_capacity * 2 : 4096;
    struct count_slot *slots = memory_map(capacity * sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < taken->count_capacity; i++)
        if (taken->counts[i].count > 0)
            *find_count(slots, capacity, taken->counts[i].key) = taken->counts[i];
    if (taken->counts != NULL)
        memory_unmap(taken->counts, taken->count_capacity * sizeof *taken->counts);
    taken->counts = slots;
    taken->count_capacity = capacity;
    return true;
}

static uint64_t count_one(struct ledger_of_taken *taken, hash128 key)
{
    if ((taken->distinct + 1) * 2 > taken->count_capacity && !grow_counts(taken))
        return 0;
    struct count_slot *slot = find_count(taken->counts, taken->count_capacity, key);
    slot->key = key;
    taken->distinct += slot->count == 0;
    taken->repeated += slot->count > 0;
    return ++slot->count;
}

uint64_t taken_count_of(const struct sandbox *sandbox, enum kind kind, str account, str recipient,
                        str key)
{
    const struct ledger_of_taken *taken = &sandbox->taken;
    if (taken->count_capacity == 0)
        return 0;
    return find_count(taken->counts, taken->count_capacity,
                      count_key(kind, account, recipient, key))
        ->count;
}

/* ---- the ring ---- */

static str keep_text(char **at, str text)
{
    str kept = { *at, text.size };
    if (text.size > 0)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return kept;
}

static void fill(struct taken *entry, const struct take *take)
{
    str content =
        str_slice(take->content, 0, str_utf8_prefix_bytes(take->content, CONTENT_BYTES_MAX));
    size_t size =
        take->recipient.size + take->form.size + take->key.size + take->id.size + content.size;
    char *at = memory_alloc(size > 0 ? size : 1);
    entry->memory = at;
    if (at == NULL)
        return;
    entry->recipient = keep_text(&at, take->recipient);
    entry->form = keep_text(&at, take->form);
    entry->key = keep_text(&at, take->key);
    entry->id = keep_text(&at, take->id);
    entry->content = keep_text(&at, content);
}

/* The newest entry; valid until the ring has gone round. */
struct taken *taken_add(struct sandbox *sandbox, const struct take *take)
{
    struct ledger_of_taken *taken = &sandbox->taken;
    str account = str_from_c(take->account->id);
    struct taken *entry = &taken->ring[taken->seq % taken->capacity];
    memory_free(entry->memory);
    *entry = (struct taken){ .seq = ++taken->seq,
                             .at_ms = sandbox_now(sandbox),
                             .kind = take->kind,
                             .account = take->account };
    entry->times = count_one(taken, count_key(take->kind, account, take->recipient,
                                              take->key.size > 0 ? take->key : take->content));
    taken->by_kind[take->kind]++;
    take->account->taken++;
    fill(entry, take);
    return entry;
}

struct taken *taken_at(struct sandbox *sandbox, uint64_t seq)
{
    struct ledger_of_taken *taken = &sandbox->taken;
    if (seq == 0 || seq > taken->seq || taken->seq - seq >= taken->capacity)
        return NULL;
    struct taken *entry = &taken->ring[(seq - 1) % taken->capacity];
    return entry->seq == seq ? entry : NULL;
}

static void free_ring(struct ledger_of_taken *taken)
{
    for (size_t i = 0; i < taken->capacity; i++)
        memory_free(taken->ring[i].memory);
    memory_free(taken->ring);
    taken->ring = NULL;
    taken->capacity = 0;
}

void taken_clear(struct sandbox *sandbox)
{
    struct ledger_of_taken *taken = &sandbox->taken;
    for (size_t i = 0; i < taken->capacity; i++) {
        memory_free(taken->ring[i].memory);
        taken->ring[i] = (struct taken){ 0 };
    }
    if (taken->counts != NULL)
        memory_unmap(taken->counts, taken->count_capacity * sizeof *taken->counts);
    taken->counts = NULL;
    taken->count_capacity = taken->distinct = 0;
    taken->repeated = taken->seq = 0;
    memset(taken->by_kind, 0, sizeof taken->by_kind);
    for (struct account *account = sandbox->accounts; account != NULL; account = account->next)
        account->taken = account->refused = 0;
}

/* What was kept before is forgotten; counts stay. */
err taken_set_keep(struct sandbox *sandbox, size_t keep)
{
    struct ledger_of_taken *taken = &sandbox->taken;
    struct taken *ring = keep > 0 ? memory_alloc(keep * sizeof *ring) : NULL;
    if (keep > 0 && ring == NULL)
        return ERR_NOMEM;
    free_ring(taken);
    taken->ring = ring;
    taken->capacity = keep;
    return ERR_OK;
}
