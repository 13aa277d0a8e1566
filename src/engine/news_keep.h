/* SPDX-License-Identifier: Apache-2.0 */
/* news_keep: what apply says to the news, and how the entries of a row lie. Private to engine/.
 *
 * The entries of a row, one after another (base/codec.h); `seq` and `at` are differences to the entry before, the first ones to 0:
 *
 *     u8      kind (bits 0-2), was (bit 3), is (bit 4)
 *     zigzag  seq        zigzag  at_ms        varint  customer
 *     SEGMENT    text key, text cause
 *     TAG        text key, text cause, text value (JSON)
 *     TOUCH      varint touch, then texts: status reason journey node campaign template channel account purpose
 *     EVENT      nothing more
 *     CUSTOMER   text what, varint other
 */
#ifndef KITH_ENGINE_NEWS_KEEP_H
#define KITH_ENGINE_NEWS_KEEP_H

#include "audience/audience.h"
#include "base/json.h"
#include "engine/news.h"
#include "identity/identity.h"
#include "store/ledger.h"

struct news;

err news_new(struct engine *engine) MUST_USE;
void news_free(struct engine *engine);
/* Who follows, and what waits. At start, after all that could tell. */
err news_load(struct engine *engine, struct problem *problem) MUST_USE;

/* Is anything of this kind to be told? Cheap. */
bool news_wants(const struct engine *engine, enum news_kind kind);
void news_move(struct engine *engine, const struct audience_move *move);
void news_touch(struct engine *engine, uint32_t touch, str status, str reason);
/* She did this; `who` is as identity brought it. */
void news_event(struct engine *engine, uint64_t seq, const struct identity_outcome *who);
/* "merged" (other: into whom), "split" (other: who was parted from her), "erased". */
void news_customer(struct engine *engine, uint32_t customer, const char *what, uint32_t other);

/* A setting was put; other keys are passed over. */
err news_setting(struct engine *engine, str key, json_value value,
                 struct ledger_writes *writes) MUST_USE;
/* The command sink.move. NOT_FOUND: it was deleted meanwhile. */
err news_moved_on(struct engine *engine, str sink, uint64_t next,
                  struct ledger_writes *writes) MUST_USE;
/* What waited for too long goes. */
void news_tick(struct engine *engine, struct ledger_writes *writes);
/* With each group, when the audience has handed in its own. */
err news_commit(struct engine *engine, struct ledger_writes *writes) MUST_USE;
/* The log is needed from here on; UINT64_MAX: not for this. Any thread. */
uint64_t news_needs_seq(const struct engine *engine);

/* news_read.c */
struct cursor;
bool news_entry_read(struct cursor *cursor, struct news_entry *entry);

#endif
