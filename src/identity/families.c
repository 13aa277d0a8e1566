/* SPDX-License-Identifier: Apache-2.0 */
/* families: from which worlds a customer is known, kept as she changes, so that nobody has to walk all of
 * them to count.
 *
 * A type of identifier belongs to a family: a platform's own names, the brand's account, a phone, what a
 * browser calls itself. Of each node a mask of the families of its rows is kept, of each component the
 * union, and how many customers have which family. What counts is what finds people: stated by
 * somebody who may, not blocked, not shared.
 *
 *     row comes, goes, changes flags ─▶ families_row ─┐
 *     edge made                      ─▶ families_join ─┼─▶ masks ─▶ counts of customers
 *     edge taken back                ─▶ families_cut ─┘
 */
#include "identity/state.h"

#include <string.h>

/* ---- of a type, and of a channel ---- */

static const struct {
    const char *type;
    uint16_t family;
} type_families[] = {
    { "user_id", FAMILY_ACCOUNT },
    { "member_card", FAMILY_CARD },
    { "mobile", FAMILY_CONTACT },
    { "email", FAMILY_CONTACT },
    { "wx_unionid", FAMILY_WECHAT },
    { "wx_openid", FAMILY_WECHAT },
    { "wecom_external_userid", FAMILY_WECOM },
    { "tmall_open_uid", FAMILY_TMALL },
    { "jd_open_id", FAMILY_JD },
    { "douyin_doudian_open_id", FAMILY_DOUYIN },
    { "pdd_open_id", FAMILY_PDD },
    { "vip_open_id", FAMILY_VIP },
    { "yz_open_id", FAMILY_YOUZAN },
    /* Of a purchase, not of a person. */
    { "order_no", 0 },
    { "receiver_key", 0 },
    { "device", FAMILY_VISITOR },
    { "anonymous_id", FAMILY_VISITOR },
};

uint16_t families_of_type(str name)
{
    for (size_t i = 0; i < sizeof(type_families) / sizeof(type_families[0]); i++)
        if (str_equal(name, str_from_c(type_families[i].type)))
            return type_families[i].family;
    return FAMILY_OTHER;
}

static const struct {
    const char *channel;
    uint16_t own;
} channel_families[] = {
    { "web", FAMILY_ACCOUNT },         { "h5", FAMILY_ACCOUNT },    { "app", FAMILY_ACCOUNT },
    { "server", FAMILY_ACCOUNT },      { "store", FAMILY_CARD },    { "crm", FAMILY_CARD },
    { "mini_program", FAMILY_WECHAT }, { "wechat", FAMILY_WECHAT }, { "wecom", FAMILY_WECOM },
    { "tmall", FAMILY_TMALL },         { "taobao", FAMILY_TMALL },  { "jd", FAMILY_JD },
    { "douyin", FAMILY_DOUYIN },       { "pdd", FAMILY_PDD },       { "vip", FAMILY_VIP },
    { "youzan", FAMILY_YOUZAN },
};

uint16_t identity_channel_families(str channel)
{
    for (size_t i = 0; i < sizeof(channel_families) / sizeof(channel_families[0]); i++)
        if (str_equal(channel, str_from_c(channel_families[i].channel)))
            return channel_families[i].own | FAMILY_VISITOR;
    return FAMILY_VISITOR;
}

/* ---- masks ---- */

static uint16_t *mask_at(const struct identity *identity, uint32_t node)
{
    return segments_at(&identity->families, node);
}

uint16_t families_of_row(const struct identity *identity, uint32_t number)
{
    const struct row *row = row_at(identity, number);
    const struct identifier_type *type = identity->kinds[row->kind].type;
    if ((row->flags & ROW_STATED) == 0 || (row->flags & (ROW_SHARED | IDENTIFIER_BLOCKED)) != 0)
        return 0;
    return type->family | (type->strong ? FAMILY_STRONG : 0);
}

static uint16_t mask_of_rows(const struct identity *identity, uint32_t node)
{
    uint16_t mask = 0;
    for (uint32_t row = node_at(identity, node)->first_row; row != 0;
         row = row_at(identity, row)->next)
        mask |= families_of_row(identity, row);
    return mask;
}

static uint16_t mask_of_ring(const struct identity *identity, uint32_t start)
{
    uint16_t mask = 0;
    uint32_t node = start;
    do {
        mask |= *mask_at(identity, node);
        node = node_next(identity, node);
    } while (node != start);
    return mask;
}

static uint16_t mask_of_customer(const struct identity *identity, uint32_t node)
{
    uint32_t component = node_component(identity, node);
    return component != 0 ? identity->components[component].families : *mask_at(identity, node);
}

static void count(struct identity *identity, uint16_t mask, uint32_t change)
{
    for (; mask != 0; mask &= (uint16_t)(mask - 1))
        identity->family_customers[__builtin_ctz(mask)] += change;
}

static void customer_changed(struct identity *identity, uint16_t before, uint16_t now)
{
    count(identity, before & (uint16_t)~now, UINT32_MAX); /* one less */
    count(identity, now & (uint16_t)~before, 1);
}

/* ---- what changes ---- */

err families_node(struct identity *identity, uint32_t node)
{
    err error = segments_grow(&identity->stirred, (uint64_t)node / 64 + 1);
    return error == ERR_OK ? segments_grow(&identity->families, (uint64_t)node + 1) : error;
}

void families_row(struct identity *identity, uint32_t node, uint16_t gone, uint16_t come)
{
    uint16_t *mask = mask_at(identity, node);
    uint16_t before = mask_of_customer(identity, node), now = *mask | come;
    uint32_t component = node_component(identity, node);
    /* Another row may be of the same family. */
    if ((gone & ~come) != 0)
        now = mask_of_rows(identity, node);
    if (now == *mask)
        return;
    bool lost = (*mask & ~now) != 0;
    *mask = now;
    if (component != 0)
        identity->components[component].families =
            lost ? mask_of_ring(identity, node) : (uint16_t)(before | now);
    customer_changed(identity, before, mask_of_customer(identity, node));
}

void families_join(struct identity *identity, uint32_t into, uint32_t from)
{
    uint16_t a = identity->components[into].families, b = identity->components[from].families;
    count(identity, a & b, UINT32_MAX);
    identity->components[into].families = a | b;
}

void families_component(struct identity *identity, uint32_t component)
{
    uint32_t root = identity->components[component].root;
    identity->components[component].families = mask_of_ring(identity, root);
}

void families_cut(struct identity *identity, uint16_t before, uint32_t a, uint32_t b)
{
    count(identity, before, UINT32_MAX);
    families_component(identity, a);
    families_component(identity, b);
    count(identity, identity->components[a].families, 1);
    count(identity, identity->components[b].families, 1);
}

/* ---- all of them ---- */

void families_load_row(struct identity *identity, uint32_t row, uint32_t node)
{
    *mask_at(identity, node) |= families_of_row(identity, row);
}

void families_count_all(struct identity *identity)
{
    memset(identity->family_customers, 0, sizeof(identity->family_customers));
    for (uint32_t node = 1; node < identity->nodes.count; node++)
        if (root_of(identity, node) == node)
            count(identity, mask_of_customer(identity, node), 1);
}

void families_again(struct identity *identity)
{
    for (uint32_t node = 1; node < identity->nodes.count; node++)
        *mask_at(identity, node) = mask_of_rows(identity, node);
    for (uint32_t node = 1; node < identity->nodes.count; node++) {
        uint32_t component = node_component(identity, node);
        if (component != 0 && identity->components[component].root == node)
            families_component(identity, component);
    }
    families_count_all(identity);
}

err families_check(const struct identity *identity, struct problem *problem)
{
    uint32_t counts[FAMILY_BITS] = { 0 };
    for (uint32_t node = 1; node < identity->nodes.count; node++) {
        if (!node_is_here(identity, node) && *mask_at(identity, node) == 0)
            continue;
        if (*mask_at(identity, node) != mask_of_rows(identity, node))
            return problem_set(problem, ERR_CORRUPT, "I8: families of node %u are %#x, not %#x",
                               node, mask_of_rows(identity, node), *mask_at(identity, node));
        if (root_of(identity, node) != node)
            continue;
        uint16_t mask = mask_of_ring(identity, node);
        if (mask != mask_of_customer(identity, node))
            return problem_set(problem, ERR_CORRUPT, "I8: families of customer %u are %#x, not %#x",
                               node, mask, mask_of_customer(identity, node));
        for (int bit = 0; bit < FAMILY_BITS; bit++)
            counts[bit] += mask >> bit & 1;
    }
    for (int bit = 0; bit < FAMILY_BITS; bit++)
        if (counts[bit] != identity->family_customers[bit])
            return problem_set(problem, ERR_CORRUPT,
                               "I8: %u customers are of family %d, counted %u", counts[bit], bit,
                               identity->family_customers[bit]);
    return ERR_OK;
}

/* ---- looking ---- */

uint32_t identity_identified_count(const struct identity *identity)
{
    return identity->family_customers[__builtin_ctz(FAMILY_STRONG)];
}

uint32_t identity_copy_families(const struct identity *identity, uint32_t first, uint32_t limit,
                                uint16_t *out)
{
    uint32_t copied = 0;
    for (uint32_t node = first; copied < limit && node < identity->nodes.count; node++)
        out[copied++] = root_of(identity, node) == node ? mask_of_customer(identity, node) : 0;
    return copied;
}
