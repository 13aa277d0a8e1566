/* SPDX-License-Identifier: Apache-2.0 */
/* follow: asks providers later what became of what they took, where they do not tell by themselves.
 *
 * One thread; each thing it follows is asked for after 1 minute, then ever more seldom, until it is final or four days old. What
 * it asks goes through the loop like everything else (call.c). */
#include <string.h>

#include "channel/channel_inside.h"

#define FOLLOWED_MAX 20000
/* An adviser confirms a mass message in hours or days. */
static const int AFTER_MINUTES[] = { 1, 5, 15, 30, 60, 120, 240, 480, 720, 1440, 1440, 1440 };
#define ASKS (sizeof AFTER_MINUTES / sizeof AFTER_MINUTES[0])

struct follow_item {
    struct follow_item *next;
    int64_t due_ns;
    size_t asked;
    char account[101];
    char provider_id[PROVIDER_ID_BYTES];
};

static int64_t due_after(const struct channels *channels, size_t asked)
{
    return channel_now_ns(channels) + AFTER_MINUTES[asked] * INT64_C(60000000000);
}

/* Several messages of one task are followed once. */
static str task_of(str provider_id)
{
    return str_slice(provider_id, 0, str_find_byte(provider_id, '/'));
}

static struct follow_item *find(struct channels *channels, const char *account, str id,
                                size_t *count)
{
    *count = 0;
    for (struct follow_item *item = channels->follows; item != NULL; item = item->next, ++*count)
        if (strcmp(item->account, account) == 0 && str_equal(str_from_c(item->provider_id), id))
            return item;
    return NULL;
}

void follow_add(struct channels *channels, const char *account, str provider_id)
{
    str id = task_of(provider_id);
    size_t count;
    if (id.size == 0 || id.size >= PROVIDER_ID_BYTES || strlen(account) > 100)
        return;
    pthread_mutex_lock(&channels->mutex);
    bool wants = channels->has_follower && find(channels, account, id, &count) == NULL;
    struct follow_item *item = wants && count < FOLLOWED_MAX ? memory_alloc(sizeof *item) : NULL;
    if (item != NULL) {
        memcpy(item->account, account, strlen(account) + 1);
        memcpy(item->provider_id, id.data, id.size);
        item->due_ns = due_after(channels, 0);
        item->next = channels->follows;
        channels->follows = item;
        pthread_cond_signal(&channels->follow_wake);
    }
    pthread_mutex_unlock(&channels->mutex);
}

void channels_follow(struct channels *channels, str account, str provider_id)
{
    struct account *held = account_hold(channels, account);
    if (held == NULL)
        return;
    if (held->provider->follow != NULL)
        follow_add(channels, held->key,
                   held->provider->follow_as != NULL ? str_from_c(held->provider->follow_as)
                                                     : provider_id);
    account_release(channels, held);
}

void follow_tell(struct channels *channels, const struct account *account, str receipts)
{
    if (receipts.size > 2 && channels->config.receipts != NULL)
        channels->config.receipts(channels->config.context, str_from_c(account->key), receipts);
}

/* ---- the thread ---- */

/* The first that is due, taken out; else when to look again. Under the mutex. */
static struct follow_item *take_due(struct channels *channels, int64_t *wake_ns)
{
    int64_t now_ns = channel_now_ns(channels);
    *wake_ns = INT64_MAX;
    for (struct follow_item **place = &channels->follows; *place != NULL; place = &(*place)->next) {
        struct follow_item *item = *place;
        if (item->due_ns <= now_ns) {
            *place = item->next;
            return item;
        }
        if (item->due_ns < *wake_ns)
            *wake_ns = item->due_ns;
    }
    return NULL;
}

static bool ask(struct channels *channels, const struct follow_item *item)
{
    struct account *account = account_hold(channels, str_from_c(item->account));
    struct json_writer writer;
    struct buffer receipts;
    bool is_final = true;
    if (account == NULL)
        return true;
    buffer_init(&receipts, (size_t)16 << 20);
    json_writer_init(&writer, &receipts);
    json_begin_array(&writer);
    if (account->provider->follow != NULL)
        is_final =
            account->provider->follow(channels, account, str_from_c(item->provider_id), &writer);
    json_end_array(&writer);
    if (!receipts.failed)
        follow_tell(channels, account, buffer_str(&receipts));
    buffer_deinit(&receipts);
    account_release(channels, account);
    return is_final;
}

static void wait_until(struct channels *channels, int64_t wake_ns)
{
    if (wake_ns == INT64_MAX) {
        pthread_cond_wait(&channels->follow_wake, &channels->mutex);
        return;
    }
    int64_t until_ns = steady_now().ns + wake_ns - channel_now_ns(channels);
    struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };
    pthread_cond_timedwait(&channels->follow_wake, &channels->mutex, &until);
}

static void *run(void *context)
{
    struct channels *channels = context;
    pthread_mutex_lock(&channels->mutex);
    while (!channels->is_stopping) {
        int64_t wake_ns;
        struct follow_item *item = take_due(channels, &wake_ns);
        if (item == NULL) {
            wait_until(channels, wake_ns);
            continue;
        }
        pthread_mutex_unlock(&channels->mutex);
        bool is_over = ask(channels, item) || ++item->asked >= ASKS;
        pthread_mutex_lock(&channels->mutex);
        if (is_over) {
            memory_free(item);
            continue;
        }
        item->due_ns = due_after(channels, item->asked);
        item->next = channels->follows;
        channels->follows = item;
    }
    pthread_mutex_unlock(&channels->mutex);
    return NULL;
}

err channel_follow_start(struct channels *channels, struct problem *problem)
{
    if (pthread_create(&channels->follower, NULL, run, channels) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread for the channels");
    channels->has_follower = true;
    return ERR_OK;
}

/* While the loop still runs: a question of the thread ends with it. */
void channel_follow_stop(struct channels *channels)
{
    pthread_mutex_lock(&channels->mutex);
    bool had = channels->has_follower;
    pthread_cond_broadcast(&channels->follow_wake);
    pthread_mutex_unlock(&channels->mutex);
    if (had)
        pthread_join(channels->follower, NULL);
    while (channels->follows != NULL) {
        struct follow_item *item = channels->follows;
        channels->follows = item->next;
        memory_free(item);
    }
}
