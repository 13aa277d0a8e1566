/* SPDX-License-Identifier: Apache-2.0 */
/* user: who may ask, and by which token.
 *
 * Users and tokens are rows of the ledger, changed by commands of the log. A `struct access_set` is an
 * immutable snapshot of both: the server loads a new one when engine_access_version grows, requests
 * borrow from the one that they hold. Tokens are kept as keyed hashes; the text is shown once.
 *
 * What a user may do is what her roles hold together (role.h); a token may hold less than its user, never
 * more. A role or a right that this version does not know grants nothing.
 * Any thread.
 */
#ifndef KITH_ACCESS_USER_H
#define KITH_ACCESS_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "access/role.h"
#include "access/seal.h"
#include "base/error.h"
#include "base/str.h"
#include "store/ledger.h"

#define USER_ROLES_MAX 16
#define USER_RECOVERY_CODES 10

/* What the column `settings` of a user holds, as JSON. Texts are borrowed. */
struct user_settings {
    str team; /* key; empty: all teams */
    str roles[USER_ROLES_MAX];
    size_t role_count;                 /* 0: the column `role` alone */
    str totp;                          /* the secret of a second factor, sealed; empty: none */
    int64_t totp_step;                 /* the last that was used: none up to it counts again */
    str recovery[USER_RECOVERY_CODES]; /* keyed hashes in hex; each counts once */
    size_t recovery_count;
    bool is_deleted; /* her number stays hers; the same login makes her again */
    str subject;     /* who she is at the provider of single sign-on: issuer, space, subject */
    str adviser;     /* the adviser that she is, as customers have it; empty: her login */
};
void user_settings_read(json_value settings, struct user_settings *out);
void user_settings_write(struct buffer *out, const struct user_settings *settings);

struct user {
    uint32_t number;
    str login, name, locale;
    str password; /* Argon2id text; empty: cannot sign in by password */
    struct user_settings settings;
    struct permissions permissions; /* of all her roles */
    str team;                       /* of settings */
    bool disabled;
    int64_t created_ms;
};

/* A role of the workspace's own. */
struct role {
    str key, name;
    str patterns; /* JSON array */
    struct permissions permissions;
    int64_t created_ms, changed_ms;
};

enum token_kind { TOKEN_SESSION, TOKEN_API };

struct token {
    uint8_t hash[SEAL_HASH_BYTES];
    uint32_t user_number;
    enum token_kind kind;
    str name;
    int64_t created_ms;
    int64_t expires_ms; /* 0: never */
    /* What it may do at most; all that its user may, unless narrowed. */
    bool is_narrowed;
    struct permissions permissions;
    str patterns;       /* JSON array when narrowed */
    str address, agent; /* who began it from where */
};

struct access_set;

err access_set_load(struct access_set **set, struct ledger *ledger,
                    struct problem *problem) MUST_USE;
struct access_set *access_set_hold(struct access_set *set);
void access_set_release(struct access_set **set);

size_t access_user_count(const struct access_set *set);
const struct user *access_user_at(const struct access_set *set, size_t index); /* by number */
const struct user *access_user_by_login(const struct access_set *set, str login);
const struct user *access_user_by_number(const struct access_set *set, uint32_t number);

/* Ready and own; false when there is no such role. */
bool access_role_permissions(const struct access_set *set, str key, struct permissions *out);
size_t access_role_count(const struct access_set *set); /* own ones */
const struct role *access_role_at(const struct access_set *set, size_t index);
const struct role *access_role_by_key(const struct access_set *set, str key);

size_t access_token_count(const struct access_set *set);
const struct token *access_token_at(const struct access_set *set, size_t index); /* by hash */
const struct token *access_token_by_hash(const struct access_set *set,
                                         const uint8_t hash[SEAL_HASH_BYTES]);

/* ---- what a browser's session is worth between requests ---- */

#define SESSION_IDLE_MS (30 * INT64_C(60000))
/* How long one lives at most is a setting, access.session_hours: 12. */

/* Idle times of sessions, in RAM alone: after a start a session counts as just used. */
struct session_table;
err session_table_new(struct session_table **table) MUST_USE;
void session_table_free(struct session_table **table);
/* Note that it is used now; false when it was idle for too long. */
bool session_touch(struct session_table *table, const uint8_t hash[SEAL_HASH_BYTES],
                   int64_t now_ms);

/* When it was last used since the start; 0: not yet. */
int64_t session_used_ms(struct session_table *table, const uint8_t hash[SEAL_HASH_BYTES]);

/* ---- wrong tries ---- */

#define LOGIN_TRIES_PER_MINUTE 10
#define ADDRESS_TRIES_PER_MINUTE 100

/* Counts wrong tries in a window of a minute; bounded memory: the oldest entries give way. */
struct throttle;
err throttle_new(struct throttle **throttle) MUST_USE;
void throttle_free(struct throttle **throttle);
/* May `key` try again? Otherwise `retry_after_s` says when. */
bool throttle_permits(struct throttle *throttle, str key, uint32_t limit, int64_t now_ms,
                      int64_t *retry_after_s);
void throttle_count(struct throttle *throttle, str key, int64_t now_ms);
void throttle_forget(struct throttle *throttle, str key);

#endif
