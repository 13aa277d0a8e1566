/* SPDX-License-Identifier: Apache-2.0 */
/* outlook: positions are summed by place and hour; each sum, each run of a schedule and each wave is then followed through its graph,
 * on paper, as long as it is certain when the next node comes. */
#include "journey/outlook.h"

#include "base/calendar.h"
#include "journey/state.h"

#define GROUPS_MAX 200000
#define STEPS_MAX 2000 /* of one sum through its graph */
#define RUNS_MAX 2000  /* of one schedule */
#define ALL_PERCENT 100

/* Who is followed together. */
struct group_key {
    uint16_t journey, version, node, none;
    int64_t hour; /* of the timer */
};
_Static_assert(sizeof(struct group_key) == 16, "no padding in a key of sums");
struct outlook_group {
    struct group_key key;
    int64_t due_ms; /* of the first */
    uint64_t count;
};

void journey_outlook_begin(struct journey_outlook *outlook)
{
    outlook->cursor = 0;
    sums_init(&outlook->groups, sizeof(struct outlook_group), sizeof(struct group_key), GROUPS_MAX);
}

void journey_outlook_end(struct journey_outlook *outlook)
{
    sums_deinit(&outlook->groups);
}

/* ---- positions, summed ---- */

static err add_position(struct journey_outlook *outlook, const struct position *position)
{
    struct group_key key = { .journey = position->journey,
                             .version = position->version,
                             .node = position->node,
                             .hour = floor_div(position->due_ms, HOUR_MS) };
    void *record;
    err error = sums_of(&outlook->groups, &key, &record);
    struct outlook_group *group = record;
    if (error != ERR_OK)
        return error;
    if (group == NULL) {
        outlook->is_cut = true;
        return ERR_OK;
    }
    if (group->count++ == 0)
        group->due_ms = position->due_ms;
    return ERR_OK;
}

static bool is_on_its_way(const struct position *position)
{
    return position->state == POSITION_WAITING && position->due_ms != INT64_MAX &&
           position->node != NODE_CONTROL && position->node != NODE_AFTER &&
           (position->flags & POSITION_TEST) == 0;
}

err journey_outlook_add(struct journey_outlook *outlook, const struct journeys *journeys,
                        uint32_t limit, bool *more)
{
    const struct positions *positions = &journeys->positions;
    err error = ERR_OK;
    for (; error == ERR_OK && outlook->cursor < positions->slot_count && limit > 0;
         outlook->cursor++, limit--) {
        const struct position *position = position_at(positions, outlook->cursor);
        if (is_on_its_way(position) && position->due_ms < outlook->to_ms &&
            (outlook->sees == NULL || outlook->sees(outlook->context, position->customer)))
            error = add_position(outlook, position);
    }
    *more = error == ERR_OK && outlook->cursor < positions->slot_count;
    return error;
}

/* ---- through the graph ---- */

struct following {
    struct journey_outlook *outlook;
    const struct journeys *journeys;
    const struct journey *journey;
    const struct version *version;
    enum outing_kind kind;
    uint32_t steps;
    void (*visit)(void *context, const struct outing *outing);
    void *context;
};

static str name_or_id(const struct node *node)
{
    return node->name.size > 0 ? node->name : node->id;
}

static void tell(const struct following *following, const struct node *node, int64_t at_ms,
                 double count)
{
    const struct journey *journey = following->journey;
    const struct trigger *trigger = &following->version->trigger;
    struct outing outing = { .kind = following->kind,
                             .journey = journey->key,
                             .name = journey->name,
                             .state = str_from_c(journey_state_text(journey->state)),
                             .trigger = str_from_c(trigger_kind_text(trigger->kind)),
                             .segment = trigger->segment,
                             .reason = "",
                             .first_ms = at_ms,
                             .last_ms = at_ms,
                             .count = count,
                             .is_at_most = true };
    if (node != NULL) {
        outing.node = node->id;
        outing.node_name = name_or_id(node);
        outing.campaign = node->campaign.size > 0 ? node->campaign : following->version->campaign;
        outing.channel = node->channel;
        outing.account = node->account;
        outing.template_ = node->template_;
    }
    following->visit(following->context, &outing);
}

void journey_outlook_describe(const struct journeys *journeys, struct outing *outing)
{
    const struct journey *journey =
        outing->journey.size > 0 ? journey_find(journeys, outing->journey) : NULL;
    const struct version *version = journey != NULL ? live_version(journey) : NULL;
    if (journey == NULL)
        return;
    outing->name = journey->name;
    outing->state = str_from_c(journey_state_text(journey->state));
    for (uint16_t i = 0; version != NULL && i < version->node_count; i++)
        if (str_equal(version->nodes[i].id, outing->node))
            outing->node_name = name_or_id(&version->nodes[i]);
}

static double share(double count, double part)
{
    return count < 0 ? count : count * part;
}

static void follow(struct following *following, uint16_t at, int64_t at_ms, double count);

static void follow_branches(struct following *following, const struct node *node, int64_t at_ms,
                            double count)
{
    for (uint32_t i = 0; i < node->case_count; i++)
        follow(following, node->cases[i].next, at_ms, count);
    follow(following, node->has_other ? node->other : node->next, at_ms, count);
}

static void follow_arms(struct following *following, const struct node *node, int64_t at_ms,
                        double count)
{
    for (uint32_t i = 0; i < node->arm_count; i++)
        follow(following, node->arms[i].next, at_ms,
               share(count, (double)node->arms[i].weight / node->weight_sum));
}

static void follow_hold_out(struct following *following, const struct node *node, int64_t at_ms,
                            double count)
{
    double held = (double)node->percent_millionths / 1e6;
    follow(following, node->next, at_ms, share(count, 1 - held));
    if (node->has_other)
        follow(following, node->other, at_ms, share(count, held));
}

/* At a node now: until a wait whose end nobody knows. */
static void follow(struct following *following, uint16_t at, int64_t at_ms, double count)
{
    if (at >= following->version->node_count || at_ms >= following->outlook->to_ms)
        return;
    if (following->steps++ >= STEPS_MAX) {
        following->outlook->is_cut = true;
        return;
    }
    const struct node *node = &following->version->nodes[at];
    if (node_is_touch(node) && at_ms >= following->outlook->from_ms)
        tell(following, node, at_ms, count);
    switch (node->kind) {
    case NODE_KIND_WAIT:
        if (node->date.size == 0)
            follow(following, node->next,
                   calendar_next(following->journeys, &node->calendar, 0, at_ms + node->for_ms),
                   count);
        return;
    case NODE_KIND_WAIT_UNTIL:
        follow(following, node->has_other ? node->other : node->next, at_ms + node->timeout_ms,
               count);
        return;
    case NODE_KIND_BRANCH:
        follow_branches(following, node, at_ms, count);
        return;
    case NODE_KIND_SPLIT:
        follow_arms(following, node, at_ms, count);
        return;
    case NODE_KIND_HOLD_OUT:
        follow_hold_out(following, node, at_ms, count);
        return;
    case NODE_KIND_EXIT:
        return;
    case NODE_KIND_SEND:
    case NODE_KIND_COUPON:
    case NODE_KIND_POINTS:
    case NODE_KIND_TASK:
    case NODE_KIND_WEBHOOK:
    case NODE_KIND_SET_TAG:
    case NODE_KIND_SET_TRAIT:
    case NODE_KIND_MEMBER:
    case NODE_KIND_PAUSE:
    case NODE_KIND_RESUME:
    case NODE_KIND_JOIN:
    case NODE_KIND_GOAL:
    case NODE_KIND_COUNT:
        break;
    }
    follow(following, node->next, at_ms, count);
}

static void follow_from(struct following *following, uint16_t at, int64_t at_ms, double count)
{
    following->steps = 0;
    follow(following, at, at_ms, count);
}

/* ---- who is in it, is let in, will be let in ---- */

/* Where a timer leads. */
static uint16_t node_after(const struct version *version, uint16_t at)
{
    if (at >= version->node_count)
        return version->start;
    const struct node *node = &version->nodes[at];
    bool turns = node->kind == NODE_KIND_WAIT_UNTIL || node_is_touch(node);
    return turns && node->has_other ? node->other : node->next;
}

static bool is_told(const struct journey_outlook *outlook, const struct journey *journey)
{
    return journey != NULL && journey->state != JOURNEY_DELETED_STATE &&
           (outlook->shows == NULL || outlook->shows(outlook->context, journey->key));
}

static void visit_groups(struct following *following, int64_t now_ms)
{
    struct journey_outlook *outlook = following->outlook;
    following->kind = OUTING_WAITING;
    for (size_t i = 0; i < outlook->groups.count; i++) {
        const struct outlook_group *group = sums_at(&outlook->groups, i);
        following->journey = group->key.journey < following->journeys->journey_count
                                 ? following->journeys->journeys[group->key.journey]
                                 : NULL;
        if (!is_told(outlook, following->journey))
            continue;
        following->version = journey_version(following->journey, group->key.version);
        if (following->version != NULL)
            follow_from(following, node_after(following->version, group->key.node),
                        group->due_ms > now_ms ? group->due_ms : now_ms, (double)group->count);
    }
}

/* Of those who would enter, whom the ramp and the control group leave. */
static double let_in(const struct journey *journey, const struct version *version, int64_t members)
{
    if (members < 0)
        return -1;
    return (double)members * (double)journey->ramp_percent / ALL_PERCENT *
           (1 - (double)version->entry.hold_out_millionths / 1e6);
}

static void visit_waves(struct following *following, int64_t now_ms)
{
    following->kind = OUTING_ENTERING;
    for (const struct wave *wave = following->journeys->waves; wave != NULL; wave = wave->next) {
        following->journey = following->journeys->journeys[wave->journey];
        if (!is_told(following->outlook, following->journey) ||
            wave->not_before_ms >= INT64_MAX - 1)
            continue;
        following->version = live_version(following->journey);
        bool is_known = following->outlook->sees == NULL;
        int64_t left = (int64_t)(wave->size - wave->entered - wave->refused);
        int64_t at_ms = wave->not_before_ms > now_ms ? wave->not_before_ms : now_ms;
        if (following->version != NULL)
            follow_from(following, following->version->start, at_ms,
                        let_in(following->journey, following->version, is_known ? left : -1));
    }
}

/* How many a run lets in. Of a date, who is due today is known, and of no other day. */
static int64_t members_of_run(const struct following *following, bool is_next)
{
    const struct journey_outlook *outlook = following->outlook;
    const struct version *version = following->version;
    const struct trigger *trigger = &version->trigger;
    if (trigger->kind == TRIGGER_SCHEDULE)
        return outlook->members(outlook->context, trigger->segment);
    int32_t today = journey_local_day(following->journeys, following->journey->next_run_ms);
    bool is_due_today = is_next && trigger->rule != NONE && version->is_held &&
                        today == journey_local_day(following->journeys, outlook->from_ms);
    return is_due_today
               ? outlook->members(outlook->context, str_from_c(version->rules[trigger->rule].key))
               : -1;
}

static void visit_runs(struct following *following)
{
    const struct journey *journey = following->journey;
    const struct schedule *schedule = &following->version->trigger.schedule;
    uint32_t left = schedule->count == 0                   ? UINT32_MAX
                    : schedule->count > journey->run_count ? schedule->count - journey->run_count
                                                           : 0;
    int64_t at_ms = journey->next_run_ms;
    uint32_t runs = 0;
    /* what is sent days after a run may fall into the days asked for: runs before them are followed, too */
    for (; left > 0 && at_ms < following->outlook->to_ms; left--, runs++) {
        if (runs == RUNS_MAX) {
            following->outlook->is_cut = true;
            return;
        }
        double count = let_in(journey, following->version, members_of_run(following, runs == 0));
        following->kind = OUTING_RUN;
        if (at_ms >= following->outlook->from_ms)
            tell(following, NULL, at_ms, count);
        following->kind = OUTING_SCHEDULED;
        follow_from(following, following->version->start, at_ms, count);
        at_ms = schedule_next(following->journeys, schedule, at_ms);
    }
}

/* Somebody may enter on any day: what she may be sent. */
static void visit_triggered(struct following *following)
{
    following->kind = OUTING_TRIGGERED;
    for (uint16_t i = 0; i < following->version->node_count; i++)
        if (node_is_touch(&following->version->nodes[i]))
            tell(following, &following->version->nodes[i], following->outlook->from_ms, -1);
}

static void visit_live(struct following *following)
{
    for (uint32_t i = 1; i < following->journeys->journey_count; i++) {
        const struct journey *journey = following->journeys->journeys[i];
        if (!is_told(following->outlook, journey) || journey->state != JOURNEY_LIVE_STATE)
            continue;
        following->journey = journey;
        following->version = live_version(journey);
        if (following->version == NULL)
            continue;
        enum trigger_kind kind = following->version->trigger.kind;
        if (kind == TRIGGER_SCHEDULE || kind == TRIGGER_DATE)
            visit_runs(following);
        else if (kind != TRIGGER_API && kind != TRIGGER_MANUAL)
            visit_triggered(following);
    }
}

void journey_outlook_visit(struct journey_outlook *outlook, const struct journeys *journeys,
                           int64_t now_ms,
                           void (*visit)(void *context, const struct outing *outing), void *context)
{
    struct following following = {
        .outlook = outlook, .journeys = journeys, .visit = visit, .context = context
    };
    visit_live(&following);
    visit_waves(&following, now_ms);
    visit_groups(&following, now_ms);
}
