// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "base/overloaded.h"
#include "cli/commands.h"
#include "cli/end_signals.h"
#include "cli/gdbserver_messages.h"
#include "cli/gdbserver_words.h"
#include "cli/live_debuggee.h"

namespace icecore::cli {
namespace {

using replay::LiveOptions;
using Ownership = replay::LiveProcess::Ownership;

constexpr std::array kOptions = {
    Option{"once", 0, "", "end when the first connection is closed"},
    Option{"multi", 0, "", "start without a program, and end only when told to"},
    Option{"attach", 0, "", "COMM is followed by the PID of a running process"},
    Option{"wrapper", 0, "WRAPPER", "words up to `--` that start every program: env A=1 --",
           Completes::Program},
    Option{"disable-randomization", 0, "", "the same addresses at every start (the default)"},
    Option{"no-disable-randomization", 0, "", "start programs as the machine does"},
    Option{"startup-with-shell", 0, "", "start programs by $SHELL (the default)"},
    Option{"no-startup-with-shell", 0, "", "start programs directly"},
};

void say(const std::string& text) { std::cerr << text << std::flush; }

std::string port_of(const gdbstub::Listener& listener) {
  const std::string& address = listener.client_address();
  return address.substr(address.rfind(':') + 1);
}

LiveOptions live_options(const GdbserverWords& words) {
  LiveOptions options;
  options.choice = LiveOptions::Choice::Free;
  // As gdbserver: whoever may connect may read and write what its user may.
  options.files = LiveOptions::Files::Machine;
  options.wrapper = words.wrapper;
  if (std::holds_alternative<gdbstub::StandardStreams>(words.address)) {
    options.streams = LiveOptions::Streams::AwayFromPackets;
  }
  return options;
}

void begin(LiveDebuggee& debuggee, const GdbserverWords& words) {
  if (words.attach) {
    debuggee.attach(*words.attach);
    say("Attached; pid = " + std::to_string(*words.attach) + "\n");
  } else if (!words.launch.program.empty()) {
    const auto event = debuggee.launch(words.launch);
    say("Process " + words.launch.program + " created; pid = " + std::to_string(event.thread.pid) +
        "\n");
  }
}

gdbstub::ServeOptions serve_options(const GdbserverWords& words, const EndSignals& signals) {
  using Lifetime = gdbstub::ServeOptions::Lifetime;
  gdbstub::ServeOptions options;
  options.lifetime = words.once    ? Lifetime::OneClient
                     : words.multi ? Lifetime::UntilAsked
                                   : Lifetime::WhileProcesses;
  options.stop_descriptor = signals.descriptor();
  options.on_news = [](const gdbstub::SessionNews& news) { say(gdbserver_message(news)); };
  options.on_refused = [](const std::string& line) { say(line + "\n"); };
  options.on_client = [](const std::string& peer) {
    say(peer.empty() ? "Remote debugging using a unix socket\n"
                     : "Remote debugging from host " + peer + "\n");
  };
  return options;
}

void serve_socket(const gdbstub::Listener& listener, const LiveDebuggee& debuggee,
                  gdbstub::ServeOptions options) {
  const std::string listening = "Listening on port " + port_of(listener) + "\n";
  options.on_waiting_again = [&] {
    say("Remote side has terminated connection.  GDBserver will reopen the connection.\n" +
        listening);
  };
  say(listening);
  gdbstub::serve(listener, debuggee.targets(), options);
}

int run(const Invocation& invocation) {
  const GdbserverWords words = parse_gdbserver_words(invocation);
  const EndSignals signals;
  LiveDebuggee debuggee(live_options(words));
  const gdbstub::ServeOptions options = serve_options(words, signals);
  std::visit(Overloaded{
                 [&](const gdbstub::StandardStreams&) {
                   begin(debuggee, words);
                   say("Remote debugging using stdio\n");
                   const auto target = debuggee.targets()();
                   gdbstub::serve(gdbstub::Connection::standard_streams(), *target, options);
                 },
                 [&](const auto& place) {
                   const gdbstub::Listener listener(place);  // a taken port starts nothing
                   begin(debuggee, words);
                   serve_socket(listener, debuggee, options);
                 },
             },
             words.address);
  say(gdbserver_list("Detaching", debuggee.processes(Ownership::Theirs)));
  say(gdbserver_list("Killing", debuggee.processes(Ownership::Ours)));
  return signals.exit_status();
}

}  // namespace

Command gdbserver_command() {
  return {
      .name = "gdbserver",
      .group = Group::Debug,
      .summary = "take gdbserver's place: its command line, its messages",
      .usage =
          "gdbserver [OPTIONS] COMM PROG [ARGS...]\n"
          "gdbserver [OPTIONS] --attach COMM PID\n"
          "gdbserver [OPTIONS] --multi COMM",
      .description =
          "For whatever starts a gdbserver, editors included: name `icecore gdbserver` there. COMM "
          "is HOST:PORT, :PORT, unix:PATH, - or stdio. Unlike gdbserver's, :PORT is this machine "
          "only; name a host to be reached from others. Messages are gdbserver's, on stderr. "
          "Programs that were started here are killed at the end, attached ones run on.\n\n"
          "With `target remote` it ends with the program; with `target extended-remote` or --multi "
          "clients start programs and attach to processes. `monitor exit` ends it.",
      .options = kOptions,
      .rest = Rest::FromFirstWord,
      .examples =
          "icecore gdbserver :1234 ./server --port 8080\n"
          "icecore gdbserver --once --attach localhost:0 4711\n"
          "gdb -ex 'target remote | icecore gdbserver - ./server'",
      .run = run};
}

}  // namespace icecore::cli
