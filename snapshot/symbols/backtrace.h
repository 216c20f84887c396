// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "snapshot/symbols/symbolizer.h"
#include "snapshot/symbols/unwinder.h"

namespace icecore::symbols {

/// One line of a backtrace: a frame, or a function inlined into the next line's one.
struct BacktraceLine {
  std::size_t number = 0;
  Frame frame;
  SourceFrame source;
  /// The ELF symbol of the address and where in it, for lines without a source line.
  std::string symbol;
  std::uint64_t symbol_offset = 0;
  std::string module;
  std::uint64_t module_offset = 0;
};

struct Backtrace {
  std::vector<BacktraceLine> lines;
  /// More frames were there than the limit allowed.
  bool is_cut = false;
};

/// The named stack of one thread; empty when its registers are not known. `limit` counts frames.
Backtrace backtrace(const Unwinder& unwinder, const Symbolizer& symbolizer,
                    const model::Thread& thread, std::size_t limit = Unwinder::kDefaultLimit);

/// "#0  0x00007f... in ns::f() (file.c:12) [libx.so]"; without a newline.
std::string format_line(const BacktraceLine& line);
/// Every line, each with its newline.
std::string format_backtrace(const Backtrace& backtrace);

/// For JSON: "registers", "cfi", "signal", "frame-pointer", "stack-top".
const char* to_string(Frame::FoundBy found_by);

}  // namespace icecore::symbols
