/* SPDX-License-Identifier: Apache-2.0 */
/* Which deliberate defects are on: builds with KITH_FAULTS only. */
#include "log/mutate.h"

#ifdef KITH_FAULTS
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/str.h"

static _Atomic unsigned mutations; /* a bit for each */

static const char *const mutation_names[MUTATION_COUNT] = {
#define X(name, text, meaning) [MUTATION_##name] = text,
    MUTATION_TABLE(X)
#undef X
};

bool log_mutates(enum log_mutation mutation)
{
    return (atomic_load_explicit(&mutations, memory_order_relaxed) >> mutation & 1u) != 0;
}

static unsigned mutation_by_name(str name)
{
    for (unsigned i = 0; i < MUTATION_COUNT; i++)
        if (str_equal(name, str_from_c(mutation_names[i])))
            return 1u << i;
    return 0;
}

void log_mutate_by_environment(void)
{
    str rest = str_from_c(getenv("KITH_MUTATE"));
    str name;
    unsigned found = 0;
    while (str_split(&rest, ',', &name)) {
        unsigned one = mutation_by_name(name);
        INVARIANT(one != 0); /* a test that names no defect would prove nothing */
        found |= one;
    }
    atomic_store(&mutations, found);
}
#else
/* An empty file is no C. */
extern const char log_has_no_mutations;
const char log_has_no_mutations;
#endif
