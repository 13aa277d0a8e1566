/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers send to the callbacks: XML or JSON, sealed texts, mails that came back, values and query strings. */
#include <stddef.h>
#include <stdint.h>

#include "channel/crypt.h"
#include "channel/fields.h"
#include "channel/mail.h"
#include "channel/subscription.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str bytes = str_from_bytes(data, size);
    struct mail_report report;
    struct fields fields;
    struct buffer out;
    buffer_init(&out, (size_t)4 << 20);
    fields_init(&fields);
    if (fields_read(&fields, bytes, NULL) == ERR_OK)
        for (size_t i = 0; i < fields.count; i++)
            (void)subscription_check(fields.items[i].path, fields.items[i].text);
    (void)fields_query(&fields.arena, bytes, "nonce");
    fields_deinit(&fields);
    mail_read_report(bytes, &report);
    for (size_t i = 0; i < report.count; i++)
        buffer_append_str(&out, report.recipients[i].address);
    mail_encode_words(&out, bytes);
    (void)mail_is_address(bytes);
    if (envelope_open(STR("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"), STR("wx"), bytes, &out,
                      NULL) == ERR_OK)
        buffer_clear(&out);
    buffer_deinit(&out);
    return 0;
}
