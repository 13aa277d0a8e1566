# SPDX-License-Identifier: Apache-2.0
# Writes lint.json into OUTPUT as `const struct lint_text lint_rules` (template/lint.h).

file(READ ${SOURCE} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REPLACE "0x0a," "0x0a,\n    " bytes "${bytes}")
set(text "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by src/template/embed.cmake. */\n")
string(APPEND text "#include \"template/lint.h\"\n\n")
string(APPEND text "static const unsigned char json[] = {\n    ${bytes}0x00\n};\n")
string(APPEND text "const struct lint_text lint_rules = { json, sizeof(json) - 1 };\n")
file(WRITE ${OUTPUT} "${text}")
