/* SPDX-License-Identifier: Apache-2.0 */
/* A start with history.pack comes to the same as one without: whatever was packed when, whatever was taken back since,
 * whatever was done to the file. */
#include "support/cmocka.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/past/pack_inside.h"
#include "engine/state.h"
#include "support/engine_house.h"

/* ---- what there is ---- */

struct seen {
    struct engine_question question;
    struct engine *engine;
    struct digest history, seen;
    uint64_t events;
    struct problem problem;
    err error;
};

static void look_at(const struct engine_state *state, struct engine_question *question)
{
    struct seen *seen = queue_entry(question, struct seen, question);
    seen->error = history_check(seen->engine->history, &seen->problem);
    history_digest(seen->engine->history, &seen->history);
    for (uint32_t row = 1; row <= identity_row_count(state->identity); row++) {
        int64_t image[2] = { row, identity_row_last_seen_ms(state->identity, row) };
        digest_add(&seen->seen, image, sizeof image);
    }
    seen->events = atomic_load(&seen->engine->events);
}

struct there {
    struct digest history, seen;
    uint64_t events;
    char report[16384]; /* of all */
};

/* A column that is new is being filled. */
static void wait_for_columns(struct house *house)
{
    const struct history *history = engine_history(house->engine);
    for (history_column column = 1; column <= history_column_count(history); column++) {
        for (int i = 0; !history_column_is_ready(history, column); i++) {
            if (i == 6000)
                fail_msg("column %u was not filled within a minute", column);
            steady_sleep_ms(10);
        }
    }
}

static struct there what_is_there(struct house *house)
{
    struct seen seen = { .question = { .ask = look_at }, .engine = house->engine };
    assert_ok(engine_settle(house->engine, false, 60000));
    wait_for_columns(house);
    assert_ok(engine_ask_wait(house->engine, &seen.question));
    if (seen.error != ERR_OK)
        fail_msg("%s", seen.problem.detail);
    struct there there = { .history = seen.history, .seen = seen.seen, .events = seen.events };
    struct buffer report;
    buffer_init(&report, sizeof there.report);
    (void)house_digest(house, &report);
    snprintf(there.report, sizeof there.report, STR_FMT, STR_ARG(buffer_str(&report)));
    buffer_deinit(&report);
    return there;
}

static void assert_digest(const char *what, const struct digest *one, const struct digest *other)
{
    if (one->count != other->count || one->low != other->low || one->high != other->high)
        fail_msg("%s: %llu rows were there, %llu are, or they are others", what,
                 (unsigned long long)one->count, (unsigned long long)other->count);
}

/* What is derived from events, or stands beside it. Members of segments may be counted again meanwhile. */
static bool is_compared(const char *line)
{
    return strncmp(line, "identity ", 9) == 0 || strncmp(line, "profile ", 8) == 0 ||
           strncmp(line, "history ", 8) == 0 || strncmp(line, "plan ", 5) == 0;
}

static void assert_report(const char *one, const char *other)
{
    while (*one != '\0' && *other != '\0') {
        size_t size = strcspn(one, "\n") + 1, other_size = strcspn(other, "\n") + 1;
        if (is_compared(one) && (size != other_size || strncmp(one, other, size) != 0))
            fail_msg("it was %.*s and is %.*s", (int)size - 1, one, (int)other_size - 1, other);
        one += size;
        other += other_size;
    }
    assert_int_equal(*one, *other);
}

static void assert_same(const struct there *one, const struct there *other)
{
    assert_digest("history", &one->history, &other->history);
    assert_digest("last seen", &one->seen, &other->seen);
    assert_report(one->report, other->report);
    assert_int_equal(one->events, other->events);
}

/* How many pieces a start took, and left. */
static uint32_t pieces_that_count(struct house *house, enum pack_kind kind)
{
    const struct packs *packs = house->engine->packing->packs;
    uint32_t count = 0;
    for (uint32_t number = 0; number < packs_numbers(packs, kind); number++)
        count += packs_seq(packs, kind, number) != 0;
    return count;
}

/* ---- what happens ---- */

static void send_random(struct house *house, struct random_stream *random, uint64_t *message,
                        size_t count)
{
    for (size_t sent = 0; sent < count; sent += 50) {
        struct saying sayings[50];
        char props[50][80];
        for (size_t index = 0; index < 50; index++) {
            house_random_saying(random, ++*message, &sayings[index]);
            snprintf(props[index], sizeof props[index],
                     "{\"skin\":\"t%llu\",\"page\":\"page %llu\",\"score\":%llu}",
                     (unsigned long long)random_below(random, 9),
                     (unsigned long long)random_below(random, 500),
                     (unsigned long long)random_below(random, 100000));
            if (random_below(random, 3) > 0)
                sayings[index].props = props[index];
        }
        assert_ok(house_send(house, sayings, 50));
    }
    assert_ok(engine_settle(house->engine, false, 60000));
}

/* A round that begins now has ended. */
static void wait_for_round(struct house *house)
{
    uint64_t before = packing_rounds(house->engine);
    for (int i = 0; packing_rounds(house->engine) < before + 2; i++) {
        if (i == 6000)
            fail_msg("no round of packs has ended within a minute");
        steady_sleep_ms(10);
    }
}

static void put_segment(struct house *house, const char *key, const char *rule)
{
    char body[400];
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"name\":\"%s\",\"rule\":%s}", key, key, rule);
    house_command(house, "segment.put", body, 200, NULL);
}

static void open_house(struct house *house)
{
    house_make(house);
    house->pack_ms = 40;
    house_open(house, true);
}

static void pack_path(const struct house *house, char path[160])
{
    snprintf(path, 160, "%s/history.pack", house->folder);
}

static void remove_pack(const struct house *house)
{
    char path[160];
    pack_path(house, path);
    assert_int_equal(unlink(path), 0);
}

/* With the pack, without it, and with the one that was made anew. */
static void assert_opens_same(struct house *house)
{
    struct there before = what_is_there(house), after;
    house_close(house);
    house_open(house, true);
    after = what_is_there(house);
    assert_same(&before, &after);
    house_close(house);
    remove_pack(house);
    house->pack_ms = -1;
    house_open(house, true);
    after = what_is_there(house);
    assert_same(&before, &after);
    house_close(house);
    house->pack_ms = 40;
    house_open(house, true);
    after = what_is_there(house);
    assert_same(&before, &after);
}

/* ---- tests ---- */

static void live_and_reopen(uint64_t seed)
{
    struct random_stream random;
    struct house house;
    uint64_t message = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    open_house(&house);
    send_random(&house, &random, &message, 100);
    put_segment(&house, "skin",
                "{\"event\":\"Page Viewed\",\"where\":[{\"prop\":\"skin\",\"eq\":"
                "\"t1\"}],\"measure\":\"count\",\"gte\":2}");
    for (int round = 0; round < 4; round++) {
        send_random(&house, &random, &message, 50 + 50 * random_below(&random, 12));
        if (random_below(&random, 2) == 0)
            assert_ok(engine_settle(house.engine, true, 60000));
        if (random_below(&random, 4) > 0)
            wait_for_round(&house);
        if (round == 2)
            put_segment(&house, "score",
                        "{\"event\":\"Page Viewed\",\"where\":[{\"prop\":"
                        "\"score\",\"gte\":500}],\"measure\":\"count\",\"gte\":1}");
        if (random_below(&random, 2) == 0)
            send_random(&house, &random, &message, 50);
        struct there before = what_is_there(&house);
        house_close(&house);
        house_open(&house, true);
        struct there after = what_is_there(&house);
        assert_same(&before, &after);
    }
    wait_for_round(&house);
    send_random(&house, &random, &message, 100);
    assert_opens_same(&house);
    house_close(&house);
    house_remove(&house);
}

static void test_random_worlds_open_the_same(void **state)
{
    const char *given = getenv("KITH_SEED");
    (void)state;
    for (uint64_t i = 0; i < 4; i++)
        live_and_reopen(given != NULL ? strtoull(given, NULL, 10) + i : 20261122 + i);
}

static void test_pieces_are_used(void **state)
{
    struct random_stream random;
    struct house house;
    uint64_t message = 0;
    (void)state;
    random_seed(&random, 5);
    open_house(&house);
    send_random(&house, &random, &message, 1000);
    assert_ok(engine_settle(house.engine, true, 60000));
    wait_for_round(&house);
    struct there before = what_is_there(&house);
    house_close(&house);
    house_open(&house, true);
    for (int kind = 0; kind < PACK_KIND_COUNT; kind++)
        assert_true(pieces_that_count(&house, (enum pack_kind)kind) > 0);
    struct engine_status status;
    engine_status(house.engine, &status);
    assert_true(packed_until(house.engine, PACK_EVENTS, 1) >= status.flushed_seq - 1);
    struct there after = what_is_there(&house);
    assert_same(&before, &after);
    house_close(&house);
    house_remove(&house);
}

/* After a flood nearly everything came since the last round: it is merged into what was packed, block by block. */
static void test_much_came_since(void **state)
{
    struct random_stream random;
    struct house house;
    uint64_t message = 0;
    (void)state;
    random_seed(&random, 9);
    open_house(&house);
    send_random(&house, &random, &message, 1000);
    assert_ok(engine_settle(house.engine, true, 60000));
    wait_for_round(&house);
    house_close(&house);
    house.pack_ms = HOUR_MS;
    house_open(&house, true);
    for (int part = 0; part < 10; part++)
        send_random(&house, &random, &message, 1000);
    assert_ok(engine_settle(house.engine, true, 60000));
    struct there before = what_is_there(&house);
    house_close(&house);
    house_open(&house, true);
    assert_true(pieces_that_count(&house, PACK_EVENTS) > 0);
    struct there after = what_is_there(&house);
    assert_same(&before, &after);
    house_close(&house);
    house_remove(&house);
}

/* Does any file of the folder have it? */
static bool folder_has(const char *folder, const char *text)
{
    char command[300];
    snprintf(command, sizeof command, "grep -qa '%s' %s/history.pack", text, folder);
    return system(command) == 0;
}

static void test_who_is_erased_is_in_no_piece(void **state)
{
    struct random_stream random;
    struct house house;
    struct problem problem = { .error = ERR_OK };
    uint64_t message = 100;
    char body[80];
    (void)state;
    random_seed(&random, 6);
    open_house(&house);
    const struct saying said[] = {
        { .message = 1, .user = "ann", .props = "{\"note\":\"the red umbrella\"}" },
        { .message = 2, .user = "bea", .props = "{\"note\":\"a green door\"}" },
    };
    assert_ok(house_send(&house, said, 2));
    put_segment(&house, "note",
                "{\"event\":\"Page Viewed\",\"where\":[{\"prop\":\"note\",\"eq\":"
                "\"x\"}],\"measure\":\"count\",\"gte\":1}");
    send_random(&house, &random, &message, 200);
    wait_for_columns(&house);
    wait_for_round(&house);
    assert_true(folder_has(house.folder, "the red umbrella"));
    uint32_t ann = house_customer(&house, "user_id", "ann", NULL);
    snprintf(body, sizeof body, "{\"customer\":%u,\"reason\":\"asked\"}", ann);
    house_command(&house, "customer.erase", body, 200, NULL);
    assert_ok(engine_wipe_packs(house.engine, &ann, 1, &problem));
    assert_false(folder_has(house.folder, "the red umbrella"));
    wait_for_round(&house);
    assert_false(folder_has(house.folder, "the red umbrella"));
    assert_true(folder_has(house.folder, "a green door"));
    assert_opens_same(&house);
    house_close(&house);
    house_remove(&house);
}

/* She is erased, and the process dies before anything is wiped or packed anew: what is packed of her does not count. */
static void test_a_spoiled_piece_does_not_count(void **state)
{
    struct random_stream random;
    struct house house;
    uint64_t message = 100;
    char body[80];
    (void)state;
    random_seed(&random, 8);
    open_house(&house);
    send_random(&house, &random, &message, 500);
    assert_ok(engine_settle(house.engine, true, 60000));
    wait_for_round(&house);
    house_close(&house);
    house.pack_ms = 3600 * SECOND_MS; /* no round from here on */
    house_open(&house, true);
    uint32_t somebody = house_customer(&house, "user_id", "u7", NULL);
    snprintf(body, sizeof body, "{\"customer\":%u,\"reason\":\"asked\"}", somebody);
    house_command(&house, "customer.erase", body, 200, NULL);
    struct there before = what_is_there(&house);
    house_close(&house);
    house_open(&house, true);
    assert_int_equal(packed_until(house.engine, PACK_EVENTS, somebody), 0);
    struct there after = what_is_there(&house);
    assert_digest("history", &before.history, &after.history);
    assert_report(before.report, after.report);
    house_close(&house);
    house_remove(&house);
}

static void pass_days(struct house *house, int days)
{
    wall_clock_advance(&house->clock, days * DAY_MS);
    assert_ok(engine_tick(house->engine));
    assert_ok(engine_settle(house->engine, false, 60000));
}

static void visit(struct house *house, uint32_t number)
{
    static uint64_t message = 500000;
    char anonymous[16];
    snprintf(anonymous, sizeof anonymous, "v%u", number);
    const struct saying saying = { .message = ++message,
                                   .anonymous = anonymous,
                                   .props = "{\"page\":\"p\"}",
                                   .after_ms = wall_clock_now_ms(&house->clock) - HOUSE_START_MS };
    assert_ok(house_send(house, &saying, 1));
}

static void assert_same_events(struct house *house)
{
    struct there before = what_is_there(house);
    house_close(house);
    house_open(house, true);
    struct there after = what_is_there(house);
    assert_digest("history", &before.history, &after.history);
    assert_report(before.report, after.report);
    assert_int_equal(before.events, after.events);
}

/* Packed while she was here, packed while she was away, back since. */
static void test_visitors_leave_and_come_back(void **state)
{
    struct house house;
    (void)state;
    open_house(&house);
    for (uint32_t i = 0; i < 60; i++) {
        visit(&house, i);
        visit(&house, i);
    }
    assert_ok(engine_settle(house.engine, true, 60000));
    wait_for_round(&house);
    house_close(&house);
    house.pack_ms = 3600 * SECOND_MS;
    house_open(&house, true);
    pass_days(&house, 95);
    pass_days(&house, 1);
    assert_true(identity_left_count(house.engine->identity) > 0);
    visit(&house, 3); /* is back, and what is packed of her is from before she left */
    assert_same_events(&house);
    house_close(&house);
    house.pack_ms = 40;
    house_open(&house, true);
    wait_for_round(&house);
    house_close(&house);
    house.pack_ms = 3600 * SECOND_MS;
    house_open(&house, true);
    visit(&house, 4); /* is back, and what is packed has nothing of her */
    assert_same_events(&house);
    visit(&house, 4);
    assert_same_events(&house);
    house_close(&house);
    house_remove(&house);
}

/* ---- what is done to the file ---- */

static void flip_bit(const char *path, uint64_t bit)
{
    uint8_t byte;
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, (off_t)(bit / 8)), 1);
    byte = (uint8_t)(byte ^ 1u << (bit & 7));
    assert_int_equal(pwrite(file, &byte, 1, (off_t)(bit / 8)), 1);
    close(file);
}

/* A bit of something that is said: most of the file are rows that there are not. */
static uint64_t some_bit(const char *path, uint64_t file_bytes, struct random_stream *random)
{
    uint8_t byte = 0;
    uint64_t offset = 0;
    int file = open(path, O_RDONLY);
    assert_true(file >= 0);
    while (byte == 0) {
        offset = random_below(random, file_bytes);
        assert_int_equal(pread(file, &byte, 1, (off_t)offset), 1);
    }
    close(file);
    return offset * 8 + random_below(random, 8);
}

/* How many pieces the start refused: `kith check` names them, or finds nothing. */
static uint32_t check_names_damage(struct house *house)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer report;
    uint32_t refused = packs_refused(house->engine->packing->packs);
    buffer_init(&report, 1 << 10);
    assert_int_equal(engine_check_packs(house->engine, &report, &problem),
                     refused > 0 ? ERR_CORRUPT : ERR_OK);
    if (refused > 0) {
        bool is_named = strstr(problem.detail, "EVENTS of customers 0 to 511") != NULL ||
                        strstr(problem.detail, "SUMS of customers 0 to 511") != NULL ||
                        strstr(problem.detail, "SEEN of identifiers 1 to 65536") != NULL;
        if (!is_named)
            fail_msg("it says: %s", problem.detail);
    }
    buffer_deinit(&report);
    return refused;
}

static void test_flipped_bits_are_found(void **state)
{
    struct random_stream random;
    struct house house;
    struct stat status;
    uint64_t message = 0;
    uint32_t refused = 0;
    char path[160];
    (void)state;
    random_seed(&random, 9);
    open_house(&house);
    send_random(&house, &random, &message, 2000);
    assert_ok(engine_settle(house.engine, true, 60000));
    wait_for_round(&house);
    struct there before = what_is_there(&house);
    house_close(&house);
    house.pack_ms = 3600 * SECOND_MS;
    pack_path(&house, path);
    for (int round = 0; round < 12; round++) {
        assert_int_equal(stat(path, &status), 0);
        flip_bit(path, some_bit(path, (uint64_t)status.st_size, &random));
        house_open(&house, true);
        refused += check_names_damage(&house);
        struct there after = what_is_there(&house);
        assert_same(&before, &after);
        house_close(&house);
    }
    assert_true(refused > 0);
    house_remove(&house);
}

/* Of another version, cut off, foreign: of such a file nothing counts, and it is written anew. */
static void test_another_file_is_not_taken(void **state)
{
    struct random_stream random;
    struct house house;
    uint64_t message = 0;
    char path[160];
    (void)state;
    random_seed(&random, 10);
    open_house(&house);
    send_random(&house, &random, &message, 1000);
    assert_ok(engine_settle(house.engine, true, 60000));
    wait_for_round(&house);
    struct there before = what_is_there(&house);
    pack_path(&house, path);
    for (int what = 0; what < 3; what++) {
        house_close(&house);
        if (what == 0)
            flip_bit(path, 8 * 8 + 1); /* the version */
        else
            assert_int_equal(truncate(path, what == 1 ? 5000 : 0), 0);
        house_open(&house, true);
        struct there after = what_is_there(&house);
        assert_same(&before, &after);
        wait_for_round(&house);
    }
    house_close(&house);
    house_open(&house, true);
    assert_true(packed_until(house.engine, PACK_EVENTS, 1) > 0);
    house_close(&house);
    house_remove(&house);
}

/* The disk is full, or the process dies, in the middle of a piece. */
static void test_torn_pieces(void **state)
{
    struct random_stream random;
    struct house house;
    uint64_t message = 0;
    (void)state;
    random_seed(&random, 11);
    open_house(&house);
    send_random(&house, &random, &message, 500);
    fault_arm(FAULT_PACK_WRITE, 1, FAULT_FAIL, true);
    send_random(&house, &random, &message, 300);
    while (fault_count(FAULT_PACK_WRITE) < 3)
        steady_sleep_ms(10);
    fault_disarm();
    wait_for_round(&house);
    assert_opens_same(&house);
    house_close(&house);
    for (uint64_t nth = 1; nth <= 7; nth += 3) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            fault_arm(FAULT_PACK_WRITE, nth, FAULT_KILL, false);
            house_open(&house, true);
            for (uint64_t i = 0; i < 200; i++)
                send_random(&house, &random, &message, 50);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        house_open(&house, true);
        struct there before = what_is_there(&house);
        house_close(&house);
        remove_pack(&house);
        house_open(&house, true);
        struct there after = what_is_there(&house);
        assert_same(&before, &after);
        wait_for_round(&house);
        house_close(&house);
        message += 10000;
    }
    house_remove(&house);
}

/* Killed while the warehouse has nothing: all comes from the log, however much is packed. */
static void test_nothing_is_flushed_yet(void **state)
{
    struct random_stream random;
    struct house house;
    uint64_t message = 0;
    (void)state;
    random_seed(&random, 12);
    house_make(&house);
    house.pack_ms = 40;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        house_open(&house, true);
        assert_ok(engine_hold_flush(house.engine, 60000));
        send_random(&house, &random, &message, 300);
        wait_for_round(&house);
        (void)kill(getpid(), SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    house_open(&house, true);
    struct there there = what_is_there(&house);
    assert_true(there.events > 200 && there.history.count == there.events);
    assert_opens_same(&house);
    house_close(&house);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_used),
        cmocka_unit_test(test_much_came_since),
        cmocka_unit_test(test_random_worlds_open_the_same),
        cmocka_unit_test(test_who_is_erased_is_in_no_piece),
        cmocka_unit_test(test_a_spoiled_piece_does_not_count),
        cmocka_unit_test(test_visitors_leave_and_come_back),
        cmocka_unit_test(test_flipped_bits_are_found),
        cmocka_unit_test(test_another_file_is_not_taken),
        cmocka_unit_test(test_nothing_is_flushed_yet),
        cmocka_unit_test(test_torn_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
