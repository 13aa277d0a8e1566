/* SPDX-License-Identifier: Apache-2.0 */
/* script: Lua 5.4 for what expressions cannot do, in a room without windows.
 *
 *     return row["姓名"]:sub(1, 3) .. (tonumber(row["积分"]) >= 1000 and "金" or "银")
 *
 * A script sees one row (`row[name]` is a text or nil) and gives back text, number, boolean, nil, or a table, which
 * becomes JSON. It starts anew for every row: globals do not live on, library tables cannot be changed. There is
 * no io, os, load, require, debug, package, coroutine, pcall, metatables, random, nor anything that tells addresses;
 * `pairs` goes in order of keys. So the same row gives the same value (M1, M4).
 *
 * Limits per run: SCRIPT_STEPS_MAX instructions, SCRIPT_MEMORY_BYTES_MAX for all that a worker's scripts hold, texts of
 * string.rep, and patterns whose worst case is too long for their text. An error refuses the row and names the line.
 *
 * A script is immutable; a desk belongs to one thread.
 */
#ifndef KITH_MAPPING_SCRIPT_H
#define KITH_MAPPING_SCRIPT_H

#include "mapping/expression.h"

#define SCRIPT_STEPS_MAX 1000000
#define SCRIPT_MEMORY_BYTES_MAX ((size_t)16 << 20)
#define SCRIPT_BYTES_MAX 20000
#define SCRIPT_REP_BYTES_MAX 65536
/* Steps of a pattern at its worst: text length to the power of its repetitions and one. */
#define SCRIPT_PATTERN_STEPS_MAX 10000000

struct script {
    str name, source; /* in the mapping's arena */
    uint32_t index;
};

struct script_desk;
/* Compiles all scripts; UNPROCESSABLE names script and line. */
err script_desk_new(struct script_desk **desk, const struct script *const *scripts, size_t count,
                    struct problem *problem) MUST_USE;
void script_desk_free(struct script_desk **desk);

struct value script_run(struct run *run, const struct script *script);

#endif
