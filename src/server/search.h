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

/* What a list shows of each customer beside the usual: `columns=traits,tags`. INVALID for another word. */
struct search_columns {
    bool traits, tags;
};
err search_read_columns(struct request *request, struct search_columns *columns,
                        struct problem *problem) MUST_USE;
/* The list of these customers into request->out; its object is left open for more members: end it. Workers. */
err search_write_list(struct request *request, struct json_writer *writer, const uint32_t *roots,
                      size_t count, struct search_columns columns, str next, bool reveal,
                      struct problem *problem) MUST_USE;

#endif
