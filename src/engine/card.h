/* SPDX-License-Identifier: Apache-2.0 */
/* card: what an engine at a log on a server says of itself to the others. Private to engine/.
 *
 * The log asks for it every second, on a thread of its own, from before the state is loaded until after it was let go: so how
 * the engine stands is looked at only between card_open(true) and card_open(false).
 */
#ifndef KITH_ENGINE_CARD_H
#define KITH_ENGINE_CARD_H

#include <stdbool.h>

struct engine;
struct engine_config;
struct log_card;

/* Waits for a look that is under way. */
void card_open(struct engine *engine, bool is_open);
/* As log_config.describe. */
void card_write(void *engine, struct log_card *card);

/* What it does is another from here on: role and whether it follows, as `config` says. */
void card_become(struct engine *engine, const struct engine_config *config);

#endif
