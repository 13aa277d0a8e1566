/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, with what their providers would refuse. */
#include <string.h>

#include "server/answer.h"
#include "server/sending.h"
#include "server/view.h"

err route_template_list(struct request *request, struct problem *problem)
{
    return sending_answer_all(request, touch_write_templates, problem);
}

struct ask_template {
    str key;
    struct buffer text;
    err error;
};

static void write_template(const struct engine_state *state, struct engine_question *question)
{
    struct ask_template *ask = question->context;
    ask->error = touch_write_template(state->touches, ask->key, &ask->text);
}

static void write_lint(json_value body, struct buffer *out)
{
    size_t errors = 0;
    str purpose = json_text(json_get(body, STR("purpose")));
    bool marketing = purpose.size == 0 || str_equal(purpose, STR("marketing"));
    struct buffer findings;
    buffer_init(&findings, SENDING_BYTES_MAX);
    if (template_lint(json_text(json_get(body, STR("channel"))), marketing,
                      json_get(body, STR("parts")), &findings, &errors) != ERR_OK ||
        findings.size == 0) {
        buffer_clear(&findings);
        buffer_append_str(&findings, STR("[]"));
    }
    buffer_append_str(out, buffer_str(&findings));
    buffer_deinit(&findings);
}

/* The template with what providers will say of it. */
static err answer_template(struct request *request, str key, struct problem *problem)
{
    struct ask_template ask = { .key = key };
    json_value root;
    buffer_init(&ask.text, SENDING_BYTES_MAX);
    err error = view_ask(request, write_template, &ask, problem);
    if (error == ERR_OK && ask.error != ERR_OK)
        error = problem_set(problem, ask.error, "there is no template '%.*s'",
                            (int)str_utf8_prefix_bytes(key, 100), key.data);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&ask.text), &root, problem);
    if (error == ERR_OK) {
        buffer_append(&request->out, ask.text.data, ask.text.size - 1);
        buffer_append_str(&request->out, STR(",\"findings\":"));
        write_lint(json_get(root, STR("body")), &request->out);
        buffer_append_byte(&request->out, '}');
    }
    buffer_deinit(&ask.text);
    return error;
}

err route_template_catalogue(struct request *request, struct problem *problem)
{
    (void)problem;
    template_write_catalogue(&request->out);
    return buffer_status(&request->out);
}

err route_template_get(struct request *request, struct problem *problem)
{
    return answer_template(request, request->parameters[0], problem);
}

err route_template_put(struct request *request, struct problem *problem)
{
    str response;
    err error = sending_put(request, "template.put", request->parameters[0], &response, problem);
    return error == ERR_OK ? answer_template(request, request->parameters[0], problem) : error;
}

err route_template_delete(struct request *request, struct problem *problem)
{
    return sending_delete(request, "template.delete", problem);
}
