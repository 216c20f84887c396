# SPDX-License-Identifier: Apache-2.0
# icecore_library(NAME ...): one folder is one library; its headers are compiled alone by
# the target all_verify_interface_header_sets.
# ICECORE_UNITY: each folder is compiled as one file. The demo builds so, for a third of the time; other builds do
# not, since it would hide that a file forgot an #include, and would compile all again for each change.
option(ICECORE_UNITY "Compile each folder as one file" OFF)
set(ICECORE_PRECOMPILED <algorithm> <array> <chrono> <filesystem> <fstream> <functional> <iostream> <map>
    <memory> <optional> <set> <span> <sstream> <string> <string_view> <unordered_map> <variant> <vector>)
set(ICECORE_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# At -O3 GCC 12 sees overlaps in `"text" + string` that are not there (its bug 105651), and overflows in
# insertions into a vector.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND ICECORE_WARNINGS $<$<CONFIG:Release>:-Wno-restrict -Wno-stringop-overflow>)
endif()

# SEPARATE: files that are compiled alone even so (regular expressions): they name things alike by design, or
# include headers that contradict each other. PRECOMPILED: what these include most.
function(icecore_library name)
  cmake_parse_arguments(arg "" "" "LINK;PRIVATE_LINK;FOLDERS;SEPARATE;PRECOMPILED" ${ARGN})
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
  if(ICECORE_UNITY)
    icecore_unite(${name} "${arg_SEPARATE}" "${arg_PRECOMPILED}")
  endif()
endfunction()

function(icecore_unite name separate precompiled)
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  list(JOIN separate "|" separate_files)
  get_target_property(sources ${name} SOURCES)
  foreach(source ${sources})
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET source STEM LAST_ONLY stem)
    string(MAKE_C_IDENTIFIER "${folder}" group)
    if(NOT separate OR NOT stem MATCHES "^(${separate_files})$")
      set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${group}" SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
  if(separate)
    target_precompile_headers(${name} PRIVATE ${ICECORE_PRECOMPILED} ${precompiled})
  endif()
endfunction()
