/* SPDX-License-Identifier: Apache-2.0 */
/* What recipients and providers call without signing in: short links, unsubscribing, callbacks. Each proves itself: by a code that
 * only Kith can make, or by the provider's signature. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "collect/collect.h"
#include "engine/act/act.h"
#include "log/log.h"
#include "server/answer.h"
#include "server/person.h"
#include "server/view.h"

#define BODY_BYTES_MAX ((size_t)8 << 20)

/* ---- which touch ---- */

struct ask_link {
    str code, key;
    uint32_t number, customer;
    uint8_t place;
    char account[101], channel[101], purpose[101], template_[101];
    bool found;
};

static void copy(char out[101], str text)
{
    size_t size = text.size < 100 ? text.size : 100;
    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

static void find_touch(const struct engine_state *state, struct engine_question *question)
{
    struct ask_link *ask = question->context;
    struct touch_description about;
    if (ask->code.size > 0 &&
        !touch_link_find(state->touches, ask->code, &ask->number, &ask->place))
        return;
    if (ask->key.size > 0)
        ask->number = touch_by_key(state->touches, ask->key);
    ask->found = touch_describe(state->touches, ask->number, &about);
    if (!ask->found)
        return;
    ask->customer = about.customer;
    copy(ask->account, about.account);
    copy(ask->channel, about.channel);
    copy(ask->purpose, about.purpose);
    copy(ask->template_, about.template_);
}

static err tell(struct request *request, const struct ask_link *ask, const char *status,
                struct problem *problem)
{
    char receipts[160];
    snprintf(receipts, sizeof receipts, "[{\"touch\":%u,\"status\":\"%s\",\"at\":%lld}]",
             ask->number, status, (long long)server_now_ms(request->server));
    return engine_touch_receipts(request->server->engine, str_from_c(ask->account),
                                 str_from_c(receipts), problem);
}

/* ---- /l/{code} ---- */

struct link_reading {
    struct request *request;
    uint8_t place;
    int64_t version;
    str url;
};

static bool take_version(void *context, const struct ledger_value *values)
{
    struct link_reading *reading = context;
    reading->version = values[2].integer;
    return true;
}

/* The links of the version that was sent; before that is known, of the newest. */
static bool take_link(void *context, const struct ledger_value *values)
{
    struct link_reading *reading = context;
    struct problem problem = { .error = ERR_OK };
    json_value root, url;
    uint8_t place = 0;
    if (values[2].bytes.size == 0 ||
        json_parse(reading->request->scratch, values[2].bytes, &root, &problem) != ERR_OK)
        return true;
    struct json_iterator iterator = json_iterate(json_get(root, STR("links")));
    while (json_next(&iterator, NULL, &url))
        if (place++ == reading->place &&
            arena_dup(&reading->request->arena, json_text(url), &reading->url) != ERR_OK)
            return false;
    return true;
}

static bool take_newest(void *context, const struct ledger_value *values)
{
    (void)take_link(context, values);
    return false;
}

static err read_link(struct request *request, const struct ask_link *ask, str *url,
                     struct problem *problem)
{
    struct ledger *ledger = server_ledger(request->server);
    struct link_reading reading = { .request = request, .place = ask->place };
    struct ledger_value number = ledger_int(ask->number);
    err error =
        ledger_find(ledger, LEDGER_TOUCH_SENDS, &number, 1, take_version, &reading, problem);
    struct ledger_value keys[2] = { ledger_text(str_from_c(ask->template_)),
                                    ledger_int(reading.version) };
    if (error == ERR_OK && reading.version > 0)
        error = ledger_find(ledger, LEDGER_TOUCH_TEMPLATES, keys, 1, take_link, &reading, problem);
    keys[1] = ledger_int(INT64_MAX);
    if (error == ERR_OK && reading.url.size == 0)
        error = ledger_page(ledger, LEDGER_TOUCH_TEMPLATES, keys, true, 1, take_newest, &reading,
                            problem);
    *url = reading.url;
    return error;
}

err route_link_get(struct request *request, struct problem *problem)
{
    struct ask_link ask = { .code = request->parameters[0] };
    str url = STR_NONE;
    err error = view_ask(request, find_touch, &ask, problem);
    if (error == ERR_OK && ask.found)
        error = read_link(request, &ask, &url, problem);
    if (error != ERR_OK)
        return error;
    if (url.size == 0)
        return problem_set(problem, ERR_NOT_FOUND, "this link leads nowhere");
    /* She is led on in any case; what cannot be counted now is a line of the log. */
    (void)tell(request, &ask, "clicked", problem);
    request->status = 302;
    request->location = url;
    request->content_type = "text/plain";
    return ERR_OK;
}

/* ---- /u/{token}: a page with one button, since mail scanners follow links; the button is RFC 8058's POST ---- */

#define PREFERENCES_MS (30 * DAY_MS)

/* She may see and change the rest as well: this link proves who she is as that one does. */
static void write_preferences(struct request *request, uint32_t customer)
{
    str path = preferences_path(request, customer, server_now_ms(request->server) + PREFERENCES_MS);
    if (path.size > 0)
        buffer_printf(&request->out, "<p><a href=\"" STR_FMT "\">我的偏好 · My preferences</a></p>",
                      STR_ARG(path));
}

static void write_page(struct request *request, const struct ask_link *ask, const char *zh,
                       const char *en, bool button)
{
    request->content_type = "text/html; charset=utf-8";
    request->is_page = true;
    buffer_printf(
        &request->out,
        "<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>%s</title><body><h1>%s</h1><p>%s</p>",
        zh, zh, en);
    if (button)
        buffer_append_str(&request->out, STR("<form method=\"post\"><button type=\"submit\">退订 · "
                                             "Unsubscribe</button></form>"));
    write_preferences(request, ask->customer);
    buffer_append_str(&request->out, STR("</body></html>"));
}

static err find_token(struct request *request, struct ask_link *ask, struct problem *problem)
{
    *ask = (struct ask_link){ .key = request->parameters[0] };
    err error = view_ask(request, find_touch, ask, problem);
    if (error == ERR_OK && (!ask->found || ask->customer == 0))
        error = problem_set(problem, ERR_NOT_FOUND, "this link leads nowhere");
    return error;
}

err route_unsubscribe_get(struct request *request, struct problem *problem)
{
    struct ask_link ask;
    err error = find_token(request, &ask, problem);
    if (error == ERR_OK)
        write_page(request, &ask, "不再接收此类消息？", "Do you no longer want these messages?",
                   true);
    return error;
}

/* The channel is refused for her, in the record that says so; then the touch is told of. */
err route_unsubscribe_post(struct request *request, struct problem *problem)
{
    struct command_body body;
    struct ask_link ask;
    char evidence[64];
    str response;
    err error = find_token(request, &ask, problem);
    if (error != ERR_OK)
        return error;
    snprintf(evidence, sizeof evidence, "unsubscribe link of touch %u", ask.number);
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), ask.customer);
    json_member_text(&body.writer, STR("purpose"), str_from_c(ask.channel));
    json_member_bool(&body.writer, STR("granted"), false);
    json_member_text(&body.writer, STR("evidence"), str_from_c(evidence));
    error = answer_command(request, "consent.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = tell(request, &ask, "unsubscribed", problem);
    if (error == ERR_OK)
        write_page(request, &ask, "已退订", "You will not get these messages any more.", false);
    return error;
}

/* ---- /hooks/{account} ---- */

static void write_members(json_value object, const char *skip, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str name;
    while (json_next(&iterator, &name, &value)) {
        if (skip != NULL && str_equal(name, str_from_c(skip)))
            continue;
        buffer_append_byte(out, ',');
        json_write_text(out, name);
        buffer_append_byte(out, ':');
        json_write_value(out, value);
    }
}

/* The door wants an anonymous id of whoever has no other than the provider's: that one is hers there. */
static void write_nobody(json_value event, struct buffer *out)
{
    struct json_iterator iterator =
        json_iterate(json_get(json_get(event, STR("context")), STR("externalIds")));
    json_value first;
    if (json_kind(json_get(event, STR("anonymousId"))) == JSON_TEXT ||
        !json_next(&iterator, NULL, &first))
        return;
    buffer_append_str(out, STR(",\"anonymousId\":"));
    json_write_text(out, json_text(json_get(first, STR("id"))));
}

/* Each event says by which account it came: gates go by it (docs/touches.md). */
static err write_events(struct request *request, str events, struct buffer *out,
                        struct problem *problem)
{
    json_value root, event;
    err error = json_parse(request->scratch, events, &root, problem);
    struct json_iterator iterator = json_iterate(root);
    bool first = true;
    while (error == ERR_OK && json_next(&iterator, NULL, &event)) {
        buffer_append_str(out, first ? STR("{\"properties\":{\"account\":")
                                     : STR(",{\"properties\":{\"account\":"));
        first = false;
        json_write_text(out, request->parameters[0]);
        write_members(json_get(event, STR("properties")), "account", out);
        buffer_append_byte(out, '}');
        write_members(event, "properties", out);
        write_nobody(event, out);
        buffer_append_byte(out, '}');
    }
    return error;
}

/* Events of a callback go through the collecting door, as from a trusted source of the account's own name. */
static err take_events(struct request *request, str events, struct problem *problem)
{
    struct engine *engine = request->server->engine;
    struct collect_answer answer = { .status = 0 };
    struct collect_worker *worker = NULL;
    struct source source = { .key = request->parameters[0],
                             .name = request->parameters[0],
                             .kind = SOURCE_SERVER,
                             .protocol = STR("segment") };
    struct source_set *sources = NULL, *all = engine_sources(engine);
    const struct source *named = source_by_key(all, request->parameters[0]);
    struct buffer body, records;
    uint32_t count = 0;
    source.number = named != NULL ? named->number : 0;
    keys_hash(request->server->keys, STR("write_key"), STR("hook"), source.write_key_hash);
    source_set_release(&all);
    buffer_init(&body, BODY_BYTES_MAX);
    buffer_init(&records, BODY_BYTES_MAX);
    buffer_append_str(&body, STR("{\"writeKey\":\"hook\",\"batch\":["));
    err error = write_events(request, events, &body, problem);
    buffer_append_str(&body, STR("]}"));
    struct collect_request collected = { .method = STR("POST"),
                                         .path = STR("/v1/batch"),
                                         .authorization = STR("Basic aG9vazo="),
                                         .content_type = STR("application/json"),
                                         .body = buffer_str(&body),
                                         .received_ms = server_now_ms(request->server) };
    if (error == ERR_OK)
        error = source_set_new(&sources, &source, 1);
    if (error == ERR_OK)
        error =
            collect_worker_new(&worker, request->server->keys, &request->server->config.collect);
    if (error == ERR_OK) {
        collect_decode(worker, sources, &collected, &records, &count, &answer);
        if (answer.status != 200)
            error = problem_set(problem, ERR_UNPROCESSABLE,
                                "the callback's events are refused (%d): " STR_FMT, answer.status,
                                STR_ARG(answer.body));
    }
    if (error == ERR_OK && count > 0)
        error = engine_append_records(engine, buffer_str(&records), count);
    collect_worker_free(&worker);
    source_set_release(&sources);
    buffer_deinit(&records);
    buffer_deinit(&body);
    return error;
}

static void write_headers(const struct request *request, struct buffer *out)
{
#define X(member, name)                                  \
    if (request->headers.member.size > 0) {              \
        buffer_printf(out, "%s: ", name);                \
        buffer_append_str(out, request->headers.member); \
        buffer_append_byte(out, '\n');                   \
    }
    REQUEST_HEADERS(X)
#undef X
}

/* Both wait for the sync: the provider is answered when nothing of it can be lost. */
err route_hook(struct request *request, struct problem *problem)
{
    struct channels *channels = engine_channels(request->server->engine);
    struct channel_decoded decoded = { .reply_type = NULL };
    struct buffer headers;
    if (channels == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "nothing is sent by this server");
    buffer_init(&headers, 65536);
    buffer_init(&decoded.receipts, BODY_BYTES_MAX);
    buffer_init(&decoded.events, BODY_BYTES_MAX);
    buffer_init(&decoded.reply, BODY_BYTES_MAX);
    write_headers(request, &headers);
    struct channel_callback callback = { .account = request->parameters[0],
                                         .method = str_from_c(method_text(request->method)),
                                         .query = request->query,
                                         .content_type = request->headers.content_type,
                                         .body = buffer_str(&request->body),
                                         .headers = buffer_str(&headers),
                                         .now_ms = server_now_ms(request->server) };
    err error = channel_callback(channels, &callback, &decoded, problem);
    if (error == ERR_OK && decoded.events.size > 2)
        error = take_events(request, buffer_str(&decoded.events), problem);
    if (error == ERR_OK && decoded.receipts.size > 2)
        act_await_answers(request->server->engine, request->parameters[0],
                          buffer_str(&decoded.receipts));
    if (error == ERR_OK && decoded.receipts.size > 2)
        error = engine_touch_receipts(request->server->engine, request->parameters[0],
                                      buffer_str(&decoded.receipts), problem);
    if (error == ERR_OK) {
        buffer_append_str(&request->out, buffer_str(&decoded.reply));
        request->content_type = decoded.reply_type != NULL ? decoded.reply_type : "text/plain";
    }
    buffer_deinit(&headers);
    buffer_deinit(&decoded.receipts);
    buffer_deinit(&decoded.events);
    buffer_deinit(&decoded.reply);
    return error;
}
