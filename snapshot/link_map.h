// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gdbstub/target/libraries.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::snapshot {

/// Copies memory of a process from an address on; returns how many bytes were readable.
using MemoryReader = std::function<std::size_t(std::uint64_t address, std::span<std::byte> out)>;

/// Reads what the dynamic loader of a process keeps about its libraries, out of its memory, stored
/// or living: the debug structure (r_debug), the list of link maps, and symbols of a loaded
/// library.
class LinkMap {
 public:
  /// `auxv` as in /proc/PID/auxv.
  LinkMap(MemoryReader read_memory, std::string auxv)
      : read_memory_(std::move(read_memory)), auxv_(std::move(auxv)) {}
  /// Of a stored process; both must outlive it.
  LinkMap(const StoredSnapshot& snapshot, const model::Process& process);

  /// Where the value of DT_DEBUG lies, found through AT_PHDR; nullopt for a static program.
  [[nodiscard]] std::optional<std::uint64_t> debug_pointer() const;
  /// What it points to; nullopt before the loader has filled it in.
  [[nodiscard]] std::optional<std::uint64_t> debug_structure() const;
  [[nodiscard]] gdbstub::LibraryList libraries() const;
  /// The address of a dynamic symbol of `library`, through its GNU hash table.
  [[nodiscard]] std::optional<std::uint64_t> find_symbol(const gdbstub::Library& library,
                                                         std::string_view name) const;

  [[nodiscard]] std::optional<std::uint64_t> read_word(std::uint64_t address) const;
  [[nodiscard]] std::optional<std::uint32_t> read_half_word(std::uint64_t address) const;

 private:
  [[nodiscard]] std::optional<std::uint64_t> auxiliary_value(std::uint64_t type) const;
  [[nodiscard]] std::optional<std::uint64_t> dynamic_section() const;
  /// The address of the value of the first entry with `tag`.
  [[nodiscard]] std::optional<std::uint64_t> dynamic_entry(std::uint64_t dynamic,
                                                           std::int64_t tag) const;
  [[nodiscard]] std::optional<std::uint64_t> dynamic_value(std::uint64_t dynamic,
                                                           std::int64_t tag) const;
  void walk_name_space(std::uint64_t r_debug, std::uint64_t name_space,
                       gdbstub::LibraryList& list) const;
  [[nodiscard]] std::string read_string(std::uint64_t address) const;

  MemoryReader read_memory_;
  std::string auxv_;
};

}  // namespace icecore::snapshot
