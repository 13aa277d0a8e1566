/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox's own interface: what it took, how it misbehaves, its clock. The world is in control_world.c. */
#include <string.h>

#include "sandbox/inside.h"

#define MESSAGES_MAX 1000

/* ---- GET /sandbox/messages ---- */

struct filter {
    str kind, account, recipient, form, key, id, contains;
    int64_t after, limit;
};

static bool fits(const struct filter *filter, const struct taken *taken)
{
    return (filter->kind.size == 0 ||
            str_equal(filter->kind, str_from_c(kind_texts[taken->kind]))) &&
           (filter->account.size == 0 ||
            str_equal(filter->account, str_from_c(taken->account->id))) &&
           (filter->recipient.size == 0 || str_equal(filter->recipient, taken->recipient)) &&
           (filter->form.size == 0 || str_equal(filter->form, taken->form)) &&
           (filter->key.size == 0 || str_equal(filter->key, taken->key)) &&
           (filter->id.size == 0 || str_equal(filter->id, taken->id)) &&
           (filter->contains.size == 0 || str_contains(taken->content, filter->contains));
}

/* Headers and mail may be any bytes; JSON is UTF-8. */
static str readable(str text)
{
    return str_is_utf8(text) ? text : STR_NONE;
}

static void write_taken(struct json_writer *writer, const struct taken *taken)
{
    json_begin_object(writer);
    json_member_int(writer, STR("seq"), (int64_t)taken->seq);
    json_member_time(writer, STR("at"), taken->at_ms);
    json_member_text(writer, STR("kind"), str_from_c(kind_texts[taken->kind]));
    json_member_text(writer, STR("account"), str_from_c(taken->account->id));
    json_member_text(writer, STR("recipient"), readable(taken->recipient));
    json_member_text(writer, STR("form"), readable(taken->form));
    json_member_text(writer, STR("key"), readable(taken->key));
    json_member_text(writer, STR("id"), readable(taken->id));
    json_member_int(writer, STR("times"), (int64_t)taken->times);
    json_member_text(writer, STR("content"), readable(taken->content));
    json_end_object(writer);
}

static void write_totals(struct json_writer *writer, const struct sandbox *sandbox)
{
    const struct ledger_of_taken *taken = &sandbox->taken;
    json_member_int(writer, STR("total"), (int64_t)taken->seq);
    json_member_int(writer, STR("distinct"), (int64_t)taken->distinct);
    json_member_int(writer, STR("repeated"), (int64_t)taken->repeated);
    json_put_key(writer, STR("by_kind"));
    json_begin_object(writer);
    for (int i = 0; i < KIND_COUNT; i++)
        if (taken->by_kind[i] > 0)
            json_member_int(writer, str_from_c(kind_texts[i]), (int64_t)taken->by_kind[i]);
    json_end_object(writer);
}

static int64_t number_of(const struct call *call, str name, int64_t otherwise)
{
    int64_t number;
    return str_to_int64(params_get(&call->params, name), &number) ? number : otherwise;
}

/* Of all: the totals, and how often one key came. Of the kept: those that fit, oldest first, behind `after`. */
static void get_messages(struct call *call)
{
    const struct params *params = &call->params;
    struct filter filter = { .kind = params_get(params, STR("kind")),
                             .account = params_get(params, STR("account")),
                             .recipient = params_get(params, STR("recipient")),
                             .form = params_get(params, STR("form")),
                             .key = params_get(params, STR("key")),
                             .id = params_get(params, STR("id")),
                             .contains = params_get(params, STR("contains")),
                             .after = number_of(call, STR("after"), 0),
                             .limit = number_of(call, STR("limit"), 100) };
    struct sandbox *sandbox = call->sandbox;
    struct json_writer writer;
    int64_t matched = 0, written = 0;
    enum kind kind;
    uint64_t kept =
        sandbox->taken.capacity < sandbox->taken.seq ? sandbox->taken.capacity : sandbox->taken.seq;
    if (filter.limit < 0 || filter.limit > MESSAGES_MAX)
        filter.limit = MESSAGES_MAX;
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    write_totals(&writer, sandbox);
    if (filter.key.size > 0 && kind_find(filter.kind, &kind))
        json_member_int(
            &writer, STR("times"),
            (int64_t)taken_count_of(sandbox, kind, filter.account, filter.recipient, filter.key));
    json_put_key(&writer, STR("messages"));
    json_begin_array(&writer);
    for (uint64_t seq = sandbox->taken.seq - kept + 1; seq <= sandbox->taken.seq; seq++) {
        const struct taken *taken = taken_at(sandbox, seq);
        if (taken == NULL || !fits(&filter, taken))
            continue;
        matched++;
        if ((int64_t)seq > filter.after && written < filter.limit) {
            write_taken(&writer, taken);
            written++;
        }
    }
    json_end_array(&writer);
    json_member_int(&writer, STR("matched"), matched);
    json_member_int(&writer, STR("kept"), (int64_t)kept);
    json_end_object(&writer);
}

static void clear_messages(struct call *call)
{
    taken_clear(call->sandbox);
    buffer_append_str(&call->out, STR("{\"ok\":true}"));
}

/* ---- /sandbox/faults ---- */

static const char *const fault_texts[FAULT_COUNT] = {
#define X(NAME, text, about) text,
    FAULTS(X)
#undef X
};

static void copy_member(json_value object, const char *name, char *out, size_t size)
{
    str text = json_text(json_get(object, str_from_c(name)));
    text = str_slice(text, 0, str_utf8_prefix_bytes(text, size - 1));
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
}

static bool read_rule(struct call *call, json_value json, struct fault_rule *rule)
{
    str what = json_text(json_get(json, STR("what"))),
        kind = json_text(json_get(json, STR("kind")));
    int number = FAULT_COUNT;
    for (int i = FAULT_NONE + 1; i < FAULT_COUNT; i++)
        if (str_equal(what, str_from_c(fault_texts[i])))
            number = i;
    if (number == FAULT_COUNT) {
        call_error(call, 422, "there is no fault '" STR_FMT "' (GET /sandbox/faults lists them)",
                   STR_ARG(str_slice(what, 0, 60)));
        return false;
    }
    *rule = (struct fault_rule){ .what = (enum fault_kind)number,
                                 .chance = json_double(json_get(json, STR("chance")), 1),
                                 .every = json_int(json_get(json, STR("every")), 1),
                                 .times = json_int(json_get(json, STR("times")), -1),
                                 .delay_ms = json_int(json_get(json, STR("delay_ms")), 0),
                                 .retry_after = json_int(json_get(json, STR("retry_after")), 1),
                                 .status = json_int(json_get(json, STR("status")), 500) };
    rule->of_any_kind = kind.size == 0 || str_equal(kind, STR("*"));
    if (!rule->of_any_kind && !kind_find(kind, &rule->kind)) {
        call_error(call, 422, "there is no kind '" STR_FMT "'", STR_ARG(str_slice(kind, 0, 60)));
        return false;
    }
    if (rule->status < 100 || rule->status > 599 || rule->delay_ms < 0 || rule->retry_after < 0) {
        call_error(call, 422, "status is from 100 to 599; delay_ms and retry_after are from 0");
        return false;
    }
    copy_member(json, "account", rule->account, sizeof rule->account);
    copy_member(json, "recipient", rule->recipient, sizeof rule->recipient);
    copy_member(json, "path", rule->path, sizeof rule->path);
    copy_member(json, "code", rule->code, sizeof rule->code);
    return true;
}

static void write_faults(struct call *call)
{
    static const char *const about[] = {
#define X(NAME, text, about) about,
        FAULTS(X)
#undef X
    };
    struct json_writer writer;
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("rules"));
    json_begin_array(&writer);
    for (size_t i = 0; i < call->sandbox->faults.count; i++) {
        const struct fault_rule *rule = &call->sandbox->faults.rules[i];
        json_begin_object(&writer);
        json_member_text(&writer, STR("what"), str_from_c(fault_texts[rule->what]));
        json_member_text(&writer, STR("kind"),
                         rule->of_any_kind ? STR("*") : str_from_c(kind_texts[rule->kind]));
        json_member_int(&writer, STR("asked"), (int64_t)rule->asked);
        json_member_int(&writer, STR("done"), (int64_t)rule->done);
        json_member_int(&writer, STR("times_left"), rule->times);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_put_key(&writer, STR("faults"));
    json_begin_object(&writer);
    for (int i = FAULT_NONE + 1; i < FAULT_COUNT; i++)
        json_member_text(&writer, str_from_c(fault_texts[i]), str_from_c(about[i]));
    json_end_object(&writer);
    json_end_object(&writer);
}

static void put_faults(struct call *call)
{
    json_value rules, rule;
    struct faults faults = { .count = 0 };
    if (!call_json(call)) {
        call_error(call, 400, "a JSON object is wanted");
        return;
    }
    rules = json_get(call->json, STR("rules"));
    struct json_iterator iterator = json_iterate(rules);
    if (json_kind(rules) != JSON_ARRAY || json_count(rules) > FAULT_RULES_MAX) {
        call_error(call, 422, "'rules' is a list of at most %d", FAULT_RULES_MAX);
        return;
    }
    random_seed(&faults.random, (uint64_t)json_int(json_get(call->json, STR("seed")), 1));
    while (json_next(&iterator, NULL, &rule))
        if (!read_rule(call, rule, &faults.rules[faults.count++]))
            return;
    call->sandbox->faults = faults;
    write_faults(call);
}

/* ---- the rest ---- */

/* {"now": …} or {"advance": "3d"}: the sandbox's time, for tokens, quotas and what is due. */
static void put_clock(struct call *call)
{
    struct sandbox *sandbox = call->sandbox;
    int64_t ms;
    if (!call_json(call)) {
        call_error(call, 400, "a JSON object is wanted");
        return;
    }
    json_value now = json_get(call->json, STR("now"));
    if (json_kind(now) == JSON_TEXT && time_parse(json_text(now), 0, &ms))
        sandbox->offset_ms += ms - sandbox_now(sandbox);
    else if (json_kind(now) == JSON_INT)
        sandbox->offset_ms += json_int(now, 0) - sandbox_now(sandbox);
    else if (duration_parse(json_text(json_get(call->json, STR("advance"))), &ms))
        sandbox->offset_ms += ms;
    else {
        call_error(call, 422, "'now' is a time, or 'advance' a duration such as 3d");
        return;
    }
    callbacks_wake(sandbox);
    struct json_writer writer;
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_member_time(&writer, STR("now"), sandbox_now(sandbox));
    json_end_object(&writer);
}

static void get_callbacks(struct call *call)
{
    const struct callbacks *callbacks = &call->sandbox->callbacks;
    struct json_writer writer;
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("pending"), (int64_t)callbacks->count);
    json_member_int(&writer, STR("under_way"), (int64_t)callbacks->under_way);
    json_member_int(&writer, STR("sent"), (int64_t)callbacks->sent);
    json_member_int(&writer, STR("failed"), (int64_t)callbacks->failed);
    json_member_int(&writer, STR("given_up"), (int64_t)callbacks->given_up);
    json_member_int(&writer, STR("lost"), (int64_t)callbacks->lost);
    json_member_int(&writer, STR("repeated"), (int64_t)callbacks->repeated);
    json_end_object(&writer);
}

/* {"corpid"?, "msgid"?, "userid"?}: advisers send what waits for them. */
static void confirm(struct call *call)
{
    struct json_writer writer;
    int64_t tasks = 0;
    if (call->body.size > 0 && !call_json(call)) {
        call_error(call, 400, "a JSON object is wanted");
        return;
    }
    str corp = json_text(json_get(call->json, STR("corpid")));
    str id = json_text(json_get(call->json, STR("msgid")));
    str employee = json_text(json_get(call->json, STR("userid")));
    for (struct mass_task *task = call->sandbox->tasks; task != NULL; task = task->next) {
        if (task->is_moment || (id.size > 0 && !str_equal(id, str_from_c(task->id))) ||
            (corp.size > 0 && !str_equal(corp, str_from_c(task->account->id))))
            continue;
        mass_confirm(call->sandbox, task, employee);
        tasks++;
    }
    if (id.size > 0 && tasks == 0) {
        call_error(call, 404, "there is no task '" STR_FMT "'", STR_ARG(str_slice(id, 0, 60)));
        return;
    }
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("tasks"), tasks);
    json_end_object(&writer);
}

static const struct {
    const char *method, *path;
    void (*run)(struct call *call);
} routes[] = {
    { "GET", "/sandbox/messages", get_messages },
    { "DELETE", "/sandbox/messages", clear_messages },
    { "GET", "/sandbox/faults", write_faults },
    { "PUT", "/sandbox/faults", put_faults },
    { "GET", "/sandbox/world", control_world },
    { "PUT", "/sandbox/world", control_world },
    { "POST", "/sandbox/events", control_event },
    { "POST", "/sandbox/confirm", confirm },
    { "POST", "/sandbox/clock", put_clock },
    { "PUT", "/sandbox/clock", put_clock },
    { "GET", "/sandbox/callbacks", get_callbacks },
};

void control_dispatch(struct call *call)
{
    bool has_path = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!str_equal(call->path, str_from_c(routes[i].path)))
            continue;
        has_path = true;
        if (str_equal(call->method, str_from_c(routes[i].method))) {
            routes[i].run(call);
            return;
        }
    }
    if (has_path)
        call_error(call, 405, STR_FMT " is not known here", STR_ARG(call->method));
    else
        call_error(call, 404, "there is no such path; docs/sandbox.md lists them");
}
