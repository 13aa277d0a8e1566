/* SPDX-License-Identifier: Apache-2.0 */
/* erased: the list of erased customers beside the backups, so that a point that still knows one is erased again when it is restored.
 *
 * `erased` in the folder of backups: a line for each tombstone, its keyed hash as 32 hex digits; it only grows. kith restore puts a copy
 * into the new data folder as `erased.pending`; the first start erases whoever of them is there, keeps the others out, and removes it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/logline.h"
#include "privacy/inside.h"

#define LIST_BYTES_MAX ((size_t)1 << 30)
#define LINE_BYTES 33

struct listing {
    struct buffer text;
    size_t known; /* bytes of `text` that are in the file already */
};

static bool is_line(str line)
{
    for (size_t i = 0; i < line.size; i++)
        if (!((line.data[i] >= '0' && line.data[i] <= '9') ||
              (line.data[i] >= 'a' && line.data[i] <= 'f')))
            return false;
    return line.size == LINE_BYTES - 1;
}

static void write_hex(const uint8_t *bytes, char out[LINE_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[LINE_BYTES - 1] = '\0';
}

static err read_file(const char *path, struct buffer *out, struct problem *problem)
{
    char bytes[65536];
    size_t size;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT
                   ? ERR_NOT_FOUND
                   : problem_set(problem, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    while ((size = fread(bytes, 1, sizeof bytes, file)) > 0)
        buffer_append(out, bytes, size);
    bool bad = ferror(file) != 0;
    fclose(file);
    return bad ? problem_set(problem, ERR_IO, "cannot read '%s'", path) : buffer_status(out);
}

static bool list_stone(void *context, const struct ledger_value *values)
{
    struct listing *listing = context;
    char line[LINE_BYTES];
    if (values[0].bytes.size != 16 || values[5].integer != 0)
        return true;
    write_hex((const uint8_t *)values[0].bytes.data, line);
    if (listing->known == 0 || memmem(listing->text.data, listing->known, line, 32) == NULL) {
        buffer_append(&listing->text, line, 32);
        buffer_append_byte(&listing->text, '\n');
    }
    return true;
}

/* A new file beside it, synced, then renamed. */
static err replace_file(const char *path, str text, struct problem *problem)
{
    char fresh[PRIVACY_PATH_BYTES + 8];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "we");
    bool good = file != NULL && fwrite(text.data, 1, text.size, file) == text.size &&
                fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (file != NULL && fclose(file) != 0)
        good = false;
    if (good && rename(fresh, path) == 0)
        return ERR_OK;
    return problem_set(problem, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_IO,
                       "cannot write '%s': %s", path, strerror(errno));
}

err erased_list_write(struct privacy *privacy, struct problem *problem)
{
    struct listing listing;
    char path[PRIVACY_PATH_BYTES];
    if (privacy->backups == NULL)
        return ERR_OK;
    snprintf(path, sizeof path, "%.1000s/erased", privacy->backups);
    buffer_init(&listing.text, LIST_BYTES_MAX);
    err error = read_file(path, &listing.text, problem);
    if (error == ERR_NOT_FOUND)
        error = ERR_OK;
    listing.known = listing.text.size;
    if (error == ERR_OK)
        error = ledger_scan(engine_ledger(privacy->engine), LEDGER_TOMBSTONES, NULL, list_stone,
                            &listing, problem);
    if (error == ERR_OK)
        error = buffer_status(&listing.text);
    if (error == ERR_OK && listing.text.size > listing.known)
        error = replace_file(path, buffer_str(&listing.text), problem);
    buffer_deinit(&listing.text);
    return error;
}

/* ---- after a restore ---- */

struct ask_home {
    uint8_t hash[16];
    uint32_t root;
};

static void find_home(const struct engine_state *state, struct engine_question *question)
{
    struct ask_home *ask = question->context;
    uint32_t row = identity_find_row(state->identity, ask->hash);
    uint32_t node = row != 0 ? identity_row_node(state->identity, row) : 0;
    ask->root = node != 0 ? identity_root(state->identity, node) : 0;
}

static uint8_t digit_of(char byte)
{
    return (uint8_t)(byte <= '9' ? byte - '0' : byte - 'a' + 10);
}

/* Who is there is erased; the others are kept out. */
static err erase_line(struct privacy *privacy, str line, uint64_t *erased, struct buffer *others,
                      struct problem *problem)
{
    struct ask_home ask = { .root = 0 };
    struct engine_question question = { .ask = find_home, .context = &ask };
    char body[120];
    for (size_t i = 0; i < 16; i++)
        ask.hash[i] = (uint8_t)(digit_of(line.data[2 * i]) << 4 | digit_of(line.data[2 * i + 1]));
    err error = engine_ask_wait(privacy->engine, &question);
    if (error != ERR_OK)
        return error;
    if (ask.root == 0) {
        buffer_printf(others, "%s\"" STR_FMT "\"", others->size > 0 ? "," : "", STR_ARG(line));
        return ERR_OK;
    }
    int size = snprintf(body, sizeof body,
                        "{\"customer\":%u,\"reason\":\"erased before the restore\"}", ask.root);
    error = privacy_command(privacy, "customer.erase", str_from_bytes(body, (size_t)size), NULL,
                            problem);
    ++*erased;
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

static err keep_out(struct privacy *privacy, const struct buffer *others, struct problem *problem)
{
    struct buffer body;
    if (others->size == 0)
        return ERR_OK;
    buffer_init(&body, LIST_BYTES_MAX);
    buffer_printf(&body, "{\"hashes\":[%.*s]}", STR_ARG(buffer_str(others)));
    err error = buffer_status(&body);
    if (error == ERR_OK)
        error = privacy_command(privacy, "tombstone.put", buffer_str(&body), NULL, problem);
    buffer_deinit(&body);
    return error;
}

err erased_list_apply(struct privacy *privacy, struct problem *problem)
{
    char path[PRIVACY_PATH_BYTES];
    struct buffer text, others;
    uint64_t erased = 0;
    snprintf(path, sizeof path, "%.1000s/erased.pending", privacy->folder);
    buffer_init(&text, LIST_BYTES_MAX);
    buffer_init(&others, LIST_BYTES_MAX);
    err error = read_file(path, &text, problem);
    str rest = buffer_str(&text), line;
    while (error == ERR_OK && str_split(&rest, '\n', &line) && !privacy_stops(privacy)) {
        if (is_line(line))
            error = erase_line(privacy, line, &erased, &others, problem);
        if (error == ERR_OK && others.size > 400000) {
            error = keep_out(privacy, &others, problem);
            buffer_clear(&others);
        }
    }
    if (error == ERR_OK)
        error = keep_out(privacy, &others, problem);
    bool done = error == ERR_OK && !privacy_stops(privacy);
    if (done && unlink(path) != 0)
        error = problem_set(problem, ERR_IO, "cannot remove '%s': %s", path, strerror(errno));
    if (done)
        log_line(LOG_INFO, "erased_again", "customers=%llu", (unsigned long long)erased);
    buffer_deinit(&text);
    buffer_deinit(&others);
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}
