// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/code_gadgets.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "snapshot/proc/maps.h"
#include "snapshot/tracing/free_stack.h"
#include "snapshot/tracing/process_memory.h"

namespace icecore::snapshot {
namespace {

template <typename... Bytes>
constexpr auto code(Bytes... bytes) {
  return std::array<std::byte, sizeof...(bytes)>{static_cast<std::byte>(bytes)...};
}
constexpr auto kSyscall = code(0x0f, 0x05);
constexpr auto kSyscallReturn = code(0x0f, 0x05, 0xc3);
constexpr auto kSigreturn = code(0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05);

constexpr std::uint64_t kMaxCode = 16U << 20U;

/// Where `pattern` lies in `bytes`, which are at `start`; 0 for nowhere.
template <typename Pattern>
std::uint64_t find_code(const std::vector<std::byte>& bytes, std::uint64_t start,
                        const Pattern& pattern) {
  const auto found = std::search(bytes.begin(), bytes.end(), pattern.begin(), pattern.end());
  return found == bytes.end() ? 0 : start + static_cast<std::uint64_t>(found - bytes.begin());
}

template <typename Pattern>
bool has_code(int pid, std::uint64_t address, const Pattern& pattern) {
  Pattern bytes{};
  return read_process(pid, address, bytes) && bytes == pattern;
}

/// The C library first: it has all that is looked for, in the first megabyte.
int rank(const proc::MapsLine& line) {
  if (line.name.find("/libc") != std::string_view::npos) return 0;
  if (line.name.find("/ld-") != std::string_view::npos) return 1;
  return line.name == "[vdso]" ? 3 : 2;
}

std::string maps_text(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/maps");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

StackMapping main_stack(const std::string& maps) {
  for (const auto& line : proc::parse_maps(maps)) {
    if (line.name == "[stack]") return {line.start, line.end};
  }
  return {};
}

}  // namespace

bool GadgetFinder::still_there(int pid, const CodeGadgets& gadgets) {
  return has_code(pid, gadgets.syscall, kSyscall) &&
         (gadgets.syscall_return == 0 || has_code(pid, gadgets.syscall_return, kSyscallReturn)) &&
         (gadgets.sigreturn == 0 || has_code(pid, gadgets.sigreturn, kSigreturn));
}

std::optional<GadgetFinder::Known> GadgetFinder::search(int pid) {
  const std::string maps = maps_text(pid);
  Known known;
  known.stack = main_stack(maps);
  std::vector<proc::MapsLine> executable;
  for (const auto& line : proc::parse_maps(maps)) {
    if (line.executable && line.readable && line.end - line.start <= kMaxCode) {
      executable.push_back(line);
    }
  }
  std::ranges::stable_sort(executable, {}, rank);
  auto& gadgets = known.gadgets;
  for (const auto& line : executable) {
    std::vector<std::byte> bytes(line.end - line.start);
    if (!read_process(pid, line.start, bytes)) continue;
    if (gadgets.syscall == 0) gadgets.syscall = find_code(bytes, line.start, kSyscall);
    if (gadgets.syscall_return == 0) {
      gadgets.syscall_return = find_code(bytes, line.start, kSyscallReturn);
    }
    if (gadgets.sigreturn == 0) gadgets.sigreturn = find_code(bytes, line.start, kSigreturn);
    if (gadgets.syscall_return != 0 && gadgets.sigreturn != 0) break;
  }
  if (gadgets.syscall == 0) return std::nullopt;
  return known;
}

std::optional<CodeGadgets> GadgetFinder::find(const TracedTree& tree, int pid) {
  auto found = known_.find(pid);
  if (found == known_.end() || !still_there(pid, found->second.gadgets)) {
    const auto known = search(pid);
    if (!known) return std::nullopt;
    found = known_.insert_or_assign(pid, *known).first;
  }
  CodeGadgets gadgets = found->second.gadgets;
  gadgets.free_stack = find_free_stack(tree, pid, found->second.stack, gadgets);
  if (gadgets.free_stack == 0) {  // it may have grown
    found->second.stack = main_stack(maps_text(pid));
    gadgets.free_stack = find_free_stack(tree, pid, found->second.stack, gadgets);
  }
  return gadgets;
}

}  // namespace icecore::snapshot
