/* SPDX-License-Identifier: Apache-2.0 */
/* pace: how fast an account may go: its rate, its quota of the day, and its breaker.
 *
 *   breaker:  CLOSED ──`breaker_failures` in a row──▶ OPEN until t ──t──▶ HALF OPEN: one probe ─┬─fine─▶ CLOSED
 *             (pace_judged)                             ▲                                       │
 *                                                       └───────longer, with jitter─────────────┘
 */
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"

#define OPEN_FIRST_MS 1000
#define OPEN_MOST_MS (5 * MINUTE_MS)
#define PAUSE_HERE_NS INT64_C(5000000000)
#define BACK_OFF_FIRST_MS 250
#define BACK_OFF_MOST_MS (15 * MINUTE_MS)

/* Where the provider says a limit and the owner none (protocols §3.5: 10,000 a minute and corp). */
static double rate_of(const struct settings *settings)
{
    int64_t own = setting_number(settings, RATE);
    if (own > 0)
        return (double)own;
    switch (settings->kind) {
    case CHANNEL_WECOM:
        return 150;
    case CHANNEL_SMTP:
        return 50;
    case CHANNEL_OFFICIAL_ACCOUNT:
    case CHANNEL_MINI_PROGRAM:
    case CHANNEL_SMS_ALIYUN:
    case CHANNEL_SMS_TENCENT:
        return 500;
    case CHANNEL_WEBHOOK:
    case CHANNEL_CALL_CENTER:
    case CHANNEL_COUPON:
    case CHANNEL_POINTS:
    case CHANNEL_KIND_COUNT:
        break;
    }
    return 0;
}

/* ×2 each time up to a maximum, less up to a half of it by chance. */
static int64_t jittered(struct channels *channels, int64_t first_ms, unsigned times,
                        int64_t most_ms)
{
    int64_t ms = first_ms;
    for (unsigned i = 0; i < times && ms < most_ms; i++)
        ms *= 2;
    if (ms > most_ms)
        ms = most_ms;
    return ms / 2 + (int64_t)random_below(&channels->random, (uint64_t)(ms / 2 + 1));
}

int64_t pace_back_off_ms(struct channels *channels, unsigned tries)
{
    return jittered(channels, 2 * BACK_OFF_FIRST_MS, tries, BACK_OFF_MOST_MS);
}

static bool fill_bucket(struct account *account, double rate, int64_t now_ns, int64_t *wake_ns)
{
    double most = rate > 1 ? rate : 1;
    if (account->bucket_ns == 0)
        account->bucket = most;
    else
        account->bucket += (double)(now_ns - account->bucket_ns) / 1e9 * rate;
    account->bucket_ns = now_ns;
    if (account->bucket > most)
        account->bucket = most;
    if (account->bucket >= 1)
        return true;
    *wake_ns = now_ns + (int64_t)((1 - account->bucket) / rate * 1e9) + 1;
    return false;
}

static void begin_day(const struct channels *channels, struct account *account)
{
    int64_t now_ms = channel_now_ms(channels);
    int64_t start_ms = zone_day_start_ms(channels->zone, now_ms);
    if (start_ms == account->day_start_ms)
        return;
    account->day_start_ms = start_ms;
    account->day_end_ms = zone_day_start_ms(channels->zone, start_ms + DAY_MS + 2 * HOUR_MS);
    account->day_count = 0;
}

void pace_used(struct channels *channels, struct account *account)
{
    begin_day(channels, account);
    if (account->used_day_ms == account->day_start_ms && account->used_count > account->day_count)
        account->day_count = account->used_count;
    account->used_count = 0;
}

static bool has_quota(struct channels *channels, struct account *account, int64_t quota,
                      struct verdict *later)
{
    int64_t now_ms = channel_now_ms(channels);
    if (now_ms >= account->day_end_ms || now_ms < account->day_start_ms)
        begin_day(channels, account);
    if (account->day_count < quota)
        return true;
    *later = (struct verdict){ .outcome = CHANNEL_LATER,
                               .reason = "daily_quota",
                               .is_ours = true,
                               .delay_ms = account->day_end_ms - now_ms };
    snprintf(later->detail, sizeof later->detail, "the account's quota of %lld a day is used up",
             (long long)quota);
    return false;
}

static void tell_open(const struct account *account, int64_t until_ns, int64_t now_ns,
                      struct verdict *later)
{
    *later = (struct verdict){ .outcome = CHANNEL_LATER,
                               .reason = "account_failing",
                               .is_ours = true,
                               .delay_ms = (until_ns - now_ns) / 1000000 + 1 };
    snprintf(later->detail, sizeof later->detail, "the account failed %u times in a row",
             account->failures);
}

/* A long pause is not waited for here: the gates judge again when it is over. */
static void tell_paused(const struct account *account, int64_t now_ns, struct verdict *later)
{
    *later = (struct verdict){ .outcome = CHANNEL_LATER,
                               .reason = "rate_limited",
                               .is_ours = true,
                               .detail = "the provider wants a pause",
                               .delay_ms = (account->paused_until_ns - now_ns) / 1000000 + 1 };
}

/* May one go now? False: either `later` says what its units are to be told (outcome LATER), or `wake_ns` when to look again. */
bool pace_may_start(struct channels *channels, struct account *account,
                    const struct settings *settings, int64_t now_ns, int64_t *wake_ns,
                    struct verdict *later)
{
    int64_t open_until = account->open_until_ns;
    int64_t quota = setting_number(settings, DAILY_QUOTA);
    double rate = rate_of(settings);
    later->reason = NULL;
    *wake_ns = INT64_MAX;
    if (open_until > now_ns) {
        tell_open(account, open_until, now_ns, later);
        return false;
    }
    if (open_until != 0 && account->is_probing)
        return false; /* its end wakes us */
    if (account->paused_until_ns > now_ns) {
        if (account->paused_until_ns - now_ns > PAUSE_HERE_NS)
            tell_paused(account, now_ns, later);
        else
            *wake_ns = account->paused_until_ns;
        return false;
    }
    if (quota > 0 && !has_quota(channels, account, quota, later))
        return false;
    return rate <= 0 || fill_bucket(account, rate, now_ns, wake_ns);
}

void pace_started(struct account *account, const struct settings *settings, size_t messages,
                  bool is_probe)
{
    if (rate_of(settings) > 0)
        account->bucket -= 1;
    account->day_count += (int64_t)messages;
    account->is_probing = account->is_probing || is_probe;
}

static void open_breaker(struct channels *channels, struct account *account)
{
    int64_t ms = jittered(channels, 2 * OPEN_FIRST_MS, account->opened, OPEN_MOST_MS);
    if (account->opened < 20)
        account->opened++;
    account->open_until_ns = channel_now_ns(channels) + ms * 1000000;
}

void pace_judged(struct channels *channels, struct account *account,
                 const struct settings *settings, const struct verdict *verdict)
{
    int64_t now_ns = channel_now_ns(channels);
    account->is_probing = false;
    if (verdict->pause_ms > 0 && account->paused_until_ns < now_ns + verdict->pause_ms * 1000000)
        account->paused_until_ns = now_ns + verdict->pause_ms * 1000000;
    if (!verdict->is_failure) {
        if (account->failures > 0)
            account_fail(channels, account, "");
        account->failures = account->opened = 0;
        account->open_until_ns = 0;
        return;
    }
    account->failures++;
    account_fail(channels, account, verdict->detail);
    /* What was under way when it opened tells nothing new. */
    bool is_open = account->open_until_ns > now_ns;
    if (!is_open && (account->open_until_ns != 0 ||
                     account->failures >= (unsigned)setting_number(settings, BREAKER_FAILURES)))
        open_breaker(channels, account);
}
