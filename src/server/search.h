/* SPDX-License-Identifier: Apache-2.0 */
/* search: finding customers by what an operator types. Private to server/. */
#ifndef KITH_SERVER_SEARCH_H
#define KITH_SERVER_SEARCH_H

#include "server/inside.h"

/* The (type, namespace) pairs in which identifiers were seen: a value is looked up in each of them,
 * because its hash is over all three. A sample of the newest and oldest identifiers, renewed every
 * minute. */
struct namespaces;
err namespaces_new(struct namespaces **namespaces) MUST_USE;
void namespaces_free(struct namespaces **namespaces);

#endif
