/* SPDX-License-Identifier: Apache-2.0 */
/* owner: whose import it is. A team's tells what the team itself would see, as its own source, and nothing else: so that what it
 * brings is in its view, and no other team's. The house's may tell anything. */
#include <stdio.h>
#include <string.h>

#include "imports/inside.h"

err owner_open(struct owner *owner, struct imports *imports, str team, str source,
               struct problem *problem)
{
    *owner = (struct owner){ .sources = engine_sources(imports->engine) };
    snprintf(owner->team, sizeof owner->team, STR_FMT, STR_ARG(team));
    owner->source = source.size > 0 ? source_by_key(owner->sources, source) : NULL;
    if (team.size == 0)
        return ERR_OK;
    err error = team_set_load(&owner->teams, engine_ledger(imports->engine), problem);
    if (error == ERR_OK)
        error = json_parser_new(&owner->parser, PROPS_BYTES_MAX);
    return error;
}

void owner_close(struct owner *owner)
{
    if (owner->sources != NULL)
        source_set_release(&owner->sources);
    if (owner->teams != NULL)
        team_set_release(&owner->teams);
    json_parser_free(&owner->parser);
}

str owner_channel(const struct owner *owner, const struct event *event)
{
    return event->channel.size > 0 || owner->source == NULL ? event->channel
                                                            : owner->source->channel;
}

bool owner_may_tell(const struct owner *owner, const struct event *event, struct problem *problem)
{
    struct team_event seen = { .source = owner->source,
                               .channel = owner_channel(owner, event),
                               .props = event->props,
                               .parser = owner->parser };
    bool has_props =
        event->kind == EVENT_TRACK || event->kind == EVENT_PAGE || event->kind == EVENT_SCREEN;
    str team = str_from_c(owner->team);
    if (team.size == 0 || owner->source == NULL)
        return true;
    if (event->kind != EVENT_OBJECT && team_may_tell(owner->teams, team, &seen, has_props))
        return true;
    problem_set(problem, ERR_UNPROCESSABLE,
                "the team '%s' would not see this event of channel '%.*s'", owner->team,
                (int)str_utf8_prefix_bytes(seen.channel, 40), seen.channel.data);
    problem_hint(
        problem, ERR_UNPROCESSABLE,
        "bring what the team's own conditions on events let through, or have the import made by "
        "who sees the whole");
    return false;
}

err owner_check_mapping(str team, json_value mapping, struct problem *problem)
{
    json_value objects = json_get(mapping, STR("objects"));
    if (team.size == 0 || json_count(objects) == 0)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE,
                "a team's import brings no objects: all teams see them");
    problem_hint(problem, ERR_UNPROCESSABLE,
                 "take 'objects' out of the mapping; who sees the whole imports them");
    return problem_at(problem, ERR_UNPROCESSABLE, "/mapping/objects");
}
