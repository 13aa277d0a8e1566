/* SPDX-License-Identifier: Apache-2.0 */
/* mail: writing a message (RFC 5322, MIME, RFC 2047) and reading bounces (RFC 3464) and complaints (RFC 5965). Any thread. */
#ifndef KITH_CHANNEL_MAIL_H
#define KITH_CHANNEL_MAIL_H

#include "base/buffer.h"
#include "base/str.h"

struct mail {
    str from, from_name, to, reply_to, subject;
    str text, html; /* at least one */
    str message_id; /* without <> */
    str unsubscribe_url, unsubscribe_mail;
    str feedback_id;
    str boundary;
    int64_t now_ms;
};
/* Text that cannot break out of its header: what is not plain ASCII is encoded, control characters become spaces (CRLF
 * injection is not possible). Appends. */
void mail_encode_words(struct buffer *out, str text);
/* One address, ASCII, without anything that means something to SMTP or a header. */
bool mail_is_address(str address);
void mail_write(struct buffer *out, const struct mail *mail);

#define MAIL_RECIPIENTS_MAX 20
struct mail_report_recipient {
    str address, action, status; /* "failed", "5.1.1" */
};
struct mail_report {
    str to;         /* of the report: where VERP's key is */
    str message_id; /* of what came back, without <> */
    str feedback;   /* of a complaint: "abuse"; else empty */
    struct mail_report_recipient recipients[MAIL_RECIPIENTS_MAX];
    size_t count;
};
/* Borrowed from `message`. Whatever it is: fields that are not found are empty. */
void mail_read_report(str message, struct mail_report *report);

#endif
