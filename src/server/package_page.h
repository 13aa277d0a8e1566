/* SPDX-License-Identifier: Apache-2.0 */
/* package_page: what is known of a customer as a page to read, in Chinese and English. Private to server/. Any thread. */
#ifndef KITH_SERVER_PACKAGE_PAGE_H
#define KITH_SERVER_PACKAGE_PAGE_H

#include "base/buffer.h"
#include "base/json.h"

/* `root`: customer.json; `events`: JSON lines. Whole and self-contained: nothing is loaded, nothing runs. */
void package_page(json_value root, str events, struct buffer *out);
/* Text between tags: what HTML would take for its own is escaped. */
void page_write_text(struct buffer *out, str text);

#endif
