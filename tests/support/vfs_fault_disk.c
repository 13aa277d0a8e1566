/* SPDX-License-Identifier: Apache-2.0 */
/* The failing disk's files: bytes, what was written since the last sync, what a power loss takes of
 * it, and looking in from outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/vfs_fault_parts.h"

/* ---- bytes ---- */

void *must(void *piece)
{
    INVARIANT(piece != NULL); /* the tests have memory */
    return piece;
}

void bytes_resize(struct bytes *bytes, size_t size)
{
    if (size > bytes->capacity) {
        size_t capacity = bytes->capacity < 4096 ? 4096 : bytes->capacity;
        while (capacity < size)
            capacity *= 2;
        bytes->data = must(realloc(bytes->data, capacity));
        bytes->capacity = capacity;
    }
    if (size > bytes->size)
        memset(bytes->data + bytes->size, 0, size - bytes->size);
    bytes->size = size;
}

void bytes_write(struct bytes *bytes, uint64_t offset, const void *from, size_t size)
{
    if (offset + size > bytes->size)
        bytes_resize(bytes, (size_t)offset + size);
    if (size > 0)
        memcpy(bytes->data + offset, from, size);
}

static void bytes_copy(struct bytes *to, const struct bytes *from)
{
    bytes_resize(to, 0);
    bytes_write(to, 0, from->data, from->size);
}

static void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){ 0 };
}

/* ---- entries ---- */

struct entry *entry_find(struct vfs_fault *disk, const char *path)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (strcmp(disk->files[i].path, path) == 0 && path[0] != '\0')
            return &disk->files[i];
    return NULL;
}

struct entry *entry_make(struct vfs_fault *disk, const char *path)
{
    size_t free_at = 0;
    while (free_at < FILES_MAX && disk->files[free_at].path[0] != '\0')
        free_at++;
    INVARIANT(free_at < FILES_MAX && strlen(path) < PATH_BYTES);
    struct entry *entry = &disk->files[free_at];
    snprintf(entry->path, PATH_BYTES, "%s", path);
    return entry;
}

void entry_forget_changes(struct entry *entry)
{
    entry->change_count = 0;
    bytes_resize(&entry->changed, 0);
}

void shm_free(struct shm *shm)
{
    for (int i = 0; i < shm->region_count; i++)
        free(shm->regions[i]);
    *shm = (struct shm){ 0 };
}

void entry_free(struct entry *entry)
{
    INVARIANT(entry->handles == 0);
    bytes_free(&entry->now);
    bytes_free(&entry->durable);
    bytes_free(&entry->changed);
    free(entry->changes);
    shm_free(&entry->shm);
    *entry = (struct entry){ 0 };
}

void entry_note(struct entry *entry, bool is_truncate, uint64_t offset, const void *data,
                size_t size)
{
    if (entry->change_count == entry->change_capacity) {
        entry->change_capacity = entry->change_capacity == 0 ? 64 : entry->change_capacity * 2;
        entry->changes =
            must(realloc(entry->changes, entry->change_capacity * sizeof *entry->changes));
    }
    struct change *change = &entry->changes[entry->change_count++];
    *change = (struct change){
        .is_truncate = is_truncate, .offset = offset, .size = size, .data_at = entry->changed.size
    };
    if (size > 0)
        bytes_write(&entry->changed, entry->changed.size, data, size);
}

static void entry_apply(struct bytes *to, const struct entry *entry, const struct change *change)
{
    if (change->is_truncate)
        bytes_resize(to, (size_t)change->offset);
    else
        bytes_write(to, change->offset, entry->changed.data + change->data_at, change->size);
}

/* What was written becomes durable: the changes are replayed, so that what an earlier failed sync
 * has lost stays lost. */
void entry_sync(struct entry *entry)
{
    for (size_t i = 0; i < entry->change_count; i++)
        entry_apply(&entry->durable, entry, &entry->changes[i]);
    entry_forget_changes(entry);
}

void folder_sync(struct vfs_fault *disk)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        disk->files[i].exists_durably = disk->files[i].exists;
}

uint64_t used_locked(const struct vfs_fault *disk)
{
    uint64_t used = 0;
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk->files[i].exists)
            used += disk->files[i].now.size;
    return used;
}

void disk_empty(struct vfs_fault *disk)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        entry_free(&disk->files[i]);
}

/* ---- losing ---- */

/* How many of the changes of a file a sector (or its size) has seen: none, all, or any number. */
static size_t draw_seen(struct vfs_fault *disk, size_t changes)
{
    uint64_t draw = random_below(&disk->random, 4);
    if (draw == 0)
        return 0;
    return draw == 1 ? changes : (size_t)random_below(&disk->random, changes + 1);
}

/* A truncate that the size has seen has emptied what lay behind it. */
static size_t seen_after_truncates(const struct entry *entry, size_t size_seen, uint64_t sector_at,
                                   size_t seen)
{
    for (size_t i = seen; i < size_seen; i++)
        if (entry->changes[i].is_truncate && entry->changes[i].offset <= sector_at)
            seen = i + 1;
    return seen;
}

static void lose_sector(struct entry *entry, struct bytes *out, uint64_t at, size_t seen,
                        size_t size_seen)
{
    uint64_t end = at + SECTOR_BYTES;
    for (size_t i = 0; i < seen; i++) {
        const struct change *change = &entry->changes[i];
        if (change->is_truncate) {
            /* A truncate is one step of the file system: it empties nothing before the size is. */
            if (i < size_seen && change->offset < end && out->size > at) {
                uint64_t from = change->offset > at ? change->offset : at;
                uint64_t to = end < out->size ? end : out->size;
                if (from < to)
                    memset(out->data + from, 0, (size_t)(to - from));
            }
            continue;
        }
        uint64_t from = change->offset > at ? change->offset : at;
        uint64_t to = change->offset + change->size < end ? change->offset + change->size : end;
        if (to > out->size)
            to = out->size;
        if (from < to)
            memcpy(out->data + from,
                   entry->changed.data + change->data_at + (from - change->offset),
                   (size_t)(to - from));
    }
}

static void entry_lose_some(struct vfs_fault *disk, struct entry *entry)
{
    size_t size_seen = draw_seen(disk, entry->change_count);
    size_t bytes = entry->durable.size, durable_bytes = bytes;
    for (size_t i = 0; i < size_seen; i++) {
        const struct change *change = &entry->changes[i];
        if (change->is_truncate)
            bytes = (size_t)change->offset;
        else if (change->offset + change->size > bytes)
            bytes = (size_t)(change->offset + change->size);
    }
    bytes_resize(&entry->durable, bytes);
    if (bytes > durable_bytes && random_below(&disk->random, 2) == 0)
        for (size_t i = durable_bytes; i < bytes; i++)
            entry->durable.data[i] = (uint8_t)random_next(&disk->random);
    for (uint64_t at = 0; at < bytes; at += SECTOR_BYTES) {
        size_t seen = draw_seen(disk, entry->change_count);
        seen = seen_after_truncates(entry, size_seen, at, seen);
        lose_sector(entry, &entry->durable, at, seen, size_seen);
    }
}

static void entry_restart(struct vfs_fault *disk, struct entry *entry, enum vfs_loss loss)
{
    INVARIANT(entry->handles == 0);
    shm_free(&entry->shm);
    if (loss == VFS_LOSS_NONE)
        return; /* what was written is still on its way to the disk */
    bool exists = entry->exists_durably;
    if (loss == VFS_LOSS_RANDOM) {
        if (entry->exists != entry->exists_durably)
            exists = random_below(&disk->random, 2) == 0;
        entry_lose_some(disk, entry);
    }
    entry_forget_changes(entry);
    bytes_copy(&entry->now, &entry->durable);
    entry->exists = entry->exists_durably = exists;
    if (!exists)
        entry_free(entry);
}

void vfs_fault_restart(struct vfs_fault *disk, enum vfs_loss loss)
{
    pthread_mutex_lock(&disk->mutex);
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk->files[i].path[0] != '\0')
            entry_restart(disk, &disk->files[i], loss);
    disk->off = false;
    pthread_mutex_unlock(&disk->mutex);
    vfs_fault_disarm(disk);
}

/* ---- looking in from outside ---- */

int64_t vfs_fault_file_bytes(struct vfs_fault *disk, const char *path)
{
    pthread_mutex_lock(&disk->mutex);
    const struct entry *entry = entry_find(disk, path);
    int64_t size = entry != NULL && entry->exists ? (int64_t)entry->now.size : -1;
    pthread_mutex_unlock(&disk->mutex);
    return size;
}

bool vfs_fault_peek(struct vfs_fault *disk, const char *path, uint64_t offset, void *out,
                    size_t size)
{
    pthread_mutex_lock(&disk->mutex);
    const struct entry *entry = entry_find(disk, path);
    bool there = entry != NULL && entry->exists && offset + size <= entry->now.size;
    if (there)
        memcpy(out, entry->now.data + offset, size);
    pthread_mutex_unlock(&disk->mutex);
    return there;
}

void vfs_fault_poke(struct vfs_fault *disk, const char *path, uint64_t offset, const void *bytes,
                    size_t size)
{
    pthread_mutex_lock(&disk->mutex);
    struct entry *entry = entry_find(disk, path);
    INVARIANT(entry != NULL && entry->exists && offset + size <= entry->now.size);
    bytes_write(&entry->now, offset, bytes, size);
    entry_note(entry, false, offset, bytes, size);
    entry_sync(entry);
    pthread_mutex_unlock(&disk->mutex);
}

void vfs_fault_flip_bit(struct vfs_fault *disk, const char *path, uint64_t bit)
{
    uint8_t byte = 0;
    bool there = vfs_fault_peek(disk, path, bit / 8, &byte, 1);
    INVARIANT(there);
    byte ^= (uint8_t)(1u << (bit % 8));
    vfs_fault_poke(disk, path, bit / 8, &byte, 1);
}

struct vfs_image *vfs_fault_save(struct vfs_fault *disk)
{
    struct vfs_image *image = must(calloc(1, sizeof *image));
    pthread_mutex_lock(&disk->mutex);
    for (size_t i = 0; i < FILES_MAX; i++) {
        const struct entry *entry = &disk->files[i];
        if (entry->path[0] == '\0' || !entry->exists)
            continue;
        snprintf(image->files[image->count].path, PATH_BYTES, "%s", entry->path);
        bytes_copy(&image->files[image->count].bytes, &entry->now);
        image->count++;
    }
    pthread_mutex_unlock(&disk->mutex);
    return image;
}

void vfs_fault_load(struct vfs_fault *disk, const struct vfs_image *image)
{
    pthread_mutex_lock(&disk->mutex);
    disk_empty(disk);
    for (size_t i = 0; i < image->count; i++) {
        struct entry *entry = entry_make(disk, image->files[i].path);
        bytes_copy(&entry->now, &image->files[i].bytes);
        bytes_copy(&entry->durable, &image->files[i].bytes);
        entry->exists = entry->exists_durably = true;
    }
    disk->off = false;
    pthread_mutex_unlock(&disk->mutex);
    vfs_fault_disarm(disk);
}

void vfs_image_free(struct vfs_image **image)
{
    if (*image == NULL)
        return;
    for (size_t i = 0; i < (*image)->count; i++)
        bytes_free(&(*image)->files[i].bytes);
    free(*image);
    *image = NULL;
}
