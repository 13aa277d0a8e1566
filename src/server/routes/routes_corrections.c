/* SPDX-License-Identifier: Apache-2.0 */
/* Traits corrected by hand, which speak before all sources, and given back to them. */
#include "event/personal.h"
#include "server/answer.h"
#include "server/person.h"
#include "server/view.h"

/* As the doors do it: what names a person is sealed before the log. */
static err write_corrected(struct request *request, str name, json_value value, struct buffer *out,
                           struct problem *problem)
{
    enum personal_kind kind = personal_by_name(name);
    str text = json_text(value), sealed;
    if (json_kind(value) != JSON_TEXT) {
        json_write_value(out, value);
        return ERR_OK;
    }
    if (kind == PERSONAL_NONE && !personal_name_is_code(name))
        kind = personal_by_value(text);
    if (kind == PERSONAL_NONE || text.size == 0 || personal_is_masked(text)) {
        json_write_text(out, text);
        return ERR_OK;
    }
    err error = keys_seal(request->server->keys, &request->arena, text, &sealed);
    if (error != ERR_OK)
        return problem_set(problem, error, "it cannot be sealed");
    buffer_append_str(out, STR("{\"$sealed\":\""));
    buffer_append_str(out, sealed);
    buffer_append_str(out, STR("\"}"));
    return ERR_OK;
}

static bool is_plain_value(json_value value)
{
    enum json_kind kind = json_kind(value);
    return kind == JSON_TEXT || kind == JSON_INT || kind == JSON_DOUBLE || kind == JSON_BOOL;
}

static err write_correction(struct request *request, struct buffer *out, struct problem *problem)
{
    json_value value = json_get(request->json, STR("value")), item;
    str name = request->parameters[1];
    err error = ERR_OK;
    bool is_list = json_kind(value) == JSON_ARRAY, fits = is_list || is_plain_value(value);
    struct json_iterator iterator = json_iterate(value);
    if (!is_list && fits)
        return write_corrected(request, name, value, out, problem);
    buffer_append_byte(out, '[');
    for (bool first = true; is_list && fits && error == ERR_OK && json_next(&iterator, NULL, &item);
         first = false) {
        if (!first)
            buffer_append_byte(out, ',');
        fits = is_plain_value(item);
        error = write_corrected(request, name, item, out, problem);
    }
    buffer_append_byte(out, ']');
    if (fits)
        return error;
    problem_set(problem, ERR_UNPROCESSABLE,
                "a trait is corrected to a text, a number, true or false, or a list of these");
    return problem_at(problem, ERR_UNPROCESSABLE, "/value");
}

static err correct(struct request *request, bool releases, struct problem *problem)
{
    struct command_body body;
    struct json_writer writer;
    struct buffer value;
    uint32_t customer;
    err error = view_number(request, request->parameters[0], &customer, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&value, 65536);
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), customer);
    json_member_text(&body.writer, STR("name"), request->parameters[1]);
    if (releases)
        json_member_bool(&body.writer, STR("release"), true);
    else
        error = write_correction(request, &value, problem);
    if (error == ERR_OK)
        error = buffer_status(&value);
    if (error == ERR_OK && !releases)
        json_member_raw(&body.writer, STR("value"), buffer_str(&value));
    if (error == ERR_OK)
        error = person_command(request, "trait.correct", &body, problem);
    else
        command_body_deinit(&body);
    buffer_deinit(&value);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("name"), request->parameters[1]);
    json_member_bool(&writer, STR("corrected"), !releases);
    json_end_object(&writer);
    return ERR_OK;
}

err route_trait_correct(struct request *request, struct problem *problem)
{
    return correct(request, false, problem);
}

err route_trait_release(struct request *request, struct problem *problem)
{
    return correct(request, true, problem);
}
