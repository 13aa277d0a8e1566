/* SPDX-License-Identifier: Apache-2.0 */
/* import_files: the members and events of bench/import.mjs as JSON lines, as many as wanted: 8 million and 60 million take a minute.
 *
 * Usage: import_files MEMBERS EVENTS FOLDER
 *
 * A file that is there stays as it is. Each event is of a member and of one of two devices of somebody; every sixth is a paid order. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)4 << 20)
/* 2024-01-01, and what of the year behind it the times are spread over. */
#define FIRST_S INT64_C(1704067200)
#define YEAR_S 31536000
#define SPREAD 2654435761u

static _Noreturn void give_up(const char *what, const char *detail)
{
    fprintf(stderr, "bench: %s: %s\n", what, detail);
    exit(1);
}

struct stamp {
    char text[32];
};

static struct stamp stamp_of(uint64_t i)
{
    struct stamp stamp;
    struct tm parts;
    time_t at = (time_t)(FIRST_S + (int64_t)(i * 37 % YEAR_S));
    gmtime_r(&at, &parts);
    strftime(stamp.text, sizeof stamp.text, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
    return stamp;
}

/* The phone is one that no pattern of placeholders takes for one. */
static void write_member(FILE *out, uint64_t i, uint64_t members)
{
    (void)members;
    fprintf(
        out,
        "{\"card\":\"m%llu\",\"phone\":\"13%08llu%llu\",\"name\":\"member %llu\",\"level\":\"l%llu\","
        "\"points\":%llu,\"city\":\"c%llu\",\"joined\":\"%s\"}\n",
        (unsigned long long)i, (unsigned long long)(10000000 + i * 7919 % 89999999),
        (unsigned long long)(i % 10), (unsigned long long)i, (unsigned long long)(i % 4),
        (unsigned long long)(i * 13 % 9999), (unsigned long long)(i % 300), stamp_of(i).text);
}

static void write_event(FILE *out, uint64_t i, uint64_t members)
{
    static const char *const names[] = { "Product Viewed", "Product Added", "Page Viewed",
                                         "Search",         "Order Paid",    "App Opened" };
    uint32_t who = (uint32_t)i * SPREAD;
    unsigned product = (unsigned)(i % 997);
    size_t name = i % 6;
    fprintf(
        out,
        "{\"id\":\"e%llu\",\"user\":\"m%llu\",\"device\":\"d%llu\",\"event\":\"%s\",\"time\":\"%s\","
        "\"product_id\":\"sku-%u\",\"category\":\"c%u\",\"page\":\"/p/%u\"",
        (unsigned long long)i, (unsigned long long)(who % members),
        (unsigned long long)(who % (members * 2)), names[name], stamp_of(i).text, product,
        (unsigned)(i % 12), product);
    if (name == 4)
        fprintf(out, ",\"order_id\":\"o%llu\",\"revenue\":%u.5", (unsigned long long)i,
                (unsigned)(i % 900) + 9);
    fputs("}\n", out);
}

static void write_file(const char *folder, const char *name, uint64_t count, uint64_t members,
                       void (*write_line)(FILE *, uint64_t, uint64_t))
{
    char path[600], part[610];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(part, sizeof part, "%s.part", path);
    if (access(path, F_OK) == 0)
        return;
    FILE *out = fopen(part, "we");
    if (out == NULL)
        give_up("cannot be written", part);
    setvbuf(out, NULL, _IOFBF, BUFFER_BYTES);
    for (uint64_t i = 0; i < count; i++)
        write_line(out, i, members);
    if (ferror(out) || fclose(out) != 0 || rename(part, path) != 0)
        give_up("could not be written whole", part);
}

int main(int count, char **arguments)
{
    uint64_t members = count == 4 ? strtoull(arguments[1], NULL, 10) : 0;
    if (members == 0)
        give_up("usage", "import_files MEMBERS EVENTS FOLDER");
    write_file(arguments[3], "members.jsonl", members, members, write_member);
    write_file(arguments[3], "events.jsonl", strtoull(arguments[2], NULL, 10), members,
               write_event);
    return 0;
}
