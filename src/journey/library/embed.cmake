# SPDX-License-Identifier: Apache-2.0
# Writes FOLDER/*.json into OUTPUT as `const struct library_text library_texts[]` (journey/library.h).

file(GLOB paths ${FOLDER}/*.json)
list(SORT paths)
set(text "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by src/journey/library/embed.cmake. */\n")
string(APPEND text "#include \"journey/library.h\"\n\n")
set(rows "")
foreach(path IN LISTS paths)
    cmake_path(GET path STEM name)
    # As bytes: a text literal has a length limit, and quotes.
    file(READ ${path} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(REPLACE "0x0a," "0x0a,\n    " bytes "${bytes}")
    string(APPEND text "static const unsigned char json_${name}[] = {\n    ${bytes}0x00\n};\n")
    string(APPEND rows "    { json_${name}, sizeof(json_${name}) - 1 },\n")
endforeach()
string(APPEND text "\nconst struct library_text library_texts[] = {\n${rows}};\n")
string(APPEND text "const size_t library_text_count = sizeof(library_texts) / sizeof(library_texts[0]);\n")
file(WRITE ${OUTPUT} "${text}")
