// SPDX-License-Identifier: Apache-2.0
#include "snapshot/storing_thread.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/error.h"
#include "base/log.h"

namespace icecore::snapshot {

StoringThread::StoringThread(store::RecordingWriter& writer, std::string tag)
    : writer_(writer),
      storer_(writer, std::move(tag)),
      done_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { work(stop); }) {
  if (!done_.valid()) throw_errno("eventfd");
}

StoringThread::~StoringThread() {
  wait();
  thread_.request_stop();
  changed_.notify_all();
}

bool StoringThread::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

void StoringThread::store(std::unique_ptr<CapturedSnapshot> captured, std::string tag) {
  const std::lock_guard lock(mutex_);
  ICECORE_CHECK(!busy_);
  captured_ = std::move(captured);
  tag_ = std::move(tag);
  busy_ = true;
  changed_.notify_all();
}

void StoringThread::skip(std::int64_t realtime_ns, std::string reason) {
  const std::lock_guard lock(mutex_);
  skips_.emplace_back(realtime_ns, std::move(reason));
  changed_.notify_all();
}

std::optional<StoringThread::Outcome> StoringThread::take_outcome() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(done_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return std::exchange(outcome_, std::nullopt);
}

void StoringThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_ && skips_.empty(); });
}

void StoringThread::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return captured_ != nullptr || !skips_.empty(); })) {
    auto captured = std::move(captured_);
    const auto tag = tag_;
    const auto skips = skips_;
    lock.unlock();
    std::optional<Outcome> outcome;
    if (captured) outcome = store_now(*captured, tag);
    captured.reset();  // gives its buffers back before the next snapshot asks for them
    for (const auto& [time, reason] : skips) {
      try {
        writer_.skip(time, reason);
      } catch (const Error& error) {
        log(Topic::Recorder, std::string("recording a skipped snapshot: ") + error.what());
      }
    }
    lock.lock();
    skips_.erase(skips_.begin(), skips_.begin() + static_cast<std::ptrdiff_t>(skips.size()));
    if (outcome) {
      outcome_ = std::move(outcome);
      busy_ = false;
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(done_.get(), &one, sizeof one);
    }
    changed_.notify_all();
  }
}

StoringThread::Outcome StoringThread::store_now(CapturedSnapshot& captured,
                                                const std::string& tag) {
  Outcome outcome;
  outcome.dirty_bytes = captured.model.timing().dirty_bytes();
  outcome.pause_us = captured.model.timing().pause_us();
  try {
    outcome.number = storer_.store(captured, tag);
  } catch (const std::exception& error) {
    outcome.error = error.what();
  }
  return outcome;
}

}  // namespace icecore::snapshot
