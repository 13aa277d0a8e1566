/* SPDX-License-Identifier: Apache-2.0 */
/* sentence: what the files that put a rule into words share. Private to rule/. */
#ifndef KITH_RULE_SENTENCE_H
#define KITH_RULE_SENTENCE_H

#include "rule/inside.h"

struct speech {
    const struct rule *rule;
    bool chinese;
    struct buffer *out;
};

void sentence_say(struct speech *speech, const char *chinese, const char *english);
void sentence_text(struct speech *speech, str text);
void sentence_quoted(struct speech *speech, str text);
void sentence_int(struct speech *speech, int64_t number);
void sentence_span(struct speech *speech, str word);
void sentence_window(struct speech *speech, const struct window *window);
void sentence_literal(struct speech *speech, const struct compare *compare, wide unit);
void sentence_compare(struct speech *speech, const struct compare *compare, wide unit);

#endif
