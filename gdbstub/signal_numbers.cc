// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/signal_numbers.h"

#include <array>

namespace icecore::gdbstub {
namespace {

// Index: the Linux number on amd64. Values: include/gdb/signals.def.
constexpr std::array<int, 32> kGdbNumbers = {0,  1,  2,  3,  4,  5,   6,  10, 8,  9,  30,
                                             11, 31, 13, 14, 15, 143, 20, 19, 17, 18, 21,
                                             22, 16, 24, 25, 26, 27,  28, 23, 32, 12};
constexpr int kUnknown = 143;

// Real-time signals: 33..63 lie together, 32 and 64 were added later.
constexpr int kGdbRealtime32 = 77;
constexpr int kGdbRealtime33 = 45;
constexpr int kGdbRealtime64 = 78;

}  // namespace

int linux_to_gdb_signal(int signal) {
  if (signal >= 0 && signal < 32) return kGdbNumbers.at(static_cast<std::size_t>(signal));
  if (signal == 32) return kGdbRealtime32;
  if (signal > 32 && signal < 64) return signal - 33 + kGdbRealtime33;
  return signal == 64 ? kGdbRealtime64 : kUnknown;
}

int gdb_to_linux_signal(int signal) {
  if (signal == kUnknown) return 0;
  for (int candidate = 0; candidate <= 64; ++candidate) {
    if (linux_to_gdb_signal(candidate) == signal) return candidate;
  }
  return 0;
}

}  // namespace icecore::gdbstub
