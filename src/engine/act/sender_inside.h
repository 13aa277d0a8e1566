/* SPDX-License-Identifier: Apache-2.0 */
/* sender_inside: what the files of a sender share. Private.
 *
 *   sender.c           its thread, beginning and end
 *   sender_accounts.c  which accounts are its own, looked at five times a second
 *   sender_flights.c   messages: claimed, given to channels, answered
 */
#ifndef KITH_ENGINE_SENDER_INSIDE_H
#define KITH_ENGINE_SENDER_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/act/act_inside.h"
#include "engine/act/sender.h"
#include "log/outbox.h"

#define OWN_MAX ACT_ACCOUNTS_MAX
#define SHELVES 4096 /* a power of two */

/* An account that is ours. */
struct own {
    char key[OUTBOX_ACCOUNT_BYTES];
    uint64_t version; /* of its card, as channels know it; 0: they do not */
    size_t out;       /* claimed, and the answer is not written */
    bool is_seen, is_leaving;
    bool is_ours; /* under the mutex */
};
/* A message that channels have. */
struct flight {
    struct flight *next;
    uint64_t id, touch, seen; /* in which look it was last found to be ours */
    bool was_claimed;         /* by another */
    struct own *own;
};
/* What came of one, until it is written. */
struct answer {
    struct answer *next;
    uint64_t id;
    char own[OUTBOX_ACCOUNT_BYTES];
    struct buffer text;
};

/* Accounts as a look found them. */
struct seen_accounts {
    struct outbox_account items[OWN_MAX];
    size_t count;
};

struct sender_server {
    struct engine *engine;
    struct act *act;
    struct outbox *outbox;
    char id[OUTBOX_SENDER_BYTES];
    int64_t lease_ms;
    pthread_t thread;
    bool runs;
    _Atomic bool stopping;

    /* its thread */
    struct own *own[OWN_MAX];
    size_t own_count;
    struct json_parser *parser;
    struct arena arena;
    struct buffer text;
    struct answer *taken, **taken_last; /* from `answers`, to be written */
    struct seen_accounts seen;
    steady_ns tried;
    bool is_away;

    pthread_mutex_t mutex;
    struct flight *shelves[SHELVES];
    uint64_t look;             /* the number of the last that succeeded */
    steady_ns looked, renewed; /* from before it was asked */
    struct answer *answers, **answers_last;
};

/* ---- sender_accounts.c: the sender's thread ---- */

struct own *sender_own_of(struct sender_server *sender, const char *key);
/* Renew what is ours, see what may leave (S1), take or let go of accounts (S3), and learn their settings. */
err sender_look(struct sender_server *sender, struct problem *problem) MUST_USE;

/* ---- sender_flights.c ---- */

/* Under the mutex; NULL: channels do not have it. */
struct flight *sender_flight_of(struct sender_server *sender, uint64_t touch);
/* What channels ask and tell, on their threads; the context is the sender. */
bool sender_may_leave(void *context, uint64_t touch);
void sender_done(void *context, const struct channel_result *result);
/* The sender's thread: messages of an account go to channels, as many as there is room for; *some when there were any. */
err sender_claim(struct sender_server *sender, struct own *own, bool *some,
                 struct problem *problem) MUST_USE;
/* Write the answers that are there now, some at a time; what cannot be written stays for the next time. */
err sender_answer_all(struct sender_server *sender, struct problem *problem) MUST_USE;
/* When nobody sends any more: answers that were not written, and what channels have, are forgotten. */
void sender_forget_all(struct sender_server *sender);

#endif
