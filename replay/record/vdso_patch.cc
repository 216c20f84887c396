// SPDX-License-Identifier: Apache-2.0
#include "replay/record/vdso_patch.h"

#include <elf.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "replay/record/memory_map.h"

namespace icecore::replay {
namespace {

// getcpu is left alone: a recorded process stays on one CPU.
const std::map<std::string_view, std::uint32_t> kClockFunctions{
    {"__vdso_clock_gettime", SYS_clock_gettime},
    {"__vdso_gettimeofday", SYS_gettimeofday},
    {"__vdso_time", SYS_time},
    {"__vdso_clock_getres", SYS_clock_getres},
    {"__vdso_getrandom", SYS_getrandom},
};

/// mov $number, %eax; syscall; ret
std::string calling_code(std::uint32_t number) {
  std::string code("\xb8\0\0\0\0\x0f\x05\xc3", 8);
  std::memcpy(code.data() + 1, &number, sizeof number);
  return code;
}

template <typename Struct>
Struct struct_at(const std::string& image, std::uint64_t offset) {
  Struct result{};
  if (offset > image.size() || image.size() - offset < sizeof result) {
    throw Error("the vdso ends too soon");
  }
  std::memcpy(&result, image.data() + offset, sizeof result);
  return result;
}

std::optional<Elf64_Shdr> find_section(const std::string& image, std::uint32_t type) {
  const auto header = struct_at<Elf64_Ehdr>(image, 0);
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const auto section =
        struct_at<Elf64_Shdr>(image, header.e_shoff + std::uint64_t{i} * sizeof(Elf64_Shdr));
    if (section.sh_type == type) return section;
  }
  return std::nullopt;
}

}  // namespace

VdsoPatch::VdsoPatch(int pid) {
  const auto vdso = find_mapping(pid, "[vdso]");
  if (!vdso) return;
  start_ = vdso->start;
  end_ = vdso->end;
  std::string image(end_ - start_, '\0');
  TracedMemory(pid).read(start_, std::as_writable_bytes(std::span(image)));
  const auto symbols = find_section(image, SHT_DYNSYM);
  if (!symbols) throw Error("the vdso of process " + std::to_string(pid) + " has no symbols");
  const auto header = struct_at<Elf64_Ehdr>(image, 0);
  const auto names = struct_at<Elf64_Shdr>(
      image, header.e_shoff + std::uint64_t{symbols->sh_link} * sizeof(Elf64_Shdr));
  for (std::uint64_t at = 0; at < symbols->sh_size; at += sizeof(Elf64_Sym)) {
    const auto symbol = struct_at<Elf64_Sym>(image, symbols->sh_offset + at);
    const std::uint64_t place = names.sh_offset + symbol.st_name;
    if (place >= image.size()) continue;
    const auto known = kClockFunctions.find(std::string_view(image.c_str() + place));
    if (known == kClockFunctions.end() || symbol.st_value + 8 > image.size()) continue;
    sites_.push_back(
        {start_ + symbol.st_value, image.substr(symbol.st_value, 8), calling_code(known->second)});
  }
}

void VdsoPatch::apply(const TracedMemory& memory) const {
  for (const auto& site : sites_) memory.write(site.address, site.call);
}

void VdsoPatch::take_back(const TracedMemory& memory) const {
  for (const auto& site : sites_) memory.write(site.address, site.original);
}

}  // namespace icecore::replay
