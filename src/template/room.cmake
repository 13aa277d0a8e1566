# SPDX-License-Identifier: Apache-2.0
# What is special to this room: the rules of its lint become a part of the library.

if(TARGET kith_template)
    set(embedded ${CMAKE_BINARY_DIR}/generated/template_lint.c)
    set(rules ${CMAKE_SOURCE_DIR}/src/template/lint.json)
    add_custom_command(
        OUTPUT ${embedded}
        COMMAND ${CMAKE_COMMAND} -DOUTPUT=${embedded} -DSOURCE=${rules}
                -P ${CMAKE_SOURCE_DIR}/src/template/embed.cmake
        DEPENDS ${rules} ${CMAKE_SOURCE_DIR}/src/template/embed.cmake
        COMMENT "Embedding the rules of the lint"
        VERBATIM)
    target_sources(kith_template PRIVATE ${embedded})
endif()
