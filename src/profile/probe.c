/* SPDX-License-Identifier: Apache-2.0 */
/* probe: customers by what is known of them, found by looking at everybody's bytes.
 *
 * There is no index of values: it would cost each event and tens of bytes a customer for a question that a
 * person asks now and then. Bytes of facts lie in the order in which nodes were made; a node is passed
 * over after one search in its bytes for the value as it would stand there. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

#define VALUE_BYTES_MAX 255
#define AHEAD_ENTRIES 32
#define AHEAD_PIECES 8

static err settle_text(struct profile_probe *probe, str text)
{
    struct buffer json = { .data = probe->json,
                           .capacity = sizeof(probe->json),
                           .size_max = sizeof(probe->json) };
    if (text.size == 0 || text.size > VALUE_BYTES_MAX)
        return ERR_INVALID;
    json_write_text(&json, text);
    probe->plain = text;
    probe->json_bytes = json.size;
    return buffer_status(&json);
}

static void add_trait(const struct profile *profile, struct profile_probe *probe, str name)
{
    const struct trait_type *type = trait_type_find(profile, name);
    if (type == NULL || probe->trait_count == PROFILE_PROBE_TRAITS)
        return;
    probe->traits[probe->trait_count++] = type->number;
    probe->is_sum = probe->is_sum || type->precedence == SUM || type->precedence == UNION;
}

err profile_probe_trait(const struct profile *profile, str name, str value,
                        struct profile_probe *probe)
{
    memset(probe, 0, offsetof(struct profile_probe, json));
    add_trait(profile, probe, name);
    return settle_text(probe, value);
}

err profile_probe_name(const struct profile *profile, str text, struct profile_probe *probe)
{
    static const char *const names[] = { "name",      "$name",     "nickname",   "nickName",
                                         "username",  "firstName", "first_name", "lastName",
                                         "last_name", "realName" };
    memset(probe, 0, offsetof(struct profile_probe, json));
    probe->is_name = true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add_trait(profile, probe, str_from_c(names[i]));
    return settle_text(probe, text);
}

/* ---- one value ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool has_part(str text, str part)
{
    for (size_t at = 0; at + part.size <= text.size; at++) {
        size_t same = 0;
        while (same < part.size && lower(text.data[at + same]) == lower(part.data[same]))
            same++;
        if (same == part.size)
            return true;
    }
    return false;
}

static str json_of(const struct profile_probe *probe)
{
    return str_from_bytes(probe->json, probe->json_bytes);
}

/* A value as JSON: a text by its JSON, anything else as it stands. Of names the part between the quotes. */
static bool value_is(const struct profile_probe *probe, str json)
{
    if (!probe->is_name)
        return str_equal(json, json_of(probe)) || str_equal(json, probe->plain);
    return json.size > 1 && json.data[0] == '"' &&
           has_part(str_slice(json, 1, json.size - 1),
                    str_slice(json_of(probe), 1, probe->json_bytes - 1));
}

static bool is_asked_for(const struct profile_probe *probe, uint32_t trait)
{
    for (size_t i = 0; i < probe->trait_count; i++)
        if (probe->traits[i] == trait)
            return true;
    return false;
}

static bool fact_matches(const void *context, const struct fact *fact)
{
    const struct profile_probe *probe = context;
    char bytes[64];
    struct buffer text = { .data = bytes, .capacity = sizeof(bytes), .size_max = sizeof(bytes) };
    if (fact->operation == FACT_CONSENT || fact->kind == FACT_NONE ||
        !is_asked_for(probe, fact->trait))
        return false;
    if (fact->kind == FACT_JSON)
        return fact->operation == FACT_APPEND || value_is(probe, fact->json);
    if (probe->is_sum || fact->operation == FACT_INCREMENT || fact->operation == FACT_SUM ||
        fact->operation == FACT_APPEND)
        return true;
    fact_write_value(fact, &text);
    return value_is(probe, buffer_str(&text));
}

/* ---- nodes ---- */

/* Can the value lie in the bytes only as this text? Letters come in either case, numbers as numbers. */
static str needle_of(const struct profile_probe *probe)
{
    str text = probe->is_name ? str_slice(json_of(probe), 1, probe->json_bytes - 1) : STR_NONE;
    bool number = false;
    if (!probe->is_name && !probe->is_sum) {
        char first = probe->plain.data[0];
        number = (first >= '0' && first <= '9') || first == '-' || first == 't' || first == 'f' ||
                 first == '[' || first == '{';
        text = number ? STR_NONE : json_of(probe);
    }
    for (size_t i = 0; probe->is_name && i < text.size; i++)
        if (lower(text.data[i]) >= 'a' && lower(text.data[i]) <= 'z')
            return STR_NONE;
    return text;
}

static bool node_matches(const struct profile *profile, const struct profile_probe *probe,
                         uint32_t node, str needle)
{
    const struct entry *entry = entry_find(profile, node);
    if (entry == NULL || entry->facts == 0)
        return false;
    const struct facts_piece *piece = slab_at(&profile->slab, entry->facts);
    str bytes = str_from_bytes(piece->bytes, piece->size);
    return str_contains(bytes, needle) && facts_any(bytes, fact_matches, probe);
}

bool profile_probe_node(const struct profile *profile, const struct profile_probe *probe,
                        uint32_t node)
{
    return probe->trait_count > 0 && node_matches(profile, probe, node, needle_of(probe));
}

static void look_ahead(const struct profile *profile, uint32_t node)
{
    const struct entry *entry;
    if (node > AHEAD_ENTRIES && (entry = entry_find(profile, node - AHEAD_ENTRIES)) != NULL)
        __builtin_prefetch(entry);
    if (node > AHEAD_PIECES && (entry = entry_find(profile, node - AHEAD_PIECES)) != NULL &&
        entry->facts != 0)
        __builtin_prefetch(slab_at(&profile->slab, entry->facts));
}

uint32_t profile_probe_below(const struct profile *profile, const struct profile_probe *probe,
                             uint32_t from, uint32_t stop)
{
    str needle = needle_of(probe);
    if (probe->trait_count == 0)
        return stop;
    for (uint32_t node = from; node > stop; node--) {
        look_ahead(profile, node);
        if (node_matches(profile, probe, node, needle))
            return node;
    }
    return stop;
}

/* ---- the customer ---- */

bool profile_probe_holds(const struct profile *profile, const struct profile_probe *probe,
                         const uint32_t *nodes, size_t node_count, struct buffer *scratch)
{
    for (size_t i = 0; i < probe->trait_count; i++) {
        buffer_clear(scratch);
        if (profile_trait(profile, nodes, node_count, profile->trait_names.texts[probe->traits[i]],
                          scratch) &&
            value_is(probe, buffer_str(scratch)))
            return true;
    }
    return false;
}
