/* SPDX-License-Identifier: Apache-2.0 */
/* Loading and filling, the limits of names, texts and memory, every allocation made to fail, the digest. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/fault.h"
#include "history/history.h"

struct fixture {
    struct history *history;
    struct history_reader *reader;
};

static void open_with(struct fixture *fixture, size_t memory_bytes_max)
{
    struct history_config config = { .memory_bytes_max = memory_bytes_max };
    assert_ok(history_new(&fixture->history, &config));
    assert_ok(history_reader_new(&fixture->reader, fixture->history));
}

static void close_checked(struct fixture *fixture)
{
    struct problem problem = { .error = ERR_OK };
    if (history_check(fixture->history, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    history_reader_free(&fixture->reader);
    history_free(&fixture->history);
    assert_null(fixture->history);
}

static history_column add_column(struct history *history, const char *path, enum column_kind kind)
{
    struct problem problem = { .error = ERR_OK };
    history_column column = 0;
    if (history_add_column(history, str_from_c(path), kind, &column, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    return column;
}

static err load_row(struct history *history, uint32_t node, uint64_t seq, int64_t time_ms)
{
    struct history_row row = { .node = node,
                               .seq = seq,
                               .time_ms = time_ms,
                               .type = STR("Order Paid"),
                               .channel = STR("web") };
    return history_load_row(history, &row);
}

static err observe_text(struct history *history, uint32_t node, uint64_t seq, const char *props)
{
    struct event event = { .seq = seq,
                           .time_ms = (int64_t)seq,
                           .type = STR("Order Paid"),
                           .channel = STR("web"),
                           .props = str_from_c(props) };
    return history_observe(history, node, &event);
}

static struct history_view view_of(struct fixture *fixture, uint32_t customer)
{
    struct history_view view;
    history_view_customer(fixture->reader, customer, &view);
    return view;
}

/* ---- loading ---- */

static void rows_out_of_order_are_refused(void **state)
{
    struct fixture fixture;
    (void)state;
    open_with(&fixture, 0);
    assert_ok(history_load_begin(fixture.history));
    assert_err(load_row(fixture.history, 0, 1, 1), ERR_INVALID);
    assert_ok(load_row(fixture.history, 5, 10, 1000));
    assert_err(load_row(fixture.history, 5, 10, 1000), ERR_INVALID);
    assert_err(load_row(fixture.history, 5, 9, 1000), ERR_INVALID);
    assert_err(load_row(fixture.history, 5, 11, 999), ERR_INVALID);
    assert_err(load_row(fixture.history, 4, 12, 2000), ERR_INVALID);
    assert_ok(load_row(fixture.history, 5, 11, 1000));
    assert_ok(load_row(fixture.history, 5000, 1, 1));
    assert_err(load_row(fixture.history, 4999, 2, 2), ERR_INVALID);
    assert_ok(history_load_end(fixture.history));
    assert_int_equal(history_event_count(fixture.history), 3);
    assert_err(history_load_begin(fixture.history), ERR_CONFLICT);
    history_read_begin(fixture.reader);
    assert_int_equal(view_of(&fixture, 5).count, 2);
    assert_int_equal(view_of(&fixture, 5000).count, 1);
    history_read_end(fixture.reader);
    close_checked(&fixture);
}

static void an_empty_load_makes_columns_ready(void **state)
{
    struct fixture fixture;
    (void)state;
    open_with(&fixture, 0);
    history_column n = add_column(fixture.history, "n", COLUMN_INT);
    assert_false(history_column_is_ready(fixture.history, n));
    assert_ok(history_load_begin(fixture.history));
    assert_ok(history_load_end(fixture.history));
    assert_true(history_column_is_ready(fixture.history, n));
    assert_int_equal(history_column_find(fixture.history, STR("n"), COLUMN_INT), n);
    assert_int_equal(history_column_find(fixture.history, STR("n"), COLUMN_TEXT), 0);
    assert_false(history_column_is_ready(fixture.history, 0));
    assert_false(history_column_is_ready(fixture.history, 77));
    history_column again = add_column(fixture.history, "n", COLUMN_INT);
    assert_int_equal(again, n);
    close_checked(&fixture);
}

static void a_column_is_filled_in_slices(void **state)
{
    struct fixture fixture;
    struct history_value values[3];
    struct history_row rows[3];
    (void)state;
    open_with(&fixture, 0);
    for (uint64_t seq = 1; seq <= 3; seq++)
        assert_ok(observe_text(fixture.history, (uint32_t)seq * 1000, seq, "{\"n\":5}"));
    history_column n = add_column(fixture.history, "n", COLUMN_INT);
    assert_ok(observe_text(fixture.history, 1000, 4, "{\"n\":44}"));
    for (uint64_t i = 0; i < 3; i++) {
        values[i] = (struct history_value){ .column = n, .number = (int64_t)i + 10 };
        rows[i] = (struct history_row){ .node = (uint32_t)(i + 1) * 1000,
                                        .seq = i + 1,
                                        .time_ms = (int64_t)i + 1,
                                        .value_count = 1,
                                        .values = &values[i] };
    }
    rows[2].seq = 99; /* not there any more: nothing to fill */
    assert_ok(history_fill_rows(fixture.history, n, rows, 1));
    assert_ok(history_fill_rows(fixture.history, n, rows + 1, 2));
    assert_false(history_column_is_ready(fixture.history, n));
    history_fill_end(fixture.history, n);
    assert_true(history_column_is_ready(fixture.history, n));
    history_read_begin(fixture.reader);
    struct history_view view = view_of(&fixture, 1000);
    assert_int_equal(history_number(&view, 0, n), 10);
    assert_int_equal(history_number(&view, 1, n), 44);
    view = view_of(&fixture, 2000);
    assert_int_equal(history_number(&view, 0, n), 11);
    view = view_of(&fixture, 3000);
    assert_int_equal(history_number(&view, 0, n), HISTORY_MISSING);
    history_read_end(fixture.reader);
    /* Once more: what is there stays. */
    values[0].number = 77;
    assert_ok(history_fill_rows(fixture.history, n, rows, 1));
    history_read_begin(fixture.reader);
    view = view_of(&fixture, 1000);
    assert_int_equal(history_number(&view, 0, n), 10);
    history_read_end(fixture.reader);
    close_checked(&fixture);
}

/* ---- limits ---- */

static void too_many_columns_are_refused(void **state)
{
    struct fixture fixture;
    struct problem problem = { .error = ERR_OK };
    history_column column;
    char path[32];
    (void)state;
    open_with(&fixture, 0);
    for (int i = 0; i < HISTORY_COLUMNS_MAX; i++) {
        snprintf(path, sizeof(path), "property %d", i);
        assert_int_equal(add_column(fixture.history, path, COLUMN_INT), i + 1);
    }
    assert_err(history_add_column(fixture.history, STR("one more"), COLUMN_INT, &column, &problem),
               ERR_TOO_LARGE);
    assert_non_null(strstr(problem.detail, "one more"));
    assert_ok(observe_text(fixture.history, 1, 1, "{\"property 255\":7,\"property 0\":8}"));
    history_read_begin(fixture.reader);
    struct history_view view = view_of(&fixture, 1);
    assert_int_equal(history_number(&view, 0, HISTORY_COLUMNS_MAX), 7);
    assert_int_equal(history_number(&view, 0, 1), 8);
    history_read_end(fixture.reader);
    close_checked(&fixture);
}

static void names_beyond_the_limit_share_one_number(void **state)
{
    struct fixture fixture;
    char name[32];
    uint16_t type = 0;
    (void)state;
    open_with(&fixture, 0);
    for (unsigned i = 0; i < HISTORY_TYPES_MAX + 10; i++) {
        snprintf(name, sizeof(name), "event %u", i);
        struct event event = { .seq = i + 1, .time_ms = i, .type = str_from_c(name) };
        assert_ok(history_observe(fixture.history, 1, &event));
    }
    assert_int_equal(history_type_count(fixture.history), HISTORY_TYPES_MAX - 2);
    assert_int_equal(history_type_find(fixture.history, STR("event 0")), 1);
    assert_int_equal(history_type_find(fixture.history, STR("event 4100")), 0);
    assert_err(history_type_add(fixture.history, STR("event 4100"), &type), ERR_TOO_LARGE);
    assert_ok(history_type_add(fixture.history, STR("event 17"), &type));
    assert_str_equal(history_type_name(fixture.history, type), STR("event 17"));
    history_read_begin(fixture.reader);
    struct history_view view = view_of(&fixture, 1);
    assert_int_equal(view.count, HISTORY_TYPES_MAX + 10);
    assert_int_equal(history_packed_type(view.events[view.count - 1]), HISTORY_TYPE_OTHER);
    assert_int_equal(history_type_name(fixture.history, HISTORY_TYPE_OTHER).size, 0);
    assert_int_equal(history_packed_channel(view.events[0]), 0);
    history_read_end(fixture.reader);
    close_checked(&fixture);
}

/* A quarter of the memory is for the texts of all columns: here 1 MB. */
static void a_column_with_too_many_texts_is_never_ready(void **state)
{
    struct fixture fixture;
    char props[1200];
    (void)state;
    open_with(&fixture, (size_t)4 << 20);
    history_column id = add_column(fixture.history, "id", COLUMN_TEXT);
    history_column colour = add_column(fixture.history, "colour", COLUMN_TEXT);
    assert_ok(history_load_begin(fixture.history));
    assert_ok(history_load_end(fixture.history));
    assert_true(history_column_is_ready(fixture.history, id));
    for (unsigned i = 1; i <= 2000; i++) {
        snprintf(props, sizeof(props), "{\"id\":\"%01000u\"%s}", i,
                 i == 1 ? ",\"colour\":\"red\"" : "");
        assert_ok(observe_text(fixture.history, i, i, props));
    }
    assert_false(history_column_is_ready(fixture.history, id));
    assert_true(history_column_is_full(fixture.history, id));
    history_fill_end(fixture.history, id);
    assert_false(history_column_is_ready(fixture.history, id));
    /* Another, too, as soon as it has a text that is new; what it knows it takes. */
    assert_false(history_column_is_full(fixture.history, colour));
    assert_ok(observe_text(fixture.history, 1, 2001, "{\"colour\":\"red\"}"));
    assert_false(history_column_is_full(fixture.history, colour));
    assert_ok(observe_text(fixture.history, 1, 2002, "{\"colour\":\"green\"}"));
    assert_true(history_column_is_full(fixture.history, colour));
    history_read_begin(fixture.reader);
    struct history_view view = view_of(&fixture, 1);
    assert_int_equal(history_view_text(&view, id, history_code(&view, 0, id)).size, 1000);
    view = view_of(&fixture, 2000);
    assert_int_equal(history_code(&view, 0, id), 0);
    history_read_end(fixture.reader);
    close_checked(&fixture);
}

struct completeness {
    size_t complete, incomplete, events;
};

static bool count_complete(void *context, uint32_t customer, const struct history_view *view)
{
    struct completeness *seen = context;
    (void)customer;
    *(view->complete ? &seen->complete : &seen->incomplete) += 1;
    seen->events += view->count;
    /* What is left of a customer is the newest part: event i came at i, and all up to the last. */
    for (size_t i = 0; i < view->count; i++)
        assert_int_equal(history_time_ms(view->events[i]), 1000 - view->count + i);
    return true;
}

static void over_the_budget_the_oldest_go(void **state)
{
    struct fixture fixture;
    const size_t budget = (size_t)4 << 20;
    uint64_t seq = 0;
    (void)state;
    open_with(&fixture, budget);
    assert_ok(history_load_begin(fixture.history));
    for (uint32_t node = 1; node <= 500; node++)
        for (int64_t time_ms = 0; time_ms < 1000; time_ms++)
            assert_ok(load_row(fixture.history, node * 100, ++seq, time_ms));
    assert_ok(history_load_end(fixture.history));
    assert_true(history_memory_bytes(fixture.history) <= budget);
    struct completeness seen = { .events = 0 };
    history_read_begin(fixture.reader);
    history_scan(fixture.reader, 0, UINT32_MAX, count_complete, &seen);
    history_read_end(fixture.reader);
    assert_true(seen.incomplete >= 100 && seen.incomplete <= 500);
    assert_int_equal(seen.complete + seen.incomplete, 50000);
    assert_int_equal(seen.events, history_event_count(fixture.history));
    assert_true(seen.events > 100000);
    /* Alive, too: and a customer who begins now is whole, until she goes over it herself. */
    for (unsigned i = 1; i <= 100000; i++) {
        assert_ok(observe_text(fixture.history, 60000, seq + i, "{}"));
        if (i % 100 == 0)
            history_tidy(fixture.history, 1000);
    }
    history_tidy(fixture.history, 1000000);
    assert_true(history_memory_bytes(fixture.history) <= budget + (budget >> 4));
    history_read_begin(fixture.reader);
    assert_true(view_of(&fixture, 60000).count > 50000);
    assert_false(view_of(&fixture, 100).complete);
    assert_true(view_of(&fixture, 101).complete);
    history_read_end(fixture.reader);
    /* Who is erased has nothing older. */
    assert_ok(history_forget(fixture.history, 100));
    history_read_begin(fixture.reader);
    assert_true(view_of(&fixture, 100).complete);
    history_read_end(fixture.reader);
    close_checked(&fixture);
}

static void a_long_list_of_texts_is_one_entry(void **state)
{
    struct fixture fixture;
    static char props[250000];
    const uint32_t *codes;
    (void)state;
    open_with(&fixture, 0);
    history_column ids = add_column(fixture.history, "p.id", COLUMN_TEXTS);
    size_t size = (size_t)snprintf(props, sizeof(props), "{\"p\":[");
    for (unsigned i = 0; i < 12000; i++)
        size += (size_t)snprintf(props + size, sizeof(props) - size, "%s{\"id\":\"%u\"}",
                                 i > 0 ? "," : "", i % 5000);
    snprintf(props + size, sizeof(props) - size, "]}");
    for (uint32_t node = 1; node <= 3; node++)
        assert_ok(observe_text(fixture.history, node, node, props));
    for (int pass = 0; pass < 2; pass++) {
        history_read_begin(fixture.reader);
        struct history_view view = view_of(&fixture, 3);
        assert_int_equal(history_codes(&view, 0, ids, &codes), 12000);
        assert_str_equal(history_code_text(fixture.history, ids, codes[11999]), STR("1999"));
        history_read_end(fixture.reader);
        history_tidy(fixture.history, INT64_MAX);
    }
    close_checked(&fixture);
}

static void a_customer_with_very_many_events(void **state)
{
    struct fixture fixture;
    (void)state;
    open_with(&fixture, 0);
    history_column n = add_column(fixture.history, "n", COLUMN_INT);
    for (unsigned i = 1; i <= 200000; i++)
        assert_ok(observe_text(fixture.history, 9, i, i % 1000 == 0 ? "{\"n\":1}" : "{}"));
    history_tidy(fixture.history, INT64_MAX);
    history_read_begin(fixture.reader);
    struct history_view view = view_of(&fixture, 9);
    assert_int_equal(view.count, 200000);
    assert_null(view.places);
    assert_int_equal(history_number(&view, 199999, n), 1);
    assert_int_equal(history_number(&view, 199998, n), HISTORY_MISSING);
    history_read_end(fixture.reader);
    close_checked(&fixture);
}

/* An import of one customer that is taken back, event by event. */
static void very_many_are_retracted(void **state)
{
    struct fixture fixture;
    (void)state;
    open_with(&fixture, 0);
    for (unsigned i = 1; i <= 30000; i++)
        assert_ok(observe_text(fixture.history, 9, i, "{}"));
    history_tidy(fixture.history, INT64_MAX);
    for (unsigned i = 1; i <= 30000; i++) {
        if (i % 3 == 0)
            continue;
        assert_ok(history_retract(fixture.history, 9, i));
        if (i % 1000 == 1) {
            history_tidy(fixture.history, 100);
            history_read_begin(fixture.reader);
            struct history_view view = view_of(&fixture, 9);
            assert_int_equal(view.count, 30000 - (i - i / 3));
            assert_int_equal(history_seq(&view, view.count - 1), 30000);
            history_read_end(fixture.reader);
        }
    }
    assert_int_equal(history_event_count(fixture.history), 10000);
    close_checked(&fixture);
}

static void readers_are_so_many(void **state)
{
    struct fixture fixture;
    struct history_reader *readers[300] = { NULL };
    unsigned count = 0;
    (void)state;
    open_with(&fixture, 0);
    while (count < 300 && history_reader_new(&readers[count], fixture.history) == ERR_OK)
        count++;
    assert_int_equal(count, 255); /* and the fixture's */
    assert_err(history_reader_new(&readers[299], fixture.history), ERR_BUSY);
    history_reader_free(&readers[7]);
    assert_ok(history_reader_new(&readers[7], fixture.history));
    for (unsigned i = 0; i < count; i++)
        history_reader_free(&readers[i]);
    close_checked(&fixture);
}

/* ---- memory ---- */

/* A little of everything; the first error ends it. */
static err live(struct history *history, struct history_reader *reader)
{
    struct problem problem = { .error = ERR_OK };
    history_column n, colour;
    err error = history_add_column(history, STR("n"), COLUMN_INT, &n, &problem);
    if (error == ERR_OK)
        error = history_add_column(history, STR("colour"), COLUMN_TEXT, &colour, &problem);
    for (unsigned i = 1; i <= 150 && error == ERR_OK; i++)
        error = observe_text(history, 1 + i % 7, i, "{\"n\":1,\"colour\":\"red\"}");
    if (error == ERR_OK)
        error = history_group(history, (uint32_t[]){ 1, 2, 3000 }, 3);
    history_tidy(history, INT64_MAX);
    struct history_value value = { .column = n, .number = 3 };
    struct history_row row = {
        .node = 4, .seq = 3, .time_ms = 3, .value_count = 1, .values = &value
    };
    if (error == ERR_OK)
        error = history_fill_rows(history, n, &row, 1);
    if (error == ERR_OK)
        error = history_retract(history, 4, 3);
    if (error == ERR_OK)
        error = history_forget(history, 5);
    struct history_view view;
    history_read_begin(reader);
    history_view_customer(reader, 1, &view);
    if (error == ERR_OK && view.count == 0 && !view.complete)
        error = ERR_NOMEM;
    if (error == ERR_OK)
        error = history_view_rows(reader, &row, 1, &view);
    history_read_end(reader);
    history_tidy(history, INT64_MAX);
    return error;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t failing = 1;
    for (err error = ERR_NOMEM; error != ERR_OK; failing++) {
        struct history *history = NULL;
        struct history_reader *reader = NULL;
        struct problem problem = { .error = ERR_OK };
        fault_arm(FAULT_MEMORY, failing, FAULT_FAIL, false);
        error = history_new(&history, NULL);
        if (error == ERR_OK)
            error = history_reader_new(&reader, history);
        if (error == ERR_OK)
            error = live(history, reader);
        bool has_fired = fault_count(FAULT_MEMORY) >= failing;
        fault_disarm();
        assert_true(error == ERR_OK || error == ERR_NOMEM);
        if (history != NULL && history_check(history, &problem) != ERR_OK)
            fail_msg("after failure %llu: %s", (unsigned long long)failing, problem.detail);
        history_reader_free(&reader);
        history_free(&history);
        if (error == ERR_OK && has_fired)
            error = ERR_NOMEM; /* it got by without: tidying, which is not missed */
    }
    assert_true(failing > 30);
}

static void what_is_freed_is_not_counted(void **state)
{
    struct fixture fixture;
    (void)state;
    open_with(&fixture, 0);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 1; i <= 3000; i++)
            assert_ok(observe_text(fixture.history, i, round * 3000 + i, "{}"));
        history_tidy(fixture.history, INT64_MAX);
        for (uint32_t node = 1; node <= 3000; node++)
            assert_ok(history_forget(fixture.history, node));
        history_tidy(fixture.history, INT64_MAX);
        assert_int_equal(history_event_count(fixture.history), 0);
    }
    assert_true(history_memory_bytes(fixture.history) < (size_t)200 << 10);
    close_checked(&fixture);
}

/* Groups that come and go use the same memory again. */
static void groups_do_not_pile_up(void **state)
{
    struct fixture fixture;
    size_t bytes = 0;
    (void)state;
    open_with(&fixture, 0);
    for (unsigned i = 0; i < 20000; i++) {
        assert_ok(history_group(fixture.history, (uint32_t[]){ 1, 2, 3 + i % 100 }, 3));
        assert_ok(history_group(fixture.history, (uint32_t[]){ 1 }, 1));
        assert_ok(history_group(fixture.history, (uint32_t[]){ 2 }, 1));
        assert_ok(history_group(fixture.history, (uint32_t[]){ 3 + i % 100 }, 1));
        history_tidy(fixture.history, 0);
        if (i == 1000)
            bytes = history_memory_bytes(fixture.history);
    }
    assert_int_equal(history_memory_bytes(fixture.history), bytes);
    close_checked(&fixture);
}

/* ---- digest ---- */

static void the_digest_is_of_the_content(void **state)
{
    struct fixture one, other;
    struct digest digests[3] = { { .count = 0 } };
    (void)state;
    open_with(&one, 0);
    open_with(&other, 0);
    history_column n = add_column(one.history, "n", COLUMN_INT);
    history_column also = add_column(other.history, "n", COLUMN_INT);
    for (unsigned i = 1; i <= 100; i++) {
        assert_ok(observe_text(one.history, i % 5 + 1, i, "{\"n\":3}"));
        assert_ok(observe_text(other.history, (101 - i) % 5 + 1, 101 - i, "{\"n\":3}"));
    }
    history_tidy(one.history, INT64_MAX);
    history_fill_end(one.history, n);
    history_fill_end(other.history, also);
    history_digest(one.history, &digests[0]);
    history_digest(other.history, &digests[1]);
    assert_int_equal(digests[0].count, 100);
    assert_memory_equal(&digests[0], &digests[1], sizeof(digests[0]));
    assert_ok(history_retract(other.history, 1, 50));
    assert_ok(observe_text(other.history, 1, 50, "{\"n\":4}"));
    history_digest(other.history, &digests[2]);
    assert_memory_not_equal(&digests[0], &digests[2], sizeof(digests[0]));
    /* The events alone are still the same: only a value has changed. */
    memset(digests, 0, sizeof(digests));
    history_digest_events(one.history, &digests[0]);
    history_digest_events(other.history, &digests[1]);
    assert_memory_equal(&digests[0], &digests[1], sizeof(digests[0]));
    assert_ok(history_retract(other.history, 1, 50));
    history_digest_events(other.history, &digests[2]);
    assert_int_equal(digests[2].count, 99);
    close_checked(&one);
    close_checked(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_out_of_order_are_refused),
        cmocka_unit_test(an_empty_load_makes_columns_ready),
        cmocka_unit_test(a_column_is_filled_in_slices),
        cmocka_unit_test(too_many_columns_are_refused),
        cmocka_unit_test(names_beyond_the_limit_share_one_number),
        cmocka_unit_test(a_column_with_too_many_texts_is_never_ready),
        cmocka_unit_test(over_the_budget_the_oldest_go),
        cmocka_unit_test(a_long_list_of_texts_is_one_entry),
        cmocka_unit_test(a_customer_with_very_many_events),
        cmocka_unit_test(very_many_are_retracted),
        cmocka_unit_test(readers_are_so_many),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(what_is_freed_is_not_counted),
        cmocka_unit_test(groups_do_not_pile_up),
        cmocka_unit_test(the_digest_is_of_the_content),
    };
    return cmocka_run_group_tests_name("history_load", tests, NULL, NULL);
}
