/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_move: a ledger goes from a file to a server, and back, while it is written and read: nothing is lost, nothing changes
 * its order, and what fails leaves it where it was. */
#include "support/cmocka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/ledger.h"
#include "support/postgres_server.h"

#define CUSTOMERS 500

struct house {
    char folder[64], file[300], server[256];
    struct ledger *ledger;
    uint64_t seq;
    _Atomic bool stop; /* what is under way */
    _Atomic bool wrong;
    struct problem problem;
};

static int build(void **state)
{
    static struct house house;
    house = (struct house){ .folder = "/tmp/kith_move_XXXXXX" };
    assert_non_null(mkdtemp(house.folder));
    snprintf(house.file, sizeof house.file, "%s/ledger.db", house.folder);
    postgres_new_schema(house.server, sizeof house.server);
    const struct ledger_config config = { .path = house.file, .readers = 2 };
    assert_ok(ledger_open(&house.ledger, &config, &house.problem));
    *state = &house;
    return 0;
}

static int clear(void **state)
{
    struct house *house = *state;
    char command[100];
    ledger_close(&house->ledger);
    snprintf(command, sizeof command, "rm -rf %s", house->folder);
    return system(command);
}

/* Customer c has the purposes p0 … of the last three sets that named her; the oldest goes. */
static void write_set(struct house *house)
{
    struct ledger_writes *writes = ledger_writes_new(house->ledger);
    int64_t customer = (int64_t)(house->seq % CUSTOMERS);
    int64_t round = (int64_t)(house->seq / CUSTOMERS);
    char purpose[40], old[40];
    snprintf(purpose, sizeof purpose, "p%lld", (long long)round);
    snprintf(old, sizeof old, "p%lld", (long long)round - 3);
    const struct ledger_value key[] = { ledger_int(customer), ledger_text(str_from_c(old)) };
    house->seq++;
    LEDGER_PUT(writes, LEDGER_CONSENTS, ledger_int(customer), ledger_text(str_from_c(purpose)),
               ledger_text(STR("granted")), ledger_int((int64_t)house->seq), ledger_int(2),
               ledger_int(3), ledger_text(STR("")));
    ledger_delete(writes, LEDGER_CONSENTS, key);
    assert_ok(ledger_apply(house->ledger, &writes, house->seq, NULL, NULL));
}

static void *write_on(void *context)
{
    struct house *house = context;
    while (!atomic_load(&house->stop)) {
        write_set(house);
        if (house->seq % 50 == 0)
            steady_sleep_ms(1);
    }
    return NULL;
}

static bool count_row(void *context, const struct ledger_value *values)
{
    (void)values;
    ++*(size_t *)context;
    return true;
}

static size_t rows_of(struct house *house)
{
    struct problem problem;
    size_t rows = 0;
    assert_ok(ledger_scan(house->ledger, LEDGER_CONSENTS, NULL, count_row, &rows, &problem));
    return rows;
}

/* Whatever is committed is a state between two sets: nobody has more than three or, once she has them, fewer. */
static void *read_on(void *context)
{
    struct house *house = context;
    while (!atomic_load(&house->stop)) {
        size_t rows = rows_of(house);
        if (rows < (size_t)3 * CUSTOMERS || rows > (size_t)4 * CUSTOMERS)
            atomic_store(&house->wrong, true);
    }
    return NULL;
}

static struct digest digest_of(struct house *house)
{
    struct digest digest = { .count = 0 };
    struct problem problem;
    assert_ok(ledger_drain(house->ledger));
    assert_ok(ledger_digest(house->ledger, &digest, &problem));
    return digest;
}

static void assert_same(struct digest one, struct digest other)
{
    assert_int_equal(one.count, other.count);
    assert_true(one.low == other.low && one.high == other.high);
}

/* The same sets in a ledger that was never moved. */
static struct digest digest_without_move(const struct house *house)
{
    static struct house still;
    still = (struct house){ .seq = 0 };
    snprintf(still.file, sizeof still.file, "%s/still.db", house->folder);
    const struct ledger_config config = { .path = still.file, .readers = 1 };
    assert_ok(ledger_open(&still.ledger, &config, &still.problem));
    while (still.seq < house->seq)
        write_set(&still);
    struct digest digest = digest_of(&still);
    ledger_close(&still.ledger);
    return digest;
}

static void move(struct house *house, const char *path, uint64_t epoch)
{
    static const _Atomic bool never = false;
    const struct ledger_config to = { .path = path, .readers = 2, .epoch = epoch };
    if (ledger_move(house->ledger, &to, &never, &house->problem) != ERR_OK)
        fail_msg("%s", house->problem.detail);
}

static void nothing_is_lost_under_load(void **state)
{
    struct house *house = *state;
    char back[300];
    pthread_t writer, reader;
    snprintf(back, sizeof back, "%s/back.db", house->folder);
    for (int i = 0; i < 3 * CUSTOMERS; i++)
        write_set(house);
    assert_ok(ledger_drain(house->ledger));
    assert_int_equal(pthread_create(&writer, NULL, write_on, house), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_on, house), 0);
    move(house, house->server, 3);
    steady_sleep_ms(50); /* some on the server alone */
    move(house, back, 0);
    steady_sleep_ms(50);
    atomic_store(&house->stop, true);
    pthread_join(writer, NULL);
    pthread_join(reader, NULL);
    assert_false(atomic_load(&house->wrong));
    assert_true(house->seq > 3 * CUSTOMERS);
    assert_same(digest_of(house), digest_without_move(house));
    assert_int_equal(ledger_applied_seq(house->ledger), house->seq);
    /* it is in the file, and nowhere else */
    ledger_close(&house->ledger);
    assert_ok(
        ledger_open(&house->ledger, &(struct ledger_config){ .path = back }, &house->problem));
    assert_int_equal(ledger_applied_seq(house->ledger), house->seq);
}

/* What another left there goes: rows that we do not have are not there afterwards. */
static void what_is_there_is_replaced(void **state)
{
    struct house *house = *state;
    const struct ledger_config there = { .path = house->server, .epoch = 1 };
    struct ledger *file = house->ledger;
    assert_ok(ledger_open(&house->ledger, &there, &house->problem));
    for (int i = 0; i < 300; i++)
        write_set(house);
    assert_ok(ledger_drain(house->ledger));
    ledger_close(&house->ledger);
    house->ledger = file;
    house->seq = 0;
    for (int i = 0; i < 200; i++)
        write_set(house);
    move(house, house->server, 2);
    assert_int_equal(rows_of(house), 200);
    ledger_close(&house->ledger);
    assert_ok(ledger_open(&house->ledger,
                          &(struct ledger_config){ .path = house->server, .epoch = 2 },
                          &house->problem));
    assert_int_equal(rows_of(house), 200);
    assert_int_equal(ledger_applied_seq(house->ledger), 200);
}

/* A newer lease is there: ours changes nothing, and goes on where it was. */
static void an_older_epoch_moves_nothing(void **state)
{
    struct house *house = *state;
    static const _Atomic bool never = false, at_once = true;
    struct ledger *newer = NULL;
    for (int i = 0; i < 100; i++)
        write_set(house);
    assert_ok(ledger_open(&newer, &(struct ledger_config){ .path = house->server, .epoch = 9 },
                          &house->problem));
    ledger_close(&newer);
    const struct ledger_config to = { .path = house->server, .epoch = 8 };
    assert_err(ledger_move(house->ledger, &to, &never, &house->problem), ERR_LOCKED);
    /* nor is anything cut while the old rows may still lie there */
    assert_err(ledger_scrub(house->ledger, &house->problem), ERR_BUSY);
    const struct ledger_config late = { .path = house->server, .epoch = 10 };
    assert_err(ledger_move(house->ledger, &late, &at_once, &house->problem), ERR_UNAVAILABLE);
    write_set(house);
    assert_ok(ledger_drain(house->ledger));
    assert_int_equal(rows_of(house), 101);
    move(house, house->server, 10);
    assert_int_equal(rows_of(house), 101);
    assert_ok(ledger_scrub(house->ledger, &house->problem));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_lost_under_load),
        TEST(what_is_there_is_replaced),
        TEST(an_older_epoch_moves_nothing),
    };
    if (postgres_is_installed())
        return cmocka_run_group_tests(tests, NULL, NULL);
    print_message("skipped: PostgreSQL is not installed\n");
    return 0;
}
