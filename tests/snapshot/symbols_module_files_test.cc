// SPDX-License-Identifier: Apache-2.0
// What is read from ELF files: stripped, with compressed symbols, damaged.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "base/error.h"
#include "snapshot/symbols/build_id.h"
#include "snapshot/symbols/module_cache.h"
#include "tests/snapshot/live_image.h"

namespace icecore::symbols {
namespace {

using test::LiveVictim;

UniqueFd file_in_memory(const std::string& content) {
  UniqueFd fd(::memfd_create("module", MFD_CLOEXEC));
  if (::write(fd.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    throw_errno("write a file in memory");
  }
  return fd;
}

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

TEST(ModuleSymbols, HasNothingOfAFileThatIsNotThere) {
  ModuleSymbols symbols{UniqueFd(), UniqueFd()};
  EXPECT_TRUE(symbols.table().symbols().empty());
  EXPECT_TRUE(symbols.lines().lookup(0x1000).empty());
  EXPECT_TRUE(symbols.variables().variables().empty());
}

TEST(ModuleSymbols, OutlivesDamagedFiles) {
  const std::string good = content_of(LiveVictim::path("symbols_globals"));
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    std::string damaged = good;
    const std::size_t reach = seed % 3 == 0 ? 4096 : damaged.size();
    for (unsigned i = 0; i < 1U << (seed % 12); ++i) {
      damaged[random() % reach] = static_cast<char>(random());
    }
    if (seed % 5 == 0) damaged.resize(random() % damaged.size());
    ModuleSymbols symbols{file_in_memory(damaged), UniqueFd()};
    const UniqueFd again = file_in_memory(damaged);
    EXPECT_LE(read_build_id(again.get()).size(), damaged.size());
    read_debug_link(again.get());
    for (std::uint64_t address = 0x2000; address < 0x5000; address += 7) {
      static_cast<void>(symbols.lines().lookup(address));
      static_cast<void>(symbols.table().find(address));
    }
    EXPECT_LE(symbols.variables().variables().size(), damaged.size());
  }
}

TEST(SymbolTable, FindsTheNameThatCoversAnAddress) {
  const UniqueFd file = file_in_memory(content_of(LiveVictim::path("symbols_globals")));
  const SymbolTable table(file.get(), -1);
  const auto found = table.find_by_name("plain_c_function");
  ASSERT_EQ(found.size(), 1U);
  const Symbol& function = *found[0];
  EXPECT_EQ(table.find(function.address), &function);
  EXPECT_EQ(table.find(function.address + function.size - 1), &function);
  EXPECT_NE(table.find(function.address + function.size), &function);
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.overlapping(function.address + 1, function.address + 2).front(), &function);
}

// As Fedora ships programs: .symtab is gone, its functions are in an xz-compressed ELF file inside.
TEST(SymbolTable, ReadsCompressedSymbols) {
  if (std::system("xz --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "needs xz";
  std::string pattern = testing::TempDir() + "icecore-mini-XXXXXX";
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  const std::string script =
      "cd " + directory.string() + " && cp " + LiveVictim::path("symbols_globals") +
      " full && objcopy --only-keep-debug full mini && objcopy --strip-debug mini && xz mini && "
      "objcopy --strip-all full program && objcopy --add-section .gnu_debugdata=mini.xz program";
  ASSERT_EQ(std::system(("(" + script + ") 2>/dev/null").c_str()), 0);
  const std::string program = content_of(directory / "program");
  std::filesystem::remove_all(directory);
  const UniqueFd file = file_in_memory(program);
  EXPECT_EQ(SymbolTable(file.get(), -1).find_by_name("plain_c_function").size(), 1U);
}

}  // namespace
}  // namespace icecore::symbols
