/* SPDX-License-Identifier: Apache-2.0 */
/* The room `channel` on standard input and output, a JSON object a line, for tests in Node against servers of theirs.
 *
 *   {"id":1,"do":"put","key":"k","kind":"webhook","settings":{…}}      {"id":1,"ok":true} or {"id":1,"error":"…","detail":"…"}
 *   {"id":2,"do":"send","messages":[{touch,key,account,form,recipient,content,expires_ms,is_repeat,is_decided,order,tries}]}
 *   {"id":3,"do":"test|operate|callback|reply|health|room|delete|follow|kinds|codes|reasons|now|pass|stop", …}
 *   {"result":{…}} for each `done`, {"receipts":[…],"account":"k"} for what was asked for later
 *
 * Arguments: --sandbox URL, --now MS (the clock stands still), --seed N. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "channel/channel.h"

#define LINE_BYTES_MAX ((size_t)16 << 20)

static pthread_mutex_t out_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int64_t fixed_now_ms, skipped_by_ms;
static struct channels *channels;

static int64_t now_ms(void *context)
{
    int64_t fixed = fixed_now_ms;
    struct wall_clock clock;
    (void)context;
    wall_clock_init_real(&clock);
    return fixed != 0 ? fixed : wall_clock_now_ms(&clock);
}

static int64_t skipped_ms(void *context)
{
    (void)context;
    return skipped_by_ms;
}

static void say(struct buffer *line)
{
    buffer_append_byte(line, '\n');
    pthread_mutex_lock(&out_mutex);
    fwrite(line->data, 1, line->size, stdout);
    fflush(stdout);
    pthread_mutex_unlock(&out_mutex);
    buffer_deinit(line);
}

static void on_done(void *context, const struct channel_result *result)
{
    static const char *const OUTCOMES[] = { "sent", "delivered", "refused", "later", "uncertain" };
    struct json_writer writer;
    struct buffer line;
    (void)context;
    buffer_init(&line, LINE_BYTES_MAX);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_put_key(&writer, STR("result"));
    json_begin_object(&writer);
    json_member_int(&writer, STR("touch"), (int64_t)result->touch);
    json_member_text(&writer, STR("outcome"), str_from_c(OUTCOMES[result->outcome]));
    json_member_text(&writer, STR("provider_id"), result->provider_id);
    json_member_text(&writer, STR("code"), result->code);
    json_member_text(&writer, STR("reason"), result->reason);
    json_member_text(&writer, STR("detail"), result->detail);
    json_member_text(&writer, STR("response"), result->response);
    json_member_int(&writer, STR("retry_ms"), result->retry_ms);
    json_member_int(&writer, STR("at_ms"), result->at_ms);
    json_end_object(&writer);
    json_end_object(&writer);
    say(&line);
}

static void on_receipts(void *context, str account, str receipts)
{
    struct json_writer writer;
    struct buffer line;
    (void)context;
    buffer_init(&line, LINE_BYTES_MAX);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_member_text(&writer, STR("account"), account);
    json_member_raw(&writer, STR("receipts"), receipts);
    json_end_object(&writer);
    say(&line);
}

/* ---- commands ---- */

static str text_of(json_value command, const char *name)
{
    return json_text(json_get(command, str_from_c(name)));
}

static err do_put(json_value command, struct problem *problem)
{
    enum channel_kind kind;
    if (!channel_kind_find(text_of(command, "kind"), &kind))
        return problem_set(problem, ERR_INVALID, "no such kind");
    return channels_put_account(channels, text_of(command, "key"), kind,
                                json_get(command, STR("settings")), problem);
}

static err send_one(json_value item, struct problem *problem)
{
    struct channel_message message = { .touch =
                                           (uint64_t)json_int(json_get(item, STR("touch")), 0) };
    struct buffer content;
    size_t taken;
    str key = text_of(item, "key");
    json_value value = json_get(item, STR("content"));
    buffer_init(&content, LINE_BYTES_MAX);
    if (json_kind(value) == JSON_TEXT)
        buffer_append_str(&content, json_text(value));
    else if (json_kind(value) != JSON_MISSING)
        json_write_value(&content, value);
    snprintf(message.key, sizeof message.key, STR_FMT, STR_ARG(key));
    message.account = text_of(item, "account");
    message.form = text_of(item, "form");
    message.recipient = text_of(item, "recipient");
    message.content = buffer_str(&content);
    message.expires_ms = json_int(json_get(item, STR("expires_ms")), 0);
    message.is_repeat = json_bool(json_get(item, STR("is_repeat")), false);
    message.is_decided = json_bool(json_get(item, STR("is_decided")), false);
    message.order = (uint64_t)json_int(json_get(item, STR("order")), 0);
    message.tries = (uint32_t)json_int(json_get(item, STR("tries")), 0);
    err error = channels_send(channels, &message, 1, &taken, problem);
    buffer_deinit(&content);
    return error;
}

static err do_send(json_value command, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(json_get(command, STR("messages")));
    json_value item;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &item))
        error = send_one(item, problem);
    return error;
}

static err do_callback(json_value command, struct json_writer *writer, struct problem *problem)
{
    struct channel_callback callback = { .account = text_of(command, "account"),
                                         .method = text_of(command, "method"),
                                         .query = text_of(command, "query"),
                                         .content_type = text_of(command, "content_type"),
                                         .body = text_of(command, "body"),
                                         .headers = text_of(command, "headers"),
                                         .now_ms = now_ms(NULL) };
    struct channel_decoded decoded = { .reply_type = NULL };
    buffer_init(&decoded.receipts, LINE_BYTES_MAX);
    buffer_init(&decoded.events, LINE_BYTES_MAX);
    buffer_init(&decoded.reply, LINE_BYTES_MAX);
    err error = channel_callback(channels, &callback, &decoded, problem);
    if (error == ERR_OK) {
        json_member_raw(writer, STR("receipts"), buffer_str(&decoded.receipts));
        json_member_raw(writer, STR("events"), buffer_str(&decoded.events));
        json_member_text(writer, STR("reply"), buffer_str(&decoded.reply));
        json_member_text(writer, STR("reply_type"), str_from_c(decoded.reply_type));
    }
    buffer_deinit(&decoded.receipts);
    buffer_deinit(&decoded.events);
    buffer_deinit(&decoded.reply);
    return error;
}

static err do_blocking(json_value command, struct json_writer *writer, struct problem *problem)
{
    struct buffer answer;
    buffer_init(&answer, LINE_BYTES_MAX);
    str operation = text_of(command, "operation"), account = text_of(command, "account");
    err error = operation.size > 0
                    ? channels_operate(channels, account, operation,
                                       json_get(command, STR("arguments")), &answer, problem)
                    : channels_test_account(channels, account, &answer, problem);
    if (error == ERR_OK)
        json_member_raw(writer, STR("answer"), answer.size > 0 ? buffer_str(&answer) : STR("null"));
    buffer_deinit(&answer);
    return error;
}

static err do_reply(json_value command, struct json_writer *writer, struct problem *problem)
{
    struct buffer reply;
    buffer_init(&reply, LINE_BYTES_MAX);
    err error = channel_write_reply(channels, text_of(command, "account"),
                                    text_of(command, "message"), &reply, problem);
    if (error == ERR_OK)
        json_member_text(writer, STR("reply"), buffer_str(&reply));
    buffer_deinit(&reply);
    return error;
}

static void do_health(struct json_writer *writer)
{
    struct channel_health health[64];
    size_t count = channels_health(channels, health, 64);
    json_put_key(writer, STR("health"));
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("key"), str_from_c(health[i].key));
        json_member_bool(writer, STR("is_open"), health[i].is_open);
        json_member_int(writer, STR("queued"), (int64_t)health[i].queued);
        json_member_int(writer, STR("sent"), (int64_t)health[i].sent);
        json_member_int(writer, STR("refused"), (int64_t)health[i].refused);
        json_member_int(writer, STR("uncertain"), (int64_t)health[i].uncertain);
        json_member_int(writer, STR("repeated"), (int64_t)health[i].repeated);
        json_member_text(writer, STR("failing"), str_from_c(health[i].failing));
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void do_list(struct json_writer *writer, void (*write)(struct buffer *out))
{
    struct buffer list;
    buffer_init(&list, LINE_BYTES_MAX);
    write(&list);
    json_member_raw(writer, STR("list"), buffer_str(&list));
    buffer_deinit(&list);
}

static err run(json_value command, struct json_writer *writer, struct problem *problem)
{
    str what = text_of(command, "do");
    if (str_equal(what, STR("put")))
        return do_put(command, problem);
    if (str_equal(what, STR("send")))
        return do_send(command, problem);
    if (str_equal(what, STR("callback")))
        return do_callback(command, writer, problem);
    if (str_equal(what, STR("test")) || str_equal(what, STR("operate")))
        return do_blocking(command, writer, problem);
    if (str_equal(what, STR("reply")))
        return do_reply(command, writer, problem);
    if (str_equal(what, STR("health")))
        do_health(writer);
    else if (str_equal(what, STR("room")))
        json_member_int(writer, STR("room"),
                        (int64_t)channels_room(channels, text_of(command, "account")));
    else if (str_equal(what, STR("delete")))
        channels_delete_account(channels, text_of(command, "account"));
    else if (str_equal(what, STR("follow")))
        channels_follow(channels, text_of(command, "account"), text_of(command, "provider_id"));
    else if (str_equal(what, STR("kinds")))
        do_list(writer, channel_write_kinds);
    else if (str_equal(what, STR("codes")))
        do_list(writer, channel_write_codes);
    else if (str_equal(what, STR("reasons")))
        do_list(writer, channel_write_reasons);
    else if (str_equal(what, STR("now")))
        fixed_now_ms = json_int(json_get(command, STR("ms")), 0);
    else if (str_equal(what, STR("pass"))) {
        skipped_by_ms += json_int(json_get(command, STR("ms")), 0);
        channels_time_passed(channels);
    } else if (str_equal(what, STR("stop")))
        channels_free(&channels, json_int(json_get(command, STR("timeout_ms")), 0));
    else
        return problem_set(problem, ERR_INVALID, "unknown command");
    return ERR_OK;
}

static void answer(json_value command)
{
    struct problem problem = { .error = ERR_OK };
    struct json_writer writer;
    struct buffer line;
    buffer_init(&line, LINE_BYTES_MAX);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_member_int(&writer, STR("id"), json_int(json_get(command, STR("id")), 0));
    err error = run(command, &writer, &problem);
    if (error == ERR_OK) {
        json_member_bool(&writer, STR("ok"), true);
    } else {
        json_member_text(&writer, STR("error"), str_from_c(err_code(error)));
        json_member_text(&writer, STR("detail"), str_from_c(problem.detail));
        json_member_text(&writer, STR("pointer"), str_from_c(problem.pointer));
    }
    json_end_object(&writer);
    say(&line);
}

int main(int argc, char **argv)
{
    struct channels_config config = { .now_ms = now_ms,
                                      .skipped_ms = skipped_ms,
                                      .done = on_done,
                                      .receipts = on_receipts,
                                      .seed = 1 };
    struct problem problem;
    struct json_parser *parser;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    for (int i = 1; i + 1 < argc; i += 2) {
        int64_t number = 0;
        if (strcmp(argv[i], "--sandbox") == 0)
            config.sandbox_url = str_from_c(argv[i + 1]);
        else if (strcmp(argv[i], "--now") == 0 && str_to_int64(str_from_c(argv[i + 1]), &number))
            fixed_now_ms = number;
        else if (strcmp(argv[i], "--seed") == 0 && str_to_int64(str_from_c(argv[i + 1]), &number))
            config.seed = (uint64_t)number;
    }
    if (channels_new(&channels, &config, &problem) != ERR_OK ||
        json_parser_new(&parser, LINE_BYTES_MAX) != ERR_OK) {
        fprintf(stderr, "channel_drive: %s\n", problem.detail);
        return 1;
    }
    while (channels != NULL && (size = getline(&line, &capacity, stdin)) > 0) {
        json_value command;
        if (json_parse(parser, str_trim((str){ .data = line, .size = (size_t)size }), &command,
                       &problem) != ERR_OK) {
            fprintf(stderr, "channel_drive: %s\n", problem.detail);
            return 1;
        }
        answer(command);
    }
    channels_free(&channels, 0);
    json_parser_free(&parser);
    free(line);
    return 0;
}
