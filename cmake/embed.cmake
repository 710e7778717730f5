# cmake -D ASSETS=name=file;... -D PREFIX=p -D OUTPUT=file.c -P embed.cmake: writes each file as
# `const char p_NAME[]`, which ends in a zero byte (an empty file is the empty string).
set(text "/* Made by cmake/embed.cmake. */\n#include \"scen_page_assets.h\"\n")
foreach(asset ${ASSETS})
  string(REGEX MATCH "^([a-z]+)=(.*)$" asset "${asset}")
  set(name ${CMAKE_MATCH_1})
  file(READ ${CMAKE_MATCH_2} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND text "const char ${PREFIX}_${name}[] = {\n${bytes}0};\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
