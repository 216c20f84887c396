// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/decoding/agreeing_decoder.h"

#include <capstone/capstone.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace icecore::symbols {
namespace {

constexpr std::byte kEvexPrefix{0x62};

bool is_register(const std::string& word) {
  constexpr std::array<std::string_view, 33> kShortNames = {
      "al", "ah", "bl",  "bh",  "cl",  "ch",  "dl",  "dh",  "ax",  "bx",  "cx",
      "dx", "si", "di",  "bp",  "sp",  "ip",  "cs",  "ds",  "es",  "fs",  "gs",
      "ss", "st", "cr0", "cr2", "cr3", "cr4", "cr8", "sil", "dil", "bpl", "spl"};
  if (std::ranges::find(kShortNames, word) != kShortNames.end()) return true;
  if (word.size() == 3 && (word[0] == 'r' || word[0] == 'e')) {
    return std::ranges::find(kShortNames, word.substr(1)) != kShortNames.end() ||
           std::isdigit(word[1]) != 0;
  }
  const bool is_numbered = word.size() >= 2 && std::isdigit(word.back()) != 0;
  return is_numbered &&
         (word[0] == 'r' || word[0] == 'k' || word.starts_with("xmm") || word.starts_with("ymm") ||
          word.starts_with("zmm") || word.starts_with("mm"));
}

// What two printers of one syntax must agree on: the registers, in their order.
std::vector<std::string> registers_of(const std::string& text) {
  std::vector<std::string> registers;
  std::string word;
  for (const char c : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += c;
      continue;
    }
    const bool is_sized_number =
        word.size() > 1 && std::isdigit(static_cast<unsigned char>(word[0])) != 0;
    if (!is_sized_number && is_register(word)) registers.push_back(word);
    word.clear();
  }
  return registers;
}

// AT&T mnemonics may carry their operand size: "mov" and "movq" are the same.
bool same_mnemonic(const std::string& one, const std::string& other, AssemblySyntax syntax) {
  const std::string first = one.substr(0, one.find(' '));
  const std::string second = other.substr(0, other.find(' '));
  if (first == second) return true;
  if (syntax == AssemblySyntax::Intel) return false;
  const std::string& longer = first.size() > second.size() ? first : second;
  const std::string& shorter = first.size() > second.size() ? second : first;
  return longer.size() == shorter.size() + 1 && longer.starts_with(shorter) &&
         std::string_view("bwlq").find(longer.back()) != std::string_view::npos;
}

}  // namespace

class AgreeingDecoder::Capstone {
 public:
  explicit Capstone(AssemblySyntax syntax) : syntax_(syntax) {
    if (::cs_open(CS_ARCH_X86, CS_MODE_64, &handle_) != CS_ERR_OK) {
      throw Error("this Capstone has no x86-64 disassembler");
    }
    ::cs_option(handle_, CS_OPT_SYNTAX,
                syntax == AssemblySyntax::Intel ? CS_OPT_SYNTAX_INTEL : CS_OPT_SYNTAX_ATT);
    instruction_ = ::cs_malloc(handle_);
  }
  Capstone(const Capstone&) = delete;
  Capstone& operator=(const Capstone&) = delete;
  ~Capstone() {
    ::cs_free(instruction_, 1);
    ::cs_close(&handle_);
  }

  std::optional<DecodedInstruction> decode(std::uint64_t address,
                                           std::span<const std::byte> bytes) {
    const auto* code = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t size = bytes.size();
    if (!::cs_disasm_iter(handle_, &code, &size, &address, instruction_)) return std::nullopt;
    std::string text = instruction_->mnemonic;
    if (instruction_->op_str[0] != '\0') text += std::string(" ") + instruction_->op_str;
    return DecodedInstruction{.length = instruction_->size, .text = text, .target = {}};
  }

  bool agrees(const DecodedInstruction& mine, const DecodedInstruction& theirs) const {
    return mine.length == theirs.length && same_mnemonic(mine.text, theirs.text, syntax_) &&
           registers_of(mine.text) == registers_of(theirs.text);
  }

 private:
  AssemblySyntax syntax_;
  csh handle_ = 0;
  cs_insn* instruction_ = nullptr;
};

AgreeingDecoder::AgreeingDecoder(AssemblySyntax syntax)
    : llvm_(syntax), capstone_(std::make_unique<Capstone>(syntax)) {}
AgreeingDecoder::~AgreeingDecoder() = default;

std::optional<DecodedInstruction> AgreeingDecoder::decode(
    std::uint64_t address, std::span<const std::byte> bytes) const noexcept {
  auto by_llvm = llvm_.decode(address, bytes);
  if (!by_llvm || bytes.front() == kEvexPrefix) return by_llvm;
  const auto by_capstone = capstone_->decode(address, bytes);
  if (by_capstone && capstone_->agrees(*by_capstone, *by_llvm)) by_llvm->text = by_capstone->text;
  return by_llvm;
}

}  // namespace icecore::symbols
