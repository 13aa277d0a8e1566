/* SPDX-License-Identifier: Apache-2.0 */
/* fold: texts as people look for them. Case of Latin letters and the width of Chinese input ("ＡＢＣ１２３", the full-width space) make
 * no difference; everything else is compared as it is. Private to server/. Any thread.
 */
#ifndef KITH_SERVER_FOLD_H
#define KITH_SERVER_FOLD_H

#include <stdbool.h>

#include "base/arena.h"

/* Never longer than `text`. In `arena`. */
err fold_text(struct arena *arena, str text, str *folded) MUST_USE;
/* Does `text`, once folded, hold what fold_text made? An empty one is held by all. Nothing is copied. */
bool fold_contains(str text, str folded);

#endif
