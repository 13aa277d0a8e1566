/* SPDX-License-Identifier: Apache-2.0 */
/* Merges, refusals and links: read from the ledger, written with the identifiers that they are about. */
#include "server/story.h"

#include <stdlib.h>

#include "server/answer.h"
#include "server/scope/scope.h"

/* Columns of the tables, as in store/tables.h. */
enum merges_column {
    MERGES_ID,
    MERGES_SURVIVOR,
    MERGES_ABSORBED,
    MERGES_NODE,
    MERGES_OTHER,
    MERGES_SEQ,
    MERGES_AT,
    MERGES_SOURCE,
    MERGES_ROW,
    MERGES_WITH_ROW,
    MERGES_CAUSE,
    MERGES_UNDONE_MS,
    MERGES_UNDONE_SEQ,
    MERGES_UNDONE_BY
};
enum refusals_column {
    REFUSALS_ID,
    REFUSALS_AT,
    REFUSALS_SEQ,
    REFUSALS_SOURCE,
    REFUSALS_REASON,
    REFUSALS_ROW,
    REFUSALS_WITH_ROW,
    REFUSALS_CUSTOMER,
    REFUSALS_OTHER,
    REFUSALS_TIMES,
    REFUSALS_DETAIL,
    REFUSALS_STATUS,
    REFUSALS_DECIDED_BY
};

static uint32_t number_at(const struct ledger_value *values, int column)
{
    return (uint32_t)values[column].integer;
}

/* ---- merges ---- */

struct merges_read {
    struct request *request;
    struct merge_row *rows;
    size_t count;
    bool nomem;
};

static bool visit_merge(void *context, const struct ledger_value *values)
{
    struct merges_read *read = context;
    for (size_t i = 0; i < read->count; i++)
        if (read->rows[i].id == values[MERGES_ID].integer)
            return true;
    if (read->count == STORY_ROWS_MAX)
        return false;
    if (!scope_sees_source(read->request->scope, number_at(values, MERGES_SOURCE)))
        return true; /* what joined them is not seen */
    struct merge_row *row = &read->rows[read->count];
    *row = (struct merge_row){ .id = values[MERGES_ID].integer,
                               .survivor = number_at(values, MERGES_SURVIVOR),
                               .absorbed = number_at(values, MERGES_ABSORBED),
                               .node = number_at(values, MERGES_NODE),
                               .other = number_at(values, MERGES_OTHER),
                               .at_ms = values[MERGES_AT].integer,
                               .source_number = number_at(values, MERGES_SOURCE),
                               .row = number_at(values, MERGES_ROW),
                               .with_row = number_at(values, MERGES_WITH_ROW),
                               .undone_ms = values[MERGES_UNDONE_MS].integer,
                               .undone_by = number_at(values, MERGES_UNDONE_BY) };
    if (arena_dup(&read->request->arena, values[MERGES_CAUSE].bytes, &row->cause) != ERR_OK)
        read->nomem = true;
    read->count++;
    return !read->nomem;
}

static int newest_merge_first(const void *a, const void *b)
{
    const struct merge_row *one = a, *other = b;
    return one->id > other->id ? -1 : one->id < other->id;
}

err story_merges(struct request *request, const uint32_t *nodes, size_t node_count,
                 struct merge_row **rows, size_t *count, struct problem *problem)
{
    static const char *const columns[] = { "survivor", "absorbed" };
    struct ledger *ledger = server_ledger(request->server);
    struct merges_read read = { .request = request };
    err error = ERR_OK;
    read.rows = arena_array(&request->arena, struct merge_row, STORY_ROWS_MAX);
    if (read.rows == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; error == ERR_OK && i < node_count; i++)
        for (size_t c = 0; error == ERR_OK && c < 2; c++)
            error = ledger_find_by(ledger, LEDGER_MERGES, columns[c], ledger_int(nodes[i]), NULL,
                                   true, STORY_ROWS_MAX, visit_merge, &read, problem);
    if (error == ERR_OK && read.nomem)
        error = ERR_NOMEM;
    if (read.count > 1)
        qsort(read.rows, read.count, sizeof(*read.rows), newest_merge_first);
    *rows = read.rows;
    *count = read.count;
    return error;
}

/* The identifiers of pairs of rows, two by two; a number of 0 gives an empty view. */
static err read_pairs(struct request *request, size_t count,
                      void (*pair)(const void *rows, size_t index, uint32_t numbers[2]),
                      const void *rows, struct identity_row_view **views, struct problem *problem)
{
    uint32_t *numbers = arena_array(&request->arena, uint32_t, count * 2 + 1);
    *views = arena_array(&request->arena, struct identity_row_view, count * 2 + 1);
    if (numbers == NULL || *views == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        pair(rows, i, numbers + 2 * i);
    return count == 0 ? ERR_OK : view_rows(request, numbers, count * 2, *views, problem);
}

static void merge_pair(const void *rows, size_t index, uint32_t numbers[2])
{
    const struct merge_row *row = (const struct merge_row *)rows + index;
    numbers[0] = row->row;
    numbers[1] = row->with_row;
}

err story_write_merges(struct request *request, struct json_writer *writer,
                       const struct merge_row *rows, size_t count, bool reveal,
                       struct problem *problem)
{
    struct identity_row_view *views;
    err error = read_pairs(request, count, merge_pair, rows, &views, problem);
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        const struct merge_row *row = &rows[i];
        json_begin_object(writer);
        json_member_int(writer, STR("id"), row->id);
        json_member_text(writer, STR("survivor"), answer_one_id(request, row->survivor));
        json_member_text(writer, STR("absorbed"), answer_one_id(request, row->absorbed));
        json_member_time(writer, STR("at"), row->at_ms);
        json_member_text(writer, STR("source"), answer_source_key(request, row->source_number));
        json_member_text(writer, STR("cause"), row->cause);
        json_put_key(writer, STR("identifier"));
        view_write_short(request, writer, &views[2 * i], reveal);
        json_put_key(writer, STR("with"));
        view_write_short(request, writer, &views[2 * i + 1], reveal);
        member_time_or_null(writer, STR("undone_at"), row->undone_ms);
        json_put_key(writer, STR("undone_by"));
        if (row->undone_ms != 0)
            json_put_text(writer, answer_login(request, row->undone_by));
        else
            json_put_null(writer);
        json_end_object(writer);
    }
    return error;
}

/* ---- refusals ---- */

bool story_read_refusal(struct request *request, const struct ledger_value *values,
                        struct refusal_row *out)
{
    *out = (struct refusal_row){ .id = values[REFUSALS_ID].integer,
                                 .at_ms = values[REFUSALS_AT].integer,
                                 .times = values[REFUSALS_TIMES].integer,
                                 .customer = number_at(values, REFUSALS_CUSTOMER),
                                 .other = number_at(values, REFUSALS_OTHER),
                                 .source_number = number_at(values, REFUSALS_SOURCE),
                                 .row = number_at(values, REFUSALS_ROW),
                                 .with_row = number_at(values, REFUSALS_WITH_ROW),
                                 .decided_by = number_at(values, REFUSALS_DECIDED_BY) };
    return arena_dup(&request->arena, values[REFUSALS_REASON].bytes, &out->reason) == ERR_OK &&
           arena_dup(&request->arena, values[REFUSALS_DETAIL].bytes, &out->detail) == ERR_OK &&
           arena_dup(&request->arena, values[REFUSALS_STATUS].bytes, &out->status) == ERR_OK;
}

struct refusals_read {
    struct request *request;
    struct refusal_row *rows;
    size_t count;
    bool nomem;
};

static bool visit_refusal(void *context, const struct ledger_value *values)
{
    struct refusals_read *read = context;
    if (read->count == STORY_ROWS_MAX)
        return false;
    read->nomem = !story_read_refusal(read->request, values, &read->rows[read->count++]);
    return !read->nomem;
}

static int newest_refusal_first(const void *a, const void *b)
{
    const struct refusal_row *one = a, *other = b;
    return one->id > other->id ? -1 : one->id < other->id;
}

err story_refusals(struct request *request, const uint32_t *nodes, size_t node_count,
                   struct refusal_row **rows, size_t *count, struct problem *problem)
{
    struct refusals_read read = { .request = request };
    err error = ERR_OK;
    read.rows = arena_array(&request->arena, struct refusal_row, STORY_ROWS_MAX);
    if (read.rows == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; error == ERR_OK && i < node_count; i++)
        error = ledger_find_by(server_ledger(request->server), LEDGER_REFUSALS, "customer",
                               ledger_int(nodes[i]), NULL, true, STORY_ROWS_MAX, visit_refusal,
                               &read, problem);
    if (error == ERR_OK && read.nomem)
        error = ERR_NOMEM;
    if (read.count > 1)
        qsort(read.rows, read.count, sizeof(*read.rows), newest_refusal_first);
    *rows = read.rows;
    *count = read.count;
    return error;
}

static void refusal_pair(const void *rows, size_t index, uint32_t numbers[2])
{
    const struct refusal_row *row = (const struct refusal_row *)rows + index;
    numbers[0] = row->row;
    numbers[1] = row->with_row;
}

/* Who decided; or that nobody had to, since the two became one customer for another reason. */
static void write_closing(struct request *request, struct json_writer *writer,
                          const struct refusal_row *row)
{
    bool is_open = str_equal(row->status, STR("open"));
    bool by_itself = row->decided_by == 0;
    member_text_or_null(writer, STR("decided_by"),
                        is_open || by_itself ? STR_NONE : answer_login(request, row->decided_by));
    member_text_or_null(writer, STR("cause"),
                        is_open     ? STR_NONE
                        : by_itself ? STR("one_customer")
                                    : STR("review"));
}

err story_write_refusals(struct request *request, struct json_writer *writer,
                         const struct refusal_row *rows, size_t count, bool reveal,
                         struct problem *problem)
{
    struct identity_row_view *views;
    err error = read_pairs(request, count, refusal_pair, rows, &views, problem);
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        const struct refusal_row *row = &rows[i];
        json_begin_object(writer);
        json_member_int(writer, STR("id"), row->id);
        json_member_time(writer, STR("at"), row->at_ms);
        json_member_text(writer, STR("reason"), row->reason);
        json_member_int(writer, STR("times"), row->times);
        json_put_key(writer, STR("identifier"));
        view_write_short(request, writer, &views[2 * i], reveal);
        json_put_key(writer, STR("with"));
        view_write_short(request, writer, &views[2 * i + 1], reveal);
        member_one_id(request, writer, STR("customer"), row->customer);
        member_one_id(request, writer, STR("other"), row->other);
        json_member_text(writer, STR("detail"), row->detail);
        json_member_text(writer, STR("source"), answer_source_key(request, row->source_number));
        json_member_text(writer, STR("status"), row->status);
        write_closing(request, writer, row);
        json_end_object(writer);
    }
    return error;
}

/* ---- links ---- */

struct links_read {
    struct request *request;
    struct link_row *rows;
    size_t count;
    bool nomem;
};

static bool visit_link(void *context, const struct identity_link *link)
{
    struct links_read *read = context;
    if (read->count == STORY_ROWS_MAX)
        return false;
    struct link_row *row = &read->rows[read->count++];
    row->link = *link;
    read->nomem = arena_dup(&read->request->arena, link->cause, &row->link.cause) != ERR_OK;
    return !read->nomem;
}

err story_links(struct request *request, const struct identity_row_view *rows, size_t row_count,
                struct link_row **links, size_t *count, struct problem *problem)
{
    struct links_read read = { .request = request };
    err error = ERR_OK;
    read.rows = arena_array(&request->arena, struct link_row, STORY_ROWS_MAX);
    if (read.rows == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; error == ERR_OK && i < row_count; i++)
        error = identity_read_links(server_ledger(request->server), rows[i].row, visit_link, &read,
                                    problem);
    *links = read.rows;
    *count = read.count;
    return error == ERR_OK && read.nomem ? ERR_NOMEM : error;
}
