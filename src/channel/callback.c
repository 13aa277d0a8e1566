/* SPDX-License-Identifier: Apache-2.0 */
/* callback: what providers send to us, handed to the account's provider. Any thread. */
#include "channel/channel_inside.h"
#include "channel/events.h"

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

err channel_write_reply(struct channels *channels, str key, str message, struct buffer *reply,
                        struct problem *problem)
{
    struct account *account = account_hold(channels, key);
    if (account == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "no account '" STR_FMT "'", STR_ARG(key));
    struct settings *settings = account_settings(channels, account);
    bool is_wecom = account->kind == CHANNEL_WECOM;
    struct envelope envelope = { .token = setting_text(settings, CALLBACK_TOKEN),
                                 .aes_key = setting_text(settings, AES_KEY),
                                 .receiver = is_wecom ? setting_text(settings, CORPID)
                                                      : setting_text(settings, APPID) };
    err error = ERR_OK;
    if (envelope.aes_key.size > 0)
        error = envelope_reply(&envelope, message, channel_now_ms(channels) / 1000, reply, problem);
    else
        buffer_append_str(reply, message);
    settings_give(settings);
    account_release(channels, account);
    return error;
}
