// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "gdbstub/listener.h"
#include "gdbstub/server.h"

namespace icecore::cli {

/// Serves a debugger on a thread of its own, while it lives. Living processes are traced by that
/// thread, so that they are made and ended on it, too.
class StubThread {
 public:
  /// `begin` makes what is served, on the new thread; the factory keeps it alive. What it throws is
  /// thrown here.
  using Begin = std::function<gdbstub::TargetFactory()>;
  StubThread(const Begin& begin, const gdbstub::Listener& listener);
  StubThread(const StubThread&) = delete;
  StubThread& operator=(const StubThread&) = delete;
  ~StubThread();

  /// Ends serving; returns why it had failed, empty when it had not.
  std::string stop();

 private:
  UniqueFd stop_;  // an eventfd
  std::string failure_;
  std::thread thread_;
};

}  // namespace icecore::cli
