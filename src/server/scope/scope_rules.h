/* SPDX-License-Identifier: Apache-2.0 */
/* scope_rules: what a route may show to who sees a part, a row per operation. Private to server/.
 *
 *     PUBLIC     asked by nobody known; says nothing of customers
 *     OWN        of who asks: her session, her tokens
 *     WORKSPACE  the same for all: kinds, words, rules of the house; nothing in it comes from customers
 *     PART       cut to what she sees, where it is read; what the path names must be hers (`names`, `level`)
 *     WHOLE      cannot be cut, or rules the house: refused to who sees a part, whatever is asked
 *
 * A route without a row is WHOLE, and a test names it (tests/unit/server_scope.c).
 */
#ifndef KITH_SERVER_SCOPE_RULES_H
#define KITH_SERVER_SCOPE_RULES_H

/* X(operation, rule, what the first parameter of the path names, level needed, why). A row is a line, so that rows of several
 * hands merge. */
/* clang-format off */
#define SCOPE_RULES(X) \
    X(getCustomerByIdentifier, PART, NOTHING, READ, "found only if seen") \
    X(getCustomer, PART, CUSTOMER, READ, "facts of seen events and sources") \
    X(searchCustomers, PART, NOTHING, READ, "only who is seen is found") \
    X(findCustomers, PART, NOTHING, READ, "only who is seen is found, by events that are seen") \
    X(listViews, PART, NOTHING, READ, "her own, and what her team shares") \
    X(putView, OWN, NOTHING, READ, "") \
    X(deleteView, OWN, NOTHING, READ, "") \
    X(getToday, PART, NOTHING, READ, "seen orders of who is seen") \
    X(listCustomerEvents, PART, CUSTOMER, READ, "seen events") \
    X(getCustomerGraph, PART, CUSTOMER, READ, "identifiers of seen sources") \
    X(listCustomerMerges, PART, CUSTOMER, READ, "merges by seen sources") \
    X(explainCustomer, PART, CUSTOMER, READ, "identifiers and refusals of seen sources") \
    X(listCustomerMemberships, PART, CUSTOMER, READ, "segments and tags that she sees") \
    X(splitCustomer, PART, CUSTOMER, READ, "a merge that is listed") \
    X(mergeCustomers, PART, CUSTOMER, READ, "both are seen") \
    X(putConsent, PART, CUSTOMER, READ, "of who is seen") \
    X(getCalendar, PART, NOTHING, READ, "journeys that she sees, counted over whom she sees") \
    X(listCustomerJourneys, PART, CUSTOMER, READ, "journeys that she sees") \
    X(getReach, PART, CUSTOMER, READ, "of who is seen") \
    X(listPauses, PART, CUSTOMER, READ, "of who is seen; another team's journey is not named") \
    X(pauseMarketing, PART, CUSTOMER, READ, "of who is seen") \
    X(liftPause, PART, CUSTOMER, READ, "of who is seen") \
    X(signIn, PUBLIC, NOTHING, READ, "") \
    X(getSession, OWN, NOTHING, READ, "") \
    X(signOut, OWN, NOTHING, READ, "") \
    X(changePassword, OWN, NOTHING, READ, "") \
    X(listTokens, OWN, NOTHING, READ, "") \
    X(createToken, OWN, NOTHING, READ, "") \
    X(deleteToken, OWN, NOTHING, READ, "") \
    X(listUsers, WHOLE, NOTHING, READ, "who works here is the house's") \
    X(putUser, WHOLE, NOTHING, READ, "who may what is the house's") \
    X(listTeams, PART, NOTHING, READ, "her own team and those below it") \
    X(getTeam, PART, NOTHING, READ, "her own team and those below it") \
    X(putTeam, WHOLE, NOTHING, READ, "who sees what is the house's") \
    X(deleteTeam, WHOLE, NOTHING, READ, "who sees what is the house's") \
    X(putShare, PART, NOTHING, READ, "things of her own") \
    X(listShares, PART, NOTHING, READ, "of her things, and with her") \
    X(getUser, WHOLE, NOTHING, READ, "who works here is the house's") \
    X(deleteUser, WHOLE, NOTHING, READ, "who may what is the house's") \
    X(endUserSessions, WHOLE, NOTHING, READ, "who may what is the house's") \
    X(listRoles, WORKSPACE, NOTHING, READ, "rules of the house") \
    X(getRole, WORKSPACE, NOTHING, READ, "rules of the house") \
    X(putRole, WHOLE, NOTHING, READ, "who may what is the house's") \
    X(deleteRole, WHOLE, NOTHING, READ, "who may what is the house's") \
    X(listPermissions, WORKSPACE, NOTHING, READ, "words") \
    X(verifyAudit, WHOLE, NOTHING, READ, "names what others did") \
    X(exportAudit, WHOLE, NOTHING, READ, "names what others did") \
    X(beginWhatif, PART, JOURNEY, CHANGE, "runs of her team over a journey that stands on who is seen") \
    X(tryJourney, PART, JOURNEY, CHANGE, "of who is seen, filled in with what she sees") \
    X(listWhatifs, PART, JOURNEY, OWN, "runs of her team over a journey that stands on who is seen") \
    X(getWhatif, PART, JOURNEY, OWN, "runs of her team over a journey that stands on who is seen") \
    X(deleteWhatif, PART, JOURNEY, CHANGE, "runs of her team over a journey that stands on who is seen") \
    X(compareWhatif, PART, JOURNEY, OWN, "runs of her team over a journey that stands on who is seen") \
    X(beginSecondFactor, OWN, NOTHING, READ, "") \
    X(putSecondFactor, OWN, NOTHING, READ, "") \
    X(removeSecondFactor, OWN, NOTHING, READ, "") \
    X(deleteUserSecondFactor, WHOLE, NOTHING, READ, "who may what is the house's") \
    X(listSignInMethods, PUBLIC, NOTHING, READ, "") \
    X(beginSingleSignOn, PUBLIC, NOTHING, READ, "") \
    X(endSingleSignOn, PUBLIC, NOTHING, READ, "proved by its state") \
    X(getSingleSignOn, WORKSPACE, NOTHING, READ, "rules of the house") \
    X(putSingleSignOn, WHOLE, NOTHING, READ, "who may what is the house's") \
    X(listServers, WHOLE, NOTHING, READ, "how far each is counts everybody's events") \
    X(getSystem, PART, NOTHING, READ, "counts are left out") \
    X(getOverview, PART, NOTHING, READ, "counted over what is seen") \
    X(advanceClock, WHOLE, NOTHING, READ, "time is the house's") \
    X(listBackups, WHOLE, NOTHING, READ, "a copy of everything") \
    X(createBackup, WHOLE, NOTHING, READ, "a copy of everything") \
    X(listAudit, WHOLE, NOTHING, READ, "names what others did") \
    X(listSettings, WORKSPACE, NOTHING, READ, "rules of the house") \
    X(getSetting, WORKSPACE, NOTHING, READ, "rules of the house") \
    X(putSetting, WHOLE, NOTHING, READ, "rules of the house") \
    X(getOpenapi, PUBLIC, NOTHING, READ, "") \
    X(getHealth, PUBLIC, NOTHING, READ, "") \
    X(getReady, PUBLIC, NOTHING, READ, "") \
    X(getMetrics, PUBLIC, NOTHING, READ, "what counts customers needs a token that sees the whole") \
    X(eraseCustomer, WHOLE, CUSTOMER, CHANGE, "all of her goes, whoever else sees her") \
    X(getKeys, WHOLE, NOTHING, READ, "keys of the house") \
    X(rotateKeys, WHOLE, NOTHING, READ, "keys of the house") \
    X(deleteKey, WHOLE, NOTHING, READ, "keys of the house") \
    X(getRetention, WHOLE, NOTHING, READ, "counts everybody") \
    X(putRetention, WHOLE, NOTHING, READ, "what is kept is the house's") \
    X(runRetention, WHOLE, NOTHING, READ, "counts everybody") \
    X(getPrivacy, WHOLE, NOTHING, READ, "counts everybody") \
    X(listErasures, WHOLE, NOTHING, READ, "counts everybody") \
    X(getErasure, WHOLE, NOTHING, READ, "counts everybody") \
    X(listPersonRequests, WHOLE, NOTHING, READ, "counts everybody") \
    X(createPersonRequest, WHOLE, NOTHING, READ, "a right against the house") \
    X(getPersonRequest, WHOLE, NOTHING, READ, "a right against the house") \
    X(changePersonRequest, WHOLE, NOTHING, READ, "a right against the house") \
    X(performPersonRequest, WHOLE, NOTHING, READ, "all of her, whoever else sees her") \
    X(makePersonPackage, WHOLE, NOTHING, READ, "all of her, whoever else sees her") \
    X(getPersonPackage, WHOLE, NOTHING, READ, "all of her, whoever else sees her") \
    X(deletePersonPackage, WHOLE, NOTHING, READ, "all of her, whoever else sees her") \
    X(listSensitiveTraits, WORKSPACE, NOTHING, READ, "rules of the house") \
    X(putSensitiveTrait, WHOLE, NOTHING, READ, "rules of the house") \
    X(deleteSensitiveTrait, WHOLE, NOTHING, READ, "rules of the house") \
    X(releaseSensitiveTrait, WHOLE, NOTHING, READ, "rules of the house") \
    X(listConsents, PART, CUSTOMER, READ, "decisions told by seen sources") \
    X(putRestriction, WHOLE, CUSTOMER, CHANGE, "holds for all teams") \
    X(correctTrait, WHOLE, CUSTOMER, CHANGE, "speaks before all sources, whosever they are") \
    X(releaseTrait, WHOLE, CUSTOMER, CHANGE, "speaks before all sources, whosever they are") \
    X(addIdentifier, WHOLE, CUSTOMER, CHANGE, "whose it is holds for all teams") \
    X(partIdentifier, WHOLE, CUSTOMER, CHANGE, "whose it is holds for all teams") \
    X(makePreferencesLink, PART, CUSTOMER, READ, "of who is seen") \
    X(showPreferences, PUBLIC, NOTHING, READ, "proved by its token; her own") \
    X(putPreferences, PUBLIC, NOTHING, READ, "proved by its token; her own") \
    X(liftTombstone, WHOLE, NOTHING, READ, "tells who was known") \
    X(listIdentifierTypes, PART, NOTHING, READ, "rules of the house; identifiers are not counted") \
    X(putIdentifierType, WHOLE, NOTHING, READ, "rules of the house") \
    X(whatifIdentity, WHOLE, NOTHING, READ, "counts everybody") \
    X(applyIdentityRules, WHOLE, NOTHING, READ, "moves everybody") \
    X(listRefusals, WHOLE, NOTHING, READ, "both customers are seen") \
    X(decideRefusal, WHOLE, NOTHING, READ, "both customers are seen") \
    X(listSuggestions, WHOLE, NOTHING, READ, "both customers are seen") \
    X(getLinkRate, WHOLE, NOTHING, READ, "counts everybody's identifiers") \
    X(listSegments, PART, NOTHING, READ, "hers and shared ones, counted over who is seen") \
    X(explainRule, WHOLE, NOTHING, READ, "a rule over all events") \
    X(previewSegment, PART, NOTHING, READ, "seen events of who is seen") \
    X(overlapSegments, PART, NOTHING, READ, "counted over who is seen") \
    X(mapSegments, PART, NOTHING, READ, "counted over who is seen") \
    X(getSegmentReach, PART, SEGMENT, READ, "counted over who is seen") \
    X(getSegment, PART, SEGMENT, READ, "counted over who is seen") \
    X(putSegment, PART, SEGMENT, CHANGE, "its rule is narrowed to what is seen") \
    X(deleteSegment, PART, SEGMENT, CHANGE, "hers") \
    X(listSegmentMembers, PART, SEGMENT, READ, "members who are seen") \
    X(changeSegmentMembers, PART, SEGMENT, CHANGE, "who is not seen is unknown") \
    X(getSegmentHistory, PART, SEGMENT, READ, "changes of who is seen now") \
    X(explainSegment, PART, SEGMENT, OWN, "of who is seen, over the team's own rule") \
    X(profileSegment, PART, SEGMENT, READ, "against who is seen") \
    X(previewSegmentChange, PART, SEGMENT, READ, "seen events of who is seen") \
    X(listTags, PART, NOTHING, READ, "hers and shared ones, counted over who is seen") \
    X(getTag, PART, TAG, READ, "counted over who is seen") \
    X(putTag, PART, TAG, CHANGE, "its rules are narrowed to what is seen") \
    X(deleteTag, PART, TAG, CHANGE, "hers") \
    X(listTagMembers, PART, TAG, READ, "members who are seen") \
    X(changeTagValues, PART, TAG, CHANGE, "who is not seen is unknown") \
    X(getTagHistory, PART, TAG, READ, "changes of who is seen now") \
    X(explainTag, PART, TAG, OWN, "of who is seen, over the team's own rule") \
    X(previewTagChange, PART, TAG, READ, "seen events of who is seen") \
    X(getObjectTags, WHOLE, NOTHING, READ, "objects come with everybody's events") \
    X(exportSegment, PART, SEGMENT, USE, "members who are seen, facts of seen sources") \
    X(exportTag, PART, TAG, USE, "members who are seen, facts of seen sources") \
    X(listExports, PART, NOTHING, READ, "made by her team") \
    X(getExport, PART, NOTHING, READ, "made by her team") \
    X(deleteExport, PART, NOTHING, READ, "made by her team") \
    X(getExportFile, PART, NOTHING, READ, "made by her team") \
    X(getRuleCatalogue, PART, NOTHING, READ, "names of what she sees; objects are not counted") \
    X(listJourneys, PART, NOTHING, READ, "hers and shared ones") \
    X(getJourneyCatalogue, WORKSPACE, NOTHING, READ, "the language") \
    X(listReadyJourneys, WORKSPACE, NOTHING, READ, "comes with Kith") \
    X(getJourney, PART, JOURNEY, READ, "hers and shared ones") \
    X(putJourney, PART, JOURNEY, CHANGE, "it stands on who is seen, its rules and events are narrowed") \
    X(deleteJourney, PART, JOURNEY, CHANGE, "hers") \
    X(publishJourney, PART, JOURNEY, CHANGE, "hers, cut to her team") \
    X(pauseJourney, PART, JOURNEY, CHANGE, "hers") \
    X(resumeJourney, PART, JOURNEY, CHANGE, "hers") \
    X(stopJourney, PART, JOURNEY, CHANGE, "hers") \
    X(approveJourney, PART, JOURNEY, CHANGE, "hers") \
    X(rampJourney, PART, JOURNEY, CHANGE, "hers") \
    X(enterJourney, PART, JOURNEY, CHANGE, "customers who are seen") \
    X(moveInJourney, PART, JOURNEY, CHANGE, "of who is seen") \
    X(getJourneyReport, PART, JOURNEY, OWN, "of journeys that stand on who is seen") \
    X(explainJourney, PART, JOURNEY, OWN, "of journeys that stand on who is seen") \
    X(listTouches, PART, NOTHING, READ, "to who is seen") \
    X(sendTouches, PART, NOTHING, READ, "to who is seen, by templates and accounts that are hers") \
    X(getTouch, PART, NOTHING, READ, "to who is seen") \
    X(decideTouch, PART, NOTHING, READ, "to who is seen") \
    X(listTouchCorrections, PART, NOTHING, READ, "of who is seen") \
    X(listTemplates, PART, NOTHING, READ, "hers and shared ones") \
    X(getTemplateCatalogue, WORKSPACE, NOTHING, READ, "the language") \
    X(getTemplate, PART, TEMPLATE, READ, "hers and shared ones") \
    X(putTemplate, PART, TEMPLATE, CHANGE, "hers") \
    X(deleteTemplate, PART, TEMPLATE, CHANGE, "hers") \
    X(previewTemplate, PART, TEMPLATE, READ, "filled in for who is seen, with what seen sources told") \
    X(listChannels, PART, NOTHING, READ, "accounts of her team") \
    X(getChannel, PART, ACCOUNT, READ, "accounts of her team") \
    X(putChannel, WHOLE, NOTHING, READ, "keys of the house") \
    X(deleteChannel, WHOLE, NOTHING, READ, "keys of the house") \
    X(testChannel, WHOLE, NOTHING, READ, "keys of the house") \
    X(listContactWays, WHOLE, NOTHING, READ, "counts everybody who came by it") \
    X(createContactWay, WHOLE, NOTHING, READ, "codes of the house") \
    X(putContactWay, WHOLE, NOTHING, READ, "codes of the house") \
    X(deleteContactWay, WHOLE, NOTHING, READ, "codes of the house") \
    X(listChannelKinds, WORKSPACE, NOTHING, READ, "words") \
    X(getPolicy, WORKSPACE, NOTHING, READ, "rules of the house") \
    X(putPolicy, WHOLE, NOTHING, READ, "rules of the house") \
    X(previewPolicy, WHOLE, NOTHING, READ, "touches to all customers") \
    X(listGates, WORKSPACE, NOTHING, READ, "words") \
    X(getStops, WHOLE, NOTHING, READ, "names what others send by") \
    X(putStop, WHOLE, NOTHING, READ, "stops what others send") \
    X(listTasks, PART, NOTHING, READ, "of who is seen") \
    X(changeTask, PART, NOTHING, READ, "of who is seen") \
    X(listCouponPools, PART, NOTHING, READ, "hers and shared ones") \
    X(putCouponPool, WHOLE, POOL, CHANGE, "hers") \
    X(followLink, PUBLIC, NOTHING, READ, "proved by its code") \
    X(showUnsubscribe, PUBLIC, NOTHING, READ, "proved by its token") \
    X(unsubscribe, PUBLIC, NOTHING, READ, "proved by its token") \
    X(verifyHook, PUBLIC, NOTHING, READ, "proved by its signature") \
    X(receiveHook, PUBLIC, NOTHING, READ, "proved by its signature") \
    X(listLiveEvents, PART, NOTHING, READ, "seen events") \
    X(streamLiveEvents, WHOLE, NOTHING, READ, "seen events") \
    X(createUpload, PART, NOTHING, READ, "her team's") \
    X(getUpload, PART, NOTHING, READ, "begun by her team") \
    X(putUpload, PART, NOTHING, READ, "begun by her team") \
    X(deleteUpload, PART, NOTHING, READ, "begun by her team") \
    X(listImports, PART, NOTHING, READ, "made by her team") \
    X(createImport, PART, NOTHING, READ, "her team's files, as a source of its own") \
    X(detectImport, PART, NOTHING, READ, "files of her team") \
    X(previewImport, PART, NOTHING, READ, "files of her team; who is not seen is nobody yet") \
    X(listImportPresets, WORKSPACE, NOTHING, READ, "comes with Kith") \
    X(listBuckets, WHOLE, NOTHING, READ, "keys of the house") \
    X(putBucket, WHOLE, NOTHING, READ, "keys of the house") \
    X(deleteBucket, WHOLE, NOTHING, READ, "keys of the house") \
    X(listFeeds, WHOLE, NOTHING, READ, "keys of the house") \
    X(getFeed, WHOLE, NOTHING, READ, "keys of the house") \
    X(putFeed, WHOLE, NOTHING, READ, "keys of the house") \
    X(deleteFeed, WHOLE, NOTHING, READ, "keys of the house") \
    X(listSinks, WHOLE, NOTHING, READ, "tells of everybody") \
    X(getSink, WHOLE, NOTHING, READ, "tells of everybody") \
    X(putSink, WHOLE, NOTHING, READ, "tells of everybody") \
    X(deleteSink, WHOLE, NOTHING, READ, "tells of everybody") \
    X(undoImport, PART, NOTHING, READ, "made by her team") \
    X(getJob, PART, NOTHING, READ, "made by her team") \
    X(streamJob, PART, NOTHING, READ, "made by her team") \
    X(getRefusedRows, PART, NOTHING, READ, "made by her team") \
    X(pauseJob, PART, NOTHING, READ, "made by her team") \
    X(resumeJob, PART, NOTHING, READ, "made by her team") \
    X(cancelJob, PART, NOTHING, READ, "made by her team") \
    X(listMappings, PART, NOTHING, READ, "hers and shared ones") \
    X(getMapping, PART, MAPPING, READ, "hers and shared ones") \
    X(putMapping, PART, MAPPING, CHANGE, "hers") \
    X(listWatermarks, PART, NOTHING, READ, "sources of her team") \
    X(listObjectKinds, WORKSPACE, NOTHING, READ, "kinds; objects are not counted") \
    X(deleteObjectKind, WHOLE, NOTHING, READ, "rules of the house") \
    X(putObjectKind, WHOLE, NOTHING, READ, "rules of the house") \
    X(listObjects, WHOLE, NOTHING, READ, "objects come with everybody's events") \
    X(getObject, WHOLE, NOTHING, READ, "objects come with everybody's events") \
    X(putObject, WHOLE, NOTHING, READ, "seen by all") \
    X(deleteObject, WHOLE, NOTHING, READ, "seen by all") \
    X(listSources, PART, NOTHING, READ, "sources of her team") \
    X(createSource, WHOLE, NOTHING, READ, "keys of the house") \
    X(getSource, PART, SOURCE, READ, "sources of her team") \
    X(putSource, WHOLE, NOTHING, READ, "keys of the house") \
    X(rotateSource, WHOLE, NOTHING, READ, "keys of the house") \
    X(createSigningSecret, WHOLE, NOTHING, READ, "keys of the house") \
    X(listPlanEvents, PART, NOTHING, READ, "what is planned, and what seen sources brought first; not when") \
    X(getPlanEvent, PART, NOTHING, READ, "what is planned, and what seen sources brought first; not when") \
    X(putPlanEvent, WHOLE, NOTHING, READ, "rules of the house") \
    X(listTraits, WORKSPACE, NOTHING, READ, "kinds; nobody is counted") \
    X(putTrait, WHOLE, NOTHING, READ, "rules of the house") \
    X(listQuarantine, WHOLE, NOTHING, READ, "of sources of her team") \
    X(summariseQuarantine, WHOLE, NOTHING, READ, "counts everybody's events") \
    X(replayQuarantine, WHOLE, NOTHING, READ, "moves what others see") \
    X(discardQuarantine, WHOLE, NOTHING, READ, "takes away what others see")
/* clang-format on */

/* Lists that are not paged: items are kept whose member is a thing that she sees. X(operation, member, kind) */
#define SCOPE_LISTS(X)                            \
    X(listCustomerJourneys, "journey", "journey") \
    X(listTemplates, "key", "template")           \
    X(listChannels, "key", "account")             \
    X(listCouponPools, "key", "pool")             \
    X(listMappings, "key", "mapping")             \
    X(listSources, "key", "source")               \
    X(listWatermarks, "source", "source")

#endif
