// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <span>

#include "replay/record/syscall_rules.h"

namespace icecore::replay {
namespace {

constexpr std::uint64_t kTouchedPage = 4096;

/// Collects what is at the addresses that a call wrote to; those that are not there it did not
/// write to.
class Collector {
 public:
  Collector(const RecordedCall& call, const TracedMemory& memory) : call_(call), memory_(memory) {}

  void take(const Output& output);
  std::vector<MemoryWrite> release() { return std::move(writes_); }

 private:
  void take(std::uint64_t address, std::uint64_t size);
  void take_vector(std::uint64_t address, std::uint64_t count, std::uint64_t bytes);
  void take_message(std::uint64_t address, std::uint64_t bytes);
  void take_messages(std::uint64_t address, std::uint64_t count);

  const RecordedCall& call_;
  const TracedMemory& memory_;
  std::vector<MemoryWrite> writes_;
};

void Collector::take(std::uint64_t address, std::uint64_t size) {
  if (address == 0 || size == 0) return;
  MemoryWrite write{address, std::string(size, '\0')};
  write.bytes.resize(memory_.read_some(address, std::as_writable_bytes(std::span(write.bytes))));
  if (!write.bytes.empty()) writes_.push_back(std::move(write));
}

void Collector::take_vector(std::uint64_t address, std::uint64_t count, std::uint64_t bytes) {
  constexpr std::uint64_t kMost = 1024;  // UIO_MAXIOV
  std::vector<iovec> vectors(std::min(count, kMost));
  const auto got = memory_.read_some(address, std::as_writable_bytes(std::span(vectors)));
  vectors.resize(got / sizeof(iovec));
  for (const auto& one : vectors) {
    const auto size = std::min<std::uint64_t>(bytes, one.iov_len);
    take(reinterpret_cast<std::uint64_t>(one.iov_base), size);
    bytes -= size;
  }
}

void Collector::take_message(std::uint64_t address, std::uint64_t bytes) {
  msghdr message{};
  memory_.read_some(address, std::as_writable_bytes(std::span(&message, 1)));
  take(address, sizeof message);
  take(reinterpret_cast<std::uint64_t>(message.msg_name), message.msg_namelen);
  take(reinterpret_cast<std::uint64_t>(message.msg_control), message.msg_controllen);
  take_vector(reinterpret_cast<std::uint64_t>(message.msg_iov), message.msg_iovlen, bytes);
}

void Collector::take_messages(std::uint64_t address, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    mmsghdr message{};
    const std::uint64_t place = address + i * sizeof message;
    memory_.read_some(place, std::as_writable_bytes(std::span(&message, 1)));
    take(place, sizeof message);
    take_message(place, message.msg_len);
  }
}

void Collector::take(const Output& output) {
  const std::uint64_t address = call_.arguments[output.argument];
  const std::uint64_t other = call_.arguments[output.other];
  const auto result = static_cast<std::uint64_t>(std::max<std::int64_t>(call_.result, 0));
  switch (output.extent) {
    case Extent::None:
      return;
    case Extent::Fixed:
      return take(address, output.unit);
    case Extent::Result:
      return take(address, result * output.unit);
    case Extent::Count:
      return take(address, other * output.unit);
    case Extent::Length: {
      std::uint32_t size = 0;
      memory_.read_some(other, std::as_writable_bytes(std::span(&size, 1)));
      // A name longer than its buffer is cut, but its length is told; what lies behind the buffer
      // is kept needlessly then, and right.
      return take(address, std::min<std::uint64_t>(size, kTouchedPage));
    }
    case Extent::Bits:
      return take(address, (call_.arguments[0] + 63) / 64 * output.unit);
    case Extent::Vector:
      return take_vector(address, other, result);
    case Extent::Message:
      return take_message(address, result);
    case Extent::Messages:
      return take_messages(address, result);
    case Extent::Pages:
      return take(address, (other + kTouchedPage - 1) / kTouchedPage);
  }
}

}  // namespace

std::vector<MemoryWrite> outputs_of(const SyscallRow& row, const RecordedCall& call,
                                    const TracedMemory& memory) {
  Collector collector(call, memory);
  for (const auto& output : row.outputs) collector.take(output);
  return collector.release();
}

}  // namespace icecore::replay
