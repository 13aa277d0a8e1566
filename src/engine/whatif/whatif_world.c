/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_world: what journeys and touches of the overlay ask of the house, answered as of the run's own moment. What is staged is
 * compiled on the engine's thread; everything else happens on the run's. */
#include <stdio.h>
#include <string.h>

#include "engine/act/act_inside.h"
#include "engine/children.h"
#include "engine/whatif/whatif_inside.h"

#define VALUES_FIRST 1024

/* ---- who she is ---- */

static uint32_t world_root(void *context, uint32_t node)
{
    const struct whatif_run *run = context;
    return node != 0 && node <= run->cast.node_count ? run->cast.root[node] : 0;
}

static size_t world_nodes(void *context, uint32_t customer, uint32_t *nodes, size_t max)
{
    const struct whatif_run *run = context;
    size_t count = 0;
    for (uint32_t node = world_root(context, customer); node != 0; node = run->cast.next[node])
        if (count++ < max)
            nodes[count - 1] = node;
    return count;
}

static size_t world_nodes_of_journeys(void *context, uint32_t customer, uint32_t *nodes, size_t max)
{
    size_t count = world_nodes(context, customer, nodes, max);
    return count < max ? count : max;
}

/* The root is the oldest. */
static uint32_t world_first_node(void *context, uint32_t customer)
{
    return world_root(context, customer);
}

static uint32_t today_of(const struct whatif_run *run, uint32_t customer)
{
    return customer <= run->cast.node_count ? run->cast.today[customer] : 0;
}

/* ---- what she did, and what is true of her ---- */

#define VIEW_NODES_MAX 1024

void world_view(struct whatif_run *run, uint32_t customer, struct history_view *view)
{
    uint32_t nodes[VIEW_NODES_MAX];
    if (run->order.identities_then) {
        size_t count = world_nodes_of_journeys(run, customer, nodes, VIEW_NODES_MAX);
        history_view_nodes(run->reader, nodes, count, view);
    } else {
        history_view_customer(run->reader, customer, view);
    }
    if (given_show(run, view) != ERR_OK)
        run->is_cut = true;
}

bool world_holds(struct whatif_run *run, uint32_t key, uint32_t customer, int64_t at_ms,
                 int64_t *until_ms)
{
    struct history_view view;
    run->asked_customer = customer;
    history_read_begin(run->reader);
    world_view(run, customer, &view);
    bool holds =
        audience_then_holds(run->then, key, today_of(run, customer), &view, at_ms, until_ms);
    history_read_end(run->reader);
    return holds;
}

static const struct rule_touch *her_touches(void *context, size_t *count)
{
    struct whatif_run *run = context;
    return touch_reader_find(run->touch_reader, run->asked_customer, count);
}

static int64_t her_journey(void *context, str key)
{
    const struct whatif_run *run = context;
    return journey_since(run->journeys, key, run->asked_customer);
}

/* ---- values: what the run wrote itself, else what the house knows today ---- */

static uint64_t value_key(uint32_t customer, const char *kind, str path)
{
    uint64_t hash = hash_bytes64(kind, strlen(kind), customer);
    hash = hash_bytes64(path.data, path.size, hash);
    return hash != 0 ? hash : 1;
}

static struct value_kept *value_place(struct whatif_run *run, uint64_t key)
{
    size_t mask = run->value_capacity - 1, place = (size_t)key & mask;
    while (run->values[place].key != 0 && run->values[place].key != key)
        place = (place + 1) & mask;
    return &run->values[place];
}

static err grow_values(struct whatif_run *run)
{
    size_t capacity = run->value_capacity, larger = capacity == 0 ? VALUES_FIRST : capacity * 2;
    struct value_kept *old = run->values;
    if (run->value_count * 2 < capacity)
        return ERR_OK;
    run->values = memory_alloc(larger * sizeof(*run->values));
    if (run->values == NULL) {
        run->values = old;
        return ERR_NOMEM;
    }
    run->value_capacity = larger;
    for (size_t i = 0; i < capacity; i++)
        if (old[i].key != 0)
            *value_place(run, old[i].key) = old[i];
    memory_free(old);
    return ERR_OK;
}

static err keep_value(struct whatif_run *run, uint64_t key, str json)
{
    err error = grow_values(run);
    if (error != ERR_OK)
        return error;
    struct value_kept *place = value_place(run, key);
    run->value_count += place->key == 0;
    place->key = key;
    return arena_dup(&run->texts, json, &place->json);
}

static bool find_value(struct whatif_run *run, uint64_t key, str *json)
{
    struct value_kept *place = run->value_capacity > 0 ? value_place(run, key) : NULL;
    if (place == NULL || place->key == 0)
        return false;
    *json = place->json;
    return true;
}

struct ask_value {
    struct whatif_run *run;
    uint32_t customer;
    str path;
};

/* As JSON {"v": …}; times as {"t": ms}. */
static void take_value(const struct engine_state *state, struct engine_question *question)
{
    struct ask_value *ask = question->context;
    struct engine *engine = ask->run->engine;
    struct buffer *text = &ask->run->text;
    struct template_value value;
    (void)state;
    buffer_clear(text);
    if (trial_is_rendering(ask->run))
        engine_values_look_through(engine, ask->run->lens);
    act_value(engine, ask->customer, ask->path, &value);
    engine_values_look_through(engine, NULL);
    switch (value.kind) {
    case TEMPLATE_TEXT:
        buffer_append_str(text, STR("{\"v\":"));
        json_write_text(text, value.text);
        break;
    case TEMPLATE_NUMBER:
        buffer_printf(text, "{\"n\":%lld", (long long)value.number);
        break;
    case TEMPLATE_BOOL:
        buffer_printf(text, "{\"v\":%s", value.number != 0 ? "true" : "false");
        break;
    case TEMPLATE_TIME:
        buffer_printf(text, "{\"t\":%lld", (long long)value.number);
        break;
    case TEMPLATE_JSON:
        buffer_append_str(text, STR("{\"v\":"));
        json_write_value(text, value.json);
        break;
    case TEMPLATE_MISSING:
    default:
        break;
    }
    if (text->size > 0)
        buffer_append_byte(text, '}');
    act_values_reset(engine);
}

static void value_of(json_value root, struct template_value *value)
{
    json_value plain = json_get(root, STR("v")), number = json_get(root, STR("n")),
               time = json_get(root, STR("t"));
    if (json_kind(number) == JSON_INT)
        *value = (struct template_value){ .kind = TEMPLATE_NUMBER, .number = json_int(number, 0) };
    else if (json_kind(time) == JSON_INT)
        *value = (struct template_value){ .kind = TEMPLATE_TIME, .number = json_int(time, 0) };
    else if (json_kind(plain) == JSON_TEXT)
        *value = (struct template_value){ .kind = TEMPLATE_TEXT, .text = json_text(plain) };
    else if (json_kind(plain) == JSON_BOOL)
        *value =
            (struct template_value){ .kind = TEMPLATE_BOOL, .number = json_bool(plain, false) };
    else if (json_kind(plain) == JSON_INT || json_kind(plain) == JSON_DOUBLE)
        *value =
            (struct template_value){ .kind = TEMPLATE_NUMBER,
                                     .number = __builtin_llround(json_double(plain, 0) * 1e6) };
    else if (json_kind(plain) == JSON_OBJECT || json_kind(plain) == JSON_ARRAY)
        *value = (struct template_value){ .kind = TEMPLATE_JSON, .json = plain };
}

static void world_value(void *context, uint32_t customer, str path, struct template_value *value)
{
    struct whatif_run *run = context;
    bool is_part = run->lens != NULL && trial_is_rendering(run);
    uint64_t key = value_key(customer, is_part ? "shown" : "value", path);
    json_value root;
    str json;
    *value = (struct template_value){ .kind = TEMPLATE_MISSING };
    if (!find_value(run, key, &json)) {
        struct ask_value ask = { .run = run, .customer = today_of(run, customer), .path = path };
        run->values_asked++;
        if (whatif_ask(run, take_value, &ask) != ERR_OK ||
            keep_value(run, key, buffer_str(&run->text)) != ERR_OK || !find_value(run, key, &json))
            return;
    }
    if (json.size > 0 && json_parse(trial_parser(run), json, &root, NULL) == ERR_OK)
        value_of(root, value);
}

static int32_t world_zone_offset(void *context, uint32_t customer, int64_t at_ms)
{
    const struct whatif_run *run = context;
    for (uint32_t node = customer != 0 ? world_root(context, customer) : 0; node != 0;
         node = run->cast.next[node]) {
        const struct cast_node *there = cast_at(&run->cast, node);
        if (there != NULL && there->zone != 0)
            return zone_offset_seconds(run->cast.zones[there->zone - 1], at_ms);
    }
    return zone_offset_seconds(run->zone, at_ms);
}

/* ---- segments ---- */

static bool world_in_segment(void *context, uint32_t customer, str key)
{
    struct whatif_run *run = context;
    uint32_t number = audience_then_find(run->then, key);
    int64_t until_ms;
    str json;
    if (find_value(run, value_key(customer, "segment", key), &json))
        return json.size > 0;
    return number != 0 && world_holds(run, number, customer, run->now_ms, &until_ms);
}

static err world_members(void *context, str key, struct journey_moment moment,
                         bool (*visit)(void *visited, uint32_t customer), void *visited)
{
    struct whatif_run *run = context;
    uint32_t number = audience_then_find(run->then, key);
    (void)moment;
    if (number == 0)
        return ERR_NOT_FOUND;
    for (uint32_t customer = 1; customer <= run->cast.node_count; customer++) {
        if (run->cast.root[customer] != customer || cast_at(&run->cast, customer) == NULL ||
            !part_has(run, customer))
            continue;
        if (whatif_is_cancelled(run))
            return ERR_UNAVAILABLE;
        if (world_in_segment(run, customer, key) && !visit(visited, customer))
            break;
    }
    return ERR_OK;
}

/* ---- staging; on the engine's thread ---- */

static bool world_has_segment(void *context, str key)
{
    struct whatif_run *run = context;
    if (run->is_staging)
        return audience_then_add_segment(run->then, key) == ERR_OK;
    return audience_then_find(run->then, key) != 0;
}

/* It is compiled when it is held. */
static err world_rule_check(void *context, json_value rule, struct problem *problem)
{
    (void)context;
    (void)rule;
    (void)problem;
    return ERR_OK;
}

static err world_rule_hold(void *context, json_value rule, struct journey_moment moment,
                           struct ledger_writes *writes, char key[JOURNEY_RULE_KEY_BYTES],
                           struct problem *problem)
{
    struct whatif_run *run = context;
    json_value body;
    (void)moment;
    (void)writes;
    INVARIANT(run->is_staging);
    buffer_clear(&run->text);
    buffer_append_str(&run->text, STR("{\"rule\":"));
    json_write_value(&run->text, rule);
    buffer_append_byte(&run->text, '}');
    hash128 hash = hash_bytes128(run->text.data, run->text.size, 31);
    snprintf(key, JOURNEY_RULE_KEY_BYTES, "whatif-rule-%016llx%016llx",
             (unsigned long long)hash.high, (unsigned long long)hash.low);
    err error = buffer_status(&run->text);
    if (error == ERR_OK)
        error = json_parse(run->value_parser, buffer_str(&run->text), &body, problem);
    return error == ERR_OK ? audience_then_add_rule(run->then, str_from_c(key), body, problem)
                           : error;
}

static void world_rule_drop(void *context, str key, struct journey_moment moment,
                            struct ledger_writes *writes)
{
    (void)context;
    (void)key;
    (void)moment;
    (void)writes;
}

static bool world_rule_is_ready(void *context, str key)
{
    (void)context;
    (void)key;
    return true;
}

/* All that told late has told by now. */
static int64_t world_watermark(void *context, str event, int64_t now_ms)
{
    (void)context;
    (void)event;
    return now_ms;
}

/* ---- touches ---- */

static err world_touch(void *context, const struct touch_request *request,
                       struct journey_moment moment, struct ledger_writes *writes,
                       struct touch_answer *answer)
{
    struct whatif_run *run = context;
    (void)writes;
    err error = touch_request(run->touches, request,
                              (struct touch_moment){ moment.seq, moment.now_ms }, NULL, answer);
    if (error == ERR_OK)
        trial_request(run, request, answer);
    return error == ERR_OK ? tally_request(run, request, answer) : error;
}

static err world_withdraw(void *context, uint64_t position, str reason,
                          struct journey_moment moment, struct ledger_writes *writes)
{
    struct whatif_run *run = context;
    (void)writes;
    return touch_withdraw(run->touches, position, reason,
                          (struct touch_moment){ moment.seq, moment.now_ms }, NULL);
}

static err world_pause(void *context, const struct touch_pause *wanted,
                       struct journey_moment moment, struct ledger_writes *writes)
{
    struct whatif_run *run = context;
    (void)writes;
    return touch_pause(run->touches, wanted, (struct touch_moment){ moment.seq, moment.now_ms },
                       NULL);
}

static err world_resume(void *context, uint32_t customer, str journey, str key, bool only_endless,
                        struct journey_moment moment, struct ledger_writes *writes)
{
    struct whatif_run *run = context;
    (void)writes;
    return touch_resume(run->touches, customer, journey, key, only_endless,
                        (struct touch_moment){ moment.seq, moment.now_ms }, NULL);
}

/* Her nodes' newest words of then; at most `max` written, how many there are. */
static size_t consent_words(const struct whatif_run *run, uint32_t root, uint8_t wanted,
                            struct profile_word *words, size_t max)
{
    const struct cast *cast = &run->cast;
    size_t count = 0;
    for (uint32_t node = root; node != 0; node = cast->next[node]) {
        const struct cast_node *there = cast_at(cast, node);
        const struct cast_consent *consent = there != NULL ? &there->consent : NULL;
        struct profile_word word = { .node = node, .at_ms = INT64_MIN };
        for (; consent != NULL;
             consent = consent->next != 0 ? &cast->consents[consent->next - 1] : NULL) {
            if (consent->name != wanted || consent->at_ms > run->now_ms ||
                consent->at_ms < word.at_ms || (consent->at_ms == word.at_ms && consent->granted))
                continue;
            word.at_ms = consent->at_ms;
            word.granted = consent->granted;
        }
        if (word.at_ms != INT64_MIN && count++ < max)
            words[count - 1] = word;
    }
    return count;
}

#define FEW_WORDS 32

static bool consent_of_many(struct whatif_run *run, uint32_t root, uint8_t wanted, size_t count,
                            bool *granted)
{
    size_t join_count = cast_joins(&run->cast, root, NULL, 0);
    struct profile_word *words = memory_alloc(count * sizeof(*words));
    struct identity_join *joins = memory_alloc((join_count + 1) * sizeof(*joins));
    if (words != NULL && joins != NULL) {
        consent_words(run, root, wanted, words, count);
        cast_joins(&run->cast, root, joins, join_count);
        *granted = profile_weigh(words, count, joins, join_count)->granted;
    }
    memory_free(words);
    memory_free(joins);
    return true;
}

/* The house says no to a purpose of this name where she is a child (children.h). */
static bool is_child(const struct whatif_run *run, uint32_t root)
{
    bool is = false;
    for (uint32_t node = root; node != 0 && !is; node = run->cast.next[node]) {
        const struct cast_node *there = cast_at(&run->cast, node);
        is = there != NULL && there->child_until_ms > run->now_ms;
    }
    return is;
}

static bool world_consent(void *context, uint32_t customer, str name, bool *granted)
{
    struct whatif_run *run = context;
    if (str_equal(name, STR(PURPOSE_CHILDREN))) {
        bool agreed = false;
        bool is = is_child(run, world_root(context, customer)) &&
                  !(world_consent(context, customer, STR(PURPOSE_GUARDIAN), &agreed) && agreed);
        *granted = false;
        return is;
    }
    struct profile_word words[FEW_WORDS];
    struct identity_join joins[FEW_WORDS];
    uint8_t wanted = cast_name(&run->cast, name, false);
    uint32_t root = world_root(context, customer);
    size_t count = wanted != 0 ? consent_words(run, root, wanted, words, FEW_WORDS) : 0;
    *granted = false;
    if (count < 2) {
        *granted = count == 1 && words[0].granted;
        return count == 1;
    }
    size_t join_count = cast_joins(&run->cast, root, joins, FEW_WORDS);
    if (count > FEW_WORDS || join_count > FEW_WORDS)
        return consent_of_many(run, root, wanted, count, granted);
    *granted = profile_weigh(words, count, joins, join_count)->granted;
    return true;
}

static bool world_recipient(void *context, uint32_t customer, str type, str namespace_, bool plain,
                            struct touch_recipient *recipient)
{
    struct whatif_run *run = context;
    const struct cast *cast = &run->cast;
    size_t kind = 0;
    (void)plain;
    *recipient = (struct touch_recipient){ .row = 0 };
    while (kind < cast->kind_count &&
           (!str_equal(str_from_c(cast->kinds[kind].type), type) ||
            !str_equal(str_from_c(cast->kinds[kind].namespace_), namespace_)))
        kind++;
    for (uint32_t node = world_root(context, customer); kind < cast->kind_count && node != 0;
         node = cast->next[node]) {
        const struct cast_node *there = cast_at(cast, node);
        uint32_t first_s = there != NULL ? *cast_attached(cast, there, kind) : 0;
        if (first_s == 0 || (run->order.identities_then && first_s > run->now_ms / 1000))
            continue;
        recipient->row = node;
        return true;
    }
    return false;
}

/* ---- effects: they count in this run alone ---- */

static err keep_effect(struct whatif_run *run, uint32_t customer, const char *prefix, str name,
                       str value)
{
    struct buffer path, json;
    buffer_init(&path, 1024);
    buffer_init(&json, (size_t)64 << 10);
    buffer_printf(&path, "%s" STR_FMT, prefix, STR_ARG(name));
    if (value.size > 0)
        buffer_printf(&json, "{\"v\":" STR_FMT "}", STR_ARG(value));
    err error = keep_value(run, value_key(customer, "value", buffer_str(&path)), buffer_str(&json));
    buffer_deinit(&path);
    buffer_deinit(&json);
    return error;
}

static err world_set_tag(void *context, uint32_t customer, str key, str value,
                         struct journey_moment moment, struct ledger_writes *writes)
{
    (void)moment;
    (void)writes;
    return keep_effect(context, customer, "tag.", key, value);
}

static err world_set_trait(void *context, uint32_t customer, str name, str value,
                           struct journey_moment moment, struct ledger_writes *writes)
{
    (void)moment;
    (void)writes;
    return keep_effect(context, customer, "customer.", name, value);
}

static err world_set_member(void *context, uint32_t customer, str segment, bool is_in,
                            struct journey_moment moment, struct ledger_writes *writes)
{
    struct whatif_run *run = context;
    (void)moment;
    (void)writes;
    return keep_value(run, value_key(customer, "segment", segment), is_in ? STR("true") : STR_NONE);
}

/* Who she is; what is known of her node, and where her touches begin; her consents, and the newest touch. */
static void world_soon(void *context, uint32_t customer, int stage)
{
    const struct whatif_run *run = context;
    const struct cast *cast = &run->cast;
    if (customer == 0 || customer > cast->node_count)
        return;
    if (stage == 0) {
        __builtin_prefetch(&cast->root[customer]);
        __builtin_prefetch(&cast->next[customer]);
        __builtin_prefetch(&cast->place[customer]);
        touches_fork_soon(run->touches, customer, 0);
        return;
    }
    const struct cast_node *node = cast_at(cast, customer);
    if (node == NULL)
        return;
    if (stage == 1) {
        __builtin_prefetch(node);
        __builtin_prefetch(cast_attached(cast, node, 0));
        touches_fork_soon(run->touches, customer, 1);
    } else if (node->consent.next != 0) {
        __builtin_prefetch(&cast->consents[node->consent.next - 1]);
    }
}

/* ---- */

void world_fill(struct whatif_run *run)
{
    run->journey_world = (struct journey_world){
        .context = run,
        .rule_check = world_rule_check,
        .rule_hold = world_rule_hold,
        .rule_drop = world_rule_drop,
        .rule_is_ready = world_rule_is_ready,
        .has_segment = world_has_segment,
        .in_segment = world_in_segment,
        .members = world_members,
        .value = world_value,
        .zone_offset_seconds = world_zone_offset,
        .watermark_ms = world_watermark,
        .first_node = world_first_node,
        .root = world_root,
        .nodes = world_nodes_of_journeys,
        .consent = world_consent,
        .touch = world_touch,
        .withdraw = world_withdraw,
        .pause = world_pause,
        .resume = world_resume,
        .set_tag = world_set_tag,
        .set_trait = world_set_trait,
        .set_member = world_set_member,
        .soon = world_soon,
    };
    run->touch_world = (struct touch_world){
        .context = run,
        .consent = world_consent,
        .recipient = world_recipient,
        .in_segment = world_in_segment,
        .value = world_value,
        .zone_offset_seconds = world_zone_offset,
        .root = world_root,
        .first_node = world_first_node,
        .nodes = world_nodes,
    };
    audience_then_hear_touches(run->then, her_touches, run);
    audience_then_hear_journeys(run->then, her_journey, run);
}
