/* SPDX-License-Identifier: Apache-2.0 */
/* team: who sees what. Teams as a tree, the rules of their views, and what they share.
 *
 * A team's view is its own and those of the teams below it. What is its own:
 *
 *     customers   a rule (rule/rule.h), "$me" for who asks; left out: who has an event that `events` lets through
 *     events      conditions on an event, [{"prop","eq" | "in"}], all of which hold: on `channel`, `$source` (by key) and
 *                 properties (brand, shop_id, store_id, dealer_id …); left out: all events of its customers
 *     sources, accounts    what comes in for it, what sends for it
 *
 * Who has no team sees the whole.
 *
 * Things with a key (segments, tags, journeys, templates, mappings, pools) belong to the team whose key stands before
 * "__" in theirs: `wecom__welcome` is the WeCom team's, and stays out of the way of every other name. What
 * belongs to no team is seen by teams when it was shared with them: read, use (in rules, for sending), change.
 *
 * Invariants
 *   T1 a parent exists, and nobody is above herself; at most TEAM_DEPTH_MAX levels.
 *   T2 a team that is not known sees nothing: what cannot be read is not granted.
 *
 * `struct team_set` is an immutable snapshot, as access_set is; any thread. Changes are commands (engine/commands/command_team.c).
 */
#ifndef KITH_ACCESS_TEAM_H
#define KITH_ACCESS_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/source.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "store/ledger.h"

#define TEAMS_MAX 10000
#define TEAM_DEPTH_MAX 8
#define TEAM_KEY_BYTES_MAX 30
#define TEAM_CONDITIONS_MAX 8
#define TEAM_VALUES_MAX 1000
#define TEAM_EVERYBODY "*" /* a share with all teams */

/* One condition on an event; holds when the value is one of them. */
struct team_condition {
    str prop; /* "channel", "$source", or a property */
    str *values;
    size_t count;
};

struct team {
    str key, name, parent; /* parent: "" at the top */
    str settings;          /* JSON */
    str customers;         /* a rule; "" if left out */
    str events;            /* JSON array; "" if left out */
    struct team_condition *conditions;
    size_t condition_count;
    str *sources, *accounts;
    size_t source_count, account_count;
    int64_t changed_ms;
};

/* What somebody may do with a thing. Ordered. */
enum team_level { TEAM_NOTHING, TEAM_READ, TEAM_USE, TEAM_CHANGE, TEAM_OWN };
const char *team_level_text(enum team_level level);
bool team_level_from_text(str text, enum team_level *level); /* read, use, change */

struct team_share {
    str kind, key, team;
    enum team_level level;
};

struct team_set;
err team_set_load(struct team_set **set, struct ledger *ledger, struct problem *problem) MUST_USE;
struct team_set *team_set_hold(struct team_set *set);
void team_set_release(struct team_set **set);

size_t team_count(const struct team_set *set);
const struct team *team_at(const struct team_set *set, size_t index); /* by key */
const struct team *team_by_key(const struct team_set *set, str key);
size_t team_share_count(const struct team_set *set);
const struct team_share *team_share_at(const struct team_set *set, size_t index);

/* Is `team` this one or below it? */
bool team_is_within(const struct team_set *set, str team, str above);
/* The team to which a thing with this key belongs; "" if to none. Borrowed from `key`. */
str team_of_key(str key);
/* What may somebody of `team` do with it? TEAM_NOTHING for what is not hers, whether it is there or not. */
enum team_level team_level_of(const struct team_set *set, str team, str kind, str key);

/* ---- events (team_event.c) ---- */

/* An event as conditions see it: by whom it was told (NULL: by none that is known), its channel and its properties as JSON, which are
 * parsed with `parser` when a condition asks for one. Borrowed. */
struct team_event {
    const struct source *source;
    str channel, props;
    struct json_parser *parser;
    json_value parsed; /* for team_lets_through alone */
    bool is_parsed;
};
/* Do the team's own conditions hold? True for a team without any. */
bool team_lets_through(const struct team *team, struct team_event *event);
/* Has it a view of its own? One that only holds others together has none. */
bool team_has_view(const struct team *team);
/* May an import of `team` (or of one below it) bring events in? Not where all its conditions ask for $source: what an import brings
 * has a number of its own. */
bool team_takes_imports(const struct team_set *set, str team);
/* May an import of `team` tell this event, of its own source? What it could not see itself it may not tell: it would fall into
 * another team's view. Where no condition speaks of channels, the source's is the only one. Of what is said of a customer
 * (`has_props` is false) conditions on properties are not asked. */
bool team_may_tell(const struct team_set *set, str team, struct team_event *event, bool has_props);

/* Is this what a team may look like? UNPROCESSABLE with the place. Not asked: whether the rule can be made. */
err team_check(const struct team_set *set, json_value body, struct problem *problem) MUST_USE;
/* The members of `body` that stand in `settings`, as JSON. */
void team_write_settings(json_value body, struct buffer *out);
bool team_is_key(str key);

#endif
