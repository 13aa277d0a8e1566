/* SPDX-License-Identifier: Apache-2.0 */
/* profile: its life, what happened, loading, and who leaves memory. */
#include "profile/profile.h"

#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

#define JSON_BYTES_MAX ((size_t)1 << 20)

/* ---- life ---- */

static err init_parts(struct profile *profile)
{
    err error = json_parser_new(&profile->parser, JSON_BYTES_MAX);
    if (error == ERR_OK)
        error = slab_init(&profile->slab);
    if (error == ERR_OK)
        error = names_init(&profile->trait_names);
    if (error == ERR_OK)
        error = names_init(&profile->purposes);
    if (error == ERR_OK)
        error = segments_init(&profile->entries, sizeof(struct entry));
    profile->currencies = memory_alloc(CURRENCIES_MAX * sizeof(*profile->currencies));
    profile->scratch = memory_alloc(sizeof(*profile->scratch));
    if (profile->currencies == NULL || profile->scratch == NULL)
        return ERR_NOMEM;
    buffer_init(&profile->scratch->bytes, FACT_BYTES_MAX);
    buffer_init(&profile->scratch->text, JSON_BYTES_MAX);
    return error;
}

err profile_new(struct profile **out)
{
    struct profile *profile = memory_alloc(sizeof(*profile));
    if (profile == NULL)
        return ERR_NOMEM;
    err error = init_parts(profile);
    if (error != ERR_OK)
        profile_free(&profile);
    else
        *out = profile;
    return error;
}

static void scratch_free(struct scratch *scratch)
{
    if (scratch == NULL)
        return;
    facts_deinit(&scratch->facts);
    facts_deinit(&scratch->other);
    buffer_deinit(&scratch->bytes);
    buffer_deinit(&scratch->text);
    memory_free(scratch->orders);
    memory_free(scratch->numbers);
    memory_free(scratch);
}

void profile_free(struct profile **out)
{
    struct profile *profile = *out;
    if (profile == NULL)
        return;
    segments_deinit(&profile->entries);
    if (profile->slab.chunks != NULL)
        slab_deinit(&profile->slab);
    trait_types_deinit(profile);
    memory_free(profile->imports.sources);
    names_deinit(&profile->purposes);
    objects_deinit(profile);
    scratch_free(profile->scratch);
    memory_free(profile->currencies);
    json_parser_free(&profile->parser);
    memory_free(profile);
    *out = NULL;
}

struct entry *entry_find(const struct profile *profile, uint32_t node)
{
    if (node >= profile->entries.count)
        return NULL;
    return segments_at(&profile->entries, node);
}

struct entry *entry_make(struct profile *profile, uint32_t node)
{
    if (segments_grow(&profile->entries, (uint64_t)node + 1) != ERR_OK)
        return NULL;
    if (node >= profile->entries.count)
        profile->entries.count = node + 1;
    return segments_put(&profile->entries, node);
}

void profile_prefetch(const struct profile *profile, uint32_t node)
{
    if (node < profile->entries.count)
        segments_prefetch(&profile->entries, node);
}

/* ---- derived: what happened ---- */

err profile_observe_many(struct profile *profile, uint32_t node, uint32_t events, int64_t first_ms,
                         int64_t last_ms)
{
    struct entry *entry = entry_make(profile, node);
    if (entry == NULL)
        return ERR_NOMEM;
    if (events == 0)
        return ERR_OK;
    if (entry->events == 0 || first_ms < time_of(entry->first))
        entry->first = short_of(first_ms);
    if (entry->events == 0 || last_ms > time_of(entry->last))
        entry->last = short_of(last_ms);
    entry->events = entry->events > UINT32_MAX - events ? UINT32_MAX : entry->events + events;
    return ERR_OK;
}

err profile_observe(struct profile *profile, const struct profile_observation *row)
{
    err error = profile_observe_many(profile, row->node, 1, row->time_ms, row->time_ms);
    return error == ERR_OK ? orders_observe(profile, row) : error;
}

uint32_t profile_sum(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                     struct profile_summary *summary, struct money_line *lines)
{
    *summary = (struct profile_summary){ .events = 0 };
    for (size_t i = 0; i < node_count; i++) {
        const struct entry *entry = entry_find(profile, nodes[i]);
        if (entry == NULL || entry->events == 0)
            continue;
        int64_t first_ms = time_of(entry->first), last_ms = time_of(entry->last);
        if (summary->events == 0 || first_ms < summary->first_seen_ms)
            summary->first_seen_ms = first_ms;
        if (summary->events == 0 || last_ms > summary->last_seen_ms)
            summary->last_seen_ms = last_ms;
        summary->events += entry->events;
    }
    uint32_t count = orders_sum(profile, nodes, node_count, lines, CURRENCIES_MAX);
    if (count == 0)
        return 0;
    summary->orders = lines[0].orders;
    summary->revenue = lines[0].revenue;
    summary->refunded = lines[0].refunded;
    summary->first_order_ms = lines[0].first_ms;
    summary->last_order_ms = lines[0].last_ms;
    memcpy(summary->currency, lines[0].currency, sizeof(summary->currency));
    for (uint32_t i = 1; i < count; i++)
        summary->other_currencies += lines[i].orders;
    return count;
}

void profile_summarise(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                       struct profile_summary *summary)
{
    struct money_line lines[CURRENCIES_MAX];
    profile_sum(profile, nodes, node_count, summary, lines);
}

/* ---- loading ---- */

struct load {
    struct profile *profile;
    struct problem *problem;
    uint32_t node; /* of one customer */
    err error;
};

static bool load_trait_type(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    load->error = trait_type_load(load->profile, (uint32_t)values[0].integer, values[1].bytes,
                                  values[2].bytes, values[3].bytes, load->problem);
    return load->error == ERR_OK;
}

void profile_leave_out(struct profile *profile, const uint64_t *nodes, uint32_t count)
{
    profile->left_out = nodes;
    profile->left_out_count = count;
}

static bool is_left_out(const struct profile *profile, int64_t node)
{
    return node > 0 && node < profile->left_out_count &&
           (profile->left_out[node / 64] >> (node % 64) & 1) != 0;
}

/* The bytes are what the RAM keeps; they are read once, so that damage is found now. */
static bool load_traits(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct profile *profile = load->profile;
    struct facts *facts = &profile->scratch->facts;
    str bytes = values[1].bytes;
    if (is_left_out(profile, values[0].integer))
        return true;
    facts->count = 0;
    load->error = facts_decode(facts, bytes);
    for (uint32_t i = 0; i < facts->count && load->error == ERR_OK; i++) {
        if (facts->items[i].trait >= profile->trait_names.count ||
            facts->items[i].operation == FACT_CONSENT)
            load->error = ERR_CORRUPT;
    }
    struct entry *entry = NULL;
    if (load->error == ERR_OK && values[0].integer > 0 && values[0].integer < UINT32_MAX)
        entry = entry_make(profile, (uint32_t)values[0].integer);
    if (entry == NULL) {
        load->error = problem_set(load->problem, load->error != ERR_OK ? load->error : ERR_NOMEM,
                                  "ledger: the traits of customer %lld cannot be loaded",
                                  (long long)values[0].integer);
        return false;
    }
    if (bytes.size == 0)
        return true;
    entry->facts = slab_take(&profile->slab, sizeof(struct facts_piece) + bytes.size);
    if (entry->facts == 0) {
        load->error = problem_set(load->problem, ERR_NOMEM, "no memory for traits");
        return false;
    }
    struct facts_piece *piece = slab_at(&profile->slab, entry->facts);
    piece->size = (uint32_t)bytes.size;
    memcpy(piece->bytes, bytes.data, bytes.size);
    return true;
}

static bool load_consent(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    bool granted = str_equal(values[2].bytes, STR("granted"));
    if (is_left_out(load->profile, values[0].integer))
        return true;
    struct profile_decision decision = { .purpose = values[1].bytes,
                                         .granted = granted,
                                         .at_ms = values[3].integer,
                                         .seq = (uint64_t)values[4].integer,
                                         .source_number = (uint32_t)values[5].integer };
    load->error = profile_put_consent(load->profile, (uint32_t)values[0].integer, &decision, NULL);
    if (load->error != ERR_OK)
        problem_set(load->problem, load->error, "ledger: the consent of customer %lld",
                    (long long)values[0].integer);
    return load->error == ERR_OK;
}

static bool load_object(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    load->error = object_load(load->profile, values[0].bytes, values[1].bytes, values[2].bytes,
                              values[3].integer, values[4].integer, (uint32_t)values[5].integer);
    if (load->error != ERR_OK)
        problem_set(load->problem, load->error, "no memory for objects");
    return load->error == ERR_OK;
}

err profile_load(struct profile *profile, struct ledger *ledger, struct problem *problem)
{
    static const struct {
        enum ledger_table table;
        ledger_visitor visit;
    } scans[] = {
        { LEDGER_TRAIT_TYPES, load_trait_type },
        { LEDGER_TRAITS, load_traits },
        { LEDGER_CONSENTS, load_consent },
        { LEDGER_OBJECTS, load_object },
    };
    struct load load = { .profile = profile, .problem = problem };
    err error = ERR_OK;
    for (size_t i = 0; i < sizeof(scans) / sizeof(*scans) && error == ERR_OK; i++) {
        error = ledger_scan(ledger, scans[i].table, NULL, scans[i].visit, &load, problem);
        if (error == ERR_OK)
            error = load.error;
    }
    profile->left_out = NULL;
    profile->left_out_count = 0;
    return error;
}

err profile_import_source(struct profile *profile, uint32_t job, uint32_t source, bool *changed)
{
    struct import_sources *imports = &profile->imports;
    *changed = false;
    if (job >= imports->count) {
        uint32_t count = job + job / 2 + 16;
        uint32_t *sources = memory_resize(imports->sources, count * sizeof *sources);
        if (sources == NULL)
            return ERR_NOMEM;
        memset(sources + imports->count, 0, (count - imports->count) * sizeof *sources);
        imports->sources = sources;
        imports->count = count;
    }
    *changed = imports->sources[job] != source;
    imports->sources[job] = source;
    return ERR_OK;
}

/* ---- visitors who leave memory ---- */

bool profile_may_leave(const struct profile *profile, uint32_t node, int64_t before_ms)
{
    const struct entry *entry = entry_find(profile, node);
    return entry == NULL ||
           (entry->orders == 0 && (entry->events == 0 || time_of(entry->last) < before_ms));
}

void profile_leave(struct profile *profile, uint32_t node)
{
    const struct entry *entry = entry_find(profile, node);
    if (entry == NULL)
        return;
    INVARIANT(entry->orders == 0);
    if (entry->facts != 0) {
        const struct facts_piece *piece = slab_at(&profile->slab, entry->facts);
        slab_give(&profile->slab, entry->facts, sizeof(*piece) + piece->size);
    }
    segments_drop(&profile->entries, node);
}

/* Those of the next customer end the scan. */
static bool load_her_consent(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    return (uint32_t)values[0].integer == load->node && load_consent(context, values);
}

err profile_come_back(struct profile *profile, struct ledger *ledger, uint32_t node,
                      struct problem *problem)
{
    struct load load = { .profile = profile, .problem = problem, .node = node };
    struct ledger_value key = ledger_int(node);
    err error = ledger_find(ledger, LEDGER_TRAITS, &key, 1, load_traits, &load, problem);
    if (error == ERR_OK && load.error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_CONSENTS, &key, load_her_consent, &load, problem);
    return error != ERR_OK ? error : load.error;
}

void profile_give_back(struct profile *profile, uint32_t node)
{
    if (node < profile->entries.count)
        segments_thin(&profile->entries, node);
}

/* ---- digest and memory ---- */

static void digest_facts(const struct profile *profile, uint32_t node, struct digest *digest)
{
    struct facts *facts = &profile->scratch->facts;
    facts->count = 0;
    if (node_facts_read(profile, node, facts) != ERR_OK)
        return;
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->items[i];
        const struct names *names =
            fact->operation == FACT_CONSENT ? &profile->purposes : &profile->trait_names;
        str name = fact->trait == FACT_ALL_TRAITS ? STR_NONE : names->texts[fact->trait];
        uint64_t image[8] = {
            node,
            hash_bytes64(name.data, name.size, 0),
            (uint64_t)fact->operation << 32 | fact->kind,
            (uint64_t)fact->source << 32 | fact->account,
            (uint64_t)fact->time_ms,
            fact->seq,
            (uint64_t)fact->number,
            hash_bytes64(fact->json.data, fact->json.size, 0),
        };
        digest_add(digest, image, sizeof(image));
    }
}

void profile_digest(const struct profile *profile, struct digest *digest)
{
    for (uint32_t node = 1; node < profile->entries.count; node++) {
        const struct entry *entry = entry_find(profile, node);
        digest_facts(profile, node, digest);
        orders_digest(profile, node, digest);
        uint64_t image[4] = { node, entry->events, 0, 0 };
        if (entry->events > 0) {
            image[2] = (uint64_t)time_of(entry->first);
            image[3] = (uint64_t)time_of(entry->last);
            digest_add(digest, image, sizeof(image));
        }
    }
    for (uint32_t i = 1; i < profile->trait_names.count; i++) {
        const struct trait_type *type = profile->trait_types[i];
        uint64_t image[3] = { hash_bytes64(type->name.data, type->name.size, 0),
                              (uint64_t)type->kind << 32 | type->precedence,
                              hash_bytes64(type->ranks, type->rank_count * sizeof(*type->ranks),
                                           0) };
        digest_add(digest, image, sizeof(image));
    }
    objects_digest(profile, digest);
}

size_t profile_memory_bytes(const struct profile *profile)
{
    return sizeof(*profile) + segments_bytes(&profile->entries) +
           ((size_t)profile->slab.chunk_count << SLAB_CHUNK_BITS) +
           profile->trait_names.count * sizeof(struct trait_type) + profile->object_bytes +
           profile->object_slots * sizeof(struct object *);
}
