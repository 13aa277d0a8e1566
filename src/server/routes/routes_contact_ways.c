/* SPDX-License-Identifier: Apache-2.0 */
/* Contact ways of a WeCom account: codes that customers scan to become a contact of one of a pool of advisers, told apart by their
 * state. The provider keeps them: what is answered is what it has. How many came by each is counted over the events that its
 * callbacks brought, as far as the warehouse has them. */
#include "base/codec.h"
#include "server/answer.h"
#include "server/sending.h"

#define WAYS_MAX 500 /* each is asked for by itself */
#define ARGUMENTS_BYTES_MAX ((size_t)64 << 10)
#define ANSWER_BYTES_MAX ((size_t)8 << 20)
#define QUERY_MS_MAX 20000
#define CAME_EVENT "WeCom Contact Added"

static void put_copy(struct json_writer *writer, json_value value)
{
    struct buffer text;
    buffer_init(&text, (size_t)64 << 10);
    json_write_value(&text, value);
    json_put_raw(writer, buffer_str(&text));
    buffer_deinit(&text);
}

/* ---- asking the provider ---- */

struct asking {
    struct request *request;
    struct json_parser *parser;
    struct buffer answer;
    struct problem *problem;
};

static err asking_init(struct asking *asking, struct request *request, struct problem *problem)
{
    *asking = (struct asking){ .request = request, .problem = problem };
    buffer_init(&asking->answer, ANSWER_BYTES_MAX);
    return json_parser_new(&asking->parser, ANSWER_BYTES_MAX);
}

static void asking_deinit(struct asking *asking)
{
    buffer_deinit(&asking->answer);
    json_parser_free(&asking->parser);
}

/* `arguments` JSON; the answer lives until the next. */
static err operate(struct asking *asking, const char *operation, str arguments, json_value *answer)
{
    struct channels *channels = engine_channels(asking->request->server->engine);
    struct problem *problem = asking->problem;
    json_value parsed;
    if (channels == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "nothing is sent by this server");
    buffer_clear(&asking->answer);
    err error = json_parse(asking->parser, arguments, &parsed, problem);
    if (error == ERR_OK)
        error = channels_operate(channels, asking->request->parameters[0], str_from_c(operation),
                                 parsed, &asking->answer, problem);
    return error == ERR_OK
               ? json_parse(asking->parser, buffer_str(&asking->answer), answer, problem)
               : error;
}

static err operate_on(struct asking *asking, const char *operation, str id, json_value *answer)
{
    struct buffer arguments;
    buffer_init(&arguments, ARGUMENTS_BYTES_MAX);
    buffer_append_str(&arguments, STR("{\"config_id\":"));
    json_write_text(&arguments, id);
    buffer_append_byte(&arguments, '}');
    err error = operate(asking, operation, buffer_str(&arguments), answer);
    buffer_deinit(&arguments);
    return error;
}

/* ---- how many came by each ---- */

struct came {
    str state;
    int64_t times, contacts, last_ms;
};
struct counts {
    struct came *items;
    size_t count;
    bool is_known;
};

static void take_counts(struct request *request, str answer, struct counts *counts)
{
    struct cursor cursor = cursor_over(answer);
    size_t capacity = 0;
    while (cursor_left(&cursor) > 0 && !cursor.failed) {
        struct came one = { .state = read_text(&cursor) };
        one.times = (int64_t)read_u64(&cursor);
        one.contacts = (int64_t)read_u64(&cursor);
        one.last_ms = read_i64(&cursor);
        if (cursor.failed || arena_dup(&request->arena, one.state, &one.state) != ERR_OK)
            return;
        if (counts->count == capacity) {
            struct came *longer =
                arena_array(&request->arena, struct came, capacity == 0 ? 64 : capacity * 2);
            if (longer == NULL)
                return;
            for (size_t i = 0; i < counts->count; i++)
                longer[i] = counts->items[i];
            counts->items = longer;
            capacity = capacity == 0 ? 64 : capacity * 2;
        }
        counts->items[counts->count++] = one;
    }
    counts->is_known = !cursor.failed;
}

/* Without the warehouse the codes are told, and their counts are not known. */
static void count_came(struct request *request, struct counts *counts)
{
    struct warehouse *warehouse = engine_warehouse(request->server->engine);
    struct problem problem = { .error = ERR_OK };
    struct buffer answer;
    if (warehouse == NULL || !warehouse_is_ready(warehouse))
        return;
    buffer_init(&answer, ANSWER_BYTES_MAX);
    if (warehouse_query(warehouse,
                        STR("SELECT visitParamExtractString(props, 'state') AS state, "
                            "toUInt64(count()), toUInt64(uniqExact(customer)), "
                            "toInt64(max(time_ms)) FROM events_kept WHERE type = '" CAME_EVENT
                            "' GROUP BY state FORMAT RowBinary"),
                        NULL, 0, QUERY_MS_MAX, &answer, &problem) == ERR_OK)
        take_counts(request, buffer_str(&answer), counts);
    buffer_deinit(&answer);
}

static void write_counts(struct json_writer *writer, const struct counts *counts, str state)
{
    const struct came none = { .times = 0 }, *came = &none;
    for (size_t i = 0; i < counts->count; i++)
        if (state.size > 0 && str_equal(counts->items[i].state, state))
            came = &counts->items[i];
    json_put_key(writer, STR("scans"));
    if (counts->is_known)
        json_put_int(writer, came->times);
    else
        json_put_null(writer);
    json_put_key(writer, STR("contacts"));
    if (counts->is_known)
        json_put_int(writer, came->contacts);
    else
        json_put_null(writer);
    member_time_or_null(writer, STR("last_at"), came->last_ms);
}

/* ---- the answer ---- */

static void write_way(struct json_writer *writer, json_value way, const struct counts *counts)
{
    json_value users = json_get(way, STR("user"));
    str state = json_text(json_get(way, STR("state")));
    json_begin_object(writer);
    json_member_text(writer, STR("id"), json_text(json_get(way, STR("config_id"))));
    json_member_text(writer, STR("state"), state);
    json_member_text(writer, STR("remark"), json_text(json_get(way, STR("remark"))));
    json_member_text(writer, STR("qr_code"), json_text(json_get(way, STR("qr_code"))));
    json_member_bool(writer, STR("skip_verify"),
                     json_bool(json_get(way, STR("skip_verify")), true));
    json_put_key(writer, STR("users"));
    if (json_kind(users) == JSON_ARRAY) {
        put_copy(writer, users);
    } else {
        json_begin_array(writer);
        json_end_array(writer);
    }
    write_counts(writer, counts, state);
    json_end_object(writer);
}

static err write_by_id(struct asking *asking, str id, struct json_writer *writer,
                       const struct counts *counts)
{
    json_value answer;
    err error = operate_on(asking, "contact_way.get", id, &answer);
    if (error == ERR_OK)
        write_way(writer, json_get(answer, STR("contact_way")), counts);
    return error;
}

static err answer_one(struct asking *asking, str id)
{
    struct counts counts = { .count = 0 };
    struct json_writer writer;
    count_came(asking->request, &counts);
    json_writer_init(&writer, &asking->request->out);
    return write_by_id(asking, id, &writer, &counts);
}

/* ---- routes ---- */

static err list_ids(struct asking *asking, str *ids, size_t *count)
{
    json_value answer, item;
    err error = operate(asking, "contact_way.list", STR("{\"limit\":1000}"), &answer);
    if (error != ERR_OK)
        return error;
    struct json_iterator iterator = json_iterate(json_get(answer, STR("contact_way")));
    while (error == ERR_OK && *count < WAYS_MAX && json_next(&iterator, NULL, &item))
        error = arena_dup(&asking->request->arena, json_text(json_get(item, STR("config_id"))),
                          &ids[(*count)++]);
    return error;
}

err route_contact_way_list(struct request *request, struct problem *problem)
{
    struct counts counts = { .count = 0 };
    struct asking asking;
    struct json_writer writer;
    size_t count = 0;
    str *ids = arena_array(&request->arena, str, WAYS_MAX);
    err error = ids != NULL ? asking_init(&asking, request, problem) : ERR_NOMEM;
    if (ids == NULL)
        return error;
    if (error == ERR_OK)
        error = list_ids(&asking, ids, &count);
    if (error == ERR_OK) {
        count_came(request, &counts);
        answer_list_begin(request, &writer);
        for (size_t i = 0; error == ERR_OK && i < count; i++)
            error = write_by_id(&asking, ids[i], &writer, &counts);
        answer_list_end(request, &writer, STR_NONE);
        json_end_object(&writer);
    }
    asking_deinit(&asking);
    return error;
}

static err wrong(struct problem *problem, const char *pointer, const char *why)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", why);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

/* Members of the request as the provider names them. `is_new`: the pool and the state must be there. */
static err write_arguments(struct request *request, str id, bool is_new, struct buffer *out,
                           struct problem *problem)
{
    json_value body = request->json, users = json_get(body, STR("users"));
    str state = json_text(json_get(body, STR("state")));
    bool has_users = json_kind(users) == JSON_ARRAY && json_count(users) > 0;
    struct json_writer writer;
    if (is_new ? !has_users : json_kind(users) != JSON_MISSING && !has_users)
        return wrong(problem, "/users", "users are the advisers of the pool: 1 to 100 user ids");
    if (json_count(users) > 100)
        return wrong(problem, "/users", "a pool has at most 100 advisers");
    if ((is_new && state.size == 0) || state.size > 30)
        return wrong(problem, "/state",
                     "state tells apart who came by it: 1 to 30 bytes, as card-618");
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (is_new) {
        json_member_int(&writer, STR("type"), json_count(users) > 1 ? 2 : 1);
        json_member_int(&writer, STR("scene"), 2);
    } else {
        json_member_text(&writer, STR("config_id"), id);
    }
    if (state.size > 0)
        json_member_text(&writer, STR("state"), state);
    if (json_kind(json_get(body, STR("remark"))) == JSON_TEXT)
        json_member_text(&writer, STR("remark"), json_text(json_get(body, STR("remark"))));
    if (json_kind(json_get(body, STR("skip_verify"))) == JSON_BOOL)
        json_member_bool(&writer, STR("skip_verify"),
                         json_bool(json_get(body, STR("skip_verify")), true));
    if (has_users) {
        json_put_key(&writer, STR("user"));
        put_copy(&writer, users);
    }
    json_end_object(&writer);
    return buffer_status(out);
}

static err change(struct request *request, const char *operation, str id, struct problem *problem)
{
    struct asking asking;
    struct buffer arguments;
    json_value answer;
    buffer_init(&arguments, ARGUMENTS_BYTES_MAX);
    err error = write_arguments(request, id, id.size == 0, &arguments, problem);
    if (error != ERR_OK) {
        buffer_deinit(&arguments);
        return error;
    }
    error = asking_init(&asking, request, problem);
    if (error == ERR_OK)
        error = operate(&asking, operation, buffer_str(&arguments), &answer);
    if (error == ERR_OK && id.size == 0)
        error = arena_dup(&request->arena, json_text(json_get(answer, STR("config_id"))), &id);
    if (error == ERR_OK)
        error = answer_one(&asking, id);
    asking_deinit(&asking);
    buffer_deinit(&arguments);
    return error;
}

err route_contact_way_create(struct request *request, struct problem *problem)
{
    err error = change(request, "contact_way.add", STR_NONE, problem);
    if (error == ERR_OK)
        request->status = 201;
    return error;
}

err route_contact_way_put(struct request *request, struct problem *problem)
{
    return change(request, "contact_way.update", request->parameters[1], problem);
}

err route_contact_way_delete(struct request *request, struct problem *problem)
{
    struct asking asking;
    json_value answer;
    err error = asking_init(&asking, request, problem);
    if (error == ERR_OK)
        error = operate_on(&asking, "contact_way.delete", request->parameters[1], &answer);
    if (error == ERR_OK)
        request->status = 204;
    asking_deinit(&asking);
    return error;
}
