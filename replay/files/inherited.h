// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "replay/files/description_maker.h"

namespace icecore::replay {

/// The standard streams that the tree got from its starter: pipes, sockets and terminals that are
/// fd 0, 1 or 2 of the root and whose other end is outside the tree. Nobody can give those ends
/// back, so they become the same streams of whoever runs icecore now, as they would for a program
/// that he starts. A terminal counts wherever else the tree has it open too (a shell keeps one at
/// 255).
class Inherited {
 public:
  explicit Inherited(const model::Snapshot& model);

  [[nodiscard]] bool covers(std::uint32_t description) const {
    return streams_.contains(description);
  }
  /// Adds duplicates of our own streams; /dev/null where we have none ourselves.
  void make(Descriptions& made) const;

 private:
  std::map<std::uint32_t, int> streams_;  ///< OpenFile.id to 0, 1 or 2
};

/// The terminal among those streams: that on which the tree was started; null when there is none.
const model::OpenFile* outer_terminal(const model::Snapshot& model);

/// The description with that id; null when there is none.
const model::OpenFile* find_description(const model::Snapshot& model, std::uint32_t id);

/// Of a terminal: whether it is the master of a pty (/dev/ptmx).
bool is_pty_master(const model::OpenFile& file);
/// Whether the tree has the master of pty `index`.
bool has_master(const model::Snapshot& model, int index);

}  // namespace icecore::replay
