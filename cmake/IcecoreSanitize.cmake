# SPDX-License-Identifier: Apache-2.0
# ICECORE_SANITIZE=address,undefined or thread: all of icecore is built with these sanitizers.
set(ICECORE_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize=")
if(ICECORE_SANITIZE)
  add_compile_options(-fsanitize=${ICECORE_SANITIZE} -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ICECORE_SANITIZE})
endif()
