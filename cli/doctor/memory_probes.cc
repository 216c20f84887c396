// SPDX-License-Identifier: Apache-2.0
// Can we tell which pages changed, and at what cost?
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/mapped_region.h"
#include "base/unique_fd.h"
#include "cli/doctor/probe.h"

namespace icecore::cli::doctor {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = 4;

// Debian 12's headers are older than these; the numbers are the kernel's ABI (linux/userfaultfd.h
// and linux/fs.h of Linux 6.7).
constexpr std::uint64_t kFeatureWpUnpopulated = 1U << 13U;
constexpr std::uint64_t kFeatureWpAsync = 1U << 15U;
constexpr int kUserModeOnly = 1;
struct PageRegion {
  std::uint64_t start, end, categories;
};
struct PagemapScan {
  std::uint64_t size, flags, start, end, walk_end, regions, regions_length, max_pages;
  std::uint64_t category_inverted, category_mask, category_any_of_mask, return_mask;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, PagemapScan);
constexpr std::uint64_t kPageIsWritten = 1U << 1U;
constexpr std::uint64_t kWriteProtectMatching = 1U << 0U;
constexpr std::uint64_t kCheckWpAsync = 1U << 1U;

UniqueFd open_userfaultfd() {
  UniqueFd fd(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC)));
  if (!fd.valid() && errno == EPERM) {
    fd.reset(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | kUserModeOnly)));
  }
  return fd;
}

/// Write-protects the written pages of `region` and returns where they began; empty on failure.
std::vector<PageRegion> scan(int pagemap, const MappedRegion& region) {
  std::vector<PageRegion> found(kPages);
  PagemapScan arguments{};
  arguments.size = sizeof arguments;
  arguments.flags = kWriteProtectMatching | kCheckWpAsync;
  arguments.start = reinterpret_cast<std::uint64_t>(region.data());
  arguments.end = arguments.start + region.size();
  arguments.regions = reinterpret_cast<std::uint64_t>(found.data());
  arguments.regions_length = found.size();
  arguments.category_mask = kPageIsWritten;
  arguments.return_mask = kPageIsWritten;
  const int count = ::ioctl(pagemap, kPagemapScan, &arguments);
  found.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return found;
}

Finding track_writes() {
  const auto region = MappedRegion::anonymous(kPages * kPage, MappedRegion::Populate::Yes);
  const UniqueFd fault = open_userfaultfd();
  if (!fault.valid()) return fails_with_errno("userfaultfd");
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = kFeatureWpAsync | kFeatureWpUnpopulated;
  if (::ioctl(fault.get(), UFFDIO_API, &api) != 0) {
    return fails_with_errno("UFFDIO_API with WP_ASYNC");
  }
  uffdio_register registration{};
  registration.range = {reinterpret_cast<std::uint64_t>(region.data()), region.size()};
  registration.mode = UFFDIO_REGISTER_MODE_WP;
  if (::ioctl(fault.get(), UFFDIO_REGISTER, &registration) != 0) {
    return fails_with_errno("UFFDIO_REGISTER");
  }
  const UniqueFd pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!pagemap.valid()) return fails_with_errno("open /proc/self/pagemap");
  if (scan(pagemap.get(), region).empty()) return fails_with_errno("PAGEMAP_SCAN");
  const std::size_t touched = 2;
  region.data()[touched * kPage] = std::byte{1};
  const auto written = scan(pagemap.get(), region);
  const auto expected = reinterpret_cast<std::uint64_t>(region.data()) + touched * kPage;
  if (written.size() != 1 || written[0].start != expected || written[0].end != expected + kPage) {
    return fails("PAGEMAP_SCAN does not report exactly the page that was written");
  }
  return works("one page written, exactly that page reported");
}

std::uint64_t pagemap_entry(const void* address) {
  const UniqueFd pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  std::uint64_t entry = 0;
  const auto offset = reinterpret_cast<std::uintptr_t>(address) / kPage * sizeof entry;
  if (::pread(pagemap.get(), &entry, sizeof entry, static_cast<off_t>(offset)) != sizeof entry) {
    return 0;
  }
  return entry;
}

Finding read_page_frames() {
  constexpr std::uint64_t kFrame = (1ULL << 55U) - 1;
  const auto region = MappedRegion::anonymous(kPage, MappedRegion::Populate::Yes);
  region.data()[0] = std::byte{1};
  return (pagemap_entry(region.data()) & kFrame) != 0
             ? works()
             : fails("/proc/PID/pagemap shows no page frame numbers");
}

std::uint64_t huge_kilobytes_at(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t start = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> start >> dash >> end && dash == '-') {
      const auto wanted = reinterpret_cast<std::uintptr_t>(address);
      inside = start <= wanted && wanted < end;
    } else if (inside && line.starts_with("AnonHugePages:")) {
      return std::stoull(line.substr(line.find(':') + 1));
    }
  }
  return 0;
}

Finding use_huge_pages() {
  constexpr std::size_t kHuge = 2U << 20U;
  const auto region = MappedRegion::anonymous(2 * kHuge);
  const auto start = reinterpret_cast<std::uintptr_t>(region.data());
  auto* const aligned = region.data() + (kHuge - start % kHuge) % kHuge;
  if (::madvise(aligned, kHuge, MADV_HUGEPAGE) != 0) return fails_with_errno("MADV_HUGEPAGE");
  *aligned = std::byte{1};
  return huge_kilobytes_at(aligned) >= kHuge / 1024 ? works() : fails("no huge page was given");
}

constexpr std::array kProbes = {
    Probe{"track written pages", Need::Useful,
          "userfaultfd in asynchronous write-protect mode and PAGEMAP_SCAN tell exactly which "
          "pages changed",
          "each snapshot reads and compares the whole memory of the tree: longer pauses",
          "a kernel with both (6.7 or newer); if userfaultfd is not permitted: sudo sysctl "
          "vm.unprivileged_userfaultfd=1",
          track_writes},
    Probe{"page frame numbers", Need::Useful,
          "recognises the pages that a forked child still shares",
          "the first snapshot after a fork reads the child's memory whole",
          "run icecore as root (needs CAP_SYS_ADMIN)", read_page_frames},
    Probe{"huge pages", Need::Useful, "holds copied pages and images in huge pages",
          "copying out and fast starts take about twice as long",
          "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled", use_huge_pages},
};

}  // namespace

std::span<const Probe> memory_probes() { return kProbes; }

}  // namespace icecore::cli::doctor
