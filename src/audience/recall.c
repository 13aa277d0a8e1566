/* SPDX-License-Identifier: Apache-2.0 */
/* recall: who is settled in slices and lacks events in memory, is read back aside; the engine goes on meanwhile (S8).
 *
 *     live_work: judged, and lacks events ──recall_add──▶ waits here (time: `pending`; what was installed: `rejudge`)
 *     a thread ──────────── some thousands, their rows from the warehouse, up to the seq at which it was asked
 *     recall_work, in slices ── judged by these rows ──▶ settled
 *
 * Whoever has an event, a merge, a command meanwhile is settled before it, by a question of her own, and does not wait here any
 * more (live_settle, live_clear): so of who still waits the rows are whole. The next tick finishes what is left in one piece, and
 * is held back while there is some (audience_is_settling): what a tick finds stays a matter of the log alone.
 *
 * Engine thread, save read_batch. */
#include <pthread.h>

#include "audience/state.h"

#define CUSTOMERS_AT_ONCE 4096u
#define RETRY_MS 1000

struct recall {
    roaring_bitmap_t *pending, *rejudge;
    roaring_bitmap_t *asked; /* of those who are being read: whose rows will be whole */
    struct audience *audience;
    pthread_t thread;
    bool runs;
    /* of the thread until `is_read` */
    struct history_reader *reader;
    uint32_t customers[CUSTOMERS_AT_ONCE];
    size_t count;
    uint64_t until_seq;
    struct stream_form form;
    struct stream_batch *batch;
    err error;
    _Atomic bool is_read;

    size_t shown;
    steady_ns failed;
};

/* ---- life ---- */

err recall_new(struct audience *audience)
{
    struct recall *recall = memory_alloc(sizeof *recall);
    audience->recall = recall;
    if (recall == NULL)
        return ERR_NOMEM;
    recall->audience = audience;
    stream_form_init(&recall->form);
    recall->pending = roaring_bitmap_create();
    recall->rejudge = roaring_bitmap_create();
    recall->asked = roaring_bitmap_create();
    if (recall->pending == NULL || recall->rejudge == NULL || recall->asked == NULL)
        return ERR_NOMEM;
    return history_reader_new(&recall->reader, audience->config.history);
}

static void join(struct recall *recall)
{
    if (recall->runs)
        pthread_join(recall->thread, NULL);
    recall->runs = false;
}

static void end_batch(struct recall *recall)
{
    join(recall);
    stream_batch_free(&recall->batch);
    stream_form_deinit(&recall->form);
    stream_form_init(&recall->form);
    atomic_store(&recall->is_read, false);
    roaring_bitmap_clear(recall->asked);
    recall->count = recall->shown = 0;
}

static void free_bitmap(roaring_bitmap_t *bitmap)
{
    if (bitmap != NULL)
        roaring_bitmap_free(bitmap);
}

void recall_free(struct audience *audience)
{
    struct recall *gone = audience->recall;
    audience->recall = NULL;
    if (gone == NULL)
        return;
    join(gone);
    stream_batch_free(&gone->batch);
    stream_form_deinit(&gone->form);
    history_reader_free(&gone->reader);
    free_bitmap(gone->pending);
    free_bitmap(gone->rejudge);
    free_bitmap(gone->asked);
    memory_free(gone);
}

/* ---- who waits ---- */

bool recall_can(const struct audience *audience)
{
    return audience->config.past != NULL && audience->config.applied_seq != NULL &&
           audience->config.submit != NULL;
}

void recall_add(struct audience *audience, const struct stream_list *list, bool rejudge)
{
    struct recall *recall = audience->recall;
    for (size_t i = 0; i < list->count; i++)
        roaring_bitmap_add(rejudge ? recall->rejudge : recall->pending, list->customers[i]);
}

bool recall_is_pending(const struct audience *audience, uint32_t customer)
{
    return roaring_bitmap_contains(audience->recall->pending, customer);
}

bool recall_is_rejudged(const struct audience *audience, uint32_t customer)
{
    return roaring_bitmap_contains(audience->recall->rejudge, customer);
}

void recall_drop(struct audience *audience, uint32_t customer)
{
    roaring_bitmap_remove(audience->recall->pending, customer);
    roaring_bitmap_remove(audience->recall->rejudge, customer);
    roaring_bitmap_remove(audience->recall->asked, customer);
}

uint64_t recall_pending_count(const struct audience *audience)
{
    return roaring_bitmap_get_cardinality(audience->recall->pending);
}

bool recall_is_rejudging(const struct audience *audience)
{
    return !roaring_bitmap_is_empty(audience->recall->rejudge);
}

bool recall_is_empty(const struct audience *audience)
{
    const struct recall *recall = audience->recall;
    return roaring_bitmap_is_empty(recall->pending) && roaring_bitmap_is_empty(recall->rejudge);
}

/* What is being read is for nobody any more; the thread is joined when it is through. */
void recall_take_back(struct audience *audience)
{
    struct recall *recall = audience->recall;
    if (recall_is_empty(audience))
        return;
    roaring_bitmap_or_inplace(audience->pending, recall->pending);
    roaring_bitmap_or_inplace(audience->rejudge, recall->rejudge);
    roaring_bitmap_clear(recall->pending);
    roaring_bitmap_clear(recall->rejudge);
    roaring_bitmap_clear(recall->asked);
}

/* ---- reading ---- */

static void *read_batch(void *context)
{
    struct recall *recall = context;
    struct audience *audience = recall->audience;
    struct problem problem = { .error = ERR_OK };
    pthread_setname_np(pthread_self(), "kith-recall");
    recall->error = stream_read(audience, &recall->form, recall->until_seq, recall->reader,
                                recall->customers, recall->count, &recall->batch, &problem);
    if (recall->error != ERR_OK)
        log_line(LOG_WARN, "recall_failed", "reason=\"%s\"",
                 problem.detail[0] != '\0' ? problem.detail : err_title(recall->error));
    atomic_store(&recall->is_read, true);
    if (audience->config.wake != NULL)
        audience->config.wake(audience->config.context);
    return NULL;
}

static size_t take_some(const roaring_bitmap_t *from, uint32_t *customers, size_t room)
{
    roaring_uint32_iterator_t iterator;
    roaring_init_iterator(from, &iterator);
    return roaring_read_uint32_iterator(&iterator, customers, (uint32_t)room);
}

static err begin(struct recall *recall)
{
    struct audience *audience = recall->audience;
    recall->count = take_some(recall->pending, recall->customers, CUSTOMERS_AT_ONCE);
    if (recall->count == 0)
        recall->count = take_some(recall->rejudge, recall->customers, CUSTOMERS_AT_ONCE);
    roaring_bitmap_add_many(recall->asked, recall->count, recall->customers);
    recall->shown = 0;
    recall->error = ERR_OK;
    recall->until_seq = audience->config.applied_seq(audience->config.context);
    err error = stream_form_all(&recall->form, audience->config.history);
    if (error == ERR_OK && pthread_create(&recall->thread, NULL, read_batch, recall) != 0)
        error = ERR_NOMEM;
    recall->runs = error == ERR_OK;
    return error;
}

/* ---- slices ---- */

/* By her rows; she waits on if she is left in part. */
static err show(struct recall *recall, uint32_t customer, const struct history_view *view)
{
    struct audience *audience = recall->audience;
    bool pending = recall_is_pending(audience, customer);
    bool rejudge = recall_is_rejudged(audience, customer);
    err error = live_judge_recalled(audience, customer, view, &pending, &rejudge);
    if (error != ERR_OK)
        return error;
    recall_drop(audience, customer);
    if (pending)
        roaring_bitmap_add(recall->pending, customer);
    if (rejudge)
        roaring_bitmap_add(recall->rejudge, customer);
    if (pending || rejudge)
        roaring_bitmap_add(recall->asked, customer);
    return ERR_OK;
}

/* The next of those who were read. She may be settled by now, and even wait again: then she is asked for anew. */
static err show_next(struct recall *recall)
{
    struct audience *audience = recall->audience;
    uint32_t customer = recall->customers[recall->shown];
    struct history_view view;
    err error = ERR_OK;
    if (roaring_bitmap_contains(recall->asked, customer)) {
        error = stream_show(recall->batch, audience->reader, recall->shown, &view);
        if (error == ERR_OK)
            error = show(recall, customer, &view);
    }
    if (error == ERR_OK && !roaring_bitmap_contains(recall->asked, customer))
        recall->shown++;
    return error;
}

static err show_some(struct recall *recall, int64_t budget_us, bool *more)
{
    steady_ns start = steady_now();
    err error = ERR_OK;
    bool is_over = false;
    *more = true;
    part_begin_slice(recall->audience, budget_us);
    while (error == ERR_OK && !is_over && recall->shown < recall->count) {
        error = show_next(recall);
        is_over = steady_since_us(start) >= budget_us;
    }
    part_end_slice(recall->audience);
    if (error == ERR_OK && !is_over) {
        end_batch(recall);
        *more = !recall_is_empty(recall->audience);
    }
    return error;
}

err recall_work(struct audience *audience, int64_t budget_us, bool *more)
{
    struct recall *recall = audience->recall;
    err error = ERR_OK;
    *more = false;
    if (recall->runs && !atomic_load(&recall->is_read))
        return ERR_OK; /* the thread wakes us */
    if (recall->runs && recall->error == ERR_OK)
        return show_some(recall, budget_us, more);
    if (recall->runs) {
        end_batch(recall);
        recall->failed = steady_now();
    }
    if (recall_is_empty(audience) ||
        (recall->failed.ns != 0 && steady_since_ms(recall->failed) < RETRY_MS))
        return ERR_OK;
    recall->failed = (steady_ns){ 0 };
    error = begin(recall);
    if (error != ERR_OK) {
        end_batch(recall);
        recall->failed = steady_now();
    }
    return ERR_OK;
}
