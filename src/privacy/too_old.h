/* SPDX-License-Identifier: Apache-2.0 */
/* too_old: a run of retention at work, and what it takes of each kind. Private to privacy/; retention.c begins and ends it. */
#ifndef KITH_PRIVACY_TOO_OLD_H
#define KITH_PRIVACY_TOO_OLD_H

#include "privacy/inside.h"

#define TOO_OLD_IDS_A_STEP 1000

struct retaining {
    struct privacy *privacy;
    struct problem *problem;
    struct json_parser *parser;
    json_value policy;
    uint32_t number;
    int64_t at_ms; /* as of when it is judged what is too old */
    uint64_t seq, place;
    bool dry;
    uint64_t counts[RETENTION_COUNT];
    struct buffer types; /* dry: what goes of events, {type: count} */
    uint64_t ids[TOO_OLD_IDS_A_STEP];
    size_t id_count;
    err error;
};

/* Remove, or count in a dry run, what is too old of this kind. UNAVAILABLE when the server stops. */
err too_old_take(struct retaining *run, enum retention_kind kind) MUST_USE;

#endif
