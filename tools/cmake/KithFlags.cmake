# SPDX-License-Identifier: Apache-2.0
# Language, warnings and hardening, the same for every target of Kith.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Release keeps its symbols (a profile or a crash has names), and its O(1) assertions.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g")
if(KITH_SANITIZE)
    set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
    set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")
else()
    set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
    set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g3")
endif()

add_library(kith_flags INTERFACE)
target_compile_definitions(kith_flags INTERFACE _GNU_SOURCE)
target_include_directories(kith_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)

set(warnings_both
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wpointer-arith -Wcast-qual
    -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wdouble-promotion -Wimplicit-fallthrough
    -Wswitch-enum -fno-common -fno-omit-frame-pointer)
set(warnings_c -Wstrict-prototypes -Wmissing-prototypes
    # log_line(level, "name", "") says that there are no pairs.
    -Wno-format-zero-length)
target_compile_options(kith_flags INTERFACE ${warnings_both}
    $<$<COMPILE_LANGUAGE:C>:${warnings_c}>
    # As C asks in its place: no exceptions cross into C.
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
    $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
if(KITH_WERROR)
    target_compile_options(kith_flags INTERFACE -Werror)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(kith_flags INTERFACE -fstack-protector-strong)
    if(NOT KITH_SANITIZE)
        target_compile_options(kith_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()
    target_link_options(kith_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug" OR KITH_SANITIZE)
    # Walkers that check a whole structure run in these builds.
    target_compile_definitions(kith_flags INTERFACE KITH_CHECKS=1)
endif()
# The same sources give the same bytes wherever they lie (tools/check_reproducible).
target_compile_options(kith_flags INTERFACE -ffile-prefix-map=${CMAKE_BINARY_DIR}=build
                                            -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(KITH_FAULTS)
    target_compile_definitions(kith_flags INTERFACE KITH_FAULTS=1)
endif()
if(KITH_SANITIZE)
    target_compile_options(kith_flags INTERFACE -fsanitize=${KITH_SANITIZE}
                                                -fno-sanitize-recover=all)
    target_link_options(kith_flags INTERFACE -fsanitize=${KITH_SANITIZE})
endif()
