/* SPDX-License-Identifier: Apache-2.0 */
/* files: what the build put into the binary. Private to server/. */
#ifndef KITH_SERVER_FILES_H
#define KITH_SERVER_FILES_H

#include <stddef.h>

struct embedded_file {
    const char *path; /* "/assets/index-4f3a.js"; NULL: the end */
    const char *etag;
    const char *data, *data_end;
    const char *packed, *packed_end; /* gzip; NULL: not worth it */
};

extern const struct embedded_file embedded_files[];
extern const char *const embedded_openapi;
extern const char *const embedded_openapi_end;

#endif
