/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_renew, in a file and on a server: what is committed goes by way of `renew`, rows that are there are committed once more in
 * their turn; keys and the audit stay. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/ledger.h"
#include "support/postgres_server.h"

struct folder {
    char path[64], ledger[256];
};

static int make_folder(void **state)
{
    static struct folder folder;
    snprintf(folder.path, sizeof folder.path, "/tmp/kith_renew_XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    snprintf(folder.ledger, sizeof folder.ledger, "%s/ledger.db", folder.path);
    *state = &folder;
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    struct folder *folder = *state;
    for (int i = 0; i < 3; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s%s", folder->ledger, ends[i]);
        unlink(path);
    }
    rmdir(folder->path);
    return 0;
}

static int make_schema(void **state)
{
    static struct folder folder;
    postgres_new_schema(folder.ledger, sizeof folder.ledger);
    *state = &folder;
    return 0;
}

/* Small letters a become B. */
static size_t make_b(void *context, char *bytes, size_t size)
{
    size_t changed = 0;
    (void)context;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == 'a') {
            bytes[i] = 'B';
            changed++;
        }
    return changed;
}

static struct ledger *open_ledger(struct folder *folder, bool renews)
{
    struct problem problem = { .error = ERR_OK };
    struct ledger_config config = { .path = folder->ledger,
                                    .readers = 2,
                                    .renew = renews ? make_b : NULL };
    struct ledger *ledger = NULL;
    if (ledger_open(&ledger, &config, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    return ledger;
}

static void apply(struct ledger *ledger, struct ledger_writes *writes)
{
    assert_ok(ledger_apply(ledger, &writes, 0, NULL, NULL));
    assert_ok(ledger_drain(ledger));
}

static void put_setting(struct ledger_writes *writes, const char *key, const char *value)
{
    LEDGER_PUT(writes, LEDGER_SETTINGS, ledger_text(str_from_c(key)),
               ledger_text(str_from_c(value)));
}

static void put_hash(struct ledger_writes *writes, const char *hash, const char *value)
{
    LEDGER_PUT(writes, LEDGER_IDENTIFIER_HASHES, ledger_blob(str_from_c(hash)), ledger_int(7),
               value != NULL ? ledger_blob(str_from_c(value)) : ledger_null(), ledger_null());
}

static void put_line(struct ledger_writes *writes)
{
    LEDGER_PUT(writes, LEDGER_AUDIT, ledger_int(1), ledger_int(1), ledger_int(1),
               ledger_text(STR("a")), ledger_text(STR("a")), ledger_text(STR("a")),
               ledger_blob(STR("a")), ledger_text(STR("a")));
}

struct seen {
    int column, rows;
    char text[300];
};

static bool note(void *context, const struct ledger_value *values)
{
    struct seen *seen = context;
    const struct ledger_value *value = &values[seen->column];
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof seen->text - used, "%s" STR_FMT, used > 0 ? " " : "",
             STR_ARG(value->kind == LEDGER_NULL ? STR("null") : value->bytes));
    seen->rows++;
    return true;
}

static void assert_column(struct ledger *ledger, enum ledger_table table, int column,
                          const char *wanted)
{
    struct seen seen = { .column = column };
    struct problem problem;
    assert_ok(ledger_scan(ledger, table, NULL, note, &seen, &problem));
    assert_string_equal(seen.text, wanted);
}

static void what_is_put_is_renewed(void **state)
{
    struct ledger *ledger = open_ledger(*state, true);
    struct ledger_writes *writes = ledger_writes_new(ledger);
    put_setting(writes, "abba", "a1");
    put_setting(writes, "b", "");
    put_hash(writes, "hash-a", "aa");
    put_hash(writes, "hash-b", NULL);
    put_line(writes);
    apply(ledger, writes);
    assert_column(ledger, LEDGER_SETTINGS, 0, "abba b");
    assert_column(ledger, LEDGER_SETTINGS, 1, "B1 ");
    assert_column(ledger, LEDGER_IDENTIFIER_HASHES, 0, "hash-a hash-b");
    assert_column(ledger, LEDGER_IDENTIFIER_HASHES, 2, "BB null");
    assert_column(ledger, LEDGER_AUDIT, 5, "a");
    ledger_close(&ledger);
}

static void rows_that_are_there(void **state)
{
    struct ledger *ledger = open_ledger(*state, false);
    struct ledger_writes *writes = ledger_writes_new(ledger);
    put_setting(writes, "one", "a1");
    put_setting(writes, "two", "a2");
    put_setting(writes, "three", "a3");
    put_hash(writes, "hash", "aa");
    put_line(writes);
    apply(ledger, writes);
    ledger_close(&ledger);
    ledger = open_ledger(*state, true);
    assert_column(ledger, LEDGER_SETTINGS, 1, "a1 a3 a2"); /* by key: one, three, two */
    /* one is renewed; two is deleted before its turn and stays so; three is put after it */
    writes = ledger_writes_new(ledger);
    struct ledger_value one = ledger_text(STR("one")), two = ledger_text(STR("two")),
                        three = ledger_text(STR("three")), hash = ledger_blob(STR("hash")),
                        line = ledger_int(1);
    ledger_delete(writes, LEDGER_SETTINGS, &two);
    ledger_renew(writes, LEDGER_SETTINGS, &one);
    ledger_renew(writes, LEDGER_SETTINGS, &two);
    ledger_renew(writes, LEDGER_SETTINGS, &three);
    put_setting(writes, "three", "3");
    ledger_renew(writes, LEDGER_IDENTIFIER_HASHES, &hash);
    ledger_renew(writes, LEDGER_AUDIT, &line);
    apply(ledger, writes);
    assert_column(ledger, LEDGER_SETTINGS, 1, "B1 3");
    assert_column(ledger, LEDGER_IDENTIFIER_HASHES, 2, "BB");
    assert_column(ledger, LEDGER_AUDIT, 5, "a");
    ledger_close(&ledger);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
#define ON_SERVER(name)                                      \
    {                                                        \
        "on a server: " #name, name, make_schema, NULL, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(what_is_put_is_renewed), TEST(rows_that_are_there) };
    const struct CMUnitTest on_a_server[] = {
        ON_SERVER(what_is_put_is_renewed),
        ON_SERVER(rows_that_are_there),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (postgres_is_installed())
        failed += cmocka_run_group_tests(on_a_server, NULL, NULL);
    else
        print_message("skipped on a server: PostgreSQL is not installed\n");
    return failed;
}
