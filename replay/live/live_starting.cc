// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_starting.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "snapshot/tracing/launch.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stop_event.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

using gdbstub::LaunchRequest;
using snapshot::ProgramStart;

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char character : word) {
    text += character == '\'' ? std::string("'\\''") : std::string(1, character);
  }
  return text + "'";
}

/// The client's own shell rules have been applied already: no word is read a second time.
std::vector<std::string> command_of(const LaunchRequest& request, const LiveOptions& options) {
  std::vector<std::string> words = options.wrapper;
  words.push_back(request.program);
  words.insert(words.end(), request.arguments.begin(), request.arguments.end());
  if (request.startup == LaunchRequest::Startup::Direct) return words;
  std::string line = "exec";
  for (const auto& word : words) line += " " + quoted(word);
  const char* shell = std::getenv("SHELL");
  return {shell != nullptr && *shell != '\0' ? shell : "/bin/sh", "-c", line};
}

std::vector<std::string> environment_of(const LaunchRequest& request) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  const auto drop = [&](const std::string& name) {
    std::erase_if(variables,
                  [&](const std::string& variable) { return variable.starts_with(name + "="); });
  };
  for (const auto& name : request.unset) drop(name);
  for (const auto& setting : request.set) {
    drop(setting.substr(0, setting.find('=')));
    variables.push_back(setting);
  }
  return variables;
}

ProgramStart start_of(const LaunchRequest& request, const LiveOptions& options) {
  ProgramStart start;
  start.arguments = command_of(request, options);
  start.environment = environment_of(request);
  start.working_directory = request.working_directory;
  start.group = ProgramStart::Group::Own;
  if (request.address_space == LaunchRequest::AddressSpace::Fixed) {
    start.address_space = ProgramStart::AddressSpace::Fixed;
  }
  if (options.streams == LiveOptions::Streams::AwayFromPackets) {
    start.streams = ProgramStart::Streams::Apart;
  }
  // What we have blocked for ourselves is none of the program's business.
  ::pthread_sigmask(SIG_BLOCK, nullptr, &start.mask);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    sigdelset(&start.mask, signal);
  }
  return start;
}

/// Until the last execution of a start-up: a shell's and a wrapper's are not the program's own.
void run_to_program(snapshot::LaunchedProgram& program, const LaunchRequest& request,
                    const LiveOptions& options) {
  int executions = request.startup == LaunchRequest::Startup::WithShell ? 2 : 1;
  if (!options.wrapper.empty()) ++executions;
  while (true) {
    int status = 0;
    const pid_t got = ::waitpid(program.pid(), &status, __WALL);
    if (got < 0 && errno == EINTR) continue;
    if (got != program.pid() || !WIFSTOPPED(status)) {
      const int error = program.exec_errno();
      if (error != 0) throw_errno("start " + request.program, error);
      throw Error("start " + request.program + ": it ended before it began, with status " +
                  std::to_string(WEXITSTATUS(status)));
    }
    const auto event = snapshot::stop_event_kind(status);
    if (event == snapshot::StopEventKind::Execution && --executions == 0) return;
    const bool signalled = event == snapshot::StopEventKind::None;
    ptrace_call::resume(program.pid(), signalled ? WSTOPSIG(status) : 0);
  }
}

}  // namespace

gdbstub::StopEvent launch(LiveTree& tree, const LaunchRequest& request,
                          const LiveOptions& choices) {
  snapshot::LaunchedProgram program(start_of(request, choices));
  const int pid = program.pid();
  const unsigned options = ptrace_call::debugging_options(ptrace_call::TracerDeath::KillsThem);
  if (ptrace_call::seize(pid, options) != ptrace_call::Seize::Done) {
    throw Error("start " + request.program + ": tracing it is not permitted");
  }
  program.let_go();
  run_to_program(program, request, choices);
  tree.adopt(pid, std::array{pid}, LiveProcess::Ownership::Ours);
  return {{pid, pid}, gdbstub::Signalled{}};
}

gdbstub::StopEvent LiveStarting::attach(std::int32_t pid) {
  tree_.attach(pid);
  return {{pid, pid}, gdbstub::Signalled{SIGSTOP}};
}

gdbstub::StopEvent LiveStarting::launch(const LaunchRequest& request) {
  LaunchRequest complete = request;
  if (complete.program.empty()) {
    const auto& known = last_ ? last_ : options_.program;
    if (!known) throw Error("no program was named").set_hint("set remote exec-file PROGRAM");
    complete.program = known->program;
    if (complete.arguments.empty()) complete.arguments = known->arguments;
  }
  const auto event = replay::launch(tree_, complete, options_);
  last_ = complete;
  return event;
}

}  // namespace icecore::replay
