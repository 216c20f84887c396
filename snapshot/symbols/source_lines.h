// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace icecore::symbols {

/// One function at an address, as the source sees it.
struct SourceFrame {
  std::string function;  // demangled; empty when unknown
  std::string file;      // as the compiler was given it, made absolute; empty when unknown
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  /// True when the code of this function was put into that of the next frame in the list.
  bool inlined = false;
};

/// The DWARF line and function information of one ELF file (LLVM). One thread at a time.
class SourceLines {
 public:
  /// Looks into `fd`, then `debug_fd` (-1 for none). The descriptors stay the caller's and are
  /// needed only here. A file without or with damaged DWARF gives no frames.
  SourceLines(int fd, int debug_fd);
  ~SourceLines();
  SourceLines(const SourceLines&) = delete;
  SourceLines& operator=(const SourceLines&) = delete;

  /// The functions at an address of the file, innermost inlined one first; empty when unknown.
  [[nodiscard]] std::vector<SourceFrame> lookup(std::uint64_t address) const;

 private:
  class Dwarf;
  std::unique_ptr<Dwarf> dwarf_;
};

}  // namespace icecore::symbols
