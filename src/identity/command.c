/* SPDX-License-Identifier: Apache-2.0 */
/* command: what people decide by hand: take a merge back, join, review a refusal, put a rule. */
#include <string.h>

#include "identity/state.h"

#define TYPE_NAME_BYTES_MAX 100
#define TYPES_AT_ONCE_MAX 100

err identity_split(struct identity *identity, uint64_t merge_id, uint64_t seq, int64_t now_ms,
                   uint32_t user_number, struct ledger_writes *writes, uint32_t *a, uint32_t *b,
                   struct problem *problem)
{
    if (merge_id == 0 || merge_id >= identity->edges.count)
        return problem_set(problem, ERR_NOT_FOUND, "there is no merge %llu",
                           (unsigned long long)merge_id);
    uint32_t number = (uint32_t)merge_id;
    const struct edge *edge = edge_at(identity, number);
    if (edge->undone)
        return problem_set(problem, ERR_CONFLICT, "merge %u was taken back before", number);
    struct act act = act_of_command(identity, writes, now_ms, seq);
    err error = separation_add(&act, edge->node[0], edge->node[1], merge_id);
    if (error == ERR_OK)
        error = edge_undo(&act, number, user_number);
    /* Whoever was one customer for another reason too, is. */
    for (int side = 0; side < 2 && error == ERR_OK; side++)
        error = evidence_join(&act, edge->node[side]);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory to take back merge %u", number);
    *a = root_of(identity, edge->node[0]);
    *b = root_of(identity, edge->node[1]);
    return ERR_OK;
}

static bool is_customer(const struct identity *identity, uint32_t node, struct problem *problem)
{
    if (node != 0 && node < identity->nodes.count)
        return true;
    problem_set(problem, ERR_NOT_FOUND, "there is no customer %u", node);
    return false;
}

err identity_merge(struct identity *identity, uint32_t a, uint32_t b, uint64_t seq, int64_t now_ms,
                   uint32_t user_number, struct ledger_writes *writes, struct problem *problem)
{
    (void)user_number; /* the audit has it, beside the record's seq */
    if (!is_customer(identity, a, problem) || !is_customer(identity, b, problem))
        return ERR_NOT_FOUND;
    if (same_customer(identity, a, b))
        return problem_set(problem, ERR_CONFLICT, "%u and %u are one customer already", a, b);
    struct act act = act_of_command(identity, writes, now_ms, seq);
    separations_remove(&act, a, b);
    if (join_customers(&act, a, b, 0, 0, MERGE_MANUAL) != ERR_OK)
        return problem_set(problem, ERR_NOMEM, "no memory to merge %u and %u", a, b);
    return ERR_OK;
}

/* ---- review of a refusal ---- */

/* What belonged to nobody comes to the customer; two customers become one. */
static err decide_merge(struct act *act, const struct refusal *refusal, struct problem *problem)
{
    struct identity *identity = act->identity;
    uint32_t node = row_at(identity, refusal->row)->node;
    uint32_t other = row_at(identity, refusal->with_row)->node;
    if ((row_at(identity, refusal->with_row)->flags & ROW_SHARED) != 0) {
        problem_set(problem, ERR_CONFLICT, "identifier %u is shared by too many customers",
                    refusal->with_row);
        return problem_hint(problem, ERR_CONFLICT,
                            "raise shared_after of its type and apply the rules, or merge the two "
                            "customers by hand");
    }
    if (node == 0 && other == 0)
        return problem_set(problem, ERR_CONFLICT,
                           "neither identifier %u nor %u belongs to a customer", refusal->row,
                           refusal->with_row);
    if (node == 0) {
        row_move(act, refusal->row, other, refusal->with_row, LINK_REVIEW);
    } else if (other == 0) {
        row_move(act, refusal->with_row, node, refusal->row, LINK_REVIEW);
    } else if (!same_customer(identity, node, other)) {
        separations_remove(act, node, other);
        return join_customers(act, node, other, refusal->row, refusal->with_row, MERGE_REVIEW);
    }
    return ERR_OK;
}

static err decide_separate(struct act *act, const struct refusal *refusal, struct problem *problem)
{
    struct identity *identity = act->identity;
    uint32_t node = row_at(identity, refusal->row)->node;
    uint32_t other = row_at(identity, refusal->with_row)->node;
    if (node == 0 || other == 0)
        return ERR_OK; /* the status of the pair keeps them apart */
    if (same_customer(identity, node, other)) {
        problem_set(problem, ERR_CONFLICT, "the two are one customer by now");
        return problem_hint(problem, ERR_CONFLICT, "take their merge back instead");
    }
    return separation_add(act, node, other, 0);
}

static bool parse_decision(str decision, enum refusal_status *status)
{
    if (str_equal(decision, STR("merge")))
        *status = REFUSAL_MERGED;
    else if (str_equal(decision, STR("separate")))
        *status = REFUSAL_SEPARATED;
    else if (str_equal(decision, STR("dismiss")))
        *status = REFUSAL_DISMISSED;
    else
        return false;
    return true;
}

err identity_decide(struct identity *identity, uint64_t refusal_id, str decision, uint64_t seq,
                    int64_t now_ms, uint32_t user_number, struct ledger_writes *writes,
                    struct problem *problem)
{
    enum refusal_status status;
    if (refusal_id == 0 || refusal_id >= identity->refusals.count)
        return problem_set(problem, ERR_NOT_FOUND, "there is no refusal %llu",
                           (unsigned long long)refusal_id);
    if (!parse_decision(decision, &status)) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "decision '" STR_FMT "' is not merge, separate or dismiss",
                    STR_ARG(str_slice(decision, 0, 40)));
        return problem_at(problem, ERR_UNPROCESSABLE, "/decision");
    }
    struct refusal *refusal = refusal_at(identity, (uint32_t)refusal_id);
    if (refusal->status == REFUSAL_MERGED)
        return problem_set(problem, ERR_CONFLICT, "refusal %u was decided: merged",
                           (uint32_t)refusal_id);
    struct act act = act_of_command(identity, writes, now_ms, seq);
    err error = ERR_OK;
    if (status == REFUSAL_MERGED)
        error = decide_merge(&act, refusal, problem);
    else if (status == REFUSAL_SEPARATED)
        error = decide_separate(&act, refusal, problem);
    if (error != ERR_OK)
        return error;
    refusal->decided_by = user_number;
    refusal_set_status(&act, (uint32_t)refusal_id, status);
    return ERR_OK;
}

uint32_t identity_refusal_node(const struct identity *identity, uint64_t refusal_id)
{
    if (refusal_id == 0 || refusal_id >= identity->refusals.count)
        return 0;
    const struct refusal *refusal = refusal_at(identity, (uint32_t)refusal_id);
    return refusal->customer != 0 ? refusal->customer : refusal->other;
}

/* ---- rules ---- */

/* A new type comes into being only with rules that are good. */
static err try_rules(struct identity *identity, str name, json_value body, struct problem *problem)
{
    struct identifier_type trial = { .name = name };
    err error = type_settle(identity, &trial, body, problem);
    type_free_rules(&trial);
    return error;
}

static err check_type(struct identity *identity, str name, json_value body, struct problem *problem)
{
    if (name.size == 0 || name.size > TYPE_NAME_BYTES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "the name of an identifier type has 1 to %d bytes", TYPE_NAME_BYTES_MAX);
    if (!json_is_object(body))
        return problem_set(problem, ERR_UNPROCESSABLE, "the rules of a type are an object");
    return try_rules(identity, name, body, problem);
}

err identity_put_type(struct identity *identity, str name, json_value body,
                      struct ledger_writes *writes, struct problem *problem)
{
    err error = check_type(identity, name, body, problem);
    if (error != ERR_OK)
        return error;
    struct identifier_type *type = type_learn(identity, name, NULL);
    if (type == NULL)
        return problem_set(problem, ERR_UNPROCESSABLE, "there are %d identifier types, the most",
                           TYPES_MAX);
    bool was_strong = type->strong;
    error = type_settle(identity, type, body, problem);
    if (type->strong != was_strong && type->rows > 0)
        families_again(identity);
    if (error == ERR_OK)
        type_put(type, writes);
    return error;
}

/* Where in the list: of a pointer within the body, too. */
static err point_at(struct problem *problem, err error, size_t index)
{
    char inside[sizeof problem->pointer];
    memcpy(inside, problem->pointer, sizeof inside);
    return problem_at(problem, error, "/types/%zu%.*s", index, (int)sizeof inside - 32, inside);
}

static err check_types(struct identity *identity, json_value list, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(list);
    json_value body;
    uint32_t unknown = 0;
    for (size_t i = 0; json_next(&iterator, NULL, &body); i++) {
        str name = json_text(json_get(body, STR("name")));
        err error = check_type(identity, name, body, problem);
        if (error != ERR_OK)
            return point_at(problem, error, i);
        unknown += type_find(identity, name) == NULL;
        if (identity->type_count + unknown > TYPES_MAX)
            return problem_set(problem, ERR_UNPROCESSABLE,
                               "there are %u identifier types, of at most %d", identity->type_count,
                               TYPES_MAX);
    }
    return ERR_OK;
}

err identity_put_types(struct identity *identity, json_value list, struct ledger_writes *writes,
                       struct problem *problem)
{
    if (json_kind(list) != JSON_ARRAY || json_count(list) > TYPES_AT_ONCE_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "'types' is a list of at most %d changed types",
                    TYPES_AT_ONCE_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/types");
    }
    err error = check_types(identity, list, problem);
    struct json_iterator iterator = json_iterate(list);
    json_value body;
    while (error == ERR_OK && json_next(&iterator, NULL, &body))
        error = identity_put_type(identity, json_text(json_get(body, STR("name"))), body, writes,
                                  problem);
    return error;
}
