/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: where events come from. Their keys are made here, and leave as hashes. */
#include <stdio.h>
#include <string.h>

#include "server/answer.h"
#include "server/figures/figures.h"

struct created {
    struct request *request;
    uint32_t number;
    int64_t created_ms;
};

static bool visit_watermark(void *context, const struct ledger_value *values)
{
    int64_t *time_ms = context;
    *time_ms = values[1].integer;
    return false;
}

/* Up to when the source has told everything; 0 if it has not said. */
static int64_t watermark_ms(struct request *request, str key)
{
    int64_t time_ms = 0;
    struct ledger_value row = ledger_text(key);
    struct problem problem;
    if (ledger_find(engine_ledger(request->server->engine), LEDGER_WATERMARKS, &row, 1,
                    visit_watermark, &time_ms, &problem) != ERR_OK)
        return 0;
    return time_ms;
}

static bool visit_created(void *context, const struct ledger_value *values)
{
    struct created *created = context;
    created->created_ms = values[9].integer;
    return false;
}

static int64_t created_ms(struct request *request, uint32_t number)
{
    struct created created = { .request = request, .number = number };
    struct ledger_value key = ledger_int(number);
    struct problem problem;
    if (ledger_find(engine_ledger(request->server->engine), LEDGER_SOURCES, &key, 1, visit_created,
                    &created, &problem) != ERR_OK)
        return 0;
    return created.created_ms;
}

static str last_four(str text)
{
    return text.size > 8 ? str_slice(text, text.size - 4, text.size) : STR_NONE;
}

/* `write_key` is shown when given: the fresh key of a server source, once. */
static void write_source(struct request *request, struct json_writer *writer,
                         const struct source *source, str write_key)
{
    struct source_figures figures = figures_of_source(request->server, source->number);
    str shown = write_key.size > 0 ? write_key : source->write_key;
    json_begin_object(writer);
    json_member_text(writer, STR("key"), source->key);
    json_member_text(writer, STR("name"), source->name);
    json_member_text(writer, STR("kind"),
                     source->kind == SOURCE_PUBLIC ? STR("public") : STR("server"));
    json_member_text(writer, STR("protocol"), source->protocol);
    json_member_text(writer, STR("channel"), source->channel);
    json_member_bool(writer, STR("strict"), source->strict);
    json_member_bool(writer, STR("disabled"), source->disabled);
    json_member_int(writer, STR("events_per_second"), source->events_per_second);
    json_member_text(writer, STR("without_consent"),
                     str_from_c(source_without_consent_text(source->without_consent)));
    json_member_text(writer, STR("consent_category"),
                     source->consent_category[0] != '\0' ? str_from_c(source->consent_category)
                                                         : STR(CONSENT_CATEGORY_DEFAULT));
    member_text_or_null(writer, STR("write_key"), shown);
    json_member_text(writer, STR("write_key_hint"), last_four(shown));
    json_member_bool(writer, STR("signing"), source->signing_secret.size > 0);
    json_member_time(writer, STR("created_at"), created_ms(request, source->number));
    json_member_int(writer, STR("events_today"), figures.events_today);
    member_time_or_null(writer, STR("last_event_at"), figures.last_event_ms);
    member_time_or_null(writer, STR("watermark"), watermark_ms(request, source->key));
    json_end_object(writer);
}

static err no_source(str key, struct problem *problem)
{
    return problem_set(problem, ERR_NOT_FOUND, "there is no source '%.*s'",
                       (int)str_utf8_prefix_bytes(key, 60), key.data);
}

/* The source as it is now into the answer. */
static err answer_source(struct request *request, str key, str write_key, struct problem *problem)
{
    struct json_writer writer;
    struct source_set *sources = engine_sources(request->server->engine);
    const struct source *source = source_by_key(sources, key);
    json_writer_init(&writer, &request->out);
    if (source != NULL)
        write_source(request, &writer, source, write_key);
    source_set_release(&sources);
    return source != NULL ? ERR_OK : no_source(key, problem);
}

err route_source_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct source_set *sources = engine_sources(request->server->engine);
    (void)problem;
    figures_refresh_sources(request->server);
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < source_count(sources); i++)
        write_source(request, &writer, source_at(sources, i), STR_NONE);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    source_set_release(&sources);
    return ERR_OK;
}

err route_source_get(struct request *request, struct problem *problem)
{
    figures_refresh_sources(request->server);
    return answer_source(request, request->parameters[0], STR_NONE, problem);
}

/* ---- changing ---- */

static void put_write_key(struct request *request, struct command_body *body, const char *write_key,
                          bool is_public)
{
    uint8_t hash[SEAL_HASH_BYTES];
    char hex[2 * SEAL_HASH_BYTES + 1];
    keys_hash(request->server->keys, STR("write_key"), str_from_c(write_key), hash);
    hex_encode(hash, sizeof(hash), hex);
    json_member_text(&body->writer, STR("write_key_hash"), str_from_c(hex));
    if (is_public)
        json_member_text(&body->writer, STR("write_key"), str_from_c(write_key));
}

static bool is_key(str key)
{
    if (key.size == 0 || key.size > 40 || key.data[0] < 'a' || key.data[0] > 'z')
        return false;
    for (size_t i = 0; i < key.size; i++) {
        char byte = key.data[i];
        if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
              byte == '-'))
            return false;
    }
    return true;
}

static err check_member(struct request *request, const char *member, enum json_kind kind,
                        size_t size_max, struct problem *problem)
{
    json_value value = json_get(request->json, str_from_c(member));
    if (json_kind(value) == JSON_MISSING ||
        (json_kind(value) == kind && json_text(value).size <= size_max))
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE,
                kind == JSON_BOOL ? "%s is true or false" : "%s is not a short text", member);
    return problem_at(problem, ERR_UNPROCESSABLE, "/%s", member);
}

static err check_protocol(struct request *request, struct problem *problem)
{
    static const char *const known[] = { "segment", "sensors", "files", "other" };
    json_value value = json_get(request->json, STR("protocol"));
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_equal(json_text(value), str_from_c(known[i])))
            return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "the protocol is segment, sensors, files or other");
    return problem_at(problem, ERR_UNPROCESSABLE, "/protocol");
}

static err check_limit(struct request *request, struct problem *problem)
{
    json_value value = json_get(request->json, STR("events_per_second"));
    int64_t most = json_int(value, -1);
    if (json_kind(value) == JSON_MISSING || (most >= 0 && most <= SOURCE_EVENTS_PER_SECOND_MAX))
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "events_per_second is 0 (no limit) to %d",
                SOURCE_EVENTS_PER_SECOND_MAX);
    return problem_at(problem, ERR_UNPROCESSABLE, "/events_per_second");
}

static err check_members(struct request *request, struct problem *problem)
{
    err error = check_member(request, "name", JSON_TEXT, 100, problem);
    if (error == ERR_OK)
        error = check_member(request, "channel", JSON_TEXT, 40, problem);
    if (error == ERR_OK)
        error = check_member(request, "strict", JSON_BOOL, 0, problem);
    if (error == ERR_OK)
        error = check_member(request, "disabled", JSON_BOOL, 0, problem);
    if (error == ERR_OK)
        error = check_limit(request, problem);
    return error == ERR_OK ? check_protocol(request, problem) : error;
}

static void copy_members(struct request *request, struct command_body *body)
{
    static const char *const members[] = {
        "name",     "protocol",          "channel",         "strict",
        "disabled", "events_per_second", "without_consent", "consent_category"
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        command_body_copy(body, request, members[i]);
}

/* A key that is there already: a conflict, unless this request made it before. */
static err check_fresh(struct request *request, str key, const char *write_key,
                       struct problem *problem)
{
    uint8_t hash[SEAL_HASH_BYTES];
    struct source_set *sources = engine_sources(request->server->engine);
    const struct source *kept = source_by_key(sources, key);
    keys_hash(request->server->keys, STR("write_key"), str_from_c(write_key), hash);
    bool fits = kept == NULL || memcmp(kept->write_key_hash, hash, SEAL_HASH_BYTES) == 0;
    source_set_release(&sources);
    if (fits)
        return ERR_OK;
    problem_set(problem, ERR_CONFLICT, "there is a source '" STR_FMT "' already", STR_ARG(key));
    return problem_at(problem, ERR_CONFLICT, "/key");
}

static err create_source(struct request *request, str key, bool is_public, const char *write_key,
                         struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), key);
    json_member_text(&body.writer, STR("kind"), is_public ? STR("public") : STR("server"));
    copy_members(request, &body);
    put_write_key(request, &body, write_key, is_public);
    err error = answer_command(request, "source.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error;
}

err route_source_create(struct request *request, struct problem *problem)
{
    char secret[33], write_key[48];
    str key = json_text(json_get(request->json, STR("key")));
    str kind = json_text(json_get(request->json, STR("kind")));
    bool is_public = str_equal(kind, STR("public"));
    if (!is_key(key)) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "a source's key is 1 to 40 of a-z, 0-9, '_' and '-', a letter first");
        return problem_at(problem, ERR_UNPROCESSABLE, "/key");
    }
    if (!is_public && !str_equal(kind, STR("server"))) {
        problem_set(problem, ERR_UNPROCESSABLE, "the kind is server or public");
        return problem_at(problem, ERR_UNPROCESSABLE, "/kind");
    }
    err error = check_members(request, problem);
    if (error != ERR_OK)
        return error;
    answer_secret(request, "write key", secret);
    snprintf(write_key, sizeof(write_key), "%s_%s", is_public ? "kp" : "ks", secret);
    pthread_mutex_lock(&request->server->create_mutex);
    error = check_fresh(request, key, write_key, problem);
    if (error == ERR_OK)
        error = create_source(request, key, is_public, write_key, problem);
    pthread_mutex_unlock(&request->server->create_mutex);
    if (error != ERR_OK)
        return error;
    request->status = 201;
    return answer_source(request, key, str_from_c(write_key), problem);
}

/* Does the path name a source? With its kind. */
static err find_source(struct request *request, bool *is_public, struct problem *problem)
{
    str key = request->parameters[0];
    struct source_set *sources = engine_sources(request->server->engine);
    const struct source *source = source_by_key(sources, key);
    bool found = source != NULL;
    *is_public = found && source->kind == SOURCE_PUBLIC;
    source_set_release(&sources);
    return found ? ERR_OK : no_source(key, problem);
}

/* What it owed under another limit. */
static void forget_debt(struct request *request)
{
    struct source_set *sources = engine_sources(request->server->engine);
    const struct source *source = source_by_key(sources, request->parameters[0]);
    if (source != NULL)
        flow_limit_changed(request->server, source->number);
    source_set_release(&sources);
}

err route_source_put(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    bool is_public;
    err error = find_source(request, &is_public, problem);
    if (error == ERR_OK)
        error = check_members(request, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    copy_members(request, &body);
    error = answer_command(request, "source.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        forget_debt(request);
    return error == ERR_OK ? answer_source(request, request->parameters[0], STR_NONE, problem)
                           : error;
}

#define OVERLAP_MS_MAX (30 * DAY_MS)

/* `overlap=24h`: how long the old key is good beside the new one. */
static err read_overlap(struct request *request, int64_t *until_ms, struct problem *problem)
{
    str text = request_query(request, STR("overlap"));
    int64_t overlap_ms = 0;
    *until_ms = 0;
    if (text.size == 0)
        return ERR_OK;
    if (!duration_parse(text, &overlap_ms) || overlap_ms < 0 || overlap_ms > OVERLAP_MS_MAX)
        return problem_set(problem, ERR_INVALID, "overlap is a time up to 30 days, such as 24h");
    *until_ms = overlap_ms > 0 ? server_now_ms(request->server) + overlap_ms : 0;
    return ERR_OK;
}

err route_source_rotate(struct request *request, struct problem *problem)
{
    char secret[33], write_key[48];
    struct command_body body;
    struct json_writer writer;
    str response;
    bool is_public;
    int64_t until_ms;
    err error = find_source(request, &is_public, problem);
    if (error == ERR_OK)
        error = read_overlap(request, &until_ms, problem);
    if (error != ERR_OK)
        return error;
    answer_secret(request, "write key", secret);
    snprintf(write_key, sizeof(write_key), "%s_%s", is_public ? "kp" : "ks", secret);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    put_write_key(request, &body, write_key, is_public);
    if (until_ms != 0)
        json_member_int(&body.writer, STR("old_until_ms"), until_ms);
    error = answer_command(request, "source.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("write_key"), str_from_c(write_key));
    member_time_or_null(&writer, STR("old_until"), until_ms);
    json_end_object(&writer);
    return ERR_OK;
}

err route_source_sign(struct request *request, struct problem *problem)
{
    char secret[33];
    struct command_body body;
    struct json_writer writer;
    str response;
    bool is_public;
    err error = find_source(request, &is_public, problem);
    if (error != ERR_OK)
        return error;
    answer_secret(request, "signing secret", secret);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    json_member_text(&body.writer, STR("signing_secret"), str_from_c(secret));
    error = answer_command(request, "source.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("signing_secret"), str_from_c(secret));
    json_end_object(&writer);
    return ERR_OK;
}
