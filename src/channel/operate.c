/* SPDX-License-Identifier: Apache-2.0 */
/* operate: what is no message (tags, contact ways, contacts, QR scenes, media), and trying an account. Blocks the caller; the
 * loop does the exchanges. Arguments go as the interface wants them; pages are read on until the end. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"

#define PAGES_MAX 2000
#define ANSWERS_BYTES_MAX ((size_t)64 << 20)
#define FILE_BYTES_MAX ((size_t)20 << 20)

err channels_test_account(struct channels *channels, str key, struct buffer *answer,
                          struct problem *problem)
{
    struct account *account = account_hold(channels, key);
    if (account == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "no account '" STR_FMT "'", STR_ARG(key));
    err error = account->provider->test(channels, account, answer, problem);
    account_release(channels, account);
    return error;
}

/* ---- the answer of a call ---- */

static err error_of_rule(const struct code_rule *rule)
{
    if (rule == NULL || rule->outcome == CHANNEL_REFUSED || (rule->flags & CODE_ACCOUNT) != 0)
        return ERR_UNPROCESSABLE;
    return (rule->flags & CODE_PAUSE) != 0 ? ERR_BUSY : ERR_UNAVAILABLE;
}

err errcode_of_call(const struct call *call, struct json_parser *parser, json_value *root,
                    struct problem *problem)
{
    char code[CODE_BYTES];
    if (call->answer.status != 200)
        return problem_set(problem, ERR_UNAVAILABLE, "the provider answered with status %ld",
                           call->answer.status);
    if (json_parse(parser, buffer_str(&call->answer.body), root, NULL) != ERR_OK)
        return problem_set(problem, ERR_UNAVAILABLE,
                           "the provider answered with something that cannot be read");
    int64_t errcode = json_int(json_get(*root, STR("errcode")), 0);
    if (errcode == 0)
        return ERR_OK;
    snprintf(code, sizeof code, "%" PRId64, errcode);
    const struct code_rule *rule = code_find(call->account->provider->codes, str_from_c(code));
    return problem_set(problem, error_of_rule(rule), "the provider refused: %s (code %s)",
                       rule != NULL ? rule->en : "see its documentation", code);
}

/* ---- pages ---- */

static bool is_noise(str name)
{
    return str_equal(name, STR("errcode")) || str_equal(name, STR("errmsg")) ||
           str_equal(name, STR("next_cursor"));
}

/* Everything of the first page but its list and what belongs to the wire. */
static void write_head(struct json_writer *writer, json_value root, str list)
{
    struct json_iterator iterator = json_iterate(root);
    str name;
    json_value value;
    while (json_next(&iterator, &name, &value)) {
        if (is_noise(name) || str_equal(name, list))
            continue;
        json_put_key(writer, name);
        json_put_copy(writer, value);
    }
}

static void append_items(struct buffer *items, json_value list)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item)) {
        if (items->size > 1)
            buffer_append_byte(items, ',');
        json_write_value(items, item);
    }
}

/* ---- a request from arguments ---- */

static void write_scalar(struct buffer *out, json_value value)
{
    struct buffer text;
    if (json_kind(value) == JSON_TEXT) {
        crypt_url_encode(out, json_text(value));
        return;
    }
    buffer_init(&text, 256);
    json_write_value(&text, value);
    crypt_url_encode(out, buffer_str(&text));
    buffer_deinit(&text);
}

static void write_query(struct buffer *path, json_value arguments, str cursor)
{
    struct json_iterator iterator = json_iterate(arguments);
    char before = str_find_byte(buffer_str(path), '?') < path->size ? '&' : '?';
    str name;
    json_value value;
    while (json_is_object(arguments) && json_next(&iterator, &name, &value)) {
        buffer_append_byte(path, (uint8_t)before);
        crypt_url_encode(path, name);
        buffer_append_byte(path, '=');
        write_scalar(path, value);
        before = '&';
    }
    if (cursor.size > 0) {
        buffer_printf(path, "%ccursor=", before);
        crypt_url_encode(path, cursor);
    }
}

static void write_body(struct buffer *body, json_value arguments, str cursor)
{
    struct json_iterator iterator = json_iterate(arguments);
    struct json_writer writer;
    str name;
    json_value value;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    while (json_is_object(arguments) && json_next(&iterator, &name, &value)) {
        if (cursor.size > 0 && str_equal(name, STR("cursor")))
            continue;
        json_put_key(&writer, name);
        json_put_copy(&writer, value);
    }
    if (cursor.size > 0)
        json_member_text(&writer, STR("cursor"), cursor);
    json_end_object(&writer);
}

struct reading {
    struct channels *channels;
    struct json_parser *parser;
    struct call call;
    struct buffer path, body, head, items;
    char cursor[512];
};

static err read_page(struct reading *reading, const struct operation *operation,
                     json_value arguments, json_value *root, struct problem *problem)
{
    str cursor = str_from_c(reading->cursor);
    buffer_clear(&reading->path);
    buffer_clear(&reading->body);
    buffer_append_str(&reading->path, str_from_c(operation->path));
    if (operation->is_get)
        write_query(&reading->path, arguments, cursor);
    else
        write_body(&reading->body, arguments, cursor);
    if (reading->path.failed || reading->body.failed)
        return problem_set(problem, ERR_TOO_LARGE, "the arguments are too large");
    reading->call.path = buffer_str(&reading->path);
    reading->call.body = buffer_str(&reading->body);
    reading->call.is_get = operation->is_get;
    err error = call_perform(reading->channels, &reading->call, problem);
    return error != ERR_OK ? error
                           : errcode_of_call(&reading->call, reading->parser, root, problem);
}

static err read_pages(struct reading *reading, const struct operation *operation,
                      json_value arguments, struct problem *problem)
{
    struct json_writer writer;
    str list = str_from_c(operation->list);
    json_writer_init(&writer, &reading->head);
    json_begin_object(&writer);
    buffer_append_byte(&reading->items, '[');
    for (int page = 0; page < PAGES_MAX; page++) {
        json_value root;
        err error = read_page(reading, operation, arguments, &root, problem);
        if (error != ERR_OK)
            return error;
        if (page == 0)
            write_head(&writer, root, list);
        append_items(&reading->items, json_get(root, list));
        str next = json_text(json_get(root, STR("next_cursor")));
        if (list.size == 0 || next.size == 0 || next.size >= sizeof reading->cursor)
            break;
        memcpy(reading->cursor, next.data, next.size);
        reading->cursor[next.size] = '\0';
    }
    if (list.size > 0) {
        buffer_append_byte(&reading->items, ']');
        json_member_raw(&writer, list, buffer_str(&reading->items));
    }
    json_end_object(&writer);
    return buffer_status(&reading->head) == ERR_OK && buffer_status(&reading->items) == ERR_OK
               ? ERR_OK
               : problem_set(problem, ERR_TOO_LARGE, "the answer is longer than 64 MB");
}

static void reading_deinit(struct reading *reading)
{
    call_deinit(&reading->call);
    buffer_deinit(&reading->path);
    buffer_deinit(&reading->body);
    buffer_deinit(&reading->head);
    buffer_deinit(&reading->items);
    json_parser_free(&reading->parser);
}

static err reading_init(struct reading *reading, struct channels *channels, struct account *account,
                        struct problem *problem)
{
    memset(reading, 0, sizeof *reading);
    reading->channels = channels;
    call_init(&reading->call, account);
    buffer_init(&reading->path, URL_BYTES_MAX);
    buffer_init(&reading->body, REQUEST_BYTES_MAX);
    buffer_init(&reading->head, ANSWERS_BYTES_MAX);
    buffer_init(&reading->items, ANSWERS_BYTES_MAX);
    err error = json_parser_new(&reading->parser, 2 * ANSWER_BYTES_MAX);
    return error == ERR_OK ? ERR_OK : problem_set(problem, error, "no memory for an answer");
}

err operation_run(struct channels *channels, struct account *account,
                  const struct operation *operation, json_value arguments, struct buffer *answer,
                  struct problem *problem)
{
    struct reading reading;
    err error = reading_init(&reading, channels, account, problem);
    if (error == ERR_OK)
        error = read_pages(&reading, operation, arguments, problem);
    if (error == ERR_OK)
        buffer_append_str(answer, buffer_str(&reading.head));
    reading_deinit(&reading);
    return error;
}

/* ---- a file ---- */

/* {type, name, data in base64} */
static err upload(struct channels *channels, struct account *account,
                  const struct operation *operation, json_value arguments, struct buffer *answer,
                  struct problem *problem)
{
    struct reading reading;
    struct buffer file;
    json_value root;
    str type = json_text(json_get(arguments, STR("type")));
    str name = json_text(json_get(arguments, STR("name")));
    err error = reading_init(&reading, channels, account, problem);
    buffer_init(&file, FILE_BYTES_MAX);
    if (error == ERR_OK && (!crypt_unbase64(&file, json_text(json_get(arguments, STR("data")))) ||
                            name.size == 0 || file.size == 0))
        error = problem_set(problem, ERR_UNPROCESSABLE,
                            "a file has a name, and data in base64 of 20 MB at most");
    if (error == ERR_OK) {
        buffer_append_str(&reading.path, str_from_c(operation->path));
        buffer_append_str(&reading.path, STR("?type="));
        crypt_url_encode(&reading.path, type.size > 0 ? type : STR("image"));
        reading.call.path = buffer_str(&reading.path);
        reading.call.body = buffer_str(&file);
        reading.call.file_name = name;
        error = call_perform(channels, &reading.call, problem);
    }
    if (error == ERR_OK)
        error = errcode_of_call(&reading.call, reading.parser, &root, problem);
    if (error == ERR_OK)
        json_write_value(answer, root);
    buffer_deinit(&file);
    reading_deinit(&reading);
    return error;
}

/* ---- finding it ---- */

static const struct operation *find(const struct operation *table, const struct account *account,
                                    str name)
{
    for (; table->name != NULL; table++)
        if ((table->kinds & (1U << account->kind)) != 0 && str_equal(name, str_from_c(table->name)))
            return table;
    return NULL;
}

err channels_operate(struct channels *channels, str key, str name, json_value arguments,
                     struct buffer *answer, struct problem *problem)
{
    err error;
    struct account *account = account_hold(channels, key);
    if (account == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "no account '" STR_FMT "'", STR_ARG(key));
    const struct operation *operation = find(operations_wecom, account, name);
    if (operation == NULL)
        operation = find(operations_wechat, account, name);
    if (operation == NULL)
        error = problem_set(problem, ERR_NOT_FOUND, "'%s' knows no operation '" STR_FMT "'",
                            channel_kind_info(account->kind)->text, STR_ARG(name));
    else if (str_equal(name, STR("media.upload")))
        error = upload(channels, account, operation, arguments, answer, problem);
    else
        error = operation_run(channels, account, operation, arguments, answer, problem);
    account_release(channels, account);
    return error;
}
