/* SPDX-License-Identifier: Apache-2.0 */
/* Running out of memory while the plan judges is told, and no event passes unjudged or is refused for it
 * (D6): the record is applied again by the next start, and then it gets the answer that it always gets. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "plan/plan.h"

#define NOW_MS INT64_C(1795284731504)

/* Judged in this order, by a lenient source and by a strict one. An integer beyond 64 bits makes the parser
 * write the text anew, which takes memory, too. */
static const struct {
    const char *type, *props;
    bool strict;
    enum plan_reason reason;
} cases[] = {
    { "Order Paid", "{\"order_id\":\"o1\",\"revenue\":5}", false, PLAN_FITS },
    { "Order Paid", "{\"order_id\":\"o1\",\"revenue\":\"many\"}", false, PLAN_WRONG_TYPE },
    { "Skin Shown", "{\"tone\":\"warm\",\"depth\":3}", false, PLAN_FITS },
    { "Skin Shown", "{\"tone\":\"warm\",\"depth\":3}", true, PLAN_FITS },
    { "Skin Shown", "{\"tone\":\"warm\",\"width\":3}", true, PLAN_UNKNOWN_PROPERTY },
    { "Skin Hidden", "{}", true, PLAN_UNKNOWN_EVENT },
    { "Far Counted", "{\"n\":100000000000000000000}", false, PLAN_FITS },
    { "Far Counted", "{\"n\":\"x\"}", true, PLAN_WRONG_TYPE },
    { "Far Counted", "[", false, PLAN_WRONG_TYPE },
};
#define CASES (sizeof cases / sizeof cases[0])

static char folder[64], path[80];
static struct ledger *ledger;
static struct ledger_writes *writes; /* never handed in */

static int set_up(void **state)
{
    struct problem problem = { .error = ERR_OK };
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/kith-plan-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ledger", folder);
    struct ledger_config config = { .path = path, .readers = 1 };
    if (ledger_open(&ledger, &config, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    writes = ledger_writes_new(ledger);
    return writes == NULL;
}

static int tear_down(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    (void)state;
    ledger_writes_free(&writes);
    ledger_close(&ledger);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char file[96];
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
    return rmdir(folder);
}

static err judge(struct plan *plan, str type, str props, bool strict, enum plan_reason *reason)
{
    static struct event_identifier user = { .type = { "user_id", 7 }, .value = { "u", 1 } };
    struct event event = { .kind = EVENT_TRACK,
                           .type = type,
                           .props = props,
                           .received_ms = NOW_MS,
                           .time_ms = NOW_MS,
                           .source_number = 1,
                           .identifier_count = 1,
                           .identifiers = &user };
    return plan_check(plan, &event, strict, writes, reason, NULL);
}

/* So many new names that all tables grow. */
static err learn_many(struct plan *plan)
{
    err error = ERR_OK;
    for (int i = 0; i < 400 && error == ERR_OK; i++) {
        char type[24], props[48];
        enum plan_reason reason;
        snprintf(type, sizeof type, "Event %d", i);
        snprintf(props, sizeof props, "{\"a%d\":1,\"b%d\":\"x\"}", i, i);
        error = judge(plan, str_from_c(type), str_from_c(props), false, &reason);
        if (error == ERR_OK)
            assert_int_equal(reason, PLAN_FITS);
    }
    return error;
}

/* All cases, until memory runs out; whatever got an answer got the right one. */
static err judge_all(struct plan *plan)
{
    err error = ERR_OK;
    for (size_t which = 0; which < CASES && error == ERR_OK; which++) {
        enum plan_reason reason;
        error = judge(plan, str_from_c(cases[which].type), str_from_c(cases[which].props),
                      cases[which].strict, &reason);
        if (error == ERR_OK)
            assert_int_equal(reason, cases[which].reason);
        else
            assert_int_equal(error, ERR_NOMEM);
    }
    return error == ERR_OK ? learn_many(plan) : error;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t failures = 0;
    bool all_passed = false;
    for (uint64_t nth = 1; !all_passed; nth++) {
        struct plan *plan = NULL;
        assert_true(nth < 100000);
        assert_int_equal(plan_new(&plan), ERR_OK);
        fault_arm(FAULT_MEMORY, nth, FAULT_FAIL, false);
        err error = judge_all(plan);
        all_passed = fault_count(FAULT_MEMORY) < nth;
        fault_disarm();
        failures += error != ERR_OK;
        plan_free(&plan);
        /* The next start: the same records, with memory. */
        assert_int_equal(plan_new(&plan), ERR_OK);
        assert_int_equal(judge_all(plan), ERR_OK);
        plan_free(&plan);
    }
    print_message("%u cases, %llu failures\n", (unsigned)CASES, (unsigned long long)failures);
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
