/* SPDX-License-Identifier: Apache-2.0 */
/* kith sandbox: a server that behaves as the providers do, until it is told to end. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "sandbox/sandbox.h"

static void wait_for_end(void)
{
    sigset_t signals;
    int number = 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigwait(&signals, &number);
}

/* Before any thread starts: they all inherit it. */
static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int command_sandbox(int argc, char **argv)
{
    struct options options;
    struct problem problem = { 0 };
    struct sandbox *sandbox = NULL;
    if (options_parse(&options, SANDBOX, argc, argv, &problem) != ERR_OK) {
        print_problem(&problem);
        return EXIT_USAGE;
    }
    block_signals();
    struct sandbox_config config = { .listen = options.sandbox_listen,
                                     .smtp_listen = options.smtp[0] != '\0' ? options.smtp : NULL,
                                     .seed = (uint64_t)options.seed };
    if (sandbox_start(&sandbox, &config, &problem) != ERR_OK) {
        print_problem(&problem);
        return EXIT_FAILED;
    }
    printf("kith sandbox: http on port %u", sandbox_port(sandbox));
    if (config.smtp_listen != NULL)
        printf(", smtp on port %u", sandbox_smtp_port(sandbox));
    printf("\n");
    fflush(stdout);
    wait_for_end();
    sandbox_stop(&sandbox);
    return 0;
}
