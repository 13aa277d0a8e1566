/* SPDX-License-Identifier: Apache-2.0 */
/* row_form: what history asks of the warehouse, and the rows that come as events; see row_form.h. */
#include "engine/past/row_form.h"

#include <string.h>

#include "engine/past/rows.h"

static const struct promoted_column {
    const char *column, *property;
    enum column_kind kind;
} promoted_columns[] = {
#define X(NAME, column, property, type) { column, property, COLUMN_##type },
    PROMOTED_TABLE(X)
#undef X
};

static bool is_promoted(str path, enum column_kind kind, uint32_t *index)
{
    for (*index = 0; *index < PROMOTED_COUNT; (*index)++) {
        const struct promoted_column *promoted = &promoted_columns[*index];
        if (str_equal(path, str_from_c(promoted->property)))
            return promoted->kind == kind;
    }
    return false;
}

/* As it stands in JSON; of a name that is escaped there: whatever has a name. */
static void add_name(struct row_form *form, str name)
{
    char quoted[EVENT_NAME_BYTES_MAX + 2];
    bool is_plain = name.size <= EVENT_NAME_BYTES_MAX;
    for (size_t i = 0; i < name.size && is_plain; i++)
        is_plain = (unsigned char)name.data[i] >= ' ' && strchr("\"\\/\x7f", name.data[i]) == NULL;
    if (form->names.size > 0)
        buffer_append_byte(&form->names, ',');
    quoted[0] = '"';
    if (is_plain) {
        memcpy(quoted + 1, name.data, name.size);
        quoted[name.size + 1] = '"';
    }
    rows_quote(&form->names, (str){ quoted, is_plain ? name.size + 2 : 1 });
}

void form_add(struct row_form *form, str path, enum column_kind kind)
{
    uint32_t index;
    if (str_equal(path, STR("$source")) || str_equal(path, STR("$received")))
        return; /* of the event itself */
    if (is_promoted(path, kind, &index)) {
        form->promoted_set |= 1u << index;
        return;
    }
    str top = str_slice(path, 0, str_find_byte(path, '.'));
    if (top.size > EVENT_NAME_BYTES_MAX)
        return;                                    /* no event has it */
    form->promoted_set |= 1u << PROMOTED_CURRENCY; /* an amount in props needs it */
    form->props = true;
    add_name(form, top);
    if (top.size < path.size)
        add_name(form, path); /* a name may have a point in it */
}

void form_write_columns(const struct row_form *form, struct buffer *sql)
{
    buffer_append_str(sql, STR("SELECT customer, seq, time_ms, received_ms, source, kind, "
                               "toString(type), toString(channel)"));
    for (uint32_t index = 0; index < PROMOTED_COUNT; index++) {
        if (form->promoted_set & 1u << index)
            buffer_printf(sql,
                          promoted_columns[index].kind == COLUMN_TEXT ? ", toString(%s)"
                                                                      : ", toInt64(%s)",
                          promoted_columns[index].column);
    }
    if (form->props)
        buffer_printf(sql, ", if(multiSearchAny(props, [%.*s]), props, '')",
                      STR_ARG(buffer_str(&form->names)));
}

void form_write_from(uint64_t until_seq, struct buffer *sql)
{
    buffer_printf(sql, " FROM events_kept WHERE customer > 0 AND seq <= %llu",
                  (unsigned long long)until_seq);
}

void form_write_order(struct buffer *sql)
{
    buffer_append_str(sql, STR(" ORDER BY customer, time_ms, seq FORMAT RowBinary"));
    buffer_append_byte(sql, 0);
}

void form_read_event(const struct row_form *form, struct cursor *cursor, uint32_t *node,
                     struct event *event)
{
    *node = read_u32(cursor);
    event->seq = read_u64(cursor);
    event->time_ms = read_i64(cursor);
    event->received_ms = read_i64(cursor);
    event->source_number = read_u32(cursor);
    event->kind = (enum event_kind)read_u8(cursor);
    event->type = read_text(cursor);
    event->channel = read_text(cursor);
    event->promoted_set = 0;
    for (uint32_t index = 0; index < PROMOTED_COUNT && !cursor->failed; index++) {
        if (!(form->promoted_set & 1u << index))
            continue;
        bool is_there;
        if (promoted_columns[index].kind == COLUMN_TEXT) {
            event->promoted_text[index] = read_text(cursor);
            is_there = event->promoted_text[index].size > 0;
        } else {
            event->promoted_int[index] = read_i64(cursor);
            is_there = event->promoted_int[index] != PROMOTED_MISSING;
        }
        event->promoted_set |= is_there ? 1u << index : 0;
    }
    event->props = form->props ? read_text(cursor) : STR_NONE;
}
