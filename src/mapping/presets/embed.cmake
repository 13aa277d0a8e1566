# SPDX-License-Identifier: Apache-2.0
# Writes FOLDER/*.json into OUTPUT as `const struct preset_text preset_texts[]` (mapping/preset.h).

file(GLOB paths ${FOLDER}/*.json)
list(SORT paths)
set(text "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by src/mapping/presets/embed.cmake. */\n")
string(APPEND text "#include \"mapping/preset.h\"\n\n")
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
string(APPEND text "\nconst struct preset_text preset_texts[] = {\n${rows}};\n")
string(APPEND text "const size_t preset_text_count = sizeof(preset_texts) / sizeof(preset_texts[0]);\n")
file(WRITE ${OUTPUT} "${text}")
