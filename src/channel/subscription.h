/* SPDX-License-Identifier: Apache-2.0 */
/* subscription: the limits of a subscription message's values, by the type in their names ("thing1", "amount3"). */
#ifndef KITH_CHANNEL_SUBSCRIPTION_H
#define KITH_CHANNEL_SUBSCRIPTION_H

#include "base/str.h"

/* NULL: the value is as the type of `name` wants it; else what is wrong (static). Types that are not known pass. */
const char *subscription_check(str name, str value);

#endif
