/* SPDX-License-Identifier: Apache-2.0 */
/* figures_parts: what is known of each figure, and who asks for it anew. Private to figures*.c.
 *
 *     reader ──fresh──▶ shown
 *        └────old────▶ a thread of its own asks ──▶ 200 ms later at most, what is known then is shown
 *
 * Nobody waits for the warehouse longer than that, save who asks for a figure that was never known. A figure is fresh for 20
 * times as long as it took, and for 5 s at least. */
#ifndef KITH_SERVER_FIGURES_PARTS_H
#define KITH_SERVER_FIGURES_PARTS_H

#include "base/codec.h"
#include "server/figures/figures.h"

#define CHANNELS_MAX 63
#define SAMPLES 11

struct channel_figures {
    char name[64];
    uint64_t events, customers, linked;
};

/* What is asked for at once. WALK goes through memory, COUNTS through the ledger; all else is asked of the warehouse, and only
 * for what memory does not have. */
#define FIGURES(X) X(WALK) X(HOURS) X(CHANNELS) X(LINKS) X(TODAY) X(SOURCES) X(COUNTS)
enum figure {
#define X(NAME) FIGURE_##NAME,
    FIGURES(X)
#undef X
        FIGURE_END
};

struct kept_figure {
    steady_ns at;
    int64_t cost_ms;
    int64_t as_of_ms; /* 0: never */
    /* of who asks for it anew */
    struct server *server;
    pthread_t thread;
    bool asking, has_thread;
    bool is_ahead;  /* of who wants it: old as soon as it is known */
    uint64_t asked; /* how often */
};

struct figures {
    pthread_mutex_t mutex; /* all of it: held for moments */
    pthread_cond_t asked;
    struct kept_figure kept[FIGURE_END];
    int64_t hours[25][2]; /* start, events */
    size_t hour_count;
    struct channel_figures channels[CHANNELS_MAX], links[CHANNELS_MAX];
    size_t channel_count, link_count;
    bool memory_has_all, memory_has_recent; /* as of the last walk */
    bool wants_links; /* somebody asked for them: the walk counts them from then on */
    struct source_figures *sources;
    size_t source_count;
    struct open_counts counts;
    struct today_figures today;
    int64_t today_from_ms; /* the day that they are of */
    pthread_mutex_t samples_mutex;
    uint64_t samples[SAMPLES]; /* events, a second apart */
    size_t sample_count;
};

/* Each asks for one figure, keeps what it gets, and says whether it got it. `as_of_ms` is when it began. On a thread of its own. */
typedef bool figure_ask(struct server *server, int64_t as_of_ms, struct problem *problem);
figure_ask figures_ask_hours, figures_ask_channels, figures_ask_links, figures_ask_today,
    figures_ask_sources;

/* Ask the warehouse, and hand the RowBinary answer to `take` under the mutex. */
bool figures_ask_warehouse(struct server *server, const char *sql,
                           bool (*take)(struct server *server, struct cursor *cursor),
                           struct problem *problem);
/* Currency of most orders first. */
void figures_sort_today(struct today_figures *today);
/* Those of most events first, then by name. */
void figures_sort_channels(struct channel_figures *channels, size_t count);

#endif
