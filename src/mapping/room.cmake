# SPDX-License-Identifier: Apache-2.0
# What is special to this room: its presets become a C table in the library.

if(TARGET kith_mapping)
    file(GLOB presets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/mapping/presets/*.json)
    set(embedded ${CMAKE_BINARY_DIR}/generated/mapping_presets.c)
    add_custom_command(
        OUTPUT ${embedded}
        COMMAND ${CMAKE_COMMAND} -DOUTPUT=${embedded} -DFOLDER=${CMAKE_SOURCE_DIR}/src/mapping/presets
                -P ${CMAKE_SOURCE_DIR}/src/mapping/presets/embed.cmake
        DEPENDS ${presets} ${CMAKE_SOURCE_DIR}/src/mapping/presets/embed.cmake
        COMMENT "Embedding the presets of imports"
        VERBATIM)
    target_sources(kith_mapping PRIVATE ${embedded})
endif()
