/* SPDX-License-Identifier: Apache-2.0 */
/* Inside collect: the worker, the request under way, and the event that a door is drafting.
 *
 * A door walks a parsed body and calls draft_*; what it has drafted goes into the log's records by
 * draft_finish. Everything lives as long as the request: texts are borrowed from the parsed document, the
 * worker's arena, or the worker's `text`, which never moves.
 */
#ifndef KITH_COLLECT_INSIDE_H
#define KITH_COLLECT_INSIDE_H

#include <zlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "collect/collect.h"
#include "collect/draft.h"
#include "event/normalise.h"
#include "event/personal.h"

#define PROPERTIES_MAX 2000
#define REFUSALS_TOLD_MAX 20

/* An initialiser of a str in a static table. */
#define LITERAL(text)                          \
    {                                          \
        .data = text, .size = sizeof(text) - 1 \
    }

struct collect_worker {
    struct collect_limits limits;
    struct json_parser *parser;
    struct arena arena;
    struct buffer unpacked; /* the body, inflated */
    struct buffer text;     /* JSON of the event being drafted; never moves */
    struct buffer encoded;  /* the event being finished */
    struct buffer answer;
    z_stream inflater;
    bool inflater_ready;
    struct draft_desk desk; /* `starved` is 503 in the end */
    struct event event;
    struct event_identifier identifiers[EVENT_IDENTIFIERS_MAX];
    struct event_trait traits[EVENT_TRAITS_MAX];
};

/* A request under way. */
struct door {
    struct collect_worker *worker;
    const struct source_set *sources;
    const struct collect_request *request;
    struct collect_answer *answer;
    const char *name; /* "segment", "sensors" */
    const struct source *source;
    bool source_is_known; /* whatever the items say of keys */
    bool historical;      /* each of its events starts no journey */
    struct buffer *records;
    uint32_t count;       /* events taken */
    uint32_t refused;     /* events refused */
    bool measure_items;   /* the body is larger than one event may be */
    bool is_unsaid;       /* of this event nothing is told, not even to who looks on */
    struct problem first; /* the first refusal */
};

/* ---- memory (worker.c) ---- */

/* Of the request; sets `starved` when there is none. */
void *worker_alloc(struct collect_worker *worker, size_t size_bytes);

/* ---- who has not agreed (consent.c) ---- */

/* `preferences`: what she agreed to, by category. */
bool collect_may_record(const struct source *source, json_value preferences);
/* The event is taken and nothing of it is kept. */
void collect_leave_unsaid(struct door *door);
/* Of the sender for this day, in the request's memory. */
err collect_pseudonym(struct door *door, str sender, str *pseudonym) MUST_USE;

/* ---- answers (worker.c) ---- */

/* {"success":false,"code":…,"message":…} with the status of `error`. */
void answer_problem(struct door *door, const struct problem *problem);
void answer_text(struct door *door, int status, const char *content_type, str body);
extern const str answer_gif; /* a transparent dot */

/* ---- bodies (body.c) ---- */

/* The body without its Content-Encoding. */
err body_unpack(struct door *door, str *body, struct problem *problem) MUST_USE;
/* json_parse, with half characters mended (mend.c). */
err body_parse(struct door *door, str body, json_value *root, struct problem *problem) MUST_USE;
/* gzip, zlib or raw deflate by their first bytes, at most batch_bytes_max. */
err body_inflate(struct collect_worker *worker, str packed, str *out,
                 struct problem *problem) MUST_USE;
/* Percent-decoded value of `name` in a query or form. False when it is not there. */
bool form_value(struct collect_worker *worker, str form, str name, str *value);
/* Next field of a form, decoded; false at the end. */
bool form_next(struct collect_worker *worker, str *form, str *name, str *value);
/* Standard or URL-safe base64, padded or not; a space counts as '+'. False for anything else. */
bool base64_decode(struct collect_worker *worker, str text, str *out);

/* ---- drafting (draft.c) ---- */

/* Start an event of the door's source. */
void draft_begin(struct door *door, enum event_kind kind, str type);
/* Add an identifier. Empty, masked and invalid values are left out without a word: they name
 * nobody. `raw` may be text or an integer. */
err draft_identifier(struct door *door, str type, str namespace_, json_value raw, uint8_t flags,
                     struct problem *problem) MUST_USE;
err draft_identifier_text(struct door *door, str type, str namespace_, str raw, uint8_t flags,
                          struct problem *problem) MUST_USE;
/* An id as text: text, or an integer; "" when it is null, missing, or blank. INVALID for what is no
 * id (a fraction, an integer whose digits got lost, an object). `place` is a JSON pointer. */
err draft_id_text(struct door *door, json_value value, const char *place, str *out,
                  struct problem *problem) MUST_USE;

/* What a door says about one property: take it, or not. */
struct draft_rules {
    /* NULL: take all. Sets *skip, or returns an error for the whole item. */
    err (*admit)(str name, json_value value, bool *skip, struct problem *problem);
    size_t text_bytes_max; /* longer texts are cut; 0: never */
    bool lines_make_revenue;
};
/* All properties into event.props, with shape and promoted columns. `more` are texts that are added
 * where the object has none of that name. */
struct draft_more {
    str name;
    str text;
};
err draft_props(struct door *door, json_value object, const struct draft_rules *rules,
                const struct draft_more *more, size_t more_count, struct problem *problem) MUST_USE;
/* Members of an object as traits; null unsets. Those that are there already are replaced. */
err draft_traits(struct door *door, json_value object, enum trait_operation operation,
                 const struct draft_rules *rules, struct problem *problem) MUST_USE;
void draft_message_key(struct door *door, const str *parts, size_t count);
void draft_random_message_key(struct door *door);
/* received − (sent − original), as Segment says; 0 for `sent` if not given. See docs/connectors. */
err draft_time(struct door *door, bool given, int64_t original_ms, int64_t sent_ms, bool exact,
               struct problem *problem) MUST_USE;
/* A channel by its name as a client may write it; "" if it is none. */
str draft_channel(struct door *door, str name);

/* Encode into the log's records. */
err draft_finish(struct door *door, struct problem *problem) MUST_USE;
/* What became of an item: `error` OK or why it was refused. */
void draft_tell(struct door *door, json_value item, err error, const struct problem *problem);

/* Write a value as JSON with its personal parts masked (`mask`) or sealed. */
err draft_write_value(struct door *door, struct buffer *out, json_value value, bool mask) MUST_USE;

/* ---- promoted columns (promote.c) ---- */

/* Typed values of what was found, by column; `object` are all properties, for the lines of an order. */
void promote_found(struct collect_worker *worker, json_value object, const json_value *found,
                   uint32_t found_set, bool lines_make_revenue);

/* ---- the doors ---- */

void segment_events(struct door *door, int route); /* enum route of route.h */
void segment_pixel(struct door *door, bool page);
void segment_settings(struct door *door, str write_key);
void segment_source_config(struct door *door);
void sensors_events(struct door *door, bool gif, bool debug);

#endif
