/* SPDX-License-Identifier: Apache-2.0 */
/* Random journeys against a twin that is plainly right: it keeps a list of lives, each at a node since a time, and looks at every one of
 * them with every event. The same messages go out at the same moments, the same people stand at the same places, over restarts too.
 * KITH_SEED and KITH_ROUNDS in the environment: which, and how many. */
#include "unit/journey_house.h"

#include "base/digest.h"

#define NODES_MAX 8
#define CUSTOMERS 12
#define RECORDS 400

enum twin_kind { TWIN_WAIT, TWIN_UNTIL, TWIN_BRANCH, TWIN_SEND };
struct twin_node {
    enum twin_kind kind;
    int64_t ms;      /* to wait, or the time-out */
    int event, same; /* waited for; of the same key */
    int64_t least;   /* branch: v of the event is at least this */
    int next, other; /* -1: the end */
};
struct graph {
    struct twin_node nodes[NODES_MAX];
    int count;
    bool has_key, exit_same;
    int exit_event; /* -1: none */
};

static const char *const EVENTS[] = { "Alpha", "Beta", "Gamma", "Delta" }; /* Alpha starts it */

static void graph_make(struct random_stream *random, struct graph *graph)
{
    *graph = (struct graph){ .count = 2 + (int)random_below(random, NODES_MAX - 1),
                             .has_key = random_below(random, 3) > 0,
                             .exit_event = (int)random_below(random, 4) - 1 };
    graph->exit_event = graph->exit_event == 0 ? 3 : graph->exit_event;
    graph->exit_same = graph->has_key && random_below(random, 2) == 0;
    for (int i = 0; i < graph->count; i++) {
        struct twin_node *node = &graph->nodes[i];
        int left = graph->count - i - 1;
        *node = (struct twin_node){ .kind = (enum twin_kind)random_below(random, 4),
                                    .ms = (int64_t)(1 + random_below(random, 600)) * MINUTE_MS,
                                    .event = 1 + (int)random_below(random, 2),
                                    .same = graph->has_key && random_below(random, 2) == 0,
                                    .least = (int64_t)random_below(random, 10),
                                    .next = left > 0 ? i + 1 : -1,
                                    .other = -1 };
        if (left > 0 && random_below(random, 4) > 0)
            node->other = i + 1 + (int)random_below(random, (uint64_t)left);
    }
}

/* ---- as the room is told ---- */

static void write_next(struct buffer *out, const char *member, int next)
{
    if (next >= 0)
        buffer_printf(out, ",'%s':'n%d'", member, next);
}

static void graph_write(const struct graph *graph, struct buffer *out)
{
    buffer_printf(out, "{'name':'Twin','trigger':{'type':'event','event':'Alpha'%s},",
                  graph->has_key ? ",'key':'k'" : "");
    if (graph->exit_event > 0)
        buffer_printf(out, "'exits':[{'name':'x','event':'%s'%s}],", EVENTS[graph->exit_event],
                      graph->exit_same ? ",'same':'k'" : "");
    buffer_append_str(out, STR("'start':'n0','nodes':{"));
    for (int i = 0; i < graph->count; i++) {
        const struct twin_node *node = &graph->nodes[i];
        buffer_printf(out, "%s'n%d':{", i > 0 ? "," : "", i);
        switch (node->kind) {
        case TWIN_WAIT:
            buffer_printf(out, "'type':'wait','for':'%lldm'", (long long)(node->ms / MINUTE_MS));
            write_next(out, "next", node->next);
            break;
        case TWIN_UNTIL:
            buffer_printf(out, "'type':'wait_until','event':'%s'%s,'timeout':'%lldm'",
                          EVENTS[node->event], node->same ? ",'same':'k'" : "",
                          (long long)(node->ms / MINUTE_MS));
            write_next(out, "next", node->next);
            if (node->other >= 0)
                write_next(out, "on_timeout", node->other);
            else
                buffer_append_str(out, STR(",'on_timeout':null"));
            break;
        case TWIN_BRANCH:
            buffer_printf(out, "'type':'branch','cases':[{'value':'event.v','gte':%lld",
                          (long long)node->least);
            if (node->next >= 0)
                write_next(out, "next", node->next);
            else
                buffer_append_str(out, STR(",'next':null"));
            buffer_append_str(out, STR("}]"));
            if (node->other >= 0)
                write_next(out, "otherwise", node->other);
            else
                buffer_append_str(out, STR(",'otherwise':null"));
            break;
        case TWIN_SEND:
            buffer_append_str(out, STR("'type':'send','channel':'sms','template':'t'"));
            write_next(out, "next", node->next);
            break;
        }
        buffer_append_byte(out, '}');
    }
    buffer_append_str(out, STR("}}"));
    buffer_append_byte(out, 0);
}

/* ---- the twin ---- */

struct life {
    uint32_t customer;
    int key, node; /* node -1: over */
    int64_t since_ms, value;
};
struct message {
    uint32_t customer;
    int node;
    int64_t at_ms;
};
struct twin {
    struct graph graph;
    struct life lives[RECORDS];
    size_t life_count;
    struct message messages[RECORDS * NODES_MAX];
    size_t message_count;
};

static void twin_go(struct twin *twin, struct life *life, int node, int64_t at_ms)
{
    while (node >= 0) {
        const struct twin_node *at = &twin->graph.nodes[node];
        life->node = node;
        life->since_ms = at_ms;
        if (at->kind == TWIN_WAIT || at->kind == TWIN_UNTIL)
            return;
        if (at->kind == TWIN_SEND) {
            twin->messages[twin->message_count++] =
                (struct message){ .customer = life->customer, .node = node, .at_ms = at_ms };
            node = at->next;
        } else {
            node = life->value >= at->least ? at->next : at->other;
        }
    }
    life->node = -1;
}

static int64_t twin_due(const struct twin *twin, const struct life *life)
{
    return life->node < 0 ? INT64_MAX : life->since_ms + twin->graph.nodes[life->node].ms;
}

static void twin_until(struct twin *twin, int64_t to_ms)
{
    for (size_t i = 0; i < twin->life_count; i++) {
        struct life *life = &twin->lives[i];
        for (int64_t due_ms; (due_ms = twin_due(twin, life)) <= to_ms;) {
            const struct twin_node *at = &twin->graph.nodes[life->node];
            twin_go(twin, life, at->kind == TWIN_UNTIL ? at->other : at->next, due_ms);
        }
    }
}

static void twin_hear(struct twin *twin, uint32_t customer, int event, int key, int64_t value,
                      int64_t at_ms)
{
    const struct graph *graph = &twin->graph;
    bool is_in = false;
    twin_until(twin, at_ms);
    for (size_t i = 0; i < twin->life_count; i++) {
        struct life *life = &twin->lives[i];
        if (life->customer != customer || life->node < 0)
            continue;
        const struct twin_node *at = &graph->nodes[life->node];
        if (event == graph->exit_event && (!graph->exit_same || life->key == key))
            life->node = -1;
        else if (at->kind == TWIN_UNTIL && event == at->event && (!at->same || life->key == key))
            twin_go(twin, life, at->next, at_ms);
    }
    for (size_t i = 0; i < twin->life_count; i++)
        is_in = is_in || (twin->lives[i].customer == customer && twin->lives[i].node >= 0 &&
                          (!graph->has_key || twin->lives[i].key == key));
    if (event != 0 || is_in)
        return;
    struct life *life = &twin->lives[twin->life_count++];
    *life = (struct life){ .customer = customer, .key = key, .value = value };
    twin_go(twin, life, 0, at_ms);
}

/* ---- are they the same? ---- */

static int by_message(const void *left, const void *right)
{
    const struct message *a = left, *b = right;
    if (a->customer != b->customer)
        return a->customer < b->customer ? -1 : 1;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return a->node - b->node;
}

static void compare_messages(const struct journey_house *house, struct twin *twin)
{
    static struct message theirs[RECORDS * NODES_MAX];
    if (house->touch_count != twin->message_count)
        fail_msg("%zu messages went out, the twin knows of %zu", house->touch_count,
                 twin->message_count);
    for (size_t i = 0; i < house->touch_count; i++)
        theirs[i] = (struct message){ .customer = house->touches[i].customer,
                                      .node = house->touches[i].node[1] - '0',
                                      .at_ms = house->touches[i].at_ms };
    qsort(theirs, house->touch_count, sizeof *theirs, by_message);
    qsort(twin->messages, twin->message_count, sizeof *theirs, by_message);
    for (size_t i = 0; i < twin->message_count; i++)
        if (by_message(&theirs[i], &twin->messages[i]) != 0)
            fail_msg("customer %u gets n%d at %lld, by the twin %u gets n%d at %lld",
                     theirs[i].customer, theirs[i].node, (long long)theirs[i].at_ms,
                     twin->messages[i].customer, twin->messages[i].node,
                     (long long)twin->messages[i].at_ms);
}

static void compare_places(struct journey_house *house, const struct twin *twin)
{
    uint64_t inside = 0;
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < twin->life_count; i++) {
        int64_t due_ms = twin_due(twin, &twin->lives[i]);
        inside += twin->lives[i].node >= 0;
        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    if (jh_positions(house) != inside)
        fail_msg("%llu are inside, by the twin %llu", (unsigned long long)jh_positions(house),
                 (unsigned long long)inside);
    assert_int_equal(journey_next_due_ms(house->journeys), next_ms);
    for (int node = 0; node < twin->graph.count; node++) {
        char id[20];
        int64_t here = 0;
        snprintf(id, sizeof id, "n%d", node);
        for (size_t i = 0; i < twin->life_count; i++)
            here += twin->lives[i].node == node;
        assert_int_equal(jh_report(house, "twin", id, "waiting"), here);
    }
}

/* ---- a round ---- */

static size_t one_round(uint64_t seed)
{
    struct random_stream random;
    struct journey_house house = { .zone = NULL };
    struct twin *twin = memory_alloc(sizeof *twin);
    struct buffer text;
    random_seed(&random, seed);
    assert_non_null(twin);
    buffer_init(&text, (size_t)1 << 20);
    graph_make(&random, &twin->graph);
    graph_write(&twin->graph, &text);
    jh_make(&house, true);
    jh_publish(&house, "twin", text.data);
    for (int i = 0; i < RECORDS; i++) {
        uint32_t customer = 1 + (uint32_t)random_below(&random, CUSTOMERS);
        int event = (int)random_below(&random, 4), key = (int)random_below(&random, 4);
        int64_t value = (int64_t)random_below(&random, 12);
        char props[60];
        /* often at the very same moment, often at a full minute: there the edges are */
        if (random_below(&random, 3) > 0)
            jh_advance(&house, (int64_t)random_below(&random, 90) * MINUTE_MS);
        snprintf(props, sizeof props, "{'k':'k%d','v':%lld}", key, (long long)value);
        jh_say(&house, customer, EVENTS[event], props);
        twin_hear(twin, customer, event, key, value, house.now_ms);
        if (random_below(&random, 50) == 0)
            jh_restart(&house);
        if (i % 20 == 19) {
            jh_run(&house);
            twin_until(twin, house.now_ms);
            compare_places(&house, twin);
        }
    }
    jh_advance(&house, 20 * DAY_MS);
    twin_until(twin, house.now_ms);
    compare_messages(&house, twin);
    compare_places(&house, twin);
    jh_remove(&house);
    buffer_deinit(&text);
    size_t sent = twin->message_count;
    memory_free(twin);
    return sent;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void test_random_journeys_are_their_twins(void **state)
{
    (void)state;
    uint64_t seed = number_of("KITH_SEED", 20260601), rounds = number_of("KITH_ROUNDS", 40);
    size_t sent = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        print_message("KITH_SEED=%llu KITH_ROUNDS=1\n", (unsigned long long)(seed + round));
        sent += one_round(seed + round);
    }
    assert_true(rounds < 10 || sent > rounds); /* there was something to compare */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random_journeys_are_their_twins) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
