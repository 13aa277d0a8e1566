/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: the ready ones, and what a list of patterns comes to. */
#include "access/role.h"

#include <pthread.h>

#define SEE_THE_WORK                                                                            \
    "customer.see event.see identity.see consent.see segment.see tag.see object.see "           \
    "analysis.see experiment.see decision.see journey.see template.see channel.see policy.see " \
    "stop.see touch.see task.see coupon.see loyalty.see import.see mapping.see export.see "     \
    "source.see plan.see quarantine.see job.see team.see setting.see system.see token.create "

/* KEY, in Chinese, in English, patterns */
static struct ready_role ready[] = {
    { .key = ROLE_ADMINISTRATOR, .name_zh = "管理员", .name_en = "Administrator", .patterns = "*" },
    { .key = "operator",
      .name_zh = "运营",
      .name_en = "Operator",
      .patterns = SEE_THE_WORK
      "customer.change customer.export customer.reveal identity.change consent.change "
      "segment.change tag.change object.change analysis.* experiment.* decision.* journey.* "
      "template.change stop.change touch.* task.change coupon.change loyalty.change "
      "import.create import.change mapping.change export.change plan.change "
      "quarantine.change job.change small_cell.see privacy.see privacy.create" },
    { .key = "analyst",
      .name_zh = "分析师",
      .name_en = "Analyst",
      .patterns = SEE_THE_WORK "analysis.change analysis.export" },
    { .key = "adviser",
      .name_zh = "导购",
      .name_en = "Adviser",
      .patterns = "customer.see event.see consent.see tag.see segment.see object.see template.see "
                  "touch.see task.* coupon.see loyalty.see decision.see" },
    { .key = "call_centre",
      .name_zh = "客服",
      .name_en = "Call centre",
      .patterns = "customer.see customer.reveal event.see consent.* tag.see object.see touch.see "
                  "task.* coupon.see loyalty.see privacy.see privacy.create" },
    { .key = "auditor",
      .name_zh = "审计员",
      .name_en = "Auditor",
      .patterns = "*.see audit.export token.create" },
    { .key = "developer",
      .name_zh = "开发者",
      .name_en = "Developer",
      .patterns = SEE_THE_WORK "object.change import.create import.change import.administer "
                               "mapping.change source.administer plan.change quarantine.change "
                               "job.change decision.change" },
};
#define READY_COUNT (sizeof(ready) / sizeof(ready[0]))

static void expand_ready(void)
{
    for (size_t i = 0; i < READY_COUNT; i++) {
        str rest = str_from_c(ready[i].patterns), pattern;
        while (str_split(&rest, ' ', &pattern))
            if (pattern.size > 0) {
                bool known = permissions_add_pattern(&ready[i].permissions, pattern);
                INVARIANT(known);
            }
    }
}

static void expand_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, expand_ready);
}

const struct ready_role *role_ready_at(size_t index)
{
    expand_once();
    return index < READY_COUNT ? &ready[index] : NULL;
}

const struct ready_role *role_ready(str key)
{
    expand_once();
    for (size_t i = 0; i < READY_COUNT; i++)
        if (str_equal(key, str_from_c(ready[i].key)))
            return &ready[i];
    return NULL;
}

str role_present_key(str key)
{
    return str_equal(key, STR("viewer")) ? STR("analyst") : key;
}

bool role_key_is_good(str key)
{
    if (key.size == 0 || key.size > ROLE_KEY_BYTES_MAX)
        return false;
    for (size_t i = 0; i < key.size; i++) {
        char c = key.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

struct permissions role_permissions(json_value patterns, str *unknown)
{
    struct permissions set = { .words = { 0 } };
    struct json_iterator iterator = json_iterate(patterns);
    json_value pattern;
    bool all_known = true;
    while (json_next(&iterator, NULL, &pattern)) {
        if (permissions_add_pattern(&set, json_text(pattern)))
            continue;
        if (all_known && unknown != NULL)
            *unknown = json_text(pattern);
        all_known = false;
    }
    if (all_known && unknown != NULL)
        *unknown = STR_NONE;
    return set;
}

const char *role_nearest(const struct permissions *permissions)
{
    if (permissions_hold(permissions, PERMISSION_USER_ADMINISTER))
        return "administrator";
    return permissions_hold(permissions, PERMISSION_SEGMENT_CHANGE) ? "operator" : "viewer";
}
