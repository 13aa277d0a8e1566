/* SPDX-License-Identifier: Apache-2.0 */
/* Running out of memory at any allocation is an error, never a crash or a leak (D6). */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "profile/profile.h"

static err say(struct profile *profile, uint64_t seq, const char *name,
               enum trait_operation operation, const char *value)
{
    struct event_trait trait = { .name = str_from_c(name),
                                 .operation = operation,
                                 .value = str_from_c(value) };
    struct event event = { .seq = seq,
                           .time_ms = (int64_t)seq,
                           .kind = EVENT_IDENTIFY,
                           .source_number = 1,
                           .trait_count = 1,
                           .traits = &trait };
    return profile_apply(profile, &event, 1 + (uint32_t)seq % 3, NULL);
}

static err observe(struct profile *profile, uint64_t seq)
{
    char order[16];
    snprintf(order, sizeof(order), "o%llu", (unsigned long long)seq);
    struct profile_observation row = { .node = 1 + (uint32_t)seq % 3,
                                       .seq = seq,
                                       .time_ms = (int64_t)seq,
                                       .type = STR("Order Paid"),
                                       .order_id = str_from_c(order),
                                       .currency = STR("CNY"),
                                       .revenue = 5,
                                       .total = 5 };
    return profile_observe(profile, &row);
}

static err look(struct profile *profile)
{
    static const uint32_t nodes[] = { 1, 2, 3 };
    struct profile_summary summary;
    struct json_writer writer;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    json_writer_init(&writer, &out);
    json_begin_object(&writer);
    profile_write(profile, nodes, 3, true, &writer);
    json_end_object(&writer);
    profile_summarise(profile, nodes, 3, &summary);
    err error = buffer_status(&out);
    buffer_deinit(&out);
    return error;
}

static err live(struct profile *profile)
{
    err error = ERR_OK;
    for (uint64_t seq = 1; seq <= 60 && error == ERR_OK; seq++) {
        error = say(profile, seq, "city", TRAIT_SET, "\"上海\"");
        if (error == ERR_OK)
            error = say(profile, seq, "visits", TRAIT_INCREMENT, "1");
        if (error == ERR_OK)
            error = say(profile, seq, "tags", TRAIT_APPEND, "[\"a\",\"b\",3]");
        if (error == ERR_OK)
            error = observe(profile, seq);
    }
    if (error == ERR_OK)
        error = profile_put_consent(
            profile, 1,
            &(struct profile_decision){ STR("sms"), true, 1, 1, 1, 0, STR(""), STR("") }, NULL);
    return error == ERR_OK ? look(profile) : error;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t failures = 0;
    bool all_passed = false;
    for (uint64_t nth = 1; !all_passed; nth++) {
        struct profile *profile = NULL;
        assert_true(nth < 100000);
        fault_arm(FAULT_MEMORY, nth, FAULT_FAIL, false);
        err error = profile_new(&profile);
        if (error == ERR_OK)
            error = live(profile);
        all_passed = fault_count(FAULT_MEMORY) < nth;
        fault_disarm();
        assert_true(error == ERR_OK || error == ERR_NOMEM || error == ERR_TOO_LARGE);
        failures += error != ERR_OK;
        profile_free(&profile);
    }
    assert_true(failures > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
