/* SPDX-License-Identifier: Apache-2.0 */
/* role: a name for a set of permissions. Seven are ready, as data; a workspace may have its own.
 *
 * A user's permissions are those of all her roles together. Ready roles cannot be changed, so that their names
 * mean the same in every house; own ones are rows of ROLES. Roles of earlier versions load under their
 * new names. Any thread.
 */
#ifndef KITH_ACCESS_ROLE_H
#define KITH_ACCESS_ROLE_H

#include "access/permission.h"
#include "base/json.h"

#define ROLE_KEY_BYTES_MAX 64
#define ROLE_ADMINISTRATOR "administrator"

struct ready_role {
    const char *key, *name_zh, *name_en;
    const char *patterns; /* of permissions, with spaces between */
    struct permissions permissions;
};

/* The ready roles, in the order in which they are shown; NULL beyond the last. */
const struct ready_role *role_ready_at(size_t index);
const struct ready_role *role_ready(str key);

/* What an earlier version called it: "viewer" is "analyst" now. Others are themselves. */
str role_present_key(str key);
/* 1 to 64 of a-z, 0-9, '_' and '-'. */
bool role_key_is_good(str key);
/* Patterns as a JSON array of texts. Unknown ones grant nothing; `unknown` (may be NULL) is the first. */
struct permissions role_permissions(json_value patterns, str *unknown);

/* The nearest of the three words that the first clients know: viewer, operator, administrator. */
const char *role_nearest(const struct permissions *permissions);

#endif
