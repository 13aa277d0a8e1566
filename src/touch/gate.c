/* SPDX-License-Identifier: Apache-2.0 */
/* gate: the one place where it is decided whether a touch may go out. A table of questions, asked in order; the first that says
 * no decides. Asked at the request, when a held one is due, and once more when it is claimed.
 * How many may go, and in which order, is gate_caps.c; what they may cost, gate_money.c.
 */
#include <string.h>

#include "base/calendar.h"
#include "base/digest.h"
#include "profile/profile.h"
#include "touch/gate.h"

const char *touches_gate_code(enum gate gate)
{
    static const char *const codes[GATE_COUNT] = { "",
#define X(NAME, code, ...) code,
                                                   GATES(X)
#undef X
    };
    return codes[gate];
}

bool touches_gate_find(str code, enum gate *gate)
{
    for (int i = GATE_NONE; i < GATE_COUNT; i++) {
        if (!str_equal(code, str_from_c(touches_gate_code((enum gate)i))))
            continue;
        *gate = (enum gate)i;
        return true;
    }
    return false;
}

/* ---- time ---- */

static int64_t period_start_day(enum cap_calendar calendar, int64_t day, int steps)
{
    struct date date;
    switch (calendar) {
    case CAP_DAY:
        return day + steps;
    case CAP_WEEK:
        return day - weekday_of_day(day) + (int64_t)steps * 7;
    case CAP_MONTH:
        date = date_of_day(day);
        return day_of_date(date.year, date.month + steps, 1);
    case CAP_SLIDING:
    default:
        return day;
    }
}

/* The start of the day, week or month in which a moment lies, `steps` of them later; `customer` 0: by the workspace's clock. */
int64_t touches_period_start_ms(const struct touches *touches, uint32_t customer,
                                enum cap_calendar calendar, int64_t at_ms, int steps)
{
    const struct touch_world *world = touches->config.world;
    int64_t offset_ms = SECOND_MS * world->zone_offset_seconds(world->context, customer, at_ms);
    int64_t day = period_start_day(calendar, floor_div(at_ms + offset_ms, DAY_MS), steps);
    int64_t start_ms = day * DAY_MS - offset_ms;
    int64_t there_ms = SECOND_MS * world->zone_offset_seconds(world->context, customer, start_ms);
    return start_ms + offset_ms - there_ms;
}

/* ---- the questions ---- */

static bool asks_no_account(struct asking *ask)
{
    const struct account *account = ask->candidate->account;
    return account == NULL || account->is_deleted || account->is_disabled;
}

bool touches_gate_stopped(const struct touches *touches, const struct line *line)
{
    for (size_t i = 0; i < touches->stop_count; i++) {
        const struct stop *stop = &touches->stops[i];
        str value = stop->scope == STOP_CHANNEL   ? line->channel
                    : stop->scope == STOP_ACCOUNT ? line->account
                                                  : line->journey;
        if (stop->scope == STOP_ALL || str_equal(stop->value, value))
            return true;
    }
    return false;
}

bool touch_is_stopped(struct touches *touches, uint32_t number)
{
    const struct mark *mark = touches_mark_at(touches, number);
    bool stopped = false;
    if (mark == NULL)
        return false;
    pthread_mutex_lock(&touches->stops_mutex);
    if (touches->stop_count > 0)
        stopped = touches_gate_stopped(touches, touches_line_at(touches, mark->line));
    pthread_mutex_unlock(&touches->stops_mutex);
    return stopped;
}

int64_t touch_sent_since(const struct touches *touches, str account, int64_t since_ms)
{
    int64_t count = 0;
    for (uint32_t number = touches->last_number; number > 0; number--) {
        const struct mark *mark = touches_mark_at(touches, number);
        if (mark == NULL)
            continue;
        uint64_t time_status = atomic_load_explicit(&mark->time_status, memory_order_relaxed);
        enum touch_status status = (enum touch_status)(time_status >> 8 & 0xFF);
        bool went = status >= TOUCH_SENDING && status != TOUCH_SUPPRESSED;
        if (went && (int64_t)(time_status >> 16) >= since_ms &&
            str_equal(touches_line_at(touches, mark->line)->account, account))
            count++;
    }
    return count;
}

static bool asks_stopped(struct asking *ask)
{
    ask->verdict->until_ms = INT64_MAX;
    return touches_gate_stopped(ask->touches, ask->candidate->line);
}

static bool asks_gone(struct asking *ask)
{
    const struct touch_world *world = ask->touches->config.world;
    return world->root(world->context, ask->candidate->customer) == 0;
}

static bool asks_test_only(struct asking *ask)
{
    const struct touch_world *world = ask->touches->config.world;
    const struct policy *policy = ask->touches->policy;
    if (!ask->candidate->account->is_test_only || gate_is_test(ask->candidate))
        return false;
    return policy->test_segment.size == 0 ||
           !world->in_segment(world->context, ask->candidate->customer, policy->test_segment);
}

/* Of 1,000,000; the same for the node that was hers first, for ever. */
static uint32_t draw(const struct touches *touches, uint32_t customer, str salt)
{
    const struct touch_world *world = touches->config.world;
    uint32_t first =
        world->first_node != NULL ? world->first_node(world->context, customer) : customer;
    uint64_t hash =
        hash_mix64(hash_bytes64(salt.data, salt.size, touches->config.seed) ^ hash_mix64(first));
    return (uint32_t)(hash % 1000000);
}

static bool asks_hold_out(struct asking *ask)
{
    const struct policy *policy = ask->touches->policy;
    if (gate_is_test(ask->candidate))
        return false;
    for (size_t i = 0; i < policy->share_count; i++) {
        const struct share *share = &policy->shares[i];
        if (share->journey.size > 0 && !str_equal(share->journey, ask->candidate->line->journey))
            continue;
        str salt = share->journey.size > 0 ? share->journey : STR("universal");
        if (draw(ask->touches, ask->candidate->customer, salt) < share->millionths)
            return true;
    }
    return false;
}

static bool asks_consent(struct asking *ask)
{
    const struct touch_world *world = ask->touches->config.world;
    const struct policy *policy = ask->touches->policy;
    str purpose = ask->candidate->line->purpose;
    bool unless_refused = !str_equal(purpose, STR("marketing")), granted = false;
    for (size_t i = 0; i < policy->consent_count; i++)
        if (str_equal(policy->consents[i].purpose, purpose))
            unless_refused = policy->consents[i].unless_refused;
    if (!world->consent(world->context, ask->candidate->customer, purpose, &granted))
        return !unless_refused;
    return !granted;
}

static bool has_withdrawn(const struct asking *ask, const char *purpose)
{
    const struct touch_world *world = ask->touches->config.world;
    bool granted;
    return world->consent(world->context, ask->candidate->customer, str_from_c(purpose),
                          &granted) &&
           !granted;
}

static bool asks_restricted(struct asking *ask)
{
    return has_withdrawn(ask, PURPOSE_PROCESSING);
}

/* Who is under 14, and what concerns children is held: the world says no to a purpose of this name (engine/children.h). */
static bool asks_child(struct asking *ask)
{
    return has_withdrawn(ask, "under_14");
}

static bool asks_plain(struct asking *ask)
{
    return (ask->candidate->line->flags & LINE_PLAIN) == 0 &&
           has_withdrawn(ask, PURPOSE_PERSONALISATION);
}

static bool asks_refused(struct asking *ask)
{
    const struct touch_world *world = ask->touches->config.world;
    bool granted;
    return world->consent(world->context, ask->candidate->customer, ask->candidate->line->channel,
                          &granted) &&
           !granted;
}

/* A chance of hers at any of her nodes. */
static const struct chance *her_chance(struct asking *ask, enum chance_kind kind, str what)
{
    const struct chance *best = NULL;
    size_t count = touches_nodes_of(ask->touches, ask->candidate->customer);
    for (size_t i = 0; i < count; i++) {
        const struct chance *chance = touches_chance_find(
            ask->touches,
            touches_chance_key(ask->candidate->account, ask->touches->her_nodes[i], kind, what));
        if (chance != NULL && chance->count > 0 && (best == NULL || chance->at_ms > best->at_ms))
            best = chance;
    }
    return best;
}

static bool asks_unsubscribed(struct asking *ask)
{
    return her_chance(ask, CHANCE_UNSUBSCRIBED, STR_NONE) != NULL;
}

/* Service goes on: what she is helped with is no marketing. */
static bool asks_paused(struct asking *ask)
{
    const struct candidate *candidate = ask->candidate;
    const struct pause *pause =
        str_equal(candidate->line->purpose, STR("service"))
            ? NULL
            : touches_pause_find(ask->touches, candidate->customer, candidate->now_ms);
    if (pause == NULL)
        return false;
    ask->verdict->until_ms = pause->told.until_ms;
    ask->verdict->detail = pause->told.journey.data;
    return true;
}

static bool asks_unreachable(struct asking *ask)
{
    const struct touch_world *world = ask->touches->config.world;
    const struct account *account = ask->candidate->account;
    const char *type = channel_form_info(account->kind, ask->candidate->line->form).identifier_type;
    struct touch_recipient recipient = { .row = 0 };
    bool found = type[0] != '\0' &&
                 world->recipient(world->context, ask->candidate->customer, str_from_c(type),
                                  account->namespace_, false, &recipient);
    ask->verdict->recipient = found ? (uint32_t)recipient.row : 0;
    return !found && type[0] != '\0';
}

/* ---- duplicates ---- */

static bool sent_before(struct asking *ask, bool by_order)
{
    const struct candidate *candidate = ask->candidate;
    const struct policy *policy = ask->touches->policy;
    uint32_t hash = by_order ? candidate->order_hash : candidate->content_hash;
    int64_t since_ms =
        candidate->now_ms - (by_order ? policy->order_window_ms : policy->content_window_ms);
    struct mark_walk walk;
    if (hash == 0 || gate_is_test(candidate))
        return false;
    touches_walk_begin(&walk, ask->touches, candidate->customer);
    for (uint32_t number; (number = touches_walk_next(&walk)) != 0;) {
        const struct mark *mark = touches_mark_at(ask->touches, number);
        if (number == candidate->number ||
            (by_order ? mark->order_hash : mark->content_hash) != hash)
            continue;
        /* Of two that wait, the later one is the duplicate. */
        bool is_behind = candidate->number != 0 && number > candidate->number &&
                         !touches_status_is_sent(mark_status(mark));
        if (!is_behind && touches_status_counts(mark_status(mark)) &&
            mark_time_ms(mark) >= since_ms)
            return true;
    }
    return false;
}
static bool asks_same_order(struct asking *ask)
{
    return sent_before(ask, true);
}
static bool asks_same_content(struct asking *ask)
{
    return sent_before(ask, false);
}

/* ---- when ---- */

static bool asks_expired(struct asking *ask)
{
    return ask->candidate->expires_ms != 0 && ask->candidate->now_ms >= ask->candidate->expires_ms;
}

static bool asks_not_yet(struct asking *ask)
{
    ask->verdict->until_ms = ask->candidate->not_before_ms;
    return ask->candidate->not_before_ms > ask->candidate->now_ms;
}

/* The end of these quiet hours if they are on, else 0. */
static int64_t quiet_until_ms(const struct touches *touches, const struct quiet *quiet,
                              uint32_t customer, int64_t now_ms)
{
    uint32_t whose = quiet->customer_zone ? customer : 0;
    int64_t day_ms = touches_period_start_ms(touches, whose, CAP_DAY, now_ms, 0);
    int64_t second = (now_ms - day_ms) / SECOND_MS;
    bool over_midnight = quiet->from_s > quiet->to_s;
    bool is_on = over_midnight ? second >= quiet->from_s || second < quiet->to_s
                               : second >= quiet->from_s && second < quiet->to_s;
    if (!is_on)
        return 0;
    if (over_midnight && second >= quiet->from_s)
        day_ms = touches_period_start_ms(touches, whose, CAP_DAY, now_ms, 1);
    return day_ms + (int64_t)quiet->to_s * SECOND_MS;
}

static bool asks_quiet(struct asking *ask)
{
    const struct candidate *candidate = ask->candidate;
    const struct policy *policy = ask->touches->policy;
    ask->verdict->until_ms = 0;
    if (gate_is_test(candidate))
        return false;
    for (size_t i = 0; i < policy->quiet_count; i++) {
        const struct quiet *quiet = &policy->quiets[i];
        if ((quiet->channel != 0 && quiet->channel != candidate->line->scope_hash[0]) ||
            (quiet->purpose != 0 && quiet->purpose != candidate->line->scope_hash[1]) ||
            (!gate_is_marketing(candidate) && !quiet->transactional_too))
            continue;
        int64_t until_ms =
            quiet_until_ms(ask->touches, quiet, candidate->customer, candidate->now_ms);
        if (until_ms <= ask->verdict->until_ms)
            continue;
        ask->verdict->until_ms = until_ms;
        ask->verdict->holds = !quiet->drops;
    }
    return ask->verdict->until_ms > 0;
}

static bool asks_settling(struct asking *ask)
{
    const struct candidate *candidate = ask->candidate;
    ask->verdict->until_ms = candidate->created_ms + ask->touches->policy->settle_ms;
    return !gate_is_test(candidate) && ask->touches->policy->settle_ms > 0 && !candidate->settled &&
           ask->verdict->until_ms > candidate->now_ms;
}

/* It was said at once which: nothing is left to ask. */
static bool asks_nothing(struct asking *ask)
{
    (void)ask;
    return false;
}

/* ---- what the channel allows of her ---- */

static bool asks_no_stock(struct asking *ask)
{
    if (!ask->candidate->account->needs_stock)
        return false;
    return her_chance(ask, CHANCE_STOCK, touches_stock_name(ask->touches, ask->candidate->line)) ==
           NULL;
}

static bool asks_no_window(struct asking *ask)
{
    const struct account *account = ask->candidate->account;
    if (account->window_ms == 0 || !str_equal(ask->candidate->line->form, STR("service")))
        return false;
    const struct chance *contact = her_chance(ask, CHANCE_CONTACT, STR_NONE);
    return contact == NULL || contact->at_ms + account->window_ms <= ask->candidate->now_ms;
}

/* ---- the table ---- */

enum effect { DROP, HOLD, POLICY };
static const struct row {
    bool (*asks)(struct asking *ask);
} rows[GATE_COUNT] = {
    [GATE_NO_ACCOUNT] = { .asks = asks_no_account },
    [GATE_STOPPED] = { .asks = asks_stopped },
    [GATE_GONE] = { .asks = asks_gone },
    [GATE_RESTRICTED] = { .asks = asks_restricted },
    [GATE_CHILD] = { .asks = asks_child },
    [GATE_TEST_ONLY] = { .asks = asks_test_only },
    [GATE_HOLD_OUT] = { .asks = asks_hold_out },
    [GATE_CONSENT] = { .asks = asks_consent },
    [GATE_PLAIN] = { .asks = asks_plain },
    [GATE_REFUSED] = { .asks = asks_refused },
    [GATE_UNSUBSCRIBED] = { .asks = asks_unsubscribed },
    [GATE_PAUSED] = { .asks = asks_paused },
    [GATE_UNREACHABLE] = { .asks = asks_unreachable },
    [GATE_SAME_ORDER] = { .asks = asks_same_order },
    [GATE_SAME_CONTENT] = { .asks = asks_same_content },
    [GATE_EXPIRED] = { .asks = asks_expired },
    [GATE_NOT_YET] = { .asks = asks_not_yet },
    [GATE_QUIET] = { .asks = asks_quiet },
    [GATE_SETTLING] = { .asks = asks_settling },
    [GATE_CAP] = { .asks = gate_asks_cap },
    [GATE_OUTRANKED] = { .asks = asks_nothing },
    [GATE_BUDGET] = { .asks = gate_asks_budget },
    [GATE_QUOTA] = { .asks = gate_asks_quota },
    [GATE_NO_STOCK] = { .asks = asks_no_stock },
    [GATE_NO_WINDOW] = { .asks = asks_no_window },
    [GATE_BEHIND] = { .asks = gate_asks_behind },
    [GATE_RETRY] = { .asks = asks_nothing },
};
static const struct {
    enum effect effect;
    enum gate_class applies;
} gate_kinds[GATE_COUNT] = {
#define X(NAME, code, effect, applies, zh, en) [GATE_##NAME] = { effect, GATE_##applies },
    GATES(X)
#undef X
};

static bool is_asked(const struct candidate *candidate, int gate, enum gate held)
{
    /* Quiet hours know themselves whom they spare. */
    if (gate_kinds[gate].applies == GATE_MARKETING && !gate_is_marketing(candidate) &&
        gate != GATE_QUIET)
        return false;
    /* One that is held is still dropped by what does not depend on the hour. */
    return held == GATE_NONE || (gate_kinds[gate].effect == DROP && gate <= GATE_EXPIRED);
}

void touches_gates_pass(const struct touches *touches, const struct candidate *candidate,
                        struct verdict *verdict)
{
    struct asking ask = { .touches = touches, .candidate = candidate, .verdict = verdict };
    enum gate held = GATE_NONE;
    int64_t held_until_ms = 0;
    *verdict = (struct verdict){ .gate = GATE_NONE };
    for (int gate = GATE_NONE + 1; gate < GATE_COUNT; gate++) {
        if (!is_asked(candidate, gate, held) || (touches->gates_left_out >> gate & 1) != 0)
            continue;
        verdict->holds = gate_kinds[gate].effect == HOLD;
        verdict->until_ms = 0;
        verdict->detail = NULL;
        if (!rows[gate].asks(&ask))
            continue;
        verdict->displaced_count = 0;
        if (!verdict->holds) {
            verdict->gate = (enum gate)gate;
            return;
        }
        held = (enum gate)gate;
        held_until_ms = verdict->until_ms;
    }
    verdict->gate = held;
    verdict->holds = held != GATE_NONE;
    verdict->until_ms = held_until_ms;
}

/* ---- for people ---- */

bool touch_gate_words(str code, const char **zh, const char **en)
{
    static const char *const words[GATE_COUNT][2] = { { "", "" },
#define X(NAME, code, effect, applies, zh, en) { zh, en },
                                                      GATES(X)
#undef X
    };
    enum gate gate;
    if (!touches_gate_find(code, &gate) || gate == GATE_NONE)
        return false;
    *zh = words[gate][0];
    *en = words[gate][1];
    return true;
}

void touch_write_gates(const struct touches *touches, struct buffer *out)
{
    static const struct {
        const char *code, *effect, *applies, *zh, *en;
    } words[] = {
#define X(NAME, code, effect, applies, zh, en) { code, #effect, #applies, zh, en },
        GATES(X)
#undef X
    };
    struct json_writer writer;
    (void)touches;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        bool holds = strcmp(words[i].effect, "HOLD") == 0,
             drops = strcmp(words[i].effect, "DROP") == 0;
        json_begin_object(&writer);
        json_member_text(&writer, STR("code"), str_from_c(words[i].code));
        json_member_text(&writer, STR("effect"),
                         holds   ? STR("hold")
                         : drops ? STR("drop")
                                 : STR("policy"));
        json_member_text(&writer, STR("applies"),
                         strcmp(words[i].applies, "ALL") == 0 ? STR("all") : STR("marketing"));
        json_put_key(&writer, STR("text"));
        json_begin_object(&writer);
        json_member_text(&writer, STR("zh"), str_from_c(words[i].zh));
        json_member_text(&writer, STR("en"), str_from_c(words[i].en));
        json_end_object(&writer);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}
