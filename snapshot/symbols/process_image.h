// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/unique_fd.h"
#include "snapshot/model/process.pb.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::symbols {

/// One process at one moment, as everything in this folder sees it: a stored snapshot, or a stopped
/// living process. It must not change while somebody holds a reference to it.
class ProcessImage {
 public:
  ProcessImage() = default;
  ProcessImage(const ProcessImage&) = delete;
  ProcessImage& operator=(const ProcessImage&) = delete;
  virtual ~ProcessImage() = default;

  [[nodiscard]] virtual const model::Process& process() const = 0;

  /// The machine that it ran on: says how the threads' register images are laid out.
  [[nodiscard]] virtual const model::Machine& machine() const = 0;

  /// Copies memory from `address` on; returns how many bytes could be read before the first byte
  /// that is unmapped or not held.
  [[nodiscard]] virtual std::size_t read_memory(std::uint64_t address,
                                                std::span<std::byte> out) const = 0;

  /// The first address in [address, end) whose page may hold anything but zeros, else `end`: a hint
  /// that lets huge empty mappings be skipped. Unreadable pages count as holding something.
  [[nodiscard]] virtual std::uint64_t next_data(std::uint64_t address, std::uint64_t end) const {
    return address < end ? address : end;
  }

  /// The whole file behind a file mapping, readable from any offset and mappable (a file or a
  /// memfd). Invalid when its content is not held.
  [[nodiscard]] virtual UniqueFd open_module(const model::Mapping& mapping) const = 0;

  /// The separate debug information of that file; invalid when there is none.
  [[nodiscard]] virtual UniqueFd open_debug(const model::Mapping& mapping) const = 0;
};

}  // namespace icecore::symbols
