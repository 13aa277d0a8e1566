/* SPDX-License-Identifier: Apache-2.0 */
/* outgoing_inside: what the files of outgoing share. Private.
 *
 *   outgoing.c          beginning and end; messages and accounts into the outbox
 *   outgoing_results.c  what came of them into the log, and the stop; a thread of its own
 *   outgoing_recover.c  what an active server finds there when it begins
 */
#ifndef KITH_ENGINE_OUTGOING_INSIDE_H
#define KITH_ENGINE_OUTGOING_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/act/act_inside.h"
#include "engine/act/outgoing.h"
#include "log/outbox.h"

#define OUTGOING_AGAIN_MS 100
#define OUTGOING_LATER_MS 1000

struct open_account {
    char key[OUTBOX_ACCOUNT_BYTES];
    size_t count;
    int64_t went; /* of the results that are being told: they count for its day */
};

struct outgoing {
    struct act *act;
    struct outbox *putting, *taking; /* of the sender's thread; of ours */
    uint64_t puts;                   /* sender's thread */
    struct buffer text, sealed;      /* likewise */
    struct arena arena;
    uint64_t *under_way; /* what the outbox had when we came, ascending */
    size_t under_way_count, under_way_room;

    pthread_mutex_t mutex;
    struct open_account accounts[ACT_ACCOUNTS_MAX];
    size_t account_count;
    struct outbox_counts counts;
    _Atomic bool stopping;
    pthread_t thread;
    bool runs;

    /* our thread */
    struct arena taken;
    struct json_parser *parser;
    struct buffer numbers;
    steady_ns stopped, counted, day_asked;
    int64_t day_start_ms;
    bool is_away; /* and it was said */
};

/* ---- outgoing.c ---- */

uint64_t outgoing_epoch(const struct outgoing *outgoing);
/* What failed is tried again while it may help; waits a little before it says so. */
bool outgoing_tries_again(struct outgoing *outgoing, err error, const struct problem *problem);
/* Under the mutex; NULL: there are too many. */
struct open_account *outgoing_account_at(struct outgoing *outgoing, str key);
/* One more of the account is out, or one less. */
void outgoing_count_out(struct outgoing *outgoing, str key, bool out);

struct zone_question {
    struct act *act;
    char zone[64];
    int64_t day_start_ms;
};
/* The zone of the house, and when its day began. False: the engine ends. */
bool outgoing_zone_of(struct act *act, struct zone_question *ask);
/* One more of the numbers of an array of PostgreSQL that begins with '{'. */
void outgoing_write_number(struct buffer *numbers, uint64_t number);

/* ---- outgoing_results.c ---- */

/* The results that are there, some at a time, into the log; then their rows go. */
err outgoing_take_results(struct outgoing *outgoing, size_t *count,
                          struct problem *problem) MUST_USE;
/* Its thread. */
void *outgoing_run(void *context);

#endif
