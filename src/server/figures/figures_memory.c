/* SPDX-License-Identifier: Apache-2.0 */
/* The walk through everybody's events, in slices that two threads take in turn. */
#include "server/figures/figures_memory.h"

#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "profile/profile.h"

#define SLICE_CUSTOMERS (64u * HISTORY_BLOCK_NODES)
#define FAMILIES_AT_ONCE 16384 /* copied on the engine's thread */
#define BUYERS_AT_ONCE 512     /* asked of the engine */
#define NODES_MAX 256
#define CHANNEL_WORDS (HISTORY_CHANNELS_MAX / 64)

struct pass {
    struct server *server;
    struct history *history;
    const struct memory_sums *asked;
    uint32_t end;                       /* customers below it */
    uint16_t paying[2];                 /* types of events */
    uint16_t own[HISTORY_CHANNELS_MAX]; /* families that say nothing beyond the channel */
    uint16_t *families;                 /* by customer; NULL: links are not asked for */
    _Atomic uint32_t next;              /* slice */
    _Atomic bool failed;
};

/* What one thread has. */
struct walk {
    struct pass *pass;
    struct history_reader *reader;
    struct memory_sums sums;
};

/* ---- one customer ---- */

static bool note_buyer(struct memory_sums *sums, uint32_t customer)
{
    if (sums->buyer_count == sums->buyer_room) {
        size_t room = sums->buyer_room > 0 ? sums->buyer_room * 2 : 256;
        uint32_t *longer = memory_resize(sums->buyers, room * sizeof(*longer));
        if (longer == NULL)
            return false;
        sums->buyers = longer;
        sums->buyer_room = room;
    }
    sums->buyers[sums->buyer_count++] = customer;
    return true;
}

/* From the newest on; most have nothing that is new. */
static void add_recent(struct walk *walk, uint32_t customer, const history_packed *events,
                       size_t count)
{
    const struct pass *pass = walk->pass;
    struct memory_sums *sums = &walk->sums;
    int64_t hours_from_ms = pass->asked->hours_from_ms, day_from_ms = pass->asked->day_from_ms;
    int64_t from_ms = hours_from_ms < day_from_ms ? hours_from_ms : day_from_ms;
    bool bought = false;
    for (size_t i = count; i-- > 0 && history_time_ms(events[i]) >= from_ms;) {
        int64_t at_ms = history_time_ms(events[i]);
        uint16_t type = history_packed_type(events[i]);
        if (at_ms >= hours_from_ms && at_ms < hours_from_ms + MEMORY_HOURS * HOUR_MS)
            sums->hours[(at_ms - hours_from_ms) / HOUR_MS]++;
        bought = bought || (type != 0 && at_ms >= day_from_ms && at_ms <= pass->asked->until_ms &&
                            (type == pass->paying[0] || type == pass->paying[1]));
    }
    if (bought && !note_buyer(sums, customer))
        atomic_store(&walk->pass->failed, true);
}

static void add_customer(struct walk *walk, uint32_t customer, const history_packed *events,
                         size_t count)
{
    const struct pass *pass = walk->pass;
    struct memory_channel *channels = walk->sums.channels;
    uint64_t seen[CHANNEL_WORDS] = { 0 };
    for (size_t i = 0; i < count; i++) {
        uint8_t channel = history_packed_channel(events[i]);
        channels[channel].events++;
        seen[channel / 64] |= UINT64_C(1) << (channel % 64);
    }
    uint16_t families =
        pass->families != NULL && customer < pass->end ? pass->families[customer] : 0;
    families &= (uint16_t)~FAMILY_STRONG;
    for (unsigned word = 0; word < CHANNEL_WORDS; word++) {
        for (uint64_t left = seen[word]; left != 0; left &= left - 1) {
            unsigned channel = word * 64 + (unsigned)__builtin_ctzll(left);
            channels[channel].customers++;
            channels[channel].linked += (families & (uint16_t)~pass->own[channel]) != 0;
        }
    }
    add_recent(walk, customer, events, count);
}

static bool add_view(void *context, uint32_t customer, const struct history_view *view)
{
    struct walk *walk = context;
    const struct memory_sums *asked = walk->pass->asked;
    if (!view->complete) {
        walk->sums.has_all = false;
        if (view->whole_from_ms > asked->hours_from_ms || view->whole_from_ms > asked->day_from_ms)
            walk->sums.has_recent = false;
    }
    add_customer(walk, customer, view->events, view->count);
    return true;
}

/* ---- a slice ---- */

static void add_block(struct walk *walk, uint32_t from, uint32_t to)
{
    struct history_span span;
    history_view_span(walk->reader, from, to, &span);
    for (uint32_t slot = 0; slot < HISTORY_BLOCK_NODES; slot++) {
        size_t begin = span.offsets[slot], end = span.offsets[slot + 1];
        if ((span.plain[slot / 64] >> (slot % 64) & 1) != 0 && begin < end)
            add_customer(walk, span.begin + slot, span.view.events + begin, end - begin);
    }
    history_scan_apart(walk->reader, &span, add_view, walk);
}

static void add_slice(struct walk *walk, uint32_t from, uint32_t to)
{
    history_read_begin(walk->reader);
    for (uint32_t at = from; at < to; at = (at | (HISTORY_BLOCK_NODES - 1)) + 1) {
        uint32_t end = (at | (HISTORY_BLOCK_NODES - 1)) + 1;
        add_block(walk, at, end < to ? end : to);
    }
    history_read_end(walk->reader);
}

static void run_walk(struct walk *walk)
{
    struct pass *pass = walk->pass;
    walk->sums.has_all = walk->sums.has_recent = true;
    if (history_reader_new(&walk->reader, pass->history) != ERR_OK)
        atomic_store(&pass->failed, true);
    while (!atomic_load(&pass->failed)) {
        uint64_t from = (uint64_t)atomic_fetch_add(&pass->next, 1) * SLICE_CUSTOMERS;
        uint64_t to = from + SLICE_CUSTOMERS;
        if (from >= pass->end)
            break;
        add_slice(walk, from > 0 ? (uint32_t)from : 1, to < pass->end ? (uint32_t)to : pass->end);
    }
    history_reader_free(&walk->reader);
}

static void *run_helper(void *context)
{
    pthread_setname_np(pthread_self(), "kith-figures");
    run_walk(context);
    return NULL;
}

/* ---- families, from the engine's thread ---- */

struct families_copy {
    uint16_t *families;
    uint32_t next, count;
};

/* A customer who is merged between two slices is looked up at her root, in either of them. */
static void copy_slice(const struct engine_state *state, struct engine_question *question)
{
    struct families_copy *copy = question->context;
    uint32_t left = copy->count - copy->next;
    uint32_t copied = identity_copy_families(state->identity, copy->next,
                                             left < FAMILIES_AT_ONCE ? left : FAMILIES_AT_ONCE,
                                             copy->families + copy->next);
    copy->next = copied > 0 ? copy->next + copied : copy->count;
}

err memory_copy_families(struct server *server, uint32_t count, uint16_t **families)
{
    struct families_copy copy = { .next = 1, .count = count };
    err error = ERR_OK;
    *families = copy.families = memory_alloc(count * sizeof(*copy.families));
    if (copy.families == NULL)
        return ERR_NOMEM;
    while (copy.next < copy.count && error == ERR_OK) {
        struct engine_question question = { .ask = copy_slice, .context = &copy };
        error = engine_ask_wait(server->engine, &question);
    }
    return error;
}

/* ---- all of it ---- */

static err join(struct memory_sums *to, const struct memory_sums *from)
{
    for (unsigned i = 0; i < HISTORY_CHANNELS_MAX; i++) {
        to->channels[i].events += from->channels[i].events;
        to->channels[i].customers += from->channels[i].customers;
        to->channels[i].linked += from->channels[i].linked;
    }
    for (unsigned i = 0; i < MEMORY_HOURS; i++)
        to->hours[i] += from->hours[i];
    for (size_t i = 0; i < from->buyer_count; i++)
        if (!note_buyer(to, from->buyers[i]))
            return ERR_NOMEM;
    to->has_all = to->has_all && from->has_all;
    to->has_recent = to->has_recent && from->has_recent;
    return ERR_OK;
}

/* Visitors who have left memory: their events are elsewhere. */
static void ask_left(const struct engine_state *state, struct engine_question *question)
{
    *(uint32_t *)question->context = identity_left_count(state->identity);
}

static err begin_pass(struct pass *pass, struct memory_sums *sums)
{
    uint32_t left = 0;
    struct engine_question question = { .ask = ask_left, .context = &left };
    err error = engine_ask_wait(pass->server->engine, &question);
    sums->has_all = left == 0;
    sums->has_recent = true;
    pass->end = history_node_count(pass->history) + 1;
    pass->paying[0] = history_type_find(pass->history, STR("Order Paid"));
    pass->paying[1] = history_type_find(pass->history, STR("Order Completed"));
    for (unsigned i = 0; i < HISTORY_CHANNELS_MAX; i++)
        pass->own[i] = identity_channel_families(history_channel_name(pass->history, (uint8_t)i));
    if (error == ERR_OK && sums->with_links)
        error = memory_copy_families(pass->server, pass->end, &pass->families);
    return error;
}

err memory_sums_take(struct server *server, struct memory_sums *sums)
{
    struct pass pass = { .server = server,
                         .history = engine_history(server->engine),
                         .asked = sums };
    struct walk *walks = memory_alloc(2 * sizeof(*walks));
    pthread_t helper;
    err error = walks != NULL ? begin_pass(&pass, sums) : ERR_NOMEM;
    if (error == ERR_OK) {
        walks[0].pass = walks[1].pass = &pass;
        bool helped = pthread_create(&helper, NULL, run_helper, &walks[1]) == 0;
        run_walk(&walks[0]);
        if (helped)
            pthread_join(helper, NULL);
        error = atomic_load(&pass.failed) ? ERR_NOMEM : join(sums, &walks[0].sums);
        if (error == ERR_OK && helped)
            error = join(sums, &walks[1].sums);
        /* names beyond the history's limit share this one */
        sums->has_all = sums->has_all && sums->channels[HISTORY_CHANNEL_OTHER].events == 0;
    }
    for (unsigned i = 0; walks != NULL && i < 2; i++)
        memory_sums_free(&walks[i].sums);
    memory_free(walks);
    memory_free(pass.families);
    return error;
}

void memory_sums_free(struct memory_sums *sums)
{
    memory_free(sums->buyers);
    sums->buyers = NULL;
    sums->buyer_count = sums->buyer_room = 0;
}

/* ---- the orders of the day ---- */

struct ask_sales {
    const struct memory_sums *sums;
    size_t next;
    struct profile_sales lines[TODAY_CURRENCIES_MAX];
    size_t line_count;
};

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* Who was absorbed since the walk is looked at with her survivor, who may be a buyer herself. */
static uint32_t buyer_now(const struct engine_state *state, const struct memory_sums *sums,
                          uint32_t customer)
{
    uint32_t root = identity_root(state->identity, customer);
    if (root == customer ||
        bsearch(&root, sums->buyers, sums->buyer_count, sizeof root, compare_numbers) == NULL)
        return root;
    return 0;
}

static void add_sales(const struct engine_state *state, struct engine_question *question)
{
    struct ask_sales *ask = question->context;
    const struct memory_sums *sums = ask->sums;
    size_t end = ask->next + BUYERS_AT_ONCE;
    for (end = end < sums->buyer_count ? end : sums->buyer_count; ask->next < end; ask->next++) {
        uint32_t customer = buyer_now(state, sums, sums->buyers[ask->next]), nodes[NODES_MAX];
        size_t count =
            customer != 0 ? identity_nodes(state->identity, customer, nodes, NODES_MAX) : 0;
        ask->line_count = profile_add_sales(
            state->profile, nodes, count < NODES_MAX ? count : NODES_MAX, sums->day_from_ms,
            sums->until_ms, ask->lines, ask->line_count, TODAY_CURRENCIES_MAX);
    }
}

err memory_sums_today(struct server *server, struct memory_sums *sums, struct today_figures *today)
{
    struct ask_sales ask = { .sums = sums };
    err error = ERR_OK;
    qsort(sums->buyers, sums->buyer_count, sizeof(*sums->buyers), compare_numbers);
    while (ask.next < sums->buyer_count && error == ERR_OK) {
        struct engine_question question = { .ask = add_sales, .context = &ask };
        error = engine_ask_wait(server->engine, &question);
    }
    if (error != ERR_OK)
        return error;
    *today = (struct today_figures){ .as_of_ms = sums->until_ms };
    for (size_t i = 0; i < ask.line_count; i++) {
        struct today_line *line = &today->lines[today->count++];
        *line = (struct today_line){ .orders = ask.lines[i].orders,
                                     .net = ask.lines[i].net,
                                     .refunded = ask.lines[i].refunded };
        memcpy(line->currency, ask.lines[i].currency, sizeof line->currency);
    }
    return ERR_OK;
}
