/* SPDX-License-Identifier: Apache-2.0 */
/* setting: things kept as settings; see setting.h. */
#include "engine/setting.h"

#include <stdio.h>

#define NAME_BYTES_MAX 128

struct finding {
    struct arena *arena;
    str text;
    err error;
};

static bool take_setting(void *context, const struct ledger_value *values)
{
    struct finding *finding = context;
    finding->error = arena_dup(finding->arena, values[1].bytes, &finding->text);
    return false;
}

err setting_find(struct engine *engine, const char *prefix, str key, const char *what,
                 struct arena *arena, struct json_parser *parser, json_value *value,
                 struct problem *problem)
{
    struct finding finding = { .arena = arena };
    str name;
    err error = arena_printf(arena, &name, "%s" STR_FMT, prefix, STR_ARG(key));
    struct ledger_value wanted = ledger_text(name);
    if (error == ERR_OK)
        error = ledger_find(engine_ledger(engine), LEDGER_SETTINGS, &wanted, 1, take_setting,
                            &finding, problem);
    if (error == ERR_OK)
        error = finding.error;
    if (error == ERR_OK &&
        (finding.text.size == 0 || json_parse(parser, finding.text, value, problem) != ERR_OK ||
         !json_is_object(*value)))
        error = problem_set(problem, ERR_NOT_FOUND, "there is no %s '%.*s'", what,
                            (int)str_utf8_prefix_bytes(key, 60), key.data);
    return error;
}

static void write_key(struct json_writer *writer, const char *prefix, str key)
{
    char name[NAME_BYTES_MAX];
    snprintf(name, sizeof name, "%s" STR_FMT, prefix, STR_ARG(key));
    json_member_text(writer, STR("key"), str_from_c(name));
    json_put_key(writer, STR("value"));
}

void setting_put_begin(struct json_writer *writer, struct buffer *body, const char *prefix, str key)
{
    json_writer_init(writer, body);
    json_begin_object(writer);
    write_key(writer, prefix, key);
    json_begin_object(writer);
}

err setting_put_end(struct json_writer *writer, struct buffer *body)
{
    json_end_object(writer);
    json_end_object(writer);
    return buffer_status(body);
}

err setting_write_forget(struct buffer *body, const char *prefix, str key)
{
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    write_key(&writer, prefix, key);
    json_put_null(&writer);
    json_end_object(&writer);
    return buffer_status(body);
}
