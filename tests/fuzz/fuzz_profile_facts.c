/* SPDX-License-Identifier: Apache-2.0 */
/* The facts of a node (table TRAITS): any bytes are refused or read; what is read writes to bytes that read
 * to the same facts; keeping twice is keeping once; every trait can be viewed by every precedence. */
#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

static struct profile *profile;
static struct facts facts, again;
static struct buffer first, second, value;

static void set_up(void)
{
    INVARIANT(profile_new(&profile) == ERR_OK);
    buffer_init(&first, (size_t)8 << 20);
    buffer_init(&second, (size_t)8 << 20);
    buffer_init(&value, (size_t)8 << 20);
}

static void check_round_trip(void)
{
    buffer_clear(&first);
    buffer_clear(&second);
    facts_encode(&facts, true, &first);
    again.count = 0;
    INVARIANT(facts_decode(&again, buffer_str(&first)) == ERR_OK);
    INVARIANT(again.count == facts.count);
    facts_encode(&again, true, &second);
    INVARIANT(str_equal(buffer_str(&first), buffer_str(&second)));
}

static void check_views(void)
{
    for (uint32_t begin = 0; begin < facts.count;) {
        uint32_t end = begin + 1;
        while (end < facts.count && facts.items[end].trait == facts.items[begin].trait &&
               facts.items[end].operation != FACT_CONSENT)
            end++;
        for (uint8_t precedence = NEWEST; precedence < PRECEDENCE_COUNT; precedence++) {
            struct trait_type type = { .precedence = precedence };
            const struct fact *by;
            buffer_clear(&value);
            if (facts.items[begin].operation != FACT_CONSENT)
                (void)view_value(profile, &type, &facts.items[begin], end - begin, &value, &by);
        }
        begin = end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (profile == NULL)
        set_up();
    facts.count = 0;
    if (size > 4096 || facts_decode(&facts, str_from_bytes(data, size)) != ERR_OK)
        return 0;
    check_round_trip();
    INVARIANT(facts_keep_all(profile, &facts) == ERR_OK);
    uint32_t kept = facts.count;
    check_views();
    check_round_trip();
    facts.count = 0;
    INVARIANT(facts_decode(&facts, buffer_str(&first)) == ERR_OK);
    INVARIANT(facts_keep_all(profile, &facts) == ERR_OK);
    INVARIANT(facts.count == kept);
    return 0;
}
