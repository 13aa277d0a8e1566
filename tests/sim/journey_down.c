/* SPDX-License-Identifier: Apache-2.0 */
/* T3: a whole engine that is down for a day while the timers of 100,000 become due (KITH_PEOPLE=1000000 for as many). All run once, what
 * is too late goes by its policy (go, skip, window), quiet hours hold, nobody is left over; and it is the same after a restart. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/engine_house.h"

#define BATCH 500

static uint32_t people_of_run(void)
{
    const char *given = getenv("KITH_PEOPLE");
    uint32_t people = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : 100000;
    print_message("KITH_PEOPLE=%u\n", people);
    return people;
}

static void must(struct house *house, const char *operation, const char *body)
{
    struct buffer answer;
    buffer_init(&answer, 1 << 20);
    house_command(house, operation, body, 200, &answer);
    buffer_deinit(&answer);
}

/* ---- looking ---- */

struct look {
    struct engine_question question;
    uint32_t people;
    uint8_t *had; /* touches by customer */
    struct buffer report;
    struct touch_status_counts touches;
    uint64_t positions;
    bool is_live;
};

static void count_touches(const struct engine_state *state, struct look *look)
{
    struct touch_description description;
    memset(look->had, 0, look->people + 1u);
    for (uint32_t number = 1; touch_describe(state->touches, number, &description); number++) {
        assert_in_range(description.customer, 1, look->people);
        look->had[description.customer]++;
        assert_int_equal(look->had[description.customer], 1);
    }
}

static void ask(const struct engine_state *state, struct engine_question *question)
{
    struct look *look = queue_entry(question, struct look, question);
    struct journeys_status journeys;
    char first[200];
    journeys_status(state->journeys, &journeys);
    touch_status(state->touches, &look->touches);
    if (journey_check(state->journeys, first, sizeof first) != 0)
        fail_msg("%s", first);
    count_touches(state, look);
    look->positions = journeys.positions;
    buffer_clear(&look->report);
    assert_ok(journey_write_report(state->journeys, STR("down"), HOUSE_START_MS - DAY_MS,
                                   state->now_ms + DAY_MS, &look->report));
    look->is_live = str_contains(buffer_str(&look->report), STR("\"state\":\"live\""));
}

static void look_at(struct house *house, struct look *look)
{
    look->question = (struct engine_question){ .ask = ask };
    assert_ok(engine_ask_wait(house->engine, &look->question));
}

static uint64_t figure(const struct look *look, const char *node, const char *name)
{
    struct json_parser *parser;
    json_value root, item;
    uint64_t found = UINT64_MAX;
    assert_ok(json_parser_new(&parser, (size_t)8 << 20));
    assert_ok(json_parse(parser, buffer_str(&look->report), &root, NULL));
    struct json_iterator iterator = json_iterate(json_get(root, STR("nodes")));
    while (json_next(&iterator, NULL, &item))
        if (str_equal(json_text(json_get(item, STR("node"))), str_from_c(node)))
            found = (uint64_t)json_int(json_get(item, str_from_c(name)), -1);
    json_parser_free(&parser);
    return found;
}

/* ---- people ---- */

static void prepare(struct house *house, struct look *look)
{
    must(house, "channel.put", "{\"key\":\"calls\",\"kind\":\"call_center\",\"settings\":{}}");
    must(house, "template.put",
         "{\"key\":\"t\",\"channel\":\"call\",\"parts\":{\"text\":\"hello\"}}");
    must(
        house, "policy.put",
        "{\"policy\":{\"quiet_hours\":[{\"from\":\"21:00\",\"to\":\"09:00\",\"over\":\"hold\"}]}}");
    must(
        house, "journey.put",
        "{\"key\":\"down\",\"journey\":{\"name\":\"Down\",\"purpose\":\"service\",\"late\":\"skip\","
        "\"trigger\":{\"type\":\"event\",\"event\":\"Page Viewed\"},\"start\":\"arms\",\"nodes\":{"
        "\"arms\":{\"type\":\"split\",\"arms\":[{\"weight\":1,\"next\":\"go\"},"
        "{\"weight\":1,\"next\":\"skip\"},{\"weight\":1,\"next\":\"window\"}]},"
        "\"go\":{\"type\":\"wait\",\"for\":\"2h\",\"late\":\"go\",\"next\":\"gone\"},"
        "\"skip\":{\"type\":\"wait\",\"for\":\"2h\",\"next\":\"skipped\"},"
        "\"window\":{\"type\":\"wait\",\"for\":\"2h\",\"at\":\"18:00\",\"late\":\"window\","
        "\"next\":\"there\"},"
        "\"gone\":{\"type\":\"task\",\"channel\":\"call\",\"template\":\"t\"},"
        "\"skipped\":{\"type\":\"task\",\"channel\":\"call\",\"template\":\"t\"},"
        "\"there\":{\"type\":\"task\",\"channel\":\"call\",\"template\":\"t\"}}}}");
    must(house, "journey.publish", "{\"key\":\"down\"}");
    for (look_at(house, look); !look->is_live; look_at(house, look))
        steady_sleep_ms(1);
}

static void enter(struct house *house, uint32_t people)
{
    static struct saying sayings[BATCH];
    static char users[BATCH][16], mobiles[BATCH][16];
    int64_t after_ms = wall_clock_now_ms(&house->clock) - HOUSE_START_MS;
    for (uint32_t person = 0; person < people;) {
        size_t count = 0;
        for (; count < BATCH && person < people; count++, person++) {
            snprintf(users[count], sizeof users[count], "u%u", person);
            snprintf(mobiles[count], sizeof mobiles[count], "139%08u", 10000000 + person);
            sayings[count] = (struct saying){ .message = person + 1,
                                              .type = "Page Viewed",
                                              .user = users[count],
                                              .mobile = mobiles[count],
                                              .after_ms = after_ms };
        }
        assert_ok(house_send(house, sayings, count));
    }
}

/* A sender's command, until there is no more of it. */
static void do_all(struct house *house, const char *operation, const char *body)
{
    struct buffer answer;
    buffer_init(&answer, (size_t)8 << 20);
    do {
        buffer_clear(&answer);
        house_command(house, operation, body, 200, &answer);
    } while (str_contains(buffer_str(&answer), STR("\"more\":true")));
    buffer_deinit(&answer);
}

/* What may go now is claimed. */
static void claim_all(struct house *house, struct look *look, uint64_t on_their_way)
{
    do_all(house, "touch.run", "{\"limit\":5000}");
    do_all(house, "touch.claim", "{\"account\":\"calls\",\"limit\":1000}");
    look_at(house, look);
    assert_int_equal(look->touches.by_status[TOUCH_SENDING], on_their_way);
    assert_int_equal(look->touches.by_status[TOUCH_QUEUED] + look->touches.by_status[TOUCH_HELD],
                     0);
}

static void test_t3_a_day_down(void **state)
{
    (void)state;
    struct house house;
    uint32_t people = people_of_run();
    struct look look = { .people = people };
    look.had = memory_alloc(people + 1u);
    buffer_init(&look.report, (size_t)4 << 20);
    house_make(&house);
    house_open(&house, false);
    prepare(&house, &look);
    assert_ok(engine_advance(house.engine, 22 * HOUR_MS)); /* six in the morning */
    enter(&house, people);
    assert_ok(engine_settle(house.engine, false, -1));
    look_at(&house, &look);
    assert_int_equal(look.positions, people);
    uint64_t go = figure(&look, "go", "waiting"), window = figure(&look, "window", "waiting"),
             skip = figure(&look, "skip", "waiting");
    assert_int_equal(go + window + skip, people);
    assert_true(go > people / 4 && window > people / 4 && skip > people / 4);

    house_close(&house);
    wall_clock_advance(&house.clock, DAY_MS); /* nobody was there */
    house_open(&house, false);
    assert_ok(engine_advance(house.engine, MINUTE_MS));
    look_at(&house, &look);
    assert_int_equal(look.positions, window); /* theirs is at six in the evening */
    assert_int_equal(figure(&look, "skipped", "suppressed"), skip);
    assert_int_equal(look.touches.by_status[TOUCH_HELD], go); /* it is quiet until nine */
    assert_int_equal(look.touches.by_status[TOUCH_QUEUED], 0);

    house_assert_reopens_same(&house, false);
    assert_ok(engine_advance(house.engine, 3 * HOUR_MS));
    claim_all(&house, &look, go);
    assert_ok(engine_advance(house.engine, 9 * HOUR_MS));
    claim_all(&house, &look, go + window);
    assert_int_equal(look.positions, 0);
    uint64_t all = 0;
    for (uint32_t customer = 1; customer <= people; customer++)
        all += look.had[customer];
    assert_int_equal(all, go + window);
    buffer_deinit(&look.report);
    memory_free(look.had);
    house_close(&house);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_t3_a_day_down) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
