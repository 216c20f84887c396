// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "replay/image/image.h"
#include "store/store.h"

namespace icecore::replay {

struct ImageOptions {
  std::string name;
  std::vector<std::string> command;
  std::string ready = "port";     ///< see Readiness
  std::vector<std::string> warm;  ///< shell commands, run when it is ready
  std::chrono::nanoseconds time_limit = std::chrono::seconds(60);
  Image::Connections connections = Image::Connections::None;
  sigset_t mask{};  ///< the program's signal mask
  /// Gives the program an eventfd as descriptor 3 ($ICECORE_COPY_EVENTFD), readable in copies only.
  enum class CopyEvent { None, Give } copy_event = CopyEvent::None;
  std::function<void(std::string_view)> note;  ///< one line for the person at the terminal
};

/// Starts the program, waits until it is ready, warms it, stores it as the first snapshot of the
/// recording `name` and ends it. Throws Error with its last output when it never gets ready or
/// dies, and Refused with the whole list when it cannot be an image; nothing of it is left then.
/// block_recorder_signals() must have been called, and the caller be a subreaper.
[[nodiscard]] Image build_image(store::Store& store, const ImageOptions& options);

}  // namespace icecore::replay
