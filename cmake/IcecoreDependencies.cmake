# SPDX-License-Identifier: Apache-2.0
# Every library that is not ours, found in one place. Each is linked by one folder only (docs/architecture.md).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(LLVM 19.1 REQUIRED CONFIG)
find_package(SQLite3 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(Boost REQUIRED COMPONENTS program_options)
find_package(nlohmann_json 3.11 REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(CAPSTONE REQUIRED IMPORTED_TARGET capstone)
pkg_check_modules(ELFUTILS REQUIRED IMPORTED_TARGET libdw libelf)

# LLVM's headers are warned about by our flags, so they are system headers.
add_library(icecore_llvm INTERFACE)
target_include_directories(icecore_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
target_link_libraries(icecore_llvm INTERFACE LLVM)
