// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/invocation.h"
#include "cli/json_text.h"
#include "cli/recorders.h"
#include "cli/recording_options.h"
#include "snapshot/capture/attachable.h"
#include "snapshot/capture/file_kind.h"
#include "snapshot/capture/limitations.h"
#include "snapshot/capture/live_view.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"PID", Argument::Count::One, Completes::Pid},
};
constexpr std::array kOptions = {
    kUndumpableOption,
    Option{"json", 0, "", "print one JSON object"},
};

/// One thing that stands in the way, of the whole tree or of one object in it.
struct Blocker {
  enum class Stops { Snapshot, Content, Restore };
  Stops stops = Stops::Snapshot;
  int pid = 0;
  int fd = -1;
  std::string kind;
  std::string path;
  std::string object;
  std::string reason;
  std::string hint;
};

std::string_view name_of(Blocker::Stops stops) {
  switch (stops) {
    case Blocker::Stops::Snapshot:
      return "snapshot";
    case Blocker::Stops::Content:
      return "content";
    case Blocker::Stops::Restore:
      return "restore";
  }
  return "";
}

// Of a limitation "fd 7 (...)": 7, else -1.
int descriptor_of(std::string_view object) {
  int fd = -1;
  if (!object.starts_with("fd ")) return -1;
  object.remove_prefix(3);
  std::from_chars(object.data(), object.data() + object.size(), fd);
  return fd;
}

const model::OpenFile* open_file(const model::Snapshot& tree, int pid, int fd) {
  for (const auto& process : tree.processes()) {
    if (process.pid() != pid) continue;
    for (const auto& descriptor : process.descriptors()) {
      if (descriptor.fd() != fd) continue;
      for (const auto& file : tree.open_files()) {
        if (file.id() == descriptor.description()) return &file;
      }
    }
  }
  return nullptr;
}

Blocker from_limitation(const model::Snapshot& tree, const model::Limitation& limitation) {
  Blocker blocker;
  blocker.stops =
      snapshot::keeps_from_restore(limitation) ? Blocker::Stops::Restore : Blocker::Stops::Content;
  blocker.pid = limitation.pid();
  blocker.object = limitation.object();
  blocker.reason = limitation.reason();
  blocker.fd = descriptor_of(limitation.object());
  const auto* file = open_file(tree, blocker.pid, blocker.fd);
  if (file != nullptr) {
    blocker.kind = std::string(snapshot::kind_text(file->kind()));
    blocker.path = file->target();
  } else {
    blocker.kind = limitation.object().substr(0, limitation.object().find(' '));
  }
  return blocker;
}

std::vector<Blocker> find_blockers(int root, snapshot::Undumpable undumpable) {
  std::vector<Blocker> blockers;
  for (const Error& error : snapshot::attach_obstacles(root, undumpable)) {
    blockers.push_back({Blocker::Stops::Snapshot, root, -1, "process", "", error.what(),
                        error.why(), error.hint()});
  }
  const model::Snapshot tree = snapshot::view_live_tree(root);
  for (const auto& limitation : tree.limitations()) {
    blockers.push_back(from_limitation(tree, limitation));
  }
  return blockers;
}

void print_json(int pid, const std::vector<Blocker>& blockers, bool refused) {
  Json list = Json::array();
  for (const Blocker& blocker : blockers) {
    Json json = {{"pid", blocker.pid},
                 {"stops", std::string(name_of(blocker.stops))},
                 {"kind", blocker.kind},
                 {"object", blocker.object},
                 {"reason", blocker.reason}};
    if (blocker.fd >= 0) json["fd"] = blocker.fd;
    if (!blocker.path.empty()) json["path"] = blocker.path;
    if (!blocker.hint.empty()) json["hint"] = blocker.hint;
    list.push_back(std::move(json));
  }
  std::cout << json_text({{"version", kJsonVersion},
                          {"pid", pid},
                          {"refused", refused},
                          {"blockers", std::move(list)}});
}

void print_text(const std::vector<Blocker>& blockers, Blocker::Stops stops,
                std::string_view heading) {
  bool first = true;
  for (const Blocker& blocker : blockers) {
    if (blocker.stops != stops) continue;
    if (first) std::cout << heading << "\n";
    first = false;
    if (stops == Blocker::Stops::Snapshot) {
      std::cout << "  " << blocker.object << ": " << blocker.reason << "\n";
    } else {
      std::cout << "  process " << blocker.pid << ": " << blocker.object << ": " << blocker.reason
                << "\n";
    }
    if (!blocker.hint.empty()) std::cout << "    hint: " << blocker.hint << "\n";
  }
}

int run(const Invocation& invocation) {
  const std::string& word = invocation.argument(0);
  const auto pid = as_pid(word);
  if (!pid) {
    throw Error("check " + word + ": this is no pid")
        .set_hint("pgrep -a NAME finds the pid of a running program")
        .set_exit_status(ExitStatus::WrongUsage);
  }
  const auto blockers =
      find_blockers(*pid, invocation.has("allow-undumpable") ? snapshot::Undumpable::Allow
                                                             : snapshot::Undumpable::Refuse);
  bool refused = false;
  for (const Blocker& blocker : blockers) {
    refused = refused || blocker.stops == Blocker::Stops::Snapshot;
  }
  if (invocation.has("json")) {
    print_json(*pid, blockers, refused);
  } else if (blockers.empty()) {
    std::cout << "process " << *pid << ": nothing stands in the way\n";
  } else {
    print_text(blockers, Blocker::Stops::Snapshot, "no snapshot can be taken");
    print_text(blockers, Blocker::Stops::Content, "would not be held by a snapshot");
    print_text(blockers, Blocker::Stops::Restore, "would be held, but not restored");
  }
  return static_cast<int>(refused ? ExitStatus::Refused : ExitStatus::Done);
}

}  // namespace

Command check_command() {
  return {.name = "check",
          .group = Group::Look,
          .summary = "tell what could not be held or restored, before any freeze",
          .usage = "check [--json] [--allow-undumpable] PID",
          .description =
              "Looks at process PID and its descendants from outside, without stopping them, and "
              "lists all that stands in the way at once, with process, descriptor, kind and path. "
              "Exit status 3 when no snapshot could be taken, else 0.",
          .arguments = kArguments,
          .options = kOptions,
          .examples = "icecore check 4242",
          .run = run};
}

}  // namespace icecore::cli
