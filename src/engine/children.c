/* SPDX-License-Identifier: Apache-2.0 */
/* children: are they held, and is she one; see children.h. */
#include "engine/children.h"

#include "engine/act/act_inside.h"
#include "engine/state.h"
#include "profile/age.h"

#define SETTING_BYTES_MAX 65536

bool engine_holds_child_at(const struct engine *engine, const uint32_t *nodes, size_t node_count,
                           int64_t at_ms)
{
    const struct act *act = engine->act;
    return !act->children_released && profile_is_younger(engine->profile, nodes, node_count,
                                                         AGE_OF_CHILDREN, act->zone, at_ms);
}

bool engine_keeps_child(const struct engine *engine, const uint32_t *nodes, size_t node_count)
{
    bool agreed = false;
    return engine_holds_child_at(engine, nodes, node_count, engine->now_ms) &&
           !(profile_consent(engine->profile, nodes, node_count, STR(PURPOSE_GUARDIAN), &agreed) &&
             agreed);
}

void children_setting(struct engine *engine, str key, json_value value)
{
    if (!str_equal(key, STR(SETTING_SENSITIVE_TRAITS)))
        return;
    json_value children = json_get(value, STR(SENSITIVE_CHILDREN));
    engine->act->children_released = json_int(json_get(children, STR("released_by")), 0) != 0;
}

struct loading {
    struct engine *engine;
    err error;
};

static bool load(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct json_parser *parser;
    json_value value;
    if (!str_equal(values[0].bytes, STR(SETTING_SENSITIVE_TRAITS)))
        return true;
    loading->error = json_parser_new(&parser, SETTING_BYTES_MAX);
    if (loading->error != ERR_OK)
        return false;
    if (json_parse(parser, values[1].bytes, &value, NULL) == ERR_OK)
        children_setting(loading->engine, values[0].bytes, value);
    json_parser_free(&parser);
    return false;
}

err children_load(struct engine *engine, struct problem *problem)
{
    struct loading loading = { .engine = engine };
    err error = ledger_scan(engine->ledger, LEDGER_SETTINGS, NULL, load, &loading, problem);
    return error == ERR_OK ? loading.error : error;
}
