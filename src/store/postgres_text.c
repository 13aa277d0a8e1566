/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_text: types, parameters and error classes. */
#include "store/postgres_text.h"

#include <string.h>

static const struct {
    const char *ours, *theirs;
} WORDS[] = {
    { "INTEGER", "BIGINT" },
    { "BLOB", "BYTEA" },
    /* Keys are read in the order of their bytes, whatever the language of the database. */
    { "TEXT", "TEXT COLLATE \"C\"" },
    { "WITHOUT", "" },
    { "ROWID", "" },
};

static bool is_word_byte(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_' ||
           (byte >= '0' && byte <= '9');
}

static void write_word(str word, struct buffer *out)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (str_equal(word, str_from_c(WORDS[i].ours))) {
            buffer_append_str(out, str_from_c(WORDS[i].theirs));
            return;
        }
    }
    buffer_append_str(out, word);
}

/* Bytes of the comment or quoted text at the start; 0: neither. */
static size_t kept_bytes(str rest)
{
    char quote = rest.data[0];
    if (str_starts_with(rest, STR("--")))
        return str_find_byte(rest, '\n');
    if (quote != '\'' && quote != '"')
        return 0;
    size_t end = str_find_byte(str_slice(rest, 1, rest.size), quote) + 2;
    return end < rest.size ? end : rest.size;
}

void postgres_write_migration(str text, struct buffer *out)
{
    while (text.size > 0) {
        size_t bytes = kept_bytes(text);
        if (bytes == 0 && is_word_byte(text.data[0])) {
            while (bytes < text.size && is_word_byte(text.data[bytes]))
                bytes++;
            write_word(str_slice(text, 0, bytes), out);
        } else {
            bytes = bytes == 0 ? 1 : bytes;
            buffer_append_str(out, str_slice(text, 0, bytes));
        }
        text = str_slice(text, bytes, text.size);
    }
}

int postgres_write_statement(str text, struct buffer *out)
{
    int count = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '?')
            buffer_printf(out, "$%d", ++count);
        else
            buffer_append_byte(out, (uint8_t)text.data[i]);
    }
    return count;
}

err postgres_error_of(const char *state)
{
    static const struct {
        const char *prefix;
        err error;
    } CLASSES[] = {
        { "08", ERR_UNAVAILABLE },    /* the connection */
        { "57P", ERR_UNAVAILABLE },   /* the server goes down, or comes up */
        { "53300", ERR_UNAVAILABLE }, /* too many connections */
        { "53100", ERR_STORAGE_FULL },
        { "53200", ERR_NOMEM },
        { "40", ERR_BUSY }, /* the transaction was rolled back for another's sake */
        { "55P03", ERR_BUSY },
        { "57014", ERR_BUSY }, /* cancelled */
        { "58", ERR_IO },
        { "XX001", ERR_CORRUPT },
        { "XX002", ERR_CORRUPT },
        { "28", ERR_FORBIDDEN }, /* who may connect */
        { "3D000", ERR_NOT_FOUND },
        { "25006", ERR_CONFLICT }, /* a standby: it cannot be written to */
        { "54", ERR_TOO_LARGE },
    };
    if (state == NULL || state[0] == '\0')
        return ERR_UNAVAILABLE;
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++)
        if (strncmp(state, CLASSES[i].prefix, strlen(CLASSES[i].prefix)) == 0)
            return CLASSES[i].error;
    return ERR_INTERNAL;
}
