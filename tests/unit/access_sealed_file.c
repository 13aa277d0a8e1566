/* SPDX-License-Identifier: Apache-2.0 */
/* X11: sealed files: no plain byte on disk, growing, cutting, changing in place, torn ends, damage. */
#include "support/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/sealed_file.h"
#include "base/arena.h"
#include "base/buffer.h"

static char folder[] = "/tmp/kith-sealed-XXXXXX";
static char path[200];
static struct keys *keys;

static int begin(void **state)
{
    char key_path[200];
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(key_path, sizeof key_path, "%s/keys", folder);
    snprintf(path, sizeof path, "%s/file", folder);
    return keys_open(&keys, key_path, NULL) == ERR_OK ? 0 : -1;
}

static int end(void **state)
{
    char key_path[200];
    (void)state;
    snprintf(key_path, sizeof key_path, "%s/keys", folder);
    keys_free(&keys);
    unlink(key_path);
    unlink(path);
    return rmdir(folder);
}

static struct sealed_file *open_it(bool writes)
{
    struct sealed_file *file;
    assert_int_equal(sealed_file_open(&file, keys, path, writes, NULL), ERR_OK);
    return file;
}

static void append(struct sealed_file *file, str text)
{
    assert_int_equal(sealed_file_append(file, text, NULL), ERR_OK);
}

static void expect(struct sealed_file *file, str wanted)
{
    char *out = memory_alloc(wanted.size + 100);
    size_t size;
    assert_int_equal(sealed_file_size(file), wanted.size);
    assert_int_equal(sealed_file_read(file, 0, out, wanted.size + 100, &size, NULL), ERR_OK);
    assert_int_equal(size, wanted.size);
    assert_memory_equal(out, wanted.data, wanted.size);
    for (size_t at = 0; at < wanted.size; at += wanted.size / 7 + 1) {
        assert_int_equal(sealed_file_read(file, at, out, 10, &size, NULL), ERR_OK);
        assert_int_equal(size, wanted.size - at < 10 ? wanted.size - at : 10);
        assert_memory_equal(out, wanted.data + at, size);
    }
    memory_free(out);
}

static off_t bytes_on_disk(void)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

static bool is_on_disk(const char *text)
{
    size_t size = (size_t)bytes_on_disk();
    char *bytes = memory_alloc(size + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, bytes, size), size);
    close(fd);
    bool found = memmem(bytes, size, text, strlen(text)) != NULL;
    memory_free(bytes);
    return found;
}

static void test_grows_and_is_read_anywhere(void **state)
{
    struct sealed_file *file;
    struct buffer all;
    (void)state;
    buffer_init(&all, (size_t)8 << 20);
    assert_int_equal(sealed_file_create(&file, keys, path, NULL), ERR_OK);
    expect(file, STR_NONE);
    for (int i = 0; i < 40; i++) { /* parts of all sizes, beyond a piece, too */
        struct buffer part;
        buffer_init(&part, (size_t)8 << 20);
        for (int k = 0; k < i * i * 12 + 1; k++)
            buffer_printf(&part, "%d,13812345678\n", i * 1000 + k);
        append(file, buffer_str(&part));
        buffer_append_str(&all, buffer_str(&part));
        buffer_deinit(&part);
        if (i % 5 == 0) { /* a server that ended */
            sealed_file_close(&file);
            file = open_it(true);
        }
    }
    expect(file, buffer_str(&all));
    sealed_file_close(&file);
    assert_false(is_on_disk("13812345678"));
    file = open_it(false);
    expect(file, buffer_str(&all));
    int fd;
    char name[SEALED_PATH_BYTES], first[15];
    assert_int_equal(sealed_file_unseal(file, &fd, name, NULL), ERR_OK);
    int again = open(name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(again, first, sizeof first), sizeof first);
    assert_memory_equal(first, all.data, sizeof first);
    assert_int_equal(lseek(again, 0, SEEK_END), all.size);
    close(again);
    close(fd);
    sealed_file_close(&file);
    assert_int_equal(buffer_status(&all), ERR_OK);
    buffer_deinit(&all);
}

static void test_is_cut_anywhere(void **state)
{
    struct sealed_file *file;
    (void)state;
    const str text = STR("one,two,three,four,five");
    for (size_t size = 0; size <= text.size; size++) {
        assert_int_equal(sealed_file_create(&file, keys, path, NULL), ERR_OK);
        append(file, str_slice(text, 0, 4));
        append(file, str_slice(text, 4, 14));
        append(file, str_slice(text, 14, text.size));
        assert_int_equal(sealed_file_cut(file, size, NULL), ERR_OK);
        expect(file, str_slice(text, 0, size));
        append(file, STR("+"));
        sealed_file_close(&file);
        file = open_it(true);
        assert_int_equal(sealed_file_size(file), size + 1);
        sealed_file_close(&file);
    }
}

static void test_changes_in_place(void **state)
{
    struct sealed_file *file;
    (void)state;
    assert_int_equal(sealed_file_create(&file, keys, path, NULL), ERR_OK);
    append(file, STR("a,13812345678\n"));
    append(file, STR("b,13900000000\n"));
    off_t size = bytes_on_disk();
    assert_int_equal(sealed_file_change(file, STR("a,***********\nb,13900000000\n"), NULL), ERR_OK);
    assert_int_equal(bytes_on_disk(), size);
    sealed_file_close(&file);
    file = open_it(false);
    expect(file, STR("a,***********\nb,13900000000\n"));
    sealed_file_close(&file);
}

/* Wherever the machine stops while the last piece is written, what was before it is there. */
static void test_torn_ends_are_not_there(void **state)
{
    struct sealed_file *file;
    (void)state;
    assert_int_equal(sealed_file_create(&file, keys, path, NULL), ERR_OK);
    append(file, STR("kept,"));
    off_t whole = bytes_on_disk();
    append(file, STR("torn"));
    off_t end = bytes_on_disk();
    sealed_file_close(&file);
    for (off_t cut = end - 1; cut >= whole; cut--) {
        assert_int_equal(truncate(path, cut), 0);
        file = open_it(false);
        expect(file, STR("kept,"));
        sealed_file_close(&file);
    }
    /* As long as it was, but not all of it had reached the disk. */
    assert_int_equal(truncate(path, whole), 0);
    file = open_it(true);
    append(file, STR("torn"));
    sealed_file_close(&file);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "\0\0\0", 3, end - 3), 3);
    close(fd);
    file = open_it(true);
    expect(file, STR("kept,"));
    sealed_file_close(&file);
    assert_int_equal(bytes_on_disk(), whole);
}

/* Any bit that changes is found, and a piece of another place or file is not taken. */
static void test_damage_is_found(void **state)
{
    struct sealed_file *file;
    char out[64];
    size_t size;
    (void)state;
    assert_int_equal(sealed_file_create(&file, keys, path, NULL), ERR_OK);
    append(file, STR("first piece"));
    append(file, STR("other piece"));
    sealed_file_close(&file);
    off_t end = bytes_on_disk();
    for (off_t at = 0; at < end; at++) {
        uint8_t byte, changed;
        if (at >= 12 && at < 16)
            continue; /* zeros of the head that say nothing */
        int fd = open(path, O_RDWR | O_CLOEXEC);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        changed = byte ^ 4;
        assert_int_equal(pwrite(fd, &changed, 1, at), 1);
        err error = sealed_file_open(&file, keys, path, false, NULL);
        if (error == ERR_OK && sealed_file_size(file) == 22)
            error = sealed_file_read(file, 0, out, sizeof out, &size, NULL);
        else if (error == ERR_OK)
            error = ERR_CORRUPT; /* shorter: a length was changed */
        assert_int_equal(error, ERR_CORRUPT);
        sealed_file_close(&file);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
    }
    /* Two pieces of one length change places. */
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t pieces[2][4 + SEAL_PIECE_BYTES + 11];
    assert_int_equal(pread(fd, pieces, sizeof pieces, 32), sizeof pieces);
    assert_int_equal(pwrite(fd, pieces[1], sizeof pieces[1], 32), sizeof pieces[1]);
    assert_int_equal(pwrite(fd, pieces[0], sizeof pieces[0], 32 + (off_t)sizeof pieces[1]),
                     sizeof pieces[0]);
    close(fd);
    file = open_it(false);
    assert_int_equal(sealed_file_read(file, 0, out, sizeof out, &size, NULL), ERR_CORRUPT);
    sealed_file_close(&file);
}

static uint32_t key_of_file(void)
{
    uint8_t head[12];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, head, sizeof head), sizeof head);
    close(fd);
    return head[8];
}

/* Last of all: from here on there is a newer key. */
static void rotate(uint32_t number)
{
    char key_path[200];
    snprintf(key_path, sizeof key_path, "%s/keys", folder);
    assert_ok(keys_add(keys, key_path, number, NULL));
    assert_ok(keys_use(keys, key_path, number, NULL));
}

static void test_sealed_anew(void **state)
{
    (void)state;
    bool renewed = true;
    char name[220];
    struct stat before, after;
    struct sealed_file *file;
    assert_ok(sealed_file_create(&file, keys, path, NULL));
    append(file, STR("first,"));
    append(file, STR("second"));
    assert_ok(sealed_file_renew(keys, path, &renewed, NULL));
    assert_false(renewed); /* it has the newest */
    rotate(2);
    assert_int_equal(sealed_file_renew(keys, path, &renewed, NULL), ERR_BUSY); /* F3 */
    append(file, STR(",third"));
    sealed_file_close(&file);
    const struct timespec times[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(stat(path, &before), 0);
    struct sealed_file *reader = open_it(false);
    assert_int_equal(key_of_file(), 1);
    assert_ok(sealed_file_renew(keys, path, &renewed, NULL));
    assert_true(renewed);
    assert_int_equal(key_of_file(), 2);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mtime, after.st_mtime);
    assert_int_not_equal(before.st_ino, after.st_ino);
    expect(reader, STR("first,second,third")); /* of the old one */
    sealed_file_close(&reader);
    file = open_it(true);
    expect(file, STR("first,second,third"));
    append(file, STR("!"));
    sealed_file_close(&file);
    snprintf(name, sizeof name, "%s" SEALED_FRESH, path);
    assert_int_equal(access(name, F_OK), -1);
    /* a torn end is left behind, and what is not there stays so */
    rotate(3);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "x", 1, 32 + 3 * (4 + SEAL_PIECE_BYTES) + 18 + 20), 1);
    close(fd);
    assert_ok(sealed_file_renew(keys, path, &renewed, NULL));
    file = open_it(false);
    expect(file, STR("first,second,third"));
    sealed_file_close(&file);
    unlink(path);
    assert_int_equal(sealed_file_renew(keys, path, &renewed, NULL), ERR_NOT_FOUND);
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_is_read_anywhere),
        cmocka_unit_test(test_is_cut_anywhere),
        cmocka_unit_test(test_changes_in_place),
        cmocka_unit_test(test_torn_ends_are_not_there),
        cmocka_unit_test(test_damage_is_found),
        cmocka_unit_test(test_sealed_anew),
    };
    return cmocka_run_group_tests_name("access_sealed_file", tests, begin, end);
}
