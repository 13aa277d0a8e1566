/* SPDX-License-Identifier: Apache-2.0 */
/* limit: how many identifiers of a kind a customer holds, and what gives way beyond the limit.
 *
 * Only stated rows count: what is merely claimed neither fills a limit nor bars a merge. The window of
 * a type counts by when an identifier came to its home, which the ledger keeps, so that a decision
 * after a restart is the decision before it.
 *
 * Few rows are counted by walking them. A component where a walk passes many rows gets a table of its
 * counts, kept up from then on; it bounds the count from above where there is a window. Without
 * memory for a table there is none, and walks go on: the answers are the same. */
#include "identity/state.h"

#define WALK_MAX 64u
#define DAY_SECONDS 86400u

/* ---- tables of counts ---- */

void counts_free(struct kind_counts **counts)
{
    if (*counts != NULL)
        memory_free((*counts)->slots);
    memory_free(*counts);
    *counts = NULL;
}

static struct kind_count *count_slot(const struct kind_counts *counts, uint32_t kind)
{
    uint32_t mask = counts->capacity - 1;
    uint32_t at = (uint32_t)hash_mix64(kind) & mask;
    while (counts->slots[at].kind != 0 && counts->slots[at].kind != kind)
        at = (at + 1) & mask;
    return &counts->slots[at];
}

static bool counts_resize(struct kind_counts *counts, uint32_t capacity)
{
    struct kind_counts bigger = { .capacity = capacity };
    bigger.slots = memory_alloc(capacity * sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return false;
    for (uint32_t i = 0; i < counts->capacity; i++) {
        if (counts->slots[i].count == 0)
            continue;
        *count_slot(&bigger, counts->slots[i].kind) = counts->slots[i];
        bigger.used++;
    }
    memory_free(counts->slots);
    *counts = bigger;
    return true;
}

static bool counts_add(struct kind_counts *counts, uint32_t kind, int64_t change)
{
    struct kind_count *slot = count_slot(counts, kind);
    if (slot->kind == 0) {
        if ((counts->used + 1) * 4 > counts->capacity * 3) {
            if (!counts_resize(counts, counts->capacity * 2))
                return false;
            slot = count_slot(counts, kind);
        }
        slot->kind = kind;
        counts->used++;
    }
    INVARIANT(slot->count + change >= 0);
    slot->count = (uint32_t)(slot->count + change);
    return true;
}

static bool counts_add_rows(const struct identity *identity, struct kind_counts *counts,
                            uint32_t node)
{
    struct row_walk walk = walk_rows(identity, node);
    for (uint32_t number; (number = walk_next(&walk)) != 0;) {
        const struct row *row = row_at(identity, number);
        if ((row->flags & ROW_STATED) != 0 && !counts_add(counts, row->kind, 1))
            return false;
    }
    return true;
}

static struct kind_counts *counts_of(const struct identity *identity, uint32_t node)
{
    uint32_t component = node_component(identity, node);
    return component != 0 ? identity->components[component].counts : NULL;
}

/* Best effort: NULL without memory. */
static struct kind_counts *counts_build(struct identity *identity, uint32_t node)
{
    uint32_t component;
    if (forest_component(identity, node, &component) != ERR_OK)
        return NULL;
    struct kind_counts *counts = memory_alloc(sizeof(*counts));
    if (counts == NULL || !counts_resize(counts, 16) || !counts_add_rows(identity, counts, node))
        counts_free(&counts);
    identity->components[component].counts = counts;
    return counts;
}

void counts_note(struct identity *identity, uint32_t node, uint32_t kind, int change)
{
    uint32_t component = node_component(identity, node);
    if (component == 0 || identity->components[component].counts == NULL)
        return;
    if (!counts_add(identity->components[component].counts, kind, change))
        counts_free(&identity->components[component].counts);
}

/* Before the nodes are relabelled: each side still walks by itself. */
void counts_join(struct identity *identity, uint32_t big, uint32_t small)
{
    struct component *into = &identity->components[big], *from = &identity->components[small];
    bool good = true;
    if (into->counts == NULL && from->counts == NULL)
        return;
    if (into->counts == NULL) {
        into->counts = from->counts;
        from->counts = NULL;
        good = counts_add_rows(identity, into->counts, into->root);
    } else if (from->counts == NULL) {
        good = counts_add_rows(identity, into->counts, from->root);
    } else {
        for (uint32_t i = 0; i < from->counts->capacity && good; i++) {
            const struct kind_count *slot = &from->counts->slots[i];
            if (slot->count > 0)
                good = counts_add(into->counts, slot->kind, slot->count);
        }
    }
    if (!good)
        counts_free(&into->counts);
}

/* ---- counting ---- */

/* Rows attached before this do not count. */
static uint32_t window_start(const struct identifier_type *type, uint32_t now_s)
{
    uint64_t window_s = (uint64_t)type->window_days * DAY_SECONDS;
    return window_s == 0 || window_s >= now_s ? 0 : now_s - (uint32_t)window_s + 1;
}

static uint32_t walk_count(const struct identity *identity, uint32_t node, uint32_t kind,
                           uint32_t since_s, bool stated, uint32_t *walked)
{
    uint32_t count = 0;
    struct row_walk walk = walk_rows(identity, node);
    for (uint32_t number; (number = walk_next(&walk)) != 0;) {
        const struct row *row = row_at(identity, number);
        ++*walked;
        if (row->kind == kind && row->attached_s >= since_s &&
            (!stated || (row->flags & ROW_STATED) != 0))
            count++;
    }
    return count;
}

uint32_t count_kind(struct identity *identity, uint32_t node, uint32_t kind, uint32_t now_s)
{
    const struct identifier_type *type = identity->kinds[kind].type;
    const struct kind_counts *counts = counts_of(identity, node);
    uint32_t since_s = window_start(type, now_s), walked = 0;
    if (counts != NULL) {
        uint32_t most = count_slot(counts, kind)->count;
        if (since_s == 0 || most <= type->limit)
            return most;
    }
    uint32_t count = walk_count(identity, node, kind, since_s, true, &walked);
    if (counts == NULL && walked > WALK_MAX)
        counts_build(identity, node);
    return count;
}

uint32_t count_all(const struct identity *identity, uint32_t node, uint32_t kind, uint32_t now_s)
{
    uint32_t walked = 0;
    uint32_t since_s = window_start(identity->kinds[kind].type, now_s);
    return walk_count(identity, node, kind, since_s, false, &walked);
}

bool limit_allows_one(struct identity *identity, uint32_t node, uint32_t kind, uint32_t now_s)
{
    const struct identifier_type *type = identity->kinds[kind].type;
    return type->limit == 0 || type->drop_oldest ||
           count_kind(identity, node, kind, now_s) < type->limit;
}

/* Would `count` more of `kind` be too many for the customer of `node`? What she has beyond the limit
 * already (merged by hand) is no reason, as long as nothing is added to it. */
static bool kind_forbids(struct identity *identity, uint32_t node, uint32_t kind, uint32_t count,
                         uint32_t now_s)
{
    const struct identifier_type *type = identity->kinds[kind].type;
    if (type->limit == 0 || type->drop_oldest || count == 0)
        return false;
    uint32_t there = count_kind(identity, node, kind, now_s);
    return there > 0 && (uint64_t)there + count > type->limit;
}

/* The kinds of a few rows, each once; false when they are more than a few. */
static bool gather_kinds(const struct identity *identity, uint32_t node, uint32_t kinds[WALK_MAX],
                         uint32_t *count)
{
    uint32_t walked = 0;
    struct row_walk walk = walk_rows(identity, node);
    *count = 0;
    for (uint32_t number; (number = walk_next(&walk)) != 0;) {
        const struct row *row = row_at(identity, number);
        uint32_t at = 0;
        if (++walked > WALK_MAX)
            return false;
        while (at < *count && kinds[at] != row->kind)
            at++;
        if (at == *count && (row->flags & ROW_STATED) != 0)
            kinds[(*count)++] = row->kind;
    }
    return true;
}

/* Call `visit` with each kind of stated rows in the component. */
static bool each_kind(struct identity *identity, uint32_t node,
                      bool (*visit)(void *context, uint32_t kind), void *context)
{
    uint32_t kinds[WALK_MAX], count;
    if (counts_of(identity, node) == NULL && gather_kinds(identity, node, kinds, &count)) {
        for (uint32_t i = 0; i < count; i++) {
            if (!visit(context, kinds[i]))
                return false;
        }
        return true;
    }
    const struct kind_counts *counts = counts_of(identity, node);
    if (counts == NULL)
        counts = counts_build(identity, node);
    if (counts != NULL) {
        for (uint32_t i = 0; i < counts->capacity; i++) {
            if (counts->slots[i].count > 0 && !visit(context, counts->slots[i].kind))
                return false;
        }
        return true;
    }
    /* No memory for a table: a kind may be visited more than once. */
    struct row_walk walk = walk_rows(identity, node);
    for (uint32_t number; (number = walk_next(&walk)) != 0;) {
        const struct row *row = row_at(identity, number);
        if ((row->flags & ROW_STATED) != 0 && !visit(context, row->kind))
            return false;
    }
    return true;
}

struct join_question {
    struct identity *identity;
    uint32_t small, big, now_s;
    const struct identifier_type *forbidding;
};

static bool ask_kind(void *context, uint32_t kind)
{
    struct join_question *question = context;
    const struct identifier_type *type = question->identity->kinds[kind].type;
    if (type->limit == 0 || type->drop_oldest)
        return true;
    uint32_t count = count_kind(question->identity, question->small, kind, question->now_s);
    if (!kind_forbids(question->identity, question->big, kind, count, question->now_s))
        return true;
    /* Of several the smallest number is named, whatever the order of the walk. */
    if (question->forbidding == NULL || type->number < question->forbidding->number)
        question->forbidding = type;
    return true;
}

bool limit_allows_join(struct identity *identity, uint32_t a, uint32_t b, uint32_t now_s,
                       const struct identifier_type **type)
{
    bool a_is_small = counts_of(identity, a) == NULL;
    if (a_is_small == (counts_of(identity, b) == NULL))
        a_is_small = component_size(identity, a) < component_size(identity, b);
    struct join_question question = {
        .identity = identity,
        .small = a_is_small ? a : b,
        .big = a_is_small ? b : a,
        .now_s = now_s,
    };
    each_kind(identity, question.small, ask_kind, &question);
    *type = question.forbidding;
    return question.forbidding == NULL;
}

/* ---- letting go ---- */

static uint32_t oldest_row(const struct identity *identity, uint32_t node, uint32_t kind,
                           uint32_t since_s, uint32_t keep)
{
    uint32_t oldest = 0;
    struct row_walk walk = walk_rows(identity, node);
    for (uint32_t number; (number = walk_next(&walk)) != 0;) {
        const struct row *row = row_at(identity, number);
        if (row->kind != kind || number == keep || row->attached_s < since_s ||
            (row->flags & ROW_STATED) == 0)
            continue;
        uint32_t attached_s = oldest == 0 ? 0 : row_at(identity, oldest)->attached_s;
        if (oldest == 0 || row->attached_s < attached_s ||
            (row->attached_s == attached_s && number < oldest))
            oldest = number;
    }
    return oldest;
}

void limit_enforce(struct act *act, uint32_t node, uint32_t kind, uint32_t keep,
                   enum link_cause cause)
{
    struct identity *identity = act->identity;
    const struct identifier_type *type = identity->kinds[kind].type;
    if (type->limit == 0)
        return;
    uint32_t count = count_kind(identity, node, kind, act->now_s);
    while (count-- > type->limit) {
        uint32_t oldest = oldest_row(identity, node, kind, window_start(type, act->now_s), keep);
        if (oldest == 0)
            return;
        row_move(act, oldest, 0, keep, cause);
    }
}

struct next_kind {
    const struct identity *identity;
    uint32_t after, found;
};

/* By type and namespace: numbers of kinds are not the same after a restart. */
static bool kind_before(const struct identity *identity, uint32_t a, uint32_t b)
{
    const struct kind *one = &identity->kinds[a], *other = &identity->kinds[b];
    if (one->type != other->type)
        return one->type->number < other->type->number;
    return str_compare(one->namespace_, other->namespace_) < 0;
}

static bool note_next(void *context, uint32_t kind)
{
    struct next_kind *next = context;
    const struct identifier_type *type = next->identity->kinds[kind].type;
    if (type->drop_oldest && type->limit > 0 &&
        (next->after == 0 || kind_before(next->identity, next->after, kind)) &&
        (next->found == 0 || kind_before(next->identity, kind, next->found)))
        next->found = kind;
    return true;
}

/* In the order of kinds, whatever the order of the walk: what is written must not depend on it. */
void limit_enforce_all(struct act *act, uint32_t node)
{
    struct next_kind next = { .identity = act->identity };
    for (;;) {
        next.found = 0;
        each_kind(act->identity, node, note_next, &next);
        if (next.found == 0)
            return;
        limit_enforce(act, node, next.found, 0, LINK_DROPPED);
        next.after = next.found;
    }
}
