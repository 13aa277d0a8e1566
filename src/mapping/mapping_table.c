/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping for a table: its columns by their names. */
#include "mapping/inside.h"

err mapping_new(struct mapping **mapping, json_value json, const struct table *columns,
                struct problem *problem)
{
    if (columns == NULL)
        return mapping_new_named(mapping, json, NULL, 0, problem);
    uint32_t count = table_column_count(columns);
    str *names = memory_alloc((count + 1) * sizeof *names);
    if (names == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a mapping");
    for (uint32_t i = 0; i < count; i++)
        names[i] = table_column_name(columns, i);
    err error = mapping_new_named(mapping, json, names, count, problem);
    memory_free(names);
    return error;
}
