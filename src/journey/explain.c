/* SPDX-License-Identifier: Apache-2.0 */
/* explain: why she is in, or not, where she stands, what comes next and when; in one sentence, in both languages. */
#include <stdio.h>
#include <string.h>

#include "journey/state.h"

#define POSITIONS_MAX 20

#define SENTENCE_BYTES 800

static void write_sentence(struct json_writer *writer, const char *zh, const char *en)
{
    json_put_key(writer, STR("sentence"));
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), str_from_c(zh));
    json_member_text(writer, STR("en"), str_from_c(en));
    json_end_object(writer);
}

/* ---- steps, from the ledger ---- */

struct reading {
    struct json_writer *writer;
    const struct journeys *journeys;
    const struct version *version;
    int64_t position;
    /* The last touch that was asked for, and what became of that; NO_NODE: there was none. */
    uint16_t touched;
    char became[32], because[64];
};

static void note_touch(struct reading *reading, uint16_t node, str became, str because)
{
    reading->touched = node;
    snprintf(reading->became, sizeof reading->became, STR_FMT, STR_ARG(became));
    snprintf(reading->because, sizeof reading->because, STR_FMT, STR_ARG(because));
}

static str node_name(const struct version *version, uint16_t node)
{
    if (version == NULL || node >= version->node_count)
        return node == NODE_START     ? STR("$start")
               : node == NODE_CONTROL ? STR("$control")
                                      : STR("");
    return version->nodes[node].id;
}

/* As people call it: its name where it has one. */
static str node_called(const struct version *version, uint16_t node)
{
    if (version != NULL && node < version->node_count && version->nodes[node].name.size > 0)
        return version->nodes[node].name;
    return node_name(version, node);
}

/* On the clock of the workspace. */
static void say_time(const struct journeys *journeys, int64_t at_ms, char text[24])
{
    char iso[TIME_TEXT_BYTES] = "";
    text[0] = '\0';
    if (at_ms == INT64_MAX)
        return;
    time_format_utc(utc_to_local(journeys, at_ms), iso);
    snprintf(text, 24, "%.10s %.5s", iso, strlen(iso) > 16 ? iso + 11 : "");
}

static void write_steps_of_row(struct reading *reading, str bytes)
{
    struct cursor cursor = cursor_over(bytes);
    while (cursor_left(&cursor) > 0 && !cursor.failed) {
        const struct step_info *info = step_info((enum step_kind)read_u8(&cursor));
        uint16_t node = read_u16(&cursor);
        int64_t at_ms = read_i64(&cursor);
        str what = read_text(&cursor), detail = read_text(&cursor);
        if (cursor.failed)
            return;
        if (info == step_info(STEP_TOUCHED))
            note_touch(reading, node, what, detail);
        json_begin_object(reading->writer);
        json_member_time(reading->writer, STR("at"), at_ms);
        json_member_text(reading->writer, STR("step"), str_from_c(info->text));
        json_member_text(reading->writer, STR("node"), node_name(reading->version, node));
        json_member_text(reading->writer, STR("name"), node_called(reading->version, node));
        json_member_text(reading->writer, STR("what"), what);
        json_member_text(reading->writer, STR("detail"), detail);
        json_put_key(reading->writer, STR("text"));
        json_begin_object(reading->writer);
        json_member_text(reading->writer, STR("zh"), str_from_c(info->zh));
        json_member_text(reading->writer, STR("en"), str_from_c(info->en));
        json_end_object(reading->writer);
        json_end_object(reading->writer);
    }
}

static bool visit_steps(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    if (values[0].integer != reading->position)
        return false;
    write_steps_of_row(reading, values[4].bytes);
    return true;
}

static err write_steps(struct reading *reading, struct ledger *ledger, struct problem *problem)
{
    struct ledger_value key = ledger_int(reading->position);
    err error = ERR_OK;
    json_put_key(reading->writer, STR("steps"));
    json_begin_array(reading->writer);
    if (ledger != NULL)
        error = ledger_scan(ledger, LEDGER_JOURNEY_STEPS, &key, visit_steps, reading, problem);
    json_end_array(reading->writer);
    return error;
}

/* Which gate stopped the last touch, behind the sentence of where she stands. */
static void say_gate(const struct reading *reading, char zh[SENTENCE_BYTES],
                     char en[SENTENCE_BYTES])
{
    const char *gate_zh, *gate_en;
    bool is_held = strcmp(reading->became, "held") == 0;
    if (reading->touched == NO_NODE || (!is_held && strcmp(reading->became, "suppressed") != 0) ||
        !touch_gate_words(str_from_c(reading->because), &gate_zh, &gate_en))
        return;
    str node = node_called(reading->version, reading->touched);
    size_t at_zh = strlen(zh), at_en = strlen(en);
    snprintf(zh + at_zh, SENTENCE_BYTES - at_zh, "「" STR_FMT "」%s：%s。", STR_ARG(node),
             is_held ? "被暂缓" : "没有发出", gate_zh);
    snprintf(en + at_en, SENTENCE_BYTES - at_en, "; '" STR_FMT "' was %s: %s", STR_ARG(node),
             is_held ? "held back" : "not sent", gate_en);
}

/* ---- where she stands ---- */

/* Where she goes on when her time comes, as far as that is certain; empty: it is not, or it is the end. */
static str called_next(const struct version *version, uint16_t node)
{
    const struct node *at = &version->nodes[node];
    uint16_t next = at->next;
    if (at->kind == NODE_KIND_WAIT_UNTIL && at->has_other)
        next = at->other;
    return (at->kind == NODE_KIND_WAIT || at->kind == NODE_KIND_WAIT_UNTIL) &&
                   next < version->node_count
               ? node_called(version, next)
               : STR_NONE;
}

static void say_waits(const struct version *version, const struct position *position,
                      const char *due, char zh[SENTENCE_BYTES], char en[SENTENCE_BYTES])
{
    str node = node_called(version, position->node), next = called_next(version, position->node);
    bool is_condition = version->nodes[position->node].kind == NODE_KIND_WAIT_UNTIL;
    if (next.size == 0) {
        snprintf(zh, SENTENCE_BYTES, "她在节点「%.*s」，下一步最迟在 %s。", STR_ARG(node), due);
        snprintf(en, SENTENCE_BYTES, "she is at '%.*s'; what comes next comes at %s or before",
                 STR_ARG(node), due);
        return;
    }
    snprintf(zh, SENTENCE_BYTES, "她在节点「%.*s」，%s%s 走向「%.*s」。", STR_ARG(node),
             is_condition ? "最迟 " : "", due, STR_ARG(next));
    snprintf(en, SENTENCE_BYTES, "she is at '%.*s'; at %s%s she goes on to '%.*s'", STR_ARG(node),
             due, is_condition ? " at the latest" : "", STR_ARG(next));
}

static void say_where(const struct journeys *journeys, const struct version *version,
                      const struct position *position, char zh[SENTENCE_BYTES],
                      char en[SENTENCE_BYTES])
{
    char due[24];
    str node = node_called(version, position->node);
    say_time(journeys, position->due_ms, due);
    switch (position->node) {
    case NODE_ABSENCE:
        snprintf(zh, SENTENCE_BYTES, "已发生触发事件，%s 前若没有「%.*s」就进入旅程。", due,
                 STR_ARG(version->trigger.absent.event));
        snprintf(en, SENTENCE_BYTES, "the first event came; without '%.*s' she enters at %s",
                 STR_ARG(version->trigger.absent.event), due);
        break;
    case NODE_CONTROL:
        snprintf(zh, SENTENCE_BYTES, "她在对照组中，什么都不会发给她，只计数到 %s。", due);
        snprintf(en, SENTENCE_BYTES,
                 "she is in the control group: nothing is sent, she is counted until %s", due);
        break;
    case NODE_AFTER:
        snprintf(zh, SENTENCE_BYTES, "她已离开旅程，目标计数到 %s。", due);
        snprintf(en, SENTENCE_BYTES, "she has left; goals are counted until %s", due);
        break;
    case NODE_START:
        snprintf(zh, SENTENCE_BYTES, "她将在 %s 进入旅程。", due);
        snprintf(en, SENTENCE_BYTES, "she enters at %s", due);
        break;
    default:
        if (position->state == POSITION_FAILED) {
            snprintf(zh, SENTENCE_BYTES, "她停在节点「%.*s」：该步骤失败，等待人工处理。",
                     STR_ARG(node));
            snprintf(en, SENTENCE_BYTES,
                     "she is held at '%.*s': it failed and waits for an operator", STR_ARG(node));
        } else if (position->state == POSITION_MERGED) {
            snprintf(zh, SENTENCE_BYTES, "此位置因客户合并而停用，拆分后恢复。");
            snprintf(en, SENTENCE_BYTES,
                     "this position was set aside by a merge and comes back with a split");
        } else if ((position->flags & POSITION_STALLED) != 0) {
            snprintf(zh, SENTENCE_BYTES, "她停在节点「%.*s」，旅程暂停中，恢复后继续。",
                     STR_ARG(node));
            snprintf(en, SENTENCE_BYTES, "she waits at '%.*s' because the journey is paused",
                     STR_ARG(node));
        } else {
            say_waits(version, position, due, zh, en);
        }
    }
}

static err write_position(const struct journeys *journeys, struct ledger *ledger,
                          const struct position *position, struct json_writer *writer,
                          struct problem *problem)
{
    struct reading reading = { .writer = writer,
                               .journeys = journeys,
                               .version = version_of(journeys, position),
                               .position = (int64_t)position->number,
                               .touched = NO_NODE };
    char zh[SENTENCE_BYTES], en[SENTENCE_BYTES];
    struct context context;
    context_read(position, &context);
    json_begin_object(writer);
    json_member_int(writer, STR("position"), (int64_t)position->number);
    json_member_int(writer, STR("version"), position->version);
    json_member_text(writer, STR("key"), context.key);
    json_member_text(writer, STR("node"), node_name(reading.version, position->node));
    json_member_text(writer, STR("name"), node_called(reading.version, position->node));
    json_member_time(writer, STR("entered_at"), position->entered_ms);
    if (position->due_ms != INT64_MAX)
        json_member_time(writer, STR("due"), position->due_ms);
    err error = write_steps(&reading, ledger, problem);
    say_where(journeys, reading.version, position, zh, en);
    say_gate(&reading, zh, en);
    write_sentence(writer, zh, en);
    json_end_object(writer);
    return error;
}

/* ---- where she was ---- */

struct past {
    const struct journeys *journeys;
    const struct journey *journey;
    struct json_writer *writer;
    struct {
        int64_t number, version, entered_ms, closed_ms;
        char reason[64];
    } found[POSITIONS_MAX];
    size_t count;
};

static bool visit_past(void *context, const struct ledger_value *values)
{
    struct past *past = context;
    if (values[3].integer != past->journey->number || values[13].bytes.size == 0)
        return true;
    past->found[past->count].number = values[0].integer;
    past->found[past->count].version = values[4].integer;
    past->found[past->count].entered_ms = values[9].integer;
    past->found[past->count].closed_ms = values[14].integer;
    snprintf(past->found[past->count].reason, sizeof past->found[0].reason, "%.*s",
             STR_ARG(values[13].bytes));
    return ++past->count < POSITIONS_MAX;
}

static err write_past(const struct journeys *journeys, struct ledger *ledger,
                      const struct journey *journey, uint32_t customer, struct json_writer *writer,
                      size_t *count, struct problem *problem)
{
    struct past past = { .journeys = journeys, .journey = journey, .writer = writer };
    uint32_t nodes[256];
    size_t node_count = journeys->world->nodes(journeys->world->context, customer, nodes, 256);
    err error = ERR_OK;
    for (size_t i = 0; ledger != NULL && error == ERR_OK && i < node_count && i < 256 &&
                       past.count < POSITIONS_MAX;
         i++)
        error = ledger_find_by(ledger, LEDGER_JOURNEY_POSITIONS, "customer", ledger_int(nodes[i]),
                               NULL, true, 1000, visit_past, &past, problem);
    json_put_key(writer, STR("past"));
    json_begin_array(writer);
    for (size_t i = 0; error == ERR_OK && i < past.count; i++) {
        struct reading reading = { .writer = writer,
                                   .journeys = journeys,
                                   .version =
                                       journey_version(journey, (uint32_t)past.found[i].version),
                                   .position = past.found[i].number };
        json_begin_object(writer);
        json_member_int(writer, STR("position"), past.found[i].number);
        json_member_time(writer, STR("entered_at"), past.found[i].entered_ms);
        json_member_time(writer, STR("left_at"), past.found[i].closed_ms);
        json_member_text(writer, STR("reason"), str_from_c(past.found[i].reason));
        error = write_steps(&reading, ledger, problem);
        json_end_object(writer);
    }
    json_end_array(writer);
    *count = past.count;
    return error;
}

/* ---- why not ---- */

static const struct {
    const char *code, *zh, *en;
} reasons[] = {
    { "not_live", "旅程没有上线", "the journey is not live" },
    { "not_in_segment", "她不在进入条件的人群里", "she is not in the segment that may enter" },
    { "rule", "她不满足进入条件", "she does not satisfy the condition of entry" },
    { "exit_rule", "某个退出条件已经成立", "one of the exit rules already holds" },
    { "not_a_test_user", "目前只对测试用户开放", "it is open for test users only" },
    { "ramp", "放量比例还没有轮到她", "the ramp has not come to her yet" },
    { "left", "她进入过，已经离开", "she has been in it, and left" },
    { "trigger", "她还没有触发旅程", "she has not done what starts it" },
};

static const char *why_not(const struct journeys *journeys, const struct journey *journey,
                           uint32_t customer, bool was_in)
{
    const struct version *version = live_version(journey);
    const struct journey_world *world = journeys->world;
    str name;
    if (version == NULL || journey->state != JOURNEY_LIVE_STATE)
        return "not_live";
    if (journey->only_test_users &&
        !world->in_segment(world->context, customer, journey->test_segment))
        return "not_a_test_user";
    if (journey->ramp_percent < 100 &&
        journey_chance(journeys, customer, journey->key, STR("$ramp")) * 100 >=
            journey->ramp_percent)
        return "ramp";
    if (version->entry.segment.size > 0 &&
        !world->in_segment(world->context, customer, version->entry.segment))
        return "not_in_segment";
    if (version->entry.rule != NONE &&
        !world->in_segment(world->context, customer,
                           str_from_c(version->rules[version->entry.rule].key)))
        return "rule";
    return exit_holds((struct journeys *)(uintptr_t)journeys, version, customer, &name)
               ? "exit_rule"
               : (was_in ? "left" : "trigger");
}

static void write_why_not(const char *code, struct json_writer *writer)
{
    char zh[300], en[300];
    json_member_text(writer, STR("reason"), str_from_c(code));
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reasons[i].code, code) != 0)
            continue;
        snprintf(zh, sizeof zh, "她不在旅程中：%s。", reasons[i].zh);
        snprintf(en, sizeof en, "she is not in the journey: %s", reasons[i].en);
        write_sentence(writer, zh, en);
    }
}

err journey_explain(const struct journeys *journeys, struct ledger *ledger, str key,
                    uint32_t customer, int64_t now_ms, struct buffer *out, struct problem *problem)
{
    const struct journey *journey = journey_find(journeys, key);
    struct json_writer writer;
    size_t inside = 0, shown = 0, past = 0;
    err error = ERR_OK;
    customer = journeys->world->root(journeys->world->context, customer);
    if (journey == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "there is no journey '%.*s'", STR_ARG(key));
    if (customer == 0)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such customer");
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("journey"), journey->key);
    json_member_time(&writer, STR("as_of"), now_ms);
    json_put_key(&writer, STR("positions"));
    json_begin_array(&writer);
    for (uint32_t slot = position_first(&journeys->positions, customer);
         error == ERR_OK && slot != NONE && shown < POSITIONS_MAX;
         slot = position_at(&journeys->positions, slot)->next) {
        const struct position *position = position_at(&journeys->positions, slot);
        if (position->journey != journey->number)
            continue;
        shown++;
        inside += position->node != NODE_AFTER; /* she has left: only her goals are counted */
        error = write_position(journeys, ledger, position, &writer, problem);
    }
    json_end_array(&writer);
    if (error == ERR_OK)
        error = write_past(journeys, ledger, journey, customer, &writer, &past, problem);
    json_member_bool(&writer, STR("is_in"), inside > 0);
    if (inside == 0)
        write_why_not(why_not(journeys, journey, customer, shown + past > 0), &writer);
    json_end_object(&writer);
    return error == ERR_OK ? buffer_status(out) : error;
}
