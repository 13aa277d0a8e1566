/* SPDX-License-Identifier: Apache-2.0 */
/* Which events a view lets through: as a predicate, as SQL, as conditions of a rule. One team's conditions hold all; of
 * several teams below one view, one lets it through. */
#include <string.h>

#include "server/scope/scope_inside.h"

/* ---- of a view ---- */

err scope_filter_make(struct request *request, struct scope *scope)
{
    size_t count = team_count(scope->teams);
    scope->filters = arena_alloc_array(&request->arena, sizeof(*scope->filters), count + 1);
    if (scope->filters == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct team *team = team_at(scope->teams, i);
        if (!team_is_within(scope->teams, team->key, scope->team->key) || !team_has_view(team))
            continue; /* a team that only holds others together sees nothing of its own */
        scope->filters[scope->filter_count++] = team;
        scope->sees_all_events = scope->sees_all_events || team->condition_count == 0;
    }
    return ERR_OK;
}

bool scope_sees_all_events(const struct scope *scope)
{
    return scope == NULL || scope->sees_all_events;
}

/* ---- one event ---- */

bool scope_sees_event(const struct scope *scope, uint32_t source_number, str channel, str props,
                      struct json_parser *parser)
{
    if (scope_sees_all_events(scope))
        return true;
    struct team_event event = { .source = source_by_number(scope->sources, source_number),
                                .channel = channel,
                                .props = props,
                                .parser = parser };
    for (size_t i = 0; i < scope->filter_count; i++)
        if (team_lets_through(scope->filters[i], &event))
            return true;
    return false;
}

/* ---- one source ---- */

static bool has_text(const str *texts, size_t count, str text)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(texts[i], text))
            return true;
    return false;
}

/* All that comes from it passes: the conditions ask for nothing but its key and its channel. What an import told as this source has
 * a number of its own, which no condition on keys lets through. */
static bool passes_source(const struct team *team, const struct source *source, bool is_import)
{
    for (size_t i = 0; i < team->condition_count; i++) {
        const struct team_condition *condition = &team->conditions[i];
        bool passes = (!is_import && str_equal(condition->prop, STR("$source")) &&
                       has_text(condition->values, condition->count, source->key)) ||
                      (str_equal(condition->prop, STR("channel")) && source->channel.size > 0 &&
                       has_text(condition->values, condition->count, source->channel));
        if (!passes)
            return false;
    }
    return true;
}

bool scope_sees_source(const struct scope *scope, uint32_t source_number)
{
    if (scope_sees_all_events(scope) || source_number == 0)
        return true;
    const struct source *source = source_told_as(scope->sources, source_number);
    bool is_import = event_source_is_import(source_number);
    for (size_t i = 0; source != NULL && i < scope->filter_count; i++) {
        const struct team *team = scope->filters[i];
        if (has_text(team->sources, team->source_count, source->key) ||
            passes_source(team, source, is_import))
            return true;
    }
    return false;
}

/* ---- as SQL ---- */

static void write_literal(struct buffer *sql, str text)
{
    buffer_append_byte(sql, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\')
            buffer_append_byte(sql, '\\');
        buffer_append_byte(sql, (uint8_t)text.data[i]);
    }
    buffer_append_byte(sql, '\'');
}

static void write_numbers(const struct scope *scope, const struct team_condition *condition,
                          struct buffer *sql)
{
    buffer_append_str(sql, STR("source IN (4294967295")); /* a list is never empty */
    for (size_t i = 0; i < condition->count; i++) {
        const struct source *source = source_by_key(scope->sources, condition->values[i]);
        if (source != NULL)
            buffer_printf(sql, ",%u", source->number);
    }
    buffer_append_byte(sql, ')');
}

static void write_condition(const struct scope *scope, const struct team_condition *condition,
                            struct buffer *sql)
{
    if (str_equal(condition->prop, STR("$source"))) {
        write_numbers(scope, condition, sql);
        return;
    }
    if (str_equal(condition->prop, STR("channel"))) {
        buffer_append_str(sql, STR("channel"));
    } else {
        buffer_append_str(sql, STR("JSONExtractString(props, "));
        write_literal(sql, condition->prop);
        buffer_append_byte(sql, ')');
    }
    buffer_append_str(sql, STR(" IN ("));
    for (size_t i = 0; i < condition->count; i++) {
        if (i > 0)
            buffer_append_byte(sql, ',');
        write_literal(sql, condition->values[i]);
    }
    buffer_append_byte(sql, ')');
}

void scope_write_sql(const struct scope *scope, struct buffer *sql)
{
    if (scope_sees_all_events(scope))
        return;
    buffer_append_str(sql, STR(" AND (0"));
    for (size_t i = 0; i < scope->filter_count; i++) {
        const struct team *team = scope->filters[i];
        buffer_append_str(sql, STR(" OR (1"));
        for (size_t k = 0; k < team->condition_count; k++) {
            buffer_append_str(sql, STR(" AND "));
            write_condition(scope, &team->conditions[k], sql);
        }
        buffer_append_byte(sql, ')');
    }
    buffer_append_byte(sql, ')');
}

/* ---- as conditions of a rule ---- */

void scope_write_condition(const struct scope *scope, const struct team_condition *condition,
                           struct json_writer *writer)
{
    bool is_source = str_equal(condition->prop, STR("$source"));
    json_begin_object(writer);
    json_member_text(writer, STR("prop"), condition->prop);
    json_put_key(writer, STR("in"));
    json_begin_array(writer);
    for (size_t i = 0; i < condition->count; i++) {
        const struct source *source =
            is_source ? source_by_key(scope->sources, condition->values[i]) : NULL;
        if (!is_source)
            json_put_text(writer, condition->values[i]);
        else
            json_put_int(writer, source != NULL ? source->number : UINT32_MAX);
    }
    json_end_array(writer);
    json_end_object(writer);
}

void scope_write_where(const struct scope *scope, const struct team *team,
                       struct json_writer *writer)
{
    for (size_t i = 0; i < team->condition_count; i++)
        scope_write_condition(scope, &team->conditions[i], writer);
}
