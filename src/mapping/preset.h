/* SPDX-License-Identifier: Apache-2.0 */
/* preset: mappings for the exports of shop systems, one JSON file each in presets/, part of the binary.
 *
 *     {"key", "name": {zh, en}, "about": {zh, en}, "recognise": {"all", "some", "none"}, "mapping": {…}}
 *
 * `all` are groups of header names of which one each has to be there, `some` make it surer, `none` rule it out.
 */
#ifndef KITH_MAPPING_PRESET_H
#define KITH_MAPPING_PRESET_H

#include "base/json.h"
#include "mapping/inside.h"

struct preset_text {
    const unsigned char *bytes;
    size_t size;
};
extern const struct preset_text preset_texts[];
extern const size_t preset_text_count;

/* How sure it is that a file with these columns is of the preset: 0, or 60 to 100. */
int preset_score(json_value preset, const str *names, uint32_t count);
/* The preset that fits best; *score 0 if none does. `parser` then holds it. */
err preset_find(struct json_parser *parser, const str *names, uint32_t count, json_value *preset,
                int *score, struct problem *problem) MUST_USE;

/* Are these the same name of a column? Margins and the width of brackets do not count. */
bool column_names_equal(str a, str b);

/* ---- guesses (suggest.c) ---- */

#define GUESS_ROWS_MAX 200

/* What the values of a column look like; counted over the first rows. */
struct guess_column {
    str name;
    uint32_t filled, phones, masked, digests, emails, times, numbers, amounts, whole, rounded, ids;
};
void guess_cell(struct guess_column *column, const struct table_cell *cell, struct arena *arena);
/* A mapping made from names and looks; false when nothing in it names anybody. */
bool guess_write(const struct guess_column *columns, uint32_t count, struct buffer *out);

#endif
