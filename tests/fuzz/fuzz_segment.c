/* SPDX-License-Identifier: Apache-2.0 */
/* Segment's door: the first byte chooses path, source and coding, the rest is the body (or the query of
 * the pixel). */
#include <stdint.h>

#include "support/fuzz_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = { "/v1/batch",  "/v1/track", "/v1/identify", "/v1/page",
                                         "/v1/screen", "/v1/group", "/v1/alias",    "/v1/import" };
    if (size < 1 || size > (1 << 20))
        return 0;
    struct collect_request request = {
        .method = STR("POST"),
        .path = str_from_c(paths[data[0] & 7]),
        .authorization = (data[0] & 8) != 0 ? STR("Basic czo=") : STR("Basic cDo="),
        .content_encoding = (data[0] & 16) != 0 ? STR("gzip") : STR_NONE,
        .client_ip = STR("203.0.113.9"),
        .body = str_from_bytes(data + 1, size - 1),
    };
    if ((data[0] & 32) != 0) {
        request.method = STR("GET");
        request.path = (data[0] & 1) != 0 ? STR("/pixel/v1/track") : STR("/pixel/v1/page");
        request.query = request.body;
        request.body = STR_NONE;
    } else if ((data[0] & 64) != 0) {
        request.authorization = request.body; /* any header */
        request.body = STR("{\"event\":\"E\",\"userId\":\"u\",\"writeKey\":\"s\"}");
        request.path = STR("/v1/track");
    }
    fuzz_door(&request);
    return 0;
}
