/* SPDX-License-Identifier: Apache-2.0 */
/* leave: visitors of whom nothing was heard for long leave memory, and come back as they were; identity.h says how it is
 * laid out.
 *
 *     here ──identity_leave──▶ left: node and rows are holes, the hashes are out of the index and in the sieve
 *          ◀─identity_come_back──    (rows and homes of the ledger, as at a start)
 *
 * The sieve answers most questions about hashes that nobody has ever seen, so that a new visitor costs no look into the
 * ledger. What it says yes to in vain changes nothing but the time: the ledger answers. */
#include <string.h>

#include "base/codec.h"
#include "identity/state.h"

/* ---- the sieve ---- */

#define SIEVE_FIRST_WORDS 1024u
#define SIEVE_HASHES_PER_WORD 3u /* a word has 64 bits */

static uint64_t sieve_bits(const uint8_t hash[HASH_BYTES])
{
    uint32_t places;
    memcpy(&places, hash + 4, sizeof(places));
    return UINT64_C(1) << (places & 63) | UINT64_C(1) << (places >> 6 & 63) |
           UINT64_C(1) << (places >> 12 & 63) | UINT64_C(1) << (places >> 18 & 63);
}

static uint64_t *sieve_word(const struct sieve_level *level, const uint8_t hash[HASH_BYTES])
{
    uint64_t place;
    memcpy(&place, hash + 8, sizeof(place));
    return &level->words[place % level->word_count];
}

static bool sieve_has(const struct sieve *sieve, const uint8_t hash[HASH_BYTES])
{
    uint64_t bits = sieve_bits(hash);
    for (uint32_t i = 0; i < sieve->level_count; i++)
        if ((*sieve_word(&sieve->levels[i], hash) & bits) == bits)
            return true;
    return false;
}

static err sieve_add(struct sieve *sieve, const uint8_t hash[HASH_BYTES])
{
    struct sieve_level *last =
        sieve->level_count > 0 ? &sieve->levels[sieve->level_count - 1] : NULL;
    if (last == NULL || (last->room == 0 && sieve->level_count < SIEVE_LEVELS)) {
        uint64_t words = last == NULL ? SIEVE_FIRST_WORDS : last->word_count * 2;
        struct sieve_level next = { .word_count = words, .room = words * SIEVE_HASHES_PER_WORD };
        next.words = memory_alloc(words * sizeof(*next.words));
        if (next.words == NULL)
            return ERR_NOMEM;
        sieve->levels[sieve->level_count++] = next;
        last = &sieve->levels[sieve->level_count - 1];
    }
    *sieve_word(last, hash) |= sieve_bits(hash);
    last->room -= last->room > 0;
    return ERR_OK;
}

/* ---- marks ---- */

static bool is_marked(const uint64_t *bits, uint32_t words, uint32_t number)
{
    return number / 64 < words && (bits[number / 64] >> (number % 64) & 1) != 0;
}

/* Of a node that left, or came back. */
static err mark_left(struct identity *identity, uint32_t node)
{
    if (node / 64 >= identity->left_words) {
        uint32_t words = node / 64 + node / 256 + 16;
        uint64_t *left = memory_resize(identity->left, words * sizeof(*left));
        if (left == NULL)
            return ERR_NOMEM;
        memset(left + identity->left_words, 0, (words - identity->left_words) * sizeof(*left));
        identity->left = left;
        identity->left_words = words;
    }
    err error = node_load_gone(identity, node);
    if (error != ERR_OK)
        return error;
    identity->left[node / 64] |= UINT64_C(1) << (node % 64);
    identity->left_count++;
    return ERR_OK;
}

static void unmark_left(struct identity *identity, uint32_t node)
{
    identity->left[node / 64] &= ~(UINT64_C(1) << (node % 64));
    identity->gone[node / 64] &= ~(UINT64_C(1) << (node % 64));
    identity->left_count--;
    identity->gone_count--;
}

bool identity_has_left(const struct identity *identity, uint32_t node)
{
    return is_marked(identity->left, identity->left_words, node);
}

uint32_t identity_left_count(const struct identity *identity)
{
    return identity->left_count;
}

void left_deinit(struct identity *identity)
{
    memory_free(identity->left);
    for (uint32_t i = 0; i < identity->sieve.level_count; i++)
        memory_free(identity->sieve.levels[i].words);
}

/* ---- who may ---- */

static bool row_may_leave(const struct identity *identity, uint32_t number, uint32_t before_s)
{
    const struct row *row = row_at(identity, number);
    const struct identifier_type *type = identity->kinds[row->kind].type;
    struct index_key key = index_key_of_pair(number, 0);
    return !type->strong && type->family == FAMILY_VISITOR && row->attached_s < before_s &&
           (row->flags & (ROW_SHARED | ROW_IMPORTED | IDENTIFIER_BLOCKED)) == 0 &&
           index_get(&identity->refusal_rows, &key) == 0 &&
           index_get(&identity->refused_count, &key) == 0;
}

bool identity_may_leave(const struct identity *identity, uint32_t number, int64_t before_ms)
{
    if (number == 0 || number >= identity->nodes.count || identity_is_gone(identity, number))
        return false;
    const struct node *node = node_at(identity, number);
    struct index_key key = index_key_of_pair(number, 0);
    if (node->tie != NODE_ALONE || node->first_row == 0 ||
        index_get(&identity->separated, &key) != 0 ||
        index_get(&identity->evidence_nodes, &key) != 0)
        return false;
    uint32_t before_s = seconds_of(before_ms);
    for (uint32_t row = node->first_row; row != 0; row = row_at(identity, row)->next)
        if (!row_may_leave(identity, row, before_s))
            return false;
    return true;
}

/* ---- leaving ---- */

struct leaving {
    struct identity *identity;
    struct ledger_writes *writes;
    struct ledger_value *keys; /* rows */
    size_t count, capacity, found;
    struct buffer rows; /* of one node */
    uint32_t row;       /* whose later hashes are read */
    err error;
};

static bool is_hash_list(str hashes)
{
    return hashes.size % HASH_BYTES == 0;
}

static void take_out(struct leaving *leaving, uint32_t row, str hashes)
{
    struct identity *identity = leaving->identity;
    uint32_t node = row_at(identity, row)->node;
    for (size_t at = 0; at + HASH_BYTES <= hashes.size && leaving->error == ERR_OK;
         at += HASH_BYTES) {
        const uint8_t *hash = (const uint8_t *)hashes.data + at;
        struct index_key key = index_key_of_hash(hash);
        if (index_get(&identity->index, &key) != row)
            continue; /* it leads to somebody else */
        leaving->error = sieve_add(&identity->sieve, hash);
        if (leaving->error != ERR_OK)
            return;
        index_remove(&identity->index, &key, row);
        LEDGER_PUT(leaving->writes, LEDGER_LEFT_IDENTIFIERS,
                   ledger_blob(str_from_bytes(hash, HASH_BYTES)), ledger_int(node));
    }
}

static bool take_birth(void *context, const struct ledger_value *values)
{
    struct leaving *leaving = context;
    leaving->found++;
    if (!is_hash_list(values[1].bytes))
        leaving->error = ERR_CORRUPT;
    else
        take_out(leaving, (uint32_t)values[0].integer, values[1].bytes);
    return leaving->error == ERR_OK;
}

static bool take_later_hash(void *context, const struct ledger_value *values)
{
    struct leaving *leaving = context;
    take_out(leaving, leaving->row, values[0].bytes);
    return leaving->error == ERR_OK;
}

static err note_row(struct leaving *leaving, uint32_t row)
{
    if (leaving->count == leaving->capacity) {
        size_t capacity = leaving->capacity * 2 + 64;
        struct ledger_value *keys = memory_resize(leaving->keys, capacity * sizeof(*keys));
        if (keys == NULL)
            return ERR_NOMEM;
        leaving->keys = keys;
        leaving->capacity = capacity;
    }
    leaving->keys[leaving->count++] = ledger_int(row);
    return ERR_OK;
}

static err note_rows(struct leaving *leaving, const uint32_t *nodes, size_t count)
{
    const struct identity *identity = leaving->identity;
    err error = ERR_OK;
    for (size_t i = 0; i < count; i++) {
        uint32_t row = node_at(identity, nodes[i])->first_row;
        for (; row != 0 && error == ERR_OK; row = row_at(identity, row)->next)
            error = note_row(leaving, row);
    }
    return error;
}

/* All hashes that lead to the rows: those of their birth, and those that were learnt later. */
static err take_hashes(struct leaving *leaving, struct ledger *ledger, struct problem *problem)
{
    err error = ledger_find(ledger, LEDGER_IDENTIFIERS, leaving->keys, leaving->count, take_birth,
                            leaving, problem);
    if (error == ERR_OK && leaving->error == ERR_OK && leaving->found != leaving->count)
        leaving->error = ERR_CORRUPT;
    for (size_t i = 0; i < leaving->count && error == ERR_OK && leaving->error == ERR_OK; i++) {
        leaving->row = (uint32_t)leaving->keys[i].integer;
        error = ledger_find_by(ledger, LEDGER_IDENTIFIER_HASHES, "row", leaving->keys[i], NULL,
                               false, SIZE_MAX, take_later_hash, leaving, problem);
    }
    if (error == ERR_OK && leaving->error != ERR_OK)
        error = problem_set(problem, leaving->error,
                            "identifiers of visitors who leave memory cannot be read");
    return error;
}

static err drop_node(struct leaving *leaving, uint32_t number, uint64_t seq)
{
    struct identity *identity = leaving->identity;
    struct node *node = node_at(identity, number);
    uint16_t families = *(uint16_t *)segments_at(&identity->families, number);
    buffer_clear(&leaving->rows);
    for (uint32_t row = node->first_row; row != 0;) {
        uint32_t next = row_at(identity, row)->next;
        row_type(identity, row)->rows--;
        write_u32(&leaving->rows, row);
        segments_drop(&identity->rows, row);
        row = next;
    }
    node->first_row = 0;
    families_row(identity, number, families, 0);
    segments_drop(&identity->nodes, number);
    err error = buffer_status(&leaving->rows);
    if (error != ERR_OK)
        return error;
    LEDGER_PUT(leaving->writes, LEDGER_LEFT_VISITORS, ledger_int(number),
               ledger_blob(buffer_str(&leaving->rows)), ledger_int((int64_t)seq));
    return mark_left(identity, number);
}

err identity_leave(struct identity *identity, struct ledger *ledger, const uint32_t *nodes,
                   size_t count, uint64_t seq, struct ledger_writes *writes,
                   struct problem *problem)
{
    struct leaving leaving = { .identity = identity, .writes = writes };
    buffer_init(&leaving.rows, (size_t)1 << 20);
    err error = note_rows(&leaving, nodes, count);
    if (error == ERR_OK)
        error = take_hashes(&leaving, ledger, problem);
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        error = drop_node(&leaving, nodes[i], seq);
    memory_free(leaving.keys);
    buffer_deinit(&leaving.rows);
    return error;
}

void identity_give_back(struct identity *identity, uint32_t node, uint32_t row, uint32_t round)
{
    size_t share = index_part_count(&identity->index) / 16;
    segments_thin(&identity->nodes, node);
    segments_thin(&identity->rows, row);
    index_shrink(&identity->index, round % 16 * share, (round % 16 + 1) * share);
}

/* ---- coming back ---- */

bool identity_may_have_left(const struct identity *identity, const uint8_t hash[HASH_BYTES])
{
    return identity->left_count > 0 && sieve_has(&identity->sieve, hash);
}

static bool take_customer(void *context, const struct ledger_value *values)
{
    *(uint32_t *)context = (uint32_t)values[1].integer;
    return true;
}

err identity_find_left(const struct identity *identity, struct ledger *ledger,
                       const uint8_t hash[HASH_BYTES], uint32_t *node, struct problem *problem)
{
    struct ledger_value key = ledger_blob(str_from_bytes(hash, HASH_BYTES));
    *node = 0;
    err error = ledger_find(ledger, LEDGER_LEFT_IDENTIFIERS, &key, 1, take_customer, node, problem);
    if (error == ERR_OK && *node != 0 && !identity_has_left(identity, *node))
        *node = 0;
    return error;
}

struct coming {
    struct identity *identity;
    struct ledger_writes *writes;
    uint32_t node;
    struct buffer rows;
    size_t count, found;
    uint32_t row;
    err error;
};

static bool take_rows(void *context, const struct ledger_value *values)
{
    struct coming *coming = context;
    buffer_append_str(&coming->rows, values[1].bytes);
    coming->count = values[1].bytes.size / sizeof(uint32_t);
    return true;
}

static void put_hashes_back(struct coming *coming, uint32_t row, str hashes)
{
    struct identity *identity = coming->identity;
    for (size_t at = 0; at + HASH_BYTES <= hashes.size && coming->error == ERR_OK;
         at += HASH_BYTES) {
        const uint8_t *hash = (const uint8_t *)hashes.data + at;
        struct index_key key = index_key_of_hash(hash);
        struct ledger_value value = ledger_blob(str_from_bytes(hash, HASH_BYTES));
        if (index_get(&identity->index, &key) != 0)
            continue;
        coming->error = index_add(&identity->index, &key, row);
        ledger_delete(coming->writes, LEDGER_LEFT_IDENTIFIERS, &value);
    }
}

/* As load.c has it: as it was born, and then where it is now. */
static bool take_row(void *context, const struct ledger_value *values)
{
    struct coming *coming = context;
    struct identity *identity = coming->identity;
    uint32_t number = (uint32_t)values[0].integer;
    struct identifier_type *type = type_by_number(identity, (uint32_t)values[2].integer);
    uint32_t kind = type != NULL ? kind_intern(identity, type, values[3].bytes) : 0;
    struct row *row = kind != 0 ? segments_put(&identity->rows, number) : NULL;
    if (row == NULL || !is_hash_list(values[1].bytes)) {
        coming->error = kind == 0 ? ERR_CORRUPT : ERR_NOMEM;
        return false;
    }
    *row = (struct row){ .node = (uint32_t)values[5].integer,
                         .kind = kind & 0xFFFFFF,
                         .flags = (uint8_t)values[4].integer,
                         .attached_s = seconds_of(values[6].integer) };
    type->rows++;
    coming->found++;
    put_hashes_back(coming, number, values[1].bytes);
    return coming->error == ERR_OK;
}

static bool take_home(void *context, const struct ledger_value *values)
{
    struct coming *coming = context;
    struct row *row = row_at(coming->identity, (uint32_t)values[0].integer);
    row->flags = (uint8_t)values[1].integer;
    row->node = (uint32_t)values[2].integer;
    row->attached_s = seconds_of(values[3].integer);
    return true;
}

static bool take_hash_back(void *context, const struct ledger_value *values)
{
    struct coming *coming = context;
    put_hashes_back(coming, coming->row, values[0].bytes);
    return coming->error == ERR_OK;
}

static err read_rows_back(struct coming *coming, struct ledger *ledger, struct problem *problem)
{
    struct ledger_value key = ledger_int(coming->node);
    err error = ledger_find(ledger, LEDGER_LEFT_VISITORS, &key, 1, take_rows, coming, problem);
    if (error == ERR_OK)
        error = buffer_status(&coming->rows);
    struct cursor cursor = cursor_over(buffer_str(&coming->rows));
    for (size_t i = 0; i < coming->count && error == ERR_OK && coming->error == ERR_OK; i++) {
        coming->row = read_u32(&cursor);
        key = ledger_int(coming->row);
        error = ledger_find(ledger, LEDGER_IDENTIFIERS, &key, 1, take_row, coming, problem);
        if (error == ERR_OK && coming->error == ERR_OK)
            error =
                ledger_find(ledger, LEDGER_IDENTIFIER_HOMES, &key, 1, take_home, coming, problem);
        if (error == ERR_OK && coming->error == ERR_OK)
            error = ledger_find_by(ledger, LEDGER_IDENTIFIER_HASHES, "row", key, NULL, false,
                                   SIZE_MAX, take_hash_back, coming, problem);
    }
    if (error == ERR_OK && coming->error == ERR_OK &&
        (coming->found != coming->count || coming->count == 0))
        coming->error = ERR_CORRUPT;
    return error == ERR_OK && coming->error != ERR_OK
               ? problem_set(problem, coming->error,
                             "the identifiers of visitor %u, who came back, cannot be read",
                             coming->node)
               : error;
}

static err put_back(struct coming *coming)
{
    struct identity *identity = coming->identity;
    struct node *node = segments_put(&identity->nodes, coming->node);
    if (node == NULL)
        return ERR_NOMEM;
    *node = (struct node){ .tie = NODE_ALONE };
    unmark_left(identity, coming->node);
    struct cursor cursor = cursor_over(buffer_str(&coming->rows));
    for (size_t i = 0; i < coming->count; i++) {
        uint32_t row = read_u32(&cursor);
        INVARIANT(row_at(identity, row)->node == coming->node);
        row_link_in(identity, row, coming->node);
        families_row(identity, coming->node, 0, families_of_row(identity, row));
    }
    struct ledger_value key = ledger_int(coming->node);
    ledger_delete(coming->writes, LEDGER_LEFT_VISITORS, &key);
    return ERR_OK;
}

err identity_come_back(struct identity *identity, struct ledger *ledger, uint32_t node,
                       struct ledger_writes *writes, struct problem *problem)
{
    struct coming coming = { .identity = identity, .writes = writes, .node = node };
    INVARIANT(identity_has_left(identity, node));
    buffer_init(&coming.rows, (size_t)1 << 20);
    err error = read_rows_back(&coming, ledger, problem);
    if (error == ERR_OK)
        error = put_back(&coming);
    buffer_deinit(&coming.rows);
    return error;
}

/* ---- loading ---- */

struct left_loading {
    struct identity *identity;
    uint64_t *rows;
    err error;
};

static bool load_left(void *context, const struct ledger_value *values)
{
    struct left_loading *loading = context;
    struct identity *identity = loading->identity;
    struct cursor cursor = cursor_over(values[1].bytes);
    if (values[0].integer <= 0 || values[0].integer >= identity->nodes.count) {
        loading->error = ERR_CORRUPT;
        return false;
    }
    while (cursor_left(&cursor) > 0 && !cursor.failed) {
        uint32_t row = read_u32(&cursor);
        if (row >= identity->rows.count || cursor.failed) {
            loading->error = ERR_CORRUPT;
            return false;
        }
        loading->rows[row / 64] |= UINT64_C(1) << (row % 64);
    }
    segments_drop(&identity->nodes, (uint32_t)values[0].integer);
    loading->error = mark_left(identity, (uint32_t)values[0].integer);
    return loading->error == ERR_OK;
}

static bool load_hash_of_left(void *context, const struct ledger_value *values)
{
    struct left_loading *loading = context;
    loading->error =
        values[0].bytes.size == HASH_BYTES
            ? sieve_add(&loading->identity->sieve, (const uint8_t *)values[0].bytes.data)
            : ERR_CORRUPT;
    return loading->error == ERR_OK;
}

err left_load(struct identity *identity, struct ledger *ledger, uint64_t **rows,
              struct problem *problem)
{
    struct left_loading loading = { .identity = identity };
    *rows = loading.rows = memory_alloc((identity->rows.count / 64 + 1) * sizeof(**rows));
    if (*rows == NULL)
        return ERR_NOMEM;
    err error = ledger_scan(ledger, LEDGER_LEFT_VISITORS, NULL, load_left, &loading, problem);
    if (error == ERR_OK && loading.error == ERR_OK)
        error = ledger_scan_some(ledger, LEDGER_LEFT_IDENTIFIERS, "hash", NULL, load_hash_of_left,
                                 &loading, problem);
    if (error == ERR_OK && loading.error != ERR_OK)
        error = problem_set(problem, loading.error,
                            "ledger: visitors who left memory cannot be loaded");
    return error;
}
