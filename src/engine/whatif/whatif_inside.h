/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_inside: what the files of a run share. Private to engine/whatif.
 *
 *     whatif.c         runs as jobs: waiting, running, kept (whatif_jobs.h)
 *     whatif_compare.c a run beside what came
 *     whatif_one.c     one run: its memory, its order, its result
 *     whatif_part.c    a run in parts, a thread each, where customers share nothing
 *     whatif_trial.c   one customer through a journey, from now on
 *     whatif_given.c   the event that a trial is begun with
 *     whatif_order.c   what was asked for
 *     whatif_cast.c    who could be concerned: nodes, identities, reach, consents
 *     whatif_kin.c     which nodes are one customer: joins, merges, splits
 *     whatif_stream.c  the events of those days, in the order of arrival
 *     whatif_world.c   what journeys and touches of the overlay ask of the house
 *     whatif_watch.c   rules whose moves somebody waits for
 *     whatif_begin.c   before the first day: definitions, touches of before, who enters by hand
 *     whatif_run.c     the virtual clock: what is due, then the event, then what is sent
 *     whatif_tally.c   what is remembered of each touch
 *     whatif_tell.c    the result
 *
 * All of it belongs to the thread of the run, save what a question looks at meanwhile, and the reader of the stream. The parts of a
 * run share the cast, which nobody changes once the stream is open, and the stream.
 */
#ifndef KITH_ENGINE_WHATIF_INSIDE_H
#define KITH_ENGINE_WHATIF_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/zone.h"
#include "engine/state.h"
#include "engine/whatif/whatif.h"

/* ---- what was asked ---- */

#define WHATIF_SHARES 3 /* delivered, read, clicked */
#define WHATIF_THREADS_MAX 8
#define WHATIF_THREADS_OWN 4 /* unless asked for more */
struct whatif_order {
    char journey[128];
    bool draft, with_others, identities_then, with_imported;
    bool has_definition;
    struct buffer definition; /* JSON, when it came with the request */
    struct buffer segment;    /* who enters on day 0, of one that is entered by hand */
    int64_t from_ms, to_ms, tick_ms;
    int64_t days;
    double shares[WHATIF_SHARES]; /* below 0: those of the past */
    int64_t read_after_ms;
    int64_t minutes[CHANNEL_KIND_COUNT]; /* of an adviser, a touch */
    int64_t tasks_per_day;               /* 0: no limit known */
    int64_t coupon_value_minor;
    size_t examples;
    size_t bytes_max; /* of memory; beyond it the run ends where it is */
    uint32_t threads; /* at most; WHATIF_THREADS_MAX */
};
void whatif_order_init(struct whatif_order *order);
void whatif_order_deinit(struct whatif_order *order);
err whatif_order_read(struct whatif_order *order, str key, json_value body, int64_t now_ms,
                      struct problem *problem) MUST_USE;

/* ---- people ---- */

#define CONSENT_NAMES_MAX 250
struct reach_kind {
    char type[64], namespace_[104];
};
struct cast_consent {
    int64_t at_ms;
    uint32_t next; /* index of an older entry, + 1 */
    uint8_t name;  /* 0: none */
    bool granted;
};
/* Most have decided once: that entry stands here. */
struct cast_node {
    struct cast_consent consent;
    int64_t child_until_ms; /* until when the law holds her a child; 0: she is none in those days */
    uint32_t joins;         /* the first, + 1 */
    uint8_t zone;           /* index, + 1 */
};
/* What holds her nodes together, hung at both of them. */
struct cast_join {
    struct identity_join join;
    uint32_t next[2]; /* + 1 */
};
struct cast_edge {
    uint64_t seq; /* of the record that merged, or split */
    int64_t at_ms;
    uint32_t node, other;
    uint32_t merge;
    bool is_split;
};
struct cast {
    uint32_t node_count;
    uint32_t *root, *next, *today; /* by node; `today` is `root` unless identities are then */
    uint32_t *place;               /* by node: index into nodes, + 1; 0: not concerned */
    uint64_t *concerned;           /* bits by today's root */
    struct cast_node *nodes;
    uint32_t *attached_s; /* by node and kind of reach: when she first had one; 0: never */
    size_t count, capacity;
    struct cast_consent *consents;
    size_t consent_count, consent_capacity;
    struct cast_join *joins;
    size_t join_count, join_capacity;
    char (*names)[64];
    size_t name_count;
    struct reach_kind *kinds;
    size_t kind_count;
    struct zone *zones[64];
    size_t zone_count;
    struct cast_edge *edges; /* merges and splits of those days, in order of seq */
    size_t edge_count, edge_capacity, edge_next;
    uint8_t *is_undone; /* by merge */
    uint32_t merge_count;
    uint64_t customers; /* concerned */
    uint64_t changed_consents;
};

/* ---- events ---- */

struct whatif_row {
    uint32_t node, source;
    uint64_t seq;
    int64_t at_ms, time_ms, revenue;
    uint8_t kind, flags;
    str type, channel, props; /* until the next row */
};
struct stream;

/* ---- rules that are waited for ---- */

#define WATCH_MAX 128
struct watched_one {
    uint32_t customer;
    bool is_idle;
    int64_t until_ms;
    uint64_t bits[WATCH_MAX / 64];
};
struct watch_due {
    int64_t until_ms;
    uint32_t index;
};
struct watch_move {
    uint32_t customer, key; /* number in `then` */
    uint64_t order;
    bool is_in;
};
struct watch_moves {
    struct watch_move *items;
    size_t count, capacity;
};
struct watch {
    uint32_t keys[WATCH_MAX]; /* numbers in `then` */
    uint32_t count;
    struct watched_one *people;
    uint32_t person_count, person_capacity;
    uint32_t *index; /* customer to person, + 1; open addressing */
    uint32_t index_capacity;
    struct watch_due *due; /* a heap */
    size_t due_count, due_capacity;
    struct watch_moves heard, pending; /* of this record; until the tick */
    uint64_t order;
};

/* ---- what came of it ---- */

#define TALLY_NONE UINT16_MAX
struct tally_touch {
    uint32_t node;     /* her node */
    uint16_t place;    /* of the journey's node in `places` */
    uint16_t day;      /* of the request, from day 0 */
    uint16_t sent_day; /* TALLY_NONE: not sent */
    uint8_t status;    /* enum touch_status, the last */
    uint8_t reason;    /* of it, in `reasons` */
    uint8_t held;      /* why it was held, at first; 0: it was not */
    uint8_t detail;    /* which cap */
    uint8_t kind;      /* of channel */
    uint8_t waited;    /* days for an adviser, 255: as many or more */
    int32_t cost_minor;
    int64_t at_ms; /* of the last status */
};
struct tally_place {
    char journey[104], node[104];
    bool is_asked;
};
struct tally {
    struct tally_touch *touches; /* by number less first */
    uint32_t first, count, capacity;
    struct tally_place *places;
    size_t place_count;
    char (*reasons)[64];
    size_t reason_count;
};

/* ---- the run ---- */

struct told_touch {
    struct told_touch *next;
    struct touch_change change;
};
struct later_receipt {
    int64_t at_ms;
    uint32_t number;
    uint8_t status;
};
struct value_kept {
    uint64_t key;
    str json; /* of a member {"v": …}; empty: missing */
};

/* What the parts of a run tell one another. */
struct whatif_parts {
    uint32_t count;
    struct whatif_run *runs[WHATIF_THREADS_MAX]; /* the first is the run itself */
    _Atomic size_t bytes[WHATIF_THREADS_MAX];    /* memory of each */
    _Atomic bool is_failed, is_cut;              /* one of them: all end */
    pthread_mutex_t listening;                   /* one tells the listener at a time */
};

struct whatif_run {
    struct engine *engine;
    struct whatif_order order;
    const struct whatif_listener *listener;
    const _Atomic bool *cancel;
    _Atomic int *progress; /* thousandths; may be NULL */
    struct problem *problem;
    struct whatif_parts *parts; /* NULL: of a trial */
    uint32_t part;              /* which it is; 0: the run itself */
    int64_t processor_ns;       /* of its thread, for the days */
    steady_ns start;
    int64_t stage_ms[6];

    struct arena texts;
    struct zone *zone;
    struct cast cast;
    struct stream *stream;
    struct watch watch;
    struct tally tally;
    struct audience_then *then;
    struct history *history;
    struct history_reader *reader;
    struct journeys *journeys;
    struct journey_world journey_world;
    struct touches *touches;
    const struct touches *live_touches;
    struct touch_world touch_world;
    struct touch_reader *touch_reader;
    struct json_parser *parser, *value_parser, *staging_parser;
    struct buffer text;
    bool is_staging; /* on the engine thread */
    const struct engine_state *staging;
    struct problem *staging_problem;
    uint32_t asked_customer; /* of whom `then` is asking */

    int64_t now_ms, tick_ms; /* tick_ms: of the last tick */
    uint64_t seq;
    uint32_t last_touch; /* of the live room, at the beginning */
    struct told_touch *told, **told_last;
    struct arena told_texts; /* of those that are told now */
    struct touch_claimed *claimed;
    struct later_receipt *receipts; /* a heap */
    size_t receipt_count, receipt_capacity;
    uint32_t *by_hand; /* touches of the live room to be added when their time comes, by time */
    size_t by_hand_count, by_hand_capacity, by_hand_next;
    struct value_kept *values;
    size_t value_count, value_capacity;
    double shares[CHANNEL_KIND_COUNT][WHATIF_SHARES];
    uint8_t *hears; /* by type of history: an event of it can move a rule that is watched */
    uint16_t type_count;
    bool *starts; /* by type of history: somebody may enter by an event of it */

    uint16_t adviser_day; /* the first that has room for another task, and how many it has */
    int64_t adviser_tasks;

    struct trial *trial;           /* whatif_trial.c; NULL: a run over past days */
    struct given *given;           /* whatif_given.c; NULL: no event came with the request */
    const struct value_lens *lens; /* of a trial: what is filled into texts; NULL: all */
    uint64_t events, records, values_asked;
    bool is_cut;      /* memory ran out */
    int64_t until_ms; /* how far it came */
};

/* On the engine thread; waits, again while the engine is busy. */
err whatif_ask(struct whatif_run *run,
               void (*ask)(const struct engine_state *state, struct engine_question *question),
               void *context) MUST_USE;
bool whatif_is_cancelled(const struct whatif_run *run);

/* whatif_cast.c */
err cast_make(struct whatif_run *run) MUST_USE;
/* Of one customer alone (any node of hers). NOT_FOUND. */
err cast_make_one(struct whatif_run *run, uint32_t customer) MUST_USE;
void cast_deinit(struct cast *cast);
uint8_t cast_name(struct cast *cast, str name, bool makes); /* + 1; 0: unknown */
err cast_add_consent(struct cast *cast, uint32_t node, uint8_t name, bool granted,
                     int64_t at_ms) MUST_USE;
/* Room for one more: `items`, or where they are now; NULL: no memory. */
void *cast_grown(void *items, size_t count, size_t *capacity, size_t size);

/* whatif_kin.c */
err cast_add_join(struct cast *cast, const struct identity_join *join) MUST_USE;
/* As it was on the first day; the cast is made. */
err cast_go_back(struct whatif_run *run) MUST_USE;
/* The joins of her nodes as they are now, from the earliest on: those written, at most `max`; how many there are. */
size_t cast_joins(const struct cast *cast, uint32_t root, struct identity_join *joins, size_t max);
static inline struct cast_node *cast_at(const struct cast *cast, uint32_t node)
{
    uint32_t place = node <= cast->node_count ? cast->place[node] : 0;
    return place != 0 ? &cast->nodes[place - 1] : NULL;
}
static inline uint32_t *cast_attached(const struct cast *cast, const struct cast_node *node,
                                      size_t kind)
{
    return &cast->attached_s[(size_t)(node - cast->nodes) * cast->kind_count + kind];
}
/* Merges of the record `seq`: who is about to meet; then they are one, and what was absorbed is told. */
size_t cast_meeting(const struct cast *cast, uint64_t seq, uint32_t *roots, size_t max);
size_t cast_merge(struct cast *cast, uint64_t seq, uint32_t *absorbed, size_t max);
/* When the next one is that no event of the stream brings; INT64_MAX: none before this record. */
int64_t cast_next_change_ms(const struct cast *cast, uint64_t seq, int64_t at_ms);
bool cast_split_before(struct cast *cast, uint64_t seq, int64_t at_ms, struct cast_edge *edge);

/* whatif_stream.c */
err stream_open(struct whatif_run *run) MUST_USE;
/* The next event of a part, on its thread; NULL: there are no more, or *error. */
const struct whatif_row *stream_next(struct stream *stream, uint32_t part, err *error);
/* Nobody gets another one. Any thread. */
void stream_stop(struct stream *stream);
void stream_close(struct stream **stream);

/* whatif_world.c */
void world_fill(struct whatif_run *run);
/* Her events, between history_read_begin and _end of run->reader. */
void world_view(struct whatif_run *run, uint32_t customer, struct history_view *view);
bool world_holds(struct whatif_run *run, uint32_t key, uint32_t customer, int64_t at_ms,
                 int64_t *until_ms);

/* whatif_watch.c */
err watch_make(struct whatif_run *run) MUST_USE;
void watch_deinit(struct watch *watch);
/* From now on her moves are told. */
err watch_follow(struct whatif_run *run, uint32_t customer) MUST_USE;
err watch_before(struct whatif_run *run, uint32_t customer) MUST_USE;
err watch_event(struct whatif_run *run, uint32_t customer, str type) MUST_USE;
err watch_merged(struct whatif_run *run, uint32_t customer, uint32_t absorbed) MUST_USE;
/* Something else about her changed. */
err watch_changed(struct whatif_run *run, uint32_t customer) MUST_USE;
int64_t watch_next_due_ms(struct whatif_run *run);
err watch_tick(struct whatif_run *run) MUST_USE;

/* whatif_one.c */
err whatif_run_new(struct whatif_run *run) MUST_USE;
void whatif_run_free(struct whatif_run *run);
/* `progress` may be NULL. */
err whatif_run_order(struct engine *engine, str key, json_value body,
                     const struct whatif_listener *listener, const _Atomic bool *cancel,
                     _Atomic int *progress, struct buffer *result,
                     struct problem *problem) MUST_USE;

/* whatif_part.c */
err parts_new(struct whatif_run *run) MUST_USE;
void parts_free(struct whatif_run *run);
/* Once all is staged: unless customers share nothing, the run alone is left. */
void parts_choose(struct whatif_run *run);
/* Once the stream is open: what all of them look at. */
err parts_share(struct whatif_run *run) MUST_USE;
/* `work` for each on a thread of its own; then all that came of it is the run's. */
err parts_run(struct whatif_run *run, err (*work)(struct whatif_run *part)) MUST_USE;
/* Is she simulated by this one? */
bool part_has(const struct whatif_run *run, uint32_t customer);

/* whatif_begin.c: what is common to all parts; what each begins with. */
err run_prepare(struct whatif_run *run) MUST_USE;
err run_begin(struct whatif_run *run) MUST_USE;
/* The same in parts, for a trial: definitions; touches of before. */
err run_stage(struct whatif_run *run) MUST_USE;
err run_read_touches(struct whatif_run *run) MUST_USE;
void run_stage_done(struct whatif_run *run, int index);

/* whatif_trial.c; nothing of it happens in a run over past days. A touch was asked for; got another status. */
void trial_request(struct whatif_run *run, const struct touch_request *request,
                   const struct touch_answer *answer);
void trial_change(struct whatif_run *run, const struct touch_change *change);
bool trial_is_rendering(const struct whatif_run *run);
/* For a value: of a rendering it stays until that is over. */
struct json_parser *trial_parser(struct whatif_run *run);

/* whatif_given.c: the event of a trial. Its texts live in run->texts; `seq` is after all that she did. */
err given_make(struct whatif_run *run, str type, json_value props, uint64_t seq) MUST_USE;
void given_free(struct whatif_run *run);
/* It stands in her view. */
err given_show(struct whatif_run *run, struct history_view *view) MUST_USE;
/* It happens: who waits for it hears of it. She is in no journey yet. */
err given_happens(struct whatif_run *run, uint32_t customer, uint32_t node) MUST_USE;

/* whatif_run.c */
err run_days(struct whatif_run *run) MUST_USE;
/* All that is due by then has happened. */
err run_advance(struct whatif_run *run, int64_t to_ms) MUST_USE;
/* What came up in it is told, and what is queued goes out. */
err run_end_record(struct whatif_run *run) MUST_USE;
/* Who is told of every change of a touch of the overlay. */
err run_note_told(void *context, const struct touch_change *change, struct touch_moment moment,
                  struct ledger_writes *writes) MUST_USE;

/* whatif_tally.c */
err tally_request(struct whatif_run *run, const struct touch_request *request,
                  const struct touch_answer *answer) MUST_USE;
err tally_change(struct whatif_run *run, const struct touch_change *change) MUST_USE;
void tally_claimed(struct whatif_run *run, const struct touch_claimed *claimed);
/* When an adviser comes to it: now, or on the first later day that has room. */
int64_t tally_adviser_ms(struct whatif_run *run, const struct touch_claimed *claimed);
void tally_deinit(struct tally *tally);
/* What another part remembers comes behind it. */
err tally_absorb(struct whatif_run *run, const struct tally *other) MUST_USE;
str tally_reason(const struct tally *tally, uint8_t reason);
uint16_t tally_day(const struct whatif_run *run, int64_t at_ms);

/* whatif_tell.c */
err whatif_tell(struct whatif_run *run, struct buffer *out) MUST_USE;

#endif
