/* SPDX-License-Identifier: Apache-2.0 */
/* call: one command being run, as its handler sees it. Private to engine/.
 *
 * Handlers are in command.c, those of imports in command_imports.c.
 */
#ifndef KITH_ENGINE_CALL_H
#define KITH_ENGINE_CALL_H

#include "engine/state.h"

struct call {
    struct engine *engine;
    const struct command_record *command;
    json_value body;
    uint64_t seq;
    struct ledger_writes *writes;
    struct buffer *answer; /* a JSON object */
    struct problem *problem;
    str object;           /* what the audit names */
    str action;           /* likewise; empty: the operation */
    struct buffer detail; /* likewise, JSON; empty: the body */
    bool
        broken; /* with an error: a part of it is done, so that the engine must stop and load again */
};

/* command_imports.c */
err run_import_create(struct call *call) MUST_USE;
err run_import_move(struct call *call) MUST_USE;
err run_import_state(struct call *call) MUST_USE;
err run_import_cut(struct call *call) MUST_USE;
err run_import_retract(struct call *call) MUST_USE;
err run_import_detach(struct call *call) MUST_USE;
err run_mapping_put(struct call *call) MUST_USE;
err run_feed_move(struct call *call) MUST_USE;
err run_sink_move(struct call *call) MUST_USE;
err run_watermark_put(struct call *call) MUST_USE;
err run_object_put(struct call *call) MUST_USE;
err run_object_kind_put(struct call *call) MUST_USE;

/* What of a node was told goes or stays with its events. */
enum retract {
    RETRACT_UNDONE,  /* all that `source` said, in an undo; `seqs` are its own */
    RETRACT_NAMED,   /* the events `seqs` and what they told; the ledger lists them for ever */
    RETRACT_EXPIRED, /* the events alone: their rows leave the warehouse */
};
/* {node, seqs, count, first, last, orders}: events go, what stays is observed again. */
err imports_retract_node(struct call *call, enum retract why, uint32_t source,
                         json_value told) MUST_USE;

/* command_retention.c */
err run_retention_put(struct call *call) MUST_USE;
err run_retention_begin(struct call *call) MUST_USE;
err run_retention_cut(struct call *call) MUST_USE;
err run_retention_retract(struct call *call) MUST_USE;
err run_retention_drop(struct call *call) MUST_USE;
err run_retention_finish(struct call *call) MUST_USE;

/* command_privacy.c */
err run_customer_erase(struct call *call) MUST_USE;
/* What these touches were made of, and what providers said, goes; that they were stays. */
err touches_empty(struct call *call, uint64_t *numbers, size_t count) MUST_USE;
/* These visitors (roots in memory) are forgotten in one erasure; no tombstone keeps them from coming back. */
err erase_visitors(struct call *call, const uint32_t *roots, size_t count) MUST_USE;
err run_erasure_move(struct call *call) MUST_USE;
err run_tombstone_put(struct call *call) MUST_USE;

/* command_person.c */
err run_consent_put(struct call *call) MUST_USE;
err run_guardian_put(struct call *call) MUST_USE;
err run_customer_restrict(struct call *call) MUST_USE;
err run_trait_correct(struct call *call) MUST_USE;
err run_identifier_part(struct call *call) MUST_USE;
/* command_identifier.c */
err run_identifier_add(struct call *call) MUST_USE;
err run_request_put(struct call *call) MUST_USE;
/* What was said in her requests goes; open ones end, or end with this erasure. */
err person_forget(struct call *call, uint32_t erasure, const uint32_t *nodes, size_t count,
                  uint32_t *rows) MUST_USE;
/* The erasure is finished: so is who asked for it. */
err person_forgotten(struct call *call, uint32_t erasure) MUST_USE;

/* command_touch.c */
err run_touch(struct call *call) MUST_USE;

/* command_journey.c */
err run_journey(struct call *call) MUST_USE;

/* command_team.c */
err run_team(struct call *call) MUST_USE;

/* command_audience.c */
err run_audience(struct call *call) MUST_USE;

#endif
