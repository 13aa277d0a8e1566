/* SPDX-License-Identifier: Apache-2.0 */
/* logline: one line per thing worth telling an operator: level, event name, key=value pairs.
 *
 * No personal data, ever. A line that repeats is counted and told once a second at most. Goes to
 * stderr: `2026-11-21T08:00:00.123Z warn flush_retry batch=17 reason="connection refused"`.
 * Any thread.
 */
#ifndef KITH_BASE_LOGLINE_H
#define KITH_BASE_LOGLINE_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* `event` is a static snake_case name. `pairs` is a printf format of key=value pairs, or "". */
void log_line(enum log_level level, const char *event, const char *pairs, ...)
    __attribute__((format(printf, 3, 4)));
void log_set_level(enum log_level level);

#endif
