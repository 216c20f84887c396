// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/command_table.h"

#include <array>

#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"
#include "gdbstub/packet_framing.h"
#include "gdbstub/target/breakpoints.h"
#include "gdbstub/target/signal_details.h"

namespace icecore::gdbstub {
namespace {

using Match = Command::Match;

bool always(Target&) { return true; }
bool can_allocate(Target& target) { return target.allocation() != nullptr; }
bool can_attach(Target& target) { return target.attaching() != nullptr; }
bool can_launch(Target& target) { return target.launching() != nullptr; }
bool can_choose_process(Target& target) { return can_attach(target) || can_launch(target); }
bool can_choose_events(Target& target) { return target.event_choice() != nullptr; }
bool can_pass_signals(Target& target) { return target.signal_passing() != nullptr; }
bool can_catch_calls(Target& target) { return target.system_call_catching() != nullptr; }
bool can_stop_singly(Target& target) { return target.non_stop() != nullptr; }
bool can_break(Target& target) { return target.breakpoints() != nullptr; }
bool can_resume(Target& target) { return target.execution() != nullptr; }
bool can_reverse(Target& target) {
  return target.reverse_execution() != nullptr && can_resume(target);
}
bool has_files(Target& target) { return target.host_files() != nullptr; }
bool has_libraries(Target& target) { return target.libraries() != nullptr; }
bool has_regions(Target& target) { return target.memory_regions() != nullptr; }
bool has_monitor(Target& target) { return target.monitor() != nullptr; }
bool has_facts(Target& target) { return target.process_facts() != nullptr; }
bool has_siginfo(Target& target) { return target.signal_details() != nullptr; }
bool has_writable_siginfo(Target& target) {
  return has_siginfo(target) && target.signal_details()->is_writable();
}
bool has_tables(Target& target) { return target.system_tables() != nullptr; }
bool has_tls(Target& target) { return target.thread_local_storage() != nullptr; }
bool has_conditions(Target& target) {
  return can_break(target) && target.breakpoints()->evaluates_conditions();
}
bool can_write(Target& target) { return target.writing() != nullptr; }
bool has_software_breakpoints(Target& target) {
  return can_break(target) && target.breakpoints()->supports(Breakpoint::Kind::Software);
}
bool has_hardware_breakpoints(Target& target) {
  return can_break(target) && target.breakpoints()->supports(Breakpoint::Kind::Hardware);
}

namespace run = commands;

constexpr auto kTable = std::to_array<Command>({
    // Connection
    {"qSupported", Match::Prefix, "", always, run::supported, "features of both sides"},
    {"", Match::Whole, "multiprocess+", always, nullptr, "thread ids carry the process"},
    {"QStartNoAckMode", Match::Whole, "QStartNoAckMode+", always, run::start_no_ack_mode,
     "no more + and -"},
    {"!", Match::Whole, "", can_choose_process, run::extended_mode, "target extended-remote"},
    {"QNonStop:", Match::Prefix, "", always, run::choose_stop_mode, "threads stop together or not"},
    {"", Match::Whole, "QNonStop+", can_stop_singly, nullptr, "they can stop one by one"},
    {"vStopped", Match::Whole, "", can_stop_singly, run::next_stop, "the next stop after %Stop"},
    {"QEnableErrorStrings", Match::Whole, "", always, run::enable_error_strings,
     "errors as text (lldb)"},
    {"qAttached", Match::Prefix, "", always, run::attached, "was the process there before us"},
    {"qSymbol:", Match::Prefix, "", always, run::symbol_offer, "the client's symbols: none needed"},
    {"D", Match::Prefix, "", always, run::detach, "let go of all, or of one process"},
    {"k", Match::Whole, "", always, run::kill, "end of the session"},
    {"vKill;", Match::Prefix, "", always, run::kill_process, "end of one process"},
    {"vAttach;", Match::Prefix, "", can_attach, run::attach, "choose a process"},
    // Starting programs
    {"vRun;", Match::Prefix, "", can_launch, run::run_program, "start a program"},
    {"R", Match::Prefix, "", can_launch, run::restart, "kill, and start the program again"},
    {"A", Match::Prefix, "", can_launch, run::launch_arguments, "start a program (lldb)"},
    {"qLaunchSuccess", Match::Whole, "", can_launch, run::launch_success, "did it start (lldb)"},
    {"QStartupWithShell:", Match::Prefix, "QStartupWithShell+", can_launch, run::startup_with_shell,
     "through a shell or not"},
    {"QDisableRandomization:", Match::Prefix, "QDisableRandomization+", can_launch,
     run::disable_randomization, "the same addresses each time"},
    {"QSetDisableASLR:", Match::Prefix, "", can_launch, run::disable_randomization,
     "the same (lldb)"},
    {"QEnvironmentHexEncoded:", Match::Prefix, "QEnvironmentHexEncoded+", can_launch,
     run::set_environment_hex, "set a variable"},
    {"QEnvironment:", Match::Prefix, "", can_launch, run::set_environment, "set a variable (lldb)"},
    {"QEnvironmentUnset:", Match::Prefix, "QEnvironmentUnset+", can_launch, run::unset_environment,
     "drop a variable"},
    {"QEnvironmentReset", Match::Whole, "QEnvironmentReset+", can_launch, run::reset_environment,
     "the server's own variables again"},
    {"QSetWorkingDir:", Match::Prefix, "QSetWorkingDir+", can_launch, run::set_working_directory,
     "where it starts"},
    // Threads
    {"H", Match::Prefix, "", always, run::select_thread, "thread for what follows"},
    {"T", Match::Prefix, "", always, run::thread_alive, "does this thread exist"},
    {"qC", Match::Whole, "", always, run::current_thread, "the selected thread"},
    {"qfThreadInfo", Match::Whole, "", always, run::first_threads, "thread ids, first part"},
    {"qsThreadInfo", Match::Whole, "", always, run::next_threads, "thread ids, next part"},
    {"qThreadExtraInfo,", Match::Prefix, "", always, run::thread_extra_info, "a thread's name"},
    // Registers
    {"g", Match::Prefix, "", always, run::read_registers, "all registers"},
    {"p", Match::Prefix, "", always, run::read_register, "one register"},
    {"G", Match::Prefix, "", can_write, run::write_registers, "write all registers"},
    {"P", Match::Prefix, "", can_write, run::write_register, "write one register"},
    // Memory
    {"m", Match::Prefix, "", always, run::read_memory, "read, as hex"},
    {"x", Match::Prefix, "", always, run::read_memory_binary, "read, as bytes (lldb)"},
    {"M", Match::Prefix, "", can_write, run::write_memory, "write, from hex"},
    {"X", Match::Prefix, "", can_write, run::write_memory_binary, "write, from bytes"},
    {"qSearch:memory:", Match::Prefix, "", always, run::search_memory, "find bytes"},
    {"qCRC:", Match::Prefix, "", always, run::checksum, "compare-sections"},
    {"qGetTLSAddr:", Match::Prefix, "", has_tls, run::thread_local_address,
     "thread-local variables"},
    // Objects in pieces
    {"qXfer:features:read:", Match::Prefix, "qXfer:features:read+", always, run::transfer_features,
     "target.xml: which registers there are"},
    {"qXfer:threads:read:", Match::Prefix, "qXfer:threads:read+", always, run::transfer_threads,
     "threads with names and CPUs"},
    {"qXfer:auxv:read:", Match::Prefix, "qXfer:auxv:read+", has_facts, run::transfer_auxv,
     "the auxiliary vector"},
    {"qXfer:exec-file:read:", Match::Prefix, "qXfer:exec-file:read+", has_facts,
     run::transfer_exec_file, "path of the executable"},
    {"qXfer:libraries-svr4:read:", Match::Prefix, "qXfer:libraries-svr4:read+", has_libraries,
     run::transfer_libraries, "the loader's list"},
    {"", Match::Whole, "augmented-libraries-svr4-read+", has_libraries, nullptr,
     "its rest from one library on"},
    {"qXfer:siginfo:read:", Match::Prefix, "qXfer:siginfo:read+", has_siginfo,
     run::transfer_siginfo, "$_siginfo"},
    {"qXfer:siginfo:write:", Match::Prefix, "qXfer:siginfo:write+", has_writable_siginfo,
     run::write_siginfo, "$_siginfo changed"},
    {"qXfer:osdata:read:", Match::Prefix, "qXfer:osdata:read+", has_tables, run::transfer_osdata,
     "info os"},
    // Execution
    {"?", Match::Whole, "", always, run::stop_reason, "why it stands still"},
    {"vCont?", Match::Whole, "vContSupported+", can_resume, run::resume_actions,
     "which actions vCont takes"},
    {"vCont;", Match::Prefix, "", can_resume, run::resume_with_actions, "go on"},
    {"c", Match::Prefix, "", can_resume, run::continue_all, "go on"},
    {"s", Match::Prefix, "", can_resume, run::step_one, "one step"},
    {"C", Match::Prefix, "", can_resume, run::continue_with_signal, "go on with a signal"},
    {"S", Match::Prefix, "", can_resume, run::step_with_signal, "one step with a signal"},
    {"vCtrlC", Match::Whole, "", can_resume, run::interrupt, "stop"},
    {"bc", Match::Whole, "ReverseContinue+", can_reverse, run::continue_backward, "go back"},
    {"bs", Match::Whole, "ReverseStep+", can_reverse, run::step_backward, "one step back"},
    {"", Match::Whole, "no-resumed+", can_resume, nullptr, "N when no resumed thread is left"},
    // Events
    {"", Match::Whole, "fork-events+", can_choose_events, nullptr, "stops at fork"},
    {"", Match::Whole, "vfork-events+", can_choose_events, nullptr, "stops at vfork and its end"},
    {"", Match::Whole, "exec-events+", can_choose_events, nullptr, "stops at execve"},
    {"QThreadEvents:", Match::Prefix, "QThreadEvents+", can_choose_events, run::thread_events,
     "stops at the begin and the end of threads"},
    {"QPassSignals:", Match::Prefix, "QPassSignals+", can_pass_signals, run::pass_signals,
     "signals that do not stop"},
    {"QProgramSignals:", Match::Prefix, "QProgramSignals+", can_pass_signals, run::program_signals,
     "signals that may be delivered"},
    {"QCatchSyscalls:", Match::Prefix, "QCatchSyscalls+", can_catch_calls, run::catch_system_calls,
     "system calls that stop"},
    // Breakpoints
    {"Z", Match::Prefix, "", can_break, run::insert_breakpoint, "breakpoint or watchpoint"},
    {"z", Match::Prefix, "", can_break, run::remove_breakpoint, "no more of it"},
    {"", Match::Whole, "swbreak+", has_software_breakpoints, nullptr,
     "the pc is at a breakpoint, not behind it"},
    {"", Match::Whole, "hwbreak+", has_hardware_breakpoints, nullptr, "the same for hardware ones"},
    {"", Match::Whole, "ConditionalBreakpoints+", has_conditions, nullptr,
     "conditions, as agent expressions"},
    {"", Match::Whole, "BreakpointCommands+", has_conditions, nullptr,
     "dprintf, as agent expressions"},
    {"qWatchpointSupportInfo:", Match::Prefix, "", can_break, run::watchpoint_support,
     "how many watchpoints (lldb)"},
    // Files
    {"vFile:setfs:", Match::Prefix, "", has_files, run::file_set_process, "whose file system"},
    {"vFile:open:", Match::Prefix, "", has_files, run::file_open, "open a file"},
    {"vFile:close:", Match::Prefix, "", has_files, run::file_close, "close it"},
    {"vFile:pread:", Match::Prefix, "", has_files, run::file_read, "read it"},
    {"vFile:pwrite:", Match::Prefix, "", has_files, run::file_write, "write it"},
    {"vFile:fstat:", Match::Prefix, "", has_files, run::file_status, "its size and kind"},
    {"vFile:readlink:", Match::Prefix, "", has_files, run::file_read_link, "where a link points"},
    {"vFile:unlink:", Match::Prefix, "", has_files, run::file_unlink, "remove a file"},
    {"qRcmd,", Match::Prefix, "", has_monitor, run::monitor, "monitor commands"},
    // lldb
    {"QThreadSuffixSupported", Match::Whole, "", always, run::thread_suffix_supported,
     "g, p, G and P name their thread"},
    {"QListThreadsInStopReply", Match::Whole, "", always, run::list_threads_in_stop_reply,
     "threads in every stop reply"},
    {"qHostInfo", Match::Whole, "", has_facts, run::host_info, "the machine"},
    {"qProcessInfo", Match::Whole, "", has_facts, run::process_info, "the process"},
    {"qMemoryRegionInfo:", Match::Prefix, "", has_regions, run::memory_region_info,
     "the mapping at an address"},
    {"jThreadsInfo", Match::Whole, "", always, run::threads_info, "all threads, as JSON"},
    {"qThreadStopInfo", Match::Prefix, "", always, run::thread_stop_info, "why one thread stopped"},
    {"qShlibInfoAddr", Match::Whole, "", has_libraries, run::shared_library_address,
     "where the pointer to r_debug is"},
    {"_M", Match::Prefix, "", can_allocate, run::allocate_memory, "memory for the debugger's use"},
    {"_m", Match::Prefix, "", can_allocate, run::release_memory, "no more of it"},
    {"QSaveRegisterState", Match::Prefix, "", can_write, run::save_registers,
     "put registers aside"},
    {"QRestoreRegisterState:", Match::Prefix, "", can_write, run::restore_registers,
     "back into the thread"},
});

bool fits(const Command& command, std::string_view packet) {
  if (command.run == nullptr) return false;
  return command.match == Match::Whole ? packet == command.packet
                                       : packet.starts_with(command.packet);
}

}  // namespace

std::span<const Command> command_table() { return kTable; }

const Command* find_command(std::string_view packet, Target& target) {
  const Command* best = nullptr;
  for (const Command& command : kTable) {
    if (!fits(command, packet)) continue;
    if (best != nullptr && command.packet.size() <= best->packet.size()) continue;
    best = &command;
  }
  // Not supported is unknown: a shorter prefix must not get a packet that is none of its own.
  return best != nullptr && best->supported(target) ? best : nullptr;
}

std::string supported_features(Target& target) {
  std::string features = "PacketSize=" + hex_number(kPacketSize);
  for (const Command& command : kTable) {
    if (command.feature.empty() || !command.supported(target)) continue;
    features += ";" + std::string(command.feature);
  }
  return features;
}

std::string command_table_markdown() {
  std::string text = "| packet | feature | meaning |\n| --- | --- | --- |\n";
  for (const Command& command : kTable) {
    const std::string packet =
        command.packet.empty()
            ? ""
            : "`" + std::string(command.packet) + (command.match == Match::Prefix ? "...`" : "`");
    const std::string feature =
        command.feature.empty() ? "" : "`" + std::string(command.feature) + "`";
    text += "| " + packet + " | " + feature + " | " + std::string(command.purpose) + " |\n";
  }
  return text;
}

}  // namespace icecore::gdbstub
