/* SPDX-License-Identifier: Apache-2.0 */
/* act_inside: what act.c, act_send.c, act_accounts.c and act_results.c share. Private to engine/. */
#ifndef KITH_ENGINE_ACT_INSIDE_H
#define KITH_ENGINE_ACT_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/act/act.h"

#define ACT_ZONES_MAX 64
#define ACT_PARSERS 16
#define ACT_ACCOUNTS_MAX 1000

struct outgoing;
struct sender_server;
struct zone;

/* An account with something to claim, as the engine's thread said. */
struct act_account {
    char key[101];
    bool is_ready, is_inside;
};

/* A result of a channel, or of the house itself, until it is told to the log; one piece of memory with its texts. */
struct act_result {
    struct act_result *next;
    uint64_t touch;
    enum channel_outcome outcome;
    int64_t retry_ms, at_ms;
    str provider_id, code, reason, detail, response;
    bool is_repeat; /* LATER, and it may have been sent: the next try knows */
    bool is_points; /* the event of it is the points themselves */
    str content;    /* of points */
};

struct act {
    struct engine *engine;
    _Atomic int awaiting; /* callbacks that wait for answers */

    /* engine thread */
    struct touches *touches;
    struct touch_world world;
    err (*moved)(struct engine *engine, const struct touch_change *change,
                 struct touch_moment moment, struct ledger_writes *writes);
    struct arena values;
    const struct value_lens *lens; /* NULL: everything is seen */
    struct buffer value_text;
    struct json_parser *parsers[ACT_PARSERS];
    unsigned parser_next;
    struct zone *zone, *zones[ACT_ZONES_MAX]; /* of the workspace; of customers */
    size_t zone_count;
    char zone_name[64];
    bool has_zones;
    bool children_released; /* children.h */

    _Atomic int64_t next_due_ms;
    _Atomic bool accounts_changed; /* channels have to hear of it */
    _Atomic uint64_t claimed, told;

    struct channels *channels;
    struct outgoing *outgoing;         /* others send; NULL: we do */
    struct sender_server *sends_alone; /* we send for others; NULL: no */
    int64_t began_ms;                  /* of a virtual clock */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct act_account accounts[ACT_ACCOUNTS_MAX]; /* under mutex, as all below */
    size_t account_count;
    struct act_result *results, **results_last;
    size_t result_count;
    bool stopping, draining;
    pthread_t sender, teller;
    _Atomic bool is_started; /* channels, mutex and lists are there */
    bool sender_runs, teller_runs;
};

/* act_send.c; any thread */
int64_t act_now_ms(const struct act *act);

/* act_accounts.c; any thread */
void act_ready(void *context, str account);
/* The next ready account from *index on, not ready any more; false: none. */
bool act_take_ready(struct act *act, size_t *index, char key[101]);
/* What never leaves the house is not known to channels. */
bool act_is_inside(struct act *act, str key);
/* Channels hear of all accounts. `all_ready`: each is looked at; else it is the first time, and they are told what went today. */
void act_sync_accounts(struct act *act, struct json_parser *parser, bool all_ready);

/* act_results.c; any thread. Texts are copied. `content`: of points. */
void act_keep_result(struct act *act, const struct channel_result *result, bool is_points,
                     str content);
void act_channel_done(void *context, const struct channel_result *result);
void act_channel_receipts(void *context, str account, str receipts);
/* The teller's thread, of an act. */
void *act_tell_loop(void *context);

#endif
