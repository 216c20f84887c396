// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gdbstub/target/launching.h"

namespace icecore::replay {

/// How far a client of a live target may reach beyond the processes themselves.
struct LiveOptions {
  /// Processes: files that they have mapped, those that belong to these (debug information,
  /// scripts), and their part of /proc, to be read. Machine: every file, to be written too.
  enum class Files { Processes, Machine };
  Files files = Files::Processes;
  /// Programs that a client launches: their own streams, or away from ours, which carry packets.
  enum class Streams { Inherited, AwayFromPackets };
  Streams streams = Streams::Inherited;
  /// Whether clients may start programs and attach to processes of their choice.
  enum class Choice { Fixed, Free };
  Choice choice = Choice::Fixed;
  /// The program of a launch that names none.
  std::optional<gdbstub::LaunchRequest> program;
  /// What starts every program: "env A=1" and then the program's own words. It executes once.
  std::vector<std::string> wrapper;
  /// What is debugged, in a word, for `monitor info`.
  std::string title;
  /// The snapshot (NAME@N) that the processes were restored from, empty for none.
  std::string origin;
  std::string origin_recording;  ///< its NAME
};

}  // namespace icecore::replay
