/* SPDX-License-Identifier: Apache-2.0 */
/* command: what the API can change, each operation one row: name, permission, what it does.
 *
 * A command is a record of the log. Its handler runs inside apply: it checks the body against state,
 * writes its rows, and forms the answer. Bodies are JSON; secrets are hashed before they come here.
 * The permission (access/permission.h) says who may ask for it by the API; the routes check it, and more
 * where one command serves several. SYSTEM: never asked for from outside.
 */
#ifndef KITH_ENGINE_COMMAND_H
#define KITH_ENGINE_COMMAND_H

/* NAME, operation, permission, what it does, for the audit
 * Bodies:
 *  source.put         {key,name,kind:"server|public",protocol,channel,strict,disabled,
 *                      write_key_hash:hex, old_until_ms (the key of now is good until then),
 *                      write_key (public only), signing_secret}; missing members
 *                     keep what is there
 *  user.put           {login,name,password (an argon2 hash),roles:[key] or role,team,locale,disabled}
 *  role.put           {key,name,permissions:[pattern]}        role.delete {key}
 *  token.put          {hash:hex,user_number,kind:"session|token",name,expires_ms,permissions:[pattern],
 *                      address,agent}
 *  token.delete       {hash:hex}
 *  identity.type.put  {name, …rules}         identity.rules.apply {types:[{name, …rules}]}: they and all that follows
 *  customer.split     {customer, merge_id}   customer.merge {customer, other}   numbers
 *  identifier.part    {customer, row, reason}: taken off her by hand; answers {customer, other}, other 0: at home nowhere
 *  identifier.add     {customer, type, namespace, value (sealed where personal), flags, hash:hex, other_hashes, tail, reason}
 *  refusal.decide     {id, decision:"merge|separate|dismiss"}
 *  trait.put          {name,type,precedence,description,personal}
 *  consent.put        {customer,purpose,granted,evidence,text_version,at_ms (not later than now)}
 *  plan.event.put     {name, …as in PUT /plan/events/{name}}
 *  quarantine.discard {ids:[…]}
 *  setting.put        {key,value}
 *  values.reveal      {object, path, reason}: changes nothing but the audit; so backup.take {}
 *  audit.note         {action, object, detail:{}}: likewise, under the name of `action`
 *  import.create      {identity:hex, settings}: answers {number}, or {number,unchanged:true} of the job
 *                     that has brought the same
 *  import.state       {number, status, reason}
 *  mapping.put        {key, body}: answers {version}
 *  object.put         {kind, id, props | delete:true}     object.kind.put {kind, …description | delete:true}
 *  segment.put, tag.put {key, …definition}: docs/tags.md       segment.delete, tag.delete {key}
 *  segment.members    {key, add:[…], remove:[…]} numbers       tag.values {key, values:[{customer, value, at}]}
 *  audience.install   {definitions:[{number, version, edges}]}: from the threads that computed them
 *  journey.*          docs/journeys.md
 *  template.put, channel.put, policy.put, stop.put, touch.*, coupon.put, pause.*: docs/touches.md
 *  team.put           {key,name,parent,customers,events,sources,accounts}   team.delete {key}: docs/teams.md
 *  team.share         {kind,key,team,level:"read|use|change|none"}          team.refuse {object,path}: the audit alone
 *  customer.erase     {customer, reason}: all of a customer; answers {number} of the erasure. docs/privacy.md
 *  customer.restrict  {customer, restricted, reason}: her data are kept and not used
 *  guardian.put       {customer, request, evidence}: a child's guardian agreed; by the second person
 *  trait.correct      {customer, name, value} or {customer, name, release:true}
 *  request.put        {customer, kind, received_ms, due_ms, handler, note}: answers {number}; or, of one that is there,
 *                     {number, state, handler, due_ms, note, result, package}: what is missing stays
 *  tombstone.put      {hashes:[hex], lift}: she comes back; or, of a backup that knows her, she does not
 *  retention.put      {policy}: engine/retention.h     retention.begin {policy}: answers {number}
 *  steps of a job, never asked for from outside:
 *  erasure.move       {number, totals:[[day, type, channel, currency, events, revenue, total]], quarantine:[ids],
 *                     receipt:{…}, clean, finished}
 *  import.move        {number, position, report_bytes, rows, events, …}: in the block of its events
 *  import.cut         {number}: what comes from here on is watched (engine/jobs.h)
 *  import.retract     {number, place, nodes:[{node, seqs, all, count, first, last, orders}]}
 *  import.detach      {number, rows:[…], edges:[from, to]}
 *  retention.cut      {number}                retention.retract {number, place, nodes}: as import.retract
 *  retention.drop     {number, quarantine | touches | visitors: [ids]} or {number, audit_before_ms}: answers {removed}
 *  retention.finish   {number, log, exports, uploads}: counts
 *  watermark.put      {source, time}
 *  feed.move          {feed, places:[[topic, partition, next]]}: in the block of its events
 *  sink.move          {sink, next}: it was told everything below that (engine/news.h)
 */
#define COMMAND_TABLE(X)                                                                           \
    X(SOURCE_PUT, "source.put", SOURCE_ADMINISTER, "a source was made or changed")                 \
    X(USER_PUT, "user.put", SIGNED_IN, "a user was made or changed")                               \
    X(ROLE_PUT, "role.put", ROLE_ADMINISTER, "a role was made or changed")                         \
    X(ROLE_DELETE, "role.delete", ROLE_ADMINISTER, "a role was deleted")                           \
    X(TOKEN_PUT, "token.put", SIGNED_IN, "somebody signed in, or a token was made")                \
    X(TOKEN_DELETE, "token.delete", SIGNED_IN, "somebody signed out, or a token was taken back")   \
    X(IDENTITY_TYPE_PUT, "identity.type.put", IDENTITY_ADMINISTER, "an identity rule was changed") \
    X(IDENTITY_RULES_APPLY, "identity.rules.apply", IDENTITY_ADMINISTER,                           \
      "identity rules were applied to all")                                                        \
    X(CUSTOMER_SPLIT, "customer.split", CUSTOMER_CHANGE, "a merge was taken back")                 \
    X(CUSTOMER_MERGE, "customer.merge", CUSTOMER_CHANGE, "two customers were joined by hand")      \
    X(IDENTIFIER_PART, "identifier.part", CUSTOMER_CHANGE,                                         \
      "an identifier was taken off a customer by hand")                                            \
    X(IDENTIFIER_ADD, "identifier.add", CUSTOMER_CHANGE,                                           \
      "an identifier was given to a customer by hand")                                             \
    X(REFUSAL_DECIDE, "refusal.decide", IDENTITY_CHANGE, "a refused link was decided")             \
    X(TRAIT_PUT, "trait.put", PLAN_CHANGE, "a trait was described")                                \
    X(CONSENT_PUT, "consent.put", CONSENT_CHANGE, "a consent was recorded")                        \
    X(PLAN_EVENT_PUT, "plan.event.put", PLAN_CHANGE, "the tracking plan was changed")              \
    X(QUARANTINE_DISCARD, "quarantine.discard", QUARANTINE_CHANGE,                                 \
      "events were discarded from quarantine")                                                     \
    X(QUARANTINE_REPLAY, "quarantine.replay", QUARANTINE_CHANGE,                                   \
      "events were replayed from quarantine")                                                      \
    X(TEAM_PUT, "team.put", TEAM_ADMINISTER, "a team was made or changed")                         \
    X(TEAM_DELETE, "team.delete", TEAM_ADMINISTER, "a team was deleted")                           \
    X(TEAM_SHARE, "team.share", SIGNED_IN, "a thing was shared with a team, or no more")           \
    X(TEAM_REFUSE, "team.refuse", SIGNED_IN, "somebody asked for what her team does not see")      \
    X(SETTING_PUT, "setting.put", SETTING_ADMINISTER, "a setting was changed")                     \
    X(AUDIT_NOTE, "audit.note", SYSTEM, "something that changed nothing was noted")                \
    X(CUSTOMER_ERASE, "customer.erase", PRIVACY_APPROVE, "a customer was erased")                  \
    X(CUSTOMER_RESTRICT, "customer.restrict", PRIVACY_CREATE,                                      \
      "a customer's data are not to be used, or may be again")                                     \
    X(GUARDIAN_PUT, "guardian.put", PRIVACY_APPROVE,                                               \
      "a child was released whose guardian agreed, by a second person")                            \
    X(TRAIT_CORRECT, "trait.correct", CUSTOMER_CHANGE, "a trait was corrected by hand")            \
    X(REQUEST_PUT, "request.put", PRIVACY_CREATE,                                                  \
      "a person asked for her rights, or was answered")                                            \
    X(ERASURE_MOVE, "erasure.move", SYSTEM, "an erasure went on")                                  \
    X(TOMBSTONE_PUT, "tombstone.put", PRIVACY_APPROVE,                                             \
      "identifiers were kept out, or may come back")                                               \
    X(RETENTION_PUT, "retention.put", PRIVACY_ADMINISTER, "it was said how long data are kept")    \
    X(RETENTION_BEGIN, "retention.begin", PRIVACY_ADMINISTER,                                      \
      "data that are too old began to be removed")                                                 \
    X(RETENTION_CUT, "retention.cut", SYSTEM, "events that are too old are about to go")           \
    X(RETENTION_RETRACT, "retention.retract", SYSTEM, "events that are too old went")              \
    X(RETENTION_DROP, "retention.drop", SYSTEM, "data that are too old went")                      \
    X(RETENTION_FINISH, "retention.finish", SYSTEM, "data that are too old are removed")           \
    X(BACKUP_TAKE, "backup.take", BACKUP_CREATE, "a backup was begun")                             \
    X(VALUES_REVEAL, "values.reveal", CUSTOMER_REVEAL, "personal values were shown in full")       \
    X(IMPORT_CREATE, "import.create", IMPORT_CREATE, "an import was begun")                        \
    X(IMPORT_MOVE, "import.move", SYSTEM, "an import went on")                                     \
    X(IMPORT_STATE, "import.state", IMPORT_CHANGE, "an import changed its state")                  \
    X(IMPORT_CUT, "import.cut", SYSTEM, "events are about to be taken back")                       \
    X(IMPORT_RETRACT, "import.retract", SYSTEM, "events were taken back")                          \
    X(IMPORT_DETACH, "import.detach", SYSTEM, "identifiers and merges were taken back")            \
    X(FEED_MOVE, "feed.move", SYSTEM, "a feed went on")                                            \
    X(SINK_MOVE, "sink.move", SYSTEM, "a sink was told")                                           \
    X(MAPPING_PUT, "mapping.put", MAPPING_CHANGE, "a mapping was saved")                           \
    X(WATERMARK_PUT, "watermark.put", IMPORT_CREATE, "a source has told everything up to a time")  \
    X(OBJECT_PUT, "object.put", OBJECT_CHANGE, "an object was changed")                            \
    X(OBJECT_KIND_PUT, "object.kind.put", OBJECT_CHANGE, "a kind of objects was described")        \
    X(SEGMENT_PUT, "segment.put", SEGMENT_CHANGE, "a segment was defined")                         \
    X(SEGMENT_DELETE, "segment.delete", SEGMENT_CHANGE, "a segment was deleted")                   \
    X(SEGMENT_MEMBERS, "segment.members", SEGMENT_CHANGE, "members were added or removed by hand") \
    X(TAG_PUT, "tag.put", TAG_CHANGE, "a tag was defined")                                         \
    X(TAG_DELETE, "tag.delete", TAG_CHANGE, "a tag was deleted")                                   \
    X(TAG_VALUES, "tag.values", TAG_CHANGE, "values of a tag were given")                          \
    X(AUDIENCE_INSTALL, "audience.install", SYSTEM, "computed definitions went live")              \
    X(JOURNEY_PUT, "journey.put", JOURNEY_CHANGE, "a draft of a journey was saved")                \
    X(JOURNEY_DELETE, "journey.delete", JOURNEY_CHANGE, "a journey was deleted")                   \
    X(JOURNEY_PUBLISH, "journey.publish", JOURNEY_PUBLISH, "a journey was published")              \
    X(JOURNEY_STATE, "journey.state", JOURNEY_CHANGE, "a journey was paused, stopped, approved …") \
    X(JOURNEY_ENTER, "journey.enter", JOURNEY_PUBLISH, "customers were put into a journey")        \
    X(JOURNEY_MOVE, "journey.move", JOURNEY_CHANGE, "positions in a journey were moved by hand")   \
    X(JOURNEY_RUN, "journey.run", SYSTEM, "what is due in journeys was run")                       \
    X(TEMPLATE_PUT, "template.put", TEMPLATE_CHANGE, "a template was changed")                     \
    X(TEMPLATE_DELETE, "template.delete", TEMPLATE_CHANGE, "a template was deleted")               \
    X(CHANNEL_PUT, "channel.put", CHANNEL_ADMINISTER, "a sending account was changed")             \
    X(CHANNEL_DELETE, "channel.delete", CHANNEL_ADMINISTER, "a sending account was deleted")       \
    X(POLICY_PUT, "policy.put", POLICY_ADMINISTER, "the sending policy was changed")               \
    X(STOP_PUT, "stop.put", STOP_CHANGE, "sending was stopped, or goes on")                        \
    X(TOUCH_SEND, "touch.send", TOUCH_CREATE, "touches were asked for by hand")                    \
    X(TOUCH_DECIDE, "touch.decide", TOUCH_APPROVE, "an uncertain touch was decided")               \
    X(TOUCH_TASK, "touch.task", TASK_CHANGE, "a task of the call centre was taken or done")        \
    X(COUPON_PUT, "coupon.put", COUPON_CHANGE, "a pool of coupons was changed")                    \
    X(PAUSE_PUT, "pause.put", CONSENT_CHANGE, "marketing to a customer was paused by hand")        \
    X(PAUSE_LIFT, "pause.lift", CONSENT_CHANGE, "a pause of marketing was lifted by hand")         \
    X(TOUCH_CLAIM, "touch.claim", SYSTEM, "touches were claimed for sending")                      \
    X(TOUCH_RESULTS, "touch.results", SYSTEM, "channels told what came of touches")                \
    X(TOUCH_RECEIPTS, "touch.receipts", SYSTEM, "receipts of touches came")                        \
    X(TOUCH_RUN, "touch.run", SYSTEM, "held touches were looked at again")                         \
    X(TOUCH_RECOVER, "touch.recover", SYSTEM, "touches under way were found at start")

#endif
