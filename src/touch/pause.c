/* SPDX-License-Identifier: Apache-2.0 */
/* pause: marketing to a customer rests, for as many causes as there are. A pause lies at the node that it was made for, so a merge
 * joins what both sides have and a split gives it back; the gate asks all of her nodes.
 *
 *     pause ─▶ lasts ──until_ms──▶ over
 *                └──resume, lift──▶ lifted
 *
 * Those that are over stay: what-if runs ask what was on a past day, people ask why nothing came. */
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

#define KEY_BYTES_MAX 200

static struct pause *at(const struct touches *touches, uint32_t place)
{
    return place != 0 ? &touches->pauses[place - 1] : NULL;
}

static struct pause *newest_of(const struct touches *touches, uint32_t node)
{
    return at(touches, touches_map_find(&touches->pause_places, node));
}

const struct pause *touches_pause_find(const struct touches *touches, uint32_t customer,
                                       int64_t at_ms)
{
    const struct pause *longest = NULL;
    size_t count = touches->pause_count > 0 ? touches_nodes_of(touches, customer) : 0;
    for (size_t i = 0; i < count; i++)
        for (const struct pause *pause = newest_of(touches, touches->her_nodes[i]); pause != NULL;
             pause = at(touches, pause->older))
            if (touch_pause_lasts(&pause->told, at_ms) &&
                (longest == NULL || pause->told.until_ms > longest->told.until_ms))
                longest = pause;
    return longest;
}

void touch_visit_pauses(const struct touches *touches, uint32_t customer,
                        void (*visit)(void *context, const struct touch_pause *pause),
                        void *context)
{
    size_t count = touches->pause_count > 0 ? touches_nodes_of(touches, customer) : 0;
    for (size_t i = 0; i < count; i++)
        for (const struct pause *pause = newest_of(touches, touches->her_nodes[i]); pause != NULL;
             pause = at(touches, pause->older))
            visit(context, &pause->told);
}

/* ---- keeping ---- */

static char *append_text(char *end, str from, str *to)
{
    if (from.size > 0)
        memcpy(end, from.data, from.size);
    end[from.size] = '\0';
    *to = str_from_bytes(end, from.size);
    return end + from.size + 1;
}

/* Its texts become its own. */
static err own_texts(struct pause *pause)
{
    struct touch_pause *told = &pause->told;
    char *texts = memory_alloc(told->journey.size + told->key.size + told->reason.size + 3);
    if (texts == NULL)
        return ERR_NOMEM;
    pause->texts = texts;
    append_text(
        append_text(append_text(texts, told->journey, &told->journey), told->key, &told->key),
        told->reason, &told->reason);
    return ERR_OK;
}

static err keep(struct touches *touches, const struct touch_pause *told, uint32_t lifted_by,
                struct pause **kept)
{
    if (touches->pause_count == touches->pause_capacity) {
        size_t capacity = touches->pause_capacity == 0 ? 64 : touches->pause_capacity * 2;
        struct pause *longer = memory_resize(touches->pauses, capacity * sizeof *longer);
        if (longer == NULL)
            return ERR_NOMEM;
        touches->pauses = longer;
        touches->pause_capacity = capacity;
    }
    struct pause *pause = &touches->pauses[touches->pause_count];
    *pause = (struct pause){ .told = *told,
                             .lifted_by = lifted_by,
                             .older = touches_map_find(&touches->pause_places, told->node) };
    err error = own_texts(pause);
    if (error == ERR_OK && told->node != 0)
        error =
            touches_map_put(&touches->pause_places, told->node, (uint32_t)touches->pause_count + 1);
    if (error != ERR_OK) {
        memory_free(pause->texts);
        return error;
    }
    touches->pause_count++;
    *kept = pause;
    return ERR_OK;
}

err touches_pause_load(struct touches *touches, const struct touch_pause *told, uint32_t lifted_by)
{
    struct pause *kept;
    return told->number == touches->pause_count + 1 ? keep(touches, told, lifted_by, &kept)
                                                    : ERR_CORRUPT;
}

err touches_pauses_copy(struct touches *to, const struct touches *from,
                        bool (*is_kept)(const void *context, const struct touch_pause *told),
                        const void *context)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < from->pause_count; i++) {
        const struct pause *pause = &from->pauses[i];
        struct pause *kept;
        if (is_kept == NULL || is_kept(context, &pause->told))
            error = keep(to, &pause->told, pause->lifted_by, &kept);
    }
    return error;
}

void touches_pauses_free(struct touches *touches)
{
    for (size_t i = 0; i < touches->pause_count; i++)
        memory_free(touches->pauses[i].texts);
    memory_free(touches->pauses);
    touches_map_free(&touches->pause_places);
}

static void put(struct touches *touches, const struct pause *pause)
{
    const struct touch_pause *told = &pause->told;
    PUT(touches, TOUCH_PAUSES, ledger_int(told->number), ledger_int(told->node),
        ledger_text(told->journey), ledger_text(told->key), ledger_text(told->reason),
        ledger_int(told->user_number), ledger_int(told->since_ms),
        ledger_int(told->until_ms < INT64_MAX ? told->until_ms : 0), ledger_int(told->lifted_ms),
        ledger_int(pause->lifted_by));
}

/* ---- pausing ---- */

static bool is_cause(const struct pause *pause, str journey, str key)
{
    return str_equal(pause->told.journey, journey) && str_equal(pause->told.key, key);
}

static struct pause *lasting(const struct touches *touches, const struct touch_pause *wanted)
{
    for (struct pause *pause = newest_of(touches, wanted->node); pause != NULL;
         pause = at(touches, pause->older))
        if (is_cause(pause, wanted->journey, wanted->key) &&
            touch_pause_lasts(&pause->told, touches->moment.now_ms))
            return pause;
    return NULL;
}

/* The same cause again: its end and reason are those that were said last. */
static err change(struct pause *pause, const struct touch_pause *wanted)
{
    struct pause changed = *pause;
    changed.told.until_ms = wanted->until_ms;
    changed.told.reason = wanted->reason;
    changed.told.user_number = wanted->user_number;
    err error = own_texts(&changed);
    if (error != ERR_OK)
        return error;
    memory_free(pause->texts);
    *pause = changed;
    return ERR_OK;
}

static err pause_her(struct touches *touches, const struct touch_pause *wanted, uint32_t *number)
{
    const struct touch_world *world = touches->config.world;
    struct touch_pause told = *wanted;
    struct pause *pause = lasting(touches, wanted);
    if (wanted->key.size > KEY_BYTES_MAX || wanted->reason.size > TOUCH_PAUSE_REASON_BYTES_MAX)
        return ERR_UNPROCESSABLE;
    told.number = (uint32_t)touches->pause_count + 1;
    told.since_ms = touches->moment.now_ms;
    told.lifted_ms = 0;
    err error = pause != NULL ? change(pause, wanted) : keep(touches, &told, 0, &pause);
    if (error != ERR_OK)
        return error;
    put(touches, pause);
    *number = pause->told.number;
    return touches_look_at_hers(touches, world->root(world->context, wanted->node));
}

err touch_pause(struct touches *touches, const struct touch_pause *wanted,
                struct touch_moment moment, struct ledger_writes *writes)
{
    uint32_t number;
    touches_call_begin(touches, writes, moment);
    return touches_call_end(touches, pause_her(touches, wanted, &number));
}

/* ---- going on ---- */

static void lift(struct touches *touches, struct pause *pause, uint32_t user_number)
{
    pause->told.lifted_ms = touches->moment.now_ms;
    pause->lifted_by = user_number;
    put(touches, pause);
}

err touch_resume(struct touches *touches, uint32_t customer, str journey, str key,
                 bool only_endless, struct touch_moment moment, struct ledger_writes *writes)
{
    touches_call_begin(touches, writes, moment);
    size_t count = touches->pause_count > 0 ? touches_nodes_of(touches, customer) : 0;
    for (size_t i = 0; i < count; i++)
        for (struct pause *pause = newest_of(touches, touches->her_nodes[i]); pause != NULL;
             pause = at(touches, pause->older))
            if (is_cause(pause, journey, key) && touch_pause_lasts(&pause->told, moment.now_ms) &&
                (!only_endless || pause->told.until_ms == INT64_MAX))
                lift(touches, pause, 0);
    return touches_call_end(touches, ERR_OK);
}

/* ---- erasure: the number stays, that none is used twice ---- */

err touches_pauses_forget(struct touches *touches, uint32_t customer)
{
    size_t count = touches->pause_count > 0 ? touches_nodes_of(touches, customer) : 0;
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        uint32_t node = touches->her_nodes[i], place;
        while (error == ERR_OK && (place = touches_map_find(&touches->pause_places, node)) != 0) {
            struct pause *pause = at(touches, place);
            touches_map_remove(&touches->pause_places, node);
            if (pause->older != 0)
                error = touches_map_put(&touches->pause_places, node, pause->older);
            memory_free(pause->texts);
            *pause = (struct pause){ .told = { .number = place } };
            if (error == ERR_OK)
                error = own_texts(pause);
            put(touches, pause);
        }
    }
    return error;
}

void touches_pauses_digest(const struct touches *touches, struct digest *digest)
{
    for (size_t i = 0; i < touches->pause_count; i++) {
        const struct pause *pause = &touches->pauses[i];
        const struct touch_pause *told = &pause->told;
        bool is_endless = told->until_ms == INT64_MAX || told->until_ms == 0;
        uint64_t row[8] = { told->number,
                            told->node,
                            touches_text_hash(told->journey),
                            touches_text_hash(told->key),
                            touches_text_hash(told->reason),
                            (uint64_t)told->since_ms,
                            is_endless ? 0 : (uint64_t)told->until_ms,
                            (uint64_t)told->lifted_ms };
        digest_add(digest, row, sizeof row);
    }
}

/* ---- by hand ---- */

static err wrong(struct problem *problem, const char *pointer, const char *detail)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", detail);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

/* {customer, reason, until_ms}; without an end it lasts until it is lifted. */
err touch_put_pause(struct touches *touches, const struct touch_command *command)
{
    const struct touch_world *world = touches->config.world;
    uint32_t customer = (uint32_t)json_int(json_get(command->body, STR("customer")), 0), number;
    struct touch_pause wanted = {
        .user_number = command->user_number,
        .reason = json_text(json_get(command->body, STR("reason"))),
        .until_ms = json_int(json_get(command->body, STR("until_ms")), INT64_MAX),
    };
    wanted.node = customer != 0 ? world->root(world->context, customer) : 0;
    if (wanted.node == 0)
        return problem_set(command->problem, ERR_NOT_FOUND, "there is no such customer");
    if (wanted.reason.size == 0 || wanted.reason.size > TOUCH_PAUSE_REASON_BYTES_MAX)
        return wrong(command->problem, "/reason",
                     "a pause by hand has a reason of at most 1,000 bytes: say why");
    if (wanted.until_ms <= command->moment.now_ms)
        return wrong(command->problem, "/until", "a pause ends later than now");
    touches_call_begin(touches, command->writes, command->moment);
    err error = pause_her(touches, &wanted, &number);
    if (error == ERR_OK)
        buffer_printf(command->answer, "{\"number\":%u}", number);
    return touches_call_end(touches, error);
}

static struct pause *hers(const struct touches *touches, uint32_t customer, int64_t number)
{
    size_t count = touches_nodes_of(touches, customer);
    struct pause *pause = number > 0 && (uint64_t)number <= touches->pause_count
                              ? &touches->pauses[number - 1]
                              : NULL;
    for (size_t i = 0; pause != NULL && i < count; i++)
        if (touches->her_nodes[i] == pause->told.node)
            return pause;
    return NULL;
}

/* {customer, number}; one that is over stays as it was. */
err touch_lift_pause(struct touches *touches, const struct touch_command *command)
{
    const struct touch_world *world = touches->config.world;
    uint32_t customer = (uint32_t)json_int(json_get(command->body, STR("customer")), 0);
    int64_t number = json_int(json_get(command->body, STR("number")), 0);
    uint32_t root = customer != 0 ? world->root(world->context, customer) : 0;
    struct pause *pause = root != 0 ? hers(touches, root, number) : NULL;
    if (pause == NULL)
        return problem_set(command->problem, ERR_NOT_FOUND, "she has no pause %lld",
                           (long long)number);
    touches_call_begin(touches, command->writes, command->moment);
    if (touch_pause_lasts(&pause->told, command->moment.now_ms))
        lift(touches, pause, command->user_number);
    buffer_printf(command->answer, "{\"number\":%u}", pause->told.number);
    return touches_call_end(touches, ERR_OK);
}
