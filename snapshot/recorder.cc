// SPDX-License-Identifier: Apache-2.0
#include "snapshot/recorder.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

namespace icecore::snapshot {
namespace {

using Clock = std::chrono::steady_clock;

// A freeze looks at requests (to cancel it) this often.
constexpr auto kFreezeSlice = std::chrono::milliseconds(20);

constexpr std::array kForwarded{SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGUSR1,
                                SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH, SIGALRM};

sigset_t recorder_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (const int signal : kForwarded) sigaddset(&set, signal);
  return set;
}

std::uint64_t microseconds(Clock::duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

std::filesystem::path run_directory(const std::filesystem::path& store) {
  const auto directory = store / "run";
  std::error_code ignored;
  std::filesystem::create_directory(directory, ignored);
  return directory;
}

}  // namespace

sigset_t block_recorder_signals() {
  const sigset_t set = recorder_signals();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &set, &before);
  return before;
}

RecorderFiles::RecorderFiles(const std::filesystem::path& store, std::string_view recording)
    : state(store / "run" / (std::string(recording) + ".state")),
      socket(store / "run" / (std::string(recording) + ".sock")) {}

Recorder::Recorder(store::RecordingWriter writer, const std::filesystem::path& store, int root,
                   RecorderOptions options)
    : writer_(std::move(writer)),
      files_(run_directory(store).parent_path(), writer_.name()),
      options_(std::move(options)),
      tree_(root, options_.between),
      capture_(
          tree_, [this] { return writer_.new_space(); }, options_.files,
          BufferLimit{options_.buffer_bytes, run_directory(store)}),
      word_(files_.state, root),
      control_(files_.socket),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      storing_(writer_, options_.tag) {
  const sigset_t set = recorder_signals();
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  root_process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, root, 0)));
  if (!timer_.valid() || !signals_.valid()) throw_errno("making the recorder's timers");
}

Recorder::~Recorder() = default;

void Recorder::set_timer() {
  if (!options_.interval) return;
  // An absolute start and a kernel interval: ticks never drift, however long a snapshot takes.
  const auto ns = std::max<std::int64_t>(options_.interval->count(), 1);
  std::int64_t first = monotonic_ns();
  if (options_.first == RecorderOptions::First::AfterInterval) first += ns;
  itimerspec timer{};
  timer.it_value = {first / 1'000'000'000, first % 1'000'000'000};
  timer.it_interval = {ns / 1'000'000'000, ns % 1'000'000'000};
  if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &timer, nullptr) != 0) {
    throw_errno("setting the snapshot interval");
  }
}

Recorder::End Recorder::run() {
  set_timer();
  dispatch_tree();
  while (!end_) poll_once();
  wait_until_stored();
  if (tree_.frozen()) thaw();
  if (*end_ == End::RootExited) word_.enter(RecordingState::Dead);
  return *end_;
}

void Recorder::poll_once() {
  std::vector<pollfd> polled{{signals_.get(), POLLIN, 0},
                             {timer_.get(), POLLIN, 0},
                             {storing_.descriptor(), POLLIN, 0},
                             {root_process_.get(), POLLIN, 0}};
  for (const int fd : control_.descriptors()) polled.push_back({fd, POLLIN, 0});
  if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) throw_errno("poll");
  if (polled[0].revents != 0) on_signal();
  if (polled[2].revents != 0) on_stored();
  if (polled[3].revents != 0) on_root_ended();
  on_requests();
  if (!end_ && polled[1].revents != 0) on_timer();
}

// ---- the tree ---------------------------------------------------------------------------------

void Recorder::dispatch_tree() {
  while (const auto event = tree_.dispatch()) on_event(*event);
}

void Recorder::on_event(const TreeEvent& event) {
  switch (event.kind) {
    case TreeEvent::Kind::RootExited:
      root_status_ = event.status;
      end_ = End::RootExited;
      return;
    case TreeEvent::Kind::RootStopped:
      // Job control: the shell waits for us, so we stop as the program did and go on when it does.
      if (options_.signals == RecorderOptions::Signals::PassOn && !held_) ::raise(SIGSTOP);
      return;
    case TreeEvent::Kind::FatalSignal: {
      const auto thread = tree_.threads().find(event.tid);
      const bool still_there = thread != tree_.threads().end() && thread->second.readable();
      if (!still_there) return;
      wait_until_stored();
      model::Cause cause;
      cause.set_kind(model::Cause::CRASH);
      cause.set_tid(event.tid);
      cause.set_signal(event.signal);
      take_snapshot(cause, {}, -1);
      tree_.resume(event.tid);
      return;
    }
  }
}

void Recorder::on_signal() {
  read_signals();
  dispatch_tree();
}

void Recorder::read_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGCHLD) continue;
    if (options_.signals == RecorderOptions::Signals::PassOn) {
      // What the terminal sends, it sends to the program too (one process group); what a person
      // sends to us is meant for the program.
      if (info.ssi_code != SI_KERNEL && signal != SIGCONT) ::kill(tree_.root(), signal);
      if (signal == SIGCONT) ::kill(tree_.root(), SIGCONT);
    } else if (signal == SIGHUP || signal == SIGINT || signal == SIGTERM || signal == SIGQUIT) {
      end_ = End::Asked;
    }
  }
}

/// Our own child tells its end by a wait status, with SIGCHLD; any other process only in this way.
void Recorder::on_root_ended() {
  dispatch_tree();
  if (!end_) end_ = End::RootExited;
}

// ---- freezing ---------------------------------------------------------------------------------

Recorder::FreezeResult Recorder::freeze() {
  word_.enter(RecordingState::Freezing);
  const auto deadline = Clock::now() + options_.freeze_timeout;
  for (;;) {
    const auto left = deadline - Clock::now();
    switch (tree_.freeze(std::min<Clock::duration>(kFreezeSlice, left))) {
      case TracedTree::Outcome::Frozen:
        word_.enter(RecordingState::Frozen);
        return FreezeResult::Frozen;
      case TracedTree::Outcome::Empty:
        return FreezeResult::Empty;
      case TracedTree::Outcome::TimedOut:
        break;
    }
    if (const auto holdup = tree_.holdup()) word_.set_holdup(holdup->tid);
    on_requests();  // a thaw cancels, and so does what ends us
    read_signals();
    if (word_.state() != RecordingState::Freezing || end_) return FreezeResult::Cancelled;
    if (Clock::now() >= deadline) return FreezeResult::TimedOut;
  }
}

void Recorder::thaw() {
  word_.enter(RecordingState::Thawing);
  tree_.thaw();
  word_.enter(RecordingState::Running);
}

void Recorder::freeze_now() {
  tree_.note_sleepers();
  if (const auto reason = freeze_or_say_why()) {
    throw Error("freezing process " + std::to_string(tree_.root()) + ": " + *reason);
  }
  held_ = true;
}

// ---- snapshots --------------------------------------------------------------------------------

void Recorder::on_timer() {
  std::uint64_t ticks = 0;
  if (::read(timer_.get(), &ticks, sizeof ticks) != sizeof ticks) return;
  if (options_.count && taken_ >= *options_.count) return;
  if (ticks > 1) {
    skip(std::to_string(ticks - 1) + " due snapshots passed while another one was taken");
  }
  if (held_) {
    skip("the tree is frozen");
  } else if (storing_.busy()) {
    skip("the snapshot before is still being written");
  } else {
    model::Cause cause;
    cause.set_kind(model::Cause::PERIODIC);
    take_snapshot(cause, {}, -1);
  }
}

std::optional<std::string> Recorder::place_first_watches() {
  if (held_ || !capture_.wants_watches()) return std::nullopt;
  tree_.note_sleepers();
  auto reason = freeze_or_say_why();
  if (!reason) {
    capture_.place_watches();
    thaw();
  }
  return reason;
}

/// Freezes, or says why not; the tree then runs.
std::optional<std::string> Recorder::freeze_or_say_why() {
  const auto result = freeze();
  if (result == FreezeResult::Frozen) return std::nullopt;
  const auto holdup = tree_.holdup();
  if (word_.state() == RecordingState::Freezing) thaw();
  switch (result) {
    case FreezeResult::Cancelled:
      return "the freeze was cancelled";
    case FreezeResult::Empty:
      return "no process is left";
    default:
      break;
  }
  std::string reason = "the tree did not freeze in time";
  if (holdup) {
    reason += ": thread " + std::to_string(holdup->tid) + " of process " +
              std::to_string(holdup->pid) + " is " + holdup->reason;
  }
  return reason;
}

/// What is done while the tree runs; a freeze on the way may fail, as any.
std::optional<std::string> Recorder::prepare_snapshot() {
  auto reason = place_first_watches();
  if (!reason) {
    capture_.prepare();
    tree_.note_sleepers();
  }
  return reason;
}

bool Recorder::take_snapshot(const model::Cause& cause, const std::string& tag, int client) {
  // A thread about to die of its signal is stopped already: nothing may let it go before the
  // snapshot.
  std::optional<std::string> reason;
  if (!held_ && cause.kind() != model::Cause::CRASH) reason = prepare_snapshot();
  const auto begin = Clock::now();
  if (!held_ && !reason) reason = freeze_or_say_why();
  if (reason) {
    skip(*reason);
    last_failure_ = *reason;
    if (client >= 0) control_.reply(client, "error snapshot not taken: " + *reason);
    return false;
  }
  word_.enter(RecordingState::Checkpointing);
  const auto frozen = Clock::now();
  auto captured = capture_.take(cause);
  word_.enter(RecordingState::Frozen);
  const auto dumped = Clock::now();
  if (!held_) thaw();
  const auto resumed = Clock::now();
  auto* timing = captured->model.mutable_timing();
  timing->set_freeze_us(microseconds(frozen - begin));
  timing->set_dump_us(microseconds(dumped - frozen));
  timing->set_resume_us(microseconds(resumed - dumped));
  timing->set_pause_us(microseconds(resumed - begin));
  capture_.complete(*captured);
  storing_.store(std::move(captured), tag);
  if (client >= 0) waiting_for_store_.push_back({client, "snap"});
  ++taken_;
  return true;
}

std::uint64_t Recorder::snap_once(Afterwards afterwards) {
  if (afterwards == Afterwards::Kill) return snapshot_and_kill({});
  model::Cause cause;
  cause.set_kind(model::Cause::REQUESTED);
  const auto before = last_number_;
  if (take_snapshot(cause, {}, -1)) wait_until_stored();
  if (last_number_ == before) throw Error("snapshot not taken: " + last_failure_);
  return *last_number_;
}

/// The tree stays frozen until the snapshot is safely stored, and only then ends: a failure to
/// store must not cost the program its life.
std::uint64_t Recorder::snapshot_and_kill(const std::string& tag) {
  model::Cause cause;
  cause.set_kind(model::Cause::REQUESTED);
  if (!held_) {
    auto reason = prepare_snapshot();
    if (!reason) reason = freeze_or_say_why();
    if (reason) throw Error("snapshot not taken: " + *reason);
  }
  const bool was_held = std::exchange(held_, true);
  const auto before = last_number_;
  capture_.expect_end();
  take_snapshot(cause, tag, -1);
  wait_until_stored();
  if (last_number_ == before) {
    held_ = was_held;
    if (!held_) thaw();
    throw Error("snapshot not taken: " + last_failure_);
  }
  kill_tree();
  return *last_number_;
}

void Recorder::kill_tree() {
  for (const auto& [pid, process] : tree_.processes()) {
    // Stopped by us, so neither gone nor its pid used again.
    if (!process.zombie) ::kill(pid, SIGKILL);
  }
  held_ = false;
  thaw();  // the root's end is seen as any other, with its status
}

void Recorder::on_stored() {
  const auto outcome = storing_.take_outcome();
  if (!outcome) return;
  if (outcome->number == 0) {
    capture_.forget();
    --taken_;
    last_failure_ = outcome->error;
    skip("it could not be stored: " + outcome->error);
    if (options_.note) options_.note("snapshot not stored: " + outcome->error);
  } else {
    last_number_ = outcome->number;
  }
  for (const auto& waiting : waiting_for_store_) {
    control_.reply(waiting.client, outcome->number == 0
                                       ? "error snapshot not stored: " + outcome->error
                                       : "ok " + std::to_string(outcome->number));
  }
  waiting_for_store_.clear();
  const bool enough = options_.count && taken_ >= *options_.count;
  if (enough && options_.after_count == RecorderOptions::AfterCount::End && !end_) {
    end_ = End::CountReached;
  }
}

void Recorder::wait_until_stored() {
  storing_.wait();
  on_stored();
}

void Recorder::skip(std::string_view reason) {
  log(Topic::Recorder, "skipped: " + std::string(reason));
  storing_.skip(realtime_ns(), std::string(reason));
}

// ---- requests ---------------------------------------------------------------------------------

void Recorder::on_requests() {
  for (const auto& request : control_.receive()) {
    if (request.verb == "snap") {
      request_snapshot(request.client, request.argument);
    } else if (request.verb == "snapkill") {
      try {
        wait_until_stored();
        control_.reply(request.client, "ok " + std::to_string(snapshot_and_kill(request.argument)));
      } catch (const Error& error) {
        control_.reply(request.client, std::string("error ") + error.what());
      }
    } else if (request.verb == "freeze") {
      request_freeze(request.client);
    } else if (request.verb == "thaw") {
      request_thaw(request.client);
    } else if (request.verb == "stop") {
      control_.reply(request.client, "ok");
      end_ = End::Asked;
    } else {
      control_.reply(request.client, "error unknown request " + request.verb);
    }
  }
}

void Recorder::request_snapshot(int client, const std::string& tag) {
  if (word_.state() != RecordingState::Running && !held_) {
    control_.reply(client, "error the tree is busy: try again");
    return;
  }
  // "snap returns 0" means that it is there: wait for the writer, take it, and answer when it is
  // stored.
  wait_until_stored();
  model::Cause cause;
  cause.set_kind(model::Cause::REQUESTED);
  take_snapshot(cause, tag, client);
}

void Recorder::request_freeze(int client) {
  if (!held_ && word_.state() != RecordingState::Running) {
    control_.reply(client, "error the tree is busy: try again");
    return;
  }
  if (!held_) {
    tree_.note_sleepers();
    if (const auto reason = freeze_or_say_why()) {
      control_.reply(client, "error not frozen: " + *reason);
      return;
    }
    held_ = true;
  }
  control_.reply(client, "ok");
}

void Recorder::request_thaw(int client) {
  if (held_ || word_.state() == RecordingState::Freezing) {
    held_ = false;
    thaw();
    if (options_.purpose == RecorderOptions::Purpose::HoldFrozen) end_ = End::Thawed;
  }
  control_.reply(client, "ok");
}

}  // namespace icecore::snapshot
