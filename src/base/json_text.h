/* SPDX-License-Identifier: Apache-2.0 */
/* json_text: a quoted text with what stands around it, in one piece. Private to base. */
#ifndef KITH_BASE_JSON_TEXT_H
#define KITH_BASE_JSON_TEXT_H

#include "base/buffer.h"
#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends `before`, the text escaped and quoted, `after`; '\0' for nothing. */
void json_write_quoted(struct buffer *out, char before, str text, char after);

#ifdef __cplusplus
}
#endif
#endif
