/* SPDX-License-Identifier: Apache-2.0 */
/* files_in: what the routes of files that come in share: imports, mappings, buckets, the stream of a job. Private to server/. Workers. */
#ifndef KITH_SERVER_FILES_IN_H
#define KITH_SERVER_FILES_IN_H

#include "imports/imports.h"
#include "server/inside.h"

#define FILES_BODY_BYTES_MAX (4 * 1024 * 1024)

/* UNAVAILABLE where this server takes no files. */
err files_imports(struct request *request, struct imports **imports,
                  struct problem *problem) MUST_USE;
/* The import that the path names. NOT_FOUND, in the same words and with the same line of the audit, for one that is not there and
 * for one that is not her team's. */
err files_job(struct request *request, struct imports **imports, uint32_t *number,
              struct problem *problem) MUST_USE;

#endif
