/* SPDX-License-Identifier: Apache-2.0 */
/* stream: customers whose history in memory is not whole, judged by rows that are read back (S8).
 *
 * What is asked for is what the recipes can look at: their types, and the values of their columns. Customers go in
 * batches: the nodes of a batch are one question, its rows are kept until all are there, put together by customer, and
 * shown as a view each (history_view_rows). So a customer of many nodes is no other case than one of one. */
#include <stdlib.h>
#include <string.h>

#include "audience/state.h"

#define BATCH_CUSTOMERS 32768u
#define ROWS_BYTES_MAX ((size_t)2 << 30)
#define FORM_BYTES_MAX ((size_t)4 << 20)

/* ---- what is asked for ---- */

void stream_form_init(struct stream_form *form)
{
    *form = (struct stream_form){ .column_count = 0 };
    arena_init(&form->arena, "audience_stream_form", FORM_BYTES_MAX);
}

void stream_form_deinit(struct stream_form *form)
{
    arena_deinit(&form->arena);
}

static err add_type(struct stream_form *form, str type)
{
    for (size_t i = 0; i < form->type_count; i++)
        if (str_equal(form->types[i], type))
            return ERR_OK;
    str *longer = arena_array(&form->arena, str, form->type_count + 1);
    if (longer == NULL || arena_dup(&form->arena, type, &longer[form->type_count]) != ERR_OK)
        return ERR_NOMEM;
    if (form->type_count > 0)
        memcpy(longer, form->types, form->type_count * sizeof(*longer));
    form->types = longer;
    form->type_count++;
    return ERR_OK;
}

static err add_column(struct stream_form *form, str path, enum column_kind kind,
                      history_column column)
{
    for (size_t i = 0; i < form->column_count; i++)
        if (form->columns[i].column == column)
            return ERR_OK;
    struct audience_column *longer =
        arena_array(&form->arena, struct audience_column, form->column_count + 1);
    if (longer == NULL || arena_dup(&form->arena, path, &longer[form->column_count].path) != ERR_OK)
        return ERR_NOMEM;
    str kept = longer[form->column_count].path;
    if (form->column_count > 0)
        memcpy(longer, form->columns, form->column_count * sizeof(*longer));
    longer[form->column_count++] =
        (struct audience_column){ .path = kept, .kind = kind, .column = column };
    form->columns = longer;
    return ERR_OK;
}

err stream_form_rule(struct stream_form *form, const struct history *history,
                     const struct rule *rule)
{
    const struct rule_needs *needs = rule != NULL ? rule_needs(rule) : NULL;
    err error = ERR_OK;
    for (size_t i = 0; needs != NULL && i < needs->event_count && error == ERR_OK; i++) {
        form->any_type = form->any_type || needs->events[i].size == 0;
        error = add_type(form, needs->events[i]);
    }
    for (size_t i = 0; needs != NULL && i < needs->column_count && error == ERR_OK; i++) {
        history_column column =
            history_column_find(history, needs->columns[i].path, needs->columns[i].kind);
        if (column != 0)
            error = add_column(form, needs->columns[i].path, needs->columns[i].kind, column);
    }
    return error;
}

err stream_form_recipe(struct stream_form *form, const struct history *history,
                       const struct recipe *recipe)
{
    err error = stream_form_rule(form, history, recipe->measure);
    for (uint32_t i = 0; recipe->rules != NULL && i < recipe->value_count && error == ERR_OK; i++)
        error = stream_form_rule(form, history, recipe->rules[i]);
    for (uint32_t i = 0; i < recipe->part_count && error == ERR_OK; i++) {
        error = stream_form_rule(form, history, recipe->parts[i].rule);
        if (error == ERR_OK)
            error = stream_form_rule(form, history, recipe->parts[i].measure);
    }
    for (size_t i = 0; i < 3 && error == ERR_OK; i++)
        error = stream_form_rule(form, history, recipe->axes[i].measure);
    return error;
}

err stream_form_all(struct stream_form *form, const struct history *history)
{
    err error = ERR_OK;
    form->any_type = true;
    for (history_column column = 1; error == ERR_OK && column <= history_column_count(history);
         column++) {
        enum column_kind kind;
        str path = history_column_path(history, column, &kind);
        error = add_column(form, path, kind, column);
    }
    return error;
}

/* ---- a batch ---- */

struct owned_node {
    uint32_t node, owner; /* owner: which of the batch's customers */
};
struct batch {
    struct audience_past past;
    struct owned_node *owned; /* by node */
    uint32_t *nodes;
    size_t node_count, node_room;
    struct history_row *rows;
    uint32_t *owners; /* of the rows */
    size_t row_count, row_room;
    struct arena arena; /* of what rows point to */
};

static void batch_free(struct batch *batch)
{
    memory_free(batch->owned);
    memory_free(batch->nodes);
    memory_free(batch->rows);
    memory_free(batch->owners);
    arena_deinit(&batch->arena);
}

static bool reserve_nodes(struct batch *batch, size_t count)
{
    if (count <= batch->node_room)
        return true;
    size_t room = count * 2;
    struct owned_node *longer = memory_resize(batch->owned, room * sizeof(*longer));
    if (longer == NULL)
        return false;
    batch->owned = longer;
    uint32_t *nodes = memory_resize(batch->nodes, room * sizeof(*nodes));
    if (nodes == NULL)
        return false;
    batch->nodes = nodes;
    batch->node_room = room;
    return true;
}

/* batch->nodes is scratch here. */
static err add_nodes(struct batch *batch, struct history_reader *reader, uint32_t customer,
                     uint32_t owner)
{
    if (!reserve_nodes(batch, batch->node_count + 64))
        return ERR_NOMEM;
    size_t count = history_nodes(reader, customer, batch->nodes, 64);
    if (count > 64) {
        if (!reserve_nodes(batch, batch->node_count + count))
            return ERR_NOMEM;
        count = history_nodes(reader, customer, batch->nodes, count);
    }
    for (size_t i = 0; i < count; i++)
        batch->owned[batch->node_count++] = (struct owned_node){ batch->nodes[i], owner };
    return ERR_OK;
}

static int compare_owned(const void *left, const void *right)
{
    uint32_t a = ((const struct owned_node *)left)->node;
    uint32_t b = ((const struct owned_node *)right)->node;
    return a < b ? -1 : a > b;
}

static err find_nodes(struct batch *batch, struct history_reader *reader, const uint32_t *customers,
                      size_t count)
{
    err error = ERR_OK;
    batch->node_count = 0;
    history_read_begin(reader);
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        error = add_nodes(batch, reader, customers[i], (uint32_t)i);
    history_read_end(reader);
    if (error == ERR_OK && batch->node_count > 1)
        qsort(batch->owned, batch->node_count, sizeof(*batch->owned), compare_owned);
    for (size_t i = 0; error == ERR_OK && i < batch->node_count; i++)
        batch->nodes[i] = batch->owned[i].node;
    return error;
}

static uint32_t owner_of(const struct batch *batch, uint32_t node)
{
    size_t low = 0, high = batch->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (batch->owned[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    INVARIANT(low < batch->node_count && batch->owned[low].node == node);
    return batch->owned[low].owner;
}

static bool reserve_rows(struct batch *batch)
{
    if (batch->row_count < batch->row_room)
        return true;
    size_t room = batch->row_room > 0 ? batch->row_room * 2 : 4096;
    struct history_row *rows = memory_resize(batch->rows, room * sizeof(*rows));
    if (rows == NULL)
        return false;
    batch->rows = rows;
    uint32_t *owners = memory_resize(batch->owners, room * sizeof(*owners));
    if (owners == NULL)
        return false;
    batch->owners = owners;
    batch->row_room = room;
    return true;
}

static err keep_value(struct arena *arena, const struct history_value *from,
                      struct history_value *to)
{
    *to = *from;
    err error = arena_dup(arena, from->text, &to->text);
    if (error != ERR_OK || from->text_count == 0)
        return error;
    str *texts = arena_array(arena, str, from->text_count);
    if (texts == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < from->text_count && error == ERR_OK; i++)
        error = arena_dup(arena, from->texts[i], &texts[i]);
    to->texts = texts;
    return error;
}

/* Neighbouring rows have the same few names. */
static err keep_name(struct arena *arena, str from, str previous, str *to)
{
    if (str_equal(from, previous)) {
        *to = previous;
        return ERR_OK;
    }
    return arena_dup(arena, from, to);
}

static err keep_row(void *context, const struct history_row *from)
{
    struct batch *batch = context;
    if (!reserve_rows(batch))
        return ERR_NOMEM;
    str type = STR_NONE, channel = STR_NONE;
    if (batch->row_count > 0) {
        type = batch->rows[batch->row_count - 1].type;
        channel = batch->rows[batch->row_count - 1].channel;
    }
    struct history_row *row = &batch->rows[batch->row_count];
    *row = *from;
    err error = keep_name(&batch->arena, from->type, type, &row->type);
    if (error == ERR_OK)
        error = keep_name(&batch->arena, from->channel, channel, &row->channel);
    struct history_value *values =
        from->value_count > 0 ? arena_array(&batch->arena, struct history_value, from->value_count)
                              : NULL;
    if (error == ERR_OK && from->value_count > 0 && values == NULL)
        error = ERR_NOMEM;
    for (uint32_t i = 0; i < from->value_count && error == ERR_OK; i++)
        error = keep_value(&batch->arena, &from->values[i], &values[i]);
    row->values = values;
    batch->owners[batch->row_count] = owner_of(batch, from->node);
    batch->row_count += error == ERR_OK;
    return error;
}

static void restart(void *context)
{
    struct batch *batch = context;
    batch->row_count = 0;
    arena_reset(&batch->arena);
}

/* Rows by customer, in `order`; ends[i] is where those of customer i end. */
static err put_together(const struct batch *batch, size_t customers, struct history_row **sorted,
                        size_t **ends)
{
    *sorted = memory_resize(NULL, (batch->row_count + 1) * sizeof(**sorted));
    *ends = memory_alloc((customers + 1) * sizeof(**ends));
    if (*sorted == NULL || *ends == NULL)
        return ERR_NOMEM;
    size_t *at = *ends;
    for (size_t i = 0; i < batch->row_count; i++)
        at[batch->owners[i] + 1]++;
    for (size_t i = 1; i <= customers; i++)
        at[i] += at[i - 1];
    /* at[i] is where customer i begins; as rows are put it moves to where she ends */
    for (size_t i = 0; i < batch->row_count; i++)
        (*sorted)[at[batch->owners[i]]++] = batch->rows[i];
    return ERR_OK;
}

static err show_batch(const struct batch *batch, const struct streaming *streaming,
                      const uint32_t *customers, size_t count, bool *stopped)
{
    struct history_row *sorted = NULL;
    size_t *ends = NULL;
    err error = put_together(batch, count, &sorted, &ends);
    for (size_t i = 0; error == ERR_OK && i < count && !*stopped; i++) {
        struct history_view view;
        size_t begin = i > 0 ? ends[i - 1] : 0;
        error = history_view_rows(streaming->reader, sorted + begin, ends[i] - begin, &view);
        if (error == ERR_OK)
            *stopped = !streaming->visit(streaming->context, customers[i], &view);
    }
    memory_free(sorted);
    memory_free(ends);
    return error;
}

static int compare_rows(const void *left, const void *right)
{
    const struct history_row *a = left, *b = right;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

/* Engine: what was read stays in memory. Its rows have all types and columns. */
static err restore_batch(struct audience *audience, struct batch *batch)
{
    if (batch->row_count > 1)
        qsort(batch->rows, batch->row_count, sizeof(*batch->rows), compare_rows);
    return history_restore(audience->config.history, batch->nodes, batch->node_count, batch->rows,
                           batch->row_count);
}

err stream_customers(struct audience *audience, const struct streaming *streaming,
                     const uint32_t *customers, size_t count, struct problem *problem)
{
    const struct stream_form *form = streaming->form;
    struct batch batch = { .past = { .types = form->types,
                                     .type_count = form->any_type ? 0 : form->type_count,
                                     .columns = form->columns,
                                     .column_count = form->column_count,
                                     .until_seq = streaming->until_seq,
                                     .take = keep_row,
                                     .restart = restart } };
    bool stopped = false;
    err error = ERR_OK;
    batch.past.context = &batch;
    arena_init(&batch.arena, "audience_stream", ROWS_BYTES_MAX);
    for (size_t at = 0; at < count && error == ERR_OK && !stopped;) {
        size_t some = count - at < BATCH_CUSTOMERS ? count - at : BATCH_CUSTOMERS;
        restart(&batch);
        error = find_nodes(&batch, streaming->reader, customers + at, some);
        batch.past.nodes = batch.nodes;
        batch.past.node_count = batch.node_count;
        if (error == ERR_OK)
            error = audience->config.past(audience->config.context, &batch.past, problem);
        if (error == ERR_OK)
            error = show_batch(&batch, streaming, customers + at, some, &stopped);
        if (error == ERR_OK && streaming->restore)
            error = restore_batch(audience, &batch);
        metric_add(METRIC_AUDIENCE_STREAMED, (int64_t)some);
        at += some;
    }
    batch_free(&batch);
    return error;
}

/* ---- in two steps: read by a thread, shown to the engine ---- */

struct stream_batch {
    struct batch batch;
    struct history_row *sorted;
    size_t *ends;
};

void stream_batch_free(struct stream_batch **batch)
{
    struct stream_batch *gone = *batch;
    *batch = NULL;
    if (gone == NULL)
        return;
    batch_free(&gone->batch);
    memory_free(gone->sorted);
    memory_free(gone->ends);
    memory_free(gone);
}

err stream_read(struct audience *audience, const struct stream_form *form, uint64_t until_seq,
                struct history_reader *reader, const uint32_t *customers, size_t count,
                struct stream_batch **read, struct problem *problem)
{
    struct stream_batch *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    struct batch *batch = &made->batch;
    batch->past = (struct audience_past){ .types = form->types,
                                          .type_count = form->any_type ? 0 : form->type_count,
                                          .columns = form->columns,
                                          .column_count = form->column_count,
                                          .until_seq = until_seq,
                                          .take = keep_row,
                                          .restart = restart,
                                          .context = batch };
    arena_init(&batch->arena, "audience_recall", ROWS_BYTES_MAX);
    err error = find_nodes(batch, reader, customers, count);
    batch->past.nodes = batch->nodes;
    batch->past.node_count = batch->node_count;
    if (error == ERR_OK)
        error = audience->config.past(audience->config.context, &batch->past, problem);
    if (error == ERR_OK)
        error = put_together(batch, count, &made->sorted, &made->ends);
    metric_add(METRIC_AUDIENCE_STREAMED, (int64_t)count);
    if (error != ERR_OK)
        stream_batch_free(&made);
    *read = made;
    return error;
}

err stream_show(const struct stream_batch *batch, struct history_reader *reader, size_t index,
                struct history_view *view)
{
    size_t begin = index > 0 ? batch->ends[index - 1] : 0;
    return history_view_rows(reader, batch->sorted + begin, batch->ends[index] - begin, view);
}

/* ---- for threads: who waits for her rows ---- */

bool stream_list_add(struct stream_list *list, uint32_t customer)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? list->room * 2 : 1024;
        uint32_t *longer = memory_resize(list->customers, room * sizeof(*longer));
        if (longer == NULL)
            return false;
        list->customers = longer;
        list->room = room;
    }
    list->customers[list->count++] = customer;
    return true;
}

void stream_list_free(struct stream_list *list)
{
    memory_free(list->customers);
    *list = (struct stream_list){ .count = 0 };
}
