// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/disassembler.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/error.h"
#include "snapshot/symbols/image_memory.h"

namespace icecore::symbols {
namespace {

constexpr std::size_t kMaxInstructionLength = 15;
// No function is larger; a damaged symbol must not make us read for ever.
constexpr std::uint64_t kMaxRange = std::uint64_t{16} << 20U;

std::string symbol_at(const SymbolizedAddress& address) {
  if (address.symbol.empty()) return {};
  return address.symbol +
         (address.symbol_offset != 0 ? "+" + std::to_string(address.symbol_offset) : "");
}

std::string source_line(const SymbolizedAddress& address) {
  if (address.frames.empty() || address.frames.front().line == 0) return {};
  const SourceFrame& frame = address.frames.front();
  return frame.file.substr(frame.file.rfind('/') + 1) + ":" + std::to_string(frame.line);
}

std::string hex(std::uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%lx", value);
  return text.data();
}

}  // namespace

struct Disassembler::Wanted {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::size_t count = ~std::size_t{0};
  std::optional<std::uint64_t> pc;
};

Disassembler::Disassembler(const Symbolizer& symbolizer, AssemblySyntax syntax)
    : symbolizer_(symbolizer), decoder_(syntax) {}

DisassembledInstruction Disassembler::one(std::uint64_t address,
                                          std::span<const std::byte> bytes) const {
  DisassembledInstruction line;
  line.address = address;
  const auto decoded =
      decoder_.decode(address, bytes.first(std::min(bytes.size(), kMaxInstructionLength)));
  if (!decoded) {
    line.bytes = {bytes.front()};
    line.text = ".byte " + hex(std::to_integer<std::uint64_t>(bytes.front()));
    return line;
  }
  line.bytes.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(decoded->length));
  line.text = decoded->text;
  line.target = decoded->target;
  if (line.target) line.target_symbol = symbol_at(symbolizer_.symbolize(*line.target));
  return line;
}

std::vector<DisassembledInstruction> Disassembler::disassemble(const Wanted& wanted) const {
  if (wanted.end < wanted.start || wanted.end - wanted.start > kMaxRange) {
    throw Error("disassemble " + hex(wanted.start) + " to " + hex(wanted.end) +
                ": the range must be in order and at most 16 MiB");
  }
  const std::vector<std::byte> code =
      read_bytes(symbolizer_.image(), wanted.start, wanted.end - wanted.start);
  std::vector<DisassembledInstruction> lines;
  std::string last_source;
  for (std::span<const std::byte> rest = code; !rest.empty() && lines.size() < wanted.count;) {
    const std::uint64_t address = wanted.start + (code.size() - rest.size());
    DisassembledInstruction line = one(address, rest);
    const SymbolizedAddress here = symbolizer_.symbolize(address);
    line.symbol = symbol_at(here);
    if (auto source = source_line(here); source != last_source) {
      line.source_line = source;
      last_source = std::move(source);
    }
    line.is_current = wanted.pc && *wanted.pc == address;
    rest = rest.subspan(line.bytes.size());
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<DisassembledInstruction> Disassembler::range(std::uint64_t start, std::uint64_t end,
                                                         std::optional<std::uint64_t> pc) const {
  return disassemble({.start = start, .end = end, .count = ~std::size_t{0}, .pc = pc});
}

std::vector<DisassembledInstruction> Disassembler::from(std::uint64_t start, std::size_t count,
                                                        std::optional<std::uint64_t> pc) const {
  const std::uint64_t most = std::min<std::uint64_t>(kMaxRange, count * kMaxInstructionLength);
  return disassemble(
      {.start = start, .end = start + std::min(most, ~start), .count = count, .pc = pc});
}

std::vector<DisassembledInstruction> Disassembler::around(std::uint64_t pc,
                                                          std::size_t count) const {
  const LoadedModule* module = find_module(symbolizer_.modules(), pc);
  const Symbol* symbol =
      module == nullptr ? nullptr : symbolizer_.symbols_of(*module).table().find(pc - module->bias);
  // A symbol of another instruction stream (pc in its middle) would never show the current one.
  if (symbol != nullptr && symbol->size != 0) {
    const std::uint64_t start = module->bias + symbol->address;
    auto lines = range(start, start + std::min(symbol->size, kMaxRange), pc);
    if (std::ranges::any_of(lines, &DisassembledInstruction::is_current)) return lines;
  }
  return from(pc, count, pc);
}

std::string format_instructions(const std::vector<DisassembledInstruction>& instructions) {
  constexpr std::size_t kBytesWidth = 30;
  std::size_t symbol_width = 0;
  for (const auto& line : instructions) symbol_width = std::max(symbol_width, line.symbol.size());
  symbol_width = std::min<std::size_t>(symbol_width, 40);
  std::string text;
  for (const DisassembledInstruction& line : instructions) {
    if (!line.source_line.empty()) text += "   " + line.source_line + ":\n";
    std::array<char, 32> address{};
    std::snprintf(address.data(), address.size(), "%s 0x%016lx", line.is_current ? "=>" : "  ",
                  line.address);
    const std::string symbol = line.symbol.empty() ? "" : "<" + line.symbol + ">";
    std::string bytes;
    for (const std::byte byte : line.bytes) {
      std::array<char, 4> digits{};
      std::snprintf(digits.data(), digits.size(), "%02x ", std::to_integer<unsigned>(byte));
      bytes += digits.data();
    }
    bytes.resize(std::max(bytes.size(), kBytesWidth), ' ');
    text += address.data() + std::string(" ") + symbol;
    text.append(symbol_width + 2 - std::min(symbol_width + 2, symbol.size()), ' ');
    text += "  " + bytes + " " + line.text;
    if (line.target) {
      text += "  # " + hex(*line.target);
      if (!line.target_symbol.empty()) text += " <" + line.target_symbol + ">";
    }
    text += "\n";
  }
  return text;
}

}  // namespace icecore::symbols
