/* SPDX-License-Identifier: Apache-2.0 */
/* A log on a PostgreSQL server, with several at it: the lease and its epoch, followers and the inbox, a server that dies. */
#include "support/cmocka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "log/log.h"
#include "support/log_witness.h"
#include "support/postgres_server.h"

#define LEASE_MS 60000

struct party {
    struct wall_clock clock;
    struct log_config config;
    struct log *log;
    struct witness witness;
    struct problem problem;
    _Atomic int deaths;
};

struct house {
    char path[256];
    struct party parties[2];
};

static void on_fatal(void *context, const struct problem *problem)
{
    struct party *party = context;
    (void)problem;
    atomic_fetch_add(&party->deaths, 1);
}

static int house_build(void **state)
{
    static struct house house;
    static const char *const holders[] = { "a", "b" };
    house = (struct house){ .path = "" };
    postgres_new_schema(house.path, sizeof(house.path));
    for (int i = 0; i < 2; i++) {
        struct party *party = &house.parties[i];
        wall_clock_init_virtual(&party->clock, INT64_C(1795000000000));
        witness_init(&party->witness);
        party->config = (struct log_config){ .path = house.path,
                                             .clock = &party->clock,
                                             .holder = holders[i],
                                             .address = i == 0 ? "http://a" : "http://b",
                                             .lease_ms = LEASE_MS,
                                             .fatal = on_fatal,
                                             .context = party };
    }
    *state = &house;
    return 0;
}

static int house_clear(void **state)
{
    struct house *house = *state;
    for (int i = 0; i < 2; i++) {
        log_close(&house->parties[i].log);
        witness_deinit(&house->parties[i].witness);
    }
    return 0;
}

static void open_party(struct party *party, bool follows)
{
    party->config.follows = follows;
    if (log_open(&party->log, &party->config, &party->problem) != ERR_OK)
        fail_msg("%s", party->problem.detail);
}

/* As if the time of the lease had passed. */
static void end_lease(struct house *house)
{
    postgres_run(house->path, "UPDATE kith_lease SET until = '-infinity'");
}

static void wait_until_dead(struct party *party)
{
    while (atomic_load(&party->deaths) == 0)
        steady_sleep_ms(5);
}

/* ---- the lease ---- */

static void test_one_writes(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    struct log_standing standing;
    open_party(a, false);
    assert_err(log_open(&b->log, &b->config, &b->problem), ERR_LOCKED);
    assert_true(strstr(b->problem.detail, "http://a") != NULL);
    assert_true(log_may_act(a->log));
    log_standing(a->log, &standing);
    assert_true(standing.is_on_server);
    assert_int_equal(standing.epoch, 1);
    log_close(&a->log);
    open_party(b, false);
    assert_int_equal(log_epoch(b->log), 2);
}

static void test_a_former_life_is_no_other(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    open_party(a, false);
    b->config.holder = "a";
    open_party(b, false); /* the folder says that the former process is gone */
    assert_int_equal(log_epoch(b->log), 2);
    assert_ok(witness_append_now(&b->witness, b->log, 1, 10));
}

/* Who was taken over, and does not know yet, is told so by its next commit: nothing of it is in the log. */
static void test_the_old_one_writes_nothing_more(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    struct log_block *block = NULL;
    a->config.retention_ms = 1;
    open_party(a, false);
    assert_ok(witness_append_now(&a->witness, a->log, 3, 100));
    end_lease(house);
    open_party(b, false);
    assert_int_equal(log_last_seq(b->log), 3);
    assert_err(witness_append_now(&a->witness, a->log, 2, 100), ERR_UNAVAILABLE);
    wait_until_dead(a);
    assert_false(log_may_act(a->log));
    assert_int_equal(atomic_load(&a->deaths), 1);
    assert_ok(witness_append_now(&b->witness, b->log, 5, 100));
    assert_int_equal(log_last_seq(b->log), 8);
    wall_clock_advance(&a->clock, MINUTE_MS);
    assert_ok(log_trim(a->log, 4, &a->problem)); /* removes nothing either */
    assert_ok(log_read(b->log, 1, &block, &b->problem));
    log_block_release(&block);
}

/* Its sessions are ended too: one that was paused in the middle of a transaction holds the row of the lease. */
static void test_a_paused_commit_does_not_keep_the_lease(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    open_party(a, false);
    assert_ok(witness_append_now(&a->witness, a->log, 1, 10));
    end_lease(house);
    void *paused =
        postgres_hold(house->path, "SELECT set_config('application_name', 'kith-' ||"
                                   " current_schema()::regnamespace::oid::bigint || '-1', false);"
                                   "BEGIN; SELECT 1 FROM kith_lease FOR SHARE");
    open_party(b, false);
    assert_ok(witness_append_now(&b->witness, b->log, 1, 10));
    postgres_let_go(paused);
}

/* ---- following ---- */

static void test_a_follower_reads_what_is_written(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    struct log_standing standing;
    uint64_t next = 1;
    open_party(a, false);
    assert_ok(witness_append_now(&a->witness, a->log, 4, 100));
    open_party(b, true);
    assert_int_equal(log_last_seq(b->log), 4);
    assert_ok(log_follow(b->log, 1, &b->problem));
    for (int i = 0; i < 50; i++)
        assert_ok(witness_append_now(&a->witness, a->log, 2, 100));
    while (next <= 104) {
        struct log_block *block = NULL;
        assert_ok(log_next(b->log, 1000, &block, &b->problem));
        if (block == NULL)
            continue;
        assert_int_equal(block->first_seq, next);
        next += block->count;
        log_block_release(&block);
    }
    log_standing(b->log, &standing);
    assert_true(standing.follows);
    assert_int_equal(standing.epoch, 1);
    assert_string_equal(standing.active, "http://a");
    assert_false(log_may_act(b->log));
    assert_false(standing.lease_is_free);
}

static void read_on(struct party *party, uint64_t *next, uint64_t until)
{
    while (*next <= until) {
        struct log_block *block = NULL;
        assert_ok(log_next(party->log, 1000, &block, &party->problem));
        if (block == NULL)
            continue;
        assert_int_equal(block->first_seq, *next);
        *next += block->count;
        log_block_release(&block);
    }
}

/* Without being closed: what it had not read yet comes, then what it writes itself; the old one writes nothing more. */
static void test_a_follower_goes_on_as_the_writer(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    struct log_standing standing;
    uint64_t next = 1;
    open_party(a, false);
    open_party(b, true);
    assert_ok(log_follow(b->log, 1, &b->problem));
    for (int i = 0; i < 10; i++)
        assert_ok(witness_append_now(&a->witness, a->log, 2, 100));
    read_on(b, &next, 10);
    assert_ok(witness_append_now(&b->witness, b->log, 3, 100)); /* handed over */
    while (log_last_seq(a->log) < 23)
        steady_sleep_ms(5);
    end_lease(house);
    b->config.follows = false;
    assert_ok(log_take_over(b->log, &b->config, &b->problem));
    log_standing(b->log, &standing);
    assert_false(standing.follows);
    assert_int_equal(standing.epoch, 2);
    assert_int_equal(log_last_seq(b->log), 23);
    assert_true(log_may_act(b->log));
    assert_ok(log_follow(b->log, next, &b->problem));
    assert_ok(witness_append_now(&b->witness, b->log, 4, 100));
    assert_int_equal(log_last_seq(b->log), 27);
    read_on(b, &next, 27);
    assert_err(witness_append_now(&a->witness, a->log, 2, 100), ERR_UNAVAILABLE);
    wait_until_dead(a);
    assert_int_equal(atomic_load(&b->deaths), 0);
}

/* Another was quicker: it neither writes nor dies, and can be closed. */
static void test_who_comes_too_late_does_not_go_on(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    open_party(a, false);
    open_party(b, true);
    b->config.follows = false;
    assert_err(log_take_over(b->log, &b->config, &b->problem), ERR_LOCKED);
    assert_true(strstr(b->problem.detail, "http://a") != NULL);
    assert_false(log_may_act(b->log));
    assert_ok(witness_append_now(&a->witness, a->log, 1, 100));
    log_close(&b->log);
    assert_int_equal(atomic_load(&b->deaths), 0);
}

static void test_what_is_handed_over_is_in_the_log_once(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    open_party(a, false);
    open_party(b, true);
    for (int i = 0; i < 200; i++)
        assert_ok(witness_append(&b->witness, b->log, 2, 50));
    witness_wait(&b->witness);
    assert_int_equal(b->witness.ok, 200);
    while (log_last_seq(a->log) < 400)
        steady_sleep_ms(5);
    uint64_t seen[400] = { 0 };
    for (uint64_t seq = 1; seq <= 400;) {
        struct log_block *block = NULL;
        struct log_record record;
        assert_ok(log_read(a->log, seq, &block, &a->problem));
        struct log_cursor cursor = { .block = block };
        while (log_block_next(&cursor, &record)) {
            struct cursor body = cursor_over(record.body); /* number of the append, of the record */
            uint64_t which = 2 * read_u64(&body);
            which += read_u32(&body);
            assert_true(which < 400);
            seen[which]++;
        }
        seq = block->first_seq + block->count;
        log_block_release(&block);
    }
    for (int i = 0; i < 400; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(log_last_seq(a->log), 400);
}

/* With nobody to move it, it waits, safe. */
static void test_the_inbox_outlives_its_writer(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    open_party(a, false);
    open_party(b, true);
    log_close(&a->log);
    assert_ok(witness_append_now(&b->witness, b->log, 7, 50));
    assert_int_equal(log_last_seq(b->log), 0);
    log_close(&b->log);
    open_party(a, false);
    while (log_last_seq(a->log) < 7)
        steady_sleep_ms(5);
    log_close(&a->log);
    open_party(a, false);
    assert_int_equal(log_last_seq(a->log), 7);
}

static void never_durable(struct log_append *append, err error)
{
    (void)append;
    fail_msg("answered: %s", err_code(error));
}

static void test_a_follower_takes_events_alone(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    struct log_append tick = { .records = STR("\x03\x00"), .count = 1, .durable = never_durable };
    open_party(a, false);
    open_party(b, true);
    assert_err(log_append(b->log, &tick), ERR_UNAVAILABLE);
}

/* ---- a server that dies ---- */

struct crowd {
    struct party *party;
    _Atomic bool stopped;
    _Atomic int rounds;
};

static void *append_on(void *context)
{
    struct crowd *crowd = context;
    while (!atomic_load(&crowd->stopped)) {
        err error = witness_append_now(&crowd->party->witness, crowd->party->log, 3, 500);
        if (error != ERR_OK)
            return (void *)1;
        atomic_fetch_add(&crowd->rounds, 1);
    }
    return NULL;
}

/* The answers of commits are lost with it; what was acknowledged is there, and nothing is there twice. */
static void test_a_server_that_dies_loses_and_doubles_nothing(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0];
    open_party(a, false);
    struct crowd crowd = { .party = a };
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_on, &crowd), 0);
    for (int death = 0; death < 5; death++) {
        int before = atomic_load(&crowd.rounds);
        while (atomic_load(&crowd.rounds) < before + 20)
            steady_sleep_ms(1);
        postgres_crash();
        postgres_start_again();
    }
    atomic_store(&crowd.stopped, true);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(atomic_load(&a->deaths), 0);
    assert_int_equal(a->witness.ok, a->witness.count);
    if (!witness_check(&a->witness, a->log, NULL))
        fail_msg("%s", a->witness.wrong);
}

#ifdef KITH_FAULTS
/* ---- the same, of a build that is broken ---- */

/* Without the epoch in its commits the old one acknowledges what is not in the log: these tests would see it. */
static void test_catches_commits_without_the_epoch(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    setenv("KITH_MUTATE", "no_epoch", 1);
    open_party(a, false);
    assert_ok(witness_append_now(&a->witness, a->log, 3, 100));
    end_lease(house);
    open_party(b, false);
    assert_ok(witness_append_now(&b->witness, b->log, 5, 100));
    assert_ok(witness_append_now(&a->witness, a->log, 2, 100)); /* and it is told that it is in */
    unsetenv("KITH_MUTATE");
    log_close(&a->log);
    log_close(&b->log);
    open_party(b, false);
    assert_int_equal(log_last_seq(b->log), 8); /* it is not */
}

static void test_catches_a_lost_answer_taken_for_a_good_one(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0];
    setenv("KITH_MUTATE", "lost_is_done", 1);
    open_party(a, false);
    unsetenv("KITH_MUTATE");
    assert_ok(witness_append_now(&a->witness, a->log, 3, 100));
    postgres_crash();
    assert_ok(witness_append_now(&a->witness, a->log, 2, 100)); /* with nobody there */
    postgres_start_again();
    log_close(&a->log);
    open_party(a, false);
    assert_false(witness_check(&a->witness, a->log, NULL));
}
#endif

/* ---- who is there ---- */

static void describe(void *context, struct log_card *card)
{
    const struct party *party = context;
    *card = (struct log_card){ .applied_seq = 7, .lag_records = 3, .started_ms = 1000 };
    snprintf(card->role, sizeof card->role, "%s", party->config.follows ? "query" : "active");
    snprintf(card->version, sizeof card->version, "1.2.3");
    card->is_ready = !party->config.follows;
    snprintf(card->reason, sizeof card->reason, "%s", card->is_ready ? "" : "it's far behind");
}

struct roll {
    struct log_peer peers[4];
    size_t count;
};

static void note_peer(void *context, const struct log_peer *peer)
{
    struct roll *roll = context;
    assert_true(roll->count < 4);
    roll->peers[roll->count++] = *peer;
}

/* As `party` hears it, once `wanted` are listed. */
static void call_roll(struct party *party, size_t wanted, struct roll *roll)
{
    for (;; steady_sleep_ms(5)) {
        *roll = (struct roll){ .count = 0 };
        assert_ok(log_peers(party->log, note_peer, roll, &party->problem));
        if (roll->count == wanted)
            return;
    }
}

static const struct log_peer *peer_at(const struct roll *roll, const char *address)
{
    for (size_t i = 0; i < roll->count; i++)
        if (strcmp(roll->peers[i].address, address) == 0)
            return &roll->peers[i];
    fail_msg("%s is not listed", address);
    return NULL;
}

static void test_all_servers_are_listed_by_each(void **state)
{
    struct house *house = *state;
    struct party *a = &house->parties[0], *b = &house->parties[1];
    struct roll roll;
    a->config.describe = b->config.describe = describe;
    open_party(a, false);
    open_party(b, true);
    call_roll(b, 2, &roll);
    const struct log_peer *active = peer_at(&roll, "http://a"), *query = peer_at(&roll, "http://b");
    assert_string_equal(active->card.role, "active");
    assert_string_equal(active->card.version, "1.2.3");
    assert_true(active->card.is_ready && !active->is_this && !active->has_left);
    assert_int_equal(active->epoch, 1);
    assert_string_equal(query->card.reason, "it's far behind");
    assert_true(!query->card.is_ready && query->is_this);
    assert_int_equal(query->card.applied_seq, 7);
    assert_int_equal(query->card.lag_records, 3);
    /* who ends says so; who is silent gets old by the clock of the server */
    log_close(&b->log);
    postgres_run(house->path, "UPDATE kith_server SET seen = seen - interval '1 hour'"
                              " WHERE address = 'http://b'");
    call_roll(a, 2, &roll);
    query = peer_at(&roll, "http://b");
    assert_true(query->has_left && !query->card.is_ready);
    assert_true(query->silent_ms >= 3600000 && query->silent_ms < 2 * 3600000);
    /* and is back with its next life */
    open_party(b, true);
    do
        call_roll(a, 2, &roll);
    while (peer_at(&roll, "http://b")->has_left);
    assert_true(peer_at(&roll, "http://b")->silent_ms < 3600000);
    /* after a week nobody asks for it any more */
    log_close(&b->log);
    postgres_run(house->path, "UPDATE kith_server SET seen = seen - interval '8 days'"
                              " WHERE address = 'http://b'");
    call_roll(a, 1, &roll);
    assert_true(roll.peers[0].is_this);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_build, house_clear)
    const struct CMUnitTest tests[] = {
        TEST(test_one_writes),
        TEST(test_a_former_life_is_no_other),
        TEST(test_the_old_one_writes_nothing_more),
        TEST(test_a_paused_commit_does_not_keep_the_lease),
        TEST(test_a_follower_reads_what_is_written),
        TEST(test_what_is_handed_over_is_in_the_log_once),
        TEST(test_the_inbox_outlives_its_writer),
        TEST(test_a_follower_takes_events_alone),
        TEST(test_a_follower_goes_on_as_the_writer),
        TEST(test_who_comes_too_late_does_not_go_on),
        TEST(test_a_server_that_dies_loses_and_doubles_nothing),
        TEST(test_all_servers_are_listed_by_each),
#ifdef KITH_FAULTS
        TEST(test_catches_commits_without_the_epoch),
        TEST(test_catches_a_lost_answer_taken_for_a_good_one),
#endif
    };
    if (!postgres_is_installed()) {
        print_message("skipped: PostgreSQL is not installed\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
