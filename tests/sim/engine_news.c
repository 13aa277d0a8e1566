/* SPDX-License-Identifier: Apache-2.0 */
/* The news that wait for sinks: what happened and its entry are one commit, numbers go on over restarts and are never given
 * twice, rows go when every sink is past them, what waits too long is lost and counted. N1 to N4. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/news.h"
#include "engine/state.h"
#include "support/engine_house.h"

#define ENTRIES_MAX 4096

struct told {
    enum news_kind kind;
    uint64_t number, seq;
    uint32_t customer, other;
    bool is;
    char key[32], value[32];
};

static struct told entries[ENTRIES_MAX];
static size_t entry_count;
static uint64_t message;

static void says(struct house *house, const char *user, const char *type)
{
    struct saying saying = { .message = ++message,
                             .user = user,
                             .type = type,
                             .after_ms = wall_clock_now_ms(&house->clock) - HOUSE_START_MS };
    assert_ok(house_send(house, &saying, 1));
}

static void settle(struct house *house)
{
    assert_ok(engine_settle(house->engine, false, 60000));
}

static bool take(void *context, const struct news_entry *entry)
{
    (void)context;
    assert_in_range(entry_count, 0, ENTRIES_MAX - 1);
    struct told *told = &entries[entry_count++];
    *told = (struct told){ .kind = entry->kind,
                           .number = entry->number,
                           .seq = entry->seq,
                           .customer = entry->customer,
                           .other = entry->other,
                           .is = entry->is };
    snprintf(told->key, sizeof told->key, STR_FMT, STR_ARG(entry->key));
    snprintf(told->value, sizeof told->value, STR_FMT, STR_ARG(entry->value));
    return true;
}

/* All that is there from `from` on, without a gap. */
static size_t read_from(struct house *house, uint64_t from)
{
    struct problem problem = { .error = ERR_OK };
    settle(house);
    entry_count = 0;
    assert_ok(news_read(house->engine, from, SIZE_MAX, take, NULL, &problem));
    for (size_t i = 1; i < entry_count; i++)
        assert_int_equal(entries[i].number, entries[i - 1].number + 1);
    return entry_count;
}

static struct news_standing standing(struct house *house, const char *sink)
{
    struct news_standing standing;
    settle(house);
    assert_ok(news_standing(house->engine, str_from_c(sink), &standing));
    return standing;
}

static void put_sink(struct house *house, const char *key, const char *kinds, const char *hold)
{
    char body[300];
    snprintf(body, sizeof body,
             "{\"key\":\"sink.%s\",\"value\":{\"topics\":{%s},\"hold\":\"%s\",\"brokers\":[]}}",
             key, kinds, hold);
    house_command(house, "setting.put", body, 200, NULL);
}

static void forget_sink(struct house *house, const char *key)
{
    char body[100];
    snprintf(body, sizeof body, "{\"key\":\"sink.%s\",\"value\":null}", key);
    house_command(house, "setting.put", body, 200, NULL);
}

static void move_on(struct house *house, const char *sink, uint64_t next)
{
    struct buffer records;
    buffer_init(&records, 4096);
    news_write_move(&records, str_from_c(sink), next);
    assert_ok(house_send_records(house, buffer_str(&records), 1));
    buffer_deinit(&records);
    settle(house);
}

static void reopen(struct house *house)
{
    house_close(house);
    house_open(house, false);
}

struct live {
    struct engine_question question;
    enum audience_kind kind;
    const char *key;
    bool is_live;
};

static void ask_live(const struct engine_state *state, struct engine_question *question)
{
    struct live *live = queue_entry(question, struct live, question);
    uint32_t number = audience_number(state->audience, live->kind, str_from_c(live->key));
    live->is_live = number != 0 && audience_is_live(state->audience, number);
}

/* A definition is judged by a thread of the audience's, and tells of moves once it is in force. */
static void wait_until_live(struct house *house, enum audience_kind kind, const char *key)
{
    struct live live = { .question = { .ask = ask_live }, .kind = kind, .key = key };
    while (!live.is_live) {
        assert_ok(engine_ask_wait(house->engine, &live.question));
        steady_sleep_ms(live.is_live ? 0 : 5);
    }
}

static bool count_row(void *context, const struct ledger_value *values)
{
    (void)values;
    ++*(size_t *)context;
    return true;
}

static size_t rows(struct house *house)
{
    size_t count = 0;
    struct problem problem = { .error = ERR_OK };
    settle(house);
    assert_ok(ledger_scan(house->engine->ledger, LEDGER_NEWS, NULL, count_row, &count, &problem));
    return count;
}

static void test_of_nobody_who_follows_nothing_is_kept(void **state)
{
    struct house house;
    (void)state;
    house_make(&house);
    house_open(&house, false);
    says(&house, "ann", "Store Visited");
    assert_int_equal(rows(&house), 0);
    assert_int_equal(news_needs_seq(house.engine), UINT64_MAX);
    put_sink(&house, "moves", "\"segments\":\"s\"", "7d");
    says(&house, "ann", "Store Visited");
    assert_int_equal(rows(&house), 0); /* events are none that it wants */
    house_close(&house);
    house_remove(&house);
}

static void test_events_moves_and_numbers_over_restarts(void **state)
{
    struct house house;
    (void)state;
    house_make(&house);
    house_open(&house, false);
    house_command(&house, "segment.put",
                  "{\"key\":\"visitors\",\"name\":\"v\",\"rule\":{\"event\":\"Store Visited\","
                  "\"measure\":\"count\",\"gte\":2}}",
                  200, NULL);
    house_command(&house, "tag.put",
                  "{\"key\":\"visits\",\"kind\":\"count\",\"measure\":{\"event\":\"Store Visited\","
                  "\"measure\":\"count\"}}",
                  200, NULL);
    wait_until_live(&house, AUDIENCE_SEGMENT, "visitors");
    wait_until_live(&house, AUDIENCE_TAG, "visits");
    put_sink(&house, "all",
             "\"segments\":\"s\",\"tags\":\"t\",\"events\":\"e\",\"customers\":\"c\"", "7d");
    for (int i = 0; i < 3; i++) {
        says(&house, "ann", "Store Visited");
        wall_clock_advance(&house.clock, 10 * SECOND_MS);
        reopen(&house);
    }
    size_t events = 0, entered = 0, values = 0;
    read_from(&house, 1);
    for (size_t i = 0; i < entry_count; i++) {
        events += entries[i].kind == NEWS_EVENT;
        entered += entries[i].kind == NEWS_SEGMENT && entries[i].is &&
                   strcmp(entries[i].key, "visitors") == 0;
        values += entries[i].kind == NEWS_TAG && strcmp(entries[i].key, "visits") == 0 &&
                  entries[i].value[0] == (char)('1' + (int)values);
    }
    assert_int_equal(events, 3);
    assert_int_equal(entered, 1);
    assert_int_equal(values, 3);
    /* it goes on in the midst of a row, too */
    uint64_t last = entries[entry_count - 1].number;
    assert_int_equal(read_from(&house, last), 1);
    assert_int_equal(entries[0].number, last);
    assert_int_equal(read_from(&house, last + 1), 0);
    house_close(&house);
    house_remove(&house);
}

static void test_rows_go_when_all_are_past_them(void **state)
{
    struct house house;
    (void)state;
    house_make(&house);
    house_open(&house, false);
    put_sink(&house, "one", "\"events\":\"e\"", "7d");
    put_sink(&house, "two", "\"events\":\"e\"", "7d");
    for (int i = 0; i < 4; i++) {
        says(&house, "ann", "Store Visited");
        wall_clock_advance(&house.clock, 2 * SECOND_MS);
    }
    assert_int_equal(rows(&house), 4);
    read_from(&house, 1);
    uint64_t first_seq = entries[0].seq, third_seq = entries[2].seq, third = entries[2].number;
    assert_int_equal(news_needs_seq(house.engine), first_seq);
    move_on(&house, "one", third);
    assert_int_equal(rows(&house), 4); /* the other one still needs them */
    move_on(&house, "two", third);
    says(&house, "bob", "Store Visited"); /* the next commit removes them */
    assert_int_equal(rows(&house), 3);
    assert_int_equal(news_needs_seq(house.engine), third_seq);
    reopen(&house);
    assert_int_equal(news_needs_seq(house.engine), third_seq);
    assert_int_equal(standing(&house, "one").next, third);
    assert_int_equal(standing(&house, "one").last, third + 2);
    /* never back, never beyond what there is */
    move_on(&house, "one", third - 1);
    move_on(&house, "one", third + 100);
    assert_int_equal(standing(&house, "one").next, third);
    forget_sink(&house, "one");
    move_on(&house, "two", third + 3);
    says(&house, "bob", "Store Visited");
    assert_int_equal(rows(&house), 1);
    forget_sink(&house, "two");
    says(&house, "bob", "Store Visited");
    assert_int_equal(rows(&house), 0);
    /* numbers are never given twice, though no row is left to tell them */
    reopen(&house);
    put_sink(&house, "three", "\"events\":\"e\"", "7d");
    says(&house, "bob", "Store Visited");
    assert_int_equal(read_from(&house, 1), 1);
    assert_int_equal(entries[0].number, third + 4);
    house_close(&house);
    house_remove(&house);
}

static void test_what_waits_too_long_is_lost_and_counted(void **state)
{
    struct house house;
    (void)state;
    house_make(&house);
    house_open(&house, false);
    put_sink(&house, "short", "\"events\":\"e\"", "2h");
    put_sink(&house, "long", "\"events\":\"e\"", "1d");
    says(&house, "ann", "Store Visited");
    wall_clock_advance(&house.clock, HOUR_MS + 30 * MINUTE_MS);
    says(&house, "ann", "Store Visited");
    assert_int_equal(standing(&house, "short").lost, 0);
    wall_clock_advance(&house.clock, HOUR_MS);
    assert_ok(engine_tick(house.engine));
    assert_int_equal(standing(&house, "short").lost, 1);
    assert_int_equal(standing(&house, "short").next, 2);
    assert_int_equal(standing(&house, "long").lost, 0);
    assert_int_equal(rows(&house), 2);
    wall_clock_advance(&house.clock, DAY_MS);
    assert_ok(engine_tick(house.engine));
    says(&house, "ann", "Store Visited");
    assert_int_equal(standing(&house, "short").lost, 2);
    assert_int_equal(standing(&house, "long").lost, 2);
    assert_int_equal(read_from(&house, 1), 1);
    reopen(&house);
    assert_int_equal(standing(&house, "short").lost, 2);
    house_close(&house);
    house_remove(&house);
}

/* Who was merged and erased is told; of the erased nothing else is. */
static void test_customers_who_merge_and_go(void **state)
{
    struct house house;
    char body[100];
    bool gone[2];
    (void)state;
    house_make(&house);
    house_open(&house, false);
    put_sink(&house, "all", "\"customers\":\"c\"", "7d");
    says(&house, "ann", "Store Visited");
    says(&house, "bob", "Store Visited");
    uint32_t ann = house_customer(&house, "user_id", "ann", NULL);
    uint32_t bob = house_customer(&house, "user_id", "bob", NULL);
    struct saying anonymous = { .message = ++message, .anonymous = "a1" };
    assert_ok(house_send(&house, &anonymous, 1));
    uint32_t visitor = house_customer(&house, "anonymous_id", "a1", NULL);
    anonymous = (struct saying){ .message = ++message, .anonymous = "a1", .user = "ann" };
    assert_ok(house_send(&house, &anonymous, 1));
    assert_int_equal(read_from(&house, 1), 1);
    assert_string_equal(entries[0].key, "merged");
    assert_int_equal(entries[0].customer, visitor);
    assert_int_equal(entries[0].other, ann);
    snprintf(body, sizeof body, "{\"customer\":%u,\"reason\":\"she asked\"}", bob);
    house_command(&house, "customer.erase", body, 200, NULL);
    assert_int_equal(read_from(&house, 2), 1);
    assert_string_equal(entries[0].key, "erased");
    assert_int_equal(entries[0].customer, bob);
    assert_ok(news_find_gone(house.engine, (const uint32_t[]){ ann, bob }, 2, gone));
    assert_false(gone[0]);
    assert_true(gone[1]);
    house_close(&house);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_nobody_who_follows_nothing_is_kept),
        cmocka_unit_test(test_events_moves_and_numbers_over_restarts),
        cmocka_unit_test(test_rows_go_when_all_are_past_them),
        cmocka_unit_test(test_what_waits_too_long_is_lost_and_counted),
        cmocka_unit_test(test_customers_who_merge_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
