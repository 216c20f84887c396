// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/stop_reply.h"

#include <algorithm>

#include "base/error.h"
#include "base/overloaded.h"
#include "gdbstub/hex.h"
#include "gdbstub/signal_numbers.h"

namespace icecore::gdbstub {
namespace {

constexpr int kTrap = 5;
// What a frame needs first: gdb then often does without reading all registers.
constexpr const char* kExpedited[] = {"rbp", "rsp", "rip"};

std::string two_digits(int value) {
  const auto byte = static_cast<std::byte>(value & 0xff);
  return to_hex(std::span(&byte, 1));
}

int wire_signal(const Context& context, int signal) {
  const bool lldb = context.state.client == SessionState::Client::Lldb;
  return lldb ? signal : linux_to_gdb_signal(signal);
}

std::string_view watch_word(HitWatchpoint::Kind kind) {
  switch (kind) {
    case HitWatchpoint::Kind::Write:
      return "watch:";
    case HitWatchpoint::Kind::Read:
      return "rwatch:";
    case HitWatchpoint::Kind::Access:
      return "awatch:";
  }
  return "watch:";
}

std::string breakpoint_fields(const SessionState& state, HitBreakpoint::Kind kind) {
  if (kind == HitBreakpoint::Kind::Software) return state.software_breakpoints ? "swbreak:;" : "";
  return state.hardware_breakpoints ? "hwbreak:;" : "";
}

/// What stands between the signal and the thread.
std::string reason_fields(const Context& context, const StopReason& reason) {
  const ThreadIdForm form = context.state.id_form();
  return std::visit(
      Overloaded{
          [&](const HitBreakpoint& hit) { return breakpoint_fields(context.state, hit.kind); },
          [&](const HitWatchpoint& hit) {
            return std::string(watch_word(hit.kind)) + hex_number(hit.address) + ";";
          },
          [&](const ReachedHistoryEnd& end) {
            // lldb takes an unknown key for a register's name or ignores it; it has no such reason.
            if (context.state.client == SessionState::Client::Lldb) return std::string();
            return std::string(end.which == ReachedHistoryEnd::Which::Begin ? "replaylog:begin;"
                                                                            : "replaylog:end;");
          },
          [&](const LibrariesChanged&) { return std::string("library:;"); },
          [&](const Forked& fork) {
            return std::string(fork.kind == Forked::Kind::Fork ? "fork:" : "vfork:") +
                   format_thread_id(fork.child, form) + ";";
          },
          [&](const VForkDone&) { return std::string("vforkdone:;"); },
          [&](const Executed& exec) { return "exec:" + to_hex(exec.path) + ";"; },
          [&](const SystemCallStop& call) {
            return std::string(call.side == SystemCallStop::Side::Entry ? "syscall_entry:"
                                                                        : "syscall_return:") +
                   hex_number(static_cast<std::uint64_t>(call.number)) + ";";
          },
          [&](const ThreadStarted&) { return std::string("create:;"); },
          [&](const auto&) { return std::string(); },
      },
      reason);
}

std::string expedited_registers(const Context& context, ThreadId thread) {
  std::string fields;
  try {
    const RegisterLayout& layout = context.target.register_layout();
    const RegisterValues values = context.target.read_registers(thread);
    for (const char* name : kExpedited) {
      const auto index = layout.find(name);
      if (!index || !values.known[*index]) continue;
      const Register& reg = layout.registers()[*index];
      fields += two_digits(static_cast<int>(*index)) + ":" +
                to_hex(std::span(values.bytes).subspan(reg.offset, reg.size)) + ";";
    }
  } catch (const Error&) {
    // The client asks for them itself and is told the reason then.
  }
  return fields;
}

std::string pc_of(const Context& context, ThreadId thread) {
  const RegisterLayout& layout = context.target.register_layout();
  const auto index = layout.find("rip");
  const RegisterValues values = context.target.read_registers(thread);
  if (!index || !values.known[*index]) return "0";
  std::uint64_t pc = 0;
  for (std::size_t i = 8; i > 0; --i) {
    pc = pc << 8U |
         std::to_integer<unsigned>(values.bytes[layout.registers()[*index].offset + i - 1]);
  }
  return hex_number(pc);
}

std::string thread_name_of(const Context& context, ThreadId id) {
  for (const ThreadDescription& thread : context.target.threads()) {
    if (thread.id == id) return thread.name;
  }
  return {};
}

std::string lldb_fields(const Context& context, const StopEvent& event) {
  std::string fields;
  if (context.state.threads_in_stop_replies) {
    std::string ids;
    std::string pcs;
    for (const ThreadDescription& thread : context.threads()) {
      ids += (ids.empty() ? "" : ",") + format_thread_id(thread.id, ThreadIdForm::TidOnly);
      pcs += (pcs.empty() ? "" : ",") + pc_of(context, thread.id);
    }
    fields += "threads:" + ids + ";thread-pcs:" + pcs + ";";
  }
  const std::string name = thread_name_of(context, event.thread);
  if (!name.empty()) fields += "hexname:" + to_hex(name) + ";";
  return fields + "reason:" + summarize(event.reason).word + ";";
}

std::string thread_stop_reply(const Context& context, const StopEvent& event) {
  const SessionState& state = context.state;
  std::string reply = "T" + two_digits(wire_signal(context, summarize(event.reason).signal));
  reply += reason_fields(context, event.reason);
  reply += "thread:" + format_thread_id(event.thread, state.id_form()) + ";";
  if (state.client == SessionState::Client::Lldb) reply += lldb_fields(context, event);
  return reply + expedited_registers(context, event.thread);
}

std::string process_field(const Context& context, std::int32_t pid) {
  if (!context.state.multiprocess) return {};
  return ";process:" + hex_number(static_cast<std::uint32_t>(pid));
}

}  // namespace

StopSummary summarize(const StopReason& reason) {
  return std::visit(
      Overloaded{
          [](const Signalled& stop) {
            return StopSummary{stop.signal, stop.signal == kTrap ? "trap" : "signal"};
          },
          [](const HitBreakpoint&) {
            return StopSummary{kTrap, "breakpoint"};
          },
          [](const HitWatchpoint&) {
            return StopSummary{kTrap, "watchpoint"};
          },
          [](const Executed&) {
            return StopSummary{kTrap, "exec"};
          },
          [](const Forked& fork) {
            return StopSummary{kTrap, fork.kind == Forked::Kind::Fork ? "fork" : "vfork"};
          },
          [](const VForkDone&) {
            return StopSummary{kTrap, "vforkdone"};
          },
          [](const auto&) {
            return StopSummary{kTrap, "trap"};
          },
      },
      reason);
}

std::string stop_reply(const Context& context, const StopEvent& event) {
  return std::visit(Overloaded{
                        [&](const ProcessExited& exit) {
                          return "W" + two_digits(exit.code) +
                                 process_field(context, event.thread.pid);
                        },
                        [&](const ProcessKilled& killed) {
                          return "X" + two_digits(wire_signal(context, killed.signal)) +
                                 process_field(context, event.thread.pid);
                        },
                        [&](const ThreadExited& exit) {
                          return "w" + two_digits(exit.code) + ";" +
                                 format_thread_id(event.thread, context.state.id_form());
                        },
                        [&](const NothingResumed&) { return std::string("N"); },
                        [&](const auto&) { return thread_stop_reply(context, event); },
                    },
                    event.reason);
}

}  // namespace icecore::gdbstub
