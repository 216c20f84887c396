// SPDX-License-Identifier: Apache-2.0
#include "replay/image/limited_cgroup.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "replay/image/cgroups.h"

namespace icecore::replay {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "icecore-";
constexpr long kPeriodUs = 100'000;  // the kernel's own default

[[noreturn]] void refuse(const std::string& what, int error) {
  Refused refused(what + ": " + std::strerror(error));
  refused.set_hint("systemd-run --scope -p MemoryMax=1G -p CPUQuota=50% icecore image run ...");
  throw refused;
}

/// Those whose makers were killed before they could remove them.
void sweep(const std::string& parent) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(parent, none)) {
    const std::string name = entry.path().filename();
    int maker = 0;
    const auto dash = name.rfind('-');
    if (!name.starts_with(kPrefix) || dash == std::string::npos) continue;
    std::from_chars(name.data() + dash + 1, name.data() + name.size(), maker);
    if (maker > 0 && ::kill(maker, 0) != 0 && errno == ESRCH) ::rmdir(entry.path().c_str());
  }
}

void set(const std::string& directory, const std::string& file, const std::string& value) {
  const int error = write_cgroup_file(directory + "/" + file, value);
  if (error != 0) refuse("write " + value + " to " + directory + "/" + file, error);
}

void limit_memory(const std::string& directory, std::uint64_t bytes) {
  const std::string value = std::to_string(bytes);
  if (::access((directory + "/memory.max").c_str(), F_OK) == 0) {
    set(directory, "memory.max", value);
    // Not beyond it by swapping; there may be none to limit.
    write_cgroup_file(directory + "/memory.swap.max", "0");
    return;
  }
  set(directory, "memory.limit_in_bytes", value);
  write_cgroup_file(directory + "/memory.memsw.limit_in_bytes", value);
}

void limit_cpus(const std::string& directory, double cpus) {
  constexpr long kLeastUs = 1000;  // what the kernel accepts
  const long quota = std::max(kLeastUs, static_cast<long>(cpus * static_cast<double>(kPeriodUs)));
  if (::access((directory + "/cpu.max").c_str(), F_OK) == 0) {
    set(directory, "cpu.max", std::to_string(quota) + " " + std::to_string(kPeriodUs));
    return;
  }
  set(directory, "cpu.cfs_period_us", std::to_string(kPeriodUs));
  set(directory, "cpu.cfs_quota_us", std::to_string(quota));
}

}  // namespace

LimitedCgroup::LimitedCgroup(const CopyLimits& limits, const std::string& name) {
  try {
    const std::string all = limits.memory == 0 ? "cpu" : limits.cpus > 0 ? "memory,cpu" : "memory";
    if (limits.memory != 0) {
      make("memory", all, name);
      limit_memory(places_.back().own, limits.memory);
    }
    if (limits.cpus > 0) {
      make("cpu", all, name);
      limit_cpus(places_.back().own, limits.cpus);
    }
    inside_ = true;
    for (const auto& place : places_) set(place.own, "cgroup.procs", std::to_string(::getpid()));
  } catch (...) {
    undo();
    throw;
  }
}

LimitedCgroup::~LimitedCgroup() { undo(); }

/// A version 2 cgroup may do for both controllers: then it is there twice, and made once.
void LimitedCgroup::make(const std::string& controller, const std::string& all,
                         const std::string& name) {
  const auto mounts = own_mounts();
  const auto own = cgroups_of("self");
  const auto first = std::ranges::find_if(own, [&](const auto& entry) {
    return !entry.first.empty() && has_controllers(entry.first, controller);
  });
  const bool is_second_version = first == own.end();
  const std::string controllers = is_second_version ? "" : first->first;
  const auto path = own.find(controllers);
  const std::string directory =
      path == own.end() ? "" : cgroup_directory(mounts, controllers, path->second);
  if (directory.empty()) refuse("limit " + controller + ": no cgroup hierarchy has it", ENOENT);
  std::string parent = directory;
  if (is_second_version) {
    const auto able = parent_with(directory, cgroup_directory(mounts, "", "/"), all);
    if (able.error != 0) refuse("cgroup " + directory + ": it cannot limit " + all, able.error);
    parent = able.directory;
  }
  sweep(parent);
  const std::string made =
      parent + "/" + std::string(kPrefix) + name + "-" + std::to_string(::getpid());
  const bool known = std::ranges::find(places_, made, &Place::own) != places_.end();
  if (!known && ::mkdir(made.c_str(), 0755) != 0) refuse("make cgroup " + made, errno);
  places_.push_back({directory, made});
}

void LimitedCgroup::leave() noexcept {
  if (!inside_) return;
  inside_ = false;
  for (const auto& place : places_) {
    write_cgroup_file(place.before + "/cgroup.procs", std::to_string(::getpid()));
  }
}

void LimitedCgroup::undo() noexcept {
  leave();
  for (const auto& place : places_) ::rmdir(place.own.c_str());
}

}  // namespace icecore::replay
