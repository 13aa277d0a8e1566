/* SPDX-License-Identifier: Apache-2.0 */
/* access: the engine's part of sources, users, tokens and the audit: what commands check against.
 *
 * Rows are in the ledger; here is what apply needs to know of them. Engine thread alone.
 */
#ifndef KITH_ENGINE_ACCESS_H
#define KITH_ENGINE_ACCESS_H

#include <stdint.h>

#include "access/audit.h"
#include "access/source.h"
#include "access/user.h"
#include "base/json.h"
#include "store/ledger.h"

#define ACCESS_SOURCES_MAX 1000
#define ACCESS_USERS_MAX 5000
#define ACCESS_ROLES_MAX 200

/* A row of SOURCES as it stands; texts are owned. */
struct access_source {
    struct source source;
    int64_t created_ms, disabled_ms;
};

struct access_user {
    uint32_t number;
    struct ledger_value row[9]; /* columns of USERS; texts owned */
};

/* A role of the workspace's own: columns of ROLES; texts owned. */
struct access_role {
    struct ledger_value row[5];
};

struct access {
    struct access_source *sources;
    size_t source_count;
    struct access_user *users;
    size_t user_count;
    struct access_role *roles;
    size_t role_count;
    struct json_parser
        *parser; /* for the settings of a row, while a command's body is being read */
    struct audit_head audit;
};

err access_load(struct access *access, const struct keys *keys, struct ledger *ledger,
                struct problem *problem) MUST_USE;
void access_deinit(struct access *access);

/* A snapshot for the doors. */
err access_snapshot(const struct access *access, struct source_set **set) MUST_USE;

/* Write keys whose time beside a new one is over: forgotten. True when there were any: publish then. */
bool access_end_overlaps(struct access *access, int64_t now_ms);

/* Bodies and answers as in command.h; the answer is appended as a JSON object. `detail` gets what the audit
 * says of it: {"before":{…},"after":{…}} without secrets. */
err access_put_source(struct access *access, json_value body, int64_t now_ms,
                      struct ledger_writes *writes, struct buffer *answer,
                      struct problem *problem) MUST_USE;
err access_put_user(struct access *access, json_value body, int64_t now_ms,
                    struct ledger_writes *writes, struct buffer *answer, struct buffer *detail,
                    struct problem *problem) MUST_USE;
err access_put_role(struct access *access, json_value body, int64_t now_ms,
                    struct ledger_writes *writes, struct buffer *detail,
                    struct problem *problem) MUST_USE;
err access_delete_role(struct access *access, json_value body, struct ledger_writes *writes,
                       struct problem *problem) MUST_USE;
err access_put_token(struct access *access, json_value body, int64_t now_ms,
                     struct ledger_writes *writes, struct problem *problem) MUST_USE;
err access_delete_token(json_value body, struct ledger_writes *writes,
                        struct problem *problem) MUST_USE;

/* One line of the audit, chained by hash to the one before. */
void access_audit(struct access *access, const struct keys *keys, const struct audit_line *line,
                  struct ledger_writes *writes);

/* access_people.c: users and roles of `access`. */
err access_load_people(struct access *access, struct ledger *ledger,
                       struct problem *problem) MUST_USE;
void access_deinit_people(struct access *access);

/* A copy that is owned, and its end. */
err access_own(str text, str *out) MUST_USE;
void access_disown(str *text);

/* Hex text of `size` bytes. */
bool access_read_hex(str text, uint8_t *out, size_t size);

#endif
