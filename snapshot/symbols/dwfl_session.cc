// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/dwfl_session.h"

#include <elf.h>
#include <elfutils/libdw.h>

#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace icecore::symbols {
namespace {

// elfutils keeps the descriptor that a callback returns, and closes it.
int give_away(UniqueFd fd) { return fd.release(); }

bool covers(Dwarf_CFI* cfi, Dwarf_Addr address) {
  Dwarf_Frame* frame = nullptr;
  if (cfi == nullptr || ::dwarf_cfi_addrframe(cfi, address, &frame) != 0) return false;
  std::free(frame);
  return true;
}

}  // namespace

DwflSession::DwflSession(const ProcessImage& image, const std::vector<LoadedModule>& modules) {
  static const Dwfl_Callbacks callbacks = {
      .find_elf = find_elf,
      .find_debuginfo = find_debug,
      .section_address = ::dwfl_offline_section_address,
      .debuginfo_path = nullptr,
  };
  dwfl_ = ::dwfl_begin(&callbacks);
  if (dwfl_ == nullptr) throw Error(std::string("start elfutils: ") + ::dwfl_errmsg(-1));
  ::dwfl_report_begin(dwfl_);
  sources_.reserve(modules.size());
  for (const LoadedModule& module : modules) {
    Dwfl_Module* reported =
        ::dwfl_report_module(dwfl_, module.path.c_str(), module.start, module.end);
    if (reported == nullptr) continue;
    sources_.push_back({&image, &module});
    void** userdata = nullptr;
    ::dwfl_module_info(reported, &userdata, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    *userdata = &sources_.back();
  }
  ::dwfl_report_end(dwfl_, nullptr, nullptr);
}

// No exception may cross elfutils' C frames: a file that cannot be opened is one that is not there.
int DwflSession::find_elf(Dwfl_Module*, void** source, const char*, Dwarf_Addr, char** file_name,
                          Elf** elf) {
  *elf = nullptr;
  *file_name = nullptr;
  try {
    const auto* from = static_cast<const ModuleSource*>(*source);
    UniqueFd fd = open_module_file(*from->image, *from->module);
    if (fd.valid()) *file_name = ::strdup(from->module->path.c_str());
    return give_away(std::move(fd));
  } catch (const std::exception&) {
    return -1;
  }
}

int DwflSession::find_debug(Dwfl_Module*, void** source, const char*, Dwarf_Addr, const char*,
                            const char*, GElf_Word, char** file_name) {
  *file_name = nullptr;
  try {
    const auto* from = static_cast<const ModuleSource*>(*source);
    if (from->module->is_vdso) return -1;
    return give_away(from->image->open_debug(*from->module->mapping));
  } catch (const std::exception&) {
    return -1;
  }
}

bool DwflSession::has_call_frame_info(std::uint64_t address) const {
  Dwfl_Module* module = ::dwfl_addrmodule(dwfl_, address);
  if (module == nullptr) return false;
  Dwarf_Addr bias = 0;
  Dwarf_CFI* in_memory = ::dwfl_module_eh_cfi(module, &bias);
  if (covers(in_memory, address - bias)) return true;
  Dwarf_CFI* debug = ::dwfl_module_dwarf_cfi(module, &bias);
  return covers(debug, address - bias);
}

MachineElf::MachineElf() {
  ::elf_version(EV_CURRENT);
  Elf64_Ehdr header{};
  static_assert(sizeof header == sizeof header_);
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_CORE;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  std::memcpy(header_.data(), &header, sizeof header);
  elf_ = ::elf_memory(header_.data(), header_.size());
  if (elf_ == nullptr) throw Error(std::string("start elfutils: ") + ::elf_errmsg(-1));
}

}  // namespace icecore::symbols
