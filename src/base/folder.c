/* SPDX-License-Identifier: Apache-2.0 */
/* Emptying a folder, from the leaves up. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "base/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDERS_OPEN_MAX 16

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    return walk->level == 0 ? 0 : remove(path);
}

err folder_make_empty(const char *path, struct problem *problem)
{
    struct stat info;
    if (mkdir(path, 0700) == 0)
        return ERR_OK;
    if (errno != EEXIST)
        return problem_set(problem, ERR_IO, "folder '%s' cannot be made: %s", path,
                           strerror(errno));
    if (lstat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return problem_set(problem, ERR_IO, "'%s' is in the way of a folder", path);
    if (nftw(path, remove_entry, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS) != 0)
        return problem_set(problem, ERR_IO, "folder '%s' cannot be emptied: %s", path,
                           strerror(errno));
    return ERR_OK;
}

err folder_remove(const char *path, struct problem *problem)
{
    struct stat info;
    if (lstat(path, &info) != 0 && errno == ENOENT)
        return ERR_OK;
    err error = folder_make_empty(path, problem);
    if (error == ERR_OK && remove(path) != 0)
        error = problem_set(problem, ERR_IO, "folder '%s' cannot be removed: %s", path,
                            strerror(errno));
    return error;
}
