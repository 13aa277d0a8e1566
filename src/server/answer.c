/* SPDX-License-Identifier: Apache-2.0 */
/* Problems, lists, cursors, commands: what handlers have in common. */
#include "server/answer.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "server/answers.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 500
#define RETRY_AFTER_S 1
#define RETRY_AFTER_FULL_S 5
#define COMMAND_BYTES_MAX (1024 * 1024)

int64_t server_now_ms(const struct server *server)
{
    return wall_clock_now_ms(server->config.clock);
}

/* Commits are gathered for some milliseconds; a reader who waits hurries them. */
#define COMMIT_WAIT_MS 500

struct ledger *server_ledger(struct server *server)
{
    err behind = engine_settle(server->engine, false, COMMIT_WAIT_MS);
    (void)behind;
    return engine_ledger(server->engine);
}

int64_t server_as_of_ms(struct server *server)
{
    struct engine_status status;
    engine_status(server->engine, &status);
    bool is_current = status.applied_seq >= status.log_last_seq && !engine_follows(server->engine);
    return is_current ? server_now_ms(server) : status.as_of_ms;
}

/* ---- problems ---- */

void reply_problem(struct request *request, err error, const struct problem *problem)
{
    struct json_writer writer;
    const char *detail = problem->detail[0] != '\0' ? problem->detail : err_title(error);
    buffer_clear(&request->out);
    request->static_body = STR_NONE;
    stream_free(&request->stream);
    request->status = err_http_status(error);
    request->content_type = "application/problem+json";
    request->cache_control = NULL;
    if (request->retry_after_s == 0 && (request->status == 429 || request->status == 503))
        request->retry_after_s = RETRY_AFTER_S;
    if (request->retry_after_s == 0 && request->status == 507)
        request->retry_after_s = RETRY_AFTER_FULL_S;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("type"));
    char type[80];
    snprintf(type, sizeof(type), "urn:kith:problem:%s", err_code(error));
    json_put_text(&writer, str_from_c(type));
    json_member_text(&writer, STR("title"), str_from_c(err_title(error)));
    json_member_int(&writer, STR("status"), request->status);
    json_member_text(&writer, STR("detail"), str_from_c(detail));
    json_member_text(&writer, STR("code"), str_from_c(err_code(error)));
    if (problem->pointer[0] != '\0') {
        json_put_key(&writer, STR("errors"));
        json_begin_array(&writer);
        json_begin_object(&writer);
        json_member_text(&writer, STR("pointer"), str_from_c(problem->pointer));
        json_member_text(&writer, STR("detail"), str_from_c(detail));
        json_end_object(&writer);
        json_end_array(&writer);
    }
    if (problem->hint[0] != '\0')
        json_member_text(&writer, STR("hint"), str_from_c(problem->hint));
    if (request->has_progress) {
        json_put_key(&writer, STR("progress"));
        json_put_double(&writer, request->progress);
    }
    json_end_object(&writer);
}

/* ---- members ---- */

void member_text_or_null(struct json_writer *writer, str key, str text)
{
    json_put_key(writer, key);
    if (text.size > 0)
        json_put_text(writer, text);
    else
        json_put_null(writer);
}

void member_time_or_null(struct json_writer *writer, str key, int64_t time_ms)
{
    json_put_key(writer, key);
    if (time_ms != 0)
        json_put_time(writer, time_ms);
    else
        json_put_null(writer);
}

str answer_one_id(struct request *request, uint32_t number)
{
    char text[ONE_ID_BYTES + 1];
    str out = STR_NONE;
    if (number == 0)
        return STR_NONE;
    keys_one_id(request->server->keys, number, text);
    if (arena_dup(&request->arena, str_from_c(text), &out) != ERR_OK)
        return STR_NONE;
    return out;
}

void member_one_id(struct request *request, struct json_writer *writer, str key, uint32_t number)
{
    member_text_or_null(writer, key, answer_one_id(request, number));
}

str answer_source_key(struct request *request, uint32_t number)
{
    struct source_set *sources = engine_sources(request->server->engine);
    const struct source *source = source_by_number(sources, number);
    str key = STR_NONE;
    err error = ERR_OK;
    if (source != NULL)
        error = arena_dup(&request->arena, source->key, &key);
    else if (event_source_is_import(number)) /* what a job brought has its number */
        error =
            arena_printf(&request->arena, &key, "import:%u", number - EVENT_SOURCE_IMPORT_FIRST);
    if (error != ERR_OK)
        key = STR_NONE;
    source_set_release(&sources);
    return key;
}

str answer_login(struct request *request, uint32_t number)
{
    if (number == 0)
        return STR("system");
    const struct user *user =
        request->actor.set != NULL ? access_user_by_number(request->actor.set, number) : NULL;
    return user != NULL ? user->login : STR_NONE;
}

/* ---- lists ---- */

void answer_list_begin(struct request *request, struct json_writer *writer)
{
    json_writer_init(writer, &request->out);
    json_begin_object(writer);
    json_put_key(writer, STR("items"));
    json_begin_array(writer);
}

void answer_list_end(struct request *request, struct json_writer *writer, str next_cursor)
{
    json_end_array(writer);
    member_text_or_null(writer, STR("next_cursor"), next_cursor);
    json_member_time(writer, STR("as_of"), server_as_of_ms(request->server));
}

err answer_limit(struct request *request, size_t *limit, struct problem *problem)
{
    str text = request_query(request, STR("limit"));
    int64_t number = LIMIT_DEFAULT;
    if (text.size > 0 && (!str_to_int64(text, &number) || number < 1 || number > LIMIT_MAX)) {
        problem_set(problem, ERR_INVALID, "limit '%.*s' is not a number from 1 to %d",
                    (int)str_utf8_prefix_bytes(text, 20), text.data, LIMIT_MAX);
        return problem_at(problem, ERR_INVALID, "limit");
    }
    *limit = (size_t)number;
    return ERR_OK;
}

/* ---- cursors: version, kind, numbers (hidden), keyed check ---- */

#define CURSOR_VERSION 2
#define CURSOR_CHECK_BYTES 6
#define CURSOR_BYTES (2 + CURSOR_NUMBERS_MAX * 8 + CURSOR_CHECK_BYTES)
#define CURSOR_VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

static void cursor_check(const struct keys *keys, const uint8_t *bytes, size_t size,
                         uint8_t check[CURSOR_CHECK_BYTES])
{
    uint8_t hash[SEAL_HASH_BYTES];
    keys_hash(keys, STR("cursor"), str_from_bytes(bytes, size), hash);
    memcpy(check, hash, CURSOR_CHECK_BYTES);
}

/* The numbers of rows tell how many there are: they are hidden by a stream that is a function of their check (a synthetic
 * initialisation vector, RFC 5297). The same twice gives the numbers back. */
static void cursor_hide(const struct keys *keys, const uint8_t check[CURSOR_CHECK_BYTES],
                        uint8_t *numbers, size_t size)
{
    uint8_t seed[CURSOR_CHECK_BYTES + 1], stream[SEAL_HASH_BYTES];
    memcpy(seed, check, CURSOR_CHECK_BYTES);
    for (size_t i = 0; i < size; i++) {
        if (i % SEAL_HASH_BYTES == 0) {
            seed[CURSOR_CHECK_BYTES] = (uint8_t)(i / SEAL_HASH_BYTES);
            keys_hash(keys, STR("cursor stream"), str_from_bytes(seed, sizeof seed), stream);
        }
        numbers[i] ^= stream[i % SEAL_HASH_BYTES];
    }
}

str cursor_encode(struct request *request, char kind, const int64_t *numbers, size_t count)
{
    uint8_t bytes[CURSOR_BYTES] = { CURSOR_VERSION, (uint8_t)kind };
    char text[CURSOR_BYTES * 2];
    size_t size = 2;
    str out = STR_NONE;
    INVARIANT(count <= CURSOR_NUMBERS_MAX);
    for (size_t i = 0; i < count; i++, size += 8)
        memcpy(bytes + size, &numbers[i], 8);
    cursor_check(request->server->keys, bytes, size, bytes + size);
    cursor_hide(request->server->keys, bytes + size, bytes + 2, size - 2);
    sodium_bin2base64(text, sizeof(text), bytes, size + CURSOR_CHECK_BYTES, CURSOR_VARIANT);
    if (arena_dup(&request->arena, str_from_c(text), &out) != ERR_OK)
        return STR_NONE;
    return out;
}

bool cursor_parse(const struct keys *keys, str text, char kind, int64_t *numbers, size_t count)
{
    uint8_t bytes[CURSOR_BYTES], check[CURSOR_CHECK_BYTES];
    size_t size = 0, wanted = 2 + count * 8;
    INVARIANT(count <= CURSOR_NUMBERS_MAX);
    if (sodium_base642bin(bytes, sizeof(bytes), text.data, text.size, NULL, &size, NULL,
                          CURSOR_VARIANT) != 0 ||
        size != wanted + CURSOR_CHECK_BYTES || bytes[0] != CURSOR_VERSION ||
        bytes[1] != (uint8_t)kind)
        return false;
    cursor_hide(keys, bytes + wanted, bytes + 2, wanted - 2);
    cursor_check(keys, bytes, wanted, check);
    if (sodium_memcmp(check, bytes + wanted, CURSOR_CHECK_BYTES) != 0)
        return false;
    memcpy(numbers, bytes + 2, count * 8);
    return true;
}

err cursor_decode(struct request *request, char kind, int64_t *numbers, size_t count, bool *present,
                  struct problem *problem)
{
    str text = request_query(request, STR("cursor"));
    *present = text.size > 0;
    if (!*present || cursor_parse(request->server->keys, text, kind, numbers, count))
        return ERR_OK;
    problem_set(problem, ERR_INVALID, "the cursor is not one that this list gave out");
    problem_at(problem, ERR_INVALID, "cursor");
    return problem_hint(problem, ERR_INVALID, "begin again without a cursor");
}

/* ---- hex and secrets ---- */

void hex_encode(const uint8_t *bytes, size_t size, char *out)
{
    sodium_bin2hex(out, 2 * size + 1, bytes, size);
}

bool hex_decode(str text, uint8_t *bytes, size_t size)
{
    size_t decoded;
    return sodium_hex2bin(bytes, size, text.data, text.size, NULL, &decoded, NULL) == 0 &&
           decoded == size && text.size == 2 * size;
}

/* Who, and with which key: so that two users' keys never meet. */
static void idempotency_key(struct request *request, uint8_t key[16])
{
    struct buffer text;
    buffer_init(&text, 4096);
    write_u32(&text, request->actor.user_number);
    write_text(&text, request->headers.idempotency_key);
    keys_hash(request->server->keys, STR("idempotency"), buffer_str(&text), key);
    buffer_deinit(&text);
}

static void request_hash(struct request *request, uint8_t hash[16])
{
    struct buffer text;
    buffer_init(&text, request->body.size + URI_BYTES_MAX + 64);
    write_u8(&text, (uint8_t)request->method);
    write_text(&text, request->path);
    write_text(&text, request->query);
    write_text(&text, buffer_str(&request->body));
    keys_hash(request->server->keys, STR("request"), buffer_str(&text), hash);
    buffer_deinit(&text);
}

static bool is_repeatable(const struct request *request)
{
    /* A session is never begun twice with one answer: its cookie is not kept. */
    return request->headers.idempotency_key.size > 0 && request->method != METHOD_GET &&
           request->method != METHOD_HEAD && request->actor.is_known;
}

bool answer_again(struct request *request)
{
    uint8_t key[16], hash[16];
    if (!is_repeatable(request))
        return false;
    idempotency_key(request, key);
    request_hash(request, hash);
    switch (answers_find(request->server->answers, key, hash, server_now_ms(request->server),
                         &request->status, &request->out)) {
    case ANSWERS_NEW:
        return false;
    case ANSWERS_SAME:
        return true;
    case ANSWERS_OTHER:
        break;
    }
    struct problem problem = { .error = ERR_OK };
    problem_set(&problem, ERR_IDEMPOTENCY, "this Idempotency-Key came with another request before");
    problem_hint(&problem, ERR_IDEMPOTENCY, "use a new key for each new request");
    reply_problem(request, ERR_IDEMPOTENCY, &problem);
    return true;
}

void answer_keep(struct request *request)
{
    uint8_t key[16], hash[16];
    if (!is_repeatable(request) || request->status >= 300)
        return;
    idempotency_key(request, key);
    request_hash(request, hash);
    answers_keep(request->server->answers, key, hash, server_now_ms(request->server),
                 request->status, buffer_str(&request->out));
}

void answer_secret(struct request *request, const char *purpose, char out[33])
{
    uint8_t secret[16];
    if (request->headers.idempotency_key.size == 0) {
        randombytes_buf(secret, sizeof(secret));
    } else {
        /* Unguessable without the folder's key, and the same when the request comes again. */
        struct buffer text;
        buffer_init(&text, 4096);
        idempotency_key(request, secret);
        write_text(&text, str_from_bytes(secret, sizeof(secret)));
        write_text(&text, request->path);
        write_text(&text, buffer_str(&request->body));
        keys_hash(request->server->keys, str_from_c(purpose), buffer_str(&text), secret);
        buffer_deinit(&text);
    }
    hex_encode(secret, sizeof(secret), out);
}

/* ---- commands ---- */

void command_body_begin(struct command_body *body)
{
    buffer_init(&body->bytes, COMMAND_BYTES_MAX);
    json_writer_init(&body->writer, &body->bytes);
    json_begin_object(&body->writer);
}

str command_body_end(struct command_body *body)
{
    json_end_object(&body->writer);
    return buffer_str(&body->bytes);
}

void command_body_deinit(struct command_body *body)
{
    buffer_deinit(&body->bytes);
}

void command_body_copy(struct command_body *body, struct request *request, const char *member)
{
    json_value value = json_get(request->json, str_from_c(member));
    if (json_kind(value) == JSON_MISSING)
        return;
    json_put_key(&body->writer, str_from_c(member));
    struct buffer text;
    buffer_init(&text, COMMAND_BYTES_MAX);
    json_write_value(&text, value);
    json_put_raw(&body->writer, buffer_str(&text));
    if (buffer_status(&text) != ERR_OK)
        body->bytes.failed = true;
    buffer_deinit(&text);
}

static err code_to_error(str code)
{
    for (int error = 0; error < ERR_COUNT; error++)
        if (str_equal(code, str_from_c(err_code((err)error))))
            return (err)error;
    return ERR_INTERNAL;
}

/* The engine's refusal, {code, detail, pointer, hint}, as a problem. */
static err read_refusal(struct request *request, str response, int status, struct problem *problem)
{
    json_value root;
    if (json_parse(request->scratch, response, &root, NULL) != ERR_OK)
        return problem_set(problem, ERR_INTERNAL, "the command was refused with status %d", status);
    err error = code_to_error(json_text(json_get(root, STR("code"))));
    str detail = json_text(json_get(root, STR("detail")));
    str pointer = json_text(json_get(root, STR("pointer")));
    str hint = json_text(json_get(root, STR("hint")));
    problem_set(problem, error, STR_FMT, STR_ARG(detail));
    if (pointer.size > 0)
        problem_at(problem, error, STR_FMT, STR_ARG(pointer));
    if (hint.size > 0)
        problem_hint(problem, error, STR_FMT, STR_ARG(hint));
    return error;
}

err answer_command(struct request *request, const char *operation, str body, str *response,
                   struct problem *problem)
{
    struct engine_command command = { .operation = str_from_c(operation),
                                      .body = body,
                                      .user_number = request->actor.user_number,
                                      .address = request->client_address };
    struct buffer answer;
    int status = 0;
    str key = request->headers.idempotency_key;
    if (key.size > 255)
        return problem_set(problem, ERR_INVALID, "an Idempotency-Key has at most 255 bytes");
    if (key.size > 0 && request->method != METHOD_GET) {
        command.has_idempotency_key = true;
        idempotency_key(request, command.idempotency_key);
        request_hash(request, command.request_hash);
    }
    buffer_init(&answer, COMMAND_BYTES_MAX);
    err error = engine_command(request->server->engine, &command, &status, &answer, problem);
    if (error == ERR_OK && status >= 400)
        error = read_refusal(request, buffer_str(&answer), status, problem);
    else if (error == ERR_OK)
        error = arena_dup(&request->arena, buffer_str(&answer), response);
    buffer_deinit(&answer);
    if (str_starts_with(command.operation, STR("user.")) ||
        str_starts_with(command.operation, STR("role.")) ||
        str_starts_with(command.operation, STR("token.")))
        auth_changed(request->server);
    return error;
}
