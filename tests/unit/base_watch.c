/* SPDX-License-Identifier: Apache-2.0 */
/* What operators and tests see and steer: metrics, log lines, fault points. */
#include "support/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/logline.h"
#include "base/metric.h"

static void test_metrics(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    metric_add(METRIC_MERGES, 2);
    metric_add(METRIC_MERGES, 3);
    metric_set(METRIC_CUSTOMERS, 7);
    metric_observe_us(METRIC_LOG_SYNC_US, 0);
    metric_observe_us(METRIC_LOG_SYNC_US, 1);
    metric_observe_us(METRIC_LOG_SYNC_US, 1024);
    metric_observe_us(METRIC_LOG_SYNC_US, 1025);
    metric_observe_us(METRIC_LOG_SYNC_US, INT64_C(1) << 40);
    assert_int_equal(metric_value(METRIC_MERGES), 5);
    assert_int_equal(metric_value(METRIC_LOG_SYNC_US), 5);
    metric_write_prometheus(&out);
    str text = buffer_str(&out);
    assert_true(str_contains(text, STR("# HELP kith_identity_merges_total customers merged\n"
                                       "# TYPE kith_identity_merges_total counter\n"
                                       "kith_identity_merges_total 5\n")));
    assert_true(str_contains(text, STR("# TYPE kith_customers gauge\nkith_customers 7\n")));
    assert_true(str_contains(text, STR("kith_log_sync_microseconds_bucket{le=\"1\"} 2\n")));
    assert_true(str_contains(text, STR("kith_log_sync_microseconds_bucket{le=\"512\"} 2\n")));
    assert_true(str_contains(text, STR("kith_log_sync_microseconds_bucket{le=\"1024\"} 3\n")));
    assert_true(str_contains(text, STR("kith_log_sync_microseconds_bucket{le=\"2048\"} 4\n")));
    assert_true(str_contains(text, STR("kith_log_sync_microseconds_bucket{le=\"+Inf\"} 5\n")));
    assert_true(str_contains(text, STR("kith_log_sync_microseconds_sum 1099511629826\n"
                                       "kith_log_sync_microseconds_count 5\n")));
    buffer_deinit(&out);
}

/* Runs `body` with stderr going to a file; gives what was written. */
static char captured[1 << 16];
static void capture(void (*body)(void))
{
    char path[] = "/tmp/kith-base-watch-XXXXXX";
    int file = mkstemp(path), before = dup(STDERR_FILENO);
    assert_true(file >= 0 && before >= 0);
    unlink(path);
    dup2(file, STDERR_FILENO);
    body();
    dup2(before, STDERR_FILENO);
    close(before);
    ssize_t size = pread(file, captured, sizeof captured - 1, 0);
    assert_true(size >= 0);
    captured[size] = '\0';
    close(file);
}

static size_t count_lines(void)
{
    size_t lines = 0;
    for (const char *at = captured; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return lines;
}

static void tell_one(void)
{
    log_line(LOG_DEBUG, "unseen", "");
    log_line(LOG_WARN, "test_one", "batch=%d reason=\"%s\"", 17, "line one\nline two");
    log_line(LOG_INFO, "test_bare", "");
}

static void test_log_line(void **state)
{
    (void)state;
    capture(tell_one);
    assert_int_equal(count_lines(), 2);
    assert_int_equal(captured[10], 'T');
    assert_int_equal(captured[23], 'Z');
    char *end = strchr(captured, '\n');
    assert_memory_equal(captured + 24, " warn test_one batch=17 reason=\"line one line two\"\n",
                        (size_t)(end + 1 - captured) - 24);
    assert_non_null(strstr(end, " info test_bare\n"));
}

static void tell_floods(void)
{
    for (int i = 0; i < 1000; i++)
        log_line(LOG_ERROR, "test_same", "value=1");
    for (int i = 0; i < 1000; i++)
        log_line(LOG_ERROR, "test_varied", "value=%d", i);
}

static void test_floods_are_counted(void **state)
{
    (void)state;
    int64_t before = metric_value(METRIC_LOG_LINES_SUPPRESSED);
    capture(tell_floods);
    size_t lines = count_lines();
    assert_in_range(lines, 21, 42); /* a second may turn in between */
    assert_int_equal(metric_value(METRIC_LOG_LINES_SUPPRESSED) - before, 2000 - lines);
}

static void tell_long(void)
{
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_line(LOG_INFO, "test_long", "text=%s", text);
}

static void test_long_lines_stay_one_line(void **state)
{
    (void)state;
    capture(tell_long);
    assert_int_equal(count_lines(), 1);
    assert_in_range(strlen(captured), 2000, 2400);
}

static void test_fault_counts_passages(void **state)
{
    (void)state;
    assert_false(fault_fires(FAULT_FILE_SYNC));
    fault_arm(FAULT_FILE_SYNC, 3, FAULT_FAIL, false);
    static const bool once[] = { false, false, true, false, false };
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(fault_fires(FAULT_FILE_SYNC), once[i]);
    assert_int_equal(fault_count(FAULT_FILE_SYNC), 5);
    assert_false(fault_fires(FAULT_FILE_WRITE));
    fault_arm(FAULT_FILE_SYNC, 2, FAULT_FAIL, true);
    static const bool always[] = { false, true, true, true };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(fault_fires(FAULT_FILE_SYNC), always[i]);
    fault_disarm();
    assert_false(fault_fires(FAULT_FILE_SYNC));
}

static void test_fault_by_chance_repeats_with_its_seed(void **state)
{
    (void)state;
    bool first[1000];
    size_t fired = 0;
    fault_arm_random(FAULT_FILE_WRITE, 0.1, 99);
    for (size_t i = 0; i < 1000; i++)
        fired += first[i] = fault_fires(FAULT_FILE_WRITE);
    assert_in_range(fired, 60, 140);
    fault_arm_random(FAULT_FILE_WRITE, 0.1, 99);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(fault_fires(FAULT_FILE_WRITE), first[i]);
    fault_arm_random(FAULT_FILE_WRITE, 1, 1);
    assert_true(fault_fires(FAULT_FILE_WRITE));
    fault_disarm();
}

static int child_status(void (*body)(void))
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        body();
        _exit(7);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void be_killed(void)
{
    fault_arm(FAULT_LOG_AFTER_SYNC, 2, FAULT_KILL, false);
    if (fault_fires(FAULT_LOG_AFTER_SYNC))
        _exit(1);
    (void)fault_fires(FAULT_LOG_AFTER_SYNC);
}

static void test_fault_kills(void **state)
{
    (void)state;
    int status = child_status(be_killed);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void read_good(void)
{
    setenv("KITH_FAULT", "log_after_sync:2:fail,file_write:1:fail-always", 1);
    fault_read_environment();
    _exit(!fault_fires(FAULT_LOG_AFTER_SYNC) && fault_fires(FAULT_LOG_AFTER_SYNC) &&
                  fault_fires(FAULT_FILE_WRITE) && fault_fires(FAULT_FILE_WRITE)
              ? 0
              : 3);
}

static const char *wrong_fault;
static void read_wrong(void)
{
    setenv("KITH_FAULT", wrong_fault, 1);
    fault_read_environment();
}

static void read_nothing(void)
{
    unsetenv("KITH_FAULT");
    fault_read_environment();
}

static void test_fault_environment(void **state)
{
    (void)state;
    static const char *const wrong[] = { "nowhere:1:fail", "memory",
                                         "memory:1",       "memory:0:fail",
                                         "memory:x:fail",  "memory:1:explode",
                                         "memory:1:fail:", "," };
    int status = child_status(read_good);
#ifdef KITH_FAULTS
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#else
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
#endif
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        wrong_fault = wrong[i];
        status = child_status(read_wrong);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_FAILURE)
            fail_msg("'%s' was taken", wrong[i]);
    }
    status = child_status(read_nothing);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void break_invariant(void)
{
    INVARIANT(1 + 1 == 3);
}

static void test_invariant_aborts(void **state)
{
    (void)state;
    int status = child_status(break_invariant);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_log_line),
        cmocka_unit_test(test_floods_are_counted),
        cmocka_unit_test(test_long_lines_stay_one_line),
        cmocka_unit_test(test_fault_counts_passages),
        cmocka_unit_test(test_fault_by_chance_repeats_with_its_seed),
        cmocka_unit_test(test_fault_kills),
        cmocka_unit_test(test_fault_environment),
        cmocka_unit_test(test_invariant_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
