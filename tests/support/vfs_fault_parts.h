/* SPDX-License-Identifier: Apache-2.0 */
/* The failing disk inside: what its files hold now, and what of it would be there after a power loss.
 * Everything is under the disk's mutex. Private to vfs_fault*.c. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>

#include "base/digest.h"
#include "base/error.h"
#include "support/vfs_fault.h"

#define SECTOR_BYTES 512u
#define PATH_BYTES 256
#define FILES_MAX 16
#define SHM_REGIONS_MAX 64

struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

/* Something that happened to a file since its last sync. */
struct change {
    bool is_truncate;
    uint64_t offset; /* the new size, of a truncate */
    size_t size;
    size_t data_at; /* in `changed` */
};

struct shm {
    void *regions[SHM_REGIONS_MAX];
    int region_count;
    int region_bytes;
    int shared[SQLITE_SHM_NLOCK];
    bool exclusive[SQLITE_SHM_NLOCK];
    int users;
};

struct entry {
    char path[PATH_BYTES]; /* empty: free */
    bool exists;           /* as seen now */
    bool exists_durably;   /* after a loss of all */
    struct bytes now, durable;
    struct change *changes;
    size_t change_count, change_capacity;
    struct bytes changed; /* the bytes of the changes */
    int handles;
    int shared, reserved, pending, exclusive; /* locks held */
    struct shm shm;
};

struct vfs_fault {
    sqlite3_vfs vfs;
    char name[64];
    pthread_mutex_t mutex;
    struct random_stream random;
    struct entry files[FILES_MAX];
    uint64_t capacity;
    bool off;
    /* What is armed. */
    unsigned calls;
    uint64_t nth, passed;
    int code;
    bool repeat, power, fired;
};

struct handle {
    sqlite3_file file;
    struct vfs_fault *disk;
    struct entry *entry;
    int flags, lock;
    bool delete_on_close, sync_folder;
    unsigned shm_shared, shm_exclusive; /* bits of the slots this handle holds */
    bool shm_in_use;
};

struct vfs_image {
    size_t count;
    struct {
        char path[PATH_BYTES];
        struct bytes bytes;
    } files[FILES_MAX];
};

void *must(void *piece);
void bytes_resize(struct bytes *bytes, size_t size);
void bytes_write(struct bytes *bytes, uint64_t offset, const void *from, size_t size);
struct entry *entry_find(struct vfs_fault *disk, const char *path);
struct entry *entry_make(struct vfs_fault *disk, const char *path);
void entry_forget_changes(struct entry *entry);
void shm_free(struct shm *shm);
void entry_free(struct entry *entry);
void entry_note(struct entry *entry, bool is_truncate, uint64_t offset, const void *data,
                size_t size);
void entry_sync(struct entry *entry);
void folder_sync(struct vfs_fault *disk);
uint64_t used_locked(const struct vfs_fault *disk);
void disk_empty(struct vfs_fault *disk);
