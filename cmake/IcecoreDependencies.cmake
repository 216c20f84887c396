# SPDX-License-Identifier: Apache-2.0
# Every library that is not ours, found in one place. Each is linked by one folder only (docs/architecture.md).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(LLVM 19.1 REQUIRED CONFIG)
find_package(SQLite3 REQUIRED)
# Static ones start faster (IcecoreQuickStart).
set(Protobuf_USE_STATIC_LIBS ON)
set(Boost_USE_STATIC_LIBS ON)
find_package(Protobuf REQUIRED)
find_package(Boost REQUIRED COMPONENTS program_options)
find_package(nlohmann_json 3.11 REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(CAPSTONE REQUIRED IMPORTED_TARGET capstone)
pkg_check_modules(ELFUTILS REQUIRED IMPORTED_TARGET libdw libelf)

# LLVM's headers are warned about by our flags, so they are system headers. libLLVM.so would cost every
# start of icecore 8 ms (IcecoreQuickStart).
function(icecore_llvm_library name)
  add_library(${name} INTERFACE)
  target_include_directories(${name} SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
  llvm_map_components_to_libnames(libraries ${ARGN})
  target_link_libraries(${name} INTERFACE ${libraries})
endfunction()
icecore_llvm_library(icecore_llvm_blake3 support)
icecore_llvm_library(icecore_llvm debuginfodwarf object demangle support)
icecore_llvm_library(icecore_llvm_x86 x86disassembler x86desc x86info mc support)
