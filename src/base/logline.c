/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines to stderr, with a brake on repeats. */
#include "base/logline.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/metric.h"
#include "base/str.h"

#define LINE_BYTES_MAX 2048
#define EVENT_SLOTS 128
#define LINES_PER_EVENT_AND_SECOND 20

/* What was told of one event name in its current second. A name that meets another in its slot takes
 * the slot over: the brake is for floods, and a flood comes back at once. */
static struct brake {
    const char *event;
    int64_t second_start_ns;
    uint64_t last_line;  /* hash of the last line told */
    uint32_t told;       /* lines told in this second */
    uint64_t suppressed; /* lines held back since the last one told */
} brakes[EVENT_SLOTS];

static pthread_mutex_t brake_mutex = PTHREAD_MUTEX_INITIALIZER;
static int level_min = LOG_INFO;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void log_set_level(enum log_level level)
{
    __atomic_store_n(&level_min, (int)level, __ATOMIC_RELAXED);
}

/* Whether the line may be told now; `*suppressed` is how many like it were held back before. */
static bool brake_lets_pass(const char *event, uint64_t line, uint64_t *suppressed)
{
    uint64_t name = hash_bytes64(event, strlen(event), 0);
    struct brake *brake = &brakes[name % EVENT_SLOTS];
    int64_t now_ns = steady_now().ns;
    pthread_mutex_lock(&brake_mutex);
    if (brake->event == NULL || strcmp(brake->event, event) != 0)
        *brake = (struct brake){ .event = event, .second_start_ns = now_ns };
    if (now_ns - brake->second_start_ns >= INT64_C(1000000000)) {
        brake->second_start_ns = now_ns;
        brake->told = 0;
    }
    bool repeats = brake->told > 0 && brake->last_line == line;
    bool pass = !repeats && brake->told < LINES_PER_EVENT_AND_SECOND;
    *suppressed = brake->suppressed;
    if (pass) {
        brake->told++;
        brake->last_line = line;
        brake->suppressed = 0;
    } else {
        brake->suppressed++;
    }
    pthread_mutex_unlock(&brake_mutex);
    return pass;
}

/* A line stays one line, whatever a system's message or a value brings along. */
static void flatten(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = ' ';
}

/* One write, so that lines of several threads do not mix. */
static void put_line(enum log_level level, const char *event, const char *pairs,
                     uint64_t suppressed)
{
    char line[LINE_BYTES_MAX + 256], time_text[TIME_TEXT_BYTES], repeats[48] = "";
    struct wall_clock clock;
    wall_clock_init_real(&clock);
    time_format_utc(wall_clock_now_ms(&clock), time_text);
    if (suppressed > 0)
        snprintf(repeats, sizeof repeats, " suppressed=%llu", (unsigned long long)suppressed);
    int size = snprintf(line, sizeof line, "%s %s %s%s%s%s\n", time_text, level_names[level], event,
                        pairs[0] != '\0' ? " " : "", pairs, repeats);
    if (size < 0)
        return;
    if ((size_t)size >= sizeof line) {
        size = (int)sizeof line - 1;
        line[size - 1] = '\n';
    }
    /* Nowhere to complain to when stderr is gone. */
    if (write(STDERR_FILENO, line, (size_t)size) < 0)
        return;
}

void log_line(enum log_level level, const char *event, const char *pairs, ...)
{
    if ((int)level < __atomic_load_n(&level_min, __ATOMIC_RELAXED))
        return;
    char text[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, pairs);
    int length = vsnprintf(text, sizeof text, pairs, arguments);
    va_end(arguments);
    if (length < 0)
        text[0] = '\0';
    else if ((size_t)length >= sizeof text)
        text[str_utf8_prefix_bytes(str_from_bytes(text, sizeof text - 1), sizeof text - 1)] = '\0';
    flatten(text);
    uint64_t suppressed;
    uint64_t line = hash_bytes64(text, strlen(text), (uint64_t)level);
    if (brake_lets_pass(event, line, &suppressed))
        put_line(level, event, text, suppressed);
    else
        metric_add(METRIC_LOG_LINES_SUPPRESSED, 1);
}
