// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elfutils/libdwfl.h>

#include <array>
#include <cstdint>
#include <vector>

#include "snapshot/symbols/loaded_module.h"
#include "snapshot/symbols/process_image.h"

namespace icecore::symbols {

/// Owns a libdwfl session over the modules of an image. elfutils opens a module's file through the
/// image when it first needs it; nothing is looked for on this machine's disk. Image and modules
/// must outlive it.
class DwflSession {
 public:
  DwflSession(const ProcessImage& image, const std::vector<LoadedModule>& modules);
  DwflSession(const DwflSession&) = delete;
  DwflSession& operator=(const DwflSession&) = delete;
  ~DwflSession() { ::dwfl_end(dwfl_); }

  [[nodiscard]] Dwfl* get() const { return dwfl_; }

  /// Whether .eh_frame or .debug_frame of a module says how to unwind from `address`.
  [[nodiscard]] bool has_call_frame_info(std::uint64_t address) const;

 private:
  struct ModuleSource {
    const ProcessImage* image;
    const LoadedModule* module;
  };
  static int find_elf(Dwfl_Module*, void** source, const char*, Dwarf_Addr, char** file_name,
                      Elf** elf);
  static int find_debug(Dwfl_Module*, void** source, const char*, Dwarf_Addr, const char*,
                        const char*, GElf_Word, char** file_name);

  std::vector<ModuleSource> sources_;
  Dwfl* dwfl_ = nullptr;
};

/// An ELF header without content, which tells elfutils that registers are those of x86-64.
class MachineElf {
 public:
  MachineElf();
  MachineElf(const MachineElf&) = delete;
  MachineElf& operator=(const MachineElf&) = delete;
  ~MachineElf() { ::elf_end(elf_); }
  [[nodiscard]] Elf* get() const { return elf_; }

 private:
  std::array<char, 64> header_{};
  Elf* elf_ = nullptr;
};

}  // namespace icecore::symbols
