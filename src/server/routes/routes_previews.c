/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule or a definition would say of everybody: previews, comparisons, reach, profile. */
#include "server/answer.h"
#include "server/everybody.h"

#define ANSWER_BYTES_MAX ((size_t)64 << 20)
#define PREVIEW_MS 2000 /* somebody types */
#define COMPARE_MS 30000

/* ---- numbers of customers become one_ids ---- */

static bool name_customer(void *context, str name, json_value value, struct buffer *out)
{
    (void)name;
    json_value number = json_get(value, STR("$customer"));
    if (!json_is_object(value) || json_kind(number) != JSON_INT)
        return false;
    json_write_text(out, answer_one_id(context, (uint32_t)json_int(number, 0)));
    return true;
}

static err answer_named(struct request *request, str text, struct problem *problem)
{
    json_value root;
    err error = json_parse(request->scratch, text, &root, problem);
    if (error == ERR_OK)
        json_write_replacing(&request->out, STR_NONE, root, name_customer, request);
    return error;
}

/* ---- the questions ---- */

static err ask_everybody(struct request *request, enum audience_question_kind kind, str key,
                         int64_t budget_ms, struct problem *problem)
{
    struct buffer out;
    buffer_init(&out, ANSWER_BYTES_MAX);
    err error = everybody_ask(request, kind, key, budget_ms, NULL, &out, problem);
    if (error == ERR_OK)
        error = answer_named(request, buffer_str(&out), problem);
    buffer_deinit(&out);
    return error;
}

err route_segment_preview(struct request *request, struct problem *problem)
{
    return ask_everybody(request, AUDIENCE_PREVIEW, STR_NONE, PREVIEW_MS, problem);
}

err route_definition_preview(struct request *request, struct problem *problem)
{
    return ask_everybody(
        request, definition_kind(request) == AUDIENCE_TAG ? AUDIENCE_CHANGE_TAG : AUDIENCE_CHANGE,
        request->parameters[0], COMPARE_MS, problem);
}

err route_segment_overlap(struct request *request, struct problem *problem)
{
    return ask_everybody(request, AUDIENCE_OVERLAP, STR_NONE, COMPARE_MS, problem);
}

err route_segment_map(struct request *request, struct problem *problem)
{
    return ask_everybody(request, AUDIENCE_MAP, STR_NONE, COMPARE_MS, problem);
}

err route_segment_reach(struct request *request, struct problem *problem)
{
    return ask_everybody(request, AUDIENCE_REACH, request->parameters[0], COMPARE_MS, problem);
}

err route_segment_profile(struct request *request, struct problem *problem)
{
    return ask_everybody(request, AUDIENCE_PROFILE, request->parameters[0], COMPARE_MS, problem);
}
