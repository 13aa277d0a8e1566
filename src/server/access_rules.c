/* SPDX-License-Identifier: Apache-2.0 */
/* The settings `access.*`. */
#include "server/access_rules.h"

#include <stdatomic.h>

#include "server/answer.h"

struct rule {
    const char *setting;
    int64_t otherwise, least, most;
};

static const struct rule rules[ACCESS_RULE_COUNT] = {
#define X(name, setting, otherwise, least, most, what) { setting, otherwise, least, most },
    ACCESS_RULE_TABLE(X)
#undef X
};

int64_t access_rule(const struct server *server, enum access_rule rule)
{
    return atomic_load_explicit(&server->access_rules[rule], memory_order_relaxed);
}

static const struct rule *find_rule(str key, size_t *index)
{
    for (*index = 0; *index < ACCESS_RULE_COUNT; (*index)++)
        if (str_equal(key, str_from_c(rules[*index].setting)))
            return &rules[*index];
    return NULL;
}

static int64_t number_of(json_value value, int64_t otherwise)
{
    return json_kind(value) == JSON_BOOL ? json_bool(value, false) : json_int(value, otherwise);
}

void access_rules_changed(struct server *server, str key, json_value value)
{
    size_t index;
    const struct rule *rule = find_rule(key, &index);
    if (rule != NULL)
        atomic_store(&server->access_rules[index], number_of(value, rule->otherwise));
}

struct load_context {
    struct server *server;
    struct json_parser *parser;
};

static bool visit_setting(void *context, const struct ledger_value *values)
{
    struct load_context *load = context;
    json_value value;
    if (!str_starts_with(values[0].bytes, STR("access.")))
        return false; /* in the order of keys */
    if (json_parse(load->parser, values[1].bytes, &value, NULL) == ERR_OK)
        access_rules_changed(load->server, values[0].bytes, value);
    return true;
}

err access_rules_start(struct server *server, struct problem *problem)
{
    struct load_context load = { .server = server };
    struct ledger_value from = ledger_text(STR("access."));
    for (size_t i = 0; i < ACCESS_RULE_COUNT; i++)
        atomic_store(&server->access_rules[i], rules[i].otherwise);
    err error = json_parser_new(&load.parser, 65536);
    if (error == ERR_OK)
        error = ledger_scan(engine_ledger(server->engine), LEDGER_SETTINGS, &from, visit_setting,
                            &load, problem);
    json_parser_free(&load.parser);
    return error;
}

static err check_roles(json_value value, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(value);
    json_value item;
    bool good = json_kind(value) == JSON_ARRAY;
    while (good && json_next(&iterator, NULL, &item))
        good = role_key_is_good(json_text(item));
    if (good)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "this setting is a list of keys of roles");
    return problem_at(problem, ERR_UNPROCESSABLE, "/value");
}

err access_rules_check(str key, json_value value, struct problem *problem)
{
    size_t index;
    const struct rule *rule = find_rule(key, &index);
    if (str_equal(key, STR(SETTING_SECOND_FACTOR_ROLES)))
        return check_roles(value, problem);
    if (rule == NULL)
        return ERR_OK;
    int64_t number = number_of(value, INT64_MIN);
    if (number >= rule->least && number <= rule->most)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, STR_FMT " is a number from %lld to %lld", STR_ARG(key),
                (long long)rule->least, (long long)rule->most);
    return problem_at(problem, ERR_UNPROCESSABLE, "/value");
}

struct found {
    struct request *request;
    json_value value;
    err error;
};

static bool visit_one(void *context, const struct ledger_value *values)
{
    struct found *found = context;
    found->error = json_parse(found->request->scratch, values[1].bytes, &found->value, NULL);
    return false;
}

err access_rules_setting(struct request *request, str key, json_value *value,
                         struct problem *problem)
{
    struct found found = { .request = request };
    struct ledger_value wanted = ledger_text(key);
    err error = ledger_find(server_ledger(request->server), LEDGER_SETTINGS, &wanted, 1, visit_one,
                            &found, problem);
    *value = found.error == ERR_OK ? found.value : (json_value){ .document = NULL };
    return error;
}

err access_rules_second_factor(struct request *request, const struct user *user, bool *needed,
                               struct problem *problem)
{
    json_value roles, item;
    err error = access_rules_setting(request, STR(SETTING_SECOND_FACTOR_ROLES), &roles, problem);
    *needed = false;
    if (error != ERR_OK)
        return error;
    struct json_iterator iterator = json_iterate(roles);
    while (json_next(&iterator, NULL, &item))
        for (size_t i = 0; i < user->settings.role_count; i++)
            *needed = *needed || str_equal(json_text(item), user->settings.roles[i]);
    return ERR_OK;
}
