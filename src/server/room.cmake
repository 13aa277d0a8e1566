# SPDX-License-Identifier: Apache-2.0
# What is special to this room: openapi.json and the built console become part of the binary. The
# console may be built after the configuration, so this looks at each build.

set(KITH_WEB ${CMAKE_SOURCE_DIR}/web/dist CACHE PATH "the console, as Vite built it")
set(embedded ${CMAKE_BINARY_DIR}/generated/server_assets.c)
add_custom_target(kith_server_assets
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${embedded} -DPACKED=${CMAKE_BINARY_DIR}/generated/packed
            -DOPENAPI=${CMAKE_SOURCE_DIR}/src/server/openapi.json
            -DWEB=${KITH_WEB}
            -P ${CMAKE_SOURCE_DIR}/src/server/assets/embed.cmake
    BYPRODUCTS ${embedded}
    COMMENT "Embedding the console and openapi.json"
    VERBATIM)
target_sources(kith_server PRIVATE ${embedded})
# The assembler's text in it is no C.
set_source_files_properties(${embedded} PROPERTIES COMPILE_OPTIONS "-Wno-overlength-strings")
add_dependencies(kith_server kith_server_assets)
