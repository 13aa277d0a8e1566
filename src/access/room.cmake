# SPDX-License-Identifier: Apache-2.0
# What is special to this room: the list of common passwords is data, and becomes C as the build is configured.

set(passwords ${CMAKE_SOURCE_DIR}/src/access/password_list.txt)
set(password_list ${CMAKE_BINARY_DIR}/generated/password_list.c)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${passwords})
file(STRINGS ${passwords} hashes REGEX "^[0-9a-f]+$")
list(TRANSFORM hashes REPLACE "^(.+)$" "0x\\1")
list(JOIN hashes ",\n" hashes)
file(CONFIGURE OUTPUT ${password_list} @ONLY CONTENT
"#include \"access/password_list.h\"
const uint64_t password_list[] = { @hashes@ };
const size_t password_list_count = sizeof(password_list) / sizeof(password_list[0]);
")
target_sources(kith_access PRIVATE ${password_list})
