// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libelf.h>

#include <utility>

namespace icecore::symbols {

/// Owns libelf's view of an ELF file; the descriptor stays the caller's and must outlive it.
class ElfHandle {
 public:
  explicit ElfHandle(int fd) {
    ::elf_version(EV_CURRENT);
    elf_ = ::elf_begin(fd, ELF_C_READ_MMAP, nullptr);
    if (elf_ != nullptr && ::elf_kind(elf_) != ELF_K_ELF) ::elf_end(std::exchange(elf_, nullptr));
  }
  ElfHandle(const ElfHandle&) = delete;
  ElfHandle& operator=(const ElfHandle&) = delete;
  ~ElfHandle() { ::elf_end(elf_); }

  /// False when the file is not ELF.
  [[nodiscard]] bool valid() const { return elf_ != nullptr; }
  [[nodiscard]] Elf* get() const { return elf_; }

 private:
  Elf* elf_ = nullptr;
};

}  // namespace icecore::symbols
