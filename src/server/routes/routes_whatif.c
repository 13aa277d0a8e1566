/* SPDX-License-Identifier: Apache-2.0 */
/* What would happen: runs of a journey over the last days, begun, followed, cancelled, and compared with what came. */
#include "engine/whatif/whatif.h"
#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"

static err unknown(const struct request *request, err error, struct problem *problem)
{
    str id = request->parameters[1];
    return error == ERR_NOT_FOUND && problem->error == ERR_OK
               ? problem_set(problem, error, "there is no run '%.*s' of this journey",
                             (int)str_utf8_prefix_bytes(id, 40), id.data != NULL ? id.data : "")
               : error;
}

struct ask_journey {
    str key;
    bool is_there;
};

static void look_for(const struct engine_state *state, struct engine_question *question)
{
    struct ask_journey *ask = question->context;
    struct buffer text;
    buffer_init(&text, (size_t)8 << 20);
    ask->is_there = journey_write_one(state->journeys, ask->key, 0, &text) == ERR_OK;
    buffer_deinit(&text);
}

/* A definition that comes with the request needs no journey of this key. */
static err check_journey(struct request *request, struct problem *problem)
{
    struct ask_journey ask = { .key = request->parameters[0] };
    if (json_is_object(json_get(request->json, STR("journey"))))
        return ERR_OK;
    err error = view_ask(request, look_for, &ask, problem);
    if (error == ERR_OK && !ask.is_there)
        return problem_set(problem, ERR_NOT_FOUND, "there is no journey '%.*s'",
                           (int)str_utf8_prefix_bytes(ask.key, 100), ask.key.data);
    return error;
}

/* ---- for who sees a part: runs of her team, over a journey that takes in whom she sees ---- */

static err check_scope(struct request *request, bool is_given, struct problem *problem)
{
    if (request->scope == NULL && !is_given)
        return ERR_OK;
    return is_given ? scope_cut_journey(request, true, problem)
                    : scope_check_journey(request, problem);
}

/* Members of a run's result that count everybody, and what other journeys do. */
static bool counts_everybody(str name)
{
    return str_equal(name, STR("customers")) || str_equal(name, STR("events")) ||
           str_equal(name, STR("others")) || str_equal(name, STR("elapsed")) ||
           str_equal(name, STR("elapsed_ms")) || str_equal(name, STR("budgets"));
}

/* Pools of coupons are things: hers and shared ones. */
static void write_pools_of(const struct scope *scope, json_value pools, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(pools);
    json_value pool;
    bool first = true;
    buffer_append_byte(out, '[');
    while (json_next(&iterator, NULL, &pool)) {
        if (!scope_sees_thing(scope, "pool", json_text(json_get(pool, STR("key"))), TEAM_READ))
            continue;
        buffer_append_str(out, first ? STR("") : STR(","));
        first = false;
        json_write_value(out, pool);
    }
    buffer_append_byte(out, ']');
}

static bool write_no_refused(void *context, str name, json_value value, struct buffer *out)
{
    (void)context;
    if (json_kind(value) != JSON_INT || !str_equal(name, STR("refused")))
        return false;
    buffer_append_byte(out, '0');
    return true;
}

static void write_part_of(const struct scope *scope, json_value object, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str key;
    bool first = true;
    buffer_append_byte(out, '{');
    while (json_next(&iterator, &key, &value)) {
        buffer_append_str(out, first ? STR("") : STR(","));
        first = false;
        json_write_text(out, key);
        buffer_append_byte(out, ':');
        if (str_equal(key, STR("result")) && json_is_object(value))
            write_part_of(scope, value, out);
        else if (str_equal(key, STR("coupon_pools")))
            write_pools_of(scope, value, out);
        else if (counts_everybody(key) && json_kind(value) == JSON_INT)
            buffer_append_byte(out, '0');
        else if (counts_everybody(key) && json_kind(value) == JSON_ARRAY)
            buffer_append_str(out, STR("[]"));
        else
            json_write_replacing(out, key, value, write_no_refused, NULL);
    }
    buffer_append_byte(out, '}');
}

/* The run in request->out, as who sees a part gets it; NOT_FOUND for one that somebody else began. */
static err leave_part(struct request *request, struct problem *problem)
{
    struct json_parser *parser = NULL;
    struct buffer out;
    json_value root;
    if (request->scope == NULL)
        return ERR_OK;
    buffer_init(&out, (size_t)64 << 20);
    err error = json_parser_new(&parser, (size_t)64 << 20);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&request->out), &root, problem);
    if (error == ERR_OK &&
        !scope_sees_user(request, (uint32_t)json_int(json_get(root, STR("user_number")), 0)))
        error = ERR_NOT_FOUND;
    if (error == ERR_OK) {
        write_part_of(request->scope, root, &out);
        error = buffer_status(&out);
    }
    buffer_clear(&request->out);
    if (error == ERR_OK)
        buffer_append_str(&request->out, buffer_str(&out));
    json_parser_free(&parser);
    buffer_deinit(&out);
    return unknown(request, error, problem);
}

static err get_run(struct request *request, struct problem *problem)
{
    err error = check_scope(request, false, problem);
    if (error == ERR_OK)
        error = unknown(request,
                        whatif_write(request->server->whatifs, request->parameters[0],
                                     request->parameters[1], &request->out),
                        problem);
    return error == ERR_OK ? leave_part(request, problem) : error;
}

/* Is the run hers? Nothing is answered yet. */
static err check_run(struct request *request, struct problem *problem)
{
    if (request->scope == NULL)
        return ERR_OK;
    err error = get_run(request, problem);
    buffer_clear(&request->out);
    return error;
}

err route_whatif_begin(struct request *request, struct problem *problem)
{
    char id[WHATIF_ID_BYTES];
    str key = request->parameters[0];
    err error = check_journey(request, problem);
    if (error == ERR_OK)
        error =
            check_scope(request, json_is_object(json_get(request->json, STR("journey"))), problem);
    if (error == ERR_OK)
        error = whatif_begin(request->server->whatifs, key, request->json,
                             request->actor.user_number, id, problem);
    if (error != ERR_OK)
        return error;
    request->status = 202;
    return whatif_write(request->server->whatifs, key, str_from_c(id), &request->out);
}

static err write_hers(struct request *request, struct json_writer *writer, struct problem *problem)
{
    struct buffer all;
    struct json_writer list;
    json_value root, item;
    buffer_init(&all, (size_t)64 << 20);
    json_writer_init(&list, &all);
    json_begin_array(&list);
    whatif_write_all(request->server->whatifs, request->parameters[0], &list);
    json_end_array(&list);
    err error = buffer_status(&all);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&all), &root, problem);
    struct json_iterator iterator =
        error == ERR_OK ? json_iterate(root) : (struct json_iterator){ 0 };
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        if (!scope_sees_user(request, (uint32_t)json_int(json_get(item, STR("user_number")), 0)))
            continue;
        buffer_clear(&all);
        json_write_value(&all, item);
        json_put_raw(writer, buffer_str(&all));
    }
    buffer_deinit(&all);
    return error;
}

/* ---- one customer ---- */

/* What a source that she does not see has told, and sums over all events, are not filled in for her. */
static bool fills_in(void *context, str path, uint32_t source_number)
{
    const struct scope *scope = context;
    if (str_starts_with(path, STR("summary.")))
        return scope_sees_all_events(scope);
    if (str_starts_with(path, STR("tag.")))
        return scope_sees_thing(scope, "tag", str_slice(path, 4, path.size), TEAM_READ);
    return scope_sees_source(scope, source_number);
}

err route_whatif_try(struct request *request, struct problem *problem)
{
    struct value_lens lens = { .fills_in = fills_in, .context = request->scope };
    str key = request->parameters[0], one_id = json_text(json_get(request->json, STR("customer")));
    bool sees = true, is_given = json_is_object(json_get(request->json, STR("journey")));
    uint32_t customer = 0;
    err error = check_journey(request, problem);
    if (error == ERR_OK)
        error = view_number(request, one_id, &customer, problem);
    if (error == ERR_OK)
        error = scope_sees(request, customer, &sees, problem);
    if (request->scope != NULL && (error == ERR_NOT_FOUND || (error == ERR_OK && !sees)))
        return scope_refuse_customer(request, one_id, problem);
    if (error == ERR_OK)
        error = check_scope(request, is_given, problem);
    return error == ERR_OK
               ? whatif_try(request->server->whatifs, key, customer, request->json,
                            request->scope != NULL ? &lens : NULL, &request->out, problem)
               : error;
}

err route_whatif_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    err error = check_scope(request, false, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    if (request->scope == NULL)
        whatif_write_all(request->server->whatifs, request->parameters[0], &writer);
    else
        error = write_hers(request, &writer, problem);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return error;
}

err route_whatif_get(struct request *request, struct problem *problem)
{
    return get_run(request, problem);
}

err route_whatif_delete(struct request *request, struct problem *problem)
{
    err error = check_run(request, problem);
    if (error != ERR_OK)
        return error;
    error = whatif_delete(request->server->whatifs, request->parameters[0], request->parameters[1]);
    if (error == ERR_OK)
        request->status = 204;
    return unknown(request, error, problem);
}

err route_whatif_compare(struct request *request, struct problem *problem)
{
    str from = request_query(request, STR("from"));
    int64_t from_ms = 0;
    if (from.size > 0 && !time_parse(from, 8 * 60, &from_ms))
        return problem_set(problem, ERR_INVALID, "from is a time (RFC 3339)");
    err error = check_run(request, problem);
    if (error != ERR_OK)
        return error;
    return unknown(request,
                   whatif_compare(request->server->whatifs, request->parameters[0],
                                  request->parameters[1], from_ms, &request->out, problem),
                   problem);
}
