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

static bool has_imported(const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->count; i++)
        if (event_source_is_import(facts->items[i].source))
            return true;
    return false;
}

/* All facts of the nodes, kept as if they were of one. Those of one node are kept already, and what is kept of
 * what was kept is the same (fact.h), unless imports' are among them (retract.c). */
static bool read_customer(const struct profile *profile, const uint32_t *nodes, size_t node_count)
{
    struct facts *facts = &profile->scratch->facts;
    facts->count = 0;
    for (size_t i = 0; i < node_count; i++) {
        if (node_facts_read(profile, nodes[i], facts) != ERR_OK)
            return false;
    }
    if (node_count > 1 || has_imported(facts))
        return facts_keep_all(profile, facts) == ERR_OK;
    facts_sort(facts);
    return true;
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

/* ---- the view ---- */

static err take_trait(const struct run *run, struct arena *arena, struct profile_view *view)
{
    const struct trait_type *type = trait_type_at(run->profile, run->items->trait);
    struct buffer *text = &run->profile->scratch->text;
    const struct fact *by;
    buffer_clear(text);
    if (!view_value(run->profile, type, run->items, run->count, text, &by))
        return ERR_OK;
    struct profile_trait_view *trait = &view->traits[view->trait_count];
    *trait = (struct profile_trait_view){ .name = run->name };
    if (by != NULL) {
        trait->source = by->source;
        trait->by_hand = by->operation == FACT_HAND;
        trait->at_ms = by->time_ms;
    }
    err error = buffer_status(text);
    if (error == ERR_OK)
        error = arena_dup(arena, buffer_str(text), &trait->json);
    if (error == ERR_OK)
        view->trait_count++;
    return error;
}

static void take_consent(const struct run *run, const uint32_t *nodes, size_t node_count,
                         struct profile_view *view)
{
    struct profile_word word;
    if (consent_decide(run->profile, nodes, node_count, run->items->trait, &word))
        view->consents[view->consent_count++] =
            (struct profile_consent_view){ .purpose = run->name,
                                           .granted = word.granted,
                                           .source = word.source,
                                           .at_ms = word.at_ms };
}

static err take_facts(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                      struct arena *arena, struct profile_view *view)
{
    uint32_t count = 0, consents = 0, at = 0;
    struct run run;
    if (!read_customer(profile, nodes, node_count))
        return ERR_NOMEM;
    struct run *runs = arena_array(arena, struct run, profile->scratch->facts.count + 1);
    while (runs != NULL && next_run(profile, &at, &run)) {
        consents += run.items->operation == FACT_CONSENT;
        runs[count++] = run;
    }
    view->traits = arena_array(arena, struct profile_trait_view, count - consents + 1);
    view->consents = arena_array(arena, struct profile_consent_view, consents + 1);
    if (runs == NULL || view->traits == NULL || view->consents == NULL)
        return ERR_NOMEM;
    if (count > 1)
        qsort(runs, count, sizeof(*runs), compare_runs);
    err error = ERR_OK;
    for (uint32_t i = 0; i < count && error == ERR_OK; i++) {
        if (runs[i].items->operation == FACT_CONSENT)
            take_consent(&runs[i], nodes, node_count, view);
        else
            error = take_trait(&runs[i], arena, view);
    }
    return error;
}

static err take_money(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                      struct arena *arena, struct profile_view *view)
{
    struct money_line lines[CURRENCIES_MAX];
    uint32_t count = profile_sum(profile, nodes, node_count, &view->summary, lines);
    if (count < 2)
        return ERR_OK;
    view->others = arena_array(arena, struct profile_currency, count);
    if (view->others == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 1; i < count; i++) {
        struct profile_currency *other = &view->others[view->other_count++];
        *other = (struct profile_currency){ .orders = lines[i].orders,
                                            .revenue = lines[i].revenue,
                                            .refunded = lines[i].refunded };
        memcpy(other->currency, lines[i].currency, sizeof(other->currency));
    }
    return ERR_OK;
}

err profile_view_take(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                      struct arena *arena, struct profile_view *view)
{
    *view = (struct profile_view){ .trait_count = 0 };
    err error = take_facts(profile, nodes, node_count, arena, view);
    return error == ERR_OK ? take_money(profile, nodes, node_count, arena, view) : error;
}

const struct profile_trait_view *profile_view_trait(const struct profile_view *view, str name)
{
    for (uint32_t i = 0; i < view->trait_count; i++) {
        if (str_equal(view->traits[i].name, name))
            return &view->traits[i];
    }
    return NULL;
}

/* ---- as JSON ---- */

static void member_time_or_null(struct json_writer *writer, str key, bool is_there, int64_t time_ms)
{
    if (is_there) {
        json_member_time(writer, key, time_ms);
        return;
    }
    json_put_key(writer, key);
    json_put_null(writer);
}

static void write_other_currencies(const struct profile_view *view, struct json_writer *writer)
{
    json_put_key(writer, STR("other_currencies"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < view->other_count; i++) {
        const struct profile_currency *other = &view->others[i];
        json_begin_object(writer);
        json_member_text(writer, STR("currency"), str_from_c(other->currency));
        json_member_int(writer, STR("orders"), other->orders);
        json_member_int(writer, STR("revenue"), other->revenue);
        json_member_int(writer, STR("refunded"), other->refunded);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void profile_view_write_summary(const struct profile_view *view, struct json_writer *writer)
{
    const struct profile_summary *summary = &view->summary;
    json_put_key(writer, STR("summary"));
    json_begin_object(writer);
    json_member_int(writer, STR("events"), (int64_t)summary->events);
    json_member_int(writer, STR("orders"), summary->orders);
    json_member_int(writer, STR("revenue"), summary->revenue);
    json_member_int(writer, STR("refunded"), summary->refunded);
    json_member_text(writer, STR("currency"), str_from_c(summary->currency));
    member_time_or_null(writer, STR("first_order_at"), summary->orders > 0,
                        summary->first_order_ms);
    member_time_or_null(writer, STR("last_order_at"), summary->orders > 0, summary->last_order_ms);
    member_time_or_null(writer, STR("first_seen_at"), summary->events > 0, summary->first_seen_ms);
    member_time_or_null(writer, STR("last_seen_at"), summary->events > 0, summary->last_seen_ms);
    write_other_currencies(view, writer);
    json_end_object(writer);
}

static void write_origins(const struct profile_view *view, struct json_writer *writer)
{
    json_put_key(writer, STR("trait_origins"));
    json_begin_object(writer);
    for (uint32_t i = 0; i < view->trait_count; i++) {
        json_put_key(writer, view->traits[i].name);
        json_begin_object(writer);
        json_member_int(writer, STR("source"), view->traits[i].source);
        json_member_time(writer, STR("at"), view->traits[i].at_ms);
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void write_consents(const struct profile_view *view, struct json_writer *writer)
{
    json_put_key(writer, STR("consent"));
    json_begin_object(writer);
    for (uint32_t i = 0; i < view->consent_count; i++) {
        const struct profile_consent_view *consent = &view->consents[i];
        json_put_key(writer, consent->purpose);
        json_begin_object(writer);
        json_member_text(writer, STR("state"),
                         consent->granted ? STR("granted") : STR("withdrawn"));
        json_member_time(writer, STR("at"), consent->at_ms);
        json_member_int(writer, STR("source"), consent->source);
        json_end_object(writer);
    }
    json_end_object(writer);
}

#define VIEW_BYTES_MAX ((size_t)64 << 20)

void profile_write(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                   bool origins, struct json_writer *writer)
{
    struct arena arena;
    struct profile_view view;
    arena_init(&arena, "profile_write", VIEW_BYTES_MAX);
    if (profile_view_take(profile, nodes, node_count, &arena, &view) != ERR_OK) {
        writer->out->failed = true; /* told by buffer_status */
        view = (struct profile_view){ .trait_count = 0 };
    }
    json_put_key(writer, STR("traits"));
    json_begin_object(writer);
    for (uint32_t i = 0; i < view.trait_count; i++)
        json_member_raw(writer, view.traits[i].name, view.traits[i].json);
    json_end_object(writer);
    if (origins)
        write_origins(&view, writer);
    write_consents(&view, writer);
    profile_view_write_summary(&view, writer);
    arena_deinit(&arena);
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
