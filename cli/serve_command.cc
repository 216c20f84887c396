// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <iostream>

#include "base/overloaded.h"
#include "cli/commands.h"
#include "cli/end_signals.h"
#include "cli/live_debuggee.h"
#include "cli/revived_snapshot.h"
#include "cli/view_server.h"
#include "gdbstub/address.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::Optional, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"listen", 'l', "ADDRESS",
           "where: HOST:PORT, :PORT (this machine only), unix:PATH, stdio; port 0 takes a free one",
           Completes::Nothing, ":0"},
    Option{"stdio", 0, "",
           "the same as --listen stdio: gdb -ex 'target remote | icecore serve ...'"},
    Option{"once", 0, "", "end when the first client is gone"},
    Option{"process", 'p', "PID", "the process to show first"},
    Option{"live", 0, "", "restore SNAPSHOT as living processes in a sandbox, and serve those"},
    Option{"share", 0, "net|files|all", "with --live: what the sandbox shares with the machine"},
    Option{"attach", 0, "PID", "serve this running process, which runs on afterwards",
           Completes::Pid},
    Option{"multi", 0, "", "let clients start programs and attach to processes"},
    Option{"host-files", 0, "", "let clients read and write all files, not only the program's"},
};

gdbstub::ListenAddress address_of(const Invocation& invocation) {
  if (invocation.has("stdio")) return gdbstub::StandardStreams{};
  try {
    return gdbstub::parse_listen_address(invocation.text("listen"));
  } catch (const Error& error) {
    throw UsageError("--listen " + invocation.text("listen") + ": " + error.what());
  }
}

/// What is served: how it is called, and the target that a client gets.
struct Served {
  std::string title;
  gdbstub::TargetFactory targets;
};

void serve_socket(const gdbstub::Listener& listener, const Served& served,
                  const gdbstub::ServeOptions& options, const Invocation& invocation) {
  invocation.note("serving " + served.title + "; open it with: gdb -ex 'target extended-remote " +
                  listener.client_address() + "'");
  std::cout << listener.client_address() << std::endl;
  gdbstub::serve(listener, served.targets, options);
}

void serve_at(const gdbstub::ListenAddress& address, const Served& served,
              const gdbstub::ServeOptions& options, const Invocation& invocation) {
  std::visit(Overloaded{
                 [&](const gdbstub::StandardStreams&) {
                   const auto target = served.targets();
                   gdbstub::serve(gdbstub::Connection::standard_streams(), *target, options);
                 },
                 [&](const auto& place) {
                   serve_socket(gdbstub::Listener(place), served, options, invocation);
                 },
             },
             address);
}

bool is_live(const Invocation& invocation) {
  return !invocation.rest().empty() || invocation.has("attach") || invocation.has("multi");
}

void check_words(const Invocation& invocation) {
  const bool snapshot = !invocation.argument(0).empty();
  const int sources =
      (snapshot ? 1 : 0) + (invocation.rest().empty() ? 0 : 1) + (invocation.has("attach") ? 1 : 0);
  if (sources > 1) throw UsageError("one of SNAPSHOT, --attach PID and -- PROGRAM is served");
  if (sources == 0 && !invocation.has("multi")) {
    throw UsageError("what is to be served: a SNAPSHOT, --attach PID or -- PROGRAM?");
  }
  if (!snapshot && invocation.has("live")) throw UsageError("--live is for a SNAPSHOT");
  check_sharing(invocation);
  if (snapshot && invocation.has("multi")) throw UsageError("--multi is not for a snapshot");
}

void serve_live(const Invocation& invocation, const gdbstub::ListenAddress& address,
                gdbstub::ServeOptions options) {
  replay::LiveOptions choices;
  const bool stdio = std::holds_alternative<gdbstub::StandardStreams>(address);
  if (stdio) choices.streams = replay::LiveOptions::Streams::AwayFromPackets;
  if (invocation.has("multi")) choices.choice = replay::LiveOptions::Choice::Free;
  if (invocation.has("host-files")) choices.files = replay::LiveOptions::Files::Machine;
  LiveDebuggee debuggee(choices);
  if (!invocation.rest().empty()) debuggee.launch(invocation.rest());
  if (const auto pid = invocation.number("attach")) {
    debuggee.attach(static_cast<std::int32_t>(*pid));
  }
  using Lifetime = gdbstub::ServeOptions::Lifetime;
  if (!invocation.has("multi") && !invocation.has("once")) {
    options.lifetime = Lifetime::WhileProcesses;
  }
  serve_at(address, {debuggee.title(), debuggee.targets()}, options, invocation);
}

void serve_revival(const Invocation& invocation, const gdbstub::ListenAddress& address,
                   gdbstub::ServeOptions options) {
  const auto pid = static_cast<std::int32_t>(invocation.number("process").value_or(0));
  const ViewedSnapshot viewed(invocation, invocation.argument(0), pid);
  if (options.lifetime == gdbstub::ServeOptions::Lifetime::UntilAsked) {
    options.lifetime = gdbstub::ServeOptions::Lifetime::WhileProcesses;
  }
  serve_at(address, {viewed.key().text(), revived_targets(invocation, viewed)}, options,
           invocation);
}

void serve_view(const Invocation& invocation, const gdbstub::ListenAddress& address,
                const gdbstub::ServeOptions& options) {
  const auto pid = static_cast<std::int32_t>(invocation.number("process").value_or(0));
  const ViewedSnapshot viewed(invocation, invocation.argument(0), pid);
  serve_at(address, {viewed.key().text(), viewed.targets()}, options, invocation);
}

int run(const Invocation& invocation) {
  check_words(invocation);
  const auto address = address_of(invocation);
  const EndSignals signals;
  gdbstub::ServeOptions options;
  options.lifetime = invocation.has("once") ? gdbstub::ServeOptions::Lifetime::OneClient
                                            : gdbstub::ServeOptions::Lifetime::UntilAsked;
  options.stop_descriptor = signals.descriptor();
  options.on_refused = [&](const std::string& line) { invocation.note(line); };
  options.on_gone = [&](const std::string& line) { invocation.note(line); };
  if (invocation.has("live")) {
    serve_revival(invocation, address, options);
  } else if (is_live(invocation)) {
    serve_live(invocation, address, options);
  } else {
    serve_view(invocation, address, options);
  }
  return signals.exit_status();
}

}  // namespace

Command serve_command() {
  return {
      .name = "serve",
      .group = Group::Debug,
      .summary = "serve a snapshot or a program to any debugger that speaks gdb's remote protocol",
      .usage =
          "serve [--listen ADDRESS | --stdio] [--once] [--process PID] SNAPSHOT\n"
          "serve --live [--share net|files|all] [--listen ADDRESS | --stdio] [--once] SNAPSHOT\n"
          "serve [--listen ADDRESS | --stdio] [--once] [--multi] [--attach PID | -- PROGRAM "
          "ARGS...]",
      .description =
          "The address is printed on stdout as soon as debuggers can connect. One debugger at a "
          "time. Of a snapshot it sees a read-only view: continue and reverse-continue go to the "
          "next and the previous snapshot. A program or a process is driven as gdbserver does it: "
          "a program stands before its first instruction, and ends with icecore; an attached "
          "process runs on. Only this machine can connect, unless another address is given. Ends "
          "with `monitor exit`, with the last debugged process, or on SIGINT and SIGTERM.",
      .arguments = kArguments,
      .options = kOptions,
      .rest = Rest::AfterDashes,
      .examples =
          "icecore serve --listen :1234 redis-server@-3\n"
          "gdb -ex 'target remote | icecore serve --stdio redis-server@-3'\n"
          "icecore serve --listen :1234 -- ./server --port 8080",
      .run = run};
}

}  // namespace icecore::cli
