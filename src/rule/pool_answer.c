/* SPDX-License-Identifier: Apache-2.0 */
/* What rules of a pool come to of the customer who is looked at, by what they share: her events in a series are found once, each
 * window is looked through once, each condition is answered once, however many rules stand on it.
 *
 * The same answer as rule_answer's, by the same functions (settle.c, tree.c): so it is given only of rules whose conditions are
 * counted by which events are in a window, and of facts that do not move with time; of all others, and where memory lacks
 * events or values, nothing is said, and rule_answer is asked. Until when: hearing->until_ms goes forward to when time
 * changes what is in a window that was looked through, which is no later than the answer changes. */
#include "rule/pool.h"

/* ---- as steps ---- */

static bool is_plain_fact(const struct node *node)
{
    switch (node->kind) {
    case NODE_TRAIT:
    case NODE_TAG:
    case NODE_SEGMENT:
    case NODE_HAS:
    case NODE_CONSENT:
    case NODE_REACHABLE:
    case NODE_RELATION:
        return !node->relative && !node->compare.relative;
    case NODE_ALL:
    case NODE_ANY:
    case NODE_NOT:
    case NODE_TOUCH:
    case NODE_EVENT:
    case NODE_SEQUENCE:
    case NODE_OBJECT:
    case NODE_PROP:
    default:
        return false;
    }
}

static bool add_step(struct rule_pool *pool, enum pool_step_kind kind, const struct node *node,
                     uint32_t *place)
{
    if (!HAS_ROOM(pool, steps, step))
        return false;
    *place = (uint32_t)pool->step_count++;
    pool->steps[*place] =
        (struct pool_step){ .kind = kind, .end = *place + 1, .test = POOL_NONE, .node = node };
    return true;
}

/* False: no memory, or *is_plain is false. */
static bool add_steps(struct rule_pool *pool, const struct node *node, bool *is_plain)
{
    uint32_t place;
    if (node->kind == NODE_EVENT) {
        *is_plain = pool->slot_tests[node->slot] != POOL_NONE;
        if (!*is_plain || !add_step(pool, POOL_TEST, node, &place))
            return false;
        pool->steps[place].test = pool->slot_tests[node->slot];
        return true;
    }
    if (node->kind != NODE_ALL && node->kind != NODE_ANY && node->kind != NODE_NOT) {
        *is_plain = is_plain_fact(node);
        return *is_plain && add_step(pool, POOL_FACT, node, &place);
    }
    enum pool_step_kind kind = node->kind == NODE_ALL   ? POOL_ALL
                               : node->kind == NODE_ANY ? POOL_ANY
                                                        : POOL_NOT;
    if (!add_step(pool, kind, node, &place))
        return false;
    for (uint32_t i = 0; i < node->child_count; i++)
        if (!add_steps(pool, node->children[kind == POOL_NOT ? i : node->order[i]], is_plain))
            return false;
    pool->steps[place].end = (uint32_t)pool->step_count;
    return true;
}

err pool_add_program(struct rule_pool *pool, const struct rule *rule)
{
    bool is_plain = true;
    if (!HAS_ROOM(pool, programs, program))
        return ERR_NOMEM;
    struct pool_program program = { .rule = rule, .first = (uint32_t)pool->step_count };
    bool added = add_steps(pool, rule->root, &is_plain);
    if (!is_plain)
        pool->step_count = program.first;
    program.end = (uint32_t)pool->step_count;
    pool->programs[pool->program_count++] = program;
    return added || !is_plain ? ERR_OK : ERR_NOMEM;
}

/* ---- conditions ---- */

/* What is in the window of a test, as its own rule counts it. */
static bool tally_test(struct rule_pool *pool, struct rule_judge *judge,
                       const struct pool_test *test, struct tally *tally)
{
    const struct pool_group *group = &pool->groups[test->group];
    if (!judge_stand(judge, test->rule))
        return false;
    tally_begin(judge, test->node, tally);
    for (size_t i = group->low; i < group->high; i++)
        tally_add(judge, test->node, tally, pool->places[i], pool->times[i]);
    return true;
}

static bool answer_test(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t place,
                        bool *holds)
{
    struct rule_judge *judge = hearing->judge;
    struct pool_test *test = &pool->tests[place];
    const struct node *node = test->node;
    if (test->round == pool->round) {
        *holds = test->holds;
        return true;
    }
    if (!pool_look(pool, hearing, test->group))
        return false;
    const struct pool_group *group = &pool->groups[test->group];
    if (node->measuring.measure == MEASURE_COUNT && node->compare.op != OP_IS_SET &&
        node->compare.op != OP_IS_NOT_SET) {
        test->holds = number_holds(&node->compare, (wide)(group->high - group->low));
    } else {
        struct tally tally;
        if (!tally_test(pool, judge, test, &tally))
            return false;
        struct rule_answer answer = settle_slot(judge, node, &tally);
        test->holds = answer.holds;
        if (node->measuring.measure == MEASURE_RECENCY)
            hearing->until_ms = earlier(hearing->until_ms, answer.until_ms);
    }
    test->round = pool->round;
    *holds = test->holds;
    return true;
}

/* ---- rules ---- */

/* False: not known. */
static bool answer_step(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t place,
                        bool *holds)
{
    const struct pool_step *step = &pool->steps[place];
    if (step->kind == POOL_TEST)
        return answer_test(pool, hearing, step->test, holds);
    if (step->kind == POOL_FACT) {
        *holds = leaf_answer(hearing->judge, step->node).holds;
        return true;
    }
    *holds = step->kind == POOL_ALL;
    for (uint32_t child = place + 1; child < step->end; child = pool->steps[child].end) {
        bool child_holds;
        if (!answer_step(pool, hearing, child, &child_holds))
            return false;
        if (step->kind == POOL_NOT)
            *holds = !child_holds;
        else if (child_holds != *holds)
            *holds = child_holds;
        else
            continue;
        return true;
    }
    return true;
}

/* Memory or a pattern may have failed: rule_answer finds out, and says so. */
static bool is_sound(const struct rule_judge *judge)
{
    return !judge->nomem && !pattern_is_starved();
}

/* The judge may have been asked something else meanwhile. */
static void stand(const struct rule_pool *pool, const struct rule_hearing *hearing)
{
    struct rule_judge *judge = hearing->judge;
    judge->facts = hearing->facts;
    judge->customer = hearing->customer;
    judge->view = hearing->view;
    judge->now_ms = pool->now_ms;
}

void rule_pool_begin(struct rule_pool *pool, const struct rule_hearing *hearing, int64_t now_ms)
{
    pool_begin(pool, hearing, now_ms);
}

bool rule_pool_is_plain(const struct rule_pool *pool, uint32_t added)
{
    return pool->programs[added].first < pool->programs[added].end;
}

bool rule_pool_answer(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t added,
                      bool *holds)
{
    const struct pool_program *program = &pool->programs[added];
    INVARIANT(added < pool->program_count && !program->rule->is_measure);
    if (program->first == program->end)
        return false;
    stand(pool, hearing);
    return answer_step(pool, hearing, program->first, holds) && is_sound(hearing->judge);
}

bool rule_pool_measure(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t added,
                       struct rule_value *value, bool *is_set)
{
    const struct pool_program *program = &pool->programs[added];
    struct tally tally;
    INVARIANT(added < pool->program_count && program->rule->is_measure);
    if (program->first == program->end)
        return false;
    stand(pool, hearing);
    const struct pool_test *test = &pool->tests[pool->steps[program->first].test];
    *value = (struct rule_value){ 0 };
    if (!pool_look(pool, hearing, test->group))
        return false;
    const struct pool_group *group = &pool->groups[test->group];
    const struct measuring *measuring = &test->node->measuring;
    if (measuring->measure == MEASURE_COUNT) {
        tally.count = group->high - group->low;
    } else if (!tally_test(pool, hearing->judge, test, &tally)) {
        return false;
    }
    *is_set = settle_value(hearing->judge, test->node, &tally, value);
    if (measuring->measure == MEASURE_RECENCY)
        hearing->until_ms =
            earlier(hearing->until_ms, settle_until(hearing->judge, test->node, &tally));
    return is_sound(hearing->judge);
}
