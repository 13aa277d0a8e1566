/* SPDX-License-Identifier: Apache-2.0 */
/* Closing an engine while a thread of the audience still judges everybody: it appends to the log and wakes its reader, so
 * the log has to be there until that thread has ended. The thread is held up where it tells its name, until the log's file
 * is closed (which must not happen) or a while is over. */
#include "support/cmocka.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/engine_house.h"

#define HELD_MS 400

static _Atomic bool holds;
static _Atomic int held;

static bool log_is_open(void)
{
    bool found = false;
    DIR *folder = opendir("/proc/self/fd");
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char path[300], target[300];
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size > 7)
            found = found || memcmp(target + size - 7, "/log.db", 7) == 0;
    }
    if (folder != NULL)
        closedir(folder);
    return found;
}

/* The C library's, save that a thread that judges everybody stops here for a while. */
int pthread_setname_np(pthread_t thread, const char *name)
{
    (void)thread;
    if (atomic_load(&holds) && strcmp(name, "kith-scan") == 0) {
        steady_ns start = steady_now();
        atomic_fetch_add(&held, 1);
        while (steady_since_ms(start) < HELD_MS && log_is_open())
            ;
    }
    return 0;
}

/* Time alone moves people out of it: at each start they are looked through for when. */
static void define(struct house *house)
{
    struct saying bought = {
        .message = 1, .type = "Order Paid", .user = "ann", .order_id = "o1", .revenue = 100
    };
    assert_ok(house_send(house, &bought, 1));
    house_command(house, "segment.put",
                  "{\"key\":\"recent\",\"name\":\"Recent\",\"rule\":{\"event\":\"Order Paid\","
                  "\"last\":\"7d\",\"measure\":\"count\",\"gte\":1}}",
                  200, NULL);
}

struct look {
    struct engine_question question;
    bool is_live;
};

static void ask(const struct engine_state *state, struct engine_question *question)
{
    struct look *look = queue_entry(question, struct look, question);
    look->is_live = audience_is_live(
        state->audience, audience_number(state->audience, AUDIENCE_SEGMENT, STR("recent")));
}

static void wait_until_live(struct house *house)
{
    struct look look = { .question = { .ask = ask } };
    while (!look.is_live) {
        assert_ok(engine_ask_wait(house->engine, &look.question));
        steady_sleep_ms(1);
    }
}

static void test_a_scan_under_way_ends_before_the_log(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    define(&house);
    wait_until_live(&house);
    house_close(&house);
    for (int time = 1; time <= 15; time++) {
        atomic_store(&held, 0);
        atomic_store(&holds, true);
        house_open(&house, false);
        while (atomic_load(&held) == 0)
            steady_sleep_ms(1);
        house_close(&house);
        atomic_store(&holds, false);
    }
    house_open(&house, false);
    wait_until_live(&house);
    house_close(&house);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        test_a_scan_under_way_ends_before_the_log) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
