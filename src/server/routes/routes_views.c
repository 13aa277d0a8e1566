/* SPDX-License-Identifier: Apache-2.0 */
/* Saved views: the address of a page with its filters and columns under a name, of one person or shown to all.
 *
 * A view is a setting under "view.<number of the user>.<key>"; it holds what stands in the address behind the '?', which is
 * judged again by who opens it: a shared view shows nobody more than she sees. One that is gone has the value null. */
#include <stdio.h>
#include <string.h>

#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/views.h"

#define VIEWS_OF_ONE_MAX 100
#define KEY_BYTES_MAX 40
#define NAME_BYTES_MAX 200
#define PAGE_BYTES_MAX 40
#define QUERY_BYTES_MAX 8192
#define SETTING_BYTES_MAX 100

static bool is_word(str text, size_t bytes_max)
{
    if (text.size == 0 || text.size > bytes_max)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return true;
}

static str setting_of(const struct request *request, str key, char out[SETTING_BYTES_MAX])
{
    int size = snprintf(out, SETTING_BYTES_MAX, SETTING_VIEW_PREFIX "%u." STR_FMT,
                        request->actor.user_number, STR_ARG(key));
    return (str){ .data = out, .size = (size_t)size };
}

/* The owner and the key in "view.12.abc". */
static bool parse_setting(str setting, uint32_t *owner, str *key)
{
    int64_t number;
    if (!str_starts_with(setting, STR(SETTING_VIEW_PREFIX)))
        return false;
    str rest = str_slice(setting, strlen(SETTING_VIEW_PREFIX), setting.size);
    size_t dot = str_find_byte(rest, '.');
    if (!str_to_int64(str_slice(rest, 0, dot), &number) || number < 0 || number > UINT32_MAX)
        return false;
    *owner = (uint32_t)number;
    *key = str_slice(rest, dot + 1, rest.size);
    return true;
}

/* ---- listing ---- */

struct listing {
    struct request *request;
    struct json_writer *writer;
    str page, only; /* `only`: the key of one of her own; empty: all that she may see */
    size_t own, shown;
    bool replaced; /* one of her own has the key `only` */
    err error;
};

static bool may_see(const struct listing *listing, uint32_t owner, json_value value)
{
    const struct request *request = listing->request;
    if (owner == request->actor.user_number)
        return true;
    return json_bool(json_get(value, STR("shared")), false) && scope_sees_user(request, owner);
}

static void write_view(struct listing *listing, str key, uint32_t owner, json_value value)
{
    struct json_writer *writer = listing->writer;
    json_begin_object(writer);
    json_member_text(writer, STR("key"), key);
    json_member_text(writer, STR("page"), json_text(json_get(value, STR("page"))));
    json_member_text(writer, STR("name"), json_text(json_get(value, STR("name"))));
    json_member_text(writer, STR("query"), json_text(json_get(value, STR("query"))));
    json_member_bool(writer, STR("shared"), json_bool(json_get(value, STR("shared")), false));
    json_member_text(writer, STR("owner"), answer_login(listing->request, owner));
    json_member_bool(writer, STR("own"), owner == listing->request->actor.user_number);
    json_end_object(writer);
    listing->shown++;
}

static bool visit(void *context, const struct ledger_value *values)
{
    struct listing *listing = context;
    json_value value;
    uint32_t owner;
    str key;
    if (!parse_setting(values[0].bytes, &owner, &key))
        return true;
    listing->error = json_parse(listing->request->scratch, values[1].bytes, &value, NULL);
    if (listing->error != ERR_OK)
        return false;
    if (!json_is_object(value))
        return true;
    bool is_own = owner == listing->request->actor.user_number;
    listing->own += is_own;
    if (listing->only.size > 0) {
        listing->replaced |= is_own && str_equal(key, listing->only);
        if (is_own && str_equal(key, listing->only) && listing->writer != NULL)
            write_view(listing, key, owner, value);
        return true;
    }
    if ((listing->page.size == 0 ||
         str_equal(json_text(json_get(value, STR("page"))), listing->page)) &&
        may_see(listing, owner, value))
        write_view(listing, key, owner, value);
    return true;
}

static err scan(struct listing *listing, struct problem *problem)
{
    err error = ledger_scan(server_ledger(listing->request->server), LEDGER_SETTINGS, NULL, visit,
                            listing, problem);
    return error == ERR_OK ? listing->error : error;
}

err route_view_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct listing listing = { .request = request,
                               .writer = &writer,
                               .page = request_query(request, STR("page")) };
    answer_list_begin(request, &writer);
    err error = scan(&listing, problem);
    if (error != ERR_OK)
        return error;
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- saving ---- */

static err refuse(struct problem *problem, const char *member, const char *what)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", what);
    return problem_at(problem, ERR_UNPROCESSABLE, "/%s", member);
}

static err check(struct request *request, struct problem *problem)
{
    json_value body = request->json;
    str name = str_trim(json_text(json_get(body, STR("name"))));
    if (!is_word(request->parameters[0], KEY_BYTES_MAX))
        return refuse(problem, "key", "the key of a view has 1 to 40 of a-z 0-9 _ -");
    if (!is_word(json_text(json_get(body, STR("page"))), PAGE_BYTES_MAX))
        return refuse(problem, "page", "the page of a view has 1 to 40 of a-z 0-9 _ -");
    if (name.size == 0 || name.size > NAME_BYTES_MAX)
        return refuse(problem, "name", "a view has a name of 1 to 200 bytes");
    if (json_text(json_get(body, STR("query"))).size > QUERY_BYTES_MAX)
        return refuse(problem, "query", "the address of a view has at most 8192 bytes");
    return ERR_OK;
}

static err check_room(struct request *request, bool *replaces, struct problem *problem)
{
    struct listing listing = { .request = request, .only = request->parameters[0] };
    err error = scan(&listing, problem);
    *replaces = listing.replaced;
    if (error != ERR_OK || listing.replaced || listing.own < VIEWS_OF_ONE_MAX)
        return error;
    problem_set(problem, ERR_UNPROCESSABLE, "you have %d views already, no more fit",
                VIEWS_OF_ONE_MAX);
    return problem_hint(problem, ERR_UNPROCESSABLE, "delete one that you no longer use");
}

static void write_value(struct request *request, struct json_writer *writer)
{
    json_value body = request->json;
    json_begin_object(writer);
    json_member_text(writer, STR("page"), json_text(json_get(body, STR("page"))));
    json_member_text(writer, STR("name"), str_trim(json_text(json_get(body, STR("name")))));
    json_member_text(writer, STR("query"), json_text(json_get(body, STR("query"))));
    json_member_bool(writer, STR("shared"), json_bool(json_get(body, STR("shared")), false));
    json_end_object(writer);
}

err route_view_put(struct request *request, struct problem *problem)
{
    char setting[SETTING_BYTES_MAX];
    struct command_body body;
    struct json_writer writer;
    bool replaces;
    str response;
    err error = check(request, problem);
    if (error == ERR_OK)
        error = check_room(request, &replaces, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"),
                     setting_of(request, request->parameters[0], setting));
    json_put_key(&body.writer, STR("value"));
    write_value(request, &body.writer);
    error = answer_command(request, "setting.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    struct listing listing = { .request = request,
                               .writer = &writer,
                               .only = request->parameters[0] };
    return scan(&listing, problem);
}

err route_view_delete(struct request *request, struct problem *problem)
{
    char setting[SETTING_BYTES_MAX];
    struct command_body body;
    struct listing listing = { .request = request, .only = request->parameters[0] };
    str response;
    err error = is_word(request->parameters[0], KEY_BYTES_MAX) ? scan(&listing, problem) : ERR_OK;
    if (error == ERR_OK && !listing.replaced)
        error = problem_set(problem, ERR_NOT_FOUND, "you have no such view");
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"),
                     setting_of(request, request->parameters[0], setting));
    json_put_key(&body.writer, STR("value"));
    json_put_null(&body.writer);
    error = answer_command(request, "setting.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}
