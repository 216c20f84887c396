// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/symbol_table.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <tuple>

#include "base/unique_fd.h"

namespace icecore::symbols {
namespace {

// A file with more is damaged, or made to hurt.
constexpr int kMaxSymbols = 20'000'000;

UniqueFd duplicate(int fd) { return UniqueFd(fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

int give_debug_file(Dwfl_Module*, void** userdata, const char*, Dwarf_Addr, const char*,
                    const char*, GElf_Word, char** file_name) {
  *file_name = nullptr;
  return *userdata == nullptr ? -1 : duplicate(*static_cast<const int*>(*userdata)).release();
}

// Whether the symbol lies in code, data, or nowhere in memory.
std::optional<Symbol::Kind> kind_of(const GElf_Sym& symbol, Elf* elf, GElf_Word section_index) {
  const auto type = GELF_ST_TYPE(symbol.st_info);
  if (type == STT_FUNC || type == STT_GNU_IFUNC) return Symbol::Kind::Function;
  if (type == STT_OBJECT) return Symbol::Kind::Object;
  if (type != STT_NOTYPE || elf == nullptr) return std::nullopt;
  GElf_Shdr header;
  Elf_Scn* section = ::elf_getscn(elf, section_index);
  if (section == nullptr || ::gelf_getshdr(section, &header) == nullptr) return std::nullopt;
  if ((header.sh_flags & SHF_ALLOC) == 0) return std::nullopt;
  return (header.sh_flags & SHF_EXECINSTR) != 0 ? Symbol::Kind::Function : Symbol::Kind::Object;
}

std::optional<Symbol> read_symbol(Dwfl_Module* module, int index) {
  GElf_Sym symbol;
  GElf_Addr address = 0;
  GElf_Word section = 0;
  Elf* elf = nullptr;
  Dwarf_Addr bias = 0;
  const char* name =
      ::dwfl_module_getsym_info(module, index, &symbol, &address, &section, &elf, &bias);
  if (name == nullptr || *name == '\0') return std::nullopt;
  if (section == SHN_UNDEF || section == SHN_ABS || section == SHN_COMMON) return std::nullopt;
  const auto kind = kind_of(symbol, elf, section);
  if (!kind) return std::nullopt;
  return Symbol{.address = address,
                .size = symbol.st_size,
                // The linker writes versions into .symtab: "pthread_cond_wait@@GLIBC_2.3.2".
                .name = std::string(name, std::strcspn(name, "@")),
                .kind = *kind,
                .is_local = GELF_ST_BIND(symbol.st_info) == STB_LOCAL};
}

// Of several names of one address, people expect "read", not "__libc_read" or "__GI___read".
std::tuple<std::uint64_t, bool, std::size_t, bool, std::size_t> rank(const Symbol& symbol) {
  const std::size_t underscores = std::min(symbol.name.find_first_not_of('_'), symbol.name.size());
  return {symbol.address, symbol.size == 0, underscores, symbol.is_local, symbol.name.size()};
}

bool is_before(const Symbol& left, const Symbol& right) {
  const auto left_rank = rank(left);
  const auto right_rank = rank(right);
  return left_rank != right_rank ? left_rank < right_rank : left.name < right.name;
}

}  // namespace

SymbolTable::SymbolTable(int fd, int debug_fd) {
  static const Dwfl_Callbacks callbacks = {
      .find_elf = nullptr,
      .find_debuginfo = give_debug_file,
      .section_address = ::dwfl_offline_section_address,
      .debuginfo_path = nullptr,
  };
  const std::unique_ptr<Dwfl, decltype(&::dwfl_end)> dwfl(::dwfl_begin(&callbacks), ::dwfl_end);
  UniqueFd file = duplicate(fd);
  if (dwfl == nullptr || !file.valid()) return;
  ::dwfl_report_begin(dwfl.get());
  // With base 0 and the file's own addresses added, nothing is moved.
  Dwfl_Module* module = ::dwfl_report_elf(dwfl.get(), "module", "module", file.get(), 0, true);
  if (module == nullptr) return;
  static_cast<void>(file.release());
  void** userdata = nullptr;
  ::dwfl_module_info(module, &userdata, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
  if (debug_fd >= 0) *userdata = &debug_fd;
  ::dwfl_report_end(dwfl.get(), nullptr, nullptr);
  const int count = std::min(::dwfl_module_getsymtab(module), kMaxSymbols);
  for (int i = 0; i < count; ++i) {
    if (auto symbol = read_symbol(module, i)) symbols_.push_back(std::move(*symbol));
  }
  std::ranges::sort(symbols_, is_before);
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    largest_ = std::max(largest_, symbols_[i].size);
    by_name_.emplace(symbols_[i].name, i);
  }
}

const Symbol* SymbolTable::find(std::uint64_t address) const {
  const auto after = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  const Symbol* covering = nullptr;
  for (auto it = after; it != symbols_.begin();) {
    --it;
    // At one address the best name comes first, so the loop goes on to the first of them.
    if (covering != nullptr && it->address != covering->address) break;
    if (address - it->address > largest_) break;
    if (address - it->address < it->size) covering = &*it;
  }
  if (covering != nullptr || after == symbols_.begin()) return covering;
  // A label without size ends where the next symbol begins, so only the nearest can hold the
  // address.
  const auto nearest =
      std::ranges::lower_bound(symbols_, std::prev(after)->address, {}, &Symbol::address);
  const auto label = std::find_if(nearest, after, [](const Symbol& s) { return s.size == 0; });
  return label != after ? &*label : nullptr;
}

std::vector<const Symbol*> SymbolTable::find_by_name(const std::string& name) const {
  std::vector<const Symbol*> found;
  const auto [first, last] = by_name_.equal_range(name);
  for (auto it = first; it != last; ++it) found.push_back(&symbols_[it->second]);
  std::ranges::sort(found);
  return found;
}

std::vector<const Symbol*> SymbolTable::overlapping(std::uint64_t start, std::uint64_t end) const {
  std::vector<const Symbol*> found;
  const std::uint64_t from = start > largest_ ? start - largest_ : 0;
  for (auto it = std::ranges::lower_bound(symbols_, from, {}, &Symbol::address);
       it != symbols_.end() && it->address < end; ++it) {
    if (it->address + it->size > start) found.push_back(&*it);
  }
  return found;
}

}  // namespace icecore::symbols
