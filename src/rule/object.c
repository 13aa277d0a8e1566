/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: the set of ids that satisfy an object's rule, found once and kept until something changes.
 *
 * Nested rules ask the set of the inner kind, so each kind is walked once, however deep the rule. An id is kept
 * as its 128-bit hash. */
#include "rule/judge.h"

#include "base/digest.h"

#define ID_SEED UINT64_C(0x6F626A656374)

static hash128 hash_id(str id)
{
    hash128 hash = hash_bytes128(id.data, id.size, ID_SEED);
    hash.low |= hash.low == 0; /* zero: an empty slot */
    return hash;
}

static hash128 *slot_of(const struct object_set *set, hash128 hash)
{
    uint32_t mask = set->capacity - 1, at = (uint32_t)hash.low & mask;
    while (set->slots[at].low != 0 &&
           (set->slots[at].low != hash.low || set->slots[at].high != hash.high))
        at = (at + 1) & mask;
    return &set->slots[at];
}

bool object_set_has(const struct object_set *set, str id)
{
    return set->count > 0 && slot_of(set, hash_id(id))->low != 0;
}

static bool add_id(struct object_set *set, str id)
{
    if (2 * (set->count + 1) > set->capacity) {
        struct object_set larger = *set;
        larger.capacity = set->capacity == 0 ? 64 : 2 * set->capacity;
        larger.slots = memory_alloc(larger.capacity * sizeof(hash128));
        if (larger.slots == NULL)
            return false;
        for (uint32_t i = 0; i < set->capacity; i++)
            if (set->slots[i].low != 0)
                *slot_of(&larger, set->slots[i]) = set->slots[i];
        memory_free(set->slots);
        *set = larger;
    }
    hash128 hash = hash_id(id);
    hash128 *slot = slot_of(set, hash);
    set->count += slot->low == 0;
    *slot = hash;
    return true;
}

/* ---- one object ---- */

static bool inner_holds(struct rule_judge *judge, const struct node *node, uint32_t kind,
                        uint32_t number, int64_t *until_ms);

static bool via_holds(const struct object_set *set, enum rule_kind kind,
                      const struct rule_value *value)
{
    if (kind == RULE_TEXT)
        return object_set_has(set, value->text);
    for (uint32_t i = 0; i < value->text_count; i++)
        if (object_set_has(set, value->texts[i]))
            return true;
    return false;
}

static bool nested_holds(struct rule_judge *judge, const struct node *node, uint32_t kind,
                         uint32_t number, int64_t *until_ms)
{
    const struct rule_objects *objects = judge->facts->objects;
    const struct object_set *set = object_set(judge, node);
    struct rule_value value = { 0 };
    if (set == NULL)
        return false;
    *until_ms = earlier(*until_ms, set->until_ms);
    return objects->value(objects->context, kind, number, node->via_symbol.number, &value) &&
           via_holds(set, node->via_symbol.kind, &value);
}

static bool group_holds(struct rule_judge *judge, const struct node *node, uint32_t kind,
                        uint32_t number, int64_t *until_ms)
{
    bool all = node->kind == NODE_ALL;
    for (uint32_t i = 0; i < node->child_count; i++)
        if (inner_holds(judge, node->children[node->order[i]], kind, number, until_ms) != all)
            return !all;
    return all;
}

static bool inner_holds(struct rule_judge *judge, const struct node *node, uint32_t kind,
                        uint32_t number, int64_t *until_ms)
{
    const struct rule_objects *objects = judge->facts->objects;
    if (node->kind == NODE_NOT)
        return !inner_holds(judge, node->children[0], kind, number, until_ms);
    if (node->kind == NODE_ALL || node->kind == NODE_ANY)
        return group_holds(judge, node, kind, number, until_ms);
    if (node->kind == NODE_OBJECT)
        return nested_holds(judge, node, kind, number, until_ms);
    INVARIANT(node->kind == NODE_PROP);
    struct rule_value value = { 0 };
    bool set = objects->value(objects->context, kind, number, node->symbol.number, &value);
    return value_holds(judge, &node->compare, set, &value, until_ms);
}

/* ---- sets ---- */

static uint64_t version_in(struct rule_judge *judge, const struct node *node)
{
    const struct rule_objects *objects = judge->facts->objects;
    uint64_t version = 0;
    if (node->kind == NODE_OBJECT) {
        version = hash_mix64(objects->version(objects->context, node->symbol.number) +
                             node->symbol.number);
        return version + 31 * version_in(judge, node->inner);
    }
    for (uint32_t i = 0; i < node->child_count; i++)
        version += 31 * version_in(judge, node->children[i]);
    return version;
}

static bool make_set(struct rule_judge *judge, const struct node *node, struct object_set *set)
{
    const struct rule_objects *objects = judge->facts->objects;
    uint32_t kind = node->symbol.number;
    uint32_t count = objects->count(objects->context, kind);
    memory_free(set->slots);
    uint64_t version = set->version;
    *set = (struct object_set){ .version = version, .until_ms = RULE_FOREVER };
    for (uint32_t number = 0; number < count; number++) {
        str id;
        if (objects->id(objects->context, kind, number, &id) &&
            inner_holds(judge, node->inner, kind, number, &set->until_ms) && !add_id(set, id)) {
            judge->nomem = true;
            return false;
        }
    }
    if (pattern_is_starved())
        return false;
    set->made = true;
    set->made_ms = judge->now_ms;
    set->serial = ++judge->serial;
    return true;
}

const struct object_set *object_set(struct rule_judge *judge, const struct node *node)
{
    struct object_set *set = &judge->k->sets[node->set];
    if (set->made && set->checked == judge->tick)
        return set;
    uint64_t version = judge->facts->objects != NULL ? version_in(judge, node) : 0;
    bool fresh = set->made && set->version == version && judge->now_ms >= set->made_ms &&
                 judge->now_ms < set->until_ms;
    if (judge->facts->objects == NULL) {
        /* No objects: nothing is in it. */
        memory_free(set->slots);
        *set = (struct object_set){
            .made = true,
            .until_ms = RULE_FOREVER,
            .serial = ++judge->serial,
        };
    } else if (!fresh) {
        set->version = version;
        set->made = false;
        if (!make_set(judge, node, set))
            return NULL;
    }
    set->checked = judge->tick;
    return set;
}

struct rule_answer object_answer(struct rule_judge *judge, const struct node *node)
{
    struct rule_answer answer = { .until_ms = RULE_FOREVER };
    const struct rule_facts *facts = judge->facts;
    const struct object_set *set = object_set(judge, node);
    struct rule_value value = { 0 };
    bool relation = node->via_kind == NODE_RELATION;
    bool (*ask)(void *, uint32_t, uint32_t, struct rule_value *) =
        relation ? facts->relation : facts->trait;
    if (set == NULL)
        return answer;
    answer.until_ms = set->until_ms;
    answer.holds = ask != NULL &&
                   ask(facts->context, judge->customer, node->via_symbol.number, &value) &&
                   via_holds(set, node->via_symbol.kind, &value);
    return answer;
}

/* ---- objects as the result ---- */

void rule_object_answer(struct rule_judge *judge, const struct rule *rule,
                        const struct rule_facts *facts, uint32_t number, int64_t now_ms,
                        struct rule_answer *answer)
{
    INVARIANT(rule->root->kind == NODE_OBJECT && rule->root->scope == SCOPE_OBJECT);
    *answer = (struct rule_answer){ .until_ms = RULE_FOREVER };
    judge_begin(judge, rule, 0, NULL, facts, now_ms);
    if (judge->k != NULL && facts->objects != NULL)
        answer->holds = inner_holds(judge, rule->root->inner, rule->root->symbol.number, number,
                                    &answer->until_ms);
    judge->nomem |= pattern_take_starved();
    if (judge->nomem)
        *answer = (struct rule_answer){ .until_ms = now_ms };
}
