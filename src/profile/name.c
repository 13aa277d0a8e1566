/* SPDX-License-Identifier: Apache-2.0 */
/* name: hashes of customers' names, read from the ledger for who looks for doubles. */
#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

#define SCRATCH_BYTES ((size_t)1 << 20)
#define NAME_BYTES_MAX 256

enum part { WHOLE, LAST, FIRST, PART_COUNT };

static const struct {
    str name;
    enum part part;
} name_traits[] = {
    { { "name", 4 }, WHOLE },        { { "last_name", 9 }, LAST },  { { "lastName", 8 }, LAST },
    { { "first_name", 10 }, FIRST }, { { "firstName", 9 }, FIRST },
};
#define NAME_TRAIT_COUNT (sizeof(name_traits) / sizeof(*name_traits))

struct profile_names {
    const struct keys *keys;
    struct json_parser *parser;
    struct arena scratch;
    struct facts facts;
    uint32_t numbers[NAME_TRAIT_COUNT]; /* of the traits; 0: unknown */
    uint64_t *hashes;                   /* by node */
    uint32_t count;
    err error;
};

static bool visit_type(void *context, const struct ledger_value *values)
{
    struct profile_names *names = context;
    for (size_t i = 0; i < NAME_TRAIT_COUNT; i++) {
        if (str_equal(values[1].bytes, name_traits[i].name))
            names->numbers[i] = (uint32_t)values[0].integer;
    }
    return true;
}

/* The text of a JSON value, unsealed where it is sealed; empty for anything else. */
static str plain_text(struct profile_names *names, str json)
{
    json_value root;
    str plain;
    if (json.size == 0 || json_parse(names->parser, json, &root, NULL) != ERR_OK)
        return STR_NONE;
    str text = json_text(root);
    str sealed = json_text(json_get(root, STR("$sealed")));
    if (sealed.size > 0) {
        if (names->keys == NULL ||
            keys_unseal(names->keys, &names->scratch, sealed, &plain, NULL) != ERR_OK)
            return STR_NONE;
        text = plain;
    }
    return text;
}

/* Without spaces and ASCII case, behind what is there. */
static size_t append_folded(char *out, size_t size, str text)
{
    for (size_t i = 0; i < text.size && size < NAME_BYTES_MAX; i++) {
        char c = text.data[i];
        if (c == ' ')
            continue;
        out[size++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return size;
}

static str newest_value(const struct profile_names *names, enum part part)
{
    const struct fact *newest = NULL;
    for (uint32_t i = 0; i < names->facts.count; i++) {
        const struct fact *fact = &names->facts.items[i];
        bool is_it = false;
        for (size_t t = 0; t < NAME_TRAIT_COUNT; t++)
            is_it = is_it || (name_traits[t].part == part && names->numbers[t] == fact->trait);
        if (is_it && fact->trait != 0 &&
            (fact->operation == FACT_SET || fact->operation == FACT_SET_ONCE) &&
            (newest == NULL || fact_compare_time(fact, newest) > 0))
            newest = fact;
    }
    return newest != NULL ? newest->json : STR_NONE;
}

static uint64_t hash_of_facts(struct profile_names *names)
{
    char folded[NAME_BYTES_MAX];
    size_t size = append_folded(folded, 0, plain_text(names, newest_value(names, WHOLE)));
    if (size == 0) {
        size = append_folded(folded, 0, plain_text(names, newest_value(names, LAST)));
        size = append_folded(folded, size, plain_text(names, newest_value(names, FIRST)));
    }
    return size == 0 ? 0 : hash_bytes64(folded, size, 0) | 1;
}

static bool visit_traits(void *context, const struct ledger_value *values)
{
    struct profile_names *names = context;
    names->facts.count = 0;
    names->error = facts_decode(&names->facts, values[1].bytes);
    if (names->error != ERR_OK || values[0].integer <= 0 || values[0].integer >= UINT32_MAX)
        return false;
    uint32_t node = (uint32_t)values[0].integer;
    if (node >= names->count) {
        uint32_t count = node + node / 2 + 1024;
        uint64_t *hashes = memory_resize(names->hashes, count * sizeof(*hashes));
        if (hashes == NULL) {
            names->error = ERR_NOMEM;
            return false;
        }
        memset(hashes + names->count, 0, (count - names->count) * sizeof(*hashes));
        names->hashes = hashes;
        names->count = count;
    }
    names->hashes[node] = hash_of_facts(names);
    arena_reset(&names->scratch);
    return true;
}

err profile_names_new(struct profile_names **out, struct ledger *ledger, const struct keys *keys,
                      struct problem *problem)
{
    struct profile_names *names = memory_alloc(sizeof(*names));
    if (names == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the names of customers");
    names->keys = keys;
    arena_init(&names->scratch, "names", SCRATCH_BYTES);
    err error = json_parser_new(&names->parser, SCRATCH_BYTES);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_TRAIT_TYPES, NULL, visit_type, names, problem);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_TRAITS, NULL, visit_traits, names, problem);
    if (error == ERR_OK && names->error != ERR_OK)
        error = problem_set(problem, names->error, "the names of customers cannot be read");
    if (error == ERR_OK)
        *out = names;
    else
        profile_names_free(&names);
    return error;
}

void profile_names_free(struct profile_names **out)
{
    struct profile_names *names = *out;
    if (names == NULL)
        return;
    json_parser_free(&names->parser);
    facts_deinit(&names->facts);
    arena_deinit(&names->scratch);
    memory_free(names->hashes);
    memory_free(names);
    *out = NULL;
}

uint64_t profile_name_of(void *context, uint32_t node)
{
    const struct profile_names *names = context;
    return node < names->count ? names->hashes[node] : 0;
}
