/* SPDX-License-Identifier: Apache-2.0 */
/* The door of Sensors Analytics' SDKs: requests; wire facts in docs/connectors/sensors.md. */
#include "collect/sensors_inside.h"

/* Java's String.hashCode over the base64 text: the signed 32-bit sum of SDKs. */
static int32_t crc_of(str text)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        hash = (hash << 5) - hash + (c == ' ' ? '+' : c);
    }
    return (int32_t)hash;
}

struct sensors_form {
    str data; /* base64 */
    str crc, gzip;
    str project, token; /* of the query */
};

static void read_field(struct sensors_form *form, struct collect_worker *worker, str name,
                       str value)
{
    if (str_equal(name, STR("data")) || str_equal(name, STR("data_list"))) {
        form->data = value;
    } else if (str_equal(name, STR("crc"))) {
        form->crc = value;
    } else if (str_equal(name, STR("gzip"))) {
        form->gzip = value;
    } else if (str_equal(name, STR("ext"))) {
        str crc;
        if (form_value(worker, value, STR("crc"), &crc))
            form->crc = crc;
    } else if (str_equal(name, STR("project"))) {
        form->project = value;
    } else if (str_equal(name, STR("token"))) {
        form->token = value;
    }
}

static void read_form(struct door *door, str body, struct sensors_form *form)
{
    struct collect_worker *worker = door->worker;
    str rest = door->request->query, name, value;
    while (form_next(worker, &rest, &name, &value))
        read_field(form, worker, name, value);
    while (form_next(worker, &body, &name, &value))
        read_field(form, worker, name, value);
}

static err check_crc(const struct sensors_form *form, struct problem *problem)
{
    int64_t told;
    str text = str_trim(form->crc);
    if (text.size == 0)
        return ERR_OK;
    if (str_to_int64(text, &told) && (int32_t)told == crc_of(form->data))
        return ERR_OK;
    return problem_set(problem, ERR_INVALID,
                       "the crc is not that of the data: it was damaged on "
                       "the way");
}

/* The JSON text that the form carries. */
static err unwrap(struct door *door, const struct sensors_form *form, str *json,
                  struct problem *problem)
{
    str bytes;
    if (str_trim(form->data).size == 0)
        return problem_set(problem, ERR_INVALID, "neither data nor data_list in the form");
    if (str_equal(form->gzip, STR("9"))) {
        problem_set(problem, ERR_UNSUPPORTED, "encrypted data is not supported");
        return problem_hint(problem, ERR_UNSUPPORTED, "turn off encryption in the SDK; use https");
    }
    err error = check_crc(form, problem);
    if (error != ERR_OK)
        return error;
    if (!base64_decode(door->worker, form->data, &bytes))
        return problem_set(problem, ERR_INVALID, "the data is not base64");
    bool is_gzip = bytes.size >= 2 && (unsigned char)bytes.data[0] == 0x1F &&
                   (unsigned char)bytes.data[1] == 0x8B;
    if (str_equal(form->gzip, STR("1")) || is_gzip)
        return body_inflate(door->worker, bytes, json, problem);
    *json = bytes;
    return ERR_OK;
}

/* A write key, or the key of a public source, which is no secret. */
static const struct source *source_named(struct door *door, str name)
{
    const struct source *source = source_by_write_key(door->sources, door->worker->desk.keys, name);
    if (source == NULL && name.size > 0)
        source = source_by_key(door->sources, name);
    else
        return source;
    return source != NULL && source->kind == SOURCE_PUBLIC ? source : NULL;
}

/* The token is the write key; the project may be one too, or the key of a public source. */
static err find_source(struct door *door, str token, str project, struct problem *problem)
{
    if (door->source_is_known)
        return ERR_OK;
    const struct source *source = token.size > 0 ? source_named(door, token) : NULL;
    if (source == NULL)
        source = source_named(door, project.size > 0 ? project : STR("default"));
    if (source == NULL) {
        problem_set(problem, ERR_UNAUTHENTICATED, "no source has this token or project");
        return problem_hint(problem, ERR_UNAUTHENTICATED,
                            "server_url: https://…/sa?project=<write "
                            "key>, or &token=<write key>");
    }
    if (source->disabled)
        return problem_set(problem, ERR_NOT_FOUND, "source is disabled");
    door->source = source;
    return ERR_OK;
}

/* A record may name its own project. */
static err find_source_of_record(struct door *door, const struct sensors_form *form,
                                 json_value record, struct problem *problem)
{
    json_value properties = json_get(record, STR("properties"));
    str project = json_text(json_get(record, STR("project")));
    str token = json_text(json_get(record, STR("token")));
    str own_project = json_text(json_get(properties, STR("$project")));
    str own_token = json_text(json_get(properties, STR("$token")));
    return find_source(door,
                       own_token.size > 0 ? own_token
                       : token.size > 0   ? token
                                          : form->token,
                       own_project.size > 0 ? own_project
                       : project.size > 0   ? project
                                            : form->project,
                       problem);
}

static err take_and_tell(struct door *door, const struct sensors_form *form, json_value record,
                         struct problem *problem)
{
    *problem = (struct problem){ .error = ERR_OK };
    err error = find_source_of_record(door, form, record, problem);
    if (error == ERR_OK)
        error = sensors_take_record(door, record, problem);
    if (err_is_retriable(error))
        return error;
    draft_tell(door, record, error, problem);
    return ERR_OK;
}

static err take_all(struct door *door, const struct sensors_form *form, json_value root,
                    struct problem *problem)
{
    struct json_iterator iterator = json_iterate(root);
    json_value record;
    if (json_kind(root) == JSON_OBJECT)
        return take_and_tell(door, form, root, problem);
    if (json_kind(root) != JSON_ARRAY)
        return problem_set(problem, ERR_INVALID, "the data is neither a record nor a list of them");
    if (json_count(root) > door->worker->limits.batch_events_max)
        return problem_set(problem, ERR_TOO_LARGE, "the list has %zu records, at most %u are taken",
                           json_count(root), door->worker->limits.batch_events_max);
    while (json_next(&iterator, NULL, &record)) {
        err error = take_and_tell(door, form, record, problem);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

/* All or nothing, save items that are wrong on their own. */
static err take_text(struct door *door, const struct sensors_form *form, str json,
                     struct problem *problem)
{
    json_value root;
    size_t begin = door->records->size;
    err error = body_parse(door, json, &root, problem);
    if (error == ERR_OK)
        error = take_all(door, form, root, problem);
    if (error != ERR_OK) {
        door->records->size = begin;
        door->count = 0;
    }
    return error;
}

err sensors_take_message(struct door *door, str text, struct problem *problem)
{
    const struct sensors_form form = { .data = STR_NONE };
    return take_text(door, &form, text, problem);
}

static err run_request(struct door *door, struct problem *problem)
{
    struct sensors_form form = { .data = STR_NONE };
    str body = STR_NONE, json = STR_NONE;
    err error = body_unpack(door, &body, problem);
    if (error != ERR_OK)
        return error;
    bool plain = body.size > 0 && (body.data[0] == '{' || body.data[0] == '[');
    read_form(door, plain ? STR_NONE : body, &form);
    if (plain)
        json = body;
    else
        error = unwrap(door, &form, &json, problem);
    return error == ERR_OK ? take_text(door, &form, json, problem) : error;
}

/* SDKs keep what is not answered 2xx or 304 and send it again: what never will be right is answered
 * 200 and told to the debugger, save in debug mode and for who is not known. */
static void answer_sensors(struct door *door, err error, const struct problem *problem, bool gif,
                           bool debug)
{
    bool unknown = error == ERR_UNAUTHENTICATED || error == ERR_NOT_FOUND || error == ERR_TOO_LARGE;
    if (err_is_retriable(error) || unknown || (debug && error != ERR_OK)) {
        answer_problem(door, problem);
        return;
    }
    if (gif)
        answer_text(door, 200, "image/gif", answer_gif);
    else
        answer_text(door, 200, "text/plain", STR_NONE);
}

void sensors_events(struct door *door, bool gif, bool debug)
{
    struct problem problem = { .error = ERR_OK };
    bool dry = debug && str_equal_ignoring_case(str_trim(door->request->dry_run), STR("true"));
    size_t begin = door->records->size;
    err error = run_request(door, &problem);
    if (error != ERR_OK && !err_is_retriable(error)) {
        /* The whole request was wrong: one refusal, without a record to show. */
        draft_tell(door, (json_value){ .document = NULL }, error, &problem);
    } else if (error == ERR_OK && door->count == 0 && door->refused > 0) {
        problem = door->first;
        error = problem.error == ERR_UNAUTHENTICATED || problem.error == ERR_NOT_FOUND || debug
                    ? problem.error
                    : ERR_OK;
    } else if (error == ERR_OK && debug && door->refused > 0) {
        problem = door->first;
        error = problem.error;
    }
    if (dry || (debug && error != ERR_OK)) {
        door->records->size = begin;
        door->count = 0;
    }
    bool get = str_equal(door->request->method, STR("GET"));
    answer_sensors(door, error, &problem, gif && get, debug);
}
