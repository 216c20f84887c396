// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gdbstub/reply.h"
#include "gdbstub/session_state.h"

namespace icecore::gdbstub {

/// One packet that the stub knows. The only place that says so: dispatch, qSupported and the table
/// in docs/remote-protocol.md all come from these rows.
struct Command {
  enum class Match { Whole, Prefix };
  /// The packet, or how it begins; empty for a row that is a feature only.
  std::string_view packet;
  Match match = Match::Whole;
  /// What qSupported says when the target has the ability; empty for nothing.
  std::string_view feature;
  /// The ability it needs: a row that is not supported is as unknown as one that is not there.
  bool (*supported)(Target&) = nullptr;
  /// Gets what follows `packet`.
  Reply (*run)(Context&, std::string_view arguments) = nullptr;
  std::string_view purpose;
};

/// All rows, family by family.
[[nodiscard]] std::span<const Command> command_table();

/// The row with the longest prefix that fits and is supported; null for an unknown packet.
[[nodiscard]] const Command* find_command(std::string_view packet, Target& target);

/// The reply to qSupported.
[[nodiscard]] std::string supported_features(Target& target);

/// The table of docs/remote-protocol.md.
[[nodiscard]] std::string command_table_markdown();

}  // namespace icecore::gdbstub
