/* SPDX-License-Identifier: Apache-2.0 */
/* mail: one message as bytes. Bodies are base64, so that no line of theirs means anything to anybody. */
#include "channel/mail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "channel/crypt.h"

#define WORD_BYTES 45 /* 60 characters of base64, 72 with =?UTF-8?B? and ?= */
#define LINE_BYTES 57 /* 76 characters of base64 */

static bool is_plain(str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c > 0x7e)
            return false;
    }
    return !str_contains(text, STR("=?")) && text.size <= 200;
}

void mail_encode_words(struct buffer *out, str text)
{
    if (is_plain(text)) {
        buffer_append_str(out, text);
        return;
    }
    while (text.size > 0) {
        char clean[WORD_BYTES];
        size_t size = str_utf8_prefix_bytes(text, WORD_BYTES);
        if (size == 0) /* not UTF-8: byte by byte */
            size = 1;
        for (size_t i = 0; i < size; i++) {
            unsigned char c = (unsigned char)text.data[i];
            clean[i] = c < 0x20 || c == 0x7f ? ' ' : text.data[i];
        }
        buffer_append_str(out, STR("=?UTF-8?B?"));
        crypt_base64(out, str_from_bytes(clean, size));
        buffer_append_str(out, STR("?="));
        text = str_slice(text, size, text.size);
        if (text.size > 0)
            buffer_append_str(out, STR("\r\n "));
    }
}

bool mail_is_address(str address)
{
    size_t at = str_find_byte(address, '@'), count = 0;
    for (size_t i = 0; i < address.size; i++) {
        unsigned char c = (unsigned char)address.data[i];
        if (c <= 0x20 || c >= 0x7f || strchr("<>()[],;:\\\"", (char)c) != NULL)
            return false;
        count += c == '@';
    }
    return count == 1 && at > 0 && at <= 64 && at + 1 < address.size && address.size <= 254;
}

/* RFC 5322 §3.3, in UTC. */
static void write_date(struct buffer *out, int64_t now_ms)
{
    static const char *const DAYS[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const MONTHS[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL)
        return;
    buffer_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", DAYS[tm.tm_wday], tm.tm_mday,
                  MONTHS[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void write_base64(struct buffer *out, str body)
{
    while (body.size > 0) {
        crypt_base64(out, str_slice(body, 0, LINE_BYTES));
        buffer_append_str(out, STR("\r\n"));
        body = str_slice(body, LINE_BYTES, body.size);
    }
}

static void write_part(struct buffer *out, const char *type, str body)
{
    buffer_printf(out,
                  "Content-Type: %s; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: base64\r\n\r\n",
                  type);
    write_base64(out, body);
}

/* A URL that stands between < and >: percent-encoded already, or it is left out. */
static bool is_header_url(str url)
{
    for (size_t i = 0; i < url.size; i++) {
        unsigned char c = (unsigned char)url.data[i];
        if (c <= 0x20 || c >= 0x7f || c == '<' || c == '>' || c == ',')
            return false;
    }
    return str_starts_with(url, STR("https://")) || str_starts_with(url, STR("http://"));
}

static void write_unsubscribe(struct buffer *out, const struct mail *mail)
{
    bool has_url = is_header_url(mail->unsubscribe_url);
    bool has_mail = mail_is_address(mail->unsubscribe_mail);
    if (!has_url && !has_mail)
        return;
    buffer_append_str(out, STR("List-Unsubscribe: "));
    if (has_url)
        buffer_printf(out, "<" STR_FMT ">", STR_ARG(mail->unsubscribe_url));
    if (has_mail)
        buffer_printf(out, "%s<mailto:" STR_FMT "?subject=unsubscribe>", has_url ? ",\r\n " : "",
                      STR_ARG(mail->unsubscribe_mail));
    buffer_append_str(out, STR("\r\n"));
    if (has_url)
        buffer_append_str(out, STR("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
    buffer_append_str(out, STR("Precedence: bulk\r\n"));
}

static void write_name(struct buffer *out, str name)
{
    bool is_simple = name.size > 0;
    for (size_t i = 0; i < name.size && is_simple; i++) {
        char c = name.data[i];
        is_simple =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
    }
    if (is_simple) {
        buffer_append_str(out, name);
    } else if (is_plain(
                   name)) { /* signs would mean something there: as an encoded word they do not */
        buffer_append_str(out, STR("=?UTF-8?B?"));
        crypt_base64(out, str_slice(name, 0, WORD_BYTES));
        buffer_append_str(out, STR("?="));
    } else {
        mail_encode_words(out, name);
    }
}

static void write_headers(struct buffer *out, const struct mail *mail)
{
    write_date(out, mail->now_ms);
    buffer_append_str(out, STR("From: "));
    if (mail->from_name.size > 0) {
        write_name(out, mail->from_name);
        buffer_append_byte(out, ' ');
    }
    buffer_printf(out, "<" STR_FMT ">\r\nTo: <" STR_FMT ">\r\nSubject: ", STR_ARG(mail->from),
                  STR_ARG(mail->to));
    mail_encode_words(out, mail->subject);
    buffer_printf(out, "\r\nMessage-ID: <" STR_FMT ">\r\n", STR_ARG(mail->message_id));
    if (mail_is_address(mail->reply_to))
        buffer_printf(out, "Reply-To: <" STR_FMT ">\r\n", STR_ARG(mail->reply_to));
    write_unsubscribe(out, mail);
    if (mail->feedback_id.size > 0) {
        buffer_append_str(out, STR("Feedback-ID: "));
        mail_encode_words(out, str_slice(mail->feedback_id, 0, 100));
        buffer_append_str(out, STR("\r\n"));
    }
    buffer_append_str(out, STR("MIME-Version: 1.0\r\n"));
}

void mail_write(struct buffer *out, const struct mail *mail)
{
    write_headers(out, mail);
    if (mail->text.size == 0 || mail->html.size == 0) {
        bool is_html = mail->html.size > 0;
        write_part(out, is_html ? "text/html" : "text/plain", is_html ? mail->html : mail->text);
        return;
    }
    buffer_printf(out,
                  "Content-Type: multipart/alternative; boundary=\"" STR_FMT "\"\r\n\r\n--" STR_FMT
                  "\r\n",
                  STR_ARG(mail->boundary), STR_ARG(mail->boundary));
    write_part(out, "text/plain", mail->text);
    buffer_printf(out, "--" STR_FMT "\r\n", STR_ARG(mail->boundary));
    write_part(out, "text/html", mail->html);
    buffer_printf(out, "--" STR_FMT "--\r\n", STR_ARG(mail->boundary));
}
