// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_facts.h"

#include <sys/utsname.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/maps.h"
#include "snapshot/thread_local_block.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

std::string proc_path(std::int32_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

std::string proc_text(std::int32_t pid, const char* name) {
  return snapshot::ProcDirectory::read_file(proc_path(pid, name));
}

utsname machine_names() {
  utsname names{};
  ::uname(&names);
  return names;
}

}  // namespace

std::string LiveFacts::executable(std::int32_t pid) {
  tree_.process(pid);
  return std::filesystem::read_symlink(proc_path(pid, "exe")).string();
}

std::vector<std::byte> LiveFacts::auxiliary_vector(std::int32_t pid) {
  tree_.process(pid);
  const std::string text = proc_text(pid, "auxv");
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

std::int32_t LiveFacts::parent(std::int32_t pid) { return tree_.process(pid).parent; }

gdbstub::ProcessFacts::Origin LiveFacts::origin(std::int32_t pid) {
  const bool ours = tree_.process(pid).ownership == LiveProcess::Ownership::Ours;
  return ours ? Origin::Created : Origin::Attached;
}

std::string LiveFacts::host_name() { return machine_names().nodename; }

std::string LiveFacts::kernel_release() { return machine_names().release; }

snapshot::LinkMap LiveFacts::link_map(std::int32_t pid) {
  const auto memory = tree_.process(pid).memory;
  return {[memory](std::uint64_t address, std::span<std::byte> out) {
            return memory->read(address, out);
          },
          proc_text(pid, "auxv")};
}

gdbstub::LibraryList LiveFacts::libraries(std::int32_t pid) { return link_map(pid).libraries(); }

std::optional<std::uint64_t> LiveFacts::debug_pointer(std::int32_t pid) {
  return link_map(pid).debug_pointer();
}

std::vector<gdbstub::MemoryRegion> LiveFacts::regions(std::int32_t pid) {
  tree_.process(pid);
  std::vector<gdbstub::MemoryRegion> regions;
  const std::string text = proc_text(pid, "maps");
  for (const auto& line : snapshot::proc::parse_maps(text)) {
    regions.push_back({line.start, line.end, line.readable, line.writable, line.executable,
                       std::string(line.name)});
  }
  return regions;
}

std::vector<std::byte> LiveFacts::siginfo(gdbstub::ThreadId id) {
  const auto bytes = ptrace_call::siginfo(tree_.stopped_thread(id).id.tid);
  if (!bytes) throw Error("thread " + std::to_string(id.tid) + " did not stop for a signal");
  const auto* first = reinterpret_cast<const std::byte*>(bytes->data());
  return {first, first + bytes->size()};
}

void LiveFacts::write_siginfo(gdbstub::ThreadId id, std::span<const std::byte> bytes) {
  const LiveThread& thread = tree_.stopped_thread(id);
  const auto current = ptrace_call::siginfo(thread.id.tid);
  if (!current || current->size() != bytes.size()) {
    throw Error("thread " + std::to_string(id.tid) + " did not stop for a signal");
  }
  ptrace_call::set_siginfo(thread.id.tid,
                           {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::uint64_t LiveFacts::address(gdbstub::ThreadId id, std::uint64_t offset,
                                 std::uint64_t link_map_address) {
  const std::uint64_t pointer = tree_.registers(tree_.stopped_thread(id)).fs_base;
  return snapshot::thread_local_address(link_map(id.pid), pointer, offset, link_map_address);
}

}  // namespace icecore::replay
