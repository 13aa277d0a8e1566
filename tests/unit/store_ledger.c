/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger, in a file and on a server: what is put can be found, paged, deleted, digested, and is there after opening
 * again. */
#include "support/cmocka.h"

#include <sched.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metric.h"
#include "store/ledger.h"
#include "store/page_check.h"
#include "support/postgres_server.h"

struct folder {
    char path[64];
    char ledger[256]; /* a file in it, or the address of a schema on a server */
    bool is_server;
};

static int make_folder(void **state)
{
    static struct folder folder;
    snprintf(folder.path, sizeof(folder.path), "/tmp/kith_ledger_XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    snprintf(folder.ledger, sizeof(folder.ledger), "%s/ledger.db", folder.path);
    *state = &folder;
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const ENDS[] = { "", "-wal", "-shm" };
    struct folder *folder = *state;
    for (int i = 0; i < 3; i++) {
        char path[300];
        snprintf(path, sizeof(path), "%s%s", folder->ledger, ENDS[i]);
        unlink(path);
    }
    rmdir(folder->path);
    return 0;
}

static int make_schema(void **state)
{
    static struct folder folder = { .is_server = true };
    postgres_new_schema(folder.ledger, sizeof(folder.ledger));
    *state = &folder;
    return 0;
}

static struct ledger *open_ledger(struct folder *folder)
{
    struct problem problem = { .error = ERR_OK };
    struct ledger_config config = { .path = folder->ledger, .readers = 2 };
    struct ledger *ledger = NULL;
    if (ledger_open(&ledger, &config, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    return ledger;
}

static void put_consent(struct ledger_writes *writes, int64_t customer, const char *purpose,
                        const char *status)
{
    LEDGER_PUT(writes, LEDGER_CONSENTS, ledger_int(customer), ledger_text(str_from_c(purpose)),
               ledger_text(str_from_c(status)), ledger_int(1), ledger_int(2), ledger_int(3),
               ledger_text(STR("")));
}

static void put_merge(struct ledger_writes *writes, int64_t id, int64_t survivor, int64_t absorbed)
{
    LEDGER_PUT(writes, LEDGER_MERGES, ledger_int(id), ledger_int(survivor), ledger_int(absorbed),
               ledger_int(survivor), ledger_int(absorbed), ledger_int(1), ledger_int(2),
               ledger_int(3), ledger_int(4), ledger_int(5), ledger_text(STR("手机号")),
               ledger_int(0), ledger_int(0), ledger_int(0), ledger_int(2));
}

/* What a read saw, as text: the first columns of each row. */
struct seen {
    int columns;
    int rows, rows_max;
    char text[512];
};

static bool note(void *context, const struct ledger_value *values)
{
    struct seen *seen = context;
    for (int i = 0; i < seen->columns; i++) {
        size_t used = strlen(seen->text);
        char *at = seen->text + used;
        size_t room = sizeof(seen->text) - used;
        const char *joint = i > 0 ? "/" : used > 0 ? " " : "";
        if (values[i].kind == LEDGER_INT)
            snprintf(at, room, "%s%lld", joint, (long long)values[i].integer);
        else if (values[i].kind == LEDGER_NULL)
            snprintf(at, room, "%snull", joint);
        else
            snprintf(at, room, "%s" STR_FMT, joint, STR_ARG(values[i].bytes));
    }
    seen->rows++;
    return seen->rows_max == 0 || seen->rows < seen->rows_max;
}

static void apply(struct ledger *ledger, struct ledger_writes *writes, uint64_t seq)
{
    assert_ok(ledger_apply(ledger, &writes, seq, NULL, NULL));
    assert_null(writes);
    assert_ok(ledger_drain(ledger));
}

static void put_and_find(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    struct problem problem;
    struct ledger_writes *writes = ledger_writes_new(ledger);
    put_consent(writes, 7, "sms", "granted");
    put_consent(writes, 7, "email", "denied");
    put_consent(writes, 8, "sms", "granted");
    put_consent(writes, 8, "sms", "denied"); /* the later put wins */
    assert_int_equal(ledger_writes_count(writes), 4);
    apply(ledger, writes, 41);
    assert_int_equal(ledger_applied_seq(ledger), 41);

    struct seen seen = { .columns = 3 };
    assert_ok(ledger_scan(ledger, LEDGER_CONSENTS, NULL, note, &seen, &problem));
    assert_string_equal(seen.text, "7/email/denied 7/sms/granted 8/sms/denied");

    struct ledger_value keys[] = {
        ledger_int(8),           ledger_text(STR("sms")), ledger_int(9),
        ledger_text(STR("sms")), ledger_int(7),           ledger_text(STR("email")),
    };
    seen = (struct seen){ .columns = 3 };
    assert_ok(ledger_find(ledger, LEDGER_CONSENTS, keys, 3, note, &seen, &problem));
    assert_string_equal(seen.text, "8/sms/denied 7/email/denied");

    struct ledger_value from = ledger_int(8);
    seen = (struct seen){ .columns = 1 };
    assert_ok(ledger_scan(ledger, LEDGER_CONSENTS, &from, note, &seen, &problem));
    assert_string_equal(seen.text, "8");

    writes = ledger_writes_new(ledger);
    ledger_delete(writes, LEDGER_CONSENTS,
                  (struct ledger_value[]){ ledger_int(7), ledger_text(STR("sms")) });
    ledger_delete(writes, LEDGER_CONSENTS,
                  (struct ledger_value[]){ ledger_int(99), ledger_text(STR("none")) });
    apply(ledger, writes, 0);
    assert_int_equal(ledger_applied_seq(ledger), 41); /* 0 leaves it */
    seen = (struct seen){ .columns = 2 };
    assert_ok(ledger_scan(ledger, LEDGER_CONSENTS, NULL, note, &seen, &problem));
    assert_string_equal(seen.text, "7/email 8/sms");
    ledger_close(&ledger);
}

static void pages(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    struct problem problem;
    struct ledger_writes *writes = ledger_writes_new(ledger);
    for (int64_t id = 1; id <= 6; id++)
        put_merge(writes, id, id % 2 == 0 ? 100 : 200, 300 + id);
    put_consent(writes, 1, "a", "x");
    put_consent(writes, 1, "b", "x");
    put_consent(writes, 2, "a", "x");
    apply(ledger, writes, 1);

    struct seen seen = { .columns = 1 };
    assert_ok(ledger_find_by(ledger, LEDGER_MERGES, "survivor", ledger_int(100), NULL, true, 2,
                             note, &seen, &problem));
    assert_string_equal(seen.text, "6 4");
    struct ledger_value beyond = ledger_int(4);
    seen = (struct seen){ .columns = 1 };
    assert_ok(ledger_find_by(ledger, LEDGER_MERGES, "survivor", ledger_int(100), &beyond, true, 9,
                             note, &seen, &problem));
    assert_string_equal(seen.text, "2");
    seen = (struct seen){ .columns = 1 };
    assert_ok(ledger_page(ledger, LEDGER_MERGES, &beyond, false, 9, note, &seen, &problem));
    assert_string_equal(seen.text, "5 6");
    seen = (struct seen){ .columns = 1 };
    assert_ok(ledger_page(ledger, LEDGER_MERGES, NULL, true, 3, note, &seen, &problem));
    assert_string_equal(seen.text, "6 5 4");
    seen = (struct seen){ .columns = 1, .rows_max = 2 }; /* the visitor stops */
    assert_ok(ledger_scan(ledger, LEDGER_MERGES, NULL, note, &seen, &problem));
    assert_string_equal(seen.text, "1 2");

    /* A key of two columns goes on within and beyond its first. */
    struct ledger_value key[] = { ledger_int(1), ledger_text(STR("a")) };
    seen = (struct seen){ .columns = 2 };
    assert_ok(ledger_page(ledger, LEDGER_CONSENTS, key, false, 9, note, &seen, &problem));
    assert_string_equal(seen.text, "1/b 2/a");
    seen = (struct seen){ .columns = 2 };
    assert_ok(ledger_find_by(ledger, LEDGER_CONSENTS, "customer", ledger_int(1), key, false, 9,
                             note, &seen, &problem));
    assert_string_equal(seen.text, "1/b");
    key[1] = ledger_text(STR("b"));
    seen = (struct seen){ .columns = 2 };
    assert_ok(ledger_page(ledger, LEDGER_CONSENTS, key, true, 9, note, &seen, &problem));
    assert_string_equal(seen.text, "1/a");
    assert_err(ledger_find_by(ledger, LEDGER_MERGES, "nothing", ledger_int(1), NULL, true, 2, note,
                              &seen, &problem),
               ERR_INTERNAL);
    ledger_close(&ledger);
}

static void put_identifier(struct ledger_writes *writes, int64_t row, const char *tail)
{
    LEDGER_PUT(writes, LEDGER_IDENTIFIERS, ledger_int(row), ledger_blob(STR("hash")), ledger_int(3),
               ledger_text(STR("")), ledger_int(0), ledger_int(row), ledger_int(1), ledger_int(2),
               ledger_int(0), ledger_text(STR("first")), ledger_blob(STR("value")),
               ledger_blob(str_from_c(tail)), ledger_int(4), ledger_int(5));
}

/* Newest first over the ends of parts, empty ones among them. */
static void parts(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    struct problem problem;
    const int64_t part = LEDGER_PART_KEYS;
    struct seen seen = { .columns = 1 };
    assert_ok(ledger_find_parts(ledger, LEDGER_IDENTIFIERS, "tail_hash", ledger_blob(STR("1234")),
                                9, note, &seen, &problem));
    assert_int_equal(seen.rows, 0);
    struct ledger_writes *writes = ledger_writes_new(ledger);
    put_identifier(writes, 1, "1234");
    put_identifier(writes, 2, "");
    put_identifier(writes, part - 1, "1234");
    put_identifier(writes, part, "1234");
    put_identifier(writes, part + 1, "9999");
    put_identifier(writes, 3 * part + 7, "1234");
    put_identifier(writes, 3 * part + 8, "");
    apply(ledger, writes, 1);

    char expected[100];
    snprintf(expected, sizeof expected, "%lld %lld %lld 1", (long long)(3 * part + 7),
             (long long)part, (long long)(part - 1));
    assert_ok(ledger_find_parts(ledger, LEDGER_IDENTIFIERS, "tail_hash", ledger_blob(STR("1234")),
                                9, note, &seen, &problem));
    assert_string_equal(seen.text, expected);
    snprintf(expected, sizeof expected, "%lld %lld", (long long)(3 * part + 7), (long long)part);
    seen = (struct seen){ .columns = 1 };
    assert_ok(ledger_find_parts(ledger, LEDGER_IDENTIFIERS, "tail_hash", ledger_blob(STR("1234")),
                                2, note, &seen, &problem));
    assert_string_equal(seen.text, expected);
    seen = (struct seen){ .columns = 1, .rows_max = 2 }; /* the visitor stops */
    assert_ok(ledger_find_parts(ledger, LEDGER_IDENTIFIERS, "tail_hash", ledger_blob(STR("1234")),
                                9, note, &seen, &problem));
    assert_string_equal(seen.text, expected);

    /* An erased value is found no more. */
    writes = ledger_writes_new(ledger);
    put_identifier(writes, part, "");
    apply(ledger, writes, 2);
    seen = (struct seen){ .columns = 1 };
    assert_ok(ledger_find_parts(ledger, LEDGER_IDENTIFIERS, "tail_hash", ledger_blob(STR("1234")),
                                9, note, &seen, &problem));
    assert_int_equal(seen.rows, 3);
    assert_err(ledger_find_parts(ledger, LEDGER_IDENTIFIERS, "nothing", ledger_int(1), 2, note,
                                 &seen, &problem),
               ERR_INTERNAL);
    ledger_close(&ledger);
}

/* Empty texts stay empty texts, NULL stays NULL, blobs keep every byte, numbers their range. */
static void values_survive(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    struct problem problem;
    struct ledger_writes *writes = ledger_writes_new(ledger);
    LEDGER_PUT(writes, LEDGER_SOURCES, ledger_int(INT64_MAX), ledger_text(STR("k1")),
               ledger_text(STR("")), ledger_text(STR("server")), ledger_text(STR("segment")),
               ledger_blob(STR("\0\xff\0")), ledger_null(), ledger_int(INT64_MIN),
               ledger_text(STR("{}")), ledger_int(-1), ledger_int(0));
    LEDGER_PUT(writes, LEDGER_SOURCES, ledger_int(1), ledger_text(STR("k2")), ledger_text(STR("")),
               ledger_text(STR("public")), ledger_text(STR("sensors")), ledger_blob(STR_NONE),
               ledger_text(STR("wk")), ledger_int(0), ledger_text(STR("{}")), ledger_int(-1),
               ledger_int(0));
    apply(ledger, writes, 5);
    struct ledger_value keys[] = { ledger_int(INT64_MAX), ledger_int(1) };
    struct seen seen = { .columns = 11 };
    assert_ok(ledger_find(ledger, LEDGER_SOURCES, &keys[1], 1, note, &seen, &problem));
    assert_string_equal(seen.text, "1/k2//public/sensors//wk/0/{}/-1/0");
    seen = (struct seen){ .columns = 5 };
    assert_ok(ledger_find(ledger, LEDGER_SOURCES, &keys[0], 1, note, &seen, &problem));
    assert_string_equal(seen.text, "9223372036854775807/k1//server/segment");
    ledger_close(&ledger);
}

static bool check_values(void *context, const struct ledger_value *values)
{
    (*(int *)context)++;
    assert_str_equal(values[5].bytes, STR("\0\xff\0"));
    assert_int_equal(values[6].kind, LEDGER_NULL);
    assert_true(values[7].integer == INT64_MIN);
    return true;
}

static void blobs_and_nulls(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    struct problem problem;
    struct ledger_writes *writes = ledger_writes_new(ledger);
    LEDGER_PUT(writes, LEDGER_SOURCES, ledger_int(3), ledger_text(STR("k1")), ledger_text(STR("")),
               ledger_text(STR("server")), ledger_text(STR("segment")),
               ledger_blob(STR("\0\xff\0")), ledger_null(), ledger_int(INT64_MIN),
               ledger_text(STR("{}")), ledger_int(-1), ledger_int(0));
    apply(ledger, writes, 5);
    int rows = 0;
    assert_ok(ledger_scan(ledger, LEDGER_SOURCES, NULL, check_values, &rows, &problem));
    assert_int_equal(rows, 1);
    struct seen seen = { .columns = 11 };
    assert_ok(ledger_scan_some(ledger, LEDGER_SOURCES, "number kind strict", NULL, note, &seen,
                               &problem));
    assert_string_equal(seen.text,
                        "3/null/null/server/null/null/null/-9223372036854775808/null/null/null");
    assert_err(
        ledger_scan_some(ledger, LEDGER_SOURCES, "number colour", NULL, note, &seen, &problem),
        ERR_INTERNAL);
    ledger_close(&ledger);
}

struct completions {
    uint64_t last;
    int count;
    bool in_order;
};

struct many {
    int64_t last; /* the customer that was visited last */
    int rows, rows_max;
    bool in_order;
};

static bool count_many(void *context, const struct ledger_value *values)
{
    struct many *many = context;
    many->in_order = many->in_order && values[0].integer < many->last &&
                     str_equal(values[1].bytes, STR("sms")) &&
                     str_equal(values[2].bytes, STR("granted"));
    many->last = values[0].integer;
    return ++many->rows != many->rows_max;
}

/* More keys than are under way at once, every other one without a row, from the last to the first. */
static void many_keys_are_found_in_their_order(void **state)
{
    enum { KEYS = 400 };
    struct ledger *ledger = open_ledger(*state);
    struct ledger_writes *writes = ledger_writes_new(ledger);
    struct ledger_value keys[KEYS][2];
    struct problem problem;
    for (int64_t customer = 2; customer <= KEYS; customer += 2)
        put_consent(writes, customer, "sms", "granted");
    apply(ledger, writes, 1);
    for (int i = 0; i < KEYS; i++) {
        keys[i][0] = ledger_int(KEYS - i);
        keys[i][1] = ledger_text(STR("sms"));
    }
    for (int keys_asked = 2; keys_asked <= KEYS; keys_asked += keys_asked < 140 ? 1 : 65) {
        struct many many = { .last = INT64_MAX, .in_order = true };
        assert_ok(ledger_find(ledger, LEDGER_CONSENTS, keys[0], (size_t)keys_asked, count_many,
                              &many, &problem));
        assert_true(many.in_order);
        assert_int_equal(many.rows, (keys_asked + 1) / 2);
    }
    /* who wants no more is told no more, wherever that is; and the next one finds what it asks for */
    for (int wanted = 1; wanted <= 100; wanted += 9) {
        struct many many = { .last = INT64_MAX, .in_order = true, .rows_max = wanted };
        assert_ok(ledger_find(ledger, LEDGER_CONSENTS, keys[0], KEYS, count_many, &many, &problem));
        assert_true(many.in_order);
        assert_int_equal(many.rows, wanted);
    }
    ledger_close(&ledger);
}

static void completed(void *context, uint64_t seq)
{
    struct completions *completions = context;
    completions->in_order = completions->in_order && seq == completions->last + 1;
    completions->last = seq;
    completions->count++;
}

static void commits_in_order(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    struct completions completions = { .in_order = true };
    for (uint64_t seq = 1; seq <= 3000; seq++) {
        struct ledger_writes *writes = ledger_writes_new(ledger);
        put_consent(writes, (int64_t)(seq % 50), "sms", "granted");
        assert_ok(ledger_apply(ledger, &writes, seq, completed, &completions));
    }
    assert_ok(ledger_drain(ledger));
    assert_true(completions.in_order);
    assert_int_equal(completions.count, 3000);
    assert_int_equal(ledger_applied_seq(ledger), 3000);
    assert_int_equal(ledger_pending_bytes(ledger), 0);
    ledger_close(&ledger);

    ledger = open_ledger(*state); /* applied_seq survives, and opening has synced it */
    assert_int_equal(ledger_applied_seq(ledger), 3000);
    assert_int_equal(ledger_synced_seq(ledger), 3000);
    ledger_close(&ledger);
}

static void digests(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    struct problem problem;
    struct digest empty, one, two, moved;
    assert_ok(ledger_digest(ledger, &empty, &problem));
    assert_int_equal(empty.count, 0);
    struct ledger_writes *writes = ledger_writes_new(ledger);
    put_consent(writes, 1, "ab", "c");
    apply(ledger, writes, 1);
    assert_ok(ledger_digest(ledger, &one, &problem));
    assert_int_equal(one.count, 1);

    writes = ledger_writes_new(ledger);
    put_merge(writes, 1, 2, 3);
    LEDGER_PUT(writes, LEDGER_BATCHES, ledger_int(1), ledger_int(0), ledger_int(1), ledger_int(2),
               ledger_int(2), ledger_int(0)); /* not part of the digest */
    apply(ledger, writes, 2);
    assert_ok(ledger_digest(ledger, &two, &problem));
    assert_int_equal(two.count, 2);
    assert_true(two.low != one.low);

    /* The same bytes, cut differently between two columns, are another row. */
    writes = ledger_writes_new(ledger);
    ledger_delete(writes, LEDGER_CONSENTS,
                  (struct ledger_value[]){ ledger_int(1), ledger_text(STR("ab")) });
    ledger_delete(writes, LEDGER_MERGES, (struct ledger_value[]){ ledger_int(1) });
    put_consent(writes, 1, "a", "bc");
    apply(ledger, writes, 3);
    assert_ok(ledger_digest(ledger, &moved, &problem));
    assert_int_equal(moved.count, 1);
    assert_true(moved.low != one.low && moved.high != one.high);

    writes = ledger_writes_new(ledger);
    ledger_delete(writes, LEDGER_CONSENTS,
                  (struct ledger_value[]){ ledger_int(1), ledger_text(STR("a")) });
    put_consent(writes, 1, "ab", "c");
    apply(ledger, writes, 4);
    assert_ok(ledger_digest(ledger, &moved, &problem));
    assert_memory_equal(&moved, &one, sizeof(one));
    ledger_close(&ledger);
}

/* Through the layer of checksums, or (a foreign file) without. */
static void execute_by(struct folder *folder, const char *sql, const char *vfs)
{
    sqlite3 *database;
    assert_int_equal(
        sqlite3_open_v2(folder->ledger, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
        SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void execute(struct folder *folder, const char *sql)
{
    struct problem problem;
    const char *vfs = NULL;
    if (folder->is_server) {
        postgres_run(folder->ledger, sql);
        return;
    }
    assert_ok(page_check_vfs(NULL, &vfs, &problem));
    execute_by(folder, sql, vfs);
}

static void assert_refused(struct folder *folder, err expected, const char *word)
{
    struct ledger *ledger = NULL;
    struct problem problem = { .error = ERR_OK };
    struct ledger_config config = { .path = folder->ledger };
    assert_err(ledger_open(&ledger, &config, &problem), expected);
    assert_null(ledger);
    if (strstr(problem.detail, word) == NULL)
        fail_msg("'%s' does not say '%s'", problem.detail, word);
}

static void refuses_a_newer_ledger(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    ledger_close(&ledger);
    execute(*state, ((struct folder *)*state)->is_server ? "UPDATE kith_version SET version=9999"
                                                         : "PRAGMA user_version=9999");
    assert_refused(*state, ERR_CONFLICT, "version 9999");
}

static void refuses_a_foreign_file(void **state)
{
    execute_by(*state, "CREATE TABLE t (x); PRAGMA user_version=1", NULL);
    assert_refused(*state, ERR_CONFLICT, "not a ledger");
}

static void refuses_what_is_no_database(void **state)
{
    struct folder *folder = *state;
    FILE *file = fopen(folder->ledger, "w");
    for (int i = 0; i < 10000; i++)
        fputs("no database ", file);
    fclose(file);
    assert_refused(folder, ERR_CORRUPT, folder->ledger);
}

static void refuses_an_altered_table(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    ledger_close(&ledger);
    execute(*state, "ALTER TABLE traits RENAME COLUMN facts TO fiction");
    assert_refused(*state, ERR_INTERNAL, "fiction");
}

static void refuses_a_missing_table(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    ledger_close(&ledger);
    execute(*state, "DROP TABLE objects");
    assert_refused(*state, ERR_INTERNAL, "'objects'");
}

static void sets_are_reused(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    struct ledger_writes *writes = ledger_writes_new(ledger), *kept = writes;
    put_consent(writes, 1, "sms", "granted");
    ledger_writes_free(&writes);
    assert_null(writes);
    writes = ledger_writes_new(ledger);
    assert_ptr_equal(writes, kept);
    assert_int_equal(ledger_writes_count(writes), 0);
    apply(ledger, writes, 1); /* an empty set still moves applied_seq */
    assert_int_equal(ledger_applied_seq(ledger), 1);
    ledger_close(&ledger);
}

static void count_up(void *context, uint64_t applied_seq)
{
    _Atomic uint64_t *last = context;
    assert_true(applied_seq > atomic_load(last)); /* G2: in the order of handing in */
    atomic_store(last, applied_seq);
}

/* Sets that come close together share commits; each is told in order all the same, and nobody has to ask. */
static void sets_gather(void **state)
{
    enum { SETS = 500 };
    struct ledger *ledger = open_ledger(*state);
    _Atomic uint64_t told = 0;
    int64_t commits = metric_value(METRIC_LEDGER_COMMIT_US);
    for (uint64_t seq = 1; seq <= SETS; seq++) {
        struct ledger_writes *writes = ledger_writes_new(ledger);
        put_consent(writes, (int64_t)seq, "sms", "granted");
        assert_ok(ledger_apply(ledger, &writes, seq, count_up, &told));
    }
    while (atomic_load(&told) < SETS)
        steady_sleep_ms(1);
    commits = metric_value(METRIC_LEDGER_COMMIT_US) - commits;
    print_message("%d sets, %lld commits\n", SETS, (long long)commits);
    assert_in_range(commits, 1, SETS - 1);
    assert_int_equal(ledger_applied_seq(ledger), SETS);

    /* In a hurry, one by one: nothing is left behind when the flag is taken back. */
    for (uint64_t seq = SETS + 1; seq <= 2 * SETS; seq++) {
        struct ledger_writes *writes = ledger_writes_new(ledger);
        put_consent(writes, (int64_t)seq, "sms", "granted");
        assert_ok(ledger_apply(ledger, &writes, seq, count_up, &told));
        ledger_hurry(ledger);
        while (atomic_load(&told) < seq)
            sched_yield();
    }
    ledger_close(&ledger);
}

/* ---- on a server alone ---- */

static void refuses_a_schema_of_others(void **state)
{
    execute(*state, "CREATE TABLE orders (id int)");
    assert_refused(*state, ERR_CONFLICT, "no ledger");
}

static void refuses_a_second_writer(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    assert_refused(*state, ERR_CONFLICT, "another Kith");
    ledger_close(&ledger);
    ledger = open_ledger(*state); /* who closed has let go */
    ledger_close(&ledger);
}

static void a_password_is_not_told(void **state)
{
    struct folder folder = { .is_server = true };
    (void)state;
    snprintf(folder.ledger, sizeof(folder.ledger),
             "postgresql://kith:secret-word@/kith?host=/nowhere");
    struct ledger *ledger = NULL;
    struct problem problem = { .error = ERR_OK };
    struct ledger_config config = { .path = folder.ledger };
    assert_err(ledger_open(&ledger, &config, &problem), ERR_UNAVAILABLE);
    assert_null(strstr(problem.detail, "secret-word"));
    assert_non_null(strstr(problem.detail, "/nowhere"));
}

/* The server dies with sets handed in: they are committed when it is back, in order, and nothing is lost. */
static void a_server_that_dies_is_waited_for(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    struct completions completions = { .in_order = true };
    for (uint64_t seq = 1; seq <= 400; seq++) {
        struct ledger_writes *writes = ledger_writes_new(ledger);
        put_consent(writes, (int64_t)seq, "sms", "granted");
        assert_ok(ledger_apply(ledger, &writes, seq, completed, &completions));
        if (seq == 200) {
            struct ledger_value key[] = { ledger_int(1), ledger_text(STR("sms")), ledger_int(2),
                                          ledger_text(STR("sms")) };
            struct many many = { .last = INT64_MAX };
            struct problem unheard;
            assert_ok(ledger_drain(ledger));
            assert_ok(ledger_find(ledger, LEDGER_CONSENTS, key, 2, count_many, &many, &unheard));
            postgres_crash();
        }
    }
    struct problem problem = { .error = ERR_OK };
    while (!ledger_is_failing(ledger, &problem))
        sched_yield();
    assert_int_equal(problem.error, ERR_UNAVAILABLE);
    assert_int_equal(ledger_applied_seq(ledger), 200);
    postgres_start_again();
    while (ledger_applied_seq(ledger) < 400)
        steady_sleep_ms(5);
    assert_ok(ledger_drain(ledger));
    assert_true(completions.in_order);
    assert_int_equal(completions.count, 400);
    /* readers' connections are made again too */
    struct ledger_value keys[] = { ledger_int(400), ledger_text(STR("sms")), ledger_int(1),
                                   ledger_text(STR("sms")) };
    struct seen seen = { .columns = 1 };
    assert_ok(ledger_find(ledger, LEDGER_CONSENTS, keys, 2, note, &seen, &problem));
    assert_string_equal(seen.text, "400 1");
    struct digest digest;
    assert_ok(ledger_digest(ledger, &digest, &problem));
    assert_int_equal(digest.count, 400);
    ledger_close(&ledger);
}

/* A row that the server refuses fails the whole set, is told, and leaves nothing behind. */
static void a_refused_row_commits_nothing(void **state)
{
    struct ledger *ledger = open_ledger(*state);
    execute(*state, "ALTER TABLE consents ADD CONSTRAINT no_nine CHECK (customer <> 9)");
    struct ledger_writes *writes = ledger_writes_new(ledger);
    for (int64_t customer = 1; customer < 2000; customer++)
        put_consent(writes, customer % 500, "sms", "granted");
    assert_ok(ledger_apply(ledger, &writes, 7, NULL, NULL));
    struct problem problem = { .error = ERR_OK };
    while (!ledger_is_failing(ledger, &problem))
        sched_yield();
    assert_non_null(strstr(problem.detail, "no_nine"));
    assert_int_equal(ledger_applied_seq(ledger), 0);
    execute(*state, "ALTER TABLE consents DROP CONSTRAINT no_nine");
    assert_ok(ledger_drain(ledger));
    assert_int_equal(ledger_applied_seq(ledger), 7);
    struct digest digest;
    assert_ok(ledger_digest(ledger, &digest, &problem));
    assert_int_equal(digest.count, 500);
    ledger_close(&ledger);
}

static void begun(void *context)
{
    *(bool *)context = true;
}

/* From the server into a file and back: the digests are equal. */
static void a_copy_is_the_same(void **state)
{
    struct folder *server = *state, *file;
    struct ledger *ledger = open_ledger(server);
    struct ledger_writes *writes = ledger_writes_new(ledger);
    for (int64_t customer = 1; customer <= 3000; customer++) {
        put_consent(writes, customer, "sms", customer % 2 ? "granted" : "denied");
        put_merge(writes, customer, customer + 1, customer);
    }
    apply(ledger, writes, 12);
    struct problem problem = { .error = ERR_OK };
    struct digest there, here;
    void *made;
    bool has_begun = false;
    make_folder(&made);
    file = made;
    assert_ok(ledger_copy(ledger, file->ledger, begun, &has_begun, &problem));
    assert_true(has_begun);
    assert_ok(ledger_digest(ledger, &there, &problem));
    ledger_close(&ledger);
    ledger = open_ledger(file);
    assert_ok(ledger_digest(ledger, &here, &problem));
    assert_int_equal(ledger_applied_seq(ledger), 12);
    assert_int_equal(here.count, 6000);
    assert_memory_equal(&here, &there, sizeof here);
    ledger_close(&ledger);
    remove_folder(&made);
}

/* ---- the epoch of the lease ---- */

static struct ledger *open_under(struct folder *folder, uint64_t epoch)
{
    struct problem problem = { .error = ERR_OK };
    struct ledger_config config = { .path = folder->ledger, .readers = 1, .epoch = epoch };
    struct ledger *ledger = NULL;
    if (ledger_open(&ledger, &config, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    return ledger;
}

static void an_older_epoch_commits_nothing(void **state)
{
    struct folder *folder = *state;
    struct ledger *old = open_under(folder, 1), *refused = NULL;
    struct ledger_writes *writes = ledger_writes_new(old);
    struct problem problem = { .error = ERR_OK };
    put_consent(writes, 7, "email", "granted");
    apply(old, writes, 1);
    struct ledger *new = open_under(folder, 2);
    assert_int_equal(ledger_applied_seq(new), 1);
    writes = ledger_writes_new(old);
    put_consent(writes, 8, "email", "granted");
    assert_ok(ledger_apply(old, &writes, 2, NULL, NULL));
    while (!ledger_is_failing(old, &problem) || problem.error != ERR_LOCKED)
        sched_yield();
    writes = ledger_writes_new(new);
    put_consent(writes, 9, "email", "granted");
    apply(new, writes, 3);
    ledger_close(&old);
    struct seen seen = { .columns = 1 };
    assert_ok(ledger_scan(new, LEDGER_CONSENTS, NULL, note, &seen, &problem));
    assert_string_equal(seen.text, "7 9");
    struct ledger_config config = { .path = folder->ledger, .readers = 1, .epoch = 1 };
    assert_err(ledger_open(&refused, &config, &problem), ERR_LOCKED);
    ledger_close(&new);
}

static void a_reader_follows_who_writes(void **state)
{
    struct folder *folder = *state;
    struct ledger *written = open_under(folder, 1), *read = NULL;
    struct ledger_config config = { .path = folder->ledger, .readers = 1, .read_only = true };
    struct problem problem = { .error = ERR_OK };
    struct seen seen = { .columns = 1 };
    assert_ok(ledger_open(&read, &config, &problem));
    struct ledger_writes *writes = ledger_writes_new(written);
    put_consent(writes, 7, "email", "granted");
    apply(written, writes, 1);
    assert_ok(ledger_scan(read, LEDGER_CONSENTS, NULL, note, &seen, &problem));
    assert_string_equal(seen.text, "7");
    ledger_close(&read);
    ledger_close(&written);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
#define ON_SERVER(name)                                      \
    {                                                        \
        "on a server: " #name, name, make_schema, NULL, NULL \
    }
#define ON_BOTH(X)                                                                                 \
    X(put_and_find), X(many_keys_are_found_in_their_order),                                        \
                       X(pages), X(parts), X(values_survive),                                      \
                                             X(blobs_and_nulls),                                   \
                                               X(commits_in_order),                                \
                                                 X(sets_gather), X(digests),                       \
                                                                   X(refuses_a_newer_ledger),      \
                                                                     X(refuses_an_altered_table),  \
                                                                       X(refuses_a_missing_table), \
                                                                         X(sets_are_reused)

int main(void)
{
    const struct CMUnitTest in_file[] = {
        ON_BOTH(TEST),
        TEST(refuses_a_foreign_file),
        TEST(refuses_what_is_no_database),
    };
    const struct CMUnitTest on_server[] = {
        ON_BOTH(ON_SERVER),
        ON_SERVER(refuses_a_schema_of_others),
        ON_SERVER(refuses_a_second_writer),
        ON_SERVER(a_password_is_not_told),
        ON_SERVER(a_refused_row_commits_nothing),
        ON_SERVER(a_copy_is_the_same),
        ON_SERVER(an_older_epoch_commits_nothing),
        ON_SERVER(a_reader_follows_who_writes),
        ON_SERVER(a_server_that_dies_is_waited_for),
    };
    int failed = cmocka_run_group_tests(in_file, NULL, NULL);
    if (postgres_is_installed())
        failed += cmocka_run_group_tests(on_server, NULL, NULL);
    else
        print_message("skipped on a server: PostgreSQL is not installed\n");
    return failed;
}
