/* SPDX-License-Identifier: Apache-2.0 */
/* state: what the files of this room share. Private to audience/.
 *
 * The pieces, from the bottom up, each with a header of its own:
 *     members.h     sets, numbers and texts: what is stored per definition
 *     facts.h       columns of what rules ask for besides events; by which channels somebody can be reached
 *     wheel.h       who is due when
 *     recipe.h      a definition compiled, immutable
 *     definition.h  definitions, and what changed in them
 *     stream.h      customers whose history in memory is not whole; what a scan takes along
 *     objects.h     objects as rules see them, and sweeps over everybody
 * Here: the room itself, and what its files do with it.
 */
#ifndef KITH_AUDIENCE_STATE_H
#define KITH_AUDIENCE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "audience/audience.h"
#include "audience/definition.h"
#include "audience/facts.h"
#include "audience/members.h"
#include "audience/objects.h"
#include "audience/recipe.h"
#include "audience/stream.h"
#include "audience/wheel.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/logline.h"
#include "base/metric.h"

#define MARK_WORDS ((AUDIENCE_DEFINITIONS_MAX + 63) / 64)
struct marks {
    uint64_t words[MARK_WORDS];
    uint32_t first, last; /* words in use: [first, last) */
};

/* part.c: one customer at a time may be judged in parts. She is in `pending` (or `rejudge`) until the last of them. */
struct part {
    uint32_t customer; /* 0: nobody */
    bool is_rejudged;  /* of `rejudge`, else of `pending` */
    enum cause cause;
    struct audience_moment moment; /* of all parts */
    int64_t until_ms;              /* so far */
    struct marks marks;            /* left to be judged */
};

struct audience {
    struct audience_config config;
    struct facts_table facts;
    const struct rule_zone *zone;
    struct local_zone *zones; /* all that were, kept: other threads may still look into one */
    struct rule_catalogue catalogue;
    struct ledger *ledger;      /* borrowed, from audience_load */
    struct json_parser *parser; /* bodies from the ledger */
    struct json_parser *catalogue_parser;
    struct buffer catalogue_text;

    struct definition **definitions; /* by number */
    uint32_t definition_count;       /* highest number + 1 */
    struct definition **order;       /* live ones, by level, then number */
    bool order_is_stale;
    uint32_t order_count;
    uint32_t taking_count; /* definitions whose install is being noted */

    /* index, by position in `order`; made anew when a definition comes or goes */
    struct marks *by_type[HISTORY_TYPES_MAX]; /* lazily */
    struct marks *by_column[COLUMNS_MAX];
    struct marks **dependents; /* by position */
    struct marks by_time, by_nodes, by_objects, all;
    struct marks by_others; /* they stand on tags and segments */
    struct marks by_turn;   /* hear.c: of by_time, those of which the pool does not know when */
    struct rule_pool *pool; /* of their conditions, by position; NULL without memory */
    uint32_t rule_count;    /* in it */
    uint32_t *first_rules;  /* by position: of its rules, which the pool was given first */
    struct nobody *nobody;
    /* What is stored of her may not be of just before her due minute, or not all of one moment. */
    roaring_bitmap_t *unsure;
    struct soon { /* it is of this moment, and she is due in the minute of it */
        roaring_bitmap_t *customers;
        int64_t at_ms; /* of the tick */
    } soon, soon_before;
    uint32_t sure_from; /* nobody is who is due up to this minute */
    struct reach_columns reach;
    struct objects objects;
    struct sweep sweep;
    int64_t
        unsettled_stored; /* what the ledger says of it: 0 nothing is left, 1 a sweep, 2 one with facts */
    int64_t settled_ms,
        settled_stored_ms; /* the last tick of which nobody is left; in the ledger */
    int64_t started_ms;    /* the same at the start: from then on changes by time may be missing */
    bool pending_facts, pending_objects; /* who is pending is of a sweep */
    _Atomic bool wants_tick;
    _Atomic bool is_settling;        /* what a tick found due is not settled yet */
    _Atomic int64_t count_wanted_ns; /* steady time from which on there is something to count; 0 */

    struct wheel wheel;
    roaring_bitmap_t *pending; /* taken from the wheel at pending_moment, not settled yet */
    struct audience_moment pending_moment;
    struct part part;
    steady_ns slice_start;         /* of the slice that may leave a part */
    int64_t slice_us;              /* 0: nothing may be left */
    struct recall *recall;         /* of both, who lacks events in memory */
    roaring_bitmap_t *rejudge;     /* touched while what was installed was computed: in slices */
    struct scan *merging;          /* whose due times go to the wheel, chunk after chunk */
    uint32_t merge_next;           /* portion of a chunk: install.c */
    roaring_bitmap_t *huge;        /* put off until the next second */
    roaring_bitmap_t *huge_judged; /* in this second */
    int64_t huge_second;
    int64_t now_ms;
    int64_t day;            /* local day that was begun */
    bool day_has_begun;     /* its work is not begun yet */
    uint32_t recount_next;  /* customer that today's recount has come to; 0: done */
    uint32_t recount_place; /* the definition at which it goes on with her */
    steady_ns recounted;    /* when the last slice of it ended */
    int64_t recount_rest_us;

    struct history_reader *reader;
    struct judging judging;
    const struct history_view *given; /* live_judge: rows of this customer were read back */
    uint32_t given_customer;
    struct stream_list
        *waiting; /* live_judge: who lacks events goes here, and is judged later; NULL: at once */
    uint64_t change_count; /* of all definitions, since the start */
    struct changes_row *finished_rows;
    size_t bytes_estimate;
    uint32_t checkpoint_next; /* definition whose chunks are written next; 0: no round is on */
    int64_t checkpoint_ms;    /* log time of the last round */

    struct audience_lens lens;
    bool lens_is_on;

    steady_ns scan_failed;         /* when the last one did; 0 */
    struct scan *scan, *scan_over; /* the one that runs; one whose threads are to be joined */
    bool started;
    bool scan_wanted; /* something may wait to be computed */
    /* After a start nobody's due time is known, until a scan has found them or she was judged. */
    bool due_unknown;
    roaring_bitmap_t *due_known;
};

/* lens.c */
const struct set *lens_set(const struct audience *audience); /* NULL: no lens is on */
bool lens_has(const struct audience *audience, uint32_t customer);
bool lens_shows(const struct audience *audience, const struct definition *definition);
/* How many of a definition's set, or numbers, are seen. */
uint64_t lens_count(const struct audience *audience, const struct definition *definition,
                    const struct set *set);
uint64_t lens_count_numbers(const struct audience *audience, const struct definition *definition);
/* Leave in `set` who is in `part`; NULL: all. */
err lens_cut(const struct set *part, struct set *set) MUST_USE;
/* Who is seen, for other threads; nothing without a lens. */
err lens_share(const struct audience *audience, struct set *out) MUST_USE;

/* recount.c: a slice of the day's recount; what it finds is told, not mended. */
void recount_work(struct audience *audience, int64_t budget_us);

/* interest.c */
/* One more than the highest of what it needs; `depth` 0. */
uint32_t definition_level(const struct audience *audience, const struct definition *definition,
                          unsigned depth);
/* For qsort of pointers to definitions that know their level: each after those that it needs. */
int definition_compare_order(const void *left, const void *right);
void interest_clear(struct audience *audience);
err interest_make(struct audience *audience) MUST_USE;
static inline void marks_clear(struct marks *marks, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        marks->words[i] = 0;
    marks->first = words;
    marks->last = 0;
}
static inline uint32_t marks_words(const struct audience *audience)
{
    return (audience->order_count + 63) / 64;
}
void marks_set(struct marks *marks, uint32_t position);
void marks_join(struct marks *marks, const struct marks *other);
struct marks *marks_of_type(struct audience *audience, str type);

/* hear.c: what an event, or time, may have changed. */
err hear_make(struct audience *audience) MUST_USE;
/* The event of this record, by which nothing else is judged yet; false: it is not known, all that name its type are to be
 * judged. `until_ms` is moved forward. */
bool hear_event(struct audience *audience, uint32_t customer, const struct event *event,
                int64_t now_ms, struct marks *marks, int64_t *until_ms) MUST_USE;
/* From her due minute to now; false: it is not known, all that time can change is to be judged. */
bool hear_time(struct audience *audience, uint32_t customer, int64_t now_ms, struct marks *marks,
               int64_t *until_ms) MUST_USE;
/* Her due time: `whole`: this one, else no later than it. */
err hear_due(struct audience *audience, uint32_t customer, int64_t until_ms, bool whole,
             int64_t now_ms) MUST_USE;
/* What definitions share is answered once for all that are judged of her until hear_share_end, by this view. */
void hear_share(struct audience *audience, struct rule_hearing *hearing, uint32_t customer,
                const struct history_view *view, int64_t now_ms);
void hear_share_end(struct audience *audience, int64_t *until_ms);
/* Who is due is settled at this moment from now on. */
void hear_tick(struct audience *audience, int64_t now_ms);
/* Who is due by now has to be judged in full. */
void hear_unsure(struct audience *audience);

/* nobody.c: her first event, which marked these; *is_met false: she is to be judged in full. */
err nobody_meet(struct audience *audience, uint32_t customer, struct marks *marks,
                struct audience_moment moment, int64_t until_ms, bool *is_met) MUST_USE;
void nobody_clear(struct audience *audience); /* definitions came or went */

/* near.c: what the next of the marked definitions read, and where they keep her, is fetched while others are judged. */
struct near {
    uint32_t until; /* of those that are marked below this place it was done */
};
void near_marked(const struct audience *audience, const struct marks *marks, uint32_t customer,
                 uint32_t from, struct near *near);

/* live.c */
/* Judge what is marked (and what depends on what changes). `whole`: all that time can change is among it, or changes no earlier
 * than `until_ms`, so that the due time is known anew. */
err live_judge_until(struct audience *audience, uint32_t customer, struct marks *marks, bool whole,
                     struct audience_moment moment, enum cause cause, int64_t until_ms) MUST_USE;
err live_judge(struct audience *audience, uint32_t customer, struct marks *marks, bool whole,
               struct audience_moment moment, enum cause cause) MUST_USE;
/* All events of a customer (root), read back; `restore`: and in memory again. Valid until audience->reader shows other
 * rows. Not within history_read_begin. */
err live_read_back(struct audience *audience, uint32_t customer, bool restore,
                   struct history_view *view) MUST_USE;
/* Who was left to `waiting` is judged by `judge` with what is read back, in few questions; the list is empty then. */
err live_stream(struct audience *audience, struct stream_list *waiting,
                err (*judge)(void *context, uint32_t customer), void *context) MUST_USE;
/* Did an answer of this judge lack events that can be read back? Asked once per answer. */
static inline bool lacked_events(const struct audience *audience, struct rule_judge *judge)
{
    return rule_judge_take_partial(judge) && audience->config.past != NULL;
}
/* Everything about her. */
err live_judge_all(struct audience *audience, uint32_t customer, struct audience_moment moment,
                   enum cause cause) MUST_USE;
err live_settle(struct audience *audience, uint32_t customer,
                struct audience_moment moment) MUST_USE;
/* Take her out of everything. */
err live_clear(struct audience *audience, uint32_t customer, struct audience_moment moment,
               enum cause cause) MUST_USE;
/* One definition for one customer; recipe may be of a version that is not live. */
void live_judge_one(const struct audience *audience, const struct definition *definition,
                    const struct recipe *recipe, struct judging *judging, uint32_t customer,
                    const struct history_view *view, int64_t now_ms, struct verdict *verdict);
/* What time alone can have changed of her; `objects`: what is asked of objects may have changed, too. */
err live_judge_time(struct audience *audience, uint32_t customer, bool objects,
                    struct audience_moment moment) MUST_USE;
/* She is of the set that a tick made. */
err live_judge_pending(struct audience *audience, uint32_t customer) MUST_USE;
/* She was touched while something was counted for everybody. */
err live_rejudge(struct audience *audience, uint32_t customer,
                 struct audience_moment moment) MUST_USE;
/* Who has so many events that she is judged once a second, not with each record. */
err live_judge_put_off(struct audience *audience, struct audience_moment moment) MUST_USE;

/* part.c */
static inline void part_begin_slice(struct audience *audience, int64_t budget_us)
{
    audience->slice_start = steady_now();
    audience->slice_us = budget_us;
}
static inline void part_end_slice(struct audience *audience)
{
    audience->slice_us = 0;
}
static inline bool part_is_left(const struct audience *audience, uint32_t customer)
{
    return audience->part.customer == customer;
}
/* Is the slice over? Then what is marked and not judged yet is left: words before `word` are judged, and `done` of it. */
bool part_leave(struct audience *audience, uint32_t customer, const struct marks *marks,
                uint32_t word, uint64_t done, enum cause cause, struct audience_moment moment,
                int64_t until_ms);
/* Goes on with her: to the end, or to that of the slice. */
err part_go_on(struct audience *audience) MUST_USE;
/* She is judged otherwise: what is left of `rejudge` is of a moment that is over by then. */
void part_superseded(struct audience *audience, uint32_t customer);
void part_drop(struct audience *audience, uint32_t customer);
/* The order of definitions was made anew: all of hers is left. */
void part_reorder(struct audience *audience);

/* live_time.c */
/* All that is pending, now. */
err live_finish(struct audience *audience) MUST_USE;
/* All that is due, if it is little: for who reads. */
void live_settle_few(struct audience *audience);
/* Up to when everybody is settled. */
int64_t live_as_of_ms(const struct audience *audience);
/* A slice of what is due. */
err live_work(struct audience *audience, int64_t budget_us, bool *more) MUST_USE;
/* Who waited for her rows: by them. What of both is still to be done, if the slice is over, stays set. */
err live_judge_recalled(struct audience *audience, uint32_t customer,
                        const struct history_view *view, bool *pending, bool *rejudge) MUST_USE;

/* What a definition has of her: a code (of a segment 1) or a number; NO_VALUE. */
int64_t definition_get(const struct definition *definition, uint32_t customer);
err definition_put(struct audience *audience, struct definition *definition, uint32_t customer,
                   int64_t value, struct audience_moment moment, enum cause cause,
                   bool *changed) MUST_USE;
struct definition *definition_find(const struct audience *audience, enum audience_kind kind,
                                   str key);
struct definition *definition_at(const struct audience *audience, uint32_t number);
/* What is stored, without noting a change. */
err definition_store(struct definition *definition, uint32_t customer, int64_t before,
                     int64_t value) MUST_USE;
/* The body, with the thresholds that were computed for it. */
err definition_parse(struct definition *definition, struct json_parser *parser, json_value *body,
                     struct problem *problem) MUST_USE;
/* Of a verdict, what is stored. */
int64_t definition_cell(const struct definition *definition, const struct recipe *recipe,
                        int64_t value);
struct set *definition_set(struct definition *definition, uint32_t code); /* made; NULL: memory */
/* Put a recipe in place: storage of its form, codes of its values. */
err definition_adopt(struct audience *audience, struct definition *definition,
                     struct recipe *recipe, uint32_t version) MUST_USE;
err definition_new(struct audience *audience, uint32_t number, enum audience_kind kind, str key,
                   struct definition **definition) MUST_USE;
/* The body's text and what is read from it. */
err definition_take_body(struct definition *definition, json_value body) MUST_USE;
void definition_free(struct definition *definition);
/* Does it need the other, live or as it is being computed? */
bool definition_uses(const struct definition *definition, uint32_t number);
int64_t given_value(const struct audience *audience, const struct definition *definition,
                    uint32_t customer);
void definition_storage_free(struct definition *definition);

/* change.c */
/* A change is put into the definition's open row. */
err change_note(struct audience *audience, struct definition *definition,
                const struct change *change) MUST_USE;
/* Entries of a row, in order; false: damaged. */
bool change_next(struct cursor *cursor, struct change *change, struct change *previous);
void change_write(struct buffer *out, const struct change *change, const struct change *previous);

bool change_row_is_full(const struct definition *definition);
void change_end_row(struct definition *definition);

/* entered.c: since when somebody is in a segment, for windows that begin there. */
void entered_note(struct definition *definition, const struct change *change);
/* Somebody asks: what the ledger and memory know of the past is read. Engine. */
err entered_want(struct audience *audience, struct definition *definition) MUST_USE;
/* All that are wanted, at a start. */
err entered_load(struct audience *audience) MUST_USE;
int64_t entered_for_engine(void *context, uint32_t customer, const struct rule_entered *what);
int64_t entered_for_scan(void *context, uint32_t customer, const struct rule_entered *what);

/* taking.c: a large result stands at once; what changed by it is noted in slices. */
/* `part` is of sets, or of numbers, and so is what the definition has. Its row is not to be stored before taking_finish. */
err taking_begin(struct audience *audience, struct definition *definition, struct scan_part *part,
                 struct audience_moment moment) MUST_USE;
/* She is about to be changed in it. */
err taking_note(struct audience *audience, struct definition *definition,
                uint32_t customer) MUST_USE;
/* A slice, over all definitions; 0: all. */
err taking_work(struct audience *audience, int64_t budget_us, bool *more) MUST_USE;
err taking_finish(struct audience *audience, struct definition *definition) MUST_USE;
void taking_free(struct definition *definition);

/* store.c */
void store_put_definition(const struct definition *definition, struct ledger_writes *writes);
void store_put_given(const struct definition *definition, uint32_t block,
                     struct ledger_writes *writes);
#define GIVEN_BLOCK_BITS 10

/* catalogue.c */
void catalogue_init(struct audience *audience);
/* Events with their properties, traits with their types; each until the other is asked. */
json_value catalogue_events(struct audience *audience);
json_value catalogue_traits(struct audience *audience);
/* read.c: a tag's value as JSON. */
void write_cell(const struct definition *tag, int64_t cell, struct json_writer *writer);
/* NOT_FOUND for a name that the machine does not know: the zone is then China's, or UTC. */
err local_zone_init(struct audience *audience, const char *name) MUST_USE;
void local_zones_free(struct audience *audience);
/* The workspace's zone as the ledger has it. */
err local_zone_load(struct audience *audience, struct ledger *ledger,
                    struct problem *problem) MUST_USE;
int64_t local_day(const struct rule_zone *zone, int64_t time_ms); /* local days since 1970 */
int64_t local_day_start(const struct rule_zone *zone, int64_t day);
/* Facts for the engine thread: live sets and numbers. */
void facts_for_engine(const struct audience *audience, struct rule_facts *facts);
/* Value of a cell by the column's kind. */
bool cell_value(const struct fact_column *column, int64_t cell, struct rule_value *value);
bool tag_value(enum rule_kind kind, const struct lexicon *texts, int64_t cell,
               struct rule_value *value);

/* scan.c */
/* Definitions wait to be computed: begin when nothing runs and what they need is there. */
err scan_begin(struct audience *audience) MUST_USE;
bool scan_work(struct audience *audience, int64_t budget_us);
/* Due times of an installed scan: a slice; all; those of `minute` and before, not merged yet, into `out`. */
bool scan_merge(struct audience *audience, int64_t budget_us);
void scan_merge_due(struct audience *audience, uint32_t minute, roaring_bitmap_t *out);
void scan_touch(struct audience *audience, uint32_t customer);
void scan_stop(struct audience *audience);
/* Find the due time of everybody on other threads. */
err scan_due_times(struct audience *audience) MUST_USE;

#endif
