// SPDX-License-Identifier: Apache-2.0
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iostream>

#include "base/overloaded.h"
#include "cli/commands.h"
#include "cli/view_server.h"
#include "gdbstub/address.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::One, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"listen", 'l', "ADDRESS",
           "where: HOST:PORT, :PORT (this machine only), unix:PATH, stdio; port 0 takes a free one",
           Completes::Nothing, ":0"},
    Option{"stdio", 0, "",
           "the same as --listen stdio: gdb -ex 'target remote | icecore serve ...'"},
    Option{"once", 0, "", "end when the first client is gone"},
    Option{"process", 'p', "PID", "the process to show first"},
};

/// SIGINT, SIGTERM and SIGHUP as a descriptor that becomes readable, so that serving ends cleanly.
class EndSignals {
 public:
  EndSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    descriptor_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!descriptor_.valid()) throw_errno("signalfd");
  }
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  /// As a shell has it: 128 + N after signal N, 0 when none came.
  [[nodiscard]] int exit_status() const {
    signalfd_siginfo signal{};
    const bool came = ::read(descriptor_.get(), &signal, sizeof signal) == sizeof signal;
    return came ? 128 + static_cast<int>(signal.ssi_signo) : 0;
  }

 private:
  UniqueFd descriptor_;
};

gdbstub::ListenAddress address_of(const Invocation& invocation) {
  if (invocation.has("stdio")) return gdbstub::StandardStreams{};
  try {
    return gdbstub::parse_listen_address(invocation.text("listen"));
  } catch (const Error& error) {
    throw UsageError("--listen " + invocation.text("listen") + ": " + error.what());
  }
}

void serve_socket(const gdbstub::Listener& listener, const ViewedSnapshot& viewed,
                  const gdbstub::ServeOptions& options, const Invocation& invocation) {
  invocation.note("serving " + viewed.key().text() +
                  "; open it with: gdb -ex 'target extended-remote " + listener.client_address() +
                  "'");
  std::cout << listener.client_address() << std::endl;
  gdbstub::serve(listener, viewed.targets(), options);
}

int run(const Invocation& invocation) {
  const auto address = address_of(invocation);
  const auto pid = static_cast<std::int32_t>(invocation.number("process").value_or(0));
  const ViewedSnapshot viewed(invocation, invocation.argument(0), pid);
  const EndSignals signals;
  gdbstub::ServeOptions options;
  options.lifetime = invocation.has("once") ? gdbstub::ServeOptions::Lifetime::OneClient
                                            : gdbstub::ServeOptions::Lifetime::UntilAsked;
  options.stop_descriptor = signals.descriptor();
  options.on_refused = [&](const std::string& line) { invocation.note(line); };
  options.on_gone = [&](const std::string& line) { invocation.note(line); };
  std::visit(Overloaded{
                 [&](const gdbstub::StandardStreams&) {
                   const auto target = viewed.targets()();
                   gdbstub::serve(gdbstub::Connection::standard_streams(), *target, options);
                 },
                 [&](const auto& place) {
                   serve_socket(gdbstub::Listener(place), viewed, options, invocation);
                 },
             },
             address);
  return signals.exit_status();
}

}  // namespace

Command serve_command() {
  return {
      .name = "serve",
      .group = Group::Debug,
      .summary = "serve a snapshot to any debugger that speaks gdb's remote protocol",
      .usage = "serve [--listen ADDRESS | --stdio] [--once] [--process PID] SNAPSHOT",
      .description =
          "The address is printed on stdout as soon as debuggers can connect. One debugger at a "
          "time; it looks at a read-only view: continue and reverse-continue go to the next and "
          "the "
          "previous snapshot. Only this machine can connect, unless another address is given. Ends "
          "with `monitor exit`, or on SIGINT and SIGTERM.",
      .arguments = kArguments,
      .options = kOptions,
      .examples =
          "icecore serve --listen :1234 redis-server@-3\n"
          "gdb -ex 'target remote | icecore serve --stdio redis-server@-3'",
      .run = run};
}

}  // namespace icecore::cli
