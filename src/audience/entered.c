/* SPDX-License-Identifier: Apache-2.0 */
/* entered: since when somebody is in a segment, for windows that begin with it.
 *
 * Of a journey it is a column of facts (column.c), which the engine writes as positions come and go. Of a segment it is
 * kept here, only of those that a rule names so: 8 bytes a member. The moments are those of the changes, which are all in
 * the ledger, in the rows that wait for their commit, or in the open row; so when a segment is named for the first
 * time its past is read once, and the same at each start. */
#include "audience/state.h"

static err note(struct numbers *entered, const struct change *change)
{
    if (change->new_value == NO_VALUE)
        return numbers_put(entered, change->customer, NO_VALUE);
    return change->old_value == NO_VALUE ? numbers_put(entered, change->customer, change->at_ms)
                                         : ERR_OK;
}

void entered_note(struct definition *definition, const struct change *change)
{
    if (definition->wants_entered && note(&definition->entered, change) != ERR_OK)
        log_line(LOG_ERROR, "entered_lost", "definition=%u reason=\"out of memory\"",
                 definition->number);
}

/* ---- the past ---- */

struct reading {
    struct numbers *entered;
    uint64_t next; /* number of the change that is read next */
    err error;
};

static void read_entries(struct reading *reading, uint64_t number, str bytes)
{
    struct cursor cursor = cursor_over(bytes);
    struct change change, previous = { .seq = 0 };
    for (; reading->error == ERR_OK && change_next(&cursor, &change, &previous); number++) {
        if (number < reading->next)
            continue; /* the open row is written again and again */
        reading->error = note(reading->entered, &change);
        reading->next = number + 1;
    }
    if (cursor.failed)
        reading->error = ERR_CORRUPT;
}

static bool read_row(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    read_entries(reading, (uint64_t)values[1].integer, values[5].bytes);
    return reading->error == ERR_OK;
}

/* Rows that wait are newest first: the oldest that is not read yet, until there is none. */
static void read_waiting(const struct audience *audience, const struct definition *definition,
                         struct reading *reading)
{
    for (;;) {
        const struct changes_row *oldest = NULL;
        for (const struct changes_row *row = audience->finished_rows; row != NULL; row = row->next)
            if (row->definition == definition->number && row->number + row->count > reading->next &&
                (oldest == NULL || row->number < oldest->number))
                oldest = row;
        if (oldest == NULL || reading->error != ERR_OK)
            return;
        read_entries(reading, oldest->number, str_from_bytes(oldest->bytes, oldest->size));
    }
}

static err read_past(struct audience *audience, struct definition *definition)
{
    struct reading reading = { .entered = &definition->entered, .next = 1 };
    struct problem problem = { .error = ERR_OK };
    err error = ERR_OK;
    if (audience->ledger != NULL) {
        error = ledger_drain(audience->ledger); /* what was handed over before is there */
        if (error == ERR_OK)
            error = ledger_find_by(audience->ledger, LEDGER_AUDIENCE_CHANGES, "definition",
                                   ledger_int(definition->number), NULL, false, SIZE_MAX >> 2,
                                   read_row, &reading, &problem);
    }
    read_waiting(audience, definition, &reading);
    if (definition->changes_count > 0)
        read_entries(&reading, definition->changes_number, buffer_str(&definition->changes));
    return error == ERR_OK ? reading.error : error;
}

err entered_want(struct audience *audience, struct definition *definition)
{
    if (definition->wants_entered)
        return ERR_OK;
    definition->wants_entered = true;
    return audience->started ? read_past(audience, definition) : ERR_OK;
}

err entered_load(struct audience *audience)
{
    err error = ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i < audience->definition_count; i++)
        if (audience->definitions[i] != NULL && audience->definitions[i]->wants_entered)
            error = read_past(audience, audience->definitions[i]);
    return error;
}

/* ---- asked ---- */

static int64_t moment_of(int64_t cell)
{
    return cell != NO_VALUE ? cell : INT64_MIN;
}

static int64_t journey_moment(const struct audience *audience, uint32_t customer,
                              const struct rule_entered *what)
{
    return moment_of(cell_get(audience->facts.columns[what->symbol.number], customer));
}

int64_t entered_for_engine(void *context, uint32_t customer, const struct rule_entered *what)
{
    if (what->kind == RULE_ENTERED_JOURNEY)
        return journey_moment(context, customer, what);
    const struct definition *segment =
        what->kind == RULE_ENTERED_SEGMENT ? definition_at(context, what->symbol.number) : NULL;
    return segment != NULL ? moment_of(numbers_get(&segment->entered, customer)) : INT64_MIN;
}

int64_t entered_for_scan(void *context, uint32_t customer, const struct rule_entered *what)
{
    const struct scan_facts *facts = context;
    if (what->kind == RULE_ENTERED_JOURNEY)
        return journey_moment(facts->audience, customer, what);
    if (what->kind != RULE_ENTERED_SEGMENT || what->symbol.number >= facts->others.count)
        return INT64_MIN;
    return moment_of(numbers_get(&facts->others.items[what->symbol.number].entered, customer));
}
