/* SPDX-License-Identifier: Apache-2.0 */
/* A process that appends to a log on a real disk is killed, again and again, at any moment and at
 * each labelled step of a commit (proofs D1 and D2, for the log alone).
 *
 * The child appends from two threads and tells through a pipe what was acknowledged; the parent
 * kills it, starts the next on the same file, and at the end compares the log with all it was told.
 *
 * KITH_LOG_KILLS: kills at random moments (default 60). KITH_SEED. */
#include "support/cmocka.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/digest.h"
#include "base/fault.h"
#include "log/log.h"
#include "support/log_witness.h"

#define APPENDERS 2
#define SLOTS 16
#define RECORDS 5
#define BODY_BYTES 300

/* What the child tells: this append has been acknowledged. */
struct told {
    uint64_t id, first_seq;
};

struct world {
    char folder[64], path[96];
    struct told *told;
    size_t told_count, told_capacity;
    uint64_t next_id; /* no child has used it */
};

static uint64_t number_of_environment(const char *name, uint64_t otherwise)
{
    uint64_t value;
    return str_to_uint64(str_from_c(getenv(name)), &value) ? value : otherwise;
}

/* ---- the child ---- */

struct slot {
    struct log_append append;
    struct buffer records;
    uint64_t id;
    _Atomic bool free;
};

static int pipe_out;
static _Atomic uint64_t next_id;

static void fill(struct slot *slot)
{
    char body[BODY_BYTES];
    buffer_clear(&slot->records);
    for (uint32_t i = 0; i < RECORDS; i++) {
        for (size_t j = 0; j < sizeof body; j++)
            body[j] = (char)hash_mix64(slot->id * RECORDS + i + j / 7);
        memcpy(body, &slot->id, sizeof slot->id);
        memcpy(body + 8, &i, sizeof i);
        log_record_write(&slot->records, LOG_RECORD_EVENT, str_from_bytes(body, sizeof body));
    }
}

static void on_durable(struct log_append *append, err error)
{
    struct slot *slot = append->context;
    struct told told = { .id = slot->id, .first_seq = append->first_seq };
    if (error == ERR_OK && write(pipe_out, &told, sizeof told) != sizeof told)
        _exit(3);
    atomic_store(&slot->free, true);
}

static void *appender_run(void *context)
{
    struct log *log = context;
    static _Thread_local struct slot slots[SLOTS];
    for (size_t i = 0; i < SLOTS; i++) {
        buffer_init(&slots[i].records, 1 << 20);
        atomic_store(&slots[i].free, true);
    }
    for (size_t i = 0;; i = (i + 1) % SLOTS) {
        struct slot *slot = &slots[i];
        if (!atomic_load(&slot->free))
            continue;
        slot->id = atomic_fetch_add(&next_id, 1);
        fill(slot);
        slot->append = (struct log_append){ .records = buffer_str(&slot->records),
                                            .count = RECORDS,
                                            .durable = on_durable,
                                            .context = slot };
        atomic_store(&slot->free, false);
        if (log_append(log, &slot->append) != ERR_OK)
            atomic_store(&slot->free, true);
    }
    return NULL;
}

static _Noreturn void child_run(const char *path, uint64_t first_id, enum fault_point point,
                                uint64_t nth)
{
    struct wall_clock clock;
    struct log *log = NULL;
    struct problem problem = { 0 };
    pthread_t threads[APPENDERS];
    wall_clock_init_real(&clock);
    struct log_config config = {
        .path = path, .clock = &clock, .checkpoint_bytes = 200000, .block_bytes_max = 20000
    };
    if (nth > 0)
        fault_arm(point, nth, FAULT_KILL, false);
    if (log_open(&log, &config, &problem) != ERR_OK) {
        fprintf(stderr, "%s\n", problem.detail);
        _exit(2);
    }
    atomic_store(&next_id, first_id);
    for (int i = 0; i < APPENDERS; i++)
        pthread_create(&threads[i], NULL, appender_run, log);
    for (;;)
        pause();
}

/* ---- the parent ---- */

static void tell(struct world *world, struct told told)
{
    if (world->told_count == world->told_capacity) {
        world->told_capacity = world->told_capacity * 2 + 1024;
        world->told = realloc(world->told, world->told_capacity * sizeof *world->told);
        assert_non_null(world->told);
    }
    world->told[world->told_count++] = told;
    if (told.id >= world->next_id)
        world->next_id = told.id + 1;
}

static void read_told(struct world *world, int from)
{
    struct told told;
    while (read(from, &told, sizeof told) == sizeof told) /* pipes keep writes this small whole */
        tell(world, told);
}

/* One child from birth to its violent end; kill_after_ms 0: the armed fault does it. */
static void one_life(struct world *world, int64_t kill_after_ms, enum fault_point point,
                     uint64_t nth)
{
    int ends[2], status = 0;
    /* Numbers that a child may have used without our hearing of it are left out. */
    uint64_t first_id = world->next_id + 1000000;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        pipe_out = ends[1];
        child_run(world->path, first_id, point, nth);
    }
    close(ends[1]);
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    if (kill_after_ms > 0) {
        steady_sleep_ms(kill_after_ms);
        kill(child, SIGKILL);
    }
    read_told(world, ends[0]);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the child ended by itself, status %d", status);
    world->next_id = first_id > world->next_id ? first_id : world->next_id;
}

static int compare_told(const void *a, const void *b)
{
    const struct told *left = a, *right = b;
    return left->first_seq < right->first_seq ? -1 : left->first_seq > right->first_seq;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void assert_each_once(uint64_t *ids, size_t count)
{
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < count; i++)
        if (ids[i] == ids[i - 1])
            fail_msg("append %" PRIu64 " is in the log twice", ids[i]);
}

/* Walk the log: every record belongs to a whole append; where one was acknowledged, it is that. */
static uint64_t check_log(struct world *world, struct log *log)
{
    size_t met = 0, appends = 0;
    uint64_t next = log_first_seq(log), id = 0;
    uint64_t *ids = malloc((log_last_seq(log) / RECORDS + 1) * sizeof *ids);
    assert_non_null(ids);
    uint32_t due = 0;
    qsort(world->told, world->told_count, sizeof *world->told, compare_told);
    while (next <= log_last_seq(log)) {
        struct log_block *block = NULL;
        struct problem problem = { 0 };
        struct log_record record;
        if (log_read(log, next, &block, &problem) != ERR_OK)
            fail_msg("%s", problem.detail);
        assert_int_equal(block->first_seq, next);
        struct log_cursor cursor = { .block = block };
        while (log_block_next(&cursor, &record)) {
            uint64_t its_id;
            uint32_t index;
            assert_int_equal(record.body.size, BODY_BYTES);
            memcpy(&its_id, record.body.data, sizeof its_id);
            memcpy(&index, record.body.data + 8, sizeof index);
            assert_int_equal(index, due);
            assert_true(due == 0 || its_id == id);
            id = its_id;
            if (due == 0)
                ids[appends++] = id;
            due = (due + 1) % RECORDS;
            if (met < world->told_count && world->told[met].first_seq == record.seq) {
                assert_int_equal(world->told[met].id, its_id);
                met++;
            }
        }
        next += block->count;
        log_block_release(&block);
    }
    assert_int_equal(due, 0);
    assert_each_once(ids, appends);
    free(ids);
    if (met != world->told_count)
        fail_msg("%zu of %zu acknowledged appends are where they were said to be", met,
                 world->told_count);
    return log_last_seq(log);
}

static void world_begin(struct world *world)
{
    *world = (struct world){ .next_id = 1 };
    snprintf(world->folder, sizeof world->folder, "/tmp/kith-log-kill-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/log.db", world->folder);
}

static void world_end(struct world *world)
{
    static const char *const names[] = { "log.db", "log.db-wal", "log.db-mark", "log.db-journal" };
    struct wall_clock clock;
    struct log *log = NULL;
    struct problem problem = { 0 };
    wall_clock_init_real(&clock);
    struct log_config config = { .path = world->path, .clock = &clock };
    if (log_open(&log, &config, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    assert_int_equal(log_lost_records(log), 0);
    uint64_t records = check_log(world, log);
    print_message("%zu acknowledged appends, %" PRIu64 " records\n", world->told_count, records);
    assert_true(world->told_count > 0);
    log_close(&log);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", world->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(world->folder);
    free(world->told);
}

/* Two processes, one log: the second is refused at once, whatever the first is doing (D13). */
static void test_second_process_is_locked_out(void **state)
{
    (void)state;
    struct world world;
    struct wall_clock clock;
    struct log *log = NULL;
    struct problem problem = { 0 };
    struct told told;
    int ends[2];
    world_begin(&world);
    wall_clock_init_real(&clock);
    struct log_config config = { .path = world.path, .clock = &clock };
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        pipe_out = ends[1];
        child_run(world.path, 1, FAULT_FILE_WRITE, 0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &told, sizeof told), sizeof told); /* it is at work */
    tell(&world, told);
    for (int i = 0; i < 20; i++) {
        steady_ns start = steady_now();
        assert_err(log_open(&log, &config, &problem), ERR_LOCKED);
        assert_true(steady_since_ms(start) < 1000);
    }
    kill(child, SIGKILL);
    read_told(&world, ends[0]);
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    world_end(&world);
}

static void test_killed_at_any_moment(void **state)
{
    (void)state;
    struct world world;
    struct random_stream random;
    random_seed(&random, number_of_environment("KITH_SEED", 1));
    world_begin(&world);
    for (uint64_t i = number_of_environment("KITH_LOG_KILLS", 60); i > 0; i--)
        one_life(&world, 1 + (int64_t)random_below(&random, 60), FAULT_FILE_WRITE, 0);
    world_end(&world);
}

#ifdef KITH_FAULTS
static void test_killed_at_each_step(void **state)
{
    (void)state;
    static const enum fault_point points[] = { FAULT_LOG_BEFORE_WRITE, FAULT_LOG_AFTER_WRITE,
                                               FAULT_LOG_AFTER_SYNC, FAULT_FILE_WRITE,
                                               FAULT_FILE_SYNC };
    struct world world;
    struct random_stream random;
    random_seed(&random, number_of_environment("KITH_SEED", 1));
    world_begin(&world);
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
            one_life(&world, 0, points[i], 1 + random_below(&random, 60));
    world_end(&world);
}
#endif

int main(void)
{
    witness_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_process_is_locked_out),
        cmocka_unit_test(test_killed_at_any_moment),
#ifdef KITH_FAULTS
        cmocka_unit_test(test_killed_at_each_step),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
