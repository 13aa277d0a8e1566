/* SPDX-License-Identifier: Apache-2.0 */
/* question: what is asked about everybody while somebody waits: previews, changes before they are saved.
 *
 * The engine compiles the rule and shares what it needs (begin); the asking thread and one of its own then go
 * through the customers in slices, until done, cancelled, or out of time. A part of the base that was gone
 * through is no lie: the answer says so, and counts are scaled to the whole. */
#include <string.h>

#include "audience/question.h"

#define SLICE_CUSTOMERS 4096u
#define SAMPLE_MAX 20
/* What memory does not hold takes longer to read: so many times the budget. */
#define STREAMS_LONGER 10

struct sample {
    uint32_t customers[SAMPLE_MAX];
    uint32_t count;
};

/* What one thread has counted; added up at the end. */
struct tally {
    struct stream_list lacking; /* who lacks events in memory: told by rows that are read back */
    uint64_t customers, count, enters, leaves, changes;
    struct reach_counts reach;
    struct sample sample, entering, leaving;
    roaring_bitmap_t *listed; /* who holds, older than where a listing begins; NULL: nobody is */
    uint64_t *conditions;
    struct scanner *scanner;
};

struct scanner {
    struct audience_question *question;
    const _Atomic bool *cancel;
    steady_ns start;
    int64_t budget_ms;
    _Atomic uint32_t next; /* slice */
    _Atomic uint32_t done;
    _Atomic bool stopped, failed, gone, streams;
    pthread_t asking;
    pthread_mutex_t mutex;
    struct tally total;
};

/* ---- beginning ---- */

static err compile_preview(struct audience_question *question, json_value body,
                           struct problem *problem)
{
    struct audience *audience = question->audience;
    if (json_kind(json_get(body, STR("rule"))) != JSON_OBJECT) {
        problem_set(problem, ERR_UNPROCESSABLE, "rule is a rule: an object");
        return problem_at(problem, ERR_UNPROCESSABLE, "/rule");
    }
    return recipe_new(audience, AUDIENCE_SEGMENT, body, &question->recipe, problem);
}

static err compile_change(struct audience_question *question, str key, json_value body,
                          struct problem *problem)
{
    struct audience *audience = question->audience;
    bool is_tag = question->kind == AUDIENCE_CHANGE_TAG;
    err error = recipe_new(audience, is_tag ? AUDIENCE_TAG : AUDIENCE_SEGMENT, body,
                           &question->recipe, problem);
    if (error == ERR_OK &&
        (question->recipe->form == FORM_GIVEN || question->recipe->on != 0 ||
         (question->recipe->form == FORM_RFM && question->recipe->quantiles > 0)))
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "nothing is computed by rules: there is no change to preview");
    if (error == ERR_OK)
        question->definition =
            definition_find(audience, is_tag ? AUDIENCE_TAG : AUDIENCE_SEGMENT, key);
    if (error == ERR_OK && question->recipe->form == FORM_COUNT &&
        question->recipe->kind == RULE_TEXT)
        error = lexicon_new(&question->texts, AUDIENCE_TEXT_VALUES_MAX);
    return error;
}

static err take_facts(struct audience_question *question)
{
    struct audience *audience = question->audience;
    err error = others_take(audience, &question->recipe->needs, &question->facts.others);
    if (error == ERR_OK && question->definition != NULL) {
        uint32_t number = question->definition->number;
        struct needs needs = { .others = &number, .other_count = 1 };
        error = others_take(audience, &needs, &question->facts.others);
    }
    question->facts.audience = audience;
    objects_for_scan(&question->facts);
    if (error == ERR_OK)
        error = stream_form_recipe(&question->form, audience->config.history, question->recipe);
    return error;
}

static bool is_compared(enum audience_question_kind kind)
{
    return kind == AUDIENCE_OVERLAP || kind == AUDIENCE_PROFILE || kind == AUDIENCE_MAP ||
           kind == AUDIENCE_REACH;
}

static bool is_of_objects(json_value body)
{
    str on = json_text(json_get(body, STR("on")));
    return on.size > 0 && !str_equal(on, STR("customer"));
}

err audience_question_begin(struct audience *audience, enum audience_question_kind kind, str key,
                            json_value body, bool *is_ready, struct audience_question **question,
                            struct problem *problem)
{
    struct audience_question *made = memory_alloc(sizeof *made);
    bool ready = true;
    if (made == NULL)
        return ERR_NOMEM;
    live_settle_few(audience);
    made->audience = audience;
    made->kind = kind;
    stream_form_init(&made->form);
    if (audience->config.applied_seq != NULL)
        made->seq = audience->config.applied_seq(audience->config.context);
    made->now_ms = audience->now_ms;
    made->last = identity_node_count(audience->config.identity);
    made->customers = identity_customer_count(audience->config.identity);
    made->is_part = audience->lens_is_on;
    err error = lens_share(audience, &made->part);
    if (made->is_part)
        made->customers = (uint32_t)made->part.count;
    bool of_objects = kind == AUDIENCE_PREVIEW && is_of_objects(body);
    if (error != ERR_OK)
        ready = false;
    else if (of_objects && made->is_part)
        error = problem_set(problem, ERR_UNPROCESSABLE,
                            "objects are counted over everybody: not for who sees a part");
    else if (of_objects)
        error = objects_question_begin(made, body, &ready, problem);
    else if (is_compared(kind))
        error = compare_begin(made, key, body, problem);
    else if (kind == AUDIENCE_PREVIEW)
        error = compile_preview(made, body, problem);
    else
        error = compile_change(made, key, body, problem);
    if (error == ERR_OK && made->recipe != NULL && !of_objects)
        error = recipe_prepare(audience, made->recipe, &ready, problem);
    if (error == ERR_OK && (kind == AUDIENCE_REACH || kind == AUDIENCE_PREVIEW) && !of_objects)
        error = reach_want(audience, &ready);
    if (error == ERR_OK && ready && made->recipe != NULL && !of_objects)
        error = take_facts(made);
    ready = ready && !objects_are_dirty(audience);
    *is_ready = ready;
    if (error == ERR_OK && ready)
        *question = made;
    else
        audience_question_free(&made);
    if (!ready && audience->config.wake != NULL)
        audience->config.wake(audience->config.context);
    return error;
}

void audience_question_watch(struct audience_question *question, bool (*is_gone)(void *context),
                             void *context)
{
    question->is_gone = is_gone;
    question->gone_context = context;
}

void audience_question_list(struct audience_question *question, struct audience_listing *listing)
{
    question->listing = listing;
}

void audience_question_me(struct audience_question *question, str me)
{
    question->me = me;
}

void audience_question_free(struct audience_question **question)
{
    struct audience_question *gone = *question;
    *question = NULL;
    if (gone == NULL)
        return;
    recipe_release(&gone->recipe);
    lexicon_free(&gone->texts);
    others_free(&gone->facts.others);
    stream_form_deinit(&gone->form);
    compare_free(gone);
    objects_question_free(gone);
    set_deinit(&gone->part);
    memory_free(gone);
}

/* ---- on the threads ---- */

static void add_sample(struct sample *sample, uint32_t customer)
{
    if (sample->count < SAMPLE_MAX)
        sample->customers[sample->count++] = customer;
}

static bool is_listed(const struct audience_listing *listing, uint32_t customer)
{
    return listing->before == 0 || customer < listing->before;
}

static bool found_in_preview(void *context, uint32_t customer)
{
    struct tally *tally = context;
    tally->count++;
    add_sample(&tally->sample, customer);
    if (tally->listed != NULL && is_listed(tally->scanner->question->listing, customer))
        roaring_bitmap_add(tally->listed, customer);
    reach_count(tally->scanner->question->audience, &tally->reach, customer);
    return true;
}

static bool leave_out(void *context, uint32_t customer)
{
    struct tally *tally = context;
    return stream_list_add(&tally->lacking, customer);
}

/* The value as the definition knows it, so that both can be compared; -1: one that nobody has had. */
static int64_t known_value(const struct audience_question *question, int64_t value)
{
    const struct definition *definition = question->definition;
    const struct recipe *recipe = question->recipe;
    str text;
    if (value == NO_VALUE)
        return value;
    if (question->texts != NULL)
        text = lexicon_at(question->texts, (uint32_t)value)->text;
    else if (recipe->in_sets && question->kind == AUDIENCE_CHANGE_TAG)
        text = recipe->values[value - 1];
    else
        return value;
    uint32_t code = definition != NULL ? lexicon_find(definition->texts, text) : 0;
    return code != 0 ? (int64_t)code : -1;
}

struct comparing {
    struct tally *tally;
    struct judging *judging;
};

static bool compare_one(void *context, uint32_t customer, const struct history_view *view)
{
    struct comparing *comparing = context;
    struct tally *tally = comparing->tally;
    const struct audience_question *question = tally->scanner->question;
    const struct definition *definition = question->definition;
    struct verdict verdict;
    recipe_judge(question->recipe, question->texts, comparing->judging, customer, view,
                 question->now_ms + 1, &verdict);
    if (lacked_events(question->audience, comparing->judging->judge))
        return leave_out(tally, customer);
    int64_t before = definition != NULL
                         ? others_get(&question->facts.others, definition->number, customer)
                         : NO_VALUE;
    int64_t after = known_value(question, verdict.value);
    tally->count += after != NO_VALUE;
    if (before == after)
        return true;
    tally->changes++;
    if (before == NO_VALUE) {
        tally->enters++;
        add_sample(&tally->entering, customer);
    } else if (after == NO_VALUE) {
        tally->leaves++;
        add_sample(&tally->leaving, customer);
    }
    return true;
}

/* Of who is seen, those next to each other at once: the scan is as long as what is seen. */
struct runs {
    struct tally *tally;
    struct judging *judging;
    struct history_reader *reader;
    uint32_t from, to, end; /* the run so far; where the slice ends */
    err error;
};

static err scan_run(struct tally *tally, struct judging *judging, struct history_reader *reader,
                    uint32_t from, uint32_t to);

static bool add_to_run(void *context, uint32_t customer)
{
    struct runs *runs = context;
    if (customer >= runs->end)
        return false;
    if (customer == runs->to) {
        runs->to++;
        return true;
    }
    if (runs->from < runs->to)
        runs->error = scan_run(runs->tally, runs->judging, runs->reader, runs->from, runs->to);
    runs->from = customer;
    runs->to = customer + 1;
    return runs->error == ERR_OK;
}

static err scan_seen(struct tally *tally, struct judging *judging, struct history_reader *reader,
                     uint32_t from, uint32_t to)
{
    const struct audience_question *question = tally->scanner->question;
    struct runs runs = { tally, judging, reader, from, from, to, ERR_OK };
    if (!question->is_part)
        return scan_run(tally, judging, reader, from, to);
    set_visit(&question->part, from, add_to_run, &runs);
    if (runs.error == ERR_OK && runs.from < runs.to)
        runs.error = scan_run(tally, judging, reader, runs.from, runs.to);
    return runs.error;
}

static err scan_slice(struct tally *tally, struct judging *judging, struct history_reader *reader,
                      uint32_t from, uint32_t to)
{
    if (tally->scanner->question->audience->config.past != NULL)
        rule_judge_on_partial(judging->judge, leave_out, tally);
    history_read_begin(reader);
    err error = scan_seen(tally, judging, reader, from, to);
    history_read_end(reader);
    return error == ERR_OK ? rule_judge_status(judging->judge) : error;
}

static err scan_run(struct tally *tally, struct judging *judging, struct history_reader *reader,
                    uint32_t from, uint32_t to)
{
    const struct audience_question *question = tally->scanner->question;
    struct comparing comparing = { tally, judging };
    err error = ERR_OK;
    if (question->kind == AUDIENCE_PREVIEW && question->recipe->form == FORM_RULE)
        error =
            rule_scan(judging->judge, question->recipe->rules[0], reader, &judging->facts,
                      question->now_ms + 1, from, to, found_in_preview, tally, tally->conditions);
    else
        history_scan(reader, from, to, compare_one, &comparing);
    return error;
}

/* ---- what memory lacks ---- */

struct streamed {
    struct tally *tally;
    struct judging *judging;
    bool asks;
};

static bool is_over(struct scanner *scanner, bool asks);

static bool tell_streamed(void *context, uint32_t customer, const struct history_view *view)
{
    struct streamed *streamed = context;
    struct tally *tally = streamed->tally;
    struct scanner *scanner = tally->scanner;
    const struct audience_question *question = scanner->question;
    struct judging *judging = streamed->judging;
    struct comparing comparing = { tally, judging };
    err error = ERR_OK;
    if (question->kind == AUDIENCE_PREVIEW && question->recipe->form == FORM_RULE)
        error = rule_scan_one(judging->judge, question->recipe->rules[0], customer, view,
                              &judging->facts, question->now_ms + 1, found_in_preview, tally,
                              tally->conditions);
    else
        (void)compare_one(&comparing, customer, view);
    if (error != ERR_OK)
        atomic_store(&scanner->failed, true);
    atomic_fetch_add(&scanner->done, 1);
    return !is_over(scanner, streamed->asks);
}

static void stream_lacking(struct tally *tally, struct judging *judging,
                           struct history_reader *reader, bool asks)
{
    struct scanner *scanner = tally->scanner;
    struct audience_question *question = scanner->question;
    struct problem problem = { .error = ERR_OK };
    struct streamed streamed = { tally, judging, asks };
    struct streaming streaming = { .form = &question->form,
                                   .until_seq = question->seq,
                                   .reader = reader,
                                   .visit = tell_streamed,
                                   .context = &streamed };
    if (tally->lacking.count == 0)
        return;
    atomic_store(&scanner->streams, true);
    err error = stream_customers(question->audience, &streaming, tally->lacking.customers,
                                 tally->lacking.count, &problem);
    if (error == ERR_NOMEM)
        atomic_store(&scanner->failed, true);
    else if (error != ERR_OK) /* what could not be read back is said to be left out */
        log_line(LOG_WARN, "question_not_streamed", "reason=\"%s\"",
                 problem.detail[0] != '\0' ? problem.detail : err_title(error));
}

/* One of the threads asks; the other hears of it. */
static bool asker_is_gone(const struct scanner *scanner)
{
    const struct audience_question *question = scanner->question;
    return question->is_gone != NULL && question->is_gone(question->gone_context);
}

static bool is_over(struct scanner *scanner, bool asks)
{
    if (asks && asker_is_gone(scanner)) {
        atomic_store(&scanner->gone, true);
        atomic_store(&scanner->stopped, true);
    }
    if ((scanner->cancel != NULL && atomic_load(scanner->cancel)) ||
        steady_since_ms(scanner->start) >=
            scanner->budget_ms * (atomic_load(&scanner->streams) ? STREAMS_LONGER : 1))
        atomic_store(&scanner->stopped, true);
    return atomic_load(&scanner->stopped) || atomic_load(&scanner->failed);
}

static void join_samples(struct sample *to, const struct sample *from)
{
    for (uint32_t i = 0; i < from->count; i++)
        add_sample(to, from->customers[i]);
}

static void join_tally(struct tally *to, const struct tally *from, size_t condition_count)
{
    to->count += from->count;
    to->enters += from->enters;
    to->leaves += from->leaves;
    to->changes += from->changes;
    reach_join(&to->reach, &from->reach);
    for (size_t i = 0; i < condition_count; i++)
        to->conditions[i] += from->conditions[i];
    join_samples(&to->sample, &from->sample);
    join_samples(&to->entering, &from->entering);
    join_samples(&to->leaving, &from->leaving);
    if (to->listed != NULL && from->listed != NULL)
        roaring_bitmap_or_inplace(to->listed, from->listed);
}

static size_t conditions_of(const struct audience_question *question)
{
    return question->kind == AUDIENCE_PREVIEW && question->recipe->form == FORM_RULE
               ? rule_condition_count(question->recipe->rules[0])
               : 0;
}

static void *scan_thread(void *context)
{
    struct scanner *scanner = context;
    struct audience_question *question = scanner->question;
    struct judging judging = { .audience = question->audience, .zone = question->audience->zone };
    struct history_reader *reader = NULL;
    struct tally tally = { .scanner = scanner };
    size_t conditions = conditions_of(question);
    facts_for_scan(&question->facts, &judging.facts);
    judging.facts.me = question->me;
    tally.conditions = memory_alloc((conditions + 1) * sizeof(*tally.conditions));
    if (question->listing != NULL)
        tally.listed = roaring_bitmap_create();
    if ((question->listing != NULL && tally.listed == NULL) || tally.conditions == NULL ||
        rule_judge_new(&judging.judge) != ERR_OK ||
        history_reader_new(&reader, question->audience->config.history) != ERR_OK)
        atomic_store(&scanner->failed, true);
    bool asks = pthread_equal(pthread_self(), scanner->asking) != 0;
    while (!is_over(scanner, asks)) {
        uint64_t from = (uint64_t)atomic_fetch_add(&scanner->next, 1) * SLICE_CUSTOMERS + 1;
        if (from > question->last)
            break;
        uint64_t to = from + SLICE_CUSTOMERS;
        size_t left = tally.lacking.count;
        if (to > (uint64_t)question->last + 1)
            to = (uint64_t)question->last + 1;
        if (scan_slice(&tally, &judging, reader, (uint32_t)from, (uint32_t)to) != ERR_OK)
            atomic_store(&scanner->failed, true);
        /* who waits for her rows is not done yet */
        atomic_fetch_add(&scanner->done,
                         (uint32_t)(to - from) - (uint32_t)(tally.lacking.count - left));
    }
    if (!atomic_load(&scanner->stopped) && !atomic_load(&scanner->failed))
        stream_lacking(&tally, &judging, reader, asks);
    pthread_mutex_lock(&scanner->mutex);
    if (tally.conditions != NULL)
        join_tally(&scanner->total, &tally, conditions);
    pthread_mutex_unlock(&scanner->mutex);
    memory_free(tally.conditions);
    if (tally.listed != NULL)
        roaring_bitmap_free(tally.listed);
    stream_list_free(&tally.lacking);
    rule_judge_free(&judging.judge);
    history_reader_free(&reader);
    return NULL;
}

/* ---- the answer ---- */

static double scale_of(const struct scanner *scanner)
{
    uint32_t done = atomic_load(&scanner->done), last = scanner->question->last;
    return done == 0 || done >= last ? 1 : (double)last / (double)done;
}

static uint64_t scaled(const struct scanner *scanner, uint64_t count)
{
    double scale = scale_of(scanner);
    return scale > 1 ? (uint64_t)((double)count * scale + 0.5) : count;
}

static void member_count(struct json_writer *writer, const struct scanner *scanner, str key,
                         uint64_t count)
{
    json_member_int(writer, key, (int64_t)scaled(scanner, count));
}

static void member_sample(struct json_writer *writer, str key, const struct sample *sample)
{
    json_put_key(writer, key);
    json_begin_array(writer);
    for (uint32_t i = 0; i < sample->count; i++) {
        json_begin_object(writer);
        json_member_int(writer, STR("$customer"), sample->customers[i]);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_conditions(struct json_writer *writer, const struct scanner *scanner)
{
    const struct rule *rule = scanner->question->recipe->rules[0];
    json_put_key(writer, STR("conditions"));
    json_begin_array(writer);
    for (size_t i = 0; i < conditions_of(scanner->question); i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("path"), rule_condition_path(rule, i));
        member_count(writer, scanner, STR("count"), scanner->total.conditions[i]);
        json_end_object(writer);
    }
    json_end_array(writer);
}

/* How many of the base were looked at: numbers beyond it, of who is not seen or gone, are nobody's business. */
static int64_t looked_at(const struct scanner *scanner)
{
    uint64_t done = atomic_load(&scanner->done), last = scanner->question->last;
    uint64_t base = scanner->question->customers;
    return (int64_t)(done >= last ? base : base * done / last);
}

static void write_scanned(const struct scanner *scanner, struct buffer *out)
{
    const struct audience_question *question = scanner->question;
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    member_count(&writer, scanner, STR("count"), scanner->total.count);
    json_member_bool(&writer, STR("partial"), atomic_load(&scanner->done) < question->last);
    json_member_int(&writer, STR("scanned"), looked_at(scanner));
    json_member_int(&writer, STR("base"), question->customers);
    json_member_time(&writer, STR("as_of"), question->now_ms);
    if (question->kind == AUDIENCE_PREVIEW) {
        member_sample(&writer, STR("sample"), &scanner->total.sample);
        write_conditions(&writer, scanner);
        reach_write(&scanner->total.reach, scale_of(scanner), &writer);
    } else {
        member_count(&writer, scanner, STR("enters"), scanner->total.enters);
        member_count(&writer, scanner, STR("leaves"), scanner->total.leaves);
        member_count(&writer, scanner, STR("changes"), scanner->total.changes);
        member_sample(&writer, STR("entering"), &scanner->total.entering);
        member_sample(&writer, STR("leaving"), &scanner->total.leaving);
    }
    json_member_int(&writer, STR("elapsed_ms"), steady_since_ms(scanner->start));
    json_end_object(&writer);
}

/* The highest numbers of who was listed: those who came last. */
static void take_listing(struct audience_listing *listing, const roaring_bitmap_t *listed)
{
    uint64_t held = roaring_bitmap_get_cardinality(listed);
    size_t wanted = held < listing->limit ? (size_t)held : listing->limit;
    for (listing->count = 0; listing->count < wanted; listing->count++)
        roaring_bitmap_select(listed, (uint32_t)(held - 1 - listing->count),
                              &listing->found[listing->count]);
    listing->more = held > listing->limit;
}

err audience_question_run(struct audience_question *question, int64_t budget_ms,
                          const _Atomic bool *cancel, struct buffer *out)
{
    if (question->objects != NULL)
        return objects_question_run(question, cancel, out);
    if (question->recipe == NULL)
        return compare_run(question, budget_ms, cancel, out);
    struct scanner scanner = {
        .question = question, .cancel = cancel, .start = steady_now(), .budget_ms = budget_ms
    };
    pthread_t helper;
    scanner.asking = pthread_self();
    scanner.total.conditions =
        memory_alloc((conditions_of(question) + 1) * sizeof(*scanner.total.conditions));
    if (question->listing != NULL)
        scanner.total.listed = roaring_bitmap_create();
    if (scanner.total.conditions == NULL ||
        (question->listing != NULL && scanner.total.listed == NULL)) {
        memory_free(scanner.total.conditions);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&scanner.mutex, NULL);
    bool helped = question->last > SLICE_CUSTOMERS &&
                  pthread_create(&helper, NULL, scan_thread, &scanner) == 0;
    scan_thread(&scanner);
    if (helped)
        pthread_join(helper, NULL);
    pthread_mutex_destroy(&scanner.mutex);
    err error = atomic_load(&scanner.failed) ? ERR_NOMEM
                : atomic_load(&scanner.gone) ? ERR_UNAVAILABLE
                                             : ERR_OK;
    if (error == ERR_OK) {
        write_scanned(&scanner, out);
        error = buffer_status(out);
    }
    if (error == ERR_OK && scanner.total.listed != NULL)
        take_listing(question->listing, scanner.total.listed);
    if (scanner.total.listed != NULL)
        roaring_bitmap_free(scanner.total.listed);
    memory_free(scanner.total.conditions);
    return error;
}
