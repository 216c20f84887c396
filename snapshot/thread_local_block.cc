// SPDX-License-Identifier: Apache-2.0
#include "snapshot/thread_local_block.h"

#include <string>

#include "base/error.h"

namespace icecore::snapshot {
namespace {

/// The offset of a member, from a descriptor {size in bits, elements, offset} of nptl_db.
std::uint64_t member_offset(const LinkMap& maps, const gdbstub::LibraryList& list,
                            const std::string& member) {
  const std::string symbol = "_thread_db_" + member;
  for (const gdbstub::Library& library : list.libraries) {
    // In libc.so.6 since glibc 2.34, in libpthread.so.0 before.
    if (library.name.find("/libc.so") == std::string::npos &&
        library.name.find("/libpthread") == std::string::npos) {
      continue;
    }
    const auto address = maps.find_symbol(library, symbol);
    if (!address) continue;
    const auto offset = maps.read_half_word(*address + 8);
    if (offset) return *offset;
  }
  throw Error("thread-local variables: the C library does not publish " + symbol);
}

std::uint64_t word_at(const LinkMap& maps, std::uint64_t address) {
  const auto value = maps.read_word(address);
  if (!value) throw Error("thread-local variables: the C library's structures cannot be read");
  return *value;
}

}  // namespace

std::uint64_t thread_local_address(const LinkMap& maps, std::uint64_t thread_pointer,
                                   std::uint64_t offset, std::uint64_t link_map) {
  constexpr std::uint64_t kUnallocated = ~std::uint64_t{0};
  constexpr std::uint64_t kDtvEntrySize = 16;
  constexpr std::uint64_t kThreadPointerToDtv = 8;  // tcbhead_t.dtv: part of the psABI
  const gdbstub::LibraryList list = maps.libraries();
  const std::uint64_t module =
      word_at(maps, link_map + member_offset(maps, list, "link_map_l_tls_modid"));
  if (module == 0) throw Error("thread-local variables: this library has none");
  const std::uint64_t dtv = word_at(maps, thread_pointer + kThreadPointerToDtv);
  // dtv[-1] is how many entries there are; a thread grows its table when it first touches a module.
  const std::uint64_t entries = word_at(maps, dtv - kDtvEntrySize);
  std::uint64_t block = kUnallocated;
  if (module <= entries) block = word_at(maps, dtv + module * kDtvEntrySize);
  if (block != kUnallocated && block != 0) return block + offset;
  // Not touched yet. A library in the static block has its place all the same.
  const std::uint64_t static_offset =
      word_at(maps, link_map + member_offset(maps, list, "link_map_l_tls_offset"));
  const auto signed_offset = static_cast<std::int64_t>(static_offset);
  if (signed_offset <= 0) {
    throw Error("thread-local variables: this thread has not used those of this library yet");
  }
  return thread_pointer - static_offset + offset;
}

}  // namespace icecore::snapshot
