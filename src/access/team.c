/* SPDX-License-Identifier: Apache-2.0 */
/* Teams: the snapshot that requests are judged by, and what a team may look like. */
#include "access/team.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define SET_BYTES_MAX (64 * 1024 * 1024)
#define SETTINGS_BYTES_MAX (256 * 1024)

struct team_set {
    _Atomic uint32_t references;
    struct arena arena;
    struct team *teams; /* by key */
    size_t team_count, team_capacity;
    struct team_share *shares;
    size_t share_count, share_capacity;
    struct json_parser *parser; /* while it is loaded */
    err error;
};

static const char *const level_texts[] = { "nothing", "read", "use", "change", "own" };

const char *team_level_text(enum team_level level)
{
    INVARIANT(level <= TEAM_OWN);
    return level_texts[level];
}

bool team_level_from_text(str text, enum team_level *level)
{
    for (int i = TEAM_READ; i <= TEAM_CHANGE; i++) {
        if (str_equal(text, str_from_c(level_texts[i]))) {
            *level = (enum team_level)i;
            return true;
        }
    }
    return false;
}

/* ---- loading ---- */

/* The old array stays in the arena: sets are small. */
static void *grow(struct team_set *set, void *array, size_t count, size_t *capacity,
                  size_t size_bytes)
{
    if (count < *capacity)
        return array;
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *bigger = arena_alloc_array(&set->arena, size_bytes, wanted);
    if (bigger == NULL) {
        set->error = ERR_NOMEM;
        return NULL;
    }
    if (count > 0)
        memcpy(bigger, array, count * size_bytes);
    *capacity = wanted;
    return bigger;
}

static str keep(struct team_set *set, str text)
{
    str kept = STR_NONE;
    if (set->error == ERR_OK)
        set->error = arena_dup(&set->arena, text, &kept);
    return kept;
}

static str keep_json(struct team_set *set, json_value value)
{
    struct buffer text;
    if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
        return STR_NONE;
    buffer_init(&text, SETTINGS_BYTES_MAX);
    json_write_value(&text, value);
    if (set->error == ERR_OK)
        set->error = buffer_status(&text);
    str kept = keep(set, buffer_str(&text));
    buffer_deinit(&text);
    return kept;
}

/* A list of texts, or one. */
static str *keep_texts(struct team_set *set, json_value list, size_t *count)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    bool is_one = json_kind(list) == JSON_TEXT;
    str *texts = arena_array(&set->arena, str, is_one ? 1 : json_count(list) + 1);
    *count = 0;
    if (texts == NULL) {
        set->error = ERR_NOMEM;
        return NULL;
    }
    if (is_one) {
        texts[(*count)++] = keep(set, json_text(list));
        return texts;
    }
    while (json_next(&iterator, NULL, &item))
        texts[(*count)++] = keep(set, json_text(item));
    return texts;
}

static void keep_conditions(struct team_set *set, struct team *team, json_value events)
{
    struct json_iterator iterator = json_iterate(events);
    json_value item;
    team->conditions = arena_array(&set->arena, struct team_condition, json_count(events) + 1);
    if (team->conditions == NULL) {
        set->error = ERR_NOMEM;
        return;
    }
    while (json_next(&iterator, NULL, &item)) {
        struct team_condition *condition = &team->conditions[team->condition_count++];
        json_value one = json_get(item, STR("eq"));
        condition->prop = keep(set, json_text(json_get(item, STR("prop"))));
        condition->values = keep_texts(
            set, json_kind(one) == JSON_TEXT ? one : json_get(item, STR("in")), &condition->count);
    }
}

static bool visit_team(void *context, const struct ledger_value *values)
{
    struct team_set *set = context;
    json_value settings;
    struct team *teams =
        grow(set, set->teams, set->team_count, &set->team_capacity, sizeof(*set->teams));
    if (teams == NULL)
        return false;
    set->teams = teams;
    struct team *team = &set->teams[set->team_count++];
    *team = (struct team){ .key = keep(set, values[0].bytes),
                           .name = keep(set, values[1].bytes),
                           .parent = keep(set, values[2].bytes),
                           .settings = keep(set, values[3].bytes),
                           .changed_ms = values[4].integer };
    if (set->error == ERR_OK)
        set->error = json_parse(set->parser, values[3].bytes, &settings, NULL);
    if (set->error != ERR_OK)
        return false;
    team->customers = keep_json(set, json_get(settings, STR("customers")));
    team->events = keep_json(set, json_get(settings, STR("events")));
    keep_conditions(set, team, json_get(settings, STR("events")));
    team->sources = keep_texts(set, json_get(settings, STR("sources")), &team->source_count);
    team->accounts = keep_texts(set, json_get(settings, STR("accounts")), &team->account_count);
    return set->error == ERR_OK;
}

static bool visit_share(void *context, const struct ledger_value *values)
{
    struct team_set *set = context;
    enum team_level level;
    if (!team_level_from_text(values[3].bytes, &level))
        return true; /* a level that this version does not know grants nothing */
    struct team_share *shares =
        grow(set, set->shares, set->share_count, &set->share_capacity, sizeof(*set->shares));
    if (shares == NULL)
        return false;
    set->shares = shares;
    set->shares[set->share_count++] = (struct team_share){ .kind = keep(set, values[0].bytes),
                                                           .key = keep(set, values[1].bytes),
                                                           .team = keep(set, values[2].bytes),
                                                           .level = level };
    return set->error == ERR_OK;
}

err team_set_load(struct team_set **out, struct ledger *ledger, struct problem *problem)
{
    struct team_set *set = memory_alloc(sizeof(*set));
    if (set == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the teams");
    atomic_init(&set->references, 1);
    arena_init(&set->arena, "teams", SET_BYTES_MAX);
    err error = json_parser_new(&set->parser, SETTINGS_BYTES_MAX);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_TEAMS, NULL, visit_team, set, problem);
    if (error == ERR_OK && set->error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_TEAM_SHARES, NULL, visit_share, set, problem);
    json_parser_free(&set->parser);
    if (error == ERR_OK && set->error != ERR_OK)
        error = problem_set(problem, set->error, "the teams cannot be read");
    if (error != ERR_OK) {
        team_set_release(&set);
        return error;
    }
    *out = set;
    return ERR_OK;
}

struct team_set *team_set_hold(struct team_set *set)
{
    atomic_fetch_add(&set->references, 1);
    return set;
}

void team_set_release(struct team_set **set)
{
    struct team_set *gone = *set;
    *set = NULL;
    if (gone == NULL || atomic_fetch_sub(&gone->references, 1) != 1)
        return;
    arena_deinit(&gone->arena);
    memory_free(gone);
}

/* ---- looking ---- */

size_t team_count(const struct team_set *set)
{
    return set->team_count;
}

const struct team *team_at(const struct team_set *set, size_t index)
{
    INVARIANT(index < set->team_count);
    return &set->teams[index];
}

size_t team_share_count(const struct team_set *set)
{
    return set->share_count;
}

const struct team_share *team_share_at(const struct team_set *set, size_t index)
{
    INVARIANT(index < set->share_count);
    return &set->shares[index];
}

const struct team *team_by_key(const struct team_set *set, str key)
{
    size_t low = 0, high = set->team_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(set->teams[middle].key, key);
        if (order == 0)
            return &set->teams[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool team_is_within(const struct team_set *set, str team, str above)
{
    for (int depth = 0; team.size > 0 && depth <= TEAM_DEPTH_MAX; depth++) {
        const struct team *there = team_by_key(set, team);
        if (there == NULL)
            return false;
        if (str_equal(team, above))
            return true;
        team = there->parent;
    }
    return false;
}

str team_of_key(str key)
{
    for (size_t i = 1; i + 1 < key.size; i++)
        if (key.data[i] == '_' && key.data[i + 1] == '_')
            return str_slice(key, 0, i);
    return STR_NONE;
}

static bool has_text(const str *texts, size_t count, str text)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(texts[i], text))
            return true;
    return false;
}

/* Sources and accounts are listed; all else is told by its key. */
static bool is_own(const struct team_set *set, str team, str kind, str key)
{
    bool is_source = str_equal(kind, STR("source"));
    if (!is_source && !str_equal(kind, STR("account")))
        return team_is_within(set, team_of_key(key), team);
    for (size_t i = 0; i < set->team_count; i++) {
        const struct team *one = &set->teams[i];
        if (has_text(is_source ? one->sources : one->accounts,
                     is_source ? one->source_count : one->account_count, key) &&
            team_is_within(set, one->key, team))
            return true;
    }
    return false;
}

enum team_level team_level_of(const struct team_set *set, str team, str kind, str key)
{
    enum team_level level = TEAM_NOTHING;
    if (team_by_key(set, team) == NULL)
        return TEAM_NOTHING;
    if (is_own(set, team, kind, key))
        return TEAM_OWN;
    for (size_t i = 0; i < set->share_count; i++) {
        const struct team_share *share = &set->shares[i];
        if (share->level <= level || !str_equal(share->kind, kind) || !str_equal(share->key, key))
            continue;
        if (str_equal(share->team, STR(TEAM_EVERYBODY)) || team_is_within(set, share->team, team))
            level = share->level;
    }
    return level;
}

/* ---- what a team may look like ---- */

bool team_is_key(str key)
{
    if (key.size == 0 || key.size > TEAM_KEY_BYTES_MAX)
        return false;
    for (size_t i = 0; i < key.size; i++) {
        char c = key.data[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
            return false;
    }
    return true;
}

static err refuse(struct problem *problem, const char *pointer, const char *why)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", why);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

static bool is_list_of_texts(json_value list)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    if (json_kind(list) != JSON_ARRAY || json_count(list) > TEAM_VALUES_MAX)
        return false;
    while (json_next(&iterator, NULL, &item))
        if (json_text(item).size == 0)
            return false;
    return true;
}

static err check_condition(json_value item, size_t index, struct problem *problem)
{
    json_value one = json_get(item, STR("eq")), many = json_get(item, STR("in"));
    bool has_one = json_text(one).size > 0;
    if (json_is_object(item) && json_count(item) == 2 &&
        json_text(json_get(item, STR("prop"))).size > 0 &&
        (has_one || (is_list_of_texts(many) && json_count(many) > 0)))
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE,
                "a condition on events is {\"prop\", \"eq\": text} or {\"prop\", \"in\": [texts]}");
    return problem_at(problem, ERR_UNPROCESSABLE, "/events/%zu", index);
}

static err check_events(json_value events, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(events);
    json_value item;
    err error = ERR_OK;
    if (json_kind(events) == JSON_MISSING || json_kind(events) == JSON_NULL)
        return ERR_OK;
    if (json_kind(events) != JSON_ARRAY || json_count(events) == 0 ||
        json_count(events) > TEAM_CONDITIONS_MAX)
        return refuse(problem, "/events", "events lists 1 to 8 conditions, all of which hold");
    for (size_t i = 0; error == ERR_OK && json_next(&iterator, NULL, &item); i++)
        error = check_condition(item, i, problem);
    return error;
}

static err check_list(json_value body, const char *member, const char *pointer,
                      struct problem *problem)
{
    json_value list = json_get(body, str_from_c(member));
    if (json_kind(list) == JSON_MISSING || is_list_of_texts(list))
        return ERR_OK;
    return refuse(problem, pointer, "it lists keys");
}

/* Levels from the top down to `key`; more than allowed when there is a ring. */
static size_t depth_of(const struct team_set *set, str key)
{
    size_t depth = 0;
    while (key.size > 0 && depth <= TEAM_DEPTH_MAX + 1) {
        const struct team *team = team_by_key(set, key);
        depth++;
        key = team != NULL ? team->parent : STR_NONE;
    }
    return depth;
}

static size_t height_of(const struct team_set *set, str key)
{
    size_t height = 0, own = depth_of(set, key);
    for (size_t i = 0; i < set->team_count; i++) {
        if (!team_is_within(set, set->teams[i].key, key))
            continue;
        size_t below = depth_of(set, set->teams[i].key) - own;
        if (below > height)
            height = below;
    }
    return height;
}

static err check_parent(const struct team_set *set, str key, str parent, struct problem *problem)
{
    if (parent.size == 0)
        return ERR_OK;
    if (team_by_key(set, parent) == NULL)
        return refuse(problem, "/parent", "there is no such team to be above it");
    if (team_is_within(set, parent, key))
        return refuse(problem, "/parent", "the parent is the team itself, or below it");
    if (depth_of(set, parent) + 1 + height_of(set, key) > TEAM_DEPTH_MAX)
        return refuse(problem, "/parent", "teams have at most 8 levels");
    return ERR_OK;
}

err team_check(const struct team_set *set, json_value body, struct problem *problem)
{
    str key = json_text(json_get(body, STR("key")));
    json_value customers = json_get(body, STR("customers"));
    if (!team_is_key(key))
        return refuse(problem, "/key", "the key of a team has 1 to 30 characters of a-z and 0-9");
    if (team_by_key(set, key) == NULL && set->team_count >= TEAMS_MAX)
        return refuse(problem, "/key", "there are 10,000 teams already, no more fit");
    if (json_kind(customers) != JSON_MISSING && json_kind(customers) != JSON_NULL &&
        !json_is_object(customers))
        return refuse(problem, "/customers", "customers is a rule: an object");
    err error = check_parent(set, key, json_text(json_get(body, STR("parent"))), problem);
    if (error == ERR_OK)
        error = check_events(json_get(body, STR("events")), problem);
    if (error == ERR_OK)
        error = check_list(body, "sources", "/sources", problem);
    if (error == ERR_OK)
        error = check_list(body, "accounts", "/accounts", problem);
    return error;
}

void team_write_settings(json_value body, struct buffer *out)
{
    static const char *const members[] = { "customers", "events", "sources", "accounts" };
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_value value = json_get(body, str_from_c(members[i]));
        struct buffer text;
        if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
            continue;
        buffer_init(&text, SETTINGS_BYTES_MAX);
        json_write_value(&text, value);
        json_member_raw(&writer, str_from_c(members[i]), buffer_str(&text));
        buffer_deinit(&text);
    }
    json_end_object(&writer);
}
