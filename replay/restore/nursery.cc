// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/nursery.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/mapped_region.h"
#include "replay/files/private_view.h"
#include "replay/restore/seed_image.h"
#include "snapshot/capture/life_origin.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

// Older C libraries do not have it.
constexpr int kNewTime = 0x80;  // CLONE_NEWTIME

struct Start {
  int image;
  int transport;
  int transport_number;
  int report;
  int report_number;
  int error = 0;
};

/// In namespaces of its own a tree is made by who has all rights there; in ours these are needed,
/// for pids and memory layouts of one's choice.
void require_rights() {
  constexpr unsigned kEnough[] = {CAP_SYS_ADMIN, 40 /* CAP_CHECKPOINT_RESTORE, Linux 5.9 */};
  const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  ::syscall(SYS_capget, &header, sets.data());
  for (const unsigned right : kEnough) {
    if ((sets[right / 32].effective >> right % 32 & 1U) != 0) return;
  }
  Error refused("making processes in the namespaces that we are in: not permitted", EPERM);
  refused.set_hint("run it as root");
  throw refused;
}

/// Runs in the memory of its parent, which waits: nothing here may change anything but the start.
int begin_seed(void* argument) {
  auto& start = *static_cast<Start*>(argument);
  const rlimit files{static_cast<rlim_t>(start.report_number) + 1024,
                     static_cast<rlim_t>(start.report_number) + 1024};
  rlimit now{};
  ::getrlimit(RLIMIT_NOFILE, &now);
  struct sigaction fresh {};
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &fresh, nullptr);
  const char* const arguments[] = {"icecore-init", nullptr};
  const char* const environment[] = {nullptr};
  // Ours may have the very numbers that they are to get: above those first.
  const auto away = [&](int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, start.report_number + 1); };
  if ((now.rlim_cur < files.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &files) != 0) ||
      ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || (start.image = away(start.image)) < 0 ||
      (start.transport = away(start.transport)) < 0 ||
      (start.report >= 0 && (start.report = away(start.report)) < 0) ||
      ::dup2(start.transport, start.transport_number) < 0 ||
      (start.report >= 0 && ::dup2(start.report, start.report_number) < 0)) {
    start.error = errno;
    ::_exit(1);
  }
  ::close_range(0, static_cast<unsigned>(start.transport_number) - 1, CLOSE_RANGE_CLOEXEC);
  ::syscall(SYS_execveat, start.image, "", arguments, environment, AT_EMPTY_PATH);
  start.error = errno;
  ::_exit(1);
}

UniqueFd seed_file() {
  UniqueFd fd(::memfd_create("icecore-init", MFD_CLOEXEC));
  if (!fd.valid()) throw_errno("memfd_create");
  const auto image = seed_image();
  if (::write(fd.get(), image.data(), image.size()) != static_cast<ssize_t>(image.size())) {
    throw_errno("writing the seed program");
  }
  return fd;
}

/// "monotonic 12 345" for the time namespace whose clock is to show `wanted` now.
std::string offset_line(const char* name, clockid_t clock, std::int64_t wanted) {
  const std::int64_t offset = wanted - clock_ns(clock);
  std::int64_t seconds = offset / kNsPerSecond;
  std::int64_t rest = offset % kNsPerSecond;
  if (rest < 0) {
    rest += kNsPerSecond;
    --seconds;
  }
  return std::string(name) + " " + std::to_string(seconds) + " " + std::to_string(rest) + "\n";
}

}  // namespace

Nursery::Nursery(const Options& options, Transport& transport)
    : in_place_(options.in_place), detach_(options.detach) {
  try {
    start(options, transport);
    transport.close_far_end();
    enter_time_namespace(options.clocks);
    if (!in_place_) prepare_mounts(options);
    root_.reset(::open(("/proc/" + std::to_string(pid_) + "/root").c_str(), O_PATH | O_CLOEXEC));
    if (!root_.valid()) throw_errno("opening the root directory of the new tree");
  } catch (...) {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, __WALL);
    }
    throw;
  }
}

Nursery::~Nursery() {
  if (gone_) return;
  ::kill(pid_, SIGKILL);
  // The rest of its namespace is killed by the kernel and ends before it, but those that we trace
  // only when we have reaped them.
  for (int ended = 0; ended != pid_;) {
    ended = ::waitpid(-1, nullptr, __WALL);
    if (ended < 0 && errno != EINTR) return;
  }
}

void Nursery::start(const Options& options, const Transport& transport) {
  if (in_place_) require_rights();
  const UniqueFd image = seed_file();
  std::array<int, 2> ends{-1, -1};
  if (!in_place_ && ::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw_errno("pipe");
  reports_.reset(ends[0]);
  const UniqueFd report(ends[1]);
  report_number_ = in_place_ ? -1 : transport.number() + 1;
  Start begin{image.get(), transport.far_end(), transport.number(), report.get(),
              transport.number() + 1};
  int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
  if (!in_place_) flags |= CLONE_NEWPID | CLONE_NEWNS;
  if (options.new_ipc) flags |= CLONE_NEWIPC;
  if (options.new_uts) flags |= CLONE_NEWUTS;
  // Not on our own stack: AddressSanitizer would go on to watch the frames of the child there.
  constexpr std::size_t kStackSize = 65536;
  const auto stack = MappedRegion::anonymous(kStackSize);
  pid_ = ::clone(begin_seed, stack.data() + stack.size(), flags, &begin);
  if (pid_ < 0) {
    const int error = errno;
    pid_ = 0;
    Error refused("making the namespaces of the restored tree: " +
                      std::string(error == EPERM ? "not permitted" : std::to_string(error)),
                  error);
    refused.set_hint("run it as root");
    throw refused;
  }
  if (begin.error != 0) throw_errno("starting the first process", begin.error);
  if (ptrace_call::seize(pid_, ptrace_call::puppet_options()) != ptrace_call::Seize::Done) {
    throw Error("the first process cannot be traced");
  }
  ptrace_call::interrupt(pid_);
  snapshot::await_stop(pid_);
  ptrace_call::set_signal_mask(pid_, ~(1ULL << static_cast<unsigned>(SIGTRAP - 1)));
  puppet_.emplace(pid_, 0);
  puppet_->move_in(kSeedAddress + 0x10000, kSeedSyscall);
}

/// The offsets can be written until a first process enters; the nursery's children will.
void Nursery::enter_time_namespace(const model::Clocks& clocks) {
  if (clocks.monotonic_ns() == 0) return;
  const std::int64_t result = puppet_->call(SYS_unshare, {static_cast<unsigned>(kNewTime)});
  if (result < 0) {
    Error failed("making a time namespace: " + std::string(::strerror(static_cast<int>(-result))),
                 static_cast<int>(-result));
    if (result == -EPERM) failed.set_hint("run it as root");
    throw failed;
  }
  const std::string path = "/proc/" + std::to_string(pid_) + "/timens_offsets";
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const std::string text = offset_line("monotonic", CLOCK_MONOTONIC, clocks.monotonic_ns()) +
                           offset_line("boottime", CLOCK_BOOTTIME, clocks.boottime_ns());
  if (!fd.valid() || ::write(fd.get(), text.data(), text.size()) < 0) {
    throw_errno("setting the clocks of the time namespace");
  }
}

/// Nothing that the tree mounts is seen outside, and its /proc shows its own processes.
void Nursery::prepare_mounts(const Options& options) {
  CallBatch batch(*puppet_, pid_);
  const auto root = batch.put_text("/");
  batch.add(SYS_mount, {0, root, 0, MS_REC | MS_PRIVATE, 0}, "making the mounts private");
  batch.run();
  const bool guarded = options.other_files == Options::OtherFiles::ReadOnly;
  if (guarded) forbid_writing(*puppet_);
  make_private_view(*puppet_, options.private_directories, options.wished_directories);
  const auto type = batch.put_text("proc");
  const auto target = batch.put_text("/proc");
  const auto source = batch.put_text(std::string(icecore::snapshot::kLifeMark) + options.snapshot);
  batch.add(SYS_mount, {source, target, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0},
            "mounting the new tree's /proc");
  batch.run();
  if (guarded) forbid_settings(*puppet_);
}

void Nursery::let_go(int root_pid) {
  if (in_place_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, __WALL);
    gone_ = true;
    return;
  }
  CallBatch batch(*puppet_, pid_);
  if (detach_) batch.add(SYS_prctl, {PR_SET_PDEATHSIG, 0}, "leaving the first process alone");
  const auto report = static_cast<unsigned>(report_number_);
  batch.add(SYS_close_range, {0, report - 1, 0}, "closing descriptors of the first process");
  batch.add(SYS_close_range, {report + 1, ~0U, 0}, "closing descriptors of the first process");
  batch.add(SYS_setsid, {}, [](std::int64_t) {});
  batch.run();
  auto registers = ptrace_call::registers(pid_);
  if (!registers) throw Error("the first process died");
  registers->orig_rax = ~0ULL;
  registers->rip = kSeedInit;
  registers->r12 = static_cast<std::uint64_t>(root_pid);
  registers->rbx = static_cast<std::uint64_t>(report_number_);
  registers->r13 = 0;
  ptrace_call::set_registers(pid_, *registers);
  ptrace_call::set_signal_mask(pid_, 0);
  ptrace_call::detach(pid_, 0);
  gone_ = true;
}

}  // namespace icecore::replay
