/* SPDX-License-Identifier: Apache-2.0 */
/* parquet_type: from ClickHouse's types to columns of cells. Private to table/, used in the child alone. */
#ifndef KITH_TABLE_PARQUET_TYPE_H
#define KITH_TABLE_PARQUET_TYPE_H

#include "table/inside.h"
#include "table/parquet.h"

/* Collects what the child selects and what it tells the reader. */
struct parquet_columns {
    struct buffer select;      /* expressions with commas between */
    struct json_writer header; /* an array of {name, kind} */
    uint32_t count;
};

/* One column of the file, of this type: nested named tuples become dotted columns, lists and maps JSON. */
void parquet_add_column(struct parquet_columns *columns, str name, str type);

#endif
