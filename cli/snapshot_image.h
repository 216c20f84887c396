// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/stored_snapshot.h"
#include "snapshot/symbols/process_image.h"

namespace icecore::cli {

/// One process of a stored snapshot, for backtraces, disassembly and cores. Both must outlive it.
class SnapshotImage : public symbols::ProcessImage {
 public:
  SnapshotImage(const snapshot::StoredSnapshot& snapshot, const model::Process& process)
      : snapshot_(snapshot), process_(process) {}

  [[nodiscard]] const model::Process& process() const override { return process_; }
  [[nodiscard]] const model::Machine& machine() const override {
    return snapshot_.model().machine();
  }
  std::size_t read_memory(std::uint64_t address, std::span<std::byte> out) const override;
  [[nodiscard]] std::uint64_t next_data(std::uint64_t address, std::uint64_t end) const override;
  [[nodiscard]] UniqueFd open_module(const model::Mapping& mapping) const override;
  [[nodiscard]] UniqueFd open_debug(const model::Mapping& mapping) const override;

 private:
  /// The stored file behind a mapping, or null.
  [[nodiscard]] const model::MappedFile* file_of(const model::Mapping& mapping) const;
  const snapshot::StoredSnapshot& snapshot_;
  const model::Process& process_;
};

}  // namespace icecore::cli
