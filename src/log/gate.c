/* SPDX-License-Identifier: Apache-2.0 */
/* The gated VFS: everything is passed on; writes and syncs ask the fault gate first. */
#include "log/gate.h"

#ifdef KITH_FAULTS
#include <stdio.h>

#include "base/arena.h"
#include "base/fault.h"

#define GATE_NAME_BYTES 40

struct gate {
    sqlite3_vfs vfs; /* first: SQLite hands us its address */
    sqlite3_vfs *real;
    char name[GATE_NAME_BYTES];
};

struct gate_file {
    sqlite3_file file; /* first: SQLite hands us its address */
    bool is_wal;
    sqlite3_file *real; /* lies behind this */
};

static sqlite3_file *real_file(sqlite3_file *file)
{
    return ((struct gate_file *)file)->real;
}

static sqlite3_vfs *real_vfs(sqlite3_vfs *vfs)
{
    return ((struct gate *)vfs)->real;
}

/* ---- files ---- */

static int file_close(sqlite3_file *file)
{
    return real_file(file)->pMethods->xClose(real_file(file));
}

static int file_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    return real_file(file)->pMethods->xRead(real_file(file), bytes, size, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    if (fault_fires(FAULT_FILE_WRITE))
        return SQLITE_IOERR_WRITE;
    return real_file(file)->pMethods->xWrite(real_file(file), bytes, size, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    if (((struct gate_file *)file)->is_wal && fault_fires(FAULT_LOG_AFTER_WRITE))
        return SQLITE_IOERR_FSYNC;
    if (fault_fires(FAULT_FILE_SYNC))
        return SQLITE_IOERR_FSYNC;
    return real_file(file)->pMethods->xSync(real_file(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_file(file)->pMethods->xFileSize(real_file(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int file_is_reserved(sqlite3_file *file, int *reserved)
{
    return real_file(file)->pMethods->xCheckReservedLock(real_file(file), reserved);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
    return real_file(file)->pMethods->xFileControl(real_file(file), operation, argument);
}

static int file_sector_bytes(sqlite3_file *file)
{
    return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int file_characteristics(sqlite3_file *file)
{
    return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

/* Version 1: no shared memory and no mapping, which the log does not use. */
static const sqlite3_io_methods gate_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_bytes,
    .xDeviceCharacteristics = file_characteristics,
};

/* ---- the VFS ---- */

static int gate_open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                          int *flags_out)
{
    struct gate_file *gated = (struct gate_file *)file;
    *gated = (struct gate_file){ .is_wal = (flags & SQLITE_OPEN_WAL) != 0 };
    gated->real = (sqlite3_file *)(void *)(gated + 1);
    int rc = real_vfs(vfs)->xOpen(real_vfs(vfs), name, gated->real, flags, flags_out);
    gated->file.pMethods = gated->real->pMethods != NULL ? &gate_methods : NULL;
    return rc;
}

static int gate_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    return real_vfs(vfs)->xDelete(real_vfs(vfs), name, sync_folder);
}

static int gate_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    return real_vfs(vfs)->xAccess(real_vfs(vfs), name, flags, out);
}

static int gate_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    return real_vfs(vfs)->xFullPathname(real_vfs(vfs), name, size, out);
}

static int gate_randomness(sqlite3_vfs *vfs, int size, char *out)
{
    return real_vfs(vfs)->xRandomness(real_vfs(vfs), size, out);
}

static int gate_sleep(sqlite3_vfs *vfs, int microseconds)
{
    return real_vfs(vfs)->xSleep(real_vfs(vfs), microseconds);
}

static int gate_current_time(sqlite3_vfs *vfs, double *julian_day)
{
    return real_vfs(vfs)->xCurrentTime(real_vfs(vfs), julian_day);
}

static int gate_last_error(sqlite3_vfs *vfs, int size, char *out)
{
    return real_vfs(vfs)->xGetLastError(real_vfs(vfs), size, out);
}

err gate_open(sqlite3_vfs **gate, const char *name)
{
    sqlite3_vfs *real = sqlite3_vfs_find(name);
    struct gate *made = real != NULL ? memory_alloc(sizeof *made) : NULL;
    if (made == NULL)
        return real != NULL ? ERR_NOMEM : ERR_NOT_FOUND;
    snprintf(made->name, sizeof made->name, "kith-gate-%p", (void *)made);
    made->real = real;
    made->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)sizeof(struct gate_file) + real->szOsFile,
        .mxPathname = real->mxPathname,
        .zName = made->name,
        .xOpen = gate_open_file,
        .xDelete = gate_delete,
        .xAccess = gate_access,
        .xFullPathname = gate_full_path,
        .xRandomness = gate_randomness,
        .xSleep = gate_sleep,
        .xCurrentTime = gate_current_time,
        .xGetLastError = gate_last_error,
    };
    if (sqlite3_vfs_register(&made->vfs, 0) != SQLITE_OK) {
        memory_free(made);
        return ERR_NOMEM;
    }
    *gate = &made->vfs;
    return ERR_OK;
}

void gate_close(sqlite3_vfs **gate)
{
    if (*gate == NULL)
        return;
    (void)sqlite3_vfs_unregister(*gate);
    memory_free(*gate);
    *gate = NULL;
}
#else
/* An empty file is no C. */
extern const char log_has_no_gate;
const char log_has_no_gate;
#endif
