/* SPDX-License-Identifier: Apache-2.0 */
/* Who is it: each rule of identity by itself, on the ledger, and the same state after loading. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "support/people.h"

static int make(void **state)
{
    static struct people people;
    people_make(&people, true);
    *state = &people;
    return 0;
}

/* Whatever a test did: the invariants hold, and what was written is what is there. */
static int finish(void **state)
{
    struct people *people = *state;
    people_check(people);
    people_check_load(people);
    people_remove(people);
    return 0;
}

/* ---- finding and attaching ---- */

static void unknown_makes_customer(void **state)
{
    struct people *people = *state;
    assert_int_equal(says(people, "user_id=ann"), 1);
    assert_true(people->last.created);
    assert_int_equal(people->last.customer, 1);
    assert_int_equal(people->last.origin, row_of(people, "user_id=ann"));
    assert_int_equal(says(people, "user_id=ann"), 1);
    assert_false(people->last.created);
    assert_int_equal(says(people, "user_id=bob"), 2);
    assert_int_equal(identity_customer_count(people->identity), 2);
}

static void namespaces_are_apart(void **state)
{
    struct people *people = *state;
    says(people, "user_id:tmall=7");
    says(people, "user_id:jd=7");
    assert_false(same(people, "user_id:tmall=7", "user_id:jd=7"));
}

static void new_ones_attach_to_the_known(void **state)
{
    struct people *people = *state;
    says(people, "mobile=P1!");
    assert_int_equal(says(people, "user_id=ann mobile=P1! anonymous_id=a1"), 1);
    assert_int_equal(people->last.origin, row_of(people, "user_id=ann"));
    assert_int_equal(people->last.merge_count, 0);
    assert_int_equal(who(people, "anonymous_id=a1"), 1);
    assert_int_equal(people->last.row_count, 3);
    assert_int_equal(people->last.rows[0], row_of(people, "user_id=ann"));
}

static void nothing_usable_is_nobody(void **state)
{
    struct people *people = *state;
    assert_int_equal(says(people, "mobile=13800000000#"), 0);
    assert_int_equal(people->last.rows[0], 0);
    assert_int_equal(identity_node_count(people->identity), 0);
}

/* ---- merging and splitting ---- */

static void strong_ones_merge(void **state)
{
    struct people *people = *state;
    says(people, "user_id=ann");
    says(people, "mobile=P1!");
    assert_false(same(people, "user_id=ann", "mobile=P1!"));
    says(people, "user_id=ann mobile=P1!");
    assert_int_equal(people->last.merge_count, 1);
    assert_int_equal(people->last.merges[0].survivor, 1);
    assert_int_equal(people->last.merges[0].absorbed, 2);
    assert_true(same(people, "user_id=ann", "mobile=P1!"));
    assert_int_equal(identity_customer_count(people->identity), 1);
    uint32_t nodes[4];
    assert_int_equal(identity_nodes(people->identity, 2, nodes, 4), 2);
    assert_int_equal(nodes[0], 1);
    assert_int_equal(nodes[1], 2);
}

static void split_keeps_apart(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint32_t a, b;
    says(people, "user_id=ann");
    says(people, "mobile=P1!");
    says(people, "user_id=ann mobile=P1!");
    uint64_t merge = people->last.merges[0].id;
    assert_ok(identity_split(people->identity, merge, ++people->seq, people->now_ms, 9,
                             people->writes, &a, &b, &problem));
    assert_int_equal(a, 1);
    assert_int_equal(b, 2);
    assert_false(same(people, "user_id=ann", "mobile=P1"));
    /* The same evidence again: refused, and filed. */
    assert_int_equal(says(people, "user_id=ann mobile=P1!"), 1);
    assert_int_equal(people->last.merge_count, 0);
    assert_int_equal(people->last.refusal_count, 1);
    assert_false(same(people, "user_id=ann", "mobile=P1"));
    assert_err(identity_split(people->identity, merge, 1, 1, 9, people->writes, &a, &b, &problem),
               ERR_CONFLICT);
    assert_err(identity_split(people->identity, 99, 1, 1, 9, people->writes, &a, &b, &problem),
               ERR_NOT_FOUND);
    /* By hand they can be joined again; that removes the separation. */
    assert_ok(identity_merge(people->identity, 1, 2, ++people->seq, people->now_ms, 9,
                             people->writes, &problem));
    assert_true(same(people, "user_id=ann", "mobile=P1"));
    assert_err(identity_merge(people->identity, 1, 2, 1, 1, 9, people->writes, &problem),
               ERR_CONFLICT);
    assert_err(identity_merge(people->identity, 1, 77, 1, 1, 9, people->writes, &problem),
               ERR_NOT_FOUND);
}

static void separation_holds_over_others(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint32_t a, b;
    says(people, "user_id=ann");
    says(people, "mobile=P1!");
    says(people, "wx_unionid=w1");
    says(people, "user_id=ann mobile=P1!");
    assert_ok(identity_split(people->identity, people->last.merges[0].id, ++people->seq,
                             people->now_ms, 9, people->writes, &a, &b, &problem));
    says(people, "user_id=ann wx_unionid=w1");
    assert_true(same(people, "user_id=ann", "wx_unionid=w1"));
    /* w1 is ann's now: to join it with P1 would join ann with P1. */
    says(people, "wx_unionid=w1 mobile=P1!");
    assert_int_equal(people->last.refusal_count, 1);
    assert_false(same(people, "wx_unionid=w1", "mobile=P1"));
}

/* Two reasons for one customer: the wrong one is taken back, the right one remains. */
static void split_leaves_what_belongs_together(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint32_t a, b;
    uint32_t ann = says(people, "user_id=ann");
    uint32_t phone = says(people, "mobile=P1!");
    uint32_t stranger = says(people, "wx_unionid=w1");
    assert_ok(identity_merge(people->identity, ann, stranger, ++people->seq, people->now_ms, 1,
                             people->writes, &problem));
    assert_ok(identity_merge(people->identity, phone, stranger, ++people->seq, people->now_ms, 1,
                             people->writes, &problem));
    says(people, "user_id=ann mobile=P1!");
    assert_int_equal(people->last.merge_count, 0);
    assert_ok(identity_split(people->identity, 1, ++people->seq, people->now_ms, 1, people->writes,
                             &a, &b, &problem));
    assert_false(same(people, "user_id=ann", "mobile=P1"));
    assert_ok(identity_split(people->identity, 2, ++people->seq, people->now_ms, 1, people->writes,
                             &a, &b, &problem));
    assert_true(same(people, "user_id=ann", "mobile=P1"));
    assert_false(same(people, "user_id=ann", "wx_unionid=w1"));
}

/* ---- limits, refusals, sharing ---- */

static void limit_refuses(void **state)
{
    struct people *people = *state;
    says(people, "user_id=ann mobile=P1!");
    says(people, "user_id=bob mobile=P2!");
    says(people, "user_id=bob mobile=P1!");
    assert_int_equal(people->last.merge_count, 0);
    assert_int_equal(people->last.refusal_count, 1);
    assert_int_equal(people->last.customer, who(people, "user_id=bob"));
    assert_false(same(people, "user_id=ann", "user_id=bob"));
    assert_true(same(people, "user_id=ann", "mobile=P1"));
}

static void fourth_mobile_is_refused(void **state)
{
    struct people *people = *state;
    says(people, "user_id=ann mobile=P1!");
    says(people, "user_id=ann mobile=P2!");
    says(people, "user_id=ann mobile=P3!");
    says(people, "user_id=ann mobile=P4!");
    assert_int_equal(people->last.refusal_count, 1);
    assert_int_equal(who(people, "mobile=P4"), 0);
    assert_true(row_of(people, "mobile=P4") != 0);
    /* Alone it is a customer of its own. */
    uint32_t other = says(people, "mobile=P4!");
    assert_true(other != 0 && other != who(people, "user_id=ann"));
}

static bool note_refusal(void *context, const struct ledger_value *values)
{
    int64_t *times = context;
    times[0]++;
    times[1] += values[9].integer;
    return true;
}

static void refusal_is_filed_once_a_pair(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    says(people, "user_id=ann mobile=P1!");
    for (int day = 0; day < 3; day++) {
        says(people, "user_id=bob mobile=P1!");
        says(people, "user_id=bob mobile=P1!");
        people->now_ms += 24 * 3600 * 1000;
    }
    int64_t seen[2] = { 0, 0 };
    people_commit(people);
    assert_ok(ledger_scan(people->ledger, LEDGER_REFUSALS, NULL, note_refusal, seen, &problem));
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[1], 3); /* days */
}

static void shared_phone_finds_nobody(void **state)
{
    struct people *people = *state;
    says(people, "user_id=u0 mobile=P!");
    assert_true(same(people, "user_id=u0", "mobile=P"));
    for (int i = 1; i <= 3; i++) {
        char words[64];
        snprintf(words, sizeof(words), "user_id=u%d mobile=P!", i);
        says(people, words);
        /* At the third it becomes shared, and is taken from the first one too. */
        assert_int_equal(people->last.refusal_count, i == 3 ? 2 : 1);
    }
    assert_false(same(people, "user_id=u0", "mobile=P"));
    assert_int_equal(identity_customer_count(people->identity), 5);
    /* Even for the one who had it first: refused from now on. */
    says(people, "user_id=u0 mobile=P!");
    assert_int_equal(people->last.refusal_count, 1);
    assert_false(same(people, "user_id=u0", "mobile=P"));
    assert_int_equal(says(people, "mobile=P!"), who(people, "mobile=P"));
}

static void review_decides(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    says(people, "user_id=ann mobile=P1!");
    says(people, "user_id=bob mobile=P1!");
    says(people, "user_id=cat mobile=P1!");
    assert_ok(identity_decide(people->identity, 1, STR("merge"), ++people->seq, people->now_ms, 5,
                              people->writes, &problem));
    assert_true(same(people, "user_id=ann", "user_id=bob"));
    assert_err(
        identity_decide(people->identity, 1, STR("dismiss"), 1, 1, 5, people->writes, &problem),
        ERR_CONFLICT);
    assert_ok(identity_decide(people->identity, 2, STR("separate"), ++people->seq, people->now_ms,
                              5, people->writes, &problem));
    says(people, "user_id=cat mobile=P1!");
    assert_false(same(people, "user_id=cat", "mobile=P1"));
    assert_ok(identity_decide(people->identity, 2, STR("dismiss"), ++people->seq, people->now_ms, 5,
                              people->writes, &problem));
    assert_err(identity_decide(people->identity, 2, STR("burn"), 1, 1, 5, people->writes, &problem),
               ERR_UNPROCESSABLE);
    assert_err(
        identity_decide(people->identity, 44, STR("merge"), 1, 1, 5, people->writes, &problem),
        ERR_NOT_FOUND);
}

static bool note_status(void *context, const struct ledger_value *values)
{
    int64_t *seen = context;
    seen[0]++;
    seen[1] += str_equal(values[11].bytes, STR("open"));
    seen[2] += str_equal(values[11].bytes, STR("merged")) && values[12].integer == 0;
    return true;
}

static void assert_refusals(struct people *people, int count, int open, int by_themselves)
{
    struct problem problem = { .error = ERR_OK };
    int64_t seen[3] = { 0, 0, 0 };
    people_commit(people);
    assert_ok(identity_check(people->identity, &problem));
    assert_ok(ledger_scan(people->ledger, LEDGER_REFUSALS, NULL, note_status, seen, &problem));
    assert_int_equal(seen[0], count);
    assert_int_equal(seen[1], open);
    assert_int_equal(seen[2], by_themselves);
}

/* Who became one customer some other way needs no review any more. */
static void what_is_one_by_now_is_closed(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint32_t ann = says(people, "user_id=ann mobile=P1!");
    uint32_t bob = says(people, "user_id=bob mobile=P1!");
    says(people, "user_id=cat mobile=P1!");
    assert_refusals(people, 2, 2, 0);
    assert_ok(identity_merge(people->identity, ann, bob, ++people->seq, people->now_ms, 9,
                             people->writes, &problem));
    assert_refusals(people, 2, 1, 1);
    /* What was merely claimed comes to her who was refused it. */
    says_in_public(people, "anonymous_id=a1~ email=E1");
    says_in_public(people, "user_id=dan anonymous_id=a2~ email=E1");
    assert_refusals(people, 3, 2, 1);
    says(people, "email=E1! anonymous_id=a2");
    assert_refusals(people, 3, 1, 2);
}

static void families_follow(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint16_t families[8] = { 0 };
    uint32_t a, b;
    says_in_public(people, "anonymous_id=a1~");
    assert_int_equal(identity_identified_count(people->identity), 0);
    says(people, "tmall_open_uid=t1");
    says(people, "user_id=ann");
    assert_int_equal(identity_identified_count(people->identity), 2);
    says(people, "user_id=ann tmall_open_uid=t1");
    uint64_t merge = people->last.merges[0].id;
    assert_int_equal(identity_identified_count(people->identity), 1);
    assert_int_equal(identity_copy_families(people->identity, 1, 8, families), 3);
    assert_int_equal(families[0], FAMILY_VISITOR);
    assert_int_equal(families[1], FAMILY_TMALL | FAMILY_ACCOUNT | FAMILY_STRONG);
    assert_int_equal(families[2], 0); /* no root any more */
    assert_int_equal(families[1] & ~identity_channel_families(STR("tmall")) & ~FAMILY_STRONG,
                     FAMILY_ACCOUNT);
    assert_int_equal(families[0] & ~identity_channel_families(STR("any other")), 0);
    assert_ok(identity_split(people->identity, merge, ++people->seq, people->now_ms, 9,
                             people->writes, &a, &b, &problem));
    assert_int_equal(identity_identified_count(people->identity), 2);
    says_kind(people, EVENT_UNBIND, EVENT_TRUSTED, "user_id=ann");
    assert_int_equal(identity_identified_count(people->identity), 1);
    identity_copy_families(people->identity, 2, 2, families);
    assert_int_equal(families[0], FAMILY_TMALL | FAMILY_STRONG);
    assert_int_equal(families[1], 0);
    assert_ok(identity_check(people->identity, &problem));
}

static void window_limits(void **state)
{
    struct people *people = *state;
    rules(people, "mobile", "{\"limit\":1,\"window_days\":30}");
    says(people, "user_id=ann mobile=P1!");
    says(people, "user_id=ann mobile=P2!");
    assert_int_equal(who(people, "mobile=P2"), 0);
    people->now_ms += INT64_C(31) * 24 * 3600 * 1000;
    says(people, "user_id=ann mobile=P2!");
    assert_true(same(people, "user_id=ann", "mobile=P2"));
    assert_true(same(people, "user_id=ann", "mobile=P1"));
}

static void oldest_is_dropped(void **state)
{
    struct people *people = *state;
    rules(people, "anonymous_id", "{\"limit\":2}");
    says(people, "user_id=ann anonymous_id=a1");
    says(people, "user_id=ann anonymous_id=a2");
    says(people, "user_id=ann anonymous_id=a3");
    assert_int_equal(who(people, "anonymous_id=a1"), 0);
    assert_true(same(people, "user_id=ann", "anonymous_id=a2"));
    assert_true(same(people, "user_id=ann", "anonymous_id=a3"));
    /* Used alone again it is a new visitor. */
    uint32_t visitor = says(people, "anonymous_id=a1");
    assert_true(visitor != who(people, "user_id=ann"));
    assert_true(people->last.created);
}

/* ---- weak identifiers ---- */

static void visitor_joins_at_login(void **state)
{
    struct people *people = *state;
    says(people, "user_id=ann");
    uint32_t visitor = says(people, "anonymous_id=a1");
    says(people, "user_id=ann anonymous_id=a1");
    assert_int_equal(people->last.merge_count, 1);
    assert_int_equal(identity_root(people->identity, visitor), who(people, "user_id=ann"));
    assert_true(same(people, "user_id=ann", "anonymous_id=a1"));
}

static void new_user_takes_the_visitors_past(void **state)
{
    struct people *people = *state;
    uint32_t visitor = says(people, "anonymous_id=a1");
    assert_int_equal(says(people, "user_id=ann anonymous_id=a1"), visitor);
    assert_int_equal(people->last.merge_count, 0);
}

static void shared_device_follows_the_last_login(void **state)
{
    struct people *people = *state;
    uint32_t ann = says(people, "user_id=ann device=d1");
    uint32_t bob = says(people, "user_id=bob device=d1");
    assert_true(ann != bob);
    assert_int_equal(who(people, "device=d1"), bob);
    assert_int_equal(says(people, "device=d1"), bob);
    assert_int_equal(says(people, "user_id=ann device=d1"), ann);
    assert_int_equal(says(people, "device=d1"), ann);
    assert_int_equal(identity_customer_count(people->identity), 2);
}

static void weak_never_merges(void **state)
{
    struct people *people = *state;
    says(people, "device=d1");
    says(people, "anonymous_id=a1");
    assert_int_equal(says(people, "device=d1 anonymous_id=a1"), who(people, "device=d1"));
    assert_false(same(people, "device=d1", "anonymous_id=a1"));
    says(people, "receiver_key=r1 anonymous_id=a1");
    assert_true(same(people, "receiver_key=r1", "anonymous_id=a1"));
}

static void separated_visitor_does_not_return(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint32_t a, b;
    says(people, "user_id=ann");
    uint32_t visitor = says(people, "anonymous_id=a1");
    says(people, "user_id=ann anonymous_id=a1");
    assert_ok(identity_split(people->identity, people->last.merges[0].id, ++people->seq,
                             people->now_ms, 1, people->writes, &a, &b, &problem));
    says(people, "user_id=ann anonymous_id=a1");
    assert_int_equal(identity_root(people->identity, visitor), visitor);
    assert_true(same(people, "user_id=ann", "anonymous_id=a1"));
}

/* ---- claims ---- */

static void public_claim_attaches_to_its_visitor(void **state)
{
    struct people *people = *state;
    uint32_t visitor = says_in_public(people, "user_id=ann anonymous_id=a1~");
    assert_int_equal(who(people, "user_id=ann"), visitor);
    struct identity_row_view view;
    assert_true(identity_row_state(people->identity, row_of(people, "user_id=ann"), &view));
    assert_false(view.flags & IDENTIFIER_VERIFIED);
    assert_int_equal(people->last.origin, row_of(people, "anonymous_id=a1"));
    /* A second visitor claims the same: refused. */
    uint32_t second = says_in_public(people, "user_id=ann anonymous_id=a2~");
    assert_true(second != visitor);
    assert_int_equal(people->last.refusal_count, 1);
    assert_int_equal(who(people, "user_id=ann"), visitor);
}

static void public_claim_never_joins_the_known(void **state)
{
    struct people *people = *state;
    uint32_t ann = says(people, "user_id=ann mobile=P1!");
    uint32_t visitor = says_in_public(people, "user_id=ann mobile=P1 anonymous_id=a1~");
    assert_true(visitor != ann);
    assert_int_equal(people->last.merge_count, 0);
    assert_int_equal(people->last.refusal_count, 2);
    /* Without a visitor of its own it is nobody's: nothing is written to ann by a public key. */
    assert_int_equal(says_in_public(people, "user_id=ann"), 0);
    /* A trusted source that names both joins them. */
    says(people, "user_id=ann anonymous_id=a1");
    assert_int_equal(identity_root(people->identity, visitor), ann);
    assert_int_equal(says_in_public(people, "user_id=ann anonymous_id=a1~"),
                     identity_row_node(people->identity, row_of(people, "anonymous_id=a1")));
    assert_int_equal(people->last.refusal_count, 0);
}

static void trusted_statement_takes_a_claim(void **state)
{
    struct people *people = *state;
    uint32_t visitor = says_in_public(people, "mobile=P1 anonymous_id=a1~");
    assert_int_equal(who(people, "mobile=P1"), visitor);
    uint32_t owner = says(people, "mobile=P1!");
    assert_true(owner != visitor);
    assert_int_equal(who(people, "mobile=P1"), owner);
    assert_int_equal(who(people, "anonymous_id=a1"), visitor);
}

static void trusted_statement_confirms_a_claim(void **state)
{
    struct people *people = *state;
    uint32_t visitor = says_in_public(people, "mobile=P1 anonymous_id=a1~");
    assert_int_equal(says(people, "mobile=P1! anonymous_id=a1"), visitor);
    struct identity_row_view view;
    assert_true(identity_row_state(people->identity, row_of(people, "mobile=P1"), &view));
    assert_true(view.flags & IDENTIFIER_VERIFIED);
}

static void unverified_mobile_never_merges(void **state)
{
    struct people *people = *state;
    uint32_t bob = says(people, "user_id=bob mobile=P1!");
    says(people, "user_id=ann mobile=P1");
    assert_int_equal(people->last.refusal_count, 1);
    assert_int_equal(who(people, "mobile=P1"), bob);
    /* A trusted source may name her by it. */
    assert_int_equal(says(people, "mobile=P1"), bob);
}

static void signed_claim_counts(void **state)
{
    struct people *people = *state;
    uint32_t ann = says(people, "user_id=ann");
    uint32_t visitor = says_in_public(people, "anonymous_id=a1~");
    says_in_public(people, "user_id=ann! anonymous_id=a1~");
    assert_int_equal(people->last.merge_count, 1);
    assert_int_equal(identity_root(people->identity, visitor), ann);
}

static void claims_do_not_fill_limits(void **state)
{
    struct people *people = *state;
    says_in_public(people, "user_id=mallory anonymous_id=a1~");
    uint32_t ann = says(people, "user_id=ann anonymous_id=a1");
    assert_true(same(people, "user_id=ann", "anonymous_id=a1"));
    assert_int_equal(who(people, "user_id=mallory"), ann);
    says(people, "user_id=mallory");
    assert_false(same(people, "user_id=mallory", "user_id=ann"));
}

/* ---- unbind, alias, hashes, custom types, blocked values ---- */

static void unbind_detaches(void **state)
{
    struct people *people = *state;
    uint32_t ann = says(people, "user_id=ann mobile=P1!");
    assert_int_equal(says_kind(people, EVENT_UNBIND, EVENT_TRUSTED, "mobile=P1!"), ann);
    assert_int_equal(who(people, "mobile=P1"), 0);
    assert_int_equal(who(people, "user_id=ann"), ann);
    uint32_t bob = says(people, "user_id=bob mobile=P1!");
    assert_int_equal(who(people, "mobile=P1"), bob);
    /* In public nobody can take what was stated from anybody. */
    assert_int_equal(says_kind(people, EVENT_UNBIND, 0, "mobile=P1"), 0);
    assert_int_equal(who(people, "mobile=P1"), bob);
}

static void alias_joins(void **state)
{
    struct people *people = *state;
    says(people, "anonymous_id=a1");
    says(people, "user_id=ann");
    says_kind(people, EVENT_ALIAS, EVENT_TRUSTED, "user_id=ann anonymous_id=a1");
    assert_true(same(people, "user_id=ann", "anonymous_id=a1"));
    assert_int_equal(people->last.merge_count, 1);
}

static uint32_t resolve_one(struct people *people, struct event_identifier *identifier)
{
    people->now_ms += 1000;
    struct event event = { .seq = ++people->seq,
                           .received_ms = people->now_ms,
                           .time_ms = people->now_ms,
                           .kind = EVENT_TRACK,
                           .flags = EVENT_TRUSTED,
                           .source_number = 1,
                           .identifier_count = 1,
                           .identifiers = identifier };
    assert_ok(identity_resolve(people->identity, &event, people->writes, &people->last));
    return people->last.node;
}

static bool note_value(void *context, const struct identity_row_view *view)
{
    char *out = context;
    snprintf(out, 100, STR_FMT " " STR_FMT " %u", STR_ARG(view->type), STR_ARG(view->value),
             view->flags & (IDENTIFIER_HASHED | IDENTIFIER_VERIFIED));
    return true;
}

static void digest_and_phone_are_one(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    struct event_identifier md5 =
        people_identifier("mobile", "", "md5:abc", IDENTIFIER_VERIFIED | IDENTIFIER_HASHED);
    struct event_identifier sha =
        people_identifier("mobile", "", "sha256:def", IDENTIFIER_VERIFIED | IDENTIFIER_HASHED);
    struct event_identifier plain =
        people_identifier("mobile", "", "+8613912345678", IDENTIFIER_VERIFIED);
    plain.other_hash_count = 2;
    memcpy(plain.other_hashes[0], md5.hash, HASH_BYTES);
    memcpy(plain.other_hashes[1], sha.hash, HASH_BYTES);
    uint32_t ann = resolve_one(people, &md5);
    assert_int_equal(resolve_one(people, &plain), ann);
    assert_int_equal(resolve_one(people, &sha), ann);
    assert_int_equal(identity_row_count(people->identity), 1);
    uint32_t row = identity_find_row(people->identity, plain.hash);
    char text[100] = "";
    people_commit(people);
    assert_ok(
        identity_read_rows(people->identity, people->ledger, &row, 1, note_value, text, &problem));
    assert_string_equal(text, "mobile +8613912345678 1");
}

static void two_digests_meet_in_the_phone(void **state)
{
    struct people *people = *state;
    struct event_identifier md5 =
        people_identifier("mobile", "", "md5:abc", IDENTIFIER_VERIFIED | IDENTIFIER_HASHED);
    struct event_identifier sha =
        people_identifier("mobile", "", "sha256:def", IDENTIFIER_VERIFIED | IDENTIFIER_HASHED);
    struct event_identifier plain =
        people_identifier("mobile", "", "+8613912345678", IDENTIFIER_VERIFIED);
    plain.other_hash_count = 2;
    memcpy(plain.other_hashes[0], md5.hash, HASH_BYTES);
    memcpy(plain.other_hashes[1], sha.hash, HASH_BYTES);
    uint32_t one = resolve_one(people, &md5), other = resolve_one(people, &sha);
    assert_true(one != other);
    resolve_one(people, &plain);
    assert_int_equal(identity_customer_count(people->identity), 1);
}

static void custom_types_start_weak(void **state)
{
    struct people *people = *state;
    says(people, "user_id=ann loyalty=L1");
    says(people, "user_id=bob loyalty=L1");
    assert_false(same(people, "user_id=ann", "user_id=bob"));
    rules(people, "loyalty", "{\"strength\":\"strong\",\"limit\":3,\"over_limit\":\"refuse\"}");
    rules(people, "user_id", "{\"limit\":2}");
    says(people, "user_id=ann loyalty=L1");
    assert_true(same(people, "user_id=ann", "user_id=bob"));
}

static void bad_rules_change_nothing(void **state)
{
    struct people *people = *state;
    static const char *const bad[] = {
        "{\"limit\":-1}",
        "{\"limit\":1000000}",
        "{\"strength\":\"mighty\"}",
        "{\"strong\":1}",
        "{\"over_limit\":\"explode\"}",
        "{\"blocked\":[1]}",
        "{\"blocked\":\"x\"}",
        "{\"limit\":9,\"blocked_patterns\":[\"(\"]}",
        "[]",
    };
    struct buffer before, after;
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    identity_write_types(people->identity, &before);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct problem problem = { .error = ERR_OK };
        json_value body;
        assert_ok(json_parse(people->parser, str_from_c(bad[i]), &body, &problem));
        assert_err(
            identity_put_type(people->identity, STR("mobile"), body, people->writes, &problem),
            ERR_UNPROCESSABLE);
        assert_true(problem.detail[0] != '\0');
        assert_err(
            identity_put_type(people->identity, STR("brand_new"), body, people->writes, &problem),
            ERR_UNPROCESSABLE);
    }
    identity_write_types(people->identity, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    buffer_deinit(&before);
    buffer_deinit(&after);
}

static void blocked_values_find_nobody(void **state)
{
    struct people *people = *state;
    rules(people, "member_card", "{\"blocked\":[\"0000\"],\"blocked_patterns\":[\"^TEST\"]}");
    assert_int_equal(says(people, "member_card=0000"), 0);
    assert_int_equal(says(people, "member_card=TEST77"), 0);
    assert_true(says(people, "member_card=7") != 0);
    uint32_t ann = says(people, "user_id=ann member_card=0000");
    assert_int_equal(people->last.rows[1], 0);
    assert_true(says(people, "user_id=bob member_card=0000") != ann);
    assert_int_equal(people->last.refusal_count, 0);
}

static void pathological_pattern_ends(void **state)
{
    struct people *people = *state;
    rules(people, "member_card", "{\"blocked_patterns\":[\"^(a+)+$\"]}");
    assert_true(says(people, "member_card=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab") != 0);
}

/* ---- changed rules ---- */

static void apply_rules(struct people *people, struct buffer *report)
{
    struct problem problem = { .error = ERR_OK };
    people_commit(people);
    buffer_clear(report);
    if (identity_apply_rules(people->identity, people->ledger, ++people->seq, people->now_ms,
                             people->writes, report, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    people_commit(people);
}

static void whatif(struct people *people, const char *types, struct buffer *out)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer current;
    json_value body;
    buffer_init(&current, 1 << 20);
    identity_write_types(people->identity, &current);
    people_commit(people);
    buffer_clear(out);
    assert_ok(json_parse(people->parser, str_from_c(types), &body, &problem));
    if (identity_whatif(people->ledger, NULL, buffer_str(&current), body, out, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    buffer_deinit(&current);
}

static void assert_counts(struct people *people, const struct buffer *report, int merges,
                          int splits)
{
    json_value root;
    assert_ok(json_parse(people->parser, buffer_str(report), &root, NULL));
    assert_int_equal(json_int(json_get(json_get(root, STR("merges")), STR("count")), -1), merges);
    assert_int_equal(json_int(json_get(json_get(root, STR("splits")), STR("count")), -1), splits);
}

static void wider_limit_merges_what_was_refused(void **state)
{
    struct people *people = *state;
    struct buffer report;
    buffer_init(&report, 1 << 20);
    says(people, "user_id=ann mobile=P1!");
    says(people, "user_id=bob mobile=P1!");
    whatif(people, "[{\"name\":\"user_id\",\"limit\":2}]", &report);
    assert_counts(people, &report, 1, 0);
    assert_false(same(people, "user_id=ann", "user_id=bob"));
    rules(people, "user_id", "{\"limit\":2}");
    apply_rules(people, &report);
    assert_counts(people, &report, 1, 0);
    assert_true(same(people, "user_id=ann", "user_id=bob"));
    apply_rules(people, &report);
    assert_counts(people, &report, 0, 0);
    /* And back. */
    whatif(people, "[{\"name\":\"user_id\",\"limit\":1}]", &report);
    assert_counts(people, &report, 0, 1);
    rules(people, "user_id", "{\"limit\":1}");
    apply_rules(people, &report);
    assert_counts(people, &report, 0, 1);
    assert_false(same(people, "user_id=ann", "user_id=bob"));
    rules(people, "user_id", "{\"limit\":2}");
    apply_rules(people, &report);
    assert_counts(people, &report, 1, 0);
    assert_true(same(people, "user_id=ann", "user_id=bob"));
    buffer_deinit(&report);
}

struct looker {
    const struct identity *identity;
    int count;
};

static void look_around(void *context)
{
    struct looker *looker = context;
    struct problem problem = { .error = ERR_OK };
    if (identity_check(looker->identity, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    looker->count++;
}

/* Others look at the state while rules are applied: it is whole then. */
static void state_is_whole_in_between(void **state)
{
    struct people *people = *state;
    struct looker looker = { .identity = people->identity };
    struct buffer report;
    char words[96];
    buffer_init(&report, 1 << 20);
    for (int i = 0; i < 1500; i++) {
        snprintf(words, sizeof(words), "user_id=u%d mobile=P%d!", i, i);
        says(people, words);
        snprintf(words, sizeof(words), "user_id=v%d", i);
        says(people, words);
        snprintf(words, sizeof(words), "user_id=v%d mobile=P%d!", i, i);
        says(people, words);
    }
    rules(people, "user_id", "{\"limit\":2}");
    identity_on_pause(people->identity, look_around, &looker);
    apply_rules(people, &report);
    assert_int_equal(who(people, "user_id=u7"), who(people, "user_id=v7"));
    assert_true(looker.count > 4);
    /* On the way back some are still over the new limit in between. */
    identity_on_pause(people->identity, NULL, NULL);
    rules(people, "user_id", "{\"limit\":1}");
    apply_rules(people, &report);
    assert_int_not_equal(who(people, "user_id=u7"), who(people, "user_id=v7"));
    buffer_deinit(&report);
}

static void weaker_type_splits(void **state)
{
    struct people *people = *state;
    struct buffer report;
    buffer_init(&report, 1 << 20);
    says(people, "user_id=ann");
    says(people, "email=e1!");
    says(people, "user_id=ann email=e1!");
    assert_true(same(people, "user_id=ann", "email=e1"));
    rules(people, "email", "{\"strong\":false}");
    apply_rules(people, &report);
    assert_counts(people, &report, 0, 1);
    assert_false(same(people, "user_id=ann", "email=e1"));
    buffer_deinit(&report);
}

static void stronger_type_merges_those_who_used_it(void **state)
{
    struct people *people = *state;
    struct buffer report;
    buffer_init(&report, 1 << 20);
    rules(people, "user_id", "{\"limit\":3}");
    says(people, "user_id=ann loyalty=L1");
    says(people, "user_id=bob loyalty=L1");
    assert_false(same(people, "user_id=ann", "user_id=bob"));
    rules(people, "loyalty", "{\"strong\":true}");
    apply_rules(people, &report);
    assert_counts(people, &report, 1, 0);
    assert_true(same(people, "user_id=ann", "user_id=bob"));
    buffer_deinit(&report);
}

/* In the same block as the command: what the ledger does not have yet counts too. */
static void rules_see_what_is_not_committed(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    rules(people, "user_id", "{\"limit\":3}");
    says(people, "user_id=ann loyalty=L1");
    says(people, "member_card=0000");
    people_commit(people);
    identity_committed(people->identity, identity_row_count(people->identity));
    says(people, "user_id=bob loyalty=L1");
    says(people, "member_card=0001");
    rules(people, "loyalty", "{\"strong\":true}");
    rules(people, "member_card", "{\"blocked\":[\"0000\",\"0001\"]}");
    assert_ok(identity_apply_rules(people->identity, people->ledger, ++people->seq, people->now_ms,
                                   people->writes, NULL, &problem));
    assert_true(same(people, "user_id=ann", "user_id=bob"));
    assert_int_equal(who(people, "member_card=0000"), 0);
    assert_int_equal(who(people, "member_card=0001"), 0);
}

static void newly_blocked_value_lets_go(void **state)
{
    struct people *people = *state;
    struct buffer report;
    buffer_init(&report, 1 << 20);
    says(people, "user_id=ann");
    says(people, "member_card=0000");
    says(people, "user_id=ann member_card=0000");
    assert_true(same(people, "user_id=ann", "member_card=0000"));
    rules(people, "member_card", "{\"blocked\":[\"0000\"]}");
    apply_rules(people, &report);
    assert_counts(people, &report, 0, 1);
    assert_int_equal(who(people, "member_card=0000"), 0);
    assert_int_equal(says(people, "member_card=0000"), 0);
    rules(people, "member_card", "{\"blocked\":[]}");
    apply_rules(people, &report);
    assert_true(says(people, "member_card=0000") != 0);
    buffer_deinit(&report);
}

static void sharing_can_be_taken_back(void **state)
{
    struct people *people = *state;
    struct buffer report;
    buffer_init(&report, 1 << 20);
    for (int i = 0; i < 5; i++) {
        char words[64];
        snprintf(words, sizeof(words), "user_id=u%d mobile=P!", i);
        says(people, words);
    }
    assert_false(same(people, "user_id=u0", "mobile=P"));
    rules(people, "mobile", "{\"shared_after\":0}");
    rules(people, "user_id", "{\"limit\":10}");
    apply_rules(people, &report);
    for (int i = 0; i < 5; i++) {
        char word[64];
        snprintf(word, sizeof(word), "user_id=u%d", i);
        assert_int_equal(who(people, word), who(people, "mobile=P"));
    }
    buffer_deinit(&report);
}

/* What a what-if says is what is then done. */
static void lower_limit_in_one_node(void **state)
{
    struct people *people = *state;
    struct buffer report;
    buffer_init(&report, 1 << 20);
    says(people, "user_id=ann mobile=P1!");
    says(people, "user_id=ann mobile=P2!");
    says(people, "user_id=ann mobile=P3!");
    rules(people, "mobile", "{\"limit\":1}");
    apply_rules(people, &report);
    assert_true(same(people, "user_id=ann", "mobile=P1"));
    assert_int_equal(who(people, "mobile=P2"), 0);
    assert_int_equal(who(people, "mobile=P3"), 0);
    buffer_deinit(&report);
}

/* ---- reading ---- */

static bool note_link(void *context, const struct identity_link *link)
{
    char *text = context;
    size_t size = strlen(text);
    snprintf(text + size, 200 - size, STR_FMT ":%u ", STR_ARG(link->cause), link->customer);
    return true;
}

static void links_tell_the_way(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    char text[200] = "";
    says(people, "device=d1");
    says(people, "user_id=ann device=d1");
    says(people, "user_id=bob device=d1");
    says_kind(people, EVENT_UNBIND, EVENT_TRUSTED, "device=d1");
    people_commit(people);
    assert_ok(identity_read_links(people->ledger, row_of(people, "device=d1"), note_link, text,
                                  &problem));
    assert_string_equal(text, "first:1 moved:2 unbound:0 ");
}

static void pending_rows_are_there_until_committed(void **state)
{
    struct people *people = *state;
    struct identity_row_view view;
    says(people, "user_id=ann mobile=P1!");
    uint32_t row = row_of(people, "mobile=P1");
    assert_true(identity_pending_row(people->identity, row, &view));
    assert_str_equal(view.value, STR("P1"));
    assert_str_equal(view.type, STR("mobile"));
    assert_true(view.flags & IDENTIFIER_VERIFIED);
    identity_committed(people->identity, row);
    assert_false(identity_pending_row(people->identity, row, &view));
    assert_true(identity_row_state(people->identity, row, &view));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make, finish)
    const struct CMUnitTest tests[] = {
        T(unknown_makes_customer),
        T(namespaces_are_apart),
        T(new_ones_attach_to_the_known),
        T(nothing_usable_is_nobody),
        T(strong_ones_merge),
        T(split_keeps_apart),
        T(split_leaves_what_belongs_together),
        T(separation_holds_over_others),
        T(limit_refuses),
        T(fourth_mobile_is_refused),
        T(refusal_is_filed_once_a_pair),
        T(shared_phone_finds_nobody),
        T(review_decides),
        T(what_is_one_by_now_is_closed),
        T(families_follow),
        T(window_limits),
        T(oldest_is_dropped),
        T(visitor_joins_at_login),
        T(new_user_takes_the_visitors_past),
        T(shared_device_follows_the_last_login),
        T(weak_never_merges),
        T(separated_visitor_does_not_return),
        T(public_claim_attaches_to_its_visitor),
        T(public_claim_never_joins_the_known),
        T(trusted_statement_takes_a_claim),
        T(trusted_statement_confirms_a_claim),
        T(unverified_mobile_never_merges),
        T(signed_claim_counts),
        T(claims_do_not_fill_limits),
        T(unbind_detaches),
        T(alias_joins),
        T(digest_and_phone_are_one),
        T(two_digests_meet_in_the_phone),
        T(custom_types_start_weak),
        T(bad_rules_change_nothing),
        T(blocked_values_find_nobody),
        T(pathological_pattern_ends),
        T(wider_limit_merges_what_was_refused),
        T(state_is_whole_in_between),
        T(weaker_type_splits),
        T(stronger_type_merges_those_who_used_it),
        T(rules_see_what_is_not_committed),
        T(newly_blocked_value_lets_go),
        T(sharing_can_be_taken_back),
        T(lower_limit_in_one_node),
        T(links_tell_the_way),
        T(pending_rows_are_there_until_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
