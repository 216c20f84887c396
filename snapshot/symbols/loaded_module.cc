// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/loaded_module.h"

#include <elf.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "snapshot/symbols/build_id.h"
#include "snapshot/symbols/image_memory.h"

namespace icecore::symbols {
namespace {

constexpr std::uint64_t kPageMask = 4095;
// The biggest vdso so far has four pages.
constexpr std::size_t kMaxVdsoSize = std::size_t{1} << 20U;

std::vector<Elf64_Phdr> read_program_headers(const ProcessImage& image, std::uint64_t start,
                                             const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> result;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto program_header =
        read_value<Elf64_Phdr>(image, start + header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!program_header) return {};
    result.push_back(*program_header);
  }
  return result;
}

std::optional<Elf64_Ehdr> read_elf_header(const ProcessImage& image, std::uint64_t start) {
  const auto header = read_value<Elf64_Ehdr>(image, start);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_phentsize != sizeof(Elf64_Phdr)) {
    return std::nullopt;
  }
  if (header->e_type != ET_DYN && header->e_type != ET_EXEC) return std::nullopt;
  return header;
}

// The loader has mapped an executable segment where the headers want it: so this is a loaded module
// and not a file that somebody reads by mmap.
bool has_code_in_place(const model::Process& process, const model::Mapping& first,
                       const std::vector<Elf64_Phdr>& program_headers, std::uint64_t bias) {
  return std::ranges::any_of(program_headers, [&](const Elf64_Phdr& segment) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) return false;
    const model::Mapping* mapping = find_mapping(process, bias + segment.p_vaddr);
    return mapping != nullptr && mapping->inode() == first.inode() &&
           mapping->device() == first.device() &&
           mapping->offset() + (bias + segment.p_vaddr - mapping->start()) == segment.p_offset;
  });
}

std::optional<LoadedModule> module_at(const ProcessImage& image, const model::Mapping& mapping) {
  const auto header = read_elf_header(image, mapping.start());
  if (!header) return std::nullopt;
  const auto program_headers = read_program_headers(image, mapping.start(), *header);
  LoadedModule module;
  module.path = mapping.name();
  module.start = mapping.start();
  module.mapping = &mapping;
  module.is_vdso = mapping.name() == "[vdso]";
  const auto first = std::ranges::find_if(
      program_headers, [](const Elf64_Phdr& segment) { return segment.p_type == PT_LOAD; });
  if (first == program_headers.end()) return std::nullopt;
  // With offset 0 the first segment holds the ELF header itself.
  module.bias = mapping.start() - ((first->p_vaddr - first->p_offset) & ~kPageMask);
  for (const Elf64_Phdr& segment : program_headers) {
    if (segment.p_type != PT_LOAD) continue;
    module.end = std::max(
        module.end, (module.bias + segment.p_vaddr + segment.p_memsz + kPageMask) & ~kPageMask);
  }
  if (module.end <= module.start) return std::nullopt;
  if (!has_code_in_place(image.process(), mapping, program_headers, module.bias)) {
    return std::nullopt;
  }
  module.build_id = read_build_id(image, module.start);
  return module;
}

}  // namespace

std::vector<LoadedModule> find_loaded_modules(const ProcessImage& image) {
  std::vector<LoadedModule> modules;
  for (const model::Mapping& mapping : image.process().mappings()) {
    const bool is_file = mapping.inode() != 0 && mapping.offset() == 0;
    if (!is_file && mapping.name() != "[vdso]") continue;
    if (auto module = module_at(image, mapping)) modules.push_back(std::move(*module));
  }
  return modules;
}

const LoadedModule* find_module(const std::vector<LoadedModule>& modules, std::uint64_t address) {
  const auto after = std::ranges::upper_bound(modules, address, {}, &LoadedModule::start);
  if (after == modules.begin()) return nullptr;
  const LoadedModule& candidate = *std::prev(after);
  return address < candidate.end ? &candidate : nullptr;
}

UniqueFd open_module_file(const ProcessImage& image, const LoadedModule& module) {
  if (!module.is_vdso) return image.open_module(*module.mapping);
  const std::size_t size =
      std::min<std::size_t>(kMaxVdsoSize, module.mapping->end() - module.mapping->start());
  const std::vector<std::byte> bytes = read_bytes(image, module.start, size);
  UniqueFd fd(::memfd_create("vdso", MFD_CLOEXEC));
  if (!fd.valid()) throw_errno("create a file in memory for the vdso");
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (written < 0) throw_errno("write the vdso to a file in memory");
    done += static_cast<std::size_t>(written);
  }
  return fd;
}

}  // namespace icecore::symbols
