/* SPDX-License-Identifier: Apache-2.0 */
/* sending: what the routes of templates, accounts, policy and coupons have in common. */
#include "server/sending.h"

#include "server/answer.h"
#include "server/view.h"

struct ask_text {
    void (*write)(const struct touches *touches, struct buffer *out);
    struct buffer text;
};

static void write_text(const struct engine_state *state, struct engine_question *question)
{
    struct ask_text *ask = question->context;
    ask->write(state->touches, &ask->text);
}

err sending_text(struct request *request,
                 void (*write)(const struct touches *touches, struct buffer *out),
                 struct buffer *text, struct problem *problem)
{
    struct ask_text ask = { .write = write };
    buffer_init(&ask.text, SENDING_BYTES_MAX);
    err error = view_ask(request, write_text, &ask, problem);
    *text = ask.text;
    return error == ERR_OK ? buffer_status(text) : error;
}

err sending_answer_all(struct request *request,
                       void (*write)(const struct touches *touches, struct buffer *out),
                       struct problem *problem)
{
    struct buffer text;
    err error = sending_text(request, write, &text, problem);
    if (error == ERR_OK) {
        buffer_append_str(&request->out, STR("{\"items\":"));
        buffer_append_str(&request->out, buffer_str(&text));
        buffer_append_str(&request->out, STR(",\"next_cursor\":null}"));
    }
    buffer_deinit(&text);
    return error;
}

err sending_put(struct request *request, const char *operation, str key, str *response,
                struct problem *problem)
{
    struct command_body body;
    struct json_iterator iterator = json_iterate(request->json);
    json_value value;
    str name;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), key);
    while (json_next(&iterator, &name, &value)) {
        struct buffer text;
        if (str_equal(name, STR("key")))
            continue;
        buffer_init(&text, SENDING_BYTES_MAX);
        json_write_value(&text, value);
        json_member_raw(&body.writer, name, buffer_str(&text));
        buffer_deinit(&text);
    }
    err error = answer_command(request, operation, command_body_end(&body), response, problem);
    command_body_deinit(&body);
    return error;
}

err sending_delete(struct request *request, const char *operation, struct problem *problem)
{
    str response;
    request->json = (json_value){ .document = NULL };
    err error = sending_put(request, operation, request->parameters[0], &response, problem);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}
