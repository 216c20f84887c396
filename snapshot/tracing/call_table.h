// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "snapshot/tracing/remote_process.h"

namespace icecore::snapshot {

/// Machine code that makes the calls of a table: rows of kCallRowSize bytes {number, six arguments,
/// result} at rbx, r12 of them. Whoever uses it appends what comes after the last.
inline constexpr std::array<unsigned char, 42> kCallLoop{
    0x48, 0x8b, 0x03,        // again: mov rax, [rbx]
    0x48, 0x8b, 0x7b, 0x08,  // mov rdi, [rbx+8]
    0x48, 0x8b, 0x73, 0x10,  // mov rsi, [rbx+16]
    0x48, 0x8b, 0x53, 0x18,  // mov rdx, [rbx+24]
    0x4c, 0x8b, 0x53, 0x20,  // mov r10, [rbx+32]
    0x4c, 0x8b, 0x43, 0x28,  // mov r8, [rbx+40]
    0x4c, 0x8b, 0x4b, 0x30,  // mov r9, [rbx+48]
    0x0f, 0x05,              // syscall
    0x48, 0x89, 0x43, 0x38,  // mov [rbx+56], rax
    0x48, 0x83, 0xc3, 0x40,  // add rbx, 64
    0x49, 0xff, 0xcc,        // dec r12
    0x75, 0xd6,              // jnz again
};
/// Where its `syscall` instruction is.
inline constexpr std::uint64_t kCallLoopSyscall = 27;
inline constexpr std::size_t kCallRowSize = 64;

/// The table of `calls`; `unmade` is the result of those that are not reached.
inline std::vector<std::uint64_t> call_rows(std::span<const RemoteCall> calls,
                                            std::int64_t unmade) {
  std::vector<std::uint64_t> rows;
  rows.reserve(calls.size() * kCallRowSize / sizeof(std::uint64_t));
  for (const auto& call : calls) {
    rows.push_back(static_cast<std::uint64_t>(call.number));
    rows.insert(rows.end(), call.arguments.begin(), call.arguments.end());
    rows.push_back(static_cast<std::uint64_t>(unmade));
  }
  return rows;
}

/// Takes the results out of a table that was walked.
inline void take_results(std::span<const std::uint64_t> rows, std::span<RemoteCall> calls) {
  constexpr std::size_t kWords = kCallRowSize / sizeof(std::uint64_t);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    calls[i].result = static_cast<std::int64_t>(rows[i * kWords + kWords - 1]);
  }
}

/// The loop and what follows it.
template <std::size_t Size>
constexpr auto call_walker(const std::array<unsigned char, Size>& after) {
  std::array<unsigned char, kCallLoop.size() + Size> code{};
  for (std::size_t i = 0; i < kCallLoop.size(); ++i) code[i] = kCallLoop[i];
  for (std::size_t i = 0; i < Size; ++i) code[kCallLoop.size() + i] = after[i];
  return code;
}

}  // namespace icecore::snapshot
