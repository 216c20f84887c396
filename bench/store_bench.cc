// SPDX-License-Identifier: Apache-2.0
// The store alone: commits, what a changed page costs, page look-up in a long history, verify.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/recording_writer.h"
#include "store/snapshot_reader.h"
#include "store/store.h"

namespace icecore::store {
namespace {

constexpr std::uint64_t kSpacePages = 4096;

/// A store in a directory of its own, in $TMPDIR, else where the benchmark was started: that one
/// must be a disk, or fdatasync costs nothing.
class BenchStore {
 public:
  BenchStore() : store_(Store::open_or_create(directory())), writer_(store_.write("bench")) {
    space_ = writer_.new_space();
    // Words of a counter, as of a program's tables: they neither vanish in compression nor resist.
    for (std::size_t i = 0; i < memory_.size() / 8; ++i) {
      reinterpret_cast<std::uint64_t*>(memory_.data())[i] = i * 2654435761U;
    }
    commit(0, kSpacePages);
  }
  BenchStore(const BenchStore&) = delete;
  BenchStore& operator=(const BenchStore&) = delete;
  ~BenchStore() { std::filesystem::remove_all(path_); }

  /// Changes `bytes` bytes of each of `pages` pages that are spread over the space.
  void change(std::uint64_t pages, std::size_t bytes) {
    for (std::uint64_t i = 0; i < pages; ++i) {
      const std::size_t page = i * kSpacePages / pages;
      const std::size_t at = bytes >= kPageSize ? 0 : random_() % (kPageSize - bytes);
      for (std::size_t b = 0; b < bytes; b += 4) {
        const auto value = static_cast<std::uint32_t>(random_());
        std::memcpy(memory_.data() + page * kPageSize + at + b, &value, 4);
      }
    }
  }
  /// Commits `pages` spread pages, or all of them; returns what the store grew by.
  std::uint64_t commit(std::uint64_t number_of_runs, std::uint64_t pages_in_run) {
    std::vector<PageRun> runs;
    if (number_of_runs == 0) {
      runs.push_back({PageRun::Kind::Data, 0, pages_in_run, memory_.data(), {}});
    }
    for (std::uint64_t i = 0; i < number_of_runs; ++i) {
      const std::uint64_t page = i * kSpacePages / number_of_runs;
      runs.push_back({PageRun::Kind::Data, page, 1, memory_.data() + page * kPageSize, {}});
    }
    SnapshotWriter snapshot = writer_.begin();
    snapshot.write_pages(space_, runs);
    const std::uint64_t number = snapshot.commit({}, {}, {});
    return store_.summary({"bench", number}).stored_bytes;
  }
  [[nodiscard]] Store& store() { return store_; }
  [[nodiscard]] SpaceId space() const { return space_; }

 private:
  std::filesystem::path directory() {
    const char* parent = std::getenv("TMPDIR");
    std::string name = std::string(parent == nullptr ? "." : parent) + "/store-bench.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw_errno("mkdtemp " + name);
    return path_ = name;
  }

  std::filesystem::path path_;
  Store store_;
  RecordingWriter writer_;
  SpaceId space_{};
  std::mt19937 random_{1};
  std::vector<std::byte> memory_ = std::vector<std::byte>(kSpacePages * kPageSize);
};

// Arguments: dirty pages, bytes changed in each.
void commit_snapshot(benchmark::State& state) {
  BenchStore bench;
  const auto pages = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t stored = 0;
  for (auto _ : state) {
    state.PauseTiming();
    bench.change(pages, static_cast<std::size_t>(state.range(1)));
    state.ResumeTiming();
    stored += bench.commit(pages, 1);
  }
  const auto commits = static_cast<double>(state.iterations());
  state.counters["snapshots/s"] = {commits, benchmark::Counter::kIsRate};
  state.counters["stored/page"] =
      static_cast<double>(stored) / commits / static_cast<double>(pages);
}
BENCHMARK(commit_snapshot)
    ->ArgNames({"dirty", "bytes"})
    ->Args({1, 16})
    ->Args({64, 16})
    ->Args({1024, 16})
    ->Args({1024, 256})
    ->Args({1024, 4096})
    ->Iterations(32)  // a delta is against the last whole page, so it grows with their number
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// A history of 1,000 snapshots in which each page changed every now and then.
class LongHistory : public BenchStore {
 public:
  LongHistory() {
    for (int i = 1; i < 1000; ++i) {
      change(64, 16);
      commit(64, 1);
    }
  }
};

BenchStore& long_history() {
  static LongHistory history;
  return history;
}

// Argument: the snapshot's number.
void read_page(benchmark::State& state) {
  const SnapshotReader reader =
      long_history().store().read({"bench", static_cast<std::uint64_t>(state.range(0))});
  std::vector<std::byte> page(kPageSize);
  std::mt19937 random(2);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        reader.read_page(long_history().space(), random() % kSpacePages, page));
  }
}
BENCHMARK(read_page)->ArgName("snapshot")->Arg(1)->Arg(500)->Arg(1000);

// A reader that is new each time, as each debugger's is: opening included.
void open_and_read_page(benchmark::State& state) {
  std::vector<std::byte> page(kPageSize);
  for (auto _ : state) {
    const SnapshotReader reader =
        long_history().store().read({"bench", static_cast<std::uint64_t>(state.range(0))});
    benchmark::DoNotOptimize(reader.read_page(long_history().space(), 77, page));
  }
}
BENCHMARK(open_and_read_page)
    ->ArgName("snapshot")
    ->Arg(1)
    ->Arg(1000)
    ->Unit(benchmark::kMicrosecond);

void changed_pages_of_1000_snapshots(benchmark::State& state) {
  const SnapshotReader first = long_history().store().read({"bench", 1});
  const SnapshotReader last = long_history().store().read({"bench", 1000});
  for (auto _ : state) benchmark::DoNotOptimize(last.changed(long_history().space(), first));
}
BENCHMARK(changed_pages_of_1000_snapshots)->Unit(benchmark::kMicrosecond);

void verify(benchmark::State& state) {
  std::uint64_t stored = 0;
  for (const auto& recording : long_history().store().recordings())
    stored += recording.stored_bytes;
  for (auto _ : state) {
    if (!long_history().store().verify({}).damages.empty()) state.SkipWithError("damaged");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(stored) * state.iterations());
}
BENCHMARK(verify)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace icecore::store
