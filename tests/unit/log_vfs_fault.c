/* SPDX-License-Identifier: Apache-2.0 */
/* The failing disk does what its header says: else the tests on it would prove nothing. */
#include "support/cmocka.h"

#include <sqlite3.h>
#include <string.h>

#include "support/vfs_fault.h"

static struct vfs_fault *disk;

static int disk_new(void **state)
{
    (void)state;
    disk = vfs_fault_new("test-disk", 11);
    return 0;
}

static int disk_free(void **state)
{
    (void)state;
    vfs_fault_free(&disk);
    return 0;
}

/* ---- one file, by its methods ---- */

struct file {
    sqlite3_file *handle;
    char room[512];
};

static int file_open_as(struct file *file, const char *path, int flags)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("test-disk");
    assert_true((size_t)vfs->szOsFile <= sizeof file->room);
    memset(file->room, 0, sizeof file->room);
    file->handle = (sqlite3_file *)(void *)file->room;
    return vfs->xOpen(vfs, path, file->handle, flags, NULL);
}

static void file_open(struct file *file, const char *path)
{
    assert_int_equal(
        file_open_as(file, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL),
        SQLITE_OK);
}

static int file_write(struct file *file, uint64_t offset, char byte, int size)
{
    char bytes[8192];
    memset(bytes, byte, sizeof bytes);
    return file->handle->pMethods->xWrite(file->handle, bytes, size, (sqlite3_int64)offset);
}

static int file_sync(struct file *file)
{
    return file->handle->pMethods->xSync(file->handle, SQLITE_SYNC_NORMAL);
}

static void file_close(struct file *file)
{
    file->handle->pMethods->xClose(file->handle);
}

static char byte_at(const char *path, uint64_t offset)
{
    char byte = 0;
    assert_true(vfs_fault_peek(disk, path, offset, &byte, 1));
    return byte;
}

static void test_unsynced_writes_are_lost(void **state)
{
    (void)state;
    struct file file;
    file_open(&file, "f");
    assert_int_equal(file_write(&file, 0, 'a', 2000), SQLITE_OK);
    assert_int_equal(file_sync(&file), SQLITE_OK);
    assert_int_equal(file_write(&file, 500, 'b', 3000), SQLITE_OK);
    assert_int_equal(vfs_fault_file_bytes(disk, "f"), 3500);
    file_close(&file);
    vfs_fault_restart(disk, VFS_LOSS_NONE);
    assert_int_equal(byte_at("f", 600), 'b'); /* a killed process loses nothing */
    vfs_fault_restart(disk, VFS_LOSS_ALL);
    assert_int_equal(vfs_fault_file_bytes(disk, "f"), 2000);
    assert_int_equal(byte_at("f", 600), 'a');
}

/* Each sector is as after one of the writes to it, and all combinations come up. */
static void test_random_loss_is_by_sector(void **state)
{
    (void)state;
    bool seen[3][3] = { { false } };
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct file file;
        vfs_fault_reset(disk, seed);
        file_open(&file, "f");
        assert_int_equal(file_write(&file, 0, 'a', 1024), SQLITE_OK);
        assert_int_equal(file_sync(&file), SQLITE_OK);
        assert_int_equal(file_write(&file, 0, 'b', 1024), SQLITE_OK);
        assert_int_equal(file_write(&file, 0, 'c', 1024), SQLITE_OK);
        file_close(&file);
        vfs_fault_restart(disk, VFS_LOSS_RANDOM);
        int sectors[2];
        for (uint64_t sector = 0; sector < 2; sector++) {
            char first = byte_at("f", sector * 512);
            for (uint64_t i = 1; i < 512; i++)
                assert_int_equal(byte_at("f", sector * 512 + i), first);
            assert_in_range(first, 'a', 'c');
            sectors[sector] = first - 'a';
        }
        seen[sectors[0]][sectors[1]] = true;
    }
    for (int i = 0; i < 9; i++)
        assert_true(seen[i / 3][i % 3]);
}

static void test_truncate_is_one_step(void **state)
{
    (void)state;
    bool kept = false, cut = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct file file;
        vfs_fault_reset(disk, seed);
        file_open(&file, "f");
        assert_int_equal(file_write(&file, 0, 'a', 4096), SQLITE_OK);
        assert_int_equal(file_sync(&file), SQLITE_OK);
        assert_int_equal(file.handle->pMethods->xTruncate(file.handle, 0), SQLITE_OK);
        file_close(&file);
        vfs_fault_restart(disk, VFS_LOSS_RANDOM);
        int64_t size = vfs_fault_file_bytes(disk, "f");
        assert_true(size == 0 || size == 4096);
        for (uint64_t i = 0; i < (uint64_t)size; i++)
            assert_int_equal(byte_at("f", i), 'a');
        kept = kept || size > 0;
        cut = cut || size == 0;
    }
    assert_true(kept && cut);
}

static void test_failed_sync_forgets(void **state)
{
    (void)state;
    struct file file;
    file_open(&file, "f");
    assert_int_equal(file_write(&file, 0, 'a', 1000), SQLITE_OK);
    assert_int_equal(file_sync(&file), SQLITE_OK);
    assert_int_equal(file_write(&file, 0, 'b', 1000), SQLITE_OK);
    vfs_fault_fail(disk, VFS_SYNC, 1, 0, false);
    assert_int_equal(file_sync(&file), SQLITE_IOERR_FSYNC);
    assert_int_equal(file_sync(&file), SQLITE_OK); /* and that is the lie */
    file_close(&file);
    assert_int_equal(byte_at("f", 0), 'b');
    vfs_fault_restart(disk, VFS_LOSS_ALL);
    assert_int_equal(byte_at("f", 0), 'a');
}

static void test_names_need_a_sync_too(void **state)
{
    (void)state;
    struct file file;
    int plain = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
    assert_int_equal(file_open_as(&file, "database", plain), SQLITE_OK);
    assert_int_equal(file_write(&file, 0, 'a', 10), SQLITE_OK);
    assert_int_equal(file_sync(&file), SQLITE_OK);
    file_close(&file);
    vfs_fault_restart(disk, VFS_LOSS_ALL);
    assert_int_equal(vfs_fault_file_bytes(disk, "database"), -1);
    file_open(&file, "journal"); /* a journal syncs its folder */
    assert_int_equal(file_sync(&file), SQLITE_OK);
    file_close(&file);
    sqlite3_vfs *vfs = sqlite3_vfs_find("test-disk");
    assert_int_equal(vfs->xDelete(vfs, "journal", 0), SQLITE_OK);
    assert_int_equal(vfs_fault_file_bytes(disk, "journal"), -1);
    vfs_fault_restart(disk, VFS_LOSS_ALL);
    assert_int_equal(vfs_fault_file_bytes(disk, "journal"), 0); /* it is back */
}

static void test_full_disk_cuts_a_write(void **state)
{
    (void)state;
    struct file file;
    file_open(&file, "f");
    vfs_fault_set_capacity(disk, 1500);
    assert_int_equal(file_write(&file, 0, 'a', 1000), SQLITE_OK);
    assert_int_equal(file_write(&file, 1000, 'b', 1000), SQLITE_FULL);
    assert_int_equal(vfs_fault_file_bytes(disk, "f"), 1500);
    assert_int_equal(file_write(&file, 0, 'c', 1500), SQLITE_OK); /* what is there can be written */
    assert_int_equal(file_write(&file, 1500, 'c', 1), SQLITE_FULL);
    vfs_fault_set_capacity(disk, 0);
    assert_int_equal(file_write(&file, 1500, 'c', 1), SQLITE_OK);
    file_close(&file);
}

static void test_nth_call_fails_and_power_stays_off(void **state)
{
    (void)state;
    struct file file;
    file_open(&file, "f");
    vfs_fault_fail(disk, VFS_WRITE, 2, SQLITE_IOERR_WRITE, false);
    assert_int_equal(file_write(&file, 0, 'a', 10), SQLITE_OK);
    assert_false(vfs_fault_has_fired(disk));
    assert_int_equal(file_write(&file, 0, 'a', 10), SQLITE_IOERR_WRITE);
    assert_true(vfs_fault_has_fired(disk));
    assert_int_equal(file_write(&file, 0, 'a', 10), SQLITE_OK);
    assert_int_equal(vfs_fault_calls(disk), 3);
    vfs_fault_fail(disk, VFS_ANY, 1, 0, true);
    assert_int_equal(file_write(&file, 0, 'a', 10), SQLITE_IOERR_WRITE);
    assert_int_equal(file_sync(&file), SQLITE_IOERR_FSYNC);
    vfs_fault_power_off_at(disk, 2);
    assert_int_equal(file_write(&file, 0, 'a', 10), SQLITE_OK);
    assert_int_not_equal(file_sync(&file), SQLITE_OK);
    assert_true(vfs_fault_is_off(disk));
    vfs_fault_disarm(disk);
    assert_int_not_equal(file_write(&file, 0, 'a', 10), SQLITE_OK);
    file_close(&file);
}

/* ---- under SQLite ---- */

static sqlite3 *connect(void)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE;
    assert_int_equal(sqlite3_open_v2("data.db", &db, flags, "test-disk"), SQLITE_OK);
    return db;
}

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int64_t count_rows(sqlite3 *db)
{
    sqlite3_stmt *query = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return count;
}

static void test_connections_share_a_wal(void **state)
{
    (void)state;
    sqlite3 *writer = connect(), *reader = connect(), *second = connect();
    assert_int_equal(run(writer, "PRAGMA journal_mode=WAL; CREATE TABLE t (a)"), SQLITE_OK);
    assert_int_equal(run(writer, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)"), SQLITE_OK);
    assert_int_equal(count_rows(reader), 0);
    assert_int_equal(run(second, "BEGIN IMMEDIATE"), SQLITE_BUSY);
    assert_int_equal(run(reader, "BEGIN"), SQLITE_OK);
    assert_int_equal(count_rows(reader), 0);
    assert_int_equal(run(writer, "COMMIT"), SQLITE_OK);
    assert_int_equal(count_rows(reader), 0); /* its snapshot */
    assert_int_equal(run(reader, "COMMIT"), SQLITE_OK);
    assert_int_equal(count_rows(reader), 1);
    assert_int_equal(run(second, "INSERT INTO t VALUES (2)"), SQLITE_OK);
    assert_int_equal(count_rows(writer), 2);
    assert_int_equal(sqlite3_close(writer), SQLITE_OK);
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    assert_int_equal(sqlite3_close(second), SQLITE_OK);
}

static void test_locks_without_wal(void **state)
{
    (void)state;
    sqlite3 *one = connect(), *two = connect();
    assert_int_equal(run(one, "CREATE TABLE t (a); BEGIN IMMEDIATE"), SQLITE_OK);
    assert_int_equal(run(two, "BEGIN IMMEDIATE"), SQLITE_BUSY);
    assert_int_equal(count_rows(two), 0);
    assert_int_equal(run(one, "INSERT INTO t VALUES (1)"), SQLITE_OK);
    assert_int_equal(run(two, "BEGIN; SELECT * FROM t"), SQLITE_OK);
    assert_int_equal(run(one, "COMMIT"), SQLITE_BUSY); /* a reader is there */
    assert_int_equal(run(two, "COMMIT"), SQLITE_OK);
    assert_int_equal(run(one, "COMMIT"), SQLITE_OK);
    assert_int_equal(count_rows(two), 1);
    assert_int_equal(sqlite3_close(one), SQLITE_OK);
    assert_int_equal(sqlite3_close(two), SQLITE_OK);
}

static void test_images_come_back(void **state)
{
    (void)state;
    sqlite3 *db = connect();
    assert_int_equal(run(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)"), SQLITE_OK);
    struct vfs_image *image = vfs_fault_save(disk);
    assert_int_equal(run(db, "INSERT INTO t VALUES (2)"), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    vfs_fault_load(disk, image);
    db = connect();
    assert_int_equal(count_rows(db), 1);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    vfs_fault_load(disk, image);
    vfs_fault_flip_bit(disk, "data.db", 3);
    db = connect();
    assert_int_equal(run(db, "SELECT * FROM t"), SQLITE_NOTADB);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    vfs_image_free(&image);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_new, disk_free)
    const struct CMUnitTest tests[] = {
        TEST(test_unsynced_writes_are_lost),
        TEST(test_random_loss_is_by_sector),
        TEST(test_truncate_is_one_step),
        TEST(test_failed_sync_forgets),
        TEST(test_names_need_a_sync_too),
        TEST(test_full_disk_cuts_a_write),
        TEST(test_nth_call_fails_and_power_stays_off),
        TEST(test_connections_share_a_wal),
        TEST(test_locks_without_wal),
        TEST(test_images_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
