/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox's requests: any line, headers and body get an answer; what is answered as JSON is JSON; any bytes of SMTP get
 * answers of lines. The first byte chooses. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

static struct sandbox *sandbox;
static struct json_parser *answers;
static char token[80];

/* The first lines of the input: names and values of headers. */
struct headers {
    char names[8][40], values[8][300];
    size_t count;
};
static struct headers headers;

static str header_of(const struct call *call, const char *name)
{
    (void)call;
    for (size_t i = 0; i < headers.count; i++)
        if (strcmp(headers.names[i], name) == 0)
            return str_from_c(headers.values[i]);
    return STR_NONE;
}

static void set_up(void)
{
    struct sandbox_config config = { .seed = 1 };
    INVARIANT(sandbox_start(&sandbox, &config, NULL) == ERR_OK);
    INVARIANT(json_parser_new(&answers, 32 << 20) == ERR_OK);
    sandbox->settings[SETTING_CHECK_TIME] = 0;
    struct account *account = account_make(sandbox, KIND_WECOM, STR("c"));
    INVARIANT(account != NULL && account_give_token(sandbox, account, true) == ERR_OK);
    memcpy(token, account->token, sizeof token);
}

static void take_headers(str *rest)
{
    str line;
    headers.count = 0;
    while (headers.count < 8 && str_split(rest, '\n', &line) && line.size > 0) {
        size_t colon = str_find_byte(line, ':');
        if (!str_is_utf8(line))
            continue;
        snprintf(headers.names[headers.count], sizeof headers.names[0], STR_FMT,
                 STR_ARG(str_slice(line, 0, colon)));
        snprintf(headers.values[headers.count], sizeof headers.values[0], STR_FMT,
                 STR_ARG(str_slice(line, colon + 1, line.size)));
        headers.count++;
    }
}

static void check_request(str text, bool with_token)
{
    struct call call = { .sandbox = sandbox, .header = header_of };
    char target[2048];
    json_value json;
    str first;
    if (!str_split(&text, '\n', &first))
        return;
    call.method = str_starts_with(first, STR("G"))   ? STR("GET")
                  : str_starts_with(first, STR("U")) ? STR("PUT")
                                                     : STR("POST");
    first = str_slice(first, 1, first.size > 1500 ? 1500 : first.size);
    snprintf(target, sizeof target, STR_FMT "%s%s", STR_ARG(first),
             with_token
                 ? (str_find_byte(first, '?') < first.size ? "&access_token=" : "?access_token=")
                 : "",
             with_token ? token : "");
    take_headers(&text);
    call.target = str_from_c(target);
    call.body = text;
    buffer_init(&call.out, SANDBOX_BODY_BYTES_MAX);
    arena_init(&call.arena, "fuzz", (size_t)64 << 20);
    dispatch(&call);
    INVARIANT(call.status >= 100 && call.status <= 599);
    bool is_spoilt = call.fault != NULL || call.is_cut || call.is_silent;
    INVARIANT(is_spoilt || json_parse(answers, buffer_str(&call.out), &json, NULL) == ERR_OK ||
              !str_is_utf8(text) || !str_is_utf8(first));
    buffer_deinit(&call.out);
    arena_deinit(&call.arena);
}

static void check_mail(str text)
{
    struct smtp_session *session = smtp_session_new(sandbox);
    struct buffer out;
    INVARIANT(session != NULL);
    buffer_init(&out, (size_t)8 << 20);
    smtp_session_greet(session, &out);
    smtp_session_feed(session, text, &out);
    INVARIANT(out.size >= 2 && memcmp(out.data + out.size - 2, "\r\n", 2) == 0);
    smtp_session_free(&session);
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (sandbox == NULL)
        set_up();
    if (size < 2 || size > 8192)
        return 0;
    str text = str_from_bytes(data + 1, size - 1);
    if (data[0] % 4 == 0)
        check_mail(text);
    else
        check_request(text, data[0] % 4 == 1);
    return 0;
}
