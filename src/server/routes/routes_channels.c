/* SPDX-License-Identifier: Apache-2.0 */
/* Sending accounts: secrets go in and are never shown again. */
#include <string.h>

#include "server/answer.h"
#include "server/sending.h"
#include "server/view.h"

static bool is_secret_of(json_value kinds, str kind, str name)
{
    struct json_iterator iterator = json_iterate(kinds), settings;
    json_value item, setting;
    while (json_next(&iterator, NULL, &item)) {
        if (!str_equal(json_text(json_get(item, STR("kind"))), kind))
            continue;
        settings = json_iterate(json_get(item, STR("settings")));
        while (json_next(&settings, NULL, &setting))
            if (str_equal(json_text(json_get(setting, STR("name"))), name))
                return json_bool(json_get(setting, STR("secret")), false);
    }
    /* What no kind has is not shown either if it is called so. */
    return str_ends_with(name, STR("secret")) || str_ends_with(name, STR("password")) ||
           str_ends_with(name, STR("token"));
}

/* Settings as they may be shown: of a sealed one only that it is there. */
static void write_shown(struct json_writer *writer, json_value settings)
{
    struct json_iterator iterator = json_iterate(settings);
    json_value value;
    str name;
    json_begin_object(writer);
    while (json_next(&iterator, &name, &value)) {
        struct buffer text;
        if (seal_is_sealed(json_text(value))) {
            json_put_key(writer, name);
            json_begin_object(writer);
            json_member_bool(writer, STR("is_set"), true);
            json_end_object(writer);
            continue;
        }
        buffer_init(&text, SENDING_BYTES_MAX);
        json_write_value(&text, value);
        json_member_raw(writer, name, buffer_str(&text));
        buffer_deinit(&text);
    }
    json_end_object(writer);
}

static void write_health(struct request *request, struct json_writer *writer, str key)
{
    struct channels *channels = engine_channels(request->server->engine);
    struct channel_health *health = arena_array(&request->arena, struct channel_health, 1000);
    size_t count = channels != NULL && health != NULL ? channels_health(channels, health, 1000) : 0;
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(str_from_c(health[i].key), key))
            continue;
        json_put_key(writer, STR("health"));
        json_begin_object(writer);
        json_member_bool(writer, STR("is_open"), health[i].is_open);
        json_member_int(writer, STR("queued"), (int64_t)health[i].queued);
        json_member_int(writer, STR("under_way"), (int64_t)health[i].under_way);
        json_member_int(writer, STR("sent"), (int64_t)health[i].sent);
        json_member_int(writer, STR("refused"), (int64_t)health[i].refused);
        json_member_int(writer, STR("uncertain"), (int64_t)health[i].uncertain);
        json_member_text(writer, STR("failing"), str_from_c(health[i].failing));
        json_end_object(writer);
    }
}

static void write_account(struct request *request, struct json_writer *writer, json_value account)
{
    json_begin_object(writer);
    json_member_text(writer, STR("key"), json_text(json_get(account, STR("key"))));
    json_member_text(writer, STR("kind"), json_text(json_get(account, STR("kind"))));
    json_member_text(writer, STR("channel"), json_text(json_get(account, STR("channel"))));
    json_member_bool(writer, STR("stopped"), json_bool(json_get(account, STR("stopped")), false));
    json_member_int(writer, STR("queued"), json_int(json_get(account, STR("queued")), 0));
    json_put_key(writer, STR("settings"));
    write_shown(writer, json_get(account, STR("settings")));
    write_health(request, writer, json_text(json_get(account, STR("key"))));
    json_end_object(writer);
}

static json_value account_of(json_value accounts, str key)
{
    struct json_iterator iterator = json_iterate(accounts);
    json_value account;
    while (json_next(&iterator, NULL, &account))
        if (str_equal(json_text(json_get(account, STR("key"))), key))
            return account;
    return (json_value){ .document = NULL };
}

err route_channel_list(struct request *request, struct problem *problem)
{
    struct json_iterator iterator;
    struct json_writer writer;
    struct buffer text;
    json_value root, account;
    err error = sending_text(request, touch_write_accounts, &text, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&text), &root, problem);
    if (error == ERR_OK) {
        answer_list_begin(request, &writer);
        iterator = json_iterate(root);
        while (json_next(&iterator, NULL, &account))
            write_account(request, &writer, account);
        answer_list_end(request, &writer, STR_NONE);
        json_end_object(&writer);
    }
    buffer_deinit(&text);
    return error;
}

static err answer_account(struct request *request, str key, struct problem *problem)
{
    struct json_writer writer;
    struct buffer text;
    json_value root;
    err error = sending_text(request, touch_write_accounts, &text, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&text), &root, problem);
    if (error == ERR_OK && !json_is_object(account_of(root, key)))
        error = problem_set(problem, ERR_NOT_FOUND, "there is no account '%.*s'",
                            (int)str_utf8_prefix_bytes(key, 100), key.data);
    if (error == ERR_OK) {
        json_writer_init(&writer, &request->out);
        write_account(request, &writer, account_of(root, key));
    }
    buffer_deinit(&text);
    return error;
}

err route_channel_get(struct request *request, struct problem *problem)
{
    return answer_account(request, request->parameters[0], problem);
}

/* New secrets are sealed; one that is not given stays as it was. */
static err write_sealed(struct request *request, str kind, json_value kinds, json_value before,
                        struct json_writer *writer)
{
    json_value settings = json_get(request->json, STR("settings")), value;
    struct json_iterator iterator = json_iterate(settings);
    err error = ERR_OK;
    str name;
    json_begin_object(writer);
    while (error == ERR_OK && json_next(&iterator, &name, &value)) {
        struct buffer text;
        str sealed;
        if (json_kind(value) == JSON_TEXT && is_secret_of(kinds, kind, name)) {
            error = keys_seal(request->server->keys, &request->arena, json_text(value), &sealed);
            if (error == ERR_OK)
                json_member_text(writer, name, sealed);
            continue;
        }
        if (json_is_object(value) && json_bool(json_get(value, STR("is_set")), false))
            continue; /* as it was shown */
        buffer_init(&text, SENDING_BYTES_MAX);
        json_write_value(&text, value);
        json_member_raw(writer, name, buffer_str(&text));
        buffer_deinit(&text);
    }
    iterator = json_iterate(before);
    while (json_next(&iterator, &name, &value)) {
        json_value given = json_get(settings, name);
        bool stays = json_kind(given) == JSON_MISSING || json_is_object(given);
        if (stays && seal_is_sealed(json_text(value)))
            json_member_text(writer, name, json_text(value));
    }
    json_end_object(writer);
    return error;
}

static err put_account(struct request *request, str key, str kind_text, str settings,
                       struct problem *problem)
{
    struct command_body body;
    enum channel_kind kind;
    json_value parsed;
    str response;
    if (!channel_kind_find(kind_text, &kind)) {
        problem_set(problem, ERR_UNPROCESSABLE, "there is no such kind of account");
        return problem_at(problem, ERR_UNPROCESSABLE, "/kind");
    }
    err error = json_parse(request->scratch, settings, &parsed, problem);
    if (error == ERR_OK)
        error = act_put_account(request->server->engine, key, kind, parsed, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), key);
    json_member_text(&body.writer, STR("kind"), kind_text);
    json_member_raw(&body.writer, STR("settings"), settings);
    error = answer_command(request, "channel.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    engine_accounts_changed(request->server->engine);
    return error;
}

err route_channel_put(struct request *request, struct problem *problem)
{
    struct json_parser *parser = NULL;
    struct json_writer writer;
    struct buffer accounts, kinds, settings;
    json_value before = { .document = NULL }, known = { .document = NULL };
    str key = request->parameters[0], kind = json_text(json_get(request->json, STR("kind")));
    buffer_init(&kinds, SENDING_BYTES_MAX);
    buffer_init(&settings, SENDING_BYTES_MAX);
    channel_write_kinds(&kinds);
    err error = sending_text(request, touch_write_accounts, &accounts, problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, SENDING_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&kinds), &known, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&accounts), &before, problem);
    if (error == ERR_OK) {
        json_writer_init(&writer, &settings);
        error = write_sealed(request, kind, known,
                             json_get(account_of(before, key), STR("settings")), &writer);
    }
    if (error == ERR_OK)
        error = put_account(request, key, kind, buffer_str(&settings), problem);
    json_parser_free(&parser);
    buffer_deinit(&accounts);
    buffer_deinit(&kinds);
    buffer_deinit(&settings);
    return error == ERR_OK ? answer_account(request, key, problem) : error;
}

err route_channel_delete(struct request *request, struct problem *problem)
{
    err error = sending_delete(request, "channel.delete", problem);
    struct channels *channels = engine_channels(request->server->engine);
    if (error == ERR_OK && channels != NULL)
        channels_delete_account(channels, request->parameters[0]);
    return error;
}

err route_channel_test(struct request *request, struct problem *problem)
{
    struct channels *channels = engine_channels(request->server->engine);
    struct buffer answer;
    if (channels == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "nothing is sent by this server");
    buffer_init(&answer, SENDING_BYTES_MAX);
    err error = channels_test_account(channels, request->parameters[0], &answer, problem);
    if (error == ERR_OK)
        buffer_append_str(&request->out, answer.size > 0 ? buffer_str(&answer) : STR("{}"));
    buffer_deinit(&answer);
    return error;
}

err route_channel_kind_list(struct request *request, struct problem *problem)
{
    (void)problem;
    buffer_append_str(&request->out, STR("{\"items\":"));
    channel_write_kinds(&request->out);
    buffer_append_str(&request->out, STR(",\"next_cursor\":null}"));
    return ERR_OK;
}
