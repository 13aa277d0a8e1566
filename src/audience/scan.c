/* SPDX-License-Identifier: Apache-2.0 */
/* scan: a definition is computed for everybody on other threads while the engine goes on.
 *
 *     engine                       threads
 *     begin: parts, snapshots ───▶ chunk after chunk: judge, collect, least due time
 *     events: touched ∪= her       (rfm by quantiles: measures first, then thresholds, then judge)
 *     install record applied ◀─── submit("audience.install")
 *       result in place, touched and due judged again
 *
 * What is read meanwhile is history (views that never change under a reader), columns (words), and members of
 * other definitions (snapshots of the beginning). All three may be newer or older than each other for a customer
 * who is touched, and she is judged again; for who is not, they are as they were. */
#include <string.h>

#include "audience/rank.h"
#include "audience/scan.h"

#define FAILED_MS 1000 /* before what failed is tried again */

/* The nearest rank: the value at ceil(i * n / q). The recipe is this scan's alone until it is installed. */
static err find_edges(struct scan_part *part, size_t axis)
{
    uint32_t q = part->recipe->quantiles;
    struct rfm_axis *to = &part->recipe->axes[axis];
    if (part->measure_count == 0)
        return ERR_OK;
    size_t ranks[RANKS_MAX];
    to->edge_count = q - 1;
    for (uint32_t i = 1; i < q; i++)
        ranks[i - 1] = (i * part->measure_count + q - 1) / q - 1;
    return numbers_at_ranks(part->measures[axis], part->measure_count, ranks, q - 1, to->edges);
}

/* Each thread takes one of three axes of one of the parts after another. */
static void find_all_edges(struct scan *scan)
{
    for (;;) {
        uint32_t next = atomic_fetch_add(&scan->next_axis, 1);
        if (next >= 3 * scan->part_count)
            return;
        struct scan_part *part = &scan->parts[next / 3];
        if (part->recipe->quantiles > 0 && find_edges(part, next % 3) != ERR_OK)
            atomic_store(&scan->failed, true);
    }
}

/* One thread, while the other goes on with what is not measured. */
static void keep_all_boxes(struct scan *scan)
{
    for (uint32_t i = 0; i < scan->part_count && !atomic_load(&scan->failed); i++)
        if (scan_is_measured(scan, &scan->parts[i]) && scan_keep_boxes(&scan->parts[i]) != ERR_OK)
            atomic_store(&scan->failed, true);
}

static bool is_all_measured(const struct scan *scan)
{
    bool all = true;
    for (uint32_t i = 0; i < scan->part_count; i++)
        all = all && scan_is_measured(scan, &scan->parts[i]);
    return all;
}

void recipe_write_edges(const struct recipe *recipe, struct json_writer *writer)
{
    const str names[3] = { STR("recency"), STR("frequency"), STR("monetary") };
    json_begin_object(writer);
    for (size_t axis = 0; axis < 3; axis++) {
        json_put_key(writer, names[axis]);
        json_begin_array(writer);
        for (uint32_t i = 0; i < recipe->axes[axis].edge_count; i++)
            json_put_int(writer, recipe->axes[axis].edges[i]);
        json_end_array(writer);
    }
    json_end_object(writer);
}

static void write_install(const struct scan *scan, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("definitions"));
    json_begin_array(&writer);
    for (uint32_t i = 0; i < scan->part_count; i++) {
        const struct scan_part *part = &scan->parts[i];
        json_begin_object(&writer);
        json_member_int(&writer, STR("number"), part->number);
        json_member_int(&writer, STR("version"), part->version);
        if (part->recipe->quantiles > 0) {
            json_put_key(&writer, STR("edges"));
            recipe_write_edges(part->recipe, &writer);
        }
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

/* The log may be full for a while. */
static void submit(struct scan *scan)
{
    struct audience *audience = scan->audience;
    struct buffer body;
    buffer_init(&body, (size_t)8 << 20);
    write_install(scan, &body);
    while (buffer_status(&body) == ERR_OK && !atomic_load(&scan->stopping) &&
           audience->config.submit(audience->config.context, STR("audience.install"),
                                   buffer_str(&body)) != ERR_OK)
        steady_sleep_ms(50);
    buffer_deinit(&body);
}

static void finish(struct scan *scan)
{
    atomic_store(&scan->finished, true);
    if (atomic_load(&scan->stopping))
        return;
    if (!scan->only_due && !atomic_load(&scan->failed))
        submit(scan);
    if (scan->audience->config.wake != NULL)
        scan->audience->config.wake(scan->audience->config.context);
}

static err judging_new(struct scan *scan, struct judging *judging, struct history_reader **reader)
{
    *judging = (struct judging){ .audience = scan->audience, .zone = scan->audience->zone };
    facts_for_scan(&scan->facts, &judging->facts);
    err error = rule_judge_new(&judging->judge);
    return error == ERR_OK ? history_reader_new(reader, scan->audience->config.history) : error;
}

static void *run_thread(void *context)
{
    struct scan *scan = context;
    struct judging judging;
    struct history_reader *reader = NULL;
    struct found_list *lists = found_lists_new(scan);
    pthread_setname_np(pthread_self(), "kith-scan");
    pthread_mutex_lock(&scan->mutex);
    pthread_mutex_unlock(&scan->mutex);
    if (lists == NULL || judging_new(scan, &judging, &reader) != ERR_OK)
        atomic_store(&scan->failed, true);
    if (scan->measures && scan->has_barrier) {
        if (!atomic_load(&scan->failed))
            scan_all_chunks(scan, true, reader, &judging, lists);
        /* One thread gets the serial value, which is negative here. */
        /* NOLINTNEXTLINE(bugprone-posix-return) */
        if (pthread_barrier_wait(&scan->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            atomic_store(&scan->next_chunk, 0);
        if (!atomic_load(&scan->failed))
            find_all_edges(scan);
        /* NOLINTNEXTLINE(bugprone-posix-return) */
        if (pthread_barrier_wait(&scan->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            keep_all_boxes(scan);
    }
    if (!atomic_load(&scan->failed) && !is_all_measured(scan))
        scan_all_chunks(scan, false, reader, &judging, lists);
    found_lists_free(scan, lists);
    rule_judge_free(&judging.judge);
    history_reader_free(&reader);
    if (atomic_fetch_sub(&scan->running, 1) == 1)
        finish(scan);
    return NULL;
}

/* ---- life, on the engine ---- */

static void part_deinit(struct scan_part *part)
{
    for (uint32_t i = 0; part->sets != NULL && i < part->recipe->value_count; i++)
        set_deinit(&part->sets[i]);
    memory_free(part->sets);
    numbers_deinit(&part->numbers);
    for (size_t axis = 0; axis < 3; axis++)
        memory_free(part->measures[axis]);
    memory_free(part->measured);
    recipe_release(&part->recipe);
}

void scan_free(struct scan **scan)
{
    struct scan *gone = *scan;
    *scan = NULL;
    if (gone == NULL)
        return;
    for (unsigned i = 0; i < gone->thread_count; i++)
        pthread_join(gone->threads[i], NULL);
    for (uint32_t i = 0; i < gone->part_count; i++)
        part_deinit(&gone->parts[i]);
    for (uint32_t i = 0; gone->due != NULL && i < gone->chunk_count; i++)
        memory_free(gone->due[i]);
    memory_free((void *)gone->due);
    memory_free(gone->parts);
    others_free(&gone->facts.others);
    stream_form_deinit(&gone->form);
    if (gone->touched != NULL)
        roaring_bitmap_free(gone->touched);
    if (gone->has_barrier)
        pthread_barrier_destroy(&gone->barrier);
    pthread_mutex_destroy(&gone->mutex);
    memory_free(gone);
}

static struct scan *scan_new(struct audience *audience, uint32_t part_room)
{
    struct scan *scan = memory_alloc(sizeof *scan);
    if (scan == NULL)
        return NULL;
    scan->audience = audience;
    scan->now_ms = audience->now_ms;
    scan->last = identity_node_count(audience->config.identity);
    scan->chunk_count = chunk_of(scan->last) + 1;
    scan->facts.audience = audience;
    objects_for_scan(&scan->facts);
    stream_form_init(&scan->form);
    if (audience->config.applied_seq != NULL)
        scan->seq = audience->config.applied_seq(audience->config.context);
    pthread_mutex_init(&scan->mutex, NULL);
    scan->parts = memory_alloc((part_room + 1) * sizeof(*scan->parts));
    scan->due = memory_alloc(scan->chunk_count * sizeof(*scan->due));
    scan->touched = roaring_bitmap_create();
    if (scan->parts == NULL || scan->due == NULL || scan->touched == NULL)
        scan_free(&scan);
    return scan;
}

static err add_part(struct scan *scan, struct definition *definition, struct recipe *recipe)
{
    struct scan_part *part = &scan->parts[scan->part_count];
    *part = (struct scan_part){ .definition = definition,
                                .number = definition->number,
                                .version = definition->version,
                                .recipe = recipe_hold(recipe) };
    scan->part_count++;
    numbers_init(&part->numbers, recipe->kind == RULE_NUMBER ? MILLION : 1);
    part->sets = memory_alloc((recipe->value_count + 1) * sizeof(*part->sets));
    if (part->sets == NULL)
        return ERR_NOMEM;
    scan->measures = scan->measures || (recipe->quantiles > 0 && !scan->only_due);
    err error = stream_form_recipe(&scan->form, scan->audience->config.history, recipe);
    if (error != ERR_OK)
        return error;
    return others_take(scan->audience, &recipe->needs, &scan->facts.others);
}

static err scan_start(struct scan *scan)
{
    unsigned wanted = scan->audience->config.threads;
    if (wanted > scan->chunk_count)
        wanted = scan->chunk_count;
    if (wanted > sizeof scan->threads / sizeof scan->threads[0])
        wanted = sizeof scan->threads / sizeof scan->threads[0];
    if (wanted == 0)
        wanted = 1;
    pthread_mutex_lock(&scan->mutex); /* they begin when it is known how many they are */
    while (scan->thread_count < wanted &&
           pthread_create(&scan->threads[scan->thread_count], NULL, run_thread, scan) == 0)
        scan->thread_count++;
    atomic_store(&scan->running, scan->thread_count);
    scan->has_barrier = scan->thread_count > 0 &&
                        pthread_barrier_init(&scan->barrier, NULL, scan->thread_count) == 0;
    if (!scan->has_barrier)
        atomic_store(&scan->failed, true);
    pthread_mutex_unlock(&scan->mutex);
    return scan->has_barrier ? ERR_OK : ERR_NOMEM;
}

/* A recipe of its own for thresholds that are found anew. */
static err fresh_recipe(struct audience *audience, struct definition *definition,
                        struct recipe **recipe)
{
    struct problem problem = { .error = ERR_OK };
    json_value body;
    err error = json_parse(
        audience->parser, str_from_bytes(definition->text, definition->text_size), &body, &problem);
    return error == ERR_OK ? recipe_new(audience, definition->kind, body, recipe, &problem) : error;
}

static bool needs_are_live(const struct audience *audience, const struct recipe *recipe)
{
    for (uint32_t i = 0; i < recipe->needs.other_count; i++) {
        const struct definition *other = definition_at(audience, recipe->needs.others[i]);
        if (other == NULL || other->recipe == NULL)
            return false;
    }
    return true;
}

/* Every definition that waits and can go, in one pass over everybody. */
static err collect_parts(struct audience *audience, struct scan *scan, bool *waits)
{
    err error = ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        struct recipe *recipe = NULL;
        bool is_ready = false;
        if (definition == NULL || definition->deleted || definition->on != 0)
            continue;
        if (definition->next != NULL)
            recipe = recipe_hold(definition->next);
        else if (definition->requantile && definition->recipe != NULL)
            error = fresh_recipe(audience, definition, &recipe);
        if (error != ERR_OK || recipe == NULL)
            continue;
        error = recipe_prepare(audience, recipe, &is_ready, NULL);
        if (error == ERR_OK && is_ready && needs_are_live(audience, recipe))
            error = add_part(scan, definition, recipe);
        else
            *waits = true;
        recipe_release(&recipe);
    }
    return error;
}

err scan_begin(struct audience *audience)
{
    bool waits = false;
    if (audience->scan != NULL || !audience->started || audience->config.submit == NULL ||
        !audience->scan_wanted ||
        (audience->scan_failed.ns != 0 && steady_since_ms(audience->scan_failed) < FAILED_MS))
        return ERR_OK;
    audience->scan_failed = (steady_ns){ 0 };
    struct scan *scan = scan_new(audience, audience->definition_count);
    if (scan == NULL)
        return ERR_NOMEM;
    err error = collect_parts(audience, scan, &waits);
    if (error == ERR_OK && scan->part_count > 0) {
        audience->scan = scan;
        error = scan_start(scan);
        if (error == ERR_OK)
            return ERR_OK;
        audience->scan = NULL;
    }
    audience->scan_wanted = waits || error != ERR_OK;
    scan_free(&scan);
    return error;
}

err scan_due_times(struct audience *audience)
{
    struct scan *scan = scan_new(audience, audience->order_count);
    err error = scan != NULL ? ERR_OK : ERR_NOMEM;
    if (error != ERR_OK)
        return error;
    scan->only_due = true;
    scan->now_ms =
        audience->started_ms; /* what is stored is true of then: what changed since is due */
    for (uint32_t i = 0; error == ERR_OK && i < audience->order_count; i++) {
        struct definition *definition = audience->order[i];
        if (definition->recipe->needs.time)
            error = add_part(scan, definition, definition->recipe);
    }
    if (error == ERR_OK && scan->part_count > 0) {
        audience->scan = scan;
        error = scan_start(scan);
        if (error == ERR_OK)
            return ERR_OK;
        audience->scan = NULL;
    } else if (error == ERR_OK) {
        audience->due_unknown = false;
    }
    scan_free(&scan);
    return error;
}

void scan_touch(struct audience *audience, uint32_t customer)
{
    if (audience->scan != NULL)
        roaring_bitmap_add(audience->scan->touched, customer);
}

void scan_stop(struct audience *audience)
{
    if (audience->scan != NULL)
        atomic_store(&audience->scan->stopping, true);
    scan_free(&audience->scan);
    if (audience->scan_over != NULL)
        atomic_store(&audience->scan_over->stopping, true);
    scan_free(&audience->scan_over);
    scan_free(&audience->merging);
}
