// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_tables.h"

#include <set>
#include <string>

#include "base/error.h"

namespace icecore::snapshot {
namespace {

std::string command_of(const model::Process& process) {
  std::string command = process.command_line();
  while (!command.empty() && command.back() == '\0') command.pop_back();
  for (char& character : command) {
    if (character == '\0') character = ' ';
  }
  return command.empty() ? "[" + process.comm() + "]" : command;
}

std::string cores_of(const model::Process& process) {
  std::set<std::int32_t> cores;
  for (const auto& thread : process.threads()) cores.insert(thread.cpu());
  std::string text;
  for (const std::int32_t core : cores) text += (text.empty() ? "" : ",") + std::to_string(core);
  return text;
}

std::string target_of(const model::Snapshot& snapshot, std::uint32_t description) {
  for (const auto& file : snapshot.open_files()) {
    if (file.id() == description) return file.target();
  }
  return {};
}

}  // namespace

std::vector<gdbstub::SystemTableName> ViewTables::names() {
  return {{"processes", "Listing of all processes"},
          {"threads", "Listing of all threads"},
          {"files", "Listing of all file descriptors"}};
}

gdbstub::SystemTable ViewTables::table(std::string_view type) {
  if (type == "processes") return processes();
  if (type == "threads") return threads();
  if (type == "files") return files();
  throw Error("a snapshot has no table of " + std::string(type));
}

gdbstub::SystemTable ViewTables::processes() const {
  gdbstub::SystemTable table;
  for (const auto& process : moment_.model().processes()) {
    table.rows.push_back({{"pid", std::to_string(process.pid())},
                          {"user", std::to_string(process.credentials().uid())},
                          {"command", command_of(process)},
                          {"cores", cores_of(process)}});
  }
  return table;
}

gdbstub::SystemTable ViewTables::threads() const {
  gdbstub::SystemTable table;
  for (const auto& process : moment_.model().processes()) {
    for (const auto& thread : process.threads()) {
      table.rows.push_back({{"pid", std::to_string(process.pid())},
                            {"command", thread.name()},
                            {"tid", std::to_string(thread.tid())},
                            {"core", std::to_string(thread.cpu())}});
    }
  }
  return table;
}

gdbstub::SystemTable ViewTables::files() const {
  gdbstub::SystemTable table;
  for (const auto& process : moment_.model().processes()) {
    for (const auto& descriptor : process.descriptors()) {
      table.rows.push_back({{"pid", std::to_string(process.pid())},
                            {"command", process.comm()},
                            {"file descriptor", std::to_string(descriptor.fd())},
                            {"name", target_of(moment_.model(), descriptor.description())}});
    }
  }
  return table;
}

}  // namespace icecore::snapshot
