/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of docs/rules.md: each `json` block is a rule, a measure, or refused, as it is marked. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/oracle_world.h"

static str read_page(void)
{
    static char text[1 << 16];
    FILE *file = fopen(KITH_SOURCE_DIR "/docs/rules.md", "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text), file);
    fclose(file);
    assert_in_range(size, 1, sizeof(text) - 1);
    return str_from_bytes(text, size);
}

static void check_block(struct world *world, str mark, str block)
{
    struct rule *rule = NULL;
    enum rule_kind kind;
    struct problem problem = { 0 };
    json_value json = world_json(world, block);
    bool measure = str_equal(mark, STR("measure")), wrong = str_equal(mark, STR("wrong"));
    err error = measure ? rule_measure_new(&rule, json, &world->catalogue, &kind, &problem)
                        : rule_new(&rule, json, &world->catalogue, &problem);
    if ((error != ERR_OK) != wrong)
        fail_msg(STR_FMT "\n%s: %s (%s)", STR_ARG(block), err_code(error), problem.detail,
                 problem.hint);
    if (wrong)
        assert_true(problem.detail[0] != '\0');
    rule_free(&rule);
}

static void the_page_is_true(void **state)
{
    (void)state;
    struct world world;
    str rest = read_page(), line;
    size_t rules = 0, wrong = 0, measures = 0;
    world_open(&world, NULL);
    world_load(&world, STR("{\"customers\":[]}"));
    while (str_split(&rest, '\n', &line)) {
        str fence = STR("```json");
        if (!str_starts_with(line, fence))
            continue;
        str mark = str_trim(str_slice(line, fence.size, line.size));
        const char *begin = rest.data, *end = begin;
        while (str_split(&rest, '\n', &line) && !str_starts_with(line, STR("```")))
            end = line.data + line.size;
        check_block(&world, mark, str_from_bytes(begin, (size_t)(end - begin)));
        wrong += str_equal(mark, STR("wrong"));
        measures += str_equal(mark, STR("measure"));
        rules++;
    }
    print_message("%zu blocks\n", rules);
    assert_true(rules >= 20 && wrong >= 5 && measures >= 2);
    world_close(&world);
}

/* Every operator and measure of the language stands on the page. */
static void the_page_is_whole(void **state)
{
    (void)state;
    struct world world;
    struct buffer out;
    char word[64];
    str page = read_page();
    world_open(&world, NULL);
    buffer_init(&out, 1 << 20);
    rule_write_catalogue(&out);
    json_value root = world_json(&world, buffer_str(&out));
    static const char *const lists[][2] = { { "operators", "operator" },
                                            { "measures", "measure" } };
    for (size_t i = 0; i < 2; i++) {
        struct json_iterator iterator = json_iterate(json_get(root, str_from_c(lists[i][0])));
        json_value item;
        while (json_next(&iterator, NULL, &item)) {
            str name = json_text(json_get(item, str_from_c(lists[i][1])));
            snprintf(word, sizeof(word), "`" STR_FMT "`", STR_ARG(name));
            if (!str_contains(page, str_from_c(word)))
                fail_msg("docs/rules.md does not have %s", word);
        }
    }
    buffer_deinit(&out);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_true),
        cmocka_unit_test(the_page_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
