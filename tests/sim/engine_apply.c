/* SPDX-License-Identifier: Apache-2.0 */
/* The engine as a function of its log: cuts, restarts, rebuilds and repetitions change nothing. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/engine_house.h"

static uint64_t seed_of_run(void)
{
    const char *given = getenv("KITH_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261118;
    print_message("KITH_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* The lines of two reports that are not the same: rooms and tables. */
static void print_different(str here, str there)
{
    str one, other;
    while (str_split(&here, '\n', &one) && str_split(&there, '\n', &other))
        if (!str_equal(one, other))
            print_error(STR_FMT "\n" STR_FMT "\n", STR_ARG(one), STR_ARG(other));
}

static void assert_same(struct house *one, struct house *other)
{
    struct buffer here, there;
    buffer_init(&here, 1 << 20);
    buffer_init(&there, 1 << 20);
    struct digest a = house_digest(one, &here), b = house_digest(other, &there);
    if (a.low != b.low || a.high != b.high || a.count != b.count) {
        print_different(buffer_str(&here), buffer_str(&there));
        fail_msg("states differ");
    }
    buffer_deinit(&here);
    buffer_deinit(&there);
}

static void copy_file(const struct house *from, const struct house *to, const char *name)
{
    char command[320];
    snprintf(command, sizeof command, "cp %s/%s %s/%s", from->folder, name, to->folder, name);
    assert_int_equal(system(command), 0);
}

/* Random events, cut at random into requests; one by one with cuts 0. */
static void send_in_cuts(struct house *house, uint64_t seed, uint64_t cuts, size_t count)
{
    struct random_stream what, where;
    random_seed(&what, seed);
    random_seed(&where, cuts);
    uint64_t message = 1;
    while (message <= count) {
        struct saying sayings[64];
        size_t size = cuts == 0 ? 1 : 1 + (size_t)random_below(&where, 64);
        size_t made = 0;
        for (; made < size && message <= count; made++)
            house_random_saying(&what, message++, &sayings[made]);
        assert_ok(house_send(house, sayings, made));
    }
}

/* The records of one log into another, cut anew. */
static void copy_records(struct house *from, struct house *to, uint64_t cuts)
{
    struct random_stream random;
    struct buffer records;
    struct log *log = engine_log(from->engine);
    uint32_t count = 0, size = 1;
    random_seed(&random, cuts);
    buffer_init(&records, (size_t)64 << 20);
    for (uint64_t seq = 1; seq <= log_last_seq(log);) {
        struct log_block *block = NULL;
        struct problem problem;
        assert_ok(log_read(log, seq, &block, &problem));
        struct log_cursor cursor = { .block = block };
        struct log_record record;
        while (log_block_next(&cursor, &record)) {
            log_record_write(&records, record.kind, record.body);
            if (++count < size && record.seq < log_last_seq(log))
                continue;
            assert_ok(house_send_records(to, buffer_str(&records), count));
            buffer_clear(&records);
            count = 0;
            size = 1 + (uint32_t)random_below(&random, 1000);
        }
        seq = block->first_seq + block->count;
        log_block_release(&block);
    }
    buffer_deinit(&records);
}

static void test_cuts_do_not_matter(void **state)
{
    (void)state;
    uint64_t seed = seed_of_run();
    struct house one, other;
    house_make(&one);
    house_make(&other);
    house_open(&one, false);
    /* The keys make hashes, so both need the same. */
    copy_file(&one, &other, "keys");
    house_open(&other, false);
    send_in_cuts(&one, seed, 0, 2000);
    copy_records(&one, &other, seed);
    assert_same(&one, &other);
    house_close(&one);
    house_close(&other);
    house_remove(&one);
    house_remove(&other);
}

static void test_restart_changes_nothing(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    send_in_cuts(&house, seed_of_run() + 1, 5, 1500);
    house_assert_reopens_same(&house, false);
    house_close(&house);
    house_remove(&house);
}

static void test_rebuild_gives_the_same(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    send_in_cuts(&house, seed_of_run() + 2, 7, 1500);
    house_command(&house, "trait.put", "{\"name\":\"name\",\"precedence\":\"oldest\"}", 200, NULL);
    house_assert_rebuilds_same(&house);
    house_remove(&house);
}

/* ---- changed identity rules ---- */

static int64_t pairs_in(const struct buffer *report, const char *what)
{
    struct json_parser *parser = NULL;
    json_value root;
    assert_ok(json_parser_new(&parser, 1 << 20));
    assert_ok(json_parse(parser, buffer_str(report), &root, NULL));
    int64_t count = json_int(json_get(json_get(root, str_from_c(what)), STR("count")), -1);
    json_parser_free(&parser);
    return count;
}

/* What it would do, asked of the ledger as the API does. */
static void ask_what_if(struct house *house, const char *types, int64_t *merges, int64_t *splits)
{
    struct json_parser *parser = NULL;
    json_value list;
    struct buffer report;
    struct problem problem = { .error = ERR_OK };
    assert_ok(engine_settle(house->engine, false, 60000));
    buffer_init(&report, 1 << 20);
    assert_ok(json_parser_new(&parser, 1 << 20));
    assert_ok(json_parse(parser, str_from_c(types), &list, &problem));
    if (identity_whatif(engine_ledger(house->engine), engine_keys(house->engine), STR_NONE, list,
                        &report, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    *merges = pairs_in(&report, "merges");
    *splits = pairs_in(&report, "splits");
    json_parser_free(&parser);
    buffer_deinit(&report);
}

static const char WIDER[] = "[{\"name\":\"user_id\",\"limit\":3},"
                            "{\"name\":\"member_card\",\"limit\":4},"
                            "{\"name\":\"mobile\",\"shared_after\":40}]";
static const char NARROW[] = "[{\"name\":\"user_id\",\"limit\":1},"
                             "{\"name\":\"mobile\",\"strong\":false}]";

static void change_rules(struct house *house, const char *types, int64_t *merges, int64_t *splits)
{
    struct buffer body, answer;
    buffer_init(&body, 65536);
    buffer_init(&answer, 1 << 20);
    buffer_printf(&body, "{\"types\":%s}", types);
    buffer_append(&body, "", 1);
    uint64_t before = log_last_seq(engine_log(house->engine));
    house_command(house, "identity.rules.apply", buffer_str(&body).data, 200, &answer);
    /* One record, however many it concerns. */
    assert_int_equal(log_last_seq(engine_log(house->engine)), before + 1);
    *merges = pairs_in(&answer, "merges");
    *splits = pairs_in(&answer, "splits");
    buffer_deinit(&body);
    buffer_deinit(&answer);
}

static void test_changed_rules_are_one_record_and_what_if_tells_it(void **state)
{
    (void)state;
    struct house house, copy, cut;
    int64_t told_merges, told_splits, merges, splits;
    house_make(&house);
    house_make(&copy);
    house_make(&cut);
    house_open(&house, false);
    copy_file(&house, &cut, "keys");
    send_in_cuts(&house, seed_of_run() + 3, 9, 2500);
    ask_what_if(&house, WIDER, &told_merges, &told_splits);
    change_rules(&house, WIDER, &merges, &splits);
    assert_int_equal(merges, told_merges);
    assert_int_equal(splits, told_splits);
    assert_true(merges > 5);
    send_in_cuts(&house, seed_of_run() + 4, 9, 500);
    change_rules(&house, NARROW, &merges, &splits);
    assert_true(splits > 5);
    /* The same log applied to nothing, with its cuts and with others. */
    house_open(&cut, false);
    copy_records(&house, &cut, seed_of_run());
    assert_same(&house, &cut);
    struct buffer before, after;
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    house_digest(&house, &before);
    house_close(&house);
    copy_file(&house, &copy, "keys");
    copy_file(&house, &copy, "log.db");
    house_open(&copy, false);
    house_digest(&copy, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    buffer_deinit(&before);
    buffer_deinit(&after);
    house_close(&copy);
    house_close(&cut);
    house_remove(&copy);
    house_remove(&cut);
    house_remove(&house);
}

struct ask_rules {
    struct engine_question question;
    struct buffer *out;
};

static void write_rules(const struct engine_state *state, struct engine_question *question)
{
    struct ask_rules *ask = queue_entry(question, struct ask_rules, question);
    identity_write_types(state->identity, ask->out);
}

static void read_rules(struct house *house, struct buffer *out)
{
    struct ask_rules ask = { .question = { .ask = write_rules }, .out = out };
    assert_ok(engine_ask_wait(house->engine, &ask.question));
}

/* One bad type among good ones: nothing is changed. */
static void test_bad_rules_change_nothing(void **state)
{
    (void)state;
    struct house house;
    struct buffer before, after, answer;
    house_make(&house);
    house_open(&house, false);
    send_in_cuts(&house, seed_of_run() + 5, 3, 300);
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    buffer_init(&answer, 65536);
    read_rules(&house, &before);
    house_command(&house, "identity.rules.apply",
                  "{\"types\":[{\"name\":\"user_id\",\"limit\":9},{\"name\":\"brand_new\"},"
                  "{\"name\":\"mobile\",\"blocked_patterns\":[\"(\"]}]}",
                  422, &answer);
    assert_true(str_contains(buffer_str(&answer), STR("/types/2/blocked_patterns/0")));
    read_rules(&house, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    buffer_clear(&answer);
    house_command(&house, "identity.rules.apply", "{\"types\":{}}", 422, &answer);
    assert_true(str_contains(buffer_str(&answer), STR("/types")));
    buffer_deinit(&before);
    buffer_deinit(&after);
    buffer_deinit(&answer);
    house_close(&house);
    house_remove(&house);
}

static void test_a_message_counts_once(void **state)
{
    (void)state;
    struct house house;
    struct saying paid = {
        .message = 1, .type = "Order Paid", .user = "u1", .order_id = "o1", .revenue = 19900
    };
    house_make(&house);
    house_open(&house, false);
    for (int time = 0; time < 5; time++) {
        struct saying both[2] = { paid, paid };
        assert_ok(house_send(&house, both, 2));
    }
    struct profile_summary summary;
    uint32_t customer = house_customer(&house, "user_id", "u1", &summary);
    assert_int_equal(summary.events, 1);
    assert_int_equal(summary.revenue, 19900);
    assert_int_equal(house_tail_events(&house, customer), 1);

    house_close(&house);
    house_open(&house, false);
    assert_ok(house_send(&house, &paid, 1));
    house_customer(&house, "user_id", "u1", &summary);
    assert_int_equal(summary.events, 1);

    /* Thirty days later the window is over: the same id is a new message. */
    wall_clock_advance(&house.clock, 31 * DAY_MS);
    struct saying later = paid;
    later.order_id = "o2";
    assert_ok(house_send(&house, &later, 1));
    house_customer(&house, "user_id", "u1", &summary);
    assert_int_equal(summary.events, 2);
    house_close(&house);
    house_remove(&house);
}

static void test_who_has_an_answer_reads_her_write(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    for (uint64_t message = 1; message <= 300; message++) {
        struct saying viewed = { .message = message, .user = "reader" };
        struct profile_summary summary;
        assert_ok(house_send(&house, &viewed, 1));
        house_customer(&house, "user_id", "reader", &summary);
        assert_int_equal(summary.events, message);
    }
    house_close(&house);
    house_remove(&house);
}

static void test_future_goes_to_quarantine_and_comes_back_once(void **state)
{
    (void)state;
    struct house house;
    struct saying early = { .message = 1, .user = "u1", .after_ms = 3 * DAY_MS };
    house_make(&house);
    house_open(&house, false);
    assert_ok(house_send(&house, &early, 1));
    assert_int_equal(house_customer(&house, "user_id", "u1", NULL), 0);
    struct engine_status status;
    assert_ok(engine_settle(house.engine, false, 10000));
    engine_status(house.engine, &status);
    assert_int_equal(status.quarantined, 1);

    wall_clock_advance(&house.clock, 4 * DAY_MS);
    uint64_t id = 1;
    size_t replayed = 0;
    struct problem problem;
    assert_ok(engine_replay_quarantine(house.engine, &id, 1, NULL, 0, &replayed, &problem));
    assert_int_equal(replayed, 1);
    struct profile_summary summary;
    assert_int_not_equal(house_customer(&house, "user_id", "u1", &summary), 0);
    assert_int_equal(summary.events, 1);

    /* Again: nobody waits there any more, and a late retry of the client counts as seen. */
    assert_ok(engine_replay_quarantine(house.engine, &id, 1, NULL, 0, &replayed, &problem));
    assert_int_equal(replayed, 0);
    assert_ok(house_send(&house, &early, 1));
    house_customer(&house, "user_id", "u1", &summary);
    assert_int_equal(summary.events, 1);
    house_close(&house);
    house_remove(&house);
}

static void test_discarded_is_remembered(void **state)
{
    (void)state;
    struct house house;
    struct saying early = { .message = 1, .user = "u1", .after_ms = 3 * DAY_MS };
    house_make(&house);
    house_open(&house, false);
    assert_ok(house_send(&house, &early, 1));
    house_command(&house, "quarantine.discard", "{\"ids\":[1]}", 200, NULL);
    house_close(&house);
    house_open(&house, false);
    assert_ok(house_send(&house, &early, 1));
    struct engine_status status;
    assert_ok(engine_settle(house.engine, false, 10000));
    engine_status(house.engine, &status);
    assert_int_equal(status.quarantined, 0);
    assert_int_equal(status.duplicates, 1);
    house_close(&house);
    house_remove(&house);
}

static void test_the_same_key_gives_the_same_answer(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    struct engine_command command = { .operation = STR("source.put"),
                                      .body = STR("{\"key\":\"web\",\"name\":\"Web\"}"),
                                      .has_idempotency_key = true,
                                      .idempotency_key = { 1 },
                                      .request_hash = { 2 } };
    struct buffer first, again;
    struct problem problem;
    int status = 0;
    buffer_init(&first, 65536);
    buffer_init(&again, 65536);
    assert_ok(engine_command(house.engine, &command, &status, &first, &problem));
    assert_int_equal(status, 200);
    house_close(&house);
    house_open(&house, false);
    assert_ok(engine_command(house.engine, &command, &status, &again, &problem));
    assert_int_equal(status, 200);
    assert_str_equal(buffer_str(&again), buffer_str(&first));
    command.request_hash[0] = 3;
    buffer_clear(&again);
    assert_ok(engine_command(house.engine, &command, &status, &again, &problem));
    assert_int_equal(status, 422);
    assert_true(str_contains(buffer_str(&again), STR("idempotency_mismatch")));
    buffer_deinit(&first);
    buffer_deinit(&again);
    house_close(&house);
    house_remove(&house);
}

static void test_a_second_server_is_refused(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    struct engine *second = NULL;
    struct problem problem;
    struct engine_config config = { .folder = house.folder,
                                    .clock = &house.clock,
                                    .without_warehouse = true };
    assert_err(engine_open(&second, &config, &problem), ERR_LOCKED);
    assert_non_null(strstr(problem.detail, house.folder));
    house_close(&house);
    house_remove(&house);
}

static void test_commands_that_cannot_be_are_refused_by_name(void **state)
{
    (void)state;
    struct house house;
    struct buffer answer;
    house_make(&house);
    house_open(&house, false);
    buffer_init(&answer, 65536);
    house_command(&house, "source.put", "{\"key\":\"No Good\"}", 422, &answer);
    assert_true(str_contains(buffer_str(&answer), STR("/key")));
    buffer_clear(&answer);
    house_command(&house, "customer.split", "{\"merge_id\":77}", 404, &answer);
    assert_true(str_contains(buffer_str(&answer), STR("77")));
    buffer_deinit(&answer);
    house_close(&house);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts_do_not_matter),
        cmocka_unit_test(test_restart_changes_nothing),
        cmocka_unit_test(test_rebuild_gives_the_same),
        cmocka_unit_test(test_changed_rules_are_one_record_and_what_if_tells_it),
        cmocka_unit_test(test_bad_rules_change_nothing),
        cmocka_unit_test(test_a_message_counts_once),
        cmocka_unit_test(test_who_has_an_answer_reads_her_write),
        cmocka_unit_test(test_future_goes_to_quarantine_and_comes_back_once),
        cmocka_unit_test(test_discarded_is_remembered),
        cmocka_unit_test(test_the_same_key_gives_the_same_answer),
        cmocka_unit_test(test_a_second_server_is_refused),
        cmocka_unit_test(test_commands_that_cannot_be_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
