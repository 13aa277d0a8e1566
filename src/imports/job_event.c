/* SPDX-License-Identifier: Apache-2.0 */
/* job_event: an event that the mapping made: known already, replacing another one, or new. */
#include <string.h>

#include "imports/job_inside.h"

static uint64_t eight_bytes(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static err note_replaced(struct job_run *run, const struct known_event *event)
{
    if (run->replaced_count == run->replaced_capacity) {
        size_t capacity = run->replaced_capacity == 0 ? 256 : run->replaced_capacity * 2;
        struct taken_event *replaced = memory_resize(run->replaced, capacity * sizeof *replaced);
        if (replaced == NULL)
            return ERR_NOMEM;
        run->replaced = replaced;
        run->replaced_capacity = capacity;
    }
    run->replaced[run->replaced_count++] = (struct taken_event){ event->node, event->seq };
    return ERR_OK;
}

/* Is it there already? What has its natural key and says something else is replaced; an object's newest
 * saying counts by its time anyway. */
static err compare_known(struct job_run *run, const struct event *event, uint64_t natural,
                         uint64_t content, bool *is_known)
{
    struct known_event *found[KNOWN_FOUND_MAX];
    size_t count = known_find(run->known, natural, found);
    err error = ERR_OK;
    *is_known = false;
    for (size_t i = 0; i < count && !*is_known; i++)
        *is_known = found[i]->seq != 0 && found[i]->content == content;
    if (*is_known || count == 0)
        return ERR_OK;
    bool replaces = event->kind != EVENT_OBJECT;
    for (size_t i = 0; i < count && error == ERR_OK && replaces; i++) {
        if (found[i]->seq == 0)
            continue;
        error = note_replaced(run, found[i]);
        found[i]->seq = 0;
        run->counts.replaced++;
    }
    return error;
}

static err encode_event(struct job_run *run, const struct mapping_event *mapped, uint64_t natural,
                        uint64_t content)
{
    struct event event = *mapped->event;
    uint64_t key[2] = { content ^ known_key_of_job(run->row->number), natural };
    memcpy(event.message_key, key, sizeof event.message_key);
    event.source_number = EVENT_SOURCE_IMPORT_FIRST + run->row->number;
    event.channel = owner_channel(&run->owner, mapped->event);
    event.flags |= EVENT_HISTORICAL | EVENT_IMPORTED;
    buffer_clear(&run->body);
    return event_encode(&run->body, &event, run->problem);
}

/* What was encoded last. */
static err append_event(struct job_run *run, int64_t time_ms)
{
    struct chunk *chunk = &run->chunks[run->filling];
    log_record_write(&chunk->records, LOG_RECORD_EVENT, buffer_str(&run->body));
    chunk->count++;
    if (time_ms > run->newest_ms && time_ms <= run->now_ms)
        run->newest_ms = time_ms;
    return buffer_status(&chunk->records);
}

/* The place of its content is far off in memory: the event is encoded while it comes. */
static err take_new(struct job_run *run, const struct mapping_event *mapped, uint64_t natural,
                    uint64_t content)
{
    bool is_known = false;
    known_prefetch(run->known, content);
    err error = compare_known(run, mapped->event, natural, content, &is_known);
    enum known_content what = CONTENT_AGAIN;
    if (error == ERR_OK && !is_known)
        error = encode_event(run, mapped, natural, content);
    if (error == ERR_OK && !is_known)
        what = known_look(run->known, content, &error);
    if (error != ERR_OK)
        return error;
    if (what == CONTENT_AGAIN)
        run->counts.duplicates++;
    else
        run->counts.events++;
    return what == CONTENT_NEW ? append_event(run, mapped->event->time_ms) : ERR_OK;
}

/* Orders whose lines wait for each other come out all at once, when the file is read: then a chunk is sent
 * from here. */
bool job_take_event(void *context, const struct mapping_event *mapped)
{
    struct job_run *run = context;
    struct problem refusal;
    if (!owner_may_tell(&run->owner, mapped->event, &refusal))
        return job_take_refused(run, mapped->first_row, STR_NONE, STR("not_yours"), &refusal);
    if (run->error == ERR_OK)
        run->error = take_new(run, mapped, eight_bytes(mapped->natural_key),
                              eight_bytes(mapped->content_hash));
    if (run->error == ERR_OK && run->is_ending && job_chunk_is_full(run))
        run->error =
            imports_must_stop(run->imports, run->running) ? ERR_UNAVAILABLE : job_chunk_send(run);
    return run->error == ERR_OK;
}

bool job_take_refused(void *context, uint64_t row, str raw, str code, const struct problem *problem)
{
    struct job_run *run = context;
    report_row(run->report, row, code, str_from_c(problem->detail), raw);
    run->counts.refused++;
    return true;
}
