/* SPDX-License-Identifier: Apache-2.0 */
/* access_rules: what a workspace decides by settings about who may ask, and how. Private to server/.
 *
 * The settings are `access.*`; each is a row of the table, checked when it is set and read at start. Numbers and
 * flags are atomics; texts are read from the ledger by who needs them. Any thread.
 */
#ifndef KITH_SERVER_ACCESS_RULES_H
#define KITH_SERVER_ACCESS_RULES_H

#include "server/inside.h"

/* NAME, setting, default, least, most, what it says */
#define ACCESS_RULE_TABLE(X)                                                   \
    X(REVEAL_REASON, "access.reveal_reason", 0, 0, 1,                          \
      "a reason is asked for before values are shown in full")                 \
    X(REVEALS, "access.reveals_per_minute", 120, 1, 1000000,                   \
      "requests a minute in which a user sees in full")                        \
    X(TOKEN_REQUESTS, "access.requests_per_minute", 600000, 0, 100000000,      \
      "requests a minute by one token; 0: any")                                \
    X(ADDRESS_REQUESTS, "access.address_requests_per_minute", 0, 0, 100000000, \
      "requests a minute from one address; 0: any")                            \
    X(TOKEN_DAYS, "access.token_days_max", 0, 0, 3650,                         \
      "days after which a new API token expires at the latest; 0: never")      \
    X(SMALL_CELLS, "access.small_cells", 5, 0, 1000,                           \
      "counts of customers are multiples of this for who may not see "         \
      "small cells; 0: exact")                                                 \
    X(SESSION_HOURS, "access.session_hours", 12, 1, 720, "hours after which a session ends")

enum access_rule {
#define X(name, setting, otherwise, least, most, what) ACCESS_RULE_##name,
    ACCESS_RULE_TABLE(X)
#undef X
        ACCESS_RULE_COUNT
};

_Static_assert(ACCESS_RULE_COUNT <= ACCESS_RULES_MAX, "the server has room for them");

int64_t access_rule(const struct server *server, enum access_rule rule);

/* Read them all. */
err access_rules_start(struct server *server, struct problem *problem) MUST_USE;
/* Is this value good for that setting? UNPROCESSABLE. Settings that are none of these are. */
err access_rules_check(str key, json_value value, struct problem *problem) MUST_USE;
void access_rules_changed(struct server *server, str key, json_value value);

/* Roles whose users must have a second factor: `access.second_factor_roles`, a list of keys. */
#define SETTING_SINGLE_SIGN_ON "access.single_sign_on" /* has routes of its own */
#define SETTING_SECOND_FACTOR_ROLES "access.second_factor_roles"
err access_rules_second_factor(struct request *request, const struct user *user, bool *needed,
                               struct problem *problem) MUST_USE;
/* The value of a setting, parsed by request->scratch until its next use; missing when it is not set. */
err access_rules_setting(struct request *request, str key, json_value *value,
                         struct problem *problem) MUST_USE;

#endif
