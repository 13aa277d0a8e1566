/* SPDX-License-Identifier: Apache-2.0 */
/* act_tell: what came of touches goes into the log: the command and the events that tell of it, in one append. Private to
 * engine/. */
#ifndef KITH_ENGINE_ACT_TELL_H
#define KITH_ENGINE_ACT_TELL_H

#include "engine/act/act_inside.h"

/* Waits until they are durable, as long as the engine runs; returns how many were told: all, or none when it ends. One thread at a time. */
size_t act_tell_results(struct act *act, const struct act_result *results);

#endif
