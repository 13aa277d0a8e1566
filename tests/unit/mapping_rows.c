/* SPDX-License-Identifier: Apache-2.0 */
/* From rows to events: what a mapping says is what comes out, or a refusal that names the place. */
#include "support/mapper.h"

static struct mapper *mapper;

static int set_up(void **state)
{
    mapper = calloc(1, sizeof *mapper);
    mapper_open(mapper);
    *state = mapper;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mapper_close(mapper);
    free(mapper);
    return 0;
}

#define PAID                                                                                         \
    "{'kind':'events','channel':'pos','currency':'CNY','event':'Order Paid','key':'[单号]',"       \
    "'time':'[时间]','identifiers':[{'type':'member_card','namespace':'vip','column':'卡号'},"   \
    "{'type':'mobile','column':'手机'}],'properties':{'order_id':'[单号]','revenue':'[金额]'," \
    "'store_id':{'constant':'S1'},'receiver_name':'[收货人]'}}"
#define PAID_COLUMNS "单号|时间|卡号|手机|金额|收货人"

static void a_row_becomes_an_event(void **state)
{
    (void)state;
    mapper_start(mapper, PAID, PAID_COLUMNS);
    assert_ok(mapper_row(mapper, "A1|2024-01-05 08:03:01|C9|139 1234 0007|￥1,234.50|张三"));
    assert_int_equal(mapper->refused_count, 0);
    assert_int_equal(mapper->event_count, 1);
    assert_string_equal(
        mapper->events[0],
        "track|Order Paid|2024-01-05T00:03:01.000Z|pos|member_card:vip:C9,mobile::+8613912340007|"
        "{\"order_id\":\"A1\",\"revenue\":1234.5,\"store_id\":\"S1\",\"receiver_name\":<张三>,"
        "\"currency\":\"CNY\"}");
    assert_int_equal(mapper->revenue[0], 123450);
    assert_int_equal(mapper->first_rows[0], 1);
    assert_int_equal(mapping_resume_row(mapper->worker), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_becomes_an_event, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
