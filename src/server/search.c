/* SPDX-License-Identifier: Apache-2.0 */
/* Finding customers: by identifier in any type, by one_id, by the last four digits, by trait or name.
 *
 *     typed text ─▶ one_id? ─▶ in every (type, namespace) that is in use ─▶ last four digits ─▶ scan
 *
 * The first steps are look-ups. The scan goes over all nodes, newest first, in slices of some 100 µs between
 * two records: what a person knows by a name or a trait is looked for in everybody's bytes (profile_probe),
 * eight million in under a second of one core. What it has not seen after four seconds is behind the
 * cursor, and the answer says `partial`. Sealed values are found as identifiers only.
 */
#include "server/search.h"

#include <stdio.h>
#include <string.h>

#include "event/normalise.h"
#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"

/* ---- namespaces ---- */

#define PAIRS_MAX 512
#define SAMPLE_ROWS 20000
#define SAMPLE_KEEP_MS 60000

struct namespaces {
    pthread_mutex_t mutex;
    struct arena arena;
    struct {
        str type, namespace_;
    } pairs[PAIRS_MAX];
    size_t count;
    bool known;
    steady_ns at;
    const struct identity *identity;
};

err namespaces_new(struct namespaces **namespaces)
{
    *namespaces = memory_alloc(sizeof(**namespaces));
    if (*namespaces == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&(*namespaces)->mutex, NULL);
    arena_init(&(*namespaces)->arena, "namespaces", 1024 * 1024);
    return ERR_OK;
}

void namespaces_free(struct namespaces **pointer)
{
    struct namespaces *namespaces = *pointer;
    *pointer = NULL;
    if (namespaces == NULL)
        return;
    arena_deinit(&namespaces->arena);
    pthread_mutex_destroy(&namespaces->mutex);
    memory_free(namespaces);
}

static void add_pair(struct namespaces *namespaces, str type, str namespace_)
{
    for (size_t i = 0; i < namespaces->count; i++)
        if (str_equal(namespaces->pairs[i].type, type) &&
            str_equal(namespaces->pairs[i].namespace_, namespace_))
            return;
    if (namespaces->count == PAIRS_MAX)
        return;
    str kept_type, kept_namespace;
    if (arena_dup(&namespaces->arena, type, &kept_type) != ERR_OK ||
        arena_dup(&namespaces->arena, namespace_, &kept_namespace) != ERR_OK)
        return;
    namespaces->pairs[namespaces->count].type = kept_type;
    namespaces->pairs[namespaces->count++].namespace_ = kept_namespace;
}

static bool visit_sampled(void *context, const struct ledger_value *values)
{
    struct namespaces *namespaces = context;
    struct identity_row_view view;
    identity_view_from_ledger(namespaces->identity, values, &view);
    if (view.type.size > 0)
        add_pair(namespaces, view.type, view.namespace_);
    return true;
}

/* Builtin types in their usual namespaces, and whatever a sample shows. */
static void sample_pairs(struct server *server)
{
    const str builtin[] = {
#define X(NAME, name, ...) STR(name),
        IDENTIFIER_TABLE(X)
#undef X
    };
    struct namespaces *namespaces = server->namespaces;
    struct ledger *ledger = engine_ledger(server->engine);
    struct problem problem;
    namespaces->identity = server->identity;
    for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
        add_pair(namespaces, builtin[i], STR_NONE);
    struct source_set *sources = engine_sources(server->engine);
    for (size_t i = 0; i < source_count(sources); i++)
        add_pair(namespaces, STR("anonymous_id"), source_at(sources, i)->key);
    source_set_release(&sources);
    if (ledger_page(ledger, LEDGER_IDENTIFIERS, NULL, true, SAMPLE_ROWS, visit_sampled, namespaces,
                    &problem) == ERR_OK &&
        ledger_page(ledger, LEDGER_IDENTIFIERS, NULL, false, SAMPLE_ROWS, visit_sampled, namespaces,
                    &problem) == ERR_OK)
        namespaces->known = true;
    namespaces->at = steady_now();
}

/* ---- candidates ---- */

#define CANDIDATES_MAX 600
#define HASHES_MAX (PAIRS_MAX + 8)

struct candidates {
    uint32_t roots[CANDIDATES_MAX];
    size_t count;
};

static void add_candidate(struct candidates *candidates, uint32_t root)
{
    for (size_t i = 0; i < candidates->count; i++)
        if (candidates->roots[i] == root)
            return;
    if (root != 0 && candidates->count < CANDIDATES_MAX)
        candidates->roots[candidates->count++] = root;
}

struct lookup {
    uint8_t hashes[HASHES_MAX][HASH_BYTES];
    size_t hash_count;
    uint32_t rows[CANDIDATES_MAX];
    size_t row_count;
    uint32_t number;
    struct candidates *found;
};

static void ask_lookup(const struct engine_state *state, struct engine_question *question)
{
    struct lookup *lookup = question->context;
    const struct identity *identity = state->identity;
    add_candidate(lookup->found, identity_root(identity, lookup->number));
    for (size_t i = 0; i < lookup->hash_count; i++) {
        uint32_t row = identity_find_row(identity, lookup->hashes[i]);
        if (row != 0)
            add_candidate(lookup->found, identity_root(identity, identity_row_node(identity, row)));
    }
    for (size_t i = 0; i < lookup->row_count; i++)
        add_candidate(lookup->found,
                      identity_root(identity, identity_row_node(identity, lookup->rows[i])));
}

static err add_hashes(struct request *request, str text, struct lookup *lookup)
{
    struct server *server = request->server;
    struct namespaces *namespaces = server->namespaces;
    struct event_identifier identifier;
    err error = ERR_OK;
    pthread_mutex_lock(&namespaces->mutex);
    if (!namespaces->known || steady_since_ms(namespaces->at) > SAMPLE_KEEP_MS)
        sample_pairs(server);
    for (size_t i = 0; error == ERR_OK && i < namespaces->count; i++) {
        enum normal_form form =
            identifier_make(server->keys, &request->arena, namespaces->pairs[i].type,
                            namespaces->pairs[i].namespace_, text, 0, &identifier, &error);
        if (error == ERR_OK && (form == NORMAL_USABLE || form == NORMAL_BLOCKED))
            memcpy(lookup->hashes[lookup->hash_count++], identifier.hash, HASH_BYTES);
    }
    pthread_mutex_unlock(&namespaces->mutex);
    return error;
}

static bool visit_tail(void *context, const struct ledger_value *values)
{
    struct lookup *lookup = context;
    lookup->rows[lookup->row_count++] = (uint32_t)values[0].integer;
    return lookup->row_count < CANDIDATES_MAX;
}

/* The keyed hash of the last four digits, as identifier_make computes it for a whole phone. */
static err add_tail(struct request *request, str text, struct lookup *lookup,
                    struct problem *problem)
{
    char phone[16];
    struct event_identifier identifier;
    err error = ERR_OK;
    int64_t digits;
    if (text.size != 4 || text.data[0] == '-' || !str_to_int64(text, &digits))
        return ERR_OK;
    snprintf(phone, sizeof(phone), "1390000%.4s", text.data);
    enum normal_form form = identifier_make(request->server->keys, &request->arena, STR("mobile"),
                                            STR_NONE, str_from_c(phone), 0, &identifier, &error);
    if (error != ERR_OK || (form != NORMAL_USABLE && form != NORMAL_BLOCKED))
        return error;
    return ledger_find_parts(
        server_ledger(request->server), LEDGER_IDENTIFIERS, "tail_hash",
        ledger_blob(str_from_bytes(identifier.tail_hash, sizeof(identifier.tail_hash))),
        CANDIDATES_MAX, visit_tail, lookup, problem);
}

static err leave_seen(struct request *request, struct candidates *found, struct problem *problem)
{
    size_t kept = 0;
    err error = scope_filter(request, found->roots, found->count, problem);
    for (size_t i = 0; error == ERR_OK && i < found->count; i++)
        if (found->roots[i] != 0)
            found->roots[kept++] = found->roots[i];
    found->count = kept;
    return error;
}

static err look_up(struct request *request, str text, struct candidates *found,
                   struct problem *problem)
{
    struct lookup *lookup = arena_new(&request->arena, struct lookup);
    if (lookup == NULL)
        return ERR_NOMEM;
    lookup->found = found;
    if (!keys_customer(request->server->keys, text, &lookup->number))
        lookup->number = 0;
    err error = add_hashes(request, text, lookup);
    if (error == ERR_OK)
        error = add_tail(request, text, lookup, problem);
    if (error == ERR_OK)
        error = view_ask(request, ask_lookup, lookup, problem);
    if (error == ERR_OK)
        error = leave_seen(request, found, problem);
    return error;
}

/* ---- the scan ---- */

#define SLICE_NODES 2048
#define SCAN_MS_MAX 4000
#define TRAITS_MAX 8
#define SCRATCH_BYTES_MAX (1024 * 1024)

struct trait_filter {
    str name, value;
    struct profile_probe probe;
};

struct scan {
    struct request *request;
    struct trait_filter traits[TRAITS_MAX];
    size_t trait_count;
    str name; /* a part of a name; empty: no such filter */
    struct profile_probe name_probe;
    str identifier_type;
    uint32_t next; /* goes down; 0: at the end */
    bool started;  /* behind a cursor */
    bool ready;    /* the probes are made */
    size_t limit;
    struct candidates *found;
    struct buffer scratch;
    uint32_t nodes[VIEW_NODES_MAX];
    err error;
};

static void make_probes(const struct engine_state *state, struct scan *scan)
{
    for (size_t i = 0; i < scan->trait_count && scan->error == ERR_OK; i++)
        scan->error = profile_probe_trait(state->profile, scan->traits[i].name,
                                          scan->traits[i].value, &scan->traits[i].probe);
    if (scan->name.size > 0 && scan->error == ERR_OK)
        scan->error = profile_probe_name(state->profile, scan->name, &scan->name_probe);
    scan->ready = true;
}

/* By what nodes are passed over: the name, or the first of the traits; NULL when nothing of the kind is
 * asked for. */
static const struct profile_probe *driver(const struct scan *scan)
{
    if (scan->name.size > 0)
        return &scan->name_probe;
    return scan->trait_count > 0 ? &scan->traits[0].probe : NULL;
}

static size_t take_nodes(const struct engine_state *state, struct scan *scan, uint32_t customer)
{
    size_t count = identity_nodes(state->identity, customer, scan->nodes, VIEW_NODES_MAX);
    return count < VIEW_NODES_MAX ? count : VIEW_NODES_MAX;
}

static bool has_type(const struct engine_state *state, const struct scan *scan, uint32_t customer)
{
    uint32_t rows[256];
    struct identity_row_view view;
    if (scan->identifier_type.size == 0)
        return true;
    size_t count = identity_rows(state->identity, customer, rows, 256);
    for (size_t i = 0; i < count && i < 256; i++)
        if (identity_row_state(state->identity, rows[i], &view) &&
            str_equal(view.type, scan->identifier_type))
            return true;
    return false;
}

/* Of the customer whose nodes were taken. */
static bool has_all(const struct engine_state *state, struct scan *scan, uint32_t customer,
                    size_t node_count, bool with_name)
{
    if (!has_type(state, scan, customer))
        return false;
    for (size_t i = 0; i < scan->trait_count; i++)
        if (!profile_probe_holds(state->profile, &scan->traits[i].probe, scan->nodes, node_count,
                                 &scan->scratch))
            return false;
    return !with_name || scan->name.size == 0 ||
           profile_probe_holds(state->profile, &scan->name_probe, scan->nodes, node_count,
                               &scan->scratch);
}

/* A customer is looked at once: at the highest of her nodes that matches. */
static void look_at(const struct engine_state *state, struct scan *scan, uint32_t node)
{
    uint32_t customer = identity_root(state->identity, node);
    size_t count = take_nodes(state, scan, customer);
    for (size_t i = 0; i < count; i++)
        if (scan->nodes[i] > node &&
            profile_probe_node(state->profile, driver(scan), scan->nodes[i]))
            return;
    if (scope_sees_now(scan->request->scope, state, customer) &&
        has_all(state, scan, customer, count, true))
        add_candidate(scan->found, customer);
}

static void scan_by_value(const struct engine_state *state, struct scan *scan, uint32_t stop)
{
    while (scan->next > stop && scan->found->count < scan->limit) {
        uint32_t node = profile_probe_below(state->profile, driver(scan), scan->next, stop);
        if (node == stop) {
            scan->next = stop;
            return;
        }
        look_at(state, scan, node);
        scan->next = node - 1;
    }
}

static void scan_all(const struct engine_state *state, struct scan *scan, uint32_t stop)
{
    for (; scan->next > stop && scan->found->count < scan->limit; scan->next--)
        if (identity_root(state->identity, scan->next) == scan->next &&
            scope_sees_now(scan->request->scope, state, scan->next) &&
            has_type(state, scan, scan->next))
            add_candidate(scan->found, scan->next);
}

static void scan_slice(const struct engine_state *state, struct engine_question *question)
{
    struct scan *scan = question->context;
    uint32_t last = identity_node_count(state->identity);
    if (!scan->ready)
        make_probes(state, scan);
    if (scan->error != ERR_OK)
        return;
    if (!scan->started || scan->next > last)
        scan->next = last;
    scan->started = true;
    uint32_t stop = scan->next > SLICE_NODES ? scan->next - SLICE_NODES : 0;
    if (driver(scan) != NULL)
        scan_by_value(state, scan, stop);
    else
        scan_all(state, scan, stop);
}

/* Until the page is full, everybody was seen, or time is up. */
static err run_scan(struct request *request, struct scan *scan, bool *partial,
                    struct problem *problem)
{
    steady_ns start = steady_now();
    err error = ERR_OK;
    do {
        error = view_ask(request, scan_slice, scan, problem);
        if (error == ERR_OK)
            error = scan->error;
    } while (error == ERR_OK && scan->next > 0 && scan->found->count < scan->limit &&
             steady_since_ms(start) < SCAN_MS_MAX);
    *partial = error == ERR_OK && scan->next > 0 && scan->found->count < scan->limit;
    return error;
}

/* Of those who were looked up, who also has what was asked for. */
static void filter_found(const struct engine_state *state, struct engine_question *question)
{
    struct scan *scan = question->context;
    size_t kept = 0;
    make_probes(state, scan);
    for (size_t i = 0; i < scan->found->count && scan->error == ERR_OK; i++) {
        uint32_t customer = scan->found->roots[i];
        size_t count = take_nodes(state, scan, customer);
        if (has_all(state, scan, customer, count, false))
            scan->found->roots[kept++] = customer;
    }
    scan->found->count = kept;
}

static err read_filters(struct request *request, struct scan *scan, struct problem *problem)
{
    struct query_iterator iterator = { .rest = request->query };
    str name, value;
    while (request_next_query(request, &iterator, &name, &value)) {
        if (!str_starts_with(name, STR("trait.")))
            continue;
        if (scan->trait_count == TRAITS_MAX)
            return problem_set(problem, ERR_INVALID, "at most %d traits can be asked for at once",
                               TRAITS_MAX);
        if (value.size == 0 || value.size > 255) {
            problem_set(problem, ERR_INVALID,
                        "the value of a trait to look for has 1 to 255 bytes");
            return problem_at(problem, ERR_INVALID, STR_FMT, STR_ARG(name));
        }
        struct trait_filter *filter = &scan->traits[scan->trait_count++];
        filter->name = str_slice(name, 6, name.size);
        filter->value = value;
        if (!scope_sees_trait(request->scope, filter->name))
            return scope_refuse_trait(filter->name, problem);
    }
    scan->identifier_type = request_query(request, STR("identifier_type"));
    return ERR_OK;
}

/* ---- the answer ---- */

#define PAGE_AT_ONCE 50 /* customers copied in one question */

struct page {
    struct request *request;
    const uint32_t *roots;
    struct customer_view *views;
    size_t count;
};

static void take_page(const struct engine_state *state, struct engine_question *question)
{
    struct page *page = question->context;
    for (size_t i = 0; i < page->count; i++)
        view_take(state, page->request, page->roots[i], &page->views[i]);
}

/* Traits, tags and segments, each only when it was asked for. */
static void write_columns(struct request *request, struct json_writer *writer,
                          const struct customer_view *view, struct search_columns columns,
                          bool reveal)
{
    if (columns.traits)
        view_write_traits(request, writer, &view->facts, reveal);
    if (columns.tags && view->audience.size > 0) {
        buffer_append_byte(&request->out, ',');
        buffer_append_str(&request->out, view->audience);
    }
}

static err write_entry(struct request *request, struct json_writer *writer,
                       struct customer_view *view, struct search_columns columns, bool reveal,
                       struct problem *problem)
{
    const struct profile_summary *summary = &view->facts.summary;
    err error = view->error;
    if (error == ERR_OK)
        error = reveal ? view_values(request, view->rows, view->row_count, problem)
                       : view_shown(request, view, problem);
    if (error != ERR_OK)
        return error;
    view_hide_child(view);
    if (request->scope != NULL)
        view_leave_seen(view);
    view_sort(view->rows, view->row_count);
    json_begin_object(writer);
    json_member_text(writer, STR("one_id"), answer_one_id(request, view->root));
    json_member_text(writer, STR("name"), view_name(request, &view->facts, reveal));
    json_put_key(writer, STR("identifiers"));
    json_begin_array(writer);
    for (size_t i = 0; i < view->row_count && i < 4; i++)
        view_write_short(request, writer, &view->rows[i], reveal);
    json_end_array(writer);
    json_put_key(writer, STR("summary"));
    json_begin_object(writer);
    bool all = scope_sees_all_events(request->scope); /* the sums are of all her events */
    json_member_int(writer, STR("orders"), all ? summary->orders : 0);
    json_member_int(writer, STR("revenue"), all ? summary->revenue : 0);
    json_member_text(writer, STR("currency"), all ? str_from_c(summary->currency) : STR_NONE);
    member_time_or_null(writer, STR("last_seen_at"),
                        all && summary->events > 0 ? summary->last_seen_ms : 0);
    if (!all)
        json_member_bool(writer, STR("withheld"), true);
    json_end_object(writer);
    view_write_created(writer, view);
    write_columns(request, writer, view, columns, reveal);
    json_end_object(writer);
    return ERR_OK;
}

static err write_some(struct request *request, struct json_writer *writer, const uint32_t *roots,
                      size_t count, struct search_columns columns, bool reveal,
                      struct problem *problem)
{
    struct customer_view views[PAGE_AT_ONCE];
    struct page page = { .request = request, .roots = roots, .views = views, .count = count };
    for (size_t i = 0; i < count; i++)
        view_init(&views[i], true);
    err error = view_ask(request, take_page, &page, problem);
    for (size_t i = 0; i < count; i++) {
        if (error == ERR_OK && views[i].root != 0)
            error = write_entry(request, writer, &views[i], columns, reveal, problem);
    }
    return error;
}

err search_write_list(struct request *request, struct json_writer *writer, const uint32_t *roots,
                      size_t count, struct search_columns columns, str next, bool reveal,
                      struct problem *problem)
{
    answer_list_begin(request, writer);
    for (size_t i = 0; i < count; i += PAGE_AT_ONCE) {
        size_t some = count - i < PAGE_AT_ONCE ? count - i : PAGE_AT_ONCE;
        err error = write_some(request, writer, roots + i, some, columns, reveal, problem);
        if (error != ERR_OK)
            return error;
    }
    answer_list_end(request, writer, next);
    return ERR_OK;
}

err search_read_columns(struct request *request, struct search_columns *columns,
                        struct problem *problem)
{
    str rest = request_query(request, STR("columns"));
    *columns = (struct search_columns){ 0 };
    while (rest.size > 0) {
        size_t end = str_find_byte(rest, ',');
        str one = str_slice(rest, 0, end);
        rest = str_slice(rest, end + 1, rest.size);
        if (str_equal(one, STR("traits")))
            columns->traits = true;
        else if (str_equal(one, STR("tags")))
            columns->tags = true;
        else
            return problem_set(problem, ERR_INVALID, "columns are traits and tags, not '%.*s'",
                               (int)str_utf8_prefix_bytes(one, 40), one.data);
    }
    return ERR_OK;
}

static err find(struct request *request, str query, bool present, struct scan *scan, str *next,
                bool *partial, struct problem *problem)
{
    bool filters = scan->trait_count > 0 || scan->identifier_type.size > 0;
    err error = ERR_OK;
    if (query.size > 0 && !present)
        error = look_up(request, query, scan->found, problem);
    if (error != ERR_OK || (scan->found->count > 0 && !filters))
        return error;
    if (scan->found->count > 0) {
        error = view_ask(request, filter_found, scan, problem);
        return error == ERR_OK ? scan->error : error;
    }
    scan->name = query;
    error = run_scan(request, scan, partial, problem);
    int64_t beyond = scan->next;
    if (error == ERR_OK && scan->next > 0)
        *next = cursor_encode(request, 'c', &beyond, 1);
    return error;
}

err route_customer_search(struct request *request, struct problem *problem)
{
    struct candidates *found = arena_new(&request->arena, struct candidates);
    struct scan *scan = arena_new(&request->arena, struct scan);
    str query = str_trim(request_query(request, STR("query"))), next = STR_NONE;
    bool present, reveal, partial = false;
    struct search_columns columns;
    struct json_writer writer;
    int64_t from = 0;
    if (found == NULL || scan == NULL)
        return ERR_NOMEM;
    if (query.size > 255)
        return problem_set(problem, ERR_INVALID, "query has more than 255 bytes");
    scan->request = request;
    scan->found = found;
    err error = answer_limit(request, &scan->limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'c', &from, 1, &present, problem);
    if (error == ERR_OK)
        error = read_filters(request, scan, problem);
    if (error == ERR_OK)
        error = search_read_columns(request, &columns, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, STR("customers"), &reveal, problem);
    if (error != ERR_OK)
        return error;
    scan->started = present;
    scan->next = (uint32_t)from;
    buffer_init(&scan->scratch, SCRATCH_BYTES_MAX);
    error = find(request, query, present, scan, &next, &partial, problem);
    buffer_deinit(&scan->scratch);
    size_t count = found->count < scan->limit ? found->count : scan->limit;
    if (error == ERR_OK)
        error = search_write_list(request, &writer, found->roots, count, columns, next, reveal,
                                  problem);
    if (error != ERR_OK)
        return error;
    json_member_bool(&writer, STR("partial"), partial);
    json_end_object(&writer);
    return ERR_OK;
}
