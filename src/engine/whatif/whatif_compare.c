/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_compare: a run beside what really came, by node and day. */
#include <stdio.h>

#include "engine/whatif/whatif_jobs.h"

#define COMPARED(X) X(entered) X(left) X(sent) X(delivered) X(suppressed) X(failed) X(exited)
struct compared {
    char node[104];
    int32_t day; /* from the first; -1: all */
    int64_t simulated[8], actual[8];
};
struct comparing {
    struct whatifs *whatifs;
    str key;
    int64_t from_ms, to_ms, first_ms;
    struct buffer actual;
    struct compared *rows;
    size_t count;
    err error;
};

static void take_actual(const struct engine_state *state, struct engine_question *question)
{
    struct comparing *comparing = question->context;
    struct json_writer writer;
    json_writer_init(&writer, &comparing->actual);
    comparing->error = journey_write_days(state->journeys, comparing->key, comparing->from_ms,
                                          comparing->to_ms, &writer);
}

static struct compared *row_of(struct comparing *comparing, str node, int32_t day)
{
    for (size_t i = 0; i < comparing->count; i++)
        if (comparing->rows[i].day == day && str_equal(str_from_c(comparing->rows[i].node), node))
            return &comparing->rows[i];
    struct compared *longer =
        memory_resize(comparing->rows, (comparing->count + 1) * sizeof(*longer));
    if (longer == NULL)
        return NULL;
    comparing->rows = longer;
    longer[comparing->count] = (struct compared){ .day = day };
    snprintf(longer[comparing->count].node, sizeof longer->node, "%.*s",
             STR_ARG(str_slice(node, 0, 103)));
    return &longer[comparing->count++];
}

static err add_rows(struct comparing *comparing, json_value list, int64_t first_ms, bool actual)
{
    static const char *const names[] = {
#define X(name) #name,
        COMPARED(X)
#undef X
    };
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item)) {
        int64_t day_ms = 0;
        str node = json_text(json_get(item, STR("node")));
        if (json_kind(json_get(item, STR("goal"))) != JSON_MISSING ||
            !time_parse(json_text(json_get(item, STR("day"))), 0, &day_ms))
            continue;
        int32_t days[] = { -1, (int32_t)((day_ms - first_ms + DAY_MS - 1) / DAY_MS) };
        for (int k = 0; k < 2; k++) {
            struct compared *row = row_of(comparing, node, days[k]);
            if (row == NULL)
                return ERR_NOMEM;
            for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                (actual ? row->actual : row->simulated)[i] +=
                    json_int(json_get(item, str_from_c(names[i])), 0);
        }
    }
    return ERR_OK;
}

static void write_side(struct json_writer *writer, const char *name, const int64_t *values)
{
    static const char *const names[] = {
#define X(name) #name,
        COMPARED(X)
#undef X
    };
    json_put_key(writer, str_from_c(name));
    json_begin_object(writer);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_member_int(writer, str_from_c(names[i]), values[i]);
    json_end_object(writer);
}

static void write_compared(const struct comparing *comparing, bool by_day,
                           struct json_writer *writer)
{
    json_begin_array(writer);
    for (size_t i = 0; i < comparing->count; i++) {
        const struct compared *row = &comparing->rows[i];
        if ((row->day >= 0) != by_day)
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("node"), str_from_c(row->node));
        if (by_day)
            json_member_int(writer, STR("day"), row->day);
        write_side(writer, "simulated", row->simulated);
        write_side(writer, "actual", row->actual);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static err compare(struct comparing *comparing, json_value result, struct buffer *out,
                   struct problem *problem)
{
    struct json_parser *parser = NULL;
    struct engine_question question = { .ask = take_actual, .context = comparing };
    json_value actual;
    int64_t simulated_ms = whatif_time_of(result, STR("from")),
            until_ms = whatif_time_of(result, STR("to"));
    int64_t now_ms = wall_clock_now_ms(comparing->whatifs->engine->config.clock);
    if (comparing->from_ms == 0)
        comparing->from_ms = simulated_ms;
    comparing->to_ms = comparing->from_ms + until_ms - simulated_ms;
    buffer_init(&comparing->actual, (size_t)64 << 20);
    err error = engine_ask_wait(comparing->whatifs->engine, &question);
    if (error == ERR_OK)
        error = comparing->error;
    if (error == ERR_OK)
        error = json_parser_new(&parser, (size_t)64 << 20);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&comparing->actual), &actual, problem);
    if (error == ERR_OK)
        error = add_rows(comparing, json_get(result, STR("days")), simulated_ms, false);
    if (error == ERR_OK)
        error = add_rows(comparing, actual, comparing->from_ms, true);
    if (error == ERR_OK) {
        struct json_writer writer;
        json_writer_init(&writer, out);
        json_begin_object(&writer);
        json_member_time(&writer, STR("simulated_from"), simulated_ms);
        json_member_time(&writer, STR("actual_from"), comparing->from_ms);
        json_member_time(&writer, STR("actual_to"), comparing->to_ms);
        json_member_time(&writer, STR("as_of"), now_ms);
        json_member_bool(&writer, STR("is_over"), now_ms >= comparing->to_ms);
        json_put_key(&writer, STR("nodes"));
        write_compared(comparing, false, &writer);
        json_put_key(&writer, STR("days"));
        write_compared(comparing, true, &writer);
        json_end_object(&writer);
        error = buffer_status(out);
    }
    buffer_deinit(&comparing->actual);
    json_parser_free(&parser);
    return error;
}

err whatif_compare(struct whatifs *whatifs, str key, str id, int64_t from_ms, struct buffer *out,
                   struct problem *problem)
{
    struct comparing comparing = { .whatifs = whatifs, .key = key, .from_ms = from_ms };
    struct json_parser *parser = NULL;
    struct buffer text;
    json_value root;
    char own[WHATIF_ID_BYTES] = "";
    pthread_mutex_lock(&whatifs->mutex);
    const struct whatif_job *job = whatif_job_find(whatifs, key, id);
    err error = job == NULL ? ERR_NOT_FOUND : job->state == WHATIF_DONE ? ERR_OK : ERR_CONFLICT;
    if (error == ERR_OK)
        snprintf(own, sizeof own, "%s", job->id);
    pthread_mutex_unlock(&whatifs->mutex);
    if (error == ERR_CONFLICT)
        return problem_set(problem, error, "run '%.*s' is not done", STR_ARG(id));
    buffer_init(&text, WHATIF_RESULT_BYTES_MAX);
    if (error == ERR_OK)
        error = whatif_file_read(whatifs, own, false, &text);
    str file = buffer_str(&text);
    if (error == ERR_OK)
        error = json_parser_new(&parser, WHATIF_RESULT_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, str_slice(file, str_find_byte(file, '\n') + 1, file.size), &root,
                           problem);
    if (error == ERR_OK)
        error = compare(&comparing, root, out, problem);
    memory_free(comparing.rows);
    json_parser_free(&parser);
    buffer_deinit(&text);
    return error;
}
