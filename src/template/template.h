/* SPDX-License-Identifier: Apache-2.0 */
/* template: texts with places to fill in. One small language for every channel (docs/templates.md).
 *
 *     {{ customer.nickname | default: "朋友" }}   {% if tag.skin_type == "sensitive" %}…{% elsif %}…{% else %}…{% endif %}
 *     {% for item in event.products limit: 3 %}{{ item.name | truncate: 12 }} ¥{{ item.price | money }}{% endfor %}
 *
 * Parsed once into an immutable tree; rendered by any thread with values that the caller looks up. Nothing
 * unbounded: loops are bounded by their list and by TEMPLATE_STEPS_MAX, there are no includes and no assignment.
 *
 * Invariants
 *   M1 what a value says is escaped for its channel (`escape`), always; there is no raw filter.
 *   M2 rendering takes at most TEMPLATE_STEPS_MAX steps and TEMPLATE_BYTES_MAX bytes, or fails with a problem that
 *      names the place (line and column).
 *   M3 a value that is missing and has no `default` makes the rendering fail (UNPROCESSABLE, the path is named),
 *      unless it stands in an `if`: nobody gets 'Dear ,'.
 *   M4 rendering is deterministic: the same template and values give the same bytes.
 */
#ifndef KITH_TEMPLATE_TEMPLATE_H
#define KITH_TEMPLATE_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

#define TEMPLATE_SOURCE_BYTES_MAX 100000
#define TEMPLATE_BYTES_MAX (1 << 20)
#define TEMPLATE_STEPS_MAX 20000
#define TEMPLATE_DEPTH_MAX 16

enum template_escape {
    TEMPLATE_PLAIN, /* control characters go; for texts of SMS, WeChat, JSON values that a writer quotes */
    /* A page or a part of one. Where an output stands decides how it is escaped (text, quoted attribute, address); where
     * nothing is safe (script, style, names, values without quotes) it is refused by template_new. */
    TEMPLATE_HTML,
    TEMPLATE_URL, /* percent-encoded, as a part of a query or path */
};

struct template;

/* UNPROCESSABLE with line and column in the detail, and a suggestion for a filter or a name like it. */
err template_new(struct template **template, str source, enum template_escape escape,
                 struct problem *problem) MUST_USE;
void template_free(struct template **template);
/* Paths that it asks for ("customer.nickname", "event.products"), each once, in order of first use. */
size_t template_path_count(const struct template *template);
str template_path(const struct template *template, size_t index);

/* A value that a path leads to. Lists and objects are JSON. Texts of white space alone count as missing. */
enum template_kind {
    TEMPLATE_MISSING,
    TEMPLATE_TEXT,
    TEMPLATE_NUMBER,
    TEMPLATE_BOOL,
    TEMPLATE_TIME,
    TEMPLATE_JSON
};
struct template_value {
    enum template_kind kind;
    str text;
    int64_t number; /* of NUMBER in millionths (money: minor units), of BOOL 0 or 1, of TIME ms */
    json_value json;
};
/* The value at "products[0].name" or "city" of a JSON document; false and MISSING when there is none. For `get`. */
bool template_value_at(json_value json, str path, struct template_value *value);
/* Where values come from; the text stays until the rendering is over. `get` is asked once per path and rendering, and
 * for paths of names and dots alone: what stands in brackets ("[0].name") is found in the JSON that it gives. `now` is
 * not asked for. `value` is MISSING when it is called. */
struct template_values {
    void *context;
    void (*get)(void *context, str path, struct template_value *value);
    int64_t now_ms;              /* for {{ now }} and dates */
    int32_t zone_offset_seconds; /* local time of the reader */
    str locale;                  /* "zh", "en" */
};
/* Appends; on failure `out` is as it was. */
err template_render(const struct template *template, const struct template_values *values,
                    struct buffer *out, struct problem *problem) MUST_USE;

/* The filters and tags with what they do, as JSON in both languages: what an editor is built from. */
void template_write_catalogue(struct buffer *out);

/* ---- lint: what a provider refuses, before it does ----
 *
 * Rules are data (src/template/lint.json, embedded): per channel lengths by unit, where variables and links are refused, words
 * that promotion texts may not have, what they must have (TD, unsubscribe), with the way out. */
/* `parts`: a JSON object part → source, as in PUT /templates/{key}. Appends a JSON array of
 * {level, code, part, line, column, text:{zh,en}, cure:{zh,en}} and counts the errors. */
err template_lint(str channel, bool is_marketing, json_value parts, struct buffer *out,
                  size_t *error_count) MUST_USE;

#endif
