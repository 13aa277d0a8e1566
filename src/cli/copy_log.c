/* SPDX-License-Identifier: Apache-2.0 */
/* A log, block by block, into a new one. */
#include "cli/copy_log.h"

#include "log/log.h"

struct copying {
    struct log *from;
    uint64_t next_seq, last_seq;
};

static err next_block(void *context, struct log_block **block, struct problem *problem)
{
    struct copying *copying = context;
    *block = NULL;
    if (copying->next_seq > copying->last_seq)
        return ERR_OK;
    err error = log_read(copying->from, copying->next_seq, block, problem);
    if (error == ERR_OK)
        copying->next_seq = (*block)->first_seq + (*block)->count;
    return error;
}

err copy_log(const char *from, const char *into, uint64_t *last_seq, struct problem *problem)
{
    struct wall_clock clock;
    struct copying copying = { .from = NULL };
    wall_clock_init_real(&clock);
    struct log_config config = { .path = from, .clock = &clock };
    err error = log_open(&copying.from, &config, problem);
    if (error != ERR_OK)
        return error;
    copying.next_seq = log_first_seq(copying.from);
    copying.last_seq = log_last_seq(copying.from);
    error = log_restore(into, next_block, &copying, problem);
    log_close(&copying.from);
    if (error == ERR_OK && last_seq != NULL)
        *last_seq = copying.last_seq;
    return error;
}
