/* SPDX-License-Identifier: Apache-2.0 */
/* command: what people do with journeys: save, publish, pause, stop, approve, put somebody in, take somebody out. */
#include <stdio.h>
#include <string.h>

#include "journey/state.h"

#define KEY_BYTES_MAX 100
#define ENTER_AT_ONCE_MAX 10000

static err refuse(const struct journey_command *command, err error, const char *pointer,
                  const char *why)
{
    problem_set(command->problem, error, "%s", why);
    return problem_at(command->problem, error, "%s", pointer);
}

static str text_of(const struct journey_command *command, str name)
{
    return json_text(json_get(command->body, name));
}

static bool is_key(str key)
{
    if (key.size == 0 || key.size > KEY_BYTES_MAX)
        return false;
    for (size_t i = 0; i < key.size; i++) {
        char c = key.data[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* ---- finding ---- */

struct journey *journey_find(const struct journeys *journeys, str key)
{
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        struct journey *journey = journeys->journeys[i];
        if (journey != NULL && journey->state != JOURNEY_DELETED_STATE &&
            str_equal(journey->key, key))
            return journey;
    }
    return NULL;
}

struct version *journey_version(const struct journey *journey, uint32_t number)
{
    return number >= 1 && number <= journey->version_count ? journey->versions[number - 1] : NULL;
}

struct version *live_version(const struct journey *journey)
{
    return journey_version(journey, journey->live_version);
}

static err find(struct journeys *journeys, const struct journey_command *command,
                struct journey **journey)
{
    str key = text_of(command, STR("key"));
    *journey = journey_find(journeys, key);
    if (*journey != NULL)
        return ERR_OK;
    return problem_set(command->problem, ERR_NOT_FOUND, "there is no journey '%.*s'",
                       (int)str_utf8_prefix_bytes(key, 100), key.data != NULL ? key.data : "");
}

/* ---- life of a journey ---- */

static err dup_text(str text, str *out)
{
    char *copy = memory_alloc(text.size + 1);
    if (copy == NULL)
        return ERR_NOMEM;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    memory_free((void *)(uintptr_t)out->data);
    *out = str_from_bytes(copy, text.size);
    return ERR_OK;
}

err journey_new(struct journeys *journeys, uint16_t number, str key, struct journey **journey)
{
    if (number >= journeys->journey_count) {
        struct journey **longer =
            memory_resize((void *)journeys->journeys, (number + 1u) * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        for (uint32_t i = journeys->journey_count; i <= number; i++)
            longer[i] = NULL;
        journeys->journeys = longer;
        journeys->journey_count = number + 1u;
    }
    struct journey *made = memory_alloc(sizeof *made);
    if (made == NULL || dup_text(key, &made->key) != ERR_OK) {
        memory_free(made);
        return ERR_NOMEM;
    }
    made->number = number;
    made->ramp_percent = 100;
    made->next_run_ms = INT64_MAX;
    journeys->journeys[number] = made;
    *journey = made;
    return ERR_OK;
}

void journey_free(struct journey *journey)
{
    if (journey == NULL)
        return;
    for (uint32_t i = 0; i < journey->version_count; i++)
        version_free(&journey->versions[i]);
    memory_free((void *)journey->versions);
    memory_free((void *)(uintptr_t)journey->key.data);
    memory_free((void *)(uintptr_t)journey->name.data);
    memory_free((void *)(uintptr_t)journey->folder.data);
    memory_free((void *)(uintptr_t)journey->test_segment.data);
    memory_free(journey->text);
    memory_free(journey->work_map);
    memory_free(journey);
}

err journey_take_text(struct journey *journey, json_value body)
{
    struct buffer text;
    size_t size;
    buffer_init(&text, (size_t)4 << 20);
    json_write_value(&text, body);
    buffer_append_byte(&text, 0);
    err error = buffer_status(&text);
    if (error == ERR_OK) {
        memory_free(journey->text);
        journey->text = buffer_take(&text, &size);
        journey->text_size = size - 1;
    }
    buffer_deinit(&text);
    journey->needs_approval = json_bool(json_get(body, STR("approval")), false);
    if (error == ERR_OK)
        error = dup_text(json_text(json_get(body, STR("name"))), &journey->name);
    if (error == ERR_OK)
        error = dup_text(json_text(json_get(body, STR("folder"))), &journey->folder);
    if (error == ERR_OK)
        error = dup_text(json_text(json_get(body, STR("test_segment"))), &journey->test_segment);
    return error;
}

err version_add(struct journey *journey, struct version *version)
{
    struct version **longer =
        memory_resize((void *)journey->versions, (journey->version_count + 1) * sizeof(*longer));
    if (longer == NULL) {
        version_free(&version);
        return ERR_NOMEM;
    }
    journey->versions = longer;
    longer[journey->version_count++] = version;
    version->number = journey->version_count;
    version->journey = journey;
    return ERR_OK;
}

static void changed(struct journey *journey, const struct journey_command *command)
{
    journey->changed_ms = command->moment.now_ms;
    store_journey(journey, command->writes);
}

/* ---- put, delete ---- */

err journey_put(struct journeys *journeys, const struct journey_command *command)
{
    str key = text_of(command, STR("key"));
    json_value body = json_get(command->body, STR("journey"));
    struct journey *journey = journey_find(journeys, key);
    struct version *draft = NULL;
    if (!is_key(key))
        return refuse(command, ERR_UNPROCESSABLE, "/key",
                      "a key has 1 to 100 characters of a-z, 0-9, _ and -");
    err error = version_parse(journeys, body, &draft, command->problem);
    version_free(&draft);
    if (error != ERR_OK)
        return error;
    if (journey == NULL) {
        uint32_t number = journeys->journey_count > 0 ? journeys->journey_count : 1;
        if (number > JOURNEYS_MAX)
            return refuse(command, ERR_UNPROCESSABLE, "", "there are too many journeys");
        error = journey_new(journeys, (uint16_t)number, key, &journey);
        if (error != ERR_OK)
            return error;
        journey->created_ms = command->moment.now_ms;
    }
    error = journey_take_text(journey, body);
    if (error != ERR_OK)
        return error;
    journey->draft_number++;
    journey->user_number = command->user_number;
    changed(journey, command);
    buffer_printf(command->answer, "{\"number\":%u,\"draft\":%u}", journey->number,
                  journey->draft_number);
    return ERR_OK;
}

static bool is_inhabited(const struct journey *journey)
{
    for (uint32_t i = 0; i < journey->version_count; i++)
        if (journey->versions[i]->position_count > 0)
            return true;
    return false;
}

static void drop_rules(struct journeys *journeys, struct version *version,
                       const struct journey_command *command)
{
    const struct journey_world *world = journeys->world;
    bool was_held = version->is_held;
    version->is_held = false;
    for (uint32_t i = 0; was_held && i < version->rule_count; i++)
        world->rule_drop(world->context, str_from_c(version->rules[i].key), command->moment,
                         command->writes);
    store_version(version, command->writes);
}

err journey_delete(struct journeys *journeys, const struct journey_command *command)
{
    struct journey *journey;
    err error = find(journeys, command, &journey);
    if (error != ERR_OK)
        return error;
    if (is_inhabited(journey)) {
        refuse(command, ERR_CONFLICT, "", "there are still people in it");
        return problem_hint(command->problem, ERR_CONFLICT,
                            "stop it first: {\"action\":\"stop\",\"positions\":\"exit\"}");
    }
    for (uint32_t i = 0; i < journey->version_count; i++)
        drop_rules(journeys, journey->versions[i], command);
    journey->state = JOURNEY_DELETED_STATE;
    changed(journey, command);
    error = interests_make(journeys);
    due_changed(journeys);
    return error;
}

/* ---- publish ---- */

static err hold_rules(struct journeys *journeys, struct version *version, str key,
                      const struct journey_command *command)
{
    const struct journey_world *world = journeys->world;
    json_value rule;
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < version->rule_count; i++) {
        struct held_rule *held = &version->rules[i];
        error = since_parse_rule(journeys, held->json, key, &rule, command->problem);
        if (error == ERR_OK)
            error = world->rule_hold(world->context, rule, command->moment, command->writes,
                                     held->key, command->problem);
    }
    version->is_held = error == ERR_OK;
    return error;
}

static bool is_ready(const struct journeys *journeys, const struct version *version)
{
    for (uint32_t i = 0; i < version->rule_count; i++)
        if (!journeys->world->rule_is_ready(journeys->world->context,
                                            str_from_c(version->rules[i].key)))
            return false;
    return true;
}

static err go_live(struct journeys *journeys, struct journey *journey, int64_t now_ms,
                   struct ledger_writes *writes)
{
    journey->live_version = journey->next_version;
    journey->next_version = 0;
    journey->run_count = 0;
    if (journey->state != JOURNEY_PAUSED_STATE)
        journey->state = JOURNEY_LIVE_STATE;
    schedule_set(journeys, journey, now_ms);
    err error = ERR_OK;
    if (journey->work_version != 0 && journey->work == WORK_NONE)
        error = work_begin(journeys, journey, WORK_MOVE, journey->live_version);
    store_journey(journey, writes);
    return error == ERR_OK ? interests_make(journeys) : error;
}

err journey_rules_ready(struct journeys *journeys, struct journey_moment moment,
                        struct ledger_writes *writes)
{
    err error = ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i < journeys->journey_count; i++) {
        struct journey *journey = journeys->journeys[i];
        if (journey == NULL || journey->next_version == 0 ||
            journey->state == JOURNEY_DELETED_STATE ||
            !is_ready(journeys, journey_version(journey, journey->next_version)))
            continue;
        error = go_live(journeys, journey, moment.now_ms, writes);
    }
    due_changed(journeys);
    return error;
}

static err check_approval(const struct journey *journey, const struct journey_command *command)
{
    if (!journey->needs_approval || (journey->approved_draft == journey->draft_number &&
                                     journey->approved_by != journey->user_number))
        return ERR_OK;
    refuse(command, ERR_CONFLICT, "", "this draft has not been approved by a second person");
    return problem_hint(command->problem, ERR_CONFLICT,
                        "somebody else than who saved it approves it: {\"action\":\"approve\"}");
}

/* What becomes of those who are in: "finish" on their version, or "move" to the new one. */
static err read_positions(const struct journey_command *command, struct journey *journey)
{
    str positions = text_of(command, STR("positions"));
    json_value map = json_get(command->body, STR("map"));
    struct buffer text;
    size_t size;
    journey->work_version = 0;
    if (positions.size == 0 || str_equal(positions, STR("finish")))
        return ERR_OK;
    if (!str_equal(positions, STR("move")))
        return refuse(command, ERR_UNPROCESSABLE, "/positions", "positions is finish or move");
    journey->work_version = 1; /* to be set when it goes live */
    memory_free(journey->work_map);
    journey->work_map = NULL;
    if (!json_is_object(map))
        return ERR_OK;
    buffer_init(&text, (size_t)1 << 20);
    json_write_value(&text, map);
    buffer_append_byte(&text, 0);
    journey->work_map = buffer_take(&text, &size);
    buffer_deinit(&text);
    return journey->work_map != NULL ? ERR_OK : ERR_NOMEM;
}

static err read_ramp(const struct journey_command *command, struct journey *journey)
{
    json_value ramp = json_get(command->body, STR("ramp"));
    json_value test_only = json_get(command->body, STR("test_only"));
    int64_t percent = json_int(ramp, -1);
    if (json_kind(ramp) != JSON_MISSING && (percent < 0 || percent > 100))
        return refuse(command, ERR_UNPROCESSABLE, "/ramp", "ramp is a percentage, 0 to 100");
    if (json_bool(test_only, false) && journey->test_segment.size == 0)
        return refuse(command, ERR_UNPROCESSABLE, "/test_only",
                      "the journey names no test_segment of test users");
    if (json_kind(ramp) != JSON_MISSING)
        journey->ramp_percent = (uint32_t)percent;
    if (json_kind(test_only) != JSON_MISSING)
        journey->only_test_users = json_bool(test_only, false);
    return ERR_OK;
}

err journey_publish(struct journeys *journeys, const struct journey_command *command)
{
    struct journey *journey;
    struct version *version = NULL;
    json_value body;
    err error = find(journeys, command, &journey);
    if (error == ERR_OK)
        error = check_approval(journey, command);
    if (error == ERR_OK &&
        (journey->state == JOURNEY_FINISHING_STATE || journey->work != WORK_NONE))
        return refuse(command, ERR_CONFLICT, "", "people are still being moved or taken out of it");
    if (error == ERR_OK)
        error = read_ramp(command, journey);
    if (error == ERR_OK)
        error = read_positions(command, journey);
    if (error != ERR_OK)
        return error;
    error = json_parse(journeys->parser, str_from_bytes(journey->text, journey->text_size), &body,
                       command->problem);
    if (error == ERR_OK)
        error = version_parse(journeys, body, &version, command->problem);
    if (error == ERR_OK)
        error = version_add(journey, version);
    if (error == ERR_OK) {
        version->published_ms = command->moment.now_ms;
        error = hold_rules(journeys, version, journey->key, command);
    }
    if (error != ERR_OK && version != NULL && journey->version_count > 0 &&
        journey->versions[journey->version_count - 1] == version) {
        journey->version_count--;
        version_free(&version);
    }
    if (error != ERR_OK)
        return error;
    store_version(version, command->writes);
    journey->next_version = version->number;
    if (journey->state == JOURNEY_DRAFT_STATE || journey->state == JOURNEY_STOPPED_STATE)
        journey->state = JOURNEY_PREPARING_STATE;
    changed(journey, command);
    error = journey_rules_ready(journeys, command->moment, command->writes);
    buffer_printf(command->answer, "{\"version\":%u,\"state\":\"%s\"}", version->number,
                  journey_state_text(journey->state));
    return error;
}

/* ---- pause, resume, stop, approve, ramp ---- */

static err resume(struct journeys *journeys, struct journey *journey,
                  const struct journey_command *command)
{
    struct positions *positions = &journeys->positions;
    err error = ERR_OK;
    if (journey->state != JOURNEY_PAUSED_STATE)
        return refuse(command, ERR_CONFLICT, "", "it is not paused");
    journey->state = JOURNEY_LIVE_STATE;
    for (uint32_t slot = 0; error == ERR_OK && slot < positions->slot_count; slot++) {
        struct position *position = position_at(positions, slot);
        if (position->state != POSITION_WAITING || position->journey != journey->number ||
            (position->flags & POSITION_STALLED) == 0)
            continue;
        position->flags &= (uint8_t)~POSITION_STALLED;
        error = position_timer(positions, slot, command->moment.now_ms);
        store_position(position, NULL, 0, command->writes);
    }
    for (struct wave *wave = journeys->waves; wave != NULL; wave = wave->next)
        if (wave->journey == journey->number)
            wave->not_before_ms = command->moment.now_ms;
    if (journey->next_run_ms < command->moment.now_ms)
        schedule_set(journeys, journey, command->moment.now_ms);
    return error == ERR_OK ? interests_make(journeys) : error;
}

static err stop(struct journeys *journeys, struct journey *journey,
                const struct journey_command *command)
{
    str positions = text_of(command, STR("positions")), reason = text_of(command, STR("reason"));
    snprintf(journey->stop_reason, sizeof journey->stop_reason, "%.*s",
             (int)str_utf8_prefix_bytes(reason, 60), reason.data != NULL ? reason.data : "");
    if (positions.size > 0 && !str_equal(positions, STR("exit")) &&
        !str_equal(positions, STR("finish")))
        return refuse(command, ERR_UNPROCESSABLE, "/positions", "positions is exit or finish");
    if (journey->live_version == 0 && journey->next_version == 0)
        return refuse(command, ERR_CONFLICT, "", "it was never published");
    journey->next_version = 0;
    journey->state = JOURNEY_FINISHING_STATE;
    if (str_equal(positions, STR("finish"))) {
        err error = is_inhabited(journey) ? ERR_OK : interests_make(journeys);
        if (!is_inhabited(journey))
            journey->state = JOURNEY_STOPPED_STATE;
        return error == ERR_OK ? interests_make(journeys) : error;
    }
    err error = work_begin(journeys, journey, WORK_CLOSE, 0);
    return error == ERR_OK ? interests_make(journeys) : error;
}

static err approve(struct journey *journey, const struct journey_command *command)
{
    if (journey->user_number == command->user_number)
        return refuse(command, ERR_FORBIDDEN, "", "who saved the draft cannot approve it");
    journey->approved_by = command->user_number;
    journey->approved_draft = journey->draft_number;
    return ERR_OK;
}

err journey_change_state(struct journeys *journeys, const struct journey_command *command)
{
    struct journey *journey;
    str action = text_of(command, STR("action"));
    err error = find(journeys, command, &journey);
    if (error != ERR_OK)
        return error;
    if (str_equal(action, STR("pause"))) {
        if (journey->state != JOURNEY_LIVE_STATE)
            return refuse(command, ERR_CONFLICT, "", "it is not live");
        journey->state = JOURNEY_PAUSED_STATE;
        error = interests_make(journeys);
    } else if (str_equal(action, STR("resume"))) {
        error = resume(journeys, journey, command);
    } else if (str_equal(action, STR("stop"))) {
        error = stop(journeys, journey, command);
    } else if (str_equal(action, STR("approve"))) {
        error = approve(journey, command);
    } else if (str_equal(action, STR("ramp"))) {
        error = read_ramp(command, journey);
    } else {
        error = refuse(command, ERR_UNPROCESSABLE, "/action",
                       "action is pause, resume, stop, approve or ramp");
    }
    if (error != ERR_OK)
        return error;
    changed(journey, command);
    due_changed(journeys);
    buffer_printf(command->answer, "{\"state\":\"%s\"}", journey_state_text(journey->state));
    return ERR_OK;
}

/* ---- in, by hand or by the API ---- */

static err enter_one(struct journeys *journeys, const struct journey_command *command,
                     struct journey *journey, uint32_t node, str event, struct json_writer *writer)
{
    const struct journey_world *world = journeys->world;
    const char *refusal = "no_such_customer";
    uint64_t number = 0;
    uint32_t customer = world->root(world->context, node);
    struct entering entering = { .journey = journey,
                                 .customer = customer,
                                 .node_born = node,
                                 .key = text_of(command, STR("position_key")),
                                 .event = event,
                                 .at_ms = command->moment.now_ms,
                                 .is_test = json_bool(json_get(command->body, STR("test")), false),
                                 .moment = command->moment,
                                 .writes = command->writes };
    err error = customer != 0 ? journey_enter_one(journeys, &entering, &refusal, &number) : ERR_OK;
    json_begin_object(writer);
    json_member_int(writer, STR("customer"), node);
    if (number != 0)
        json_member_int(writer, STR("position"), (int64_t)number);
    else
        json_member_text(writer, STR("refusal"), str_from_c(refusal));
    json_end_object(writer);
    return error;
}

static err enter_segment(struct journeys *journeys, const struct journey_command *command,
                         struct journey *journey, str segment)
{
    struct wave *wave = NULL;
    const struct journey_world *world = journeys->world;
    if (!world->has_segment(world->context, segment))
        return refuse(command, ERR_UNPROCESSABLE, "/segment", "there is no such segment");
    err error = wave_new(journeys, journey, segment, command->moment, command->moment.now_ms,
                         command->writes, &wave);
    if (error == ERR_OK)
        buffer_printf(command->answer, "{\"wave\":%llu,\"customers\":%llu}",
                      (unsigned long long)wave->number, (unsigned long long)wave->size);
    return error;
}

err journey_enter(struct journeys *journeys, const struct journey_command *command)
{
    struct journey *journey;
    struct json_writer writer;
    struct buffer kept;
    json_value list = json_get(command->body, STR("customers")), item;
    str segment = text_of(command, STR("segment"));
    err error = find(journeys, command, &journey);
    if (error != ERR_OK)
        return error;
    if (journey->state != JOURNEY_LIVE_STATE)
        return refuse(command, ERR_CONFLICT, "", "the journey is not live");
    if (segment.size > 0)
        return enter_segment(journeys, command, journey, segment);
    if (json_kind(list) != JSON_ARRAY || json_count(list) > ENTER_AT_ONCE_MAX)
        return refuse(command, ERR_UNPROCESSABLE, "/customers",
                      "a list of at most 10000 customers, or a segment");
    buffer_init(&kept, (size_t)64 << 10);
    if (json_is_object(json_get(command->body, STR("event"))))
        error = keep_of_event(journeys, live_version(journey),
                              json_get(command->body, STR("event")), &kept);
    json_writer_init(&writer, command->answer);
    json_begin_object(&writer);
    json_put_key(&writer, STR("results"));
    json_begin_array(&writer);
    struct json_iterator iterator = json_iterate(list);
    while (error == ERR_OK && json_next(&iterator, NULL, &item))
        error = enter_one(journeys, command, journey, (uint32_t)json_int(item, 0),
                          buffer_str(&kept), &writer);
    json_end_array(&writer);
    json_end_object(&writer);
    buffer_deinit(&kept);
    if (error == ERR_OK)
        error = enter_joins(journeys, command->moment, command->writes);
    due_changed(journeys);
    return error;
}

/* ---- somebody is moved by the operator: {key, customer, position?, action: exit | retry | move, to} ---- */

static uint16_t node_of(const struct version *version, str id)
{
    for (uint16_t i = 0; i < version->node_count; i++)
        if (str_equal(version->nodes[i].id, id))
            return i;
    return NO_NODE;
}

static err move_one(struct journeys *journeys, const struct journey_command *command, uint32_t slot,
                    bool *moved)
{
    struct walk walk;
    str action = text_of(command, STR("action"));
    err error = ERR_OK;
    *moved = true;
    journey_walk_begin(&walk, journeys, slot, command->moment, command->moment.now_ms,
                       command->writes);
    if (str_equal(action, STR("exit"))) {
        error = journey_walk_close(&walk, "operator", text_of(command, STR("reason")));
    } else if (str_equal(action, STR("retry"))) {
        *moved = walk.position->state == POSITION_FAILED;
        error = *moved ? journey_walk_wake(&walk, WAKE_TIME) : ERR_OK;
    } else {
        uint16_t to = node_of(walk.version, text_of(command, STR("to")));
        *moved = to != NO_NODE;
        if (walk.position->state == POSITION_FAILED && *moved) {
            walk.position->state = POSITION_WAITING;
            journeys->positions.failed--;
        }
        journey_walk_step(&walk, STEP_MOVED, to, "operator", STR_NONE);
        error = *moved ? position_timer(&journeys->positions, slot, INT64_MAX) : ERR_OK;
        if (error == ERR_OK && *moved)
            error = journey_walk_from(&walk, to);
    }
    if (!*moved)
        return error;
    return journey_walk_end(&walk, error);
}

err journey_move(struct journeys *journeys, const struct journey_command *command)
{
    struct journey *journey;
    str action = text_of(command, STR("action"));
    uint32_t customer = journeys->world->root(
        journeys->world->context, (uint32_t)json_int(json_get(command->body, STR("customer")), 0));
    uint64_t number = (uint64_t)json_int(json_get(command->body, STR("position")), 0);
    uint32_t count = 0;
    err error = find(journeys, command, &journey);
    if (error != ERR_OK)
        return error;
    if (!str_equal(action, STR("exit")) && !str_equal(action, STR("retry")) &&
        !str_equal(action, STR("move")))
        return refuse(command, ERR_UNPROCESSABLE, "/action", "action is exit, retry or move");
    for (uint32_t slot = position_first(&journeys->positions, customer), next;
         error == ERR_OK && slot != NONE; slot = next) {
        const struct position *position = position_at(&journeys->positions, slot);
        bool moved = false;
        next = position->next;
        if (position->journey != journey->number || (number != 0 && position->number != number) ||
            position->state == POSITION_MERGED || position->node >= NODE_ABSENCE)
            continue;
        error = move_one(journeys, command, slot, &moved);
        count += moved;
    }
    if (error == ERR_OK)
        error = enter_joins(journeys, command->moment, command->writes);
    due_changed(journeys);
    if (error == ERR_OK && count == 0)
        return refuse(command, ERR_NOT_FOUND, "/customer",
                      "she has no such position in this journey, or there is no such node");
    if (error == ERR_OK)
        buffer_printf(command->answer, "{\"moved\":%u}", count);
    return error;
}
