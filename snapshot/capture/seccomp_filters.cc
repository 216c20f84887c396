// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/seccomp_filters.h"

#include <algorithm>
#include <cstring>
#include <ranges>
#include <string>

#include "snapshot/tracing/seccomp_policy.h"

namespace icecore::snapshot {
namespace {

constexpr unsigned kModeFilters = 2;

const model::Credentials& credentials_of(const model::Process& process,
                                         const model::Thread& thread) {
  return thread.has_credentials() ? thread.credentials() : process.credentials();
}

bool is_over(const model::Thread& thread) { return thread.state() == "Z" || thread.state() == "X"; }

std::uint32_t index_of(const SeccompFilter& filter, model::Process& process) {
  const std::string program(reinterpret_cast<const char*>(filter.program.data()),
                            filter.program.size() * sizeof(sock_filter));
  auto& known = *process.mutable_seccomp_filters();
  const auto found = std::ranges::find_if(known, [&](const model::SeccompFilter& each) {
    return each.program() == program && each.flags() == filter.flags;
  });
  const auto index = static_cast<std::uint32_t>(found - known.begin());
  if (found == known.end()) {
    auto* row = process.add_seccomp_filters();
    row->set_program(program);
    row->set_flags(filter.flags);
  }
  return index;
}

bool asks_supervisor(const model::SeccompFilter& filter) {
  SeccompFilter program;
  program.program.resize(filter.program().size() / sizeof(sock_filter));
  std::memcpy(program.program.data(), filter.program().data(), filter.program().size());
  return program.asks_supervisor();
}

}  // namespace

unsigned seccomp_mode(const model::Process& process, const model::Thread& thread) {
  return is_over(thread) ? 0 : credentials_of(process, thread).seccomp_mode();
}

void capture_seccomp_filters(model::Process& process) {
  process.clear_seccomp_filters();
  for (auto& thread : *process.mutable_threads()) {
    thread.clear_seccomp_filters();
    if (seccomp_mode(process, thread) != kModeFilters) continue;
    const auto filters = seccomp_filters(thread.tid());
    if (!filters) continue;
    for (const auto& filter : std::views::reverse(*filters)) {
      thread.add_seccomp_filters(index_of(filter, process));
    }
  }
}

std::string seccomp_obstacle(const model::Process& process, const model::Thread& thread) {
  if (seccomp_mode(process, thread) != kModeFilters) return {};
  const auto count = credentials_of(process, thread).seccomp_filters();
  if (static_cast<unsigned>(thread.seccomp_filters_size()) != count) {
    return "its seccomp filters could not be read; take the snapshot as root, outside of any "
           "sandbox";
  }
  const bool supervised = std::ranges::any_of(thread.seccomp_filters(), [&](std::uint32_t index) {
    return asks_supervisor(process.seccomp_filters(static_cast<int>(index)));
  });
  if (supervised) return "a seccomp filter of it asks a supervisor, which cannot be given back";
  return {};
}

}  // namespace icecore::snapshot
