/* SPDX-License-Identifier: Apache-2.0 */
/* router: the one table of what can be asked. Private to server/.
 *
 * A row is a route: method, path, permission (access/permission.h), how it runs, its handler, the operation id of openapi.json
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

/* X(method, path, permission, runs, body, handler, operation, query) */
#define ROUTE_TABLE(X)                                                                             \
    /* the hot ones first: the table is searched in order */                                       \
    X(GET, API "/customers/by/{type}/{value}", CUSTOMER_SEE, ASKING, NONE, customer_by_identifier, \
      getCustomerByIdentifier, "namespace reveal reason")                                          \
    X(GET, API "/customers/{one_id}", CUSTOMER_SEE, ASKING, NONE, customer_by_one_id, getCustomer, \
      "reveal reason")                                                                             \
    /* session */                                                                                  \
    X(POST, API "/session", PUBLIC, WORKING, BODY, session_create, signIn, "")                     \
    X(GET, API "/session", SIGNED_IN, WORKING, NONE, session_get, getSession, "")                  \
    X(DELETE, API "/session", SIGNED_IN, WORKING, NONE, session_delete, signOut, "")               \
    X(PUT, API "/session/password", SIGNED_IN, WORKING, BODY, password_put, changePassword, "")    \
    X(POST, API "/session/second-factor", SIGNED_IN, WORKING, BODY, second_factor_begin,           \
      beginSecondFactor, "")                                                                       \
    X(PUT, API "/session/second-factor", SIGNED_IN, WORKING, BODY, second_factor_put,              \
      putSecondFactor, "")                                                                         \
    X(POST, API "/session/second-factor/remove", SIGNED_IN, WORKING, BODY, second_factor_remove,   \
      removeSecondFactor, "")                                                                      \
    X(DELETE, API "/users/{login}/second-factor", USER_ADMINISTER, WORKING, NONE,                  \
      user_second_factor_delete, deleteUserSecondFactor, "")                                       \
    X(GET, API "/session/methods", PUBLIC, WORKING, NONE, session_methods, listSignInMethods, "")  \
    X(GET, API "/session/single-sign-on", PUBLIC, WORKING, NONE, single_sign_on_begin,             \
      beginSingleSignOn, "")                                                                       \
    X(GET, API "/session/single-sign-on/callback", PUBLIC, WORKING, NONE, single_sign_on_end,      \
      endSingleSignOn, "code state iss error error_description session_state")                     \
    X(GET, API "/single-sign-on", SETTING_SEE, WORKING, NONE, single_sign_on_get, getSingleSignOn, \
      "")                                                                                          \
    X(PUT, API "/single-sign-on", USER_ADMINISTER, WORKING, BODY, single_sign_on_put,              \
      putSingleSignOn, "")                                                                         \
    X(GET, API "/tokens", SIGNED_IN, WORKING, NONE, token_list, listTokens, PAGED)                 \
    X(POST, API "/tokens", TOKEN_CREATE, WORKING, BODY, token_create, createToken, "")             \
    X(DELETE, API "/tokens/{prefix}", SIGNED_IN, WORKING, NONE, token_delete, deleteToken, "")     \
    X(GET, API "/users", USER_SEE, WORKING, NONE, user_list, listUsers, PAGED)                     \
    X(PUT, API "/users/{login}", USER_ADMINISTER, WORKING, BODY, user_put, putUser, "")            \
    /* teams */                                                                                    \
    X(GET, API "/teams", TEAM_SEE, WORKING, NONE, team_list, listTeams, "")                        \
    X(GET, API "/teams/{key}", TEAM_SEE, WORKING, NONE, team_get, getTeam, "")                     \
    X(PUT, API "/teams/{key}", TEAM_ADMINISTER, WORKING, BODY, team_put, putTeam, "")              \
    X(DELETE, API "/teams/{key}", TEAM_ADMINISTER, WORKING, NONE, team_delete, deleteTeam, "")     \
    X(GET, API "/shares", TEAM_SEE, WORKING, NONE, share_list, listShares, "")                     \
    X(PUT, API "/shares", SIGNED_IN, WORKING, BODY, share_put, putShare, "")                       \
    X(GET, API "/users/{login}", USER_SEE, WORKING, NONE, user_get, getUser, "")                   \
    X(DELETE, API "/users/{login}", USER_ADMINISTER, WORKING, NONE, user_delete, deleteUser, "")   \
    X(DELETE, API "/users/{login}/sessions", SIGNED_IN, WORKING, NONE, user_sessions_delete,       \
      endUserSessions, "")                                                                         \
    X(GET, API "/roles", ROLE_SEE, WORKING, NONE, role_list, listRoles, "")                        \
    X(GET, API "/roles/{key}", ROLE_SEE, WORKING, NONE, role_get, getRole, "")                     \
    X(PUT, API "/roles/{key}", ROLE_ADMINISTER, WORKING, BODY, role_put, putRole, "")              \
    X(DELETE, API "/roles/{key}", ROLE_ADMINISTER, WORKING, NONE, role_delete, deleteRole, "")     \
    X(GET, API "/permissions", ROLE_SEE, WORKING, NONE, permission_list, listPermissions, "")      \
    X(GET, API "/audit/verify", AUDIT_SEE, WORKING, NONE, audit_verify, verifyAudit, "")           \
    X(GET, API "/audit/export", AUDIT_EXPORT, WORKING, NONE, audit_export, exportAudit,            \
      "user action object text from until format")                                                 \
    /* system */                                                                                   \
    X(GET, API "/servers", SYSTEM_SEE, WORKING, NONE, server_list, listServers, "")                \
    X(GET, API "/system", SYSTEM_SEE, WORKING, NONE, system_get, getSystem, "")                    \
    X(GET, API "/overview", SYSTEM_SEE, WORKING, NONE, overview_get, getOverview, "")              \
    X(POST, API "/clock", SYSTEM_ADMINISTER, WORKING, BODY, clock_advance, advanceClock, "")       \
    X(GET, API "/backups", BACKUP_SEE, WORKING, NONE, backup_list, listBackups, "")                \
    X(POST, API "/backups", BACKUP_CREATE, WORKING, NONE, backup_create, createBackup, "")         \
    X(GET, API "/audit", AUDIT_SEE, WORKING, NONE, audit_list, listAudit,                          \
      "user action object text from until " PAGED)                                                 \
    X(GET, API "/settings", SETTING_SEE, WORKING, NONE, setting_list, listSettings, "")            \
    X(GET, API "/settings/{key}", SETTING_SEE, WORKING, NONE, setting_get, getSetting, "")         \
    X(PUT, API "/settings/{key}", SETTING_ADMINISTER, WORKING, BODY, setting_put, putSetting, "")  \
    X(GET, API "/openapi.json", PUBLIC, AT_ONCE, NONE, openapi_get, getOpenapi, "")                \
    X(GET, "/healthz", PUBLIC, AT_ONCE, NONE, health_get, getHealth, "")                           \
    X(GET, "/readyz", PUBLIC, AT_ONCE, NONE, ready_get, getReady, "")                              \
    X(GET, "/metrics", PUBLIC, AT_ONCE, NONE, metrics_get, getMetrics, "")                         \
    /* customers */                                                                                \
    X(GET, API "/customers", CUSTOMER_SEE, WORKING, NONE, customer_search, searchCustomers,        \
      "query identifier_type trait.* columns reveal reason " PAGED)                                \
    X(POST, API "/customers/find", SEGMENT_SEE, WORKING, BODY, customer_find, findCustomers,       \
      "columns reveal reason " PAGED)                                                              \
    X(GET, API "/views", SIGNED_IN, WORKING, NONE, view_list, listViews, "page")                   \
    X(PUT, API "/views/{key}", SIGNED_IN, WORKING, BODY, view_put, putView, "")                    \
    X(DELETE, API "/views/{key}", SIGNED_IN, WORKING, NONE, view_delete, deleteView, "")           \
    X(GET, API "/today", ANALYSIS_SEE, WORKING, NONE, today_get, getToday, "")                     \
    X(GET, API "/customers/{one_id}/events", CUSTOMER_SEE, WORKING, NONE, customer_events,         \
      listCustomerEvents, "type channel source from until reveal reason " PAGED)                   \
    X(GET, API "/customers/{one_id}/graph", CUSTOMER_SEE, WORKING, NONE, customer_graph,           \
      getCustomerGraph, "reveal reason")                                                           \
    X(GET, API "/customers/{one_id}/merges", CUSTOMER_SEE, WORKING, NONE, customer_merges,         \
      listCustomerMerges, "reveal reason")                                                         \
    X(GET, API "/customers/{one_id}/explain", CUSTOMER_SEE, WORKING, NONE, customer_explain,       \
      explainCustomer, "reveal reason")                                                            \
    X(GET, API "/customers/{one_id}/memberships", CUSTOMER_SEE, WORKING, NONE,                     \
      customer_memberships, listCustomerMemberships, "")                                           \
    X(POST, API "/customers/{one_id}/split", CUSTOMER_CHANGE, WORKING, BODY, customer_split,       \
      splitCustomer, "")                                                                           \
    X(POST, API "/customers/{one_id}/merge", CUSTOMER_CHANGE, WORKING, BODY, customer_merge,       \
      mergeCustomers, "")                                                                          \
    X(PUT, API "/customers/{one_id}/consent/{purpose}", CONSENT_CHANGE, WORKING, BODY,             \
      consent_put, putConsent, "")                                                                 \
    /* privacy */                                                                                  \
    X(DELETE, API "/customers/{one_id}", PRIVACY_APPROVE, WORKING, NONE, customer_erase,           \
      eraseCustomer, "reason")                                                                     \
    X(GET, API "/privacy", PRIVACY_SEE, WORKING, NONE, privacy_get, getPrivacy, "")                \
    X(GET, API "/privacy/erasures", PRIVACY_SEE, WORKING, NONE, erasure_list, listErasures, PAGED) \
    X(GET, API "/privacy/erasures/{id}", PRIVACY_SEE, WORKING, NONE, erasure_get, getErasure, "")  \
    X(GET, API "/keys", SYSTEM_SEE, WORKING, NONE, keys_get, getKeys, "")                          \
    X(POST, API "/keys/rotate", SYSTEM_ADMINISTER, WORKING, BODY, keys_rotate, rotateKeys, "")     \
    X(DELETE, API "/keys/{number}", SYSTEM_ADMINISTER, WORKING, NONE, key_delete, deleteKey, "")   \
    X(GET, API "/retention", PRIVACY_SEE, WORKING, NONE, retention_get, getRetention, "")          \
    X(PUT, API "/retention", PRIVACY_ADMINISTER, WORKING, BODY, retention_put, putRetention, "")   \
    X(POST, API "/retention/run", PRIVACY_ADMINISTER, WORKING, BODY, retention_run, runRetention,  \
      "")                                                                                          \
    X(GET, API "/privacy/requests", PRIVACY_SEE, WORKING, NONE, person_request_list,               \
      listPersonRequests, "state kind customer " PAGED)                                            \
    X(POST, API "/privacy/requests", PRIVACY_CREATE, WORKING, BODY, person_request_post,           \
      createPersonRequest, "")                                                                     \
    X(GET, API "/privacy/requests/{id}", PRIVACY_SEE, WORKING, NONE, person_request_get,           \
      getPersonRequest, "")                                                                        \
    X(POST, API "/privacy/requests/{id}", PRIVACY_CREATE, WORKING, BODY, person_request_change,    \
      changePersonRequest, "")                                                                     \
    X(POST, API "/privacy/requests/{id}/perform", PRIVACY_APPROVE, WORKING, NONE,                  \
      person_request_perform, performPersonRequest, "")                                            \
    X(POST, API "/privacy/requests/{id}/package", PRIVACY_EXPORT, WORKING, NONE, package_post,     \
      makePersonPackage, "reveal reason")                                                          \
    X(GET, API "/privacy/requests/{id}/package", PRIVACY_EXPORT, WORKING, NONE, package_get,       \
      getPersonPackage, "")                                                                        \
    X(DELETE, API "/privacy/requests/{id}/package", PRIVACY_EXPORT, WORKING, NONE, package_delete, \
      deletePersonPackage, "")                                                                     \
    X(GET, API "/privacy/sensitive", PRIVACY_SEE, WORKING, NONE, sensitive_list,                   \
      listSensitiveTraits, "")                                                                     \
    X(PUT, API "/privacy/sensitive/{name}", PRIVACY_CREATE, WORKING, BODY, sensitive_put,          \
      putSensitiveTrait, "")                                                                       \
    X(DELETE, API "/privacy/sensitive/{name}", PRIVACY_APPROVE, WORKING, NONE, sensitive_delete,   \
      deleteSensitiveTrait, "")                                                                    \
    X(POST, API "/privacy/sensitive/{name}/release", PRIVACY_APPROVE, WORKING, NONE,               \
      sensitive_release, releaseSensitiveTrait, "")                                                \
    X(GET, API "/customers/{one_id}/consents", CONSENT_SEE, WORKING, NONE, consent_list,           \
      listConsents, "")                                                                            \
    X(PUT, API "/customers/{one_id}/restriction", PRIVACY_CREATE, WORKING, BODY, restriction_put,  \
      putRestriction, "")                                                                          \
    X(PUT, API "/customers/{one_id}/traits/{name}", CUSTOMER_CHANGE, WORKING, BODY, trait_correct, \
      correctTrait, "")                                                                            \
    X(DELETE, API "/customers/{one_id}/traits/{name}", CUSTOMER_CHANGE, WORKING, NONE,             \
      trait_release, releaseTrait, "")                                                             \
    X(POST, API "/customers/{one_id}/identifiers", CUSTOMER_CHANGE, WORKING, BODY, identifier_add, \
      addIdentifier, "")                                                                           \
    X(DELETE, API "/customers/{one_id}/identifiers/{row}", CUSTOMER_CHANGE, WORKING, NONE,         \
      identifier_part, partIdentifier, "reason")                                                   \
    X(POST, API "/customers/{one_id}/preferences-link", CONSENT_CHANGE, WORKING, NONE,             \
      preferences_link, makePreferencesLink, "")                                                   \
    X(GET, "/p/{token}", PUBLIC, WORKING, NONE, preferences_get, showPreferences, "lang")          \
    X(POST, "/p/{token}", PUBLIC, WORKING, NONE, preferences_post, putPreferences,                 \
      "lang purpose granted")                                                                      \
    X(POST, API "/privacy/tombstones/lift", PRIVACY_APPROVE, WORKING, BODY, tombstone_lift,        \
      liftTombstone, "")                                                                           \
    /* identity */                                                                                 \
    X(GET, API "/identity/types", IDENTITY_SEE, WORKING, NONE, identity_type_list,                 \
      listIdentifierTypes, "")                                                                     \
    X(PUT, API "/identity/types/{name}", IDENTITY_ADMINISTER, WORKING, BODY, identity_type_put,    \
      putIdentifierType, "")                                                                       \
    X(POST, API "/identity/whatif", IDENTITY_CHANGE, WORKING, BODY, whatif_run, whatifIdentity,    \
      "")                                                                                          \
    X(POST, API "/identity/apply", IDENTITY_ADMINISTER, WORKING, NONE, rules_apply,                \
      applyIdentityRules, "")                                                                      \
    X(GET, API "/identity/refusals", IDENTITY_SEE, WORKING, NONE, refusal_list, listRefusals,      \
      "status reason customer reveal " PAGED)                                                      \
    X(POST, API "/identity/refusals/{id}/decide", IDENTITY_CHANGE, WORKING, BODY, refusal_decide,  \
      decideRefusal, "")                                                                           \
    X(GET, API "/identity/suggestions", IDENTITY_SEE, WORKING, NONE, suggestion_list,              \
      listSuggestions, "limit")                                                                    \
    X(GET, API "/identity/link-rate", IDENTITY_SEE, WORKING, NONE, link_rate_get, getLinkRate, "") \
    /* tags and segments */                                                                        \
    X(GET, API "/segments", SEGMENT_SEE, WORKING, NONE, definition_list, listSegments,             \
      "folder query")                                                                              \
    X(POST, API "/segments/preview", SEGMENT_SEE, WORKING, BODY, segment_preview, previewSegment,  \
      "")                                                                                          \
    X(POST, API "/segments/overlap", SEGMENT_SEE, WORKING, BODY, segment_overlap, overlapSegments, \
      "")                                                                                          \
    X(POST, API "/segments/map", SEGMENT_SEE, WORKING, BODY, segment_map, mapSegments, "")         \
    X(GET, API "/segments/{key}/reach", SEGMENT_SEE, WORKING, NONE, segment_reach,                 \
      getSegmentReach, "")                                                                         \
    X(GET, API "/segments/{key}", SEGMENT_SEE, WORKING, NONE, definition_get, getSegment, "")      \
    X(PUT, API "/segments/{key}", SEGMENT_CHANGE, WORKING, BODY, definition_put, putSegment, "")   \
    X(DELETE, API "/segments/{key}", SEGMENT_CHANGE, WORKING, NONE, definition_delete,             \
      deleteSegment, "")                                                                           \
    X(GET, API "/segments/{key}/members", SEGMENT_SEE, WORKING, NONE, definition_members,          \
      listSegmentMembers, "at value " PAGED)                                                       \
    X(POST, API "/segments/{key}/members", SEGMENT_CHANGE, WORKING, BODY, segment_members_post,    \
      changeSegmentMembers, "")                                                                    \
    X(GET, API "/segments/{key}/history", SEGMENT_SEE, WORKING, NONE, definition_history,          \
      getSegmentHistory, "value from to step")                                                     \
    X(GET, API "/segments/{key}/explain", SEGMENT_SEE, WORKING, NONE, definition_explain,          \
      explainSegment, "customer")                                                                  \
    X(GET, API "/segments/{key}/profile", SEGMENT_SEE, WORKING, NONE, segment_profile,             \
      profileSegment, "")                                                                          \
    X(POST, API "/segments/{key}/preview-change", SEGMENT_SEE, WORKING, BODY, definition_preview,  \
      previewSegmentChange, "")                                                                    \
    X(GET, API "/tags", TAG_SEE, WORKING, NONE, definition_list, listTags, "folder query")         \
    X(GET, API "/tags/{key}", TAG_SEE, WORKING, NONE, definition_get, getTag, "")                  \
    X(PUT, API "/tags/{key}", TAG_CHANGE, WORKING, BODY, definition_put, putTag, "")               \
    X(DELETE, API "/tags/{key}", TAG_CHANGE, WORKING, NONE, definition_delete, deleteTag, "")      \
    X(GET, API "/tags/{key}/members", TAG_SEE, WORKING, NONE, definition_members, listTagMembers,  \
      "at value " PAGED)                                                                           \
    X(POST, API "/tags/{key}/values", TAG_CHANGE, WORKING, BODY, tag_values_post, changeTagValues, \
      "")                                                                                          \
    X(GET, API "/tags/{key}/history", TAG_SEE, WORKING, NONE, definition_history, getTagHistory,   \
      "value from to step")                                                                        \
    X(GET, API "/tags/{key}/explain", TAG_SEE, WORKING, NONE, definition_explain, explainTag,      \
      "customer")                                                                                  \
    X(POST, API "/tags/{key}/preview-change", TAG_SEE, WORKING, BODY, definition_preview,          \
      previewTagChange, "")                                                                        \
    X(GET, API "/objects/{kind}/{id}/tags", OBJECT_SEE, WORKING, NONE, object_tags_get,            \
      getObjectTags, "")                                                                           \
    X(POST, API "/segments/{key}/exports", CUSTOMER_EXPORT, WORKING, BODY, export_post,            \
      exportSegment, "reveal reason")                                                              \
    X(POST, API "/tags/{key}/exports", CUSTOMER_EXPORT, WORKING, BODY, export_post, exportTag,     \
      "reveal reason")                                                                             \
    X(GET, API "/exports", EXPORT_SEE, WORKING, NONE, export_list, listExports, "")                \
    X(GET, API "/exports/{id}", EXPORT_SEE, WORKING, NONE, export_get, getExport, "")              \
    X(DELETE, API "/exports/{id}", EXPORT_CHANGE, WORKING, NONE, export_delete, deleteExport, "")  \
    X(GET, API "/exports/{id}/file", CUSTOMER_EXPORT, WORKING, NONE, export_file, getExportFile,   \
      "")                                                                                          \
    X(POST, API "/rules/explain", SEGMENT_SEE, WORKING, BODY, rule_explain, explainRule, "")       \
    X(GET, API "/rules/catalogue", SEGMENT_SEE, WORKING, NONE, rule_catalogue, getRuleCatalogue,   \
      "")                                                                                          \
    /* journeys */                                                                                 \
    X(GET, API "/journeys", JOURNEY_SEE, WORKING, NONE, journey_list, listJourneys,                \
      "folder query")                                                                              \
    X(GET, API "/journeys/catalogue", JOURNEY_SEE, WORKING, NONE, journey_catalogue,               \
      getJourneyCatalogue, "")                                                                     \
    X(GET, API "/journeys/library", JOURNEY_SEE, WORKING, NONE, journey_library,                   \
      listReadyJourneys, "")                                                                       \
    X(GET, API "/journeys/{key}", JOURNEY_SEE, WORKING, NONE, journey_get, getJourney, "version")  \
    X(PUT, API "/journeys/{key}", JOURNEY_CHANGE, WORKING, BODY, journey_put, putJourney, "")      \
    X(DELETE, API "/journeys/{key}", JOURNEY_CHANGE, WORKING, NONE, journey_delete, deleteJourney, \
      "")                                                                                          \
    X(POST, API "/journeys/{key}/publish", JOURNEY_PUBLISH, WORKING, BODY, journey_publish,        \
      publishJourney, "")                                                                          \
    X(POST, API "/journeys/{key}/pause", JOURNEY_CHANGE, WORKING, BODY, journey_state,             \
      pauseJourney, "")                                                                            \
    X(POST, API "/journeys/{key}/resume", JOURNEY_PUBLISH, WORKING, BODY, journey_state,           \
      resumeJourney, "")                                                                           \
    X(POST, API "/journeys/{key}/stop", JOURNEY_CHANGE, WORKING, BODY, journey_state, stopJourney, \
      "")                                                                                          \
    X(POST, API "/journeys/{key}/approve", JOURNEY_APPROVE, WORKING, BODY, journey_state,          \
      approveJourney, "")                                                                          \
    X(POST, API "/journeys/{key}/ramp", JOURNEY_PUBLISH, WORKING, BODY, journey_state,             \
      rampJourney, "")                                                                             \
    X(POST, API "/journeys/{key}/enter", JOURNEY_PUBLISH, WORKING, BODY, journey_enter,            \
      enterJourney, "")                                                                            \
    X(POST, API "/journeys/{key}/move", JOURNEY_CHANGE, WORKING, BODY, journey_move,               \
      moveInJourney, "")                                                                           \
    X(POST, API "/journeys/{key}/whatif", JOURNEY_CHANGE, WORKING, BODY, whatif_begin,             \
      beginWhatif, "")                                                                             \
    X(POST, API "/journeys/{key}/trial", JOURNEY_CHANGE, WORKING, BODY, whatif_try, tryJourney,    \
      "")                                                                                          \
    X(GET, API "/journeys/{key}/whatif", JOURNEY_SEE, WORKING, NONE, whatif_list, listWhatifs, "") \
    X(GET, API "/journeys/{key}/whatif/{id}", JOURNEY_SEE, WORKING, NONE, whatif_get, getWhatif,   \
      "")                                                                                          \
    X(DELETE, API "/journeys/{key}/whatif/{id}", JOURNEY_CHANGE, WORKING, NONE, whatif_delete,     \
      deleteWhatif, "")                                                                            \
    X(GET, API "/journeys/{key}/whatif/{id}/compare", JOURNEY_SEE, WORKING, NONE, whatif_compare,  \
      compareWhatif, "from")                                                                       \
    X(GET, API "/journeys/{key}/report", JOURNEY_SEE, WORKING, NONE, journey_report,               \
      getJourneyReport, "from to")                                                                 \
    X(GET, API "/journeys/{key}/explain", JOURNEY_SEE, WORKING, NONE, journey_explain,             \
      explainJourney, "customer")                                                                  \
    X(GET, API "/calendar", JOURNEY_SEE, WORKING, NONE, calendar_get, getCalendar,                 \
      "from to channel team")                                                                      \
    X(GET, API "/customers/{one_id}/journeys", JOURNEY_SEE, WORKING, NONE, customer_journeys,      \
      listCustomerJourneys, "")                                                                    \
    /* touches */                                                                                  \
    X(GET, API "/touches", TOUCH_SEE, WORKING, NONE, touch_list, listTouches,                      \
      "customer journey status " PAGED)                                                            \
    X(POST, API "/touches", TOUCH_CREATE, WORKING, BODY, touch_send, sendTouches, "")              \
    X(GET, API "/touches/{id}", TOUCH_SEE, WORKING, NONE, touch_get, getTouch, "")                 \
    X(POST, API "/touches/{id}/decide", TOUCH_APPROVE, WORKING, BODY, touch_decide, decideTouch,   \
      "")                                                                                          \
    X(GET, API "/touch-corrections", TOUCH_SEE, WORKING, NONE, correction_list,                    \
      listTouchCorrections, "kind journey " PAGED)                                                 \
    X(GET, API "/customers/{one_id}/reach", TOUCH_SEE, WORKING, NONE, reach_get, getReach, "")     \
    X(GET, API "/customers/{one_id}/pauses", TOUCH_SEE, WORKING, NONE, pause_list, listPauses, "") \
    X(POST, API "/customers/{one_id}/pauses", CONSENT_CHANGE, WORKING, BODY, pause_post,           \
      pauseMarketing, "")                                                                          \
    X(DELETE, API "/customers/{one_id}/pauses/{number}", CONSENT_CHANGE, WORKING, NONE,            \
      pause_delete, liftPause, "")                                                                 \
    X(GET, API "/templates", TEMPLATE_SEE, WORKING, NONE, template_list, listTemplates, "")        \
    X(GET, API "/templates/catalogue", TEMPLATE_SEE, WORKING, NONE, template_catalogue,            \
      getTemplateCatalogue, "")                                                                    \
    X(GET, API "/templates/{key}", TEMPLATE_SEE, WORKING, NONE, template_get, getTemplate, "")     \
    X(PUT, API "/templates/{key}", TEMPLATE_CHANGE, WORKING, BODY, template_put, putTemplate, "")  \
    X(DELETE, API "/templates/{key}", TEMPLATE_CHANGE, WORKING, NONE, template_delete,             \
      deleteTemplate, "")                                                                          \
    X(POST, API "/templates/{key}/preview", TEMPLATE_CHANGE, WORKING, BODY, template_preview,      \
      previewTemplate, "")                                                                         \
    X(GET, API "/channels", CHANNEL_SEE, WORKING, NONE, channel_list, listChannels, "")            \
    X(GET, API "/channels/{key}", CHANNEL_SEE, WORKING, NONE, channel_get, getChannel, "")         \
    X(PUT, API "/channels/{key}", CHANNEL_ADMINISTER, WORKING, BODY, channel_put, putChannel, "")  \
    X(DELETE, API "/channels/{key}", CHANNEL_ADMINISTER, WORKING, NONE, channel_delete,            \
      deleteChannel, "")                                                                           \
    X(POST, API "/channels/{key}/test", CHANNEL_ADMINISTER, WORKING, NONE, channel_test,           \
      testChannel, "")                                                                             \
    X(GET, API "/channels/{key}/contact-ways", CHANNEL_SEE, WORKING, NONE, contact_way_list,       \
      listContactWays, "")                                                                         \
    X(POST, API "/channels/{key}/contact-ways", CHANNEL_ADMINISTER, WORKING, BODY,                 \
      contact_way_create, createContactWay, "")                                                    \
    X(PUT, API "/channels/{key}/contact-ways/{id}", CHANNEL_ADMINISTER, WORKING, BODY,             \
      contact_way_put, putContactWay, "")                                                          \
    X(DELETE, API "/channels/{key}/contact-ways/{id}", CHANNEL_ADMINISTER, WORKING, NONE,          \
      contact_way_delete, deleteContactWay, "")                                                    \
    X(GET, API "/channel-kinds", CHANNEL_SEE, WORKING, NONE, channel_kind_list, listChannelKinds,  \
      "")                                                                                          \
    X(GET, API "/policy", POLICY_SEE, WORKING, NONE, policy_get, getPolicy, "")                    \
    X(PUT, API "/policy", POLICY_ADMINISTER, WORKING, BODY, policy_put, putPolicy, "")             \
    X(POST, API "/policy/preview", POLICY_ADMINISTER, WORKING, BODY, policy_preview,               \
      previewPolicy, "days")                                                                       \
    X(GET, API "/gates", POLICY_SEE, WORKING, NONE, gate_list, listGates, "")                      \
    X(GET, API "/stop", STOP_SEE, WORKING, NONE, stop_get, getStops, "")                           \
    X(POST, API "/stop", STOP_CHANGE, WORKING, BODY, stop_post, putStop, "")                       \
    X(GET, API "/tasks", TASK_SEE, WORKING, NONE, task_list, listTasks, "status " PAGED)           \
    X(POST, API "/tasks/{id}", TASK_CHANGE, WORKING, BODY, task_change, changeTask, "")            \
    X(GET, API "/coupon-pools", COUPON_SEE, WORKING, NONE, pool_list, listCouponPools, "")         \
    X(PUT, API "/coupon-pools/{key}", COUPON_CHANGE, WORKING, BODY, pool_put, putCouponPool, "")   \
    X(GET, "/l/{code}", PUBLIC, WORKING, NONE, link_get, followLink, "")                           \
    X(GET, "/u/{token}", PUBLIC, WORKING, NONE, unsubscribe_get, showUnsubscribe, "")              \
    X(POST, "/u/{token}", PUBLIC, WORKING, NONE, unsubscribe_post, unsubscribe, "")                \
    X(GET, "/hooks/{account}", PUBLIC, WORKING, NONE, hook, verifyHook,                            \
      "signature timestamp nonce echostr msg_signature encrypt_type openid secret")                \
    X(POST, "/hooks/{account}", PUBLIC, WORKING, NONE, hook, receiveHook,                          \
      "signature timestamp nonce echostr msg_signature encrypt_type openid secret")                \
    /* events */                                                                                   \
    X(GET, API "/events/live", EVENT_SEE, WORKING, NONE, live_list, listLiveEvents,                \
      "after source type outcome limit")                                                           \
    X(GET, API "/events/live/stream", EVENT_SEE, WORKING, NONE, live_stream, streamLiveEvents,     \
      "source type outcome")                                                                       \
    /* imports */                                                                                  \
    X(POST, API "/uploads", IMPORT_CREATE, WORKING, BODY, upload_create, createUpload, "")         \
    X(GET, API "/uploads/{id}", IMPORT_CREATE, WORKING, NONE, upload_get, getUpload, "")           \
    X(PUT, API "/uploads/{id}", IMPORT_CREATE, WORKING, NONE, upload_put, putUpload, "offset")     \
    X(DELETE, API "/uploads/{id}", IMPORT_CREATE, WORKING, NONE, upload_delete, deleteUpload, "")  \
    X(GET, API "/imports", IMPORT_SEE, WORKING, NONE, import_list, listImports, PAGED)             \
    X(POST, API "/imports", IMPORT_CREATE, WORKING, BODY, import_create, createImport, "")         \
    X(POST, API "/imports/detect", IMPORT_CREATE, WORKING, BODY, import_detect, detectImport, "")  \
    X(POST, API "/imports/preview", IMPORT_CREATE, WORKING, BODY, import_preview, previewImport,   \
      "")                                                                                          \
    X(GET, API "/imports/presets", IMPORT_SEE, WORKING, NONE, preset_list, listImportPresets, "")  \
    X(GET, API "/imports/buckets", IMPORT_CREATE, WORKING, NONE, bucket_list, listBuckets, "")     \
    X(PUT, API "/imports/buckets/{key}", IMPORT_ADMINISTER, WORKING, BODY, bucket_put, putBucket,  \
      "")                                                                                          \
    X(DELETE, API "/imports/buckets/{key}", IMPORT_ADMINISTER, WORKING, NONE, bucket_delete,       \
      deleteBucket, "")                                                                            \
    X(POST, API "/imports/{id}/undo", IMPORT_CHANGE, WORKING, NONE, import_undo, undoImport, "")   \
    X(GET, API "/jobs/{id}", JOB_SEE, WORKING, NONE, job_get, getJob, "")                          \
    X(GET, API "/jobs/{id}/stream", JOB_SEE, WORKING, NONE, job_stream, streamJob, "")             \
    X(GET, API "/jobs/{id}/refused", IMPORT_CREATE, WORKING, NONE, job_refused, getRefusedRows,    \
      "offset")                                                                                    \
    X(POST, API "/jobs/{id}/pause", JOB_CHANGE, WORKING, NONE, job_pause, pauseJob, "")            \
    X(POST, API "/jobs/{id}/resume", JOB_CHANGE, WORKING, NONE, job_resume, resumeJob, "")         \
    X(POST, API "/jobs/{id}/cancel", JOB_CHANGE, WORKING, NONE, job_cancel, cancelJob, "")         \
    X(GET, API "/feeds", SOURCE_SEE, WORKING, NONE, feed_list, listFeeds, "")                      \
    X(GET, API "/feeds/{key}", SOURCE_SEE, WORKING, NONE, feed_get, getFeed, "")                   \
    X(PUT, API "/feeds/{key}", SOURCE_ADMINISTER, WORKING, BODY, feed_put, putFeed, "")            \
    X(DELETE, API "/feeds/{key}", SOURCE_ADMINISTER, WORKING, NONE, feed_delete, deleteFeed, "")   \
    X(GET, API "/sinks", EXPORT_SEE, WORKING, NONE, sink_list, listSinks, "")                      \
    X(GET, API "/sinks/{key}", EXPORT_SEE, WORKING, NONE, sink_get, getSink, "")                   \
    X(PUT, API "/sinks/{key}", SOURCE_ADMINISTER, WORKING, BODY, sink_put, putSink, "")            \
    X(DELETE, API "/sinks/{key}", SOURCE_ADMINISTER, WORKING, NONE, sink_delete, deleteSink, "")   \
    X(GET, API "/mappings", MAPPING_SEE, WORKING, NONE, mapping_list, listMappings, "")            \
    X(GET, API "/mappings/{key}", MAPPING_SEE, WORKING, NONE, mapping_get, getMapping, "version")  \
    X(PUT, API "/mappings/{key}", MAPPING_CHANGE, WORKING, BODY, mapping_put, putMapping, "")      \
    X(GET, API "/watermarks", SOURCE_SEE, WORKING, NONE, watermark_list, listWatermarks, "")       \
    /* objects */                                                                                  \
    X(GET, API "/object-kinds", OBJECT_SEE, WORKING, NONE, object_kind_list, listObjectKinds, "")  \
    X(PUT, API "/object-kinds/{kind}", OBJECT_CHANGE, WORKING, BODY, object_kind_put,              \
      putObjectKind, "")                                                                           \
    X(DELETE, API "/object-kinds/{kind}", OBJECT_CHANGE, WORKING, NONE, object_kind_delete,        \
      deleteObjectKind, "")                                                                        \
    X(GET, API "/objects/{kind}", OBJECT_SEE, WORKING, NONE, object_list, listObjects,             \
      "query " PAGED)                                                                              \
    X(GET, API "/objects/{kind}/{id}", OBJECT_SEE, WORKING, NONE, object_get, getObject, "")       \
    X(PUT, API "/objects/{kind}/{id}", OBJECT_CHANGE, WORKING, BODY, object_put, putObject, "")    \
    X(DELETE, API "/objects/{kind}/{id}", OBJECT_CHANGE, WORKING, NONE, object_delete,             \
      deleteObject, "")                                                                            \
    /* sources */                                                                                  \
    X(GET, API "/sources", SOURCE_SEE, WORKING, NONE, source_list, listSources, "")                \
    X(POST, API "/sources", SOURCE_ADMINISTER, WORKING, BODY, source_create, createSource, "")     \
    X(GET, API "/sources/{key}", SOURCE_SEE, WORKING, NONE, source_get, getSource, "")             \
    X(PUT, API "/sources/{key}", SOURCE_ADMINISTER, WORKING, BODY, source_put, putSource, "")      \
    X(POST, API "/sources/{key}/rotate", SOURCE_ADMINISTER, WORKING, NONE, source_rotate,          \
      rotateSource, "overlap")                                                                     \
    X(POST, API "/sources/{key}/signing-secret", SOURCE_ADMINISTER, WORKING, NONE, source_sign,    \
      createSigningSecret, "")                                                                     \
    /* plan */                                                                                     \
    X(GET, API "/plan/events", PLAN_SEE, WORKING, NONE, plan_list, listPlanEvents, "")             \
    X(GET, API "/plan/events/{name}", PLAN_SEE, WORKING, NONE, plan_get, getPlanEvent, "")         \
    X(PUT, API "/plan/events/{name}", PLAN_CHANGE, WORKING, BODY, plan_put, putPlanEvent, "")      \
    X(GET, API "/traits", PLAN_SEE, WORKING, NONE, trait_list, listTraits, "")                     \
    X(PUT, API "/traits/{name}", PLAN_CHANGE, WORKING, BODY, trait_put, putTrait, "")              \
    X(GET, API "/quarantine", QUARANTINE_SEE, WORKING, NONE, quarantine_list, listQuarantine,      \
      "reason source type status reveal " PAGED)                                                   \
    X(GET, API "/quarantine/summary", QUARANTINE_SEE, WORKING, NONE, quarantine_summary,           \
      summariseQuarantine, "")                                                                     \
    X(POST, API "/quarantine/replay", QUARANTINE_CHANGE, WORKING, BODY, quarantine_replay_post,    \
      replayQuarantine, "")                                                                        \
    X(POST, API "/quarantine/discard", QUARANTINE_CHANGE, WORKING, BODY, quarantine_discard_post,  \
      discardQuarantine, "")

enum route_runs { ROUTE_AT_ONCE, ROUTE_ASKING, ROUTE_WORKING };
enum route_body { ROUTE_NONE, ROUTE_BODY };

/* A handler fills request->out (JSON) and may set status (200), content_type and other members of
 * the answer; an error is answered as a problem. An ASKING handler puts its question and returns. */
typedef err (*route_handler)(struct request *request, struct problem *problem);

#define X(method, path, permission, runs, body, handler, operation, query) \
    err route_##handler(struct request *request, struct problem *problem) MUST_USE;
ROUTE_TABLE(X)
#undef X

struct route {
    enum method method;
    const char *path;
    enum permission permission;
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
