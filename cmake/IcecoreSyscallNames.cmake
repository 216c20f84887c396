# SPDX-License-Identifier: Apache-2.0
# Run with cmake -P: turns the kernel's asm/unistd_64.h (HEADER) into rows `{0, "read"},` (OUTPUT).
file(STRINGS "${HEADER}" lines REGEX "^#define __NR_[a-z0-9_]+ [0-9]+$")
set(rows "")
foreach(line ${lines})
  string(REGEX REPLACE "^#define __NR_([a-z0-9_]+) ([0-9]+)$" "{\\2, \"\\1\"},\n" row "${line}")
  string(APPEND rows "${row}")
endforeach()
file(WRITE "${OUTPUT}" "${rows}")
