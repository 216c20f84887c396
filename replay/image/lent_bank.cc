// SPDX-License-Identifier: Apache-2.0
#include "replay/image/lent_bank.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "replay/image/bank_model.h"
#include "replay/image/cgroup_move.h"
#include "replay/image/parking.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

// Older C libraries do not have it.
constexpr unsigned kNewTime = 0x80;  // CLONE_NEWTIME
constexpr unsigned kOtherNamespaces =
    CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

/// The kept process, driven by us for a moment; parked again at the end.
class Borrowed {
 public:
  explicit Borrowed(const Puppet& kept) : puppet_(kept) {
    // On the CPU of its driver every stop is several times cheaper.
    cpu_set_t cpus;
    ::sched_getaffinity(0, sizeof cpus, &cpus);
    ::sched_setaffinity(puppet_.pid(), sizeof cpus, &cpus);
    if (ptrace_call::seize(puppet_.pid(),
                           ptrace_call::debugging_options(ptrace_call::TracerDeath::LeavesThem)) !=
        ptrace_call::Seize::Done) {
      throw Error("the bank's process " + std::to_string(puppet_.pid()) + " cannot be traced");
    }
    ptrace_call::interrupt(puppet_.pid());
    snapshot::await_stop(puppet_.pid());
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() {
    try {
      park(puppet_);
      ptrace_call::detach(puppet_.pid(), 0);
    } catch (const Error&) {
      // It has died; its keeper sees that.
    }
  }
  Puppet& puppet() { return puppet_; }

 private:
  Puppet puppet_;
};

// Descriptors of the kept process while it is ours, and of its fork. It has none of its own, so
// that the kernel gives these out in turn.
enum Fd : std::uint64_t { kOwnPids, kOwnTime, kTreesPids, kTreesTime, kNursery, kReceived };

/// In one batch: each stop of another process costs more than all of these calls.
void enter_tree(Puppet& kept, const Nursery& nursery, const Transport& transport) {
  CallBatch batch(kept, kept.pid());
  const auto below = static_cast<std::uint64_t>(transport.number()) - 1;
  batch.add(SYS_close_range, {0, below, 0}, "close_range");
  const std::string trees = "/proc/" + std::to_string(nursery.pid()) + "/ns/";
  for (const auto& path : {std::string("/proc/self/ns/pid"), std::string("/proc/self/ns/time"),
                           trees + "pid", trees + "time_for_children"}) {
    const auto name = batch.put_text(path);
    batch.add(SYS_open, {name, O_RDONLY | O_CLOEXEC}, "open " + path);
  }
  batch.add(SYS_pidfd_open, {static_cast<std::uint64_t>(nursery.pid()), 0}, "pidfd_open");
  batch.add(SYS_setns, {kTreesPids, CLONE_NEWPID}, "entering the PID namespace");
  batch.add(SYS_setns, {kTreesTime, kNewTime}, "entering the time namespace");
  batch.run();
}

/// Nothing of a copy's may be held by the kept process when the copy has ended.
void leave_tree(Puppet& kept, const Transport& transport) {
  CallBatch batch(kept, kept.pid());
  const auto ignored = [](std::int64_t) {};
  batch.add(SYS_wait4, {~0ULL, 0, unsigned{__WALL} | WNOHANG, 0}, ignored);
  batch.add(SYS_setns, {kOwnPids, CLONE_NEWPID}, ignored);
  batch.add(SYS_setns, {kOwnTime, kNewTime}, ignored);
  batch.add(SYS_close_range, {0, static_cast<std::uint64_t>(transport.number()) - 1, 0}, ignored);
  batch.run();
}

/// clone3 by `creator`, its child stopped and traced; the child's pid in our namespace.
int clone_with_pid(Puppet& creator, std::uint64_t flags, int pid) {
  clone_args arguments{};
  arguments.flags = flags;
  arguments.exit_signal = SIGCHLD;
  const std::int32_t wanted = pid;
  arguments.set_tid = creator.scratch() + sizeof arguments;
  arguments.set_tid_size = 1;
  std::array<std::byte, sizeof arguments + sizeof wanted> bytes{};
  std::memcpy(bytes.data(), &arguments, sizeof arguments);
  std::memcpy(bytes.data() + sizeof arguments, &wanted, sizeof wanted);
  creator.write(creator.scratch(), bytes);
  std::array calls{RemoteCall{SYS_clone3, {creator.scratch(), sizeof arguments}, 0}};
  const auto born = creator.run(creator.pid(), calls);
  if (calls[0].result < 0) {
    throw_errno("forking the bank with pid " + std::to_string(pid),
                static_cast<int>(-calls[0].result));
  }
  if (born.size() != 1) throw Error("forking the bank: the kernel did not tell the pid");
  snapshot::await_stop(born[0]);
  return born[0];
}

/// The lowest pid that nothing of the tree has, but init's.
int spare_pid(const snapshot::StoredSnapshot& image) {
  const auto is_taken = [&](int pid) {
    return std::ranges::any_of(image.model().processes(), [pid](const model::Process& process) {
      return inner_pid(process) == pid || inner_group(process) == pid ||
             inner_session(process) == pid ||
             std::ranges::any_of(process.threads(), [pid](const model::Thread& thread) {
               return inner_tid(thread) == pid;
             });
    });
  };
  int pid = 2;
  while (is_taken(pid)) ++pid;
  return pid;
}

/// From the keeper's namespaces into those of the tree, with the tree's transport.
void move_in(Puppet& fork, const Transport& transport) {
  const auto number = static_cast<std::uint64_t>(transport.number());
  CallBatch batch(fork, fork.pid());
  batch.add(SYS_setns, {kNursery, kOtherNamespaces}, "entering the copy's namespaces");
  batch.add(SYS_pidfd_getfd, {kNursery, number, 0}, "pidfd_getfd");
  batch.add(SYS_dup3, {kReceived, number, 0}, "dup3");
  batch.add(SYS_close_range, {0, number - 1, 0}, "close_range");
  batch.add(SYS_close_range, {number + 1, ~0U, 0}, "close_range");
  batch.run();
}

/// In the namespaces that new children of `kept` have now: a process in between, which shares its
/// memory, forks and ends, so that the kernel gives the fork to the namespace's init.
int fork_for_init(Puppet& kept, int pid, int pid_between) {
  const int between = clone_with_pid(kept, CLONE_VM, pid_between);
  Puppet second(between, kept.area());
  const auto end_second = [&] {
    ::kill(between, SIGKILL);
    ::waitpid(between, nullptr, __WALL);
  };
  try {
    const int born = clone_with_pid(second, 0, pid);
    end_second();
    return born;
  } catch (...) {
    end_second();
    throw;
  }
}

}  // namespace

LentBank::LentBank(UniqueFd lock, const BankRecord& record, const snapshot::StoredSnapshot& image)
    : lock_(std::move(lock)),
      record_(record),
      model_(bank_model(image.model())),
      kept_{&model_.processes(0), record.pid, Puppet(record.pid, record.area), {}},
      spare_pid_(spare_pid(image)) {
  kept_.mapped = mapped_in(*kept_.model);
  kept_.mapped.push_back({record.area, record.area + Puppet::kAreaSize, ""});
}

std::unique_ptr<LentBank> LentBank::find(const std::filesystem::path& path,
                                         const snapshot::StoredSnapshot& image) {
  const auto record = read_bank_record(path);
  if (!record || record->number != image.key().number) return nullptr;
  UniqueFd lock(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!lock.valid()) return nullptr;
  return std::unique_ptr<LentBank>(new LentBank(std::move(lock), *record, image));
}

int LentBank::fork_into(const Nursery& nursery, const Transport& transport, int pid) {
  while (::flock(lock_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw_errno("waiting for the bank");
  }
  int born = 0;
  {
    Borrowed borrowed(kept_.puppet);
    Puppet& kept = borrowed.puppet();
    try {
      enter_tree(kept, nursery, transport);
      born = fork_for_init(kept, pid, spare_pid_);
    } catch (...) {
      leave_tree(kept, transport);
      throw;
    }
    leave_tree(kept, transport);
  }
  ::flock(lock_.get(), LOCK_UN);
  // It was born in the keeper's.
  move_to_own_cgroups(born);
  Puppet fork(born, record_.area);
  move_in(fork, transport);
  return born;
}

}  // namespace icecore::replay
