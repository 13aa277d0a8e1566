/* SPDX-License-Identifier: Apache-2.0 */
/* permission: what somebody may do, each right one row: a kind of thing and an action on it.
 *
 * Routes and commands name the one they need; users hold sets of them, through roles (role.h); a token may
 * hold fewer than its user. In texts (roles, tokens, the API) a right is "kind.action"; a pattern may say
 * "*" for either part, or alone for everything.
 *
 *   see         read, masked             create      begin something new
 *   change      make, change, delete     publish     let it act on customers
 *   approve     release as the second person, decide what is held
 *   export      take it out as a file    reveal      personal data in clear
 *   administer  its rules and keys
 *
 * Invariants
 *   A1 PUBLIC and SIGNED_IN are held by no set: PUBLIC asks for nobody, SIGNED_IN for anybody known. SYSTEM
 *      is asked for by what never comes from outside, and nobody has it.
 *   A2 numbers may change with a version: only texts are stored, and a text that this version does not know
 *      grants nothing.
 *
 * Plain values; any thread.
 */
#ifndef KITH_ACCESS_PERMISSION_H
#define KITH_ACCESS_PERMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* NAME, kind, action */
#define PERMISSION_TABLE(X)                          \
    X(CUSTOMER_SEE, "customer", "see")               \
    X(CUSTOMER_CHANGE, "customer", "change")         \
    X(CUSTOMER_EXPORT, "customer", "export")         \
    X(CUSTOMER_REVEAL, "customer", "reveal")         \
    X(EVENT_SEE, "event", "see")                     \
    X(IDENTITY_SEE, "identity", "see")               \
    X(IDENTITY_CHANGE, "identity", "change")         \
    X(IDENTITY_ADMINISTER, "identity", "administer") \
    X(CONSENT_SEE, "consent", "see")                 \
    X(CONSENT_CHANGE, "consent", "change")           \
    X(SEGMENT_SEE, "segment", "see")                 \
    X(SEGMENT_CHANGE, "segment", "change")           \
    X(TAG_SEE, "tag", "see")                         \
    X(TAG_CHANGE, "tag", "change")                   \
    X(OBJECT_SEE, "object", "see")                   \
    X(OBJECT_CHANGE, "object", "change")             \
    X(ANALYSIS_SEE, "analysis", "see")               \
    X(ANALYSIS_CHANGE, "analysis", "change")         \
    X(ANALYSIS_EXPORT, "analysis", "export")         \
    X(EXPERIMENT_SEE, "experiment", "see")           \
    X(EXPERIMENT_CHANGE, "experiment", "change")     \
    X(DECISION_SEE, "decision", "see")               \
    X(DECISION_CHANGE, "decision", "change")         \
    X(JOURNEY_SEE, "journey", "see")                 \
    X(JOURNEY_CHANGE, "journey", "change")           \
    X(JOURNEY_PUBLISH, "journey", "publish")         \
    X(JOURNEY_APPROVE, "journey", "approve")         \
    X(TEMPLATE_SEE, "template", "see")               \
    X(TEMPLATE_CHANGE, "template", "change")         \
    X(CHANNEL_SEE, "channel", "see")                 \
    X(CHANNEL_ADMINISTER, "channel", "administer")   \
    X(POLICY_SEE, "policy", "see")                   \
    X(POLICY_ADMINISTER, "policy", "administer")     \
    X(STOP_SEE, "stop", "see")                       \
    X(STOP_CHANGE, "stop", "change")                 \
    X(TOUCH_SEE, "touch", "see")                     \
    X(TOUCH_CREATE, "touch", "create")               \
    X(TOUCH_APPROVE, "touch", "approve")             \
    X(TASK_SEE, "task", "see")                       \
    X(TASK_CHANGE, "task", "change")                 \
    X(COUPON_SEE, "coupon", "see")                   \
    X(COUPON_CHANGE, "coupon", "change")             \
    X(LOYALTY_SEE, "loyalty", "see")                 \
    X(LOYALTY_CHANGE, "loyalty", "change")           \
    X(IMPORT_SEE, "import", "see")                   \
    X(IMPORT_CREATE, "import", "create")             \
    X(IMPORT_CHANGE, "import", "change")             \
    X(IMPORT_ADMINISTER, "import", "administer")     \
    X(MAPPING_SEE, "mapping", "see")                 \
    X(MAPPING_CHANGE, "mapping", "change")           \
    X(EXPORT_SEE, "export", "see")                   \
    X(EXPORT_CHANGE, "export", "change")             \
    X(SOURCE_SEE, "source", "see")                   \
    X(SOURCE_ADMINISTER, "source", "administer")     \
    X(PLAN_SEE, "plan", "see")                       \
    X(PLAN_CHANGE, "plan", "change")                 \
    X(QUARANTINE_SEE, "quarantine", "see")           \
    X(QUARANTINE_CHANGE, "quarantine", "change")     \
    X(JOB_SEE, "job", "see")                         \
    X(JOB_CHANGE, "job", "change")                   \
    X(PRIVACY_SEE, "privacy", "see")                 \
    X(PRIVACY_CREATE, "privacy", "create")           \
    X(PRIVACY_APPROVE, "privacy", "approve")         \
    X(PRIVACY_EXPORT, "privacy", "export")           \
    X(PRIVACY_ADMINISTER, "privacy", "administer")   \
    X(SMALL_CELL_SEE, "small_cell", "see")           \
    X(USER_SEE, "user", "see")                       \
    X(USER_ADMINISTER, "user", "administer")         \
    X(ROLE_SEE, "role", "see")                       \
    X(ROLE_ADMINISTER, "role", "administer")         \
    X(TEAM_SEE, "team", "see")                       \
    X(TEAM_ADMINISTER, "team", "administer")         \
    X(TOKEN_CREATE, "token", "create")               \
    X(TOKEN_ADMINISTER, "token", "administer")       \
    X(AUDIT_SEE, "audit", "see")                     \
    X(AUDIT_EXPORT, "audit", "export")               \
    X(SETTING_SEE, "setting", "see")                 \
    X(SETTING_ADMINISTER, "setting", "administer")   \
    X(BACKUP_SEE, "backup", "see")                   \
    X(BACKUP_CREATE, "backup", "create")             \
    X(SYSTEM_SEE, "system", "see")                   \
    X(SYSTEM_ADMINISTER, "system", "administer")

enum permission {
#define X(name, kind, action) PERMISSION_##name,
    PERMISSION_TABLE(X)
#undef X
        PERMISSION_COUNT,
    /* What routes and commands ask for, and no set holds. */
    PERMISSION_PUBLIC = PERMISSION_COUNT,
    PERMISSION_SIGNED_IN,
    PERMISSION_SYSTEM,
};

#define PERMISSION_WORDS 2
#define PERMISSION_TEXT_BYTES 32 /* longest text, terminated */

struct permissions {
    uint64_t words[PERMISSION_WORDS];
};

/* Does the set hold it? PUBLIC and SIGNED_IN: true, SYSTEM: false. Who asks must know whether anybody is
 * there at all. */
bool permissions_hold(const struct permissions *set, enum permission permission);
void permissions_add(struct permissions *set, enum permission permission);
void permissions_add_all(struct permissions *set, const struct permissions *added);
struct permissions permissions_both(const struct permissions *one, const struct permissions *other);
/* Is all of `inner` in `outer`? If not, `missing` (may be NULL) is the first that is not. */
bool permissions_within(const struct permissions *inner, const struct permissions *outer,
                        enum permission *missing);
size_t permissions_count(const struct permissions *set);

/* "customer.see"; "public", "signed_in", "system" for the three that no set holds. Static. */
const char *permission_text(enum permission permission);
str permission_kind(enum permission permission); /* of PERMISSION_TABLE alone */
str permission_action(enum permission permission);
/* Add what a pattern names: "customer.see", "customer.*", "*.see", "*". False, and nothing added, for one that
 * names nothing. */
bool permissions_add_pattern(struct permissions *set, str pattern);

#endif
