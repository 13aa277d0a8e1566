/* SPDX-License-Identifier: Apache-2.0 */
/* journey: life of the room, its figures, its check and its digest. */
#include "journey/journey.h"

#include <stdio.h>
#include <string.h>

#include "base/logline.h"
#include "journey/state.h"

const char *journey_state_text(enum journey_state state)
{
    static const char *const texts[] = {
#define X(NAME, text) text,
        JOURNEY_STATES(X)
#undef X
    };
    return state < JOURNEY_STATE_COUNT ? texts[state] : "";
}

err journeys_new(struct journeys **journeys, const struct journeys_config *config)
{
    struct journeys *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    made->config = *config;
    made->world = config->world;
    made->wave_next = 1;
    atomic_store(&made->next_due_ms, INT64_MAX);
    buffer_init(&made->scratch, (size_t)1 << 20);
    buffer_init(&made->steps, (size_t)1 << 20);
    buffer_init(&made->text, (size_t)1 << 20);
    err error = positions_init(&made->positions);
    if (error == ERR_OK)
        error = zone_load(&made->zone,
                          str_from_c(config->zone != NULL ? config->zone : "Asia/Shanghai"), NULL);
    if (error == ERR_OK)
        error = json_parser_new(&made->parser, (size_t)8 << 20);
    if (error == ERR_OK)
        error = json_parser_new(&made->parser_inner, (size_t)8 << 20);
    if (error != ERR_OK) {
        journeys_free(&made);
        return error;
    }
    *journeys = made;
    return ERR_OK;
}

void journeys_free(struct journeys **journeys)
{
    struct journeys *gone = *journeys;
    *journeys = NULL;
    if (gone == NULL)
        return;
    for (uint32_t i = 0; i < gone->journey_count; i++)
        journey_free(gone->journeys[i]);
    memory_free((void *)gone->journeys);
    while (gone->waves != NULL) {
        struct wave *wave = gone->waves;
        gone->waves = wave->next;
        wave_free(&wave);
    }
    positions_deinit(&gone->positions);
    memory_free(gone->since.changed);
    counts_deinit(&gone->counts);
    entries_deinit(&gone->entries);
    conversions_deinit(&gone->conversions);
    interests_deinit(&gone->events);
    interests_deinit(&gone->moves);
    memory_free(gone->work_numbers);
    buffer_deinit(&gone->scratch);
    buffer_deinit(&gone->steps);
    buffer_deinit(&gone->text);
    json_parser_free(&gone->parser);
    json_parser_free(&gone->parser_inner);
    zone_free(&gone->zone);
    memory_free(gone);
}

err journeys_set_zone(struct journeys *journeys, str zone, struct journey_moment moment,
                      struct ledger_writes *writes)
{
    struct problem problem = { .error = ERR_OK };
    struct zone *loaded;
    if (str_equal(str_from_c(journeys->zone->name), zone))
        return ERR_OK;
    if (zone_load(&loaded, zone, &problem) != ERR_OK)
        return problem.error == ERR_NOMEM ? ERR_NOMEM : ERR_OK; /* the door says what is a zone */
    zone_free(&journeys->zone);
    journeys->zone = loaded;
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        struct journey *journey = journeys->journeys[i];
        if (journey == NULL || journey->next_run_ms == INT64_MAX)
            continue;
        schedule_set(journeys, journey, moment.now_ms);
        if (writes != NULL)
            store_journey(journey, writes);
    }
    due_changed(journeys);
    return ERR_OK;
}

/* ---- looking after it ---- */

void journeys_status(const struct journeys *journeys, struct journeys_status *status)
{
    *status = (struct journeys_status){ .positions = journeys->positions.living,
                                        .failed = journeys->positions.failed,
                                        .steps = journeys->step_count,
                                        .bytes = positions_bytes(&journeys->positions) };
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        const struct journey *journey = journeys->journeys[i];
        if (journey == NULL || journey->state == JOURNEY_DELETED_STATE)
            continue;
        status->journeys++;
        status->live += journey->state == JOURNEY_LIVE_STATE;
    }
}

/* J2: what can wake it? */
static const char *stuck(const struct journeys *journeys, const struct position *position)
{
    const struct version *version = version_of(journeys, position);
    if (version == NULL)
        return "is of no version";
    if (position->state == POSITION_MERGED || position->state == POSITION_FAILED)
        return NULL;
    if (position->node < NODE_START && position->node >= version->node_count)
        return "is at no node";
    if (position->due_ms == INT64_MAX && (position->flags & POSITION_STALLED) == 0)
        return "has neither timer nor condition";
    if ((position->flags & POSITION_STALLED) != 0 &&
        version->journey->state != JOURNEY_PAUSED_STATE &&
        version->journey->state != JOURNEY_FINISHING_STATE)
        return "is stalled in a journey that is not paused";
    return NULL;
}

static bool is_double(const struct journeys *journeys, const struct position *position)
{
    struct context mine, theirs;
    context_read(position, &mine);
    for (uint32_t slot = position->next; slot != NONE;
         slot = position_at(&journeys->positions, slot)->next) {
        const struct position *other = position_at(&journeys->positions, slot);
        context_read(other, &theirs);
        if (other->journey == position->journey && other->state != POSITION_MERGED &&
            position->state != POSITION_MERGED && other->node != NODE_AFTER &&
            position->node != NODE_AFTER && str_equal(mine.key, theirs.key))
            return true;
    }
    return false;
}

static uint64_t check_counts(const struct journeys *journeys, char *first, size_t first_size)
{
    uint64_t defects = 0;
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        const struct journey *journey = journeys->journeys[i];
        for (uint32_t k = 0; journey != NULL && k < journey->version_count; k++) {
            const struct version *version = journey->versions[k];
            uint64_t waiting = 0, found = 0;
            for (uint32_t place = 0; place < version->node_count + 4u; place++)
                waiting += version->waiting[place];
            for (uint32_t slot = 0; slot < journeys->positions.slot_count; slot++) {
                const struct position *position = position_at(&journeys->positions, slot);
                found += position->state != POSITION_FREE && position->state != POSITION_MERGED &&
                         position->journey == journey->number &&
                         position->version == version->number;
            }
            if (waiting != found && defects++ == 0)
                snprintf(first, first_size, "%llu wait in version %u of %.*s, %llu are counted",
                         (unsigned long long)found, version->number, STR_ARG(journey->key),
                         (unsigned long long)waiting);
        }
    }
    return defects;
}

uint64_t journey_check(const struct journeys *journeys, char *first, size_t first_size)
{
    uint64_t defects = 0;
    first[0] = '\0';
    if (!positions_check(&journeys->positions, first, first_size))
        defects++;
    for (uint32_t slot = 0; slot < journeys->positions.slot_count; slot++) {
        const struct position *position = position_at(&journeys->positions, slot);
        if (position->state == POSITION_FREE)
            continue;
        const char *why = stuck(journeys, position);
        if (why == NULL && is_double(journeys, position))
            why = "is there twice";
        if (why != NULL && defects++ == 0)
            snprintf(first, first_size, "position %llu of customer %u %s",
                     (unsigned long long)position->number, position->customer, why);
    }
    if (defects == 0)
        defects += check_counts(journeys, first, first_size);
    return defects + journeys->defects;
}

/* A defect is told where it is found; how many there are is known when a round is over. */
uint64_t journey_patrol(struct journeys *journeys, uint32_t count)
{
    const struct positions *positions = &journeys->positions;
    struct patrol *patrol = &journeys->patrol;
    for (uint32_t i = 0; i < count && patrol->slot < positions->slot_count; i++, patrol->slot++) {
        const struct position *position = position_at(positions, patrol->slot);
        const char *why = NULL;
        if (position->state != POSITION_FREE)
            why = stuck(journeys, position);
        if (why == NULL && position->state != POSITION_FREE && is_double(journeys, position))
            why = "is there twice";
        if (why != NULL && patrol->found++ == 0)
            log_line(LOG_ERROR, "journey_position_defect", "position=%llu customer=%u why=\"%s\"",
                     (unsigned long long)position->number, position->customer, why);
    }
    if (patrol->slot >= positions->slot_count) {
        patrol->defects = patrol->found;
        patrol->slot = 0;
        patrol->found = 0;
    }
    return patrol->defects + journeys->defects;
}

static void digest_position(const struct position *position, struct digest *digest)
{
    struct buffer row;
    buffer_init(&row, (size_t)128 << 10);
    write_u64(&row, position->number);
    write_i64(&row, position->entered_ms);
    write_i64(&row, position->due_ms);
    write_u32(&row, position->customer);
    write_u32(&row, position->node_born);
    write_u32(&row, position->since_s);
    write_u16(&row, position->journey);
    write_u16(&row, position->version);
    write_u16(&row, position->node);
    write_u16(&row, position->visits);
    write_u8(&row, position->state);
    write_u8(&row, position->flags);
    write_u8(&row, position->goals);
    buffer_append_str(&row, context_raw(position));
    digest_add(digest, row.data, row.size);
    buffer_deinit(&row);
}

void journey_digest(const struct journeys *journeys, struct digest *digest)
{
    for (uint32_t slot = 0; slot < journeys->positions.slot_count; slot++)
        if (position_at(&journeys->positions, slot)->state != POSITION_FREE)
            digest_position(position_at(&journeys->positions, slot), digest);
    conversions_digest(&journeys->conversions, digest);
    for (uint32_t i = 0; i < journeys->counts.count; i++) {
        const struct count_row *row = &journeys->counts.rows[i];
        struct buffer bytes;
        buffer_init(&bytes, 4096);
        write_u16(&bytes, row->journey);
        write_u16(&bytes, row->version);
        write_u16(&bytes, row->node);
        write_u16(&bytes, row->goal);
        write_u32(&bytes, (uint32_t)row->day);
        for (int kind = 0; kind < COUNT_KIND_COUNT; kind++)
            write_zigzag(&bytes, row->counts[kind]);
        digest_add(digest, bytes.data, bytes.size);
        buffer_deinit(&bytes);
    }
}

bool version_holds_rule(const struct version *version, str rule)
{
    for (uint32_t i = 0; version->is_held && i < version->rule_count; i++)
        if (str_equal(str_from_c(version->rules[i].key), rule))
            return true;
    return false;
}

bool journey_holds_rule(const struct journeys *journeys, str key)
{
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        const struct journey *journey = journeys->journeys[i];
        for (uint32_t k = 0; journey != NULL && k < journey->version_count; k++)
            if (version_holds_rule(journey->versions[k], key))
                return true;
    }
    return false;
}

str journey_using_segment(const struct journeys *journeys, str segment)
{
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        const struct journey *journey = journeys->journeys[i];
        if (journey == NULL || journey->state == JOURNEY_DELETED_STATE)
            continue;
        for (uint32_t k = 0; k < journey->version_count; k++) {
            const struct version *version = journey->versions[k];
            bool counts = version->number == journey->live_version || version->position_count > 0;
            bool uses = str_equal(version->trigger.segment, segment) ||
                        str_equal(version->entry.segment, segment);
            for (uint16_t n = 0; counts && !uses && n < version->node_count; n++) {
                const struct node *node = &version->nodes[n];
                uses = str_equal(node->segment, segment) ||
                       (node->kind == NODE_KIND_MEMBER && str_equal(node->key, segment));
                for (uint32_t c = 0; !uses && c < node->case_count; c++)
                    uses = str_equal(node->cases[c].segment, segment);
            }
            for (uint32_t e = 0; counts && !uses && e < version->exit_count; e++)
                uses = str_equal(version->exits[e].segment, segment);
            for (uint32_t g = 0; counts && !uses && g < version->goal_count; g++)
                uses = str_equal(version->goals[g].segment, segment);
            if (counts && uses)
                return journey->key;
        }
    }
    return STR_NONE;
}
