/* SPDX-License-Identifier: Apache-2.0 */
/* Readers scan and view while the engine observes, retracts, groups, tidies and fills: every view is sorted and
 * whole, what a read has begun with stays, and nothing is freed under it (run under TSan and ASan). */
#include "support/cmocka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "history/history.h"

#define READERS 3
#define NODES 3000u
#ifdef KITH_CHECKS
#define OPERATIONS 40000
#else
#define OPERATIONS 100000
#endif

struct house {
    struct history *history;
    history_column number, colour, tags;
    atomic_bool is_over;
    atomic_uint_fast64_t views;
    atomic_int wrong; /* line of the first */
};

#define EXPECT(house, condition)                                              \
    do {                                                                      \
        int none = 0;                                                         \
        if (!(condition))                                                     \
            atomic_compare_exchange_strong(&(house)->wrong, &none, __LINE__); \
    } while (0)

/* Every event says its seq in its values, so that a mixture of two would show. */
static void check_values(struct house *house, const struct history_view *view, size_t index)
{
    uint64_t seq = history_seq(view, index);
    int64_t number = history_number(view, index, house->number);
    const uint32_t *codes;
    EXPECT(house, number == HISTORY_MISSING || number == (int64_t)seq);
    EXPECT(house, number != HISTORY_MISSING || seq % 3 == 0);
    uint32_t code = history_code(view, index, house->colour);
    if (seq % 2 == 0) {
        str text = history_view_text(view, house->colour, code);
        char expected[32];
        int size = snprintf(expected, sizeof(expected), "colour %u", (unsigned)(seq % 5000));
        EXPECT(house, str_equal(text, str_from_bytes(expected, (size_t)size)));
        EXPECT(house, history_code_find(house->history, house->colour, text) == code);
    } else {
        EXPECT(house, code == 0);
    }
    size_t count = history_codes(view, index, house->tags, &codes);
    EXPECT(house, count == seq % 4);
    for (size_t i = 0; i < count; i++)
        EXPECT(house, codes[i] >= 1 && codes[i] <= history_code_count(house->history, house->tags));
}

static bool check_view(void *context, uint32_t customer, const struct history_view *view)
{
    struct house *house = context;
    (void)customer;
    for (size_t i = 0; i < view->count; i++) {
        if (i > 0) {
            uint64_t before = view->events[i - 1] >> 20, now = view->events[i] >> 20;
            EXPECT(house, before < now ||
                              (before == now && history_seq(view, i - 1) < history_seq(view, i)));
        }
        EXPECT(house,
               history_type_name(house->history, history_packed_type(view->events[i])).size > 0);
        check_values(house, view, i);
    }
    atomic_fetch_add(&house->views, 1);
    return !atomic_load(&house->is_over);
}

/* A view in hand does not change while the engine goes on. */
static void check_patience(struct house *house, struct history_reader *reader, uint32_t customer)
{
    struct history_view view;
    uint64_t sums[2] = { 0, 0 };
    history_view_customer(reader, customer, &view);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < view.count; i++)
            sums[pass] += view.events[i] * (i + 1) + history_seq(&view, i);
        if (pass == 0)
            sched_yield();
    }
    EXPECT(house, sums[0] == sums[1]);
}

static void *read_on(void *context)
{
    struct house *house = context;
    struct history_reader *reader;
    struct random_stream random;
    if (history_reader_new(&reader, house->history) != ERR_OK) {
        EXPECT(house, false);
        return NULL;
    }
    random_seed(&random, (uint64_t)(uintptr_t)&reader);
    while (!atomic_load(&house->is_over)) {
        uint32_t from = (uint32_t)random_below(&random, NODES);
        history_read_begin(reader);
        history_scan(reader, from, from + 400, check_view, house);
        check_patience(house, reader, from + 1);
        history_read_end(reader);
    }
    history_reader_free(&reader);
    return NULL;
}

/* ---- the engine ---- */

struct engine {
    struct house *house;
    struct random_stream random;
    uint64_t seq;
    uint32_t node_of[4096];
    uint64_t seq_of[4096];
    bool is_in_group[NODES + 1];
};

/* A third has no number, half a colour, three quarters tags: by seq, as check_values expects. */
static void write_props(uint64_t seq, char *out, size_t room)
{
    int size =
        snprintf(out, room, "{\"%s\":%llu", seq % 3 == 0 ? "m" : "n", (unsigned long long)seq);
    if (seq % 2 == 0)
        size += snprintf(out + size, room - (size_t)size, ",\"colour\":\"colour %u\"",
                         (unsigned)(seq % 5000));
    size += snprintf(out + size, room - (size_t)size, ",\"tags\":[");
    for (uint64_t i = 0; i < seq % 4; i++)
        size += snprintf(out + size, room - (size_t)size, "%s\"tag %u\"", i > 0 ? "," : "",
                         (unsigned)((seq + i) % 700));
    snprintf(out + size, room - (size_t)size, "]}");
}

static void observe(struct engine *engine)
{
    char props[200];
    uint64_t seq = ++engine->seq;
    uint32_t node = 1 + (uint32_t)random_below(&engine->random, NODES);
    write_props(seq, props, sizeof(props));
    struct event event = { .seq = seq,
                           .time_ms = (int64_t)(seq - random_below(&engine->random, 50) % seq),
                           .type = seq % 7 == 0 ? STR("Order Paid") : STR("Page Viewed"),
                           .channel = STR("web"),
                           .props = str_from_c(props) };
    assert_ok(history_observe(engine->house->history, node, &event));
    engine->node_of[seq % 4096] = node;
    engine->seq_of[seq % 4096] = seq;
}

static void change(struct engine *engine)
{
    struct history *history = engine->house->history;
    uint32_t node = 1 + (uint32_t)random_below(&engine->random, NODES - 1);
    uint64_t place = random_below(&engine->random, 4096);
    switch (random_below(&engine->random, 4)) {
    case 0:
        if (engine->seq_of[place] != 0) {
            err error = history_retract(history, engine->node_of[place], engine->seq_of[place]);
            assert_true(error == ERR_OK || error == ERR_NOT_FOUND);
        }
        break;
    case 1: /* pairs of neighbours come and go */
        node |= 1;
        if (node + 1 > NODES)
            break;
        if (engine->is_in_group[node]) {
            assert_ok(history_group(history, (uint32_t[]){ node }, 1));
            assert_ok(history_group(history, (uint32_t[]){ node + 1 }, 1));
        } else {
            assert_ok(history_group(history, (uint32_t[]){ node, node + 1 }, 2));
        }
        engine->is_in_group[node] = !engine->is_in_group[node];
        break;
    case 2:
        history_tidy(history, random_below(&engine->random, 4) == 0 ? INT64_MAX : 100);
        break;
    default:
        if (random_below(&engine->random, 20) == 0)
            assert_ok(history_forget(history, node));
    }
}

/* A column that comes late: new heads of bases under the readers. */
static void fill(struct engine *engine, history_column column)
{
    struct history_row rows[64];
    struct history_value values[64];
    for (uint32_t node = 1; node <= 64; node++) {
        values[node - 1] = (struct history_value){ .column = column, .number = node };
        rows[node - 1] = (struct history_row){ .node = node,
                                               .seq = node,
                                               .time_ms = node,
                                               .value_count = 1,
                                               .values = &values[node - 1] };
    }
    assert_ok(history_fill_rows(engine->house->history, column, rows, 64));
}

static void run_engine(struct engine *engine)
{
    struct problem problem = { .error = ERR_OK };
    history_column late = 0;
    for (int i = 0; i < OPERATIONS; i++) {
        observe(engine);
        if (random_below(&engine->random, 20) == 0)
            change(engine);
        if (i == OPERATIONS / 2)
            assert_ok(history_add_column(engine->house->history, STR("late"), COLUMN_INT, &late,
                                         &problem));
        if (late != 0 && i % 1000 == 0)
            fill(engine, late);
    }
}

static void readers_never_see_what_is_not(void **state)
{
    static struct house house;
    static struct engine engine;
    struct problem problem = { .error = ERR_OK };
    pthread_t threads[READERS];
    (void)state;
    house = (struct house){ .history = NULL };
    engine = (struct engine){ .house = &house };
    random_seed(&engine.random, 5);
    assert_ok(history_new(&house.history, NULL));
    assert_ok(history_add_column(house.history, STR("n"), COLUMN_INT, &house.number, &problem));
    assert_ok(
        history_add_column(house.history, STR("colour"), COLUMN_TEXT, &house.colour, &problem));
    assert_ok(history_add_column(house.history, STR("tags"), COLUMN_TEXTS, &house.tags, &problem));
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &house), 0);
    run_engine(&engine);
    atomic_store(&house.is_over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    print_message("%llu views beside %d events\n", (unsigned long long)atomic_load(&house.views),
                  OPERATIONS);
    if (atomic_load(&house.wrong) != 0)
        fail_msg("a reader saw what is not: line %d", atomic_load(&house.wrong));
    assert_true(atomic_load(&house.views) > 1000);
    if (history_check(house.history, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    history_free(&house.history);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(readers_never_see_what_is_not) };
    return cmocka_run_group_tests_name("history_threads", tests, NULL, NULL);
}
