// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/restartable_sequence.h"

#include <cstdint>
#include <span>

#include "snapshot/tracing/process_memory.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::snapshot {
namespace {

/// struct rseq_cs, see rseq(2).
struct Sequence {
  std::uint32_t version;
  std::uint32_t flags;
  std::uint64_t start;
  std::uint64_t size;
  std::uint64_t abort;
};

constexpr std::uint64_t kSequenceField = 8;  // rseq_cs in struct rseq

template <typename Value>
bool read_value(int pid, std::uint64_t address, Value& value) {
  return read_process(pid, address, std::as_writable_bytes(std::span(&value, 1)));
}

}  // namespace

bool leave_restartable_sequence(int pid, int tid, user_regs_struct& registers) {
  const auto configuration = ptrace_call::rseq(tid);
  if (!configuration) return false;
  const std::uint64_t field = configuration->address + kSequenceField;
  std::uint64_t address = 0;
  Sequence sequence{};
  if (!read_value(pid, field, address) || address == 0) return false;
  if (!read_value(pid, address, sequence) || registers.rip - sequence.start >= sequence.size) {
    return false;
  }
  // Where the signature does not fit the kernel ends the program; that is left to it.
  std::uint32_t signature = 0;
  if (!read_value(pid, sequence.abort - sizeof signature, signature) ||
      signature != configuration->signature) {
    return false;
  }
  const std::uint64_t none = 0;
  if (!write_process(pid, field, std::as_bytes(std::span(&none, 1)))) return false;
  registers.rip = sequence.abort;
  return ptrace_call::set_registers(tid, registers);
}

}  // namespace icecore::snapshot
