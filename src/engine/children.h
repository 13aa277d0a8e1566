/* SPDX-License-Identifier: Apache-2.0 */
/* children: who is under 14 by her birthday is written to and shown only once two persons have said so (docs/privacy.md): of all
 * children, or of her alone, whose guardian agreed.
 *
 * By the clock of the records, in the workspace's zone: she becomes 14 by a tick. What two persons said stands in the list of sensitive
 * traits, under a name that no trait has (server/sensitive.h).
 *
 * Engine's thread, or within a question.
 */
#ifndef KITH_ENGINE_CHILDREN_H
#define KITH_ENGINE_CHILDREN_H

#include "engine/engine.h"

#define SETTING_SENSITIVE_TRAITS "privacy.sensitive_traits"
#define SENSITIVE_CHILDREN "$under_14"
/* No purpose that anybody agrees to: whoever asks for her consent to it is told no of a child, and of others nothing. */
#define PURPOSE_CHILDREN "under_14"

/* Is the customer of these nodes under 14 at a moment, and what concerns all children held? By what is known of her now. */
bool engine_holds_child_at(const struct engine *engine, const uint32_t *nodes, size_t node_count,
                           int64_t at_ms);
/* The same now, and no guardian agreed for her. */
bool engine_keeps_child(const struct engine *engine, const uint32_t *nodes, size_t node_count);

/* ---- the engine's own ---- */

/* A setting was put, or is loaded: `value` is what it says. */
void children_setting(struct engine *engine, str key, json_value value);
err children_load(struct engine *engine, struct problem *problem) MUST_USE;

#endif
