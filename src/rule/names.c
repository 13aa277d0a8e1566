/* SPDX-License-Identifier: Apache-2.0 */
/* Names that are not known: which ones are like them. */
#include <string.h>

#include "rule/inside.h"

#define NAME_BYTES_MAX 128

/* Levenshtein's distance by bytes, two rows; Damerau's exchange of neighbours counts one. ASCII case is
 * passed over. Beyond `limit` any larger number is returned. */
size_t rule_distance(str a, str b, size_t limit)
{
    size_t rows[3][NAME_BYTES_MAX + 1];
    size_t far = limit + 1;
    if (a.size > NAME_BYTES_MAX || b.size > NAME_BYTES_MAX ||
        (a.size > b.size ? a.size - b.size : b.size - a.size) > limit)
        return far;
    for (size_t j = 0; j <= b.size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        size_t least = now[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            char x = a.data[i - 1], y = b.data[j - 1];
            bool same = str_equal_ignoring_case(str_from_bytes(&x, 1), str_from_bytes(&y, 1));
            size_t best = before[j - 1] + !same;
            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && x == b.data[j - 2] && a.data[i - 2] == y &&
                earlier[j - 2] + 1 < best)
                best = earlier[j - 2] + 1;
            now[j] = best;
            if (best < least)
                least = best;
        }
        if (least > limit)
            return far;
    }
    return rows[a.size % 3][b.size];
}

void rule_suggestions_offer(struct rule_suggestions *suggestions, str wrong, str candidate)
{
    size_t limit = wrong.size < 5 ? 1 : wrong.size < 12 ? 2 : 4;
    size_t distance = rule_distance(wrong, candidate, limit);
    if (distance > limit && wrong.size >= 3 &&
        (str_starts_with(candidate, wrong) || str_starts_with(wrong, candidate)) &&
        candidate.size >= 3)
        distance = limit;
    if (distance > limit || candidate.size > sizeof(suggestions->names[0]))
        return;
    size_t at = suggestions->count;
    while (at > 0 && suggestions->distances[at - 1] > distance)
        at--;
    if (at >= RULE_SUGGESTIONS_MAX)
        return;
    size_t moved = suggestions->count < RULE_SUGGESTIONS_MAX ? suggestions->count - at
                                                             : RULE_SUGGESTIONS_MAX - 1 - at;
    memmove(&suggestions->names[at + 1], &suggestions->names[at],
            moved * sizeof(suggestions->names[0]));
    memmove(&suggestions->sizes[at + 1], &suggestions->sizes[at],
            moved * sizeof(suggestions->sizes[0]));
    memmove(&suggestions->distances[at + 1], &suggestions->distances[at],
            moved * sizeof(suggestions->distances[0]));
    memcpy(suggestions->names[at], candidate.data, candidate.size);
    suggestions->sizes[at] = candidate.size;
    suggestions->distances[at] = distance;
    if (suggestions->count < RULE_SUGGESTIONS_MAX)
        suggestions->count++;
}

void rule_suggestions_write(const struct rule_suggestions *suggestions, struct buffer *out)
{
    for (size_t i = 0; i < suggestions->count; i++)
        buffer_printf(out, "%s'%.*s'",
                      i == 0                        ? ""
                      : i + 1 == suggestions->count ? " or "
                                                    : ", ",
                      (int)suggestions->sizes[i], suggestions->names[i]);
}
