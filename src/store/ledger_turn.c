/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_turn: a ledger goes on in another place while it is written.
 *
 *     ASKED ──a moment is fixed──▶ COPYING ──all is there──▶ ENDING ──between two commits──▶ PARKED ──swapped──▶ OVER
 *       turn_step                    │  what is committed meanwhile goes         turn_step              ledger_move
 *                                    │  into a file, and from there to the new place
 *                                    └──failed──▶ OVER, where it was
 *
 * Rows of the moment replace all that is in the new place, in one transaction: until then that is the ledger that it was. The
 * sets that came since are committed there in their order; for the last of them the ledger's thread waits. Then connections
 * change hands: whoever has the ledger keeps it, whoever reads ends reading where it began. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/logline.h"
#include "store/ledger_inside.h"

/* Handed to the new place and not yet committed there. */
#define AHEAD_BYTES_MAX ((size_t)32 << 20)
/* With no more than this left the ledger's thread is asked to wait for the rest. */
#define REST_BYTES_MAX ((uint64_t)4 << 20)

/* A set in the file: its applied_seq, the size of its rows, the rows. */
struct kept_set {
    uint64_t applied_seq, size;
};

enum turn_state { TURN_ASKED, TURN_COPYING, TURN_ENDING, TURN_PARKED, TURN_OVER };

struct turn {
    struct ledger *ledger, *target;
    const _Atomic bool *stop;
    struct sql *from; /* of the reader that holds the moment */
    int file;
    _Atomic uint64_t written; /* bytes of the file */
    uint64_t taken;
    struct buffer rows;
    enum turn_state state; /* under the ledger's mutex, with what follows */
    bool failed;
    struct problem problem; /* why, of the ledger's thread */
};

/* ---- the ledger's thread ---- */

static void say(struct turn *turn, enum turn_state state)
{
    turn->state = state;
    pthread_cond_broadcast(&turn->ledger->changed);
}

static void keep(struct turn *turn, const struct ledger_writes *writes)
{
    const struct kept_set set = { .applied_seq = writes->applied_seq, .size = writes->rows.size };
    uint64_t at = atomic_load(&turn->written);
    if (file_write_at(turn->file, &set, sizeof set, at) == 0 &&
        file_write_at(turn->file, writes->rows.data, writes->rows.size, at + sizeof set) == 0) {
        at += sizeof set + writes->rows.size;
        atomic_store(&turn->written, at);
        return;
    }
    turn->failed = true;
    problem_set(&turn->problem, ERR_STORAGE_FULL,
                "what is committed while the ledger is moved cannot be kept in a file");
}

void turn_keep(struct ledger *ledger, const struct ledger_writes *writes)
{
    if (!atomic_load(&ledger->is_moving))
        return;
    pthread_mutex_lock(&ledger->mutex);
    struct turn *turn = ledger->turn;
    if (turn != NULL && turn->state != TURN_ASKED && !turn->failed)
        keep(turn, writes);
    pthread_mutex_unlock(&ledger->mutex);
}

/* A read of anything fixes what the transaction sees; nothing is committed between it and the first set that is kept. */
static void fix_moment(struct turn *turn)
{
    int version;
    err error = sql_begin_read(turn->from, &turn->problem);
    if (error == ERR_OK)
        error = sql_version(turn->from, &version, &turn->problem);
    turn->failed = error != ERR_OK;
    say(turn, TURN_COPYING);
}

void turn_step(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    if (ledger->turn != NULL && ledger->turn->state == TURN_ASKED)
        fix_moment(ledger->turn);
    if (ledger->turn != NULL && ledger->turn->state == TURN_ENDING)
        say(ledger->turn, TURN_PARKED);
    while (ledger->turn != NULL && ledger->turn->state == TURN_PARKED)
        pthread_cond_wait(&ledger->changed, &ledger->mutex);
    pthread_mutex_unlock(&ledger->mutex);
}

/* ---- who moves it ---- */

static bool is_stopped(const struct turn *turn)
{
    return atomic_load(turn->stop);
}

/* An empty set has the thread look, however quiet it is. */
static err ask_thread(struct turn *turn, enum turn_state state, enum turn_state until,
                      struct problem *problem)
{
    struct ledger *ledger = turn->ledger;
    struct ledger_writes *writes = ledger_writes_new(ledger);
    if (writes == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to move the ledger");
    pthread_mutex_lock(&ledger->mutex);
    ledger->turn = turn;
    turn->state = state;
    pthread_mutex_unlock(&ledger->mutex);
    if (ledger_apply(ledger, &writes, 0, NULL, NULL) != ERR_OK)
        ledger_writes_free(&writes);
    ledger_hurry(ledger);
    pthread_mutex_lock(&ledger->mutex);
    while (turn->state != until && ledger->state != LEDGER_DEAD && !is_stopped(turn)) {
        struct timespec look;
        clock_gettime(CLOCK_MONOTONIC, &look);
        look.tv_sec += 1;
        pthread_cond_timedwait(&ledger->changed, &ledger->mutex, &look);
    }
    bool done = turn->state == until;
    pthread_mutex_unlock(&ledger->mutex);
    return done ? ERR_OK : problem_set(problem, ERR_UNAVAILABLE, "the ledger is closed");
}

/* The next set of the file goes to the new place. */
static err hand_on(struct turn *turn, struct problem *problem)
{
    struct kept_set set;
    struct ledger_writes *writes = ledger_writes_new(turn->target);
    err error = writes != NULL ? ERR_OK : ERR_NOMEM;
    if (error == ERR_OK && !file_read_at(turn->file, &set, sizeof set, turn->taken))
        error = ERR_IO;
    char *rows = error == ERR_OK && set.size > 0 ? buffer_reserve(&writes->rows, set.size) : NULL;
    if (error == ERR_OK && set.size > 0) {
        error = rows == NULL ? ERR_NOMEM : ERR_OK;
        if (error == ERR_OK && !file_read_at(turn->file, rows, set.size, turn->taken + sizeof set))
            error = ERR_IO;
        if (error == ERR_OK)
            buffer_advance(&writes->rows, set.size);
    }
    if (error == ERR_OK)
        error = ledger_apply(turn->target, &writes, set.applied_seq, NULL, NULL);
    if (error != ERR_OK) {
        if (writes != NULL)
            ledger_writes_free(&writes);
        return problem_set(problem, error, "a set cannot be handed to ledger '%s'",
                           sql_name(turn->target->sql));
    }
    turn->taken += sizeof set + set.size;
    return ERR_OK;
}

static err drain_target(struct turn *turn, struct problem *problem)
{
    err error = ledger_drain(turn->target);
    if (error != ERR_OK && !ledger_is_failing(turn->target, problem))
        return problem_set(problem, error, "ledger '%s' does not commit: %s",
                           sql_name(turn->target->sql), err_title(error));
    return error;
}

/* Of the ledger's thread. */
static err failure(struct turn *turn, struct problem *problem)
{
    pthread_mutex_lock(&turn->ledger->mutex);
    bool failed = turn->failed;
    if (failed)
        *problem = turn->problem;
    pthread_mutex_unlock(&turn->ledger->mutex);
    return failed ? problem->error : ERR_OK;
}

/* Until at most `left` bytes of the file are not in the new place. */
static err catch_up(struct turn *turn, uint64_t left, struct problem *problem)
{
    err error = ERR_OK;
    while (error == ERR_OK && atomic_load(&turn->written) - turn->taken > left) {
        if (is_stopped(turn))
            return problem_set(problem, ERR_UNAVAILABLE, "the ledger is closed");
        if (ledger_pending_bytes(turn->target) > AHEAD_BYTES_MAX)
            error = drain_target(turn, problem);
        else
            error = hand_on(turn, problem);
    }
    if (error == ERR_OK)
        error = failure(turn, problem);
    return error == ERR_OK ? drain_target(turn, problem) : error;
}

/* ---- changing hands ---- */

static void swap_statements(struct sql_statement **ours, struct sql_statement **theirs)
{
    for (int t = 0; t < LEDGER_TABLE_COUNT; t++) {
        struct sql_statement *statement = ours[t];
        ours[t] = theirs[t];
        theirs[t] = statement;
    }
}

/* The thread of the one waits, that of the other has ended. */
static void change_hands(struct ledger *ledger, struct ledger *target)
{
    struct sql *sql = ledger->sql;
    ledger->sql = target->sql;
    target->sql = sql;
    swap_statements(ledger->upserts, target->upserts);
    swap_statements(ledger->deletes, target->deletes);
    swap_statements(ledger->finds, target->finds);
    readers_swap(ledger, target);
    ledger->checkpointed_pages = 0;
    ledger->checkpoint_missed = false;
    atomic_store(&ledger->synced_seq, atomic_load(&target->synced_seq));
}

static err end_turn(struct turn *turn, struct problem *problem)
{
    struct ledger *ledger = turn->ledger;
    err error = ask_thread(turn, TURN_ENDING, TURN_PARKED, problem);
    if (error == ERR_OK)
        error = catch_up(turn, 0, problem);
    INVARIANT(error != ERR_OK ||
              atomic_load(&ledger->applied_seq) == atomic_load(&turn->target->applied_seq));
    if (error == ERR_OK) {
        ledger_stop_thread(turn->target);
        change_hands(ledger, turn->target);
    }
    return error;
}

static err copy_moment(struct turn *turn, const struct ledger_config *to, struct problem *problem)
{
    const struct ledger_copying copying = { .path = to->path,
                                            .epoch = to->epoch,
                                            .replaces = true,
                                            .stop = turn->stop,
                                            .renew = to->renew,
                                            .renew_context = to->renew_context };
    err error = ask_thread(turn, TURN_ASKED, TURN_COPYING, problem);
    if (error == ERR_OK)
        error = failure(turn, problem);
    return error == ERR_OK ? ledger_copy_rows(turn->from, &copying, problem) : error;
}

static err move_to(struct turn *turn, const struct ledger_config *to, struct problem *problem)
{
    struct reader *reader = reader_take(turn->ledger);
    turn->from = reader_sql(reader);
    err error = copy_moment(turn, to, problem);
    sql_end_read(turn->from);
    reader_give(turn->ledger, reader);
    if (error == ERR_OK)
        error = ledger_open(&turn->target, to, problem);
    if (error == ERR_OK)
        error = catch_up(turn, REST_BYTES_MAX, problem);
    return error == ERR_OK ? end_turn(turn, problem) : error;
}

static err open_file(struct turn *turn, struct problem *problem)
{
    turn->file = file_open_nameless();
    return turn->file >= 0
               ? ERR_OK
               : problem_set(problem, ERR_IO, "there is no place for a nameless file: %s",
                             strerror(errno));
}

err ledger_move(struct ledger *ledger, const struct ledger_config *to, const _Atomic bool *stop,
                struct problem *problem)
{
    struct turn turn = { .ledger = ledger, .stop = stop, .file = -1, .state = TURN_OVER };
    atomic_store(&ledger->is_moving, true);
    err error = open_file(&turn, problem);
    if (error == ERR_OK)
        error = move_to(&turn, to, problem);
    pthread_mutex_lock(&ledger->mutex);
    say(&turn, TURN_OVER);
    ledger->turn = NULL;
    pthread_mutex_unlock(&ledger->mutex);
    ledger_close(&turn.target);
    if (turn.file >= 0)
        close(turn.file);
    if (error == ERR_OK)
        atomic_store(&ledger->is_moving, false);
    return error;
}
