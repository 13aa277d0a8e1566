/* SPDX-License-Identifier: Apache-2.0 */
/* page_check: checksums of database pages, as a VFS over another. */
#include "store/page_check.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/logline.h"

#define NAME_HEAD "kith-pages-"

struct checked_vfs {
    sqlite3_vfs vfs;
    sqlite3_vfs *below;
    char name[64];
    struct checked_vfs *next;
};

/* The file below lies behind this in the same piece of memory. */
struct checked_file {
    sqlite3_file file;
    sqlite3_file *below;
};

static sqlite3_file *below(sqlite3_file *file)
{
    return ((struct checked_file *)(void *)file)->below;
}

/* ---- pages ---- */

static uint64_t page_hash(const void *page, sqlite3_int64 offset)
{
    return hash_bytes64(page, PAGE_BYTES - PAGE_CHECK_BYTES, (uint64_t)(offset / PAGE_BYTES + 1));
}

static bool is_zero(const char *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

static bool is_page(int size, sqlite3_int64 offset)
{
    return size == PAGE_BYTES && offset % PAGE_BYTES == 0;
}

static int checked_read(sqlite3_file *file, void *out, int size, sqlite3_int64 offset)
{
    int code = below(file)->pMethods->xRead(below(file), out, size, offset);
    if (code != SQLITE_OK || !is_page(size, offset))
        return code;
    uint64_t stored;
    memcpy(&stored, (const char *)out + PAGE_BYTES - PAGE_CHECK_BYTES, sizeof(stored));
    if (stored == page_hash(out, offset) || is_zero(out))
        return SQLITE_OK;
    log_line(LOG_ERROR, "ledger_page_damaged", "page=%lld", (long long)(offset / PAGE_BYTES + 1));
    return SQLITE_IOERR_DATA;
}

static int checked_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    if (!is_page(size, offset))
        return below(file)->pMethods->xWrite(below(file), bytes, size, offset);
    char page[PAGE_BYTES];
    memcpy(page, bytes, PAGE_BYTES - PAGE_CHECK_BYTES);
    uint64_t hash = page_hash(page, offset);
    memcpy(page + PAGE_BYTES - PAGE_CHECK_BYTES, &hash, sizeof(hash));
    return below(file)->pMethods->xWrite(below(file), page, size, offset);
}

/* ---- everything else goes through ---- */

static int checked_close(sqlite3_file *file)
{
    return below(file)->pMethods->xClose(below(file));
}

static int checked_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return below(file)->pMethods->xTruncate(below(file), size);
}

static int checked_sync(sqlite3_file *file, int flags)
{
    return below(file)->pMethods->xSync(below(file), flags);
}

static int checked_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return below(file)->pMethods->xFileSize(below(file), size);
}

static int checked_lock(sqlite3_file *file, int lock)
{
    return below(file)->pMethods->xLock(below(file), lock);
}

static int checked_unlock(sqlite3_file *file, int lock)
{
    return below(file)->pMethods->xUnlock(below(file), lock);
}

static int checked_reserved_lock(sqlite3_file *file, int *result)
{
    return below(file)->pMethods->xCheckReservedLock(below(file), result);
}

static int checked_file_control(sqlite3_file *file, int operation, void *argument)
{
    return below(file)->pMethods->xFileControl(below(file), operation, argument);
}

static int checked_sector_size(sqlite3_file *file)
{
    return below(file)->pMethods->xSectorSize(below(file));
}

static int checked_characteristics(sqlite3_file *file)
{
    return below(file)->pMethods->xDeviceCharacteristics(below(file));
}

static int checked_shm_map(sqlite3_file *file, int region, int size, int extend,
                           void volatile **out)
{
    return below(file)->pMethods->xShmMap(below(file), region, size, extend, out);
}

static int checked_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return below(file)->pMethods->xShmLock(below(file), offset, count, flags);
}

static void checked_shm_barrier(sqlite3_file *file)
{
    below(file)->pMethods->xShmBarrier(below(file));
}

static int checked_shm_unmap(sqlite3_file *file, int delete_flag)
{
    return below(file)->pMethods->xShmUnmap(below(file), delete_flag);
}

/* Version 2: no memory-mapped pages, which would pass by the check. */
static const sqlite3_io_methods CHECKED_METHODS = {
    .iVersion = 2,
    .xClose = checked_close,
    .xRead = checked_read,
    .xWrite = checked_write,
    .xTruncate = checked_truncate,
    .xSync = checked_sync,
    .xFileSize = checked_file_size,
    .xLock = checked_lock,
    .xUnlock = checked_unlock,
    .xCheckReservedLock = checked_reserved_lock,
    .xFileControl = checked_file_control,
    .xSectorSize = checked_sector_size,
    .xDeviceCharacteristics = checked_characteristics,
    .xShmMap = checked_shm_map,
    .xShmLock = checked_shm_lock,
    .xShmBarrier = checked_shm_barrier,
    .xShmUnmap = checked_shm_unmap,
};

/* ---- the VFS ---- */

static sqlite3_vfs *vfs_below(sqlite3_vfs *vfs)
{
    return ((struct checked_vfs *)(void *)vfs)->below;
}

static int checked_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                        int *out_flags)
{
    sqlite3_vfs *under = vfs_below(vfs);
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return under->xOpen(under, name, file, flags, out_flags);
    struct checked_file *checked = (struct checked_file *)(void *)file;
    checked->below = (sqlite3_file *)(void *)(checked + 1);
    checked->file.pMethods = NULL;
    int code = under->xOpen(under, name, checked->below, flags, out_flags);
    if (checked->below->pMethods != NULL)
        checked->file.pMethods = &CHECKED_METHODS;
    return code;
}

static int checked_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    return vfs_below(vfs)->xDelete(vfs_below(vfs), name, sync);
}

static int checked_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    return vfs_below(vfs)->xAccess(vfs_below(vfs), name, flags, result);
}

static int checked_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    return vfs_below(vfs)->xFullPathname(vfs_below(vfs), name, size, out);
}

static int checked_randomness(sqlite3_vfs *vfs, int size, char *out)
{
    return vfs_below(vfs)->xRandomness(vfs_below(vfs), size, out);
}

static int checked_sleep(sqlite3_vfs *vfs, int microseconds)
{
    return vfs_below(vfs)->xSleep(vfs_below(vfs), microseconds);
}

static int checked_current_time(sqlite3_vfs *vfs, double *time)
{
    return vfs_below(vfs)->xCurrentTime(vfs_below(vfs), time);
}

static int checked_last_error(sqlite3_vfs *vfs, int size, char *out)
{
    return vfs_below(vfs)->xGetLastError(vfs_below(vfs), size, out);
}

static void describe(struct checked_vfs *checked, sqlite3_vfs *under)
{
    checked->below = under;
    snprintf(checked->name, sizeof(checked->name), NAME_HEAD "%s", under->zName);
    checked->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = under->szOsFile + (int)sizeof(struct checked_file),
        .mxPathname = under->mxPathname,
        .zName = checked->name,
        .xOpen = checked_open,
        .xDelete = checked_delete,
        .xAccess = checked_access,
        .xFullPathname = checked_full_pathname,
        .xRandomness = checked_randomness,
        .xSleep = checked_sleep,
        .xCurrentTime = checked_current_time,
        .xGetLastError = checked_last_error,
    };
}

static pthread_mutex_t layers_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct checked_vfs *layers; /* for the life of the process */

/* By its own name: the VFS below may be gone and have come again at another address (tests do that). */
static struct checked_vfs *find_layer(const char *name)
{
    struct checked_vfs *layer = layers;
    while (layer != NULL && strcmp(layer->name + strlen(NAME_HEAD), name) != 0)
        layer = layer->next;
    return layer;
}

err page_check_vfs(const char *below_name, const char **name, struct problem *problem)
{
    sqlite3_vfs *under = sqlite3_vfs_find(below_name);
    if (under == NULL)
        return problem_set(problem, ERR_INTERNAL, "SQLite knows no VFS '%s'",
                           below_name != NULL ? below_name : "(default)");
    err error = ERR_OK;
    pthread_mutex_lock(&layers_mutex);
    struct checked_vfs *layer = find_layer(under->zName);
    if (layer == NULL) {
        layer = memory_alloc(sizeof(*layer));
        if (layer != NULL) {
            layer->next = layers;
            layers = layer;
        }
    }
    if (layer == NULL) {
        error = problem_set(problem, ERR_NOMEM, "no memory to open a ledger");
    } else if (layer->below != under) {
        describe(layer, under);
        if (sqlite3_vfs_register(&layer->vfs, 0) != SQLITE_OK)
            error = problem_set(problem, ERR_INTERNAL, "SQLite takes no VFS '%s'", layer->name);
    }
    if (error == ERR_OK)
        *name = layer->name;
    pthread_mutex_unlock(&layers_mutex);
    return error;
}
