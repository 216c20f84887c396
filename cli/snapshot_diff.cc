// SPDX-License-Identifier: Apache-2.0
#include "cli/snapshot_diff.h"

#include <cstring>
#include <map>
#include <utility>

#include "cli/descriptor_text.h"
#include "cli/mapping_text.h"
#include "cli/memory_diff.h"
#include "cli/process_text.h"
#include "cli/quantities.h"
#include "cli/register_names.h"
#include "cli/syscall_text.h"
#include "cli/variable_diff.h"

namespace icecore::cli {
namespace {

/// What differs between two sets of named texts.
template <typename Key>
std::vector<Change> diff_texts(const std::map<Key, std::string>& before,
                               const std::map<Key, std::string>& after,
                               std::string (*name_of)(const Key&)) {
  std::vector<Change> changes;
  for (const auto& [key, text] : before) {
    const auto other = after.find(key);
    if (other == after.end()) {
      changes.push_back({name_of(key), text, ""});
    } else if (other->second != text) {
      changes.push_back({name_of(key), text, other->second});
    }
  }
  for (const auto& [key, text] : after) {
    if (!before.contains(key)) changes.push_back({name_of(key), "", text});
  }
  return changes;
}

std::string number_name(const int& number) { return std::to_string(number); }
std::string plain_name(const std::string& name) { return name; }
std::string address_name(const std::uint64_t& address) { return hex_text(address); }

std::map<std::string, std::string> identity_of(const model::Process& process) {
  return {{"command", command_text(process)},
          {"executable", process.executable()},
          {"directory", process.working_directory()},
          {"state", state_text(process)},
          {"parent", std::to_string(process.parent_pid())},
          {"group", std::to_string(process.process_group())},
          {"session", std::to_string(process.session())},
          {"user", std::to_string(process.credentials().euid())}};
}

std::map<std::uint64_t, std::string> mappings_of(const model::Process& process) {
  std::map<std::uint64_t, std::string> texts;
  for (const auto& mapping : process.mappings()) texts[mapping.start()] = mapping_text(mapping);
  return texts;
}

std::map<int, std::string> descriptors_of(const model::Snapshot& snapshot,
                                          const model::Process& process) {
  std::map<std::uint32_t, const model::OpenFile*> files;
  for (const auto& file : snapshot.open_files()) files[file.id()] = &file;
  std::map<int, std::string> texts;
  for (const auto& descriptor : process.descriptors()) {
    const auto found = files.find(descriptor.description());
    texts[descriptor.fd()] = found == files.end() ? "unknown" : open_file_text(*found->second);
  }
  return texts;
}

std::map<std::string, std::string> state_of(const model::Thread& thread) {
  return {{"name", thread.name()},
          {"system call", syscall_text(thread.system_call())},
          {"signal mask", hex_text(thread.signal_mask())},
          {"pending signals", std::to_string(thread.pending_signals_size())}};
}

std::vector<Change> diff_registers(const model::Thread& before, const model::Thread& after) {
  std::vector<Change> changes;
  const auto value = [](const model::Thread& thread, std::size_t index) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, thread.registers().data() + index * sizeof bits, sizeof bits);
    return bits;
  };
  constexpr std::size_t kSize = kRegisterNames.size() * sizeof(std::uint64_t);
  if (before.registers().size() < kSize || after.registers().size() < kSize) return changes;
  for (std::size_t i = 0; i < kRegisterNames.size(); ++i) {
    const auto old_value = value(before, i);
    const auto new_value = value(after, i);
    if (old_value != new_value) {
      changes.push_back({std::string(kRegisterNames[i]), hex_text(old_value), hex_text(new_value)});
    }
  }
  if (before.xstate() != after.xstate()) changes.push_back({"vector", "(changed)", "(changed)"});
  return changes;
}

void diff_threads(ProcessDiff& diff) {
  std::map<int, const model::Thread*> before;
  for (const auto& thread : diff.before->threads()) before[thread.tid()] = &thread;
  for (const auto& thread : diff.after->threads()) {
    const auto old = before.find(thread.tid());
    if (old == before.end()) {
      diff.threads.push_back({std::to_string(thread.tid()), "", thread.name()});
      continue;
    }
    ThreadDiff threads{thread.tid(), thread.name(),
                       diff_texts(state_of(*old->second), state_of(thread), plain_name),
                       diff_registers(*old->second, thread)};
    before.erase(old);
    if (!threads.changes.empty() || !threads.registers.empty()) {
      diff.thread_diffs.push_back(std::move(threads));
    }
  }
  for (const auto& [tid, thread] : before) {
    diff.threads.push_back({std::to_string(tid), thread->name(), ""});
  }
}

ProcessDiff diff_process(const snapshot::StoredSnapshot& before, const model::Process& old_process,
                         const snapshot::StoredSnapshot& after, const model::Process& process,
                         symbols::ModuleCache& modules) {
  ProcessDiff diff;
  diff.before = &old_process;
  diff.after = &process;
  diff.identity = diff_texts(identity_of(old_process), identity_of(process), plain_name);
  diff_threads(diff);
  diff.mappings = diff_texts(mappings_of(old_process), mappings_of(process), address_name);
  diff.descriptors = diff_texts(descriptors_of(before.model(), old_process),
                                descriptors_of(after.model(), process), number_name);
  if (before.key().recording != after.key().recording) {
    diff.memory_unknown = "the snapshots are of two recordings";
  } else if (old_process.space() != process.space()) {
    diff.memory_unknown = "the process has executed another program, or has a new address space";
  } else {
    diff.memory = diff_memory(before, old_process, after, process);
    diff.variables = diff_variables(before, old_process, after, process, diff.memory, modules);
  }
  return diff;
}

}  // namespace

bool ProcessDiff::empty() const {
  return identity.empty() && threads.empty() && thread_diffs.empty() && mappings.empty() &&
         descriptors.empty() && memory.empty() && memory_unknown.empty();
}

SnapshotDiff diff_snapshots(const snapshot::StoredSnapshot& before,
                            const snapshot::StoredSnapshot& after) {
  using Identity = std::pair<int, std::uint64_t>;
  std::map<Identity, const model::Process*> old_processes;
  for (const auto& process : before.model().processes()) {
    old_processes[{process.pid(), process.start_time()}] = &process;
  }
  SnapshotDiff diff;
  symbols::ModuleCache modules;
  for (const auto& process : after.model().processes()) {
    const auto old = old_processes.find({process.pid(), process.start_time()});
    if (old == old_processes.end()) {
      diff.processes.push_back({std::to_string(process.pid()), "", command_text(process)});
      continue;
    }
    auto changed = diff_process(before, *old->second, after, process, modules);
    if (!changed.empty()) diff.process_diffs.push_back(std::move(changed));
    old_processes.erase(old);
  }
  for (const auto& [identity, process] : old_processes) {
    diff.processes.push_back({std::to_string(identity.first), command_text(*process), ""});
  }
  return diff;
}

}  // namespace icecore::cli
