# SPDX-License-Identifier: Apache-2.0
# The parts that Kith is made with (design: 'Chosen parts'), all from Debian 12.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(KITH_PARTS REQUIRED IMPORTED_TARGET
    sqlite3 libmicrohttpd simdjson libsodium libcrypto libssl libcurl liblz4 libzstd libxxhash
    libargon2 libpcre2-8 zlib libzip expat lua5.4 libpq rdkafka)
# CRoaring of Debian 12 ships no .pc file.
find_path(KITH_ROARING_INCLUDE roaring/roaring.h REQUIRED)
find_library(KITH_ROARING_LIBRARY roaring REQUIRED)

# Only what a binary uses ends up in it.
add_library(kith_parts INTERFACE)
target_link_options(kith_parts INTERFACE -Wl,--as-needed)
target_link_libraries(kith_parts INTERFACE
    PkgConfig::KITH_PARTS ${KITH_ROARING_LIBRARY} Threads::Threads ${CMAKE_DL_LIBS} m)
target_include_directories(kith_parts SYSTEM INTERFACE ${KITH_ROARING_INCLUDE})

if(KITH_TESTS)
    pkg_check_modules(KITH_CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
