/* SPDX-License-Identifier: Apache-2.0 */
/* team_event: which events the conditions of a team let through, and which an import of it may tell. */
#include "access/team.h"

static bool is_one_of(const struct team_condition *condition, str value)
{
    for (size_t i = 0; i < condition->count; i++)
        if (str_equal(condition->values[i], value))
            return true;
    return false;
}

static bool is_on(const struct team_condition *condition, str prop)
{
    return str_equal(condition->prop, prop);
}

static str value_of(struct team_event *event, str prop)
{
    if (str_equal(prop, STR("channel")))
        return event->channel;
    if (str_equal(prop, STR("$source")))
        return event->source != NULL ? event->source->key : STR_NONE;
    if (!event->is_parsed) {
        event->is_parsed = true;
        if (event->parser == NULL || event->props.size == 0 ||
            json_parse(event->parser, event->props, &event->parsed, NULL) != ERR_OK)
            event->props = STR_NONE;
    }
    return event->props.size > 0 ? json_text(json_get(event->parsed, prop)) : STR_NONE;
}

static bool holds(const struct team_condition *condition, struct team_event *event)
{
    str value = value_of(event, condition->prop);
    return value.size > 0 && is_one_of(condition, value);
}

bool team_lets_through(const struct team *team, struct team_event *event)
{
    for (size_t i = 0; i < team->condition_count; i++)
        if (!holds(&team->conditions[i], event))
            return false;
    return true;
}

bool team_has_view(const struct team *team)
{
    return team->customers.size > 0 || team->condition_count > 0;
}

static bool asks_for(const struct team *team, str prop)
{
    for (size_t i = 0; i < team->condition_count; i++)
        if (is_on(&team->conditions[i], prop))
            return true;
    return false;
}

static bool takes_imports(const struct team_set *set, const struct team *team, str above)
{
    return team_has_view(team) && team_is_within(set, team->key, above) &&
           !asks_for(team, STR("$source"));
}

bool team_takes_imports(const struct team_set *set, str team)
{
    for (size_t i = 0; i < team_count(set); i++)
        if (takes_imports(set, team_at(set, i), team))
            return true;
    return false;
}

static bool may_tell(const struct team *team, struct team_event *event, bool has_props)
{
    str own = event->source != NULL ? event->source->channel : STR_NONE;
    if (!asks_for(team, STR("channel")) && !str_equal(event->channel, own))
        return false;
    for (size_t i = 0; i < team->condition_count; i++) {
        bool is_asked = has_props || is_on(&team->conditions[i], STR("channel"));
        if (is_asked && !holds(&team->conditions[i], event))
            return false;
    }
    return true;
}

bool team_may_tell(const struct team_set *set, str team, struct team_event *event, bool has_props)
{
    for (size_t i = 0; i < team_count(set); i++)
        if (takes_imports(set, team_at(set, i), team) &&
            may_tell(team_at(set, i), event, has_props))
            return true;
    return false;
}
