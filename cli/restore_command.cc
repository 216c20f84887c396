// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/own_terminal.h"
#include "cli/pid_file.h"
#include "cli/program_status.h"
#include "cli/restored_program.h"
#include "replay/files/file_policy.h"
#include "replay/restore/own_users.h"
#include "replay/restore/restorer.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::Optional, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"in-place", 0, "", "the original pids in the current namespaces, not in new ones"},
    Option{"detach", 'd', "", "end when the tree runs, and leave it running"},
    Option{"stopped", 0, "", "leave every process stopped; SIGCONT starts it"},
    Option{"pidfile", 0, "FILE", "write the pid of the tree's root, as seen from here",
           Completes::File},
    Option{"check", 0, "", "only say what would be refused, and why"},
    Option{"files", 0, "refuse|keep|rollback|private",
           "files that have changed since: refuse, use them as they are, write the recorded "
           "contents back, or give the tree copies of its own",
           Completes::Nothing, "refuse"},
    Option{"tcp", 0, "refuse|close",
           "connections that leave the tree: refuse, or let the tree see them reset",
           Completes::Nothing, "refuse"},
    Option{"tty", 0, "here|none",
           "give a tree that was started on a terminal the one that this is run on, with its "
           "settings of then, until the tree ends; or only the streams",
           Completes::Nothing, "here"},
    Option{"json", 0, "", "print the pids, or what --check found, as JSON"},
};

replay::RestoreOptions options_of(const Invocation& invocation) {
  replay::RestoreOptions options;
  options.in_place = invocation.has("in-place");
  options.detach = invocation.has("detach");
  options.stopped = invocation.has("stopped");
  using Changed = replay::FileOptions::Changed;
  const std::string files = invocation.text("files");
  options.files.changed = files == "keep"       ? Changed::Keep
                          : files == "rollback" ? Changed::Rollback
                          : files == "private"  ? Changed::Private
                                                : Changed::Refuse;
  if (invocation.text("tcp") == "close") options.files.tcp = replay::FileOptions::Tcp::Close;
  return options;
}

std::string line_of(const replay::Refusal& refusal) {
  std::string line =
      "process " + std::to_string(refusal.pid) + ": " + refusal.object + ": " + refusal.reason;
  if (!refusal.hint.empty()) line += " (" + refusal.hint + ")";
  return line;
}

/// `rolled_back`: what --files rollback would do, one line each.
int print_check(const Invocation& invocation, const std::string& name,
                const replay::Refusals& refusals, const std::vector<std::string>& rolled_back) {
  if (invocation.has("json")) {
    nlohmann::ordered_json json = {
        {"version", 1}, {"snapshot", name}, {"restorable", refusals.empty()}};
    json["refusals"] = nlohmann::ordered_json::array();
    for (const auto& refusal : refusals) {
      json["refusals"].push_back({{"pid", refusal.pid},
                                  {"object", refusal.object},
                                  {"reason", refusal.reason},
                                  {"hint", refusal.hint}});
    }
    json["rolled_back"] = rolled_back;
    std::cout << json_text(json);
  } else {
    for (const auto& line : rolled_back) std::cout << "would be rolled back: " << line << "\n";
    for (const auto& refusal : refusals) std::cout << line_of(refusal) << "\n";
    if (refusals.empty()) std::cout << name << " can be restored\n";
  }
  return refusals.empty() ? 0 : static_cast<int>(ExitStatus::Refused);
}

[[noreturn]] void throw_refused(const std::string& name, const replay::Refusals& refusals) {
  Refused error(name + " cannot be restored");
  std::string why;
  for (const auto& refusal : refusals) why += (why.empty() ? "" : "\n       ") + line_of(refusal);
  error.set_why(why);
  error.set_hint("icecore show " + name + "  # the moment can still be looked at, with gdb too");
  throw error;
}

void tell(const Invocation& invocation, const std::string& name, const replay::RestoredTree& tree) {
  for (const auto& note : tree.notes) invocation.note("note: " + note);
  write_pid_file(invocation.text("pidfile"), {tree.root_pid});
  if (invocation.has("json")) {
    std::cout << json_text(nlohmann::ordered_json{{"version", 1},
                                                  {"snapshot", name},
                                                  {"pid", tree.root_pid},
                                                  {"inner_pid", tree.inner_root},
                                                  {"init", tree.init_pid},
                                                  {"notes", tree.notes}})
              << std::flush;
  } else {
    invocation.note(name + " runs as process " + std::to_string(tree.root_pid));
  }
}

int run(const Invocation& invocation) {
  if (!invocation.has("in-place")) replay::enter_own_users();
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const auto key = store.resolve(invocation.argument(0));
  const snapshot::StoredSnapshot snapshot(store, key);
  auto options = options_of(invocation);
  const auto refusals = replay::check_restore(snapshot, options);
  if (invocation.has("check")) {
    const bool rollback = options.files.changed == replay::FileOptions::Changed::Rollback;
    return print_check(invocation, key.text(), refusals,
                       rollback ? replay::preview_rollback(snapshot) : std::vector<std::string>());
  }
  if (!refusals.empty()) throw_refused(key.text(), refusals);
  RestoredProgram program;
  const bool lends = !options.detach && invocation.text("tty") == "here";
  const auto terminal = lends ? std::make_unique<OwnTerminal>() : nullptr;
  if (terminal != nullptr) options.terminal = terminal->descriptor();
  const auto tree = with_context(key.text(), [&] { return replay::restore(snapshot, options); });
  tell(invocation, key.text(), tree);
  if (terminal != nullptr) terminal->ask_to_redraw();
  if (options.detach) return 0;
  return pass_on(program.wait(tree));
}

}  // namespace

Command restore_command() {
  return {
      .name = "restore",
      .group = Group::Take,
      .summary = "bring a snapshot back to life and let it run",
      .usage = "restore [--in-place] [--detach] [SNAPSHOT]",
      .description =
          "Makes the processes of SNAPSHOT again, with their pids, memory, files and the point "
          "that each thread was at, and lets them go on. By default they live in PID, mount and "
          "time namespaces of their own, so that the original may run on beside them, and any "
          "number of lives of one snapshot beside each other. In the foreground, signals are "
          "passed on and the exit status is the program's own.\n\n"
          "All or nothing: what cannot be restored is refused by name before anything is made "
          "(exit status 3), and a failure leaves nothing behind.",
      .arguments = kArguments,
      .options = kOptions,
      .examples =
          "icecore restore server@-3  # beside the running server\n"
          "icecore snap --kill server && icecore restore --in-place -d server  # suspend, resume\n"
          "icecore restore --check server",
      .run = run};
}

}  // namespace icecore::cli
