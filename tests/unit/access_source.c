/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of sources: found by write key, number and key; held and released; signed claims. */
#include "support/doors.h"

#include <pthread.h>

static struct keys *keys;
static char folder[64];

static int set_up(void **state)
{
    (void)state;
    keys = test_keys(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_keys_free(&keys, folder);
    return 0;
}

static void test_finding(void **state)
{
    (void)state;
    struct source_set *set = test_sources(keys);
    assert_int_equal(source_count(set), TEST_SOURCES);
    assert_int_equal(source_by_write_key(set, keys, STR("wk_web"))->number, 2);
    assert_int_equal(source_by_write_key(set, keys, STR("wk_old"))->number,
                     3); /* disabled, but found */
    assert_null(source_by_write_key(set, keys, STR("wk_we")));
    assert_null(source_by_write_key(set, keys, STR("")));
    assert_int_equal(source_by_number(set, 4)->number, 4);
    assert_null(source_by_number(set, 0));
    assert_int_equal(source_by_key(set, STR("tmall"))->number, 4);
    assert_null(source_by_key(set, STR("Tmall")));
    assert_int_equal(source_at(set, 0)->number, 1);
    source_set_release(&set);
    assert_null(set);
}

static void test_many(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    struct source *sources = calloc(COUNT, sizeof *sources);
    struct source_set *set = NULL;
    char key[COUNT][16];
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(key[i], sizeof key[i], "key-%u", i);
        sources[i].number = i + 1;
        sources[i].key = str_from_c(key[i]);
        keys_hash(keys, STR("write_key"), sources[i].key, sources[i].write_key_hash);
    }
    assert_int_equal(source_set_new(&set, sources, COUNT), ERR_OK);
    memset(sources, 0xEE, COUNT * sizeof *sources); /* everything was copied */
    free(sources);
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct source *found = source_by_write_key(set, keys, str_from_c(key[i]));
        assert_non_null(found);
        assert_int_equal(found->number, i + 1);
        assert_text(found->key, key[i]);
    }
    source_set_release(&set);
    assert_int_equal(source_set_new(&set, NULL, 0), ERR_OK);
    assert_null(source_by_write_key(set, keys, STR("x")));
    source_set_release(&set);
}

/* What an import told, its source told; a source that has gone, or none, is nobody. */
static void test_told_as(void **state)
{
    (void)state;
    struct source sources[2] = { { .number = 3, .key = STR("web") },
                                 { .number = 7, .key = STR("tmall") } };
    uint32_t imports[3] = { 7, 0, 9 };
    struct source_set *set;
    assert_int_equal(source_set_new(&set, sources, 2), ERR_OK);
    assert_null(source_told_as(set, 1001));
    assert_int_equal(source_set_tell_imports(set, 1000, imports, 3), ERR_OK);
    assert_int_equal(source_told_as(set, 3)->number, 3);
    assert_int_equal(source_told_as(set, 1001)->number, 7);
    assert_null(source_told_as(set, 1002));
    assert_null(source_told_as(set, 1003));
    assert_null(source_told_as(set, 1004));
    assert_null(source_told_as(set, 0));
    source_set_release(&set);
}

static void test_signatures(void **state)
{
    (void)state;
    struct source_set *set = test_sources(keys);
    const struct source *web = source_by_key(set, STR("web")),
                        *shop = source_by_key(set, STR("shop"));
    str good = STR("519b4aed5923304086cbafe59575ee0f83b1869b0d7140dbfdd13bfc6e28a962");
    assert_true(source_signature_is_valid(web, STR("u1"), good));
    assert_true(source_signature_is_valid(
        web, STR("u1"), STR("519B4AED5923304086CBAFE59575EE0F83B1869B0D7140DBFDD13BFC6E28A962")));
    assert_false(source_signature_is_valid(web, STR("u2"), good));
    assert_false(source_signature_is_valid(web, STR(""), good));
    assert_false(source_signature_is_valid(shop, STR("u1"), good)); /* it has no secret */
    assert_false(source_signature_is_valid(web, STR("u1"), str_slice(good, 0, 62)));
    assert_false(source_signature_is_valid(web, STR("u1"), STR("")));
    char changed[65];
    for (size_t i = 0; i < 64; i++) {
        memcpy(changed, good.data, 65);
        changed[i] = changed[i] == '0' ? '1' : '0';
        assert_false(source_signature_is_valid(web, STR("u1"), str_from_c(changed)));
    }
    source_set_release(&set);
}

static struct source_set *shared;

static void *hold_and_release(void *context)
{
    (void)context;
    for (int i = 0; i < 20000; i++) {
        struct source_set *mine = source_set_hold(shared);
        if (source_count(mine) != TEST_SOURCES)
            abort();
        source_set_release(&mine);
    }
    return NULL;
}

static void test_holding(void **state)
{
    (void)state;
    pthread_t threads[4];
    shared = test_sources(keys);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_release, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(source_count(shared), TEST_SOURCES);
    source_set_release(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_as, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signatures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_holding, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
