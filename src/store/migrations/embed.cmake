# SPDX-License-Identifier: Apache-2.0
# Writes FOLDER/*.sql into OUTPUT as `const struct migration ledger_migrations[]` (store/migrations.h).

file(GLOB paths ${FOLDER}/*.sql)
list(SORT paths)
set(text "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by src/store/migrations/embed.cmake. */\n")
string(APPEND text "#include \"store/migrations.h\"\n\n")
set(rows "")
foreach(path IN LISTS paths)
    cmake_path(GET path STEM name)
    string(REGEX MATCH "^[0-9][0-9][0-9][0-9]" number ${name})
    if(NOT number)
        message(FATAL_ERROR "migration '${path}' does not begin with four digits")
    endif()
    # As bytes: a text literal has a length limit, and quotes.
    file(READ ${path} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "(........................................................................................)"
           "\\1\n    " bytes "${bytes}")
    string(APPEND text "static const char sql_${number}[] = {\n    ${bytes}0x00\n};\n")
    string(REGEX REPLACE "^0+" "" plain ${number})
    string(APPEND rows "    { .number = ${plain}, .name = \"${name}\", .sql = sql_${number} },\n")
endforeach()
string(APPEND text "\nconst struct migration ledger_migrations[] = {\n${rows}};\n")
string(APPEND text "const int ledger_migration_count =\n    (int)(sizeof(ledger_migrations) / sizeof(ledger_migrations[0]));\n")
file(WRITE ${OUTPUT} "${text}")
