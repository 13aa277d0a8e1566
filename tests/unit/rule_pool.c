/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of two hundred random rules says of every event, and of time that passes, which of them may have changed: whoever is
 * not named answers as before, and goes on to until the pool says so. And it is not idle talk: most are not named.
 *
 * KITH_SEED and KITH_WORLDS make other and more of them. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/oracle_random.h"
#include "support/oracle_world.h"

#define CUSTOMERS 8
#define RULES 200

static const char *const measures[] = {
    "{\"event\":\"Order Paid\",\"measure\":\"count\",\"last\":\"30d\"}",
    "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"revenue\"}",
    "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"revenue\",\"net\":true,\"last\":\"90d\"}",
    "{\"event\":\"*\",\"measure\":\"days\",\"last\":\"7d\"}",
    "{\"event\":\"Product Viewed\",\"measure\":\"first\"}",
    "{\"event\":\"Product Viewed\",\"measure\":\"last\",\"during\":\"this_month\"}",
    "{\"event\":\"Order Paid\",\"measure\":\"recency\"}",
    "{\"event\":\"Order Paid\",\"measure\":\"avg\",\"of\":\"revenue\",\"last\":\"90d\"}",
    "{\"event\":\"*\",\"measure\":\"count\",\"during\":{\"from\":\"90d\",\"to\":\"30d\"}}",
};
#define MEASURES (sizeof measures / sizeof measures[0])

struct many {
    struct world world;
    struct gambler gambler;
    struct buffer json, rule_json;
    struct rule *rules[RULES + MEASURES];
    char *texts[RULES + MEASURES];
    bool turns[RULES + MEASURES], told[RULES + MEASURES];
    uint32_t count;
    struct rule_pool *pool;
    struct rule_pool *alone[RULES + MEASURES]; /* each rule in one of its own */
    uint64_t seed, asked, named, moved, listened, unheard, shared;
};

static int64_t from_environment(const char *name, int64_t otherwise)
{
    const char *given = getenv(name);
    int64_t value;
    return given != NULL && str_to_int64(str_from_c(given), &value) ? value : otherwise;
}

static void tell(void *context, uint32_t owner)
{
    ((struct many *)context)->told[owner] = true;
}

struct said {
    bool holds;
    struct rule_value value;
    int64_t until_ms;
};

static struct said ask(struct many *many, uint32_t index, size_t customer,
                       const struct history_view *view, int64_t now_ms)
{
    struct world *world = &many->world;
    const struct rule_facts *facts = world_facts(world, customer);
    struct said said = { .holds = false };
    struct rule_answer answer;
    if (index >= many->count - MEASURES) {
        said.holds = rule_measure(world->judge, many->rules[index], world_number(customer), view,
                                  facts, now_ms, &said.value, &said.until_ms);
        return said;
    }
    rule_answer(world->judge, many->rules[index], world_number(customer), view, facts, now_ms,
                &answer);
    said.holds = answer.holds;
    said.until_ms = answer.until_ms;
    return said;
}

static bool is_same(const struct said *a, const struct said *b)
{
    return a->holds == b->holds && a->value.number == b->value.number &&
           str_equal(a->value.text, b->value.text);
}

static void complain(const struct many *many, uint32_t index, size_t customer, const char *what,
                     int64_t now_ms)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    json_write_value(&text, world_customer(&many->world, customer));
    fail_msg("seed %" PRIu64 ", now %" PRId64 ": %s\nrule %s\ncustomer %.*s", many->seed, now_ms,
             what, many->texts[index], (int)text.size, text.data);
}

static void make_rules(struct many *many)
{
    assert_ok(rule_pool_new(&many->pool, many->world.history));
    many->count = 0;
    while (many->count < RULES + MEASURES) {
        bool is_measure = many->count >= RULES;
        struct problem problem = { 0 };
        enum rule_kind kind;
        buffer_clear(&many->rule_json);
        if (is_measure)
            buffer_append_str(&many->rule_json, str_from_c(measures[many->count - RULES]));
        else if (many->count % 10 == 9) /* asked by two */
            buffer_append_str(&many->rule_json, str_from_c(many->texts[many->count - 4]));
        else
            gamble_rule(&many->gambler, &many->rule_json);
        json_value json = world_json(&many->world, buffer_str(&many->rule_json));
        struct rule **rule = &many->rules[many->count];
        err error = is_measure
                        ? rule_measure_new(rule, json, &many->world.catalogue, &kind, &problem)
                        : rule_new(rule, json, &many->world.catalogue, &problem);
        if (error != ERR_OK) {
            assert_false(is_measure);
            continue;
        }
        many->texts[many->count] = strndup(many->rule_json.data, many->rule_json.size);
        many->turns[many->count] = false;
        assert_ok(rule_pool_add(many->pool, *rule, many->count, &many->turns[many->count]));
        bool turns = false;
        assert_ok(rule_pool_new(&many->alone[many->count], many->world.history));
        assert_ok(rule_pool_add(many->alone[many->count], *rule, many->count, &turns));
        many->count++;
    }
}

static struct rule_hearing hearing_of(struct many *many, size_t customer,
                                      const struct history_view *view)
{
    memset(many->told, 0, sizeof many->told);
    return (struct rule_hearing){ .judge = many->world.judge,
                                  .facts = world_facts(&many->world, customer),
                                  .customer = world_number(customer),
                                  .view = view,
                                  .changed = tell,
                                  .context = many,
                                  .until_ms = RULE_FOREVER };
}

/* Up to then nothing changes of whoever was not named; within its own end, which stands on what is no event. */
static void check_stays(struct many *many, uint32_t index, size_t customer,
                        const struct history_view *view, int64_t now_ms, int64_t end_ms)
{
    struct said now = ask(many, index, customer, view, now_ms);
    int64_t end = end_ms == RULE_FOREVER ? now_ms + 500 * DAY_MS : end_ms;
    if (end <= now_ms)
        complain(many, index, customer, "until is not after now", now_ms);
    int64_t at[3] = { end - 1, now_ms + 1,
                      now_ms +
                          (int64_t)random_below(&many->gambler.random, (uint64_t)(end - now_ms)) };
    for (size_t i = 0; i < 3; i++) {
        if (at[i] <= now_ms || at[i] >= end)
            continue;
        struct said then = ask(many, index, customer, view, at[i]);
        if (!is_same(&now, &then))
            complain(many, index, customer, "it changed before until", at[i]);
    }
}

/* Of an event to which a pool does not listen it says nothing, so nobody needs to ask it. */
static void check_listening(struct many *many, size_t customer, const struct history_view *view,
                            size_t at, int64_t now_ms)
{
    for (uint32_t i = 0; i < many->count; i++) {
        struct rule_hearing hearing = hearing_of(many, customer, view);
        int64_t until_ms = hearing.until_ms;
        rule_pool_hear(many->alone[i], &hearing, at, now_ms);
        bool listens = rule_pool_listens(many->alone[i], history_packed_type(view->events[at]));
        many->listened += listens;
        many->unheard += !listens;
        if (!listens && (many->told[i] || hearing.until_ms != until_ms))
            complain(many, i, customer, "it was named by what it does not listen to", now_ms);
    }
}

/* What is shared comes to what each comes to alone, whoever is asked first; and stays so until the hearing says. */
static void check_shared(struct many *many, struct rule_hearing *hearing, size_t customer,
                         int64_t now_ms)
{
    bool known[RULES + MEASURES];
    uint32_t from = (uint32_t)random_below(&many->gambler.random, many->count);
    for (uint32_t k = 0; k < many->count; k++) {
        uint32_t i = (from + k) % many->count;
        struct said shared = { .holds = false };
        known[i] = i < many->count - MEASURES
                       ? rule_pool_answer(many->pool, hearing, i, &shared.holds)
                       : rule_pool_measure(many->pool, hearing, i, &shared.value, &shared.holds);
        many->shared += known[i];
        struct said alone = ask(many, i, customer, hearing->view, now_ms);
        if (known[i] && !is_same(&shared, &alone))
            complain(many, i, customer, "what is shared comes to something else", now_ms);
    }
    for (uint32_t i = 0; i < many->count; i++)
        if (known[i])
            check_stays(many, i, customer, hearing->view, now_ms, hearing->until_ms);
}

/* All but one of her events; then with it. */
static void check_event(struct many *many, size_t customer, int64_t now_ms)
{
    struct history_view with, without;
    struct said before[RULES + MEASURES];
    size_t count;
    struct history_row *rows = world_rows(&many->world, customer, &count);
    if (count == 0)
        return;
    size_t one = (size_t)random_below(&many->gambler.random, count), at = 0;
    uint64_t seq = rows[one].seq;
    struct history_row last = rows[one];
    rows[one] = rows[count - 1];
    rows[count - 1] = last;
    assert_ok(history_view_rows(many->world.reader, rows, count - 1, &without));
    for (uint32_t i = 0; i < many->count; i++)
        before[i] = ask(many, i, customer, &without, now_ms);
    assert_ok(history_view_rows(many->world.reader, rows, count, &with));
    while (history_seq(&with, at) != seq)
        at++;
    check_listening(many, customer, &with, at, now_ms);
    struct rule_hearing hearing = hearing_of(many, customer, &with);
    rule_pool_hear(many->pool, &hearing, at, now_ms);
    for (uint32_t i = 0; i < many->count; i++) {
        struct said after = ask(many, i, customer, &with, now_ms);
        many->asked++;
        many->named += many->told[i];
        many->moved += !is_same(&before[i], &after);
        if (many->told[i])
            continue;
        if (!is_same(&before[i], &after))
            complain(many, i, customer, "the event changed it, and it was not named", now_ms);
        int64_t end = hearing.until_ms < before[i].until_ms ? hearing.until_ms : before[i].until_ms;
        check_stays(many, i, customer, &with, now_ms, end);
    }
    check_shared(many, &hearing, customer, now_ms);
}

static void check_time(struct many *many, size_t customer, int64_t then_ms, int64_t now_ms)
{
    struct history_view view;
    struct said before[RULES + MEASURES];
    size_t count;
    struct history_row *rows = world_rows(&many->world, customer, &count);
    assert_ok(history_view_rows(many->world.reader, rows, count, &view));
    for (uint32_t i = 0; i < many->count; i++)
        before[i] = ask(many, i, customer, &view, then_ms);
    struct rule_hearing hearing = hearing_of(many, customer, &view);
    rule_pool_pass(many->pool, &hearing, then_ms, now_ms);
    for (uint32_t i = 0; i < many->count; i++) {
        struct said after = ask(many, i, customer, &view, now_ms);
        many->asked++;
        many->named += many->told[i] || many->turns[i];
        many->moved += !is_same(&before[i], &after);
        if (many->told[i] || many->turns[i])
            continue;
        if (!is_same(&before[i], &after))
            complain(many, i, customer, "time changed it, and it was not named", now_ms);
        check_stays(many, i, customer, &view, now_ms, hearing.until_ms);
    }
    check_shared(many, &hearing, customer, now_ms);
}

static void play(struct many *many, uint64_t seed)
{
    static const int64_t spans[] = { 1, HOUR_MS, DAY_MS, 8 * DAY_MS, 40 * DAY_MS };
    many->seed = seed;
    random_seed(&many->gambler.random, seed);
    world_open(&many->world, gamble_zone(&many->gambler));
    int64_t now_ms = gamble_now(&many->gambler);
    buffer_clear(&many->json);
    gamble_world(&many->gambler, CUSTOMERS, &many->json);
    world_load(&many->world, buffer_str(&many->json));
    make_rules(many);
    for (size_t customer = 0; customer < CUSTOMERS; customer++) {
        for (int i = 0; i < 3; i++)
            check_event(many, customer, now_ms);
        for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
            check_time(many, customer, now_ms - spans[i], now_ms);
    }
    uint32_t different, added;
    rule_pool_counts(many->pool, &different, &added);
    assert_true(different > 0 && different < added);
    rule_pool_free(&many->pool);
    for (uint32_t i = 0; i < many->count; i++) {
        rule_pool_free(&many->alone[i]);
        rule_free(&many->rules[i]);
        free(many->texts[i]);
    }
    world_close(&many->world);
}

static void whoever_changes_is_named(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)from_environment("KITH_SEED", 20261122);
    uint64_t worlds = (uint64_t)from_environment("KITH_WORLDS", 40);
    static struct many many;
    buffer_init(&many.json, (size_t)16 << 20);
    buffer_init(&many.rule_json, 1 << 20);
    for (uint64_t i = 0; i < worlds; i++)
        play(&many, seed + i);
    print_message("seed %" PRIu64 ": of %" PRIu64 " asked %" PRIu64 " named, %" PRIu64
                  " moved, %" PRIu64 " shared\n",
                  seed, many.asked, many.named, many.moved, many.shared);
    assert_true(many.shared > many.asked / 4);
    assert_true(many.moved > many.asked / 200);
    assert_true(many.named < many.asked / 2);
    assert_true(many.listened > many.asked / 200 && many.unheard > many.asked / 200);
    buffer_deinit(&many.json);
    buffer_deinit(&many.rule_json);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(whoever_changes_is_named) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
