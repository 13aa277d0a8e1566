/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a stored block. The first byte says whether the CRC is put right before, so that what
 * lies behind it is reached. What is accepted must come out again as it went in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "log/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_crc_right(char *bytes, size_t size)
{
    uint32_t crc = crc32c(crc32c(0, bytes, 36), bytes + 40, size - 40);
    for (size_t i = 0; i < 4; i++)
        bytes[36 + i] = (char)(crc >> (8 * i));
}

static void walk(const struct log_block *block)
{
    struct log_cursor cursor = { .block = block };
    struct log_record record;
    uint32_t count = 0;
    size_t bytes = 0;
    while (log_block_next(&cursor, &record)) {
        INVARIANT(record.seq == block->first_seq + count);
        bytes += record.body.size;
        count++;
    }
    INVARIANT(count == block->count && bytes < block->records.size);
}

static void encode_again(const struct log_block *block)
{
    struct buffer out;
    struct log_block *again = NULL;
    struct problem problem;
    buffer_init(&out, 2 * LOG_BLOCK_BYTES_LIMIT);
    INVARIANT(log_block_encode(&out, block->first_seq, block->count, block->received_ms,
                               block->records) == ERR_OK);
    INVARIANT(log_block_decode(buffer_str(&out), &again, &problem) == ERR_OK);
    INVARIANT(again->first_seq == block->first_seq && again->count == block->count);
    INVARIANT(again->received_ms == block->received_ms);
    INVARIANT(str_equal(again->records, block->records));
    log_block_release(&again);
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_block *block = NULL;
    struct problem problem = { 0 };
    if (size == 0)
        return 0;
    char *bytes = malloc(size); /* of its own size: reading beyond is seen */
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & 1) != 0 && size - 1 >= 40)
        put_crc_right(bytes, size - 1);
    err error = log_block_decode(str_from_bytes(bytes, size - 1), &block, &problem);
    if (error == ERR_OK) {
        walk(block);
        encode_again(block);
        log_block_release(&block);
    } else {
        INVARIANT(block == NULL && problem.detail[0] != '\0');
    }
    free(bytes);
    return 0;
}
