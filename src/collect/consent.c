/* SPDX-License-Identifier: Apache-2.0 */
/* consent: what a door does with events of somebody who has not agreed to be recorded, as the source says.
 *
 * Decided before the log, so that nothing of what is dropped is ever on a disk. Agreed: context.consent.categoryPreferences.CATEGORY is
 * true (Segment), or the property kith_consent (Sensors). What says of consent itself (Consent Granted, Consent Withdrawn) always
 * passes. Anonymised, an event keeps its name, time, channel and library, and a pseudonym of the day: a keyed hash of source, day and
 * sender, which nobody can turn back, and which is another tomorrow. */
#include <string.h>

#include "base/clock.h"
#include "base/metric.h"
#include "collect/inside.h"

bool collect_may_record(const struct source *source, json_value preferences)
{
    if (source->without_consent == WITHOUT_CONSENT_KEEP)
        return true;
    str category = str_from_c(source->consent_category[0] != '\0' ? source->consent_category
                                                                  : CONSENT_CATEGORY_DEFAULT);
    return json_bool(json_get(preferences, category), false);
}

void collect_leave_unsaid(struct door *door)
{
    draft_begin(door, EVENT_TRACK, STR("Without Consent"));
    draft_random_message_key(door);
    door->is_unsaid = true;
    metric_add(METRIC_EVENTS_WITHOUT_CONSENT, 1);
}

err collect_pseudonym(struct door *door, str sender, str *pseudonym)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t hash[SEAL_HASH_BYTES];
    struct buffer text;
    char *hex = worker_alloc(door->worker, 2 * SEAL_HASH_BYTES + 3);
    if (hex == NULL)
        return ERR_NOMEM;
    buffer_init(&text, 4096);
    buffer_printf(&text, "%u %lld ", door->source->number,
                  (long long)(door->request->received_ms / DAY_MS));
    buffer_append_str(&text, sender);
    err error = buffer_status(&text);
    keys_hash(door->worker->desk.keys, STR("pseudonym"), buffer_str(&text), hash);
    buffer_deinit(&text);
    memcpy(hex, "d-", 2);
    for (size_t i = 0; i < SEAL_HASH_BYTES; i++) {
        hex[2 + 2 * i] = digits[hash[i] >> 4];
        hex[3 + 2 * i] = digits[hash[i] & 15];
    }
    *pseudonym = str_from_bytes(hex, 2 * SEAL_HASH_BYTES + 2);
    return error;
}
