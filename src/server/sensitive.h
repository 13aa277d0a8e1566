/* SPDX-License-Identifier: Apache-2.0 */
/* sensitive: traits that nobody chooses or sends by before a second person has released them. Private to server/. Workers.
 *
 *     PUT …/sensitive/{name} ─▶ held ──POST …/release, by one──▶ asked ──POST …/release, by another──▶ released
 *                                ▲────────────────────── PUT again, by anybody who may ─────────────────────┘
 *
 * One name of the list is no trait: "$under_14", who is a child by her birthday. It is held without having been put.
 */
#ifndef KITH_SERVER_SENSITIVE_H
#define KITH_SERVER_SENSITIVE_H

#include "engine/children.h"
#include "server/inside.h"

/* Does the body name a trait that is held: in a rule, a column of an export, a text of a template? Then it is refused (UNPROCESSABLE),
 * whoever asks. Bodies that bring data or describe them are not looked at. */
err sensitive_check(struct request *request, struct problem *problem) MUST_USE;

#endif
