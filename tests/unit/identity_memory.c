/* SPDX-License-Identifier: Apache-2.0 */
/* Running out of memory at any allocation is an error, never a crash, a leak, or a broken structure: each
 * allocation of a small life is made to fail in turn (D6). Leaks are found by AddressSanitizer. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "support/people.h"

static const char *const words[] = {
    "user_id=ann mobile=P1! anonymous_id=a1",
    "user_id=bob mobile=P2! device=d1",
    "loyalty=L1 anonymous_id=a2",
    "wx_unionid=w1",
    "user_id=ann wx_unionid=w1 anonymous_id=a2",
    "user_id=bob mobile=P1!",
    "user_id=cat mobile=P1! device=d1",
    "user_id=dan mobile=P1!",
    "wx_unionid=w1 mobile=P1!",
};
#define WORDS (sizeof(words) / sizeof(*words))

/* Like says(), but what fails is told. */
static err say(struct identity *identity, const char *text, uint64_t seq)
{
    char copy[256], *rest = NULL;
    struct event_identifier identifiers[4];
    uint32_t count = 0;
    struct identity_outcome outcome;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        uint8_t flags = strchr(value, '!') != NULL ? IDENTIFIER_VERIFIED : 0;
        if (flags != 0)
            *strchr(value, '!') = '\0';
        identifiers[count++] = people_identifier(word, "", value, flags);
    }
    people_sort(identifiers, count);
    struct event event = { .seq = seq,
                           .received_ms = PEOPLE_START_MS + (int64_t)seq * 1000,
                           .time_ms = PEOPLE_START_MS,
                           .kind = EVENT_TRACK,
                           .flags = EVENT_TRUSTED,
                           .source_number = 1,
                           .identifier_count = count,
                           .identifiers = identifiers };
    return identity_resolve(identity, &event, NULL, &outcome);
}

static err live(struct identity *identity, struct json_parser *parser)
{
    struct problem problem;
    json_value body;
    uint32_t a, b;
    err error = ERR_OK;
    for (size_t i = 0; i < WORDS && error == ERR_OK; i++)
        error = say(identity, words[i], i + 1);
    if (error != ERR_OK)
        return error;
    if (json_parse(parser, STR("{\"blocked\":[\"x\"],\"blocked_patterns\":[\"^y\"],\"label\":{}}"),
                   &body, &problem) == ERR_OK)
        error = identity_put_type(identity, STR("member_card"), body, NULL, &problem);
    if (error == ERR_OK)
        error = identity_split(identity, 1, 20, PEOPLE_START_MS, 1, NULL, &a, &b, &problem);
    if (error == ERR_OK)
        error = identity_merge(identity, 2, 4, 21, PEOPLE_START_MS, 1, NULL, &problem);
    return error;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct json_parser *parser;
    uint64_t failures = 0;
    bool all_passed = false;
    assert_ok(json_parser_new(&parser, 4096));
    for (uint64_t nth = 1; !all_passed; nth++) {
        struct identity *identity = NULL;
        struct problem problem = { .error = ERR_OK };
        assert_true(nth < 10000);
        fault_arm(FAULT_MEMORY, nth, FAULT_FAIL, false);
        err error = identity_new(&identity);
        if (error == ERR_OK)
            error = live(identity, parser);
        all_passed = fault_count(FAULT_MEMORY) < nth;
        fault_disarm();
        if (identity != NULL && error == ERR_OK && identity_check(identity, &problem) != ERR_OK)
            fail_msg("allocation %llu: %s", (unsigned long long)nth, problem.detail);
        assert_true(error == ERR_OK || error == ERR_NOMEM || error == ERR_UNPROCESSABLE);
        failures += error != ERR_OK;
        identity_free(&identity);
    }
    assert_true(failures > 40);
    json_parser_free(&parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
