/* SPDX-License-Identifier: Apache-2.0 */
/* audience: the life of the room, its figures, its digest. */
#include <string.h>

#include "audience/state.h"

#define MEMORY_BYTES_MAX ((size_t)1200 << 20)
/* Of the day's recount, each time there is nothing else: a twentieth of a core at most. */
#define RECOUNT_US 500
#define INSTALL_AT_ONCE 20000 /* some milliseconds */
#define BODY_BYTES_MAX ((size_t)16 << 20)

static err make_parts(struct audience *audience)
{
    err error = columns_init(&audience->facts);
    if (error == ERR_OK)
        error = objects_open(audience);
    if (error == ERR_OK)
        error = json_parser_new(&audience->parser, BODY_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parser_new(&audience->catalogue_parser, (size_t)64 << 20);
    if (error == ERR_OK)
        error = rule_judge_new(&audience->judging.judge);
    if (error == ERR_OK)
        error = history_reader_new(&audience->reader, audience->config.history);
    if (error == ERR_OK)
        error = recall_new(audience);
    audience->pending = roaring_bitmap_create();
    audience->huge = roaring_bitmap_create();
    audience->rejudge = roaring_bitmap_create();
    audience->huge_judged = roaring_bitmap_create();
    audience->due_known = roaring_bitmap_create();
    audience->unsure = roaring_bitmap_create();
    audience->soon.customers = roaring_bitmap_create();
    audience->soon_before.customers = roaring_bitmap_create();
    bool all = audience->pending != NULL && audience->huge != NULL && audience->rejudge != NULL &&
               audience->huge_judged != NULL && audience->due_known != NULL &&
               audience->unsure != NULL && audience->soon.customers != NULL &&
               audience->soon_before.customers != NULL;
    return error == ERR_OK && !all ? ERR_NOMEM : error;
}

err audience_new(struct audience **audience, const struct audience_config *config)
{
    struct audience *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    made->config = *config;
    if (made->config.memory_bytes_max == 0)
        made->config.memory_bytes_max = MEMORY_BYTES_MAX;
    if (made->config.install_at_once_max == 0)
        made->config.install_at_once_max = INSTALL_AT_ONCE;
    if (made->config.threads == 0)
        made->config.threads = 2;
    if (local_zone_init(made, config->zone) != ERR_OK)
        log_line(LOG_WARN, "zone_unknown", "zone=%s", made->zone->name);
    catalogue_init(made);
    err error = make_parts(made);
    made->judging.audience = made;
    made->judging.zone = made->zone;
    facts_for_engine(made, &made->judging.facts);
    if (error == ERR_OK)
        error = interest_make(made);
    if (error != ERR_OK) {
        audience_free(&made);
        return error;
    }
    *audience = made;
    return ERR_OK;
}

static void free_bitmap(roaring_bitmap_t *bitmap)
{
    if (bitmap != NULL)
        roaring_bitmap_free(bitmap);
}

void audience_use_submit(struct audience *audience,
                         err (*submit)(void *context, str operation, str body))
{
    audience->config.submit = submit;
}

void audience_free(struct audience **audience)
{
    struct audience *gone = *audience;
    *audience = NULL;
    if (gone == NULL)
        return;
    scan_stop(gone);
    recall_free(gone);
    object_counts_stop(gone);
    interest_clear(gone);
    objects_close(gone);
    for (uint32_t i = 1; i < gone->definition_count; i++)
        definition_free(gone->definitions[i]);
    memory_free((void *)gone->definitions);
    while (gone->finished_rows != NULL) {
        struct changes_row *row = gone->finished_rows;
        gone->finished_rows = row->next;
        memory_free(row->bytes);
        memory_free(row);
    }
    columns_deinit(&gone->facts);
    wheel_deinit(&gone->wheel);
    free_bitmap(gone->pending);
    free_bitmap(gone->huge);
    free_bitmap(gone->rejudge);
    free_bitmap(gone->huge_judged);
    free_bitmap(gone->due_known);
    free_bitmap(gone->unsure);
    free_bitmap(gone->soon.customers);
    free_bitmap(gone->soon_before.customers);
    rule_judge_free(&gone->judging.judge);
    history_reader_free(&gone->reader);
    json_parser_free(&gone->parser);
    json_parser_free(&gone->catalogue_parser);
    buffer_deinit(&gone->catalogue_text);
    local_zones_free(gone);
    memory_free(gone);
}

err audience_start(struct audience *audience, int64_t now_ms)
{
    bool ready, waits = false;
    audience->now_ms = now_ms;
    audience->day = local_day(audience->zone, now_ms);
    audience->started = true;
    audience->started_ms = audience->settled_stored_ms != 0 ? audience->settled_stored_ms : now_ms;
    audience->settled_ms = audience->settled_stored_ms;
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        if (definition == NULL || definition->deleted)
            continue;
        waits = waits || definition->next != NULL;
        if (definition->recipe != NULL) {
            err error = recipe_prepare(audience, definition->recipe, &ready, NULL);
            if (error != ERR_OK)
                return error;
        }
    }
    object_counts_stale(audience);
    if (audience->unsettled_stored != 0) {
        /* the first portion at once: who reads finds it settled */
        sweep_begin(audience, audience->unsettled_stored == 2);
        audience->pending_moment = (struct audience_moment){ .seq = 0, .now_ms = now_ms };
        sweep_tick(audience);
    }
    audience->due_unknown = audience->order_count > 0 && now_ms > 0;
    if (audience->due_unknown)
        roaring_bitmap_add_range(audience->unsure, 1,
                                 (uint64_t)identity_node_count(audience->config.identity) + 1);
    audience->scan_wanted = waits;
    return ERR_OK;
}

static void begin_day(struct audience *audience)
{
    audience->day_has_begun = false;
    audience->recount_next = audience->order_count > 0 ? 1 : 0;
    audience->recount_place = 0;
    for (uint32_t i = 0; i < audience->order_count; i++) {
        struct definition *definition = audience->order[i];
        if (definition->recipe->form == FORM_RFM && definition->recipe->quantiles > 0) {
            definition->requantile = true;
            audience->scan_wanted = true;
        }
    }
}

bool audience_work(struct audience *audience, int64_t budget_us)
{
    bool more = false;
    steady_ns start = steady_now();
    if (audience->day_has_begun)
        begin_day(audience);
    if (taking_work(audience, budget_us, &more) != ERR_OK)
        return true;
    if (more)
        return true;
    if (live_work(audience, budget_us, &more) != ERR_OK)
        return true;
    int64_t left = budget_us - steady_since_us(start);
    object_counts_work(audience);
    if (left > 0)
        more = columns_fill(audience, left) || more;
    if (!more && audience->sweep.left == 0 && recall_is_empty(audience))
        recount_work(audience, RECOUNT_US);
    return scan_work(audience, left) || more;
}

bool audience_wants_tick(struct audience *audience)
{
    int64_t count_ns = atomic_load(&audience->count_wanted_ns);
    if (count_ns != 0 && (int64_t)steady_now().ns >= count_ns && audience->config.wake != NULL)
        audience->config.wake(audience->config.context);
    return atomic_exchange(&audience->wants_tick, false);
}

bool audience_is_settling(const struct audience *audience)
{
    return atomic_load_explicit(&audience->is_settling, memory_order_relaxed);
}

/* ---- figures ---- */

static size_t definition_bytes(const struct definition *definition)
{
    size_t bytes = sizeof(*definition) + lexicon_bytes(definition->texts) +
                   numbers_bytes(&definition->numbers) + numbers_bytes(&definition->given.values) +
                   numbers_bytes(&definition->given.at_ms);
    for (uint32_t i = 0; i < definition->set_count; i++)
        bytes += set_bytes(&definition->sets[i]);
    return bytes;
}

void audience_status(const struct audience *audience, struct audience_status *status)
{
    *status = (struct audience_status){ .changes = audience->change_count };
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        const struct definition *definition = audience->definitions[i];
        if (definition == NULL || definition->deleted)
            continue;
        if (definition->kind == AUDIENCE_OBJECT_IDS)
            continue;
        status->segments += definition->kind == AUDIENCE_SEGMENT;
        status->tags += definition->kind == AUDIENCE_TAG;
        status->computing += definition->next != NULL;
        status->set_bytes += definition_bytes(definition);
    }
    status->column_bytes = columns_bytes(&audience->facts);
    status->wheel_bytes = wheel_bytes(&audience->wheel);
    status->due_pending =
        roaring_bitmap_get_cardinality(audience->pending) + recall_pending_count(audience);
}

size_t audience_memory_bytes(const struct audience *audience)
{
    struct audience_status status;
    audience_status(audience, &status);
    return status.set_bytes + status.column_bytes + status.wheel_bytes;
}

/* ---- digest ---- */

struct digesting {
    const struct audience *audience;
    const struct definition *definition;
    struct digest *digest;
    struct buffer row;
    int64_t value;
};

static bool add_member(void *context, uint32_t customer)
{
    struct digesting *digesting = context;
    const struct definition *definition = digesting->definition;
    const struct lexicon_entry *entry =
        definition->kind == AUDIENCE_TAG && definition->recipe->kind == RULE_TEXT
            ? lexicon_at(definition->texts, (uint32_t)digesting->value)
            : NULL;
    buffer_clear(&digesting->row);
    write_u32(&digesting->row, definition->number);
    if (definition->on != 0)
        buffer_append_str(&digesting->row,
                          object_id(digesting->audience, definition->on, customer));
    else
        write_u32(&digesting->row, customer);
    if (entry != NULL)
        buffer_append_str(&digesting->row, entry->text);
    else
        write_i64(&digesting->row, digesting->value);
    digest_add(digesting->digest, digesting->row.data, digesting->row.size);
    return true;
}

static void digest_definition(const struct audience *audience, const struct definition *definition,
                              struct digest *digest)
{
    struct digesting digesting = { .audience = audience,
                                   .definition = definition,
                                   .digest = digest };
    buffer_init(&digesting.row, 65536);
    for (uint32_t i = 0; i < definition->set_count; i++) {
        digesting.value = i + 1;
        set_visit(&definition->sets[i], 0, add_member, &digesting);
    }
    for (uint32_t i = 1; i < numbers_end(&definition->numbers); i++) {
        digesting.value = numbers_get(&definition->numbers, i);
        if (digesting.value != NO_VALUE)
            add_member(&digesting, i);
    }
    buffer_deinit(&digesting.row);
}

void audience_digest(const struct audience *audience, struct digest *digest)
{
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        const struct definition *definition = audience->definitions[i];
        if (definition != NULL && !definition->deleted && definition->recipe != NULL &&
            definition->live_version == definition->version)
            digest_definition(audience, definition, digest);
    }
}
