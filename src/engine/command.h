/* SPDX-License-Identifier: Apache-2.0 */
/* command: what the API can change, each operation one row: name, handler, role that may.
 *
 * A command is a record of the log. Its handler runs inside apply: it checks the body against state,
 * writes its rows, and forms the answer. Bodies are JSON; secrets are hashed before they come here.
 * The roles say who may ask (server/auth.c checks): viewer < operator < administrator.
 */
#ifndef KITH_ENGINE_COMMAND_H
#define KITH_ENGINE_COMMAND_H

/* NAME, operation, least role, what it does, for the audit
 * Bodies:
 *  source.put         {key,name,kind:"server|public",protocol,channel,strict,disabled,
 *                      write_key_hash:hex, write_key (public only), signing_secret}; missing members
 *                     keep what is there
 *  user.put           {login,name,password (an argon2 hash),role,locale,disabled}
 *  token.put          {hash:hex,user_number,kind:"session|token",name,expires_ms}
 *  token.delete       {hash:hex}
 *  identity.type.put  {name, …rules}         identity.rules.apply {}
 *  customer.split     {customer, merge_id}   customer.merge {customer, other}   numbers
 *  refusal.decide     {id, decision:"merge|separate|dismiss"}
 *  trait.put          {name,type,precedence,description,personal}
 *  consent.put        {customer,purpose,granted,evidence}
 *  plan.event.put     {name, …as in PUT /plan/events/{name}}
 *  quarantine.discard {ids:[…]}
 *  setting.put        {key,value}
 *  values.reveal      {object, path}: changes nothing but the audit; so backup.take {}
 *  import.create      {identity:hex, settings}: answers {number}, or {number,unchanged:true} of the job
 *                     that has brought the same
 *  import.state       {number, status, reason}
 *  mapping.put        {key, body}: answers {version}
 *  object.put         {kind, id, props | delete:true}     object.kind.put {kind, …description}
 *  segment.put, tag.put {key, …definition}: docs/tags.md       segment.delete, tag.delete {key}
 *  segment.members    {key, add:[…], remove:[…]} numbers       tag.values {key, values:[{customer, value, at}]}
 *  audience.install   {definitions:[{number, version, edges}]}: from the threads that computed them
 *  journey.*          docs/journeys.md
 *  template.put, channel.put, policy.put, stop.put, touch.*, coupon.put: docs/touches.md
 *  steps of a job, never asked for from outside:
 *  import.move        {number, position, report_bytes, rows, events, …}: in the block of its events
 *  import.cut         {number}: what comes from here on is watched (engine/jobs.h)
 *  import.retract     {number, place, nodes:[{node, seqs, all, count, first, last, orders}]}
 *  import.detach      {number, rows:[…], edges:[from, to]}
 *  watermark.put      {source, time}
 */
#define COMMAND_TABLE(X)                                                                           \
    X(SOURCE_PUT, "source.put", ADMINISTRATOR, "a source was made or changed")                     \
    X(USER_PUT, "user.put", ADMINISTRATOR, "a user was made or changed")                           \
    X(TOKEN_PUT, "token.put", VIEWER, "somebody signed in, or a token was made")                   \
    X(TOKEN_DELETE, "token.delete", VIEWER, "somebody signed out, or a token was taken back")      \
    X(IDENTITY_TYPE_PUT, "identity.type.put", ADMINISTRATOR, "an identity rule was changed")       \
    X(IDENTITY_RULES_APPLY, "identity.rules.apply", ADMINISTRATOR,                                 \
      "identity rules were applied to all")                                                        \
    X(CUSTOMER_SPLIT, "customer.split", OPERATOR, "a merge was taken back")                        \
    X(CUSTOMER_MERGE, "customer.merge", OPERATOR, "two customers were joined by hand")             \
    X(REFUSAL_DECIDE, "refusal.decide", OPERATOR, "a refused link was decided")                    \
    X(TRAIT_PUT, "trait.put", OPERATOR, "a trait was described")                                   \
    X(CONSENT_PUT, "consent.put", OPERATOR, "a consent was recorded")                              \
    X(PLAN_EVENT_PUT, "plan.event.put", OPERATOR, "the tracking plan was changed")                 \
    X(QUARANTINE_DISCARD, "quarantine.discard", OPERATOR, "events were discarded from quarantine") \
    X(QUARANTINE_REPLAY, "quarantine.replay", OPERATOR, "events were replayed from quarantine")    \
    X(SETTING_PUT, "setting.put", ADMINISTRATOR, "a setting was changed")                          \
    X(BACKUP_TAKE, "backup.take", ADMINISTRATOR, "a backup was begun")                             \
    X(VALUES_REVEAL, "values.reveal", OPERATOR, "personal values were shown in full")              \
    X(IMPORT_CREATE, "import.create", OPERATOR, "an import was begun")                             \
    X(IMPORT_MOVE, "import.move", ADMINISTRATOR, "an import went on")                              \
    X(IMPORT_STATE, "import.state", OPERATOR, "an import changed its state")                       \
    X(IMPORT_CUT, "import.cut", ADMINISTRATOR, "events are about to be taken back")                \
    X(IMPORT_RETRACT, "import.retract", ADMINISTRATOR, "events were taken back")                   \
    X(IMPORT_DETACH, "import.detach", ADMINISTRATOR, "identifiers and merges were taken back")     \
    X(MAPPING_PUT, "mapping.put", OPERATOR, "a mapping was saved")                                 \
    X(WATERMARK_PUT, "watermark.put", OPERATOR, "a source has told everything up to a time")       \
    X(OBJECT_PUT, "object.put", OPERATOR, "an object was changed")                                 \
    X(OBJECT_KIND_PUT, "object.kind.put", OPERATOR, "a kind of objects was described")             \
    X(SEGMENT_PUT, "segment.put", OPERATOR, "a segment was defined")                               \
    X(SEGMENT_DELETE, "segment.delete", OPERATOR, "a segment was deleted")                         \
    X(SEGMENT_MEMBERS, "segment.members", OPERATOR, "members were added or removed by hand")       \
    X(TAG_PUT, "tag.put", OPERATOR, "a tag was defined")                                           \
    X(TAG_DELETE, "tag.delete", OPERATOR, "a tag was deleted")                                     \
    X(TAG_VALUES, "tag.values", OPERATOR, "values of a tag were given")                            \
    X(AUDIENCE_INSTALL, "audience.install", ADMINISTRATOR, "computed definitions went live")       \
    X(JOURNEY_PUT, "journey.put", OPERATOR, "a draft of a journey was saved")                      \
    X(JOURNEY_DELETE, "journey.delete", OPERATOR, "a journey was deleted")                         \
    X(JOURNEY_PUBLISH, "journey.publish", OPERATOR, "a journey was published")                     \
    X(JOURNEY_STATE, "journey.state", OPERATOR, "a journey was paused, stopped, approved …")       \
    X(JOURNEY_ENTER, "journey.enter", OPERATOR, "customers were put into a journey")               \
    X(JOURNEY_MOVE, "journey.move", OPERATOR, "positions in a journey were moved by hand")         \
    X(JOURNEY_RUN, "journey.run", ADMINISTRATOR, "what is due in journeys was run")                \
    X(TEMPLATE_PUT, "template.put", OPERATOR, "a template was changed")                            \
    X(TEMPLATE_DELETE, "template.delete", OPERATOR, "a template was deleted")                      \
    X(CHANNEL_PUT, "channel.put", ADMINISTRATOR, "a sending account was changed")                  \
    X(CHANNEL_DELETE, "channel.delete", ADMINISTRATOR, "a sending account was deleted")            \
    X(POLICY_PUT, "policy.put", ADMINISTRATOR, "the sending policy was changed")                   \
    X(STOP_PUT, "stop.put", OPERATOR, "sending was stopped, or goes on")                           \
    X(TOUCH_SEND, "touch.send", OPERATOR, "touches were asked for by hand")                        \
    X(TOUCH_DECIDE, "touch.decide", OPERATOR, "an uncertain touch was decided")                    \
    X(TOUCH_TASK, "touch.task", OPERATOR, "a task of the call centre was taken or done")           \
    X(COUPON_PUT, "coupon.put", OPERATOR, "a pool of coupons was changed")                         \
    X(TOUCH_CLAIM, "touch.claim", ADMINISTRATOR, "touches were claimed for sending")               \
    X(TOUCH_RESULTS, "touch.results", ADMINISTRATOR, "channels told what came of touches")         \
    X(TOUCH_RECEIPTS, "touch.receipts", ADMINISTRATOR, "receipts of touches came")                 \
    X(TOUCH_RUN, "touch.run", ADMINISTRATOR, "held touches were looked at again")                  \
    X(TOUCH_RECOVER, "touch.recover", ADMINISTRATOR, "touches under way were found at start")

#endif
