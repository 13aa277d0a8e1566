/* SPDX-License-Identifier: Apache-2.0 */
/* transfer: one exchange with a provider over libcurl: what is set, what comes back, and what its failure means. */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel/channel_inside.h"

#define CONNECT_TIMEOUT_MS 5000L
/* A kept connection is used again within this time: providers' servers keep theirs for at least a minute. */
#define IDLE_S_MAX 15L
#define TRANSFERS_KEPT 256
#define RETRY_AFTER_MS_MAX DAY_MS

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void channel_start_curl(void)
{
    pthread_once(&curl_once, start_curl);
}

/* ---- what curl calls ---- */

static size_t take_body(char *bytes, size_t one, size_t size, void *context)
{
    struct answer *answer = &((struct transfer *)context)->answer;
    size_t taken = one * size;
    if (answer->body.size + taken > ANSWER_BYTES_MAX) {
        answer->is_too_large = true;
        return 0;
    }
    buffer_append(&answer->body, bytes, taken);
    return answer->body.failed ? 0 : taken;
}

/* Seconds, or a date (RFC 9110 §10.2.3). */
static int64_t read_retry_after(const struct transfer *transfer, str value)
{
    int64_t seconds;
    char text[64];
    if (str_to_int64(value, &seconds))
        return seconds < 0 ? 0 : seconds > 86400 ? RETRY_AFTER_MS_MAX : seconds * 1000;
    if (value.size == 0 || value.size >= sizeof text)
        return -1;
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    time_t date = curl_getdate(text, NULL);
    int64_t ms = (int64_t)date * 1000 - channel_now_ms(transfer->channels);
    return date < 0 ? -1 : ms < 0 ? 0 : ms > RETRY_AFTER_MS_MAX ? RETRY_AFTER_MS_MAX : ms;
}

/* "550 5.1.1 No such user" (RFC 3463) */
static void take_mail_line(struct answer *answer, str line)
{
    size_t size = 0;
    str rest = str_slice(line, 4, line.size);
    answer->enhanced[0] = '\0';
    while (size < rest.size &&
           ((rest.data[size] >= '0' && rest.data[size] <= '9') ||
            (rest.data[size] == '.' && size == 1) || (rest.data[size] == '.' && size > 2)))
        size++;
    if (size < 5 || size >= sizeof answer->enhanced || rest.data[1] != '.')
        return;
    memcpy(answer->enhanced, rest.data, size);
    answer->enhanced[size] = '\0';
}

static size_t take_header(char *bytes, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    str value = str_trim((str){ .data = bytes, .size = size * one }), name;
    if (transfer->request.is_mail)
        take_mail_line(&transfer->answer, value);
    else if (str_split(&value, ':', &name) && str_equal_ignoring_case(name, STR("retry-after")))
        transfer->answer.retry_after_ms = read_retry_after(transfer, str_trim(value));
    return one * size;
}

static size_t give_mail(char *out, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct request *request = &transfer->request;
    size_t left = request->body.size - request->body_given, room = one * count;
    size_t size = left < room ? left : room;
    if (size > 0)
        memcpy(out, request->body.data + request->body_given, size);
    request->body_given += size;
    if (size == 0)
        transfer->answer.was_written =
            true; /* the final dot goes next: it may be taken from now on */
    return size;
}

/* The address that is really connected to (C5). */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = context;
    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!transfer->may_private && guard_is_private(&address->addr)) {
        transfer->answer.was_private = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Before each request, also on a kept connection, which another account may have opened: is the address allowed for this
 * one? And curl sends again by itself when a kept connection turns out to be dead: not where that is not safe (C3). */
static int before_request(void *context, char *ip, char *local_ip, int port, int local_port)
{
    struct transfer *transfer = context;
    (void)local_ip;
    (void)port;
    (void)local_port;
    if (!transfer->may_private && guard_is_private_text(ip)) {
        transfer->answer.was_private = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->passes++;
    if (transfer->passes > 1 && !transfer->may_resend)
        return CURL_PREREQFUNC_ABORT;
    return CURL_PREREQFUNC_OK;
}

/* ---- taking and giving ---- */

static void request_init(struct request *request)
{
    memset(request, 0, sizeof *request);
    buffer_init(&request->url, URL_BYTES_MAX);
    buffer_init(&request->body, REQUEST_BYTES_MAX);
}

static void request_clear(struct request *request)
{
    struct buffer url = request->url, body = request->body;
    curl_slist_free_all(request->headers);
    curl_slist_free_all(request->mail_to);
    curl_mime_free(request->mime);
    memset(request, 0, sizeof *request);
    buffer_clear(&url);
    buffer_clear(&body);
    request->url = url;
    request->body = body;
}

void request_header(struct request *request, const char *format, ...)
{
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    struct curl_slist *longer =
        size > 0 && (size_t)size < sizeof line ? curl_slist_append(request->headers, line) : NULL;
    if (longer == NULL)
        request->headers_failed = true;
    else
        request->headers = longer;
}

/* What is the same for all, once per handle: a handle is not reset between requests. */
static void set_fixed(struct transfer *transfer)
{
    CURL *curl = transfer->curl;
    curl_easy_setopt(curl, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, IDLE_S_MAX);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "Kith");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, transfer);
}

static struct transfer *transfer_new(struct channels *channels)
{
    struct transfer *transfer = memory_alloc(sizeof *transfer);
    if (transfer == NULL)
        return NULL;
    transfer->curl = curl_easy_init();
    if (transfer->curl == NULL) {
        memory_free(transfer);
        return NULL;
    }
    transfer->channels = channels;
    request_init(&transfer->request);
    buffer_init(&transfer->answer.body, ANSWER_BYTES_MAX);
    set_fixed(transfer);
    channels->transfer_count++;
    return transfer;
}

static void transfer_free(struct channels *channels, struct transfer *transfer)
{
    request_clear(&transfer->request);
    curl_easy_cleanup(transfer->curl);
    buffer_deinit(&transfer->request.url);
    buffer_deinit(&transfer->request.body);
    buffer_deinit(&transfer->answer.body);
    memory_free(transfer);
    channels->transfer_count--;
}

/* An idle one that spoke with this kind last, or any: mail and web leave other options set. */
struct transfer *transfer_take(struct channels *channels, struct account *account,
                               enum transfer_purpose purpose)
{
    struct transfer *transfer = channels->idle;
    if (transfer != NULL)
        channels->idle = transfer->next;
    else
        transfer = transfer_new(channels);
    if (transfer == NULL)
        return NULL;
    transfer->next = NULL;
    transfer->account = account;
    transfer->settings = account_settings(channels, account);
    transfer->purpose = purpose;
    transfer->unit = NULL;
    transfer->call = NULL;
    transfer->passes = 0;
    transfer->may_resend = false;
    transfer->may_private = transfer->settings->is_trusted;
    transfer->token[0] = '\0';
    struct buffer body = transfer->answer.body;
    buffer_clear(&body);
    memset(&transfer->answer, 0, sizeof transfer->answer);
    transfer->answer.body = body;
    transfer->answer.retry_after_ms = -1;
    return transfer;
}

void transfer_give(struct channels *channels, struct transfer *transfer)
{
    settings_give(transfer->settings);
    transfer->settings = NULL;
    bool is_mail = transfer->request.is_mail;
    bool had_form = transfer->request.mime != NULL;
    /* The handle must not point at what is freed. */
    curl_easy_setopt(transfer->curl, CURLOPT_HTTPHEADER, NULL);
    if (had_form)
        curl_easy_setopt(transfer->curl, CURLOPT_MIMEPOST, NULL);
    if (is_mail || had_form) {
        curl_easy_reset(transfer->curl);
        set_fixed(transfer);
    }
    request_clear(&transfer->request);
    if (transfer->answer.body.capacity > (64 << 10))
        buffer_deinit(&transfer->answer.body),
            buffer_init(&transfer->answer.body, ANSWER_BYTES_MAX);
    if (channels->transfer_count > TRANSFERS_KEPT) {
        transfer_free(channels, transfer);
        return;
    }
    transfer->next = channels->idle;
    channels->idle = transfer;
}

void transfer_free_all(struct channels *channels)
{
    while (channels->idle != NULL) {
        struct transfer *transfer = channels->idle;
        channels->idle = transfer->next;
        transfer_free(channels, transfer);
    }
}

/* ---- starting ---- */

static void set_web(struct transfer *transfer)
{
    CURL *curl = transfer->curl;
    struct request *request = &transfer->request;
    if (request->mime != NULL) {
        curl_easy_setopt(curl, CURLOPT_MIMEPOST, request->mime);
    } else if (request->is_get) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body.data != NULL ? request->body.data : "");
        request_header(request, "Expect:"); /* no waiting for '100 Continue' */
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, request->headers);
}

static void set_mail(struct transfer *transfer)
{
    CURL *curl = transfer->curl;
    struct request *request = &transfer->request;
    const struct settings *settings = transfer->settings;
    str security = setting_text(settings, SECURITY), user = setting_text(settings, USERNAME);
    bool starts_tls = str_equal(security, STR("starttls"));
    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(starts_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (user.size > 0) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, user.data);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, setting_text(settings, PASSWORD).data);
    }
    if (request->mail_to == NULL) { /* a greeting and no more */
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "NOOP");
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, request->mail_from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, request->mail_to);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_mail);
    curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
}

bool transfer_start(struct channels *channels, struct transfer *transfer, int64_t timeout_ms)
{
    struct request *request = &transfer->request;
    CURL *curl = transfer->curl;
    buffer_append_byte(&request->url, 0);
    if (request->is_mail)
        set_mail(transfer);
    else
        set_web(transfer);
    if (request->url.failed || request->body.failed || request->headers_failed)
        return false;
    curl_easy_setopt(curl, CURLOPT_URL, request->url.data);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    return curl_multi_add_handle(channels->multi, curl) == CURLM_OK;
}

/* ---- what came ---- */

void transfer_collect(struct transfer *transfer, CURLcode result)
{
    struct answer *answer = &transfer->answer;
    long written = 0;
    answer->result = result;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (!transfer->request.is_mail) {
        curl_easy_getinfo(transfer->curl, CURLINFO_REQUEST_SIZE, &written);
        answer->was_written = written > 0;
    }
}

/* curl's words name hosts and addresses, never what was sent; of the URL they show the host only. */
static const char *words_of(const struct transfer *transfer)
{
    return curl_easy_strerror(transfer->answer.result);
}

static const char *reason_of(const struct answer *answer)
{
    if (answer->is_too_large)
        return "answer_too_large";
    switch ((int)answer->result) {
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "host_not_found";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CACERT_BADFILE:
        return "tls_failed";
    case CURLE_LOGIN_DENIED:
        return "account_refused";
    case CURLE_OUT_OF_MEMORY:
        return "no_memory";
    default:
        return answer->was_written ? "connection_lost" : "unreachable";
    }
}

/*            nothing was written         something was
 * safe       once more, then LATER       once more, then UNCERTAIN
 * can ask    once more, then LATER       ask
 * neither    once more, then LATER       UNCERTAIN */
void transfer_judge_failure(const struct transfer *transfer, bool is_repeatable, bool can_ask,
                            struct verdict *verdict)
{
    const struct answer *answer = &transfer->answer;
    memset(verdict, 0, sizeof *verdict);
    verdict->reason = reason_of(answer);
    snprintf(verdict->detail, sizeof verdict->detail, "%s",
             answer->is_too_large ? "the answer is longer than 1 MB" : words_of(transfer));
    if (answer->was_private) {
        verdict->outcome = CHANNEL_REFUSED;
        verdict->reason = "private_address";
        verdict->is_ours = true;
        snprintf(verdict->detail, sizeof verdict->detail,
                 "the address is private, and 'allow_private' is not set");
        return;
    }
    verdict->is_failure = true;
    verdict->next = NEXT_AGAIN;
    verdict->outcome = answer->was_written ? CHANNEL_UNCERTAIN : CHANNEL_LATER;
    if (answer->result == CURLE_LOGIN_DENIED || (answer->was_written && !is_repeatable))
        verdict->next = answer->was_written && can_ask ? NEXT_ASK : NEXT_DONE;
}

void verdict_garbage(const struct transfer *transfer, bool is_repeatable, struct verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    verdict->next = is_repeatable ? NEXT_AGAIN : NEXT_DONE;
    verdict->outcome = CHANNEL_UNCERTAIN;
    verdict->reason = "answer_unreadable";
    verdict->is_failure = true;
    snprintf(verdict->code, sizeof verdict->code, "%ld", transfer->answer.status);
    snprintf(verdict->detail, sizeof verdict->detail,
             "status %ld with an answer that cannot be read", transfer->answer.status);
}

static bool is_not_taken(long status)
{
    return status == 429 || status == 503 || status == 425;
}

void verdict_by_status(const struct transfer *transfer, bool is_repeatable, struct verdict *verdict)
{
    const struct answer *answer = &transfer->answer;
    long status = answer->status;
    char code[CODE_BYTES];
    snprintf(code, sizeof code, "%ld", status);
    const struct code_rule *rule = code_find(&codes_http, str_from_c(code));
    memset(verdict, 0, sizeof *verdict);
    if (rule != NULL) {
        verdict_by_rule(verdict, rule, str_from_c(code));
    } else {
        snprintf(verdict->code, sizeof verdict->code, "%s", code);
        bool is_theirs = status >= 500 || status < 200;
        verdict->outcome = is_theirs ? CHANNEL_UNCERTAIN : CHANNEL_REFUSED;
        verdict->reason = is_theirs ? "provider_failed" : "refused";
        snprintf(verdict->detail, sizeof verdict->detail, "answered with status %ld", status);
    }
    if (answer->retry_after_ms >= 0 && is_not_taken(status))
        verdict->delay_ms = verdict->pause_ms =
            answer->retry_after_ms > 0 ? answer->retry_after_ms : 1;
    if (verdict->outcome == CHANNEL_UNCERTAIN) {
        verdict->is_failure = true;
        verdict->next = is_repeatable ? NEXT_AGAIN : NEXT_DONE;
    }
}
