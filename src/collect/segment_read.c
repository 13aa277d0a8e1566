/* SPDX-License-Identifier: Apache-2.0 */
/* Members of Segment's calls and of their contexts, by name; times. */
#include <string.h>

#include "collect/segment_inside.h"

#define IS(key, literal) (memcmp((key).data, (literal), sizeof(literal) - 1) == 0)

static void take_context_member(struct segment_context *context, str key, json_value value)
{
    switch (key.size) {
    case 2:
        if (IS(key, "os"))
            context->os = value;
        else if (IS(key, "ip"))
            context->ip = value;
        break;
    case 3:
        if (IS(key, "app"))
            context->app = value;
        break;
    case 4:
        if (IS(key, "page"))
            context->page = value;
        break;
    case 6:
        if (IS(key, "device"))
            context->device = value;
        else if (IS(key, "locale"))
            context->locale = value;
        else if (IS(key, "screen"))
            context->screen = value;
        else if (IS(key, "traits"))
            context->traits = value;
        break;
    case 7:
        if (IS(key, "library"))
            context->library = value;
        else if (IS(key, "consent"))
            context->consent = value;
        else if (IS(key, "channel"))
            context->channel = value;
        else if (IS(key, "network"))
            context->network = value;
        break;
    case 8:
        if (IS(key, "campaign"))
            context->campaign = value;
        else if (IS(key, "timezone"))
            context->timezone = value;
        else if (IS(key, "referrer"))
            context->referrer = value;
        break;
    case 9:
        if (IS(key, "userAgent"))
            context->user_agent = value;
        else if (IS(key, "sessionId"))
            context->session_id = value;
        break;
    case 10:
        if (IS(key, "historical"))
            context->historical = value;
        break;
    case 11:
        if (IS(key, "externalIds"))
            context->external_ids = value;
        break;
    case 15:
        if (IS(key, "userIdSignature"))
            context->signature = value;
        break;
    default:
        break;
    }
}

/* Those of a batch are under those of its items. */
void segment_take_context(struct segment_context *context, json_value object)
{
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str key;
    while (json_next(&iterator, &key, &value))
        take_context_member(context, key, value);
}

void segment_take_member(struct segment_item *item, str key, json_value value)
{
    switch (key.size) {
    case 4:
        if (IS(key, "type"))
            item->type = value;
        else if (IS(key, "name"))
            item->name = value;
        break;
    case 5:
        if (IS(key, "event"))
            item->event = value;
        break;
    case 6:
        if (IS(key, "userId"))
            item->user_id = value;
        else if (IS(key, "sentAt"))
            item->sent_at = value;
        else if (IS(key, "traits"))
            item->traits = value;
        break;
    case 7:
        if (IS(key, "context"))
            segment_take_context(&item->context, value);
        else if (IS(key, "channel"))
            item->channel = value;
        else if (IS(key, "groupId"))
            item->group_id = value;
        break;
    case 8:
        if (IS(key, "category"))
            item->category = value;
        break;
    case 9:
        if (IS(key, "timestamp"))
            item->timestamp = value;
        else if (IS(key, "messageId"))
            item->message_id = value;
        break;
    case 10:
        if (IS(key, "properties"))
            item->properties = value;
        else if (IS(key, "previousId"))
            item->previous_id = value;
        break;
    case 11:
        if (IS(key, "anonymousId"))
            item->anonymous_id = value;
        break;
    case 17:
        if (IS(key, "originalTimestamp"))
            item->original_timestamp = value;
        break;
    default:
        break;
    }
}
/* ---- time ---- */

/* Seconds or milliseconds by size: 10^11 seconds are the year 5138, 10^11 ms 1973. */
#define EPOCH_SECONDS_MAX INT64_C(100000000000)
#define TIME_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

bool segment_read_time(json_value value, int64_t *out_ms)
{
    int64_t number;
    switch (json_kind(value)) {
    case JSON_TEXT:
        return time_parse(str_trim(json_text(value)), 0, out_ms) && *out_ms <= TIME_MS_MAX &&
               *out_ms >= -TIME_MS_MAX;
    case JSON_INT:
    case JSON_DOUBLE:
        number = json_int(value, INT64_MIN);
        if (number < -TIME_MS_MAX || number > TIME_MS_MAX)
            return false;
        *out_ms =
            number > -EPOCH_SECONDS_MAX && number < EPOCH_SECONDS_MAX ? number * 1000 : number;
        return true;
    case JSON_MISSING:
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_ARRAY:
    case JSON_OBJECT:
    default:
        return false;
    }
}

bool segment_is_absent(json_value value)
{
    enum json_kind kind = json_kind(value);
    return kind == JSON_MISSING || kind == JSON_NULL ||
           (kind == JSON_TEXT && json_text(value).size == 0);
}
