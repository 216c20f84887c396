// SPDX-License-Identifier: Apache-2.0
#include "cli/end_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"

namespace icecore::cli {

EndSignals::EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  descriptor_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor_.valid()) throw_errno("signalfd");
}

int EndSignals::exit_status() const {
  signalfd_siginfo signal{};
  const bool came = ::read(descriptor_.get(), &signal, sizeof signal) == sizeof signal;
  return came ? 128 + static_cast<int>(signal.ssi_signo) : 0;
}

}  // namespace icecore::cli
