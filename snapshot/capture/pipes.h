// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "snapshot/model/file.pb.h"

namespace icecore::snapshot {

/// Pipes and FIFOs: capacity, unread bytes and their content, each read once however many
/// descriptors lead to it. The content is copied by tee(2), which takes nothing out.
class PipeCapture {
 public:
  /// Content beyond this is not held.
  static constexpr std::uint64_t kMaxContent = 1U << 20U;

  /// Fills the pipe's fields of `file` through `borrowed`, a duplicate of its descriptor. Only read
  /// ends get the content.
  void capture(int borrowed, model::OpenFile& file);

  /// Whether anybody at all, inside the tree or not, holds the other end of this description.
  [[nodiscard]] bool other_end_open(const model::OpenFile& file) const;

 private:
  std::map<std::uint32_t, bool> other_end_;  // by OpenFile.id
};

}  // namespace icecore::snapshot
