/* SPDX-License-Identifier: Apache-2.0 */
/* suggest: pairs of customers that may be one person, for a human eye; never merged by themselves.
 *
 * A reason is evidence of some weight; several add up as independent ones do: 1 - ∏(1 - weight). The
 * weights are chosen by hand: of a thousand people with one name a tenth of one share four digits,
 * a household shares a device. What a whole shop shares says nothing. */
#include <stdlib.h>
#include <string.h>

#include "identity/state.h"

#define USERS_MAX 5u /* of one device, one address: beyond it is a shop */
#define NAMESAKES_MAX 10u

enum reason {
    SAME_NAME_AND_TAIL = 1 << 0,
    SAME_NAME = 1 << 1,
    SAME_RECEIVER = 1 << 2,
    SAME_DEVICE = 1 << 3,
    SAME_VISITOR = 1 << 4,
};

static const struct {
    enum reason reason;
    const char *text;
    double weight;
} reasons[] = {
    { SAME_NAME_AND_TAIL, "same_name_and_phone_tail", 0.8 },
    { SAME_NAME, "same_name", 0.4 },
    { SAME_RECEIVER, "same_receiver", 0.45 },
    { SAME_DEVICE, "same_device", 0.35 },
    { SAME_VISITOR, "same_visitor", 0.3 },
};
#define REASON_COUNT (sizeof(reasons) / sizeof(*reasons))

struct sign {
    uint64_t key; /* what two customers have in common */
    uint32_t customer;
    uint32_t reason;
};

struct pair {
    uint32_t a, b;
    uint32_t reasons;
    double score;
};

struct search {
    struct identity *copy;
    const struct identity_names *names;
    struct sign *signs;
    size_t sign_count, sign_capacity;
    struct pair *pairs;
    size_t pair_count, pair_capacity;
    bool failed;
};

static bool make_room(void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    size_t more = *capacity == 0 ? 1024 : *capacity * 2;
    void *larger = memory_resize(*items, more * size);
    if (larger == NULL)
        return false;
    *items = larger;
    *capacity = more;
    return true;
}

static void add_sign(struct search *search, uint64_t key, uint32_t customer, enum reason reason)
{
    void *items = search->signs;
    if (!make_room(&items, search->sign_count, &search->sign_capacity, sizeof(struct sign))) {
        search->failed = true;
        return;
    }
    search->signs = items;
    search->signs[search->sign_count++] = (struct sign){ key, customer, reason };
}

static uint64_t name_of(const struct search *search, uint32_t node)
{
    return search->names != NULL ? search->names->name_of(search->names->context, node) : 0;
}

/* The name known at one of her nodes; the smallest hash where there are several. */
static uint64_t customer_name(const struct search *search, uint32_t customer)
{
    uint64_t name = 0;
    uint32_t node = customer;
    do {
        uint64_t here = name_of(search, node);
        if (here != 0 && (name == 0 || here < name))
            name = here;
        node = node_next(search->copy, node);
    } while (node != customer);
    return name;
}

/* ---- signs ---- */

static bool is_usable(const struct identity *copy, int64_t row)
{
    if (row <= 0 || row >= copy->rows.count)
        return false;
    const struct row *there = row_at(copy, (uint32_t)row);
    return there->node != 0 && (there->flags & (ROW_SHARED | IDENTIFIER_BLOCKED)) == 0;
}

static void note_tail(struct search *search, int64_t row, str tail)
{
    uint64_t digits;
    if (tail.size != sizeof(digits) || !is_usable(search->copy, row))
        return;
    uint32_t customer = root_of(search->copy, row_at(search->copy, (uint32_t)row)->node);
    uint64_t name = customer_name(search, customer);
    memcpy(&digits, tail.data, sizeof(digits));
    if (name != 0)
        add_sign(search, hash_mix64(name) ^ digits, customer, SAME_NAME_AND_TAIL);
}

static bool visit_identifier(void *context, const struct ledger_value *values)
{
    note_tail(context, values[0].integer, values[11].bytes);
    return !((struct search *)context)->failed;
}

static bool visit_hash(void *context, const struct ledger_value *values)
{
    if (values[3].kind != LEDGER_NULL)
        note_tail(context, values[1].integer, values[3].bytes);
    return !((struct search *)context)->failed;
}

static uint32_t reason_of_type(const struct identifier_type *type)
{
    if (str_equal(type->name, STR("receiver_key")))
        return SAME_RECEIVER;
    if (str_equal(type->name, STR("device")))
        return SAME_DEVICE;
    return str_equal(type->name, STR("anonymous_id")) ? SAME_VISITOR : 0;
}

static void note_user(struct search *search, uint32_t row, int64_t node)
{
    uint32_t reason = reason_of_type(row_type(search->copy, row));
    if (reason != 0 && node > 0 && node < search->copy->nodes.count)
        add_sign(search, row, root_of(search->copy, (uint32_t)node), (enum reason)reason);
}

static bool visit_link(void *context, const struct ledger_value *values)
{
    struct search *search = context;
    if (values[1].integer > 0 && values[1].integer < search->copy->rows.count &&
        str_equal(values[7].bytes, STR("moved")))
        note_user(search, (uint32_t)values[1].integer, values[3].integer);
    return !search->failed;
}

static int compare_signs(const void *left, const void *right)
{
    const struct sign *a = left, *b = right;
    if (a->reason != b->reason)
        return a->reason < b->reason ? -1 : 1;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->customer < b->customer ? -1 : a->customer > b->customer;
}

static bool visit_birth(void *context, const struct ledger_value *values)
{
    note_user(context, (uint32_t)values[0].integer, values[5].integer);
    return true;
}

/* Who used it first is in the identifier's own row. */
static err add_first_users(struct search *search, struct ledger *ledger, size_t begin,
                           struct problem *problem)
{
    size_t end = search->sign_count;
    uint64_t last = 0;
    err error = ERR_OK;
    if (end > begin)
        qsort(search->signs + begin, end - begin, sizeof(*search->signs), compare_signs);
    for (size_t i = begin; i < end && error == ERR_OK; i++) {
        if (search->signs[i].key == last)
            continue;
        last = search->signs[i].key;
        struct ledger_value key = ledger_int((int64_t)last);
        error = ledger_find(ledger, LEDGER_IDENTIFIERS, &key, 1, visit_birth, search, problem);
    }
    return error;
}

static err find_signs(struct search *search, struct ledger *ledger, struct problem *problem)
{
    err error = ERR_OK;
    if (search->names != NULL) {
        error = ledger_scan_some(ledger, LEDGER_IDENTIFIERS, "row tail_hash", NULL,
                                 visit_identifier, search, problem);
        if (error == ERR_OK)
            error = ledger_scan_some(ledger, LEDGER_IDENTIFIER_HASHES, "row tail_hash", NULL,
                                     visit_hash, search, problem);
    }
    size_t begin = search->sign_count;
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_LINKS, NULL, visit_link, search, problem);
    if (error == ERR_OK)
        error = add_first_users(search, ledger, begin, problem);
    return error;
}

/* ---- pairs ---- */

static void add_pair(struct search *search, uint32_t a, uint32_t b, uint32_t reason)
{
    void *items = search->pairs;
    if (a == b || forest_is_separated(search->copy, a, b))
        return;
    if (!make_room(&items, search->pair_count, &search->pair_capacity, sizeof(struct pair))) {
        search->failed = true;
        return;
    }
    search->pairs = items;
    search->pairs[search->pair_count++] =
        (struct pair){ .a = a < b ? a : b, .b = a < b ? b : a, .reasons = reason };
}

/* Signs of one key, sorted by customer: each two different ones, when they are few. */
static void pair_up(struct search *search, struct sign *signs, size_t count)
{
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        if (distinct == 0 || signs[distinct - 1].customer != signs[i].customer)
            signs[distinct++] = signs[i];
    }
    if (distinct > (signs[0].reason == SAME_NAME_AND_TAIL ? NAMESAKES_MAX : USERS_MAX))
        return;
    for (size_t i = 0; i < distinct; i++) {
        for (size_t j = i + 1; j < distinct; j++)
            add_pair(search, signs[i].customer, signs[j].customer, signs[i].reason);
    }
}

static void find_pairs(struct search *search)
{
    if (search->sign_count > 1)
        qsort(search->signs, search->sign_count, sizeof(*search->signs), compare_signs);
    for (size_t begin = 0; begin < search->sign_count;) {
        const struct sign *first = &search->signs[begin];
        size_t end = begin + 1;
        while (end < search->sign_count && search->signs[end].key == first->key &&
               search->signs[end].reason == first->reason)
            end++;
        pair_up(search, &search->signs[begin], end - begin);
        begin = end;
    }
}

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return a->b < b->b ? -1 : a->b > b->b;
}

static int compare_scores(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    if (a->score < b->score || a->score > b->score)
        return a->score > b->score ? -1 : 1;
    return compare_pairs(left, right);
}

/* Those with a common strong identifier are in review as refusals. */
static void drop_refused(struct search *search)
{
    const struct identity *copy = search->copy;
    for (uint32_t number = 1; number < copy->refusals.count; number++) {
        const struct refusal *refusal = refusal_at(copy, number);
        uint32_t node = row_at(copy, refusal->row)->node;
        uint32_t other = row_at(copy, refusal->with_row)->node;
        if (node == 0 || other == 0 || search->pair_count == 0)
            continue;
        uint32_t a = root_of(copy, node), b = root_of(copy, other);
        struct pair key = { .a = a < b ? a : b, .b = a < b ? b : a };
        struct pair *found =
            bsearch(&key, search->pairs, search->pair_count, sizeof(key), compare_pairs);
        if (found != NULL)
            found->reasons = 0;
    }
}

static void score_pairs(struct search *search)
{
    size_t kept = 0;
    if (search->pair_count > 1)
        qsort(search->pairs, search->pair_count, sizeof(*search->pairs), compare_pairs);
    for (size_t i = 0; i < search->pair_count; i++) {
        if (kept > 0 && compare_pairs(&search->pairs[kept - 1], &search->pairs[i]) == 0)
            search->pairs[kept - 1].reasons |= search->pairs[i].reasons;
        else
            search->pairs[kept++] = search->pairs[i];
    }
    search->pair_count = kept;
    drop_refused(search);
    for (size_t i = 0; i < kept; i++) {
        struct pair *pair = &search->pairs[i];
        uint64_t name = customer_name(search, pair->a);
        if (name != 0 && name == customer_name(search, pair->b) &&
            (pair->reasons & SAME_NAME_AND_TAIL) == 0 && pair->reasons != 0)
            pair->reasons |= SAME_NAME;
        double rest = 1;
        for (size_t r = 0; r < REASON_COUNT; r++) {
            if ((pair->reasons & reasons[r].reason) != 0)
                rest *= 1 - reasons[r].weight;
        }
        pair->score = 1 - rest;
    }
    if (kept > 1)
        qsort(search->pairs, kept, sizeof(*search->pairs), compare_scores);
}

static void write_customer(struct json_writer *writer, str key, const struct keys *keys,
                           uint32_t customer)
{
    char one_id[ONE_ID_BYTES + 1];
    keys_one_id(keys, customer, one_id);
    json_member_text(writer, key, str_from_c(one_id));
}

static void write_pairs(const struct search *search, const struct keys *keys, size_t limit,
                        struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (size_t i = 0; i < search->pair_count && i < limit; i++) {
        const struct pair *pair = &search->pairs[i];
        if (pair->reasons == 0)
            continue;
        json_begin_object(&writer);
        write_customer(&writer, STR("a"), keys, pair->a);
        write_customer(&writer, STR("b"), keys, pair->b);
        json_put_key(&writer, STR("score"));
        json_put_double(&writer, (double)(int)(pair->score * 100 + 0.5) / 100);
        json_put_key(&writer, STR("reasons"));
        json_begin_array(&writer);
        for (size_t r = 0; r < REASON_COUNT; r++) {
            if ((pair->reasons & reasons[r].reason) != 0)
                json_put_text(&writer, str_from_c(reasons[r].text));
        }
        json_end_array(&writer);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}

err identity_suggest(struct ledger *ledger, const struct keys *keys,
                     const struct identity_names *names, size_t limit, struct buffer *out,
                     struct problem *problem)
{
    struct search search = { .names = names };
    err error = identity_new(&search.copy);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory for a copy of all identifiers");
    error = identity_load_parts(search.copy, ledger, NULL, true, problem);
    if (error == ERR_OK)
        error = find_signs(&search, ledger, problem);
    if (error == ERR_OK) {
        find_pairs(&search);
        score_pairs(&search);
        if (search.failed)
            error = problem_set(problem, ERR_NOMEM, "no memory for the pairs");
        else
            write_pairs(&search, keys, limit, out);
    }
    memory_free(search.signs);
    memory_free(search.pairs);
    identity_free(&search.copy);
    return error;
}
