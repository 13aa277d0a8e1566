/* SPDX-License-Identifier: Apache-2.0 */
/* fields: reading XML by expat, and JSON, into a flat list. */
#include "channel/fields.h"

#include <expat.h>
#include <string.h>

#include "channel/crypt.h"

#define FIELDS_BYTES_MAX ((size_t)4 << 20)
#define BODY_BYTES_MAX ((size_t)1 << 20)
#define PATH_BYTES_MAX 512

void fields_init(struct fields *fields)
{
    memset(fields, 0, sizeof *fields);
    arena_init(&fields->arena, "channel_callback", FIELDS_BYTES_MAX);
}

void fields_deinit(struct fields *fields)
{
    arena_deinit(&fields->arena);
}

static bool add(struct fields *fields, str path, str text)
{
    if (fields->items == NULL)
        fields->items = arena_array(&fields->arena, struct field, FIELDS_MAX);
    if (fields->items == NULL || fields->count == FIELDS_MAX)
        return false;
    struct field *field = &fields->items[fields->count];
    if (arena_dup(&fields->arena, path, &field->path) != ERR_OK ||
        arena_dup(&fields->arena, text, &field->text) != ERR_OK)
        return false;
    fields->count++;
    return true;
}

/* ---- XML ---- */

struct reading {
    XML_Parser parser;
    struct fields *fields;
    char path[PATH_BYTES_MAX];
    size_t ends[FIELDS_DEPTH_MAX + 1]; /* of the path at each depth */
    size_t depth;
    struct buffer text;
    bool is_leaf; /* nothing but text since the last start tag */
    bool refused;
};

static void refuse(struct reading *reading)
{
    reading->refused = true;
    XML_StopParser(reading->parser, XML_FALSE);
}

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *reading = context;
    size_t size = strlen(name), end = reading->depth > 0 ? reading->ends[reading->depth] : 0;
    (void)attributes;
    if (reading->depth == FIELDS_DEPTH_MAX || end + size + 2 > PATH_BYTES_MAX) {
        refuse(reading);
        return;
    }
    reading->depth++;
    if (reading->depth > 1) { /* the root has no name */
        if (end > 0)
            reading->path[end++] = '/';
        memcpy(reading->path + end, name, size);
        end += size;
    }
    reading->ends[reading->depth] = end;
    reading->is_leaf = true;
    buffer_clear(&reading->text);
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    struct reading *reading = context;
    size_t end = reading->ends[reading->depth];
    (void)name;
    if (reading->is_leaf && reading->depth > 1 &&
        (reading->text.failed || !add(reading->fields, str_from_bytes(reading->path, end),
                                      str_trim(buffer_str(&reading->text)))))
        refuse(reading);
    reading->is_leaf = false;
    reading->depth--;
}

static void XMLCALL on_text(void *context, const XML_Char *text, int size)
{
    struct reading *reading = context;
    buffer_append(&reading->text, text, (size_t)size);
}

static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int has_internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_internal;
    refuse(context); /* no entities, no files, no bombs */
}

err fields_read_xml(struct fields *fields, str xml, struct problem *problem)
{
    struct reading reading = { .fields = fields };
    if (xml.size > BODY_BYTES_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "a callback of %zu bytes", xml.size);
    reading.parser = XML_ParserCreate("UTF-8");
    if (reading.parser == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read XML");
    buffer_init(&reading.text, 256 << 10);
    XML_SetUserData(reading.parser, &reading);
    XML_SetElementHandler(reading.parser, on_start, on_end);
    XML_SetCharacterDataHandler(reading.parser, on_text);
    XML_SetStartDoctypeDeclHandler(reading.parser, on_doctype);
    bool fine = XML_Parse(reading.parser, xml.data != NULL ? xml.data : "", (int)xml.size,
                          XML_TRUE) == XML_STATUS_OK &&
                !reading.refused;
    XML_ParserFree(reading.parser);
    buffer_deinit(&reading.text);
    return fine
               ? ERR_OK
               : problem_set(problem, ERR_INVALID, "the callback is not the XML that it should be");
}

/* ---- JSON ---- */

static bool add_json(struct fields *fields, str path, json_value value, size_t depth)
{
    struct json_iterator iterator = json_iterate(value);
    enum json_kind kind = json_kind(value);
    char longer[PATH_BYTES_MAX];
    str name;
    json_value item;
    if (kind == JSON_TEXT)
        return add(fields, path, json_text(value));
    if (kind != JSON_OBJECT && kind != JSON_ARRAY) {
        struct buffer text;
        buffer_init(&text, 64);
        json_write_value(&text, value);
        bool fine = add(fields, path, buffer_str(&text));
        buffer_deinit(&text);
        return fine;
    }
    if (depth == FIELDS_DEPTH_MAX)
        return false;
    while (json_next(&iterator, &name, &item)) {
        size_t size = path.size;
        if (path.size + name.size + 2 > sizeof longer)
            return false;
        if (path.size > 0)
            memcpy(longer, path.data, path.size);
        if (kind == JSON_OBJECT) {
            if (size > 0)
                longer[size++] = '/';
            memcpy(longer + size, name.data, name.size);
            size += name.size;
        }
        if (!add_json(fields, str_from_bytes(longer, size), item, depth + 1))
            return false;
    }
    return true;
}

err fields_read_json(struct fields *fields, str json, struct problem *problem)
{
    struct json_parser *parser = NULL;
    json_value root;
    err error = json.size > BODY_BYTES_MAX
                    ? problem_set(problem, ERR_TOO_LARGE, "a callback of %zu bytes", json.size)
                    : json_parser_new(&parser, BODY_BYTES_MAX + 64);
    if (error == ERR_OK)
        error = json_parse(parser, json, &root, problem);
    if (error == ERR_OK && (!json_is_object(root) || !add_json(fields, STR_NONE, root, 0)))
        error = problem_set(problem, ERR_INVALID,
                            "the callback is not the JSON object that it should be");
    json_parser_free(&parser);
    return error;
}

err fields_read(struct fields *fields, str body, struct problem *problem)
{
    str trimmed = str_trim(body);
    return trimmed.size > 0 && trimmed.data[0] == '{' ? fields_read_json(fields, trimmed, problem)
                                                      : fields_read_xml(fields, trimmed, problem);
}

/* ---- finding ---- */

str fields_get(const struct fields *fields, const char *path)
{
    str wanted = str_from_c(path);
    for (size_t i = 0; i < fields->count; i++)
        if (str_equal(fields->items[i].path, wanted))
            return fields->items[i].text;
    return STR_NONE;
}

str fields_query(struct arena *arena, str query, const char *name)
{
    str pair, wanted = str_from_c(name), found = STR_NONE;
    while (str_split(&query, '&', &pair)) {
        str key = STR_NONE;
        struct buffer value;
        if (!str_split(&pair, '=', &key) || !str_equal(key, wanted))
            continue;
        buffer_init(&value, 64 << 10);
        if (!crypt_url_decode(&value, pair) ||
            arena_dup(arena, buffer_str(&value), &found) != ERR_OK)
            found = STR_NONE;
        buffer_deinit(&value);
        break;
    }
    return found;
}
