/* SPDX-License-Identifier: Apache-2.0 */
/* people: identities without an engine. */
#include "support/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/cmocka.h"

static void open_ledger(struct people *people)
{
    struct problem problem = { .error = ERR_OK };
    char path[96];
    snprintf(people->folder, sizeof(people->folder), "/tmp/kith_people_XXXXXX");
    assert_non_null(mkdtemp(people->folder));
    snprintf(path, sizeof(path), "%s/ledger.db", people->folder);
    struct ledger_config config = { .path = path, .readers = 3 };
    if (ledger_open(&people->ledger, &config, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    people->writes = ledger_writes_new(people->ledger);
    assert_non_null(people->writes);
}

void people_make(struct people *people, bool with_ledger)
{
    *people = (struct people){ .now_ms = PEOPLE_START_MS, .source = 1 };
    assert_ok(identity_new(&people->identity));
    assert_ok(json_parser_new(&people->parser, 1 << 20));
    if (with_ledger)
        open_ledger(people);
}

void people_remove(struct people *people)
{
    static const char *const ends[] = { "ledger.db", "ledger.db-wal", "ledger.db-shm" };
    identity_free(&people->identity);
    json_parser_free(&people->parser);
    if (people->ledger == NULL)
        return;
    ledger_writes_free(&people->writes);
    ledger_close(&people->ledger);
    for (size_t i = 0; i < 3; i++) {
        char path[96];
        snprintf(path, sizeof(path), "%s/%s", people->folder, ends[i]);
        unlink(path);
    }
    rmdir(people->folder);
}

void people_commit(struct people *people)
{
    assert_ok(ledger_apply(people->ledger, &people->writes, people->seq, NULL, NULL));
    assert_ok(ledger_drain(people->ledger));
    people->writes = ledger_writes_new(people->ledger);
    assert_non_null(people->writes);
}

void people_check(const struct people *people)
{
    struct problem problem = { .error = ERR_OK };
    if (identity_check(people->identity, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
}

void people_check_load(struct people *people)
{
    struct problem problem = { .error = ERR_OK };
    struct identity *loaded = NULL;
    people_commit(people);
    assert_ok(identity_new(&loaded));
    if (identity_load(loaded, people->ledger, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    struct digest live = { .count = 0 }, again = { .count = 0 };
    identity_digest(people->identity, &live);
    identity_digest(loaded, &again);
    assert_int_equal(live.count, again.count);
    assert_true(live.low == again.low && live.high == again.high);
    if (identity_check(loaded, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    identity_free(&loaded);
}

/* ---- events ---- */

static void hash_of(str type, str namespace_, str value, uint8_t hash[HASH_BYTES])
{
    char text[1024];
    int size = snprintf(text, sizeof(text), STR_FMT "|" STR_FMT "|" STR_FMT, STR_ARG(type),
                        STR_ARG(namespace_), STR_ARG(value));
    hash128 hashed = hash_bytes128(text, (size_t)size, 77);
    memcpy(hash, &hashed, HASH_BYTES);
}

struct event_identifier people_identifier(const char *type, const char *namespace_,
                                          const char *value, uint8_t flags)
{
    struct event_identifier identifier = { .type = str_from_c(type),
                                           .namespace_ = str_from_c(namespace_),
                                           .value = str_from_c(value),
                                           .flags = flags };
    hash_of(identifier.type, identifier.namespace_, identifier.value, identifier.hash);
    return identifier;
}

static int rank_of(str type)
{
    static const char *const names[] = {
#define X(NAME, name, ...) name,
        IDENTIFIER_TABLE(X)
#undef X
    };
    for (int i = 0; i < IDENTIFIER_BUILTIN_COUNT; i++) {
        if (str_equal(type, str_from_c(names[i])))
            return i * 2;
    }
    return IDENTIFIER_RECEIVER_KEY * 2 - 1;
}

static int compare_ranks(const void *left, const void *right)
{
    const struct event_identifier *a = left, *b = right;
    int rank_a = rank_of(a->type), rank_b = rank_of(b->type);
    if (rank_a != rank_b)
        return rank_a < rank_b ? -1 : 1;
    int by_namespace = str_compare(a->namespace_, b->namespace_);
    return by_namespace != 0 ? by_namespace : memcmp(a->hash, b->hash, HASH_BYTES);
}

void people_sort(struct event_identifier *identifiers, uint32_t count)
{
    qsort(identifiers, count, sizeof(*identifiers), compare_ranks);
}

/* Cuts `text`; the identifiers point into it. */
static uint32_t parse_words(char *text, struct event_identifier *identifiers)
{
    uint32_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        uint8_t flags = 0;
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        for (size_t size = strlen(value); size > 0; size--) {
            char *last = &value[size - 1];
            uint8_t flag = *last == '!'   ? IDENTIFIER_VERIFIED
                           : *last == '~' ? IDENTIFIER_OWN
                           : *last == '#' ? IDENTIFIER_BLOCKED
                                          : 0;
            if (flag == 0)
                break;
            flags |= flag;
            *last = '\0';
        }
        char *namespace_ = strchr(word, ':');
        if (namespace_ != NULL)
            *namespace_++ = '\0';
        identifiers[count++] =
            people_identifier(word, namespace_ != NULL ? namespace_ : "", value, flags);
    }
    return count;
}

uint32_t says_kind(struct people *people, enum event_kind kind, uint8_t flags, const char *words)
{
    char text[4096];
    struct event_identifier identifiers[EVENT_IDENTIFIERS_MAX];
    snprintf(text, sizeof(text), "%s", words);
    people->now_ms += 1000;
    struct event event = {
        .seq = ++people->seq,
        .received_ms = people->now_ms,
        .time_ms = people->now_ms - 200,
        .kind = kind,
        .flags = flags,
        .source_number = people->source,
        .identifier_count = parse_words(text, identifiers),
        .identifiers = identifiers,
    };
    people_sort(identifiers, event.identifier_count);
    assert_ok(identity_resolve(people->identity, &event, people->writes, &people->last));
    return people->last.node;
}

uint32_t says(struct people *people, const char *words)
{
    return says_kind(people, EVENT_TRACK, EVENT_TRUSTED, words);
}

uint32_t says_in_public(struct people *people, const char *words)
{
    return says_kind(people, EVENT_TRACK, 0, words);
}

/* ---- looking ---- */

uint32_t row_of(const struct people *people, const char *word)
{
    char text[512];
    struct event_identifier identifier;
    snprintf(text, sizeof(text), "%s", word);
    assert_int_equal(parse_words(text, &identifier), 1);
    return identity_find_row(people->identity, identifier.hash);
}

uint32_t who(const struct people *people, const char *word)
{
    uint32_t row = row_of(people, word);
    uint32_t node = row != 0 ? identity_row_node(people->identity, row) : 0;
    return node != 0 ? identity_root(people->identity, node) : 0;
}

bool same(const struct people *people, const char *one, const char *other)
{
    uint32_t a = who(people, one), b = who(people, other);
    assert_true(a != 0 && b != 0);
    return a == b;
}

void rules(struct people *people, const char *type, const char *json)
{
    struct problem problem = { .error = ERR_OK };
    json_value body;
    assert_ok(json_parse(people->parser, str_from_c(json), &body, &problem));
    if (identity_put_type(people->identity, str_from_c(type), body, people->writes, &problem) !=
        ERR_OK)
        fail_msg("%s", problem.detail);
}
