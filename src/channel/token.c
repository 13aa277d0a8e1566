/* SPDX-License-Identifier: Apache-2.0 */
/* token: one for each account, fetched once for all who wait, renewed before it ends (C4).
 *
 *   NONE ──somebody wants it──▶ FETCHING ─┬ came ─▶ READY ──its end nears──▶ READY, renewing ─▶ READY
 *     ▲                                   └ refused: all who wait are told LATER
 *     └────────────── the provider says that it has ended, or its time is over ──────────────
 */
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"

#define FETCH_TIMEOUT_MS 10000
/* Renewed when a tenth of its life is left, five minutes at most. */
#define RENEW_BEFORE_MS_MAX (5 * MINUTE_MS)
#define LIFETIME_S_MAX 86400

static void refuse_all(struct channels *channels, struct account *account,
                       const struct verdict *verdict)
{
    struct token *token = &account->token;
    struct unit_list units = token->units;
    struct call *calls = token->calls;
    struct unit *unit;
    unit_list_init(&token->units);
    token->calls = NULL;
    while ((unit = unit_list_take(&units)) != NULL)
        unit_tell(channels, unit, verdict, NULL);
    while (calls != NULL) {
        struct call *call = calls;
        calls = call->next;
        call->verdict = *verdict;
        call_finish(channels, call);
    }
}

static void no_memory(struct verdict *verdict)
{
    *verdict = (struct verdict){ .outcome = CHANNEL_LATER,
                                 .reason = "no_memory",
                                 .is_ours = true,
                                 .detail = "no memory for a request" };
}

static void fetch(struct channels *channels, struct account *account)
{
    struct token *token = &account->token;
    struct transfer *transfer = transfer_take(channels, account, FOR_TOKEN);
    struct verdict verdict;
    if (transfer != NULL) {
        transfer->may_resend = true;
        account->provider->build_token(transfer);
        if (loop_start_transfer(channels, transfer, FETCH_TIMEOUT_MS)) {
            if (token->state == TOKEN_READY)
                token->is_renewing = true;
            else
                token->state = TOKEN_FETCHING;
            return;
        }
        transfer_give(channels, transfer);
    }
    no_memory(&verdict);
    refuse_all(channels, account, &verdict);
}

bool token_is_ready(struct channels *channels, struct account *account)
{
    struct token *token = &account->token;
    int64_t now_ms = channel_now_ms(channels);
    if (token->state != TOKEN_READY)
        return false;
    if (now_ms >= token->ends_ms && !token->is_renewing) {
        token->state = TOKEN_NONE;
        return false;
    }
    if (now_ms >= token->renew_ms && !token->is_renewing)
        fetch(channels, account);
    return true;
}

void token_wait_unit(struct channels *channels, struct account *account, struct unit *unit)
{
    unit_list_put(&account->token.units, unit);
    if (account->token.state == TOKEN_NONE)
        fetch(channels, account);
}

void token_wait_call(struct channels *channels, struct account *account, struct call *call)
{
    call->next = account->token.calls;
    account->token.calls = call;
    if (account->token.state == TOKEN_NONE)
        fetch(channels, account);
}

/* The provider refused this one. Another that came meanwhile stays. */
void token_drop(struct account *account, const char *refused)
{
    struct token *token = &account->token;
    if (token->state == TOKEN_READY && strcmp(token->text, refused) == 0) {
        token->state = token->is_renewing ? TOKEN_FETCHING : TOKEN_NONE;
        token->is_renewing = false;
        token->was_refused = true;
        memset(token->text, 0, sizeof token->text);
    }
}

static void came(struct channels *channels, struct account *account, const char *text,
                 int64_t lifetime_s)
{
    struct token *token = &account->token;
    struct unit_list units = token->units;
    struct call *calls = token->calls;
    struct unit *unit;
    if (lifetime_s > LIFETIME_S_MAX)
        lifetime_s = LIFETIME_S_MAX;
    int64_t life_ms = lifetime_s * SECOND_MS;
    int64_t before_ms = life_ms / 10 < RENEW_BEFORE_MS_MAX ? life_ms / 10 : RENEW_BEFORE_MS_MAX;
    snprintf(token->text, sizeof token->text, "%s", text);
    token->ends_ms = channel_now_ms(channels) + life_ms;
    token->renew_ms = token->ends_ms - before_ms;
    token->state = TOKEN_READY;
    token->is_renewing = token->was_refused = false;
    unit_list_init(&token->units);
    token->calls = NULL;
    while ((unit = unit_list_take(&units)) != NULL)
        unit_list_put(&account->urgent, unit);
    while (calls != NULL) {
        struct call *call = calls;
        calls = call->next;
        call_begin(channels, call);
    }
}

void token_answered(struct channels *channels, struct transfer *transfer)
{
    struct account *account = transfer->account;
    struct token *token = &account->token;
    struct verdict verdict = { .outcome = CHANNEL_LATER };
    char text[TOKEN_BYTES_MAX];
    int64_t lifetime_s = 0;
    bool fine = transfer->answer.result == CURLE_OK &&
                account->provider->read_token(transfer, text, &lifetime_s, &verdict);
    if (fine) {
        came(channels, account, text, lifetime_s);
        return;
    }
    if (transfer->answer.result != CURLE_OK)
        transfer_judge_failure(transfer, true, false, &verdict);
    /* Nothing was sent yet, whatever became of the question for a token. */
    verdict.outcome = CHANNEL_LATER;
    verdict.is_failure = true;
    verdict.is_ours = true;
    if (token->is_renewing) {
        token->is_renewing = false; /* the old one serves until its end; try again in a while */
        token->renew_ms = channel_now_ms(channels) + 30 * SECOND_MS;
    } else {
        token->state = TOKEN_NONE;
    }
    pace_judged(channels, account, account->live, &verdict);
    if (token->state == TOKEN_NONE)
        refuse_all(channels, account, &verdict);
}

void token_abandon(struct channels *channels, struct account *account,
                   const struct verdict *verdict)
{
    refuse_all(channels, account, verdict);
}
