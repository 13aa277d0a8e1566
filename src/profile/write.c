/* SPDX-License-Identifier: Apache-2.0 */
/* write: a customer's traits, consents and summary as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

/* One trait in the facts of a customer. */
struct run {
    const struct profile *profile;
    const struct fact *items;
    uint32_t count;
    str name;
};

static int compare_runs(const void *left, const void *right)
{
    return str_compare(((const struct run *)left)->name, ((const struct run *)right)->name);
}

/* All facts of the nodes, kept as if they were of one. */
static bool read_customer(const struct profile *profile, const uint32_t *nodes, size_t node_count)
{
    struct facts *facts = &profile->scratch->facts;
    facts->count = 0;
    for (size_t i = 0; i < node_count; i++) {
        if (node_facts_read(profile, nodes[i], facts) != ERR_OK)
            return false;
    }
    return facts_keep_all(profile, facts) == ERR_OK;
}

/* The next run of facts of one trait or purpose from *at on. */
static bool next_run(const struct profile *profile, uint32_t *at, struct run *run)
{
    const struct facts *facts = &profile->scratch->facts;
    while (*at < facts->count && facts->items[*at].trait == FACT_ALL_TRAITS)
        ++*at;
    if (*at == facts->count)
        return false;
    const struct fact *first = &facts->items[*at];
    bool consent = first->operation == FACT_CONSENT;
    uint32_t end = *at + 1;
    while (end < facts->count && facts->items[end].trait == first->trait &&
           (facts->items[end].operation == FACT_CONSENT) == consent)
        end++;
    const struct names *names = consent ? &profile->purposes : &profile->trait_names;
    *run = (struct run){
        .profile = profile, .items = first, .count = end - *at, .name = names->texts[first->trait]
    };
    *at = end;
    return true;
}

/* ---- traits ---- */

static void write_trait(const struct run *run, bool origin, struct json_writer *writer)
{
    const struct profile *profile = run->profile;
    const struct trait_type *type = trait_type_at(profile, run->items->trait);
    struct buffer *text = &profile->scratch->text;
    const struct fact *by;
    buffer_clear(text);
    if (!view_value(profile, type, run->items, run->count, text, &by))
        return;
    json_put_key(writer, run->name);
    if (!origin) {
        json_put_raw(writer, buffer_str(text));
        return;
    }
    json_begin_object(writer);
    json_member_int(writer, STR("source"), by != NULL ? by->source : 0);
    json_member_time(writer, STR("at"), by != NULL ? by->time_ms : 0);
    json_end_object(writer);
}

static void write_traits(const struct run *runs, uint32_t count, bool origins,
                         struct json_writer *writer)
{
    json_put_key(writer, origins ? STR("trait_origins") : STR("traits"));
    json_begin_object(writer);
    for (uint32_t i = 0; i < count; i++) {
        if (runs[i].items->operation != FACT_CONSENT)
            write_trait(&runs[i], origins, writer);
    }
    json_end_object(writer);
}

static void write_consents(const struct run *runs, uint32_t count, struct json_writer *writer)
{
    json_put_key(writer, STR("consent"));
    json_begin_object(writer);
    for (uint32_t i = 0; i < count; i++) {
        const struct fact *fact = runs[i].items;
        if (fact->operation != FACT_CONSENT)
            continue;
        json_put_key(writer, runs[i].name);
        json_begin_object(writer);
        json_member_text(writer, STR("state"),
                         fact->kind == FACT_TRUE ? STR("granted") : STR("withdrawn"));
        json_member_time(writer, STR("at"), fact->time_ms);
        json_member_int(writer, STR("source"), fact->source);
        json_end_object(writer);
    }
    json_end_object(writer);
}

/* ---- summary ---- */

static void member_time_or_null(struct json_writer *writer, str key, bool is_there, int64_t time_ms)
{
    if (is_there) {
        json_member_time(writer, key, time_ms);
        return;
    }
    json_put_key(writer, key);
    json_put_null(writer);
}

static void write_other_currencies(const struct money_line *lines, uint32_t count,
                                   struct json_writer *writer)
{
    json_put_key(writer, STR("other_currencies"));
    json_begin_array(writer);
    for (uint32_t i = 1; i < count; i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("currency"), str_from_c(lines[i].currency));
        json_member_int(writer, STR("orders"), lines[i].orders);
        json_member_int(writer, STR("revenue"), lines[i].revenue);
        json_member_int(writer, STR("refunded"), lines[i].refunded);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_summary(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                          struct json_writer *writer)
{
    struct profile_summary summary;
    struct money_line lines[CURRENCIES_MAX];
    profile_summarise(profile, nodes, node_count, &summary);
    uint32_t count = orders_sum(profile, nodes, node_count, lines, CURRENCIES_MAX);
    json_put_key(writer, STR("summary"));
    json_begin_object(writer);
    json_member_int(writer, STR("events"), (int64_t)summary.events);
    json_member_int(writer, STR("orders"), summary.orders);
    json_member_int(writer, STR("revenue"), summary.revenue);
    json_member_int(writer, STR("refunded"), summary.refunded);
    json_member_text(writer, STR("currency"), str_from_c(summary.currency));
    member_time_or_null(writer, STR("first_order_at"), summary.orders > 0, summary.first_order_ms);
    member_time_or_null(writer, STR("last_order_at"), summary.orders > 0, summary.last_order_ms);
    member_time_or_null(writer, STR("first_seen_at"), summary.events > 0, summary.first_seen_ms);
    member_time_or_null(writer, STR("last_seen_at"), summary.events > 0, summary.last_seen_ms);
    write_other_currencies(lines, count, writer);
    json_end_object(writer);
}

void profile_write(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                   bool origins, struct json_writer *writer)
{
    struct run *runs = NULL;
    uint32_t count = 0, at = 0;
    struct run run;
    if (read_customer(profile, nodes, node_count)) {
        runs = memory_alloc((profile->scratch->facts.count + 1) * sizeof(*runs));
        while (runs != NULL && next_run(profile, &at, &run))
            runs[count++] = run;
    }
    if (runs != NULL)
        qsort(runs, count, sizeof(*runs), compare_runs);
    else
        writer->out->failed = true; /* told by buffer_status */
    write_traits(runs, count, false, writer);
    if (origins)
        write_traits(runs, count, true, writer);
    write_consents(runs, count, writer);
    memory_free(runs);
    write_summary(profile, nodes, node_count, writer);
}

bool profile_trait(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                   str name, struct buffer *value)
{
    const struct trait_type *type = trait_type_find(profile, name);
    const struct fact *by;
    struct run run;
    uint32_t at = 0;
    if (type == NULL || !read_customer(profile, nodes, node_count))
        return false;
    while (next_run(profile, &at, &run)) {
        if (run.items->trait == type->number && run.items->operation != FACT_CONSENT)
            return view_value(profile, type, run.items, run.count, value, &by);
    }
    return false;
}
