# SPDX-License-Identifier: Apache-2.0
# The dynamic loader is most of what a short command costs: half a million relocations and a dozen
# libraries were 10 ms of each start. So: static libraries where Debian has them, and the disassembler in a
# library that is loaded when it is needed.

# The disassembler's library: in the build tree, and below the prefix of an installed icecore.
list(APPEND CMAKE_BUILD_RPATH "${CMAKE_BINARY_DIR}/snapshot")
set(ICECORE_PRIVATE_LIBDIR "${CMAKE_INSTALL_LIBDIR}/icecore")

function(icecore_quick_start target)
  target_link_options(${target} PRIVATE -Wl,--gc-sections)
  if(NOT ICECORE_SANITIZE)
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc)
  endif()
endfunction()
