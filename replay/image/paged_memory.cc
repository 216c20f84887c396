// SPDX-License-Identifier: Apache-2.0
#include "replay/image/paged_memory.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "replay/image/pager.h"
#include "replay/restore/required_call.h"

namespace icecore::replay {
namespace {

// A mapping with less is copied in less time than it takes to register it.
constexpr std::uint64_t kWorthwhile = 16;

bool agree(const UniqueFd& fault) {
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = Pager::features();
  return fault.valid() && ::ioctl(fault.get(), UFFDIO_API, &api) == 0;
}

UniqueFd fault_descriptor(Puppet& puppet) {
  constexpr std::uint64_t kFlags = O_CLOEXEC | O_NONBLOCK;
  const auto number = required_call(puppet, "userfaultfd", SYS_userfaultfd, {kFlags});
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, puppet.pid(), 0)));
  UniqueFd fault(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
  puppet.call(SYS_close, {number});
  if (!agree(fault)) throw_errno("userfaultfd of process " + std::to_string(puppet.pid()));
  return fault;
}

}  // namespace

PagedMemory::PagedMemory(const RawMemory& pages, const PageOrder& order, std::filesystem::path file)
    : pages_(pages), file_(std::move(file)), order_(joined(order)) {}

std::unique_ptr<PagedMemory> PagedMemory::create(const RawMemory& pages, const PageOrder& order,
                                                 const std::filesystem::path& file) {
  const UniqueFd tried(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC)));
  if (!agree(tried)) return nullptr;
  return std::unique_ptr<PagedMemory>(new PagedMemory(pages, order, file));
}

PagedMemory::~PagedMemory() {
  for (const int pid : pagers_) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
}

std::vector<PageFill> PagedMemory::put_off(const model::Process& process,
                                           const model::Mapping& mapping,
                                           const std::vector<PageFill>& fills) {
  LatePages pages;
  std::uint64_t count = 0;
  for (const auto& fill : fills) {
    for (std::uint64_t page = fill.first; page < fill.first + fill.count;) {
      const std::uint64_t rest = fill.first + fill.count - page;
      const std::uint64_t there = pages_.pages(process.space(), page).size() / store::kPageSize;
      const std::uint64_t taken = std::min(rest, std::max<std::uint64_t>(there, 1));
      // What it has not is zero, as all is in a new mapping.
      if (there != 0) pages.add({page, page, taken});
      if (there != 0) count += taken;
      page += taken;
    }
  }
  if (count < kWorthwhile) return fills;
  std::vector<PageFill> now;
  const auto before = [](const PageStretch& stretch,
                         const std::pair<std::uint64_t, std::uint64_t>& at) {
    return std::pair(stretch.space, stretch.first + stretch.count) <= at;
  };
  const std::uint64_t first = mapping.start() / store::kPageSize;
  const std::uint64_t end = mapping.end() / store::kPageSize;
  auto hot =
      std::lower_bound(order_.begin(), order_.end(), std::pair(process.space(), first), before);
  for (; hot != order_.end() && hot->space == process.space() && hot->first < end; ++hot) {
    for (const auto& run : pages.cut(hot->first, hot->count)) {
      now.push_back({run.first, run.count, true});
    }
  }
  Late& late = late_[process.space()];
  while (!pages.empty()) late.pages.add(pages.take_some(~std::uint64_t{0}));
  const bool touches = !late.ranges.empty() && late.ranges.back().end == mapping.start();
  if (touches) {
    late.ranges.back().end = mapping.end();
  } else {
    late.ranges.push_back({mapping.start(), mapping.end(), ""});
  }
  return now;
}

void PagedMemory::begin(RestoredProcess& process) {
  const auto late = late_.find(process.model->space());
  if (late == late_.end()) return;
  UniqueFd fault = fault_descriptor(process.puppet);
  for (const auto& range : late->second.ranges) {
    uffdio_register wanted{};
    wanted.range = {range.start, range.end - range.start};
    wanted.mode = UFFDIO_REGISTER_MODE_MISSING;
    if (::ioctl(fault.get(), UFFDIO_REGISTER, &wanted) != 0) {
      throw_errno("registering memory of process " + std::to_string(process.puppet.pid()));
    }
  }
  const int pid = ::fork();
  if (pid < 0) throw_errno("fork");
  if (pid == 0) serve(std::move(fault), late->first, process.puppet.pid());
  pagers_.push_back(pid);
}

void PagedMemory::serve(UniqueFd fault, std::uint64_t space, int pid) {
  ::prctl(PR_SET_NAME, "icecore-pager");
  // It may write to nobody, and nobody waits for it to close something.
  const auto number = static_cast<unsigned>(fault.get());
  if (number > 0) ::close_range(0, number - 1, 0);
  ::close_range(number + 1, ~0U, 0);
  cpu_set_t all;
  std::fill_n(reinterpret_cast<unsigned char*>(&all), sizeof all, 0xff);
  ::sched_setaffinity(0, sizeof all, &all);
  try {
    Pager pager(std::move(fault), std::move(late_.at(space).pages),
                [&](std::uint64_t page) { return pages_.pages(space, page); });
    // Whoever waits for a page that cannot be had must not wait for ever, nor go on without it.
    if (pager.run() == Pager::Ending::Failed) ::kill(pid, SIGKILL);
    PageOrder missed;
    for (const std::uint64_t page : pager.touched()) missed.push_back({space, page, 1});
    if (!missed.empty()) add_to_page_order(file_, missed);
  } catch (...) {
    ::kill(pid, SIGKILL);
  }
  ::_exit(0);
}

}  // namespace icecore::replay
