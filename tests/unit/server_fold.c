/* SPDX-License-Identifier: Apache-2.0 */
/* Fold: what people look for is found whatever the case and the width in which it was written. */
#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "server/fold.h"

static bool finds(const char *text, const char *query)
{
    struct arena arena;
    str folded;
    arena_init(&arena, "fold", 1 << 16);
    assert_ok(fold_text(&arena, str_from_c(query), &folded));
    bool found = fold_contains(str_from_c(text), folded);
    arena_deinit(&arena);
    return found;
}

static void case_and_width_make_no_difference(void **state)
{
    (void)state;
    assert_true(finds("SKU-1001 Rose Tea", "rose"));
    assert_true(finds("sku-1001 rose tea", "ROSE TEA"));
    assert_true(finds("ＳＫＵ－１００１", "sku-1001"));
    assert_true(finds("sku-1001", "ＳＫＵ－１００１"));
    assert_true(finds("上海　静安店", "上海 静安"));
    assert_true(finds("门店Ａ～", "门店a~"));
    assert_true(finds("aaab", "aab"));
    assert_true(finds("anything", ""));
    assert_false(finds("SKU-1001", "1002"));
    assert_false(finds("上海静安店", "上海徐汇"));
    assert_false(finds("", "a"));
}

/* Bytes that only look like the beginning of a full-width form stand for themselves. */
static void what_is_cut_or_other_stands_for_itself(void **state)
{
    (void)state;
    assert_true(finds("x\xEF\xBC", "\xEF\xBC"));
    assert_true(finds("\xEF\xBD\x9F", "\xEF\xBD\x9F")); /* U+FF5F: no ASCII beside it */
    assert_false(finds("\xEF\xBD\x9F", "\x7F"));
    assert_true(finds("\xEF\xBC\x80", "\xEF\xBC\x80")); /* U+FF00 is none */
    assert_true(finds("é", "é"));
    assert_false(finds("É", "e"));
}

/* The same as folding both and looking for one in the other. */
static void agrees_with_folding_both(void **state)
{
    static const char *const pieces[] = { "a",  "B",  "ａ", "Ｂ", "　", " ",
                                          "店", "１", "1",  "～", "~",  "\xEF" };
    struct arena arena;
    unsigned seed = 7;
    (void)state;
    for (int round = 0; round < 5000; round++) {
        char text[64] = "", query[16] = "";
        for (int i = 0; i < 8; i++)
            strncat(text, pieces[(seed = seed * 1103515245u + 12345u) / 65536u % 12], 8);
        for (int i = 0; i < 2; i++)
            strncat(query, pieces[(seed = seed * 1103515245u + 12345u) / 65536u % 12], 8);
        str folded_text, folded_query;
        arena_init(&arena, "fold", 1 << 12);
        assert_ok(fold_text(&arena, str_from_c(text), &folded_text));
        assert_ok(fold_text(&arena, str_from_c(query), &folded_query));
        assert_int_equal(fold_contains(str_from_c(text), folded_query),
                         str_contains(folded_text, folded_query));
        arena_deinit(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_and_width_make_no_difference),
        cmocka_unit_test(what_is_cut_or_other_stands_for_itself),
        cmocka_unit_test(agrees_with_folding_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
