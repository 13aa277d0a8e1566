/* SPDX-License-Identifier: Apache-2.0 */
/* audit: who did what, when, from where; append-only, and told when somebody tampered with it.
 *
 * A line is a row of AUDIT, written in the transaction of the change itself. Its chain is a keyed hash over the
 * chain of the line before and all that is in it, so that a line which was altered, removed or put in between
 * breaks the chain of the next. The head, a row of META, says how many lines there are and with which chain they
 * end, under a hash of its own: lines cut off at the end are missed, too. Whoever has the keys of the folder can
 * write a chain of her own: keep copies of exported heads elsewhere against that (docs/security.md).
 *
 *   chain  = hash("audit", chain before | seq u64 | at_ms i64 | user u32 | action | object | detail
 *                          [| address])       texts with their length; no address: nothing
 *   head   = count u64 | seq u64 | chain 16 | hash("audit head", of what is before it) 16
 *
 * The engine's thread writes, any thread verifies.
 */
#ifndef KITH_ACCESS_AUDIT_H
#define KITH_ACCESS_AUDIT_H

#include "access/seal.h"
#include "store/ledger.h"

#define AUDIT_CHAIN_BYTES SEAL_HASH_BYTES
#define AUDIT_HEAD_KEY "audit_head"

struct audit_line {
    uint64_t seq;
    int64_t at_ms;
    uint32_t user_number; /* 0: the system */
    str action, object, detail, address;
};

/* Where the chain ends. */
struct audit_head {
    uint64_t count, seq;
    uint8_t chain[AUDIT_CHAIN_BYTES];
};

/* Its last state. One that somebody tampered with loads, and is marked for ever: Kith starts, audit_verify
 * tells. */
err audit_head_load(struct audit_head *head, const struct keys *keys, struct ledger *ledger,
                    struct problem *problem) MUST_USE;
/* Append a line, and move the head to it. */
void audit_write(struct audit_head *head, const struct keys *keys, const struct audit_line *line,
                 struct ledger_writes *writes);

/* Lines go by age (at least the fewest days of engine/retention.h). An anchor, a row of META under a keyed hash of its own,
 * says how many went and with which chain they ended, so that the rest still proves itself. */
#define AUDIT_ANCHOR_KEY "audit_anchor"
/* The oldest lines, up to `limit` of those before `before_ms`, as the ledger has them (behind a barrier): they are removed,
 * the anchor moves. CORRUPT, and nothing is removed, when they are not those that were written. */
err audit_expire(struct ledger *ledger, const struct keys *keys, int64_t before_ms, size_t limit,
                 struct ledger_writes *writes, uint64_t *removed, struct problem *problem) MUST_USE;

struct audit_verdict {
    uint64_t lines;   /* that were read */
    uint64_t expired; /* that went by age before */
    bool is_whole;
    uint64_t broken_seq; /* the first line whose chain is not that of what is before it; 0: none */
    const char *complaint; /* what is wrong; "" when whole */
};

/* Read all of it and compute every chain again. Seconds for a million lines. Lines that are written meanwhile do
 * not count. Errors are those of the ledger alone; what was tampered with is a verdict. */
err audit_verify(struct ledger *ledger, const struct keys *keys, struct audit_verdict *verdict,
                 struct problem *problem) MUST_USE;

#endif
