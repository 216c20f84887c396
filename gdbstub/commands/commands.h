// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "gdbstub/reply.h"
#include "gdbstub/session_state.h"

// The commands of every family, as command_table.cc lists them. Each parses its arguments, calls
// the target, and formats the answer.
namespace icecore::gdbstub::commands {

// connection.cc: who talks to whom, and how it ends
Reply supported(Context&, std::string_view);
Reply start_no_ack_mode(Context&, std::string_view);
Reply extended_mode(Context&, std::string_view);
Reply thread_events(Context&, std::string_view);
Reply enable_error_strings(Context&, std::string_view);
Reply attached(Context&, std::string_view);
Reply symbol_offer(Context&, std::string_view);
Reply detach(Context&, std::string_view);
Reply kill(Context&, std::string_view);
Reply kill_process(Context&, std::string_view);

// launch.cc: how processes come into a session
Reply run_program(Context&, std::string_view);
Reply launch_arguments(Context&, std::string_view);
Reply launch_success(Context&, std::string_view);
Reply restart(Context&, std::string_view);
Reply attach(Context&, std::string_view);
Reply set_environment_hex(Context&, std::string_view);
Reply set_environment(Context&, std::string_view);
Reply unset_environment(Context&, std::string_view);
Reply reset_environment(Context&, std::string_view);
Reply set_working_directory(Context&, std::string_view);
Reply startup_with_shell(Context&, std::string_view);
Reply disable_randomization(Context&, std::string_view);

// signals.cc: what stops and what does not
Reply pass_signals(Context&, std::string_view);
Reply program_signals(Context&, std::string_view);
Reply catch_system_calls(Context&, std::string_view);

// non_stop.cc
Reply choose_stop_mode(Context&, std::string_view);
Reply next_stop(Context&, std::string_view);
/// `?` in non-stop mode.
Reply all_stops(Context&);

// threads.cc
Reply select_thread(Context&, std::string_view);
Reply thread_alive(Context&, std::string_view);
Reply current_thread(Context&, std::string_view);
Reply first_threads(Context&, std::string_view);
Reply next_threads(Context&, std::string_view);
Reply thread_extra_info(Context&, std::string_view);

// registers.cc
Reply read_registers(Context&, std::string_view);
Reply read_register(Context&, std::string_view);
Reply write_registers(Context&, std::string_view);
Reply write_register(Context&, std::string_view);

// memory.cc
Reply read_memory(Context&, std::string_view);
Reply read_memory_binary(Context&, std::string_view);
Reply write_memory(Context&, std::string_view);
Reply write_memory_binary(Context&, std::string_view);
Reply search_memory(Context&, std::string_view);
Reply checksum(Context&, std::string_view);
Reply thread_local_address(Context&, std::string_view);

// transfer.cc: objects read in pieces
Reply transfer_features(Context&, std::string_view);
Reply transfer_threads(Context&, std::string_view);
Reply transfer_auxv(Context&, std::string_view);
Reply transfer_exec_file(Context&, std::string_view);
Reply transfer_libraries(Context&, std::string_view);
Reply transfer_siginfo(Context&, std::string_view);
Reply write_siginfo(Context&, std::string_view);
Reply transfer_osdata(Context&, std::string_view);

// resume.cc
Reply stop_reason(Context&, std::string_view);
Reply resume_actions(Context&, std::string_view);
Reply resume_with_actions(Context&, std::string_view);
Reply continue_all(Context&, std::string_view);
Reply step_one(Context&, std::string_view);
Reply continue_with_signal(Context&, std::string_view);
Reply step_with_signal(Context&, std::string_view);
Reply interrupt(Context&, std::string_view);
Reply continue_backward(Context&, std::string_view);
Reply step_backward(Context&, std::string_view);

// breakpoints.cc
Reply insert_breakpoint(Context&, std::string_view);
Reply remove_breakpoint(Context&, std::string_view);
Reply watchpoint_support(Context&, std::string_view);

// host_io.cc
Reply file_set_process(Context&, std::string_view);
Reply file_open(Context&, std::string_view);
Reply file_close(Context&, std::string_view);
Reply file_read(Context&, std::string_view);
Reply file_write(Context&, std::string_view);
Reply file_status(Context&, std::string_view);
Reply file_read_link(Context&, std::string_view);
Reply file_unlink(Context&, std::string_view);

// monitor.cc
Reply monitor(Context&, std::string_view);

// lldb.cc: what only lldb asks
Reply thread_suffix_supported(Context&, std::string_view);
Reply list_threads_in_stop_reply(Context&, std::string_view);
Reply host_info(Context&, std::string_view);
Reply process_info(Context&, std::string_view);
Reply memory_region_info(Context&, std::string_view);
Reply threads_info(Context&, std::string_view);
Reply thread_stop_info(Context&, std::string_view);
Reply shared_library_address(Context&, std::string_view);

// lldb_calls.cc: what lldb needs to call functions
Reply allocate_memory(Context&, std::string_view);
Reply release_memory(Context&, std::string_view);
Reply save_registers(Context&, std::string_view);
Reply restore_registers(Context&, std::string_view);

}  // namespace icecore::gdbstub::commands
