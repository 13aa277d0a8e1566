/* SPDX-License-Identifier: Apache-2.0 */
/* What a customer agreed to and withdrew: recorded as of now, and its history with the evidence. */
#include <stdlib.h>
#include <string.h>

#include "privacy/privacy.h"
#include "server/answer.h"
#include "server/mask.h"
#include "server/person.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define DECISIONS_MAX 10000

/* ---- recorded ---- */

err person_decide(struct request *request, uint32_t customer, str purpose, bool granted,
                  const char *evidence, str text_version, struct problem *problem)
{
    struct command_body body;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), customer);
    json_member_text(&body.writer, STR("purpose"), purpose);
    json_member_bool(&body.writer, STR("granted"), granted);
    json_member_text(&body.writer, STR("evidence"), str_from_c(evidence));
    json_member_text(&body.writer, STR("text_version"), text_version);
    return person_command(request, "consent.put", &body, problem);
}

err person_withdraw_all(struct request *request, str one_id, const char *evidence,
                        struct problem *problem)
{
    struct customer_view view;
    bool marketing = false;
    view_init(&view, true);
    err error = view_customer(request, one_id, true, &view, problem);
    for (uint32_t i = 0; error == ERR_OK && i < view.facts.consent_count; i++) {
        const struct profile_consent_view *consent = &view.facts.consents[i];
        bool is_kept = str_equal(consent->purpose, STR(PURPOSE_PROCESSING)) ||
                       str_equal(consent->purpose, STR(PURPOSE_PERSONALISATION));
        marketing = marketing || str_equal(consent->purpose, STR("marketing"));
        if (consent->granted && !is_kept)
            error = person_decide(request, view.root, consent->purpose, false, evidence, STR_NONE,
                                  problem);
    }
    /* Where she never decided, "no" is what all of it means. */
    if (error == ERR_OK && !marketing)
        error =
            person_decide(request, view.root, STR("marketing"), false, evidence, STR_NONE, problem);
    return error;
}

/* ---- the history ---- */

struct decision {
    int64_t seq, at_ms;
    uint32_t source, user;
    bool granted, taken_back;
    str purpose, text_version, evidence;
};

struct history {
    struct request *request;
    struct decision *items;
    size_t count;
    uint32_t node;
    err error;
};

static bool take_decision(void *context, const struct ledger_value *values)
{
    struct history *history = context;
    struct arena *arena = &history->request->arena;
    if ((uint32_t)values[0].integer != history->node || history->count == DECISIONS_MAX)
        return false;
    struct decision *item = &history->items[history->count];
    *item = (struct decision){ .seq = values[1].integer,
                               .at_ms = values[4].integer,
                               .source = (uint32_t)values[5].integer,
                               .user = (uint32_t)values[6].integer,
                               .granted = str_equal(values[3].bytes, STR("granted")) };
    if (!scope_sees_source(history->request->scope, item->source))
        return true;
    if (arena_dup(arena, values[2].bytes, &item->purpose) != ERR_OK ||
        arena_dup(arena, values[7].bytes, &item->text_version) != ERR_OK ||
        arena_dup(arena, values[8].bytes, &item->evidence) != ERR_OK)
        history->error = ERR_NOMEM;
    history->count++;
    return history->error == ERR_OK;
}

static bool note_taken_back(void *context, const struct ledger_value *values)
{
    (void)values;
    *(bool *)context = true;
    return false;
}

static int compare_decisions(const void *left, const void *right)
{
    const struct decision *a = left, *b = right;
    return a->seq > b->seq ? -1 : a->seq < b->seq;
}

static err read_decisions(struct history *history, const struct customer_view *view,
                          struct problem *problem)
{
    struct ledger *ledger = server_ledger(history->request->server);
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < view->node_count; i++) {
        struct ledger_value from = ledger_int(view->nodes[i]);
        history->node = view->nodes[i];
        error =
            ledger_scan(ledger, LEDGER_CONSENT_DECISIONS, &from, take_decision, history, problem);
    }
    for (size_t i = 0; error == ERR_OK && i < history->count; i++) {
        struct ledger_value seq = ledger_int(history->items[i].seq);
        error = ledger_find(ledger, LEDGER_RETRACTIONS, &seq, 1, note_taken_back,
                            &history->items[i].taken_back, problem);
    }
    qsort(history->items, history->count, sizeof *history->items, compare_decisions);
    return error == ERR_OK ? history->error : error;
}

static void write_decision(struct request *request, struct json_writer *writer,
                           const struct decision *item)
{
    json_begin_object(writer);
    json_member_text(writer, STR("purpose"), item->purpose);
    json_member_text(writer, STR("state"), item->granted ? STR("granted") : STR("withdrawn"));
    json_member_time(writer, STR("at"), item->at_ms);
    json_member_int(writer, STR("recorded_at"), item->seq);
    json_member_text(writer, STR("source"), answer_source_key(request, item->source));
    member_text_or_null(writer, STR("user"),
                        item->user != 0 ? answer_login(request, item->user) : STR_NONE);
    json_member_text(writer, STR("text_version"), item->text_version);
    json_member_text(writer, STR("evidence"), item->evidence);
    json_member_bool(writer, STR("taken_back"), item->taken_back);
    json_end_object(writer);
}

static void write_current(struct request *request, struct json_writer *writer,
                          const struct profile_view *facts)
{
    bool restricted = false, plain = false;
    json_put_key(writer, STR("current"));
    json_begin_object(writer);
    for (uint32_t i = 0; i < facts->consent_count; i++) {
        const struct profile_consent_view *consent = &facts->consents[i];
        restricted = restricted ||
                     (!consent->granted && str_equal(consent->purpose, STR(PURPOSE_PROCESSING)));
        plain = plain ||
                (!consent->granted && str_equal(consent->purpose, STR(PURPOSE_PERSONALISATION)));
        json_put_key(writer, consent->purpose);
        json_begin_object(writer);
        json_member_text(writer, STR("state"),
                         consent->granted ? STR("granted") : STR("withdrawn"));
        json_member_time(writer, STR("at"), consent->at_ms);
        json_member_text(writer, STR("source"),
                         scope_sees_source(request->scope, consent->source)
                             ? answer_source_key(request, consent->source)
                             : STR_NONE);
        json_end_object(writer);
    }
    json_end_object(writer);
    json_member_bool(writer, STR("restricted"), restricted);
    json_member_bool(writer, STR("personalised"), !plain);
}

err route_consent_list(struct request *request, struct problem *problem)
{
    struct history history = { .request = request };
    struct customer_view view;
    struct json_writer writer;
    view_init(&view, true);
    err error = view_customer(request, request->parameters[0], true, &view, problem);
    if (error != ERR_OK)
        return error;
    history.items = arena_array(&request->arena, struct decision, DECISIONS_MAX);
    if (history.items == NULL)
        return ERR_NOMEM;
    error = read_decisions(&history, &view, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < history.count; i++)
        write_decision(request, &writer, &history.items[i]);
    answer_list_end(request, &writer, STR_NONE);
    write_current(request, &writer, &view.facts);
    json_end_object(&writer);
    return ERR_OK;
}
