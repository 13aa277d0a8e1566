/* SPDX-License-Identifier: Apache-2.0 */
/* chance: what a channel allows of her by what she did herself: subscriptions granted, contact within 48 hours, unsubscribed. */
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

uint64_t touches_chance_key(const struct account *account, uint32_t node, enum chance_kind kind,
                            str what)
{
    uint64_t hash =
        hash_mix64(touches_text_hash(account->key) ^ hash_mix64(touches_text_hash(what) + 5));
    hash = hash_mix64(hash ^ ((uint64_t)node << 2 | kind));
    return hash != 0 ? hash : 1;
}

struct chance *touches_chance_find(const struct touches *touches, uint64_t key)
{
    uint32_t place = touches_map_find(&touches->chance_places, key);
    return place != 0 ? &touches->chances[place - 1] : NULL;
}

static struct chance *make(struct touches *touches, uint64_t key)
{
    if (touches->chance_count == touches->chance_capacity) {
        size_t capacity = touches->chance_capacity == 0 ? 1024 : touches->chance_capacity * 2;
        struct chance *items = memory_resize(touches->chances, capacity * sizeof *items);
        if (items == NULL)
            return NULL;
        touches->chances = items;
        touches->chance_capacity = capacity;
    }
    if (touches_map_put(&touches->chance_places, key, (uint32_t)touches->chance_count + 1) !=
        ERR_OK)
        return NULL;
    touches->chances[touches->chance_count] = (struct chance){ .key = key };
    return &touches->chances[touches->chance_count++];
}

err touches_chance_put(struct touches *touches, uint32_t node, const struct account *account,
                       enum chance_kind kind, str what, uint32_t count, int64_t at_ms)
{
    uint64_t key = touches_chance_key(account, node, kind, what);
    struct chance *chance = touches_chance_find(touches, key);
    if (chance == NULL)
        chance = make(touches, key);
    if (chance == NULL)
        return ERR_NOMEM;
    chance->count = count;
    chance->at_ms = at_ms > chance->at_ms ? at_ms : chance->at_ms;
    PUT(touches, TOUCH_CHANCES, ledger_int(node), ledger_text(account->key), ledger_int(kind),
        ledger_text(what), ledger_int(count), ledger_int(chance->at_ms));
    return ERR_OK;
}

/* ---- subscription messages ---- */

str touches_stock_name(const struct touches *touches, const struct line *line)
{
    const struct kept_template *kept = touches_template_of(touches, line->template_);
    return kept != NULL && kept->template_id.size > 0 ? kept->template_id : line->template_;
}

static err stock_set(struct touches *touches, uint32_t customer, const struct line *line,
                     const struct account *account, bool all)
{
    const uint32_t *nodes = touches->her_nodes;
    str what = touches_stock_name(touches, line);
    size_t count = touches_nodes_of(touches, customer);
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        const struct chance *chance =
            touches_chance_find(touches, touches_chance_key(account, nodes[i], CHANCE_STOCK, what));
        if (chance == NULL || chance->count == 0)
            continue;
        error = touches_chance_put(touches, nodes[i], account, CHANCE_STOCK, what,
                                   all ? 0 : chance->count - 1, chance->at_ms);
        if (!all)
            return error;
    }
    return error;
}

err touches_stock_use(struct touches *touches, uint32_t customer, const struct line *line,
                      const struct account *account)
{
    return account->needs_stock ? stock_set(touches, customer, line, account, false) : ERR_OK;
}

err touches_stock_empty(struct touches *touches, uint32_t customer, const struct line *line,
                        const struct account *account)
{
    return account->needs_stock ? stock_set(touches, customer, line, account, true) : ERR_OK;
}

/* ---- what she does ---- */

static err contact(struct touches *touches, uint32_t node, const struct account *account,
                   int64_t at_ms)
{
    err error = touches_chance_put(touches, node, account, CHANCE_CONTACT, STR_NONE, 1, at_ms);
    const struct chance *gone = touches_chance_find(
        touches, touches_chance_key(account, node, CHANCE_UNSUBSCRIBED, STR_NONE));
    if (error == ERR_OK && gone != NULL && gone->count > 0 && at_ms > gone->at_ms)
        error = touches_chance_put(touches, node, account, CHANCE_UNSUBSCRIBED, STR_NONE, 0, at_ms);
    return error;
}

static err grant(struct touches *touches, uint32_t node, const struct account *account, str what,
                 bool accepted, int64_t at_ms)
{
    const struct chance *chance =
        touches_chance_find(touches, touches_chance_key(account, node, CHANCE_STOCK, what));
    uint32_t count = chance != NULL ? chance->count : 0;
    return touches_chance_put(touches, node, account, CHANCE_STOCK, what,
                              accepted ? count + (count < UINT32_MAX) : 0, at_ms);
}

/* Events that say something of it, as channel_callback makes them (docs/touches.md). */
enum says { SAYS_CONTACT, SAYS_GONE, SAYS_GRANTED, SAYS_REFUSED };
static const struct {
    const char *type;
    enum says says;
} telling[] = {
    { "Message Received", SAYS_CONTACT },
    { "Official Account Followed", SAYS_CONTACT },
    { "Official Account Menu Clicked", SAYS_CONTACT },
    { "Official Account Scanned", SAYS_CONTACT },
    { "Official Account Menu Viewed", SAYS_CONTACT },
    { "Official Account Unfollowed", SAYS_GONE },
    { "Contact Deleted", SAYS_GONE },
    { "Subscription Accepted", SAYS_GRANTED },
    { "Subscription Rejected", SAYS_REFUSED },
};

static err take_event(struct touches *touches, uint32_t node, enum says says,
                      const struct event *event)
{
    struct problem problem = { .error = ERR_OK };
    json_value props;
    if (json_parse(touches->parser, event->props, &props, &problem) != ERR_OK)
        return ERR_OK;
    str key = json_text(json_get(props, STR("account")));
    str what = json_text(json_get(props, STR("template_id")));
    const struct account *account = touches_account_find(touches, key);
    if (account == NULL)
        return ERR_OK;
    switch (says) {
    case SAYS_CONTACT:
        return contact(touches, node, account, event->time_ms);
    case SAYS_GONE:
        return touches_chance_put(touches, node, account, CHANCE_UNSUBSCRIBED, STR_NONE, 1,
                                  event->time_ms);
    case SAYS_GRANTED:
    case SAYS_REFUSED:
    default:
        return grant(touches, node, account, what, says == SAYS_GRANTED, event->time_ms);
    }
}

err touch_event(struct touches *touches, uint32_t node, const struct event *event,
                struct touch_moment moment, struct ledger_writes *writes)
{
    err error = ERR_OK;
    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++) {
        if (!str_equal(event->type, str_from_c(telling[i].type)))
            continue;
        touches_call_begin(touches, writes, moment);
        error = touches_call_end(touches, take_event(touches, node, telling[i].says, event));
        break;
    }
    return error;
}
