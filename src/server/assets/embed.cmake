# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, a C file with openapi.json and the built console (WEB, may be missing) in it, for
# server/files.h. Texts are there packed as well. Written only when something changed: the digest of
# each file stands beside it, so that a changed file is assembled again.

set(text "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by src/server/assets/embed.cmake. */\n")
string(APPEND text "#include \"server/files.h\"\n\n")
set(rows "")
set(number 0)

macro(embed symbol path)
    file(SHA256 ${path} digest)
    string(APPEND text "/* ${digest} */\n__asm__(\".section .rodata\\n.balign 16\\n${symbol}:\\n"
           ".incbin \\\"${path}\\\"\\n${symbol}_end:\\n.byte 0\\n.previous\\n\");\n"
           "extern const char ${symbol}[], ${symbol}_end[];\n")
endmacro()

embed(kith_openapi ${OPENAPI})

set(files "")
if(EXISTS ${WEB}/index.html)
    file(GLOB_RECURSE files RELATIVE ${WEB} ${WEB}/*)
    list(SORT files)
    list(FILTER files EXCLUDE REGEX "\\.map$")
endif()
file(MAKE_DIRECTORY ${PACKED})
foreach(file IN LISTS files)
    math(EXPR number "${number} + 1")
    # A copy: the console may be built again between this and the compiler.
    file(COPY_FILE ${WEB}/${file} ${PACKED}/${number}.raw ONLY_IF_DIFFERENT)
    embed(kith_file_${number} ${PACKED}/${number}.raw)
    set(packed "NULL, NULL")
    if(file MATCHES "\\.(js|css|html|svg|json|txt|webmanifest)$")
        execute_process(COMMAND gzip -9 -n -c ${PACKED}/${number}.raw OUTPUT_FILE ${PACKED}/${number}.gz
                        COMMAND_ERROR_IS_FATAL ANY)
        embed(kith_packed_${number} ${PACKED}/${number}.gz)
        set(packed "kith_packed_${number}, kith_packed_${number}_end")
    endif()
    file(SHA256 ${PACKED}/${number}.raw digest)
    string(SUBSTRING ${digest} 0 16 tag)
    string(APPEND rows "    { \"/${file}\", \"\\\"${tag}\\\"\", kith_file_${number}, "
           "kith_file_${number}_end, ${packed} },\n")
endforeach()

string(APPEND text "\nconst char *const embedded_openapi = kith_openapi;\n"
       "const char *const embedded_openapi_end = kith_openapi_end;\n"
       "const struct embedded_file embedded_files[] = {\n${rows}"
       "    { NULL, NULL, NULL, NULL, NULL, NULL },\n};\n")

set(former "")
if(EXISTS ${OUTPUT})
    file(READ ${OUTPUT} former)
endif()
if(NOT former STREQUAL text)
    file(WRITE ${OUTPUT} "${text}")
endif()
