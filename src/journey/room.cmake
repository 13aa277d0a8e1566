# SPDX-License-Identifier: Apache-2.0
# What is special to this room: its ready journeys become a C table in the library.

if(TARGET kith_journey)
    file(GLOB library CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/journey/library/*.json)
    set(embedded ${CMAKE_BINARY_DIR}/generated/journey_library.c)
    add_custom_command(
        OUTPUT ${embedded}
        COMMAND ${CMAKE_COMMAND} -DOUTPUT=${embedded} -DFOLDER=${CMAKE_SOURCE_DIR}/src/journey/library
                -P ${CMAKE_SOURCE_DIR}/src/journey/library/embed.cmake
        DEPENDS ${library} ${CMAKE_SOURCE_DIR}/src/journey/library/embed.cmake
        COMMENT "Embedding the ready journeys"
        VERBATIM)
    target_sources(kith_journey PRIVATE ${embedded})
endif()
