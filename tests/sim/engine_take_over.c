/* SPDX-License-Identifier: Apache-2.0 */
/* Two engines at one log and ledger on PostgreSQL: who follows has the state of the one that writes, goes on with it when that one
 * ends, and leaves on the server what it has in memory. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/ledger.h"
#include "support/engine_house.h"
#include "support/postgres_server.h"

#define LEASE_MS 60000

struct pair {
    char server[256];
    struct house active, next;
    struct random_stream random;
    uint64_t message;
};

static void fail_loudly(void *context, const struct problem *problem)
{
    (void)context;
    print_error("engine failed: %s\n", problem->detail);
}

static struct engine_config config_of(struct pair *pair, struct house *house, bool follows)
{
    return (struct engine_config){ .folder = house->folder,
                                   .clock = &house->clock,
                                   .ledger_url = pair->server,
                                   .log_url = pair->server,
                                   .lease_ms = LEASE_MS,
                                   .follows = follows,
                                   .without_warehouse = true,
                                   .appends_nothing = true,
                                   .fatal = fail_loudly };
}

static void open_house(struct pair *pair, struct house *house, bool follows)
{
    struct problem problem = { .error = ERR_OK };
    struct engine_config config = config_of(pair, house, follows);
    if (engine_open(&house->engine, &config, &problem) != ERR_OK)
        fail_msg("%s (%s)", problem.detail, problem.hint);
}

static int build(void **state)
{
    static struct pair pair;
    char command[300];
    pair = (struct pair){ .message = 1 };
    postgres_new_schema(pair.server, sizeof pair.server);
    random_seed(&pair.random, 4);
    house_make(&pair.active);
    house_make(&pair.next);
    open_house(&pair, &pair.active, false);
    snprintf(command, sizeof command, "cp %s/keys %s/", pair.active.folder, pair.next.folder);
    assert_int_equal(system(command), 0);
    *state = &pair;
    return 0;
}

static int clear(void **state)
{
    struct pair *pair = *state;
    house_close(&pair->active);
    house_close(&pair->next);
    house_remove(&pair->active);
    house_remove(&pair->next);
    return 0;
}

static void say_some(struct pair *pair, struct house *house, int count)
{
    for (int i = 0; i < count; i++) {
        struct saying sayings[7];
        size_t n = 1 + random_below(&pair->random, 7);
        for (size_t s = 0; s < n; s++)
            house_random_saying(&pair->random, pair->message++, &sayings[s]);
        assert_ok(house_send(house, sayings, n));
    }
}

static void define_some(struct house *house)
{
    house_command(
        house, "segment.put",
        "{\"key\":\"payers\",\"name\":\"Payers\",\"rule\":{\"event\":\"Order Paid\",\"last\":"
        "\"90d\",\"measure\":\"count\",\"gte\":2}}",
        200, NULL);
    house_command(house, "tag.put",
                  "{\"key\":\"looks\",\"kind\":\"count\",\"measure\":{\"event\":\"Product Viewed\","
                  "\"measure\":\"count\"}}",
                  200, NULL);
}

static void count_computing(const struct engine_state *state, struct engine_question *question)
{
    struct audience_status status;
    audience_status(state->audience, &status);
    *(uint32_t *)question->context = status.computing;
}

/* Until it has applied all of the log, and its scans are done: what they bring is a record, too, however long they take. */
static void wait_until_quiet(struct house *house)
{
    for (uint64_t last = 0;;) {
        struct engine_status status;
        uint32_t computing = 0;
        struct engine_question question = { .ask = count_computing, .context = &computing };
        assert_ok(engine_settle(house->engine, false, -1));
        assert_ok(engine_tick(house->engine));
        steady_sleep_ms(20);
        assert_ok(engine_ask_wait(house->engine, &question));
        engine_status(house->engine, &status);
        if (computing == 0 && status.log_last_seq == last + 1 &&
            status.applied_seq == status.log_last_seq)
            return;
        last = status.log_last_seq;
    }
}

static void wait_for_follower(const struct pair *pair)
{
    struct engine_status ahead, behind;
    engine_status(pair->active.engine, &ahead);
    do {
        steady_sleep_ms(10);
        engine_status(pair->next.engine, &behind);
    } while (behind.committed_seq < ahead.log_last_seq);
}

static void report_of(struct house *house, struct buffer *report)
{
    buffer_init(report, 1 << 20);
    house_digest(house, report);
}

static void take_over(struct pair *pair)
{
    struct problem problem = { .error = ERR_OK };
    struct engine_config config = config_of(pair, &pair->next, false);
    house_close(&pair->active);
    assert_ok(engine_claim_lease(pair->next.folder, pair->server, NULL, LEASE_MS, &problem));
    if (engine_take_over(pair->next.engine, &config, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    assert_false(engine_follows(pair->next.engine));
}

/* Until the ledger on the server is as far as ours. */
static void wait_for_server(struct pair *pair)
{
    struct engine_status status;
    engine_status(pair->next.engine, &status);
    for (uint64_t there = 0; there < status.committed_seq;) {
        struct ledger *ledger = NULL;
        struct problem problem;
        const struct ledger_config config = { .path = pair->server,
                                              .readers = 1,
                                              .read_only = true };
        steady_sleep_ms(50);
        assert_ok(ledger_open(&ledger, &config, &problem));
        there = ledger_applied_seq(ledger);
        ledger_close(&ledger);
    }
}

static void a_follower_is_the_same_and_goes_on(void **state)
{
    struct pair *pair = *state;
    struct buffer active, follower, after, whole, again;
    say_some(pair, &pair->active, 60);
    define_some(&pair->active);
    open_house(pair, &pair->next, true);
    say_some(pair, &pair->active, 200);
    wait_until_quiet(&pair->active);
    wait_for_follower(pair);
    report_of(&pair->active, &active);
    report_of(&pair->next, &follower);
    assert_str_equal(buffer_str(&follower), buffer_str(&active));

    take_over(pair);
    report_of(&pair->next, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&active));
    say_some(pair, &pair->next, 100);
    house_command(
        &pair->next, "segment.put",
        "{\"key\":\"buyers\",\"name\":\"Buyers\",\"rule\":{\"event\":\"Order Paid\",\"last\":"
        "\"30d\",\"measure\":\"count\",\"gte\":1}}",
        200, NULL);
    wait_until_quiet(&pair->next); /* it computes ahead as an active one does */
    wait_for_server(pair);
    say_some(pair, &pair->next, 20);
    report_of(&pair->next, &whole);
    house_close(&pair->next);

    /* what it left there is what it had: another loads it */
    open_house(pair, &pair->active, false);
    report_of(&pair->active, &again);
    assert_str_equal(buffer_str(&again), buffer_str(&whole));
    struct buffer *all[] = { &active, &follower, &after, &whole, &again };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buffer_deinit(all[i]);
}

/* It ends before the server's ledger is its own: the log has the rest. */
static void what_is_not_settled_is_in_the_log(void **state)
{
    struct pair *pair = *state;
    struct buffer whole, again;
    say_some(pair, &pair->active, 60);
    define_some(&pair->active);
    open_house(pair, &pair->next, true);
    say_some(pair, &pair->active, 60);
    wait_until_quiet(&pair->active);
    wait_for_follower(pair);
    take_over(pair);
    say_some(pair, &pair->next, 20);
    report_of(&pair->next, &whole);
    house_close(&pair->next);
    open_house(pair, &pair->active, false);
    report_of(&pair->active, &again);
    assert_str_equal(buffer_str(&again), buffer_str(&whole));
    buffer_deinit(&whole);
    buffer_deinit(&again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_follower_is_the_same_and_goes_on),
        TEST(what_is_not_settled_is_in_the_log),
    };
    if (postgres_is_installed())
        return cmocka_run_group_tests(tests, NULL, NULL);
    print_message("skipped: PostgreSQL is not installed\n");
    return 0;
}
