/* SPDX-License-Identifier: Apache-2.0 */
/* told: what an event, or a person by hand, says of a customer: traits and consent. */
#include <string.h>

#include "base/logline.h"
#include "profile/state.h"

#define PURPOSE_BYTES_MAX 100

/* ---- traits ---- */

static err add_trait(struct profile *profile, const struct event_trait *trait, struct fact fact,
                     struct ledger_writes *writes)
{
    static const uint8_t operations[] = {
        [TRAIT_SET] = FACT_SET,
        [TRAIT_SET_ONCE] = FACT_SET_ONCE,
        [TRAIT_INCREMENT] = FACT_INCREMENT,
        [TRAIT_APPEND] = FACT_APPEND,
        [TRAIT_UNSET] = FACT_UNSET,
    };
    struct trait_type *type = trait_type_learn(profile, trait->name, writes);
    micro_sum unused;
    if (type == NULL) {
        bool full = profile->trait_names.count > TRAIT_TYPES_MAX;
        if (!full && trait->name.size > 0 && trait->name.size <= EVENT_NAME_BYTES_MAX)
            return ERR_NOMEM;
        log_line(LOG_WARN, "trait_refused", "reason=\"no name, or more than %d traits\"",
                 TRAIT_TYPES_MAX);
        return ERR_OK;
    }
    fact.trait = type->number;
    fact.operation = operations[trait->operation];
    if (fact.operation != FACT_UNSET && !fact_set_value(&fact, trait->value)) {
        /* Segment takes a trait back by setting it to null. */
        if (fact.operation != FACT_SET)
            return ERR_OK;
        fact.operation = FACT_UNSET;
    }
    if (fact.operation == FACT_UNSET) {
        fact.kind = FACT_NONE;
        return facts_add(&profile->scratch->facts, &fact);
    }
    if (fact.operation == FACT_INCREMENT && !fact_number(&fact, &unused))
        return ERR_OK; /* the door counts it; there is nothing to add */
    trait_type_note(type, &fact, writes);
    return facts_add(&profile->scratch->facts, &fact);
}

/* An append of a list appends its elements; of more than can be kept the last ones. */
static err add_elements(struct profile *profile, const struct event_trait *trait, struct fact fact,
                        struct ledger_writes *writes)
{
    json_value list, value;
    if (json_parse(profile->parser, trait->value, &list, NULL) != ERR_OK)
        return ERR_OK;
    struct buffer *text = &profile->scratch->text;
    buffer_clear(text);
    /* First all texts, then the facts that point into them. */
    struct json_iterator iterator = json_iterate(list);
    size_t skip = json_count(list);
    skip = skip > FACT_ELEMENTS_MAX ? skip - FACT_ELEMENTS_MAX : 0;
    while (json_next(&iterator, NULL, &value)) {
        if (skip > 0) {
            skip--;
            continue;
        }
        json_write_value(text, value);
        buffer_append_byte(text, 0);
    }
    err error = buffer_status(text);
    str rest = buffer_str(text), element;
    while (error == ERR_OK && str_split(&rest, '\0', &element)) {
        struct event_trait one = { .name = trait->name,
                                   .operation = TRAIT_APPEND,
                                   .value = element };
        if (element.size > 0)
            error = add_trait(profile, &one, fact, writes);
    }
    return error;
}

/* Of one event the last word on a trait counts. */
static bool is_said_again(const struct event *event, uint32_t index)
{
    const struct event_trait *trait = &event->traits[index];
    if (trait->operation == TRAIT_INCREMENT || trait->operation == TRAIT_APPEND)
        return false;
    for (uint32_t i = index + 1; i < event->trait_count; i++) {
        if (event->traits[i].operation == trait->operation &&
            str_equal(event->traits[i].name, trait->name))
            return true;
    }
    return false;
}

static struct fact head_of(const struct event *event)
{
    struct fact fact = { .source = event->source_number,
                         .time_ms = event->time_ms,
                         .seq = event->seq };
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        if ((event->identifiers[i].flags & IDENTIFIER_BLOCKED) == 0) {
            memcpy(&fact.account, event->identifiers[i].hash, sizeof(fact.account));
            break;
        }
    }
    return fact;
}

/* A node of which more is said than can be kept goes on as it was. */
static err refused_is_told(err error, uint32_t node)
{
    if (error != ERR_TOO_LARGE)
        return error;
    log_line(LOG_WARN, "traits_refused", "customer=%u reason=\"more than %zu bytes\"", node,
             FACT_BYTES_MAX);
    return ERR_OK;
}

/* New facts are put behind the node's own; a piece of text that two facts need lies in `text`, so that
 * there is one append of a list at a time. */
static err apply_traits(struct profile *profile, const struct event *event, uint32_t node,
                        struct ledger_writes *writes)
{
    struct facts *facts = &profile->scratch->facts;
    struct fact head = head_of(event);
    facts->count = 0;
    err error = node_facts_read(profile, node, facts);
    if (error == ERR_OK && event->kind == EVENT_PROFILE && (event->flags & EVENT_DELETE) != 0) {
        struct fact unset = head;
        unset.trait = FACT_ALL_TRAITS;
        unset.operation = FACT_UNSET;
        error = facts_add(facts, &unset);
    }
    for (uint32_t i = 0; i < event->trait_count && error == ERR_OK; i++) {
        const struct event_trait *trait = &event->traits[i];
        bool list = trait->operation == TRAIT_APPEND && trait->value.size > 0 &&
                    trait->value.data[0] == '[';
        if (list) {
            error = add_elements(profile, trait, head, writes);
            if (error == ERR_OK)
                error = facts_keep_apart(profile, facts);
            if (error == ERR_OK)
                error = node_facts_store(profile, node, facts, writes);
            facts->count = 0;
            if (error == ERR_OK)
                error = node_facts_read(profile, node, facts);
        } else if (!is_said_again(event, i)) {
            error = add_trait(profile, trait, head, writes);
        }
    }
    if (error == ERR_OK)
        error = facts_keep_apart(profile, facts);
    if (error == ERR_OK)
        error = node_facts_store(profile, node, facts, writes);
    return refused_is_told(error, node);
}

err profile_correct(struct profile *profile, uint32_t node, str name, str json, uint64_t seq,
                    int64_t at_ms, struct ledger_writes *writes, struct problem *problem)
{
    struct facts *facts = &profile->scratch->facts;
    struct fact fact = { .operation = FACT_HAND, .time_ms = at_ms, .seq = seq };
    if (name.size == 0 || name.size > EVENT_NAME_BYTES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE, "a trait's name has 1 to %d bytes",
                           EVENT_NAME_BYTES_MAX);
    if (json.size > 0 && !fact_set_value(&fact, json)) {
        problem_set(problem, ERR_UNPROCESSABLE, "a correction has a value that is not null");
        return problem_at(problem, ERR_UNPROCESSABLE, "/value");
    }
    struct trait_type *type = trait_type_learn(profile, name, writes);
    if (type == NULL)
        return profile->trait_names.count > TRAIT_TYPES_MAX
                   ? problem_set(problem, ERR_UNPROCESSABLE, "there are %d traits already",
                                 TRAIT_TYPES_MAX)
                   : ERR_NOMEM;
    fact.trait = type->number;
    if (fact.kind != FACT_NONE)
        trait_type_note(type, &fact, writes);
    facts->count = 0;
    err error = node_facts_read(profile, node, facts);
    if (error == ERR_OK)
        error = facts_add(facts, &fact);
    if (error == ERR_OK)
        error = facts_keep_apart(profile, facts);
    if (error == ERR_OK)
        error = node_facts_store(profile, node, facts, writes);
    return error == ERR_TOO_LARGE
               ? problem_set(problem, ERR_UNPROCESSABLE, "more is known of her than can be kept")
               : error;
}

static str at_most(str text, size_t size_max)
{
    return str_slice(text, 0, str_utf8_prefix_bytes(text, size_max));
}

static void put_decision(uint32_t node, const struct profile_decision *decision, bool kept,
                         struct ledger_writes *writes)
{
    struct ledger_value state = ledger_text(decision->granted ? STR("granted") : STR("withdrawn"));
    struct ledger_value evidence =
        ledger_text(at_most(decision->evidence, PROFILE_EVIDENCE_BYTES_MAX));
    LEDGER_PUT(
        writes, LEDGER_CONSENT_DECISIONS, ledger_int(node), ledger_int((int64_t)decision->seq),
        ledger_text(decision->purpose), state, ledger_int(decision->at_ms),
        ledger_int(decision->source_number), ledger_int(decision->user_number),
        ledger_text(at_most(decision->text_version, PROFILE_TEXT_VERSION_BYTES_MAX)), evidence);
    if (kept)
        LEDGER_PUT(writes, LEDGER_CONSENTS, ledger_int(node), ledger_text(decision->purpose), state,
                   ledger_int(decision->at_ms), ledger_int((int64_t)decision->seq),
                   ledger_int(decision->source_number), evidence);
}

err profile_put_consent(struct profile *profile, uint32_t node,
                        const struct profile_decision *decision, struct ledger_writes *writes)
{
    str purpose = decision->purpose;
    if (purpose.size == 0 || purpose.size > PURPOSE_BYTES_MAX)
        return ERR_OK;
    uint32_t number = names_intern(&profile->purposes, purpose, PURPOSES_MAX);
    if (number == 0)
        return profile->purposes.count > PURPOSES_MAX ? ERR_OK : ERR_NOMEM;
    struct facts *facts = &profile->scratch->facts;
    struct fact fact = { .trait = number,
                         .source = decision->source_number,
                         .operation = FACT_CONSENT,
                         .kind = decision->granted ? FACT_TRUE : FACT_FALSE,
                         .time_ms = decision->at_ms,
                         .seq = decision->seq };
    facts->count = 0;
    err error = node_facts_read(profile, node, facts);
    if (error == ERR_OK)
        error = facts_add(facts, &fact);
    if (error == ERR_OK)
        error = facts_keep_apart(profile, facts);
    bool kept = false;
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct fact *there = &facts->items[i];
        kept = kept || (there->operation == FACT_CONSENT && there->trait == number &&
                        there->time_ms == fact.time_ms && there->seq == fact.seq &&
                        there->kind == fact.kind);
    }
    if (error == ERR_OK && kept)
        error = node_facts_store(profile, node, facts, NULL);
    if (error == ERR_OK && writes != NULL)
        put_decision(node, decision, kept, writes);
    return refused_is_told(error, node);
}

static err apply_consent(struct profile *profile, const struct event *event, uint32_t node,
                         struct ledger_writes *writes)
{
    bool granted = str_equal(event->type, STR("Consent Granted"));
    json_value props;
    if ((!granted && !str_equal(event->type, STR("Consent Withdrawn"))) ||
        json_parse(profile->parser, event->props, &props, NULL) != ERR_OK)
        return ERR_OK;
    /* The texts live in the parser, which nothing below uses. */
    struct profile_decision decision = {
        .purpose = json_text(json_get(props, STR("purpose"))),
        .granted = granted,
        .at_ms = event->time_ms,
        .seq = event->seq,
        .source_number = event->source_number,
        .text_version = json_text(json_get(props, STR("text_version"))),
        .evidence = json_text(json_get(props, STR("evidence"))),
    };
    /* Whose data are not to be used is said by hand (customer.restrict), and no source takes it back. */
    if (str_equal(decision.purpose, STR(PURPOSE_PROCESSING)) ||
        str_equal(decision.purpose, STR(PURPOSE_GUARDIAN)))
        return ERR_OK;
    return profile_put_consent(profile, node, &decision, writes);
}

err profile_apply(struct profile *profile, const struct event *event, uint32_t node,
                  struct ledger_writes *writes)
{
    if (event->kind == EVENT_GROUP || event->kind == EVENT_OBJECT)
        return object_apply(profile, event, writes);
    bool deletes = event->kind == EVENT_PROFILE && (event->flags & EVENT_DELETE) != 0;
    err error = ERR_OK;
    if (node != 0 && (event->trait_count > 0 || deletes))
        error = apply_traits(profile, event, node, writes);
    if (error == ERR_OK && node != 0 && event->kind == EVENT_TRACK &&
        str_starts_with(event->type, STR("Consent ")))
        error = apply_consent(profile, event, node, writes);
    return error;
}
