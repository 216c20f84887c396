// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/debugger.h"
#include "cli/foreground_program.h"
#include "cli/gdb_python.h"
#include "cli/private_directory.h"
#include "cli/revived_snapshot.h"
#include "cli/stub_thread.h"
#include "cli/view_server.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::Optional, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"lldb", 0, "", "open it in lldb instead"},
    Option{"debugger", 0, "PROGRAM", "use this gdb (or lldb)", Completes::Program},
    Option{"process", 'p', "PID", "the process to show first"},
    Option{"live", 0, "", "restore it as living processes in a sandbox, to run and to change"},
    Option{"share", 0, "net|files|all", "with --live: what the sandbox shares with the machine"},
};

std::string found_debugger(const Invocation& invocation) {
  const bool lldb = invocation.has("lldb");
  const std::string wish = invocation.text("debugger");
  const auto found = !wish.empty() ? find_program(wish) : lldb ? find_lldb() : find_gdb();
  if (found) return *found;
  Error error((wish.empty() ? lldb ? "lldb" : "gdb" : wish) + ": not found along $PATH");
  error.set_hint(lldb ? "sudo apt install lldb-19" : "sudo apt install gdb");
  throw error;
}

/// A gdb without Python skips this file. Leaves out gdb's line per file that it reads.
std::string python_script(const std::string& address) {
  return std::string(gdb_python()) +
         "\ndef connect():\n"
         "    noise = ('Reading ', 'warning: File transfers from remote')\n"
         "    text = gdb.execute('target extended-remote " +
         address +
         "', to_string=True)\n"
         "    for line in text.splitlines():\n"
         "        if not line.startswith(noise):\n"
         "            print(line)\n"
         "gdb.set_convenience_variable('icecore_connected', 1)\n"
         "connect()\n";
}

constexpr std::string_view kBeforeConnecting =
    "set confirm off\n"  // nothing can be lost in a view
    "set sysroot target:\n"
    "define goto\n"
    "  monitor goto $arg0\n"
    "  continue\n"
    "end\n"
    "document goto\n"
    "goto N, goto TAG: travel to that snapshot of the recording.\n"
    "end\n";

/// The gdb scripts that come before the user's own commands.
std::vector<std::string> gdb_scripts(const std::string& address,
                                     const PrivateDirectory& directory) {
  const std::string connect = "target extended-remote " + address + "\n";
  return {directory.write("begin.gdb", kBeforeConnecting),
          directory.write("connect.py", python_script(address)),
          directory.write("end.gdb", "if $_isvoid($icecore_connected)\n" + connect + "end\n")};
}

/// lldb's own commands: files first, so that it need not take those of this machine, which may be
/// others by now.
std::vector<std::string> lldb_commands(const std::string& address, const ViewedSnapshot& viewed,
                                       const PrivateDirectory& directory) {
  const auto root = directory.path() / "root";
  const auto executable = viewed.write_module_files(root);
  std::vector<std::string> words;
  if (!executable.empty()) {
    words = {"-o", "target create " + executable.string(), "-o",
             "target modules search-paths add / " + root.string() + "/"};
  }
  words.insert(words.end(),
               {"-o", "process connect --plugin gdb-remote unix-connect://" + address});
  return words;
}

std::vector<std::string> command_line(const Invocation& invocation, const std::string& debugger,
                                      const std::string& address, const ViewedSnapshot& viewed,
                                      const PrivateDirectory& directory) {
  std::vector<std::string> words = {debugger};
  if (invocation.has("lldb")) {
    const auto commands = lldb_commands(address, viewed, directory);
    words.insert(words.end(), commands.begin(), commands.end());
  } else {
    words.emplace_back("-q");
    for (const auto& script : gdb_scripts(address, directory)) {
      words.insert(words.end(), {"-x", script});
    }
  }
  words.insert(words.end(), invocation.rest().begin(), invocation.rest().end());
  return words;
}

/// Runs on the thread that serves.
gdbstub::TargetFactory targets_of(const Invocation& invocation, const ViewedSnapshot& viewed) {
  if (!invocation.has("live")) return viewed.targets();
  return revived_targets(invocation, viewed);
}

int run(const Invocation& invocation) {
  const std::string debugger = found_debugger(invocation);
  const auto pid = static_cast<std::int32_t>(invocation.number("process").value_or(0));
  const std::string name = invocation.argument(0);
  check_sharing(invocation);
  const ViewedSnapshot viewed(invocation, name.empty() ? "@last" : name, pid);
  const PrivateDirectory directory;
  const gdbstub::Listener listener(gdbstub::UnixAddress{directory.path() / "gdb"});
  ForegroundProgram foreground;
  StubThread server([&] { return targets_of(invocation, viewed); }, listener);
  const int status = foreground.run(
      command_line(invocation, debugger, listener.client_address(), viewed, directory));
  if (const std::string failure = server.stop(); !failure.empty()) {
    throw Error("serve " + viewed.key().text() + ": " + failure);
  }
  return status;
}

}  // namespace

Command gdb_command() {
  return {
      .name = "gdb",
      .group = Group::Debug,
      .summary = "open a snapshot in gdb (or lldb)",
      .usage =
          "gdb [--process PID] [--debugger PROGRAM] [SNAPSHOT] [-- GDB ARGS...]\n"
          "gdb --live [--share net|files|all] [--process PID] [SNAPSHOT] [-- GDB ARGS...]\n"
          "gdb --lldb [--process PID] [SNAPSHOT] [-- LLDB ARGS...]",
      .description =
          "All processes and threads, their memory, registers, libraries and files are those of "
          "that moment; the executable need not be there any more. Nothing is executed: `continue` "
          "and `reverse-continue` go to the next and the previous snapshot, with a watchpoint to "
          "the next or previous one in which the watched value differs; `goto N` goes to snapshot "
          "N; `monitor help` says what else there is. The prompt shows the moment. Without "
          "SNAPSHOT, the last one of the newest recording is opened. The exit status is gdb's.\n\n"
          "With --live the snapshot is restored as stopped processes, which gdb then drives: "
          "break, step, call, change. They live in namespaces of their own, for pids, mounts, "
          "clocks and the network: files that they have open for writing are copies, connections "
          "that left the tree are reset, nobody is reached. --share files lets them use the "
          "machine's files, --share net its network. All of it ends with gdb.",
      .arguments = kArguments,
      .options = kOptions,
      .rest = Rest::AfterDashes,
      .examples =
          "icecore gdb redis-server@-3\n"
          "icecore gdb @last -- -batch -ex 'thread apply all bt'",
      .run = run};
}

}  // namespace icecore::cli
