/* SPDX-License-Identifier: Apache-2.0 */
/* outgoing_form: how messages, accounts and results are written in the outbox: JSON, which is sealed. Private to engine/. */
#ifndef KITH_ENGINE_OUTGOING_FORM_H
#define KITH_ENGINE_OUTGOING_FORM_H

#include "engine/act/act_inside.h"

void outgoing_write_message(const struct channel_message *message, struct buffer *out);
/* Texts are borrowed from `json`; touch, account and whether somebody had it before are the caller's. */
void outgoing_read_message(json_value json, struct channel_message *message);

/* Secrets in `settings` are sealed as they are in the ledger. `zone`: where days of quotas begin. */
void outgoing_write_card(enum channel_kind kind, json_value settings, const char *zone,
                         struct buffer *out);

/* `is_repeat`: another had it before. What was held back before a try is LATER, whatever was tried earlier; the next try knows. */
void outgoing_write_result(const struct channel_result *result, bool is_repeat, int64_t at_ms,
                           struct buffer *out);
/* Texts are copied to the arena. False: it is none. */
bool outgoing_read_result(json_value json, struct arena *arena, struct act_result *result);

#endif
