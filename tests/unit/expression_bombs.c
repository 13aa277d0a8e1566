/* SPDX-License-Identifier: Apache-2.0 */
/* N10: more than 1,000 bombs by chance, of every language that somebody may write in: rules, expressions of a mapping, templates.
 * Nested thousands deep, patterns that explode, lists of a million, division by nothing, numbers at their ends. Each is refused
 * with the reason, or is answered within the bounds that its language has; what stands beside it is answered as before.
 *
 * KITH_SEED and KITH_CASES make other and more of them; a failure prints the seed and the bomb. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/mapper.h"
#include "support/oracle_world.h"
#include "template/template.h"

#define EVENTS 400
#define BOMB_BYTES_MAX ((size_t)32 << 20)

static struct random_stream dice;
static struct buffer bomb;

static size_t below(size_t limit)
{
    return (size_t)random_below(&dice, limit);
}

/* As many of each order of magnitude. */
static size_t about(size_t limit)
{
    size_t count = 1;
    while (count * 10 <= limit && below(4) != 0)
        count *= 10;
    size_t drawn = count + below(count * 9);
    return drawn < limit ? drawn : limit;
}

static void put(const char *text)
{
    buffer_append_str(&bomb, str_from_c(text));
}

static void put_times(const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        put(text);
}

static const char *const ends[] = {
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854.775807",
    "18446744073709551615",
    "99999999999999999999999",
    "1e308",
    "-1e-308",
    "0.0000001",
    "-0",
};

static const char *end_of_numbers(void)
{
    return ends[below(sizeof ends / sizeof ends[0])];
}

/* Repetitions of repetitions, alternatives that say the same, and what can never match at the end. */
static void put_pattern(size_t depth)
{
    static const char *const hearts[] = { "a", "a|a", "a|aa", "a*", ".*", "[a-z]+", "a{1,40}" };
    static const char *const again[] = { "+", "*", "{1,60}", "{2,}", "+?" };
    static const char *const tails[] = { "$", "b", "!!", "x{50}$", "" };
    static const char *const looks[] = { "(?=a*)", "(?<=a)", "(a)\\\\1", "(?R)?", "(?:)" };
    put(below(3) == 0 ? "^" : "");
    put_times("(", depth);
    put(hearts[below(7)]);
    for (size_t i = 0; i < depth; i++) {
        put(")");
        put(again[below(5)]);
    }
    put(below(4) == 0 ? looks[below(5)] : "");
    put_times("(a?)", below(3) == 0 ? 40 : 0);
    put_times(".*", below(3) * 4);
    put(tails[below(5)]);
}

/* ---- rules ---- */

static struct world world;

static int open_world(void **state)
{
    (void)state;
    struct buffer json;
    buffer_init(&json, 1 << 20);
    world_open(&world, NULL);
    buffer_printf(&json,
                  "{\"customers\":[{\"traits\":{\"city\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\",\"age\":3},\"events\":[");
    for (int i = 0; i < EVENTS; i++)
        buffer_printf(&json,
                      "%s{\"type\":\"%s\",\"channel\":\"web\",\"time\":%" PRId64
                      ",\"seq\":%d,\"node\":0,\"props\":{\"revenue\":%s}}",
                      i == 0 ? "" : ",", i % 2 == 0 ? "Order Paid" : "Product Added",
                      INT64_C(1700000000000) + i, i + 1,
                      i % 5 == 0 ? "-9223372036854775807" : "9223372036854775807");
    buffer_printf(&json, "]}]}");
    world_load(&world, buffer_str(&json));
    buffer_deinit(&json);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void put_deep_rule(void)
{
    size_t depth = about(10000);
    if (below(2) == 0) {
        put_times("{\"not\":", depth);
        put("{\"segment\":\"vip\"}");
        put_times("}", depth);
        return;
    }
    for (size_t i = 0; i < depth; i++)
        put(i % 2 == 0 ? "{\"all\":[" : "{\"any\":[{\"segment\":\"vip\"},");
    put("{\"segment\":\"vip\"}");
    put_times("]}", depth);
}

static void put_long_rule(void)
{
    size_t count = about(1000000);
    if (below(3) == 0) {
        put("{\"any\":[{\"segment\":\"vip\"}");
        put_times(",{\"trait\":\"age\",\"gt\":1}", count / 10);
        put("]}");
        return;
    }
    put(below(2) == 0 ? "{\"trait\":\"city\",\"in\":[\"x\"" : "{\"event\":[\"*\"");
    for (size_t i = 0; i < count; i++)
        buffer_printf(&bomb, ",\"v%zu\"", i);
    put("]}");
}

static void put_pattern_rule(void)
{
    put("{\"trait\":\"city\",\"matches\":\"");
    put_pattern(1 + about(300));
    put("\"}");
}

static void put_number_rule(void)
{
    static const char *const measures[] = {
        "sum", "avg", "min", "max", "count", "days", "distinct"
    };
    static const char *const orders[] = { "gt", "lte", "eq", "ne" };
    switch (below(5)) {
    case 0:
        buffer_printf(&bomb, "{\"trait\":\"age\",\"%s\":%s}", orders[below(4)], end_of_numbers());
        break;
    case 1:
        buffer_printf(&bomb,
                      "{\"event\":\"Order Paid\",\"measure\":\"%s\",\"of\":\"revenue\",\"%s\":%s}",
                      measures[below(7)], orders[below(4)], end_of_numbers());
        break;
    case 2:
        buffer_printf(&bomb, "{\"event\":\"*\",\"last\":\"%s%c\"}", end_of_numbers(),
                      "smhdwMy"[below(7)]);
        break;
    case 3:
        buffer_printf(&bomb, "{\"event\":\"*\",\"nth\":%s}", end_of_numbers());
        break;
    default: /* the average of nothing */
        buffer_printf(&bomb,
                      "{\"event\":\"App Opened\",\"measure\":\"%s\",\"of\":\"duration\",\"%s\":%s}",
                      measures[below(7)], orders[below(4)], end_of_numbers());
    }
}

static void put_sequence_rule(void)
{
    size_t steps = 1 + about(2000);
    put("{\"sequence\":[{\"event\":\"*\"}");
    for (size_t i = 0; i < steps; i++)
        put(below(3) == 0 ? ",{\"event\":\"*\",\"within\":\"3660d\"}"
                          : ",{\"event\":\"Order Paid\"}");
    put(",{\"event\":\"Product Viewed\"}]}");
}

static void (*const rule_bombs[])(void) = {
    put_deep_rule, put_long_rule, put_pattern_rule, put_number_rule, put_sequence_rule,
};

static void told_clearly(const struct problem *problem, uint64_t seed)
{
    if (problem->detail[0] == '\0')
        fail_msg("seed %" PRIu64 ": %s without a reason, %zu bytes: %.*s", seed,
                 err_code(problem->error), bomb.size, (int)(bomb.size < 400 ? bomb.size : 400),
                 bomb.data);
}

/* True if it is a rule; then it has been judged. */
static bool rule_goes_off(uint64_t seed)
{
    json_value json;
    struct rule *rule;
    struct problem problem = { 0 };
    struct history_view view;
    struct rule_answer answer;
    if (json_parse(world.rules, buffer_str(&bomb), &json, &problem) != ERR_OK ||
        rule_new(&rule, json, &world.catalogue, &problem) != ERR_OK) {
        told_clearly(&problem, seed);
        return false;
    }
    history_read_begin(world.reader);
    history_view_customer(world.reader, world_number(0), &view);
    rule_answer(world.judge, rule, world_number(0), &view, world_facts(&world, 0),
                INT64_C(1700000100000), &answer);
    history_read_end(world.reader);
    assert_ok(rule_judge_status(world.judge));
    rule_free(&rule);
    return true;
}

/* ---- expressions of a mapping ---- */

static struct mapper *mapper;

static void put_expression(void)
{
    static const char *const signs[] = { "+", "-", "*", "/" };
    size_t depth;
    switch (below(5)) {
    case 0:
        depth = about(6000);
        put_times(below(2) == 0 ? "(" : "abs(", depth);
        put("1");
        put_times(")", depth);
        break;
    case 1:
        put(end_of_numbers());
        for (size_t i = about(3000); i > 0; i--)
            buffer_printf(&bomb, " %s %s", signs[below(4)], below(3) == 0 ? "0" : end_of_numbers());
        break;
    case 2:
        put("matches([a], `");
        put_pattern(1 + about(200));
        put("`)");
        break;
    case 3: /* a text ten times as long each time */
        depth = below(20) == 0 ? 50 : 1 + below(4);
        put_times("concat(replace(", depth);
        put("[a]");
        put_times(", `a`, `aaaaaaaaaa`), `a`)", depth);
        break;
    default:
        buffer_printf(&bomb, "%s([n], %s)", below(2) == 0 ? "round" : "substring",
                      end_of_numbers());
    }
}

static bool expression_goes_off(uint64_t seed)
{
    struct buffer json;
    buffer_init(&json, 1 << 20);
    buffer_append_str(
        &json, STR("{\"kind\":\"events\",\"event\":\"E\",\"time\":{\"constant\":\"2024-01-05\"},"
                   "\"identifiers\":[{\"type\":\"user_id\",\"column\":\"id\"}],"
                   "\"properties\":{\"x\":"));
    json_write_text(&json, buffer_str(&bomb));
    buffer_append_str(&json, STR("}}"));
    buffer_append_byte(&json, 0);
    mapper_forget(mapper);
    memset(&mapper->problem, 0, sizeof mapper->problem);
    err error = mapper_compile(mapper, json.data, "id|a|n");
    buffer_deinit(&json);
    if (error != ERR_OK) {
        told_clearly(&mapper->problem, seed);
        return false;
    }
    assert_ok(
        mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context, &mapper->problem));
    assert_ok(
        mapper_row(mapper, "u1|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!|7"));
    assert_int_equal(mapper->event_count + mapper->refused_count, 1);
    return true;
}

/* ---- templates ---- */

static void put_template(void)
{
    size_t depth = about(3000);
    switch (below(4)) {
    case 0:
        put_times("{% if customer.a == \"x\" %}", depth);
        put("x");
        put_times("{% endif %}", depth);
        break;
    case 1: /* loops in loops over a list of a hundred */
        depth = 1 + below(8);
        for (size_t i = 0; i < depth; i++)
            buffer_printf(&bomb, "{%% for i%zu in customer.list %%}", i);
        put("{{ i0 }}");
        put_times("{% endfor %}", depth);
        break;
    case 2:
        put("{{ customer.a");
        put_times(" | append: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", depth);
        put(" }}");
        break;
    default:
        buffer_printf(&bomb, "{{ customer.n | %s: %s }}", below(2) == 0 ? "divided_by" : "times",
                      below(2) == 0 ? "0" : end_of_numbers());
    }
}

static json_value hundred;

static void value_of(void *context, str path, struct template_value *value)
{
    (void)context;
    if (str_equal(path, STR("customer.list")))
        *value = (struct template_value){ .kind = TEMPLATE_JSON, .json = hundred };
    else if (str_equal(path, STR("customer.n")))
        *value = (struct template_value){ .kind = TEMPLATE_NUMBER, .number = INT64_MAX };
    else
        *value = (struct template_value){ .kind = TEMPLATE_TEXT, .text = STR("x") };
}

static bool template_goes_off(uint64_t seed)
{
    struct template *template;
    struct problem problem = { 0 };
    struct template_values values = { .get = value_of, .now_ms = NOW_MS, .locale = STR("zh") };
    struct buffer out;
    if (template_new(&template, buffer_str(&bomb), TEMPLATE_PLAIN, &problem) != ERR_OK) {
        told_clearly(&problem, seed);
        return false;
    }
    buffer_init(&out, (size_t)4 << 20);
    if (template_render(template, &values, &out, &problem) != ERR_OK)
        told_clearly(&problem, seed);
    assert_true(out.size <= TEMPLATE_BYTES_MAX);
    buffer_deinit(&out);
    template_free(&template);
    return true;
}

/* ---- all ---- */

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *given = getenv(name);
    int64_t value;
    return given != NULL && str_to_int64(str_from_c(given), &value) ? (uint64_t)value : otherwise;
}

/* Each has a seed of its own, so that one of them can be had again. Both outcomes have to come. */
static void set_off(const char *what, void (*const *makers)(void), size_t count,
                    bool (*goes_off)(uint64_t seed))
{
    uint64_t first = from_environment("KITH_SEED", 20261111);
    uint64_t cases = from_environment("KITH_CASES", 400), taken = 0;
    for (uint64_t seed = first; seed < first + cases; seed++) {
        random_seed(&dice, seed);
        buffer_clear(&bomb);
        makers[below(count)]();
        assert_ok(buffer_status(&bomb));
        taken += goes_off(seed);
    }
    print_message("%s: seed %" PRIu64 ", %" PRIu64 " bombs, %" PRIu64 " answered\n", what, first,
                  cases, taken);
    assert_true(taken > cases / 20 && taken < cases - cases / 20);
}

static void rules_are_refused_or_answered(void **state)
{
    (void)state;
    set_off("rules", rule_bombs, sizeof rule_bombs / sizeof rule_bombs[0], rule_goes_off);
    assert_true(
        world_holds(&world, 0, "{\"event\":\"Order Paid\",\"gte\":200}", INT64_C(1700000100000)));
    assert_false(
        world_holds(&world, 0, "{\"event\":\"Order Paid\",\"gt\":200}", INT64_C(1700000100000)));
}

static void expressions_are_refused_or_answered(void **state)
{
    (void)state;
    static void (*const makers[])(void) = { put_expression };
    mapper = calloc(1, sizeof *mapper);
    mapper_open(mapper);
    set_off("expressions", makers, 1, expression_goes_off);
    mapper_close(mapper);
    free(mapper);
}

static void templates_are_refused_or_answered(void **state)
{
    (void)state;
    static void (*const makers[])(void) = { put_template };
    struct json_parser *parser;
    struct buffer list;
    buffer_init(&list, 1 << 16);
    buffer_append_byte(&list, '[');
    for (int i = 0; i < 100; i++)
        buffer_printf(&list, "%s%d", i == 0 ? "" : ",", i);
    buffer_append_byte(&list, ']');
    assert_ok(json_parser_new(&parser, 1 << 16));
    assert_ok(json_parse(parser, buffer_str(&list), &hundred, NULL));
    set_off("templates", makers, 1, template_goes_off);
    json_parser_free(&parser);
    buffer_deinit(&list);
}

int main(void)
{
    buffer_init(&bomb, BOMB_BYTES_MAX);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_are_refused_or_answered, open_world, close_world),
        cmocka_unit_test(expressions_are_refused_or_answered),
        cmocka_unit_test(templates_are_refused_or_answered),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buffer_deinit(&bomb);
    return failed;
}
