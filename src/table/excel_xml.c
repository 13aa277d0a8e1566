/* SPDX-License-Identifier: Apache-2.0 */
/* excel_xml: parts of the zip through expat, with guards: no document types, no bombs, no endless tokens. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "table/excel_inside.h"
#include "table/unpack.h"

#define PIECE_BYTES (64 * 1024)
/* The longest tag or text that expat may have to hold at once. */
#define TOKEN_BYTES_MAX (32 * 1024 * 1024)

bool excel_name_is(const XML_Char *name, const char *local)
{
    const char *colon = strchr(name, ':');
    return strcmp(colon != NULL ? colon + 1 : name, local) == 0;
}

const char *excel_attribute(const XML_Char **attributes, const char *name)
{
    for (; attributes[0] != NULL; attributes += 2)
        if (excel_name_is(attributes[0], name))
            return attributes[1];
    return NULL;
}

void excel_xml_suspend(struct excel_xml *xml)
{
    XML_StopParser(xml->parser, XML_TRUE);
}

void excel_xml_stop(struct excel_xml *xml, err error)
{
    xml->error = error;
    XML_StopParser(xml->parser, XML_FALSE);
}

/* Entities can be defined in a document type alone; Excel has none. */
static void refuse_doctype(void *context, const XML_Char *name, const XML_Char *system,
                           const XML_Char *public, int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    struct excel_xml *xml = context;
    XML_StopParser(xml->parser, XML_FALSE);
}

static err refuse_part(const char *part, const char *why, struct problem *problem)
{
    problem_set(problem, ERR_UNPROCESSABLE, "the part '%s' of the Excel file %s", part, why);
    return problem_hint(problem, ERR_UNPROCESSABLE, "open the file in Excel and save it again");
}

static err refuse_memory(struct problem *problem)
{
    return problem_set(problem, ERR_NOMEM, "no memory to read the Excel file");
}

err excel_xml_open(struct excel_xml *xml, zip_t *zip, const char *part, void *context,
                   struct problem *problem)
{
    static const XML_Memory_Handling_Suite memory = { memory_alloc, memory_resize, memory_free };
    zip_stat_t info;
    memset(xml, 0, sizeof(*xml));
    xml->context = context;
    snprintf(xml->name, sizeof(xml->name), "%s", part);
    if (zip_stat(zip, part, ZIP_FL_NOCASE, &info) != 0)
        return problem_set(problem, ERR_NOT_FOUND, "the Excel file has no part '%s'", part);
    if ((info.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && info.encryption_method != ZIP_EM_NONE) {
        problem_set(problem, ERR_UNSUPPORTED, "the zip is protected by a password");
        return problem_hint(problem, ERR_UNSUPPORTED, "take the password off and save the file");
    }
    xml->packed_bytes = info.comp_size;
    xml->size_bytes = info.size;
    xml->file = zip_fopen_index(zip, info.index, 0);
    if (xml->file == NULL)
        return refuse_part(part, "cannot be unpacked", problem);
    xml->parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (xml->parser == NULL) {
        excel_xml_close(xml);
        return refuse_memory(problem);
    }
    XML_SetUserData(xml->parser, xml);
    XML_SetStartDoctypeDeclHandler(xml->parser, refuse_doctype);
    return ERR_OK;
}

void excel_xml_close(struct excel_xml *xml)
{
    if (xml->parser != NULL)
        XML_ParserFree(xml->parser);
    if (xml->file != NULL)
        zip_fclose(xml->file);
    xml->parser = NULL;
    xml->file = NULL;
}

static err check_limits(const struct excel_xml *xml, struct problem *problem)
{
    if (xml->read_bytes > UNPACK_FREE_BYTES &&
        xml->read_bytes / TABLE_UNPACK_RATIO_MAX > xml->packed_bytes) {
        problem_set(problem, ERR_TOO_LARGE, "the part '%s' unpacks to more than %d times its size",
                    xml->name, TABLE_UNPACK_RATIO_MAX);
        return problem_hint(problem, ERR_TOO_LARGE,
                            "that is the mark of a zip bomb; if it is not one, save it as CSV");
    }
    XML_Index at = XML_GetCurrentByteIndex(xml->parser);
    if (at >= 0 && xml->read_bytes > (uint64_t)at + TOKEN_BYTES_MAX)
        return refuse_part(xml->name, "has a tag of more than 32 MB", problem);
    return ERR_OK;
}

/* Why the parser stands still. */
static err judge(struct excel_xml *xml, enum XML_Status status, struct problem *problem)
{
    if (status == XML_STATUS_OK)
        return ERR_OK;
    if (status == XML_STATUS_SUSPENDED) {
        xml->suspended = true;
        return ERR_OK;
    }
    if (xml->error != ERR_OK)
        return xml->error == ERR_NOMEM ? refuse_memory(problem) : xml->error;
    enum XML_Error code = XML_GetErrorCode(xml->parser);
    if (code == XML_ERROR_NO_MEMORY)
        return refuse_memory(problem);
    char why[160];
    snprintf(why, sizeof(why), "is damaged at byte %lld: %s",
             (long long)XML_GetCurrentByteIndex(xml->parser),
             code == XML_ERROR_ABORTED ? "a document type" : XML_ErrorString(code));
    return refuse_part(xml->name, why, problem);
}

static err feed(struct excel_xml *xml, struct problem *problem)
{
    void *room = XML_GetBuffer(xml->parser, PIECE_BYTES);
    if (room == NULL)
        return refuse_memory(problem);
    zip_int64_t count = zip_fread(xml->file, room, PIECE_BYTES);
    if (count < 0)
        return refuse_part(xml->name, "is torn or damaged", problem);
    xml->read_bytes += (uint64_t)count;
    err error = check_limits(xml, problem);
    if (error != ERR_OK)
        return error;
    enum XML_Status status = XML_ParseBuffer(xml->parser, (int)count, count == 0);
    error = judge(xml, status, problem);
    if (error == ERR_OK && count == 0 && !xml->suspended)
        xml->ended = true;
    return error;
}

err excel_xml_run(struct excel_xml *xml, struct problem *problem)
{
    err error = ERR_OK;
    if (xml->suspended) {
        xml->suspended = false;
        error = judge(xml, XML_ResumeParser(xml->parser), problem);
        XML_ParsingStatus status;
        XML_GetParsingStatus(xml->parser, &status);
        if (error == ERR_OK && !xml->suspended && status.parsing == XML_FINISHED)
            xml->ended = true;
    }
    while (error == ERR_OK && !xml->suspended && !xml->ended)
        error = feed(xml, problem);
    return error;
}
