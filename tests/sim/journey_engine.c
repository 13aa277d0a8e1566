/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys in the whole engine on the virtual clock: rules as hidden segments, effects, restarts, and a log applied again in
 * other cuts gives the same state. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/engine_house.h"

static void must(struct house *house, const char *operation, const char *body)
{
    struct buffer answer;
    buffer_init(&answer, 1 << 20);
    house_command(house, operation, body, 200, &answer);
    buffer_deinit(&answer);
}

static void define(struct house *house)
{
    struct saying first = { .message = 1,
                            .type = "Order Paid",
                            .user = "first",
                            .order_id = "o0",
                            .revenue = 1,
                            .props = "{\"order_id\":\"o0\"}" };
    struct saying refund = { .message = 2,
                             .type = "Order Refunded",
                             .user = "first",
                             .order_id = "o0",
                             .revenue = 1,
                             .props = "{\"order_id\":\"o0\"}" };
    assert_ok(house_send(house, &first, 1));
    assert_ok(house_send(house, &refund, 1));
    must(house, "segment.put", "{\"key\":\"reached\",\"name\":\"Reached\",\"kind\":\"static\"}");
    must(
        house, "journey.put",
        "{\"key\":\"care\",\"journey\":{\"name\":\"Care\",\"trigger\":{\"type\":\"event\","
        "\"event\":\"Order Paid\",\"key\":\"order_id\"},"
        "\"exits\":[{\"event\":\"Order Refunded\",\"same\":\"order_id\"}],\"start\":\"w\",\"nodes\":{"
        "\"w\":{\"type\":\"wait\",\"for\":\"3d\",\"next\":\"b\"},"
        "\"b\":{\"type\":\"branch\",\"cases\":[{\"rule\":{\"event\":\"Order Paid\",\"measure\":\"count\","
        "\"gte\":2},\"next\":\"s\"}],\"otherwise\":\"t\"},"
        "\"s\":{\"type\":\"segment\",\"segment\":\"reached\"},"
        "\"t\":{\"type\":\"trait\",\"trait\":\"cared\",\"value\":true}}}}");
    must(house, "journey.publish", "{\"key\":\"care\"}");
}

struct look {
    struct engine_question question;
    struct buffer text;
    uint64_t positions, defects;
    char first[200];
};

static void ask(const struct engine_state *state, struct engine_question *question)
{
    struct look *look = queue_entry(question, struct look, question);
    struct journeys_status status;
    buffer_clear(&look->text);
    journeys_status(state->journeys, &status);
    look->positions = status.positions;
    look->defects = journey_check(state->journeys, look->first, sizeof look->first);
    if (journey_write_report(state->journeys, STR("care"), HOUSE_START_MS - DAY_MS,
                             state->now_ms + DAY_MS, &look->text) != ERR_OK)
        look->defects++;
    journey_write_all(state->journeys, STR_NONE, STR_NONE, &look->text);
}

static void look_at(struct house *house, struct look *look)
{
    look->question = (struct engine_question){ .ask = ask };
    assert_ok(engine_ask_wait(house->engine, &look->question));
    if (look->defects != 0)
        fail_msg("%s", look->first);
}

static void wait_until_live(struct house *house, struct look *look)
{
    for (int i = 0; i < 1000; i++) {
        look_at(house, look);
        if (str_contains(buffer_str(&look->text), STR("\"state\":\"live\"")))
            return;
        steady_sleep_ms(10);
    }
    fail_msg("the journey did not go live: " STR_FMT, STR_ARG(buffer_str(&look->text)));
}

static void buy(struct house *house, uint64_t message, const char *user, const char *order,
                const char *type)
{
    char props[64];
    snprintf(props, sizeof props, "{\"order_id\":\"%s\"}", order);
    struct saying saying = { .message = message,
                             .type = type,
                             .user = user,
                             .order_id = order,
                             .revenue = 100,
                             .after_ms = wall_clock_now_ms(&house->clock) - HOUSE_START_MS,
                             .props = props };
    assert_ok(house_send(house, &saying, 1));
}

/* Blocks of one moment in one append, as far as they are at most `most` records: 1,000 or 1 as the log cut them. */
static void send_joined(struct house *to, struct buffer *joined, uint32_t *count)
{
    if (*count > 0)
        assert_ok(house_send_records(to, buffer_str(joined), *count));
    buffer_clear(joined);
    *count = 0;
}

static void copy_joined(struct house *from, struct house *to, uint32_t most)
{
    struct log *log = engine_log(from->engine);
    struct buffer joined;
    uint32_t count = 0, widest = 0;
    buffer_init(&joined, (size_t)64 << 20);
    for (uint64_t seq = 1; seq <= log_last_seq(log);) {
        struct log_block *block = NULL;
        struct problem problem;
        struct log_record record;
        assert_ok(log_read(log, seq, &block, &problem));
        int64_t now_ms = wall_clock_now_ms(&to->clock);
        if (block->received_ms > now_ms || count + block->count > most)
            send_joined(to, &joined, &count);
        if (block->received_ms > now_ms)
            wall_clock_advance(&to->clock, block->received_ms - now_ms);
        for (struct log_cursor cursor = { .block = block }; log_block_next(&cursor, &record);)
            log_record_write(&joined, record.kind, record.body);
        count += block->count;
        widest = count > widest ? count : widest;
        seq = block->first_seq + block->count;
        log_block_release(&block);
    }
    send_joined(to, &joined, &count);
    assert_true(most == 1 || widest > 50); /* it was another cut */
    buffer_deinit(&joined);
}

static void copy_records(struct house *from, struct house *to)
{
    struct log *log = engine_log(from->engine);
    for (uint64_t seq = 1; seq <= log_last_seq(log);) {
        struct log_block *block = NULL;
        struct problem problem;
        struct buffer records;
        buffer_init(&records, (size_t)64 << 20);
        assert_ok(log_read(log, seq, &block, &problem));
        struct log_cursor cursor = { .block = block };
        struct log_record record;
        uint32_t count = 0;
        if (block->received_ms > wall_clock_now_ms(&to->clock))
            wall_clock_advance(&to->clock, block->received_ms - wall_clock_now_ms(&to->clock));
        for (; log_block_next(&cursor, &record); count++)
            log_record_write(&records, record.kind, record.body);
        assert_ok(house_send_records(to, buffer_str(&records), count));
        seq = block->first_seq + block->count;
        log_block_release(&block);
        buffer_deinit(&records);
    }
}

static void test_lives_and_restarts(void **state)
{
    (void)state;
    struct house house;
    struct look look = { .positions = 0 };
    buffer_init(&look.text, (size_t)4 << 20);
    house_make(&house);
    house_open(&house, false);
    define(&house);
    wait_until_live(&house, &look);
    buy(&house, 10, "ann", "a1", "Order Paid");
    buy(&house, 11, "bea", "b1", "Order Paid");
    buy(&house, 12, "bea", "b2", "Order Paid");
    buy(&house, 13, "cam", "c1", "Order Paid");
    buy(&house, 14, "cam", "c1", "Order Refunded");
    look_at(&house, &look);
    assert_int_equal(look.positions, 3);
    house_close(&house);
    house_open(&house, false);
    look_at(&house, &look);
    assert_int_equal(look.positions, 3);
    assert_ok(engine_advance(house.engine, 3 * DAY_MS + HOUR_MS));
    look_at(&house, &look);
    assert_int_equal(look.positions, 0);
    struct buffer before, after;
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    house_digest(&house, &before);
    house_close(&house);
    house_open(&house, false);
    house_digest(&house, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    assert_true(str_contains(buffer_str(&look.text), STR("\"entered\":4")));
    buffer_deinit(&before);
    buffer_deinit(&after);
    buffer_deinit(&look.text);
    house_close(&house);
    house_remove(&house);
}

/* Records that another engine wrote, journey.run among them: the same journeys come of them. */
static void test_the_same_log_gives_the_same(void **state)
{
    (void)state;
    struct house one, other;
    struct look look = { .positions = 0 }, again = { .positions = 0 };
    char command[320];
    buffer_init(&look.text, (size_t)4 << 20);
    buffer_init(&again.text, (size_t)4 << 20);
    house_make(&one);
    house_make(&other);
    house_open(&one, false);
    snprintf(command, sizeof command, "cp %s/keys %s/keys", one.folder, other.folder);
    assert_int_equal(system(command), 0);
    define(&one);
    wait_until_live(&one, &look);
    for (uint64_t i = 0; i < 60; i++) {
        char user[20], order[20];
        snprintf(user, sizeof user, "u%llu", (unsigned long long)(i % 17));
        snprintf(order, sizeof order, "o%llu", (unsigned long long)(i % 23 + 1));
        buy(&one, 100 + i, user, order, i % 5 == 4 ? "Order Refunded" : "Order Paid");
        assert_ok(engine_advance(one.engine, 3 * HOUR_MS));
    }
    look_at(&one, &look);
    house_open(&other, false);
    copy_records(&one, &other);
    assert_ok(engine_settle(other.engine, false, 60000));
    look_at(&other, &again);
    assert_str_equal(buffer_str(&again.text), buffer_str(&look.text));
    buffer_deinit(&look.text);
    buffer_deinit(&again.text);
    house_close(&one);
    house_close(&other);
    house_remove(&one);
    house_remove(&other);
}

/* One record at a time, and the same in batches of up to 1,000: the same state. */
static void test_one_at_a_time_or_a_thousand(void **state)
{
    (void)state;
    struct house one, other;
    struct look look = { .positions = 0 };
    struct buffer before, after;
    char command[320];
    buffer_init(&look.text, (size_t)4 << 20);
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    house_make(&one);
    house_make(&other);
    house_open(&one, false);
    snprintf(command, sizeof command, "cp %s/keys %s/keys", one.folder, other.folder);
    assert_int_equal(system(command), 0);
    define(&one);
    wait_until_live(&one, &look);
    for (uint64_t i = 0; i < 900; i++) {
        char user[20], order[20];
        snprintf(user, sizeof user, "u%llu", (unsigned long long)(i % 41));
        snprintf(order, sizeof order, "o%llu", (unsigned long long)(i % 67 + 1));
        buy(&one, 1000 + i, user, order, i % 5 == 4 ? "Order Refunded" : "Order Paid");
        if (i % 150 == 149)
            assert_ok(engine_advance(one.engine, 20 * HOUR_MS));
    }
    look_at(&one, &look);
    house_digest(&one, &before);
    house_open(&other, false);
    copy_joined(&one, &other, 1000);
    assert_ok(engine_settle(other.engine, false, 60000));
    look_at(&other, &look);
    house_digest(&other, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    buffer_deinit(&look.text);
    buffer_deinit(&before);
    buffer_deinit(&after);
    house_close(&one);
    house_close(&other);
    house_remove(&one);
    house_remove(&other);
}

/* ---- windows since entering a journey ---- */

struct membership {
    struct engine_question question;
    const char *segment;
    uint32_t customer;
    bool live, is_in;
    uint64_t defects;
    char first[200];
};

static void ask_membership(const struct engine_state *state, struct engine_question *question)
{
    struct membership *ask = queue_entry(question, struct membership, question);
    struct audience_recount_result result = { .judged = 0 };
    uint32_t number = audience_number(state->audience, AUDIENCE_SEGMENT, str_from_c(ask->segment));
    ask->live = audience_is_live(state->audience, number);
    ask->is_in = ask->live && audience_has(state->audience, number, ask->customer);
    if (ask->live && audience_recount(state->audience, state->now_ms, false, &result) != ERR_OK)
        result.defects++;
    ask->defects = result.defects;
    memcpy(ask->first, result.first, sizeof ask->first);
}

static bool is_in(struct house *house, const char *segment, const char *user)
{
    struct membership ask = { .question = { .ask = ask_membership },
                              .segment = segment,
                              .customer = house_customer(house, "user_id", user, NULL) };
    for (int i = 0; i < 3000 && !ask.live; i++) {
        ask.question = (struct engine_question){ .ask = ask_membership };
        assert_ok(engine_ask_wait(house->engine, &ask.question));
        if (!ask.live)
            steady_sleep_ms(10);
    }
    assert_true(ask.live);
    if (ask.defects > 0)
        fail_msg("%s", ask.first);
    return ask.is_in;
}

static bool looks(struct house *house, const char *user)
{
    return is_in(house, "looks", user);
}

static void view(struct house *house, uint64_t message, const char *user)
{
    wall_clock_advance(&house->clock, HOUR_MS);
    struct saying saying = { .message = message,
                             .type = "Product Viewed",
                             .user = user,
                             .after_ms = wall_clock_now_ms(&house->clock) - HOUSE_START_MS };
    assert_ok(house_send(house, &saying, 1));
    wall_clock_advance(&house->clock, HOUR_MS);
}

#define LOOKS_SINCE                                                                 \
    "{\"key\":\"looks\",\"name\":\"Looks\",\"rule\":{\"event\":\"Product Viewed\"," \
    "\"during\":{\"since_entering\":{\"journey\":\"%s\"}},\"measure\":\"count\",\"gte\":1}}"

/* Whose window begins when she enters is in and out with her position, at once. */
static void test_windows_since_entering_a_journey(void **state)
{
    (void)state;
    struct house house, copy;
    struct look look = { .positions = 0 };
    struct buffer answer, digest, again;
    char command[320], body[400];
    buffer_init(&answer, 1 << 20);
    buffer_init(&digest, 1 << 20);
    buffer_init(&again, 1 << 20);
    buffer_init(&look.text, 1 << 20);
    house_make(&house);
    house_make(&copy);
    house_open(&house, false);
    define(&house);
    wait_until_live(&house, &look);
    view(&house, 10, "ann");
    view(&house, 11, "bob");
    snprintf(body, sizeof body, LOOKS_SINCE, "cares");
    house_command(&house, "segment.put", body, 422, &answer);
    assert_true(str_contains(buffer_str(&answer), STR("'care'")));
    snprintf(body, sizeof body, LOOKS_SINCE, "care");
    buy(&house, 12, "ann", "o1", "Order Paid");
    must(&house, "segment.put", body);
    assert_false(looks(&house, "ann")); /* she looked before she entered */
    view(&house, 13, "ann");
    assert_true(looks(&house, "ann"));
    buy(&house, 14, "ann", "o1", "Order Refunded"); /* the journey ends */
    assert_false(looks(&house, "ann"));
    buy(&house, 15, "ann", "o2", "Order Paid");
    assert_false(looks(&house, "ann"));
    view(&house, 16, "ann");
    assert_true(looks(&house, "ann"));
    view(&house, 17, "bob");
    assert_false(looks(&house, "bob"));
    buffer_clear(&answer);
    house_command(&house, "journey.delete", "{\"key\":\"care\"}", 409, &answer);
    assert_true(str_contains(buffer_str(&answer), STR("'looks'")));
    /* From the ledger, and from the log alone. */
    house_digest(&house, &digest);
    house_close(&house);
    house_open(&house, false);
    assert_true(looks(&house, "ann"));
    assert_false(looks(&house, "bob"));
    house_close(&house);
    snprintf(command, sizeof command, "cp %s/keys %s/log.db %s/", house.folder, house.folder,
             copy.folder);
    assert_int_equal(system(command), 0);
    house_open(&copy, false);
    assert_true(looks(&copy, "ann"));
    house_digest(&copy, &again);
    assert_str_equal(buffer_str(&again), buffer_str(&digest));
    house_open(&house, false);
    /* Three days after she entered she is through. */
    assert_ok(engine_advance(house.engine, 4 * DAY_MS));
    assert_false(looks(&house, "ann"));
    house_close(&house);
    house_close(&copy);
    house_remove(&house);
    house_remove(&copy);
    buffer_deinit(&answer);
    buffer_deinit(&digest);
    buffer_deinit(&again);
    buffer_deinit(&look.text);
}

/* In a journey's own rule the bare window begins with her position in it. */
static void test_bare_since_entering_in_a_journeys_rule(void **state)
{
    (void)state;
    struct house house;
    struct look look = { .positions = 0 };
    buffer_init(&look.text, 1 << 20);
    house_make(&house);
    house_open(&house, false);
    define(&house);
    wait_until_live(&house, &look);
    must(&house, "segment.put",
         "{\"key\":\"came-back\",\"name\":\"Came back\",\"kind\":\"static\"}");
    view(&house, 30, "ann"); /* before she enters; and the plan learns of the event */
    must(&house, "journey.put",
         "{\"key\":\"care\",\"journey\":{\"name\":\"Care\",\"trigger\":{\"type\":\"event\","
         "\"event\":\"Order Paid\",\"key\":\"order_id\"},\"start\":\"w\",\"nodes\":{"
         "\"w\":{\"type\":\"wait\",\"for\":\"1d\",\"next\":\"b\"},"
         "\"b\":{\"type\":\"branch\",\"cases\":[{\"rule\":{\"event\":\"Product Viewed\","
         "\"during\" : \"since_entering\",\"measure\":\"count\",\"gte\":1},\"next\":\"s\"}],"
         "\"otherwise\":\"t\"},"
         "\"s\":{\"type\":\"segment\",\"segment\":\"came-back\"},"
         "\"t\":{\"type\":\"trait\",\"trait\":\"cared\",\"value\":true}}}}");
    must(&house, "journey.publish", "{\"key\":\"care\"}");
    do {
        look_at(&house, &look);
        steady_sleep_ms(1);
    } while (!str_contains(buffer_str(&look.text), STR("\"live_version\":2")));
    buy(&house, 31, "ann", "o1", "Order Paid");
    buy(&house, 32, "bob", "o2", "Order Paid");
    view(&house, 33, "bob");
    assert_ok(engine_advance(house.engine, 2 * DAY_MS));
    assert_false(is_in(&house, "came-back", "ann"));
    assert_true(is_in(&house, "came-back", "bob"));
    /* Nobody else names it: its own rule does not keep it from being deleted. */
    must(&house, "journey.state", "{\"key\":\"care\",\"action\":\"stop\",\"positions\":\"exit\"}");
    assert_ok(engine_advance(house.engine, 40 * DAY_MS));
    must(&house, "journey.delete", "{\"key\":\"care\"}");
    house_close(&house);
    house_remove(&house);
    buffer_deinit(&look.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lives_and_restarts),
                                        cmocka_unit_test(test_windows_since_entering_a_journey),
                                        cmocka_unit_test(
                                            test_bare_since_entering_in_a_journeys_rule),
                                        cmocka_unit_test(test_the_same_log_gives_the_same),
                                        cmocka_unit_test(test_one_at_a_time_or_a_thousand) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
