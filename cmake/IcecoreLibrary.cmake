# SPDX-License-Identifier: Apache-2.0
# icecore_library(NAME ...): one folder is one library; its headers are compiled alone by
# the target all_verify_interface_header_sets.
# ICECORE_PRECOMPILE: what nearly every file includes is parsed once per library. The demo builds so, for half
# of the time; other builds do not, since it would hide that a file forgot an #include.
option(ICECORE_PRECOMPILE "Precompile the headers that most files include" OFF)
set(ICECORE_PRECOMPILED <algorithm> <array> <chrono> <filesystem> <fstream> <functional> <iostream> <map>
    <memory> <optional> <set> <span> <sstream> <string> <string_view> <unordered_map> <variant> <vector>)
set(ICECORE_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# GCC 12 sees overlaps in `"text" + string` at -O3 that are not there (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND ICECORE_WARNINGS $<$<CONFIG:Release>:-Wno-restrict>)
endif()

function(icecore_library name)
  cmake_parse_arguments(arg "" "" "LINK;PRIVATE_LINK;FOLDERS;PRECOMPILED" ${ARGN})
  if(NOT arg_FOLDERS)
    set(arg_FOLDERS ".")
  endif()
  set(sources)
  set(headers)
  foreach(folder ${arg_FOLDERS})
    file(GLOB found CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cc")
    list(APPEND sources ${found})
    file(GLOB found CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.h")
    list(APPEND headers ${found})
  endforeach()
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE "${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name} INTERFACE ${arg_LINK})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${CMAKE_SOURCE_DIR}" FILES ${headers})
  set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_compile_options(${name} PRIVATE ${ICECORE_WARNINGS})
  target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK})
  if(ICECORE_PRECOMPILE)
    target_precompile_headers(${name} PRIVATE ${ICECORE_PRECOMPILED} ${arg_PRECOMPILED})
  endif()
endfunction()
