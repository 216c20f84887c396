// SPDX-License-Identifier: Apache-2.0
#include "snapshot/link_map.h"

#include <elf.h>

#include <array>
#include <cstring>
#include <span>

namespace icecore::snapshot {
namespace {

// The program's memory may hold anything: every walk has an end.
constexpr int kMostLibraries = 65536;
constexpr int kMostNameSpaces = 64;
constexpr int kMostDynamicEntries = 4096;
constexpr int kMostProgramHeaders = 1024;
constexpr int kMostSymbolsInChain = 1 << 20;

// struct r_debug and r_debug_extended of <link.h>.
constexpr std::uint64_t kDebugVersion = 0;
constexpr std::uint64_t kDebugMap = 8;
constexpr std::uint64_t kDebugNext = 40;
// struct link_map of <link.h>.
constexpr std::uint64_t kMapName = 8;
constexpr std::uint64_t kMapDynamic = 16;
constexpr std::uint64_t kMapNext = 24;

std::uint32_t gnu_hash(std::string_view name) {
  std::uint32_t hash = 5381;
  for (const char character : name) hash = hash * 33 + static_cast<unsigned char>(character);
  return hash;
}

}  // namespace

LinkMap::LinkMap(const StoredSnapshot& snapshot, const model::Process& process)
    : LinkMap(
          [&snapshot, &process](std::uint64_t address, std::span<std::byte> out) {
            return snapshot.read_memory(process, address, out);
          },
          process.auxv()) {}

std::optional<std::uint64_t> LinkMap::read_word(std::uint64_t address) const {
  std::uint64_t value = 0;
  const auto bytes = std::as_writable_bytes(std::span(&value, 1));
  if (read_memory_(address, bytes) != bytes.size()) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> LinkMap::read_half_word(std::uint64_t address) const {
  std::uint32_t value = 0;
  const auto bytes = std::as_writable_bytes(std::span(&value, 1));
  if (read_memory_(address, bytes) != bytes.size()) return std::nullopt;
  return value;
}

std::string LinkMap::read_string(std::uint64_t address) const {
  std::array<std::byte, 4096> bytes{};
  const std::size_t got = read_memory_(address, bytes);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  return std::string(text, ::strnlen(text, got));
}

std::optional<std::uint64_t> LinkMap::auxiliary_value(std::uint64_t type) const {
  for (std::size_t at = 0; at + 16 <= auxv_.size(); at += 16) {
    std::uint64_t entry[2];
    std::memcpy(entry, auxv_.data() + at, sizeof entry);
    if (entry[0] == type) return entry[1];
  }
  return std::nullopt;
}

std::optional<std::uint64_t> LinkMap::dynamic_section() const {
  const auto headers = auxiliary_value(AT_PHDR);
  const std::uint64_t count = auxiliary_value(AT_PHNUM).value_or(0);
  if (!headers || count > kMostProgramHeaders) return std::nullopt;
  std::optional<std::uint64_t> bias;
  std::optional<std::uint64_t> dynamic;
  for (std::uint64_t i = 0; i < count; ++i) {
    Elf64_Phdr header;
    const auto bytes = std::as_writable_bytes(std::span(&header, 1));
    if (read_memory_(*headers + i * sizeof header, bytes) != bytes.size()) {
      return std::nullopt;
    }
    if (header.p_type == PT_PHDR) bias = *headers - header.p_vaddr;
    if (header.p_type == PT_DYNAMIC) dynamic = header.p_vaddr;
  }
  if (!dynamic) return std::nullopt;
  return *dynamic + bias.value_or(0);
}

std::optional<std::uint64_t> LinkMap::dynamic_entry(std::uint64_t dynamic, std::int64_t tag) const {
  for (int i = 0; i < kMostDynamicEntries; ++i, dynamic += sizeof(Elf64_Dyn)) {
    const auto found = read_word(dynamic);
    if (!found || *found == DT_NULL) return std::nullopt;
    if (static_cast<std::int64_t>(*found) == tag) return dynamic + 8;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> LinkMap::dynamic_value(std::uint64_t dynamic, std::int64_t tag) const {
  const auto entry = dynamic_entry(dynamic, tag);
  return entry ? read_word(*entry) : std::nullopt;
}

std::optional<std::uint64_t> LinkMap::debug_pointer() const {
  const auto dynamic = dynamic_section();
  return dynamic ? dynamic_entry(*dynamic, DT_DEBUG) : std::nullopt;
}

std::optional<std::uint64_t> LinkMap::debug_structure() const {
  const auto pointer = debug_pointer();
  const auto address = pointer ? read_word(*pointer) : std::nullopt;
  if (!address || *address == 0) return std::nullopt;
  return address;
}

void LinkMap::walk_name_space(std::uint64_t r_debug, std::uint64_t name_space,
                              gdbstub::LibraryList& list) const {
  std::uint64_t map = read_word(r_debug + kDebugMap).value_or(0);
  for (int i = 0; map != 0 && i < kMostLibraries; ++i) {
    const auto bias = read_word(map);
    const auto name = read_word(map + kMapName);
    const auto dynamic = read_word(map + kMapDynamic);
    if (!bias || !name || !dynamic) return;
    // The first of the base namespace is the program itself.
    if (i == 0 && list.main_link_map == 0) {
      list.main_link_map = map;
    } else {
      const std::string text = read_string(*name);
      if (!text.empty()) list.libraries.push_back({text, map, *bias, *dynamic, name_space});
    }
    map = read_word(map + kMapNext).value_or(0);
  }
}

gdbstub::LibraryList LinkMap::libraries() const {
  gdbstub::LibraryList list;
  std::optional<std::uint64_t> r_debug = debug_structure();
  for (int i = 0; r_debug && *r_debug != 0 && i < kMostNameSpaces; ++i) {
    walk_name_space(*r_debug, *r_debug, list);
    if (read_half_word(*r_debug + kDebugVersion).value_or(0) < 2) break;
    r_debug = read_word(*r_debug + kDebugNext);
  }
  return list;
}

std::optional<std::uint64_t> LinkMap::find_symbol(const gdbstub::Library& library,
                                                  std::string_view name) const {
  const auto table = dynamic_value(library.dynamic, DT_GNU_HASH);
  const auto symbols = dynamic_value(library.dynamic, DT_SYMTAB);
  const auto strings = dynamic_value(library.dynamic, DT_STRTAB);
  if (!table || !symbols || !strings) return std::nullopt;
  const auto bucket_count = read_half_word(*table);
  const auto first_symbol = read_half_word(*table + 4);
  const auto bloom_words = read_half_word(*table + 8);
  if (!bucket_count || *bucket_count == 0 || !first_symbol || !bloom_words) return std::nullopt;
  const std::uint64_t buckets = *table + 16 + std::uint64_t{*bloom_words} * 8;
  const std::uint64_t chains = buckets + std::uint64_t{*bucket_count} * 4;
  const std::uint32_t hash = gnu_hash(name);
  std::uint32_t index =
      read_half_word(buckets + std::uint64_t{hash % *bucket_count} * 4).value_or(0);
  for (int i = 0; index >= *first_symbol && i < kMostSymbolsInChain; ++i, ++index) {
    const auto entry = read_half_word(chains + std::uint64_t{index - *first_symbol} * 4);
    if (!entry) return std::nullopt;
    if ((*entry | 1U) == (hash | 1U)) {
      const std::uint64_t symbol = *symbols + std::uint64_t{index} * sizeof(Elf64_Sym);
      const auto name_offset = read_half_word(symbol);
      const auto value = read_word(symbol + offsetof(Elf64_Sym, st_value));
      if (name_offset && value && read_string(*strings + *name_offset) == name) {
        return library.load_bias + *value;
      }
    }
    if ((*entry & 1U) != 0) return std::nullopt;  // the chain's end
  }
  return std::nullopt;
}

}  // namespace icecore::snapshot
