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

static err there_is_none(const char *what, str key, struct problem *problem)
{
    return problem_set(problem, ERR_NOT_FOUND, "there is no %s '%.*s'", what,
                       (int)str_utf8_prefix_bytes(key, 60), key.data);
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
        error = there_is_none(what, key, problem);
    return error;
}

/* ---- all of a kind ---- */

struct walking {
    str prefix, wanted;
    setting_taker take;
    void *context;
    size_t count;
};

static bool walk(void *context, const struct ledger_value *values)
{
    struct walking *walking = context;
    str name = values[0].bytes;
    if (!str_starts_with(name, walking->prefix))
        return str_compare(name, walking->prefix) < 0;
    str key = str_slice(name, walking->prefix.size, name.size);
    if (walking->wanted.size == 0 || str_equal(key, walking->wanted))
        walking->count += walking->take(walking->context, key);
    return true;
}

err setting_each(struct engine *engine, const char *prefix, str wanted, const char *what,
                 setting_taker take, void *context, struct problem *problem)
{
    struct walking walking = {
        .prefix = str_from_c(prefix), .wanted = wanted, .take = take, .context = context
    };
    struct ledger_value from = ledger_text(walking.prefix);
    err error = ledger_scan(engine_ledger(engine), LEDGER_SETTINGS, &from, walk, &walking, problem);
    return error == ERR_OK && wanted.size > 0 && walking.count == 0
               ? there_is_none(what, wanted, problem)
               : error;
}

/* ---- the bodies of commands ---- */

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
