/* SPDX-License-Identifier: Apache-2.0 */
/* outbox: messages that who holds the lease has claimed, and that other servers send. Tables beside a log on a PostgreSQL server.
 *
 *     active ── put ─▶ kith_outbox ── claim ─▶ sender ── provider
 *     active ◀─ results ── kith_outbox ◀─ answer ── sender            kith_outbox_account, kith_outbox_sender: who sends for what
 *
 * Invariants
 *   O1 An account has one sender at a time, until a moment by the server's clock: its rate, tokens, order and breaker are that one's.
 *      What a sender believes of it is counted by the steady clock from before it asked.
 *   O2 Rows are put, adopted, stopped and removed by the holder of the lease alone: its epoch is checked in each of these statements,
 *      as in a commit of the log.
 *   O3 A row is claimed under the epoch that counts, while its lease stands, by the sender of its account. What another had claimed
 *      is claimed as a repeat.
 *   O4 A result is written once, by who claimed the row, and the row goes when the log has it.
 *
 * Texts of messages and results are the caller's, sealed. An outbox is a connection: one thread at a time. All wait for the server;
 * UNAVAILABLE while it is away (the next call connects again), LOCKED when the lease is another's.
 */
#ifndef KITH_LOG_OUTBOX_H
#define KITH_LOG_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct outbox;
#define OUTBOX_SENDER_BYTES 40
#define OUTBOX_ACCOUNT_BYTES 101

err outbox_open(struct outbox **outbox, const char *address, struct problem *problem) MUST_USE;
void outbox_close(struct outbox **outbox);

/* ---- of who holds the lease ---- */

/* A JSON array of {"t": touch, "a": account, "m": message}. `number` is the caller's, never the same for two: repeated after an answer
 * that was lost, it does nothing twice. */
err outbox_put(struct outbox *outbox, uint64_t epoch, uint64_t number, str messages,
               struct problem *problem) MUST_USE;
struct outbox_row {
    uint64_t id, touch;
    str account, text;
    bool was_claimed; /* somebody may have sent it */
};
typedef void (*outbox_visit)(void *context, const struct outbox_row *row);
/* Rows with a result, oldest first, at most `limit`; `text` is it. */
err outbox_results(struct outbox *outbox, size_t limit, outbox_visit visit, void *context,
                   struct problem *problem) MUST_USE;
/* The log has what came of these rows: a list of ids as PostgreSQL writes an array, "{1,2}". */
err outbox_forget(struct outbox *outbox, uint64_t epoch, const char *ids,
                  struct problem *problem) MUST_USE;
/* All rows, by touch; without `text`. */
err outbox_rows(struct outbox *outbox, outbox_visit visit, void *context,
                struct problem *problem) MUST_USE;
/* After the lease was taken: the rows of these touches go ("{1,2}"), the others count under this epoch. */
err outbox_adopt(struct outbox *outbox, uint64_t epoch, const char *gone,
                 struct problem *problem) MUST_USE;
/* Touches that are not answered and not stopped. */
err outbox_waiting(struct outbox *outbox, outbox_visit visit, void *context,
                   struct problem *problem) MUST_USE;
err outbox_stop(struct outbox *outbox, uint64_t epoch, const char *touches,
                struct problem *problem) MUST_USE;
/* Removes and tells the rows that nobody will send: stopped, or of an account that is gone, and claimed by no living sender. */
err outbox_abandoned(struct outbox *outbox, uint64_t epoch, outbox_visit visit, void *context,
                     struct problem *problem) MUST_USE;
/* The accounts that there are: a JSON array of {"a": account, "c": card}. Others are taken from their senders. */
err outbox_put_accounts(struct outbox *outbox, uint64_t epoch, str accounts,
                        struct problem *problem) MUST_USE;
/* So many more of this account went, on the day that begins at `day_ms`; `anew`: so many in all. */
err outbox_used(struct outbox *outbox, uint64_t epoch, str account, int64_t day_ms, int64_t count,
                bool anew, struct problem *problem) MUST_USE;
/* Everything goes, accounts first: senders stop within OUTBOX_FRESH_MS. */
err outbox_clear(struct outbox *outbox, uint64_t epoch, bool accounts_alone,
                 struct problem *problem) MUST_USE;

struct outbox_counts {
    int64_t waiting, claimed, answered; /* rows */
    int64_t senders, accounts, unserved;
};
err outbox_count(struct outbox *outbox, struct outbox_counts *counts,
                 struct problem *problem) MUST_USE;

/* ---- of a sender ---- */

/* A sender that has not looked for so long lets nothing leave. */
#define OUTBOX_FRESH_MS 1000

struct outbox_account {
    char key[OUTBOX_ACCOUNT_BYTES];
    uint64_t version; /* of its card */
};
struct outbox_look {
    size_t senders, accounts;
};
typedef void (*outbox_visit_account)(void *context, const struct outbox_account *account);
/* We live for `lease_ms` more, and so does what is ours of the accounts: visited. */
err outbox_renew(struct outbox *outbox, const char *sender, const char *address, int64_t lease_ms,
                 struct outbox_look *look, outbox_visit_account visit, void *context,
                 struct problem *problem) MUST_USE;
/* At most `limit` more that nobody has. */
err outbox_take(struct outbox *outbox, const char *sender, int64_t lease_ms, size_t limit,
                outbox_visit_account visit, void *context, struct problem *problem) MUST_USE;
/* What its settings are (borrowed until `read` returns), and what of it went on its last day. */
err outbox_card(struct outbox *outbox, const char *account,
                void (*read)(void *context, str card, int64_t day_ms, int64_t used), void *context,
                struct problem *problem) MUST_USE;
/* It is another's to take; NULL: all, and we end. */
err outbox_release(struct outbox *outbox, const char *sender, const char *account,
                   struct problem *problem) MUST_USE;
/* At most `limit` rows of an account, ours from here on; `text` is the message. In no order. */
err outbox_claim(struct outbox *outbox, const char *sender, const char *account, size_t limit,
                 outbox_visit visit, void *context, struct problem *problem) MUST_USE;
/* Of what we claimed, what may leave still: neither stopped nor of an epoch that is over. */
err outbox_may_leave(struct outbox *outbox, const char *sender, outbox_visit visit, void *context,
                     struct problem *problem) MUST_USE;
/* A JSON array of {"i": id, "r": result}; what is not ours any more is passed over. */
err outbox_answer(struct outbox *outbox, const char *sender, str results,
                  struct problem *problem) MUST_USE;

#endif
