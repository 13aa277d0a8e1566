/* SPDX-License-Identifier: Apache-2.0 */
/* What is said on one connection of SMTP (RFC 5321), line by line; the sender's domain is the account.
 *
 *     greeting ─EHLO─▶ ready ─(AUTH)─▶ ready ─MAIL─▶ sender ─RCPT─▶ recipients ─DATA─▶ data ─"."─▶ ready
 *
 * Recipients "bounce@…" and "unknown@…" are refused at once (550), "full@…" for a while (452), "later@…" bounce afterwards:
 * the report (RFC 3464) goes to the account's callback address. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

#define LINE_BYTES_MAX 4096
#define MAIL_BYTES_MAX ((size_t)10 << 20)
#define RECIPIENTS_MAX 100
#define HOST "sandbox.kith.local"

enum stage {
    STAGE_START,
    STAGE_READY,
    STAGE_AUTH,
    STAGE_AUTH_USER,
    STAGE_AUTH_SECRET,
    STAGE_SENDER,
    STAGE_DATA
};
struct smtp_session {
    struct sandbox *sandbox;
    enum stage stage;
    char sender[256], user[128];
    char recipients[RECIPIENTS_MAX][256];
    size_t recipient_count;
    bool is_over; /* the last answer has been given */
    struct buffer line, mail;
};

struct smtp_session *smtp_session_new(struct sandbox *sandbox)
{
    struct smtp_session *session = memory_alloc(sizeof *session);
    if (session == NULL)
        return NULL;
    session->sandbox = sandbox;
    buffer_init(&session->line, LINE_BYTES_MAX);
    buffer_init(&session->mail, MAIL_BYTES_MAX);
    return session;
}

void smtp_session_free(struct smtp_session **session)
{
    if (*session == NULL)
        return;
    buffer_deinit(&(*session)->line);
    buffer_deinit(&(*session)->mail);
    memory_free(*session);
    *session = NULL;
}

static void say(struct buffer *out, const char *text)
{
    buffer_append_str(out, str_from_c(text));
    buffer_append_str(out, STR("\r\n"));
}

void smtp_session_greet(struct smtp_session *session, struct buffer *out)
{
    (void)session;
    say(out, "220 " HOST " ESMTP sandbox");
}

static void reset(struct smtp_session *session)
{
    session->sender[0] = '\0';
    session->recipient_count = 0;
    buffer_clear(&session->mail);
    if (session->stage > STAGE_READY)
        session->stage = STAGE_READY;
}

/* ---- who sends ---- */

static str domain_of(const char *address)
{
    const char *at = strrchr(address, '@');
    return at != NULL ? str_from_c(at + 1) : STR("local");
}

static struct account *account_for(struct smtp_session *session)
{
    str domain = domain_of(session->sender);
    return account_of(session->sandbox, KIND_SMTP, domain.size > 0 ? domain : STR("local"));
}

/* "AUTH PLAIN": NUL user NUL secret, in base64. The secret is the account's of that user's domain. */
static bool check_login(struct smtp_session *session, str user, str secret)
{
    char address[128];
    snprintf(address, sizeof address, STR_FMT, STR_ARG(user));
    pthread_mutex_lock(&session->sandbox->mutex);
    struct account *account = account_of(session->sandbox, KIND_SMTP, domain_of(address));
    bool fine = account != NULL && same_text(secret, str_from_c(account->secret));
    pthread_mutex_unlock(&session->sandbox->mutex);
    return fine;
}

static void end_login(struct smtp_session *session, bool fine, struct buffer *out)
{
    session->stage = STAGE_READY;
    say(out, fine ? "235 2.7.0 Authentication successful" : "535 5.7.8 Authentication failed");
}

static void login_plain(struct smtp_session *session, str encoded, struct buffer *out)
{
    uint8_t bytes[512];
    size_t size;
    if (!base64_read(encoded, bytes, sizeof bytes, &size)) {
        end_login(session, false, out);
        return;
    }
    str rest = str_from_bytes(bytes, size), user, secret;
    size_t first = str_find_byte(rest, '\0');
    rest = str_slice(rest, first + 1, rest.size);
    size_t second = str_find_byte(rest, '\0');
    user = str_slice(rest, 0, second);
    secret = str_slice(rest, second + 1, rest.size);
    end_login(session, check_login(session, user, secret), out);
}

static void continue_login(struct smtp_session *session, str line, struct buffer *out)
{
    uint8_t bytes[512];
    size_t size = 0;
    if (session->stage == STAGE_AUTH) {
        login_plain(session, line, out);
        return;
    }
    bool fine = base64_read(line, bytes, sizeof bytes, &size);
    if (session->stage == STAGE_AUTH_USER && fine) {
        snprintf(session->user, sizeof session->user, STR_FMT,
                 STR_ARG(str_from_bytes(bytes, size)));
        session->stage = STAGE_AUTH_SECRET;
        say(out, "334 UGFzc3dvcmQ6");
        return;
    }
    end_login(session,
              fine && check_login(session, str_from_c(session->user), str_from_bytes(bytes, size)),
              out);
}

static void begin_login(struct smtp_session *session, str rest, struct buffer *out)
{
    str plain = STR("PLAIN"), login = STR("LOGIN");
    if (str_equal_ignoring_case(str_slice(rest, 0, plain.size), plain)) {
        str given = str_trim(str_slice(rest, plain.size, rest.size));
        session->stage = STAGE_AUTH;
        if (given.size > 0) {
            login_plain(session, given, out);
            return;
        }
        say(out, "334 ");
        return;
    }
    if (!str_equal_ignoring_case(str_slice(rest, 0, login.size), login)) {
        say(out, "504 5.5.4 Unrecognized authentication type");
        return;
    }
    session->stage = STAGE_AUTH_USER;
    say(out, "334 VXNlcm5hbWU6");
}

/* ---- the envelope ---- */

/* "<a@b.c>" behind FROM: or TO:; false: it is none. */
static bool read_address(str text, char *out, size_t size)
{
    size_t open = str_find_byte(text, '<'), close = str_find_byte(text, '>');
    if (open >= close || close >= text.size || close - open - 1 >= size)
        return false;
    memcpy(out, text.data + open + 1, close - open - 1);
    out[close - open - 1] = '\0';
    return str_is_utf8(str_slice(text, open + 1, close));
}

static void take_sender(struct smtp_session *session, str rest, struct buffer *out)
{
    reset(session);
    if (!read_address(rest, session->sender, sizeof session->sender)) {
        say(out, "501 5.1.7 Bad sender address syntax");
        return;
    }
    session->stage = STAGE_SENDER;
    say(out, "250 2.1.0 Ok");
}

static bool starts(const char *address, const char *name)
{
    return str_starts_with(str_from_c(address), str_from_c(name));
}

static const char *refuse_recipient(const char *address)
{
    if (starts(address, "bounce@") || starts(address, "unknown@"))
        return "550 5.1.1 User unknown";
    if (starts(address, "full@"))
        return "452 4.2.2 Mailbox full";
    return starts(address, "blocked@") ? "554 5.7.1 Message refused by policy" : NULL;
}

static void take_recipient(struct smtp_session *session, str rest, struct buffer *out)
{
    char address[256];
    if (session->stage != STAGE_SENDER) {
        say(out, "503 5.5.1 MAIL first");
        return;
    }
    if (!read_address(rest, address, sizeof address) || strchr(address, '@') == NULL) {
        say(out, "501 5.1.3 Bad recipient address syntax");
        return;
    }
    if (session->recipient_count == RECIPIENTS_MAX) {
        say(out, "452 4.5.3 Too many recipients");
        return;
    }
    const char *refused = refuse_recipient(address);
    if (refused != NULL) {
        say(out, refused);
        return;
    }
    memcpy(session->recipients[session->recipient_count++], address, sizeof address);
    say(out, "250 2.1.5 Ok");
}

/* ---- the mail ---- */

/* The value of a header; folded lines are not joined. */
static str header_of(str mail, str name)
{
    str line;
    while (str_split(&mail, '\n', &line)) {
        if (str_trim(line).size == 0)
            break;
        if (line.size > name.size && line.data[name.size] == ':' &&
            str_equal_ignoring_case(str_slice(line, 0, name.size), name))
            return str_trim(str_slice(line, name.size + 1, line.size));
    }
    return STR_NONE;
}

static void send_bounce(struct smtp_session *session, struct account *account,
                        const char *recipient, str message_id)
{
    struct sandbox *sandbox = session->sandbox;
    struct buffer mail;
    if (account->callback_url[0] == '\0')
        return;
    buffer_init(&mail, 65536);
    buffer_printf(&mail,
                  "From: MAILER-DAEMON@" HOST
                  "\r\nTo: <%s>\r\nSubject: Undelivered Mail Returned to "
                  "Sender\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
                  "report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: "
                  "text/plain\r\n\r\nThe mail could not be delivered.\r\n--b\r\nContent-Type: "
                  "message/delivery-status\r\n\r\nReporting-MTA: dns; " HOST
                  "\r\n\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                  "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n--b\r\nContent-Type: "
                  "text/rfc822-headers\r\n\r\nMessage-ID: " STR_FMT "\r\n--b--\r\n",
                  session->sender, recipient, STR_ARG(message_id));
    callback_schedule(sandbox, account, str_from_c(recipient), buffer_str(&mail), "message/rfc822",
                      false, sandbox_now(sandbox) + sandbox->settings[SETTING_RECEIPT_MS]);
    buffer_deinit(&mail);
}

/* With the mutex: what was taken, and what faults make of the answer. */
static const char *deliver(struct smtp_session *session)
{
    struct sandbox *sandbox = session->sandbox;
    struct account *account = account_for(session);
    str mail = buffer_str(&session->mail), id = header_of(mail, STR("Message-ID"));
    if (account == NULL)
        return "550 5.7.1 Sender refused";
    const struct fault_rule *rule =
        fault_pick(sandbox, KIND_SMTP, str_from_c(account->id), str_from_c(session->recipients[0]),
                   STR("DATA"), false);
    enum fault_kind what = rule != NULL ? rule->what : FAULT_NONE;
    if (what == FAULT_LIMITED || what == FAULT_ERROR_BEFORE || what == FAULT_CODE)
        return what == FAULT_CODE ? "550 5.7.1 Refused by the sandbox"
                                  : "451 4.7.1 Try again later";
    if (what == FAULT_HANG || what == FAULT_RESET_BEFORE) {
        session->is_over = true;
        return NULL;
    }
    for (size_t i = 0; i < session->recipient_count; i++) {
        struct take take = { .kind = KIND_SMTP,
                             .account = account,
                             .recipient = str_from_c(session->recipients[i]),
                             .form = STR("email"),
                             .key = id,
                             .id = id,
                             .content = mail };
        taken_add(sandbox, &take);
        if (starts(session->recipients[i], "later@"))
            send_bounce(session, account, session->recipients[i], id);
    }
    if (what == FAULT_RESET_AFTER || what == FAULT_TIMEOUT_AFTER) {
        session->is_over = true;
        return NULL;
    }
    return what == FAULT_ERROR_AFTER ? "451 4.3.0 Error after queueing" : "250 2.0.0 Ok: queued";
}

static void end_mail(struct smtp_session *session, struct buffer *out)
{
    const char *answer = "552 5.3.4 Message too big";
    if (!session->mail.failed) {
        pthread_mutex_lock(&session->sandbox->mutex);
        answer = deliver(session);
        pthread_mutex_unlock(&session->sandbox->mutex);
    }
    if (answer != NULL)
        say(out, answer);
    reset(session);
}

static void take_data(struct smtp_session *session, str line, struct buffer *out)
{
    if (str_equal(line, STR("."))) {
        end_mail(session, out);
        return;
    }
    if (line.size > 0 && line.data[0] == '.') /* dot-stuffing, RFC 5321 4.5.2 */
        line = str_slice(line, 1, line.size);
    buffer_append_str(&session->mail, line);
    buffer_append_str(&session->mail, STR("\r\n"));
}

/* ---- commands ---- */

static bool is_command(str line, const char *name)
{
    return str_equal_ignoring_case(str_slice(line, 0, strlen(name)), str_from_c(name));
}

static void take_command(struct smtp_session *session, str line, struct buffer *out)
{
    if (is_command(line, "EHLO")) {
        session->stage = STAGE_READY;
        say(out, "250-" HOST);
        say(out, "250-PIPELINING");
        say(out, "250-SIZE 10485760");
        say(out, "250-8BITMIME");
        say(out, "250-AUTH PLAIN LOGIN");
        say(out, "250 SMTPUTF8");
        return;
    }
    if (is_command(line, "HELO")) {
        session->stage = STAGE_READY;
        say(out, "250 " HOST);
        return;
    }
    if (is_command(line, "QUIT")) {
        session->is_over = true;
        say(out, "221 2.0.0 Bye");
        return;
    }
    if (is_command(line, "NOOP")) {
        say(out, "250 2.0.0 Ok");
        return;
    }
    if (session->stage == STAGE_START) {
        say(out, "503 5.5.1 EHLO first");
        return;
    }
    if (is_command(line, "RSET")) {
        reset(session);
        say(out, "250 2.0.0 Ok");
        return;
    }
    if (is_command(line, "AUTH ")) {
        begin_login(session, str_trim(str_slice(line, 5, line.size)), out);
        return;
    }
    if (is_command(line, "MAIL FROM:")) {
        take_sender(session, line, out);
        return;
    }
    if (is_command(line, "RCPT TO:")) {
        take_recipient(session, line, out);
        return;
    }
    if (!is_command(line, "DATA")) {
        say(out, "500 5.5.2 Command not recognized");
        return;
    }
    if (session->recipient_count == 0) {
        say(out, "503 5.5.1 No valid recipients");
        return;
    }
    session->stage = STAGE_DATA;
    say(out, "354 End data with <CR><LF>.<CR><LF>");
}

static void take_line(struct smtp_session *session, str line, struct buffer *out)
{
    if (session->stage == STAGE_DATA)
        take_data(session, line, out);
    else if (session->stage >= STAGE_AUTH && session->stage <= STAGE_AUTH_SECRET)
        continue_login(session, line, out);
    else
        take_command(session, line, out);
}

bool smtp_session_feed(struct smtp_session *session, str bytes, struct buffer *out)
{
    for (size_t i = 0; i < bytes.size && !session->is_over; i++) {
        if (bytes.data[i] != '\n') {
            buffer_append_byte(&session->line, (uint8_t)bytes.data[i]);
            continue;
        }
        str line = buffer_str(&session->line);
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        if (session->line.failed)
            say(out, "500 5.5.2 Line too long");
        else
            take_line(session, line, out);
        buffer_clear(&session->line);
    }
    return !session->is_over;
}
