/* SPDX-License-Identifier: Apache-2.0 */
/* vfs_fault: a disk in memory under SQLite, that fails, fills up, loses power, tears and forgets.
 *
 * It is a VFS of SQLite with a name; whatever opens its file through that name lives on it. Each
 * file has what was synced (durable) and what was written since, piece by piece in order.
 *
 * What it models
 *   - A call that fails: the n-th of chosen kinds from now, once or from then on, with a chosen code.
 *   - A sync that fails loses what it should have kept: later syncs do not bring it back, though
 *     it can still be read (what Linux does).
 *   - A full disk: a write is cut where the room ends, and SQLITE_FULL.
 *   - Power that goes off at the n-th call: from there on nothing works. What was not synced is
 *     then kept or lost per sector of 512 bytes, each sector in the state after any one of the
 *     writes to it: so writes are dropped, reordered and torn. The size of a file, and the entries
 *     of the folder, are kept or lost likewise. Room that was never written is zero or rubbish.
 *   - A process that is killed: the same without any loss.
 *   - One bit that flips.
 *
 * Shared memory for WAL is there, so that several connections work. Any thread. Everything is drawn
 * from the seed.
 */
#ifndef KITH_TESTS_VFS_FAULT_H
#define KITH_TESTS_VFS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vfs_fault;

enum vfs_call {
    VFS_OPEN = 1 << 0,
    VFS_READ = 1 << 1,
    VFS_WRITE = 1 << 2,
    VFS_TRUNCATE = 1 << 3,
    VFS_SYNC = 1 << 4,
    VFS_SIZE = 1 << 5,
    VFS_DELETE = 1 << 6,
    VFS_ACCESS = 1 << 7,
    VFS_ANY = (1 << 8) - 1,
    VFS_CHANGING = VFS_OPEN | VFS_WRITE | VFS_TRUNCATE | VFS_SYNC | VFS_DELETE,
};

/* Registered under `name` until it is freed; files must be closed by then. */
struct vfs_fault *vfs_fault_new(const char *name, uint64_t seed);
void vfs_fault_free(struct vfs_fault **disk);
/* An empty disk with nothing armed, and another seed. No file may be open. */
void vfs_fault_reset(struct vfs_fault *disk, uint64_t seed);

/* The n-th call from now (1 is the next) of `calls` returns an error; `repeat`: all later ones too.
 * `code` 0: the fitting SQLITE_IOERR_… of the call. */
void vfs_fault_fail(struct vfs_fault *disk, unsigned calls, uint64_t nth, int code, bool repeat);
/* Power goes off at the n-th call of VFS_CHANGING: that call is not completed. */
void vfs_fault_power_off_at(struct vfs_fault *disk, uint64_t nth);
/* Nothing fails any more (a full disk stays full, and power that is off stays off). */
void vfs_fault_disarm(struct vfs_fault *disk);
/* Calls that counted since the last of the two above; of VFS_CHANGING when nothing was armed. */
uint64_t vfs_fault_calls(struct vfs_fault *disk);
bool vfs_fault_has_fired(struct vfs_fault *disk);
bool vfs_fault_is_off(struct vfs_fault *disk);

/* All files together; 0: no limit. */
void vfs_fault_set_capacity(struct vfs_fault *disk, uint64_t bytes);
uint64_t vfs_fault_used(struct vfs_fault *disk);

enum vfs_loss {
    VFS_LOSS_NONE,   /* the process was killed */
    VFS_LOSS_ALL,    /* nothing survives that was not synced */
    VFS_LOSS_RANDOM, /* per sector */
};
/* The machine starts again. No file may be open. */
void vfs_fault_restart(struct vfs_fault *disk, enum vfs_loss loss);

/* Size of a file as it can be read now; -1: there is none. */
int64_t vfs_fault_file_bytes(struct vfs_fault *disk, const char *path);
void vfs_fault_flip_bit(struct vfs_fault *disk, const char *path, uint64_t bit);
/* Copy of bytes out of, or into, a file. */
bool vfs_fault_peek(struct vfs_fault *disk, const char *path, uint64_t offset, void *out,
                    size_t size);
void vfs_fault_poke(struct vfs_fault *disk, const char *path, uint64_t offset, const void *bytes,
                    size_t size);

/* What all files hold now, to come back to it. No file may be open when it is loaded. */
struct vfs_image;
struct vfs_image *vfs_fault_save(struct vfs_fault *disk);
void vfs_fault_load(struct vfs_fault *disk, const struct vfs_image *image);
void vfs_image_free(struct vfs_image **image);

#endif
