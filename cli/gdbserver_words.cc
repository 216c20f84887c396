// SPDX-License-Identifier: Apache-2.0
#include "cli/gdbserver_words.h"

#include <algorithm>
#include <charconv>

#include "cli/command_line.h"

namespace icecore::cli {
namespace {

std::int32_t parse_pid(const std::string& text) {
  std::int32_t pid = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (failure != std::errc() || end != text.data() + text.size() || pid <= 0) {
    throw UsageError("'" + text + "' is no process id");
  }
  return pid;
}

gdbstub::ListenAddress parse_comm(const std::string& text) {
  if (text.starts_with('/')) {
    throw UsageError(text + ": serial lines are not served; use HOST:PORT, unix:PATH or stdio");
  }
  try {
    return gdbstub::parse_listen_address(text);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

void take_options(GdbserverWords& words, const Invocation& invocation) {
  using AddressSpace = gdbstub::LaunchRequest::AddressSpace;
  using Startup = gdbstub::LaunchRequest::Startup;
  words.once = words.once || invocation.has("once");
  words.multi = words.multi || invocation.has("multi");
  if (invocation.has("no-disable-randomization")) {
    words.launch.address_space = AddressSpace::Randomized;
  }
  if (invocation.has("no-startup-with-shell")) words.launch.startup = Startup::Direct;
}

/// "--wrapper A B -- REST": the option table gives A, and "B -- REST" (or REST, when there is no B)
/// are what follows. Returns REST.
std::vector<std::string> take_wrapper(GdbserverWords& words, const Invocation& invocation) {
  std::vector<std::string> rest = invocation.rest();
  words.wrapper = {invocation.text("wrapper")};
  const auto is_comm = [](const std::string& word) {
    return word == "-" || word == "stdio" || word.starts_with("unix:") || word.starts_with(':') ||
           word.starts_with("--") || word.starts_with("localhost:");
  };
  if (!rest.empty() && is_comm(rest.front())) return rest;
  const auto dashes = std::ranges::find(rest, "--");
  if (dashes == rest.end()) throw UsageError("--wrapper ends with `--` before COMM");
  words.wrapper.insert(words.wrapper.end(), rest.begin(), dashes);
  return {dashes + 1, rest.end()};
}

void take_subject(GdbserverWords& words, const Invocation& invocation,
                  std::vector<std::string> rest) {
  if (rest.empty()) throw UsageError("COMM is missing: HOST:PORT, unix:PATH or stdio");
  words.address = parse_comm(rest.front());
  rest.erase(rest.begin());
  // gdbserver takes --attach behind COMM, too.
  const bool late_attach = !rest.empty() && rest.front() == "--attach";
  if (late_attach) rest.erase(rest.begin());
  if (late_attach || invocation.has("attach")) {
    if (rest.size() != 1) throw UsageError("--attach needs COMM and one PID");
    words.attach = parse_pid(rest.front());
  } else if (!rest.empty()) {
    words.launch.program = rest.front();
    words.launch.arguments.assign(rest.begin() + 1, rest.end());
  } else if (!words.multi) {
    throw UsageError("PROG is missing");
  }
}

}  // namespace

GdbserverWords parse_gdbserver_words(const Invocation& invocation) {
  GdbserverWords words;
  words.launch.startup = gdbstub::LaunchRequest::Startup::WithShell;
  take_options(words, invocation);
  if (!invocation.has("wrapper")) {
    take_subject(words, invocation, invocation.rest());
    return words;
  }
  // Behind the wrapper's `--` there may be further options.
  const Invocation behind(invocation.command(),
                          parse_words(invocation.command(), take_wrapper(words, invocation)));
  take_options(words, behind);
  take_subject(words, invocation.has("attach") ? invocation : behind, behind.rest());
  return words;
}

}  // namespace icecore::cli
