// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_tables.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <string>

#include "base/error.h"
#include "replay/live/live_threads.h"
#include "snapshot/capture/proc_directory.h"

namespace icecore::replay {
namespace {

std::string directory_of(std::int32_t pid) { return "/proc/" + std::to_string(pid); }

std::string command_of(std::int32_t pid) {
  std::string command = snapshot::ProcDirectory::read_file(directory_of(pid) + "/cmdline");
  while (!command.empty() && command.back() == '\0') command.pop_back();
  for (char& character : command) {
    if (character == '\0') character = ' ';
  }
  return command;
}

std::string owner_of(std::int32_t pid) {
  struct stat status {};
  return ::stat(directory_of(pid).c_str(), &status) == 0 ? std::to_string(status.st_uid) : "";
}

}  // namespace

std::vector<gdbstub::SystemTableName> LiveTables::names() {
  return {{"processes", "Listing of all processes"},
          {"threads", "Listing of all threads"},
          {"files", "Listing of all file descriptors"}};
}

gdbstub::SystemTable LiveTables::table(std::string_view type) {
  if (type == "processes") return processes();
  if (type == "threads") return threads();
  if (type == "files") return files();
  throw Error("there is no table of " + std::string(type));
}

gdbstub::SystemTable LiveTables::processes() const {
  gdbstub::SystemTable table;
  const auto all = describe_threads(tree_);
  for (const auto& [pid, process] : tree_.processes()) {
    std::set<std::int32_t> cores;
    for (const auto& thread : all) {
      if (thread.id.pid == pid && thread.core >= 0) cores.insert(thread.core);
    }
    std::string text;
    for (const std::int32_t core : cores) text += (text.empty() ? "" : ",") + std::to_string(core);
    table.rows.push_back({{"pid", std::to_string(pid)},
                          {"user", owner_of(pid)},
                          {"command", command_of(pid)},
                          {"cores", text}});
  }
  return table;
}

gdbstub::SystemTable LiveTables::threads() const {
  gdbstub::SystemTable table;
  for (const auto& thread : describe_threads(tree_)) {
    table.rows.push_back({{"pid", std::to_string(thread.id.pid)},
                          {"command", thread.name},
                          {"tid", std::to_string(thread.id.tid)},
                          {"core", std::to_string(thread.core)}});
  }
  return table;
}

gdbstub::SystemTable LiveTables::files() const {
  gdbstub::SystemTable table;
  for (const auto& [pid, process] : tree_.processes()) {
    std::error_code failure;
    for (const auto& entry :
         std::filesystem::directory_iterator(directory_of(pid) + "/fd", failure)) {
      const auto target = std::filesystem::read_symlink(entry.path(), failure);
      if (failure) continue;
      table.rows.push_back({{"pid", std::to_string(pid)},
                            {"command", command_of(pid)},
                            {"file descriptor", entry.path().filename().string()},
                            {"name", target.string()}});
    }
  }
  return table;
}

}  // namespace icecore::replay
