/* SPDX-License-Identifier: Apache-2.0 */
/* claim: from queued to sending, and what came of it. Commands that the sender (engine/act/act.c) appends.
 *
 *     touch.claim ─▶ gates again ─▶ rendered ─▶ SENDING, and the message in the answer
 *     touch.results ─▶ SENT, FAILED, HELD (again later), UNCERTAIN
 *     touch.receipts ─▶ DELIVERED, CONFIRMED, READ, CLICKED, FAILED
 *     touch.recover ─▶ what was SENDING when a server died: QUEUED to be repeated with its key, or UNCERTAIN
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

#define CLAIM_MAX 2000
#define CLAIM_BYTES_MAX ((size_t)600 << 10) /* of an answer: then it is enough for this time */
#define CONTENT_BYTES_MAX ((size_t)256 << 10)
#define RESULTS_MAX 5000
#define RESPONSE_BYTES_MAX 16384

/* ---- keys: 32 hex digits, of which the number can be read by who knows the seed ---- */

static uint64_t key_high(const struct touches *touches, uint32_t number)
{
    return hash_mix64(hash_mix64(touches->config.seed + 1) ^ hash_mix64(number + UINT64_C(0x7000)));
}

static uint64_t key_mask(const struct touches *touches, uint64_t high)
{
    return hash_mix64(high ^ hash_mix64(touches->config.seed + 2));
}

void touches_key_of(const struct touches *touches, uint32_t number, char out[33])
{
    uint64_t high = key_high(touches, number), low = number ^ key_mask(touches, high);
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)high, (unsigned long long)low);
}

static bool hex64(str text, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        uint64_t digit = c >= '0' && c <= '9'   ? (uint64_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint64_t)(c - 'a' + 10)
                                                : 16;
        if (digit == 16)
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

bool touches_key_number(const struct touches *touches, str key, uint32_t *number)
{
    uint64_t high, low;
    if (key.size != 32 || !hex64(str_slice(key, 0, 16), &high) ||
        !hex64(str_slice(key, 16, 32), &low))
        return false;
    low ^= key_mask(touches, high);
    *number = (uint32_t)low;
    return low <= touches->last_number && low > 0 && key_high(touches, *number) == high;
}

uint32_t touch_by_key(const struct touches *touches, str key)
{
    uint32_t number;
    return touches_key_number(touches, key, &number) ? number : 0;
}

void touch_key(const struct touches *touches, uint32_t number, char out[33])
{
    touches_key_of(touches, number, out);
}

/* ---- claims ---- */

static err render(struct touches *touches, const struct waiting *waiting, const struct line *line,
                  str coupon, uint32_t customer, struct buffer *content, uint32_t *version,
                  struct problem *problem)
{
    const struct kept_template *kept = touches_template_of(touches, line->template_);
    json_value context = { .document = NULL };
    str text = str_from_bytes(waiting->context, waiting->context_size);
    buffer_clear(content);
    *version = kept != NULL ? kept->version : 0;
    if (kept == NULL && line->template_.size > 0)
        return problem_set(problem, ERR_NOT_FOUND, "there is no template '" STR_FMT "'",
                           STR_ARG(line->template_));
    err error = text.size > 0 ? json_parse(touches->parser, text, &context, problem) : ERR_OK;
    if (error != ERR_OK)
        return error;
    if (kept == NULL) { /* points, coupons, webhooks: what was asked for is what is told */
        buffer_append_str(content, text.size > 0 ? text : STR("{}"));
        return buffer_status(content);
    }
    struct render values = { .touches = touches,
                             .customer = customer,
                             .number = waiting->number,
                             .line = line,
                             .context = context,
                             .now_ms = touches->moment.now_ms,
                             .coupon = coupon };
    return touches_kept_template_render(kept, &values, content, problem);
}

static void write_message(struct touches *touches, const struct waiting *waiting,
                          const struct line *line, const struct account *account, uint32_t customer,
                          str coupon, struct json_writer *writer)
{
    char key[33];
    touches_key_of(touches, waiting->number, key);
    json_begin_object(writer);
    json_member_int(writer, STR("touch"), waiting->number);
    json_member_text(writer, STR("key"), str_from_c(key));
    json_member_text(writer, STR("form"), line->form);
    json_member_int(writer, STR("row"), waiting->recipient);
    json_member_int(writer, STR("customer"), customer);
    json_member_int(writer, STR("expires"), waiting->expires_ms);
    json_member_bool(writer, STR("repeat"), (waiting->flags & WAITING_REPEAT) != 0);
    if ((waiting->flags & WAITING_DECIDED) != 0)
        json_member_bool(writer, STR("decided"), true);
    json_member_int(writer, STR("tries"), waiting->tries);
    json_member_text(writer, STR("channel"), line->channel);
    json_member_text(writer, STR("kind"), str_from_c(account->info->text));
    json_member_text(writer, STR("journey"), line->journey);
    json_member_text(writer, STR("node"), line->node);
    json_member_text(writer, STR("campaign"), line->campaign);
    json_member_text(writer, STR("template"), line->template_);
    json_member_text(writer, STR("purpose"), line->purpose);
    if (coupon.size > 0)
        json_member_text(writer, STR("coupon"), coupon);
    json_member_raw(writer, STR("content"), buffer_str(&touches->scratch));
    json_end_object(writer);
}

static err fail(struct touches *touches, uint32_t number, str reason, str detail)
{
    return touches_step_take(
        touches, number,
        &(struct step){ .status = TOUCH_FAILED, .reason = reason, .detail = detail });
}

static err claim_one(struct touches *touches, struct account *account, uint32_t number,
                     struct json_writer *writer)
{
    const struct touch_world *world = touches->config.world;
    struct problem problem = { .error = ERR_OK };
    struct step refusal = { .status = TOUCH_STATUS_COUNT };
    str coupon = STR_NONE;
    uint32_t version;
    bool passes;
    err error = touches_look_again(touches, number, &passes);
    if (error != ERR_OK || !passes)
        return error;
    const struct waiting *waiting = touches_waiting_find(touches, number);
    const struct line *line = touches_line_at(touches, waiting->line);
    uint32_t customer = world->root(world->context, waiting->node);
    bool is_repeat = (waiting->flags & WAITING_REPEAT) != 0;
    error = touches_inhouse_claim(touches, waiting, line, account, &coupon, &refusal);
    if (error == ERR_OK && refusal.status != TOUCH_STATUS_COUNT)
        return touches_step_take(touches, number, &refusal);
    if (error == ERR_OK)
        error =
            render(touches, waiting, line, coupon, customer, &touches->scratch, &version, &problem);
    if (error == ERR_NOMEM)
        return error;
    if (error != ERR_OK || touches->scratch.size > CONTENT_BYTES_MAX)
        return fail(
            touches, number, STR("render_failed"),
            str_from_c(problem.detail[0] != '\0' ? problem.detail : "the content is too large"));
    error = is_repeat ? ERR_OK : touches_stock_use(touches, customer, line, account);
    if (error == ERR_OK)
        error = touches_inhouse_task(touches, waiting, account, buffer_str(&touches->scratch));
    if (error != ERR_OK)
        return error;
    write_message(touches, waiting, line, account, customer, coupon, writer);
    char detail[48];
    snprintf(detail, sizeof detail, "template version %u", version);
    return touches_step_take(
        touches, number,
        &(struct step){ .status = TOUCH_SENDING,
                        .reason = is_repeat ? STR("repeat") : STR_NONE,
                        .detail = version > 0 ? str_from_c(detail) : STR_NONE });
}

static bool account_stopped(const struct touches *touches, const struct account *account)
{
    struct line line = { .channel = str_from_c(account->info->channel), .account = account->key };
    return touches_gate_stopped(touches, &line);
}

static err claim(struct touches *touches, const struct touch_command *command)
{
    str key = json_text(json_get(command->body, STR("account")));
    int64_t limit = json_int(json_get(command->body, STR("limit")), 0);
    struct account *account = touches_account_find(touches, key);
    struct json_writer writer;
    err error = ERR_OK;
    if (account == NULL)
        return problem_set(command->problem, ERR_NOT_FOUND, "there is no account '" STR_FMT "'",
                           STR_ARG(key));
    account->is_told = false;
    limit = limit > CLAIM_MAX ? CLAIM_MAX : limit;
    json_writer_init(&writer, command->answer);
    json_begin_object(&writer);
    json_put_key(&writer, STR("messages"));
    json_begin_array(&writer);
    bool stopped = account_stopped(touches, account);
    for (int64_t i = 0;
         error == ERR_OK && !stopped && i < limit && command->answer->size < CLAIM_BYTES_MAX; i++) {
        uint32_t number = touches_ready_take(touches, account);
        if (number == 0)
            break;
        error = claim_one(touches, account, number, &writer);
    }
    json_end_array(&writer);
    account->is_told = !stopped && account->ready.count > 0; /* who claims comes again by itself */
    json_member_bool(&writer, STR("more"), account->is_told);
    json_end_object(&writer);
    return error;
}

err touch_claim(struct touches *touches, const struct touch_command *command)
{
    touches_call_begin(touches, command->writes, command->moment);
    return touches_call_end(touches, claim(touches, command));
}

/* ---- results ---- */

uint64_t touches_provider_key(str account, str provider_id)
{
    uint64_t hash =
        hash_mix64(touches_text_hash(provider_id) ^ hash_mix64(touches_text_hash(account) + 9));
    return hash != 0 ? hash : 1;
}

err touches_send_row(struct touches *touches, const struct waiting *waiting, str provider_id,
                     str code, str response)
{
    const struct line *line = touches_line_at(touches, waiting->line);
    const struct kept_template *kept = touches_template_of(touches, line->template_);
    PUT(touches, TOUCH_SENDS, ledger_int(waiting->number), ledger_int(waiting->recipient),
        ledger_int(kept != NULL ? kept->version : 0), ledger_text(provider_id), ledger_text(code),
        ledger_text(str_slice(response, 0, RESPONSE_BYTES_MAX)),
        ledger_int(touches->moment.now_ms));
    if (provider_id.size == 0)
        return ERR_OK;
    return touches_map_put(&touches->providers, touches_provider_key(line->account, provider_id),
                           waiting->number);
}

/* Until its time is over, however often: a provider may be away for a day. How long between two tries, the channel says. */
static err again_later(struct touches *touches, struct waiting *waiting, json_value result,
                       str reason)
{
    int64_t retry_ms = json_int(json_get(result, STR("retry_ms")), 0);
    int64_t soonest_ms = touches->moment.now_ms + SECOND_MS;
    waiting->tries = (uint8_t)(waiting->tries + (waiting->tries < UINT8_MAX));
    waiting->gate = GATE_RETRY;
    return touches_step_take(
        touches, waiting->number,
        &(struct step){ .status = TOUCH_HELD,
                        .reason = STR("retry"),
                        .detail = reason,
                        .until_ms = retry_ms > soonest_ms ? retry_ms : soonest_ms });
}

/* Does the provider see that it is a message again, or tell whether it had it? */
static bool is_sure(const struct account *account, str form)
{
    if (account == NULL)
        return false;
    struct channel_form_info info = channel_form_info(account->kind, form);
    return info.honours_key || info.can_be_asked || account->info->is_internal;
}

/* It goes once more because somebody chose so, before or now: as a repeat where that means something, else as if it were new. */
static void resend(struct waiting *waiting, const struct account *account, str form)
{
    unsigned flags = waiting->flags & ~(unsigned)WAITING_REPEAT;
    if (is_sure(account, form))
        flags |= WAITING_REPEAT | WAITING_DECIDED;
    waiting->flags = (uint8_t)flags;
}

/* What was chosen held for that one time. */
static void mark_repeat(struct waiting *waiting)
{
    waiting->flags = (uint8_t)((waiting->flags & ~(unsigned)WAITING_DECIDED) | WAITING_REPEAT);
}

static err not_known(struct touches *touches, struct waiting *waiting, str reason, str detail)
{
    const struct line *line = touches_line_at(touches, waiting->line);
    const struct account *account = touches_account_find(touches, line->account);
    bool resends =
        account != NULL && account->resends_uncertain && waiting->tries < TOUCH_TRIES_MAX;
    mark_repeat(waiting);
    waiting->tries = (uint8_t)(waiting->tries + resends);
    if (resends)
        resend(waiting, account, line->form);
    return touches_step_take(touches, waiting->number,
                             &(struct step){ .status = resends ? TOUCH_QUEUED : TOUCH_UNCERTAIN,
                                             .reason = reason,
                                             .detail = detail });
}

static err refused(struct touches *touches, struct waiting *waiting, str reason, str detail,
                   str response)
{
    const struct touch_world *world = touches->config.world;
    const struct line *line = touches_line_at(touches, waiting->line);
    const struct account *account = touches_account_find(touches, line->account);
    err error = ERR_OK;
    if (account != NULL && str_equal(reason, STR("no_subscription")))
        error =
            touches_stock_empty(touches, world->root(world->context, waiting->node), line, account);
    if (error != ERR_OK)
        return error;
    return touches_step_take(touches, waiting->number,
                             &(struct step){ .status = TOUCH_FAILED,
                                             .reason = reason.size > 0 ? reason : STR("refused"),
                                             .detail = detail,
                                             .response = response });
}

/* Who honours keys gets it again under the same one: nothing happens twice, and nobody has to decide. */
static bool may_repeat(const struct touches *touches, const struct waiting *waiting,
                       json_value result)
{
    const struct line *line = touches_line_at(touches, waiting->line);
    const struct account *account = touches_account_find(touches, line->account);
    return account != NULL && channel_form_info(account->kind, line->form).honours_key &&
           json_int(json_get(result, STR("retry_ms")), 0) > 0;
}

static err take_result(struct touches *touches, json_value result)
{
    uint32_t number = (uint32_t)json_int(json_get(result, STR("touch")), 0);
    str outcome = json_text(json_get(result, STR("outcome")));
    str code = json_text(json_get(result, STR("code")));
    str reason = json_text(json_get(result, STR("reason")));
    str detail = json_text(json_get(result, STR("detail")));
    str response = json_text(json_get(result, STR("response")));
    struct waiting *waiting = touches_waiting_find(touches, number);
    if (waiting == NULL || (waiting->status != TOUCH_SENDING && waiting->status != TOUCH_UNCERTAIN))
        return ERR_OK; /* told before */
    if (str_equal(outcome, STR("later"))) {
        if (json_bool(json_get(result, STR("repeat")), false))
            mark_repeat(waiting); /* a sender had it and fell silent */
        return again_later(touches, waiting, result, reason);
    }
    if (str_equal(outcome, STR("uncertain")) && may_repeat(touches, waiting, result)) {
        mark_repeat(waiting);
        return again_later(touches, waiting, result, reason);
    }
    err error = touches_send_row(touches, waiting, json_text(json_get(result, STR("provider_id"))),
                                 code, response);
    if (error != ERR_OK)
        return error;
    if (str_equal(outcome, STR("uncertain")))
        return not_known(touches, waiting, reason, detail);
    bool delivered = str_equal(outcome, STR("delivered"));
    if (!delivered && !str_equal(outcome, STR("sent")))
        return refused(touches, waiting, reason, detail, response);
    error = touches_step_take(
        touches, number,
        &(struct step){ .status = TOUCH_SENT, .detail = code, .response = response });
    if (error == ERR_OK && delivered)
        error = touches_receipt_take(touches, number, TOUCH_DELIVERED, STR_NONE, response);
    return error;
}

err touch_take_results(struct touches *touches, const struct touch_command *command)
{
    json_value list = json_get(command->body, STR("results")), result;
    struct json_iterator iterator = json_iterate(list);
    err error = ERR_OK;
    if (json_count(list) > RESULTS_MAX)
        return problem_set(command->problem, ERR_UNPROCESSABLE, "at most %d results at once",
                           RESULTS_MAX);
    touches_call_begin(touches, command->writes, command->moment);
    while (error == ERR_OK && json_next(&iterator, NULL, &result))
        error = take_result(touches, result);
    return touches_call_end(touches, error);
}

/* ---- receipts ---- */

static int rank_of(enum touch_status status)
{
    static const int ranks[TOUCH_STATUS_COUNT] = {
        [TOUCH_SENDING] = 1,   [TOUCH_UNCERTAIN] = 1, [TOUCH_SENT] = 2,    [TOUCH_DELIVERED] = 3,
        [TOUCH_CONFIRMED] = 4, [TOUCH_READ] = 5,      [TOUCH_CLICKED] = 6,
    };
    return ranks[status];
}

/* Receipts come twice and in any order: only what says more than is known is a step. A failure counts while nothing better is
 * known than that the provider took it. */
err touches_receipt_take(struct touches *touches, uint32_t number, enum touch_status status,
                         str code, str response)
{
    const struct mark *mark = touches_mark_at(touches, number);
    if (mark == NULL)
        return ERR_OK;
    int now = rank_of(mark_status(mark));
    bool failed = status == TOUCH_FAILED;
    if (now == 0 || (failed && now > 2) || (!failed && rank_of(status) <= now))
        return ERR_OK;
    if (now == 1 && !failed) {
        struct waiting *waiting = touches_waiting_find(touches, number);
        err error =
            waiting != NULL ? touches_send_row(touches, waiting, STR_NONE, code, STR_NONE) : ERR_OK;
        if (error == ERR_OK)
            error = touches_step_take(touches, number, &(struct step){ .status = TOUCH_SENT });
        if (error != ERR_OK || status == TOUCH_SENT)
            return error;
    }
    return touches_step_take(touches, number,
                             &(struct step){ .status = status,
                                             .reason = failed ? code : STR_NONE,
                                             .detail = code,
                                             .response = response });
}

static bool receipt_status(str text, enum touch_status *status)
{
    static const enum touch_status known[] = { TOUCH_SENT, TOUCH_DELIVERED, TOUCH_CONFIRMED,
                                               TOUCH_READ, TOUCH_CLICKED,   TOUCH_FAILED };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!str_equal(text, str_from_c(touch_status_text(known[i]))))
            continue;
        *status = known[i];
        return true;
    }
    return false;
}

uint32_t touch_of_receipt(const struct touches *touches, str account, json_value receipt)
{
    uint32_t number = (uint32_t)json_int(json_get(receipt, STR("touch")), 0);
    str provider_id = json_text(json_get(receipt, STR("provider_id")));
    if (number == 0)
        number = touch_by_key(touches, json_text(json_get(receipt, STR("key"))));
    if (number == 0 && provider_id.size > 0)
        number = touches_map_find(&touches->providers, touches_provider_key(account, provider_id));
    return number;
}

static err take_receipt(struct touches *touches, str account_key, json_value receipt)
{
    str text = json_text(json_get(receipt, STR("status")));
    uint32_t number = touch_of_receipt(touches, account_key, receipt);
    const struct mark *mark = touches_mark_at(touches, number);
    enum touch_status status;
    if (mark == NULL)
        return ERR_OK;
    if (str_equal(text, STR("unsubscribed"))) {
        const struct account *account =
            touches_account_find(touches, touches_line_at(touches, mark->line)->account);
        return account != NULL
                   ? touches_chance_put(touches, mark->node, account, CHANCE_UNSUBSCRIBED, STR_NONE,
                                        1, touches->moment.now_ms)
                   : ERR_OK;
    }
    if (!receipt_status(text, &status))
        return ERR_OK;
    return touches_receipt_take(touches, number, status, json_text(json_get(receipt, STR("code"))),
                                STR_NONE);
}

err touch_take_receipts(struct touches *touches, const struct touch_command *command)
{
    json_value list = json_get(command->body, STR("receipts")), receipt;
    str account = json_text(json_get(command->body, STR("account")));
    struct json_iterator iterator = json_iterate(list);
    err error = ERR_OK;
    if (json_count(list) > RESULTS_MAX)
        return problem_set(command->problem, ERR_UNPROCESSABLE, "at most %d receipts at once",
                           RESULTS_MAX);
    touches_call_begin(touches, command->writes, command->moment);
    while (error == ERR_OK && json_next(&iterator, NULL, &receipt))
        error = take_receipt(touches, account, receipt);
    return touches_call_end(touches, error);
}

/* ---- after a crash, and by hand ---- */

static err recover_one(struct touches *touches, struct waiting *waiting)
{
    const struct line *line = touches_line_at(touches, waiting->line);
    const struct account *account = touches_account_find(touches, line->account);
    if (!is_sure(account, line->form))
        return not_known(touches, waiting, STR("restart"),
                         STR("the server ended before the answer came"));
    mark_repeat(waiting);
    return touches_step_take(touches, waiting->number,
                             &(struct step){ .status = TOUCH_QUEUED, .reason = STR("restart") });
}

/* The next of an ascending list; UINT32_MAX at its end. */
static uint32_t next_number(struct json_iterator *iterator)
{
    json_value number;
    return json_next(iterator, NULL, &number) ? (uint32_t)json_int(number, UINT32_MAX) : UINT32_MAX;
}

/* `under_way`, ascending: other servers have them, and will say what came of it. */
err touch_recover(struct touches *touches, const struct touch_command *command)
{
    struct json_iterator under_way = json_iterate(json_get(command->body, STR("under_way")));
    uint32_t count = 0, elsewhere = next_number(&under_way);
    err error = ERR_OK;
    touches_call_begin(touches, command->writes, command->moment);
    for (uint32_t number = 1; error == ERR_OK && number <= touches->last_number; number++) {
        const struct mark *mark = touches_mark_at(touches, number);
        while (elsewhere < number)
            elsewhere = next_number(&under_way);
        if (mark == NULL || mark_status(mark) != TOUCH_SENDING || elsewhere == number)
            continue;
        error = recover_one(touches, touches_waiting_find(touches, number));
        count++;
    }
    buffer_printf(command->answer, "{\"recovered\":%u}", count);
    return touches_call_end(touches, error);
}

static err decide(struct touches *touches, const struct touch_command *command)
{
    uint32_t number = (uint32_t)json_int(json_get(command->body, STR("touch")), 0);
    str decision = json_text(json_get(command->body, STR("decision")));
    const struct mark *mark = touches_mark_at(touches, number);
    struct waiting *waiting = touches_waiting_find(touches, number);
    if (mark == NULL)
        return problem_set(command->problem, ERR_NOT_FOUND, "there is no touch %u", number);
    bool uncertain = mark_status(mark) == TOUCH_UNCERTAIN;
    bool waits = mark_status(mark) == TOUCH_QUEUED || mark_status(mark) == TOUCH_HELD;
    if (str_equal(decision, STR("cancel")) && waits)
        return touches_step_take(
            touches, number,
            &(struct step){ .status = TOUCH_SUPPRESSED, .reason = STR("by_hand") });
    if (!uncertain)
        return problem_set(command->problem, ERR_CONFLICT, "touch %u is %s", number,
                           touch_status_text(mark_status(mark)));
    if (str_equal(decision, STR("sent")))
        return touches_step_take(touches, number,
                                 &(struct step){ .status = TOUCH_SENT, .reason = STR("by_hand") });
    if (str_equal(decision, STR("failed")))
        return fail(touches, number, STR("by_hand"), STR_NONE);
    if (!str_equal(decision, STR("resend")))
        return problem_set(command->problem, ERR_UNPROCESSABLE,
                           "a decision is resend, sent, failed or cancel");
    const struct line *line = touches_line_at(touches, mark->line);
    resend(waiting, touches_account_find(touches, line->account), line->form);
    return touches_step_take(touches, number,
                             &(struct step){ .status = TOUCH_QUEUED, .reason = STR("by_hand") });
}

err touch_decide(struct touches *touches, const struct touch_command *command)
{
    touches_call_begin(touches, command->writes, command->moment);
    return touches_call_end(touches, decide(touches, command));
}

err touch_run(struct touches *touches, const struct touch_command *command)
{
    int64_t limit = json_int(json_get(command->body, STR("limit")), 1000);
    bool more = false;
    err error = touch_run_due(touches, limit > 0 ? (size_t)limit : 1, command->moment,
                              command->writes, &more);
    buffer_printf(command->answer, "{\"more\":%s}", more ? "true" : "false");
    return error;
}

/* ---- asked for by a person: touch.send ---- */

static struct touch_request request_of(json_value body, struct buffer *context)
{
    json_value given = json_get(body, STR("context"));
    buffer_clear(context);
    if (json_is_object(given))
        json_write_value(context, given);
#define TEXT(name) json_text(json_get(body, STR(name)))
    return (struct touch_request){
        .journey = TEXT("journey"),
        .node = TEXT("node"),
        .campaign = TEXT("campaign"),
        .key = TEXT("key"),
        .channel = TEXT("channel"),
        .account = TEXT("account"),
        .form = TEXT("form"),
        .template_ = TEXT("template"),
        .purpose = TEXT("purpose"),
        .brand = TEXT("brand"),
        .is_transactional = json_bool(json_get(body, STR("transactional")), false),
        .is_plain = !json_bool(json_get(body, STR("personalised")), true),
        .priority = (int)json_int(json_get(body, STR("priority")), 50),
        .not_before_ms = json_int(json_get(body, STR("not_before_ms")), 0),
        .expires_ms = json_int(json_get(body, STR("expires_ms")), 0),
        .order_id = TEXT("order_id"),
        .content_key = TEXT("content_key"),
        .cost_minor = json_int(json_get(body, STR("cost")), -1),
        .context = buffer_str(context),
        .is_test = json_bool(json_get(body, STR("test")), false),
    };
#undef TEXT
}

static err send_to(struct touches *touches, json_value body, uint32_t customer,
                   struct buffer *context, struct json_writer *writer)
{
    const struct touch_world *world = touches->config.world;
    struct touch_request request = request_of(body, context);
    const struct kept_template *kept = touches_template_of(touches, request.template_);
    struct touch_answer answer = { .touch = 0, .reason = "" };
    if (kept != NULL && request.channel.size == 0)
        request.channel = kept->channel;
    if (kept != NULL && request.form.size == 0)
        request.form = kept->form;
    request.customer = world->root(world->context, customer);
    request.node_born = customer;
    json_begin_object(writer);
    json_member_int(writer, STR("customer"), customer);
    if (request.customer != 0) {
        err error = touch_request(touches, &request, touches->moment, touches->writes, &answer);
        if (error != ERR_OK)
            return error;
    }
    json_member_int(writer, STR("touch"), (int64_t)answer.touch);
    json_member_text(writer, STR("status"),
                     answer.touch != 0 ? str_from_c(touch_status_text(answer.status))
                                       : STR("suppressed"));
    json_member_text(writer, STR("reason"),
                     answer.touch != 0 ? str_from_c(answer.reason) : STR("erased"));
    json_end_object(writer);
    return ERR_OK;
}

err touch_send(struct touches *touches, const struct touch_command *command)
{
    json_value list = json_get(command->body, STR("customers")), customer;
    struct json_iterator iterator = json_iterate(list);
    struct json_writer writer;
    struct buffer context;
    err error = ERR_OK;
    str template_ = json_text(json_get(command->body, STR("template")));
    if (json_count(list) == 0 || json_count(list) > 10000)
        return problem_set(command->problem, ERR_UNPROCESSABLE, "1 to 10,000 customers at once");
    if (template_.size > 0 && touches_template_of(touches, template_) == NULL) {
        problem_set(command->problem, ERR_UNPROCESSABLE, "there is no template '" STR_FMT "'",
                    STR_ARG(template_));
        return problem_at(command->problem, ERR_UNPROCESSABLE, "/template");
    }
    buffer_init(&context, CONTENT_BYTES_MAX);
    touches_call_begin(touches, command->writes, command->moment);
    json_writer_init(&writer, command->answer);
    json_begin_object(&writer);
    json_put_key(&writer, STR("touches"));
    json_begin_array(&writer);
    while (error == ERR_OK && json_next(&iterator, NULL, &customer))
        error = send_to(touches, command->body, (uint32_t)json_int(customer, 0), &context, &writer);
    json_end_array(&writer);
    json_end_object(&writer);
    error = touches_call_end(touches, error);
    buffer_deinit(&context);
    return error;
}
