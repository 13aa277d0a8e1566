/* SPDX-License-Identifier: Apache-2.0 */
/* clock_guard: the guard that all real wall clocks of a process share. Private to base/. */
#ifndef KITH_BASE_CLOCK_GUARD_H
#define KITH_BASE_CLOCK_GUARD_H

#include "base/clock.h"

struct clock_guard *clock_guard_of_process(void);

#endif
