// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace icecore::replay {

/// How a system call of the recorded process is kept, and what replaying does with it.
enum class Treatment : std::uint8_t {
  Outputs,       ///< its result and what it wrote, as the row says; replaying does not make it
  Layout,        ///< changes the memory layout or a segment register: replaying makes it again
  SignalReturn,  ///< replaces all registers: they are kept
  Compared,      ///< writes what no row can say: memory is compared with a copy from before it
  Ends,          ///< what follows cannot be replayed: recording begins anew behind it
  Irregular,     ///< depends on its arguments: see syscall_rules.h
};

/// How many bytes an argument that points to memory gets.
enum class Extent : std::uint8_t {
  None,
  Fixed,     ///< `unit`
  Result,    ///< the result times `unit`, when it is positive
  Count,     ///< argument `other` times `unit`
  Length,    ///< as many as the 32-bit word at argument `other` says
  Bits,      ///< `unit` words of 64 for argument `other` bits, as in an fd_set
  Vector,    ///< the iovecs of argument `other`'s count get the result
  Message,   ///< a struct msghdr, and the result in its iovecs
  Messages,  ///< `result` times struct mmsghdr
  Pages,     ///< one byte for each page of argument `other` bytes
};

struct Output {
  Extent extent = Extent::None;
  std::uint8_t argument = 0;
  std::uint8_t other = 0;
  std::uint16_t unit = 0;
};

struct SyscallRow {
  std::int64_t number = 0;
  Treatment treatment = Treatment::Outputs;
  std::array<Output, 4> outputs{};
};

/// The row of `number`; a call that has none is Compared.
const SyscallRow& find_syscall_row(std::int64_t number);

}  // namespace icecore::replay
