/* SPDX-License-Identifier: Apache-2.0 */
/* operate: what is no message, and trying an account. Blocks the caller; the loop does the exchanges. */
#include <string.h>

#include "channel/channel_inside.h"

err channels_test_account(struct channels *channels, str key, struct buffer *answer,
                          struct problem *problem)
{
    struct account *account = account_hold(channels, key);
    if (account == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "no account '" STR_FMT "'", STR_ARG(key));
    err error = account->provider->test(channels, account, answer, problem);
    account_release(channels, account);
    return error;
}

struct operation {
    enum channel_kind kind;
    const char *name;
    err (*run)(struct channels *channels, struct account *account, json_value arguments,
               struct buffer *answer, struct problem *problem);
};
static const struct operation OPERATIONS[] = {
    { CHANNEL_KIND_COUNT, "", NULL },
};

err channels_operate(struct channels *channels, str key, str name, json_value arguments,
                     struct buffer *answer, struct problem *problem)
{
    struct account *account = account_hold(channels, key);
    if (account == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "no account '" STR_FMT "'", STR_ARG(key));
    err error = problem_set(problem, ERR_NOT_FOUND, "'%s' knows no operation '" STR_FMT "'",
                            channel_kind_info(account->kind)->text, STR_ARG(name));
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        if (OPERATIONS[i].kind != account->kind || !str_equal(name, str_from_c(OPERATIONS[i].name)))
            continue;
        error = OPERATIONS[i].run(channels, account, arguments, answer, problem);
        break;
    }
    account_release(channels, account);
    return error;
}
