/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_tell: what came of a run: touches by node, day, status and reason, money, adviser time, caps, examples, and what was assumed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/whatif/whatif_inside.h"

#define REPORT_BYTES_MAX ((size_t)64 << 20)
#define CAPPED_SHOWN 20

/* ---- telling ---- */

static bool is_asked(const struct whatif_run *run, const struct tally_touch *touch)
{
    return touch->place != TALLY_NONE && run->tally.places[touch->place].is_asked;
}

static void member_day(const struct whatif_run *run, struct json_writer *writer, uint16_t day)
{
    char text[ZONE_DAY_BYTES];
    zone_format_day(run->zone, run->order.from_ms + day * DAY_MS, text);
    json_member_text(writer, STR("day"), str_from_c(text));
}

/* place, day, status, reason in one number, so that equal ones stand together when they are sorted. */
static uint64_t cell_of(const struct tally_touch *touch, bool held)
{
    uint8_t reason = held ? touch->held : touch->reason;
    return (uint64_t)touch->place << 32 | (uint64_t)(held ? 0 : touch->day) << 16 |
           (uint64_t)touch->status << 8 | reason;
}

static int compare_cells(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void write_cell(const struct whatif_run *run, uint64_t cell, uint64_t count, bool held,
                       struct json_writer *writer)
{
    const struct tally_place *place = &run->tally.places[cell >> 32];
    json_begin_object(writer);
    json_member_text(writer, STR("node"), str_from_c(place->node));
    if (!held) {
        member_day(run, writer, (uint16_t)(cell >> 16));
        json_member_text(writer, STR("status"),
                         str_from_c(touch_status_text((enum touch_status)(cell >> 8 & 255))));
    }
    json_member_text(writer, STR("reason"), tally_reason(&run->tally, (uint8_t)cell));
    json_member_int(writer, STR("count"), (int64_t)count);
    json_end_object(writer);
}

static err write_cells(const struct whatif_run *run, bool held, struct json_writer *writer)
{
    const struct tally *tally = &run->tally;
    uint64_t *cells = memory_alloc((tally->count + 1) * sizeof(*cells));
    size_t count = 0;
    if (cells == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < tally->count; i++) {
        const struct tally_touch *touch = &tally->touches[i];
        if (!is_asked(run, touch) || (held && touch->held == 0))
            continue;
        uint64_t cell = cell_of(touch, held);
        cells[count++] = held ? cell & ~UINT64_C(0xff00) : cell;
    }
    if (count > 1)
        qsort(cells, count, sizeof(*cells), compare_cells);
    json_begin_array(writer);
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && cells[next] == cells[i];)
            next++;
        write_cell(run, cells[i], next - i, held, writer);
    }
    json_end_array(writer);
    memory_free(cells);
    return ERR_OK;
}

static void write_statuses(const uint64_t *counts, struct json_writer *writer)
{
    for (int status = 0; status < TOUCH_STATUS_COUNT; status++)
        if (counts[status] != 0)
            json_member_int(writer, str_from_c(touch_status_text((enum touch_status)status)),
                            (int64_t)counts[status]);
}

static void write_totals(const struct whatif_run *run, struct json_writer *writer)
{
    uint64_t counts[TOUCH_STATUS_COUNT] = { 0 }, all = 0;
    for (uint32_t i = 0; i < run->tally.count; i++) {
        if (!is_asked(run, &run->tally.touches[i]))
            continue;
        counts[run->tally.touches[i].status]++;
        all++;
    }
    json_put_key(writer, STR("totals"));
    json_begin_object(writer);
    json_member_int(writer, STR("touches"), (int64_t)all);
    write_statuses(counts, writer);
    json_end_object(writer);
}

/* ---- money and time ---- */

struct day_sums {
    int64_t count[CHANNEL_KIND_COUNT], amount[CHANNEL_KIND_COUNT];
    int64_t put_off, not_done; /* to another day; to one beyond the run */
    int64_t waited_most;
};

static void sum_waiting(struct day_sums *sums, const struct tally_touch *touch, uint16_t last_day)
{
    sums->put_off++;
    sums->not_done += touch->sent_day + touch->waited > last_day;
    sums->waited_most = touch->waited > sums->waited_most ? touch->waited : sums->waited_most;
}

static struct day_sums *sum_days(const struct whatif_run *run, size_t *days)
{
    *days = (size_t)run->order.days + 2;
    struct day_sums *sums = memory_alloc(*days * sizeof *sums);
    for (uint32_t i = 0; sums != NULL && i < run->tally.count; i++) {
        const struct tally_touch *touch = &run->tally.touches[i];
        if (!is_asked(run, touch) || touch->sent_day >= *days)
            continue;
        bool is_coupon = touch->kind == CHANNEL_COUPON;
        sums[touch->sent_day].count[touch->kind]++;
        sums[touch->sent_day].amount[touch->kind] +=
            is_coupon && touch->cost_minor == 0 ? run->order.coupon_value_minor : touch->cost_minor;
        if (touch->waited > 0)
            sum_waiting(&sums[touch->sent_day], touch, tally_day(run, run->order.to_ms - 1));
    }
    return sums;
}

static void write_money_of(const char *kind, int64_t count, int64_t amount,
                           struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), str_from_c(kind));
    json_member_int(writer, STR("count"), count);
    json_member_int(writer, STR("amount"), amount);
    json_end_object(writer);
}

static void write_money(const struct whatif_run *run, const struct day_sums *sums, size_t days,
                        struct json_writer *writer)
{
    int64_t total = 0;
    json_put_key(writer, STR("money"));
    json_begin_object(writer);
    json_put_key(writer, STR("kinds"));
    json_begin_array(writer);
    for (int kind = 0; kind < CHANNEL_KIND_COUNT; kind++) {
        int64_t count = 0, amount = 0;
        for (size_t day = 0; day < days; day++) {
            count += sums[day].count[kind];
            amount += sums[day].amount[kind];
        }
        if (count > 0)
            write_money_of(channel_kind_info((enum channel_kind)kind)->text, count, amount, writer);
        total += amount;
    }
    json_end_array(writer);
    json_member_int(writer, STR("amount"), total);
    json_put_key(writer, STR("by_day"));
    json_begin_array(writer);
    for (size_t day = 0; day < days; day++) {
        int64_t count = 0, amount = 0;
        for (int kind = 0; kind < CHANNEL_KIND_COUNT; kind++) {
            count += sums[day].count[kind];
            amount += sums[day].amount[kind];
        }
        if (count == 0)
            continue;
        json_begin_object(writer);
        member_day(run, writer, (uint16_t)day);
        json_member_int(writer, STR("count"), count);
        json_member_int(writer, STR("amount"), amount);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

static void write_advisers(const struct whatif_run *run, const struct day_sums *sums, size_t days,
                           struct json_writer *writer)
{
    const struct whatif_order *order = &run->order;
    int64_t tasks = 0, minutes = 0, over = 0, put_off = 0, not_done = 0, longest = 0;
    json_put_key(writer, STR("advisers"));
    json_begin_object(writer);
    json_put_key(writer, STR("by_day"));
    json_begin_array(writer);
    for (size_t day = 0; day < days; day++) {
        int64_t day_tasks = 0, day_minutes = 0, beyond;
        for (int kind = 0; kind < CHANNEL_KIND_COUNT; kind++) {
            day_tasks += order->minutes[kind] > 0 ? sums[day].count[kind] : 0;
            day_minutes += order->minutes[kind] * sums[day].count[kind];
        }
        beyond = order->tasks_per_day > 0 && day_tasks > order->tasks_per_day
                     ? day_tasks - order->tasks_per_day
                     : 0;
        tasks += day_tasks;
        minutes += day_minutes;
        over += beyond > 0;
        put_off += sums[day].put_off;
        not_done += sums[day].not_done;
        longest = sums[day].waited_most > longest ? sums[day].waited_most : longest;
        if (day_tasks == 0)
            continue;
        json_begin_object(writer);
        member_day(run, writer, (uint16_t)day);
        json_member_int(writer, STR("tasks"), day_tasks);
        json_member_int(writer, STR("minutes"), day_minutes);
        json_member_int(writer, STR("over_capacity"), beyond);
        json_member_int(writer, STR("put_off"), sums[day].put_off);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_int(writer, STR("tasks"), tasks);
    json_member_int(writer, STR("minutes"), minutes);
    json_member_int(writer, STR("tasks_per_day"), order->tasks_per_day);
    json_member_int(writer, STR("days_over_capacity"), over);
    json_member_int(writer, STR("put_off"), put_off);
    json_member_int(writer, STR("not_done"), not_done);
    json_member_int(writer, STR("longest_wait_days"), longest);
    json_end_object(writer);
}

/* ---- who would be over a cap ---- */

struct capped {
    uint8_t reason, detail;
    uint32_t customer;
};

static int compare_capped(const void *left, const void *right)
{
    const struct capped *a = left, *b = right;
    if (a->reason != b->reason)
        return a->reason < b->reason ? -1 : 1;
    if (a->detail != b->detail)
        return a->detail < b->detail ? -1 : 1;
    return a->customer < b->customer ? -1 : a->customer > b->customer;
}

static bool is_cap(str reason)
{
    return str_equal(reason, STR("frequency_cap")) || str_equal(reason, STR("channel_quota")) ||
           str_equal(reason, STR("budget")) || str_equal(reason, STR("outranked"));
}

static void member_customer(const struct whatif_run *run, struct json_writer *writer,
                            uint32_t customer)
{
    char one_id[ONE_ID_BYTES + 1];
    keys_one_id(run->engine->keys, customer, one_id);
    json_member_text(writer, STR("one_id"), str_from_c(one_id));
}

static void write_capped(const struct whatif_run *run, const struct capped *list, size_t count,
                         struct json_writer *writer)
{
    uint64_t customers = 0, shown = 0;
    json_begin_object(writer);
    json_member_text(writer, STR("reason"), tally_reason(&run->tally, list->reason));
    json_member_text(writer, STR("cap"), tally_reason(&run->tally, list->detail));
    json_member_int(writer, STR("touches"), (int64_t)count);
    json_put_key(writer, STR("examples"));
    json_begin_array(writer);
    for (size_t i = 0, next; i < count; i = next, customers++) {
        for (next = i + 1; next < count && list[next].customer == list[i].customer;)
            next++;
        if (shown++ >= CAPPED_SHOWN)
            continue;
        json_begin_object(writer);
        member_customer(run, writer, list[i].customer);
        json_member_int(writer, STR("touches"), (int64_t)(next - i));
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_int(writer, STR("customers"), (int64_t)customers);
    json_end_object(writer);
}

static err write_caps(const struct whatif_run *run, struct json_writer *writer)
{
    const struct tally *tally = &run->tally;
    struct capped *list = memory_alloc((tally->count + 1) * sizeof(*list));
    size_t count = 0;
    if (list == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < tally->count; i++) {
        const struct tally_touch *touch = &tally->touches[i];
        uint8_t reason = touch->held != 0 ? touch->held : touch->reason;
        if (is_asked(run, touch) && is_cap(tally_reason(tally, reason)))
            list[count++] = (struct capped){ .reason = reason,
                                             .detail = touch->detail,
                                             .customer = run->cast.root[touch->node] };
    }
    if (count > 1)
        qsort(list, count, sizeof(*list), compare_capped);
    json_put_key(writer, STR("caps"));
    json_begin_array(writer);
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && list[next].reason == list[i].reason &&
                           list[next].detail == list[i].detail;)
            next++;
        write_capped(run, &list[i], next - i, writer);
    }
    json_end_array(writer);
    memory_free(list);
    return ERR_OK;
}

/* ---- examples, others ---- */

static err write_examples(const struct whatif_run *run, struct json_writer *writer)
{
    const struct tally *tally = &run->tally;
    size_t cells = (tally->place_count + 1) * TOUCH_STATUS_COUNT * 256;
    uint8_t *shown = memory_alloc(cells);
    if (shown == NULL)
        return ERR_NOMEM;
    json_put_key(writer, STR("examples"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < tally->count; i++) {
        const struct tally_touch *touch = &tally->touches[i];
        if (!is_asked(run, touch))
            continue;
        uint8_t *cell = &shown[((size_t)touch->place * TOUCH_STATUS_COUNT + touch->status) * 256 +
                               touch->reason];
        if (*cell >= run->order.examples)
            continue;
        ++*cell;
        json_begin_object(writer);
        member_customer(run, writer, run->cast.root[touch->node]);
        json_member_text(writer, STR("node"), str_from_c(tally->places[touch->place].node));
        member_day(run, writer, touch->day);
        json_member_time(writer, STR("at"), touch->at_ms);
        json_member_text(writer, STR("status"),
                         str_from_c(touch_status_text((enum touch_status)touch->status)));
        json_member_text(writer, STR("reason"), tally_reason(tally, touch->reason));
        json_member_text(writer, STR("held"), tally_reason(tally, touch->held));
        json_end_object(writer);
    }
    json_end_array(writer);
    memory_free(shown);
    return ERR_OK;
}

static err write_others(const struct whatif_run *run, struct json_writer *writer)
{
    const struct tally *tally = &run->tally;
    uint64_t(*counts)[TOUCH_STATUS_COUNT] = memory_alloc((tally->place_count + 1) * sizeof *counts);
    if (counts == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < tally->count; i++)
        if (tally->touches[i].place != TALLY_NONE && !is_asked(run, &tally->touches[i]))
            counts[tally->touches[i].place][tally->touches[i].status]++;
    json_put_key(writer, STR("others"));
    json_begin_array(writer);
    for (size_t i = 0; i < tally->place_count; i++) {
        if (tally->places[i].is_asked)
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("journey"), str_from_c(tally->places[i].journey));
        json_member_text(writer, STR("node"), str_from_c(tally->places[i].node));
        write_statuses(counts[i], writer);
        json_end_object(writer);
    }
    json_end_array(writer);
    memory_free(counts);
    return ERR_OK;
}

/* ---- what was assumed ---- */

static void assume(struct json_writer *writer, const char *code, const char *zh, const char *en)
{
    json_begin_object(writer);
    json_member_text(writer, STR("code"), str_from_c(code));
    json_member_text(writer, STR("zh"), str_from_c(zh));
    json_member_text(writer, STR("en"), str_from_c(en));
    json_end_object(writer);
}

static void assume_shares(const struct whatif_run *run, struct json_writer *writer)
{
    for (int kind = 0; kind < CHANNEL_KIND_COUNT; kind++) {
        const double *shares = run->shares[kind];
        char zh[200], en[200];
        bool is_used = false;
        for (uint32_t i = 0; !is_used && i < run->tally.count; i++)
            is_used =
                run->tally.touches[i].sent_day != TALLY_NONE && run->tally.touches[i].kind == kind;
        if (!is_used || kind == CHANNEL_COUPON || kind == CHANNEL_POINTS)
            continue;
        const char *name = channel_kind_info((enum channel_kind)kind)->text;
        snprintf(zh, sizeof zh, "%s:发出的 %.1f%% 送达,送达的 %.1f%% 已读,已读的 %.1f%% 点击", name,
                 shares[0] * 100, shares[1] * 100, shares[2] * 100);
        snprintf(en, sizeof en,
                 "%s: %.1f %% of what is sent is delivered, of that %.1f %% read, of that %.1f %% "
                 "clicked",
                 name, shares[0] * 100, shares[1] * 100, shares[2] * 100);
        assume(writer, "results", zh, en);
    }
}

static void write_assumptions(const struct whatif_run *run, struct json_writer *writer)
{
    json_put_key(writer, STR("assumptions"));
    json_begin_array(writer);
    if (run->order.identities_then)
        assume(writer, "identities_then", "按当时的身份:合并与拆分在其发生时发生",
               "identities as they were: merges and splits happen when they happened");
    else
        assume(writer, "identities_today", "使用今天的身份:此后合并的人从第一天起就是一个人",
               "today's identities: who has merged since is one person from the first day on");
    assume(writer, "starts_empty", "第一天旅程里没有人", "nobody is in a journey on the first day");
    assume(writer, "rules_then", "规则与动态人群按当时的事件判断",
           "rules and dynamic segments are judged by what had happened by then");
    assume(writer, "consent_then", "同意按当时的状态", "consent is as it was");
    assume(writer, "facts_today", "属性、标签、静态人群按今天的值",
           "traits, tags and static segments are as they are today");
    assume(writer, "sent_at_once", "通过关卡的触达立即发出",
           "what passes the gates is sent at once");
    if (run->order.with_imported)
        assume(writer, "imported_counts", "导入的历史事件视为按其发生时间实时到达",
               "imported events count as if they had come when they happened");
    if (!run->order.with_others)
        assume(writer, "alone", "未模拟其他旅程;它们当时实际发出的触达计入疲劳度",
               "other journeys were not run; what they really sent counts for caps");
    if (run->order.segment.size == 0 &&
        journey_is_by_hand(run->journeys, str_from_c(run->order.journey)))
        assume(writer, "nobody_enters", "此旅程由接口或手动进入:请给出 segment",
               "this journey is entered by API or by hand: give a segment");
    if (run->is_cut)
        assume(writer, "cut", "内存到达上限,结果只到 until",
               "memory ran out: it goes up to `until`");
    assume_shares(run, writer);
    json_end_array(writer);
}

/* ---- all of it ---- */

static void write_head(const struct whatif_run *run, struct json_writer *writer)
{
    static const char *const stages[] = { "stage", "people", "events", "past", "days" };
    int64_t before_ms = 0;
    json_member_time(writer, STR("from"), run->order.from_ms);
    json_member_time(writer, STR("to"), run->order.to_ms);
    json_member_time(writer, STR("until"), run->until_ms);
    json_member_int(writer, STR("customers"), (int64_t)run->cast.customers);
    json_member_int(writer, STR("events"), (int64_t)run->events);
    json_member_int(writer, STR("elapsed_ms"), steady_since_ms(run->start));
    json_member_int(writer, STR("threads"), run->parts->count);
    json_member_int(writer, STR("processor_ms"), run->processor_ns / 1000000);
    json_put_key(writer, STR("elapsed"));
    json_begin_object(writer);
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        json_member_int(writer, str_from_c(stages[i]), run->stage_ms[i] - before_ms);
        before_ms = run->stage_ms[i];
    }
    json_end_object(writer);
}

static err write_report(const struct whatif_run *run, struct json_writer *writer)
{
    struct buffer report;
    str key = str_from_c(run->order.journey);
    buffer_init(&report, REPORT_BYTES_MAX);
    err error =
        journey_write_report(run->journeys, key, run->order.from_ms, run->order.to_ms, &report);
    if (error == ERR_OK)
        error = buffer_status(&report);
    if (error == ERR_OK)
        json_member_raw(writer, STR("report"), buffer_str(&report));
    buffer_deinit(&report);
    if (error == ERR_OK) {
        json_put_key(writer, STR("days"));
        error =
            journey_write_days(run->journeys, key, run->order.from_ms, run->order.to_ms, writer);
    }
    return error;
}

err whatif_tell(struct whatif_run *run, struct buffer *out)
{
    struct json_writer writer;
    size_t days;
    struct day_sums *sums = sum_days(run, &days);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write_head(run, &writer);
    err error = sums != NULL ? write_report(run, &writer) : ERR_NOMEM;
    if (error == ERR_OK) {
        json_put_key(&writer, STR("touches"));
        error = write_cells(run, false, &writer);
    }
    if (error == ERR_OK) {
        json_put_key(&writer, STR("held"));
        error = write_cells(run, true, &writer);
    }
    if (error == ERR_OK) {
        write_totals(run, &writer);
        write_money(run, sums, days, &writer);
        write_advisers(run, sums, days, &writer);
        touches_fork_write_left(run->touches, run->order.from_ms, run->order.to_ms, &writer);
        error = write_caps(run, &writer);
    }
    if (error == ERR_OK)
        error = write_examples(run, &writer);
    if (error == ERR_OK)
        error = write_others(run, &writer);
    if (error == ERR_OK) {
        write_assumptions(run, &writer);
        json_end_object(&writer);
        error = buffer_status(out);
    }
    memory_free(sums);
    return error;
}
