/* SPDX-License-Identifier: Apache-2.0 */
/* definition: a tag or a segment as it lives: its recipe, who is in it, and what changed that the ledger does not have yet.
 * Private to audience/; engine. */
#ifndef KITH_AUDIENCE_DEFINITION_H
#define KITH_AUDIENCE_DEFINITION_H

#include "audience/audience.h"
#include "audience/members.h"
#include "audience/recipe.h"

/* ---- definition.c ---- */

/* Kinds of causes of a change. */
enum cause {
    CAUSE_EVENT,
    CAUSE_FACT,
    CAUSE_TIME,
    CAUSE_MERGE,
    CAUSE_DEFINITION,
    CAUSE_HAND,
    CAUSE_RECOUNT,
    CAUSE_COUNT
};
const char *cause_text(enum cause cause);
struct change {
    uint32_t customer;
    int64_t at_ms;
    uint64_t seq;
    enum cause cause;
    int64_t old_value, new_value;
};

/* Values given by hand, file or model: per node, so that a split takes nothing from anybody. */
struct given {
    struct numbers values, at_ms; /* value: code or number; NO_VALUE with a time: taken away */
};
struct definition {
    uint32_t on;      /* kind of objects; 0: customers */
    int64_t until_ms; /* on objects: when time alone may change a value */
    bool stale;       /* on objects: all are to be judged anew */
    bool uncounted;   /* on objects: what is counted may have changed */
    bool moved;       /* on objects: some value changed, and who depends on it was not asked yet */
    bool row_dirty;   /* its row is to be written with the next commit */
    struct taking *taking;          /* what its install changed is being noted; taking.c */
    bool wants_entered;             /* some rule asks since when they are in it */
    struct numbers entered;         /* ms, of those who are; kept from when it is wanted */
    uint32_t number;                /* from 1, never reused */
    uint32_t version, live_version; /* 0: not live yet */
    enum audience_kind kind;
    bool deleted;
    str key, name, folder, description, owner, form_name; /* in `text` */
    char *text;                                           /* JSON of the body, terminated */
    size_t text_size;
    int64_t created_ms, changed_ms;
    uint32_t user_number;
    uint64_t changed_seq;
    struct recipe *recipe; /* live; NULL before */
    struct recipe *next;   /* of `version`, while it is computed */
    struct set *sets;      /* by code - 1; of a segment one */
    uint32_t set_count;
    struct numbers numbers;
    struct lexicon *texts; /* of text tags: what codes mean, whatever version gave them */
    uint32_t texts_stored; /* codes that the ledger has */
    uint32_t *codes;       /* of the live recipe's values, in_sets */
    bool requantile;       /* its thresholds are to be computed anew */
    str edges;             /* JSON: thresholds that were computed for `version`; owned */
    struct given given;
    uint32_t level;    /* of dependency */
    uint32_t position; /* in audience->order */
    /* what has changed and is not in the ledger yet */
    struct buffer changes;
    uint64_t change_number;  /* of the last change; each definition counts its own */
    uint64_t changes_number; /* of the first in the open row */
    uint32_t changes_count;
    int64_t changes_first_ms;
    struct change changes_last;
    bool changes_dirty, state_dirty;
    uint64_t checkpoint; /* all changes up to it are in the chunks in the ledger */
};

/* Entries of a definition that are too many for its open row; written by the next commit. */
struct changes_row {
    struct changes_row *next;
    uint32_t definition, count;
    uint64_t number;
    int64_t first_ms, last_ms;
    char *bytes;
    size_t size;
};

#endif
