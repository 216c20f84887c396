// SPDX-License-Identifier: Apache-2.0
// Feeds bytes to every parser of /proc text. Much of it is chosen by the program that is looked at:
// its name, the paths of its mappings and mounts, what its drivers print in fdinfo.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "snapshot/proc/auxv.h"
#include "snapshot/proc/cgroup.h"
#include "snapshot/proc/cpuinfo.h"
#include "snapshot/proc/fdinfo.h"
#include "snapshot/proc/limits.h"
#include "snapshot/proc/maps.h"
#include "snapshot/proc/mountinfo.h"
#include "snapshot/proc/smaps.h"
#include "snapshot/proc/stat.h"
#include "snapshot/proc/status.h"
#include "snapshot/proc/syscall.h"
#include "snapshot/proc/timers.h"
#include "snapshot/proc/unix_diag.h"

namespace {

/// Runs `parse`; what is no such text must end in an Error and in nothing else.
template <typename Parse>
void expect_error_at_most(const Parse& parse) {
  try {
    parse();
  } catch (const icecore::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::snapshot::proc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  expect_error_at_most([&] { (void)auxv_value(text, 33); });
  expect_error_at_most([&] { (void)unified_cgroup(text); });
  expect_error_at_most([&] { (void)v1_cgroup(text, "freezer"); });
  expect_error_at_most([&] { (void)parse_cpuinfo(text); });
  expect_error_at_most([&] {
    const FdInfo info = parse_fdinfo(text);
    (void)fdinfo_value(info, "eventfd-count");
    (void)parse_epoll_targets(info.extra);
  });
  expect_error_at_most([&] { (void)parse_limits(text); });
  expect_error_at_most([&] {
    for (MapsLine line : parse_maps(text)) (void)take_deleted(line.name);
  });
  expect_error_at_most([&] { (void)find_cgroup2(parse_mountinfo(text)); });
  expect_error_at_most([&] {
    for (const SmapsEntry& entry : parse_smaps(text)) (void)has_vm_flag(entry.flags, "dd");
  });
  expect_error_at_most([&] { (void)parse_stat(text); });
  expect_error_at_most([&] { (void)parse_status(text); });
  expect_error_at_most([&] { (void)parse_syscall(text); });
  expect_error_at_most([&] { (void)parse_timers(text); });
  expect_error_at_most([&] {
    std::vector<UnixSocket> sockets;
    (void)parse_unix_diag(std::as_bytes(std::span(data, size)), sockets);
  });
  return 0;
}
