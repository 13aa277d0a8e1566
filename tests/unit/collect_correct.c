/* SPDX-License-Identifier: Apache-2.0 */
/* Correcting what is in quarantine: names, values, time; what must not change does not. */
#include "support/doors.h"

#include <string.h>

#define TRACK                                                                                           \
    "{\"batch\":[{\"type\":\"track\",\"event\":\"order paid!\",\"userId\":\"u1\",\"messageId\":\"m1\"," \
    "\"properties\":{\"orderId\":\"o1\",\"revenue\":\"9.90\",\"debug\":true,\"color\":\"red\"}}]}"

static int set_up(void **state)
{
    struct doors *doors = calloc(1, sizeof *doors);
    doors_open(doors, NULL);
    *state = doors;
    return 0;
}

static int tear_down(void **state)
{
    doors_close(*state);
    free(*state);
    return 0;
}

struct corrected {
    struct json_parser *parser;
    struct arena arena;
    struct buffer body, encoded;
    struct event event;
    struct problem problem;
};

static err correct(struct doors *doors, struct corrected *corrected, const char *correction)
{
    json_value root;
    assert_int_equal(doors_post(doors, "/v1/batch", BASIC_SHOP, TRACK), 200);
    assert_int_equal(doors->count, 1);
    arena_init(&corrected->arena, "test", (size_t)1 << 20);
    buffer_init(&corrected->body, EVENT_BYTES_MAX);
    buffer_init(&corrected->encoded, EVENT_BYTES_MAX);
    corrected->problem = (struct problem){ .error = ERR_OK };
    assert_ok(event_encode(&corrected->encoded, &doors->events[0], NULL));
    assert_ok(json_parser_new(&corrected->parser, 65536));
    assert_ok(json_parse(corrected->parser, str_from_c(correction), &root, NULL));
    err error = collect_correct(doors->worker, buffer_str(&corrected->encoded), root,
                                &corrected->body, &corrected->problem);
    if (error == ERR_OK)
        assert_ok(
            event_decode(buffer_str(&corrected->body), &corrected->arena, &corrected->event, NULL));
    return error;
}

static void drop(struct corrected *corrected)
{
    json_parser_free(&corrected->parser);
    buffer_deinit(&corrected->body);
    buffer_deinit(&corrected->encoded);
    arena_deinit(&corrected->arena);
}

static void test_names_values_and_time(void **state)
{
    struct doors *doors = *state;
    struct corrected corrected;
    uint8_t key[16];
    assert_ok(correct(doors, &corrected,
                      "{\"event\":\"Order Paid\",\"time\":\"2026-06-18T20:00:00+08:00\","
                      "\"rename\":{\"orderId\":\"order_id\"},\"set\":{\"revenue\":9.9},"
                      "\"remove\":[\"debug\"]}"));
    memcpy(key, doors->events[0].message_key, sizeof key);
    const struct event *event = &corrected.event;
    assert_str_equal(event->type, STR("Order Paid"));
    assert_int_equal(event->time_ms, INT64_C(1781784000000));
    assert_str_equal(event->props, STR("{\"order_id\":\"o1\",\"color\":\"red\",\"revenue\":9.9}"));
    assert_str_equal(event->promoted_text[PROMOTED_ORDER_ID], STR("o1"));
    assert_int_equal(event->promoted_int[PROMOTED_REVENUE], 990);
    assert_memory_equal(event->message_key, key, sizeof key);
    assert_int_equal(event->identifier_count, 1);
    assert_str_equal(event->identifiers[0].value, STR("u1"));
    drop(&corrected);
}

static void test_what_is_set_is_sealed(void **state)
{
    struct corrected corrected;
    assert_ok(correct(*state, &corrected, "{\"set\":{\"receiver_phone\":\"13977788899\"}}"));
    assert_true(str_contains(corrected.event.props, STR("$sealed")));
    assert_false(str_contains(buffer_str(&corrected.body), STR("13977788899")));
    drop(&corrected);
}

static void test_wrong_corrections_are_named(void **state)
{
    struct corrected corrected;
    assert_err(correct(*state, &corrected, "{\"rename\":[\"a\"]}"), ERR_UNPROCESSABLE);
    assert_string_equal(corrected.problem.pointer, "/correction/rename");
    drop(&corrected);
    assert_err(correct(*state, &corrected, "{\"time\":\"yesterday\"}"), ERR_UNPROCESSABLE);
    assert_string_equal(corrected.problem.pointer, "/correction/time");
    drop(&corrected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names_values_and_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_set_is_sealed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_corrections_are_named, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
