/* SPDX-License-Identifier: Apache-2.0 */
/* fill_value: what one column of history is made of; see fill_value.h. */
#include "engine/past/fill_value.h"

#include "base/digest.h"
#include "engine/past/rows.h"
#include "history/extract.h"

/* Texts that are remembered with what they mean: most properties have few. */
#define KEPT_SLOTS 32768u
#define KEPT_MAX (KEPT_SLOTS / 4 * 3)
#define KEPT_TEXT_BYTES_MAX 256
#define KEPT_BYTES_MAX ((size_t)8 << 20)
#define KEPT_BYTES_EACH_MAX 4096
#define KEPT_SEED 0x6B657074u

enum fill_from { FROM_SOURCE, FROM_RECEIVED, FROM_PROMOTED, FROM_PROPS };

struct kept {
    uint64_t hash; /* 0: free */
    str found, currency;
    bool has;
    struct history_value value;
};

struct fill_value {
    enum fill_from from;
    uint32_t promoted; /* FROM_PROMOTED */
    enum column_kind kind;
    str path, top; /* borrowed: the want's */
    struct extractor *extractor;
    struct event event;
    struct buffer object;
    struct arena arena; /* of what is kept */
    size_t kept_bytes;
    uint32_t kept_count;
    struct kept kept[KEPT_SLOTS];
};

static const struct promoted_column {
    const char *column, *property;
    enum column_kind kind;
} promoted_columns[] = {
#define X(NAME, column, property, type) { column, property, COLUMN_##type },
    PROMOTED_TABLE(X)
#undef X
};

static enum fill_from from_of(const struct fill_want *want, uint32_t *promoted)
{
    if (str_equal(want->path, STR("$source")))
        return FROM_SOURCE;
    if (str_equal(want->path, STR("$received")))
        return FROM_RECEIVED;
    for (*promoted = 0; *promoted < PROMOTED_COUNT; (*promoted)++)
        if (promoted_columns[*promoted].kind == want->kind &&
            str_equal(want->path, str_from_c(promoted_columns[*promoted].property)))
            return FROM_PROMOTED;
    return FROM_PROPS;
}

err fill_value_new(struct fill_value **value, const struct fill_want *want)
{
    struct fill_value *made = memory_alloc(sizeof *made);
    *value = made;
    if (made == NULL)
        return ERR_NOMEM;
    made->from = from_of(want, &made->promoted);
    made->kind = want->kind;
    made->path = want->path;
    made->top = str_slice(want->path, 0, str_find_byte(want->path, '.'));
    buffer_init(&made->object, EVENT_BYTES_MAX);
    arena_init(&made->arena, "history_fill_kept", KEPT_BYTES_MAX * 2);
    err error = extractor_new(&made->extractor);
    return error == ERR_OK ? extractor_add(made->extractor, want->path, want->kind, want->column)
                           : error;
}

void fill_value_free(struct fill_value **value)
{
    struct fill_value *gone = *value;
    *value = NULL;
    if (gone == NULL)
        return;
    extractor_free(&gone->extractor);
    buffer_deinit(&gone->object);
    arena_deinit(&gone->arena);
    memory_free(gone);
}

/* ---- the question ---- */

bool fill_value_is_text(const struct fill_value *value)
{
    return value->from == FROM_PROPS ||
           (value->from == FROM_PROMOTED && promoted_columns[value->promoted].kind == COLUMN_TEXT);
}

bool fill_value_has_currency(const struct fill_value *value)
{
    return value->from == FROM_PROPS && value->kind == COLUMN_MONEY;
}

/* As a member's name in JSON: "name", with `after` behind it. */
static void write_member(str name, str after, struct buffer *sql)
{
    struct buffer member;
    buffer_init(&member, EVENT_NAME_BYTES_MAX + 16);
    buffer_append_byte(&member, '"');
    buffer_append_str(&member, name);
    buffer_append_byte(&member, '"');
    buffer_append_str(&member, after);
    rows_quote(sql, buffer_str(&member));
    buffer_deinit(&member);
}

/* Whether a name stands in JSON as it is, and what comes before a name cannot be taken for its beginning. */
static bool is_plain_name(str name)
{
    if (name.size == 0 || name.size > EVENT_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c < ' ' || c == '"' || c == '\\' || c == '/' || c == 0x7f)
            return false;
    }
    return memchr(",:[]{} ", name.data[0], 7) == NULL;
}

/* The text of the member alone where there is one meaning of the bytes: it is named once, nothing is within anything and
 * nothing escaped. (A text after its closing quote goes on with one of ",:]}", with which no plain name begins.) */
static void write_member_text(const struct fill_value *value, struct buffer *sql)
{
    buffer_append_str(sql, STR("multiIf(position(props, "));
    write_member(value->top, STR_NONE, sql);
    buffer_append_str(sql, STR(") = 0, '', position(props, "));
    write_member(value->top, STR(":"), sql);
    buffer_append_str(sql, STR(") = 0 OR position(substring(props, 2), '{') > 0 OR "
                               "position(props, '\\\\') > 0 OR position(substring(props, "
                               "position(props, "));
    write_member(value->top, STR(":"), sql);
    buffer_append_str(sql, STR(") + 2), "));
    write_member(value->top, STR_NONE, sql);
    buffer_append_str(sql, STR(") > 0, props, visitParamExtractRaw(props, "));
    rows_quote(sql, value->top);
    buffer_append_str(sql, STR("))"));
}

static void write_props(const struct fill_value *value, struct buffer *sql)
{
    bool is_whole = value->top.size == value->path.size;
    if (!is_plain_name(value->path)) {
        buffer_append_str(sql, STR("props"));
    } else if (is_whole) {
        write_member_text(value, sql);
    } else { /* within another, or a name with a point in it */
        buffer_append_str(sql, STR("if(position(props, "));
        write_member(value->top, STR_NONE, sql);
        buffer_append_str(sql, STR(") > 0 OR position(props, "));
        write_member(value->path, STR_NONE, sql);
        buffer_append_str(sql, STR(") > 0, props, '')"));
    }
}

static void write_found(const struct fill_value *value, struct buffer *sql)
{
    const char *column =
        promoted_columns[value->from == FROM_PROMOTED ? value->promoted : 0].column;
    switch (value->from) {
    case FROM_SOURCE:
        buffer_append_str(sql, STR("toInt64(source)"));
        break;
    case FROM_RECEIVED:
        buffer_append_str(sql, STR("received_ms"));
        break;
    case FROM_PROMOTED:
        buffer_printf(sql, fill_value_is_text(value) ? "toString(%s)" : "toInt64(%s)", column);
        break;
    case FROM_PROPS:
        write_props(value, sql);
        break;
    }
}

void fill_value_write_query(const struct fill_value *value, uint64_t until_seq, struct buffer *sql)
{
    buffer_append_str(sql, STR("SELECT customer, seq, time_ms, "));
    write_found(value, sql);
    buffer_append_str(sql, STR(" AS found"));
    if (fill_value_has_currency(value))
        buffer_append_str(sql, STR(", toString(currency)"));
    buffer_printf(sql, " FROM events WHERE customer > 0 AND seq <= %llu",
                  (unsigned long long)until_seq);
    if (fill_value_is_text(value))
        buffer_append_str(sql, STR(" AND found != ''"));
    else if (value->from == FROM_PROMOTED)
        buffer_append_str(sql, STR(" AND found != toInt64('-9223372036854775808')"));
    buffer_append_str(sql, STR(" ORDER BY customer, time_ms, seq FORMAT Native"));
    buffer_append_byte(sql, 0);
}

/* ---- the value ---- */

err fill_value_of_event(struct fill_value *value, const struct event *event,
                        const struct history_value **out)
{
    uint32_t count = 0;
    *out = NULL;
    err error = extractor_run(value->extractor, event, out, &count);
    if (error != ERR_OK || count == 0)
        *out = NULL;
    return error;
}

err fill_value_of_number(struct fill_value *value, int64_t found, const struct history_value **out)
{
    struct event *event = &value->event;
    if (value->from == FROM_SOURCE)
        event->source_number = (uint32_t)found;
    else if (value->from == FROM_RECEIVED)
        event->received_ms = found;
    else
        event->promoted_int[value->promoted] = found;
    event->promoted_set = value->from == FROM_PROMOTED ? UINT32_C(1) << value->promoted : 0;
    return fill_value_of_event(value, event, out);
}

/* As it would stand in an event that has nothing else. */
static err put_text(struct fill_value *value, str found, str currency)
{
    struct event *event = &value->event;
    event->promoted_set = 0;
    if (value->from == FROM_PROMOTED) {
        event->promoted_text[value->promoted] = found;
        event->promoted_set = UINT32_C(1) << value->promoted;
        return ERR_OK;
    }
    if (currency.size > 0) {
        event->promoted_text[PROMOTED_CURRENCY] = currency;
        event->promoted_set = UINT32_C(1) << PROMOTED_CURRENCY;
    }
    event->props = found;
    if (found.data[0] == '{')
        return ERR_OK;
    buffer_clear(&value->object);
    buffer_append_str(&value->object, STR("{\""));
    buffer_append_str(&value->object, value->top);
    buffer_append_str(&value->object, STR("\":"));
    buffer_append_str(&value->object, found);
    buffer_append_byte(&value->object, '}');
    event->props = buffer_str(&value->object);
    return buffer_status(&value->object);
}

static struct kept *find_kept(struct fill_value *value, uint64_t hash, str found, str currency)
{
    uint32_t at = (uint32_t)hash & (KEPT_SLOTS - 1);
    while (value->kept[at].hash != 0 &&
           !(value->kept[at].hash == hash && str_equal(value->kept[at].found, found) &&
             str_equal(value->kept[at].currency, currency)))
        at = (at + 1) & (KEPT_SLOTS - 1);
    return &value->kept[at];
}

static size_t value_bytes(const struct history_value *of)
{
    size_t bytes = of->text.size + of->text_count * sizeof(str);
    for (uint32_t i = 0; i < of->text_count; i++)
        bytes += of->texts[i].size + 1;
    return bytes;
}

static err dup_value(struct arena *arena, struct history_value *of)
{
    str *texts = arena_array(arena, str, of->text_count);
    err error = texts != NULL ? arena_dup(arena, of->text, &of->text) : ERR_NOMEM;
    for (uint32_t i = 0; error == ERR_OK && i < of->text_count; i++)
        error = arena_dup(arena, of->texts[i], &texts[i]);
    of->texts = texts;
    return error;
}

/* Short texts with short meanings. */
static err keep(struct fill_value *value, struct kept *kept, uint64_t hash, str found, str currency,
                const struct history_value *of)
{
    struct kept made = { .hash = hash, .has = of != NULL };
    size_t bytes = found.size + currency.size + (of != NULL ? value_bytes(of) : 0);
    if (of != NULL)
        made.value = *of;
    err error = arena_dup(&value->arena, found, &made.found);
    if (error == ERR_OK)
        error = arena_dup(&value->arena, currency, &made.currency);
    if (error == ERR_OK && of != NULL)
        error = dup_value(&value->arena, &made.value);
    if (error != ERR_OK)
        return error;
    *kept = made;
    value->kept_count++;
    value->kept_bytes += bytes;
    return ERR_OK;
}

err fill_value_of_text(struct fill_value *value, str found, str currency,
                       const struct history_value **out, bool *is_kept)
{
    bool is_short = found.size <= KEPT_TEXT_BYTES_MAX && currency.size <= KEPT_TEXT_BYTES_MAX &&
                    !fill_value_is_full(value);
    struct kept *kept = NULL;
    uint64_t hash = 0;
    *is_kept = false;
    if (is_short) {
        hash = hash_bytes64(found.data, found.size, KEPT_SEED) | 1;
        kept = find_kept(value, hash, found, currency);
        *is_kept = kept->hash != 0;
    }
    if (!*is_kept) {
        err error = put_text(value, found, currency);
        if (error == ERR_OK)
            error = fill_value_of_event(value, &value->event, out);
        if (error != ERR_OK || kept == NULL ||
            (*out != NULL && value_bytes(*out) > KEPT_BYTES_EACH_MAX))
            return error;
        error = keep(value, kept, hash, found, currency, *out);
        if (error != ERR_OK)
            return error;
        *is_kept = true;
    }
    *out = kept->has ? &kept->value : NULL;
    return ERR_OK;
}

bool fill_value_is_full(const struct fill_value *value)
{
    return value->kept_count >= KEPT_MAX || value->kept_bytes >= KEPT_BYTES_MAX;
}

void fill_value_forget(struct fill_value *value)
{
    memset(value->kept, 0, sizeof value->kept);
    arena_reset(&value->arena);
    value->kept_bytes = 0;
    value->kept_count = 0;
}
