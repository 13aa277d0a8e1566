/* SPDX-License-Identifier: Apache-2.0 */
/* setting: a thing of its own kept as a setting "<prefix><key>" (feeds, sinks, buckets): found, gone through, put, forgotten.
 *
 * What it says, what of it is sealed and what is shown of it is the room's that owns the prefix. Any thread.
 */
#ifndef KITH_ENGINE_SETTING_H
#define KITH_ENGINE_SETTING_H

#include "base/arena.h"
#include "base/json.h"
#include "engine/engine.h"

/* Its value, in `parser` and in force until that parses something else; the text lies in `arena`. NOT_FOUND where it is not there or
 * was forgotten: `what` names the kind ("feed"). */
err setting_find(struct engine *engine, const char *prefix, str key, const char *what,
                 struct arena *arena, struct json_parser *parser, json_value *value,
                 struct problem *problem) MUST_USE;
/* Told of a thing's key, borrowed until it returns. False: it was forgotten, or cannot be read. */
typedef bool (*setting_taker)(void *context, str key);
/* All under the prefix in the order of their keys, or (`wanted` not empty) that one alone: NOT_FOUND where it is not. */
err setting_each(struct engine *engine, const char *prefix, str wanted, const char *what,
                 setting_taker take, void *context, struct problem *problem) MUST_USE;
/* The body of the command setting.put: between the two the members of the value are written. */
void setting_put_begin(struct json_writer *writer, struct buffer *body, const char *prefix,
                       str key);
err setting_put_end(struct json_writer *writer, struct buffer *body) MUST_USE;
/* The body of the command that forgets it. */
err setting_write_forget(struct buffer *body, const char *prefix, str key) MUST_USE;

#endif
