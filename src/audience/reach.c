/* SPDX-License-Identifier: Apache-2.0 */
/* reach: by which channels somebody can be contacted today, and why not by the others.
 *
 * An identifier of the channel, and consent for the purpose of the channel's name; where that was never decided, for
 * "marketing". */
#include "audience/state.h"
#include "profile/profile.h"

/* X(NAME, channel, identifier type) */
#define CHANNELS(X)                                      \
    X(WECOM, "wecom", "wecom_external_userid")           \
    X(SMS, "sms", "mobile")                              \
    X(CALL, "call", "mobile")                            \
    X(OFFICIAL_ACCOUNT, "official_account", "wx_openid") \
    X(SUBSCRIPTION, "subscription", "wx_openid")         \
    X(EMAIL, "email", "email")

static const struct {
    const char *name, *identifier_type;
} channels[REACH_CHANNELS] = {
#define X(NAME, name, type) { name, type },
    CHANNELS(X)
#undef X
};

str reach_channel(size_t channel)
{
    return str_from_c(channels[channel].name);
}

str reach_identifier(size_t channel)
{
    return str_from_c(channels[channel].identifier_type);
}

const char *reach_word(enum reach reach)
{
    static const char *const words[] = { "reachable", "no_identifier", "no_consent", "withdrawn" };
    return words[reach];
}

err reach_want(struct audience *audience, bool *is_ready)
{
    struct reach_columns *reach = &audience->reach;
    for (size_t i = 0; i <= REACH_CHANNELS + 1; i++) {
        str name = i < REACH_CHANNELS    ? reach_channel(i)
                   : i == REACH_CHANNELS ? STR("marketing")
                                         : STR(PURPOSE_PROCESSING);
        uint32_t column = columns_column(&audience->facts, COLUMN_CONSENT, name, RULE_BOOL);
        if (column == 0)
            return ERR_NOMEM;
        if (i > REACH_CHANNELS)
            reach->processing = audience->facts.columns[column];
        else
            reach->consents[i] = audience->facts.columns[column];
        columns_want(&audience->facts, column);
        *is_ready = *is_ready && columns_is_filled(&audience->facts, column);
        if (i < REACH_CHANNELS)
            reach->bits[i] = columns_identifier_bit(&audience->facts, reach_identifier(i));
    }
    *is_ready = *is_ready && columns_is_filled(&audience->facts, 0);
    return ERR_OK;
}

enum reach reach_of(const struct audience *audience, size_t channel, uint32_t customer)
{
    const struct reach_columns *reach = &audience->reach;
    int64_t mask = cell_get(audience->facts.columns[0], customer);
    uint32_t bit = reach->bits[channel];
    if (mask == NO_VALUE || bit >= IDENTIFIER_BITS || (mask >> bit & 1) == 0)
        return REACH_NO_IDENTIFIER;
    if (cell_get(reach->processing, customer) == 0)
        return REACH_WITHDRAWN;
    int64_t consent = cell_get(reach->consents[channel], customer);
    if (consent == NO_VALUE)
        consent = cell_get(reach->consents[REACH_CHANNELS], customer);
    if (consent == NO_VALUE)
        return REACH_NO_CONSENT;
    return consent != 0 ? REACH_YES : REACH_WITHDRAWN;
}

/* For a rule: the channel's columns exist from here on, and are among those that it needs. */
bool reach_find(void *context, str name, struct rule_symbol *symbol)
{
    bool is_ready = true;
    for (size_t i = 0; i < REACH_CHANNELS; i++) {
        if (!str_equal(name, reach_channel(i)))
            continue;
        *symbol = (struct rule_symbol){ .kind = RULE_BOOL, .number = (uint32_t)i };
        return reach_want(context, &is_ready) == ERR_OK;
    }
    return false;
}

void reach_suggest(struct rule_suggestions *like, str wrong)
{
    for (size_t i = 0; i < REACH_CHANNELS; i++)
        rule_suggestions_offer(like, wrong, reach_channel(i));
}

void reach_count(const struct audience *audience, struct reach_counts *counts, uint32_t customer)
{
    for (size_t i = 0; i < REACH_CHANNELS; i++)
        counts->counts[i][reach_of(audience, i, customer)]++;
}

void reach_join(struct reach_counts *to, const struct reach_counts *from)
{
    for (size_t i = 0; i < REACH_CHANNELS; i++)
        for (size_t k = 0; k < REACH_END; k++)
            to->counts[i][k] += from->counts[i][k];
}

/* `scale`: of a part of the base to the whole. */
void reach_write(const struct reach_counts *counts, double scale, struct json_writer *writer)
{
    json_put_key(writer, STR("reachable"));
    json_begin_object(writer);
    for (size_t i = 0; i < REACH_CHANNELS; i++)
        json_member_int(writer, reach_channel(i),
                        (int64_t)((double)counts->counts[i][REACH_YES] * scale + 0.5));
    json_end_object(writer);
    json_put_key(writer, STR("unreachable"));
    json_begin_object(writer);
    for (size_t i = 0; i < REACH_CHANNELS; i++) {
        json_put_key(writer, reach_channel(i));
        json_begin_object(writer);
        for (int k = REACH_NO_IDENTIFIER; k < REACH_END; k++)
            json_member_int(writer, str_from_c(reach_word((enum reach)k)),
                            (int64_t)((double)counts->counts[i][k] * scale + 0.5));
        json_end_object(writer);
    }
    json_end_object(writer);
}
