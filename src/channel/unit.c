/* SPDX-License-Identifier: Apache-2.0 */
/* unit: the life of what is sent, from its turn to `done` (C1, C2, C3).
 *
 *   unit_begin ─┬ expired ───────────────────────────────▶ REFUSED
 *               ├ may have been sent, and nobody can tell ▶ UNCERTAIN
 *               ├ no token ─▶ token.c ─▶ ready again
 *               └ SEND or ASK goes out
 *   unit_answered: judged by its provider ─▶ NEXT_DONE ▶ told · NEXT_AGAIN, NEXT_ASK ▶ waits · NEXT_TOKEN ▶ token.c ·
 *               NEXT_SEND ▶ SEND at once
 */
#include <stdio.h>
#include <string.h>

#include "base/logline.h"
#include "channel/channel_inside.h"

#define ASKS_MAX 2
#define ASK_DELAY_MS 2000
#define TIMEOUT_LEAST_MS 1000
/* A longer pause is not waited for here. */
#define WAIT_HERE_MS 5000

/* ---- what may be done about it ---- */

static bool repeatable(const struct unit *unit)
{
    const struct provider *provider = unit->account->provider;
    return provider->is_repeatable != NULL && provider->is_repeatable(unit);
}

static bool askable(const struct unit *unit)
{
    const struct provider *provider = unit->account->provider;
    return provider->can_ask != NULL && provider->can_ask(unit);
}

/* ---- telling ---- */

/* Standard Webhooks' times between tries, with one more at the start. */
static int64_t later_ms(struct channels *channels, const struct unit *unit)
{
    static const int SECONDS[] = { 5, 30, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };
    const unsigned count = sizeof SECONDS / sizeof SECONDS[0];
    unsigned tries = unit->message.tries < count ? unit->message.tries : count - 1;
    int64_t ms = SECONDS[tries] * SECOND_MS;
    return ms - ms / 10 + (int64_t)random_below(&channels->random, (uint64_t)(ms / 5));
}

static enum channel_outcome outcome_of(const struct unit *unit, const struct verdict *verdict)
{
    bool is_sure = verdict->outcome == CHANNEL_SENT || verdict->outcome == CHANNEL_DELIVERED ||
                   (verdict->outcome == CHANNEL_REFUSED && !verdict->is_ours);
    return unit->may_be_taken && !is_sure ? CHANNEL_UNCERTAIN : verdict->outcome;
}

static void count_outcome(struct account *account, enum channel_outcome outcome)
{
    if (outcome == CHANNEL_SENT || outcome == CHANNEL_DELIVERED)
        account->sent++;
    else if (outcome == CHANNEL_REFUSED)
        account->refused++;
    else if (outcome == CHANNEL_UNCERTAIN)
        account->uncertain++;
}

static str response_of(const struct transfer *transfer)
{
    if (transfer == NULL || transfer->settings->kind != CHANNEL_WEBHOOK)
        return STR_NONE;
    str body = buffer_str(&transfer->answer.body);
    body = str_slice(body, 0, str_utf8_prefix_bytes(body, RESPONSE_BYTES_MAX));
    return str_is_utf8(body) ? body : STR_NONE;
}

/* What the breaker keeps back comes again when it lets one through; who is refused alone waits longer each time. */
static int64_t retry_in_ms(struct channels *channels, const struct unit *unit,
                           const struct verdict *verdict)
{
    int64_t open_ms = (unit->account->open_until_ns - channel_now_ns(channels)) / 1000000;
    if (verdict->delay_ms > 0)
        return verdict->delay_ms;
    return open_ms > 0 ? open_ms + 1 : later_ms(channels, unit);
}

/* Told and counted; it still holds its place. True: it is to come again, with the same key where it has to be the same message. */
static bool tell_result(struct channels *channels, const struct unit *unit,
                        const struct verdict *verdict, const struct transfer *transfer)
{
    struct account *account = unit->account;
    struct channel_result result = { .touch = unit->message.touch,
                                     .outcome = outcome_of(unit, verdict),
                                     .provider_id = str_from_c(verdict->provider_id),
                                     .code = str_from_c(verdict->code),
                                     .reason = str_from_c(verdict->reason),
                                     .detail = str_from_c(verdict->detail),
                                     .response = response_of(transfer),
                                     .at_ms = channel_now_ms(channels) };
    bool may_repeat = result.outcome == CHANNEL_LATER ||
                      (result.outcome == CHANNEL_UNCERTAIN && (repeatable(unit) || askable(unit)));
    if (may_repeat)
        result.retry_ms = result.at_ms + retry_in_ms(channels, unit, verdict);
    count_outcome(account, result.outcome);
    channels->config.done(channels->config.context, &result);
    account->queued--;
    return may_repeat && (result.outcome == CHANNEL_LATER || repeatable(unit));
}

/* Who waits behind it in its lane does not overtake it: all of them come back, and whose turn it is then is for the gates to say. */
static void tell_behind(struct channels *channels, const struct unit *unit,
                        const struct verdict *verdict)
{
    struct verdict behind = { .outcome = CHANNEL_LATER,
                              .reason = "behind",
                              .is_ours = true,
                              .detail = "an earlier one to her has to go first",
                              .delay_ms = SECOND_MS };
    struct unit *next;
    if (verdict->is_ours && strcmp(verdict->reason, "stopped") != 0)
        behind = *verdict; /* it is the account's trouble, not hers */
    while ((next = lane_take_behind(unit->account, unit)) != NULL) {
        (void)tell_result(channels, next, &behind, NULL);
        memory_free(next);
    }
}

static void tell_one(struct channels *channels, struct unit *unit, const struct verdict *verdict,
                     const struct transfer *transfer)
{
    if (tell_result(channels, unit, verdict, transfer))
        tell_behind(channels, unit, verdict);
    lane_leave(channels, unit->account, unit);
    memory_free(unit);
}

/* A member's own code or number stands before its batch's. */
static void tell_member(struct channels *channels, struct unit *unit, const struct verdict *verdict,
                        const struct transfer *transfer)
{
    struct verdict own = *verdict;
    if (unit->rule != NULL)
        verdict_by_rule(&own, unit->rule, str_from_c(unit->rule->code));
    if (unit->provider_id[0] != '\0')
        memcpy(own.provider_id, unit->provider_id, sizeof own.provider_id);
    tell_one(channels, unit, &own, transfer);
}

void unit_tell(struct channels *channels, struct unit *unit, const struct verdict *verdict,
               const struct transfer *transfer)
{
    struct unit *member = unit->members;
    INVARIANT(verdict->reason != NULL);
    while (member != NULL) {
        struct unit *next = member->next;
        member->may_be_taken = unit->may_be_taken;
        tell_member(channels, member, verdict, transfer);
        member = next;
    }
    tell_member(channels, unit, verdict, transfer);
}

static void tell_ours(struct channels *channels, struct unit *unit, enum channel_outcome outcome,
                      const char *reason, const char *detail)
{
    struct verdict verdict = { .outcome = outcome, .reason = reason, .is_ours = true };
    snprintf(verdict.detail, sizeof verdict.detail, "%s", detail);
    unit_tell(channels, unit, &verdict, NULL);
}

/* ---- beginning ---- */

static bool is_expired(const struct unit *unit, int64_t now_ms)
{
    return unit->message.expires_ms > 0 && unit->message.expires_ms <= now_ms;
}

/* Sending was stopped after it had been taken: the gates judge again. */
static bool is_stopped(struct channels *channels, const struct unit *unit)
{
    return channels->config.may_leave != NULL && unit->step == STEP_SEND &&
           !channels->config.may_leave(channels->config.context, unit->message.touch);
}

static void tell_held(struct channels *channels, struct unit *unit, int64_t now_ms)
{
    unit->may_be_taken = unit->may_be_taken || unit->message.is_repeat;
    if (is_expired(unit, now_ms))
        tell_ours(channels, unit, CHANNEL_REFUSED, "expired", "its time was over before it went");
    else
        tell_ours(channels, unit, CHANNEL_LATER, "stopped", "sending was stopped before it went");
}

/* Members whose time is over, or that are stopped, leave the batch. */
static void drop_held(struct channels *channels, struct unit *lead, int64_t now_ms)
{
    struct unit **place = &lead->members;
    while (*place != NULL) {
        struct unit *member = *place;
        if (!is_expired(member, now_ms) && !is_stopped(channels, member)) {
            place = &member->next;
            continue;
        }
        *place = member->next;
        lead->member_count--;
        tell_held(channels, member, now_ms);
    }
}

static int64_t timeout_of(const struct unit *unit, const struct settings *settings, int64_t now_ms)
{
    int64_t timeout_ms = setting_number(settings, TIMEOUT_MS);
    int64_t left_ms = unit->message.expires_ms > 0 ? unit->message.expires_ms - now_ms : INT64_MAX;
    if (left_ms < timeout_ms)
        timeout_ms = left_ms > TIMEOUT_LEAST_MS ? left_ms : TIMEOUT_LEAST_MS;
    return timeout_ms;
}

/* A message that may have been sent before: ask, or rely on its key, or leave it. */
static bool choose_step(struct channels *channels, struct unit *unit)
{
    bool tells = askable(unit) || repeatable(unit);
    if (!unit->message.is_repeat || unit->tries > 0 || unit->asks > 0)
        return true;
    if (unit->message.is_decided && !tells) {
        unit->message.is_repeat = unit->message.is_decided = false; /* as if it were new */
        return true;
    }
    unit->may_be_taken = true;
    unit->account->repeated++;
    if (askable(unit)) {
        unit->step = STEP_ASK;
        return true;
    }
    if (tells)
        return true;
    tell_ours(
        channels, unit, CHANNEL_UNCERTAIN, "may_have_been_sent",
        "it may have been sent before, and this provider can neither be asked nor knows the key");
    return false;
}

static void send_out(struct channels *channels, struct unit *unit, bool is_probe)
{
    struct account *account = unit->account;
    const struct provider *provider = account->provider;
    struct verdict verdict = { .outcome = CHANNEL_REFUSED, .is_ours = true };
    struct transfer *transfer = transfer_take(channels, account, FOR_UNIT);
    if (transfer == NULL) {
        tell_ours(channels, unit, CHANNEL_LATER, "no_memory", "no memory for a request");
        return;
    }
    transfer->unit = unit;
    transfer->may_resend = repeatable(unit) || unit->step == STEP_ASK;
    if (provider->has_token)
        memcpy(transfer->token, account->token.text, sizeof transfer->token);
    bool built = unit->step == STEP_ASK ? provider->build_ask(transfer, unit, &verdict)
                                        : provider->build(transfer, unit, &verdict);
    if (!built) {
        unit_tell(channels, unit, &verdict, NULL);
        transfer_give(channels, transfer);
        return;
    }
    if (!loop_start_transfer(channels, transfer,
                             timeout_of(unit, transfer->settings, channel_now_ms(channels)))) {
        transfer_give(channels, transfer);
        tell_ours(channels, unit, CHANNEL_LATER, "no_memory", "no memory for a request");
        return;
    }
    account->under_way++;
    pace_started(account, account->live, unit->member_count + 1, is_probe);
}

void unit_begin(struct channels *channels, struct unit *unit, bool is_probe)
{
    int64_t now_ms = channel_now_ms(channels);
    struct account *account = unit->account;
    drop_held(channels, unit, now_ms);
    if (is_expired(unit, now_ms) || is_stopped(channels, unit)) {
        /* Its members go on under another lead. */
        struct unit *heir = unit->members;
        if (heir != NULL) {
            heir->members = heir->next;
            heir->member_count = unit->member_count - 1;
            heir->next = NULL;
            unit->members = NULL;
            unit->member_count = 0;
        }
        tell_held(channels, unit, now_ms);
        if (heir != NULL)
            unit_begin(channels, heir, is_probe);
        return;
    }
    if (!choose_step(channels, unit))
        return;
    if (account->provider->has_token && !token_is_ready(channels, account)) {
        token_wait_unit(channels, account, unit);
        return;
    }
    send_out(channels, unit, is_probe);
}

/* ---- answers ---- */

static void judge(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    const struct provider *provider = unit->account->provider;
    const struct answer *answer = &transfer->answer;
    /* A mail server's refusal is an error to curl, and an answer to us. */
    bool is_refusal = transfer->request.is_mail && answer->status >= 400 && !answer->was_private &&
                      answer->result != CURLE_OPERATION_TIMEDOUT;
    memset(verdict, 0, sizeof *verdict);
    if (answer->result != CURLE_OK && !is_refusal)
        transfer_judge_failure(transfer, repeatable(unit) || unit->step == STEP_ASK, askable(unit),
                               verdict);
    else if (unit->step == STEP_ASK)
        provider->judge_ask(transfer, unit, verdict);
    else
        provider->judge(transfer, unit, verdict);
    if (unit->step == STEP_SEND && verdict->outcome == CHANNEL_UNCERTAIN &&
        verdict->next == NEXT_DONE && askable(unit))
        verdict->next = NEXT_ASK;
    INVARIANT(verdict->next == NEXT_SEND || verdict->reason != NULL);
}

/* True: it waits and comes back; false: no time, no tries, no memory. */
static bool wait_again(struct channels *channels, struct unit *unit, const struct verdict *verdict)
{
    int64_t delay_ms =
        verdict->delay_ms > 0 ? verdict->delay_ms : pace_back_off_ms(channels, unit->tries);
    int64_t ends_ms = channel_now_ms(channels) + delay_ms;
    bool in_time = unit->message.expires_ms == 0 || ends_ms < unit->message.expires_ms;
    if (delay_ms > WAIT_HERE_MS || unit->tries + 1 >= TRIES_MAX || !in_time)
        return false;
    unit->tries++;
    return heap_put(channels, unit, channel_now_ns(channels) + delay_ms * 1000000);
}

static bool wait_to_ask(struct channels *channels, struct unit *unit, const struct verdict *verdict)
{
    int64_t delay_ms = verdict->delay_ms > 0 ? verdict->delay_ms : ASK_DELAY_MS;
    if (unit->asks >= ASKS_MAX)
        return false;
    unit->asks++;
    unit->step = STEP_ASK;
    return heap_put(channels, unit, channel_now_ns(channels) + delay_ms * 1000000);
}

static bool new_token(struct channels *channels, struct unit *unit, const struct transfer *transfer,
                      struct verdict *verdict)
{
    if (!unit->had_new_token) {
        unit->had_new_token = true;
        token_drop(unit->account, transfer->token);
        token_wait_unit(channels, unit->account, unit);
        return true;
    }
    verdict->next = NEXT_DONE;
    verdict->outcome = CHANNEL_LATER;
    verdict->reason = "account_refused";
    verdict->is_failure = true;
    return false;
}

/* Asked, and nobody knows: it goes, since somebody chose so. */
static bool may_go_anyway(const struct unit *unit, const struct verdict *verdict)
{
    return unit->message.is_decided && unit->step == STEP_ASK &&
           verdict->outcome == CHANNEL_UNCERTAIN;
}

static void disable(struct channels *channels, struct account *account)
{
    pthread_mutex_lock(&channels->mutex);
    account->is_disabled = true;
    pthread_mutex_unlock(&channels->mutex);
    account_fail(channels, account, "the receiver says that it is gone for good (410)");
}

void unit_answered(struct channels *channels, struct transfer *transfer)
{
    struct unit *unit = transfer->unit;
    struct account *account = unit->account;
    struct verdict verdict;
    bool goes_on = false;
    judge(transfer, unit, &verdict);
    account->under_way--;
    if (verdict.next == NEXT_TOKEN)
        goes_on = new_token(channels, unit, transfer, &verdict);
    else
        unit->may_be_taken = unit->may_be_taken || verdict.outcome == CHANNEL_UNCERTAIN;
    pace_judged(channels, account, account->live, &verdict);
    if (verdict.next == NEXT_AGAIN)
        goes_on = wait_again(channels, unit, &verdict);
    else if (verdict.next == NEXT_ASK)
        goes_on = wait_to_ask(channels, unit, &verdict);
    if (!goes_on && may_go_anyway(unit, &verdict))
        verdict.next = NEXT_SEND;
    if (verdict.next == NEXT_SEND) {
        unit->step = STEP_SEND;
        unit->may_be_taken = false;
        unit->tries++;
        unit->message.is_repeat = unit->message.is_decided = false;
        unit->provider_id[0] = '\0';
        unit_list_put(&account->urgent, unit);
        goes_on = true;
    }
    if (goes_on)
        return;
    if (verdict.disable)
        disable(channels, account);
    if (verdict.outcome == CHANNEL_SENT && account->provider->follow != NULL)
        follow_add(channels, account->key,
                   account->provider->follow_as != NULL ? str_from_c(account->provider->follow_as)
                                                        : str_from_c(verdict.provider_id));
    unit_tell(channels, unit, &verdict, transfer);
}
