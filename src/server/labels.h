/* SPDX-License-Identifier: Apache-2.0 */
/* labels: what types of identifiers are called in both languages. Private to server/. Any thread. */
#ifndef KITH_SERVER_LABELS_H
#define KITH_SERVER_LABELS_H

#include "base/json.h"
#include "base/str.h"

/* A type of the start until somebody calls it otherwise; left alone for any other. */
void label_of_type(str name, str *zh, str *en);
/* The same with what was put by hand: `types` is the array of identity_write_types. Texts are borrowed from it,
 * from the process, or are `name` itself. */
void label_of_type_in(json_value types, str name, str *zh, str *en);

#endif
