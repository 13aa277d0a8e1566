/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_cast: who could be concerned, and what gates and journeys ask of her, as flat arrays by node; who is one with whom: whatif_kin.c.
 *
 * What only the engine's thread may read is copied in questions of about a millisecond: the root of each node, then, of those who did
 * anything in those days that can start a journey, identifiers, consents and zone with their times. */
#include <stdio.h>

#include "engine/children.h"
#include "engine/whatif/whatif_inside.h"

#define ROOTS_AT_ONCE 100000u
#define PEOPLE_AT_ONCE 400u
#define ROWS_MAX 256
#define NODES_MAX 4096
#define CHUNK_CUSTOMERS 65536u
#define SLICE_ARENA_BYTES ((size_t)64 << 20)

void cast_deinit(struct cast *cast)
{
    if (cast->today != cast->root)
        memory_free(cast->today);
    memory_free(cast->root);
    memory_free(cast->next);
    memory_free(cast->place);
    memory_free(cast->concerned);
    memory_free(cast->nodes);
    memory_free(cast->attached_s);
    memory_free(cast->kinds);
    memory_free(cast->consents);
    memory_free(cast->joins);
    memory_free(cast->names);
    memory_free(cast->edges);
    memory_free(cast->is_undone);
    for (size_t i = 0; i < cast->zone_count; i++)
        zone_free(&cast->zones[i]);
    *cast = (struct cast){ .node_count = 0 };
}

void *cast_grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t larger = *capacity == 0 ? 1024 : *capacity * 2;
    void *longer = memory_resize(items, larger * size);
    if (longer != NULL)
        *capacity = larger;
    return longer;
}

/* ---- names of purposes and channels ---- */

uint8_t cast_name(struct cast *cast, str name, bool makes)
{
    for (size_t i = 0; i < cast->name_count; i++)
        if (str_equal(str_from_c(cast->names[i]), name))
            return (uint8_t)(i + 1);
    if (!makes || cast->name_count == CONSENT_NAMES_MAX || name.size > 63)
        return 0;
    char(*longer)[64] = memory_resize(cast->names, (cast->name_count + 1) * sizeof(*longer));
    if (longer == NULL)
        return 0;
    cast->names = longer;
    snprintf(longer[cast->name_count], sizeof(*longer), "%.*s", STR_ARG(name));
    return (uint8_t)++cast->name_count;
}

err cast_add_consent(struct cast *cast, uint32_t node, uint8_t name, bool granted, int64_t at_ms)
{
    struct cast_node *there = cast_at(cast, node);
    if (there == NULL || name == 0)
        return ERR_OK;
    uint32_t next = 0;
    if (there->consent.name != 0) {
        struct cast_consent *longer = cast_grown(cast->consents, cast->consent_count,
                                                 &cast->consent_capacity, sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        cast->consents = longer;
        longer[cast->consent_count++] = there->consent;
        next = (uint32_t)cast->consent_count;
    }
    there->consent =
        (struct cast_consent){ .at_ms = at_ms, .next = next, .name = name, .granted = granted };
    return ERR_OK;
}

/* ---- roots ---- */

struct ask_roots {
    struct engine_question question;
    struct cast *cast;
    uint32_t from, to;
};

static void take_roots(const struct engine_state *state, struct engine_question *question)
{
    struct ask_roots *ask = question->context;
    for (uint32_t node = ask->from; node < ask->to; node++)
        ask->cast->root[node] = identity_root(state->identity, node);
}

static void take_count(const struct engine_state *state, struct engine_question *question)
{
    struct ask_roots *ask = question->context;
    ask->cast->node_count = identity_node_count(state->identity);
    ask->cast->merge_count = identity_merge_count(state->identity);
}

static err make_arrays(struct cast *cast)
{
    size_t count = (size_t)cast->node_count + 1;
    cast->root = memory_alloc(count * sizeof(uint32_t));
    cast->next = memory_alloc(count * sizeof(uint32_t));
    cast->place = memory_alloc(count * sizeof(uint32_t));
    cast->concerned = memory_alloc((count / 64 + 1) * sizeof(uint64_t));
    if (cast->root == NULL || cast->next == NULL || cast->place == NULL || cast->concerned == NULL)
        return ERR_NOMEM;
    cast->today = cast->root;
    return ERR_OK;
}

static err read_roots(struct whatif_run *run)
{
    struct cast *cast = &run->cast;
    struct ask_roots ask = { .cast = cast };
    err error = whatif_ask(run, take_count, &ask);
    if (error == ERR_OK)
        error = make_arrays(cast);
    for (uint32_t from = 1; error == ERR_OK && from <= cast->node_count; from = ask.to) {
        ask.from = from;
        ask.to = from + ROOTS_AT_ONCE;
        if (ask.to > cast->node_count + 1)
            ask.to = cast->node_count + 1;
        error = whatif_ask(run, take_roots, &ask);
    }
    return error;
}

/* Nodes of one customer, ascending, by `next`. */
static void chain_nodes(struct cast *cast)
{
    for (uint32_t node = cast->node_count; node > 0; node--) {
        uint32_t root = cast->root[node];
        if (root == 0 || root == node)
            continue;
        cast->next[node] = cast->next[root];
        cast->next[root] = node;
    }
}

/* ---- who could be concerned ---- */

struct looking {
    struct whatif_run *run;
    bool *starts; /* by type */
    bool everybody;
};

static bool look_at(void *context, uint32_t customer, const struct history_view *view)
{
    struct looking *looking = context;
    struct cast *cast = &looking->run->cast;
    int64_t from_ms = looking->run->order.from_ms - DAY_MS, to_ms = looking->run->order.to_ms;
    bool found = looking->everybody || !view->complete;
    for (size_t i = view->count; !found && i > 0; i--) {
        int64_t time_ms = history_time_ms(view->events[i - 1]);
        if (time_ms < from_ms)
            break;
        found = time_ms < to_ms && looking->starts[history_packed_type(view->events[i - 1])];
    }
    if (found && customer <= cast->node_count && cast->today[customer] == customer) {
        cast->concerned[customer / 64] |= UINT64_C(1) << customer % 64;
        cast->customers++;
    }
    return !whatif_is_cancelled(looking->run);
}

static void note_start(void *context, str event, bool starts, bool goes_on)
{
    struct looking *looking = context;
    (void)goes_on;
    if (starts)
        looking->starts[history_type_find(looking->run->history, event)] = true;
}

static err find_starts(struct looking *looking)
{
    looking->starts = looking->run->starts = memory_alloc(HISTORY_TYPES_MAX * sizeof(bool));
    if (looking->starts == NULL)
        return ERR_NOMEM;
    journey_visit_events(looking->run->journeys, note_start, looking);
    looking->starts[0] = false; /* no event has it */
    return ERR_OK;
}

static err find_concerned(struct whatif_run *run)
{
    struct looking looking = { .run = run };
    err error = find_starts(&looking);
    if (error != ERR_OK)
        return error;
    looking.everybody = journey_concerns_everybody(run->journeys) || run->order.segment.size > 0;
    for (uint32_t from = 1; from <= run->cast.node_count; from += CHUNK_CUSTOMERS) {
        history_read_begin(run->reader);
        history_scan(run->reader, from, from + CHUNK_CUSTOMERS, look_at, &looking);
        history_read_end(run->reader);
    }
    return ERR_OK;
}

/* ---- what is asked of them ---- */

struct ask_people {
    struct whatif_run *run;
    struct arena arena;
    uint32_t next;
    err error;
};

static int reach_of(const struct cast *cast, const struct identity_row_view *row, size_t kind)
{
    const struct reach_kind *wanted = &cast->kinds[kind];
    str type = str_from_c(wanted->type), namespace_ = str_from_c(wanted->namespace_);
    return (type.size == 0 || str_equal(row->type, type)) &&
           (namespace_.size == 0 || str_equal(row->namespace_, namespace_)) && !row->is_shared &&
           (row->flags & (IDENTIFIER_BLOCKED | (type.size > 0 ? IDENTIFIER_HASHED : 0))) == 0;
}

static void take_row(struct cast *cast, const struct identity_row_view *row)
{
    const struct cast_node *node = cast_at(cast, row->node);
    uint32_t at_s = row->attached_ms > 1000 ? (uint32_t)(row->attached_ms / 1000) : 1;
    for (size_t kind = 0; node != NULL && kind < cast->kind_count; kind++) {
        uint32_t *first_s = cast_attached(cast, node, kind);
        if (reach_of(cast, row, kind) && (*first_s == 0 || at_s < *first_s))
            *first_s = at_s;
    }
}

static uint8_t zone_index(struct cast *cast, str json)
{
    struct problem problem = { .error = ERR_OK };
    str name = json.size > 2 ? str_slice(json, 1, json.size - 1) : STR_NONE;
    for (size_t i = 0; i < cast->zone_count; i++)
        if (str_equal(str_from_c(cast->zones[i]->name), name))
            return (uint8_t)(i + 1);
    if (name.size == 0 || cast->zone_count == sizeof cast->zones / sizeof cast->zones[0] ||
        zone_load(&cast->zones[cast->zone_count], name, &problem) != ERR_OK)
        return 0;
    return (uint8_t)++cast->zone_count;
}

/* By the birthday that is known today; the moment at which she grows up is found by halves. */
static int64_t child_until_ms(const struct whatif_run *run, uint32_t node)
{
    int64_t from_ms = run->order.from_ms, to_ms = run->order.to_ms;
    if (!engine_holds_child_at(run->engine, &node, 1, from_ms))
        return 0;
    if (engine_holds_child_at(run->engine, &node, 1, to_ms))
        return INT64_MAX;
    while (to_ms - from_ms > 1) {
        int64_t middle_ms = from_ms + (to_ms - from_ms) / 2;
        bool is_child = engine_holds_child_at(run->engine, &node, 1, middle_ms);
        from_ms = is_child ? middle_ms : from_ms;
        to_ms = is_child ? to_ms : middle_ms;
    }
    return to_ms;
}

static err take_facts(struct ask_people *ask, const struct engine_state *state, uint32_t node)
{
    struct cast *cast = &ask->run->cast;
    struct profile_view view;
    err error = profile_view_take(state->profile, &node, 1, &ask->arena, &view);
    for (uint32_t i = 0; error == ERR_OK && i < view.consent_count; i++) {
        const struct profile_consent_view *consent = &view.consents[i];
        error = cast_add_consent(cast, node, cast_name(cast, consent->purpose, true),
                                 consent->granted, consent->at_ms);
        cast->changed_consents += consent->at_ms >= ask->run->order.from_ms;
    }
    const struct profile_trait_view *zone =
        error == ERR_OK ? profile_view_trait(&view, STR("timezone")) : NULL;
    if (zone != NULL)
        cast_at(cast, node)->zone = zone_index(cast, zone->json);
    cast_at(cast, node)->child_until_ms = child_until_ms(ask->run, node);
    return error;
}

static err add_node(struct cast *cast, uint32_t node)
{
    size_t capacity = cast->capacity;
    struct cast_node *longer =
        cast_grown(cast->nodes, cast->count, &cast->capacity, sizeof(*longer));
    if (longer == NULL)
        return ERR_NOMEM;
    cast->nodes = longer;
    if (cast->capacity != capacity) {
        uint32_t *attached = memory_resize(
            cast->attached_s, (cast->capacity * cast->kind_count + 1) * sizeof(*attached));
        if (attached == NULL)
            return ERR_NOMEM;
        cast->attached_s = attached;
    }
    struct cast_node *made = &longer[cast->count++];
    *made = (struct cast_node){ .zone = 0 };
    for (size_t kind = 0; kind < cast->kind_count; kind++)
        *cast_attached(cast, made, kind) = 0;
    cast->place[node] = (uint32_t)cast->count;
    return ERR_OK;
}

static err take_joins(struct ask_people *ask, const struct engine_state *state, uint32_t root,
                      size_t max)
{
    struct identity_join *joins = arena_array(&ask->arena, struct identity_join, max);
    if (joins == NULL)
        return ERR_NOMEM;
    size_t count = identity_joins(state->identity, root, joins, max);
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count && i < max; i++)
        error = cast_add_join(&ask->run->cast, &joins[i]);
    return error;
}

static err take_person(struct ask_people *ask, const struct engine_state *state, uint32_t root)
{
    struct cast *cast = &ask->run->cast;
    uint32_t nodes[NODES_MAX], rows[ROWS_MAX];
    size_t count = identity_nodes(state->identity, root, nodes, NODES_MAX);
    err error = ERR_OK;
    count = count < NODES_MAX ? count : NODES_MAX;
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        if (nodes[i] <= cast->node_count && cast->place[nodes[i]] == 0)
            error = add_node(cast, nodes[i]);
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        if (cast_at(cast, nodes[i]) != NULL)
            error = take_facts(ask, state, nodes[i]);
    if (error == ERR_OK && count > 1 && !ask->run->order.identities_then)
        error = take_joins(ask, state, root, count);
    size_t row_count = identity_rows(state->identity, root, rows, ROWS_MAX);
    for (size_t i = 0; error == ERR_OK && i < row_count && i < ROWS_MAX; i++) {
        struct identity_row_view row = { .row = 0 };
        if (identity_row_state(state->identity, rows[i], &row))
            take_row(cast, &row);
    }
    return error;
}

static void take_people(const struct engine_state *state, struct engine_question *question)
{
    struct ask_people *ask = question->context;
    struct cast *cast = &ask->run->cast;
    uint32_t did = 0;
    arena_reset(&ask->arena);
    while (ask->error == ERR_OK && did < PEOPLE_AT_ONCE && ask->next <= cast->node_count) {
        uint64_t bits = cast->concerned[ask->next / 64] >> ask->next % 64;
        if (bits == 0) {
            ask->next = (ask->next / 64 + 1) * 64;
            continue;
        }
        ask->next += (uint32_t)__builtin_ctzll(bits);
        ask->error = take_person(ask, state, ask->next++);
        did++;
    }
}

static err read_people(struct whatif_run *run)
{
    struct ask_people ask = { .run = run, .next = 1 };
    err error = ERR_OK;
    arena_init(&ask.arena, "whatif_people", SLICE_ARENA_BYTES);
    while (error == ERR_OK && ask.next <= run->cast.node_count) {
        error = whatif_ask(run, take_people, &ask);
        if (error == ERR_OK)
            error = ask.error;
    }
    arena_deinit(&ask.arena);
    return error;
}

/* ---- */

static void add_reach(void *context, str key, enum channel_kind kind, str type, str namespace_)
{
    struct cast *cast = context;
    (void)key;
    (void)kind;
    for (size_t i = 0; i < cast->kind_count; i++)
        if (str_equal(str_from_c(cast->kinds[i].type), type) &&
            str_equal(str_from_c(cast->kinds[i].namespace_), namespace_))
            return;
    struct reach_kind *longer =
        memory_resize(cast->kinds, (cast->kind_count + 1) * sizeof(*longer));
    if (longer == NULL)
        return; /* by this one nobody can be reached: the run has no memory anyway */
    cast->kinds = longer;
    struct reach_kind *made = &longer[cast->kind_count++];
    snprintf(made->type, sizeof made->type, "%.*s", STR_ARG(type));
    snprintf(made->namespace_, sizeof made->namespace_, "%.*s", STR_ARG(namespace_));
}

err cast_make(struct whatif_run *run)
{
    touches_fork_visit_accounts(run->touches, add_reach, &run->cast);
    err error = read_roots(run);
    if (error == ERR_OK)
        chain_nodes(&run->cast);
    if (error == ERR_OK)
        error = find_concerned(run);
    if (error == ERR_OK)
        error = read_people(run);
    return error == ERR_OK && run->order.identities_then ? cast_go_back(run) : error;
}

/* ---- of one alone ---- */

struct ask_one {
    struct ask_people people;
    uint32_t customer;
};

static void take_one(const struct engine_state *state, struct engine_question *question)
{
    struct ask_one *ask = question->context;
    struct cast *cast = &ask->people.run->cast;
    uint32_t root = identity_root(state->identity, ask->customer), nodes[NODES_MAX];
    if (root == 0 || root > cast->node_count || ask->customer > cast->node_count) {
        ask->people.error = ERR_NOT_FOUND;
        return;
    }
    size_t count = identity_nodes(state->identity, root, nodes, NODES_MAX);
    for (size_t i = 0; i < count && i < NODES_MAX; i++)
        if (nodes[i] <= cast->node_count)
            cast->root[nodes[i]] = root;
    ask->people.error = take_person(&ask->people, state, root);
}

err cast_make_one(struct whatif_run *run, uint32_t customer)
{
    struct looking looking = { .run = run };
    struct ask_roots count = { .cast = &run->cast };
    struct ask_one one = { .people = { .run = run }, .customer = customer };
    touches_fork_visit_accounts(run->touches, add_reach, &run->cast);
    err error = whatif_ask(run, take_count, &count);
    if (error == ERR_OK)
        error = make_arrays(&run->cast);
    if (error == ERR_OK)
        error = find_starts(&looking);
    arena_init(&one.people.arena, "whatif_people", SLICE_ARENA_BYTES);
    if (error == ERR_OK)
        error = whatif_ask(run, take_one, &one);
    if (error == ERR_OK)
        error = one.people.error;
    arena_deinit(&one.people.arena);
    if (error == ERR_OK)
        chain_nodes(&run->cast);
    return error;
}
