# The parts of the HTML report that are not C: its style, its script and the charting library, which npm
# fetches into the build tree and esbuild bundles there, once for each package-lock.json. Where npm is
# absent or fails, the build goes on and reports have tables and no charts. All of it is embedded into
# the program as arrays of bytes (cmake/embed.cmake).
set(page_source ${PROJECT_SOURCE_DIR}/scenarios/reports/html)
set(page_build ${PROJECT_BINARY_DIR}/page)
set(page_library ${page_build}/library.js)
set(page_packages ${page_source}/package.json ${page_source}/package-lock.json
  ${page_source}/page_library.js)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page_packages})

# Their licences ask that copies say whose they are, and every report is one.
set(page_banner "/* Apache ECharts, Copyright 2017-2026 The Apache Software Foundation, Apache License 2.0. \
With zrender, Copyright 2017 Baidu Inc., BSD 3-Clause License. */")

# page_fetch(WHY): makes the library; sets WHY to what was in the way, or to nothing.
function(page_fetch why)
  find_program(npm npm NO_CACHE)
  if(NOT NPM OR NOT npm)
    set(${why} "npm was absent or switched off when Orrery was built" PARENT_SCOPE)
    return()
  endif()
  message(STATUS "HTML report: fetching its charting library with npm")
  file(COPY ${page_packages} DESTINATION ${page_build})
  execute_process(
    COMMAND ${npm} ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries=1
      --fetch-retry-mintimeout=1000
    WORKING_DIRECTORY ${page_build} RESULT_VARIABLE failed TIMEOUT 300
    OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT failed)
    execute_process(
      COMMAND node_modules/.bin/esbuild page_library.js --bundle --minify --format=iife
        --global-name=echarts --legal-comments=inline --charset=ascii --log-level=warning
        --outfile=library.js "--banner:js=${page_banner}"
      WORKING_DIRECTORY ${page_build} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  endif()
  if(failed)
    message(STATUS "${said}")
    set(${why} "npm could not fetch the charting library when Orrery was built" PARENT_SCOPE)
  endif()
endfunction()

set(page_key)
foreach(file ${page_packages})
  file(SHA256 ${file} hash)
  string(APPEND page_key ${hash})
endforeach()
set(page_kept)
if(EXISTS ${page_build}/library.key)
  file(READ ${page_build}/library.key page_kept)
endif()
set(page_why)
if(NOT NPM OR NOT page_kept STREQUAL page_key OR NOT EXISTS ${page_library})
  file(REMOVE ${page_library} ${page_build}/library.key)
  page_fetch(page_why)
  if(page_why)
    message(WARNING "HTML reports will have tables and no charts: ${page_why}")
    file(WRITE ${page_library} "")
  else()
    file(WRITE ${page_build}/library.key ${page_key})
  endif()
endif()

set(page_assets css=${page_source}/page.css format=${page_source}/page_format.js
  charts=${page_source}/page_charts.js script=${page_source}/page.js library=${page_library})
string(REGEX REPLACE "[a-z]+=" "" page_files "${page_assets}")
add_custom_command(OUTPUT ${page_build}/scen_page_assets.c
  COMMAND ${CMAKE_COMMAND} "-DASSETS=${page_assets}" -DPREFIX=scen_page
    -DOUTPUT=${page_build}/scen_page_assets.c -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${page_files} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
target_sources(scenarios PRIVATE ${page_build}/scen_page_assets.c)
set_source_files_properties(${page_source}/scen_page_html.c PROPERTIES COMPILE_DEFINITIONS
  "SCEN_PAGE_WHY=\"${page_why}\"")
