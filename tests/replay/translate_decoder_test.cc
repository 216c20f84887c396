// SPDX-License-Identifier: Apache-2.0
// Every instruction of real libraries, against the decoder that names them (LLVM and Capstone).
#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "replay/translate/instruction.h"
#include "snapshot/symbols/instruction_decoder.h"

namespace icecore::replay {
namespace {

struct Text {
  std::uint64_t address = 0;
  std::vector<std::uint8_t> bytes{};
};

template <typename Struct>
Struct at(const std::string& file, std::uint64_t offset) {
  Struct result{};
  std::memcpy(&result, file.data() + offset, sizeof result);
  return result;
}

Text text_section(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (file.size() < sizeof(Elf64_Ehdr)) return {};
  const auto header = at<Elf64_Ehdr>(file, 0);
  const auto section = [&](unsigned index) {
    return at<Elf64_Shdr>(file, header.e_shoff + index * sizeof(Elf64_Shdr));
  };
  const std::uint64_t names = section(header.e_shstrndx).sh_offset;
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr each = section(i);
    if (std::strcmp(file.data() + names + each.sh_name, ".text") != 0) continue;
    const auto* begin = reinterpret_cast<const std::uint8_t*>(file.data()) + each.sh_offset;
    return {each.sh_addr, {begin, begin + each.sh_size}};
  }
  return {};
}

std::string library(const char* name) {
  return std::filesystem::canonical(std::filesystem::path("/lib/x86_64-linux-gnu") / name).string();
}

/// The address that we take an instruction to refer to or jump to, 0: none.
std::uint64_t reference(const Instruction& form, std::uint64_t pc,
                        std::span<const std::uint8_t> code) {
  const std::uint64_t next = pc + form.length;
  if (form.displacement_offset != 0) {
    std::int32_t displacement = 0;
    std::memcpy(&displacement, code.data() + form.displacement_offset, sizeof displacement);
    return next + static_cast<std::uint64_t>(std::int64_t{displacement});
  }
  switch (form.flow) {
    case Flow::Jump:
    case Flow::Conditional:
    case Flow::CountedJump:
    case Flow::Call:
      return next + static_cast<std::uint64_t>(std::int64_t{form.relative});
    default:
      return 0;
  }
}

class DecodedText : public ::testing::TestWithParam<const char*> {};

TEST_P(DecodedText, HasTheLengthsAndReferencesThatTheDisassemblerFinds) {
  const std::string path =
      std::string(GetParam()).starts_with("/") ? GetParam() : library(GetParam());
  const Text text = text_section(path);
  if (text.bytes.empty()) GTEST_SKIP() << "needs " << path;
  const symbols::InstructionDecoder oracle(symbols::AssemblySyntax::Intel);
  std::size_t wrong = 0;
  std::size_t total = 0;
  std::size_t unknown = 0;
  std::ostringstream list;
  for (std::size_t offset = 0; offset < text.bytes.size();) {
    const auto code = std::span(text.bytes).subspan(offset);
    const std::uint64_t pc = text.address + offset;
    const auto expected =
        oracle.decode(pc, std::as_bytes(code.first(std::min<std::size_t>(code.size(), 15))));
    if (!expected) {
      ++offset;
      continue;
    }
    ++total;
    offset += expected->length;
    const auto form = decode(code);
    // Never copied: far transfers, xbegin, and XOP, which no processor of today has.
    if (form && form->flow == Flow::Unsupported) continue;
    // Data between functions reads as APX, which is unknown to us and would be refused.
    unknown += form ? 0 : 1;
    const bool equal =
        !form || (form->length == expected->length &&
                  (!expected->target || reference(*form, pc, code) == *expected->target));
    if (equal) continue;
    if (++wrong > 20) continue;
    list << std::hex << pc << ": " << expected->text << " (";
    for (const auto byte : code.first(expected->length)) list << ' ' << unsigned{byte};
    list << ")\n";
  }
  EXPECT_GT(total, 1000U);
  EXPECT_LT(unknown, total / 1000 + 1);
  EXPECT_EQ(wrong, 0U) << list.str();
}

INSTANTIATE_TEST_SUITE_P(Libraries, DecodedText,
                         ::testing::Values("libc.so.6", "ld-linux-x86-64.so.2", "libm.so.6",
                                           "libstdc++.so.6", "libcrypto.so.3",
                                           "/usr/bin/python3.11"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           name = name.substr(name.rfind('/') + 1);
                           std::erase_if(name, [](char c) { return std::isalnum(c) == 0; });
                           return name;
                         });

}  // namespace
}  // namespace icecore::replay
