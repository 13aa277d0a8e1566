/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and tags move with the record that moves them, and with time; definitions are guarded. */
#include "unit/audience_house.h"

static void test_event_moves(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = false };
    small_make(&house);
    uint32_t ann = small_say(
        &house, &(struct small_event){
                    .type = "Order Paid", .user = "ann", .order = "o1", .revenue = 50000 });
    uint32_t bob = small_say(&house, &(struct small_event){ .type = "Page Viewed", .user = "bob" });
    small_put_segment(&house, "{\"key\":\"buyers\",\"rule\":{\"event\":\"Order Paid\","
                              "\"measure\":\"count\",\"gte\":1}}");
    small_put_segment(&house, "{\"key\":\"recent\",\"rule\":{\"event\":\"Order Paid\","
                              "\"measure\":\"count\",\"last\":\"7d\",\"gte\":1}}");
    small_put_segment(&house, "{\"key\":\"lapsed\",\"rule\":{\"all\":[{\"segment\":\"buyers\"},"
                              "{\"not\":{\"segment\":\"recent\"}}]}}");
    small_install(&house);
    assert_true(small_is_in(&house, "buyers", ann));
    assert_true(small_is_in(&house, "recent", ann));
    assert_false(small_is_in(&house, "lapsed", ann));
    assert_int_equal(small_count(&house, "buyers"), 1);

    small_say(&house, &(struct small_event){
                          .type = "Order Paid", .user = "bob", .order = "o2", .revenue = 100 });
    assert_true(small_is_in(&house, "buyers", bob));
    assert_true(small_is_in(&house, "recent", bob));

    /* a week on, time alone moves them, and what depends on it */
    small_tick(&house, HOUSE_NOW + 7 * DAY_MS - MINUTE_MS);
    assert_true(small_is_in(&house, "recent", ann));
    small_tick(&house, HOUSE_NOW + 7 * DAY_MS + MINUTE_MS);
    assert_false(small_is_in(&house, "recent", ann));
    assert_true(small_is_in(&house, "lapsed", ann));
    assert_int_equal(small_count(&house, "lapsed"), 2);
    small_remove(&house);
}

static void test_traits_and_consents(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = true };
    char text[512];
    small_make(&house);
    uint32_t ann = small_say(
        &house, &(struct small_event){ .type = "Signed Up", .user = "ann", .city = "shanghai" });
    small_put_segment(&house, "{\"key\":\"east\",\"rule\":{\"trait\":\"city\",\"in\":[\"shanghai\","
                              "\"hangzhou\"]}}");
    small_put_segment(&house, "{\"key\":\"known\",\"rule\":{\"has\":\"mobile\"}}");
    small_put_tag(&house, "{\"key\":\"region\",\"values\":["
                          "{\"value\":\"east\",\"rule\":{\"segment\":\"east\"}},"
                          "{\"value\":\"other\",\"rule\":{\"trait\":\"city\",\"is_set\":true}}]}");
    small_install(&house);
    small_customer(&house, ann, text, sizeof text);
    assert_string_equal(text, "{\"tags\":{\"region\":\"east\"},\"segments\":[\"east\"]}");
    small_say(&house,
              &(struct small_event){
                  .type = "Moved", .user = "ann", .city = "chengdu", .mobile = "+8613800000001" });
    small_customer(&house, ann, text, sizeof text);
    assert_string_equal(text, "{\"tags\":{\"region\":\"other\"},\"segments\":[\"known\"]}");
    small_restart(&house);
    small_customer(&house, ann, text, sizeof text);
    assert_string_equal(text, "{\"tags\":{\"region\":\"other\"},\"segments\":[\"known\"]}");
    small_say(&house, &(struct small_event){ .type = "Moved", .user = "ann", .city = "hangzhou" });
    small_customer(&house, ann, text, sizeof text);
    assert_string_equal(text, "{\"tags\":{\"region\":\"east\"},\"segments\":[\"east\",\"known\"]}");
    small_remove(&house);
}

static void test_merge_and_split(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = false };
    small_make(&house);
    uint32_t visitor = small_say(&house, &(struct small_event){ .type = "Order Paid",
                                                                .mobile = "+8613800000002",
                                                                .order = "o1",
                                                                .revenue = 100 });
    uint32_t ann =
        small_say(&house, &(struct small_event){
                              .type = "Order Paid", .user = "ann", .order = "o2", .revenue = 200 });
    small_put_segment(&house, "{\"key\":\"twice\",\"rule\":{\"event\":\"Order Paid\","
                              "\"measure\":\"count\",\"gte\":2}}");
    small_put_segment(&house, "{\"key\":\"hand\",\"kind\":\"static\"}");
    small_install(&house);
    char body[128];
    snprintf(body, sizeof body, "{\"key\":\"hand\",\"add\":[%u,99999]}", ann);
    assert_ok(small_command(&house, audience_change_members, body, NULL));
    assert_true(small_is_in(&house, "hand", ann));
    assert_int_equal(small_count(&house, "twice"), 0);

    uint32_t both = small_say(
        &house,
        &(struct small_event){ .type = "Signed In", .user = "ann", .mobile = "+8613800000002" });
    assert_int_equal(both, visitor);
    assert_true(small_is_in(&house, "twice", both));
    assert_true(small_is_in(&house, "hand", both));
    assert_false(small_is_in(&house, "hand", ann));

    uint32_t a, b, nodes[16];
    house.seq++;
    assert_ok(identity_split(house.identity, identity_merge_count(house.identity), house.seq,
                             house.now_ms, 1, house.writes, &a, &b, &house.problem));
    assert_ok(history_group(house.history, nodes, identity_nodes(house.identity, a, nodes, 16)));
    assert_ok(history_group(house.history, nodes, identity_nodes(house.identity, b, nodes, 16)));
    assert_ok(audience_customer_changed(house.audience, a, small_moment(&house)));
    assert_ok(audience_customer_changed(house.audience, b, small_moment(&house)));
    assert_int_equal(small_count(&house, "twice"), 0);
    assert_true(small_is_in(&house, "hand", ann));
    assert_false(small_is_in(&house, "hand", visitor));
    small_remove(&house);
}

static void test_guards(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = false };
    small_make(&house);
    small_say(&house, &(struct small_event){
                          .type = "Order Paid", .user = "ann", .order = "o1", .revenue = 1 });
    small_put_segment(&house, "{\"key\":\"a\",\"rule\":{\"event\":\"Order Paid\"}}");
    small_put_segment(&house, "{\"key\":\"b\",\"rule\":{\"segment\":\"a\"}}");
    small_install(&house);
    assert_int_equal(small_command(&house, audience_delete_segment, "{\"key\":\"a\"}", NULL),
                     ERR_CONFLICT);
    assert_non_null(strstr(house.problem.detail, "segment 'b'"));
    assert_int_equal(small_command(&house, audience_put_segment,
                                   "{\"key\":\"a\",\"rule\":{\"segment\":\"b\"}}", NULL),
                     ERR_UNPROCESSABLE);
    assert_int_equal(small_command(&house, audience_put_segment,
                                   "{\"key\":\"c\",\"rule\":{\"segment\":\"nobody\"}}", NULL),
                     ERR_UNPROCESSABLE);
    assert_non_null(strstr(house.problem.pointer, "/rule"));
    assert_int_equal(small_command(&house, audience_put_segment,
                                   "{\"key\":\"Bad Key\",\"rule\":{\"segment\":\"a\"}}", NULL),
                     ERR_UNPROCESSABLE);
    assert_int_equal(small_command(&house, audience_delete_segment, "{\"key\":\"b\"}", NULL),
                     ERR_OK);
    assert_int_equal(small_command(&house, audience_delete_segment, "{\"key\":\"a\"}", NULL),
                     ERR_OK);
    assert_int_equal(small_command(&house, audience_delete_segment, "{\"key\":\"a\"}", NULL),
                     ERR_NOT_FOUND);
    small_restart(&house);
    assert_int_equal(audience_number(house.audience, AUDIENCE_SEGMENT, STR("a")), 0);
    small_remove(&house);
}

/* One event leaves the window, another comes into it, within one minute: whoever settled her between them, the next tick knows of
 * which moment that was. */
static void test_within_a_minute(void **state)
{
    (void)state;
    for (int by_tick = 0; by_tick < 2; by_tick++) {
        struct small_house house = { 0 };
        int64_t minute_ms = HOUSE_NOW + 2 * HOUR_MS;
        small_make(&house);
        house.now_ms = HOUSE_NOW + 10000;
        uint32_t one =
            small_say(&house, &(struct small_event){ .type = "Product Viewed", .user = "u1" });
        small_say(&house, &(struct small_event){ .type = "Product Viewed",
                                                 .user = "u1",
                                                 .time_ms = minute_ms + 40000 });
        small_put_segment(&house, "{\"key\":\"once\",\"rule\":{\"event\":\"Product Viewed\","
                                  "\"last\":\"2h\",\"measure\":\"count\",\"eq\":1}}");
        small_install(&house);
        small_tick(&house, minute_ms + 5000);
        assert_true(small_is_in(&house, "once", one));
        house.now_ms = minute_ms + 20000;
        if (by_tick)
            small_tick(&house, house.now_ms);
        else
            small_say(&house, &(struct small_event){ .type = "Page Viewed", .user = "u1" });
        assert_false(small_is_in(&house, "once", one));
        small_tick(&house, minute_ms + MINUTE_MS + 5000);
        assert_true(small_is_in(&house, "once", one));
        small_remove(&house);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_moves),     cmocka_unit_test(test_traits_and_consents),
        cmocka_unit_test(test_merge_and_split), cmocka_unit_test(test_guards),
        cmocka_unit_test(test_within_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
