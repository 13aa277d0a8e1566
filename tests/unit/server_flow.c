/* SPDX-License-Identifier: Apache-2.0 */
/* N4: who is quiet beside a source that floods, and by what it is known before its bytes are looked at. */
#include "support/cmocka.h"

#include <string.h>

#include "server/inside.h"
#include "server/request.h"

static struct server server;

static struct request a_request(const char *authorization)
{
    struct request request;
    memset(&request, 0, sizeof request);
    request.server = &server;
    request.headers.authorization = str_from_c(authorization);
    return request;
}

/* Events of both in the same second, again and again, until one such second has been summed up. */
static void flood_beside(struct request *flood, uint32_t flood_events, struct request *quiet,
                         uint32_t quiet_events)
{
    for (int i = 0; i < 1000 && !flow_is_quiet(quiet); i++) {
        assert_true(flow_takes(flood, &(struct flow_source){ .number = 1 }, flood_events));
        assert_true(flow_takes(quiet, &(struct flow_source){ .number = 2 }, quiet_events));
        assert_true(flow_may_come(flood));
        steady_sleep_ms(10);
    }
}

static void test_who_brings_little_is_quiet(void **state)
{
    (void)state;
    assert_ok(flows_new(&server.flows));
    struct request flood = a_request("Basic flood"), quiet = a_request("Basic quiet");
    assert_int_equal(flow_source_known(&quiet), 0);
    assert_false(flow_is_quiet(&quiet)); /* nobody knows it yet */
    flood_beside(&flood, 1000, &quiet, 10);
    assert_true(flow_is_quiet(&quiet));
    assert_false(flow_is_quiet(&flood));
    assert_true(flow_is_loud(&flood));
    assert_false(flow_is_loud(&quiet));
    assert_int_equal(flow_source_known(&quiet), 2);
    assert_int_equal(flow_lane(&flood), 1);
    flows_free(&server.flows);
}

/* A source alone has nobody to be quiet beside. */
static void test_a_source_alone_is_not_quiet(void **state)
{
    (void)state;
    assert_ok(flows_new(&server.flows));
    struct request alone = a_request("Basic alone");
    for (int i = 0; i < 120; i++) { /* over the end of a second */
        assert_true(flow_takes(&alone, &(struct flow_source){ .number = 3 }, 1));
        assert_true(flow_may_come(&alone));
        assert_false(flow_is_quiet(&alone));
        assert_false(flow_is_loud(&alone));
        steady_sleep_ms(10);
    }
    flows_free(&server.flows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_brings_little_is_quiet),
        cmocka_unit_test(test_a_source_alone_is_not_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
