/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger on a bad disk and under kill -9: whatever happens, it is the state at its applied_seq.
 *
 * Random sets of puts and deletes go in; a model in memory is what they make. Then the power fails, a
 * call fails, the disk is full, the process dies; after opening again the ledger must equal the
 * model at its applied_seq, which is not below what it had called synced (G1, G5), and whatever was
 * committed is there when nothing but the process died.
 *
 * KITH_ROUNDS power losses (default 400), KITH_SEED. */
#include "support/cmocka.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fault.h"
#include "base/logline.h"
#include "store/ledger.h"
#include "support/vfs_fault.h"

#define VFS_NAME "ledger-disk"
#define LEDGER_NAME "ledger.db"

/* ---- the model ---- */

/* A key of a table is a small number; a version says what its row holds (0: there is none). */
enum model_table { MODEL_TRAITS, MODEL_CONSENTS, MODEL_HASHES, MODEL_MERGES, MODEL_TABLES };
#define MODEL_KEYS 60

struct model {
    uint64_t versions[MODEL_TABLES][MODEL_KEYS];
};

static const enum ledger_table LEDGER_OF[MODEL_TABLES] = { LEDGER_TRAITS, LEDGER_CONSENTS,
                                                           LEDGER_IDENTIFIER_HASHES,
                                                           LEDGER_MERGES };

struct row {
    char bytes[4096];
    char purpose[8];
    char hash[16];
    struct ledger_value values[LEDGER_COLUMNS_MAX];
};

static void make_key(struct row *row, enum model_table table, uint64_t key)
{
    uint64_t hash = hash_mix64(key + 1);
    switch (table) {
    case MODEL_TRAITS:
    case MODEL_MERGES:
        row->values[0] = ledger_int((int64_t)key + 1);
        break;
    case MODEL_CONSENTS:
        snprintf(row->purpose, sizeof(row->purpose), "p%llu", (unsigned long long)(key % 3));
        row->values[0] = ledger_int((int64_t)(key / 3));
        row->values[1] = ledger_text(str_from_c(row->purpose));
        break;
    case MODEL_HASHES:
        memcpy(row->hash, &hash, 8);
        memcpy(row->hash + 8, &key, 8);
        row->values[0] = ledger_blob(str_from_bytes(row->hash, sizeof(row->hash)));
        break;
    case MODEL_TABLES:
        break;
    }
}

static void make_row(struct row *row, enum model_table table, uint64_t key, uint64_t version)
{
    uint64_t dice = hash_mix64(version * 4 + table);
    int64_t number = (int64_t)version;
    memset(row->bytes, (int)(dice & 0x7f), sizeof(row->bytes));
    make_key(row, table, key);
    struct ledger_value *values = row->values;
    struct ledger_value blob = ledger_blob((str){ row->bytes, dice % sizeof(row->bytes) });
    struct ledger_value text = ledger_text((str){ row->bytes, dice % 50 });
    switch (table) {
    case MODEL_TRAITS:
        values[1] = blob;
        break;
    case MODEL_CONSENTS:
        values[2] = text;
        for (int i = 3; i < 6; i++)
            values[i] = ledger_int(number + i);
        values[6] = text;
        break;
    case MODEL_HASHES:
        values[1] = ledger_int(number);
        values[2] = dice % 3 == 0 ? ledger_null() : text;
        values[2].kind = dice % 3 == 0 ? LEDGER_NULL : LEDGER_BLOB;
        values[3] = ledger_null();
        break;
    case MODEL_MERGES:
        for (int i = 1; i < ledger_table_columns(LEDGER_MERGES); i++)
            values[i] = ledger_int(number * i);
        values[10] = text;
        break;
    case MODEL_TABLES:
        break;
    }
}

/* Set number `seq` of the run: into the model, and into `writes` when there is one. */
static void make_set(uint64_t seed, uint64_t seq, struct model *model, struct ledger_writes *writes)
{
    static struct row row;
    struct random_stream random;
    random_seed(&random, seed * 1000003 + seq);
    uint64_t count = 1 + random_below(&random, 25);
    for (uint64_t i = 0; i < count; i++) {
        enum model_table table = (enum model_table)random_below(&random, MODEL_TABLES);
        uint64_t key = random_below(&random, MODEL_KEYS);
        bool delete = random_below(&random, 5) == 0;
        uint64_t version = delete ? 0 : seq * 64 + i + 1;
        model->versions[table][key] = version;
        if (writes == NULL)
            continue;
        if (delete) {
            make_key(&row, table, key);
            ledger_delete(writes, LEDGER_OF[table], row.values);
        } else {
            make_row(&row, table, key, version);
            ledger_put(writes, LEDGER_OF[table], row.values);
        }
    }
}

static void model_at(struct model *model, uint64_t seed, uint64_t seq)
{
    memset(model, 0, sizeof(*model));
    for (uint64_t i = 1; i <= seq; i++)
        make_set(seed, i, model, NULL);
}

struct comparison {
    const struct model *model;
    enum model_table table;
    uint64_t rows;
    bool differs;
};

static bool same_value(const struct ledger_value *a, const struct ledger_value *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == LEDGER_NULL)
        return true;
    return a->kind == LEDGER_INT ? a->integer == b->integer : str_equal(a->bytes, b->bytes);
}

/* Which key a row has is found by trying them all. */
static bool compare_row(void *context, const struct ledger_value *values)
{
    struct comparison *comparison = context;
    enum ledger_table table = LEDGER_OF[comparison->table];
    static struct row row;
    for (uint64_t key = 0; key < MODEL_KEYS; key++) {
        bool same = true;
        make_key(&row, comparison->table, key);
        for (int i = 0; i < ledger_table_keys(table); i++)
            same = same && same_value(&row.values[i], &values[i]);
        if (!same)
            continue;
        uint64_t version = comparison->model->versions[comparison->table][key];
        make_row(&row, comparison->table, key, version);
        for (int i = 0; i < ledger_table_columns(table); i++)
            same = same && same_value(&row.values[i], &values[i]);
        comparison->differs = version == 0 || !same;
        comparison->rows++;
        return !comparison->differs;
    }
    comparison->differs = true;
    return false;
}

static bool equals_model(struct ledger *ledger, const struct model *model)
{
    for (int t = 0; t < MODEL_TABLES; t++) {
        struct problem problem = { .error = ERR_OK };
        struct comparison comparison = { .model = model, .table = (enum model_table)t };
        uint64_t rows = 0;
        for (int key = 0; key < MODEL_KEYS; key++)
            rows += model->versions[t][key] != 0;
        if (ledger_scan(ledger, LEDGER_OF[t], NULL, compare_row, &comparison, &problem) != ERR_OK) {
            print_error("%s\n", problem.detail);
            return false;
        }
        if (comparison.differs || comparison.rows != rows)
            return false;
    }
    return true;
}

/* ---- runs ---- */

static struct ledger *open_on(const char *path, const char *vfs, struct problem *problem)
{
    struct ledger_config config = {
        .path = path, .vfs = vfs, .readers = 1, .checkpoint_pages = 40
    };
    struct ledger *ledger = NULL;
    if (ledger_open(&ledger, &config, problem) != ERR_OK)
        return NULL;
    return ledger;
}

static uint64_t apply_sets(struct ledger *ledger, uint64_t seed, uint64_t first, uint64_t last)
{
    static struct model ignored;
    for (uint64_t seq = first; seq <= last; seq++) {
        struct ledger_writes *writes = ledger_writes_new(ledger);
        assert_non_null(writes);
        make_set(seed, seq, &ignored, writes);
        assert_ok(ledger_apply(ledger, &writes, seq, NULL, NULL));
    }
    return last;
}

/* Open after a misfortune and compare; the ledger is closed again. */
static uint64_t check_after(const char *path, const char *vfs, uint64_t seed, uint64_t at_least)
{
    static struct model model;
    struct problem problem = { .error = ERR_OK };
    struct ledger *ledger = open_on(path, vfs, &problem);
    if (ledger == NULL)
        fail_msg("seed %llu: cannot be opened: %s", (unsigned long long)seed, problem.detail);
    uint64_t seq = ledger_applied_seq(ledger);
    if (seq < at_least)
        fail_msg("seed %llu: applied_seq is %llu, was %llu", (unsigned long long)seed,
                 (unsigned long long)seq, (unsigned long long)at_least);
    model_at(&model, seed, seq);
    if (!equals_model(ledger, &model))
        fail_msg("seed %llu: the ledger is not the state at %llu", (unsigned long long)seed,
                 (unsigned long long)seq);
    ledger_close(&ledger);
    return seq;
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("KITH_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 20261121;
}

static uint64_t rounds(uint64_t usual)
{
    const char *text = getenv("KITH_ROUNDS");
    return text != NULL ? strtoull(text, NULL, 10) : usual;
}

/* ---- power ---- */

/* How many changing calls a quiet run makes: power goes off anywhere within. */
static uint64_t calls_of_a_run(struct vfs_fault *disk, uint64_t seed, uint64_t sets)
{
    struct problem problem = { .error = ERR_OK };
    vfs_fault_reset(disk, seed);
    struct ledger *ledger = open_on(LEDGER_NAME, VFS_NAME, &problem);
    assert_non_null(ledger);
    apply_sets(ledger, seed, 1, sets);
    assert_ok(ledger_drain(ledger));
    ledger_close(&ledger);
    return vfs_fault_calls(disk);
}

static void power_fails(void **state)
{
    struct vfs_fault *disk = *state;
    uint64_t calls = calls_of_a_run(disk, 1, 60), came_back = 0, checkpoints = 0;
    for (uint64_t round = 0; round < rounds(400); round++) {
        uint64_t seed = seed_of_run() + round;
        struct problem problem = { .error = ERR_OK };
        struct random_stream random;
        random_seed(&random, seed);
        vfs_fault_reset(disk, seed);
        vfs_fault_power_off_at(disk, 1 + random_below(&random, calls));
        uint64_t synced = 0, committed = 0;
        struct ledger *ledger = open_on(LEDGER_NAME, VFS_NAME, &problem);
        if (ledger != NULL) {
            for (uint64_t seq = 1; seq <= 60 && !ledger_is_failing(ledger, NULL); seq += 3) {
                apply_sets(ledger, seed, seq, seq + 2);
                while (!ledger_is_failing(ledger, NULL) && ledger_applied_seq(ledger) < seq)
                    usleep(50);
            }
            committed = ledger_applied_seq(ledger);
            synced = ledger_synced_seq(ledger);
            ledger_close(&ledger);
        }
        enum vfs_loss loss = (enum vfs_loss)random_below(&random, 3);
        vfs_fault_restart(disk, loss);
        uint64_t seq =
            check_after(LEDGER_NAME, VFS_NAME, seed, loss == VFS_LOSS_NONE ? committed : synced);
        came_back += seq;
        checkpoints += synced > 0;
    }
    /* The rounds meet a ledger with something in it, and with syncs behind it. */
    assert_true(came_back > 0 && checkpoints > 0);
}

/* ---- calls that fail ---- */

/* The n-th call fails, once. What the ledger does not lose is all that was handed in, but for a
 * failed sync: then it stops, and says so. */
static void a_call_fails(void **state)
{
    struct vfs_fault *disk = *state;
    static const unsigned KINDS[] = {
        VFS_WRITE, VFS_SYNC, VFS_READ, VFS_OPEN | VFS_DELETE | VFS_TRUNCATE | VFS_SIZE | VFS_ACCESS
    };
    int stopped = 0, retried = 0, refused = 0;
    for (size_t kind = 0; kind < sizeof(KINDS) / sizeof(KINDS[0]); kind++) {
        bool fired = true;
        for (uint64_t n = 1; fired; n += n < 40 ? 1 : 7) {
            uint64_t seed = seed_of_run() + n;
            struct problem problem = { .error = ERR_OK };
            vfs_fault_reset(disk, seed);
            vfs_fault_fail(disk, KINDS[kind], n, 0, false);
            uint64_t committed = 0;
            struct ledger *ledger = open_on(LEDGER_NAME, VFS_NAME, &problem);
            if (ledger != NULL) {
                apply_sets(ledger, seed, 1, 20);
                err drained = ledger_drain(ledger);
                if (drained == ERR_OK) {
                    apply_sets(ledger, seed, 21, 40);
                    drained = ledger_drain(ledger);
                }
                committed = ledger_applied_seq(ledger);
                bool dead = ledger_is_failing(ledger, &problem) && problem.error == ERR_SYNC;
                assert_true(drained == ERR_OK ? committed == 40 : drained == ERR_SYNC && dead);
                stopped += dead;
                retried += !dead && vfs_fault_has_fired(disk);
                ledger_close(&ledger);
            } else {
                assert_true(problem.detail[0] != '\0');
                refused++;
            }
            fired = vfs_fault_has_fired(disk);
            vfs_fault_disarm(disk);
            vfs_fault_restart(disk, VFS_LOSS_NONE);
            check_after(LEDGER_NAME, VFS_NAME, seed, committed);
        }
    }
    print_message("%d stopped by a failed sync, %d went on, %d did not open\n", stopped, retried,
                  refused);
    assert_true(stopped > 0 && retried > 0 && refused > 0);
}

/* ---- a full disk ---- */

static void a_full_disk_gets_room_again(void **state)
{
    struct vfs_fault *disk = *state;
    uint64_t seed = seed_of_run();
    struct problem problem = { .error = ERR_OK };
    vfs_fault_reset(disk, seed);
    struct ledger *ledger = open_on(LEDGER_NAME, VFS_NAME, &problem);
    assert_non_null(ledger);
    apply_sets(ledger, seed, 1, 10);
    assert_ok(ledger_drain(ledger));
    vfs_fault_set_capacity(disk, vfs_fault_used(disk) + 30000);
    uint64_t seq = 10;
    /* A checkpoint may be what fails first; go on until a commit does. */
    while (!ledger_is_failing(ledger, &problem) || ledger_pending_bytes(ledger) == 0) {
        apply_sets(ledger, seed, seq + 1, seq + 1);
        seq++;
        assert_true(seq < 10000);
        usleep(2000);
    }
    assert_err(problem.error, ERR_STORAGE_FULL);
    assert_true(problem.hint[0] != '\0');
    /* Reading goes on, and shows the last commit. */
    static struct model model;
    uint64_t applied = ledger_applied_seq(ledger);
    model_at(&model, seed, applied);
    assert_true(equals_model(ledger, &model));

    vfs_fault_set_capacity(disk, 0);
    steady_ns start = steady_now();
    assert_ok(ledger_drain(ledger));
    assert_true(steady_since_ms(start) < 5000);
    assert_false(ledger_is_failing(ledger, NULL));
    assert_int_equal(ledger_applied_seq(ledger), seq);
    model_at(&model, seed, seq);
    assert_true(equals_model(ledger, &model));
    ledger_close(&ledger);
}

/* A disk that stays full does not keep the process from ending; the log has the rest. */
static void closing_on_a_full_disk(void **state)
{
    struct vfs_fault *disk = *state;
    uint64_t seed = seed_of_run() + 1;
    struct problem problem = { .error = ERR_OK };
    vfs_fault_reset(disk, seed);
    struct ledger *ledger = open_on(LEDGER_NAME, VFS_NAME, &problem);
    assert_non_null(ledger);
    apply_sets(ledger, seed, 1, 10);
    assert_ok(ledger_drain(ledger));
    vfs_fault_set_capacity(disk, vfs_fault_used(disk) + 5000);
    apply_sets(ledger, seed, 11, 200);
    while (!ledger_is_failing(ledger, NULL))
        usleep(1000);
    uint64_t committed = ledger_applied_seq(ledger);
    steady_ns start = steady_now();
    ledger_close(&ledger);
    assert_true(steady_since_ms(start) < 3000);
    vfs_fault_set_capacity(disk, 0);
    vfs_fault_restart(disk, VFS_LOSS_NONE);
    check_after(LEDGER_NAME, VFS_NAME, seed, committed);
}

/* ---- bits that flip ---- */

/* What the ledger says after one bit of its file has flipped: an error, or what was put in. */
static bool is_noticed(uint64_t seed, const struct model *model)
{
    struct problem problem = { .error = ERR_OK };
    struct ledger *ledger = open_on(LEDGER_NAME, VFS_NAME, &problem);
    if (ledger == NULL)
        return true;
    bool noticed = ledger_check(ledger, &problem) != ERR_OK;
    if (!noticed && (ledger_applied_seq(ledger) != 200 || !equals_model(ledger, model)))
        fail_msg("seed %llu: a flipped bit became data", (unsigned long long)seed);
    ledger_close(&ledger);
    return noticed;
}

static void a_bit_flips(void **state)
{
    struct vfs_fault *disk = *state;
    static struct model model;
    uint64_t seed = seed_of_run(), unnoticed = 0, flips = rounds(400);
    struct problem problem = { .error = ERR_OK };
    vfs_fault_reset(disk, seed);
    struct ledger *ledger = open_on(LEDGER_NAME, VFS_NAME, &problem);
    assert_non_null(ledger);
    apply_sets(ledger, seed, 1, 200);
    ledger_close(&ledger);
    model_at(&model, seed, 200);
    struct vfs_image *image = vfs_fault_save(disk);
    struct random_stream random;
    random_seed(&random, seed);
    uint64_t bits = (uint64_t)vfs_fault_file_bytes(disk, LEDGER_NAME) * 8;
    assert_false(is_noticed(seed, &model));
    for (uint64_t i = 0; i < flips; i++) {
        vfs_fault_load(disk, image);
        vfs_fault_flip_bit(disk, LEDGER_NAME, random_below(&random, bits));
        /* Pages that were freed hold nothing that anybody reads. */
        unnoticed += !is_noticed(seed, &model);
    }
    print_message("%llu flips, %llu of them in pages that nobody reads\n",
                  (unsigned long long)flips, (unsigned long long)unnoticed);
    assert_true(unnoticed < flips / 4);
    vfs_image_free(&image);
}

/* ---- memory ---- */

static void an_allocation_fails(void **state)
{
    struct vfs_fault *disk = *state;
    bool fired = true;
    int refused = 0;
    for (uint64_t n = 1; fired; n++) {
        struct problem problem = { .error = ERR_OK };
        uint64_t seed = seed_of_run() + n, committed = 0;
        vfs_fault_reset(disk, seed);
        fault_arm(FAULT_MEMORY, n, FAULT_FAIL, false);
        struct ledger *ledger = open_on(LEDGER_NAME, VFS_NAME, &problem);
        if (ledger != NULL) {
            struct ledger_writes *writes = ledger_writes_new(ledger);
            static struct model ignored;
            if (writes != NULL) {
                make_set(seed, 1, &ignored, writes);
                err error = ledger_apply(ledger, &writes, 1, NULL, NULL);
                assert_true(error == ERR_OK || error == ERR_NOMEM);
                assert_true((error == ERR_OK) == (writes == NULL));
                ledger_writes_free(&writes);
            }
            assert_ok(ledger_drain(ledger));
            committed = ledger_applied_seq(ledger);
            ledger_close(&ledger);
        } else {
            assert_err(problem.error, ERR_NOMEM);
            refused++;
        }
        fired = fault_count(FAULT_MEMORY) >= n;
        fault_disarm();
        vfs_fault_restart(disk, VFS_LOSS_NONE);
        check_after(LEDGER_NAME, VFS_NAME, seed, committed);
    }
    assert_true(refused > 0);
}

/* ---- kill -9 ---- */

/* The child tells by a pipe what was committed. */
static void tell(void *context, uint64_t seq)
{
    ssize_t written = write(*(int *)context, &seq, sizeof(seq));
    (void)written;
}

static _Noreturn void work_until_killed(const char *path, uint64_t seed, int pipe_fd,
                                        enum fault_point point, uint64_t nth)
{
    static struct model ignored;
    struct problem problem = { .error = ERR_OK };
    struct ledger *ledger = open_on(path, NULL, &problem);
    if (ledger == NULL)
        _exit(3);
    if (nth > 0)
        fault_arm(point, nth, FAULT_KILL, false);
    for (uint64_t seq = ledger_applied_seq(ledger) + 1;; seq++) {
        struct ledger_writes *writes = ledger_writes_new(ledger);
        make_set(seed, seq, &ignored, writes);
        if (ledger_apply(ledger, &writes, seq, tell, &pipe_fd) != ERR_OK)
            _exit(4);
        while (ledger_pending_bytes(ledger) > 200000)
            usleep(100);
    }
}

static void remove_files(const char *path)
{
    static const char *const ENDS[] = { "", "-wal", "-shm" };
    for (int i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof(name), "%s%s", path, ENDS[i]);
        unlink(name);
    }
}

static void the_process_is_killed(void **state)
{
    (void)state;
    char path[96];
    struct random_stream random;
    uint64_t seed = seed_of_run(), told = 0;
    random_seed(&random, seed);
    snprintf(path, sizeof(path), "/tmp/kith_ledger_kill_%d.db", (int)getpid());
    remove_files(path);
    for (int round = 0; round < 40; round++) {
        int pipe_fds[2];
        assert_int_equal(pipe(pipe_fds), 0);
        bool at_point = round % 2 == 0;
        enum fault_point point =
            round % 4 == 0 ? FAULT_LEDGER_BEFORE_COMMIT : FAULT_LEDGER_AFTER_COMMIT;
        uint64_t nth = at_point ? 1 + random_below(&random, 20) : 0;
        pid_t pid = fork();
        if (pid == 0) {
            close(pipe_fds[0]);
            work_until_killed(path, seed, pipe_fds[1], point, nth);
        }
        close(pipe_fds[1]);
        if (!at_point) {
            usleep((useconds_t)random_below(&random, 60000));
            kill(pid, SIGKILL);
        }
        uint64_t seq;
        while (read(pipe_fds[0], &seq, sizeof(seq)) == (ssize_t)sizeof(seq))
            told = seq;
        close(pipe_fds[0]);
        int status;
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        check_after(path, NULL, seed, told);
    }
    assert_true(told > 100);
    remove_files(path);
}

/* ---- the test can fail ---- */

/* A ledger that is one row behind, or ahead, of its applied_seq is noticed. */
static void a_wrong_state_is_noticed(void **state)
{
    struct vfs_fault *disk = *state;
    static struct model model;
    uint64_t seed = seed_of_run();
    struct problem problem = { .error = ERR_OK };
    vfs_fault_reset(disk, seed);
    struct ledger *ledger = open_on(LEDGER_NAME, VFS_NAME, &problem);
    apply_sets(ledger, seed, 1, 50);
    assert_ok(ledger_drain(ledger));
    model_at(&model, seed, 50);
    assert_true(equals_model(ledger, &model));
    for (uint64_t seq = 40; seq < 60; seq++) {
        model_at(&model, seed, seq);
        assert_true(equals_model(ledger, &model) == (seq == 50));
    }
    ledger_close(&ledger);
}

static int make_disk(void **state)
{
    *state = vfs_fault_new(VFS_NAME, 1);
    return 0;
}

static int free_disk(void **state)
{
    struct vfs_fault *disk = *state;
    vfs_fault_free(&disk);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_disk, free_disk)

int main(void)
{
    log_set_level((enum log_level)(LOG_ERROR + 1)); /* thousands of failures are meant */
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_state_is_noticed),
        TEST(power_fails),
        TEST(a_call_fails),
        TEST(a_full_disk_gets_room_again),
        TEST(closing_on_a_full_disk),
        TEST(a_bit_flips),
        TEST(an_allocation_fails),
        cmocka_unit_test(the_process_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
