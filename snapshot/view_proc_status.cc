// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_proc_status.h"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <string_view>

namespace icecore::snapshot {
namespace {

std::uint64_t mapped_bytes(const model::Process& process) {
  std::uint64_t bytes = 0;
  for (const auto& mapping : process.mappings()) bytes += mapping.end() - mapping.start();
  return bytes;
}

std::string state_letter(const model::Thread& thread) {
  return thread.state().empty() ? "S" : thread.state();
}

std::string_view state_word(char letter) {
  switch (letter) {
    case 'R':
      return "R (running)";
    case 'D':
      return "D (disk sleep)";
    case 'T':
      return "T (stopped)";
    case 't':
      return "t (tracing stop)";
    case 'Z':
      return "Z (zombie)";
    case 'I':
      return "I (idle)";
    default:
      return "S (sleeping)";
  }
}

std::string hex16(std::uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "%016" PRIx64, value);
  return text;
}

const model::Credentials& credentials_of(const model::Process& process,
                                         const model::Thread& thread) {
  return thread.has_credentials() ? thread.credentials() : process.credentials();
}

/// Masks of the signals with a handler of the process, and of those that it ignores.
struct ActionMasks {
  std::uint64_t ignored = 0;
  std::uint64_t caught = 0;
};
ActionMasks action_masks(const model::Process& process) {
  ActionMasks masks;
  for (const auto& action : process.actions()) {
    if (action.signal() < 1 || action.signal() > 64) continue;
    const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(action.signal() - 1);
    if (action.handler() == 1) masks.ignored |= bit;
    if (action.handler() > 1) masks.caught |= bit;
  }
  return masks;
}

std::string four_ids(const std::array<std::uint32_t, 4>& ids) {
  std::string text;
  for (const std::uint32_t id : ids) text += "\t" + std::to_string(id);
  return text;
}

}  // namespace

std::string proc_stat_text(const model::Process& process, const model::Thread& thread) {
  // Field numbers of proc(5); 0 for what is not kept.
  std::array<std::int64_t, 53> field{};
  const auto& layout = process.layout();
  const auto set = [&](std::size_t number, auto value) {
    field.at(number) = static_cast<std::int64_t>(value);
  };
  set(4, process.parent_pid());
  set(5, process.process_group());
  set(6, process.session());
  set(7, process.terminal());
  set(8, process.foreground_group());
  set(14, thread.user_time_ticks());
  set(15, thread.system_time_ticks());
  set(18, 20 + thread.nice());
  set(19, thread.nice());
  set(20, process.threads_size());
  set(22, thread.tid() == process.pid() ? process.start_time() : thread.start_time());
  set(23, mapped_bytes(process));
  set(26, layout.start_code());
  set(27, layout.end_code());
  set(28, layout.start_stack());
  set(31, thread.pending_mask() & 0x7fffffffU);
  set(32, thread.signal_mask() & 0x7fffffffU);
  set(33, action_masks(process).ignored & 0x7fffffffU);
  set(34, action_masks(process).caught & 0x7fffffffU);
  set(38, 17);
  set(39, thread.cpu());
  set(40, thread.scheduler_priority());
  set(41, thread.scheduler_policy());
  set(45, layout.start_data());
  set(46, layout.end_data());
  set(47, layout.start_brk());
  set(48, layout.arg_start());
  set(49, layout.arg_end());
  set(50, layout.env_start());
  set(51, layout.env_end());
  set(52, process.exit_code());
  std::string text =
      std::to_string(thread.tid()) + " (" + thread.name() + ") " + state_letter(thread);
  for (std::size_t number = 4; number < field.size(); ++number) {
    text += " " + std::to_string(field.at(number));
  }
  return text + "\n";
}

std::string proc_status_text(const model::Process& process, const model::Thread& thread) {
  const model::Credentials& who = credentials_of(process, thread);
  const ActionMasks masks = action_masks(process);
  std::string text = "Name:\t" + thread.name() + "\n";
  const auto row = [&](const char* name, const std::string& value) {
    text += std::string(name) + ":\t" + value + "\n";
  };
  char umask[16];
  std::snprintf(umask, sizeof umask, "%04o", process.umask());
  row("Umask", umask);
  row("State", std::string(state_word(state_letter(thread).front())));
  row("Tgid", std::to_string(process.pid()));
  row("Ngid", "0");
  row("Pid", std::to_string(thread.tid()));
  row("PPid", std::to_string(process.parent_pid()));
  row("TracerPid", std::to_string(process.tracer_pid()));
  text += "Uid:" + four_ids({who.uid(), who.euid(), who.suid(), who.fsuid()}) + "\n";
  text += "Gid:" + four_ids({who.gid(), who.egid(), who.sgid(), who.fsgid()}) + "\n";
  std::string groups;
  for (const std::uint32_t group : who.groups()) groups += std::to_string(group) + " ";
  row("Groups", groups);
  row("VmSize", std::to_string(mapped_bytes(process) / 1024) + " kB");
  row("Threads", std::to_string(process.threads_size()));
  row("SigPnd", hex16(thread.pending_mask()));
  row("ShdPnd", hex16(process.pending_mask()));
  row("SigBlk", hex16(thread.signal_mask()));
  row("SigIgn", hex16(masks.ignored));
  row("SigCgt", hex16(masks.caught));
  row("CapInh", hex16(who.capabilities_inheritable()));
  row("CapPrm", hex16(who.capabilities_permitted()));
  row("CapEff", hex16(who.capabilities_effective()));
  row("CapBnd", hex16(who.capabilities_bounding()));
  row("CapAmb", hex16(who.capabilities_ambient()));
  row("NoNewPrivs", who.no_new_privs() ? "1" : "0");
  row("Seccomp", std::to_string(who.seccomp_mode()));
  row("Cpus_allowed_list", thread.cpus_allowed());
  return text;
}

}  // namespace icecore::snapshot
