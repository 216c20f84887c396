// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/status.h"

#include <algorithm>

#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {
namespace {

template <typename Integer>
std::vector<Integer> numbers(std::string_view text) {
  std::vector<Integer> list;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
    if (const auto number = to_number<Integer>(word)) list.push_back(*number);
  }
  return list;
}

std::array<unsigned, 4> four(std::string_view text) {
  std::array<unsigned, 4> ids{};
  for (unsigned& id : ids) id = take_number<unsigned>(text);
  return ids;
}

template <typename Integer>
Integer number(std::string_view text, int base = 10) {
  return take_number<Integer>(text, base);
}

/// The kernel writes a newline as \n and a backslash as two, nothing else otherwise.
std::string unescape_name(std::string_view text) {
  if (text.starts_with('\t')) text.remove_prefix(1);
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      name += text[i] == 'n' ? '\n' : text[i];
    } else {
      name += text[i];
    }
  }
  return name;
}

struct Field {
  std::string_view name;
  void (*set)(Status&, std::string_view);
};

// In the kernel's order, which parse_status uses: a line is looked for behind the one before it.
constexpr Field kFields[] = {
    {"Name", [](Status& s, std::string_view v) { s.name = unescape_name(v); }},
    {"Umask", [](Status& s, std::string_view v) { s.umask = number<unsigned>(v, 8); }},
    {"Tgid", [](Status& s, std::string_view v) { s.thread_group = number<int>(v); }},
    {"Pid", [](Status& s, std::string_view v) { s.pid = number<int>(v); }},
    {"PPid", [](Status& s, std::string_view v) { s.parent = number<int>(v); }},
    {"TracerPid", [](Status& s, std::string_view v) { s.tracer = number<int>(v); }},
    {"Uid", [](Status& s, std::string_view v) { s.uids = four(v); }},
    {"Gid", [](Status& s, std::string_view v) { s.gids = four(v); }},
    {"Groups", [](Status& s, std::string_view v) { s.groups = numbers<unsigned>(v); }},
    {"NStgid", [](Status& s, std::string_view v) { s.namespace_thread_groups = numbers<int>(v); }},
    {"NSpid", [](Status& s, std::string_view v) { s.namespace_pids = numbers<int>(v); }},
    {"NSpgid", [](Status& s, std::string_view v) { s.namespace_process_groups = numbers<int>(v); }},
    {"NSsid", [](Status& s, std::string_view v) { s.namespace_sessions = numbers<int>(v); }},
    {"VmSize", [](Status& s, std::string_view) { s.has_memory = true; }},
    {"THP_enabled", [](Status& s, std::string_view v) { s.thp_enabled = number<int>(v) != 0; }},
    {"Threads", [](Status& s, std::string_view v) { s.threads = number<int>(v); }},
    {"SigPnd", [](Status& s, std::string_view v) { s.pending = number<std::uint64_t>(v, 16); }},
    {"ShdPnd",
     [](Status& s, std::string_view v) { s.shared_pending = number<std::uint64_t>(v, 16); }},
    {"SigBlk", [](Status& s, std::string_view v) { s.blocked = number<std::uint64_t>(v, 16); }},
    {"SigIgn", [](Status& s, std::string_view v) { s.ignored = number<std::uint64_t>(v, 16); }},
    {"SigCgt", [](Status& s, std::string_view v) { s.caught = number<std::uint64_t>(v, 16); }},
    {"CapInh",
     [](Status& s, std::string_view v) {
       s.capabilities_inheritable = number<std::uint64_t>(v, 16);
     }},
    {"CapPrm", [](Status& s,
                  std::string_view v) { s.capabilities_permitted = number<std::uint64_t>(v, 16); }},
    {"CapEff", [](Status& s,
                  std::string_view v) { s.capabilities_effective = number<std::uint64_t>(v, 16); }},
    {"CapBnd",
     [](Status& s, std::string_view v) { s.capabilities_bounding = number<std::uint64_t>(v, 16); }},
    {"CapAmb",
     [](Status& s, std::string_view v) { s.capabilities_ambient = number<std::uint64_t>(v, 16); }},
    {"NoNewPrivs", [](Status& s, std::string_view v) { s.no_new_privs = number<int>(v) != 0; }},
    {"Seccomp", [](Status& s, std::string_view v) { s.seccomp_mode = number<unsigned>(v); }},
    {"Seccomp_filters",
     [](Status& s, std::string_view v) { s.seccomp_filters = number<unsigned>(v); }},
    {"Cpus_allowed_list", [](Status& s, std::string_view v) { s.cpus_allowed = take_word(v); }},
    {"voluntary_ctxt_switches",
     [](Status& s, std::string_view v) { s.voluntary_switches = number<std::uint64_t>(v); }},
};

}  // namespace

Status parse_status(std::string_view text) {
  Status status;
  const auto* expected = std::begin(kFields);
  while (!text.empty() && expected != std::end(kFields)) {
    const std::string_view line = take_line(text);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto* found =
        std::ranges::find(expected, std::end(kFields), line.substr(0, colon), &Field::name);
    if (found == std::end(kFields)) continue;
    found->set(status, line.substr(colon + 1));
    expected = found + 1;
  }
  return status;
}

}  // namespace icecore::snapshot::proc
