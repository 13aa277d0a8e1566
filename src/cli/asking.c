/* SPDX-License-Identifier: Apache-2.0 */
/* asking: requests put together out of words of the command line. */
#include "cli/asking.h"

#include <errno.h>
#include <string.h>

#include "cli/commands.h"

#define FILE_BYTES_MAX ((size_t)64 << 20)
#define PATH_BYTES_MAX 8192

bool asking_take_option(const struct asking_option *options, size_t count, int argc, char **argv,
                        int *at)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(argv[*at], options[i].name) != 0)
            continue;
        bool is_flag = options[i].value[0] == '\0';
        if (!is_flag && *at + 1 == argc)
            return false;
        *options[i].place = is_flag ? "true" : argv[++*at];
        return true;
    }
    return false;
}

err asking_open(struct asking *asking, const char *server, const char *token,
                struct problem *problem)
{
    *asking = (struct asking){ .problem = problem };
    buffer_init(&asking->body, FILE_BYTES_MAX);
    buffer_init(&asking->path, PATH_BYTES_MAX);
    return client_new(&asking->client, server != NULL ? server : "", token != NULL ? token : "",
                      problem);
}

int asking_end(struct asking *asking, err error)
{
    client_free(&asking->client);
    buffer_deinit(&asking->body);
    buffer_deinit(&asking->path);
    if (error == ERR_OK)
        return 0;
    asking->problem->error = error;
    print_problem(asking->problem);
    return EXIT_FAILED;
}

static void put_escaped(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9') || strchr("-_.~", *text) != NULL;
        if (plain)
            buffer_append(out, text, 1);
        else
            buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

void asking_path(struct asking *asking, const char *start)
{
    buffer_clear(&asking->path);
    buffer_append_str(&asking->path, str_from_c(start));
}

void asking_step(struct asking *asking, const char *key)
{
    buffer_append_str(&asking->path, STR("/"));
    put_escaped(&asking->path, key);
}

void asking_query(struct asking *asking, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    bool first = str_find_byte(buffer_str(&asking->path), '?') == asking->path.size;
    buffer_printf(&asking->path, "%s%s=", first ? "?" : "&", name);
    put_escaped(&asking->path, value);
}

err asking_read_file(struct asking *asking, const char *file)
{
    char bytes[16384];
    size_t size;
    bool is_stdin = strcmp(file, "-") == 0;
    FILE *input = is_stdin ? stdin : fopen(file, "re");
    if (input == NULL)
        return problem_set(asking->problem, ERR_IO, "'%s' cannot be read: %s", file,
                           strerror(errno));
    while ((size = fread(bytes, 1, sizeof bytes, input)) > 0)
        buffer_append(&asking->body, bytes, size);
    err error = ferror(input) ? problem_set(asking->problem, ERR_IO, "'%s' cannot be read: %s",
                                            file, strerror(errno))
                              : buffer_status(&asking->body);
    if (!is_stdin)
        fclose(input);
    return error;
}

err asking_send(struct asking *asking, const char *method, json_value *answer)
{
    buffer_append(&asking->path, "", 1);
    err error = buffer_status(&asking->path);
    if (error == ERR_OK)
        error = client_ask(asking->client, method, asking->path.data, buffer_str(&asking->body),
                           answer, asking->problem);
    return error;
}

void asking_print(const struct asking *asking)
{
    str bytes = client_bytes(asking->client);
    if (bytes.size > 0)
        printf(STR_FMT "\n", STR_ARG(bytes));
}
