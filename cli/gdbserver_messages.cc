// SPDX-License-Identifier: Apache-2.0
#include "cli/gdbserver_messages.h"

#include <cstdio>
#include <cstring>

namespace icecore::cli {
namespace {

std::string death_message(int signal) {
  const char* name = ::sigabbrev_np(signal);
  char text[96];
  std::snprintf(text, sizeof text, "\nChild terminated with signal = 0x%x (%s%s)\n",
                static_cast<unsigned>(signal), name == nullptr ? "" : "SIG",
                name == nullptr ? "?" : name);
  return text;
}

}  // namespace

std::string gdbserver_message(const gdbstub::SessionNews& news) {
  using Kind = gdbstub::SessionNews::Kind;
  const std::string pid = std::to_string(news.pid);
  switch (news.kind) {
    case Kind::Launched:
      return "Process " + news.program + " created; pid = " + pid + "\n";
    case Kind::Attached:
      return "Attached; pid = " + pid + "\n";
    case Kind::Detached:
      return "Detaching from process " + pid + "\n";
    case Kind::Killed:
      return {};  // gdbserver says nothing
    case Kind::Exited:
      return "\nChild exited with status " + std::to_string(news.value) + "\n";
    case Kind::KilledBySignal:
      return death_message(news.value);
  }
  return {};
}

std::string gdbserver_list(std::string_view what, const std::vector<std::int32_t>& pids) {
  if (pids.empty()) return {};
  std::string text(what);
  text += " process(es):";
  for (const std::int32_t pid : pids) text += " " + std::to_string(pid);
  return text + "\n";
}

}  // namespace icecore::cli
