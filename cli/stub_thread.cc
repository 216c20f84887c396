// SPDX-License-Identifier: Apache-2.0
#include "cli/stub_thread.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <future>
#include <utility>

#include "base/error.h"

namespace icecore::cli {
namespace {

/// Everything that is served, from its making to its end.
void serve_here(const StubThread::Begin& begin, const gdbstub::Listener& listener,
                const gdbstub::ServeOptions& options, std::promise<void>& begun) {
  gdbstub::TargetFactory targets;
  try {
    targets = begin();
  } catch (...) {
    begun.set_exception(std::current_exception());
    return;
  }
  begun.set_value();
  gdbstub::serve(listener, targets, options);
}

}  // namespace

StubThread::StubThread(const Begin& begin, const gdbstub::Listener& listener)
    : stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_.valid()) throw_errno("eventfd");
  std::promise<void> begun;
  auto outcome = begun.get_future();
  thread_ = std::thread([this, begin, &listener, begun = std::move(begun)]() mutable {
    gdbstub::ServeOptions options;
    options.lifetime = gdbstub::ServeOptions::Lifetime::UntilAsked;
    options.stop_descriptor = stop_.get();
    try {
      serve_here(begin, listener, options, begun);
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
  });
  try {
    outcome.get();
  } catch (...) {
    thread_.join();
    throw;
  }
}

std::string StubThread::stop() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) != sizeof one) return "eventfd: cannot be written";
    thread_.join();
  }
  return failure_;
}

StubThread::~StubThread() { stop(); }

}  // namespace icecore::cli
