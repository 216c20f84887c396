// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "replay/files/makers.h"
#include "replay/files/tree_path.h"
#include "replay/restore/restored_process.h"

namespace icecore::replay {
namespace {

constexpr std::string_view kProc = "/proc/";

/// "/proc/12/task/13/stat" taken apart; pid 0 when it is about no process.
struct ProcPath {
  int pid = 0;
  int tid = 0;
  std::string_view rest;  ///< with its slash, or empty
};

std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto length = static_cast<std::size_t>(end - text.data());
  const bool whole = length == text.size() || text[length] == '/';
  if (error != std::errc() || !whole) return std::nullopt;
  text.remove_prefix(length);
  return number;
}

ProcPath parse(std::string_view path) {
  ProcPath parsed;
  path.remove_prefix(std::min(kProc.size(), path.size()));
  const auto pid = take_number(path);
  if (!pid) return parsed;
  parsed.pid = *pid;
  constexpr std::string_view kTask = "/task/";
  parsed.rest = path;
  if (!path.starts_with(kTask)) return parsed;
  path.remove_prefix(kTask.size());
  if (const auto tid = take_number(path)) {
    parsed.tid = *tid;
    parsed.rest = path;
  }
  return parsed;
}

const model::Process* find_process(const model::Snapshot& model, int pid) {
  for (const auto& process : model.processes()) {
    if (process.pid() == pid) return &process;
  }
  return nullptr;
}

const model::Thread* find_thread(const model::Process& process, int tid) {
  for (const auto& thread : process.threads()) {
    if (thread.tid() == tid) return &thread;
  }
  return nullptr;
}

/// The same file as the restored tree's /proc has it; nullopt when it is about a process or thread
/// that is not restored.
std::optional<std::string> path_now(const model::Snapshot& model, const std::string& path,
                                    bool in_place) {
  const ProcPath parsed = parse(path);
  // In place the numbers are those of the snapshot. Whoever is outside the tree is still there, if
  // at all, under his number.
  if (parsed.pid == 0 || in_place) return path;
  const auto* const process = find_process(model, parsed.pid);
  if (process == nullptr) return std::nullopt;
  std::string now = std::string(kProc) + std::to_string(inner_pid(*process));
  if (parsed.tid != 0) {
    const auto* const thread = find_thread(*process, parsed.tid);
    if (thread == nullptr) return std::nullopt;
    now += "/task/" + std::to_string(inner_tid(*thread));
  }
  return now.append(parsed.rest);
}

}  // namespace

void make_proc_file(Making& making, const model::OpenFile& file) {
  const auto path = path_now(making.snapshot.model(), file.target(), making.surroundings.in_place);
  if (!path) throw Refused("the process that it tells of is not part of the tree");
  const bool is_path = (file.flags() & O_PATH) != 0;
  const unsigned flags =
      is_path ? O_PATH : (file.flags() & ~static_cast<unsigned>(O_ASYNC | O_CREAT | O_TRUNC));
  UniqueFd fd = open_in_tree(making.surroundings.root, *path, flags);
  if (!is_path && file.position() != 0 && ::lseek(fd.get(), file.position(), SEEK_SET) < 0) {
    throw_errno("lseek");
  }
  making.made.emplace(file.id(), std::move(fd));
}

Objection check_proc_file(const Checking& checking, const model::OpenFile& file) {
  if (file.deleted()) return {"the process that it tells of has ended", ""};
  if (path_now(checking.model, file.target(), checking.in_place)) return {};
  return {"the process that it tells of is not part of the tree",
          "restore it --in-place, where that process may still be"};
}

}  // namespace icecore::replay
