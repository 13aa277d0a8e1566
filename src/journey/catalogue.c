/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue: the kinds of triggers and nodes with their members: what the parser takes, what the canvas is built from. */
#include "journey/state.h"

/* ---- kinds ---- */

struct kind {
    const char *text, *zh, *en;
};
static const struct kind triggers[] = {
#define X(NAME, text, zh, en) { text, zh, en },
    TRIGGER_KINDS(X)
#undef X
};
static const struct kind nodes[] = {
#define X(NAME, text, zh, en) { text, zh, en },
    NODE_KINDS(X)
#undef X
};

const char *trigger_kind_text(enum trigger_kind kind)
{
    return triggers[kind].text;
}

const char *node_kind_text(enum node_kind kind)
{
    return nodes[kind].text;
}

bool trigger_kind_find(str text, enum trigger_kind *kind)
{
    for (int i = 0; i < TRIGGER_KIND_COUNT; i++) {
        *kind = (enum trigger_kind)i;
        if (str_equal(text, str_from_c(triggers[i].text)))
            return true;
    }
    return false;
}

bool node_kind_find(str text, enum node_kind *kind)
{
    for (int i = 0; i < NODE_KIND_COUNT; i++) {
        *kind = (enum node_kind)i;
        if (str_equal(text, str_from_c(nodes[i].text)))
            return true;
    }
    return false;
}

static const struct step_info steps[] = {
#define X(NAME, text, zh, en) { text, zh, en },
    STEP_KINDS(X)
#undef X
};
const struct step_info *step_info(enum step_kind kind)
{
    return &steps[kind < STEP_KIND_COUNT ? kind : STEP_ARRIVED];
}

/* ---- members ---- */

/* PART, KINDS (" " all), NAME, TYPE, NEEDED, zh, en. Types: text, duration, bool, number, percent, rule, match, matches,
 * segment, event, tag, trait, journey, template, channel, account, path, node, time, weekdays, rrule, value, object, list, goal */
#define MEMBERS(X)                                                                                 \
    X("journey", " ", "name", "text", true, "名称", "name")                                        \
    X("journey", " ", "description", "text", false, "说明", "what it is for")                      \
    X("journey", " ", "folder", "text", false, "文件夹", "folder")                                 \
    X("journey", " ", "trigger", "object", true, "触发", "what starts it")                         \
    X("journey", " ", "entry", "object", false, "进入条件", "who may enter, how often")            \
    X("journey", " ", "exits", "list", false, "随时退出的条件", "what ends it anywhere")           \
    X("journey", " ", "goals", "list", false, "目标", "what it is for, counted")                   \
    X("journey", " ", "nodes", "object", true, "节点", "nodes by id")                              \
    X("journey", " ", "start", "node", true, "第一个节点", "the first node")                       \
    X("journey", " ", "keep", "list", false, "保留的事件属性",                                     \
      "properties of the event that are kept")                                                     \
    X("journey", " ", "purpose", "text", false, "目的", "purpose of its messages")                 \
    X("journey", " ", "brand", "text", false, "品牌", "brand")                                     \
    X("journey", " ", "campaign", "text", false, "活动", "campaign")                               \
    X("journey", " ", "personalises", "bool", false, "按个人信息选择对象或内容",                   \
      "chooses by what is known of people")                                                        \
    X("journey", " ", "late", "text", false,                                                       \
      "各等待节点迟到时 (停机或暂停): go, skip, window, again, exit",                              \
      "when a wait of it is late: go, skip, window, again, exit")                                  \
    X("journey", " ", "late_after", "duration", false, "多久算迟到", "late means")                 \
    X("journey", " ", "approval", "bool", false, "需要审批", "a second person approves it")        \
    X("journey", " ", "test_segment", "segment", false, "测试人群", "test users")                  \
    X("journey", " ", "layout", "object", false, "画布位置", "places on the canvas")               \
    X("trigger", " ", "type", "text", true, "类型", "kind")                                        \
    X("trigger", "event absence", "event", "event", true, "事件", "event")                         \
    X("trigger", "event absence", "where", "matches", false, "事件条件", "conditions on it")       \
    X("trigger", "event absence api", "key", "path", false, "并行键（每个订单、购物车一个实例）",  \
      "one instance per value of this property")                                                   \
    X("trigger", "absence", "absent", "match", true, "没有发生的事件",                             \
      "the event that does not come")                                                              \
    X("trigger", "absence", "within", "duration", true, "时间内", "within")                        \
    X("trigger", "absence", "patience", "duration", false, "等待数据到齐的上限",                   \
      "how long to wait for late sources")                                                         \
    X("trigger", "absence", "restart", "bool", false, "再次发生时重新计时",                        \
      "starts anew when it happens again")                                                         \
    X("trigger", "segment manual schedule", "segment", "segment", false, "人群", "segment")        \
    X("trigger", "segment", "on", "text", false, "进入(enter)或离开(leave)", "enter or leave")     \
    X("trigger", "tag", "tag", "tag", true, "标签", "tag")                                         \
    X("trigger", "tag", "value", "value", false, "标签值", "its value")                            \
    X("trigger", "schedule", "rrule", "rrule", true, "重复规则", "RRULE")                          \
    X("trigger", "schedule", "start_at", "time", false, "开始时间", "from")                        \
    X("trigger", "schedule date", "zone", "text", false, "时区: workspace 或 customer",            \
      "workspace or customer")                                                                     \
    X("trigger", "date", "trait", "trait", true, "日期属性", "trait that is a date")               \
    X("trigger", "date", "offset", "duration", false, "提前(-)或之后", "before (-) or after it")   \
    X("trigger", "date", "at", "time", false, "几点", "time of day")                               \
    X("trigger", "date", "yearly", "bool", false, "每年", "every year")                            \
    X("entry", " ", "rule", "rule", false, "客户条件", "condition on the customer")                \
    X("entry", " ", "segment", "segment", false, "人群", "segment")                                \
    X("entry", " ", "reentry", "text", false, "再次进入: always, never, after",                    \
      "always, never, after")                                                                      \
    X("entry", " ", "reentry_after", "duration", false, "间隔", "not before this long")            \
    X("entry", " ", "max", "number", false, "总人数上限", "at most, in all")                       \
    X("entry", " ", "max_per_day", "number", false, "每天上限", "at most a day")                   \
    X("entry", " ", "max_per_hour", "number", false, "每小时上限", "at most an hour")              \
    X("entry", " ", "parallel", "number", false, "同一客户并行上限",                               \
      "instances of one customer at a time")                                                       \
    X("entry", " ", "hold_out", "percent", false, "对照组比例", "held out, percent")               \
    X("match", " ", "name", "text", false, "名称", "name")                                         \
    X("match", " ", "event", "event", false, "事件", "event")                                      \
    X("match", " ", "where", "matches", false, "事件条件", "conditions on it")                     \
    X("match", " ", "same", "path", false, "与触发事件相同的属性",                                 \
      "property that is the same as of the trigger")                                               \
    X("match", " ", "rule", "rule", false, "规则", "rule")                                         \
    X("match", " ", "segment", "segment", false, "人群", "segment")                                \
    X("goal", " ", "key", "text", true, "键", "key")                                               \
    X("goal", " ", "name", "text", false, "名称", "name")                                          \
    X("goal", " ", "event", "event", false, "事件", "event")                                       \
    X("goal", " ", "where", "matches", false, "事件条件", "conditions on it")                      \
    X("goal", " ", "same", "path", false, "与触发事件相同的属性",                                  \
      "property that is the same as of the trigger")                                               \
    X("goal", " ", "rule", "rule", false, "规则", "rule")                                          \
    X("goal", " ", "segment", "segment", false, "人群", "segment")                                 \
    X("goal", " ", "within", "duration", false, "归因窗口", "counted within, from entering")       \
    X("goal", " ", "refunds", "duration", false, "退款冲回期",                                     \
      "for so long a refund takes it back; 30d")                                                   \
    X("goal", " ", "value", "path", false, "金额属性", "property that is its value")               \
    X("goal", " ", "exit", "bool", false, "达成后离开", "ends the journey")                        \
    X("node", " ", "type", "text", true, "类型", "kind")                                           \
    X("node", " ", "name", "text", false, "名称", "name")                                          \
    X("node",                                                                                      \
      "wait wait_until send coupon points task webhook tag trait segment pause resume journey "    \
      "goal hold_out",                                                                             \
      "next", "node", false, "下一步", "next")                                                     \
    X("node", "wait pause", "for", "duration", false, "时长", "how long")                          \
    X("node", "wait", "at", "time", false, "到几点", "until this time of day")                     \
    X("node", "wait", "weekdays", "weekdays", false, "到星期几", "on these days of the week")      \
    X("node", "wait", "date", "path", false, "到某个日期值", "until a value that is a time")       \
    X("node", "wait", "offset", "duration", false, "提前(-)或之后", "before (-) or after it")      \
    X("node", "wait", "zone", "text", false, "时区: workspace 或 customer",                        \
      "workspace or customer")                                                                     \
    X("node", "wait", "restart_on", "match", false, "重新计时的事件",                              \
      "starts anew with this event")                                                               \
    X("node", "wait", "late", "text", false,                                                       \
      "迟到时: go 照常, skip 跳过下一条消息, window 等下一个时段, again 重新等待, exit 退出",      \
      "when late: go, skip the next message, wait for the next window, again, exit")               \
    X("node", "wait", "late_after", "duration", false, "多久算迟到", "late means")                 \
    X("node", "wait", "otherwise", "node", false, "日期缺失时", "when there is no such date")      \
    X("node", "wait_until", "event", "event", false, "事件", "event")                              \
    X("node", "wait_until", "where", "matches", false, "事件条件", "conditions on it")             \
    X("node", "wait_until", "same", "path", false, "与触发事件相同的属性",                         \
      "property that is the same as of the trigger")                                               \
    X("node", "wait_until", "rule", "rule", false, "规则", "rule")                                 \
    X("node", "wait_until", "segment", "segment", false, "人群", "segment")                        \
    X("node", "wait_until", "timeout", "duration", true, "最长等待", "at most")                    \
    X("node", "wait_until", "patience", "duration", false, "等待数据到齐的上限",                   \
      "how long to wait for late sources")                                                         \
    X("node", "wait_until", "on_timeout", "node", false, "超时后", "after the time-out")           \
    X("node", "branch", "cases", "list", true, "条件分支", "cases, in order")                      \
    X("node", "branch", "otherwise", "node", false, "其他", "otherwise")                           \
    X("case", " ", "name", "text", false, "名称", "name")                                          \
    X("case", " ", "next", "node", false, "下一步", "next")                                        \
    X("case", " ", "rule", "rule", false, "规则", "rule")                                          \
    X("case", " ", "segment", "segment", false, "人群", "segment")                                 \
    X("case", " ", "value", "path", false, "值", "a value")                                        \
    X("case", " ", "touch", "node", false, "触达节点", "result of this node's touch")              \
    X("case", " ", "status", "list", false, "触达状态", "statuses")                                \
    X("node", "split", "arms", "list", true, "分组", "arms")                                       \
    X("arm", " ", "name", "text", false, "名称", "name")                                           \
    X("arm", " ", "weight", "number", true, "权重", "weight")                                      \
    X("arm", " ", "next", "node", false, "下一步", "next")                                         \
    X("node", "hold_out", "percent", "percent", true, "对照组比例", "percent held out")            \
    X("node", "hold_out", "held", "node", false, "对照组去向", "where they go")                    \
    X("node", "send", "channel", "channel", true, "渠道", "channel")                               \
    X("node", "task", "channel", "channel", false, "渠道: call, wecom",                            \
      "call, or wecom for her adviser")                                                            \
    X("node", "send coupon points task webhook", "account", "account", false, "账号", "account")   \
    X("node", "send task", "form", "text", false, "形式", "form")                                  \
    X("node", "send coupon points task webhook", "template", "template", false, "模板",            \
      "template")                                                                                  \
    X("node", "send coupon points task webhook", "vars", "object", false, "变量",                  \
      "variables of the template")                                                                 \
    X("node", "send coupon points task webhook", "purpose", "text", false, "目的", "purpose")      \
    X("node", "send coupon points task webhook", "brand", "text", false, "品牌", "brand")          \
    X("node", "send coupon points task webhook", "transactional", "bool", false, "服务类消息",     \
      "transactional")                                                                             \
    X("node", "send coupon points task webhook", "priority", "number", false, "优先级",            \
      "priority, 0 to 100")                                                                        \
    X("node", "send coupon points task webhook", "expires", "duration", false, "有效期",           \
      "not sent after")                                                                            \
    X("node", "send coupon points task webhook", "order", "path", false, "订单号（去重）",         \
      "order id, against duplicates")                                                              \
    X("node", "send coupon points task webhook", "content", "text", false, "内容键（去重）",       \
      "content key, against duplicates")                                                           \
    X("node", "send coupon points task webhook", "cost", "number", false, "成本（分）",            \
      "cost in minor units")                                                                       \
    X("node", "send coupon points task webhook", "wait_result", "bool", false, "等待结果",         \
      "wait for its result")                                                                       \
    X("node", "send coupon points task webhook", "timeout", "duration", false, "最长等待",         \
      "at most")                                                                                   \
    X("node", "send coupon points task webhook", "on_failed", "node", false, "失败后",             \
      "when it failed")                                                                            \
    X("node", "send coupon points task webhook", "on_suppressed", "node", false, "被拦截后",       \
      "when a gate stopped it")                                                                    \
    X("node", "coupon", "coupon", "text", true, "券", "coupon")                                    \
    X("node", "points", "points", "number", true, "积分", "points")                                \
    X("node", "webhook", "save", "text", false, "回复存为变量", "keep the reply as this variable") \
    X("node", "tag", "tag", "tag", true, "标签", "tag")                                            \
    X("node", "tag trait", "value", "value", false, "值", "value; none: taken away")               \
    X("node", "tag trait", "from", "path", false, "取值于", "the value that it gets")              \
    X("node", "trait", "trait", "trait", true, "属性", "trait")                                    \
    X("node", "segment", "segment", "segment", true, "静态人群", "static segment")                 \
    X("node", "segment", "remove", "bool", false, "移出", "remove from it")                        \
    X("node", "journey", "journey", "journey", true, "旅程", "journey")                            \
    X("node", "goal", "goal", "goal", true, "目标", "goal")                                        \
    X("node", "exit pause", "reason", "text", false, "原因", "reason")

struct member {
    const char *part, *kinds, *name, *type;
    bool needed;
    const char *zh, *en;
};
static const struct member members[] = {
#define X(part, kinds, name, type, needed, zh, en) { part, kinds, name, type, needed, zh, en },
    MEMBERS(X)
#undef X
};
#define MEMBER_COUNT (sizeof members / sizeof members[0])

static bool is_of_kind(const struct member *member, const char *part, str kind)
{
    str kinds = str_from_c(member->kinds), one;
    if (!str_equal(str_from_c(member->part), str_from_c(part)))
        return false;
    if (str_equal(kinds, STR(" ")))
        return true;
    while (str_split(&kinds, ' ', &one))
        if (str_equal(one, kind))
            return true;
    return false;
}

bool catalogue_has_member(const char *part, str kind, str name, struct rule_suggestions *like)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (!is_of_kind(&members[i], part, kind))
            continue;
        if (str_equal(name, str_from_c(members[i].name)))
            return true;
        rule_suggestions_offer(like, name, str_from_c(members[i].name));
    }
    return false;
}

void catalogue_suggest_kinds(const char *part, str wrong, struct rule_suggestions *like)
{
    bool is_trigger = str_equal(str_from_c(part), STR("trigger"));
    size_t count = is_trigger ? TRIGGER_KIND_COUNT : NODE_KIND_COUNT;
    for (size_t i = 0; i < count; i++)
        rule_suggestions_offer(like, wrong,
                               str_from_c(is_trigger ? triggers[i].text : nodes[i].text));
}

/* ---- for people ---- */

static void write_words(struct json_writer *writer, const char *zh, const char *en)
{
    json_put_key(writer, STR("text"));
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), str_from_c(zh));
    json_member_text(writer, STR("en"), str_from_c(en));
    json_end_object(writer);
}

static void write_members(struct json_writer *writer, const char *part, str kind)
{
    json_put_key(writer, STR("members"));
    json_begin_array(writer);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (!is_of_kind(&members[i], part, kind))
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("name"), str_from_c(members[i].name));
        json_member_text(writer, STR("type"), str_from_c(members[i].type));
        json_member_bool(writer, STR("needed"), members[i].needed);
        write_words(writer, members[i].zh, members[i].en);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_kinds(struct json_writer *writer, const char *name, const char *part,
                        const struct kind *kinds, size_t count)
{
    json_put_key(writer, str_from_c(name));
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("type"), str_from_c(kinds[i].text));
        write_words(writer, kinds[i].zh, kinds[i].en);
        write_members(writer, part, str_from_c(kinds[i].text));
        json_end_object(writer);
    }
    json_end_array(writer);
}

void journey_write_catalogue(struct buffer *out)
{
    static const char *const parts[] = { "journey", "entry", "match", "goal", "case", "arm" };
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write_kinds(&writer, "triggers", "trigger", triggers, TRIGGER_KIND_COUNT);
    write_kinds(&writer, "nodes", "node", nodes, NODE_KIND_COUNT);
    json_put_key(&writer, STR("parts"));
    json_begin_object(&writer);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        json_put_key(&writer, str_from_c(parts[i]));
        json_begin_object(&writer);
        write_members(&writer, parts[i], STR_NONE);
        json_end_object(&writer);
    }
    json_end_object(&writer);
    json_put_key(&writer, STR("comparisons"));
    json_begin_array(&writer);
    for (int i = 0; i < COMPARE_COUNT; i++)
        json_put_text(&writer, str_from_c(compare_text((enum compare)i)));
    json_end_array(&writer);
    json_put_key(&writer, STR("steps"));
    json_begin_object(&writer);
    for (int i = 0; i < STEP_KIND_COUNT; i++) {
        json_put_key(&writer, str_from_c(steps[i].text));
        json_begin_object(&writer);
        write_words(&writer, steps[i].zh, steps[i].en);
        json_end_object(&writer);
    }
    json_end_object(&writer);
    json_end_object(&writer);
}
