/* SPDX-License-Identifier: Apache-2.0 */
/* Immutable snapshots of the sources, found by write key, number or key. */
#include "access/source.h"

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"

#define SOURCES_BYTES_MAX ((size_t)64 << 20)

struct source_set {
    _Atomic uint32_t references;
    struct arena arena;
    size_t count;
    struct source *sources;
    /* By write key: open addressing over the first bytes of the hash, index + 1, 0 is free. */
    size_t slot_mask;
    uint32_t *slots;
    uint32_t import_first; /* import n has this number and n */
    uint32_t *imports;     /* numbers of sources, by n - 1 */
    size_t import_count;
};

static size_t slot_of(const struct source_set *set, const uint8_t hash[SEAL_HASH_BYTES])
{
    uint64_t word;
    memcpy(&word, hash, sizeof word);
    return (size_t)word & set->slot_mask;
}

static const char *const without_consent_texts[] = { [WITHOUT_CONSENT_KEEP] = "keep",
                                                     [WITHOUT_CONSENT_DROP] = "drop",
                                                     [WITHOUT_CONSENT_ANONYMISE] = "anonymise" };

const char *source_without_consent_text(enum without_consent without)
{
    return without_consent_texts[without];
}

bool source_without_consent_find(str text, enum without_consent *without)
{
    for (int i = WITHOUT_CONSENT_KEEP; i <= WITHOUT_CONSENT_ANONYMISE; i++) {
        if (!str_equal(text, str_from_c(without_consent_texts[i])))
            continue;
        *without = (enum without_consent)i;
        return true;
    }
    return false;
}

static err copy_source(struct source_set *set, const struct source *from, struct source *to)
{
    *to = *from;
    const str *const texts[] = { &from->key,     &from->name,      &from->protocol,
                                 &from->channel, &from->write_key, &from->signing_secret };
    str *const copies[] = { &to->key,     &to->name,      &to->protocol,
                            &to->channel, &to->write_key, &to->signing_secret };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (arena_dup(&set->arena, *texts[i], copies[i]) != ERR_OK)
            return ERR_NOMEM;
    return ERR_OK;
}

static void put_slot(struct source_set *set, const uint8_t hash[SEAL_HASH_BYTES], uint32_t value)
{
    size_t slot = slot_of(set, hash);
    while (set->slots[slot] != 0)
        slot = (slot + 1) & set->slot_mask;
    set->slots[slot] = value;
}

static err fill(struct source_set *set, const struct source *sources, size_t count)
{
    size_t slots = 16;
    while (slots < count * 4)
        slots *= 2;
    set->slot_mask = slots - 1;
    set->slots = arena_array(&set->arena, uint32_t, slots);
    set->sources = arena_array(&set->arena, struct source, count);
    if (set->slots == NULL || set->sources == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (copy_source(set, &sources[i], &set->sources[i]) != ERR_OK)
            return ERR_NOMEM;
        put_slot(set, sources[i].write_key_hash, (uint32_t)i + 1);
        if (sources[i].old_until_ms != 0)
            put_slot(set, sources[i].old_key_hash, (uint32_t)i + 1);
    }
    set->count = count;
    return ERR_OK;
}

err source_set_new(struct source_set **set, const struct source *sources, size_t count)
{
    struct source_set *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    atomic_init(&made->references, 1);
    arena_init(&made->arena, "sources", SOURCES_BYTES_MAX);
    err error = fill(made, sources, count);
    if (error != ERR_OK) {
        source_set_release(&made);
        return error;
    }
    *set = made;
    return ERR_OK;
}

struct source_set *source_set_hold(struct source_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void source_set_release(struct source_set **set)
{
    struct source_set *released = *set;
    *set = NULL;
    if (released == NULL ||
        atomic_fetch_sub_explicit(&released->references, 1, memory_order_acq_rel) != 1)
        return;
    /* Write keys and signing secrets are in the arena. */
    for (size_t i = 0; i < released->count; i++) {
        struct source *source = &released->sources[i];
        sodium_memzero((char *)(uintptr_t)source->signing_secret.data, source->signing_secret.size);
    }
    arena_deinit(&released->arena);
    memory_free(released);
}

const struct source *source_by_write_key(const struct source_set *set, const struct keys *keys,
                                         str write_key)
{
    uint8_t hash[SEAL_HASH_BYTES];
    if (write_key.size == 0)
        return NULL;
    keys_hash(keys, STR("write_key"), write_key, hash);
    for (size_t slot = slot_of(set, hash); set->slots[slot] != 0;
         slot = (slot + 1) & set->slot_mask) {
        const struct source *source = &set->sources[set->slots[slot] - 1];
        if (sodium_memcmp(source->write_key_hash, hash, sizeof hash) == 0 ||
            (source->old_until_ms != 0 &&
             sodium_memcmp(source->old_key_hash, hash, sizeof hash) == 0))
            return source;
    }
    return NULL;
}

const struct source *source_by_number(const struct source_set *set, uint32_t number)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->sources[i].number == number)
            return &set->sources[i];
    return NULL;
}

err source_set_tell_imports(struct source_set *set, uint32_t first_number, const uint32_t *sources,
                            size_t count)
{
    set->imports = arena_array(&set->arena, uint32_t, count + 1);
    if (set->imports == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        set->imports[i] = sources[i];
    set->import_first = first_number;
    set->import_count = count;
    return ERR_OK;
}

const struct source *source_told_as(const struct source_set *set, uint32_t number)
{
    if (set->import_count > 0 && number > set->import_first) {
        uint32_t place = number - set->import_first - 1;
        number = place < set->import_count ? set->imports[place] : 0;
    }
    return number != 0 ? source_by_number(set, number) : NULL;
}

const struct source *source_by_key(const struct source_set *set, str key)
{
    for (size_t i = 0; i < set->count; i++)
        if (str_equal(set->sources[i].key, key))
            return &set->sources[i];
    return NULL;
}

size_t source_count(const struct source_set *set)
{
    return set->count;
}

const struct source *source_at(const struct source_set *set, size_t index)
{
    INVARIANT(index < set->count);
    return &set->sources[index];
}

bool source_signature_is_valid(const struct source *source, str user_id, str signature_hex)
{
    uint8_t claimed[crypto_auth_hmacsha256_BYTES], right[crypto_auth_hmacsha256_BYTES];
    size_t size = 0;
    if (source->signing_secret.size == 0 || user_id.size == 0 ||
        signature_hex.size != 2 * sizeof claimed ||
        sodium_hex2bin(claimed, sizeof claimed, signature_hex.data, signature_hex.size, NULL, &size,
                       NULL) != 0 ||
        size != sizeof claimed)
        return false;
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const uint8_t *)source->signing_secret.data,
                                source->signing_secret.size);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)user_id.data, user_id.size);
    crypto_auth_hmacsha256_final(&state, right);
    sodium_memzero(&state, sizeof state);
    return sodium_memcmp(claimed, right, sizeof right) == 0;
}
