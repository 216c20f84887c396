// SPDX-License-Identifier: Apache-2.0
#include <sys/user.h>

#include <array>
#include <charconv>
#include <cstring>
#include <iostream>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/pager.h"
#include "cli/quantities.h"
#include "cli/snapshot_image.h"
#include "snapshot/symbols/disassembler.h"
#include "snapshot/symbols/symbol_lookup.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::One, Completes::Snapshot},
    Argument{"ADDRESS|FUNCTION", Argument::Count::Optional},
};
constexpr std::array kOptions = {
    Option{"process", 'p', "PID", "the code of this process (default the root of the tree)"},
    Option{"thread", 't', "TID", "mark where this thread is (default the process's first)"},
    Option{"count", 'n', "N", "so many instructions (default the whole function)"},
    Option{"syntax", 0, "intel|att", "how instructions are written", Completes::Nothing, "intel"},
    Option{"json", 0, "", "print one JSON array of instructions"},
};
constexpr std::size_t kWithoutSymbol = 16;

/// Which code of the snapshot is looked at.
struct Place {
  const model::Process* process = nullptr;
  const model::Thread* thread = nullptr;
};

Place chosen(const Invocation& invocation, const snapshot::StoredSnapshot& snapshot) {
  const auto& model = snapshot.model();
  const auto pid = invocation.number("process");
  const auto tid = invocation.number("thread");
  Place place;
  for (const auto& process : model.processes()) {
    if (pid && *pid != static_cast<std::uint64_t>(process.pid())) continue;
    for (const auto& thread : process.threads()) {
      if (tid && *tid != static_cast<std::uint64_t>(thread.tid())) continue;
      const bool better = place.thread == nullptr ||
                          (process.pid() == model.root_pid() && place.process != &process);
      if (better) place = {&process, &thread};
    }
  }
  if (place.thread != nullptr) return place;
  throw Error("no such process or thread in " + snapshot.key().text())
      .set_hint("icecore show " + snapshot.key().text());
}

std::optional<std::uint64_t> program_counter(const model::Thread& thread) {
  user_regs_struct registers{};
  if (thread.registers().size() < sizeof registers) return std::nullopt;
  std::memcpy(&registers, thread.registers().data(), sizeof registers);
  return registers.rip;
}

std::optional<std::uint64_t> parse_address(std::string_view text) {
  const bool prefixed = text.starts_with("0x") || text.starts_with("0X");
  if (!prefixed && text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  if (prefixed) text.remove_prefix(2);
  std::uint64_t address = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), address, prefixed ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return address;
}

std::vector<symbols::DisassembledInstruction> disassemble(const Invocation& invocation,
                                                          const symbols::Symbolizer& symbolizer,
                                                          const Place& place) {
  const auto syntax = invocation.text("syntax") == "att" ? symbols::AssemblySyntax::Att
                                                         : symbols::AssemblySyntax::Intel;
  const symbols::Disassembler disassembler(symbolizer, syntax);
  const auto pc = program_counter(*place.thread);
  const auto count = invocation.number("count");
  const std::string where = invocation.argument(1);
  if (where.empty()) {
    if (!pc)
      throw Error("thread " + std::to_string(place.thread->tid()) +
                  ": its registers are not known");
    return count ? disassembler.from(*pc, *count, pc) : disassembler.around(*pc);
  }
  if (const auto address = parse_address(where)) {
    return disassembler.from(*address, count.value_or(kWithoutSymbol), pc);
  }
  const auto function = symbols::find_function(symbolizer, where);
  return count ? disassembler.from(function.start, *count, pc)
               : disassembler.range(function.start, function.end, pc);
}

void print_json(const std::vector<symbols::DisassembledInstruction>& instructions) {
  Json array = Json::array();
  for (const auto& instruction : instructions) {
    std::string bytes;
    for (const std::byte byte : instruction.bytes) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      bytes += kDigits[std::to_integer<unsigned>(byte) >> 4U];
      bytes += kDigits[std::to_integer<unsigned>(byte) & 15U];
    }
    array.push_back({{"version", kJsonVersion},
                     {"address", hex_text(instruction.address)},
                     {"bytes", bytes},
                     {"text", instruction.text},
                     {"symbol", instruction.symbol},
                     {"target", instruction.target ? hex_text(*instruction.target) : ""},
                     {"target_symbol", instruction.target_symbol},
                     {"source_line", instruction.source_line},
                     {"current", instruction.is_current}});
  }
  std::cout << json_text(array);
}

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const snapshot::StoredSnapshot snapshot(store, store.resolve(invocation.argument(0)));
  const Place place = chosen(invocation, snapshot);
  const SnapshotImage image(snapshot, *place.process);
  symbols::ModuleCache modules;
  const symbols::Symbolizer symbolizer(image, modules);
  const auto instructions = disassemble(invocation, symbolizer, place);
  if (instructions.empty()) {
    throw Error("nothing can be read at " + invocation.argument(1) + " of process " +
                std::to_string(place.process->pid()))
        .set_hint("icecore show --all " + snapshot.key().text());
  }
  if (invocation.has("json")) {
    print_json(instructions);
    return 0;
  }
  const Pager pager(invocation);
  std::cout << symbols::format_instructions(instructions);
  return 0;
}

}  // namespace

Command dis_command() {
  return {
      .name = "dis",
      .group = Group::Look,
      .summary = "disassemble the code of a snapshot",
      .usage =
          "dis [--process PID] [--thread TID] [--count N] [--json] SNAPSHOT [ADDRESS|FUNCTION]",
      .description =
          "The bytes are those of the stored memory. Without a place, the function that the thread "
          "was in is shown, its current instruction marked with =>.",
      .arguments = kArguments,
      .options = kOptions,
      .examples = "icecore dis redis-server@last aeProcessEvents",
      .run = run};
}

}  // namespace icecore::cli
