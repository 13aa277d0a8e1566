/* SPDX-License-Identifier: Apache-2.0 */
/* mail_report: what came back: a bounce, a complaint, or a wish to be left alone. Nothing is decoded that need not be; a
 * report that is not one gives empty fields. */
#include <string.h>

#include "channel/mail.h"

#define PARTS_MAX 50

/* ---- lines and headers ---- */

/* The next line without its end; false at the end of `rest`. */
static bool take_line(str *rest, str *line)
{
    if (!str_split(rest, '\n', line))
        return false;
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return true;
}

/* Headers up to the empty line; `rest` is then the body. */
static str take_headers(str *rest)
{
    const char *begin = rest->data;
    str line = STR_NONE;
    while (take_line(rest, &line))
        if (line.size == 0)
            return str_from_bytes(begin, (size_t)(line.data - begin));
    return begin != NULL && line.data != NULL
               ? str_from_bytes(begin, (size_t)(line.data + line.size - begin))
               : STR_NONE;
}

/* The value of the first header `name`, its folded lines included. */
static str header(str headers, const char *name)
{
    str rest = headers, line, key;
    while (take_line(&rest, &line)) {
        str value = line;
        /* a line without a colon is no header, whatever it says */
        if (line.size == 0 || line.data[0] == ' ' || line.data[0] == '\t' ||
            !str_split(&value, ':', &key) || key.size == line.size ||
            !str_equal_ignoring_case(key, str_from_c(name)))
            continue;
        const char *begin = line.data + key.size + 1, *end = line.data + line.size;
        while (rest.size > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t') &&
               take_line(&rest, &line))
            end = line.data + line.size;
        return str_trim(str_from_bytes(begin, (size_t)(end - begin)));
    }
    return STR_NONE;
}

/* `name` of "type; name=value; other="value"". */
static str parameter(str value, const char *name)
{
    str part, key;
    while (str_split(&value, ';', &part)) {
        str content = str_trim(part);
        if (!str_split(&content, '=', &key) ||
            !str_equal_ignoring_case(str_trim(key), str_from_c(name)))
            continue;
        content = str_trim(content);
        if (content.size >= 2 && content.data[0] == '"')
            return str_slice(content, 1,
                             1 + str_find_byte(str_slice(content, 1, content.size), '"'));
        return content;
    }
    return STR_NONE;
}

static bool is_type(str content_type, const char *type)
{
    return str_equal_ignoring_case(
        str_trim(str_slice(content_type, 0, str_find_byte(content_type, ';'))), str_from_c(type));
}

static str without_brackets(str text)
{
    size_t open = str_find_byte(text, '<');
    if (open == text.size)
        return text;
    str inner = str_slice(text, open + 1, text.size);
    return str_slice(inner, 0, str_find_byte(inner, '>'));
}

/* "rfc822; a@b" → "a@b" */
static str behind_type(str value)
{
    size_t end = str_find_byte(value, ';');
    return without_brackets(
        str_trim(end < value.size ? str_slice(value, end + 1, value.size) : value));
}

/* ---- parts ---- */

/* Groups of fields with an empty line between: the first is of the message, each other of a recipient. */
static void read_status(str body, struct mail_report *report)
{
    while (body.size > 0 && report->count < MAIL_RECIPIENTS_MAX) {
        str group = take_headers(&body);
        str recipient = header(group, "Final-Recipient");
        if (recipient.size == 0)
            recipient = header(group, "Original-Recipient");
        if (recipient.size == 0)
            continue;
        str status = header(group, "Status");
        report->recipients[report->count++] = (struct mail_report_recipient){
            .address = behind_type(recipient),
            .action = header(group, "Action"),
            .status = str_slice(status, 0, str_find_byte(status, ' ')),
        };
    }
}

static void read_part(str part, struct mail_report *report)
{
    str headers = take_headers(&part), type = header(headers, "Content-Type");
    if (is_type(type, "message/delivery-status") ||
        is_type(type, "message/global-delivery-status")) {
        read_status(part, report);
    } else if (is_type(type, "message/feedback-report")) {
        report->feedback = header(part, "Feedback-Type");
    } else if (is_type(type, "message/rfc822") || is_type(type, "text/rfc822-headers") ||
               is_type(type, "message/global-headers")) {
        str original = part;
        report->message_id = without_brackets(header(take_headers(&original), "Message-ID"));
    }
}

/* From the line behind one boundary to the next; false: there is none. */
static bool take_part(str *rest, str boundary, str *part)
{
    const char *begin = rest->data;
    str line;
    while (take_line(rest, &line)) {
        bool is_boundary = str_starts_with(line, STR("--")) &&
                           str_starts_with(str_slice(line, 2, line.size), boundary);
        if (!is_boundary)
            continue;
        *part = str_from_bytes(begin, (size_t)(line.data - begin));
        return true;
    }
    return false;
}

void mail_read_report(str message, struct mail_report *report)
{
    memset(report, 0, sizeof *report);
    str rest = message, headers = take_headers(&rest), part;
    str type = header(headers, "Content-Type"), boundary = parameter(type, "boundary");
    report->to = without_brackets(header(headers, "To"));
    if (!is_type(type, "multipart/report") || boundary.size == 0 || rest.data == NULL)
        return;
    for (int i = 0; i < PARTS_MAX && take_part(&rest, boundary, &part); i++)
        if (i > 0) /* before the first boundary nothing is meant */
            read_part(part, report);
}
