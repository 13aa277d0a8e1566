# SPDX-License-Identifier: Apache-2.0
# What is special to this room: its numbered migrations become a C table in the library.

file(GLOB migrations CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/store/migrations/*.sql)
set(embedded ${CMAKE_BINARY_DIR}/generated/store_migrations.c)
add_custom_command(
    OUTPUT ${embedded}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${embedded} -DFOLDER=${CMAKE_SOURCE_DIR}/src/store/migrations
            -P ${CMAKE_SOURCE_DIR}/src/store/migrations/embed.cmake
    DEPENDS ${migrations} ${CMAKE_SOURCE_DIR}/src/store/migrations/embed.cmake
    COMMENT "Embedding the ledger's migrations"
    VERBATIM)
target_sources(kith_store PRIVATE ${embedded})
