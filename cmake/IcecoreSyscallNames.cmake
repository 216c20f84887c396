# SPDX-License-Identifier: Apache-2.0
# icecore_syscall_rows(OUTPUT): turns the kernel's asm/unistd_64.h into rows `{0, "read"},`.
find_file(UNISTD_64_HEADER asm/unistd_64.h
          PATHS /usr/include/x86_64-linux-gnu /usr/include REQUIRED NO_CMAKE_FIND_ROOT_PATH)

function(icecore_syscall_rows output)
  file(STRINGS "${UNISTD_64_HEADER}" lines REGEX "^#define __NR_[a-z0-9_]+ [0-9]+$")
  set(rows "")
  foreach(line ${lines})
    string(REGEX REPLACE "^#define __NR_([a-z0-9_]+) ([0-9]+)$" "{\\2, \"\\1\"},\n" row "${line}")
    string(APPEND rows "${row}")
  endforeach()
  file(CONFIGURE OUTPUT "${output}" CONTENT "${rows}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${UNISTD_64_HEADER}")
endfunction()
