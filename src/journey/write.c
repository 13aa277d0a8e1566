/* SPDX-License-Identifier: Apache-2.0 */
/* write: journeys as they are, for people. */
#include "journey/state.h"

static void write_counts_of(const struct journey *journey, struct json_writer *writer)
{
    uint64_t inside = 0;
    for (uint32_t i = 0; i < journey->version_count; i++) {
        const struct version *version = journey->versions[i];
        for (uint16_t place = 0; place <= version->node_count; place++)
            inside += version->waiting[place];
    }
    json_member_int(writer, STR("inside"), (int64_t)inside);
    json_member_int(writer, STR("entered"), (int64_t)journey->entered);
}

static void write_head(const struct journey *journey, struct json_writer *writer)
{
    json_member_text(writer, STR("key"), journey->key);
    json_member_text(writer, STR("name"), journey->name);
    json_member_text(writer, STR("folder"), journey->folder);
    json_member_text(writer, STR("state"), str_from_c(journey_state_text(journey->state)));
    json_member_int(writer, STR("live_version"), journey->live_version);
    json_member_int(writer, STR("next_version"), journey->next_version);
    json_member_int(writer, STR("draft"), journey->draft_number);
    json_member_int(writer, STR("ramp"), journey->ramp_percent);
    json_member_bool(writer, STR("test_only"), journey->only_test_users);
    json_member_bool(writer, STR("approved"),
                     !journey->needs_approval || journey->approved_draft == journey->draft_number);
    json_member_time(writer, STR("created_at"), journey->created_ms);
    json_member_time(writer, STR("changed_at"), journey->changed_ms);
    if (journey->next_run_ms != INT64_MAX)
        json_member_time(writer, STR("next_run"), journey->next_run_ms);
    write_counts_of(journey, writer);
}

static bool is_asked(const struct journey *journey, str folder, str query)
{
    if (journey == NULL || journey->state == JOURNEY_DELETED_STATE)
        return false;
    if (folder.size > 0 && !str_equal(journey->folder, folder))
        return false;
    return query.size == 0 || str_contains(journey->key, query) ||
           str_contains(journey->name, query);
}

void journey_write_all(const struct journeys *journeys, str folder, str query, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        if (!is_asked(journeys->journeys[i], folder, query))
            continue;
        json_begin_object(&writer);
        write_head(journeys->journeys[i], &writer);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}

static void write_versions(const struct journey *journey, struct json_writer *writer)
{
    json_put_key(writer, STR("versions"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < journey->version_count; i++) {
        const struct version *version = journey->versions[i];
        uint64_t inside = 0;
        for (uint16_t place = 0; place <= version->node_count; place++)
            inside += version->waiting[place];
        json_begin_object(writer);
        json_member_int(writer, STR("version"), version->number);
        json_member_time(writer, STR("published_at"), version->published_ms);
        json_member_int(writer, STR("inside"), (int64_t)inside);
        json_end_object(writer);
    }
    json_end_array(writer);
}

err journey_write_one(const struct journeys *journeys, str key, uint32_t number, struct buffer *out)
{
    const struct journey *journey = journey_find(journeys, key);
    struct json_writer writer;
    if (journey == NULL || (number != 0 && journey_version(journey, number) == NULL))
        return ERR_NOT_FOUND;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write_head(journey, &writer);
    write_versions(journey, &writer);
    json_member_raw(&writer, STR("journey"),
                    number != 0 ? journey_version(journey, number)->body
                                : str_from_bytes(journey->text, journey->text_size));
    json_end_object(&writer);
    return buffer_status(out);
}

static str place_name(const struct version *version, uint16_t node)
{
    switch (node) {
    case NODE_START:
        return STR("$start");
    case NODE_ABSENCE:
        return STR("$absence");
    case NODE_CONTROL:
        return STR("$control");
    case NODE_AFTER:
        return STR("$after");
    default:
        return node < version->node_count ? version->nodes[node].id : STR("");
    }
}

void journey_write_customer(const struct journeys *journeys, uint32_t customer, struct buffer *out)
{
    static const char *const states[] = { "free", "waiting", "failed", "merged" };
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t slot = position_first(&journeys->positions, customer); slot != NONE;
         slot = position_at(&journeys->positions, slot)->next) {
        const struct position *position = position_at(&journeys->positions, slot);
        const struct version *version = version_of(journeys, position);
        struct context context;
        context_read(position, &context);
        json_begin_object(&writer);
        json_member_int(&writer, STR("position"), (int64_t)position->number);
        json_member_text(&writer, STR("journey"), version->journey->key);
        json_member_text(&writer, STR("name"), version->journey->name);
        json_member_int(&writer, STR("version"), position->version);
        json_member_text(&writer, STR("key"), context.key);
        json_member_text(&writer, STR("node"), place_name(version, position->node));
        json_member_text(&writer, STR("state"), str_from_c(states[position->state]));
        json_member_time(&writer, STR("entered_at"), position->entered_ms);
        json_member_time(&writer, STR("since"),
                         position->entered_ms + (int64_t)position->since_s * 1000);
        if (position->due_ms != INT64_MAX)
            json_member_time(&writer, STR("due"), position->due_ms);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}
