// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>

#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/stop_reply.h"
#include "gdbstub/target/libraries.h"
#include "gdbstub/target/memory_regions.h"
#include "gdbstub/target/process_facts.h"

namespace icecore::gdbstub::commands {
namespace {

const std::string kTriple = "x86_64-pc-linux-gnu";

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char character : text) {
    const auto value = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      quoted += '\\';
      quoted += character;
    } else if (value < 0x20) {
      quoted += "\\u00" + to_hex(std::string_view(&character, 1));
    } else {
      quoted += character;
    }
  }
  return quoted + '"';
}

/// Why `thread` stands still: as the event says for its own thread, nothing for the others.
StopSummary stop_of(const StopEvent& event, ThreadId thread) {
  return event.thread == thread ? summarize(event.reason) : StopSummary{0, ""};
}

std::string expedited_json(Context& context, ThreadId thread) {
  const RegisterLayout& layout = context.target.register_layout();
  const RegisterValues values = context.target.read_registers(thread);
  std::string json;
  for (const char* name : {"rip", "rsp", "rbp"}) {
    const auto index = layout.find(name);
    if (!index || !values.known[*index]) continue;
    const Register& reg = layout.registers()[*index];
    json += (json.empty() ? "" : ",") + json_string(std::to_string(*index)) + ":" +
            json_string(to_hex(std::span(values.bytes).subspan(reg.offset, reg.size)));
  }
  return "{" + json + "}";
}

std::string thread_json(Context& context, const ThreadDescription& thread, const StopEvent& event) {
  const StopSummary stop = stop_of(event, thread.id);
  std::string json = "{\"tid\":" + std::to_string(thread.id.tid);
  if (!thread.name.empty()) json += ",\"name\":" + json_string(thread.name);
  if (!stop.word.empty()) {
    json += ",\"reason\":" + json_string(stop.word) + ",\"signal\":" + std::to_string(stop.signal);
  }
  return json + ",\"registers\":" + expedited_json(context, thread.id) + "}";
}

std::string region_text(const MemoryRegion& region) {
  std::string permissions;
  if (region.readable) permissions += 'r';
  if (region.writable) permissions += 'w';
  if (region.executable) permissions += 'x';
  std::string text = "start:" + hex_number(region.start) +
                     ";size:" + hex_number(region.end - region.start) +
                     ";permissions:" + permissions + ";";
  if (!region.name.empty()) text += "name:" + to_hex(region.name) + ";";
  return text;
}

}  // namespace

Reply thread_suffix_supported(Context& context, std::string_view) {
  context.state.client = SessionState::Client::Lldb;
  context.state.thread_suffix = true;
  return Reply::ok();
}

Reply list_threads_in_stop_reply(Context& context, std::string_view) {
  context.state.threads_in_stop_replies = true;
  return Reply::ok();
}

Reply host_info(Context& context, std::string_view) {
  ProcessFacts& facts = *context.target.process_facts();
  std::string release = facts.kernel_release();
  release = release.substr(0, release.find('-'));
  return Reply::packet(
      "triple:" + to_hex(kTriple) + ";ptrsize:8;endian:little;os_version:" + release +
      ";hostname:" + to_hex(facts.host_name()) + ";watchpoint_exceptions_received:after;");
}

Reply process_info(Context& context, std::string_view) {
  if (context.target.threads().empty()) throw Error("there is no process");
  const std::int32_t pid = context.state.general.pid;
  const std::int32_t parent = context.target.process_facts()->parent(pid);
  return Reply::packet("pid:" + hex_number(static_cast<std::uint32_t>(pid)) +
                       ";parent-pid:" + hex_number(static_cast<std::uint32_t>(parent)) +
                       ";triple:" + to_hex(kTriple) + ";ostype:linux;endian:little;ptrsize:8;");
}

Reply memory_region_info(Context& context, std::string_view arguments) {
  const std::uint64_t address = PacketFields(arguments).last_number();
  const auto regions = context.target.memory_regions()->regions(context.state.general.pid);
  std::uint64_t gap_start = 0;
  for (const MemoryRegion& region : regions) {
    if (address < region.start) {
      // The hole before it.
      return Reply::packet("start:" + hex_number(gap_start) +
                           ";size:" + hex_number(region.start - gap_start) + ";");
    }
    if (address < region.end) return Reply::packet(region_text(region));
    gap_start = region.end;
  }
  return Reply::packet("start:" + hex_number(gap_start) + ";size:" + hex_number(0 - gap_start) +
                       ";");
}

Reply threads_info(Context& context, std::string_view) {
  const StopEvent event = context.target.current_stop();
  std::string json;
  for (const ThreadDescription& thread : context.threads()) {
    json += (json.empty() ? "" : ",") + thread_json(context, thread, event);
  }
  return Reply::packet("[" + json + "]");
}

Reply thread_stop_info(Context& context, std::string_view arguments) {
  const ThreadId thread = context.resolve(arguments);
  const StopEvent event = context.target.current_stop();
  if (event.thread == thread) return Reply::packet(stop_reply(context, event));
  return Reply::packet(stop_reply(context, {thread, Signalled{0}}));
}

Reply shared_library_address(Context& context, std::string_view) {
  const auto address = context.target.libraries()->debug_pointer(context.state.general.pid);
  if (!address) throw Error("this process has no dynamic loader");
  return Reply::packet(hex_number(*address));
}

}  // namespace icecore::gdbstub::commands
