/* SPDX-License-Identifier: Apache-2.0 */
/* audience: tags, scores, segments: who is in, since when, and why; true to the second.
 *
 * A *definition* is a tag or a segment (JSON, docs/rules.md); a published one is *live*: it moves in the apply of
 * the record that moves it. Memberships and tag values are CRoaring bitmaps over customer numbers (roots), numeric
 * tags chunked arrays. What time alone changes is *due*: one minute per customer, in a wheel.
 *
 *     event, fact, merge, tick ─▶ which definitions can it change? (rule_needs) ─▶ judge ─▶ change
 *                                                                                   └─▶ row: what, who, when, why
 *
 * Invariants
 *   S1 at any seq, a live segment is exactly { c : rule holds for c at 'now' of that seq }, and so for tags; a recount says so
 *      (audience_recount), or names the defect.
 *   S2 every change is recorded with its cause, in the commit of the record that caused it.
 *   S3 due before decided: a customer is settled before anything is decided about her.
 *   S4 membership belongs to the customer (root): a merge judges the survivor again and clears the absorbed, a split judges both.
 *   S5 definitions that others use cannot be deleted; cycles cannot be made.
 *   S6 readers on other threads see immutable snapshots (copy-on-write by chunk), never a half change.
 *
 * Engine thread alone unless a function says otherwise; deterministic.
 */
#ifndef KITH_AUDIENCE_AUDIENCE_H
#define KITH_AUDIENCE_AUDIENCE_H

#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "history/history.h"
#include "identity/identity.h"
#include "plan/plan.h"
#include "profile/profile.h"
#include "rule/rule.h"
#include "store/ledger.h"

struct audience;

#endif
