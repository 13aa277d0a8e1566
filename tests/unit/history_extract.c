/* SPDX-License-Identifier: Apache-2.0 */
/* What an extractor takes out of properties, kind by kind; and what holds its memory: dictionaries, runs. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "history/dictionary.h"
#include "history/extract.h"
#include "history/runs.h"

#define NONE HISTORY_MISSING

/* ---- numbers ---- */

static const struct {
    enum column_kind kind;
    const char *path, *props;
    int64_t expected;
} numbers[] = {
    { COLUMN_INT, "n", "{\"n\":3}", 3 },
    { COLUMN_INT, "n", "{\"n\":-3.0}", -3 },
    { COLUMN_INT, "n", "{\"n\":\" 12 \"}", 12 },
    { COLUMN_INT, "n", "{\"n\":3.5}", NONE },
    { COLUMN_INT, "n", "{\"n\":\"twelve\"}", NONE },
    { COLUMN_INT, "n", "{\"n\":null}", NONE },
    { COLUMN_INT, "n", "{\"n\":true}", NONE },
    { COLUMN_INT, "n", "{\"n\":{\"$sealed\":\"s1:x\"}}", NONE },
    { COLUMN_INT, "n", "{\"n\":[\"x\",7,8]}", 7 },
    { COLUMN_INT, "n", "{\"m\":1,\"o\":{\"n\":2}}", NONE },
    { COLUMN_INT, "o.n", "{\"m\":1,\"o\":{\"n\":2}}", 2 },
    { COLUMN_INT, "o.p.n", "{\"o\":{\"p\":{\"n\":4}}}", 4 },
    { COLUMN_INT, "o.p.n", "{\"o\":{\"p.n\":5}}", 5 },
    { COLUMN_INT, "o.n", "{\"o.n\":6}", 6 },
    { COLUMN_INT, "o.n", "{\"o\":[{\"x\":1},{\"n\":8}]}", 8 },
    { COLUMN_INT, "o.n", "{\"o\":5}", NONE },
    { COLUMN_INT, "n", "", NONE },
    { COLUMN_INT, "n", "{}", NONE },
    { COLUMN_INT, "n", "{\"n\":1", NONE },
    { COLUMN_INT, "n", "{\"n\":9223372036854775807}", INT64_MAX },
    { COLUMN_MONEY, "tip", "{\"tip\":12.5}", 1250 },
    { COLUMN_MONEY, "tip", "{\"tip\":\"0.005\"}", 0 },
    { COLUMN_MONEY, "tip", "{\"tip\":\"0.015\"}", 2 },
    { COLUMN_MONEY, "tip", "{\"tip\":\"much\"}", NONE },
    { COLUMN_DECIMAL, "d", "{\"d\":0.1}", 100000 },
    { COLUMN_DECIMAL, "d", "{\"d\":\"-2.5\"}", -2500000 },
    { COLUMN_DECIMAL, "d", "{\"d\":7}", 7000000 },
    { COLUMN_DECIMAL, "d", "{\"d\":0.0000005}", 0 },
    { COLUMN_DECIMAL, "d", "{\"d\":1e30}", NONE },
    { COLUMN_DECIMAL, "d", "{\"d\":9223372036854775807}", NONE },
    { COLUMN_DECIMAL, "d", "{\"d\":5000000000.5}", INT64_C(5000000000500000) },
    { COLUMN_TIME, "t", "{\"t\":\"1970-01-02T00:00:00Z\"}", 86400000 },
    { COLUMN_TIME, "t", "{\"t\":\"1970-01-01 08:00:02\"}", 2000 },
    { COLUMN_TIME, "t", "{\"t\":1781827200000}", INT64_C(1781827200000) },
    { COLUMN_TIME, "t", "{\"t\":\"soon\"}", NONE },
    { COLUMN_BOOL, "b", "{\"b\":true}", 1 },
    { COLUMN_BOOL, "b", "{\"b\":false}", 0 },
    { COLUMN_BOOL, "b", "{\"b\":\"TRUE\"}", 1 },
    { COLUMN_BOOL, "b", "{\"b\":0}", 0 },
    { COLUMN_BOOL, "b", "{\"b\":2}", NONE },
    { COLUMN_BOOL, "b", "{\"b\":\"yes\"}", NONE },
};

static void numbers_are_read_by_their_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct extractor *extractor;
        const struct history_value *values;
        uint32_t count;
        struct event event = { .props = str_from_c(numbers[i].props) };
        assert_ok(extractor_new(&extractor));
        assert_ok(extractor_add(extractor, str_from_c(numbers[i].path), numbers[i].kind, 9));
        assert_ok(extractor_run(extractor, &event, &values, &count));
        int64_t found = count > 0 ? values[0].number : NONE;
        if (count > 1 || found != numbers[i].expected || (count > 0 && values[0].column != 9))
            fail_msg("%s of %s: %u values, %lld, not %lld", numbers[i].path, numbers[i].props,
                     count, (long long)found, (long long)numbers[i].expected);
        extractor_free(&extractor);
    }
}

/* An amount of another currency has other minor units. */
static void money_is_of_the_events_currency(void **state)
{
    struct extractor *extractor;
    const struct history_value *values;
    uint32_t count;
    struct event event = { .props = STR("{\"tip\":500}"), .promoted_set = 1u << PROMOTED_CURRENCY };
    (void)state;
    event.promoted_text[PROMOTED_CURRENCY] = STR("JPY");
    assert_ok(extractor_new(&extractor));
    assert_ok(extractor_add(extractor, STR("tip"), COLUMN_MONEY, 1));
    assert_ok(extractor_run(extractor, &event, &values, &count));
    assert_int_equal(count, 1);
    assert_int_equal(values[0].number, 500);
    extractor_free(&extractor);
}

/* ---- texts ---- */

static const struct {
    enum column_kind kind;
    const char *path, *props;
    const char *expected; /* with | between */
} texts[] = {
    { COLUMN_TEXT, "a", "{\"a\":\"x\\u4e2d\"}", "x中" },
    { COLUMN_TEXT, "a", "{\"a\":12}", "12" },
    { COLUMN_TEXT, "a", "{\"a\":1.50}", "1.5" },
    { COLUMN_TEXT, "a", "{\"a\":true}", "true" },
    { COLUMN_TEXT, "a", "{\"a\":\"\"}", "" },
    { COLUMN_TEXT, "a", "{\"a\":null}", "" },
    { COLUMN_TEXT, "a", "{\"a\":[\"\",\"second\",\"third\"]}", "second" },
    { COLUMN_TEXT, "p.id", "{\"p\":[{\"id\":\"1\"},{\"id\":\"2\"}]}", "1" },
    { COLUMN_TEXTS, "p.id", "{\"p\":[{\"id\":\"1\"},{\"x\":0},{\"id\":2},{\"id\":\"\"}]}", "1|2" },
    { COLUMN_TEXTS, "a", "{\"a\":\"alone\"}", "alone" },
    { COLUMN_TEXTS, "a", "{\"a\":[\"x\",[\"y\"],\"x\"]}", "x|y|x" },
    { COLUMN_TEXTS, "a", "{\"a\":[]}", "" },
    { COLUMN_TEXTS, "a", "{\"a\":{\"$sealed\":\"s1:x\"}}", "" },
};

static void texts_are_read_one_or_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct extractor *extractor;
        const struct history_value *values;
        uint32_t count;
        char found[200] = "";
        struct event event = { .props = str_from_c(texts[i].props) };
        assert_ok(extractor_new(&extractor));
        assert_ok(extractor_add(extractor, str_from_c(texts[i].path), texts[i].kind, 3));
        assert_ok(extractor_run(extractor, &event, &values, &count));
        if (count > 0 && texts[i].kind == COLUMN_TEXT)
            snprintf(found, sizeof(found), STR_FMT, STR_ARG(values[0].text));
        for (uint32_t j = 0; count > 0 && j < values[0].text_count; j++)
            snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s" STR_FMT,
                     j > 0 ? "|" : "", STR_ARG(values[0].texts[j]));
        if (strcmp(found, texts[i].expected) != 0 || (count > 0) != (found[0] != '\0'))
            fail_msg("%s of %s: '%s', not '%s'", texts[i].path, texts[i].props, found,
                     texts[i].expected);
        extractor_free(&extractor);
    }
}

/* A shape that had none of the wanted is not parsed again, until something else is wanted. */
static void shapes_are_remembered(void **state)
{
    struct extractor *extractor;
    const struct history_value *values;
    uint32_t count;
    struct event event = { .shape = 77, .props = STR("{\"m\":1}") };
    (void)state;
    assert_ok(extractor_new(&extractor));
    assert_ok(extractor_add(extractor, STR("n"), COLUMN_INT, 1));
    assert_ok(extractor_run(extractor, &event, &values, &count));
    assert_int_equal(count, 0);
    /* A lie about the shape shows that it is believed; another shape is looked at. */
    event.props = STR("{\"n\":1}");
    assert_ok(extractor_run(extractor, &event, &values, &count));
    assert_int_equal(count, 0);
    event.shape = 78;
    assert_ok(extractor_run(extractor, &event, &values, &count));
    assert_int_equal(count, 1);
    event.shape = 77;
    assert_ok(extractor_add(extractor, STR("m"), COLUMN_INT, 2));
    assert_ok(extractor_run(extractor, &event, &values, &count));
    assert_int_equal(count, 1);
    extractor_free(&extractor);
}

/* The same property as two kinds: the typed column for its own, the JSON for the other. */
static void promoted_only_for_their_kind(void **state)
{
    struct extractor *extractor;
    const struct history_value *values;
    uint32_t count;
    struct event event = { .props = STR("{\"revenue\":\"1.5\",\"coupon\":\"A\"}"),
                           .promoted_set = 1u << PROMOTED_REVENUE };
    (void)state;
    event.promoted_int[PROMOTED_REVENUE] = 151;
    assert_ok(extractor_new(&extractor));
    assert_ok(extractor_add(extractor, STR("revenue"), COLUMN_MONEY, 1));
    assert_ok(extractor_add(extractor, STR("revenue"), COLUMN_DECIMAL, 2));
    assert_ok(extractor_add(extractor, STR("coupon"), COLUMN_TEXT, 3));
    assert_ok(extractor_run(extractor, &event, &values, &count));
    assert_int_equal(count, 2);
    assert_int_equal(values[0].number, 151);
    assert_int_equal(values[1].column, 2);
    assert_int_equal(values[1].number, 1500000);
    extractor_free(&extractor);
}

/* ---- dictionaries ---- */

static void codes_find_their_texts(void **state)
{
    struct dictionary dictionary;
    char text[80];
    uint32_t code = 0;
    (void)state;
    dictionary_init(&dictionary, 5000, (size_t)1 << 20);
    assert_int_equal(dictionary_find(&dictionary, STR("0")), 0);
    for (unsigned i = 0; i < 5000; i++) { /* of 1 to 65 bytes: in the entry and beside it */
        int size = snprintf(text, sizeof(text), "%.*s%u", (int)(i % 61),
                            "----------------------------------------------------------------", i);
        assert_ok(dictionary_add(&dictionary, str_from_bytes(text, (size_t)size), &code));
        assert_int_equal(code, i + 1);
        assert_ok(dictionary_add(&dictionary, str_from_bytes(text, (size_t)size), &code));
        assert_int_equal(code, i + 1);
    }
    assert_err(dictionary_add(&dictionary, STR("one more"), &code), ERR_TOO_LARGE);
    assert_int_equal(dictionary_count(&dictionary), 5000);
    for (unsigned i = 0; i < 5000; i++) {
        str said = dictionary_text(&dictionary, i + 1);
        assert_int_equal(dictionary_find(&dictionary, said), i + 1);
    }
    assert_int_equal(dictionary_find(&dictionary, STR("one more")), 0);
    assert_int_equal(dictionary_text(&dictionary, 0).size, 0);
    assert_int_equal(dictionary_text(&dictionary, 5001).size, 0);
    dictionary_deinit(&dictionary);
}

static void texts_are_told_apart_by_every_byte(void **state)
{
    char one[40], other[40];
    (void)state;
    for (size_t size = 0; size <= 32; size++) {
        memset(one, 'a', sizeof(one));
        memset(other, 'a', sizeof(other));
        assert_true(text_is_same(one, other, size));
        for (size_t i = 0; i < size; i++) {
            other[i] = 'b';
            assert_false(text_is_same(one, other, size));
            other[i] = 'a';
        }
        other[size] = 'b'; /* beyond it */
        assert_true(text_is_same(one, other, size));
    }
}

/* ---- runs ---- */

#define RUNS 300

static void runs_never_overlap(void **state)
{
    struct runs runs = { .count = 0 };
    struct random_stream random;
    unsigned char *taken[RUNS] = { NULL };
    size_t sizes[RUNS];
    (void)state;
    random_seed(&random, 3);
    for (unsigned step = 0; step < 20000; step++) {
        size_t i = random_below(&random, RUNS);
        if (taken[i] != NULL) {
            /* What was written at both ends is still there. */
            assert_int_equal(taken[i][0], (unsigned char)i);
            assert_int_equal(taken[i][sizes[i] - 1], (unsigned char)i);
            runs_give(&runs, taken[i], sizes[i]);
            taken[i] = NULL;
            continue;
        }
        sizes[i] = 1 + random_below(&random, random_below(&random, 20) == 0 ? 3000000 : 100000);
        taken[i] = runs_take(&runs, sizes[i]);
        assert_non_null(taken[i]);
        taken[i][0] = taken[i][sizes[i] - 1] = (unsigned char)i;
        assert_true(runs_size(sizes[i]) >= sizes[i]);
    }
    for (size_t i = 0; i < RUNS; i++)
        if (taken[i] != NULL)
            runs_give(&runs, taken[i], sizes[i]);
    for (uint32_t i = 0; i < runs.count; i++)
        assert_int_equal(runs.regions[i].free_count, RUN_REGION_PAGES);
    assert_true(runs.count < 40);
    runs_free(&runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_by_their_kind),
        cmocka_unit_test(money_is_of_the_events_currency),
        cmocka_unit_test(texts_are_read_one_or_all),
        cmocka_unit_test(shapes_are_remembered),
        cmocka_unit_test(promoted_only_for_their_kind),
        cmocka_unit_test(codes_find_their_texts),
        cmocka_unit_test(texts_are_told_apart_by_every_byte),
        cmocka_unit_test(runs_never_overlap),
    };
    return cmocka_run_group_tests_name("history_extract", tests, NULL, NULL);
}
