/* SPDX-License-Identifier: Apache-2.0 */
/* router: the one table of what can be asked. Private to server/.
 *
 * A row is a route: method, path, least role, how it runs, its handler, the operation id of openapi.json
 * (the two are compared by a test), and the query parameters that it takes. In a path `{name}`
 * stands for one segment, decoded.
 *
 * How it runs: AT_ONCE on the libmicrohttpd thread (must not wait), ASKING a question to the engine from
 * there, WORKING on a worker of the pool. BODY: a JSON object is required and parsed before the
 * handler.
 */
#ifndef KITH_SERVER_ROUTER_H
#define KITH_SERVER_ROUTER_H

#include "server/request.h"

#define API "/api/v1"
#define PAGED "cursor limit"

/* X(method, path, role, runs, body, handler, operation, query) */
#define ROUTE_TABLE(X)                                                                             \
    /* the hot ones first: the table is searched in order */                                       \
    X(GET, API "/customers/by/{type}/{value}", VIEWER, ASKING, NONE, customer_by_identifier,       \
      getCustomerByIdentifier, "namespace reveal")                                                 \
    X(GET, API "/customers/{one_id}", VIEWER, ASKING, NONE, customer_by_one_id, getCustomer,       \
      "reveal")                                                                                    \
    /* session */                                                                                  \
    X(POST, API "/session", PUBLIC, WORKING, BODY, session_create, signIn, "")                     \
    X(GET, API "/session", VIEWER, WORKING, NONE, session_get, getSession, "")                     \
    X(DELETE, API "/session", VIEWER, WORKING, NONE, session_delete, signOut, "")                  \
    X(PUT, API "/session/password", VIEWER, WORKING, BODY, password_put, changePassword, "")       \
    X(GET, API "/tokens", VIEWER, WORKING, NONE, token_list, listTokens, PAGED)                    \
    X(POST, API "/tokens", VIEWER, WORKING, BODY, token_create, createToken, "")                   \
    X(DELETE, API "/tokens/{prefix}", VIEWER, WORKING, NONE, token_delete, deleteToken, "")        \
    X(GET, API "/users", ADMINISTRATOR, WORKING, NONE, user_list, listUsers, PAGED)                \
    X(PUT, API "/users/{login}", ADMINISTRATOR, WORKING, BODY, user_put, putUser, "")              \
    /* system */                                                                                   \
    X(GET, API "/system", VIEWER, WORKING, NONE, system_get, getSystem, "")                        \
    X(GET, API "/overview", VIEWER, WORKING, NONE, overview_get, getOverview, "")                  \
    X(POST, API "/clock", ADMINISTRATOR, WORKING, BODY, clock_advance, advanceClock, "")           \
    X(GET, API "/backups", ADMINISTRATOR, WORKING, NONE, backup_list, listBackups, "")             \
    X(POST, API "/backups", ADMINISTRATOR, WORKING, NONE, backup_create, createBackup, "")         \
    X(GET, API "/audit", ADMINISTRATOR, WORKING, NONE, audit_list, listAudit,                      \
      "user action " PAGED)                                                                        \
    X(GET, API "/settings", VIEWER, WORKING, NONE, setting_list, listSettings, "")                 \
    X(GET, API "/settings/{key}", VIEWER, WORKING, NONE, setting_get, getSetting, "")              \
    X(PUT, API "/settings/{key}", ADMINISTRATOR, WORKING, BODY, setting_put, putSetting, "")       \
    X(GET, API "/openapi.json", PUBLIC, AT_ONCE, NONE, openapi_get, getOpenapi, "")                \
    X(GET, "/healthz", PUBLIC, AT_ONCE, NONE, health_get, getHealth, "")                           \
    X(GET, "/readyz", PUBLIC, AT_ONCE, NONE, ready_get, getReady, "")                              \
    X(GET, "/metrics", PUBLIC, AT_ONCE, NONE, metrics_get, getMetrics, "")                         \
    /* customers */                                                                                \
    X(GET, API "/customers", VIEWER, WORKING, NONE, customer_search, searchCustomers,              \
      "query identifier_type trait.* reveal " PAGED)                                               \
    X(GET, API "/customers/{one_id}/events", VIEWER, WORKING, NONE, customer_events,               \
      listCustomerEvents, "type channel source from until reveal " PAGED)                          \
    X(GET, API "/customers/{one_id}/graph", VIEWER, WORKING, NONE, customer_graph,                 \
      getCustomerGraph, "reveal")                                                                  \
    X(GET, API "/customers/{one_id}/merges", VIEWER, WORKING, NONE, customer_merges,               \
      listCustomerMerges, "reveal")                                                                \
    X(GET, API "/customers/{one_id}/explain", VIEWER, WORKING, NONE, customer_explain,             \
      explainCustomer, "reveal")                                                                   \
    X(POST, API "/customers/{one_id}/split", OPERATOR, WORKING, BODY, customer_split,              \
      splitCustomer, "")                                                                           \
    X(POST, API "/customers/{one_id}/merge", OPERATOR, WORKING, BODY, customer_merge,              \
      mergeCustomers, "")                                                                          \
    X(PUT, API "/customers/{one_id}/consent/{purpose}", OPERATOR, WORKING, BODY, consent_put,      \
      putConsent, "")                                                                              \
    /* identity */                                                                                 \
    X(GET, API "/identity/types", VIEWER, WORKING, NONE, identity_type_list, listIdentifierTypes,  \
      "")                                                                                          \
    X(PUT, API "/identity/types/{name}", ADMINISTRATOR, WORKING, BODY, identity_type_put,          \
      putIdentifierType, "")                                                                       \
    X(POST, API "/identity/whatif", OPERATOR, WORKING, BODY, whatif_run, whatifIdentity, "")       \
    X(POST, API "/identity/apply", ADMINISTRATOR, WORKING, NONE, rules_apply, applyIdentityRules,  \
      "")                                                                                          \
    X(GET, API "/identity/refusals", VIEWER, WORKING, NONE, refusal_list, listRefusals,            \
      "status reason customer reveal " PAGED)                                                      \
    X(POST, API "/identity/refusals/{id}/decide", OPERATOR, WORKING, BODY, refusal_decide,         \
      decideRefusal, "")                                                                           \
    X(GET, API "/identity/suggestions", VIEWER, WORKING, NONE, suggestion_list, listSuggestions,   \
      "limit")                                                                                     \
    X(GET, API "/identity/link-rate", VIEWER, WORKING, NONE, link_rate_get, getLinkRate, "")       \
    /* tags and segments */                                                                        \
    X(GET, API "/segments", VIEWER, WORKING, NONE, definition_list, listSegments, "folder query")  \
    X(POST, API "/segments/preview", VIEWER, WORKING, BODY, segment_preview, previewSegment, "")   \
    X(POST, API "/segments/overlap", VIEWER, WORKING, BODY, segment_overlap, overlapSegments, "")  \
    X(POST, API "/segments/map", VIEWER, WORKING, BODY, segment_map, mapSegments, "")              \
    X(GET, API "/segments/{key}/reach", VIEWER, WORKING, NONE, segment_reach, getSegmentReach, "") \
    X(GET, API "/segments/{key}", VIEWER, WORKING, NONE, definition_get, getSegment, "")           \
    X(PUT, API "/segments/{key}", OPERATOR, WORKING, BODY, definition_put, putSegment, "")         \
    X(DELETE, API "/segments/{key}", OPERATOR, WORKING, NONE, definition_delete, deleteSegment,    \
      "")                                                                                          \
    X(GET, API "/segments/{key}/members", VIEWER, WORKING, NONE, definition_members,               \
      listSegmentMembers, "at value " PAGED)                                                       \
    X(POST, API "/segments/{key}/members", OPERATOR, WORKING, BODY, segment_members_post,          \
      changeSegmentMembers, "")                                                                    \
    X(GET, API "/segments/{key}/history", VIEWER, WORKING, NONE, definition_history,               \
      getSegmentHistory, "value from to step")                                                     \
    X(GET, API "/segments/{key}/explain", VIEWER, WORKING, NONE, definition_explain,               \
      explainSegment, "customer")                                                                  \
    X(GET, API "/segments/{key}/profile", VIEWER, WORKING, NONE, segment_profile, profileSegment,  \
      "")                                                                                          \
    X(POST, API "/segments/{key}/preview-change", VIEWER, WORKING, BODY, definition_preview,       \
      previewSegmentChange, "")                                                                    \
    X(GET, API "/tags", VIEWER, WORKING, NONE, definition_list, listTags, "folder query")          \
    X(GET, API "/tags/{key}", VIEWER, WORKING, NONE, definition_get, getTag, "")                   \
    X(PUT, API "/tags/{key}", OPERATOR, WORKING, BODY, definition_put, putTag, "")                 \
    X(DELETE, API "/tags/{key}", OPERATOR, WORKING, NONE, definition_delete, deleteTag, "")        \
    X(GET, API "/tags/{key}/members", VIEWER, WORKING, NONE, definition_members, listTagMembers,   \
      "at value " PAGED)                                                                           \
    X(POST, API "/tags/{key}/values", OPERATOR, WORKING, BODY, tag_values_post, changeTagValues,   \
      "")                                                                                          \
    X(GET, API "/tags/{key}/history", VIEWER, WORKING, NONE, definition_history, getTagHistory,    \
      "value from to step")                                                                        \
    X(GET, API "/tags/{key}/explain", VIEWER, WORKING, NONE, definition_explain, explainTag,       \
      "customer")                                                                                  \
    X(POST, API "/tags/{key}/preview-change", VIEWER, WORKING, BODY, definition_preview,           \
      previewTagChange, "")                                                                        \
    X(GET, API "/objects/{kind}/{id}/tags", VIEWER, WORKING, NONE, object_tags_get, getObjectTags, \
      "")                                                                                          \
    X(POST, API "/segments/{key}/exports", OPERATOR, WORKING, BODY, export_post, exportSegment,    \
      "reveal")                                                                                    \
    X(POST, API "/tags/{key}/exports", OPERATOR, WORKING, BODY, export_post, exportTag, "reveal")  \
    X(GET, API "/exports", VIEWER, WORKING, NONE, export_list, listExports, "")                    \
    X(GET, API "/exports/{id}", VIEWER, WORKING, NONE, export_get, getExport, "")                  \
    X(DELETE, API "/exports/{id}", OPERATOR, WORKING, NONE, export_delete, deleteExport, "")       \
    X(GET, API "/exports/{id}/file", OPERATOR, WORKING, NONE, export_file, getExportFile, "")      \
    X(GET, API "/rules/catalogue", VIEWER, WORKING, NONE, rule_catalogue, getRuleCatalogue, "")    \
    /* journeys */                                                                                 \
    X(GET, API "/journeys", VIEWER, WORKING, NONE, journey_list, listJourneys, "folder query")     \
    X(GET, API "/journeys/catalogue", VIEWER, WORKING, NONE, journey_catalogue,                    \
      getJourneyCatalogue, "")                                                                     \
    X(GET, API "/journeys/library", VIEWER, WORKING, NONE, journey_library, listReadyJourneys, "") \
    X(GET, API "/journeys/{key}", VIEWER, WORKING, NONE, journey_get, getJourney, "version")       \
    X(PUT, API "/journeys/{key}", OPERATOR, WORKING, BODY, journey_put, putJourney, "")            \
    X(DELETE, API "/journeys/{key}", OPERATOR, WORKING, NONE, journey_delete, deleteJourney, "")   \
    X(POST, API "/journeys/{key}/publish", OPERATOR, WORKING, BODY, journey_publish,               \
      publishJourney, "")                                                                          \
    X(POST, API "/journeys/{key}/pause", OPERATOR, WORKING, BODY, journey_state, pauseJourney, "") \
    X(POST, API "/journeys/{key}/resume", OPERATOR, WORKING, BODY, journey_state, resumeJourney,   \
      "")                                                                                          \
    X(POST, API "/journeys/{key}/stop", OPERATOR, WORKING, BODY, journey_state, stopJourney, "")   \
    X(POST, API "/journeys/{key}/approve", OPERATOR, WORKING, BODY, journey_state, approveJourney, \
      "")                                                                                          \
    X(POST, API "/journeys/{key}/ramp", OPERATOR, WORKING, BODY, journey_state, rampJourney, "")   \
    X(POST, API "/journeys/{key}/enter", OPERATOR, WORKING, BODY, journey_enter, enterJourney, "") \
    X(POST, API "/journeys/{key}/move", OPERATOR, WORKING, BODY, journey_move, moveInJourney, "")  \
    X(GET, API "/journeys/{key}/report", VIEWER, WORKING, NONE, journey_report, getJourneyReport,  \
      "from to")                                                                                   \
    X(GET, API "/journeys/{key}/explain", VIEWER, WORKING, NONE, journey_explain, explainJourney,  \
      "customer")                                                                                  \
    X(GET, API "/customers/{one_id}/journeys", VIEWER, WORKING, NONE, customer_journeys,           \
      listCustomerJourneys, "")                                                                    \
    /* touches */                                                                                  \
    X(GET, API "/touches", VIEWER, WORKING, NONE, touch_list, listTouches,                         \
      "customer journey status " PAGED)                                                            \
    X(POST, API "/touches", OPERATOR, WORKING, BODY, touch_send, sendTouches, "")                  \
    X(GET, API "/touches/{id}", VIEWER, WORKING, NONE, touch_get, getTouch, "")                    \
    X(POST, API "/touches/{id}/decide", OPERATOR, WORKING, BODY, touch_decide, decideTouch, "")    \
    X(GET, API "/touch-corrections", VIEWER, WORKING, NONE, correction_list, listTouchCorrections, \
      "kind journey " PAGED)                                                                       \
    X(GET, API "/customers/{one_id}/reach", VIEWER, WORKING, NONE, reach_get, getReach, "")        \
    X(GET, API "/templates", VIEWER, WORKING, NONE, template_list, listTemplates, "")              \
    X(GET, API "/templates/{key}", VIEWER, WORKING, NONE, template_get, getTemplate, "")           \
    X(PUT, API "/templates/{key}", OPERATOR, WORKING, BODY, template_put, putTemplate, "")         \
    X(DELETE, API "/templates/{key}", OPERATOR, WORKING, NONE, template_delete, deleteTemplate,    \
      "")                                                                                          \
    X(POST, API "/templates/{key}/preview", OPERATOR, WORKING, BODY, template_preview,             \
      previewTemplate, "")                                                                         \
    X(GET, API "/channels", VIEWER, WORKING, NONE, channel_list, listChannels, "")                 \
    X(GET, API "/channels/{key}", VIEWER, WORKING, NONE, channel_get, getChannel, "")              \
    X(PUT, API "/channels/{key}", ADMINISTRATOR, WORKING, BODY, channel_put, putChannel, "")       \
    X(DELETE, API "/channels/{key}", ADMINISTRATOR, WORKING, NONE, channel_delete, deleteChannel,  \
      "")                                                                                          \
    X(POST, API "/channels/{key}/test", ADMINISTRATOR, WORKING, NONE, channel_test, testChannel,   \
      "")                                                                                          \
    X(GET, API "/channel-kinds", VIEWER, WORKING, NONE, channel_kind_list, listChannelKinds, "")   \
    X(GET, API "/policy", VIEWER, WORKING, NONE, policy_get, getPolicy, "")                        \
    X(PUT, API "/policy", ADMINISTRATOR, WORKING, BODY, policy_put, putPolicy, "")                 \
    X(GET, API "/gates", VIEWER, WORKING, NONE, gate_list, listGates, "")                          \
    X(GET, API "/stop", VIEWER, WORKING, NONE, stop_get, getStops, "")                             \
    X(POST, API "/stop", OPERATOR, WORKING, BODY, stop_post, putStop, "")                          \
    X(GET, API "/tasks", VIEWER, WORKING, NONE, task_list, listTasks, "status " PAGED)             \
    X(POST, API "/tasks/{id}", OPERATOR, WORKING, BODY, task_change, changeTask, "")               \
    X(GET, API "/coupon-pools", VIEWER, WORKING, NONE, pool_list, listCouponPools, "")             \
    X(PUT, API "/coupon-pools/{key}", OPERATOR, WORKING, BODY, pool_put, putCouponPool, "")        \
    X(GET, "/l/{code}", PUBLIC, WORKING, NONE, link_get, followLink, "")                           \
    X(GET, "/u/{token}", PUBLIC, WORKING, NONE, unsubscribe_get, showUnsubscribe, "")              \
    X(POST, "/u/{token}", PUBLIC, WORKING, NONE, unsubscribe_post, unsubscribe, "")                \
    X(GET, "/hooks/{account}", PUBLIC, WORKING, NONE, hook, verifyHook,                            \
      "signature timestamp nonce echostr msg_signature encrypt_type openid")                       \
    X(POST, "/hooks/{account}", PUBLIC, WORKING, NONE, hook, receiveHook,                          \
      "signature timestamp nonce echostr msg_signature encrypt_type openid")                       \
    /* events */                                                                                   \
    X(GET, API "/events/live", VIEWER, WORKING, NONE, live_list, listLiveEvents,                   \
      "after source type outcome limit")                                                           \
    X(GET, API "/events/live/stream", VIEWER, WORKING, NONE, live_stream, streamLiveEvents,        \
      "source type outcome")                                                                       \
    /* imports */                                                                                  \
    X(POST, API "/uploads", OPERATOR, WORKING, BODY, upload_create, createUpload, "")              \
    X(GET, API "/uploads/{id}", OPERATOR, WORKING, NONE, upload_get, getUpload, "")                \
    X(PUT, API "/uploads/{id}", OPERATOR, WORKING, NONE, upload_put, putUpload, "offset")          \
    X(DELETE, API "/uploads/{id}", OPERATOR, WORKING, NONE, upload_delete, deleteUpload, "")       \
    X(GET, API "/imports", VIEWER, WORKING, NONE, import_list, listImports, PAGED)                 \
    X(POST, API "/imports", OPERATOR, WORKING, BODY, import_create, createImport, "")              \
    X(POST, API "/imports/detect", OPERATOR, WORKING, BODY, import_detect, detectImport, "")       \
    X(POST, API "/imports/preview", OPERATOR, WORKING, BODY, import_preview, previewImport, "")    \
    X(GET, API "/imports/presets", VIEWER, WORKING, NONE, preset_list, listImportPresets, "")      \
    X(GET, API "/imports/buckets", OPERATOR, WORKING, NONE, bucket_list, listBuckets, "")          \
    X(PUT, API "/imports/buckets/{key}", ADMINISTRATOR, WORKING, BODY, bucket_put, putBucket, "")  \
    X(DELETE, API "/imports/buckets/{key}", ADMINISTRATOR, WORKING, NONE, bucket_delete,           \
      deleteBucket, "")                                                                            \
    X(POST, API "/imports/{id}/undo", OPERATOR, WORKING, NONE, import_undo, undoImport, "")        \
    X(GET, API "/jobs/{id}", VIEWER, WORKING, NONE, job_get, getJob, "")                           \
    X(GET, API "/jobs/{id}/stream", VIEWER, WORKING, NONE, job_stream, streamJob, "")              \
    X(GET, API "/jobs/{id}/refused", OPERATOR, WORKING, NONE, job_refused, getRefusedRows,         \
      "offset")                                                                                    \
    X(POST, API "/jobs/{id}/pause", OPERATOR, WORKING, NONE, job_pause, pauseJob, "")              \
    X(POST, API "/jobs/{id}/resume", OPERATOR, WORKING, NONE, job_resume, resumeJob, "")           \
    X(POST, API "/jobs/{id}/cancel", OPERATOR, WORKING, NONE, job_cancel, cancelJob, "")           \
    X(GET, API "/mappings", VIEWER, WORKING, NONE, mapping_list, listMappings, "")                 \
    X(GET, API "/mappings/{key}", VIEWER, WORKING, NONE, mapping_get, getMapping, "version")       \
    X(PUT, API "/mappings/{key}", OPERATOR, WORKING, BODY, mapping_put, putMapping, "")            \
    X(GET, API "/watermarks", VIEWER, WORKING, NONE, watermark_list, listWatermarks, "")           \
    /* objects */                                                                                  \
    X(GET, API "/object-kinds", VIEWER, WORKING, NONE, object_kind_list, listObjectKinds, "")      \
    X(PUT, API "/object-kinds/{kind}", OPERATOR, WORKING, BODY, object_kind_put, putObjectKind,    \
      "")                                                                                          \
    X(GET, API "/objects/{kind}", VIEWER, WORKING, NONE, object_list, listObjects, "query " PAGED) \
    X(GET, API "/objects/{kind}/{id}", VIEWER, WORKING, NONE, object_get, getObject, "")           \
    X(PUT, API "/objects/{kind}/{id}", OPERATOR, WORKING, BODY, object_put, putObject, "")         \
    X(DELETE, API "/objects/{kind}/{id}", OPERATOR, WORKING, NONE, object_delete, deleteObject,    \
      "")                                                                                          \
    /* sources */                                                                                  \
    X(GET, API "/sources", VIEWER, WORKING, NONE, source_list, listSources, "")                    \
    X(POST, API "/sources", ADMINISTRATOR, WORKING, BODY, source_create, createSource, "")         \
    X(GET, API "/sources/{key}", VIEWER, WORKING, NONE, source_get, getSource, "")                 \
    X(PUT, API "/sources/{key}", ADMINISTRATOR, WORKING, BODY, source_put, putSource, "")          \
    X(POST, API "/sources/{key}/rotate", ADMINISTRATOR, WORKING, NONE, source_rotate,              \
      rotateSource, "")                                                                            \
    X(POST, API "/sources/{key}/signing-secret", ADMINISTRATOR, WORKING, NONE, source_sign,        \
      createSigningSecret, "")                                                                     \
    /* plan */                                                                                     \
    X(GET, API "/plan/events", VIEWER, WORKING, NONE, plan_list, listPlanEvents, "")               \
    X(GET, API "/plan/events/{name}", VIEWER, WORKING, NONE, plan_get, getPlanEvent, "")           \
    X(PUT, API "/plan/events/{name}", OPERATOR, WORKING, BODY, plan_put, putPlanEvent, "")         \
    X(GET, API "/traits", VIEWER, WORKING, NONE, trait_list, listTraits, "")                       \
    X(PUT, API "/traits/{name}", OPERATOR, WORKING, BODY, trait_put, putTrait, "")                 \
    X(GET, API "/quarantine", VIEWER, WORKING, NONE, quarantine_list, listQuarantine,              \
      "reason source type status reveal " PAGED)                                                   \
    X(GET, API "/quarantine/summary", VIEWER, WORKING, NONE, quarantine_summary,                   \
      summariseQuarantine, "")                                                                     \
    X(POST, API "/quarantine/replay", OPERATOR, WORKING, BODY, quarantine_replay_post,             \
      replayQuarantine, "")                                                                        \
    X(POST, API "/quarantine/discard", OPERATOR, WORKING, BODY, quarantine_discard_post,          \
      discardQuarantine, "")

enum route_runs { ROUTE_AT_ONCE, ROUTE_ASKING, ROUTE_WORKING };
enum route_body { ROUTE_NONE, ROUTE_BODY };

/* A handler fills request->out (JSON) and may set status (200), content_type and other members of
 * the answer; an error is answered as a problem. An ASKING handler puts its question and returns. */
typedef err (*route_handler)(struct request *request, struct problem *problem);

#define X(method, path, role, runs, body, handler, operation, query) \
    err route_##handler(struct request *request, struct problem *problem) MUST_USE;
ROUTE_TABLE(X)
#undef X

struct route {
    enum method method;
    const char *path;
    enum role role;
    enum route_runs runs;
    enum route_body body;
    route_handler handler;
    const char *operation;
    const char *query;
};

size_t router_count(void);
const struct route *router_at(size_t index);

/* Find the route of a path (not decoded) and fill `parameters` (in `arena`). NOT_FOUND; METHOD with
 * `allow` ("GET, PUT") when only the method does not fit; INVALID for a bad escape in a segment. HEAD is
 * answered by GET. */
err router_find(enum method method, str path, struct arena *arena, const struct route **route,
                str parameters[PATH_PARAMETERS_MAX], char *allow, size_t allow_size) MUST_USE;

#endif
