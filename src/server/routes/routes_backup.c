/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: what points there are, and taking another. */
#include "backup/backup.h"
#include "server/answer.h"

static err find_backups(struct request *request, struct backups **backups, struct problem *problem)
{
    *backups = request->server->config.backups;
    if (*backups != NULL)
        return ERR_OK;
    problem_set(problem, ERR_UNAVAILABLE, "this server has no folder for backups");
    return problem_hint(problem, ERR_UNAVAILABLE, "start it with --backups DIR");
}

err route_backup_list(struct request *request, struct problem *problem)
{
    struct backups *backups;
    err error = find_backups(request, &backups, problem);
    return error == ERR_OK ? backups_write(backups, &request->out, problem) : error;
}

/* Who began it stands in the audit before it begins. */
err route_backup_create(struct request *request, struct problem *problem)
{
    struct backups *backups;
    struct command_body body;
    str response;
    err error = find_backups(request, &backups, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    error = answer_command(request, "backup.take", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = backups_begin(backups, problem);
    if (error == ERR_OK)
        error = backups_write(backups, &request->out, problem);
    if (error == ERR_OK)
        request->status = 202;
    return error;
}
