/* SPDX-License-Identifier: Apache-2.0 */
/* show: erasures as people read them: when, why, by whom, how far, and the receipt. */
#include <stdio.h>
#include <string.h>

#include "privacy/inside.h"

struct showing {
    struct privacy *privacy;
    struct json_writer *writer;
    struct json_parser *parser;
    size_t left;
    uint32_t last;
    bool found;
};

static void write_one(struct showing *showing, const struct ledger_value *values)
{
    struct json_writer *writer = showing->writer;
    char id[16];
    snprintf(id, sizeof id, "x%lld", (long long)values[0].integer);
    json_begin_object(writer);
    json_member_text(writer, STR("id"), str_from_c(id));
    json_member_text(writer, STR("kind"), STR("erasure"));
    json_member_text(writer, STR("state"), values[6].bytes);
    json_member_time(writer, STR("asked_at"), values[2].integer);
    if (values[10].integer != 0)
        json_member_time(writer, STR("finished_at"), values[10].integer);
    else
        json_member_raw(writer, STR("finished_at"), STR("null"));
    json_member_int(writer, STR("user"), values[4].integer);
    json_member_text(writer, STR("reason"), values[5].bytes);
    json_put_key(writer, STR("receipt"));
    json_put_raw(writer, values[9].bytes);
    json_end_object(writer);
    showing->found = true;
}

static bool show_one(void *context, const struct ledger_value *values)
{
    write_one(context, values);
    return false;
}

static bool show_next(void *context, const struct ledger_value *values)
{
    struct showing *showing = context;
    if (showing->left == 0)
        return false;
    write_one(showing, values);
    showing->left--;
    showing->last = (uint32_t)values[0].integer;
    return true;
}

err privacy_write_erasure(struct privacy *privacy, uint32_t number, struct buffer *out,
                          struct problem *problem)
{
    struct json_writer writer;
    struct showing showing = { .privacy = privacy, .writer = &writer };
    struct ledger_value key = ledger_int(number);
    json_writer_init(&writer, out);
    err error = ledger_find(engine_ledger(privacy->engine), LEDGER_ERASURES, &key, 1, show_one,
                            &showing, problem);
    if (error == ERR_OK && !showing.found)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no erasure x%u", number);
    return error;
}

err privacy_write_erasures(struct privacy *privacy, uint32_t before, size_t limit,
                           struct json_writer *writer, uint32_t *next, struct problem *problem)
{
    struct showing showing = { .privacy = privacy, .writer = writer, .left = limit };
    struct ledger_value beyond = ledger_int(before);
    err error =
        ledger_page(engine_ledger(privacy->engine), LEDGER_ERASURES, before != 0 ? &beyond : NULL,
                    true, limit + 1, show_next, &showing, problem);
    *next = error == ERR_OK && showing.left == 0 && showing.last > 1 ? showing.last : 0;
    return error;
}

/* ---- where things stand ---- */

#define CURRENCIES_MAX 64

struct standing {
    uint64_t erasing, finished, tombstones, refused;
    struct {
        char currency[8];
        int64_t events, revenue, total;
    } totals[CURRENCIES_MAX];
    size_t total_count;
};

static bool count_erasure(void *context, const struct ledger_value *values)
{
    struct standing *standing = context;
    bool erasing = str_equal(values[6].bytes, STR("erasing"));
    standing->erasing += erasing;
    standing->finished += !erasing;
    return true;
}

static bool count_stone(void *context, const struct ledger_value *values)
{
    struct standing *standing = context;
    standing->tombstones += values[5].integer == 0;
    standing->refused += (uint64_t)values[6].integer;
    return true;
}

/* The last place takes what is of further currencies. */
static bool add_total(void *context, const struct ledger_value *values)
{
    struct standing *standing = context;
    size_t place = 0;
    char currency[8];
    snprintf(currency, sizeof currency, STR_FMT, STR_ARG(values[3].bytes));
    while (place < standing->total_count && strcmp(standing->totals[place].currency, currency) != 0)
        place++;
    if (place == CURRENCIES_MAX)
        place--;
    if (place == standing->total_count) {
        standing->total_count++;
        memcpy(standing->totals[place].currency, currency, sizeof currency);
    }
    standing->totals[place].events += values[4].integer;
    standing->totals[place].revenue += values[5].integer;
    standing->totals[place].total += values[6].integer;
    return true;
}

static void write_totals(const struct standing *standing, struct json_writer *writer)
{
    json_put_key(writer, STR("totals"));
    json_begin_array(writer);
    for (size_t i = 0; i < standing->total_count; i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("currency"), str_from_c(standing->totals[i].currency));
        json_member_int(writer, STR("events"), standing->totals[i].events);
        json_member_int(writer, STR("revenue"), standing->totals[i].revenue);
        json_member_int(writer, STR("total"), standing->totals[i].total);
        json_end_object(writer);
    }
    json_end_array(writer);
}

err privacy_write_status(struct privacy *privacy, struct buffer *out, struct problem *problem)
{
    struct ledger *ledger = engine_ledger(privacy->engine);
    struct standing *standing = memory_alloc(sizeof *standing);
    struct engine_status status;
    struct json_writer writer;
    if (standing == NULL)
        return ERR_NOMEM;
    err error = ledger_scan(ledger, LEDGER_ERASURES, NULL, count_erasure, standing, problem);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_TOMBSTONES, NULL, count_stone, standing, problem);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_ERASED_TOTALS, NULL, add_total, standing, problem);
    engine_status(privacy->engine, &status);
    if (error == ERR_OK) {
        json_writer_init(&writer, out);
        json_begin_object(&writer);
        json_member_int(&writer, STR("erasing"), (int64_t)standing->erasing);
        json_member_int(&writer, STR("finished"), (int64_t)standing->finished);
        json_member_int(&writer, STR("tombstones"), (int64_t)standing->tombstones);
        json_member_int(&writer, STR("refused_events"), (int64_t)standing->refused);
        json_member_bool(&writer, STR("log_is_clean"),
                         atomic_load(&privacy->has_begun) &&
                             status.erased == atomic_load(&privacy->cleaned_seen));
        json_member_bool(&writer, STR("is_failing"), atomic_load(&privacy->is_failing));
        write_totals(standing, &writer);
        json_end_object(&writer);
    }
    memory_free(standing);
    return error;
}
