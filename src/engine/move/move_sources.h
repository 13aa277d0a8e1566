/* SPDX-License-Identifier: Apache-2.0 */
/* move_sources: which sources bring which events, and how far each has told: 'did not' is decided by it (J7).
 *
 *   - A source that speaks by itself (a door, a server's SDK) has told everything up to the minute of its newest event, less
 *     SOURCE_GRACE_MS for what its clients still hold back.
 *   - A source of files has told everything up to where its import, or a person, says (watermark.put).
 *   - One that has told nothing for SOURCE_DAYS is not waited for.
 *
 * All of it is a function of the records: times are kept in whole minutes, with the commit in which they change.
 * Engine thread.
 */
#ifndef KITH_ENGINE_MOVE_SOURCES_H
#define KITH_ENGINE_MOVE_SOURCES_H

#include "base/arena.h"
#include "base/error.h"
#include "event/event.h"
#include "store/ledger.h"

#define SOURCE_DAYS 7
#define SOURCES_MAX 1000

struct engine;

struct told_source {
    str name;
    int64_t told_ms, at_ms; /* INT64_MIN: nothing yet */
    bool is_live;           /* speaks by itself: told_ms is of its newest event */
};
/* A type that a source brought. */
struct brought {
    str type;
    uint32_t source; /* index */
    uint32_t next;   /* of the same type, + 1 */
    int64_t minute, at_ms;
    bool is_live, is_dirty;
};
struct move_sources {
    struct arena texts;
    struct told_source *sources;
    uint32_t source_count;
    struct brought *rows;
    uint32_t row_count, row_capacity;
    uint32_t *types; /* open addressing: first row of a type, + 1 */
    uint32_t type_capacity, type_count;
    uint32_t *dirty;
    uint32_t dirty_count, dirty_capacity;
    uint32_t *jobs; /* by number of an import: index of its source, + 1 */
    uint32_t job_count;
};

err move_sources_init(struct move_sources *sources) MUST_USE;
void move_sources_deinit(struct move_sources *sources);
err move_sources_load(struct move_sources *sources, struct engine *engine,
                      struct problem *problem) MUST_USE;
/* An import was made: its events are of this source. */
err move_sources_job(struct move_sources *sources, uint32_t number, str source) MUST_USE;
/* An event took effect. */
err move_sources_note(struct move_sources *sources, const struct engine *engine,
                      const struct event *event) MUST_USE;
/* It said by a command how far it has told. One that speaks by itself says it by that. */
err move_sources_told(struct move_sources *sources, str source, int64_t time_ms,
                      int64_t now_ms) MUST_USE;
/* All that bring this event have told everything up to here; of one that nobody has brought yet: all that tell by files. */
int64_t move_sources_watermark(const struct move_sources *sources, str event, int64_t now_ms);
void move_sources_commit(struct move_sources *sources, struct ledger_writes *writes);

#endif
