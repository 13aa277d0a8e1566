/* SPDX-License-Identifier: Apache-2.0 */
/* extract: the values of wanted columns out of an event. Private to history. */
#ifndef KITH_HISTORY_EXTRACT_H
#define KITH_HISTORY_EXTRACT_H

#include "history/history.h"

struct extractor;

err extractor_new(struct extractor **extractor) MUST_USE;
void extractor_free(struct extractor **extractor);
/* Each column once. */
err extractor_add(struct extractor *extractor, str path, enum column_kind kind,
                  history_column column) MUST_USE;
/* Values of an event; borrowed from event and extractor until the next call. */
err extractor_run(struct extractor *extractor, const struct event *event,
                  const struct history_value **values, uint32_t *count) MUST_USE;

#endif
