/* SPDX-License-Identifier: Apache-2.0 */
/* The failing disk as SQLite sees it: a VFS whose calls fail as armed. */
#include "support/vfs_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/vfs_fault_parts.h"

/* ---- failing ---- */

/* True when this call has to fail: power is off, or it is the one. */
static bool call_fails(struct vfs_fault *disk, enum vfs_call call, int *code, int ordinary_code)
{
    if (disk->off) {
        *code = ordinary_code;
        return true;
    }
    if ((disk->calls & call) == 0)
        return false;
    disk->passed++;
    bool fires =
        disk->nth > 0 && (disk->passed == disk->nth || (disk->repeat && disk->passed > disk->nth));
    if (!fires)
        return false;
    disk->fired = true;
    *code = disk->code != 0 && !disk->power ? disk->code : ordinary_code;
    if (disk->power)
        disk->off = true;
    return true;
}

/* ---- methods of a file ---- */

static struct handle *handle_of(sqlite3_file *file)
{
    return (struct handle *)(void *)file;
}

static struct entry *handle_lock_disk(sqlite3_file *file)
{
    struct handle *handle = handle_of(file);
    pthread_mutex_lock(&handle->disk->mutex);
    return handle->entry;
}

static int handle_done(sqlite3_file *file, int rc)
{
    pthread_mutex_unlock(&handle_of(file)->disk->mutex);
    return rc;
}

static void unlock_to(struct handle *handle, int level)
{
    struct entry *entry = handle->entry;
    if (handle->lock >= SQLITE_LOCK_EXCLUSIVE && level < SQLITE_LOCK_EXCLUSIVE)
        entry->exclusive--;
    if (handle->lock >= SQLITE_LOCK_PENDING && level < SQLITE_LOCK_PENDING)
        entry->pending--;
    if (handle->lock >= SQLITE_LOCK_RESERVED && level < SQLITE_LOCK_RESERVED)
        entry->reserved--;
    if (handle->lock >= SQLITE_LOCK_SHARED && level < SQLITE_LOCK_SHARED)
        entry->shared--;
    if (handle->lock > level)
        handle->lock = level;
}

static int fault_close(sqlite3_file *file)
{
    struct handle *handle = handle_of(file);
    struct entry *entry = handle_lock_disk(file);
    unlock_to(handle, SQLITE_LOCK_NONE);
    entry->handles--;
    if (handle->delete_on_close && !handle->disk->off)
        entry->exists = entry->exists_durably = false;
    if (!entry->exists && !entry->exists_durably && entry->handles == 0)
        entry_free(entry);
    return handle_done(file, SQLITE_OK);
}

static int fault_read(sqlite3_file *file, void *out, int size, sqlite3_int64 offset)
{
    struct entry *entry = handle_lock_disk(file);
    int code;
    if (call_fails(handle_of(file)->disk, VFS_READ, &code, SQLITE_IOERR_READ))
        return handle_done(file, code);
    size_t wanted = (size_t)size, at = (size_t)offset;
    size_t there = at < entry->now.size ? entry->now.size - at : 0;
    if (there > wanted)
        there = wanted;
    if (there > 0)
        memcpy(out, entry->now.data + at, there);
    memset((char *)out + there, 0, wanted - there);
    return handle_done(file, there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ);
}

/* How much of a write up to `end` the disk has room for. */
static size_t room_for(const struct vfs_fault *disk, const struct entry *entry, uint64_t offset,
                       size_t size)
{
    uint64_t end = offset + size, now = entry->now.size;
    if (disk->capacity == 0 || end <= now)
        return size;
    uint64_t used = used_locked(disk);
    uint64_t room = disk->capacity > used ? disk->capacity - used : 0;
    if (end - now <= room)
        return size;
    uint64_t end_max = now + room;
    return end_max > offset ? (size_t)(end_max - offset) : 0;
}

/* What of a write comes that the disk has no room for: any part of it but the whole, which is what
 * `entry` would hold too where the rest of the bytes were there before. */
static size_t part_without_room(struct vfs_fault *disk, const struct entry *entry, uint64_t offset,
                                const char *bytes, size_t wanted)
{
    size_t written = wanted > 0 ? (size_t)random_below(&disk->random, wanted) : 0;
    bool is_there = offset + wanted <= entry->now.size &&
                    memcmp((const char *)entry->now.data + offset + written, bytes + written,
                           wanted - written) == 0;
    return is_there ? 0 : written;
}

static int fault_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    struct vfs_fault *disk = handle_of(file)->disk;
    struct entry *entry = handle_lock_disk(file);
    bool was_off = disk->off;
    size_t wanted = (size_t)size;
    int code = SQLITE_OK;
    bool fails = call_fails(disk, VFS_WRITE, &code, SQLITE_IOERR_WRITE);
    if (fails && was_off)
        return handle_done(file, code);
    size_t written;
    if (!fails)
        written = room_for(disk, entry, (uint64_t)offset, wanted);
    else if (code == SQLITE_FULL)
        written = part_without_room(disk, entry, (uint64_t)offset, bytes, wanted);
    else /* a write that fails, or that the power goes off in, may have come any way */
        written = (size_t)random_below(&disk->random, wanted + 1);
    if (written > 0) {
        bytes_write(&entry->now, (uint64_t)offset, bytes, written);
        entry_note(entry, false, (uint64_t)offset, bytes, written);
    }
    if (fails)
        return handle_done(file, code);
    return handle_done(file, written == wanted ? SQLITE_OK : SQLITE_FULL);
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct entry *entry = handle_lock_disk(file);
    int code;
    if (call_fails(handle_of(file)->disk, VFS_TRUNCATE, &code, SQLITE_IOERR_TRUNCATE))
        return handle_done(file, code);
    bytes_resize(&entry->now, (size_t)size);
    entry_note(entry, true, (uint64_t)size, NULL, 0);
    return handle_done(file, SQLITE_OK);
}

static int fault_sync(sqlite3_file *file, int flags)
{
    struct handle *handle = handle_of(file);
    struct entry *entry = handle_lock_disk(file);
    int code;
    (void)flags;
    if (call_fails(handle->disk, VFS_SYNC, &code, SQLITE_IOERR_FSYNC)) {
        if (!handle->disk->off)
            entry_forget_changes(entry); /* lost: no later sync brings it back */
        return handle_done(file, code);
    }
    entry_sync(entry);
    if (handle->sync_folder) {
        folder_sync(handle->disk);
        handle->sync_folder = false;
    }
    return handle_done(file, SQLITE_OK);
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct entry *entry = handle_lock_disk(file);
    int code;
    if (call_fails(handle_of(file)->disk, VFS_SIZE, &code, SQLITE_IOERR_FSTAT))
        return handle_done(file, code);
    *size = (sqlite3_int64)entry->now.size;
    return handle_done(file, SQLITE_OK);
}

static bool others_lock(const struct handle *handle, int level)
{
    const struct entry *entry = handle->entry;
    int own_shared = handle->lock >= SQLITE_LOCK_SHARED;
    int own_reserved = handle->lock >= SQLITE_LOCK_RESERVED;
    int own_pending = handle->lock >= SQLITE_LOCK_PENDING;
    if (entry->exclusive - (handle->lock >= SQLITE_LOCK_EXCLUSIVE) > 0)
        return true;
    if (level == SQLITE_LOCK_SHARED)
        return entry->pending - own_pending > 0;
    if (entry->reserved - own_reserved > 0)
        return true;
    return level == SQLITE_LOCK_EXCLUSIVE && entry->shared - own_shared > 0;
}

static int fault_lock(sqlite3_file *file, int level)
{
    struct handle *handle = handle_of(file);
    struct entry *entry = handle_lock_disk(file);
    if (handle->lock >= level)
        return handle_done(file, SQLITE_OK);
    if (others_lock(handle, level)) {
        /* A writer that waits keeps new readers out. */
        if (level == SQLITE_LOCK_EXCLUSIVE && handle->lock == SQLITE_LOCK_RESERVED) {
            entry->pending++;
            handle->lock = SQLITE_LOCK_PENDING;
        }
        return handle_done(file, SQLITE_BUSY);
    }
    if (level >= SQLITE_LOCK_SHARED && handle->lock < SQLITE_LOCK_SHARED)
        entry->shared++;
    if (level >= SQLITE_LOCK_RESERVED && handle->lock < SQLITE_LOCK_RESERVED)
        entry->reserved++;
    if (level >= SQLITE_LOCK_PENDING && handle->lock < SQLITE_LOCK_PENDING)
        entry->pending++;
    if (level >= SQLITE_LOCK_EXCLUSIVE)
        entry->exclusive++;
    handle->lock = level;
    return handle_done(file, SQLITE_OK);
}

static int fault_unlock(sqlite3_file *file, int level)
{
    (void)handle_lock_disk(file);
    unlock_to(handle_of(file), level);
    return handle_done(file, SQLITE_OK);
}

static int fault_is_reserved(sqlite3_file *file, int *reserved)
{
    struct entry *entry = handle_lock_disk(file);
    *reserved = entry->reserved > 0;
    return handle_done(file, SQLITE_OK);
}

static int fault_control(sqlite3_file *file, int operation, void *argument)
{
    (void)file;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int fault_sector_bytes(sqlite3_file *file)
{
    (void)file;
    return SECTOR_BYTES;
}

/* As the unix VFS says of a common disk: a power loss spoils nothing that was not being written. */
static int fault_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- shared memory ---- */

static int fault_shm_map(sqlite3_file *file, int region, int region_bytes, int extend,
                         void volatile **out)
{
    struct handle *handle = handle_of(file);
    struct shm *shm = &handle_lock_disk(file)->shm;
    *out = NULL;
    INVARIANT(region < SHM_REGIONS_MAX);
    if (!handle->shm_in_use) {
        handle->shm_in_use = true;
        shm->users++;
    }
    while (shm->region_count <= region && extend) {
        shm->regions[shm->region_count++] = must(calloc(1, (size_t)region_bytes));
        shm->region_bytes = region_bytes;
    }
    if (region < shm->region_count)
        *out = shm->regions[region];
    return handle_done(file, SQLITE_OK);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    struct handle *handle = handle_of(file);
    struct shm *shm = &handle_lock_disk(file)->shm;
    bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    for (int i = offset; i < offset + count; i++) {
        unsigned bit = 1u << i;
        bool mine = ((exclusive ? handle->shm_exclusive : handle->shm_shared) & bit) != 0;
        int others = shm->shared[i] - ((handle->shm_shared & bit) != 0);
        bool taken = shm->exclusive[i] && (handle->shm_exclusive & bit) == 0;
        if ((flags & SQLITE_SHM_LOCK) != 0 && !mine && (taken || (exclusive && others > 0)))
            return handle_done(file, SQLITE_BUSY);
    }
    for (int i = offset; i < offset + count; i++) {
        unsigned bit = 1u << i;
        unsigned *held = exclusive ? &handle->shm_exclusive : &handle->shm_shared;
        bool locks = (flags & SQLITE_SHM_LOCK) != 0;
        if (locks == ((*held & bit) != 0))
            continue;
        *held ^= bit;
        if (exclusive)
            shm->exclusive[i] = locks;
        else
            shm->shared[i] += locks ? 1 : -1;
    }
    return handle_done(file, SQLITE_OK);
}

static void fault_shm_barrier(sqlite3_file *file)
{
    (void)handle_lock_disk(file);
    (void)handle_done(file, SQLITE_OK);
}

static int fault_shm_unmap(sqlite3_file *file, int delete)
{
    struct handle *handle = handle_of(file);
    struct shm *shm = &handle_lock_disk(file)->shm;
    (void)delete;
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
        unsigned bit = 1u << i;
        if (handle->shm_exclusive & bit)
            shm->exclusive[i] = false;
        if (handle->shm_shared & bit)
            shm->shared[i]--;
    }
    handle->shm_exclusive = handle->shm_shared = 0;
    if (handle->shm_in_use && --shm->users == 0)
        shm_free(shm);
    handle->shm_in_use = false;
    return handle_done(file, SQLITE_OK);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_is_reserved,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector_bytes,
    .xDeviceCharacteristics = fault_characteristics,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

/* ---- the VFS ---- */

static struct vfs_fault *disk_of(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

static int fault_open_locked(struct vfs_fault *disk, const char *path, struct handle *handle,
                             int flags)
{
    int code;
    if (call_fails(disk, VFS_OPEN, &code, SQLITE_CANTOPEN))
        return code;
    struct entry *entry = entry_find(disk, path);
    bool is_new = entry == NULL || !entry->exists;
    if (is_new && (flags & SQLITE_OPEN_CREATE) == 0)
        return SQLITE_CANTOPEN;
    if (entry == NULL)
        entry = entry_make(disk, path);
    if (is_new) {
        /* A file of the same name that is deleted but may come back is another one: here it does
         * not come back any more, which no caller can tell from its deletion being durable. */
        bytes_resize(&entry->now, 0);
        bytes_resize(&entry->durable, 0);
        entry_forget_changes(entry);
        entry->exists = true;
        entry->exists_durably = false;
    }
    int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL | SQLITE_OPEN_SUPER_JOURNAL;
    handle->entry = entry;
    handle->sync_folder = is_new && (flags & journals) != 0; /* as the unix VFS does */
    entry->handles++;
    return SQLITE_OK;
}

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                      int *flags_out)
{
    struct vfs_fault *disk = disk_of(vfs);
    struct handle *handle = handle_of(file);
    static unsigned temporary;
    char made[32];
    *handle = (struct handle){ .disk = disk, .flags = flags };
    handle->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    pthread_mutex_lock(&disk->mutex);
    if (name == NULL) {
        snprintf(made, sizeof made, "temporary-%u", temporary++);
        name = made;
    }
    int rc = fault_open_locked(disk, name, handle, flags);
    pthread_mutex_unlock(&disk->mutex);
    if (rc == SQLITE_OK)
        handle->file.pMethods = &fault_methods;
    if (flags_out != NULL)
        *flags_out = flags;
    return rc;
}

static int fault_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    struct vfs_fault *disk = disk_of(vfs);
    int code = SQLITE_OK;
    pthread_mutex_lock(&disk->mutex);
    if (!call_fails(disk, VFS_DELETE, &code, SQLITE_IOERR_DELETE)) {
        struct entry *entry = entry_find(disk, path);
        if (entry == NULL || !entry->exists)
            code = SQLITE_IOERR_DELETE_NOENT;
        else
            entry->exists = false;
        if (code == SQLITE_OK && sync_folder)
            folder_sync(disk);
        if (entry != NULL && !entry->exists && !entry->exists_durably && entry->handles == 0)
            entry_free(entry);
    }
    pthread_mutex_unlock(&disk->mutex);
    return code;
}

static int fault_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    struct vfs_fault *disk = disk_of(vfs);
    int code = SQLITE_OK;
    pthread_mutex_lock(&disk->mutex);
    if (!call_fails(disk, VFS_ACCESS, &code, SQLITE_IOERR_ACCESS)) {
        struct entry *entry = entry_find(disk, path);
        *out = entry != NULL && entry->exists;
        /* As the unix VFS: an empty journal is none. */
        if (flags == SQLITE_ACCESS_EXISTS && *out && entry->now.size == 0)
            *out = 0;
    }
    pthread_mutex_unlock(&disk->mutex);
    return code;
}

static int fault_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    snprintf(out, (size_t)size, "%s", name);
    return SQLITE_OK;
}

static int fault_randomness(sqlite3_vfs *vfs, int size, char *out)
{
    struct vfs_fault *disk = disk_of(vfs);
    pthread_mutex_lock(&disk->mutex);
    for (int i = 0; i < size; i++)
        out[i] = (char)random_next(&disk->random);
    pthread_mutex_unlock(&disk->mutex);
    return size;
}

static int fault_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int fault_current_time(sqlite3_vfs *vfs, double *julian_day)
{
    (void)vfs;
    *julian_day = 2460000.5; /* nobody here asks SQLite for the time */
    return SQLITE_OK;
}

static int fault_last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    (void)size;
    (void)out;
    return 0;
}

struct vfs_fault *vfs_fault_new(const char *name, uint64_t seed)
{
    struct vfs_fault *disk = must(calloc(1, sizeof *disk));
    snprintf(disk->name, sizeof disk->name, "%s", name);
    INVARIANT(pthread_mutex_init(&disk->mutex, NULL) == 0);
    random_seed(&disk->random, seed);
    disk->calls = VFS_CHANGING;
    disk->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)sizeof(struct handle),
        .mxPathname = PATH_BYTES - 16,
        .zName = disk->name,
        .pAppData = disk,
        .xOpen = fault_open,
        .xDelete = fault_delete,
        .xAccess = fault_access,
        .xFullPathname = fault_full_path,
        .xRandomness = fault_randomness,
        .xSleep = fault_sleep,
        .xCurrentTime = fault_current_time,
        .xGetLastError = fault_last_error,
    };
    INVARIANT(sqlite3_vfs_register(&disk->vfs, 0) == SQLITE_OK);
    return disk;
}

void vfs_fault_free(struct vfs_fault **disk)
{
    if (*disk == NULL)
        return;
    disk_empty(*disk);
    (void)sqlite3_vfs_unregister(&(*disk)->vfs);
    pthread_mutex_destroy(&(*disk)->mutex);
    free(*disk);
    *disk = NULL;
}

void vfs_fault_reset(struct vfs_fault *disk, uint64_t seed)
{
    pthread_mutex_lock(&disk->mutex);
    disk_empty(disk);
    random_seed(&disk->random, seed);
    disk->capacity = 0;
    disk->off = false;
    pthread_mutex_unlock(&disk->mutex);
    vfs_fault_disarm(disk);
}

/* ---- arming ---- */

static void disk_arm(struct vfs_fault *disk, unsigned calls, uint64_t nth, int code, bool repeat,
                     bool power)
{
    pthread_mutex_lock(&disk->mutex);
    disk->calls = calls;
    disk->nth = nth;
    disk->code = code;
    disk->repeat = repeat;
    disk->power = power;
    disk->passed = 0;
    disk->fired = false;
    pthread_mutex_unlock(&disk->mutex);
}

void vfs_fault_fail(struct vfs_fault *disk, unsigned calls, uint64_t nth, int code, bool repeat)
{
    disk_arm(disk, calls, nth, code, repeat, false);
}

void vfs_fault_power_off_at(struct vfs_fault *disk, uint64_t nth)
{
    disk_arm(disk, VFS_CHANGING, nth, 0, false, true);
}

void vfs_fault_disarm(struct vfs_fault *disk)
{
    disk_arm(disk, VFS_CHANGING, 0, 0, false, false);
}

uint64_t vfs_fault_calls(struct vfs_fault *disk)
{
    pthread_mutex_lock(&disk->mutex);
    uint64_t passed = disk->passed;
    pthread_mutex_unlock(&disk->mutex);
    return passed;
}

bool vfs_fault_has_fired(struct vfs_fault *disk)
{
    pthread_mutex_lock(&disk->mutex);
    bool fired = disk->fired;
    pthread_mutex_unlock(&disk->mutex);
    return fired;
}

bool vfs_fault_is_off(struct vfs_fault *disk)
{
    pthread_mutex_lock(&disk->mutex);
    bool off = disk->off;
    pthread_mutex_unlock(&disk->mutex);
    return off;
}

void vfs_fault_set_capacity(struct vfs_fault *disk, uint64_t bytes)
{
    pthread_mutex_lock(&disk->mutex);
    disk->capacity = bytes;
    pthread_mutex_unlock(&disk->mutex);
}

uint64_t vfs_fault_used(struct vfs_fault *disk)
{
    pthread_mutex_lock(&disk->mutex);
    uint64_t used = used_locked(disk);
    pthread_mutex_unlock(&disk->mutex);
    return used;
}
