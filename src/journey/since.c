/* SPDX-License-Identifier: Apache-2.0 */
/* since: since when somebody is in a journey, and who entered or left one, for rules whose window begins there. */
#include <string.h>

#include "journey/state.h"

#define CHANGED_FIRST 64

bool journey_is_there(const struct journeys *journeys, str key)
{
    return journey_find(journeys, key) != NULL;
}

void journey_visit_keys(const struct journeys *journeys, void (*visit)(void *visited, str key),
                        void *visited)
{
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        const struct journey *journey = journeys->journeys[i];
        if (journey != NULL && journey->state != JOURNEY_DELETED_STATE)
            visit(visited, journey->key);
    }
}

int64_t journey_since(const struct journeys *journeys, str key, uint32_t customer)
{
    const struct positions *positions = &journeys->positions;
    uint32_t slot = position_first(positions, customer);
    const struct journey *journey = slot != NONE ? journey_find(journeys, key) : NULL;
    int64_t since_ms = INT64_MIN;
    for (; journey != NULL && slot != NONE; slot = position_at(positions, slot)->next) {
        const struct position *position = position_at(positions, slot);
        if (position->journey == journey->number && position->state != POSITION_MERGED &&
            position_is_inside(position) && position->entered_ms > since_ms)
            since_ms = position->entered_ms;
    }
    return since_ms;
}

/* ---- the bare window ---- */

#define RULE_BYTES_MAX ((size_t)8 << 20)

/* The text at `at`, a quote, with its quotes; of good JSON. */
static str text_at(str json, size_t at)
{
    size_t end = at + 1;
    while (end < json.size && json.data[end] != '"')
        end += json.data[end] == '\\' ? 2 : 1;
    return str_slice(json, at, end + 1);
}

static size_t after_space(str json, size_t at)
{
    while (at < json.size && strchr(" \t\r\n", json.data[at]) != NULL)
        at++;
    return at;
}

/* Where `"during": "since_entering"` that begins at `at` ends; 0: it is something else. */
static size_t bare_window_end(str json, size_t at)
{
    const str member = STR("\"during\""), word = STR("\"since_entering\"");
    if (!str_equal(text_at(json, at), member))
        return 0;
    size_t colon = after_space(json, at + member.size);
    if (colon >= json.size || json.data[colon] != ':')
        return 0;
    size_t value = after_space(json, colon + 1);
    bool is_bare =
        value < json.size && json.data[value] == '"' && str_equal(text_at(json, value), word);
    return is_bare ? value + word.size : 0;
}

static void name_journey(str json, str key, struct buffer *out)
{
    for (size_t at = 0; at < json.size;) {
        if (json.data[at] != '"') {
            buffer_append_str(out, str_slice(json, at, at + 1));
            at++;
            continue;
        }
        size_t end = bare_window_end(json, at);
        str text = text_at(json, at);
        if (end == 0) {
            buffer_append_str(out, text);
        } else {
            buffer_append_str(out, STR("\"during\":{\"since_entering\":{\"journey\":"));
            json_write_text(out, key);
            buffer_append_str(out, STR("}}"));
        }
        at = end == 0 ? at + text.size : end;
    }
}

err since_parse_rule(struct journeys *journeys, str json, str key, json_value *rule,
                     struct problem *problem)
{
    struct buffer text;
    buffer_init(&text, RULE_BYTES_MAX);
    name_journey(json, key, &text);
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = json_parse(journeys->parser, buffer_str(&text), rule, problem);
    buffer_deinit(&text);
    return error;
}

bool journey_alone_holds(const struct journeys *journeys, str rule, str key)
{
    bool holds = false;
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        const struct journey *journey = journeys->journeys[i];
        for (uint32_t k = 0; journey != NULL && k < journey->version_count; k++)
            if (version_holds_rule(journey->versions[k], rule)) {
                if (!str_equal(journey->key, key))
                    return false;
                holds = true;
            }
    }
    return holds;
}

/* ---- who ---- */

void journey_watch(struct journeys *journeys, bool is_watched)
{
    journeys->since.is_watched = is_watched;
}

bool journey_has_changed(const struct journeys *journeys)
{
    return journeys->since.count > 0 || journeys->since.is_lost;
}

void since_note(struct journeys *journeys, uint32_t customer)
{
    struct since *since = &journeys->since;
    if (!since->is_watched || (since->count > 0 && since->changed[since->count - 1] == customer))
        return;
    if (since->count == since->capacity) {
        size_t capacity = since->capacity == 0 ? CHANGED_FIRST : since->capacity * 2;
        uint32_t *longer = memory_resize(since->changed, capacity * sizeof(*longer));
        since->is_lost = since->is_lost || longer == NULL;
        if (longer == NULL)
            return;
        since->changed = longer;
        since->capacity = capacity;
    }
    since->changed[since->count++] = customer;
}

/* What is noted while somebody is visited is for the next time. */
err journey_take_changed(struct journeys *journeys, err (*visit)(void *visited, uint32_t customer),
                         void *visited)
{
    struct since *since = &journeys->since;
    uint32_t *changed = since->changed;
    size_t count = since->count;
    err error = since->is_lost ? ERR_NOMEM : ERR_OK;
    *since = (struct since){ .is_watched = since->is_watched };
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        error = visit(visited, changed[i]);
    memory_free(changed);
    return error;
}
