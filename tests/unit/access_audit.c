/* SPDX-License-Identifier: Apache-2.0 */
/* X13: any line of the audit that is altered, removed or put in between is found; so is one cut off at the end. */
#include "support/cmocka.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "access/audit.h"
#include "base/arena.h"
#include "store/page_check.h"

#define LINES 40

static char folder[] = "/tmp/kith_access_audit_XXXXXX";
static char path[64], keys_path[64];
static struct keys *keys;

static void open_ledger(struct ledger **ledger)
{
    struct ledger_config config = { .path = path };
    struct problem problem;
    assert_ok(ledger_open(ledger, &config, &problem));
}

static void write_lines(struct ledger *ledger, uint64_t from, uint64_t count)
{
    struct problem problem;
    struct audit_head head;
    assert_ok(audit_head_load(&head, keys, ledger, &problem));
    struct ledger_writes *writes = ledger_writes_new(ledger);
    for (uint64_t i = from; i < from + count; i++) {
        struct audit_line line = { .seq = i * 3,
                                   .at_ms = 1000 * (int64_t)i,
                                   .user_number = (uint32_t)(i % 4),
                                   .action = STR("tag.put"),
                                   .object = STR("skin_type"),
                                   .detail = STR("{\"key\":\"skin_type\"}"),
                                   .address = i % 2 == 0 ? STR("203.0.113.9") : STR_NONE };
        audit_write(&head, keys, &line, writes);
    }
    assert_ok(ledger_apply(ledger, &writes, 0, NULL, NULL));
    assert_ok(ledger_drain(ledger));
}

static void start_over(void)
{
    struct ledger *ledger;
    char other[80];
    static const char *const endings[] = { "", "-wal", "-shm" };
    for (int i = 0; i < 3; i++) {
        snprintf(other, sizeof(other), "%s%s", path, endings[i]);
        unlink(other);
    }
    open_ledger(&ledger);
    write_lines(ledger, 1, LINES);
    ledger_close(&ledger);
}

static void tamper(const char *sql)
{
    sqlite3 *database;
    char *message = NULL;
    struct problem problem;
    const char *vfs; /* whoever tampers knows how pages are checked */
    assert_ok(page_check_vfs(NULL, &vfs, &problem));
    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, vfs), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    assert_true(sqlite3_changes(database) > 0);
    sqlite3_close(database);
}

static struct audit_verdict verify(void)
{
    struct ledger *ledger;
    struct problem problem;
    struct audit_verdict verdict;
    open_ledger(&ledger);
    assert_ok(audit_verify(ledger, keys, &verdict, &problem));
    ledger_close(&ledger);
    return verdict;
}

static void test_whole(void **state)
{
    (void)state;
    start_over();
    struct audit_verdict verdict = verify();
    assert_true(verdict.is_whole);
    assert_int_equal(verdict.lines, LINES);
    assert_int_equal(verdict.broken_seq, 0);
}

static void test_x13_every_tampering_is_found(void **state)
{
    static const struct {
        const char *sql;
        uint64_t broken_seq;
    } cases[] = {
        { "UPDATE audit SET detail = '{}' WHERE seq = 60", 60 },
        { "UPDATE audit SET action = 'tag.pu' WHERE seq = 3", 3 },
        { "UPDATE audit SET object = 'other' WHERE seq = 120", 120 },
        { "UPDATE audit SET user_number = 9 WHERE seq = 30", 30 },
        { "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 33", 33 },
        { "UPDATE audit SET address = '' WHERE seq = 60", 60 },
        { "UPDATE audit SET address = 'x' WHERE seq = 63", 63 },
        { "UPDATE audit SET chain = zeroblob(16) WHERE seq = 90", 90 },
        { "UPDATE audit SET seq = 61 WHERE seq = 60", 61 },
        { "DELETE FROM audit WHERE seq = 3", 6 },
        { "DELETE FROM audit WHERE seq = 60", 63 },
        { "DELETE FROM audit WHERE seq = 120", 0 },
        { "DELETE FROM audit WHERE seq > 30", 0 },
        { "DELETE FROM audit", 0 },
        { "INSERT INTO audit SELECT 61, at_ms, user_number, action, object, detail, chain, address "
          "FROM audit WHERE seq = 60",
          61 },
        { "DELETE FROM meta WHERE key = 'audit_head'", 0 },
        { "UPDATE meta SET value = zeroblob(48) WHERE key = 'audit_head'", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start_over();
        tamper(cases[i].sql);
        struct audit_verdict verdict = verify();
        if (verdict.is_whole || verdict.broken_seq != cases[i].broken_seq)
            fail_msg("%s: whole %d, broken at %llu", cases[i].sql, verdict.is_whole,
                     (unsigned long long)verdict.broken_seq);
        assert_true(verdict.complaint[0] != '\0');
    }
}

/* Kith goes on writing after it: the next lines must not make it good. */
static void test_x13_writing_on_hides_nothing(void **state)
{
    static const char *const cases[] = {
        "DELETE FROM audit WHERE seq > 60",
        "DELETE FROM meta WHERE key = 'audit_head'",
        "UPDATE meta SET value = zeroblob(48) WHERE key = 'audit_head'",
        "UPDATE audit SET detail = '{}' WHERE seq = 120",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ledger *ledger;
        start_over();
        tamper(cases[i]);
        open_ledger(&ledger);
        write_lines(ledger, LINES + 1, 5);
        ledger_close(&ledger);
        if (verify().is_whole)
            fail_msg("%s is hidden", cases[i]);
    }
}

static void expire(int64_t before_ms, size_t limit, err expected, uint64_t removed)
{
    struct ledger *ledger;
    struct problem problem;
    uint64_t counted = 0;
    open_ledger(&ledger);
    struct ledger_writes *writes = ledger_writes_new(ledger);
    assert_int_equal(audit_expire(ledger, keys, before_ms, limit, writes, &counted, &problem),
                     expected);
    assert_int_equal(counted, removed);
    assert_ok(ledger_apply(ledger, &writes, 0, NULL, NULL));
    assert_ok(ledger_drain(ledger));
    ledger_close(&ledger);
}

/* Old lines go in steps; the rest still proves itself, and goes on. */
static void test_p9_lines_that_went_by_age_leave_a_chain(void **state)
{
    struct ledger *ledger;
    (void)state;
    start_over();
    expire(11 * 1000, 6, ERR_OK, 6);
    expire(11 * 1000, 6, ERR_OK, 4);
    expire(11 * 1000, 6, ERR_OK, 0);
    struct audit_verdict verdict = verify();
    assert_true(verdict.is_whole);
    assert_int_equal(verdict.lines, LINES - 10);
    assert_int_equal(verdict.expired, 10);
    open_ledger(&ledger);
    write_lines(ledger, LINES + 1, 5);
    ledger_close(&ledger);
    assert_true(verify().is_whole);
    expire(1000 * 1000, 1000, ERR_OK, LINES - 5);
    verdict = verify();
    assert_true(verdict.is_whole);
    assert_int_equal(verdict.lines, 0);
    assert_int_equal(verdict.expired, LINES + 5);
}

/* A line that is removed by hand is none that went by age, and what was tampered with does not go. */
static void test_x13_age_hides_no_tampering(void **state)
{
    static const char *const cases[] = {
        "DELETE FROM audit WHERE seq = 33",
        "DELETE FROM audit WHERE seq < 60",
        "DELETE FROM meta WHERE key = 'audit_anchor'",
        "UPDATE meta SET value = zeroblob(48) WHERE key = 'audit_anchor'",
        ("UPDATE meta SET value = (SELECT h.value FROM meta h WHERE h.key = 'audit_head') "
         "WHERE key = 'audit_anchor'"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start_over();
        expire(11 * 1000, 100, ERR_OK, 10);
        tamper(cases[i]);
        if (verify().is_whole)
            fail_msg("%s is hidden", cases[i]);
    }
    start_over();
    tamper("UPDATE audit SET detail = '{}' WHERE seq = 3");
    expire(11 * 1000, 100, ERR_CORRUPT, 0);
    assert_false(verify().is_whole);
}

static int make_folder(void **state)
{
    struct problem problem;
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/ledger", folder);
    snprintf(keys_path, sizeof(keys_path), "%s/keys", folder);
    return keys_open(&keys, keys_path, &problem) == ERR_OK ? 0 : 1;
}

static int remove_folder(void **state)
{
    char command[96];
    (void)state;
    keys_free(&keys);
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_x13_every_tampering_is_found),
        cmocka_unit_test(test_x13_writing_on_hides_nothing),
        cmocka_unit_test(test_p9_lines_that_went_by_age_leave_a_chain),
        cmocka_unit_test(test_x13_age_hides_no_tampering),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
