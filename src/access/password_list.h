/* SPDX-License-Identifier: Apache-2.0 */
/* password_list: what is tried first, as hashes. Private to access. */
#ifndef KITH_ACCESS_PASSWORD_LIST_H
#define KITH_ACCESS_PASSWORD_LIST_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bits, of passwords in ASCII lower case; ascending. */
extern const uint64_t password_list[];
extern const size_t password_list_count;

#endif
