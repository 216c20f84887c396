// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"

namespace icecore::gdbstub::commands {
namespace {

// gdb takes any length, lldb reads the whole; this keeps one reply far below PacketSize.
constexpr std::size_t kIdsPerReply = 512;

Reply tell_threads(Context& context) {
  auto& untold = context.state.untold_threads;
  if (untold.empty()) return Reply::packet("l");
  std::string reply = "m";
  for (std::size_t i = 0; i < kIdsPerReply && !untold.empty(); ++i) {
    if (i > 0) reply += ',';
    reply += format_thread_id(untold.front(), context.state.id_form());
    untold.pop_front();
  }
  return Reply::packet(std::move(reply));
}

}  // namespace

Reply select_thread(Context& context, std::string_view arguments) {
  if (arguments.empty()) throw MalformedPacket("Hg or Hc");
  const char operation = arguments.front();
  const auto selector = parse_thread_selector(arguments.substr(1));
  if (!selector || (operation != 'g' && operation != 'c')) throw MalformedPacket("Hg or Hc");
  if (operation == 'c') {
    context.state.resumed = *selector;
    return Reply::ok();
  }
  // gdb does not look at the answer. What it asks next about a thread that has just ended must
  // fail, not be answered for the thread that was selected before.
  if (selector->pid > 0 && selector->tid > 0)
    context.state.general = {selector->pid, selector->tid};
  context.state.general = context.resolve(*selector);
  return Reply::ok();
}

Reply thread_alive(Context& context, std::string_view arguments) {
  const auto selector = parse_thread_selector(arguments);
  if (!selector) throw MalformedPacket("no thread id");
  for (const ThreadDescription& thread : context.threads()) {
    if (selector->matches(thread.id)) return Reply::ok();
  }
  throw Error("this thread does not exist at this moment");
}

Reply current_thread(Context& context, std::string_view) {
  if (context.target.threads().empty()) throw Error("there is no process");
  return Reply::packet("QC" + format_thread_id(context.state.general, context.state.id_form()));
}

Reply first_threads(Context& context, std::string_view) {
  auto& untold = context.state.untold_threads;
  untold.clear();
  for (const ThreadDescription& thread : context.threads()) untold.push_back(thread.id);
  // An lldb that is told of no thread takes it for a machine without an operating system.
  if (untold.empty() && context.state.client == SessionState::Client::Lldb) {
    throw Error("there is no process");
  }
  return tell_threads(context);
}

Reply next_threads(Context& context, std::string_view) { return tell_threads(context); }

Reply thread_extra_info(Context& context, std::string_view arguments) {
  const ThreadId id = context.resolve(arguments);
  for (const ThreadDescription& thread : context.target.threads()) {
    if (thread.id == id) return Reply::packet(to_hex(thread.name));
  }
  throw Error("this thread does not exist at this moment");
}

}  // namespace icecore::gdbstub::commands
