# SPDX-License-Identifier: Apache-2.0
# How a room, the binary, a test, a fuzz target and a bench are built.

# Sources of `folder` into `out`; a file that comes or goes makes CMake run again.
function(kith_glob out folder)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c
                                        ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
    set(${out} ${sources} PARENT_SCOPE)
endfunction()

# A static library `kith_<room>` that sees the rooms below it. A room that has only its header yet is
# an interface library, so that the house always configures.
function(kith_add_room room)
    kith_glob(sources src/${room})
    # A large room has its ideas in folders.
    kith_glob(inner src/${room}/*)
    list(APPEND sources ${inner})
    list(FIND KITH_ROOMS ${room} position)
    list(SUBLIST KITH_ROOMS 0 ${position} below)
    list(REVERSE below)
    list(TRANSFORM below PREPEND kith_)
    if(sources)
        add_library(kith_${room} STATIC ${sources})
        target_link_libraries(kith_${room} PUBLIC ${below} kith_flags kith_parts)
    else()
        add_library(kith_${room} INTERFACE)
        target_link_libraries(kith_${room} INTERFACE ${below} kith_flags kith_parts)
    endif()
    # A room may bring what is special to it (embedded files).
    include(${CMAKE_SOURCE_DIR}/src/${room}/room.cmake OPTIONAL)
endfunction()

# Rooms from `top` downward, upper ones first, as the linker wants them; all when `top` is no room.
function(kith_rooms_below out top)
    set(rooms ${KITH_ROOMS})
    list(FIND KITH_ROOMS "${top}" position)
    if(NOT position EQUAL -1)
        math(EXPR count "${position} + 1")
        list(SUBLIST KITH_ROOMS 0 ${count} rooms)
    endif()
    list(REVERSE rooms)
    list(TRANSFORM rooms PREPEND kith_)
    set(${out} ${rooms} PARENT_SCOPE)
endfunction()

function(kith_link_rooms target top)
    kith_rooms_below(rooms "${top}")
    target_link_libraries(${target} PRIVATE ${rooms} kith_flags kith_parts)
endfunction()

function(kith_add_binary)
    kith_glob(sources src/cli)
    if(sources)
        add_executable(kith ${sources})
        kith_link_rooms(kith "")
        set_target_properties(kith PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
    endif()
endfunction()

# What several C tests share lies in tests/support (`#include "support/…"`).
function(kith_add_test_support)
    if(TARGET kith_test_support)
        return()
    endif()
    kith_glob(sources tests/support)
    if(sources)
        add_library(kith_test_support STATIC ${sources})
        set(scope PUBLIC)
    else()
        add_library(kith_test_support INTERFACE)
        set(scope INTERFACE)
    endif()
    target_include_directories(kith_test_support ${scope} ${CMAKE_SOURCE_DIR}/tests)
    target_compile_definitions(kith_test_support ${scope}
        KITH_SOURCE_DIR="${CMAKE_SOURCE_DIR}" KITH_BINARY="${CMAKE_BINARY_DIR}/kith")
    target_link_libraries(kith_test_support ${scope} kith_flags kith_parts PkgConfig::KITH_CMOCKA)
endfunction()

# One cmocka executable per file of tests/<kind>, named like the file; ctest label <kind>. A unit test
# is named after its room (log_block.c) and gets that room and those below; any other gets them all.
function(kith_add_tests kind timeout_s)
    kith_add_test_support()
    kith_glob(sources tests/${kind})
    foreach(source IN LISTS sources)
        cmake_path(GET source STEM name)
        set(top "")
        if(kind STREQUAL "unit")
            string(REGEX MATCH "^[a-z]+" top ${name})
        endif()
        kith_rooms_below(rooms "${top}")
        add_executable(${name} ${source})
        target_link_libraries(${name} PRIVATE kith_test_support ${rooms})
        set_target_properties(${name} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/${kind})
        add_test(NAME ${kind}/${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
        set_tests_properties(${kind}/${name} PROPERTIES LABELS ${kind} TIMEOUT ${timeout_s})
        if(kind STREQUAL "crash" AND TARGET kith)
            add_dependencies(${name} kith)
        endif()
    endforeach()
endfunction()

# One executable per file of tests/drivers: a room's C face on standard input and output, for Node tests.
function(kith_add_drivers)
    kith_glob(sources tests/drivers)
    foreach(source IN LISTS sources)
        cmake_path(GET source STEM name)
        string(REGEX MATCH "^[a-z]+" top ${name})
        add_executable(${name} ${source})
        kith_link_rooms(${name} "${top}")
        set_target_properties(${name} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/drivers)
    endforeach()
endfunction()

# libFuzzer: every object is instrumented, the targets bring the driver. fuzz_<room>_<what>.c gets its
# room and those below, like a unit test. Corpus in tests/fuzz/corpus/<name>.
function(kith_add_fuzz_targets)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "fuzz targets need clang: use the preset 'fuzz'")
    endif()
    kith_glob(sources tests/fuzz)
    foreach(source IN LISTS sources)
        cmake_path(GET source STEM name)
        string(REGEX REPLACE "^fuzz_([a-z]+).*" "\\1" top ${name})
        add_executable(${name} ${source})
        kith_link_rooms(${name} "${top}")
        target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
        # The entry point has external linkage and no header.
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-missing-prototypes)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        set_target_properties(${name} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fuzz)
    endforeach()
endfunction()

# One executable per file of bench/. What several share, the demo brand house, lies in bench/world.
function(kith_add_benches)
    kith_glob(world_sources bench/world)
    add_library(kith_world STATIC ${world_sources})
    target_link_libraries(kith_world PUBLIC kith_flags m)
    kith_glob(sources bench)
    foreach(source IN LISTS sources)
        cmake_path(GET source STEM name)
        # A bench may be named like a unit test of the same thing.
        set(target bench_${name})
        add_executable(${target} ${source})
        target_link_libraries(${target} PRIVATE kith_world)
        kith_link_rooms(${target} "")
        set_target_properties(${target} PROPERTIES
            OUTPUT_NAME ${name}
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    endforeach()
    # It measures the doors without sealing, too.
    target_link_options(bench_collect PRIVATE -Wl,--wrap=keys_seal)
endfunction()
