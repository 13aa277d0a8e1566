/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of words: what a status of a file means. Open addressing, made once. */
#include "base/digest.h"
#include "mapping/expression.h"

#define WORDS_MAX 20000

struct lookup {
    uint32_t mask;
    struct entry {
        str word, meaning; /* word.data NULL: free */
    } * entries;
};

static struct entry *place_of(const struct lookup *lookup, str word)
{
    uint32_t at = (uint32_t)hash_bytes64(word.data, word.size, 0) & lookup->mask;
    while (lookup->entries[at].word.data != NULL && !str_equal(lookup->entries[at].word, word))
        at = (at + 1) & lookup->mask;
    return &lookup->entries[at];
}

static err add(struct arena *arena, struct lookup *lookup, str word, json_value meaning,
               struct problem *problem)
{
    enum json_kind kind = json_kind(meaning);
    if (kind != JSON_TEXT && kind != JSON_NULL && kind != JSON_INT && kind != JSON_BOOL)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "the word '" STR_FMT "' stands for neither text nor null",
                           (int)str_utf8_prefix_bytes(word, 60), word.data);
    struct entry *entry = place_of(lookup, word);
    str text = json_text(meaning);
    err error = ERR_OK;
    if (kind == JSON_INT)
        error = arena_printf(arena, &text, "%lld", (long long)json_int(meaning, 0));
    else if (kind == JSON_BOOL)
        text = json_bool(meaning, false) ? STR("true") : STR("false");
    else
        error = arena_dup(arena, text, &text);
    if (error == ERR_OK)
        error = arena_dup(arena, word, &entry->word);
    entry->meaning = text;
    return error == ERR_OK ? ERR_OK : problem_set(problem, error, "no memory for a table");
}

err lookup_new(struct arena *arena, json_value object, struct lookup **lookup,
               struct problem *problem)
{
    struct json_iterator iterator = json_iterate(object);
    json_value meaning;
    str word;
    size_t slots = 8, count = json_count(object);
    err error = ERR_OK;
    if (!json_is_object(object) || count > WORDS_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "a table is an object of words and meanings, %d at most", WORDS_MAX);
    while (slots < 2 * count)
        slots *= 2;
    struct lookup *made = arena_new(arena, struct lookup);
    if (made == NULL || (made->entries = arena_array(arena, struct entry, slots)) == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a table");
    made->mask = (uint32_t)slots - 1;
    while (error == ERR_OK && json_next(&iterator, &word, &meaning))
        error = add(arena, made, word, meaning, problem);
    *lookup = made;
    return error;
}

bool lookup_find(const struct lookup *lookup, str text, str *out)
{
    const struct entry *entry = place_of(lookup, text);
    if (entry->word.data == NULL)
        return false;
    *out = entry->meaning;
    return true;
}
