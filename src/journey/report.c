/* SPDX-License-Identifier: Apache-2.0 */
/* report: per node what came, waits, left, was touched; goals of those in the journey against the control group.
 *
 * The lift is the difference of two proportions, its 95 % interval by the normal approximation (Wald); that of the value per
 * customer by the means' variances (Welch). Small groups say so by a wide interval. */
#include <math.h>
#include <string.h>

#include "journey/state.h"

#define Z_95 1.959963984540054

struct sums {
    int64_t counts[COUNT_KIND_COUNT];
};

static void add(struct sums *sums, const struct count_row *row)
{
    for (int kind = 0; kind < COUNT_KIND_COUNT; kind++)
        sums->counts[kind] += row->counts[kind];
}

struct report {
    const struct journeys *journeys;
    const struct journey *journey;
    int32_t from_day, to_day;
};

static bool is_asked(const struct report *report, const struct count_row *row)
{
    return row->journey == report->journey->number && row->day >= report->from_day &&
           row->day <= report->to_day;
}

/* Of all versions, by the node's id: people read one journey. */
static void sum_node(const struct report *report, str id, struct sums *sums)
{
    memset(sums, 0, sizeof *sums);
    for (uint32_t i = 0; i < report->journeys->counts.count; i++) {
        const struct count_row *row = &report->journeys->counts.rows[i];
        if (!is_asked(report, row) || row->goal != 0)
            continue;
        const struct version *version = journey_version(report->journey, row->version);
        if (row->node < version->node_count && str_equal(version->nodes[row->node].id, id))
            add(sums, row);
    }
}

static void sum_arm(const struct report *report, uint16_t node, str goal, struct sums *sums)
{
    memset(sums, 0, sizeof *sums);
    for (uint32_t i = 0; i < report->journeys->counts.count; i++) {
        const struct count_row *row = &report->journeys->counts.rows[i];
        if (!is_asked(report, row) || row->node != node || (row->goal != 0) != (goal.size > 0))
            continue;
        const struct version *version = journey_version(report->journey, row->version);
        if (goal.size == 0 || (row->goal <= version->goal_count &&
                               str_equal(version->goals[row->goal - 1].key, goal)))
            add(sums, row);
    }
}

static uint64_t waiting_at(const struct report *report, str id)
{
    uint64_t waiting = 0;
    for (uint32_t i = 0; i < report->journey->version_count; i++) {
        const struct version *version = report->journey->versions[i];
        for (uint16_t k = 0; k < version->node_count; k++)
            if (str_equal(version->nodes[k].id, id))
                waiting += version->waiting[k];
    }
    return waiting;
}

static void write_counts(const struct sums *sums, struct json_writer *writer)
{
    for (int kind = 0; kind <= COUNT_REFUSED; kind++)
        json_member_int(writer, str_from_c(count_text((enum count_kind)kind)), sums->counts[kind]);
}

static void write_nodes(const struct report *report, const struct version *version,
                        struct json_writer *writer)
{
    json_put_key(writer, STR("nodes"));
    json_begin_array(writer);
    for (uint16_t i = 0; version != NULL && i < version->node_count; i++) {
        const struct node *node = &version->nodes[i];
        struct sums sums;
        sum_node(report, node->id, &sums);
        json_begin_object(writer);
        json_member_text(writer, STR("node"), node->id);
        json_member_text(writer, STR("type"), str_from_c(node_kind_text(node->kind)));
        json_member_text(writer, STR("name"), node->name);
        json_member_int(writer, STR("waiting"), (int64_t)waiting_at(report, node->id));
        write_counts(&sums, writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}

/* ---- goals ---- */

struct arm {
    double entered, reached, value, squared;
};

static struct arm arm_of(const struct report *report, uint16_t node, str goal)
{
    struct sums all, reached;
    sum_arm(report, node, STR_NONE, &all);
    sum_arm(report, node, goal, &reached);
    return (struct arm){ .entered = (double)all.counts[COUNT_ENTERED],
                         .reached = (double)reached.counts[COUNT_GOALS],
                         .value =
                             (double)(reached.counts[COUNT_VALUE] - reached.counts[COUNT_REFUNDED]),
                         .squared = (double)reached.counts[COUNT_VALUE_SQUARED] };
}

static void write_interval(struct json_writer *writer, const char *name, double difference,
                           double variance)
{
    double half = Z_95 * sqrt(variance > 0 ? variance : 0);
    json_put_key(writer, str_from_c(name));
    json_begin_object(writer);
    json_put_key(writer, STR("difference"));
    json_put_double(writer, difference);
    json_put_key(writer, STR("low"));
    json_put_double(writer, difference - half);
    json_put_key(writer, STR("high"));
    json_put_double(writer, difference + half);
    json_member_bool(writer, STR("significant"), difference - half > 0 || difference + half < 0);
    json_end_object(writer);
}

static double mean_variance(const struct arm *arm)
{
    double mean = arm->value / arm->entered;
    return (arm->squared / arm->entered - mean * mean) / arm->entered;
}

static void write_lift(struct json_writer *writer, const struct arm *treated,
                       const struct arm *control)
{
    if (treated->entered < 1 || control->entered < 1)
        return;
    double p = treated->reached / treated->entered, q = control->reached / control->entered;
    write_interval(writer, "lift", p - q,
                   p * (1 - p) / treated->entered + q * (1 - q) / control->entered);
    write_interval(writer, "value_per_customer",
                   treated->value / treated->entered - control->value / control->entered,
                   mean_variance(treated) + mean_variance(control));
}

static void write_arm(struct json_writer *writer, const char *name, const struct arm *arm)
{
    json_put_key(writer, str_from_c(name));
    json_begin_object(writer);
    json_member_int(writer, STR("entered"), (int64_t)arm->entered);
    json_member_int(writer, STR("reached"), (int64_t)arm->reached);
    json_member_int(writer, STR("value"), (int64_t)arm->value);
    json_end_object(writer);
}

static void write_goals(const struct report *report, const struct version *version, int64_t to_ms,
                        struct json_writer *writer)
{
    json_put_key(writer, STR("goals"));
    json_begin_array(writer);
    for (uint32_t i = 0; version != NULL && i < version->goal_count; i++) {
        const struct goal *goal = &version->goals[i];
        struct arm treated = arm_of(report, NODE_START, goal->key);
        struct arm control = arm_of(report, NODE_CONTROL, goal->key);
        json_begin_object(writer);
        json_member_text(writer, STR("key"), goal->key);
        json_member_text(writer, STR("name"), goal->name);
        write_arm(writer, "journey", &treated);
        write_arm(writer, "control", &control);
        write_lift(writer, &treated, &control);
        /* who entered at the end of the report may still reach it, and take it back */
        json_member_time(writer, STR("final_on"), to_ms + goal->within_ms + goal->refunds_ms);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_totals(const struct report *report, struct json_writer *writer)
{
    struct sums sums;
    uint64_t inside = 0, control = 0, failed = report->journey->failed_elsewhere;
    sum_arm(report, NODE_START, STR_NONE, &sums);
    for (uint32_t i = 0; i < report->journey->version_count; i++) {
        const struct version *version = report->journey->versions[i];
        for (uint16_t place = 0; place <= version->node_count; place++)
            inside += version->waiting[place];
        control += version->waiting[journey_place(version, NODE_CONTROL)];
    }
    const struct positions *positions = &report->journeys->positions;
    for (uint32_t slot = 0; positions->failed > 0 && slot < positions->slot_count; slot++)
        failed += position_at(positions, slot)->state == POSITION_FAILED &&
                  position_at(positions, slot)->journey == report->journey->number;
    json_member_int(writer, STR("entered"), sums.counts[COUNT_ENTERED]);
    json_member_int(writer, STR("refused"), sums.counts[COUNT_REFUSED]);
    json_member_int(writer, STR("exited"), sums.counts[COUNT_EXITED]);
    json_member_int(writer, STR("inside"), (int64_t)inside);
    json_member_int(writer, STR("control"), (int64_t)control);
    json_member_int(writer, STR("failed"), (int64_t)failed);
}

err journey_write_report(const struct journeys *journeys, str key, int64_t from_ms, int64_t to_ms,
                         struct buffer *out)
{
    const struct journey *journey = journey_find(journeys, key);
    struct json_writer writer;
    if (journey == NULL)
        return ERR_NOT_FOUND;
    struct report report = { .journeys = journeys,
                             .journey = journey,
                             .from_day = journey_local_day(journeys, from_ms),
                             .to_day = journey_local_day(journeys, to_ms) };
    const struct version *version = live_version(journey);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("key"), journey->key);
    json_member_text(&writer, STR("state"), str_from_c(journey_state_text(journey->state)));
    json_member_time(&writer, STR("from"), from_ms);
    json_member_time(&writer, STR("as_of"), to_ms);
    write_totals(&report, &writer);
    write_nodes(&report, version, &writer);
    write_goals(&report, version, to_ms, &writer);
    json_end_object(&writer);
    return buffer_status(out);
}
