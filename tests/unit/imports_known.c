/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs of a data set have brought: found by natural key however the rows were cut, as a search through all of them
 * finds it; contents of this job come once, whatever their hashes, while the table grows.
 *
 * KITH_SEED names another world. */
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

#include "base/codec.h"
#include "base/digest.h"
#include "imports/inside.h"

#define JOB 7u
#define OTHER_JOB 3u
#define ROWS 40000u

struct brought {
    uint64_t natural, content, seq;
    uint32_t job, node;
};

static int by_natural(const void *a, const void *b)
{
    const struct brought *one = a, *other = b;
    if (one->natural != other->natural)
        return one->natural < other->natural ? -1 : 1;
    return (one->seq > other->seq) - (one->seq < other->seq);
}

static uint64_t seed_of_run(void)
{
    const char *given = getenv("KITH_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261122;
    print_message("seed %llu\n", (unsigned long long)seed);
    return seed;
}

/* Mostly spread evenly, as hashes are; some side by side, some at the ends, some several times. */
static uint64_t random_natural(struct random_stream *random, uint64_t before)
{
    switch (random_below(random, 8)) {
    case 0:
        return before;
    case 1:
        return before + random_below(random, 3);
    case 2:
        return random_below(random, 4);
    case 3:
        return UINT64_MAX - random_below(random, 4);
    default:
        return random_next(random);
    }
}

static struct brought *random_rows(struct random_stream *random)
{
    struct brought *rows = calloc(ROWS, sizeof *rows);
    uint64_t natural = 0;
    assert_non_null(rows);
    for (uint32_t i = 0; i < ROWS; i++) {
        natural = random_natural(random, natural);
        rows[i] = (struct brought){ .natural = natural,
                                    .content = random_next(random),
                                    .seq = i + 1,
                                    .job = random_below(random, 5) == 0 ? JOB : OTHER_JOB,
                                    .node = (uint32_t)random_below(random, 9000) + 1 };
    }
    qsort(rows, ROWS, sizeof *rows, by_natural);
    return rows;
}

/* As the warehouse says it: natural key, content turned by the job's number, source, seq, customer, kind. */
static void write_rows(const struct brought *rows, struct buffer *bytes)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        uint64_t key = rows[i].content ^ known_key_of_job(rows[i].job);
        uint32_t source = EVENT_SOURCE_IMPORT_FIRST + rows[i].job;
        uint8_t kind = EVENT_TRACK;
        buffer_append(bytes, &rows[i].natural, 8);
        buffer_append(bytes, &key, 8);
        buffer_append(bytes, &source, 4);
        buffer_append(bytes, &rows[i].seq, 8);
        buffer_append(bytes, &rows[i].node, 4);
        buffer_append(bytes, &kind, 1);
    }
    assert_int_equal(buffer_status(bytes), ERR_OK);
}

static struct known *known_of(const struct brought *rows, struct random_stream *random)
{
    struct known *known;
    struct problem problem = { .error = ERR_OK };
    struct buffer bytes;
    buffer_init(&bytes, (size_t)64 << 20);
    write_rows(rows, &bytes);
    assert_int_equal(known_begin(&known, "/tmp", JOB, &problem), ERR_OK);
    for (size_t at = 0; at < bytes.size;) {
        size_t left = bytes.size - at, size = random_below(random, 3000) + 1;
        size = size < left ? size : left;
        assert_true(known_take(known, str_from_bytes(bytes.data + at, size)));
        at += size;
    }
    assert_int_equal(known_end(known, &problem), ERR_OK);
    buffer_deinit(&bytes);
    return known;
}

/* Through all of them: those of other jobs, in order, no more than can be told. */
static size_t search(const struct brought *rows, uint64_t natural, const struct brought **found)
{
    size_t count = 0;
    for (uint32_t i = 0; i < ROWS && count < KNOWN_FOUND_MAX; i++)
        if (rows[i].natural == natural && rows[i].job != JOB)
            found[count++] = &rows[i];
    return count;
}

static void assert_found_same(struct known *known, const struct brought *rows, uint64_t natural)
{
    const struct brought *expected[KNOWN_FOUND_MAX];
    struct known_event *events[KNOWN_FOUND_MAX];
    size_t count = search(rows, natural, expected);
    assert_int_equal(known_find(known, natural, events), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(events[i]->seq, expected[i]->seq);
        assert_int_equal(events[i]->node, expected[i]->node);
        assert_int_equal(events[i]->kind, EVENT_TRACK);
        assert_true(events[i]->content == expected[i]->content);
    }
}

static void what_other_jobs_brought_is_found(void **state)
{
    struct random_stream random;
    (void)state;
    random_seed(&random, seed_of_run());
    struct brought *rows = random_rows(&random);
    struct known *known = known_of(rows, &random);
    for (int i = 0; i < 2000; i++) {
        uint64_t natural = rows[random_below(&random, ROWS)].natural;
        assert_found_same(known, rows, natural);
        assert_found_same(known, rows, natural + 1);
    }
    assert_found_same(known, rows, 0);
    assert_found_same(known, rows, UINT64_MAX);
    known_close(&known);
    free(rows);
}

/* What is taken back in this job stays so: the entries are the caller's to change. */
static void what_is_taken_back_stays_so(void **state)
{
    struct known_event *events[KNOWN_FOUND_MAX];
    struct random_stream random;
    (void)state;
    random_seed(&random, 4);
    struct brought *rows = random_rows(&random);
    struct known *known = known_of(rows, &random);
    uint32_t at = 0;
    while (rows[at].job == JOB)
        at++;
    assert_true(known_find(known, rows[at].natural, events) > 0);
    events[0]->seq = 0;
    assert_true(known_find(known, rows[at].natural, events) > 0);
    assert_int_equal(events[0]->seq, 0);
    known_close(&known);
    free(rows);
}

static void what_this_job_brought_before_a_restart_is_its_own(void **state)
{
    struct random_stream random;
    err error = ERR_OK;
    (void)state;
    random_seed(&random, seed_of_run() + 1);
    struct brought *rows = random_rows(&random);
    struct known *known = known_of(rows, &random);
    for (uint32_t i = 0; i < ROWS; i++) {
        enum known_content expected = rows[i].job == JOB ? CONTENT_OWN : CONTENT_NEW;
        assert_int_equal(known_look(known, rows[i].content, &error), expected);
        assert_int_equal(error, ERR_OK);
        assert_int_equal(known_look(known, rows[i].content, &error), CONTENT_AGAIN);
    }
    known_close(&known);
    free(rows);
}

/* Contents are hashes and lie evenly; a few thousand that lie as badly as can be are found all the same: in one corner, side by
 * side, at both ends. */
static uint64_t bad_content(struct random_stream *random, uint32_t shape, uint32_t number)
{
    switch (shape) {
    case 0:
        return random_next(random);
    case 1:
        return number; /* 0 too */
    case 2:
        return UINT64_MAX - number;
    default:
        return UINT64_C(0x8000000000000000) + random_below(random, 4000);
    }
}

static int by_number(const void *a, const void *b)
{
    uint64_t one, other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    return (one > other) - (one < other);
}

/* As many are new as there are different ones. 0 is taken for 1. */
static void contents_come_once(void **state)
{
    enum { COUNT = 300000, BAD_COUNT = 3000 };
    struct problem problem = { .error = ERR_OK };
    struct random_stream random;
    uint64_t *all = calloc(COUNT, sizeof *all);
    (void)state;
    random_seed(&random, seed_of_run() + 2);
    assert_non_null(all);
    for (uint32_t shape = 0; shape < 4; shape++) {
        struct known *known;
        size_t is_new = 0, different = 0, count = shape == 0 ? COUNT : BAD_COUNT;
        assert_int_equal(known_begin(&known, "/tmp", JOB, &problem), ERR_OK);
        assert_int_equal(known_end(known, &problem), ERR_OK);
        for (uint32_t i = 0; i < count; i++) {
            err error = ERR_OK;
            uint64_t content = bad_content(&random, shape, i);
            known_prefetch(known, content);
            is_new += known_look(known, content, &error) == CONTENT_NEW;
            assert_int_equal(error, ERR_OK);
            assert_int_equal(known_look(known, content, &error), CONTENT_AGAIN);
            all[i] = content != 0 ? content : 1;
        }
        qsort(all, count, sizeof *all, by_number);
        for (uint32_t i = 0; i < count; i++)
            different += i == 0 || all[i] != all[i - 1];
        assert_int_equal(is_new, different);
        known_close(&known);
    }
    free(all);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct problem problem = { .error = ERR_OK };
    struct known *known = NULL;
    (void)state;
    assert_int_equal(known_begin(&known, "/nowhere/at/all", JOB, &problem), ERR_IO);
    assert_non_null(strstr(problem.detail, "/nowhere/at/all"));
    assert_null(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_other_jobs_brought_is_found),
        cmocka_unit_test(what_is_taken_back_stays_so),
        cmocka_unit_test(what_this_job_brought_before_a_restart_is_its_own),
        cmocka_unit_test(contents_come_once),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
