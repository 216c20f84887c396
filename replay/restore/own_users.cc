// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/own_users.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace icecore::replay {
namespace {

void write_text(const char* path, const std::string& text) {
  const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || ::write(fd.get(), text.data(), text.size()) < 0) {
    throw_errno(std::string("make a user namespace: write ") + path);
  }
}

/// Who is not user 0 loses capabilities when executing another program, as the first process of a
/// tree does, unless they are in the ambient set.
void keep_capabilities() {
  const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  ::syscall(SYS_capget, &header, sets.data());
  for (auto& set : sets) set.inheritable = set.permitted;
  ::syscall(SYS_capset, &header, sets.data());
  for (unsigned long i = 0; ::prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; ++i) {
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0);
  }
}

/// The same number inside as outside.
std::string map_of(unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1\n"; }

}  // namespace

void enter_own_users() {
  const unsigned user = ::geteuid();
  const unsigned group = ::getegid();
  if (user == 0 || ::unshare(CLONE_NEWUSER) != 0) return;
  // The kernel gives a map of groups only to those who cannot drop one that is held against them.
  write_text("/proc/self/setgroups", "deny");
  write_text("/proc/self/uid_map", map_of(user));
  write_text("/proc/self/gid_map", map_of(group));
  keep_capabilities();
}

bool has_fixed_groups() {
  const UniqueFd fd(::open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC));
  std::array<char, 4> word{};
  return fd.valid() && ::read(fd.get(), word.data(), word.size()) == 4 &&
         std::string(word.data(), word.size()) == "deny";
}

}  // namespace icecore::replay
