/* SPDX-License-Identifier: Apache-2.0 */
/* resolve: whose event is it? From the identifiers on an event to a node, with everything that follows
 * for identifiers and customers.
 *
 *     classify        what each identifier is worth on this event
 *     settle_claims   what was merely claimed so far is confirmed, or taken from who claimed it
 *     find_home       the node of the strongest one, the event's birth customer
 *     link_others     attach, merge, move, refuse
 *
 * What an identifier is worth:
 *
 *     STRONG   merges: strong type, from who may say it, verified where its type asks for it
 *     SHARED   strong, but of too many customers: finds and merges nobody
 *     WEAK     finds, and belongs to who used it last together with a strong one
 *     CLAIM    said by somebody who may not: attaches to its own visitor while nobody has it
 *     UNUSED   blocked, or of more types than can be
 */
#include <string.h>

#include "identity/state.h"

enum worth { UNUSED, STRONG, SHARED, WEAK, CLAIM };

struct seen {
    const struct event_identifier *identifier;
    struct identifier_type *type;
    uint32_t row; /* 0: not known yet */
    uint32_t kind;
    enum worth worth;
};

/* An identifier with its three other hashes may meet four rows. */
#define SEEN_MAX (EVENT_IDENTIFIERS_MAX * 4)

struct scene {
    struct act act;
    const struct event *event;
    uint32_t count;
    uint32_t origin; /* index of the strongest usable one */
    uint32_t home;
    struct seen seen[SEEN_MAX];
};

/* ---- classify ---- */

static uint32_t find_hash(const struct identity *identity, const uint8_t hash[HASH_BYTES])
{
    struct index_key key = index_key_of_hash(hash);
    return index_get(&identity->index, &key);
}

/* May the sender of the event say this as a fact? In a public event only of its own visitor. */
static bool may_state(const struct event *event, const struct event_identifier *identifier,
                      const struct identifier_type *type)
{
    if ((event->flags & EVENT_TRUSTED) != 0 || (identifier->flags & IDENTIFIER_VERIFIED) != 0)
        return true;
    return (identifier->flags & IDENTIFIER_OWN) != 0 && !type->strong;
}

static enum worth worth_of(const struct scene *scene, const struct seen *seen)
{
    const struct identity *identity = scene->act.identity;
    uint8_t row_flags = seen->row != 0 ? (uint8_t)row_at(identity, seen->row)->flags : 0;
    if ((row_flags & IDENTIFIER_BLOCKED) != 0)
        return UNUSED;
    if ((row_flags & ROW_SHARED) != 0)
        return SHARED;
    if (!may_state(scene->event, seen->identifier, seen->type))
        return CLAIM;
    if (!seen->type->strong)
        return WEAK;
    bool verified = (seen->identifier->flags & IDENTIFIER_VERIFIED) != 0;
    return verified || !seen->type->verification ? STRONG : CLAIM;
}

/* Under another hash the row may be known already: its digest came first. The hashes that are new
 * lead to it from now on; each further row that one of them leads to is looked at as well. */
static err find_by_others(struct scene *scene, struct seen *seen)
{
    struct identity *identity = scene->act.identity;
    const struct event_identifier *identifier = seen->identifier;
    uint32_t rows[4] = { 0 };
    for (uint32_t i = 0; i < identifier->other_hash_count && i < 3; i++) {
        rows[i + 1] = find_hash(identity, identifier->other_hashes[i]);
        if (seen->row == 0)
            seen->row = rows[i + 1];
    }
    if (seen->row == 0)
        return ERR_OK;
    for (uint32_t i = 0; i <= identifier->other_hash_count && i <= 3; i++) {
        const uint8_t *hash = i == 0 ? identifier->hash : identifier->other_hashes[i - 1];
        bool is_plain = i == 0 && (identifier->flags & IDENTIFIER_HASHED) == 0;
        if (rows[i] == 0) {
            err error = row_add_hash(&scene->act, seen->row, hash, is_plain ? identifier : NULL);
            if (error != ERR_OK)
                return error;
        } else if (rows[i] != seen->row && scene->count < SEEN_MAX) {
            scene->seen[scene->count] = *seen;
            scene->seen[scene->count++].row = rows[i];
        }
    }
    if ((identifier->flags & IDENTIFIER_HASHED) == 0)
        row_set_flags(&scene->act, seen->row, identifier->flags & IDENTIFIER_SEALED,
                      IDENTIFIER_HASHED);
    return ERR_OK;
}

/* No room, or no name; otherwise it was for want of memory. */
static bool types_are_full(const struct identity *identity, str name)
{
    return identity->type_count == TYPES_MAX || name.size == 0 || name.size > EVENT_NAME_BYTES_MAX;
}

static err classify_one(struct scene *scene, struct seen *seen)
{
    struct identity *identity = scene->act.identity;
    const struct event_identifier *identifier = seen->identifier;
    if ((identifier->flags & IDENTIFIER_BLOCKED) != 0)
        return ERR_OK;
    seen->row = find_hash(identity, identifier->hash);
    if (seen->row == 0 && identifier->other_hash_count > 0) {
        err error = find_by_others(scene, seen);
        if (error != ERR_OK)
            return error;
    }
    if (seen->row != 0) {
        seen->kind = row_at(identity, seen->row)->kind;
        seen->type = identity->kinds[seen->kind].type;
    } else {
        seen->type = type_learn(identity, identifier->type, scene->act.writes);
        bool sealed = (identifier->flags & IDENTIFIER_SEALED) != 0;
        if (seen->type == NULL)
            return types_are_full(identity, identifier->type) ? ERR_OK : ERR_NOMEM;
        if (type_blocks(identity, seen->type, identifier->value, sealed))
            return ERR_OK;
        seen->kind = kind_intern(identity, seen->type, identifier->namespace_);
        if (seen->kind == 0)
            return identity->kind_count == KINDS_MAX ? ERR_OK : ERR_NOMEM;
    }
    seen->worth = worth_of(scene, seen);
    return ERR_OK;
}

static err classify(struct scene *scene)
{
    const struct event *event = scene->event;
    uint32_t count = event->identifier_count;
    scene->count = count;
    for (uint32_t i = 0; i < count; i++) {
        scene->seen[i] = (struct seen){ .identifier = &event->identifiers[i] };
        err error = classify_one(scene, &scene->seen[i]);
        if (error != ERR_OK)
            return error;
    }
    /* Further rows of one value: their worth is their own. */
    for (uint32_t i = count; i < scene->count; i++) {
        struct seen *seen = &scene->seen[i];
        seen->kind = row_at(scene->act.identity, seen->row)->kind;
        seen->type = scene->act.identity->kinds[seen->kind].type;
        seen->worth = worth_of(scene, seen);
    }
    return ERR_OK;
}

/* ---- small questions ---- */

static uint32_t home_of(const struct scene *scene, const struct seen *seen)
{
    return seen->row != 0 ? row_at(scene->act.identity, seen->row)->node : 0;
}

static bool is_stated(const struct scene *scene, const struct seen *seen)
{
    return seen->row != 0 && (row_at(scene->act.identity, seen->row)->flags & ROW_STATED) != 0;
}

static bool is_elsewhere(const struct scene *scene, const struct seen *seen)
{
    uint32_t home = home_of(scene, seen);
    return home != 0 && !same_customer(scene->act.identity, home, scene->home);
}

/* The first of this worth; scene->count if there is none. */
static uint32_t first_of(const struct scene *scene, enum worth worth)
{
    uint32_t i = 0;
    while (i < scene->count && scene->seen[i].worth != worth)
        i++;
    return i;
}

/* Bring an identifier home to `node` (0: nowhere), as a new row or from where it was. */
static err bring(struct scene *scene, struct seen *seen, uint32_t node, uint32_t with_row,
                 enum link_cause cause)
{
    if (seen->row != 0) {
        row_move(&scene->act, seen->row, node, with_row, cause);
        return ERR_OK;
    }
    uint8_t flags = seen->identifier->flags & ROW_KEPT_FLAGS;
    if (seen->worth != CLAIM)
        flags |= ROW_STATED;
    if ((scene->event->flags & EVENT_IMPORTED) != 0)
        flags |= ROW_IMPORTED;
    seen->row = row_new(&scene->act, seen->identifier, seen->kind, node, flags, with_row, cause,
                        scene->event->time_ms);
    return seen->row != 0 ? ERR_OK : ERR_NOMEM;
}

/* ---- settle_claims ---- */

/* Does something else on the event, which was stated before, lead to the same customer? A weak one
 * speaks for its visitor, not for the known customer who happened to use it last. */
static bool is_confirmed(const struct scene *scene, const struct seen *claim)
{
    const struct identity *identity = scene->act.identity;
    uint32_t home = home_of(scene, claim);
    for (uint32_t i = 0; i < scene->count; i++) {
        const struct seen *other = &scene->seen[i];
        uint32_t there = home_of(scene, other);
        if (other == claim || there == 0 || !is_stated(scene, other) ||
            !same_customer(identity, home, there))
            continue;
        if (other->worth == STRONG || (other->worth == WEAK && !join_is_known(identity, home)))
            return true;
    }
    return false;
}

/* What is stated now and was merely claimed before: with its visitor on the same event it is hers;
 * otherwise the visitor had no right to it and keeps nothing of it. */
static void settle_claims(struct scene *scene)
{
    struct identity *identity = scene->act.identity;
    for (uint32_t i = 0; i < scene->count; i++) {
        struct seen *seen = &scene->seen[i];
        if (seen->row == 0 || (seen->worth != STRONG && seen->worth != WEAK))
            continue;
        uint32_t home = home_of(scene, seen);
        if (!is_stated(scene, seen)) {
            if (home != 0 && (!is_confirmed(scene, seen) ||
                              !limit_allows_one(identity, home, seen->kind, scene->act.now_s)))
                row_move(&scene->act, seen->row, 0, 0, LINK_TAKEN);
            row_set_flags(&scene->act, seen->row, ROW_STATED, 0);
        }
        row_set_flags(&scene->act, seen->row, seen->identifier->flags & IDENTIFIER_VERIFIED, 0);
    }
}

/* ---- find_home ---- */

static err make_node(struct scene *scene)
{
    scene->home = node_new(&scene->act, 0);
    scene->act.outcome->created = true;
    return scene->home != 0 ? ERR_OK : ERR_NOMEM;
}

/* Where a strong identifier that is at home nowhere may go: to the strongest other one that takes it, or
 * to a visitor's weak one. Index in seen; scene->count if nobody takes it. */
static uint32_t find_host(struct scene *scene, const struct seen *guest)
{
    struct identity *identity = scene->act.identity;
    for (uint32_t i = 0; i < scene->count; i++) {
        const struct seen *host = &scene->seen[i];
        uint32_t home = home_of(scene, host);
        if (host->worth != STRONG || home == 0 ||
            !limit_allows_one(identity, home, guest->kind, scene->act.now_s))
            continue;
        if (guest->row == 0 || !refusal_keeps_apart(identity, guest->row, host->row))
            return i;
    }
    for (uint32_t i = 0; i < scene->count; i++) {
        const struct seen *host = &scene->seen[i];
        uint32_t home = home_of(scene, host);
        if (host->worth == WEAK && home != 0 && !join_is_known(identity, home))
            return i;
    }
    return scene->count;
}

static err home_by_strong(struct scene *scene)
{
    struct seen *origin = &scene->seen[scene->origin];
    scene->home = home_of(scene, origin);
    if (scene->home != 0)
        return ERR_OK;
    uint32_t host = find_host(scene, origin);
    if (host < scene->count) {
        const struct seen *by = &scene->seen[host];
        scene->home = home_of(scene, by);
        err error = bring(scene, origin, scene->home, by->row,
                          by->worth == WEAK ? LINK_LOGIN : LINK_TOGETHER);
        if (error == ERR_OK && origin->type->drop_oldest)
            limit_enforce(&scene->act, scene->home, origin->kind, origin->row, LINK_DROPPED);
        return error;
    }
    err error = make_node(scene);
    return error == ERR_OK ? bring(scene, origin, scene->home, 0, LINK_FIRST) : error;
}

/* A weak one comes home to `scene->home`, when its limit lets it. */
static err bring_weak(struct scene *scene, struct seen *seen, uint32_t with_row,
                      enum link_cause cause)
{
    struct act *act = &scene->act;
    bool is_hers = home_of(scene, seen) != 0 && !is_elsewhere(scene, seen);
    if (!is_hers && !limit_allows_one(act->identity, scene->home, seen->kind, act->now_s))
        return bring(scene, seen, 0, with_row, LINK_REFUSED);
    err error = bring(scene, seen, scene->home, with_row, cause);
    if (error == ERR_OK && seen->type->drop_oldest)
        limit_enforce(act, scene->home, seen->kind, seen->row, LINK_DROPPED);
    return error;
}

/* Without a strong one the first of the weak that is at home somewhere finds, and the stronger ones that
 * are new come to it. */
static err home_by_weak(struct scene *scene)
{
    struct seen *origin = &scene->seen[scene->origin];
    const struct seen *finder = origin;
    for (uint32_t i = 0; i < scene->count && home_of(scene, finder) == 0; i++) {
        if (scene->seen[i].worth == WEAK)
            finder = &scene->seen[i];
    }
    scene->home = home_of(scene, finder);
    if (scene->home == 0) {
        err error = make_node(scene);
        return error == ERR_OK ? bring(scene, origin, scene->home, 0, LINK_FIRST) : error;
    }
    if (finder == origin)
        return ERR_OK;
    err error = bring_weak(scene, origin, finder->row, LINK_TOGETHER);
    if (error == ERR_OK && home_of(scene, origin) == 0)
        scene->origin = (uint32_t)(finder - scene->seen); /* the limit did not let it in */
    return error;
}

/* Nothing but claims: they lead to the visitor who claimed them first, never to who holds them by right;
 * a trusted source may name somebody by an identifier that it has not verified. */
static err home_by_claim(struct scene *scene)
{
    bool trusted = (scene->event->flags & EVENT_TRUSTED) != 0;
    for (uint32_t i = 0; i < scene->count; i++) {
        struct seen *seen = &scene->seen[i];
        if (seen->worth != CLAIM || (is_stated(scene, seen) && !trusted))
            continue;
        scene->origin = i;
        scene->home = home_of(scene, seen);
        if (scene->home != 0)
            return ERR_OK;
        err error = make_node(scene);
        return error == ERR_OK ? bring(scene, seen, scene->home, 0, LINK_CLAIMED) : error;
    }
    return ERR_OK;
}

/* The first that is at home somewhere: an unknown visitor with two claims, one of them known, is who
 * claimed it before. */
static void prefer_known_claim(struct scene *scene)
{
    for (uint32_t i = 0; i < scene->count; i++) {
        const struct seen *seen = &scene->seen[i];
        if (seen->worth == CLAIM && home_of(scene, seen) != 0 && !is_stated(scene, seen)) {
            scene->origin = i;
            scene->home = home_of(scene, seen);
            return;
        }
    }
}

/* Nothing but what too many share: the events of all of them, at a node of its own. */
static err home_by_shared(struct scene *scene)
{
    struct seen *origin = &scene->seen[scene->origin];
    scene->home = home_of(scene, origin);
    if (scene->home != 0)
        return ERR_OK;
    err error = make_node(scene);
    return error == ERR_OK ? bring(scene, origin, scene->home, 0, LINK_SHARED) : error;
}

static err find_home(struct scene *scene)
{
    scene->origin = first_of(scene, STRONG);
    if (scene->origin < scene->count)
        return home_by_strong(scene);
    scene->origin = first_of(scene, WEAK);
    if (scene->origin < scene->count)
        return home_by_weak(scene);
    scene->origin = first_of(scene, SHARED);
    if (scene->origin < scene->count)
        return home_by_shared(scene);
    prefer_known_claim(scene);
    return scene->home != 0 ? ERR_OK : home_by_claim(scene);
}

/* ---- link_others ---- */

static uint32_t origin_row(const struct scene *scene)
{
    return scene->seen[scene->origin].row;
}

/* The weaker identifier of a refused pair is held to be the one that is shared, when it was refused
 * to too many different customers. */
static err refuse(struct scene *scene, struct seen *seen, enum refusal_reason reason,
                  const struct identifier_type *type)
{
    struct act *act = &scene->act;
    err error = refusal_file(act, origin_row(scene), seen->row, reason, type);
    if (error != ERR_OK || reason != REFUSED_LIMIT || seen->worth != STRONG)
        return error;
    uint32_t most = seen->type->shared_after;
    if (most > 0 && refused_customers(act->identity, seen->row) >= most)
        error = join_make_shared(act, seen->row);
    return error;
}

static err link_new_strong(struct scene *scene, struct seen *seen)
{
    struct act *act = &scene->act;
    if (seen->row != 0 && refusal_keeps_apart(act->identity, origin_row(scene), seen->row))
        return refuse(scene, seen, REFUSED_SEPARATED, NULL);
    if (limit_allows_one(act->identity, scene->home, seen->kind, act->now_s)) {
        err error = bring(scene, seen, scene->home, origin_row(scene), LINK_TOGETHER);
        if (error == ERR_OK && seen->type->drop_oldest)
            limit_enforce(act, scene->home, seen->kind, seen->row, LINK_DROPPED);
        return error;
    }
    err error = bring(scene, seen, 0, origin_row(scene), LINK_REFUSED);
    return error == ERR_OK ? refuse(scene, seen, REFUSED_LIMIT, seen->type) : error;
}

static err link_strong(struct scene *scene, struct seen *seen)
{
    struct act *act = &scene->act;
    uint32_t home = home_of(scene, seen);
    if (home == 0)
        return link_new_strong(scene, seen);
    if (home == scene->home)
        return ERR_OK;
    if (!is_elsewhere(scene, seen))
        return evidence_file(act, origin_row(scene), seen->row);
    enum refusal_reason reason;
    const struct identifier_type *type;
    if (join_is_allowed(act->identity, scene->home, home, act->now_s, &reason, &type))
        return join_customers(act, scene->home, home, origin_row(scene), seen->row,
                              MERGE_IDENTIFIER);
    err error = refuse(scene, seen, reason, type);
    /* What keeps them apart may be somebody else among them, who leaves one day. */
    if (error == ERR_OK && reason == REFUSED_SEPARATED)
        error = evidence_file(act, origin_row(scene), seen->row);
    return error;
}

/* A visitor's past joins who signs in; the identifier itself is hers from now on. */
static err link_visitor(struct scene *scene, struct seen *seen)
{
    struct act *act = &scene->act;
    uint32_t home = home_of(scene, seen);
    enum refusal_reason reason;
    const struct identifier_type *type;
    err error;
    if (join_is_allowed(act->identity, scene->home, home, act->now_s, &reason, &type))
        error = join_customers(act, scene->home, home, origin_row(scene), seen->row, MERGE_LOGIN);
    else
        error = refuse(scene, seen, reason, type);
    /* Letting go the oldest may have hit this very one; it is in use, so it stays. */
    return error == ERR_OK ? bring_weak(scene, seen, origin_row(scene), LINK_LOGIN) : error;
}

static err link_weak(struct scene *scene, struct seen *seen)
{
    bool known = scene->seen[scene->origin].worth == STRONG;
    uint32_t home = home_of(scene, seen);
    if (home == 0)
        return bring_weak(scene, seen, origin_row(scene), LINK_TOGETHER);
    if (!known || home == scene->home)
        return ERR_OK;
    if (!is_elsewhere(scene, seen)) {
        /* Within one customer it follows too: after a split each side has what it used last. */
        row_move(&scene->act, seen->row, scene->home, origin_row(scene), LINK_MOVED);
        return ERR_OK;
    }
    if (!join_is_known(scene->act.identity, home))
        return link_visitor(scene, seen);
    return bring_weak(scene, seen, origin_row(scene), LINK_MOVED);
}

static err link_claim(struct scene *scene, struct seen *seen)
{
    struct act *act = &scene->act;
    if (home_of(scene, seen) != 0) {
        bool refused = is_elsewhere(scene, seen) && seen->type->strong;
        return refused ? refuse(scene, seen, REFUSED_CLAIM, NULL) : ERR_OK;
    }
    if (is_stated(scene, seen))
        return ERR_OK;
    if (seen->type->limit == 0 ||
        count_all(act->identity, scene->home, seen->kind, act->now_s) < seen->type->limit)
        return bring(scene, seen, scene->home, origin_row(scene), LINK_CLAIMED);
    if (!seen->type->strong)
        return ERR_OK;
    err error = bring(scene, seen, 0, origin_row(scene), LINK_REFUSED);
    return error == ERR_OK ? refuse(scene, seen, REFUSED_CLAIM, NULL) : error;
}

static err link_one(struct scene *scene, struct seen *seen)
{
    switch (seen->worth) {
    case STRONG:
        return link_strong(scene, seen);
    case SHARED:
        return is_elsewhere(scene, seen) ? refuse(scene, seen, REFUSED_SHARED, NULL) : ERR_OK;
    case WEAK:
        return link_weak(scene, seen);
    case CLAIM:
        return link_claim(scene, seen);
    case UNUSED:
        break;
    }
    return ERR_OK;
}

static err link_others(struct scene *scene)
{
    err error = ERR_OK;
    for (uint32_t i = 0; i < scene->count && error == ERR_OK; i++) {
        if (i != scene->origin)
            error = link_one(scene, &scene->seen[i]);
    }
    return error;
}

/* ---- unbind ---- */

/* The event is of the customer from whom something is taken; nobody new comes of it. */
static void home_of_unbind(struct scene *scene)
{
    for (uint32_t i = 0; i < scene->count && scene->home == 0; i++) {
        const struct seen *seen = &scene->seen[i];
        if (seen->worth == UNUSED || (seen->worth == CLAIM && is_stated(scene, seen)))
            continue;
        scene->origin = i;
        scene->home = home_of(scene, seen);
    }
}

static bool names_others(const struct scene *scene)
{
    for (uint32_t i = 0; i < scene->count; i++) {
        if (scene->seen[i].worth != UNUSED &&
            (scene->seen[i].identifier->flags & IDENTIFIER_OWN) == 0)
            return true;
    }
    return false;
}

/* Detach what the event names; the sender's own visitor id only says who speaks, unless it is alone. */
static err unbind(struct scene *scene)
{
    home_of_unbind(scene);
    bool others = names_others(scene);
    err error = ERR_OK;
    for (uint32_t i = 0; i < scene->count && scene->home != 0 && error == ERR_OK; i++) {
        struct seen *seen = &scene->seen[i];
        if (seen->worth == UNUSED || home_of(scene, seen) == 0 ||
            (others && (seen->identifier->flags & IDENTIFIER_OWN) != 0))
            continue;
        bool may = seen->worth != CLAIM || (!is_stated(scene, seen) && !is_elsewhere(scene, seen));
        if (may)
            row_move(&scene->act, seen->row, 0, 0, LINK_UNBOUND);
        else if (seen->type->strong && i != scene->origin)
            error = refuse(scene, seen, REFUSED_CLAIM, NULL);
    }
    return error;
}

/* ---- what imports brought ---- */

/* Identifiers that so far came of imports alone, and now by themselves. */
static err adopt(struct scene *scene)
{
    uint32_t rows[SEEN_MAX], count = 0;
    if ((scene->event->flags & EVENT_IMPORTED) != 0)
        return ERR_OK;
    for (uint32_t i = 0; i < scene->count; i++) {
        const struct seen *seen = &scene->seen[i];
        if ((seen->worth == STRONG || seen->worth == WEAK) &&
            row_is_imported(scene->act.identity, seen->row))
            rows[count++] = seen->row;
    }
    return count > 0 ? import_adopt(&scene->act, rows, count) : ERR_OK;
}

/* ---- the event ---- */

static void tell(const struct scene *scene, struct identity_outcome *outcome)
{
    const struct event *event = scene->event;
    outcome->row_count = event->identifier_count;
    for (uint32_t i = 0; i < event->identifier_count; i++)
        outcome->rows[i] = scene->seen[i].worth != UNUSED ? scene->seen[i].row : 0;
    if (scene->home == 0)
        return;
    outcome->node = scene->home;
    outcome->customer = root_of(scene->act.identity, scene->home);
    outcome->origin = origin_row(scene);
}

/* Since when those whom this event names are known to be one: since it happened. What tells of it more than a day late
 * says so from now on, so that an old list does not make a grant of yesterday the later word. */
static int64_t joined_ms_of(const struct event *event)
{
    bool is_late = event_source_is_import(event->source_number) ||
                   (event->flags & EVENT_HISTORICAL) != 0 ||
                   event->time_ms < event->received_ms - DAY_MS;
    return is_late || event->time_ms > event->received_ms ? event->received_ms : event->time_ms;
}

err identity_resolve(struct identity *identity, const struct event *event,
                     struct ledger_writes *writes, struct identity_outcome *outcome)
{
    INVARIANT(event->identifier_count <= EVENT_IDENTIFIERS_MAX);
    outcome->node = outcome->customer = outcome->origin = 0;
    outcome->row_count = outcome->merge_count = outcome->refusal_count = 0;
    outcome->created = outcome->adopted = false;
    struct scene scene;
    scene.act = act_of_command(identity, writes, event->received_ms, event->seq);
    scene.act.joined_ms = joined_ms_of(event);
    scene.act.outcome = outcome;
    scene.act.source_number = event->source_number;
    scene.event = event;
    scene.count = scene.origin = scene.home = 0;

    err error = classify(&scene);
    if (error == ERR_OK && event->kind == EVENT_UNBIND) {
        error = unbind(&scene);
    } else if (error == ERR_OK) {
        error = adopt(&scene);
        settle_claims(&scene);
        if (error == ERR_OK)
            error = find_home(&scene);
        if (error == ERR_OK && scene.home != 0)
            error = link_others(&scene);
    }
    tell(&scene, outcome);
    return error;
}
