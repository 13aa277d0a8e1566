/* SPDX-License-Identifier: Apache-2.0 */
/* scope: who sees what. The one place where a request is cut to its team's view. Private to server/.
 *
 *     request ─▶ scope_enter ─▶ rule of the route (scope_rules.h) ─▶ what the path and query name is hers? ─▶ handler
 *                    │                                                        └─ no: 404 as if it were not there, audited
 *                    └─ the team's customers: a hidden live segment "team-view-KEY", put anew when its rule changed
 *
 * The customers of a view are a bitmap that moves in the apply of the record that moves it. Everything that a handler asks
 * of the engine (view_ask) is answered through the lens of that segment (audience.h, "seeing a part"): counts, members,
 * previews, overlap, histories, profiles of segments. What handlers read from elsewhere they ask here: scope_sees,
 * scope_sees_event, scope_sees_source, scope_sees_thing.
 *
 * Rules that somebody with a team makes or asks are narrowed (scope_narrow): each condition on events gets the
 * conditions of her events. A segment, tag or journey that she saves stands on the narrowed rules and on her
 * customers, for ever: what is saved never sees more than who saved it.
 *
 * Invariants
 *   C1 `request->scope` is NULL for who sees the whole, and nothing is done or paid for her.
 *   C2 who sees a part gets the same words for what is not there and for what is not hers, and the same line in the
 *      audit, so that neither words nor time tell them apart.
 *   C3 a view whose rule is not in force yet is not read: the request waits for it, or is refused (503).
 *   C4 a route that this room knows nothing of is refused to who sees a part.
 */
#ifndef KITH_SERVER_SCOPE_H
#define KITH_SERVER_SCOPE_H

#include "access/team.h"
#include "event/event.h"
#include "server/inside.h"

#define SCOPE_VIEW_PREFIX "team-view-"
#define SETTING_SMALL_CELLS "scope.small_cells"

enum scope_rule { SCOPE_WHOLE, SCOPE_PUBLIC, SCOPE_OWN, SCOPE_WORKSPACE, SCOPE_PART };

struct scopes; /* of a server: the teams as they are, the views that are known to be in force */
err scopes_new(struct scopes **scopes) MUST_USE;
void scopes_free(struct scopes **scopes);
/* A fresh hold of the present teams. Workers. */
err scopes_teams(struct server *server, struct team_set **teams, struct problem *problem) MUST_USE;

/* What the route's row says; WHOLE for none. Any thread. */
enum scope_rule scope_rule_of(const struct route *route);
bool scope_has_rule(const char *operation);
/* Does the actor see a part alone? Then a worker goes on with the request. Any thread. */
bool scope_is_part(const struct request *request);

/* After auth_check, body parsed: may this be asked at all, and is what it names hers? Sets request->scope. FORBIDDEN,
 * NOT_FOUND, UNAVAILABLE. Workers. */
err scope_enter(struct request *request, struct problem *problem) MUST_USE;
/* Put a team's view in force now: after it was changed. Workers. */
err scope_make_view(struct request *request, const struct team_set *teams, str team,
                    struct problem *problem) MUST_USE;
/* What "$me" is in a rule that this user asks: the adviser that she is, or her login. */
str scope_me(const struct user *user);
/* "$me" stands for logins: views that hold several follow when users change. Workers. */
err scope_users_changed(struct request *request, struct problem *problem) MUST_USE;
void scope_leave(struct request *request);

/* After the handler: what its list names that is not hers goes. */
err scope_cut(struct request *request, struct problem *problem) MUST_USE;

/* The lens on, for a question; and off. Engine thread. */
void scope_look(struct request *request, const struct engine_state *state);
void scope_look_away(const struct engine_state *state);

/* ---- for handlers; all say yes when the scope is NULL ---- */

/* Does she see this customer (any node)? Engine thread; or asked of it. */
bool scope_sees_now(const struct scope *scope, const struct engine_state *state, uint32_t number);
err scope_sees(struct request *request, uint32_t number, bool *sees,
               struct problem *problem) MUST_USE;
/* Numbers that she does not see become 0. Workers. */
err scope_filter(struct request *request, uint32_t *numbers, size_t count,
                 struct problem *problem) MUST_USE;
/* 404 with these words, and a line in the audit. */
err scope_refuse(struct request *request, const char *what, str name,
                 struct problem *problem) MUST_USE;
err scope_refuse_customer(struct request *request, str one_id, struct problem *problem) MUST_USE;

/* A thing by kind ("segment", "tag", "journey", "template", "account", "source", "mapping", "pool") and key. */
bool scope_sees_thing(const struct scope *scope, const char *kind, str key, enum team_level level);
/* May she ask for a trait's value? It is what all sources told, merged: yes for who sees all events of her customers, and for
 * a trait that is shared with her team ("trait", its name). Its value on a customer's page needs neither: scope_sees_source. */
bool scope_sees_trait(const struct scope *scope, str name);
/* UNPROCESSABLE with the cure. */
err scope_refuse_trait(str name, struct problem *problem);
/* Was this made by somebody of her view? */
bool scope_sees_user(const struct request *request, uint32_t user_number);
/* Is this her team, or one below it? */
bool scope_has_team(const struct scope *scope, str team);
/* May her team import as a source of its own? No where all its conditions on events ask for $source. */
bool scope_takes_imports(const struct scope *scope);

/* Does she see all events of her customers? */
bool scope_sees_all_events(const struct scope *scope);
/* `props` is JSON, parsed with `parser` when it has to be. */
bool scope_sees_event(const struct scope *scope, uint32_t source_number, str channel, str props,
                      struct json_parser *parser);
/* Are all events of this source seen? Facts that it told are. 0, by hand: yes. */
bool scope_sees_source(const struct scope *scope, uint32_t source_number);
/* " AND (…)" over columns channel, source, props of `events`; nothing if all are seen. */
void scope_write_sql(const struct scope *scope, struct buffer *sql);

/* Her view as a segment's key: of its members is who is seen. */
str scope_view_key(const struct scope *scope);
/* Who is seen, for any thread; free it. NULL for who sees the whole. Numbers are roots: of a touch or task of a number that was
 * absorbed since, it says no. */
err scope_take(struct request *request, struct audience_set **set,
               struct problem *problem) MUST_USE;
uint64_t scope_customer_count(struct request *request);

/* Copy JSON that has rules in it, each condition on events narrowed. UNPROCESSABLE when it names a definition that she does
 * not see, in the words of one that is not there. */
err scope_narrow(struct request *request, json_value value, struct buffer *out,
                 struct problem *problem) MUST_USE;

/* ---- journeys (scope_journey.c) ---- */

/* The journey in request->json, or in its member `journey`, stands on the customers and events of the team to which the
 * key of the path belongs, and of who asks. UNPROCESSABLE. */
err scope_cut_journey(struct request *request, bool is_member, struct problem *problem) MUST_USE;
/* Did it never take in anybody whom she does not see? Yes for who sees the whole. */
err scope_journey_stands(struct request *request, str key, bool *stands,
                         struct problem *problem) MUST_USE;
/* FORBIDDEN if not; of the path's. */
err scope_check_journey(struct request *request, struct problem *problem) MUST_USE;
/* CONFLICT when the draft of a team's journey is not cut to it: it is older than the team. */
err scope_check_draft(struct request *request, struct problem *problem) MUST_USE;

/* Of a list of one_ids in a body: UNPROCESSABLE with the place for who is not seen or not there. Nothing for who sees the whole. */
err scope_check_customers(struct request *request, json_value list, const char *pointer,
                          struct problem *problem) MUST_USE;

/* The same of a definition, in place of request->json: a segment's rule holds of her customers alone, too. */
err scope_narrow_definition(struct request *request, struct problem *problem) MUST_USE;

#endif
