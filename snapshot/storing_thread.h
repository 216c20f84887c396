// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/snapshot_storer.h"

namespace icecore::snapshot {

/// Stores captured snapshots on a thread of its own, one at a time: while one is being written no
/// other is accepted, so that memory stays bounded and a snapshot that comes too soon is skipped,
/// not queued. Only this thread touches the RecordingWriter.
class StoringThread {
 public:
  StoringThread(store::RecordingWriter& writer, std::string tag);
  ~StoringThread();

  [[nodiscard]] bool busy() const;
  /// Must not be busy.
  void store(std::unique_ptr<CapturedSnapshot> captured, std::string tag);
  /// Records a skipped snapshot, in order with the others.
  void skip(std::int64_t realtime_ns, std::string reason);

  struct Outcome {
    std::uint64_t number = 0;  ///< 0 when it failed
    std::string error;
    std::uint64_t dirty_bytes = 0;
    std::uint64_t pause_us = 0;
  };
  /// Readable when an outcome waits.
  [[nodiscard]] int descriptor() const { return done_.get(); }
  std::optional<Outcome> take_outcome();
  /// Blocks until nothing is being written.
  void wait();

 private:
  void work(const std::stop_token& stop);
  Outcome store_now(CapturedSnapshot& captured, const std::string& tag);

  store::RecordingWriter& writer_;
  SnapshotStorer storer_;
  UniqueFd done_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::unique_ptr<CapturedSnapshot> captured_;
  std::string tag_;
  bool busy_ = false;
  std::vector<std::pair<std::int64_t, std::string>> skips_;
  std::optional<Outcome> outcome_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace icecore::snapshot
