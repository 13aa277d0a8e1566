/* SPDX-License-Identifier: Apache-2.0 */
/* Excel files whose parts are any bytes: the input is cut at its first three zero bytes into sheet, shared strings,
 * styles and workbook. Without a zero byte it is the sheet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/codec.h"
#include "table/inside.h"

#define RELATION "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
static const char relations[] = "<Relationships><Relationship Id=\"a\" Type=\"" RELATION
                                "/officeDocument\" Target=\"xl/w.xml\"/></Relationships>";
static const char workbook[] =
    "<workbook><sheets><sheet name=\"1\" sheetId=\"1\" r:id=\"a\"/></sheets></workbook>";
static const char parts[] =
    "<Relationships><Relationship Id=\"a\" Type=\"" RELATION "/worksheet\" Target=\"s.xml\"/>"
    "<Relationship Id=\"b\" Type=\"" RELATION "/sharedStrings\" Target=\"t.xml\"/>"
    "<Relationship Id=\"c\" Type=\"" RELATION "/styles\" Target=\"y.xml\"/></Relationships>";

/* A zip without compression (APPNOTE 4.3). */
struct zip_writer {
    struct buffer file, directory;
    uint16_t count;
};

static void put_entry(struct buffer *out, str name, str bytes)
{
    write_u16(out, 20);
    write_u16(out, 0);
    write_u16(out, 0);
    write_u32(out, 0x21); /* 1980-01-01 */
    write_u32(out, (uint32_t)crc32(0, (const unsigned char *)bytes.data, (unsigned)bytes.size));
    write_u32(out, (uint32_t)bytes.size);
    write_u32(out, (uint32_t)bytes.size);
    write_u16(out, (uint16_t)name.size);
    write_u16(out, 0);
}

static void put_part(struct zip_writer *zip, str name, str bytes)
{
    uint32_t offset = (uint32_t)zip->file.size;
    buffer_append_str(&zip->file, STR("PK\x03\x04"));
    put_entry(&zip->file, name, bytes);
    buffer_append_str(&zip->file, name);
    buffer_append_str(&zip->file, bytes);
    buffer_append_str(&zip->directory, STR("PK\x01\x02"));
    write_u16(&zip->directory, 20);
    put_entry(&zip->directory, name, bytes);
    write_u16(&zip->directory, 0);
    write_u32(&zip->directory, 0);
    write_u32(&zip->directory, 0);
    write_u32(&zip->directory, offset);
    buffer_append_str(&zip->directory, name);
    zip->count++;
}

static void end_zip(struct zip_writer *zip)
{
    uint32_t offset = (uint32_t)zip->file.size;
    buffer_append_str(&zip->file, buffer_str(&zip->directory));
    buffer_append_str(&zip->file, STR("PK\x05\x06"));
    write_u32(&zip->file, 0);
    write_u16(&zip->file, zip->count);
    write_u16(&zip->file, zip->count);
    write_u32(&zip->file, (uint32_t)zip->directory.size);
    write_u32(&zip->file, offset);
    write_u16(&zip->file, 0);
}

static void read_file(const char *path)
{
    struct table_form form;
    struct table *table = NULL;
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    if (table_detect(path, STR(""), &form, &problem) != ERR_OK)
        return;
    struct table_config config = { .path = path, .form = form };
    if (table_open(&table, &config, &problem) != ERR_OK)
        return;
    err error = ERR_OK;
    for (uint64_t i = 1; i < 5000; i++) {
        error = table_next(table, &row, &problem);
        if (error != ERR_OK && error != ERR_INVALID)
            break;
        if (row.number != i || row.cell_count > TABLE_COLUMNS_MAX || !str_is_utf8(row.raw))
            abort();
        for (uint32_t k = 0; k < row.cell_count; k++)
            if (!str_is_utf8(row.cells[k].text) ||
                (row.cells[k].kind == CELL_EMPTY) != (row.cells[k].text.size == 0))
                abort();
    }
    table_close(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static struct zip_writer zip;
    char path[64];
    if (fd < 0) {
        fd = memfd_create("fuzz", 0);
        buffer_init(&zip.file, (size_t)16 << 20);
        buffer_init(&zip.directory, 1 << 20);
    }
    buffer_clear(&zip.file);
    buffer_clear(&zip.directory);
    zip.count = 0;
    str rest = str_from_bytes(data, size), part[4] = { STR_NONE, STR_NONE, STR_NONE, STR_NONE };
    for (int i = 0; i < 4 && rest.data != NULL; i++)
        if (!str_split(&rest, '\0', &part[i]))
            break;
    put_part(&zip, STR("_rels/.rels"), str_from_c(relations));
    put_part(&zip, STR("xl/w.xml"), part[3].size > 0 ? part[3] : str_from_c(workbook));
    put_part(&zip, STR("xl/_rels/w.xml.rels"), str_from_c(parts));
    put_part(&zip, STR("xl/s.xml"), part[0]);
    put_part(&zip, STR("xl/t.xml"),
             part[1].size > 0 ? part[1] : STR("<sst><si><t>a</t></si></sst>"));
    put_part(&zip, STR("xl/y.xml"),
             part[2].size > 0 ? part[2] : STR("<s><cellXfs><xf numFmtId=\"22\"/></cellXfs></s>"));
    end_zip(&zip);
    if (fd < 0 || ftruncate(fd, 0) != 0 ||
        pwrite(fd, zip.file.data, zip.file.size, 0) != (ssize_t)zip.file.size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    read_file(path);
    return 0;
}
