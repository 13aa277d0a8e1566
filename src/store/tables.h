/* SPDX-License-Identifier: Apache-2.0 */
/* tables: what the ledger holds, each table described once.
 *
 * From this list come the upserts, deletes, scans, loads, the digest, and the check that the
 * migrations say the same. The first `keys` columns are the primary key. `derived` tables hold what
 * the running of Kith needs (flush state, results of requests) and are not part of the digest of
 * state, since a replay need not repeat them.
 *
 * TABLE(NAME, sql name, number of key columns, in the digest, columns)
 * Columns: I integer, T text, B blob; lower case: may be null.
 */
#ifndef KITH_STORE_TABLES_H
#define KITH_STORE_TABLES_H

#define LEDGER_TABLES(TABLE)                                                                          \
    TABLE(META, "meta", 1, false, "T:key B:value")                                                    \
    TABLE(SETTINGS, "settings", 1, true, "T:key T:value")                                             \
    /* access */                                                                                      \
    TABLE(SOURCES, "sources", 1, true,                                                                \
          "I:number T:key T:name T:kind T:protocol B:write_key_hash t:write_key I:strict "            \
          "T:settings I:created_ms I:disabled_ms")                                                    \
    TABLE(USERS, "users", 1, true,                                                                    \
          "I:number T:login T:name T:password T:role T:locale T:settings I:created_ms "               \
          "I:disabled_ms")                                                                            \
    TABLE(TOKENS, "tokens", 1, true,                                                                  \
          "B:hash I:user_number T:kind T:name I:created_ms I:expires_ms T:settings")                  \
    TABLE(ROLES, "roles", 1, true, "T:key T:name T:permissions I:created_ms I:changed_ms")            \
    TABLE(AUDIT, "audit", 1, true,                                                                    \
          "I:seq I:at_ms I:user_number T:action T:object T:detail B:chain T:address")                 \
    TABLE(TEAMS, "teams", 1, true, "T:key T:name T:parent T:settings I:changed_ms")                   \
    TABLE(TEAM_SHARES, "team_shares", 3, true, "T:kind T:key T:team T:level")                         \
    TABLE(IDEMPOTENCY, "idempotency", 1, true, "B:key B:request_hash I:status T:response I:at_ms")    \
    /* identity */                                                                                    \
    TABLE(IDENTIFIER_TYPES, "identifier_types", 1, true, "I:number T:name T:settings")                \
    TABLE(CUSTOMERS, "customers", 1, true, "I:number I:flags I:created_ms I:created_seq")             \
    /* As it was born; `hash` holds the main hash and the others, 16 bytes each. */                   \
    TABLE(IDENTIFIERS, "identifiers", 1, true,                                                        \
          "I:row B:hash I:type_number T:namespace I:flags I:customer I:attached_ms "                  \
          "I:attached_seq I:with_row T:cause B:value B:tail_hash I:source_number I:first_seen_ms")    \
    /* Where it is now, when that is not as it was born. */                                           \
    TABLE(IDENTIFIER_HOMES, "identifier_homes", 1, true, "I:row I:flags I:customer I:attached_ms")    \
    /* Hashes learnt later; with the plain value when it came after its digest. */                    \
    TABLE(IDENTIFIER_HASHES, "identifier_hashes", 1, true, "B:hash I:row b:value b:tail_hash")        \
    TABLE(LINKS, "links", 1, true,                                                                    \
          "I:id I:row I:with_row I:customer I:seq I:at_ms I:source_number T:cause")                   \
    TABLE(MERGES, "merges", 1, true,                                                                  \
          "I:id I:survivor I:absorbed I:node I:other I:seq I:at_ms I:source_number I:row "            \
          "I:with_row T:cause I:undone_ms I:undone_seq I:undone_by I:joined_ms")                      \
    /* What would have merged two nodes that were one customer already. */                            \
    TABLE(EVIDENCE, "evidence", 1, true,                                                              \
          "I:id I:row I:with_row I:node I:other I:seq I:at_ms I:source_number")                       \
    TABLE(SEPARATIONS, "separations", 2, true, "I:customer I:other I:merge_id I:at_ms")               \
    /* Who left memory, with her identifiers (4 bytes each); by which hash she is found again. */     \
    TABLE(LEFT_VISITORS, "left_visitors", 1, true, "I:customer B:rows I:seq")                         \
    TABLE(LEFT_IDENTIFIERS, "left_identifiers", 1, true, "B:hash I:customer")                         \
    TABLE(REFUSALS, "refusals", 1, true,                                                              \
          "I:id I:at_ms I:seq I:source_number T:reason I:row I:with_row I:customer I:other "          \
          "I:times T:detail T:status I:decided_by I:last_ms")                                         \
    /* profile */                                                                                     \
    TABLE(TRAIT_TYPES, "trait_types", 1, true, "I:number T:name T:type T:settings")                   \
    TABLE(TRAITS, "traits", 1, true, "I:customer B:facts")                                            \
    TABLE(CONSENTS, "consents", 2, true,                                                              \
          "I:customer T:purpose T:state I:at_ms I:seq I:source_number T:evidence")                    \
    /* Each as it was made, also those that another one outdid. */                                    \
    TABLE(CONSENT_DECISIONS, "consent_decisions", 3, true,                                            \
          "I:customer I:seq T:purpose T:state I:at_ms I:source_number I:user_number "                 \
          "T:text_version T:evidence")                                                                \
    TABLE(OBJECTS, "objects", 2, true,                                                                \
          "T:kind T:id T:props I:updated_ms I:deleted_ms I:source_number")                            \
    /* tracking plan */                                                                               \
    TABLE(PLAN_EVENTS, "plan_events", 1, true,                                                        \
          "I:number T:name T:status T:settings I:first_seen_ms I:source_number")                      \
    TABLE(PLAN_PROPERTIES, "plan_properties", 2, true,                                                \
          "I:event_number T:name T:type T:settings I:first_seen_ms")                                  \
    TABLE(QUARANTINE, "quarantine", 1, true,                                                          \
          "I:id I:seq I:at_ms I:source_number T:event_type T:reason T:detail B:record T:status "      \
          "I:decided_seq")                                                                            \
    /* imports: what a job is, and where it stands; who said how far; what was taken back */          \
    TABLE(IMPORTS, "imports", 1, true,                                                                \
          "I:number B:identity T:settings I:user_number I:created_ms")                                \
    TABLE(IMPORT_STATES, "import_states", 1, true,                                                    \
          "I:number T:status T:reason I:position I:report_bytes I:undo_place I:cut_seq "              \
          "I:first_seq I:last_seq I:changed_ms T:counts")                                             \
    TABLE(MAPPINGS, "mappings", 2, true, "T:key I:version T:body I:user_number I:at_ms")              \
    TABLE(WATERMARKS, "watermarks", 1, false, "T:source I:time_ms I:at_ms")                           \
    /* Up to where a feed has taken the messages of a partition. */                                   \
    TABLE(FEED_PLACES, "feed_places", 3, true, "T:feed T:topic I:partition I:next I:at_ms")           \
    TABLE(RETRACTIONS, "retractions", 1, true, "I:seq I:node I:at_seq")                               \
    TABLE(OBJECT_KINDS, "object_kinds", 1, true, "T:kind T:settings I:changed_ms")                    \
    TABLE(GONE_CUSTOMERS, "gone_customers", 1, true, "I:number I:at_seq")                             \
    /* privacy: what keeps the erased from coming back, erasures, what the erased did in all */       \
    TABLE(TOMBSTONES, "tombstones", 1, true,                                                          \
          "B:hash I:erasure I:type_number I:row I:at_ms I:lifted_ms I:refused I:last_ms")             \
    TABLE(ERASURES, "erasures", 1, true,                                                              \
          "I:number I:customer I:at_ms I:seq I:user_number T:reason T:state B:nodes B:secret "        \
          "T:receipt I:finished_ms")                                                                  \
    TABLE(PERSON_REQUESTS, "person_requests", 1, true,                                                \
          "I:number I:customer T:kind T:state I:received_ms I:due_ms I:handler I:user_number "        \
          "T:note T:result I:erasure I:changed_ms I:closed_ms T:package")                             \
    TABLE(ERASED_TOTALS, "erased_totals", 4, true,                                                    \
          "I:day T:type T:channel T:currency I:events I:revenue I:total")                             \
    TABLE(RETENTION_RUNS, "retention_runs", 1, true,                                                  \
          "I:number I:at_ms I:seq I:user_number T:state T:rules I:cut_seq I:place T:counts "          \
          "I:finished_ms")                                                                            \
    TABLE(OBJECTS_BEFORE, "objects_before", 3, true,                                                  \
          "I:source_number T:kind T:id t:props I:updated_ms I:deleted_ms")                            \
    /* audience; what is not digested is compared by audience_digest, in which codes do not matter */ \
    TABLE(AUDIENCE_DEFINITIONS, "audience_definitions", 1, true,                                      \
          "I:number T:kind T:key I:version I:live_version T:body T:edges I:created_ms "               \
          "I:changed_ms I:changed_seq I:deleted_ms I:user_number")                                    \
    TABLE(AUDIENCE_TEXTS, "audience_texts", 2, false, "I:definition I:code T:text")                   \
    TABLE(AUDIENCE_GIVEN, "audience_given", 2, false, "I:definition I:block B:values B:at_ms")        \
    TABLE(AUDIENCE_CHUNKS, "audience_chunks", 3, false,                                               \
          "I:definition I:value I:chunk I:number B:members")                                          \
    TABLE(AUDIENCE_CHANGES, "audience_changes", 2, false,                                             \
          "I:definition I:number I:count I:first_ms I:last_ms B:entries")                             \
    TABLE(AUDIENCE_STATES, "audience_states", 1, false, "I:definition I:checkpoint")                  \
    /* touches */                                                                                     \
    TABLE(TOUCH_LINES, "touch_lines", 1, true,                                                        \
          "I:number T:journey T:node T:campaign T:channel T:account T:form T:template T:purpose "     \
          "T:brand I:priority I:flags")                                                               \
    TABLE(                                                                                            \
        TOUCHES, "touches", 1, true,                                                                  \
        "I:number I:customer I:line T:journey I:position T:key T:context T:order_id T:content_key "   \
        "I:cost_minor I:created_ms I:seq I:not_before_ms I:expires_ms T:first_status "                \
        "T:first_reason")                                                                             \
    TABLE(                                                                                            \
        TOUCH_STATES, "touch_states", 1, true,                                                        \
        "I:number T:status T:reason I:until_ms I:changed_ms I:counted_ms I:steps I:tries I:flags")    \
    TABLE(TOUCH_SENDS, "touch_sends", 1, true,                                                        \
          "I:number I:recipient I:template_version T:provider_id T:code T:response I:at_ms")          \
    TABLE(TOUCH_STEPS, "touch_steps", 2, true,                                                        \
          "I:touch I:step I:at_ms I:seq T:status T:reason T:detail")                                  \
    TABLE(TOUCH_CORRECTIONS, "touch_corrections", 1, true,                                            \
          "I:id T:kind I:touch I:customer T:journey T:node T:reason I:at_ms I:seq")                   \
    TABLE(TOUCH_TEMPLATES, "touch_templates", 2, true,                                                \
          "T:key I:version T:body I:user_number I:at_ms")                                             \
    TABLE(TOUCH_ACCOUNTS, "touch_accounts", 1, true,                                                  \
          "T:key T:kind T:settings I:user_number I:changed_ms I:deleted_ms")                          \
    TABLE(TOUCH_POLICY, "touch_policy", 2, true, "T:key I:version T:body I:user_number I:at_ms")      \
    TABLE(TOUCH_STOPS, "touch_stops", 2, true,                                                        \
          "T:scope T:value I:since_ms I:user_number T:why I:lifted_ms I:lifted_by")                   \
    TABLE(TOUCH_CHANCES, "touch_chances", 4, true,                                                    \
          "I:customer T:account I:kind T:what I:count I:at_ms")                                       \
    TABLE(TOUCH_PAUSES, "touch_pauses", 1, true,                                                      \
          "I:number I:customer T:journey T:key T:reason I:user_number I:since_ms I:until_ms "         \
          "I:lifted_ms I:lifted_by")                                                                  \
    TABLE(TOUCH_SPENT, "touch_spent", 1, true, "I:key I:minor")                                       \
    TABLE(TOUCH_TASKS, "touch_tasks", 1, true,                                                        \
          "I:touch I:customer T:account T:content I:created_ms I:expires_ms")                         \
    TABLE(TOUCH_TASK_STATES, "touch_task_states", 1, true,                                            \
          "I:touch T:status I:user_number T:result T:note I:changed_ms")                              \
    TABLE(COUPON_POOLS, "coupon_pools", 1, true,                                                      \
          "T:key I:is_generated T:prefix I:limit_count I:given I:changed_ms")                         \
    TABLE(COUPON_CODES, "coupon_codes", 2, true, "T:pool I:number T:code")                            \
    TABLE(COUPONS_GIVEN, "coupons_given", 1, true, "I:touch T:pool T:code I:customer I:at_ms")        \
    /* journeys: what they are, who stands where, what happened, what is counted, who enters */       \
    TABLE(JOURNEYS, "journeys", 1, true,                                                              \
          "I:number T:key I:state I:live_version T:body T:running I:created_ms I:changed_ms "         \
          "I:user_number")                                                                            \
    TABLE(JOURNEY_VERSIONS, "journey_versions", 2, true,                                              \
          "I:journey I:version T:body T:rules I:published_ms I:held")                                 \
    TABLE(JOURNEY_POSITIONS, "journey_positions", 1, true,                                            \
          "I:number I:customer I:node_born I:journey I:version I:node I:state I:visits I:steps "      \
          "I:entered_ms I:since_s I:due_ms B:context T:reason I:closed_ms")                           \
    TABLE(JOURNEY_STEPS, "journey_steps", 2, true, "I:position I:number I:at_ms I:seq B:steps")       \
    TABLE(JOURNEY_COUNTS, "journey_counts", 4, true, "I:journey I:version I:node I:day B:counts")     \
    TABLE(JOURNEY_WAVES, "journey_waves", 1, true, "I:number I:journey I:started_ms B:members")       \
    TABLE(JOURNEY_WAVE_STATES, "journey_wave_states", 1, true,                                        \
          "I:number I:cursor I:not_before_ms I:entered I:refused")                                    \
    /* Moves of the audience between records, until the next tick. */                                 \
    TABLE(JOURNEY_PENDING, "journey_pending", 1, false,                                               \
          "I:number I:customer I:kind T:key I:moved T:cause")                                         \
    TABLE(EVENT_SOURCES, "event_sources", 2, true, "T:type T:source I:minute I:at_ms I:live")         \
    TABLE(JOURNEY_CONVERSIONS, "journey_conversions", 1, true,                                        \
          "I:number I:journey I:version I:node I:goal I:at_ms I:order_hash I:value I:refunded")       \
    /* running */                                                                                     \
    TABLE(OUTCOMES, "outcomes", 1, false, "I:first_seq I:count B:outcomes")                           \
    TABLE(BATCHES, "batches", 2, false,                                                               \
          "I:number I:shard I:first_seq I:last_seq I:rows I:done_ms")                                 \
    /* What of history.pack counts, and which blocks of customers are not what it says (packs.h). */  \
    TABLE(PACKS, "packs", 2, false, "I:kind I:number I:seq I:place I:bytes B:digest")                 \
    TABLE(PACKS_SPOILED, "packs_spoiled", 1, false, "I:number I:seq")                                 \
    /* What sinks still have to be told, and up to where each has been (engine/news.h). */            \
    TABLE(NEWS, "news", 1, false, "I:number I:count I:first_event_seq I:at_ms B:entries")             \
    TABLE(SINK_PLACES, "sink_places", 1, false, "T:sink I:next I:lost I:at_ms")

enum ledger_table {
#define TABLE(name, sql, keys, digested, columns) LEDGER_##name,
    LEDGER_TABLES(TABLE)
#undef TABLE
        LEDGER_TABLE_COUNT
};

#endif
