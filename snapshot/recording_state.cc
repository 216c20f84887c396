// SPDX-License-Identifier: Apache-2.0
#include "snapshot/recording_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

namespace icecore::snapshot {
namespace {

using enum RecordingState;

constexpr std::array<std::string_view, 8> kNames{"RUNNING", "FREEZING", "FROZEN",   "THAWING",
                                                 "CKPTING", "RSTRTING", "ABORTING", "DEAD"};

constexpr std::uint32_t kMagic = 0x54534349;  // "ICST"

std::uint64_t pack(RecordingState state, int holdup_tid) {
  return static_cast<std::uint64_t>(state) | static_cast<std::uint64_t>(holdup_tid) << 32U;
}

}  // namespace

// Shared between processes: fixed widths, lock-free, zero-filled at first.
struct StateWord::Shared {
  std::uint32_t magic;
  std::int32_t owner_pid;
  std::int32_t root_pid;
  std::int32_t unused;
  std::atomic<std::uint64_t> word;  // state in the low byte, the holdup's tid in the high half
  std::atomic<std::int64_t> since_ns;
};

std::string_view name_of(RecordingState state) {
  return kNames.at(static_cast<std::size_t>(state));
}

bool is_legal(RecordingState from, RecordingState to) {
  if (to == Dead) return from != Dead;
  switch (from) {
    case Running:
      return to == Freezing;
    case Freezing:
      return to == Frozen || to == Thawing;
    case Frozen:
      return to == Thawing || to == Checkpointing || to == Restarting;
    case Thawing:
      return to == Running;
    case Checkpointing:
      return to == Frozen;
    case Restarting:
      return to == Frozen || to == Aborting;
    case Aborting:
    case Dead:
      return false;
  }
  return false;
}

StateWord::StateWord(const std::filesystem::path& file, int root_pid) : file_(file) {
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  fd_.reset(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd_.valid()) throw_errno("open " + file.string());
  if (::flock(fd_.get(), LOCK_EX) != 0) throw_errno("lock " + file.string());
  if (::ftruncate(fd_.get(), 4096) != 0) throw_errno("resize " + file.string());
  region_ = MappedRegion::shared_file(fd_.get(), 4096);
  shared().owner_pid = ::getpid();
  shared().root_pid = root_pid;
  shared().since_ns = monotonic_ns();
  shared().word = pack(Running, 0);
  shared().magic = kMagic;
}

StateWord::~StateWord() { ::unlink(file_.c_str()); }

StateWord::Shared& StateWord::shared() const { return *reinterpret_cast<Shared*>(region_.data()); }

void StateWord::enter(RecordingState state) {
  if (state == state_) return;
  ICECORE_CHECK(is_legal(state_, state));
  log(Topic::Freezer, std::string(name_of(state_)) + " -> " + std::string(name_of(state)));
  state_ = state;
  shared().since_ns = monotonic_ns();
  shared().word = pack(state, 0);
}

void StateWord::set_holdup(int tid) { shared().word = pack(state_, tid); }

std::optional<StateReport> StateWord::read(const std::filesystem::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  // The recorder holds this lock for life; getting it means that nobody does.
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  const MappedRegion region = MappedRegion::shared_file(fd.get(), 4096);
  const auto& shared = *reinterpret_cast<const Shared*>(region.data());
  if (shared.magic != kMagic) return std::nullopt;
  const std::uint64_t word = shared.word;
  StateReport report;
  report.state = static_cast<RecordingState>(word & 0xffU);
  report.holdup_tid = static_cast<int>(word >> 32U);
  report.owner_pid = shared.owner_pid;
  report.root_pid = shared.root_pid;
  report.since_ns = shared.since_ns;
  return report;
}

}  // namespace icecore::snapshot
