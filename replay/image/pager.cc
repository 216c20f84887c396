// SPDX-License-Identifier: Apache-2.0
#include "replay/image/pager.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace icecore::replay {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPage = 4096;
// Nobody waits longer for a page that is touched than it takes to copy so many others.
constexpr std::uint64_t kAtOnce = 64;
// At first the program has the machine: others are brought when it has asked for nothing for a
// while, and after so long in any case.
constexpr int kQuietMs = 10;
constexpr auto kAlone = std::chrono::milliseconds(100);

/// Of pages that come soon, so that the disk is busy while these are copied.
void read_ahead(std::span<const std::byte> pages) {
  constexpr std::size_t kAhead = std::size_t{2} << 20U;
  if (pages.size() <= kAhead) return;
  const auto next = pages.subspan(kAhead, std::min(pages.size() - kAhead, kAtOnce * kPage));
  ::madvise(const_cast<std::byte*>(next.data()), next.size(), MADV_WILLNEED);
}

}  // namespace

std::uint64_t Pager::features() {
  return UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_REMOVE |
         UFFD_FEATURE_EVENT_UNMAP;
}

Pager::Pager(UniqueFd fault, LatePages pages, Source source) : source_(std::move(source)) {
  ::fcntl(fault.get(), F_SETFL, O_NONBLOCK);
  spaces_.push_back({std::move(fault), std::move(pages)});
}

Pager::Ending Pager::run() {
  const auto patience = Clock::now() + kAlone;
  while (!spaces_.empty()) {
    if (take_messages(Clock::now() < patience ? kQuietMs : 0)) continue;
    for (auto& space : spaces_) fill(space);
    // Closing it ends the registration: what is touched now is the kernel's again.
    std::erase_if(spaces_, [](const Space& space) {
      return space.gone || (space.pages.empty() && space.asked.empty());
    });
    if (failed_) return Ending::Failed;
  }
  return Ending::Done;
}

/// Whether there were any.
bool Pager::take_messages(int timeout_ms) {
  std::vector<pollfd> waiting;
  for (const auto& space : spaces_) waiting.push_back({space.fault.get(), POLLIN, 0});
  if (::poll(waiting.data(), waiting.size(), timeout_ms) <= 0) return false;
  const std::size_t known = spaces_.size();
  for (std::size_t i = 0; i < known; ++i) {
    std::array<uffd_msg, 16> messages{};
    const ssize_t got = ::read(spaces_[i].fault.get(), messages.data(), sizeof messages);
    const std::size_t count = got < 0 ? 0 : static_cast<std::size_t>(got) / sizeof messages[0];
    for (std::size_t j = 0; j < count; ++j) take(spaces_[i], messages[j]);
    answer(spaces_[i]);
  }
  return true;
}

void Pager::take(Space& space, const uffd_msg& message) {
  const auto page_range = [](std::uint64_t start, std::uint64_t end) {
    return std::pair(start / kPage, (end - start) / kPage);
  };
  switch (message.event) {
    case UFFD_EVENT_PAGEFAULT:
      space.asked.push_back(message.arg.pagefault.address / kPage);
      break;
    case UFFD_EVENT_REMOVE:
    case UFFD_EVENT_UNMAP: {
      const auto [first, count] = page_range(message.arg.remove.start, message.arg.remove.end);
      space.pages.cut(first, count);
      break;
    }
    case UFFD_EVENT_REMAP: {
      const auto& moved = message.arg.remap;
      const std::uint64_t from = moved.from / kPage;
      for (auto run : space.pages.cut(from, moved.len / kPage)) {
        run.first = run.first - from + moved.to / kPage;
        space.pages.add(run);
      }
      break;
    }
    case UFFD_EVENT_FORK: {
      UniqueFd child(static_cast<int>(message.arg.fork.ufd));
      ::fcntl(child.get(), F_SETFL, O_NONBLOCK);
      spaces_.push_back({std::move(child), space.pages});
      break;
    }
    default:
      break;
  }
}

void Pager::answer(Space& space) {
  while (!space.asked.empty() && !space.gone) {
    const std::uint64_t page = space.asked.front();
    const auto runs = space.pages.cut(page, 1);
    const Copied copied = runs.empty() ? zero(space, page) : copy(space, runs.front());
    if (copied == Copied::Again) {
      // Something is being told: it comes before this page.
      for (const auto& run : runs) space.pages.add(run);
      return;
    }
    space.asked.pop_front();
    if (!runs.empty()) touched_.push_back(runs.front().source);
  }
}

void Pager::fill(Space& space) {
  answer(space);
  if (space.gone || space.pages.empty() || !space.asked.empty()) return;
  const auto run = space.pages.take_some(kAtOnce);
  read_ahead(source_(run.source));
  if (copy(space, run) == Copied::Again) space.pages.add(run);
}

Pager::Copied Pager::copy(Space& space, const LatePages::Run& run) {
  for (std::uint64_t done = 0; done < run.count;) {
    auto bytes = source_(run.source + done);
    bytes = bytes.first(std::min<std::size_t>(bytes.size(), (run.count - done) * kPage));
    if (bytes.empty()) {
      failed_ = true;
      return Copied::Gone;
    }
    // Else the kernel would find each of them missing in our own page tables first.
    if (bytes.size() > kPage) {
      ::madvise(const_cast<std::byte*>(bytes.data()), bytes.size(), MADV_POPULATE_READ);
    }
    uffdio_copy request{};
    request.dst = (run.first + done) * kPage;
    request.src = reinterpret_cast<std::uint64_t>(bytes.data());
    request.len = bytes.size();
    if (::ioctl(space.fault.get(), UFFDIO_COPY, &request) == 0) {
      done += bytes.size() / kPage;
      continue;
    }
    const int error = errno;
    if (request.copy > 0) done += static_cast<std::uint64_t>(request.copy) / kPage;
    if (error == EEXIST) {
      // There is one; whoever waited for it may go on.
      uffdio_range range{(run.first + done) * kPage, kPage};
      ::ioctl(space.fault.get(), UFFDIO_WAKE, &range);
      ++done;
    } else if (error == EAGAIN) {
      if (done == 0) return Copied::Again;
      space.pages.add({run.first + done, run.source + done, run.count - done});
      return Copied::All;
    } else if (error == ENOENT) {
      return Copied::All;  // no longer mapped
    } else {
      space.gone = true;
      failed_ = failed_ || error != ESRCH;
      return Copied::Gone;
    }
  }
  return Copied::All;
}

/// The snapshot has nothing there, or the program has given it up.
Pager::Copied Pager::zero(Space& space, std::uint64_t page) {
  uffdio_zeropage request{};
  request.range = {page * kPage, kPage};
  if (::ioctl(space.fault.get(), UFFDIO_ZEROPAGE, &request) == 0) return Copied::All;
  if (errno == EAGAIN) return Copied::Again;
  if (errno == ESRCH) {
    space.gone = true;
    return Copied::Gone;
  }
  ::ioctl(space.fault.get(), UFFDIO_WAKE, &request.range);
  return Copied::All;
}

}  // namespace icecore::replay
