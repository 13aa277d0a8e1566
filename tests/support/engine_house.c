/* SPDX-License-Identifier: Apache-2.0 */
/* engine_house: a whole engine for simulations; see engine_house.h. */
#include "support/engine_house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "event/normalise.h"
#include "support/cmocka.h"

void house_make(struct house *house)
{
    *house = (struct house){ .engine = NULL };
    snprintf(house->folder, sizeof house->folder, "/tmp/kith_house_XXXXXX");
    assert_non_null(mkdtemp(house->folder));
    wall_clock_init_virtual(&house->clock, HOUSE_START_MS);
}

void house_remove(struct house *house)
{
    char command[160];
    assert_memory_equal(house->folder, "/tmp/kith_house_", 16);
    snprintf(command, sizeof command, "rm -rf %s", house->folder);
    assert_int_equal(system(command), 0);
}

static void fail_loudly(void *context, const struct problem *problem)
{
    (void)context;
    print_error("engine failed: %s\n", problem->detail);
}

void house_open(struct house *house, bool with_warehouse)
{
    struct problem problem = { .error = ERR_OK };
    struct engine_config config = { .folder = house->folder,
                                    .clock = &house->clock,
                                    .without_warehouse = !with_warehouse,
                                    .appends_nothing = true,
                                    .pack_ms = house->pack_ms,
                                    .warehouse = { .program = KITH_BINARY },
                                    .fatal = fail_loudly };
    if (engine_open(&house->engine, &config, &problem) != ERR_OK)
        fail_msg("%s (%s)", problem.detail, problem.hint);
}

void house_close(struct house *house)
{
    engine_close(&house->engine, 10000);
}

static void add_identifier(const struct house *house, struct arena *arena, struct event *event,
                           const char *type, const char *namespace_, const char *value,
                           uint8_t flags)
{
    err error = ERR_OK;
    if (value == NULL)
        return;
    struct event_identifier *identifier = &event->identifiers[event->identifier_count];
    if (identifier_make(engine_keys(house->engine), arena, str_from_c(type), str_from_c(namespace_),
                        str_from_c(value), flags, identifier, &error) == NORMAL_USABLE)
        event->identifier_count++;
    assert_ok(error);
}

void house_say(const struct house *house, struct buffer *records, const struct saying *saying)
{
    struct arena arena;
    struct event_identifier identifiers[4];
    struct event_trait trait = { .name = STR("name"), .operation = TRAIT_SET };
    struct event event = {
        .kind = EVENT_TRACK,
        .flags =
            (uint8_t)(saying->flags | EVENT_TIME_GIVEN | (saying->is_public ? 0 : EVENT_TRUSTED)),
        .source_number = saying->source != 0 ? saying->source : 1,
        .type = str_from_c(saying->type != NULL ? saying->type : "Page Viewed"),
        .channel = STR("web"),
        .time_ms = HOUSE_START_MS + saying->after_ms,
        .identifiers = identifiers,
        .props = str_from_c(saying->props != NULL ? saying->props : "{}"),
    };
    hash128 key = hash_bytes128(&saying->message, sizeof saying->message, 7);
    memcpy(event.message_key, &key, sizeof event.message_key);
    arena_init(&arena, "test", (size_t)1 << 20);
    uint8_t verified = saying->is_public ? 0 : IDENTIFIER_VERIFIED;
    add_identifier(house, &arena, &event, "user_id", "", saying->user, verified);
    add_identifier(house, &arena, &event, "member_card", "", saying->card, verified);
    add_identifier(house, &arena, &event, "mobile", "", saying->mobile, verified);
    add_identifier(house, &arena, &event, "anonymous_id", "web", saying->anonymous,
                   (uint8_t)(verified | IDENTIFIER_OWN));
    identifiers_sort(event.identifiers, &event.identifier_count);
    if (saying->name != NULL) {
        assert_ok(arena_printf(&arena, &trait.value, "\"%s\"", saying->name));
        event.traits = &trait;
        event.trait_count = 1;
    }
    if (saying->order_id != NULL) {
        event.promoted_set =
            1u << PROMOTED_ORDER_ID | 1u << PROMOTED_REVENUE | 1u << PROMOTED_CURRENCY;
        event.promoted_text[PROMOTED_ORDER_ID] = str_from_c(saying->order_id);
        event.promoted_text[PROMOTED_CURRENCY] = STR("CNY");
        event.promoted_int[PROMOTED_REVENUE] = saying->revenue;
    }
    if (saying->currency != NULL) {
        event.promoted_set |= 1u << PROMOTED_CURRENCY;
        event.promoted_text[PROMOTED_CURRENCY] = str_from_c(saying->currency);
    }
    struct buffer body;
    struct problem problem = { .error = ERR_OK };
    buffer_init(&body, EVENT_BYTES_MAX);
    if (event_encode(&body, &event, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    log_record_write(records, LOG_RECORD_EVENT, buffer_str(&body));
    buffer_deinit(&body);
    arena_deinit(&arena);
}

struct sent {
    struct log_append append;
    const struct house *house;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done;
    err error;
};

static void sent_durable(struct log_append *append, err error)
{
    struct sent *sent = queue_entry(append, struct sent, append);
    if (error == ERR_OK && sent->house->durable != NULL)
        sent->house->durable(sent->house->context);
    pthread_mutex_lock(&sent->mutex);
    sent->done = true;
    sent->error = error;
    pthread_cond_signal(&sent->changed);
    pthread_mutex_unlock(&sent->mutex);
}

err house_send(struct house *house, const struct saying *sayings, size_t count)
{
    struct buffer records;
    buffer_init(&records, (size_t)64 << 20);
    for (size_t index = 0; index < count; index++)
        house_say(house, &records, &sayings[index]);
    assert_ok(buffer_status(&records));
    err error = house_send_records(house, buffer_str(&records), (uint32_t)count);
    buffer_deinit(&records);
    return error;
}

err house_send_records(struct house *house, str records, uint32_t count)
{
    struct sent sent = { .append = { .records = records, .count = count, .durable = sent_durable },
                         .house = house };
    pthread_mutex_init(&sent.mutex, NULL);
    pthread_cond_init(&sent.changed, NULL);
    err error = engine_append(house->engine, &sent.append);
    pthread_mutex_lock(&sent.mutex);
    while (error == ERR_OK && !sent.done)
        pthread_cond_wait(&sent.changed, &sent.mutex);
    pthread_mutex_unlock(&sent.mutex);
    pthread_cond_destroy(&sent.changed);
    pthread_mutex_destroy(&sent.mutex);
    return error != ERR_OK ? error : sent.error;
}

/* Texts of a saying live until a hundred more were made. */
static const char *named(const char *what, uint64_t number)
{
    static _Thread_local char texts[1024][32];
    static _Thread_local unsigned next;
    char *text = texts[next++ % 1024];
    snprintf(text, 32, "%s%llu", what, (unsigned long long)number);
    return text;
}

void house_random_saying(struct random_stream *random, uint64_t message, struct saying *saying)
{
    static const char *const TYPES[] = { "Page Viewed", "Product Viewed", "Order Paid",
                                         "Order Refunded", "Order Completed" };
    uint64_t person = random_below(random, 60);
    *saying = (struct saying){
        .message = random_below(random, 20) == 0 && message > 3 ? message - 3 : message,
        .type = TYPES[random_below(random, 5)],
        .after_ms = (int64_t)random_below(random, 100) * MINUTE_MS - 60 * MINUTE_MS,
        .is_public = random_below(random, 4) == 0,
    };
    if (random_below(random, 2) == 0)
        saying->user = named("u", person);
    if (random_below(random, 2) == 0 || saying->user == NULL)
        saying->anonymous = named("a", random_below(random, 8) == 0 ? person / 7 : person);
    if (random_below(random, 4) == 0)
        saying->mobile = named("1381234", 1000 + person * 7 % 50);
    if (random_below(random, 6) == 0)
        saying->card = named("card", person);
    if (random_below(random, 5) == 0)
        saying->name = named("name", random_below(random, 9));
    if (strncmp(saying->type, "Order", 5) == 0) {
        saying->order_id = named("o", person * 3 + random_below(random, 3));
        saying->revenue = (int64_t)random_below(random, 100000);
    }
}

struct digest house_digest(struct house *house, struct buffer *report)
{
    struct digest digest;
    struct problem problem = { .error = ERR_OK };
    if (engine_digest(house->engine, &digest, report, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    return digest;
}

void house_command(struct house *house, const char *operation, const char *body, int status,
                   struct buffer *answer)
{
    struct engine_command command = { .operation = str_from_c(operation),
                                      .body = str_from_c(body) };
    struct problem problem = { .error = ERR_OK };
    struct buffer own;
    int answered = 0;
    buffer_init(&own, (size_t)1 << 20);
    if (engine_command(house->engine, &command, &answered, answer != NULL ? answer : &own,
                       &problem) != ERR_OK)
        fail_msg("%s: %s", operation, problem.detail);
    if (answered != status)
        fail_msg("%s answered %d: " STR_FMT, operation, answered,
                 STR_ARG(buffer_str(answer != NULL ? answer : &own)));
    buffer_deinit(&own);
}

struct look {
    struct engine_question question;
    uint8_t hash[HASH_BYTES];
    uint32_t customer;
    struct profile_summary *summary;
    size_t tail_events;
};

static void ask_customer(const struct engine_state *state, struct engine_question *question)
{
    struct look *look = queue_entry(question, struct look, question);
    uint32_t nodes[512], row = identity_find_row(state->identity, look->hash);
    if (row == 0)
        return;
    look->customer = identity_root(state->identity, identity_row_node(state->identity, row));
    size_t count = identity_nodes(state->identity, look->customer, nodes, 512);
    if (look->summary != NULL)
        profile_summarise(state->profile, nodes, count, look->summary);
}

uint32_t house_customer(struct house *house, const char *type, const char *value,
                        struct profile_summary *summary)
{
    struct look look = { .question = { .ask = ask_customer }, .summary = summary };
    keys_hash_identifier(engine_keys(house->engine), str_from_c(type),
                         strcmp(type, "anonymous_id") == 0 ? STR("web") : STR_NONE,
                         str_from_c(value), look.hash);
    assert_ok(engine_ask_wait(house->engine, &look.question));
    return look.customer;
}

static void ask_tail(const struct engine_state *state, struct engine_question *question)
{
    struct look *look = queue_entry(question, struct look, question);
    static struct event events[2000];
    static uint32_t event_nodes[2000];
    uint32_t nodes[512];
    uint64_t from_seq;
    struct arena arena;
    size_t count = identity_nodes(state->identity, look->customer, nodes, 512);
    arena_init(&arena, "test", (size_t)64 << 20);
    look->tail_events = engine_tail_events(state->tail, nodes, count, INT64_MAX, UINT64_MAX, 2000,
                                           &arena, events, event_nodes, &from_seq);
    for (size_t index = 1; index < look->tail_events; index++)
        assert_true(events[index - 1].time_ms >= events[index].time_ms);
    arena_deinit(&arena);
}

size_t house_tail_events(struct house *house, uint32_t customer)
{
    struct look look = { .question = { .ask = ask_tail }, .customer = customer };
    assert_ok(engine_ask_wait(house->engine, &look.question));
    return look.tail_events;
}

void house_assert_reopens_same(struct house *house, bool with_warehouse)
{
    struct buffer before, after;
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    house_digest(house, &before);
    house_close(house);
    house_open(house, with_warehouse);
    house_digest(house, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    buffer_deinit(&before);
    buffer_deinit(&after);
}

void house_assert_rebuilds_same(struct house *house)
{
    struct house copy;
    struct buffer before, after;
    char command[320];
    house_make(&copy);
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    house_digest(house, &before);
    house_close(house);
    snprintf(command, sizeof command, "cp %s/keys %s/log.db* %s/", house->folder, house->folder,
             copy.folder);
    assert_int_equal(system(command), 0);
    house_open(&copy, false);
    house_digest(&copy, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    buffer_deinit(&before);
    buffer_deinit(&after);
    house_close(&copy);
    house_remove(&copy);
}
