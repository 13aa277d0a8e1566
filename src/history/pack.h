/* SPDX-License-Identifier: Apache-2.0 */
/* pack: what pack.c and unpack.c share: numbers that stand in the bytes of a block. Private to history. */
#ifndef KITH_HISTORY_PACK_H
#define KITH_HISTORY_PACK_H

#include "history/history.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "columns are written as they lie: little endian");

enum packed_state {
    PACKED_LACKING, /* was being filled: its values are not here */
    PACKED_WHOLE,
    PACKED_FULL, /* had more texts than may be */
};
enum packed_presence { PACKED_ALL, PACKED_LIST, PACKED_BITS };

#endif
