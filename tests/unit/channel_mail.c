/* SPDX-License-Identifier: Apache-2.0 */
/* Mails that came back: who is told of whom, and that no line of a stranger's mail is read beyond its end. */
#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "channel/mail.h"

/* A copy that ends where the text ends: a sanitizer sees a byte too far. */
static str exact(const char *text, char **owner)
{
    size_t bytes = strlen(text);
    *owner = malloc(bytes == 0 ? 1 : bytes);
    assert_non_null(*owner);
    memcpy(*owner, text, bytes);
    return str_from_bytes(*owner, bytes);
}

static void a_bounce_names_its_recipient(void **state)
{
    (void)state;
    char *owner;
    struct mail_report report;
    mail_read_report(exact("Subject: Undelivered\r\n"
                           "to: <bounce+17@brand.example>\r\n"
                           "Content-Type: multipart/report;\r\n report-type=delivery-status;"
                           " boundary=\"b1\"\r\n\r\n"
                           "--b1\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
                           "--b1\r\nContent-Type: message/delivery-status\r\n\r\n"
                           "Reporting-MTA: dns; mx.example\r\n\r\n"
                           "Final-Recipient: rfc822; li.na@example.com\r\n"
                           "Action: failed\r\nStatus: 5.1.1 no such user\r\n\r\n"
                           "Original-Recipient: rfc822;<wang@example.com>\r\n"
                           "Action: delayed\r\nStatus: 4.2.2\r\n\r\n"
                           "--b1\r\nContent-Type: text/rfc822-headers\r\n\r\n"
                           "Message-ID: <k17@brand.example>\r\n\r\n--b1--\r\n",
                           &owner),
                     &report);
    assert_str_equal(report.to, STR("bounce+17@brand.example"));
    assert_str_equal(report.message_id, STR("k17@brand.example"));
    assert_int_equal(report.count, 2);
    assert_str_equal(report.recipients[0].address, STR("li.na@example.com"));
    assert_str_equal(report.recipients[0].action, STR("failed"));
    assert_str_equal(report.recipients[0].status, STR("5.1.1"));
    assert_str_equal(report.recipients[1].address, STR("wang@example.com"));
    assert_str_equal(report.recipients[1].status, STR("4.2.2"));
    free(owner);
}

static void a_complaint_says_so(void **state)
{
    (void)state;
    char *owner;
    struct mail_report report;
    mail_read_report(exact("To: fbl@brand.example\r\n"
                           "Content-Type: multipart/report; boundary=f\r\n\r\n"
                           "--f\r\nContent-Type: message/feedback-report\r\n\r\n"
                           "Feedback-Type: abuse\r\nVersion: 1\r\n\r\n--f--\r\n",
                           &owner),
                     &report);
    assert_str_equal(report.feedback, STR("abuse"));
    assert_int_equal(report.count, 0);
    free(owner);
}

static void a_line_without_a_colon_is_no_header(void **state)
{
    (void)state;
    static const char *const texts[] = { "to", "\nto", "To", "content-type", "x: 1\nto", "" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *owner;
        struct mail_report report;
        mail_read_report(exact(texts[i], &owner), &report);
        assert_int_equal(report.to.size, 0);
        assert_int_equal(report.count, 0);
        free(owner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bounce_names_its_recipient),
        cmocka_unit_test(a_complaint_says_so),
        cmocka_unit_test(a_line_without_a_colon_is_no_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
