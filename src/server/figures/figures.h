/* SPDX-License-Identifier: Apache-2.0 */
/* figures: sums over all events, kept for some seconds. Private to server/.
 *
 * Those of the overview, of links and of the day's orders come of a walk through the history in memory (figures_memory.h); the
 * warehouse is asked for what memory does not have, for sources, and for who sees a part. A figure says up to when it is true.
 * When nobody answers, what was known last is shown, marked partial. Worker threads.
 */
#ifndef KITH_SERVER_FIGURES_H
#define KITH_SERVER_FIGURES_H

#include "server/inside.h"

/* The customer that a row of `events` belongs to now, in SQL. */
#define WAREHOUSE_CURRENT_CUSTOMER \
    "dictGetOrDefault('alias_map', 'current', toUInt64(customer), customer)"

struct figures;
err figures_new(struct figures **figures) MUST_USE;
void figures_free(struct figures **figures);
/* The server is set up: what takes long is asked for. */
void figures_begin(struct server *server);

struct source_figures {
    int64_t events_today;  /* of the workspace's day */
    int64_t last_event_ms; /* 0: none */
};
void figures_refresh_sources(struct server *server);
struct source_figures figures_of_source(struct server *server, uint32_t source_number);

/* Sampled once a second by the live thread: for events per second. */
void figures_sample(struct server *server);
double figures_events_per_second(struct server *server);

/* Customers with a strong identifier. */
uint64_t figures_identified(struct server *server);
/* JSON members `by_hour` and `by_channel` of the overview, and `partial`. */
void figures_write_overview(struct server *server, struct json_writer *writer);
/* Items of link-rate; `partial` when the warehouse did not answer and nothing is known. */
err figures_write_link_rate(struct server *server, struct json_writer *writer, bool *partial,
                            int64_t *as_of_ms, struct problem *problem) MUST_USE;
/* Merges since the day began in the workspace's zone, open refusals, waiting quarantine. */
struct open_counts {
    int64_t merges_today, refusals_open, quarantine_waiting;
};
struct open_counts figures_open_counts(struct server *server);
/* Orders first paid since the day began, neither cancelled nor wholly refunded, and what of them stays: as a customer's
 * summary counts them (profile/order.c). Money in minor units, the currency of most orders first. */
#define TODAY_CURRENCIES_MAX 8
struct today_line {
    char currency[4];
    int64_t orders, net, refunded;
};
struct today_figures {
    struct today_line lines[TODAY_CURRENCIES_MAX];
    size_t count;
    int64_t as_of_ms; /* 0: never */
    bool partial;     /* nobody answered: what was known last */
};
/* Of everybody. */
void figures_today(struct server *server, struct today_figures *today);
/* Of who and what this request sees; asked anew each time. */
err figures_today_seen(struct request *request, struct today_figures *today,
                       struct problem *problem) MUST_USE;
/* Start of the present day in the workspace's zone. */
int64_t figures_day_start_ms(struct server *server);

#endif
