// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/backtrace.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace icecore::symbols {
namespace {

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void append_frame(Backtrace& result, const Frame& frame, const SymbolizedAddress& address) {
  BacktraceLine line;
  line.frame = frame;
  line.symbol = address.symbol;
  line.symbol_offset = address.symbol_offset;
  line.module = address.module;
  line.module_offset = address.module_offset;
  const std::size_t count = std::max<std::size_t>(1, address.frames.size());
  for (std::size_t i = 0; i < count; ++i) {
    line.number = result.lines.size();
    line.source = i < address.frames.size() ? address.frames[i] : SourceFrame{};
    result.lines.push_back(line);
  }
}

// The symbol's offset is that of the address looked up, one less than a return address.
std::string name_of(const BacktraceLine& line) {
  if (line.frame.is_signal_return) return "<signal handler called>";
  const std::string& name = line.source.function.empty() ? line.symbol : line.source.function;
  if (name.empty()) return "??";
  if (line.source.line != 0 || line.source.inlined) return name;
  const std::uint64_t correction = line.frame.pc - line.frame.lookup_pc();
  return name + "+" + std::to_string(line.symbol_offset + correction);
}

// Where nothing has a name, the place in the file is what can be looked up elsewhere.
std::string module_offset(const BacktraceLine& line) {
  if (!line.source.function.empty() || !line.symbol.empty()) return {};
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "+0x%lx",
                line.module_offset + (line.frame.pc - line.frame.lookup_pc()));
  return text.data();
}

}  // namespace

Backtrace backtrace(const Unwinder& unwinder, const Symbolizer& symbolizer,
                    const model::Thread& thread, std::size_t limit) {
  Backtrace result;
  auto frames = unwinder.frames(thread, limit + (limit < ~std::size_t{0} ? 1 : 0));
  result.is_cut = frames.size() > limit;
  if (result.is_cut) frames.resize(limit);
  for (const Frame& frame : frames) {
    append_frame(result, frame, symbolizer.symbolize(frame.lookup_pc()));
  }
  return result;
}

std::string format_line(const BacktraceLine& line) {
  std::array<char, 64> start{};
  std::snprintf(start.data(), start.size(), "#%-3zu0x%016lx in ", line.number, line.frame.pc);
  std::string text = start.data() + name_of(line);
  if (line.source.line != 0) {
    text += " (" + base_name(line.source.file) + ":" + std::to_string(line.source.line) + ")";
  }
  if (!line.module.empty()) text += " [" + base_name(line.module) + module_offset(line) + "]";
  if (line.source.inlined) text += " inlined";
  if (line.frame.found_by == Frame::FoundBy::FramePointer) text += " (by frame pointer)";
  if (line.frame.found_by == Frame::FoundBy::StackTop) text += " (by return address on the stack)";
  return text;
}

std::string format_backtrace(const Backtrace& backtrace) {
  std::string text;
  for (const BacktraceLine& line : backtrace.lines) text += format_line(line) + "\n";
  if (backtrace.is_cut) text += "(more frames follow)\n";
  return text;
}

const char* to_string(Frame::FoundBy found_by) {
  switch (found_by) {
    case Frame::FoundBy::Registers:
      return "registers";
    case Frame::FoundBy::CallFrameInfo:
      return "cfi";
    case Frame::FoundBy::SignalContext:
      return "signal";
    case Frame::FoundBy::FramePointer:
      return "frame-pointer";
    case Frame::FoundBy::StackTop:
      return "stack-top";
  }
  return "unknown";
}

}  // namespace icecore::symbols
