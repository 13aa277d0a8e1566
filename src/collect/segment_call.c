/* SPDX-License-Identifier: Apache-2.0 */
/* One of Segment's calls becomes one event. */
#include "base/metric.h"
#include "collect/segment_inside.h"
#include "event/known.h"

static err draft_times(struct segment_draft *draft)
{
    const struct segment_item *item = &draft->item;
    struct event *event = &draft->door->worker->event;
    json_value original =
        segment_is_absent(item->original_timestamp) ? item->timestamp : item->original_timestamp;
    int64_t original_ms = 0, sent_ms = 0;
    bool given = !segment_is_absent(original);
    bool historical = draft->batch->historical || json_bool(item->context.historical, false);
    if (given && !segment_read_time(original, &original_ms)) {
        problem_set(draft->problem, ERR_INVALID, "the timestamp is no time");
        problem_hint(draft->problem, ERR_INVALID,
                     "send ISO 8601 with its zone, as in "
                     "2026-11-21T08:00:00.000Z");
        return problem_at(draft->problem, ERR_INVALID, "/timestamp");
    }
    if (!segment_read_time(item->sent_at, &sent_ms))
        sent_ms = draft->batch->sent_ms;
    if (historical)
        event->flags |= EVENT_HISTORICAL;
    /* History has its true times: nothing to correct. */
    return draft_time(draft->door, given, original_ms, sent_ms, historical, draft->problem);
}

/* ---- calls ---- */

static enum segment_type call_named(str name)
{
    static const struct {
        str name;
        enum segment_type call;
    } calls[] = { { LITERAL("track"), CALL_TRACK }, { LITERAL("identify"), CALL_IDENTIFY },
                  { LITERAL("page"), CALL_PAGE },   { LITERAL("screen"), CALL_SCREEN },
                  { LITERAL("group"), CALL_GROUP }, { LITERAL("alias"), CALL_ALIAS } };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (str_equal(name, calls[i].name))
            return calls[i].call;
    return CALL_NONE;
}

static err draft_event_name(struct segment_draft *draft, str *name)
{
    err error = draft_id_text(draft->door, draft->item.event, "/event", name, draft->problem);
    if (error != ERR_OK)
        return error;
    if (name->size == 0) {
        problem_set(draft->problem, ERR_INVALID, "a track call without the name of its event");
        return problem_at(draft->problem, ERR_INVALID, "/event");
    }
    if (name->size > EVENT_NAME_BYTES_MAX) {
        problem_set(draft->problem, ERR_INVALID,
                    "the name of the event has %zu bytes, at most %d "
                    "are taken",
                    name->size, EVENT_NAME_BYTES_MAX);
        problem_hint(draft->problem, ERR_INVALID, "what varies belongs into properties");
        return problem_at(draft->problem, ERR_INVALID, "/event");
    }
    return ERR_OK;
}

static err begin_call(struct segment_draft *draft, enum segment_type call)
{
    str name = STR_NONE;
    err error = ERR_OK;
    switch (call) {
    case CALL_TRACK:
        error = draft_event_name(draft, &name);
        if (error == ERR_OK)
            draft_begin(draft->door, EVENT_TRACK, name);
        return error;
    case CALL_IDENTIFY:
        draft_begin(draft->door, EVENT_IDENTIFY, STR("Identify"));
        return ERR_OK;
    case CALL_PAGE:
        draft_begin(draft->door, EVENT_PAGE, STR("Page Viewed"));
        return ERR_OK;
    case CALL_SCREEN:
        draft_begin(draft->door, EVENT_SCREEN, STR("Screen Viewed"));
        return ERR_OK;
    case CALL_GROUP:
        draft_begin(draft->door, EVENT_GROUP, STR("Group"));
        return ERR_OK;
    case CALL_ALIAS:
        draft_begin(draft->door, EVENT_ALIAS, STR("Alias"));
        return ERR_OK;
    case CALL_NONE:
        break;
    }
    problem_set(draft->problem, ERR_INVALID,
                "the type of the call is none of track, identify, "
                "page, screen, group, alias");
    return problem_at(draft->problem, ERR_INVALID, "/type");
}

static err admit_property(str name, json_value value, bool *skip, struct problem *problem)
{
    (void)value;
    (void)problem;
    if (str_equal(name, STR("kith_signature")))
        *skip = true;
    return ERR_OK;
}

static err need_object(struct segment_draft *draft, json_value value, const char *place)
{
    enum json_kind kind = json_kind(value);
    if (kind == JSON_MISSING || kind == JSON_NULL || kind == JSON_OBJECT)
        return ERR_OK;
    problem_set(draft->problem, ERR_INVALID, "%s is not an object", place + 1);
    return problem_at(draft->problem, ERR_INVALID, "%s", place);
}

static err draft_properties(struct segment_draft *draft, enum segment_type call)
{
    const struct segment_item *item = &draft->item;
    struct event *event = &draft->door->worker->event;
    bool viewed = call == CALL_PAGE || call == CALL_SCREEN;
    struct draft_rules rules = { .admit = admit_property };
    struct draft_more more[2] = { { STR("name"), json_text(item->name) },
                                  { STR("category"), json_text(item->category) } };
    err error = need_object(draft, item->properties, "/properties");
    if (error != ERR_OK || (call != CALL_TRACK && !viewed))
        return error;
    if (call == CALL_TRACK) {
        const struct known_event *known = known_event(event->type);
        rules.lines_make_revenue = known != NULL && known->is_order;
    }
    return draft_props(draft->door, item->properties, &rules, more, viewed ? 2 : 0, draft->problem);
}

/* Rudder's browser SDK has the traits of identify in the context alone. */
static err draft_call_traits(struct segment_draft *draft, enum segment_type call)
{
    err error = need_object(draft, draft->item.traits, "/traits");
    if (error == ERR_OK && call == CALL_IDENTIFY)
        error =
            draft_traits(draft->door, draft->item.context.traits, TRAIT_SET, NULL, draft->problem);
    if (error == ERR_OK && (call == CALL_IDENTIFY || call == CALL_GROUP))
        error = draft_traits(draft->door, draft->item.traits, TRAIT_SET, NULL, draft->problem);
    return error;
}

static err draft_group(struct segment_draft *draft)
{
    struct event *event = &draft->door->worker->event;
    str group;
    err error =
        draft_id_text(draft->door, draft->item.group_id, "/groupId", &group, draft->problem);
    if (error != ERR_OK)
        return error;
    if (group.size == 0 || group.size > TEXT_ID_BYTES_MAX) {
        problem_set(draft->problem, ERR_INVALID,
                    "a group call without a groupId of at most %d bytes", TEXT_ID_BYTES_MAX);
        return problem_at(draft->problem, ERR_INVALID, "/groupId");
    }
    event->object_kind = STR("group");
    event->object_id = group;
    return ERR_OK;
}

static err draft_message(struct segment_draft *draft)
{
    str id;
    err error =
        draft_id_text(draft->door, draft->item.message_id, "/messageId", &id, draft->problem);
    if (error != ERR_OK)
        return error;
    if (id.size > 0)
        draft_message_key(draft->door, &id, 1);
    else
        draft_random_message_key(draft->door);
    return ERR_OK;
}

/* Whose event is it? */
static err read_ids(struct segment_draft *draft)
{
    struct door *door = draft->door;
    err error =
        draft_id_text(door, draft->item.user_id, "/userId", &draft->user_id, draft->problem);
    if (error == ERR_OK)
        error = draft_id_text(door, draft->item.anonymous_id, "/anonymousId", &draft->anonymous_id,
                              draft->problem);
    if (error == ERR_OK && draft->user_id.size == 0 && draft->anonymous_id.size == 0)
        error =
            problem_set(draft->problem, ERR_INVALID, "request neither has anonymousId nor userId");
    return error;
}

/* An alias of an id to itself, as browsers send it, says nothing. */
static bool is_void_alias(struct segment_draft *draft, enum segment_type call, err *error)
{
    str previous;
    if (call != CALL_ALIAS)
        return false;
    *error = draft_id_text(draft->door, draft->item.previous_id, "/previousId", &previous,
                           draft->problem);
    if (*error != ERR_OK)
        return false;
    if (previous.size == 0 || draft->user_id.size == 0) {
        problem_set(draft->problem, ERR_INVALID, "an alias call without previousId and userId");
        *error = problem_at(draft->problem, ERR_INVALID, "/previousId");
        return false;
    }
    if (!str_equal(previous, draft->user_id))
        return false;
    draft_begin(draft->door, EVENT_ALIAS, STR("Alias")); /* for the debugger's eyes */
    draft_random_message_key(draft->door);
    return true;
}

static err draft_item(struct segment_draft *draft, enum segment_type call)
{
    err error = begin_call(draft, call);
    if (error == ERR_OK && call == CALL_GROUP)
        error = draft_group(draft);
    if (error == ERR_OK)
        error = draft_times(draft);
    if (error == ERR_OK)
        error = draft_message(draft);
    if (error == ERR_OK)
        error = segment_draft_identifiers(draft, call);
    if (error == ERR_OK)
        error = draft_properties(draft, call);
    if (error == ERR_OK)
        error = draft_call_traits(draft, call);
    if (error == ERR_OK)
        error = segment_draft_context(draft);
    if (error != ERR_OK)
        return error;
    draft->door->worker->event.channel = segment_channel(draft);
    return draft_finish(draft->door, draft->problem);
}

/* Only bodies larger than one event may be are measured item by item. */
static err check_size(struct door *door, json_value item, struct problem *problem)
{
    struct buffer *text = &door->worker->text;
    size_t limit = door->worker->limits.event_bytes_max;
    if (!door->measure_items)
        return ERR_OK;
    buffer_clear(text);
    json_write_value(text, item);
    if (!text->failed && text->size <= limit)
        return ERR_OK;
    problem_set(problem, ERR_TOO_LARGE, "the event has more than %zu bytes", limit);
    return problem_hint(problem, ERR_TOO_LARGE,
                        "keep long texts and files elsewhere and send links");
}

/* ---- who has not agreed ---- */

static bool speaks_of_consent(const struct segment_draft *draft, enum segment_type call)
{
    return call == CALL_TRACK && str_starts_with(json_text(draft->item.event), STR("Consent "));
}

/* What says who it was goes, before anything is made of it. */
static err forget_sender(struct segment_draft *draft)
{
    struct segment_item *item = &draft->item;
    str sender = draft->anonymous_id.size > 0 ? draft->anonymous_id : draft->user_id;
    item->context = (struct segment_context){ .channel = item->context.channel,
                                              .library = item->context.library };
    item->user_id = item->anonymous_id = item->previous_id = (json_value){ .document = NULL };
    item->properties = item->traits = item->name = item->category =
        (json_value){ .document = NULL };
    draft->user_id = STR_NONE;
    draft->door->is_unsaid = true;
    metric_add(METRIC_EVENTS_WITHOUT_CONSENT, 1);
    return collect_pseudonym(draft->door, sender, &draft->anonymous_id);
}

/* *done: the event is dropped. */
static err ask_consent(struct segment_draft *draft, enum segment_type call, bool *done)
{
    const struct source *source = draft->door->source;
    json_value preferences = json_get(draft->item.context.consent, STR("categoryPreferences"));
    *done = false;
    if (collect_may_record(source, preferences) || speaks_of_consent(draft, call))
        return ERR_OK;
    bool happened = call == CALL_TRACK || call == CALL_PAGE || call == CALL_SCREEN;
    if (source->without_consent == WITHOUT_CONSENT_ANONYMISE && happened)
        return forget_sender(draft);
    collect_leave_unsaid(draft->door);
    *done = true;
    return ERR_OK;
}

err segment_take_call(struct door *door, const struct segment_batch *batch, json_value value,
                      struct problem *problem)
{
    struct segment_draft draft = { .door = door,
                                   .batch = batch,
                                   .problem = problem,
                                   .trusted = door->source->kind == SOURCE_SERVER };
    struct json_iterator iterator = json_iterate(value);
    json_value member;
    str key;
    if (json_kind(value) != JSON_OBJECT)
        return problem_set(problem, ERR_INVALID, "a call is not a JSON object");
    err error = check_size(door, value, problem);
    if (error != ERR_OK)
        return error;
    draft.item.context = batch->context;
    while (json_next(&iterator, &key, &member))
        segment_take_member(&draft.item, key, member);
    enum segment_type call =
        batch->call != CALL_NONE ? batch->call : call_named(json_text(draft.item.type));
    error = read_ids(&draft);
    bool done = false;
    if (error == ERR_OK)
        error = ask_consent(&draft, call, &done);
    if (error == ERR_OK && !done && is_void_alias(&draft, call, &error))
        done = true;
    if (done)
        return ERR_OK;
    return error != ERR_OK ? error : draft_item(&draft, call);
}
