/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong on purpose: the first rule that fits a request, and what it does to the answer. */
#include <string.h>

#include "sandbox/inside.h"

#define SILENCE_MS (60 * SECOND_MS)

/* '*' stands for anything; an empty pattern fits all. */
static bool fits(const char *pattern, str text)
{
    str wanted = str_from_c(pattern);
    size_t star = str_find_byte(wanted, '*');
    if (wanted.size == 0)
        return true;
    if (star == wanted.size)
        return str_equal(wanted, text);
    str before = str_slice(wanted, 0, star), behind = str_slice(wanted, star + 1, wanted.size);
    return text.size + 1 >= wanted.size && str_starts_with(text, before) &&
           str_ends_with(text, behind);
}

/* Every n-th of those that it fits, with its chance, as often as it may. */
static bool happens(struct sandbox *sandbox, struct fault_rule *rule)
{
    rule->asked++;
    if (rule->times == 0 || (rule->every > 1 && rule->asked % (uint64_t)rule->every != 0))
        return false;
    if (rule->chance < 1 && random_unit(&sandbox->faults.random) >= rule->chance)
        return false;
    rule->times -= rule->times > 0;
    rule->done++;
    return true;
}

const struct fault_rule *fault_pick(struct sandbox *sandbox, enum kind kind, str account,
                                    str recipient, str path, bool of_receipts)
{
    for (size_t i = 0; i < sandbox->faults.count; i++) {
        struct fault_rule *rule = &sandbox->faults.rules[i];
        if ((rule->what >= FAULT_RECEIPT_FAILED) == of_receipts &&
            (rule->of_any_kind || rule->kind == kind) && fits(rule->account, account) &&
            fits(rule->recipient, recipient) && fits(rule->path, path) && happens(sandbox, rule))
            return rule;
    }
    return NULL;
}

static void be_silent(struct call *call, const struct fault_rule *rule)
{
    call->delay_ms = rule->delay_ms > 0 ? rule->delay_ms : SILENCE_MS;
    call->is_silent = true;
}

/* What comes before anything is taken happens here; what comes after it is left in call->fault for the answer. */
bool fault_strikes(struct call *call, enum kind kind, str account, str recipient)
{
    const struct fault_rule *rule =
        fault_pick(call->sandbox, kind, account, recipient, call->path, false);
    call->fault = rule;
    switch (rule != NULL ? rule->what : FAULT_NONE) {
    case FAULT_HANG:
        be_silent(call, rule);
        return true;
    case FAULT_ERROR_BEFORE:
        call_error(call, (int)rule->status, "the sandbox was told to fail");
        return true;
    case FAULT_RESET_BEFORE:
        call->is_cut = true;
        return true;
    case FAULT_LIMITED:
        call_error(call, 429, "the sandbox was told to refuse for a while");
        call->retry_after = rule->retry_after;
        return true;
    case FAULT_TIMEOUT_AFTER:
        be_silent(call, rule);
        return false;
    case FAULT_SLOW:
        call->delay_ms = rule->delay_ms;
        return false;
    case FAULT_RESET_AFTER:
        call->is_cut = true;
        return false;
    case FAULT_NONE:
    case FAULT_ERROR_AFTER:
    case FAULT_GARBAGE:
    case FAULT_CODE:
    case FAULT_RECEIPT_FAILED:
    case FAULT_RECEIPT_LOST:
    case FAULT_RECEIPT_TWICE:
    case FAULT_RECEIPT_LATE:
    case FAULT_COUNT:
    default:
        return false;
    }
}

const char *fault_code(const struct call *call)
{
    return call->fault != NULL && call->fault->what == FAULT_CODE ? call->fault->code : NULL;
}
