/* SPDX-License-Identifier: Apache-2.0 */
/* callback: what providers send to us, handed to the account's provider. Any thread. */
#include "channel/channel_inside.h"

err channel_callback(struct channels *channels, const struct channel_callback *callback,
                     struct channel_decoded *decoded, struct problem *problem)
{
    struct account *account = account_hold(channels, callback->account);
    if (account == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "no account '" STR_FMT "'",
                           STR_ARG(callback->account));
    struct settings *settings = account_settings(channels, account);
    err error = account->provider->callback != NULL
                    ? account->provider->callback(channels, settings, callback, decoded, problem)
                    : problem_set(problem, ERR_NOT_FOUND, "'%s' sends no callbacks",
                                  channel_kind_info(account->kind)->text);
    settings_give(settings);
    account_release(channels, account);
    return error;
}
