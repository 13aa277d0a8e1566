/* SPDX-License-Identifier: Apache-2.0 */
/* Batches flow into the warehouse while its child, or one of two shards of a cluster, is killed at random moments and
 * answers get lost: at the end every row is there exactly once, because an unknown result is asked about before anything
 * is inserted (W2).
 *
 * KITH_ROUNDS kills (default 25), KITH_SEED. The same run without asking must lose its exactness: the
 * test can fail. */
#include "support/cmocka.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/events.h"
#include "support/cluster_house.h"

#define BATCH_ROWS 5000
/* An insert of a batch takes some tens of milliseconds; kills fall before, into and after it. */
#define KILL_WITHIN_US 200000
/* One answer in so many is thrown away, as if the connection had broken after the insert. */
#define LOST_ONE_IN 4

struct run {
    struct warehouse_house house;
    uint64_t seed;
    int kills;
    bool ask; /* false: the deliberately broken flush */
    bool cluster;
    _Atomic bool inserting;
    _Atomic bool done;
    _Atomic int killed;
    struct random_stream random;
    int unknown, lost; /* inserts whose result was not known; of these by a lost answer */
};

static void *kill_children(void *context)
{
    struct run *run = context;
    struct random_stream random;
    random_seed(&random, run->seed);
    while (atomic_load(&run->killed) < run->kills && !atomic_load(&run->done)) {
        if (!atomic_load(&run->inserting)) {
            usleep(200);
            continue;
        }
        usleep((useconds_t)random_below(&random, KILL_WITHIN_US));
        int pid = warehouse_child_pid(run->house.warehouse);
        if (pid > 0 && kill(pid, SIGKILL) == 0)
            atomic_fetch_add(&run->killed, 1);
        while (warehouse_child_pid(run->house.warehouse) == pid && !atomic_load(&run->done))
            usleep(500);
        usleep((useconds_t)random_below(&random, 300000));
    }
    return NULL;
}

static void wait_ready(struct run *run)
{
    struct problem problem = { .error = ERR_OK };
    while (!warehouse_is_ready(run->house.warehouse)) {
        if (warehouse_wait(run->house.warehouse, 60000, &problem) != ERR_OK)
            fail_msg("%s", problem.detail);
    }
}

/* Shards die in turn; the other one goes on. */
static void *kill_shards(void *context)
{
    struct run *run = context;
    struct random_stream random;
    random_seed(&random, run->seed);
    while (atomic_load(&run->killed) < run->kills && !atomic_load(&run->done)) {
        if (!atomic_load(&run->inserting)) {
            usleep(200);
            continue;
        }
        usleep((useconds_t)random_below(&random, KILL_WITHIN_US));
        cluster_house_kill((int)random_below(&random, CLUSTER_SHARDS));
        usleep((useconds_t)random_below(&random, 300000));
        cluster_house_again();
        atomic_fetch_add(&run->killed, 1);
        usleep((useconds_t)random_below(&random, 1000000));
    }
    return NULL;
}

/* What is there of the batch, when nothing of it can come any more; asked again while children die. */
static void ask_present(struct run *run, uint64_t batch, uint32_t again, uint64_t first,
                        uint64_t last, bool *present)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer seqs;
    buffer_init(&seqs, (size_t)1 << 24);
    memset(present, 0, BATCH_ROWS);
    for (;;) {
        wait_ready(run);
        buffer_clear(&seqs);
        if (warehouse_stop_batch(run->house.warehouse, batch, again, &problem) == ERR_OK &&
            warehouse_present_seqs(run->house.warehouse, first, last, &seqs, &problem) == ERR_OK)
            break;
    }
    for (size_t i = 0; i < seqs.size / 8; i++) {
        uint64_t seq;
        memcpy(&seq, seqs.data + i * 8, 8);
        present[seq - first] = true;
    }
    buffer_deinit(&seqs);
}

static void flush_batch(struct run *run, uint64_t batch)
{
    static bool present[BATCH_ROWS];
    uint64_t first = batch * BATCH_ROWS + 1, last = first + BATCH_ROWS - 1;
    struct problem problem = { .error = ERR_OK };
    struct buffer rows;
    memset(present, 0, sizeof(present));
    buffer_init(&rows, (size_t)1 << 28);
    for (uint32_t again = 0;; again++) {
        buffer_clear(&rows);
        for (uint64_t seq = first; seq <= last; seq++) {
            if (!present[seq - first])
                warehouse_house_row(&rows, seq, batch);
        }
        if (rows.size == 0)
            break;
        wait_ready(run);
        atomic_store(&run->inserting, true);
        err error = warehouse_insert_events(run->house.warehouse, batch, again, buffer_str(&rows),
                                            &problem);
        atomic_store(&run->inserting, false);
        bool lost = error == ERR_OK && random_below(&run->random, LOST_ONE_IN) == 0;
        if (error == ERR_OK && !lost)
            break;
        run->unknown++;
        run->lost += lost;
        if (run->ask)
            ask_present(run, batch, again, first, last, present);
    }
    buffer_deinit(&rows);
}

static uint64_t present_rows(struct run *run, uint64_t *distinct)
{
    *distinct = warehouse_house_number(&run->house, "SELECT uniqExact(seq) FROM events");
    return warehouse_house_number(&run->house, "SELECT count() FROM events");
}

static uint64_t flush_under_fire(struct run *run, uint64_t *rows, uint64_t *distinct)
{
    pthread_t killer;
    uint64_t batch = 0;
    random_seed(&run->random, ~run->seed);
    if (run->cluster) {
        cluster_house_start(&run->house);
    } else {
        warehouse_house_make(&run->house);
        warehouse_house_open(&run->house);
    }
    assert_int_equal(pthread_create(&killer, NULL, run->cluster ? kill_shards : kill_children, run),
                     0);
    while (atomic_load(&run->killed) < run->kills || run->lost == 0)
        flush_batch(run, batch++);
    atomic_store(&run->done, true);
    pthread_join(killer, NULL);
    wait_ready(run);
    *rows = present_rows(run, distinct);
    if (run->cluster)
        cluster_house_remove(&run->house);
    else
        warehouse_house_remove(&run->house);
    return batch * BATCH_ROWS;
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("KITH_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 20261121;
}

static int rounds(int usual)
{
    const char *text = getenv("KITH_ROUNDS");
    return text != NULL ? (int)strtol(text, NULL, 10) : usual;
}

static void every_row_is_there_once(void **state)
{
    (void)state;
    struct run run = { .seed = seed_of_run(), .kills = rounds(25), .ask = true };
    uint64_t rows = 0, distinct = 0;
    uint64_t expected = flush_under_fire(&run, &rows, &distinct);
    print_message(
        "seed %llu: %d kills, %d inserts of unknown result (%d lost answers), %llu rows\n",
        (unsigned long long)run.seed, run.kills, run.unknown, run.lost,
        (unsigned long long)expected);
    assert_int_equal(distinct, expected);
    assert_int_equal(rows, expected);
    assert_true(run.lost > 0 && run.unknown > run.lost);
}

/* Without asking, some batch is there twice: what the test above would see. */
static void not_asking_is_noticed(void **state)
{
    (void)state;
    struct run run = { .seed = seed_of_run(), .kills = 4, .ask = false };
    uint64_t rows = 0, distinct = 0;
    uint64_t expected = flush_under_fire(&run, &rows, &distinct);
    assert_true(run.lost > 0);
    assert_int_equal(distinct, expected);
    assert_true(rows > expected);
}

static void every_row_is_there_once_on_shards(void **state)
{
    (void)state;
    struct run run = { .seed = seed_of_run(), .kills = rounds(4), .ask = true, .cluster = true };
    uint64_t rows = 0, distinct = 0;
    uint64_t expected = flush_under_fire(&run, &rows, &distinct);
    print_message(
        "seed %llu: %d shards killed, %d inserts of unknown result (%d lost answers), %llu rows\n",
        (unsigned long long)run.seed, run.kills, run.unknown, run.lost,
        (unsigned long long)expected);
    assert_int_equal(distinct, expected);
    assert_int_equal(rows, expected);
    assert_true(run.lost > 0 && run.unknown > run.lost);
}

static void not_asking_is_noticed_on_shards(void **state)
{
    (void)state;
    struct run run = { .seed = seed_of_run(), .kills = 1, .ask = false, .cluster = true };
    uint64_t rows = 0, distinct = 0;
    uint64_t expected = flush_under_fire(&run, &rows, &distinct);
    assert_true(run.lost > 0);
    assert_int_equal(distinct, expected);
    assert_true(rows > expected);
}

int main(int argc, char **argv)
{
    if (warehouse_house_child(argc, argv))
        return 0;
    const struct CMUnitTest embedded[] = {
        cmocka_unit_test(every_row_is_there_once),
        cmocka_unit_test(not_asking_is_noticed),
    };
    const struct CMUnitTest cluster[] = {
        cmocka_unit_test(every_row_is_there_once_on_shards),
        cmocka_unit_test(not_asking_is_noticed_on_shards),
    };
    const char *missing = warehouse_house_missing(), *no_cluster = cluster_house_missing();
    int failed = 0;
    if (missing != NULL)
        print_message("skipped: %s\n", missing);
    else
        failed += cmocka_run_group_tests(embedded, NULL, NULL);
    if (no_cluster != NULL)
        print_message("skipped: %s\n", no_cluster);
    else
        failed += cmocka_run_group_tests(cluster, NULL, NULL);
    return failed;
}
