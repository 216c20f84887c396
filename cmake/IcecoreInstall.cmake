# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` and `cpack -G DEB` put where. Man pages and completions are printed by icecore
# itself, from the tables that its parser reads.
set(generated_man "${CMAKE_BINARY_DIR}/man")
set(generated_completion "${CMAKE_BINARY_DIR}/completion")

add_custom_command(
  OUTPUT "${generated_man}/icecore.1" "${generated_completion}/icecore.bash"
         "${generated_completion}/_icecore" "${generated_completion}/icecore.fish"
  COMMAND "${CMAKE_COMMAND}" -E rm -rf "${generated_man}" "${generated_completion}"
  COMMAND "${CMAKE_COMMAND}" -E make_directory "${generated_man}" "${generated_completion}"
  COMMAND icecore help --man-pages "${generated_man}"
  COMMAND icecore completion bash > "${generated_completion}/icecore.bash"
  COMMAND icecore completion zsh > "${generated_completion}/_icecore"
  COMMAND icecore completion fish > "${generated_completion}/icecore.fish"
  DEPENDS icecore
  COMMENT "Printing man pages and completions"
  VERBATIM)
add_custom_target(icecore_documents ALL DEPENDS "${generated_man}/icecore.1")

install(TARGETS icecore RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS icecore_decoder LIBRARY DESTINATION "${ICECORE_PRIVATE_LIBDIR}")
install(DIRECTORY "${generated_man}/" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1"
        FILES_MATCHING PATTERN "*.1")
install(FILES "${generated_completion}/icecore.bash"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME icecore)
# zsh looks below /usr/local in site-functions and, on Debian, below /usr in vendor-completions.
install(FILES "${generated_completion}/_icecore"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
install(FILES "${generated_completion}/_icecore"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
install(FILES "${generated_completion}/icecore.fish"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
install(FILES share/icecore.py DESTINATION "${CMAKE_INSTALL_DATADIR}/icecore")
install(FILES README.md CONTRIBUTING.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright)
install(DIRECTORY docs/ DESTINATION "${CMAKE_INSTALL_DOCDIR}" FILES_MATCHING PATTERN "*.md")

set(CPACK_PACKAGE_NAME icecore)
set(CPACK_PACKAGE_VENDOR "The icecore authors")
set(CPACK_PACKAGE_CONTACT "The icecore authors <icecore@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX "/usr")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gdb")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "lldb-19, elfutils")
include(CPack)
