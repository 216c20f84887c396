// SPDX-License-Identifier: Apache-2.0
// What a store holds after the power went: what was not synced is there in part, in any order, or
// not at all.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "store/snapshot_reader.h"
#include "store/store.h"
#include "tests/power_cut/write_log_format.h"
#include "tests/store/numbered_memory.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

using icecore::test::WriteLogRecord;
using Kind = WriteLogRecord::Kind;
using Bytes = std::string;

struct Call {
  Kind kind = Kind::Write;
  std::string path;
  std::uint64_t offset = 0;
  Bytes bytes;
};

std::vector<Call> read_log(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const Bytes log(std::istreambuf_iterator<char>(stream), {});
  std::vector<Call> calls;
  for (std::size_t at = 0; at + sizeof(WriteLogRecord) <= log.size();) {
    WriteLogRecord record;
    std::memcpy(&record, log.data() + at, sizeof record);
    at += sizeof record;
    calls.push_back({record.kind, log.substr(at, record.path_size), record.offset,
                     log.substr(at + record.path_size, record.size)});
    at += record.path_size + record.size;
  }
  return calls;
}

/// What the disk does with calls that were not synced when the power goes.
enum class Loss { All, TornAtTheEnd, Some };

/// A disk that keeps apart what is safe and what only the kernel's cache has.
class Disk {
 public:
  void take(const Call& call) {
    if (call.kind == Kind::Write || call.kind == Kind::Truncate) {
      auto& file = files_[call.path];
      if (std::exchange(file.is_unlinked, false)) file = File{};
      file.pending.push_back(&call);
    } else if (call.kind == Kind::Sync) {
      for (const Call* pending : files_[call.path].pending) {
        apply(*pending, pending->bytes.size(), files_[call.path].safe);
      }
      files_[call.path].pending.clear();
    } else if (call.kind == Kind::Unlink) {
      files_[call.path].is_unlinked = true;
    } else if (call.kind == Kind::SyncDirectory) {
      sync_directory(call.path);
    }
  }

  /// Leaves in `directory` what a reboot finds.
  void lose_power(Loss loss, std::mt19937& random, const std::filesystem::path& directory) const {
    std::filesystem::remove_all(directory);
    std::filesystem::create_directories(directory / "packs");
    for (const auto& [path, file] : files_) {
      const bool may_be_missing = !file.is_listed || file.is_unlinked;
      if (may_be_missing && (loss == Loss::All ? !file.is_listed : random() % 2 == 0)) continue;
      std::filesystem::create_directories((directory / path).parent_path());
      std::ofstream(directory / path, std::ios::binary) << left_of(file, loss, random);
    }
  }

 private:
  struct File {
    Bytes safe;
    std::vector<const Call*> pending;
    bool is_listed = false;  // its directory was synced since it is there
    bool is_unlinked = false;
  };

  static void apply(const Call& call, std::size_t size, Bytes& content) {
    if (call.kind == Kind::Truncate) {
      content.resize(call.offset);
      return;
    }
    if (content.size() < call.offset + size) content.resize(call.offset + size);
    content.replace(call.offset, size, call.bytes, 0, size);
  }

  void sync_directory(const std::string& directory) {
    for (auto& [path, file] : files_) {
      if (is_in(path, directory)) file.is_listed = true;
    }
    std::erase_if(files_, [&](const auto& named) {
      return is_in(named.first, directory) && named.second.is_unlinked;
    });
  }
  static bool is_in(const std::string& path, const std::string& directory) {
    return path.substr(0, path.rfind('/') + 1) == directory;
  }

  // A sector of a disk is written whole or not.
  static Bytes left_of(const File& file, Loss loss, std::mt19937& random) {
    constexpr std::size_t kSector = 512;
    Bytes content = file.safe;
    if (loss == Loss::All) return content;
    const std::size_t kept =
        loss == Loss::TornAtTheEnd ? random() % (file.pending.size() + 1) : file.pending.size();
    for (std::size_t i = 0; i < kept; ++i) {
      const Call& call = *file.pending[i];
      if (loss == Loss::Some && random() % 2 == 0) continue;
      const bool is_torn = loss == Loss::Some ? random() % 3 == 0 : i + 1 == kept;
      const std::size_t sectors = call.bytes.size() / kSector + 1;
      apply(call, is_torn ? random() % sectors * kSector : call.bytes.size(), content);
    }
    return content;
  }

  std::map<std::string, File> files_;
};

void expect_numbered(const Store& store, std::uint64_t number) {
  const SnapshotKey key{"cut", number};
  const SpaceId space{store.summary(key).dirty_bytes};
  const SnapshotReader reader = store.read(key);
  const auto wanted = numbered_memory(number);
  std::array<std::byte, kPageSize> bytes{};
  for (std::uint64_t page = 0; page < kNumberedPages; ++page) {
    ASSERT_EQ(reader.read_page(space, page, bytes), PageVersion::Kind::Stored);
    ASSERT_EQ(std::memcmp(bytes.data(), wanted.data() + page * kPageSize, kPageSize), 0)
        << key.text() << " page " << page;
  }
}

void expect_sound(const std::filesystem::path& directory, const std::set<std::uint64_t>& promised) {
  std::set<std::uint64_t> found;
  try {
    Store store = Store::open(directory, Store::Access::ReadWrite);
    const VerifyReport report = store.verify({});
    for (const auto& damage : report.damages) ADD_FAILURE() << damage.file << ": " << damage.what;
    if (store.recordings().empty()) {
      EXPECT_TRUE(promised.empty());
      return;
    }
    for (const auto& snapshot : store.snapshots("cut")) {
      found.insert(snapshot.key.number);
      expect_numbered(store, snapshot.key.number);
    }
  } catch (const Error& error) {
    // Before the first commit there may be no store yet; a half-made one is said so.
    EXPECT_TRUE(promised.empty()) << error.what();
    return;
  }
  for (const std::uint64_t number : promised) EXPECT_TRUE(found.contains(number)) << number;
}

class PowerCut : public ::testing::TestWithParam<Loss> {};

TEST_P(PowerCut, LeavesEverySnapshotWholeThatWasCommitted) {
  const TemporaryDirectory directory;
  const auto written = directory.path() / "written";
  const auto log = directory.path() / "log";
  std::filesystem::create_directory(written);
  const std::string command =
      std::string(ICECORE_POWER_CUT_WRITER) + " " + written.string() + " " + log.string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::vector<Call> calls = read_log(log);
  ASSERT_GT(calls.size(), 100U);
  std::mt19937 random(7);
  Disk disk;
  std::set<std::uint64_t> promised;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Call& call = calls[i];
    disk.take(call);
    if (call.kind == Kind::Commit) promised.insert(call.offset);
    if (call.kind == Kind::Remove) promised.erase(call.offset);
    if (i % 3 != static_cast<std::size_t>(GetParam())) continue;  // each test cuts at its own third
    disk.lose_power(GetParam(), random, directory.path() / "after");
    expect_sound(directory.path() / "after", promised);
    ASSERT_FALSE(HasFailure()) << "the power went after call " << i << " of " << calls.size()
                               << ", on " << call.path;
  }
  EXPECT_EQ(promised.size(), 12U);
}

INSTANTIATE_TEST_SUITE_P(AfterManyCalls, PowerCut,
                         ::testing::Values(Loss::All, Loss::TornAtTheEnd, Loss::Some));

}  // namespace
}  // namespace icecore::store::test
