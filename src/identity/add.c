/* SPDX-License-Identifier: Apache-2.0 */
/* add: an identifier is given to a customer by hand.
 *
 * A person says whose it is, so nothing is merged by it: what is another customer's stays there, and whoever means that the two are one
 * merges them. The rest holds as for an event of a trusted source: what is blocked, shared or of somebody erased is refused, so is
 * what is over the limit of its type (or the oldest goes, where the type says so); what was merely claimed elsewhere is taken from
 * there. Not verified, where its type asks for that, it is a claim: hers until somebody proves it. All is looked at before
 * anything is changed.
 *
 * At a node that only imports have made it gets one of its own beside (undo.c), so that it stays when they are taken back. */
#include <string.h>

#include "identity/state.h"

#define ROWS_MAX 4 /* a phone, its md5 and sha256 may have come apart */

struct adding {
    struct act act;
    const struct event_identifier *identifier;
    struct identifier_type *type;
    uint32_t node, kind;
    uint32_t rows[ROWS_MAX], row_count; /* those that its hashes lead to */
    bool claims;
};

static uint32_t row_of_hash(const struct identity *identity, const uint8_t hash[HASH_BYTES])
{
    struct index_key key = index_key_of_hash(hash);
    return index_get(&identity->index, &key);
}

static uint32_t hash_count(const struct event_identifier *identifier)
{
    return 1 + (identifier->other_hash_count < 3 ? identifier->other_hash_count : 3);
}

static const uint8_t *hash_at(const struct event_identifier *identifier, uint32_t index)
{
    return index == 0 ? identifier->hash : identifier->other_hashes[index - 1];
}

static void find_rows(struct adding *adding)
{
    for (uint32_t i = 0; i < hash_count(adding->identifier); i++) {
        uint32_t row = row_of_hash(adding->act.identity, hash_at(adding->identifier, i)), known = 0;
        while (known < adding->row_count && adding->rows[known] != row)
            known++;
        if (row != 0 && known == adding->row_count)
            adding->rows[adding->row_count++] = row;
    }
}

static bool is_hers(const struct adding *adding, uint32_t row)
{
    const struct identity *identity = adding->act.identity;
    uint32_t home = row_at(identity, row)->node;
    return home != 0 && same_customer(identity, home, adding->node);
}

/* ---- may it? ---- */

static err refuse(struct problem *problem, err error, const char *what, const char *hint)
{
    problem_set(problem, error, "%s", what);
    return problem_hint(problem, error, "%s", hint);
}

static err check_row(const struct adding *adding, uint32_t row, struct problem *problem)
{
    const struct identity *identity = adding->act.identity;
    uint8_t flags = (uint8_t)row_at(identity, row)->flags;
    uint32_t home = row_at(identity, row)->node;
    if ((flags & IDENTIFIER_BLOCKED) != 0)
        return refuse(problem, ERR_UNPROCESSABLE, "the rules of its type block this value",
                      "it names nobody; the rules are at /api/v1/identity/types");
    if ((flags & ROW_SHARED) != 0)
        return refuse(problem, ERR_CONFLICT, "too many customers share this identifier",
                      "it finds and joins nobody");
    if (home == 0 || is_hers(adding, row))
        return ERR_OK;
    if ((flags & ROW_STATED) == 0 && !adding->claims && node_is_here(identity, home))
        return ERR_OK; /* merely claimed there */
    return refuse(problem, ERR_CONFLICT, "this identifier is another customer's",
                  "are the two one: POST /api/v1/customers/{one_id}/merge; is it wrong there: take "
                  "it off there first");
}

static err check_value(struct adding *adding, struct problem *problem)
{
    struct identity *identity = adding->act.identity;
    const struct event_identifier *identifier = adding->identifier;
    bool sealed = (identifier->flags & IDENTIFIER_SEALED) != 0;
    if ((identifier->flags & IDENTIFIER_BLOCKED) != 0 ||
        type_blocks(identity, adding->type, identifier->value, sealed))
        return refuse(problem, ERR_UNPROCESSABLE,
                      "this is a placeholder, or a value that is blocked", "it names nobody");
    if (tombstone_stands(identity, identifier, adding->act.now_ms))
        return refuse(problem, ERR_CONFLICT, "who had this identifier was erased",
                      "if she comes back of her own will: POST /api/v1/privacy/tombstones/lift");
    err error = ERR_OK;
    for (uint32_t i = 0; i < adding->row_count && error == ERR_OK; i++)
        error = check_row(adding, adding->rows[i], problem);
    return error;
}

static err check_limit(struct adding *adding, struct problem *problem)
{
    struct identity *identity = adding->act.identity;
    const struct identifier_type *type = adding->type;
    uint32_t now_s = adding->act.now_s;
    for (uint32_t i = 0; i < adding->row_count; i++)
        if (is_hers(adding, adding->rows[i]) &&
            (adding->claims || (row_at(identity, adding->rows[i])->flags & ROW_STATED) != 0))
            return ERR_OK; /* it counts already */
    bool allowed = adding->claims ? type->limit == 0 || count_all(identity, adding->node,
                                                                  adding->kind, now_s) < type->limit
                                  : limit_allows_one(identity, adding->node, adding->kind, now_s);
    if (allowed)
        return ERR_OK;
    problem_set(problem, ERR_CONFLICT, "a customer has at most %u identifiers of this type",
                type->limit);
    return problem_hint(problem, ERR_CONFLICT,
                        "take one off, or change the limit: PUT /api/v1/identity/types");
}

static err look(struct adding *adding, struct problem *problem)
{
    struct identity *identity = adding->act.identity;
    const struct event_identifier *identifier = adding->identifier;
    adding->type = type_find(identity, identifier->type);
    if (adding->type == NULL) {
        problem_set(problem, ERR_UNPROCESSABLE, "there is no type of identifiers '%.*s'",
                    (int)str_utf8_prefix_bytes(identifier->type, 60), identifier->type.data);
        return problem_at(problem, ERR_UNPROCESSABLE, "/type");
    }
    bool verified = (identifier->flags & IDENTIFIER_VERIFIED) != 0;
    adding->claims = adding->type->strong && adding->type->verification && !verified;
    find_rows(adding);
    err error = check_value(adding, problem);
    if (error != ERR_OK)
        return error;
    adding->kind = adding->row_count > 0
                       ? row_at(identity, adding->rows[0])->kind
                       : kind_intern(identity, adding->type, identifier->namespace_);
    if (adding->kind == 0)
        return problem_set(problem, ERR_NOMEM, "no room for another namespace of identifiers");
    return check_limit(adding, problem);
}

/* ---- then it is hers ---- */

/* Has nobody but imports brought what is at this node? */
static bool is_of_imports(const struct identity *identity, uint32_t node)
{
    uint32_t row = node_at(identity, node)->first_row;
    if (row == 0)
        return false;
    for (; row != 0; row = row_at(identity, row)->next)
        if (!row_is_imported(identity, row))
            return false;
    return true;
}

static err bring_new(struct adding *adding, uint8_t flags)
{
    const struct event_identifier *identifier = adding->identifier;
    flags |= identifier->flags & ROW_KEPT_FLAGS;
    uint32_t row = row_new(&adding->act, identifier, adding->kind, adding->node, flags, 0,
                           LINK_HAND, adding->act.now_ms);
    adding->rows[adding->row_count++] = row;
    return row != 0 ? ERR_OK : ERR_NOMEM;
}

/* Hashes that nobody knew lead to it too; what was known by a digest alone has its value now. */
static err complete_hashes(struct adding *adding)
{
    const struct event_identifier *identifier = adding->identifier;
    bool is_plain = (identifier->flags & IDENTIFIER_HASHED) == 0;
    for (uint32_t i = 0; i < hash_count(identifier); i++) {
        const uint8_t *hash = hash_at(identifier, i);
        if (row_of_hash(adding->act.identity, hash) != 0)
            continue;
        err error = row_add_hash(&adding->act, adding->rows[0], hash,
                                 i == 0 && is_plain ? identifier : NULL);
        if (error != ERR_OK)
            return error;
        if (i == 0 && is_plain)
            row_set_flags(&adding->act, adding->rows[0], identifier->flags & IDENTIFIER_SEALED,
                          IDENTIFIER_HASHED);
    }
    return ERR_OK;
}

static void bring_known(struct adding *adding, uint32_t row, uint8_t flags)
{
    struct act *act = &adding->act;
    uint8_t verified = adding->identifier->flags & IDENTIFIER_VERIFIED;
    if (is_hers(adding, row)) {
        row_set_flags(act, row, (uint8_t)((flags & ~ROW_IMPORTED) | verified), 0);
        return;
    }
    if (row_at(act->identity, row)->node != 0)
        row_move(act, row, 0, 0, LINK_TAKEN);
    row_set_flags(act, row, flags | verified, (uint8_t)(ROW_IMPORTED & ~flags));
    row_move(act, row, adding->node, 0, LINK_HAND);
}

static err bring(struct adding *adding)
{
    struct act *act = &adding->act;
    uint8_t flags = adding->claims ? 0 : ROW_STATED;
    uint32_t known = adding->row_count;
    if (is_of_imports(act->identity, adding->node))
        flags |= ROW_IMPORTED; /* until it is adopted, below */
    err error = known == 0 ? bring_new(adding, flags) : complete_hashes(adding);
    for (uint32_t i = 0; i < known && error == ERR_OK; i++)
        bring_known(adding, adding->rows[i], flags);
    if (error == ERR_OK)
        error = import_adopt(act, adding->rows, adding->row_count);
    if (error == ERR_OK && adding->type->drop_oldest)
        limit_enforce(act, adding->node, adding->kind, adding->rows[0], LINK_DROPPED);
    return error;
}

err identity_add(struct identity *identity, uint32_t node,
                 const struct event_identifier *identifier, uint64_t seq, int64_t now_ms,
                 struct ledger_writes *writes, struct identity_outcome *outcome, bool *added,
                 struct problem *problem)
{
    struct adding adding = { .act = act_of_command(identity, writes, now_ms, seq),
                             .identifier = identifier,
                             .node = node };
    *outcome = (struct identity_outcome){ .node = node };
    adding.act.outcome = outcome;
    err error = look(&adding, problem);
    if (error != ERR_OK)
        return error;
    *added = adding.row_count == 0 || !is_hers(&adding, adding.rows[0]);
    tombstone_revive(identity, identifier, writes);
    error = bring(&adding);
    outcome->origin = adding.rows[0];
    return error == ERR_OK ? ERR_OK : problem_set(problem, error, "no memory to add an identifier");
}
