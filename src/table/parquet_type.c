/* SPDX-License-Identifier: Apache-2.0 */
/* parquet_type: reading a type's text, such as "Nullable(Tuple(phone String, n Nullable(Int32)))". */
#include <string.h>

#include "table/parquet_type.h"

#define DEPTH_MAX 16
#define EXPRESSION_BYTES_MAX (64 * 1024)

static const char *const kind_names[] = {
#define X(name, text) text,
    PARQUET_KINDS(X)
#undef X
};

/* 'text' or `name`, for SQL */
static void write_quoted(struct buffer *out, char quote, str text)
{
    buffer_append_byte(out, (uint8_t)quote);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == quote || text.data[i] == '\\')
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)text.data[i]);
    }
    buffer_append_byte(out, (uint8_t)quote);
}

/* What is in the brackets of "Name(…)", if the type is of that name. */
static bool inside_of(str type, str name, str *inside)
{
    if (!str_starts_with(type, name) || type.size < name.size + 2 || type.data[name.size] != '(' ||
        type.data[type.size - 1] != ')')
        return false;
    *inside = str_slice(type, name.size + 1, type.size - 1);
    return true;
}

/* The part up to the next comma that is in no bracket and no quotes. */
static bool next_part(str *rest, str *part)
{
    int depth = 0;
    char quote = '\0';
    size_t at = 0;
    if (rest->size == 0)
        return false;
    for (; at < rest->size; at++) {
        char byte = rest->data[at];
        if (quote != '\0') {
            at += byte == '\\';
            quote = byte == quote ? '\0' : quote;
        } else if (byte == '\'' || byte == '`') {
            quote = byte;
        } else if (byte == ',' && depth == 0) {
            break;
        } else {
            depth += (byte == '(') - (byte == ')');
        }
    }
    *part = str_trim(str_slice(*rest, 0, at));
    *rest = str_slice(*rest, at + 1, rest->size);
    return true;
}

/* "phone String" or "`a b` Int32"; false for a type without a name before it. */
static bool split_element(str element, str *type, struct buffer *name)
{
    buffer_clear(name);
    size_t at = 0;
    if (element.size > 0 && element.data[0] == '`') {
        for (at = 1; at < element.size && element.data[at] != '`'; at++) {
            at += element.data[at] == '\\';
            if (at < element.size)
                buffer_append_byte(name, (uint8_t)element.data[at]);
        }
        at++;
    } else {
        at = str_find_byte(element, ' ');
        if (str_find_byte(element, '(') < at)
            return false;
        buffer_append_str(name, str_slice(element, 0, at));
    }
    *type = str_trim(str_slice(element, at, element.size));
    return type->size > 0 && !name->failed;
}

static void add(struct parquet_columns *columns, str name, enum parquet_kind kind,
                const char *before, str expression, const char *behind)
{
    if (columns->count++ > 0)
        buffer_append_byte(&columns->select, ',');
    buffer_append_str(&columns->select, str_from_c(before));
    buffer_append_str(&columns->select, expression);
    buffer_append_str(&columns->select, str_from_c(behind));
    json_begin_object(&columns->header);
    json_member_text(&columns->header, STR("name"), name);
    json_member_text(&columns->header, STR("kind"), str_from_c(kind_names[kind]));
    json_end_object(&columns->header);
}

static enum parquet_kind kind_of(str type)
{
    static const struct {
        const char *prefix;
        enum parquet_kind kind;
    } kinds[] = {
        { "Int", PARQUET_NUMBER },    { "UInt", PARQUET_NUMBER },   { "Decimal", PARQUET_NUMBER },
        { "Float", PARQUET_FLOAT },   { "BFloat", PARQUET_FLOAT },  { "Bool", PARQUET_BOOL },
        { "DateTime", PARQUET_TIME }, { "Date", PARQUET_DAY },      { "Array(", PARQUET_JSON },
        { "Map(", PARQUET_JSON },     { "Tuple(", PARQUET_JSON },   { "JSON", PARQUET_JSON },
        { "Nested(", PARQUET_JSON },  { "Variant(", PARQUET_JSON }, { "Dynamic", PARQUET_JSON },
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (str_starts_with(type, str_from_c(kinds[i].prefix)) &&
            !str_starts_with(type, STR("Interval")))
            return kinds[i].kind;
    return PARQUET_TEXT;
}

static void add_typed(struct parquet_columns *columns, str name, str type, str expression,
                      unsigned depth);

static bool has_names(str elements, struct buffer *name)
{
    str element, type;
    while (next_part(&elements, &element))
        if (!split_element(element, &type, name))
            return false;
    return true;
}

static void add_elements(struct parquet_columns *columns, str name, str elements, str expression,
                         unsigned depth)
{
    struct buffer key, path, inner;
    str element, type;
    buffer_init(&key, EXPRESSION_BYTES_MAX);
    buffer_init(&path, EXPRESSION_BYTES_MAX);
    buffer_init(&inner, EXPRESSION_BYTES_MAX);
    while (next_part(&elements, &element) && split_element(element, &type, &key)) {
        buffer_clear(&path);
        buffer_clear(&inner);
        buffer_append_str(&path, name);
        buffer_append_byte(&path, '.');
        buffer_append_str(&path, buffer_str(&key));
        buffer_append_str(&inner, STR("tupleElement("));
        buffer_append_str(&inner, expression);
        buffer_append_byte(&inner, ',');
        write_quoted(&inner, '\'', buffer_str(&key));
        buffer_append_byte(&inner, ')');
        if (!path.failed && !inner.failed)
            add_typed(columns, buffer_str(&path), type, buffer_str(&inner), depth + 1);
    }
    buffer_deinit(&key);
    buffer_deinit(&path);
    buffer_deinit(&inner);
}

static void add_typed(struct parquet_columns *columns, str name, str type, str expression,
                      unsigned depth)
{
    str inside;
    struct buffer scratch;
    while (inside_of(type, STR("Nullable"), &inside) ||
           inside_of(type, STR("LowCardinality"), &inside))
        type = str_trim(inside);
    buffer_init(&scratch, EXPRESSION_BYTES_MAX);
    bool nested =
        inside_of(type, STR("Tuple"), &inside) && depth < DEPTH_MAX && has_names(inside, &scratch);
    buffer_deinit(&scratch);
    if (nested) {
        add_elements(columns, name, inside, expression, depth);
        return;
    }
    enum parquet_kind kind = kind_of(type);
    if (kind == PARQUET_TIME && str_find_byte(type, '\'') == type.size)
        kind = PARQUET_LOCAL;
    if (kind == PARQUET_JSON) {
        add(columns, name, kind, "toJSONString(", expression, ")");
    } else if (str_starts_with(type, STR("FixedString"))) {
        /* a code of fixed length, or bytes */
        struct buffer text;
        buffer_init(&text, 4 * EXPRESSION_BYTES_MAX);
        buffer_append_str(&text, STR("if(isValidUTF8("));
        buffer_append_str(&text, expression);
        buffer_append_str(&text, STR("),toStringCutToZero("));
        buffer_append_str(&text, expression);
        buffer_append_str(&text, STR("),lower(hex("));
        buffer_append_str(&text, expression);
        add(columns, name, kind, "", buffer_str(&text), ")))");
        buffer_deinit(&text);
    } else {
        add(columns, name, kind, "", expression, "");
    }
}

void parquet_add_column(struct parquet_columns *columns, str name, str type)
{
    struct buffer expression;
    buffer_init(&expression, EXPRESSION_BYTES_MAX);
    write_quoted(&expression, '`', name);
    if (!expression.failed)
        add_typed(columns, name, str_trim(type), buffer_str(&expression), 0);
    buffer_deinit(&expression);
}
