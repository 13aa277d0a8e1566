/* SPDX-License-Identifier: Apache-2.0 */
/* events: Segment's form, and the envelope in which WeCom and WeChat send what becomes it. */
#include "channel/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"

/* ---- Segment's form ---- */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* "ExternalUserID" → "external_user_id", "JoinScene" → "join_scene". */
static str snake_case(str name, char *out, size_t size_max)
{
    size_t size = 0;
    for (size_t i = 0; i < name.size && size + 2 < size_max; i++) {
        char c = name.data[i];
        bool starts =
            is_upper(c) && i > 0 &&
            (!is_upper(name.data[i - 1]) || (i + 1 < name.size && !is_upper(name.data[i + 1])));
        if (starts && out[size - 1] != '_')
            out[size++] = '_';
        out[size++] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
    }
    return str_from_bytes(out, size);
}

void event_id(char out[EVENT_ID_BYTES], const char *prefix, const str *parts, size_t count)
{
    struct buffer text;
    char digest[SHA1_HEX_BYTES];
    buffer_init(&text, 64 << 10);
    for (size_t i = 0; i < count; i++) {
        buffer_append_str(&text, parts[i]);
        buffer_append_byte(&text, '\n');
    }
    crypt_sha1_hex(buffer_str(&text), digest);
    snprintf(out, EVENT_ID_BYTES, "%s-%s", prefix, digest);
    buffer_deinit(&text);
}

static void put_identifiers(struct json_writer *writer, const struct event_head *head)
{
    json_put_key(writer, STR("externalIds"));
    json_begin_array(writer);
    for (size_t i = 0; i < 3 && head->identifiers[i].type != NULL; i++) {
        const struct event_identifier *identifier = &head->identifiers[i];
        if (identifier->id.size == 0)
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("type"), str_from_c(identifier->type));
        json_member_text(writer, STR("id"), identifier->id);
        json_member_text(writer, STR("collection"),
                         identifier->namespace_.size > 0 ? identifier->namespace_ : STR("users"));
        json_member_text(writer, STR("encoding"), STR("none"));
        json_end_object(writer);
    }
    json_end_array(writer);
}

void event_begin(struct json_writer *writer, const struct event_head *head)
{
    json_begin_object(writer);
    json_member_text(writer, STR("type"), STR("track"));
    json_member_text(writer, STR("event"), head->name);
    json_member_text(writer, STR("messageId"), head->message_id);
    if (head->at_s > 0)
        json_member_time(writer, STR("timestamp"), head->at_s * 1000);
    if (head->nobody.size > 0)
        json_member_text(writer, STR("anonymousId"), head->nobody);
    json_put_key(writer, STR("context"));
    json_begin_object(writer);
    if (head->nobody.size == 0)
        put_identifiers(writer, head);
    json_end_object(writer);
    json_put_key(writer, STR("properties"));
    json_begin_object(writer);
}

void event_end(struct json_writer *writer)
{
    json_end_object(writer);
    json_end_object(writer);
}

static bool is_listed(str name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (str_equal(name, str_from_c(*names)))
            return true;
    return false;
}

void event_put_fields(struct json_writer *writer, const struct fields *fields,
                      const char *const *without, const char *const (*renamed)[2])
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        char changed[128];
        str name = STR_NONE;
        bool is_deep = str_find_byte(field->path, '/') < field->path.size;
        if (is_deep || field->text.size == 0 || is_listed(field->path, without))
            continue;
        for (size_t j = 0; renamed[j][0] != NULL; j++)
            if (str_equal(field->path, str_from_c(renamed[j][0])))
                name = str_from_c(renamed[j][1]);
        if (name.size == 0)
            name = snake_case(field->path, changed, sizeof changed);
        json_member_text(writer, name, field->text);
    }
}

/* ---- the envelope ---- */

static err check_signature(const struct envelope *envelope, struct arena *arena, str query,
                           const char *name, str encrypted, struct problem *problem)
{
    char digest[SHA1_HEX_BYTES];
    envelope_sign(envelope->token, fields_query(arena, query, "timestamp"),
                  fields_query(arena, query, "nonce"), encrypted, digest);
    if (envelope->token.size > 0 &&
        crypt_equal(fields_query(arena, query, name), str_from_c(digest)))
        return ERR_OK;
    return problem_set(problem, ERR_FORBIDDEN, "the callback's signature does not fit its token");
}

/* GET: the provider makes sure that the URL is ours. */
static err answer_check(const struct envelope *envelope, const struct channel_callback *callback,
                        struct arena *arena, struct buffer *reply, struct problem *problem)
{
    str echo = fields_query(arena, callback->query, "echostr");
    bool is_sealed = fields_query(arena, callback->query, "msg_signature").size > 0;
    err error =
        check_signature(envelope, arena, callback->query, is_sealed ? "msg_signature" : "signature",
                        is_sealed ? echo : STR_NONE, problem);
    if (error != ERR_OK)
        return error;
    if (is_sealed)
        return envelope_open(envelope->aes_key, envelope->receiver, echo, reply, problem);
    buffer_append_str(reply, echo);
    return ERR_OK;
}

static err open_sealed(const struct envelope *envelope, const struct channel_callback *callback,
                       struct fields *outer, struct fields *fields, struct problem *problem)
{
    struct buffer plain;
    str encrypted = fields_get(outer, "Encrypt");
    err error = check_signature(envelope, &fields->arena, callback->query, "msg_signature",
                                encrypted, problem);
    buffer_init(&plain, (size_t)2 << 20);
    if (error == ERR_OK)
        error = envelope_open(envelope->aes_key, envelope->receiver, encrypted, &plain, problem);
    if (error == ERR_OK)
        error = fields_read(fields, buffer_str(&plain), problem);
    buffer_deinit(&plain);
    return error;
}

err envelope_receive(const struct envelope *envelope, const struct channel_callback *callback,
                     struct fields *fields, struct buffer *reply, struct problem *problem)
{
    struct fields outer;
    if (str_equal(callback->method, STR("GET")))
        return answer_check(envelope, callback, &fields->arena, reply, problem);
    fields_init(&outer);
    err error = fields_read(&outer, callback->body, problem);
    if (error == ERR_OK && fields_get(&outer, "Encrypt").size > 0) {
        error = open_sealed(envelope, callback, &outer, fields, problem);
    } else if (error == ERR_OK && envelope->aes_key.size > 0) {
        /* With a key, nothing that is not sealed is believed. */
        error = problem_set(problem, ERR_FORBIDDEN, "the callback is not encrypted, and must be");
    } else if (error == ERR_OK) {
        error = check_signature(envelope, &fields->arena, callback->query, "signature", STR_NONE,
                                problem);
        if (error == ERR_OK)
            error = fields_read(fields, callback->body, problem);
    }
    fields_deinit(&outer);
    return error;
}

err envelope_reply(const struct envelope *envelope, str message, int64_t now_s,
                   struct buffer *reply, struct problem *problem)
{
    uint8_t random[16], chance[8];
    char nonce[17], timestamp[24], digest[SHA1_HEX_BYTES];
    struct buffer sealed;
    crypt_random(random, sizeof random);
    crypt_random(chance, sizeof chance);
    crypt_hex(chance, sizeof chance, nonce);
    snprintf(timestamp, sizeof timestamp, "%" PRId64, now_s);
    buffer_init(&sealed, (size_t)4 << 20);
    err error =
        envelope_seal(envelope->aes_key, envelope->receiver, message, random, &sealed, problem);
    if (error == ERR_OK) {
        envelope_sign(envelope->token, str_from_c(timestamp), str_from_c(nonce),
                      buffer_str(&sealed), digest);
        buffer_printf(reply,
                      "<xml><Encrypt><![CDATA[" STR_FMT "]]></Encrypt>"
                      "<MsgSignature><![CDATA[%s]]></MsgSignature><TimeStamp>%s</TimeStamp>"
                      "<Nonce><![CDATA[%s]]></Nonce></xml>",
                      STR_ARG(buffer_str(&sealed)), digest, timestamp, nonce);
    }
    buffer_deinit(&sealed);
    return error;
}
