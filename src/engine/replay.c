/* SPDX-License-Identifier: Apache-2.0 */
/* replay: quarantined events go through the log again, flagged, once each.
 *
 * The record is the one that was refused; its message key says which row of the quarantine it empties
 * when it is applied. Asking twice, or a crash in between, cannot apply it twice: a second record finds
 * nobody waiting and counts as a duplicate.
 */
#include <stdio.h>

#include "engine/state.h"

/* Per append: so many events, or so many bytes. */
#define REPLAY_BYTES_MAX ((size_t)2 << 20)

struct replay {
    struct engine *engine;
    const struct engine_correction *correction;
    struct arena arena;
    struct buffer records, body, corrected;
    uint32_t count;
    size_t replayed;
    err error;
    struct problem *problem;
};

static void send_records(struct replay *replay)
{
    if (replay->count == 0)
        return;
    err error = buffer_status(&replay->records);
    if (error == ERR_OK)
        error = engine_append_wait(replay->engine, buffer_str(&replay->records), replay->count);
    if (error == ERR_OK)
        replay->replayed += replay->count;
    else
        replay->error = problem_set(replay->problem, error,
                                    "%zu events were replayed, then the log refused: %s",
                                    replay->replayed, err_title(error));
    replay->count = 0;
    buffer_clear(&replay->records);
}

static err correct_record(struct replay *replay, str *record)
{
    if (replay->correction == NULL)
        return ERR_OK;
    buffer_clear(&replay->corrected);
    err error = replay->correction->correct(replay->correction->context, *record,
                                            &replay->corrected, replay->problem);
    if (error == ERR_OK)
        error = buffer_status(&replay->corrected);
    *record = buffer_str(&replay->corrected);
    return error;
}

static bool replay_row(void *context, const struct ledger_value *values)
{
    struct replay *replay = context;
    struct event event;
    if (!str_equal(values[8].bytes, STR("waiting")))
        return true;
    str record = values[7].bytes;
    arena_reset(&replay->arena);
    buffer_clear(&replay->body);
    if (event_decode(record, &replay->arena, &event, NULL) != ERR_OK)
        return true; /* a record that this version cannot read stays where it is */
    replay->error = correct_record(replay, &record);
    if (replay->error != ERR_OK)
        return false;
    replay->error = event_decode(record, &replay->arena, &event, replay->problem);
    if (replay->error != ERR_OK)
        return false;
    event.flags |= EVENT_REPLAYED;
    replay->error = event_encode(&replay->body, &event, replay->problem);
    if (replay->error != ERR_OK)
        return false;
    log_record_write(&replay->records, LOG_RECORD_EVENT, buffer_str(&replay->body));
    replay->count++;
    if (replay->records.size >= REPLAY_BYTES_MAX)
        send_records(replay);
    return replay->error == ERR_OK;
}

static err tell_audit(struct replay *replay, uint32_t user_number)
{
    char body[64];
    int size = snprintf(body, sizeof body, "{\"count\":%zu}", replay->replayed);
    struct engine_command command = { .operation = STR("quarantine.replay"),
                                      .body = { body, (size_t)size },
                                      .user_number = user_number };
    int status;
    struct buffer response;
    buffer_init(&response, 4096);
    err error = engine_command(replay->engine, &command, &status, &response, replay->problem);
    buffer_deinit(&response);
    return error;
}

err engine_replay_quarantine(struct engine *engine, const uint64_t *ids, size_t count,
                             const struct engine_correction *correction, uint32_t user_number,
                             size_t *replayed, struct problem *problem)
{
    struct replay replay = { .engine = engine, .correction = correction, .problem = problem };
    struct ledger_value *keys = memory_alloc((count + 1) * sizeof *keys);
    if (keys == NULL)
        return ERR_NOMEM;
    for (size_t index = 0; index < count; index++)
        keys[index] = ledger_int((int64_t)ids[index]);
    arena_init(&replay.arena, "replay", (size_t)16 << 20);
    buffer_init(&replay.records, (size_t)8 << 20);
    buffer_init(&replay.body, (size_t)1 << 20);
    buffer_init(&replay.corrected, (size_t)1 << 20);
    err error =
        ledger_find(engine->ledger, LEDGER_QUARANTINE, keys, count, replay_row, &replay, problem);
    if (error == ERR_OK && replay.error == ERR_OK)
        send_records(&replay);
    if (error == ERR_OK)
        error = replay.error;
    if (error == ERR_OK && replay.replayed > 0)
        error = tell_audit(&replay, user_number);
    *replayed = replay.replayed;
    buffer_deinit(&replay.corrected);
    buffer_deinit(&replay.body);
    buffer_deinit(&replay.records);
    arena_deinit(&replay.arena);
    memory_free(keys);
    return error;
}
