/* SPDX-License-Identifier: Apache-2.0 */
/* rehearsal_tell: what came of it, counted: how many go, wait and are stopped under each policy, by which gate, and some of those for whom
 * the draft changes something. */
#include <string.h>

#include "touch/rehearsal.h"
#include "touch/rehearsal_inside.h"

#define REASONS_MAX 256
#define EXAMPLES_MAX 20

/* What may come of a touch; as the answer names it. */
#define ENDS(X)                                             \
    X(WENT, "went")       /* at once, or when it was due */ \
    X(LATE, "late")       /* it was held, and went */       \
    X(WAITING, "waiting") /* it is held until now */        \
    X(STOPPED, "stopped")
enum end {
#define X(NAME, text) END_##NAME,
    ENDS(X)
#undef X
        END_COUNT
};
static const char *const end_texts[] = {
#define X(NAME, text) text,
    ENDS(X)
#undef X
};

struct counts {
    uint64_t by_end[END_COUNT];
};
struct reason {
    uint8_t gate;
    const char *detail;
    uint64_t stopped[REHEARSAL_ROOMS], held[REHEARSAL_ROOMS];
};
struct tally {
    struct counts all[REHEARSAL_ROOMS], waiting[REHEARSAL_ROOMS];
    uint64_t touches, touches_waiting, changed, more_stopped, fewer_stopped;
    struct reason reasons[REASONS_MAX];
    size_t reason_count;
};

static enum end end_of(const struct rehearsal_outcome *outcome)
{
    return outcome->is_stopped               ? END_STOPPED
           : outcome->is_waiting             ? END_WAITING
           : outcome->held_gate != GATE_NONE ? END_LATE
                                             : END_WENT;
}

static bool same_text(const char *one, const char *other)
{
    return strcmp(one != NULL ? one : "", other != NULL ? other : "") == 0;
}

static bool differs(const struct rehearsal_row *row)
{
    const struct rehearsal_outcome *now = &row->outcomes[REHEARSAL_NOW],
                                   *draft = &row->outcomes[REHEARSAL_DRAFT];
    return end_of(now) != end_of(draft) || (now->is_stopped && now->gate != draft->gate);
}

static void add_reason(struct tally *tally, uint8_t gate, const char *detail, int room,
                       bool stopped)
{
    size_t i = 0;
    while (i < tally->reason_count &&
           (tally->reasons[i].gate != gate || !same_text(tally->reasons[i].detail, detail)))
        i++;
    if (i == REASONS_MAX)
        return;
    if (i == tally->reason_count)
        tally->reasons[tally->reason_count++] = (struct reason){ .gate = gate, .detail = detail };
    if (stopped)
        tally->reasons[i].stopped[room]++;
    else
        tally->reasons[i].held[room]++;
}

static void add_row(struct tally *tally, const struct rehearsal_row *row)
{
    bool is_waiting = row->status == TOUCH_QUEUED || row->status == TOUCH_HELD;
    for (int room = 0; room < REHEARSAL_ROOMS; room++) {
        const struct rehearsal_outcome *outcome = &row->outcomes[room];
        enum end end = end_of(outcome);
        tally->all[room].by_end[end]++;
        if (is_waiting)
            tally->waiting[room].by_end[end]++;
        if (outcome->is_stopped)
            add_reason(tally, outcome->gate, outcome->detail, room, true);
        else if (outcome->held_gate != GATE_NONE)
            add_reason(tally, outcome->held_gate, outcome->held_detail, room, false);
    }
    bool before = row->outcomes[REHEARSAL_NOW].is_stopped,
         after = row->outcomes[REHEARSAL_DRAFT].is_stopped;
    tally->touches++;
    tally->touches_waiting += is_waiting;
    tally->changed += differs(row);
    tally->more_stopped += after && !before;
    tally->fewer_stopped += before && !after;
}

/* ---- the answer ---- */

static const char *const room_texts[REHEARSAL_ROOMS] = { "now", "draft" };

static int64_t scaled(const struct touch_rehearsal *rehearsal, uint64_t count)
{
    return (int64_t)(count * rehearsal->one_in);
}

static void write_counts(const struct touch_rehearsal *rehearsal, struct json_writer *writer,
                         const struct counts counts[REHEARSAL_ROOMS])
{
    for (int room = 0; room < REHEARSAL_ROOMS; room++) {
        json_put_key(writer, str_from_c(room_texts[room]));
        json_begin_object(writer);
        for (int end = 0; end < END_COUNT; end++)
            json_member_int(writer, str_from_c(end_texts[end]),
                            scaled(rehearsal, counts[room].by_end[end]));
        json_end_object(writer);
    }
}

static void write_text(struct json_writer *writer, str name, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        json_member_text(writer, name, str_from_c(text));
        return;
    }
    json_put_key(writer, name);
    json_put_null(writer);
}

static void write_reason(const struct touch_rehearsal *rehearsal, struct json_writer *writer,
                         const struct reason *reason)
{
    json_begin_object(writer);
    write_text(writer, STR("gate"), touches_gate_code((enum gate)reason->gate));
    write_text(writer, STR("detail"), reason->detail);
    for (int room = 0; room < REHEARSAL_ROOMS; room++) {
        json_put_key(writer, str_from_c(room_texts[room]));
        json_begin_object(writer);
        json_member_int(writer, STR("stopped"), scaled(rehearsal, reason->stopped[room]));
        json_member_int(writer, STR("held"), scaled(rehearsal, reason->held[room]));
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void write_outcome(struct json_writer *writer, const struct rehearsal_outcome *outcome)
{
    uint8_t gate = outcome->is_stopped ? outcome->gate : outcome->held_gate;
    json_begin_object(writer);
    json_member_text(writer, STR("end"), str_from_c(end_texts[end_of(outcome)]));
    write_text(writer, STR("gate"), touches_gate_code((enum gate)gate));
    write_text(writer, STR("detail"), outcome->is_stopped ? outcome->detail : outcome->held_detail);
    json_end_object(writer);
}

static void write_example(const struct touch_rehearsal *rehearsal, struct json_writer *writer,
                          const struct rehearsal_row *row)
{
    const struct line *line = touches_line_at(rehearsal->live, row->line);
    json_member_int(writer, STR("touch"), row->number);
    json_member_time(writer, STR("at"), row->created_ms);
    json_member_text(writer, STR("channel"), line->channel);
    json_member_text(writer, STR("journey"), line->journey);
    json_member_text(writer, STR("campaign"), line->campaign);
    json_member_int(writer, STR("priority"), line->priority);
    for (int room = 0; room < REHEARSAL_ROOMS; room++) {
        json_put_key(writer, str_from_c(room_texts[room]));
        write_outcome(writer, &row->outcomes[room]);
    }
}

/* The newest first. */
static void write_examples(const struct touch_rehearsal *rehearsal, struct json_writer *writer,
                           void (*name)(void *context, struct json_writer *writer,
                                        uint32_t customer),
                           void *context)
{
    size_t written = 0;
    json_put_key(writer, STR("examples"));
    json_begin_array(writer);
    for (uint32_t i = rehearsal->row_count; name != NULL && i > 0 && written < EXAMPLES_MAX; i--) {
        const struct rehearsal_row *row = &rehearsal->rows[i - 1];
        if (!row->is_taken || !differs(row))
            continue;
        json_begin_object(writer);
        name(context, writer, row->root);
        write_example(rehearsal, writer, row);
        json_end_object(writer);
        written++;
    }
    json_end_array(writer);
}

void touch_rehearsal_write(const struct touch_rehearsal *rehearsal, struct json_writer *writer,
                           void (*name)(void *context, struct json_writer *writer,
                                        uint32_t customer),
                           void *context)
{
    struct tally tally = { .touches = 0 };
    for (uint32_t i = 0; i < rehearsal->row_count; i++)
        if (rehearsal->rows[i].is_taken)
            add_row(&tally, &rehearsal->rows[i]);
    json_member_time(writer, STR("from"), rehearsal->from_ms);
    json_member_time(writer, STR("as_of"), rehearsal->now_ms);
    json_member_int(writer, STR("touches"), scaled(rehearsal, tally.touches));
    json_member_int(writer, STR("one_in"), rehearsal->one_in);
    json_member_bool(writer, STR("partial"), rehearsal->is_cut);
    json_member_int(writer, STR("changed"), scaled(rehearsal, tally.changed));
    json_member_int(writer, STR("more_stopped"), scaled(rehearsal, tally.more_stopped));
    json_member_int(writer, STR("fewer_stopped"), scaled(rehearsal, tally.fewer_stopped));
    write_counts(rehearsal, writer, tally.all);
    json_put_key(writer, STR("waiting"));
    json_begin_object(writer);
    json_member_int(writer, STR("touches"), scaled(rehearsal, tally.touches_waiting));
    write_counts(rehearsal, writer, tally.waiting);
    json_end_object(writer);
    json_put_key(writer, STR("reasons"));
    json_begin_array(writer);
    for (size_t i = 0; i < tally.reason_count; i++)
        write_reason(rehearsal, writer, &tally.reasons[i]);
    json_end_array(writer);
    write_examples(rehearsal, writer, name, context);
}
