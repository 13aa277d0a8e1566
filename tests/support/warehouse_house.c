/* SPDX-License-Identifier: Apache-2.0 */
/* A warehouse for a test. */
#include "support/warehouse_house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "store/warehouse_child.h"
#include "support/cmocka.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NEEDS_PROGRAM 1
#else
#define NEEDS_PROGRAM 0
#endif
#define RELEASE_PROGRAM KITH_SOURCE_DIR "/build/release/kith"
#define LIBRARY_X64 KITH_SOURCE_DIR "/tools/chdb/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
#define LIBRARY_ARM64 \
    KITH_SOURCE_DIR "/tools/chdb/node_modules/@chdb/lib-linux-arm64-gnu/libchdb.so"

bool warehouse_house_child(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "warehouse") != 0)
        return false;
    exit(warehouse_child_main(argc - 1, argv + 1));
}

const char *warehouse_house_missing(void)
{
    if (getenv("KITH_CHDB_LIBRARY") == NULL) {
        if (access(LIBRARY_X64, R_OK) == 0)
            setenv("KITH_CHDB_LIBRARY", LIBRARY_X64, 1);
        else if (access(LIBRARY_ARM64, R_OK) == 0)
            setenv("KITH_CHDB_LIBRARY", LIBRARY_ARM64, 1);
        else
            return "libchdb.so is not there: run 'make setup'";
    }
    if (NEEDS_PROGRAM && getenv("KITH_WAREHOUSE_PROGRAM") == NULL) {
        if (access(RELEASE_PROGRAM, X_OK) != 0)
            return "a sanitizer build needs " RELEASE_PROGRAM " as its child: run 'make build'";
        setenv("KITH_WAREHOUSE_PROGRAM", RELEASE_PROGRAM, 1);
    }
    return NULL;
}

void warehouse_house_make(struct warehouse_house *house)
{
    memset(house, 0, sizeof(*house));
    snprintf(house->folder, sizeof(house->folder), "/tmp/kith_warehouse_XXXXXX");
    assert_non_null(mkdtemp(house->folder));
}

void warehouse_house_open(struct warehouse_house *house)
{
    struct problem problem = { .error = ERR_OK };
    struct warehouse_config config = { .folder = house->folder,
                                       .memory_bytes_max = house->memory_bytes_max };
    if (warehouse_open(&house->warehouse, &config, &problem) != ERR_OK ||
        warehouse_wait(house->warehouse, 60000, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
}

void warehouse_house_close(struct warehouse_house *house)
{
    warehouse_close(&house->warehouse);
}

void warehouse_house_remove(struct warehouse_house *house)
{
    char command[512];
    warehouse_close(&house->warehouse);
    snprintf(command, sizeof(command), "rm -rf '%s'", house->folder);
    assert_int_equal(system(command), 0);
}

void warehouse_house_row(struct buffer *rows, uint64_t seq, uint64_t batch)
{
    static const char *const TYPES[] = { "Order Paid", "Page Viewed", "Product Added" };
    uint64_t dice = hash_mix64(seq);
    uint32_t identifiers[3] = { (uint32_t)(dice % 1000), (uint32_t)(dice % 999), 7 };
    int64_t numbers[PROMOTED_COUNT] = { 0 };
    str texts[PROMOTED_COUNT] = { 0 };
    char props[128];
    int size =
        snprintf(props, sizeof(props), "{\"n\":%llu,\"名\":\"熟客\"}", (unsigned long long)seq);
    numbers[PROMOTED_REVENUE] = (int64_t)(dice % 100000);
    texts[PROMOTED_CURRENCY] = STR("CNY");
    struct warehouse_event event = {
        .seq = seq,
        .batch = batch,
        .source = 3,
        .kind = 1,
        .flags = (uint8_t)(dice % 4),
        .type = str_from_c(TYPES[dice % 3]),
        .channel = STR("web"),
        .time_ms = 1795000000000 + (int64_t)(dice % 100000),
        .received_ms = 1795000000000 + (int64_t)seq,
        .customer = (uint32_t)(dice % 300),
        .origin = identifiers[0],
        .identifiers = identifiers,
        .identifier_count = (uint32_t)(dice % 4),
        .promoted_set = seq % 2 == 0 ? 1u << PROMOTED_REVENUE | 1u << PROMOTED_CURRENCY : 0,
        .promoted_int = numbers,
        .promoted_text = texts,
        .props = { props, (size_t)size },
    };
    memcpy(event.message_key, &dice, sizeof(dice));
    event_row_write(rows, &event);
}

uint64_t warehouse_house_number(struct warehouse_house *house, const char *sql)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    uint64_t number = 0;
    buffer_init(&out, 1 << 20);
    if (warehouse_query(house->warehouse, str_from_c(sql), NULL, 0, 60000, &out, &problem) !=
        ERR_OK)
        fail_msg("%s: %s", sql, problem.detail);
    if (!str_to_uint64(str_trim(buffer_str(&out)), &number))
        fail_msg("%s: no number: " STR_FMT, sql, STR_ARG(buffer_str(&out)));
    buffer_deinit(&out);
    return number;
}
