/* SPDX-License-Identifier: Apache-2.0 */
/* Random lives of a history against a naive twin: a plain list of events that is sorted anew for each question.
 *
 * Each sequence: events in order, late, tied in time; retractions, erasures, groups and splits; columns added and
 * filled while events go on; tidying at any moment; a load at the start of half of them. After some steps every
 * customer is compared, by view, by scan, and by rows; at the end a second history is loaded from the twin, whose
 * digest must be the same. KITH_SEED and KITH_SEQUENCES choose others. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "history/history.h"

#define EVENTS_MAX 1500
#define STEPS 50
#define TEXTS_MAX 4

/* ---- the twin ---- */

enum { NUMBER, REVENUE, COLOUR, TAGS, SCORE, SOURCE, COLUMNS };
static const struct {
    const char *path;
    enum column_kind kind;
} columns[COLUMNS] = {
    [NUMBER] = { "n", COLUMN_INT },        [REVENUE] = { "revenue", COLUMN_MONEY },
    [COLOUR] = { "colour", COLUMN_TEXT },  [TAGS] = { "shop.tags", COLUMN_TEXTS },
    [SCORE] = { "score", COLUMN_DECIMAL }, [SOURCE] = { "$source", COLUMN_INT },
};
static const char *const texts[] = { "red", "green", "蓝", "a \"quoted\" one", "5" };
#define TEXTS (sizeof(texts) / sizeof(texts[0]))
static const char *const types[] = { "Order Paid", "Page Viewed", "Identify", "浏览" };
static const char *const channels[] = { "web", "tmall", "store" };

static const uint32_t nodes[] = { 1,    2,    3,    4,    7,    63,   64,   65,   1022,
                                  1023, 1024, 1025, 1026, 2047, 2048, 5000, 5001, 3000000 };
#define NODES (sizeof(nodes) / sizeof(nodes[0]))

struct twin_event {
    bool is_there;
    uint8_t node; /* index */
    uint64_t seq;
    int64_t time_ms;
    uint8_t type, channel;
    bool has[COLUMNS];
    int64_t number[COLUMNS]; /* COLOUR: index of the text */
    uint8_t tags[TEXTS_MAX];
    uint8_t tag_count;
    bool knows[COLUMNS]; /* history was told, or will be before the column is ready */
};
struct twin {
    struct random_stream random;
    struct history *history;
    struct history_reader *reader;
    struct twin_event events[EVENTS_MAX];
    uint32_t count;
    uint64_t seq;
    int64_t now_ms;
    uint8_t root[NODES]; /* index */
    history_column column[COLUMNS];
    uint64_t seed;
};

static uint64_t below(struct twin *twin, uint64_t bound)
{
    return random_below(&twin->random, bound);
}

static void check_structure(const struct twin *twin)
{
    struct problem problem = { .error = ERR_OK };
    if (history_check(twin->history, &problem) != ERR_OK)
        fail_msg("seed %llu: %s", (unsigned long long)twin->seed, problem.detail);
}

/* ---- events ---- */

static void choose_values(struct twin *twin, struct twin_event *event)
{
    for (int column = 0; column < COLUMNS; column++) {
        event->has[column] = below(twin, 3) == 0;
        event->number[column] = (int64_t)below(twin, 1 << (1 + below(twin, 30))) - 500;
    }
    event->number[COLOUR] = (int64_t)below(twin, TEXTS);
    event->has[SOURCE] = true;
    event->number[SOURCE] = (int64_t)below(twin, 3);
    event->tag_count = (uint8_t)(1 + below(twin, TEXTS_MAX));
    for (int i = 0; i < event->tag_count; i++)
        event->tags[i] = (uint8_t)below(twin, TEXTS);
}

static struct twin_event *choose_event(struct twin *twin)
{
    struct twin_event *event = &twin->events[twin->count++];
    *event = (struct twin_event){ .is_there = true };
    event->node = (uint8_t)below(twin, below(twin, 2) == 0 ? 4 : NODES);
    event->seq = ++twin->seq;
    if (below(twin, 20) == 0)
        twin->seq += below(twin, 1u << 20);
    event->type = (uint8_t)below(twin, 4);
    event->channel = (uint8_t)below(twin, 3);
    twin->now_ms += (int64_t)below(twin, 5000);
    event->time_ms = twin->now_ms;
    if (below(twin, 4) == 0) /* late, or tied with another */
        event->time_ms = below(twin, 2) == 0 && twin->count > 1
                             ? twin->events[below(twin, twin->count - 1)].time_ms
                             : (int64_t)below(twin, (uint64_t)twin->now_ms + 1);
    choose_values(twin, event);
    return event;
}

static void write_text(char *out, size_t room, const char *text)
{
    size_t size = strlen(out);
    for (; *text != '\0' && size + 3 < room; text++) {
        if (*text == '"')
            out[size++] = '\\';
        out[size++] = *text;
    }
    out[size] = '\0';
}

static void write_props(const struct twin_event *event, char *out, size_t room)
{
    snprintf(out, room, "{\"other\":{\"n\":99,\"colour\":\"none\"}");
    if (event->has[NUMBER])
        snprintf(out + strlen(out), room - strlen(out), ",\"n\":%lld",
                 (long long)event->number[NUMBER]);
    if (event->has[SCORE])
        snprintf(out + strlen(out), room - strlen(out), ",\"score\":%lld.%06lld",
                 (long long)event->number[SCORE] / 1000000,
                 (long long)event->number[SCORE] % 1000000);
    if (event->has[COLOUR]) {
        strncat(out, ",\"colour\":\"", room - strlen(out) - 1);
        write_text(out, room, texts[event->number[COLOUR]]);
        strncat(out, "\"", room - strlen(out) - 1);
    }
    if (event->has[TAGS]) {
        strncat(out, ",\"shop\":{\"tags\":[", room - strlen(out) - 1);
        for (int i = 0; i < event->tag_count; i++) {
            strncat(out, i > 0 ? ",\"" : "\"", room - strlen(out) - 1);
            write_text(out, room, texts[event->tags[i]]);
            strncat(out, "\"", room - strlen(out) - 1);
        }
        strncat(out, "]}", room - strlen(out) - 1);
    }
    strncat(out, "}", room - strlen(out) - 1);
}

static void observe(struct twin *twin)
{
    char props[512];
    if (twin->count == EVENTS_MAX)
        return;
    struct twin_event *from = choose_event(twin);
    struct event event = { .seq = from->seq,
                           .time_ms = from->time_ms,
                           .source_number = (uint32_t)from->number[SOURCE],
                           .type = str_from_c(types[from->type]),
                           .channel = str_from_c(channels[from->channel]) };
    from->number[SCORE] = from->number[SCORE] < 0 ? -from->number[SCORE] : from->number[SCORE];
    write_props(from, props, sizeof(props));
    event.props = str_from_c(props);
    if (from->has[REVENUE]) {
        event.promoted_set = 1u << PROMOTED_REVENUE;
        event.promoted_int[PROMOTED_REVENUE] = from->number[REVENUE];
    }
    if (below(twin, 4) != 0) { /* the shape says which properties there are */
        event.shape = event_shape_begin(1, event.type);
        for (int column = 0; column < COLUMNS; column++)
            if (from->has[column])
                event.shape = event_shape_property(event.shape, (uint64_t)column + 1, JSON_TEXT);
    }
    for (int column = 0; column < COLUMNS; column++)
        from->knows[column] = twin->column[column] != 0;
    assert_ok(history_observe(twin->history, nodes[from->node], &event));
}

/* ---- rows ---- */

struct rows {
    struct history_row rows[EVENTS_MAX];
    struct history_value values[EVENTS_MAX][COLUMNS];
    str tags[EVENTS_MAX][TEXTS_MAX];
    size_t count;
};

/* An event as a row with the values of one column (or all: COLUMNS). */
static void add_row(const struct twin *twin, struct rows *rows, const struct twin_event *event,
                    int only)
{
    struct history_row *row = &rows->rows[rows->count];
    struct history_value *value = rows->values[rows->count];
    str *tags = rows->tags[rows->count++];
    *row = (struct history_row){ .node = nodes[event->node],
                                 .seq = event->seq,
                                 .time_ms = event->time_ms,
                                 .type = str_from_c(types[event->type]),
                                 .channel = str_from_c(channels[event->channel]),
                                 .values = value };
    for (int column = 0; column < COLUMNS; column++) {
        if (!event->has[column] || twin->column[column] == 0 || (only != COLUMNS && only != column))
            continue;
        *value = (struct history_value){ .column = twin->column[column],
                                         .number = event->number[column] };
        if (column == COLOUR)
            value->text = str_from_c(texts[event->number[COLOUR]]);
        if (column == TAGS) {
            for (int i = 0; i < event->tag_count; i++)
                tags[i] = str_from_c(texts[event->tags[i]]);
            value->texts = tags;
            value->text_count = event->tag_count;
        }
        value++;
        row->value_count++;
    }
}

static int compare_rows(const void *one, const void *other)
{
    const struct history_row *a = one, *b = other;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static struct rows *collect(const struct twin *twin, int only)
{
    static struct rows rows;
    rows.count = 0;
    for (uint32_t i = 0; i < twin->count; i++)
        if (twin->events[i].is_there && (only == COLUMNS || (twin->events[i].has[only])))
            add_row(twin, &rows, &twin->events[i], only);
    /* The values go with their rows: each points at its own. */
    qsort(rows.rows, rows.count, sizeof(rows.rows[0]), compare_rows);
    return &rows;
}

static void load(struct twin *twin, struct history *into)
{
    const struct rows *rows = collect(twin, COLUMNS);
    assert_ok(history_load_begin(into));
    for (size_t i = 0; i < rows->count; i++)
        assert_ok(history_load_row(into, &rows->rows[i]));
    assert_ok(history_load_end(into));
}

/* ---- comparing ---- */

struct expected {
    const struct twin_event *events[EVENTS_MAX];
    size_t count;
};

static int compare_events(const void *one, const void *other)
{
    const struct twin_event *a = *(const struct twin_event *const *)one;
    const struct twin_event *b = *(const struct twin_event *const *)other;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static struct expected *expect(const struct twin *twin, uint8_t root)
{
    static struct expected expected;
    expected.count = 0;
    for (uint32_t i = 0; i < twin->count; i++)
        if (twin->events[i].is_there && twin->root[twin->events[i].node] == root)
            expected.events[expected.count++] = &twin->events[i];
    qsort(expected.events, expected.count, sizeof(expected.events[0]), compare_events);
    return &expected;
}

static bool same_tags(const struct history_view *view, size_t index, history_column column,
                      const struct twin_event *event)
{
    const uint32_t *codes = NULL;
    size_t count = history_codes(view, index, column, &codes);
    if (count != event->tag_count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!str_equal(history_view_text(view, column, codes[i]),
                       str_from_c(texts[event->tags[i]])))
            return false;
    return true;
}

static bool same_value(const struct twin *twin, const struct history_view *view, size_t index,
                       int column, const struct twin_event *event)
{
    history_column number = twin->column[column];
    const uint32_t *codes;
    if (!event->has[column])
        return history_number(view, index, number) == HISTORY_MISSING &&
               history_code(view, index, number) == 0 &&
               history_codes(view, index, number, &codes) == 0;
    if (column == TAGS)
        return same_tags(view, index, number, event);
    if (column == COLOUR)
        return str_equal(history_view_text(view, number, history_code(view, index, number)),
                         str_from_c(texts[event->number[COLOUR]]));
    return history_number(view, index, number) == event->number[column];
}

static void compare_event(const struct twin *twin, const struct history_view *view, size_t index,
                          const struct twin_event *event, bool is_told)
{
    const struct history *history = twin->history;
    history_packed packed = view->events[index];
    if (history_seq(view, index) != event->seq || history_time_ms(packed) != event->time_ms ||
        history_packed_type(packed) != history_type_find(history, str_from_c(types[event->type])) ||
        history_packed_channel(packed) !=
            history_channel_find(history, str_from_c(channels[event->channel])))
        fail_msg("seed %llu: event %zu of %zu is seq %llu at %lld, not %llu at %lld",
                 (unsigned long long)twin->seed, index, view->count,
                 (unsigned long long)history_seq(view, index), (long long)history_time_ms(packed),
                 (unsigned long long)event->seq, (long long)event->time_ms);
    for (int column = 0; column < COLUMNS; column++) {
        if (twin->column[column] == 0 || !(is_told || event->knows[column] ||
                                           history_column_is_ready(history, twin->column[column])))
            continue;
        if (!same_value(twin, view, index, column, event))
            fail_msg("seed %llu: event seq %llu has another %s", (unsigned long long)twin->seed,
                     (unsigned long long)event->seq, columns[column].path);
    }
}

static void compare_view(const struct twin *twin, uint8_t root, const struct history_view *view,
                         bool is_told)
{
    const struct expected *expected = expect(twin, root);
    if (view->count != expected->count || !view->complete)
        fail_msg("seed %llu: customer %u has %zu events, not %zu", (unsigned long long)twin->seed,
                 nodes[root], view->count, expected->count);
    for (size_t i = 0; i < view->count; i++)
        compare_event(twin, view, i, expected->events[i], is_told);
}

static void compare_views(struct twin *twin)
{
    struct history_view view;
    history_read_begin(twin->reader);
    for (uint8_t i = 0; i < NODES; i++) {
        history_view_customer(twin->reader, nodes[i], &view);
        if (twin->root[i] == i)
            compare_view(twin, i, &view, false);
        else
            assert_int_equal(view.count, 0);
    }
    history_read_end(twin->reader);
}

struct scanned {
    struct twin *twin;
    uint32_t next;
};

static bool compare_scanned(void *context, uint32_t customer, const struct history_view *view)
{
    struct scanned *scanned = context;
    assert_true(customer >= scanned->next);
    scanned->next = customer + 1;
    for (uint8_t i = 0; i < NODES; i++) {
        if (nodes[i] != customer)
            continue;
        assert_int_equal(scanned->twin->root[i], i);
        compare_view(scanned->twin, i, view, false);
        return true;
    }
    assert_int_equal(view->count, 0);
    return true;
}

static void compare_scan(struct twin *twin)
{
    uint32_t from = (uint32_t)below(twin, 3000), to = (uint32_t)below(twin, 6000);
    struct scanned scanned = { .twin = twin, .next = from };
    history_read_begin(twin->reader);
    history_scan(twin->reader, from, to, compare_scanned, &scanned);
    history_read_end(twin->reader);
}

/* One customer's events as rows in any order. */
static void compare_rows_view(struct twin *twin)
{
    static struct rows rows;
    struct history_view view;
    uint8_t root = (uint8_t)below(twin, NODES);
    rows.count = 0;
    for (uint32_t i = twin->count; i-- > 0;)
        if (twin->events[i].is_there && twin->root[twin->events[i].node] == root)
            add_row(twin, &rows, &twin->events[i], COLUMNS);
    history_read_begin(twin->reader);
    assert_ok(history_view_rows(twin->reader, rows.rows, rows.count, &view));
    /* A type or channel may be unknown as yet: then rows have no number of it. */
    for (size_t i = 0; i < view.count; i++)
        if (history_packed_type(view.events[i]) == HISTORY_TYPE_OTHER ||
            history_packed_channel(view.events[i]) == HISTORY_CHANNEL_OTHER)
            rows.count = 0;
    if (rows.count > 0)
        compare_view(twin, root, &view, true);
    history_read_end(twin->reader);
}

/* ---- what else happens ---- */

static void retract(struct twin *twin)
{
    if (twin->count == 0)
        return;
    struct twin_event *event = &twin->events[below(twin, twin->count)];
    err error = history_retract(twin->history, nodes[event->node], event->seq);
    assert_err(error, event->is_there ? ERR_OK : ERR_NOT_FOUND);
    event->is_there = false;
}

static void forget(struct twin *twin)
{
    uint8_t node = (uint8_t)below(twin, NODES);
    assert_ok(history_forget(twin->history, nodes[node]));
    for (uint32_t i = 0; i < twin->count; i++)
        if (twin->events[i].node == node)
            twin->events[i].is_there = false;
}

/* All of a customer's nodes, `root` first. */
static void tell_group(struct twin *twin, uint8_t root)
{
    uint32_t members[NODES];
    size_t count = 0;
    members[count++] = nodes[root];
    for (uint8_t i = 0; i < NODES; i++)
        if (twin->root[i] == root && i != root)
            members[count++] = nodes[i];
    assert_ok(history_group(twin->history, members, count));
}

static void merge(struct twin *twin)
{
    uint8_t one = twin->root[below(twin, NODES)], other = twin->root[below(twin, NODES)];
    for (uint8_t i = 0; i < NODES; i++)
        if (twin->root[i] == other)
            twin->root[i] = one;
    tell_group(twin, one);
}

/* One node leaves; if it was the root, the next one stands for the rest. */
static void split(struct twin *twin)
{
    uint8_t node = (uint8_t)below(twin, NODES), root = twin->root[node], rest = NODES;
    for (uint8_t i = 0; i < NODES; i++) {
        if (twin->root[i] != root || i == node)
            continue;
        if (rest == NODES)
            rest = root == node ? i : root;
        twin->root[i] = rest;
    }
    twin->root[node] = node;
    if (rest < NODES && below(twin, 2) == 0) {
        tell_group(twin, rest);
        tell_group(twin, node);
    } else {
        tell_group(twin, node);
        if (rest < NODES)
            tell_group(twin, rest);
    }
}

static void add_column(struct twin *twin, int column)
{
    struct problem problem = { .error = ERR_OK };
    assert_ok(history_add_column(twin->history, str_from_c(columns[column].path),
                                 columns[column].kind, &twin->column[column], &problem));
}

/* Fill a column in slices, with events between them. */
static void fill(struct twin *twin, int column)
{
    struct rows *rows = collect(twin, column);
    static struct rows slices;
    slices = *rows;
    for (size_t i = 0; i < slices.count; i++) /* pointers into the copy */
        slices.rows[i].values = &slices.values[0][0] + (rows->rows[i].values - &rows->values[0][0]);
    for (size_t begin = 0; begin < slices.count;) {
        size_t count = 1 + below(twin, slices.count - begin);
        assert_ok(
            history_fill_rows(twin->history, twin->column[column], slices.rows + begin, count));
        begin += count;
        if (below(twin, 2) == 0)
            observe(twin);
        if (below(twin, 4) == 0)
            retract(twin);
        if (below(twin, 4) == 0)
            history_tidy(twin->history, INT64_MAX);
    }
    history_fill_end(twin->history, twin->column[column]);
    assert_true(history_column_is_ready(twin->history, twin->column[column]));
}

static void step_column(struct twin *twin)
{
    int column = (int)below(twin, COLUMNS);
    if (twin->column[column] == 0)
        add_column(twin, column);
    else if (!history_column_is_ready(twin->history, twin->column[column]))
        fill(twin, column);
}

static void step(struct twin *twin)
{
    uint64_t burst = below(twin, 30) == 0 ? 40 + below(twin, 150) : 0;
    switch (below(twin, 16)) {
    case 0:
        retract(twin);
        break;
    case 1:
        merge(twin);
        break;
    case 2:
        split(twin);
        break;
    case 3:
        history_tidy(twin->history, below(twin, 2) == 0 ? 0 : INT64_MAX);
        break;
    case 4:
    case 5:
        step_column(twin);
        break;
    case 6:
        if (below(twin, 4) == 0)
            forget(twin);
        break;
    default:
        for (uint64_t i = 0; i <= burst; i++)
            observe(twin);
    }
}

/* ---- sequences ---- */

static void begin(struct twin *twin, uint64_t seed)
{
    *twin = (struct twin){ .seed = seed, .now_ms = 1000000 };
    random_seed(&twin->random, seed);
    assert_ok(history_new(&twin->history, NULL));
    assert_ok(history_reader_new(&twin->reader, twin->history));
    for (uint8_t i = 0; i < NODES; i++)
        twin->root[i] = i;
    if (below(twin, 2) == 0)
        return;
    for (int column = 0; column < COLUMNS; column++)
        if (below(twin, 2) == 0)
            add_column(twin, column);
    for (uint64_t i = below(twin, 120); i > 0; i--) {
        struct twin_event *event = choose_event(twin);
        event->number[SCORE] =
            event->number[SCORE] < 0 ? -event->number[SCORE] : event->number[SCORE];
        for (int column = 0; column < COLUMNS; column++)
            event->knows[column] = twin->column[column] != 0;
    }
    load(twin, twin->history);
}

/* The same, made anew by a load, says the same. */
static void compare_digests(struct twin *twin)
{
    struct history *again;
    struct digest one = { .count = 0 }, other = { .count = 0 };
    struct problem problem = { .error = ERR_OK };
    history_column number;
    for (int column = 0; column < COLUMNS; column++) {
        if (twin->column[column] == 0)
            add_column(twin, column);
        if (!history_column_is_ready(twin->history, twin->column[column]))
            fill(twin, column);
    }
    assert_ok(history_new(&again, NULL));
    /* The columns have the numbers that they have in the first. */
    for (history_column next = 1; next <= COLUMNS; next++)
        for (int column = 0; column < COLUMNS; column++)
            if (twin->column[column] == next)
                assert_ok(history_add_column(again, str_from_c(columns[column].path),
                                             columns[column].kind, &number, &problem));
    load(twin, again);
    history_digest(twin->history, &one);
    history_digest(again, &other);
    if (one.count != other.count || one.low != other.low || one.high != other.high)
        fail_msg("seed %llu: loaded anew, the digest is another", (unsigned long long)twin->seed);
    history_free(&again);
}

static void finish(struct twin *twin)
{
    compare_views(twin);
    compare_digests(twin);
    check_structure(twin);
    history_tidy(twin->history, INT64_MAX);
    check_structure(twin);
    compare_views(twin);
    history_reader_free(&twin->reader);
    history_free(&twin->history);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *given = getenv(name);
    return given != NULL ? strtoull(given, NULL, 10) : otherwise;
}

static void random_lives(void **state)
{
    static struct twin twin;
    uint64_t seed = number_of("KITH_SEED", 1);
#ifdef KITH_CHECKS
    uint64_t sequences = number_of("KITH_SEQUENCES", 1500);
#else
    uint64_t sequences = number_of("KITH_SEQUENCES", 12000);
#endif
    (void)state;
    print_message("seeds %llu to %llu\n", (unsigned long long)seed,
                  (unsigned long long)(seed + sequences - 1));
    for (uint64_t i = 0; i < sequences; i++) {
        begin(&twin, seed + i);
        for (int n = 0; n < STEPS; n++) {
            step(&twin);
            if (below(&twin, 12) == 0)
                compare_views(&twin);
            if (below(&twin, 24) == 0)
                compare_scan(&twin);
            if (below(&twin, 24) == 0)
                compare_rows_view(&twin);
        }
        finish(&twin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_lives) };
    return cmocka_run_group_tests_name("history_random", tests, NULL, NULL);
}
