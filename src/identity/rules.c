/* SPDX-License-Identifier: Apache-2.0 */
/* rules: what follows when the rules of identifier types change. All evidence again: merges, refusals and
 * moves, under the present rules.
 *
 *     block_rows      values that are blocked now lead nowhere any more; others may again
 *     share_rows      identifiers that are shared now, or no longer
 *     undo_void       merges whose evidence does not count any more are taken back
 *     settle_limits   a merge that brought together too many is taken back; what one node holds
 *                     too many of is let go, the youngest first (the oldest where the type says so)
 *     join_evidence   nodes that were seen together while they were one customer anyway
 *     join_refused    refused links that are allowed now are made, the oldest first
 *     join_moved      the same for those who used one identifier one after the other, when its type
 *                     merges now
 *
 * What people decided (merges by hand, by review, separations) stays as it is. A what-if is the same
 * on a copy that is thrown away, so it says what will be done. */
#include <stdlib.h>
#include <string.h>

#include "identity/rules.h"

#define LOOKED_AT_ONCE 1024
void rules_breathe(struct rules *rules)
{
    const struct identity *identity = rules->act.identity;
    if (++rules->looked_at % LOOKED_AT_ONCE == 0 && identity->pause != NULL)
        identity->pause(identity->pause_context);
}

void rules_note_merge(struct rules *rules, uint32_t a, uint32_t b, const char *because)
{
    struct identity *identity = rules->act.identity;
    if (rules->merge_count < SAMPLES_MAX)
        rules->merges[rules->merge_count] =
            (struct change){ root_of(identity, a), root_of(identity, b), because };
    rules->merge_count++;
}

static err take_back(struct rules *rules, uint32_t number, const char *because)
{
    struct identity *identity = rules->act.identity;
    const struct edge *edge = edge_at(identity, number);
    err error = edge_undo(&rules->act, number, 0);
    if (error == ERR_OK && edge->cause != MERGE_LOGIN)
        error = evidence_keep(&rules->act, edge);
    if (error == ERR_OK && rules->split_count < SAMPLES_MAX)
        rules->splits[rules->split_count] =
            (struct change){ root_of(identity, edge->node[0]), root_of(identity, edge->node[1]),
                             because };
    rules->split_count += error == ERR_OK;
    return error;
}

/* ---- block_rows ---- */

static void judge_value(struct rules *rules, uint32_t number, str value)
{
    struct identity *identity = rules->act.identity;
    const struct row *row = row_at(identity, number);
    if (!row_is_here(identity, number))
        return;
    bool was = (row->flags & IDENTIFIER_BLOCKED) != 0;
    bool sealed = (row->flags & IDENTIFIER_SEALED) != 0;
    const struct identifier_type *type = row_type(identity, number);
    if (!was && type->blocked_count == 0 && type->pattern_count == 0)
        return;
    bool is = type_blocks(identity, type, value, sealed);
    if (is && !was) {
        row_move(&rules->act, number, 0, 0, LINK_BLOCKED);
        row_set_flags(&rules->act, number, IDENTIFIER_BLOCKED, 0);
        rules->blocked++;
    } else if (was && !is) {
        row_set_flags(&rules->act, number, 0, IDENTIFIER_BLOCKED);
        rules->unblocked++;
    }
}

static bool judge_ledger_row(void *context, const struct ledger_value *values)
{
    struct rules *rules = context;
    rules_breathe(rules);
    if (values[0].integer > 0 && values[0].integer < rules->act.identity->rows.count)
        judge_value(rules, (uint32_t)values[0].integer, values[10].bytes);
    return true;
}

static bool anything_blocks(const struct identity *identity)
{
    for (uint32_t i = 0; i < identity->type_count; i++) {
        if (identity->types[i]->blocked_count > 0 || identity->types[i]->pattern_count > 0)
            return true;
    }
    for (uint32_t row = 1; row < identity->rows.count; row++) {
        if ((row_at(identity, row)->flags & IDENTIFIER_BLOCKED) != 0)
            return true;
    }
    return false;
}

/* By row number: first those of the ledger, then those that it does not have yet. */
static err block_rows(struct rules *rules)
{
    struct identity *identity = rules->act.identity;
    if (!anything_blocks(identity))
        return ERR_OK;
    err error = ledger_scan_some(rules->ledger, LEDGER_IDENTIFIERS, "row value", NULL,
                                 judge_ledger_row, rules, rules->problem);
    for (uint32_t i = 0; i < identity->pending_count && error == ERR_OK; i++) {
        const struct pending *pending = pending_find(identity, identity->pending_first + i);
        judge_value(rules, pending->row, pending->value);
    }
    return error;
}

/* ---- share_rows ---- */

static err share_rows(struct rules *rules)
{
    struct identity *identity = rules->act.identity;
    err error = ERR_OK;
    for (uint32_t number = 1; number < identity->refusals.count && error == ERR_OK; number++) {
        rules_breathe(rules);
        uint32_t row = refusal_at(identity, number)->with_row;
        uint32_t count = refused_customers(identity, row);
        const struct identifier_type *type = row_type(identity, row);
        bool was = (row_at(identity, row)->flags & ROW_SHARED) != 0;
        bool is = type->strong && type->shared_after > 0 && count >= type->shared_after;
        if (is && !was && (row_at(identity, row)->flags & ROW_STATED) != 0) {
            error = join_make_shared(&rules->act, row);
            rules->shared++;
        } else if (was && !is) {
            row_set_flags(&rules->act, row, 0, ROW_SHARED);
            rules->unshared++;
        }
    }
    return error;
}

/* ---- undo_void ---- */

static bool is_by_hand(const struct edge *edge)
{
    return edge->cause == MERGE_MANUAL || edge->cause == MERGE_REVIEW ||
           edge->cause == MERGE_IMPORT;
}

/* Why an edge counts for nothing under the present rules; NULL if it does count. */
static const char *void_because(const struct identity *identity, const struct edge *edge)
{
    if (is_by_hand(edge))
        return NULL;
    const uint32_t rows[2] = { edge->row, edge->with_row };
    for (int i = 0; i < 2; i++) {
        uint8_t flags = (uint8_t)row_at(identity, rows[i])->flags;
        if ((flags & IDENTIFIER_BLOCKED) != 0)
            return "blocked";
        if ((flags & ROW_SHARED) != 0)
            return "shared";
        /* A visitor's identifier was never strong. */
        bool strong = row_is_here(identity, rows[i]) && row_type(identity, rows[i])->strong;
        if (!strong && !(edge->cause == MERGE_LOGIN && i == 1))
            return "weak";
    }
    return NULL;
}

static err undo_void(struct rules *rules)
{
    struct identity *identity = rules->act.identity;
    err error = ERR_OK;
    for (uint32_t number = 1; number < identity->edges.count && error == ERR_OK; number++) {
        rules_breathe(rules);
        const struct edge *edge = edge_at(identity, number);
        const char *because = edge->undone ? NULL : void_because(identity, edge);
        rules->evaluated += !edge->undone;
        if (because != NULL)
            error = take_back(rules, number, because);
    }
    return error;
}

/* ---- settle_limits ---- */

static bool is_over(struct identity *identity, uint32_t node, uint32_t kind, uint32_t now_s)
{
    const struct identifier_type *type = identity->kinds[kind].type;
    return type->limit > 0 && count_kind(identity, node, kind, now_s) > type->limit;
}

/* The first kind of which the customer has too many; 0 if there is none. */
static uint32_t kind_over(struct identity *identity, uint32_t node, uint32_t now_s,
                          const struct identifier_type *than)
{
    uint32_t found = 0;
    struct row_walk walk = walk_rows(identity, node);
    for (uint32_t number; (number = walk_next(&walk)) != 0;) {
        const struct row *row = row_at(identity, number);
        const struct identifier_type *type = identity->kinds[row->kind].type;
        if ((row->flags & ROW_STATED) == 0 || type->limit == 0 || row->kind == found ||
            (than != NULL && type->number <= than->number))
            continue;
        if (found != 0 && type->number >= identity->kinds[found].type->number)
            continue;
        if (is_over(identity, node, row->kind, now_s))
            found = row->kind;
    }
    return found;
}

/* One customer, to be put together again merge by merge: her nodes, her edges from the oldest on (those
 * by hand before all others), and how many of one kind each part holds so far. */
struct trial {
    uint32_t *nodes, *parent, *held;
    uint32_t *edges;
    uint32_t node_count, edge_count;
};

static void trial_free(struct trial *trial)
{
    memory_free(trial->nodes);
    memory_free(trial->edges);
}

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static uint32_t place_of(const struct trial *trial, uint32_t node)
{
    const uint32_t *at =
        bsearch(&node, trial->nodes, trial->node_count, sizeof(node), compare_numbers);
    return (uint32_t)(at - trial->nodes);
}

static uint32_t part_of(struct trial *trial, uint32_t node)
{
    uint32_t place = place_of(trial, node);
    while (trial->parent[place] != place) {
        trial->parent[place] = trial->parent[trial->parent[place]];
        place = trial->parent[place];
    }
    return place;
}

static void gather_edges(const struct identity *identity, struct trial *trial, bool by_hand)
{
    uint32_t begin = trial->edge_count;
    for (uint32_t i = 0; i < trial->node_count; i++) {
        uint32_t node = trial->nodes[i], number = node_first_edge(identity, node);
        while (number != 0) {
            const struct edge *edge = edge_at(identity, number);
            if (edge->node[0] == node && is_by_hand(edge) == by_hand)
                trial->edges[trial->edge_count++] = number;
            number = edge->next[edge->node[0] == node ? 0 : 1];
        }
    }
    if (trial->edge_count > begin)
        qsort(trial->edges + begin, trial->edge_count - begin, sizeof(*trial->edges),
              compare_numbers);
}

static err trial_make(const struct identity *identity, uint32_t node, uint32_t kind,
                      struct trial *trial)
{
    uint32_t size = component_size(identity, node), at = node;
    *trial = (struct trial){ .nodes = memory_alloc(3 * (size_t)size * sizeof(uint32_t)),
                             .edges = memory_alloc(size * sizeof(uint32_t)) };
    if (trial->nodes == NULL || trial->edges == NULL) {
        trial_free(trial);
        return ERR_NOMEM;
    }
    trial->parent = trial->nodes + size;
    trial->held = trial->parent + size;
    do {
        trial->nodes[trial->node_count++] = at;
        at = node_next(identity, at);
    } while (at != node);
    qsort(trial->nodes, size, sizeof(*trial->nodes), compare_numbers);
    for (uint32_t i = 0; i < size; i++) {
        trial->parent[i] = i;
        uint32_t number = node_at(identity, trial->nodes[i])->first_row;
        for (; number != 0; number = row_at(identity, number)->next) {
            const struct row *row = row_at(identity, number);
            trial->held[i] += row->kind == kind && (row->flags & ROW_STATED) != 0;
        }
    }
    gather_edges(identity, trial, true);
    gather_edges(identity, trial, false);
    return ERR_OK;
}

/* A merge that brings together more than the limit is taken back; it would be refused today. */
static err split_over(struct rules *rules, uint32_t node, uint32_t kind, bool *split)
{
    struct identity *identity = rules->act.identity;
    uint32_t limit = identity->kinds[kind].type->limit;
    struct trial trial;
    err error = trial_make(identity, node, kind, &trial);
    if (error != ERR_OK)
        return error;
    for (uint32_t i = 0; i < trial.edge_count && error == ERR_OK; i++) {
        const struct edge *edge = edge_at(identity, trial.edges[i]);
        uint32_t a = part_of(&trial, edge->node[0]), b = part_of(&trial, edge->node[1]);
        bool over = trial.held[a] > 0 && trial.held[b] > 0 &&
                    (uint64_t)trial.held[a] + trial.held[b] > limit;
        if (over && !is_by_hand(edge)) {
            error = take_back(rules, trial.edges[i], "limit");
            *split = true;
        } else {
            trial.parent[b] = a;
            trial.held[a] += trial.held[b];
        }
    }
    trial_free(&trial);
    return error;
}

static bool has_by_hand(const struct identity *identity, uint32_t node)
{
    uint32_t at = node;
    do {
        uint32_t number = node_first_edge(identity, at);
        while (number != 0) {
            const struct edge *edge = edge_at(identity, number);
            if (is_by_hand(edge))
                return true;
            number = edge->next[edge->node[0] == at ? 0 : 1];
        }
        at = node_next(identity, at);
    } while (at != node);
    return false;
}

static uint32_t youngest_row(const struct identity *identity, uint32_t node, uint32_t kind)
{
    uint32_t youngest = 0;
    struct row_walk walk = walk_rows(identity, node);
    for (uint32_t number; (number = walk_next(&walk)) != 0;) {
        const struct row *row = row_at(identity, number);
        if (row->kind != kind || (row->flags & ROW_STATED) == 0)
            continue;
        uint32_t attached_s = youngest == 0 ? 0 : row_at(identity, youngest)->attached_s;
        if (youngest == 0 || row->attached_s > attached_s ||
            (row->attached_s == attached_s && number > youngest))
            youngest = number;
    }
    return youngest;
}

static void let_go(struct rules *rules, uint32_t node, uint32_t kind)
{
    struct identity *identity = rules->act.identity;
    while (is_over(identity, node, kind, rules->act.now_s)) {
        row_move(&rules->act, youngest_row(identity, node, kind), 0, 0, LINK_RULES);
        rules->let_go++;
    }
}

/* Both halves of a split are looked at again: the caller goes through all nodes. */
static err settle_customer(struct rules *rules, uint32_t node, bool *again)
{
    struct identity *identity = rules->act.identity;
    const struct identifier_type *done = NULL;
    err error = ERR_OK;
    uint32_t kind;
    *again = false;
    while (error == ERR_OK && (kind = kind_over(identity, node, rules->act.now_s, done)) != 0) {
        const struct identifier_type *type = identity->kinds[kind].type;
        bool split = false;
        if (type->drop_oldest) {
            limit_enforce(&rules->act, node, kind, 0, LINK_RULES);
            rules->let_go++;
        } else if (component_size(identity, node) > 1) {
            error = split_over(rules, node, kind, &split);
            *again = *again || split;
        }
        if (!split && !type->drop_oldest && !has_by_hand(identity, node))
            let_go(rules, node, kind);
        if (!split && is_over(identity, node, kind, rules->act.now_s))
            done = type; /* by hand: it stays */
    }
    return error;
}

static err settle_limits(struct rules *rules)
{
    struct identity *identity = rules->act.identity;
    err error = ERR_OK;
    for (uint32_t node = 1; node < identity->nodes.count && error == ERR_OK; node++) {
        bool again = root_of(identity, node) == node;
        rules_breathe(rules);
        while (again && error == ERR_OK)
            error = settle_customer(rules, node, &again);
    }
    return error;
}

/* ---- join_evidence ---- */

static err join_evidence(struct rules *rules)
{
    struct identity *identity = rules->act.identity;
    err error = ERR_OK;
    for (uint32_t number = 1; number < identity->evidence.count && error == ERR_OK; number++) {
        const struct evidence *evidence = evidence_at(identity, number);
        bool joined = false;
        rules_breathe(rules);
        rules->evaluated++;
        error = evidence_try(&rules->act, number, MERGE_RULES, &joined);
        if (joined)
            rules_note_merge(rules, evidence->node[0], evidence->node[1], "seen together");
    }
    return error;
}

/* ---- join_refused ---- */

static err join_pair(struct rules *rules, uint32_t number)
{
    struct act *act = &rules->act;
    struct identity *identity = act->identity;
    const struct refusal *refusal = refusal_at(identity, number);
    uint32_t node = row_at(identity, refusal->row)->node;
    uint32_t other = row_at(identity, refusal->with_row)->node;
    enum refusal_reason reason;
    const struct identifier_type *type;
    if (node == 0 && other == 0)
        return ERR_OK;
    if (node == 0 || other == 0) {
        uint32_t lost = node == 0 ? refusal->row : refusal->with_row;
        uint32_t home = node == 0 ? other : node;
        if (!limit_allows_one(identity, home, row_at(identity, lost)->kind, act->now_s))
            return ERR_OK;
        row_move(act, lost, home, node == 0 ? refusal->with_row : refusal->row, LINK_RULES);
    } else if (same_customer(identity, node, other)) {
        return ERR_OK;
    } else {
        if (!join_is_allowed(identity, node, other, act->now_s, &reason, &type))
            return ERR_OK;
        rules_note_merge(rules, node, other, "refused before");
        err error = join_customers(act, node, other, refusal->row, refusal->with_row, MERGE_RULES);
        if (error != ERR_OK)
            return error;
    }
    /* As a rule the join has closed it. */
    if (refusal->status == REFUSAL_OPEN)
        refusal_set_status(act, number, REFUSAL_MERGED);
    return ERR_OK;
}

static err join_refused(struct rules *rules)
{
    struct identity *identity = rules->act.identity;
    err error = ERR_OK;
    for (uint32_t number = 1; number < identity->refusals.count && error == ERR_OK; number++) {
        const struct refusal *refusal = refusal_at(identity, number);
        rules_breathe(rules);
        if (refusal->status != REFUSAL_OPEN ||
            (refusal->reason != REFUSED_LIMIT && refusal->reason != REFUSED_SHARED))
            continue;
        rules->evaluated++;
        const uint32_t rows[2] = { refusal->row, refusal->with_row };
        if (!join_counts(identity, rows[0]) || !join_counts(identity, rows[1]))
            continue;
        error = join_pair(rules, number);
    }
    return error;
}

/* ---- all of it ---- */

static err run_rules(struct rules *rules)
{
    static err (*const steps[])(struct rules *) = {
        block_rows,    share_rows,   undo_void,        settle_limits,
        join_evidence, join_refused, rules_join_moved,
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        err error = steps[i](rules);
        if (error != ERR_OK)
            return rules->problem != NULL && rules->problem->error == error
                       ? error
                       : problem_set(rules->problem, error, "the rules could not be applied");
    }
    return ERR_OK;
}

static void write_customer(struct json_writer *writer, str key, const struct keys *keys,
                           uint32_t customer)
{
    char one_id[ONE_ID_BYTES + 1];
    if (keys == NULL) {
        json_member_int(writer, key, customer);
        return;
    }
    keys_one_id(keys, customer, one_id);
    json_member_text(writer, key, str_from_c(one_id));
}

static void write_changes(struct json_writer *writer, str key, const struct keys *keys,
                          const struct change *changes, uint64_t count)
{
    json_put_key(writer, key);
    json_begin_object(writer);
    json_member_int(writer, STR("count"), (int64_t)count);
    json_put_key(writer, STR("samples"));
    json_begin_array(writer);
    for (uint64_t i = 0; i < count && i < SAMPLES_MAX; i++) {
        json_begin_object(writer);
        write_customer(writer, STR("a"), keys, changes[i].a);
        write_customer(writer, STR("b"), keys, changes[i].b);
        json_member_text(writer, STR("because"), str_from_c(changes[i].because));
        json_end_object(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

static void write_report(struct json_writer *writer, const struct rules *rules,
                         const struct keys *keys)
{
    write_changes(writer, STR("merges"), keys, rules->merges, rules->merge_count);
    write_changes(writer, STR("splits"), keys, rules->splits, rules->split_count);
    json_member_int(writer, STR("evaluated_links"), (int64_t)rules->evaluated);
    json_member_int(writer, STR("blocked"), (int64_t)rules->blocked);
    json_member_int(writer, STR("unblocked"), (int64_t)rules->unblocked);
    json_member_int(writer, STR("shared"), (int64_t)rules->shared);
    json_member_int(writer, STR("unshared"), (int64_t)rules->unshared);
    json_member_int(writer, STR("let_go"), (int64_t)rules->let_go);
}

err identity_apply_rules(struct identity *identity, struct ledger *ledger, uint64_t seq,
                         int64_t now_ms, struct ledger_writes *writes, struct buffer *report,
                         struct problem *problem)
{
    struct rules rules = { .act = act_of_command(identity, writes, now_ms, seq),
                           .ledger = ledger,
                           .problem = problem };
    /* Values and moves are read from the ledger: it has to have all that was applied before. */
    err error = ledger_drain(ledger);
    if (error == ERR_OK)
        error = run_rules(&rules);
    if (error != ERR_OK || report == NULL)
        return error;
    struct json_writer writer;
    json_writer_init(&writer, report);
    json_begin_object(&writer);
    write_report(&writer, &rules, identity->keys);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- what-if ---- */

static err settle_types(struct identity *identity, json_value list, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(list);
    json_value body;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &body))
        error = identity_put_type(identity, json_text(json_get(body, STR("name"))), body, NULL,
                                  problem);
    return error;
}

static err load_copy(struct identity *copy, struct ledger *ledger, str current_types,
                     json_value types, struct problem *problem)
{
    err error = identity_load_parts(copy, ledger, NULL, true, problem);
    json_value current;
    if (error == ERR_OK && current_types.size > 0) {
        error = json_parse(copy->parser, current_types, &current, problem);
        if (error == ERR_OK)
            error = settle_types(copy, current, problem);
    }
    return error == ERR_OK ? identity_put_types(copy, types, NULL, problem) : error;
}

err identity_whatif(struct ledger *ledger, const struct keys *keys, str current_types,
                    json_value types, struct buffer *out, struct problem *problem)
{
    steady_ns start = steady_now();
    struct identity *copy = NULL;
    err error = identity_new(&copy);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory for a copy of all identifiers");
    identity_use_keys(copy, keys);
    error = load_copy(copy, ledger, current_types, types, problem);
    /* Windows end where the youngest evidence lies: the copy has no clock. */
    int64_t now_ms = 0;
    for (uint32_t row = 1; row < copy->rows.count; row++) {
        int64_t attached_ms = (int64_t)row_at(copy, row)->attached_s * 1000;
        now_ms = attached_ms > now_ms ? attached_ms : now_ms;
    }
    struct rules rules = { .act = act_of_command(copy, NULL, now_ms, 0),
                           .ledger = ledger,
                           .problem = problem };
    if (error == ERR_OK)
        error = run_rules(&rules);
    if (error == ERR_OK) {
        struct json_writer writer;
        json_writer_init(&writer, out);
        json_begin_object(&writer);
        write_report(&writer, &rules, keys);
        json_member_int(&writer, STR("elapsed_ms"), steady_since_ms(start));
        json_end_object(&writer);
    }
    identity_free(&copy);
    return error;
}
