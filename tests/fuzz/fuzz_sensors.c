/* SPDX-License-Identifier: Apache-2.0 */
/* The door of Sensors Analytics: the first byte chooses whether the rest is the JSON itself, a form, or a
 * query. */
#include <stdint.h>

#include "support/fuzz_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > (1 << 19))
        return 0;
    str rest = str_from_bytes(data + 1, size - 1);
    struct collect_request request = { .method = STR("POST"),
                                       .path = STR("/sa"),
                                       .query = (data[0] & 1) != 0 ? STR("project=s")
                                                                   : STR("project=web"),
                                       .body = rest };
    if ((data[0] & 6) == 2) {
        request.method = STR("GET");
        request.path = STR("/sa.gif");
        request.query = rest;
        request.body = STR_NONE;
    } else if ((data[0] & 6) == 4) {
        request.path = STR("/debug");
    }
    fuzz_door(&request);
    return 0;
}
