/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of facts: tests/golden/profile/facts.v1 was made from the table of docs/formats/identity.md by
 * hand; it has to be read, and written, as it is. Damage is refused. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "profile/fact.h"

#define START_MS INT64_C(1781827200000)

static size_t read_golden(uint8_t *bytes, size_t most)
{
    FILE *file = fopen(KITH_SOURCE_DIR "/tests/golden/profile/facts.v1", "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, most, file);
    fclose(file);
    assert_true(size > 0 && size < most);
    return size;
}

static void golden_is_read_and_written(void **state)
{
    (void)state;
    static const struct fact expected[] = {
        { 1, 1, 0x04030201, FACT_SET, FACT_JSON, START_MS, 7, 0, { "\"上海\"", 8 } },
        { 2, 1, 0x04030201, FACT_SET, FACT_INT, START_MS, 7, -3, { NULL, 0 } },
        { 3, 1, 0x04030201, FACT_SET, FACT_TRUE, START_MS, 7, 0, { NULL, 0 } },
        { 4, 1, 0x04030201, FACT_SET_ONCE, FACT_FALSE, START_MS, 7, 0, { NULL, 0 } },
        { 5, 1, 0x04030201, FACT_INCREMENT, FACT_MICRO, START_MS + 1000, 9, 12500000, { NULL, 0 } },
        { 6, 1, 0x04030201, FACT_APPEND, FACT_JSON, START_MS + 1000, 9, 0, { "\"a\"", 3 } },
        { 0, 300, 0x090000ff, FACT_UNSET, FACT_NONE, START_MS - 5, 200000, 0, { NULL, 0 } },
        { 2, 300, 0x090000ff, FACT_SUM, FACT_INT, START_MS - 5, 200000, 40, { NULL, 0 } },
    };
    uint8_t bytes[1024];
    size_t size = read_golden(bytes, sizeof(bytes));
    struct facts facts = { .count = 0 };
    struct buffer out;
    assert_ok(facts_decode(&facts, str_from_bytes(bytes, size)));
    assert_int_equal(facts.count, sizeof(expected) / sizeof(*expected));
    for (uint32_t i = 0; i < facts.count; i++) {
        const struct fact *is = &facts.items[i], *should = &expected[i];
        assert_int_equal(is->trait, should->trait);
        assert_int_equal(is->source, should->source);
        assert_int_equal(is->account, should->account);
        assert_int_equal(is->operation, should->operation);
        assert_int_equal(is->kind, should->kind);
        assert_int_equal(is->time_ms, should->time_ms);
        assert_int_equal(is->seq, should->seq);
        assert_int_equal(is->number, should->number);
        assert_str_equal(is->json, should->json);
    }
    buffer_init(&out, 4096);
    facts_encode(&facts, true, &out);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, bytes, size);
    buffer_deinit(&out);
    facts_deinit(&facts);
}

/* Cut anywhere but between groups it cannot be read; no damage leads beyond the bytes. */
static void damage_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    size_t size = read_golden(bytes, sizeof(bytes)), whole = 0;
    struct facts facts = { .count = 0 };
    for (size_t cut = 1; cut < size; cut++) {
        char *piece = memory_alloc(cut);
        memcpy(piece, bytes, cut);
        facts.count = 0;
        whole += facts_decode(&facts, str_from_bytes(piece, cut)) == ERR_OK;
        memory_free(piece);
    }
    assert_int_equal(whole, 3); /* version alone, one group, two groups */
    bytes[0] = 2;
    assert_err(facts_decode(&facts, str_from_bytes(bytes, size)), ERR_CORRUPT);
    facts_deinit(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(golden_is_read_and_written),
                                        cmocka_unit_test(damage_is_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
