/* SPDX-License-Identifier: Apache-2.0 */
/* zone: what the clock on the wall of a place said, from the system's time zone data.
 *
 * A zone is a table of offsets over time: local = UTC + offset. It is read once from the TZif file (RFC
 * 8536) of its IANA name under /usr/share/zoneinfo; what the file says of the time behind its last entry
 * as a rule is written out up to the year 2100. Asia/Shanghai and UTC are there without files.
 *
 * A zone is immutable: any thread.
 */
#ifndef KITH_BASE_ZONE_H
#define KITH_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define ZONE_NAME_BYTES 64

struct zone {
    char name[ZONE_NAME_BYTES];
    size_t count;
    int64_t *since_ms; /* ascending; the first is INT64_MIN */
    int32_t *offset_seconds;
};

/* UNPROCESSABLE for a name that no zone has, CORRUPT for a file that is none. */
err zone_load(struct zone **zone, str name, struct problem *problem) MUST_USE;
void zone_free(struct zone **zone);
/* From the bytes of a TZif file. */
err zone_parse_file(struct zone **zone, str name, str bytes, struct problem *problem) MUST_USE;

int32_t zone_offset_seconds(const struct zone *zone, int64_t time_ms);
/* The start of the local day in which a moment lies. Where midnight is skipped, the first moment of the day. */
int64_t zone_day_start_ms(const struct zone *zone, int64_t time_ms);
/* "2026-11-21", the local day. */
#define ZONE_DAY_BYTES 32
void zone_format_day(const struct zone *zone, int64_t time_ms, char out[ZONE_DAY_BYTES]);

#endif
