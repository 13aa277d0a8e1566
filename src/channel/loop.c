/* SPDX-License-Identifier: Apache-2.0 */
/* loop: the thread that drives all transfers: epoll, curl's multi interface by sockets, timers, and whose turn it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/logline.h"
#include "base/thread.h"
#include "channel/channel_inside.h"

#define EVENTS_MAX 256
#define CONNECTIONS_KEPT 512L
#define CONCURRENCY 32
#define CONCURRENCY_MAIL 4
#define IDLE_WAIT_MS 60000

/* ---- curl's sockets and timer ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
    struct channels *channels = context;
    struct epoll_event event = { .data.fd = fd };
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(channels->epoll, EPOLL_CTL_DEL, fd, NULL);
        curl_multi_assign(channels->multi, fd, NULL);
        return 0;
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        event.events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        event.events |= EPOLLOUT;
    if (epoll_ctl(channels->epoll, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
        epoll_ctl(channels->epoll, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    curl_multi_assign(channels->multi, fd, channels);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct channels *channels = context;
    (void)multi;
    channels->curl_due_ns =
        timeout_ms < 0 ? INT64_MAX : channel_now_ns(channels) + (int64_t)timeout_ms * 1000000;
    return 0;
}

err loop_open(struct channels *channels, struct problem *problem)
{
    channels->curl_due_ns = INT64_MAX;
    channels->epoll = epoll_create1(EPOLL_CLOEXEC);
    channels->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    channels->multi = curl_multi_init();
    struct epoll_event event = { .events = EPOLLIN, .data.fd = channels->wake };
    if (channels->epoll < 0 || channels->wake < 0 || channels->multi == NULL ||
        epoll_ctl(channels->epoll, EPOLL_CTL_ADD, channels->wake, &event) != 0)
        return problem_set(problem, ERR_IO, "the channels' thread has no descriptors: %s",
                           strerror(errno));
    curl_multi_setopt(channels->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(channels->multi, CURLMOPT_SOCKETDATA, channels);
    curl_multi_setopt(channels->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(channels->multi, CURLMOPT_TIMERDATA, channels);
    curl_multi_setopt(channels->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(channels->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    return ERR_OK;
}

void loop_close(struct channels *channels)
{
    transfer_free_all(channels);
    if (channels->multi != NULL)
        curl_multi_cleanup(channels->multi);
    if (channels->wake >= 0)
        close(channels->wake);
    if (channels->epoll >= 0)
        close(channels->epoll);
}

void loop_wake(struct channels *channels)
{
    uint64_t one = 1;
    ssize_t written = write(channels->wake, &one, sizeof one);
    (void)written; /* full means: it is awake already */
}

/* ---- transfers under way ---- */

bool loop_start_transfer(struct channels *channels, struct transfer *transfer, int64_t timeout_ms)
{
    if (!transfer_start(channels, transfer, timeout_ms))
        return false;
    transfer->previous = NULL;
    transfer->next = channels->busy;
    if (channels->busy != NULL)
        channels->busy->previous = transfer;
    channels->busy = transfer;
    return true;
}

static void end_transfer(struct channels *channels, struct transfer *transfer, CURLcode result)
{
    if (transfer->previous != NULL)
        transfer->previous->next = transfer->next;
    else
        channels->busy = transfer->next;
    if (transfer->next != NULL)
        transfer->next->previous = transfer->previous;
    transfer_collect(transfer, result);
    curl_multi_remove_handle(channels->multi, transfer->curl);
    switch (transfer->purpose) {
    case FOR_UNIT:
        unit_answered(channels, transfer);
        break;
    case FOR_TOKEN:
        token_answered(channels, transfer);
        break;
    case FOR_CALL:
        call_answered(channels, transfer);
        break;
    }
    transfer_give(channels, transfer);
}

static void end_finished(struct channels *channels)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(channels->multi, &left)) != NULL) {
        char *transfer = NULL;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        end_transfer(channels, (struct transfer *)(void *)transfer, result);
    }
}

/* ---- what others brought ---- */

static void adopt_zone(struct channels *channels)
{
    if (channels->next_zone == NULL)
        return;
    zone_free(&channels->zone);
    channels->zone = channels->next_zone;
    channels->next_zone = NULL;
}

static void adopt_settings(struct channels *channels)
{
    adopt_zone(channels);
    for (struct account *account = channels->accounts; account != NULL; account = account->next) {
        pace_used(channels, account);
        if (account->live == account->settings)
            continue;
        settings_give(account->live);
        account->live = settings_take(account->settings);
        /* Other secrets may be good where the former were not. */
        account->token.state =
            account->token.state == TOKEN_READY ? TOKEN_NONE : account->token.state;
        account->token.is_renewing = false;
        account->open_until_ns = 0;
        account->failures = account->opened = 0;
        account->paused_until_ns = 0;
    }
    channels->settings_changed = false;
}

static void begin_calls(struct channels *channels, struct call *newest_first)
{
    struct call *calls = NULL;
    while (newest_first != NULL) {
        struct call *call = newest_first;
        newest_first = call->next;
        call->next = calls;
        calls = call;
    }
    while (calls != NULL) {
        struct call *call = calls;
        calls = call->next;
        call_begin(channels, call);
    }
}

static void refuse_unit(struct channels *channels, struct unit *unit, enum channel_outcome outcome,
                        const char *reason)
{
    struct verdict verdict = { .outcome = outcome, .reason = reason, .is_ours = true };
    unit_tell(channels, unit, &verdict, NULL);
}

static bool take_what_came(struct channels *channels)
{
    struct unit *unit;
    pthread_mutex_lock(&channels->mutex);
    struct unit_list inbox = channels->inbox;
    struct call *calls = channels->calls;
    bool is_stopping = channels->is_stopping;
    unit_list_init(&channels->inbox);
    channels->calls = NULL;
    if (channels->settings_changed)
        adopt_settings(channels);
    pthread_mutex_unlock(&channels->mutex);
    while ((unit = unit_list_take(&inbox)) != NULL) {
        if (!unit_enqueue(channels, unit)) {
            unit->lane = 0;
            refuse_unit(channels, unit, CHANNEL_LATER, "no_memory");
        }
    }
    begin_calls(channels, calls);
    return is_stopping;
}

/* ---- whose turn it is ---- */

static size_t concurrency_of(const struct settings *settings)
{
    int64_t own = setting_number(settings, CONCURRENCY);
    if (own > 0)
        return (size_t)own;
    return settings->kind == CHANNEL_SMTP ? CONCURRENCY_MAIL : CONCURRENCY;
}

/* All that stands in line hears the same. What enters the line meanwhile (the next of a lane) too. */
static void tell_ready(struct channels *channels, struct account *account,
                       const struct verdict *verdict)
{
    struct unit *unit;
    while ((unit = account_next(account)) != NULL)
        unit_tell(channels, unit, verdict, NULL);
}

static void start_account(struct channels *channels, struct account *account, int64_t now_ns,
                          int64_t *wake_ns)
{
    size_t most = concurrency_of(account->live);
    while (account_has_ready(account, now_ns, wake_ns) && account->under_way < most) {
        struct verdict later = { .reason = NULL };
        int64_t again_ns;
        bool is_probe = account->open_until_ns != 0;
        if (!pace_may_start(channels, account, account->live, now_ns, &again_ns, &later)) {
            if (later.reason != NULL)
                tell_ready(channels, account, &later);
            else if (again_ns < *wake_ns)
                *wake_ns = again_ns;
            return;
        }
        unit_begin(channels, account_next(account), is_probe);
    }
}

static void drop_account(struct channels *channels, struct account *account, const char *reason)
{
    struct verdict gone = { .outcome = CHANNEL_REFUSED, .reason = reason, .is_ours = true };
    struct unit *lead;
    snprintf(gone.detail, sizeof gone.detail, "the account is not there any more");
    while ((lead = unit_list_take(&account->gathering)) != NULL)
        unit_list_put(&account->ready, lead);
    tell_ready(channels, account, &gone);
}

static bool is_idle(const struct account *account)
{
    return account->queued == 0 && account->under_way == 0 && account->calls == 0 &&
           account->token.state != TOKEN_FETCHING && !account->token.is_renewing;
}

static void reap_accounts(struct channels *channels)
{
    pthread_mutex_lock(&channels->mutex);
    for (struct account **place = &channels->accounts; *place != NULL;) {
        struct account *account = *place;
        if (account->is_deleted && is_idle(account)) {
            *place = account->next;
            account_free(account);
        } else {
            place = &account->next;
        }
    }
    pthread_mutex_unlock(&channels->mutex);
}

static int64_t start_what_can(struct channels *channels)
{
    int64_t wake_ns = INT64_MAX, now_ns = channel_now_ns(channels);
    bool any_deleted = false;
    pthread_mutex_lock(&channels->mutex);
    struct account *account = channels->accounts;
    pthread_mutex_unlock(&channels->mutex);
    /* Others only put in front; only this thread takes out. */
    for (; account != NULL; account = account->next) {
        pthread_mutex_lock(&channels->mutex);
        bool is_deleted = account->is_deleted, is_disabled = account->is_disabled;
        pthread_mutex_unlock(&channels->mutex);
        any_deleted = any_deleted || is_deleted;
        if (account->live == NULL)
            continue;
        if (is_deleted)
            drop_account(channels, account, "no_account");
        else if (is_disabled)
            drop_account(channels, account, "endpoint_gone");
        else
            start_account(channels, account, now_ns, &wake_ns);
    }
    if (any_deleted)
        reap_accounts(channels);
    return wake_ns;
}

static void run_due(struct channels *channels)
{
    int64_t now_ns = channel_now_ns(channels);
    while (heap_due_ns(channels) <= now_ns) {
        struct unit *unit = heap_take(channels);
        unit_list_put(&unit->account->urgent, unit);
    }
}

/* ---- the end ---- */

/* What never left is LATER; unit_tell makes UNCERTAIN of what may have. */
static void tell_waiting(struct channels *channels)
{
    struct verdict stopping = { .outcome = CHANNEL_LATER,
                                .reason = "stopping",
                                .is_ours = true,
                                .detail = "the server is stopping",
                                .delay_ms = 1000 };
    struct unit *unit;
    for (struct account *account = channels->accounts; account != NULL; account = account->next) {
        while ((unit = unit_list_take(&account->gathering)) != NULL)
            unit_list_put(&account->ready, unit);
        tell_ready(channels, account, &stopping);
        token_abandon(channels, account, &stopping);
    }
    while ((unit = heap_take(channels)) != NULL)
        unit_tell(channels, unit, &stopping, NULL);
    for (struct account *account = channels->accounts; account != NULL; account = account->next) {
        while ((unit = unit_list_take(&account->gathering)) != NULL)
            unit_list_put(&account->ready, unit);
        tell_ready(channels, account, &stopping);
    }
}

static bool is_all_told(struct channels *channels)
{
    for (struct account *account = channels->accounts; account != NULL; account = account->next)
        if (account->queued > 0)
            return false;
    return channels->busy == NULL;
}

static bool stop_step(struct channels *channels)
{
    pthread_mutex_lock(&channels->mutex);
    int64_t by_ns = channels->stop_by_ns;
    pthread_mutex_unlock(&channels->mutex);
    tell_waiting(channels);
    if (channel_now_ns(channels) >= by_ns)
        while (channels->busy != NULL) {
            end_transfer(channels, channels->busy, CURLE_OPERATION_TIMEDOUT);
            tell_waiting(channels);
        }
    return is_all_told(channels);
}

/* ---- turning ---- */

static void wait_for_more(struct channels *channels, int64_t wake_ns)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t due_ns = channels->curl_due_ns < wake_ns ? channels->curl_due_ns : wake_ns;
    int64_t now_ns = channel_now_ns(channels);
    int still, timeout_ms = IDLE_WAIT_MS;
    if (heap_due_ns(channels) < due_ns)
        due_ns = heap_due_ns(channels);
    if (due_ns <= now_ns)
        timeout_ms = 0;
    else if (due_ns - now_ns < (int64_t)IDLE_WAIT_MS * 1000000)
        timeout_ms = (int)((due_ns - now_ns + 999999) / 1000000);
    int count = epoll_wait(channels->epoll, events, EVENTS_MAX, timeout_ms);
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd, mask = 0;
        if (fd == channels->wake) {
            uint64_t seen;
            ssize_t got = read(fd, &seen, sizeof seen);
            (void)got;
            continue;
        }
        if ((events[i].events & EPOLLIN) != 0)
            mask |= CURL_CSELECT_IN;
        if ((events[i].events & EPOLLOUT) != 0)
            mask |= CURL_CSELECT_OUT;
        if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0)
            mask |= CURL_CSELECT_ERR;
        curl_multi_socket_action(channels->multi, fd, mask, &still);
    }
    if (channels->curl_due_ns <= channel_now_ns(channels)) {
        channels->curl_due_ns = INT64_MAX;
        curl_multi_socket_action(channels->multi, CURL_SOCKET_TIMEOUT, 0, &still);
    }
    end_finished(channels);
}

void *loop_run(void *context)
{
    struct channels *channels = context;
    thread_take_short_turns();
    for (;;) {
        bool is_stopping = take_what_came(channels);
        int64_t wake_ns = INT64_MAX;
        run_due(channels);
        if (is_stopping && stop_step(channels))
            break;
        if (!is_stopping)
            wake_ns = start_what_can(channels);
        else
            wake_ns = channel_now_ns(channels) + 20 * 1000000;
        wait_for_more(channels, wake_ns);
    }
    return NULL;
}
