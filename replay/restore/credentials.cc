// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/credentials.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/error.h"
#include "replay/restore/own_users.h"
#include "snapshot/capture/credentials.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/status.h"

namespace icecore::replay {
namespace {

constexpr unsigned kLastCapability = 40;    // CAP_CHECKPOINT_RESTORE, Linux 5.9
constexpr std::uint64_t kAmbientRaise = 2;  // PR_CAP_AMBIENT_RAISE

std::uint32_t low(std::uint64_t set) { return static_cast<std::uint32_t>(set); }
std::uint32_t high(std::uint64_t set) { return static_cast<std::uint32_t>(set >> 32U); }

void set_capabilities(CallBatch& batch, const model::Credentials& c, const std::string& what) {
  for (unsigned i = 0; i <= kLastCapability; ++i) {
    if ((c.capabilities_bounding() >> i & 1U) == 0) {
      batch.add(SYS_prctl, {PR_CAPBSET_DROP, i}, [](std::int64_t) {});
    }
  }
  const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> data{
      {{low(c.capabilities_effective()), low(c.capabilities_permitted()),
        low(c.capabilities_inheritable())},
       {high(c.capabilities_effective()), high(c.capabilities_permitted()),
        high(c.capabilities_inheritable())}}};
  const auto header_at = batch.put_struct(header);
  const auto data_at = batch.put_struct(data);
  batch.add(SYS_capset, {header_at, data_at}, what + ": capset");
  for (unsigned i = 0; i <= kLastCapability; ++i) {
    if ((c.capabilities_ambient() >> i & 1U) != 0) {
      batch.add(SYS_prctl, {PR_CAP_AMBIENT, kAmbientRaise, i}, what + ": ambient capabilities");
    }
  }
}

/// Those that every puppet has from us.
const model::Credentials& own_credentials() {
  static const model::Credentials own = [] {
    model::Credentials credentials;
    const std::string status = snapshot::ProcDirectory::read_file("/proc/self/status");
    snapshot::fill_credentials(snapshot::proc::parse_status(status), credentials);
    return credentials;
  }();
  return own;
}

/// Only what differs: in a user namespace of one's own groups cannot be set at all.
void set_ids(CallBatch& batch, const model::Credentials& c, const std::string& what) {
  const auto& own = own_credentials();
  const std::vector<std::uint32_t> groups(c.groups().begin(), c.groups().end());
  if (!std::ranges::equal(groups, own.groups()) && !has_fixed_groups()) {
    const auto list = batch.put(std::as_bytes(std::span(groups)));
    batch.add(SYS_setgroups, {groups.size(), list}, what + ": setgroups");
  }
  const bool same_group = c.gid() == own.gid() && c.egid() == own.egid() && c.sgid() == own.sgid();
  if (!same_group) batch.add(SYS_setresgid, {c.gid(), c.egid(), c.sgid()}, what + ": setresgid");
  if (c.fsgid() != c.egid()) batch.add(SYS_setfsgid, {c.fsgid()}, what + ": setfsgid");
  const bool same_user = c.uid() == own.uid() && c.euid() == own.euid() && c.suid() == own.suid();
  if (!same_user) batch.add(SYS_setresuid, {c.uid(), c.euid(), c.suid()}, what + ": setresuid");
  if (c.fsuid() != c.euid()) batch.add(SYS_setfsuid, {c.fsuid()}, what + ": setfsuid");
}

bool are_own(const model::Credentials& credentials) {
  static const std::string own = own_credentials().SerializeAsString();
  return credentials.SerializeAsString() == own;
}

}  // namespace

void set_credentials(RestoredProcess& process, const model::Thread& thread, int tid) {
  const auto& c = thread.has_credentials() ? thread.credentials() : process.model->credentials();
  const std::string what = "thread " + std::to_string(inner_tid(thread));
  CallBatch batch(process.puppet, tid);
  const bool change = !are_own(c);
  if (change) {
    // A change of ids would clear capabilities; kept until capset says which.
    constexpr unsigned kNoSetuidFixup = 1U << 2U;
    batch.add(SYS_prctl, {PR_SET_SECUREBITS, kNoSetuidFixup}, what + ": securebits");
    set_ids(batch, c, what);
    batch.add(SYS_prctl, {PR_SET_SECUREBITS, c.securebits()}, what + ": securebits");
    set_capabilities(batch, c, what);
    if (c.no_new_privs()) batch.add(SYS_prctl, {PR_SET_NO_NEW_PRIVS, 1}, what + ": no_new_privs");
  }
  // After the ids, whose change clears it.
  if (thread.pdeath_signal() != 0) {
    batch.add(SYS_prctl, {PR_SET_PDEATHSIG, static_cast<std::uint64_t>(thread.pdeath_signal())},
              what + ": parent death signal");
  }
  const int dumpable = process.model->dumpable();
  if (thread.tid() == process.model->pid() && (dumpable == 0 || (change && dumpable == 1))) {
    batch.add(SYS_prctl, {PR_SET_DUMPABLE, static_cast<std::uint64_t>(dumpable)},
              what + ": dumpable");
  }
  batch.run();
}

}  // namespace icecore::replay
