/* SPDX-License-Identifier: Apache-2.0 */
/* What happens later: receipts and events to the caller's address, and advisers who confirm. A heap by time, two threads. */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/logline.h"
#include "sandbox/inside.h"

#define LOOK_AGAIN_MS 20 /* the sandbox's clock may be moved while threads wait */
#define BATCH_MAX 100
#define TIMEOUT_MS 5000
#define PENDING_MAX 2000000

/* ---- the heap ---- */

static bool is_before(const struct pending *a, const struct pending *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static bool push(struct callbacks *callbacks, struct pending pending)
{
    if (callbacks->count == callbacks->capacity) {
        size_t capacity = callbacks->capacity > 0 ? callbacks->capacity * 2 : 256;
        struct pending *heap = capacity <= PENDING_MAX
                                   ? memory_resize(callbacks->heap, capacity * sizeof *heap)
                                   : NULL;
        if (heap == NULL)
            return false;
        callbacks->heap = heap;
        callbacks->capacity = capacity;
    }
    pending.order = ++callbacks->order;
    size_t at = callbacks->count++;
    while (at > 0 && is_before(&pending, &callbacks->heap[(at - 1) / 2])) {
        callbacks->heap[at] = callbacks->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    callbacks->heap[at] = pending;
    pthread_cond_signal(&callbacks->changed);
    return true;
}

static struct pending pop(struct callbacks *callbacks)
{
    struct pending first = callbacks->heap[0], last = callbacks->heap[--callbacks->count];
    size_t at = 0;
    for (size_t child = 1; child < callbacks->count; child = 2 * at + 1) {
        if (child + 1 < callbacks->count &&
            is_before(&callbacks->heap[child + 1], &callbacks->heap[child]))
            child++;
        if (!is_before(&callbacks->heap[child], &last))
            break;
        callbacks->heap[at] = callbacks->heap[child];
        at = child;
    }
    if (callbacks->count > 0)
        callbacks->heap[at] = last;
    return first;
}

static void release(struct pending *pending)
{
    memory_free(pending->url);
    memory_free(pending->body);
    pending->url = pending->body = NULL;
}

/* ---- scheduling ---- */

static char *copy(str text)
{
    char *made = memory_alloc(text.size + 1);
    if (made != NULL && text.size > 0)
        memcpy(made, text.data, text.size);
    return made;
}

static void schedule_to(struct sandbox *sandbox, struct account *account, str url, str body,
                        const char *type, bool is_listed, int64_t due_ms)
{
    struct pending pending = { .kind = PENDING_CALLBACK,
                               .due_ms = due_ms,
                               .account = account,
                               .url = copy(url),
                               .body = copy(body),
                               .body_size = body.size,
                               .type = type,
                               .is_listed = is_listed };
    if (pending.url == NULL || pending.body == NULL || !push(&sandbox->callbacks, pending)) {
        release(&pending);
        sandbox->callbacks.given_up++;
    }
}

/* Lost, twice or late, as a rule of faults says. */
static void schedule_with_faults(struct sandbox *sandbox, struct account *account, str recipient,
                                 str url, str body, const char *type, bool is_listed,
                                 int64_t due_ms)
{
    const struct fault_rule *rule =
        fault_pick(sandbox, account->kind, str_from_c(account->id), recipient, STR_NONE, true);
    enum fault_kind what = rule != NULL ? rule->what : FAULT_NONE;
    if (what == FAULT_RECEIPT_LOST) {
        sandbox->callbacks.lost++;
        return;
    }
    if (what == FAULT_RECEIPT_TWICE) {
        schedule_to(sandbox, account, url, body, type, is_listed, due_ms + rule->delay_ms);
        sandbox->callbacks.repeated++;
    }
    if (what == FAULT_RECEIPT_LATE)
        due_ms += rule->delay_ms;
    schedule_to(sandbox, account, url, body, type, is_listed, due_ms);
}

void callback_schedule(struct sandbox *sandbox, struct account *account, str recipient, str body,
                       const char *type, bool is_listed, int64_t due_ms)
{
    if (account->callback_url[0] != '\0')
        schedule_with_faults(sandbox, account, recipient, str_from_c(account->callback_url), body,
                             type, is_listed, due_ms);
}

void confirm_schedule(struct sandbox *sandbox, uint64_t task, int64_t due_ms)
{
    struct pending pending = { .kind = PENDING_CONFIRM, .due_ms = due_ms, .task = task };
    if (!push(&sandbox->callbacks, pending))
        sandbox->callbacks.given_up++;
}

/* ---- events of WeCom and WeChat ---- */

static void xml_escape(struct buffer *out, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '<')
            buffer_append_str(out, STR("&lt;"));
        else if (c == '&')
            buffer_append_str(out, STR("&amp;"));
        else if (c == '>')
            buffer_append_str(out, STR("&gt;"));
        else
            buffer_append_byte(out, (uint8_t)c);
    }
}

/* CDATA, as the providers write it; what would end it is escaped instead. */
void xml_text(struct buffer *out, str name, str text)
{
    buffer_printf(out, "<" STR_FMT ">", STR_ARG(name));
    if (str_contains(text, STR("]]>"))) {
        xml_escape(out, text);
    } else {
        buffer_append_str(out, STR("<![CDATA["));
        buffer_append_str(out, text);
        buffer_append_str(out, STR("]]>"));
    }
    buffer_printf(out, "</" STR_FMT ">", STR_ARG(name));
}

void xml_number(struct buffer *out, str name, int64_t number)
{
    buffer_printf(out, "<" STR_FMT ">%lld</" STR_FMT ">", STR_ARG(name), (long long)number,
                  STR_ARG(name));
}

static bool is_element_name(str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return name.size > 0 && name.size <= 60 && (name.data[0] > '9' || name.data[0] < '0');
}

static void xml_member(struct buffer *out, str name, json_value value, unsigned depth);

static void xml_nested(struct buffer *out, json_value object, unsigned depth)
{
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str name;
    while (json_next(&iterator, &name, &value))
        xml_member(out, name, value, depth);
}

static void xml_member(struct buffer *out, str name, json_value value, unsigned depth)
{
    struct json_iterator iterator;
    json_value item;
    if (!is_element_name(name) || depth > 8)
        return;
    switch (json_kind(value)) {
    case JSON_TEXT:
        xml_text(out, name, json_text(value));
        break;
    case JSON_INT:
        xml_number(out, name, json_int(value, 0));
        break;
    case JSON_OBJECT:
        buffer_printf(out, "<" STR_FMT ">", STR_ARG(name));
        xml_nested(out, value, depth + 1);
        buffer_printf(out, "</" STR_FMT ">", STR_ARG(name));
        break;
    case JSON_ARRAY:
        iterator = json_iterate(value);
        while (json_next(&iterator, NULL, &item))
            xml_member(out, name, item, depth + 1);
        break;
    case JSON_MISSING:
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_DOUBLE:
    default:
        break;
    }
}

void xml_members(struct buffer *out, json_value object)
{
    xml_nested(out, object, 0);
}

static void write_safe_body(const struct account *account, str encrypted, struct buffer *body)
{
    buffer_append_str(body, STR("<xml>"));
    xml_text(body, STR("ToUserName"),
             str_from_c(account->kind == KIND_WECOM ? account->id : account->user_name));
    if (account->kind == KIND_WECOM)
        xml_text(body, STR("AgentID"), STR("1000002"));
    xml_text(body, STR("Encrypt"), encrypted);
    buffer_append_str(body, STR("</xml>"));
}

/* WeCom signs the encrypted message; WeChat signs its token alone as well, and may send in the clear. */
static void write_url(const struct account *account, str encrypted, int64_t now_ms, uint64_t chance,
                      struct buffer *url)
{
    char stamp[24], nonce[24], signature[41];
    str token = str_from_c(account->callback_token);
    snprintf(stamp, sizeof stamp, "%lld", (long long)(now_ms / SECOND_MS));
    snprintf(nonce, sizeof nonce, "%llu", (unsigned long long)(chance % 10000000000U));
    buffer_append_str(url, str_from_c(account->callback_url));
    buffer_printf(url, "%stimestamp=%s&nonce=%s",
                  strchr(account->callback_url, '?') != NULL ? "&" : "?", stamp, nonce);
    if (encrypted.size > 0) {
        wx_signature(token, str_from_c(stamp), str_from_c(nonce), encrypted, signature);
        buffer_printf(url, "&msg_signature=%s", signature);
    }
    if (account->kind != KIND_WECOM) {
        wx_signature(token, str_from_c(stamp), str_from_c(nonce), STR_NONE, signature);
        buffer_printf(url, "&signature=%s%s", signature,
                      encrypted.size > 0 ? "&encrypt_type=aes" : "");
    }
}

void event_send(struct sandbox *sandbox, struct account *account, str recipient, str xml,
                int64_t due_ms)
{
    struct buffer encrypted, body, url;
    uint8_t random[16];
    if (account->callback_url[0] == '\0')
        return;
    buffer_init(&encrypted, SANDBOX_BODY_BYTES_MAX);
    buffer_init(&body, SANDBOX_BODY_BYTES_MAX);
    buffer_init(&url, 4096);
    for (size_t i = 0; i < sizeof random; i++)
        random[i] = (uint8_t)('0' + random_below(&sandbox->random, 10));
    bool is_safe =
        account->aes_key[0] != '\0' &&
        wx_encrypt(str_from_c(account->aes_key), xml, str_from_c(account->id), random, &encrypted);
    write_url(account, buffer_str(&encrypted), sandbox_now(sandbox), random_next(&sandbox->random),
              &url);
    if (is_safe)
        write_safe_body(account, buffer_str(&encrypted), &body);
    else
        buffer_append_str(&body, xml);
    if (!body.failed && !url.failed && (is_safe || account->kind != KIND_WECOM))
        schedule_with_faults(sandbox, account, recipient, buffer_str(&url), buffer_str(&body),
                             "text/xml", false, due_ms);
    else
        sandbox->callbacks.given_up++;
    buffer_deinit(&encrypted);
    buffer_deinit(&body);
    buffer_deinit(&url);
}

/* ---- sending ---- */

struct batch {
    struct pending all[BATCH_MAX];
    size_t count;
};

/* Receipts of one account that are due go together, as the providers send them. */
static void take_batch(struct callbacks *callbacks, int64_t now_ms, struct batch *batch)
{
    batch->all[0] = pop(callbacks);
    batch->count = 1;
    while (batch->all[0].is_listed && batch->all[0].tries == 0 && batch->count < BATCH_MAX &&
           callbacks->count > 0 && callbacks->heap[0].due_ms <= now_ms &&
           callbacks->heap[0].is_listed && callbacks->heap[0].tries == 0 &&
           callbacks->heap[0].account == batch->all[0].account)
        batch->all[batch->count++] = pop(callbacks);
    callbacks->under_way += batch->count;
}

static void write_body(const struct batch *batch, struct buffer *body)
{
    bool is_list = batch->all[0].is_listed;
    if (is_list)
        buffer_append_byte(body, '[');
    for (size_t i = 0; i < batch->count; i++) {
        buffer_append_str(body, i > 0 ? STR(",") : STR_NONE);
        buffer_append(body, batch->all[i].body, batch->all[i].body_size);
    }
    if (is_list)
        buffer_append_byte(body, ']');
}

static size_t forget(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static bool send_body(CURL *curl, const struct pending *first, str body)
{
    char type[80];
    long status = 0;
    struct curl_slist *headers = NULL;
    snprintf(type, sizeof type, "Content-Type: %s", first->type);
    headers = curl_slist_append(headers, type);
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(curl, CURLOPT_URL, first->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, forget);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    CURLcode result = curl_easy_perform(curl);
    if (result == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    return status >= 200 && status < 300;
}

/* Again after a pause, a few times; then given up, as the providers do. */
static void settle(struct sandbox *sandbox, struct batch *batch, bool done)
{
    struct callbacks *callbacks = &sandbox->callbacks;
    callbacks->under_way -= batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        struct pending *pending = &batch->all[i];
        callbacks->sent += done;
        callbacks->failed += !done;
        pending->tries++;
        pending->due_ms = sandbox_now(sandbox) + sandbox->settings[SETTING_CALLBACK_RETRY_MS];
        bool again = !done && pending->tries < sandbox->settings[SETTING_CALLBACK_TRIES] &&
                     !callbacks->stop && push(callbacks, *pending);
        callbacks->given_up += !done && !again;
        if (!again)
            release(pending);
    }
}

static void run_one(struct sandbox *sandbox, CURL *curl, int64_t now_ms)
{
    struct batch batch;
    struct buffer body;
    if (sandbox->callbacks.heap[0].kind == PENDING_CONFIRM) {
        struct pending confirm = pop(&sandbox->callbacks);
        for (struct mass_task *task = sandbox->tasks; task != NULL; task = task->next)
            if (task->number == confirm.task)
                mass_confirm(sandbox, task, STR_NONE);
        return;
    }
    take_batch(&sandbox->callbacks, now_ms, &batch);
    pthread_mutex_unlock(&sandbox->mutex);
    buffer_init(&body, 2 * SANDBOX_BODY_BYTES_MAX);
    write_body(&batch, &body);
    bool done = !body.failed && send_body(curl, &batch.all[0], buffer_str(&body));
    buffer_deinit(&body);
    pthread_mutex_lock(&sandbox->mutex);
    settle(sandbox, &batch, done);
}

static void wait_a_little(struct sandbox *sandbox)
{
    struct timespec until;
    if (sandbox->callbacks.count == 0) {
        pthread_cond_wait(&sandbox->callbacks.changed, &sandbox->mutex);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_AGAIN_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&sandbox->callbacks.changed, &sandbox->mutex, &until);
}

static void *run(void *context)
{
    struct sandbox *sandbox = context;
    CURL *curl = curl_easy_init();
    pthread_mutex_lock(&sandbox->mutex);
    while (!sandbox->callbacks.stop) {
        int64_t now_ms = sandbox_now(sandbox);
        if (curl != NULL && sandbox->callbacks.count > 0 &&
            sandbox->callbacks.heap[0].due_ms <= now_ms)
            run_one(sandbox, curl, now_ms);
        else
            wait_a_little(sandbox);
    }
    pthread_mutex_unlock(&sandbox->mutex);
    if (curl != NULL)
        curl_easy_cleanup(curl);
    return NULL;
}

err callbacks_start(struct sandbox *sandbox)
{
    struct callbacks *callbacks = &sandbox->callbacks;
    pthread_condattr_t attributes;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&callbacks->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    for (size_t i = 0; i < sizeof callbacks->threads / sizeof callbacks->threads[0]; i++) {
        if (pthread_create(&callbacks->threads[i], NULL, run, sandbox) != 0)
            return ERR_UNAVAILABLE;
        callbacks->thread_count++;
    }
    return ERR_OK;
}

void callbacks_wake(struct sandbox *sandbox)
{
    pthread_cond_broadcast(&sandbox->callbacks.changed);
}

void callbacks_stop(struct sandbox *sandbox)
{
    struct callbacks *callbacks = &sandbox->callbacks;
    pthread_mutex_lock(&sandbox->mutex);
    callbacks->stop = true;
    pthread_cond_broadcast(&callbacks->changed);
    pthread_mutex_unlock(&sandbox->mutex);
    for (size_t i = 0; i < callbacks->thread_count; i++)
        pthread_join(callbacks->threads[i], NULL);
    for (size_t i = 0; i < callbacks->count; i++)
        release(&callbacks->heap[i]);
    memory_free(callbacks->heap);
    pthread_cond_destroy(&callbacks->changed);
}
