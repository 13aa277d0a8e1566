/* SPDX-License-Identifier: Apache-2.0 */
/* exports: members of a segment or a tag, written to a file by a thread of its own. Private to server/.
 *
 *     POST …/exports ─▶ RUNNING ─┬─▶ DONE       GET /exports/{id}/file
 *                                ├─▶ FAILED     reason
 *                                └─▶ CANCELLED  DELETE while it runs; afterwards DELETE removes it
 *
 * The members are those at the moment of the request; what stands in the columns is as it is when a row is written.
 * Files lie in exports/ of the data folder: ID.csv or ID.jsonl, and ID.json that describes it; what was not finished
 * when the server ended is removed at the next start. The files are sealed (access/sealed_file.h) and opened as they are sent. Values that name a person are masked unless they were revealed.
 * A cell of CSV that a spreadsheet would take for a formula begins with an apostrophe.
 *
 * Any thread, save exports_new and exports_free.
 */
#ifndef KITH_SERVER_EXPORTS_H
#define KITH_SERVER_EXPORTS_H

#include "access/sealed_file.h"
#include "audience/audience.h"
#include "base/json.h"

struct exports;
struct server;

#define EXPORT_COLUMNS_MAX 100
#define EXPORT_ID_BYTES 16

err exports_new(struct exports **exports, struct server *server) MUST_USE;
void exports_free(struct exports **exports);

struct export_order {
    enum audience_kind kind;
    str key, value;
    str on; /* kind of objects; empty: customers */
    bool csv, revealed;
    json_value columns; /* texts; missing: the id alone */
    uint32_t user_number;
    struct audience_set *set; /* taken over, whatever comes */
};
/* UNPROCESSABLE with the place of a wrong column; BUSY when too many wait. */
err exports_begin(struct exports *exports, const struct export_order *order,
                  char id[EXPORT_ID_BYTES], struct problem *problem) MUST_USE;
/* One as JSON; NOT_FOUND. */
err exports_write(struct exports *exports, str id, struct json_writer *writer) MUST_USE;
/* All that `shows` says of their makers (NULL: all), newest first. */
void exports_write_all(struct exports *exports,
                       bool (*shows)(const void *context, uint32_t user_number),
                       const void *context, struct json_writer *writer);
/* The user who made it; 0 for one that is not there. */
uint32_t exports_maker(struct exports *exports, str id);
/* Cancel it, or remove it and its file; NOT_FOUND. */
err exports_delete(struct exports *exports, str id) MUST_USE;
/* The file of one that is done, open; whose values were revealed, and to whom. NOT_FOUND, CONFLICT while it runs. */
err exports_open(struct exports *exports, str id, struct sealed_file **file, bool *csv,
                 bool *revealed, uint32_t *user_number, struct problem *problem) MUST_USE;

#endif
