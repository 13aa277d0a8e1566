/* SPDX-License-Identifier: Apache-2.0 */
/* thread: how soon a thread runs that somebody waits for.
 *
 * Linux from 6.12 on gives a thread that asks for short turns its turn sooner when it wakes; it gets no
 * more of the processor than before, and needs no right for it. Without it an acknowledgement waits
 * behind others' turns of 3 ms at each of its three steps (HTTP, log, HTTP) while the machine is busy.
 */
#ifndef KITH_BASE_THREAD_H
#define KITH_BASE_THREAD_H

/* The calling thread asks for turns of 0.1 ms from now on. An older kernel refuses, and all is as it
 * was. */
void thread_take_short_turns(void);

/* From now on the calling thread has a third of the weight of one that does not give way: while the processors are
 * full, the others are run first when they wake. */
void thread_give_way(void);

#endif
