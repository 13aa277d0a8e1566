/* SPDX-License-Identifier: Apache-2.0 */
/* engine_house: a whole engine on a folder of its own and the virtual clock, for simulations. */
#ifndef KITH_TESTS_SUPPORT_ENGINE_HOUSE_H
#define KITH_TESTS_SUPPORT_ENGINE_HOUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "engine/engine.h"

#define HOUSE_START_MS INT64_C(1781827200000) /* 2026-06-19T00:00:00Z, the day after 618 */

struct house {
    char folder[96];
    struct wall_clock clock;
    struct engine *engine;
    int64_t pack_ms; /* of engine_config */
    /* Told on the log's thread that what is being sent is durable, before anything else happens; or NULL. */
    void (*durable)(void *context);
    void *context;
};

void house_make(struct house *house);
void house_remove(struct house *house);
/* `without_warehouse`: all rows stay in the tail. Fails the test when the engine does not open. */
void house_open(struct house *house, bool with_warehouse);
void house_close(struct house *house);

/* What a test says of an event; zero members are left out. */
struct saying {
    uint64_t message; /* becomes the message key */
    const char *type; /* default "Page Viewed" */
    int64_t after_ms; /* since HOUSE_START_MS */
    uint8_t flags;    /* EVENT_TRUSTED is added unless `is_public` */
    bool is_public;
    uint32_t source;                              /* default 1 */
    const char *user, *anonymous, *mobile, *card; /* identifiers */
    const char *name;                             /* trait */
    const char *order_id;
    int64_t revenue;      /* fen */
    const char *currency; /* default CNY with an order, else none */
    const char *props;    /* JSON; default {} */
};
/* Append its record to `records`. */
void house_say(const struct house *house, struct buffer *records, const struct saying *saying);
/* Append records of `count` sayings to the log and wait for the sync. */
err house_send(struct house *house, const struct saying *sayings, size_t count);

/* The same for records as by log_record_write. */
err house_send_records(struct house *house, str records, uint32_t count);

/* Random sayings: the same seed gives the same; people meet, merge, buy, repeat themselves. */
void house_random_saying(struct random_stream *random, uint64_t message, struct saying *saying);

struct digest house_digest(struct house *house, struct buffer *report);
/* What is there when it is closed and opened again is what was there. */
void house_assert_reopens_same(struct house *house, bool with_warehouse);
/* What its log becomes in an empty folder is what is there. `house` is closed by this. */
void house_assert_rebuilds_same(struct house *house);
/* Run a command that must answer `status`; the answer is appended to `answer` (may be NULL). */
void house_command(struct house *house, const char *operation, const char *body, int status,
                   struct buffer *answer);
/* Customer of an identifier, 0 if unknown; with its summary when not NULL. */
uint32_t house_customer(struct house *house, const char *type, const char *value,
                        struct profile_summary *summary);
/* How many events the customer's timeline has in the tail. */
size_t house_tail_events(struct house *house, uint32_t customer);

#endif
