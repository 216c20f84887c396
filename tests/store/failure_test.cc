// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "store/corrupt_store.h"
#include "tests/store/store_model.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

/// The Error that `body` throws.
template <typename Body>
Error error_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error("");
}

void commit_pages(RecordingWriter& writer, SpaceId space, const std::vector<std::byte>& bytes) {
  SnapshotWriter snapshot = writer.begin();
  const PageRun run{PageRun::Kind::Data, 0, bytes.size() / kPageSize, bytes.data(), {}};
  snapshot.write_pages(space, std::span(&run, 1));
  snapshot.commit({}, {}, {});
}

std::vector<std::byte> noise(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random() & 0xffU);
  return bytes;
}

/// A file system of 8 MiB that is full sooner or later.
class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& where) : where_(where) {
    mounted_ = ::mount("icecore-test", where.c_str(), "tmpfs", 0, "size=8m,mode=0700") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(where_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool is_mounted() const { return mounted_; }

 private:
  std::filesystem::path where_;
  bool mounted_ = false;
};

TEST(Store, DropsOnlyTheSnapshotThatMeetsAFullDiskAndGoesOn) {
  const TemporaryDirectory directory;
  const SmallDisk disk(directory.path());
  if (!disk.is_mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  Store store = Store::open_or_create(directory.path());
  RecordingWriter writer = store.write("full");
  const SpaceId space = writer.new_space();
  commit_pages(writer, space, noise(1U << 20U, 1));

  const Error full = error_of([&] { commit_pages(writer, space, noise(16U << 20U, 2)); });
  EXPECT_EQ(full.errno_value(), ENOSPC);
  EXPECT_NE(std::string(full.what()).find("full@2"), std::string::npos) << full.what();
  EXPECT_EQ(std::string(full.what()).find('\n'), std::string::npos);
  EXPECT_FALSE(full.hint().empty());

  const auto third = noise(1U << 20U, 3);
  commit_pages(writer, space, third);  // its number is free again
  ASSERT_EQ(store.snapshots("full").size(), 2U);
  EXPECT_TRUE(store.verify({}).damages.empty());
  std::array<std::byte, kPageSize> page{};
  (void)store.read({"full", 2}).read_page(space, 5, page);
  EXPECT_TRUE(std::equal(page.begin(), page.end(), third.begin() + 5 * kPageSize));
}

TEST(Store, CanBeReadOnAReadOnlyMount) {
  const TemporaryDirectory directory;
  StoreModel model;
  {
    Store store = Store::open_or_create(directory.path());
    RandomWriter writer(store, model, "ro", 31);
    for (int i = 0; i < 5; ++i) writer.commit_one();
  }
  const char* path = directory.path().c_str();
  if (::mount(path, path, nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "needs the right to mount";
  if (::mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0) {
    const Store store = Store::open(directory.path(), Store::Access::ReadOnly);
    expect_all_equal(store, model);
    EXPECT_TRUE(store.verify({}).damages.empty());
    const Error refused =
        error_of([&] { (void)Store::open(directory.path(), Store::Access::ReadWrite); });
    EXPECT_EQ(refused.errno_value(), EROFS) << refused.what();
  }
  ::umount2(path, MNT_DETACH);
}

TEST(Store, RefusesASecondWriterOfOneRecordingAndNamesTheFirst) {
  const TemporaryDirectory directory;
  Store store = Store::open_or_create(directory.path());
  const RecordingWriter first = store.write("one");
  Store other = Store::open(directory.path(), Store::Access::ReadWrite);
  const Error locked = error_of([&] { (void)other.write("one"); });
  EXPECT_EQ(locked.exit_status(), ExitStatus::Locked);
  EXPECT_NE(std::string(locked.what()).find(std::to_string(::getpid())), std::string::npos);
  EXPECT_EQ(error_of([&] { other.remove_recording("one"); }).exit_status(), ExitStatus::Locked);
  const RecordingWriter another = other.write("two");
  EXPECT_EQ(another.next_number(), 1U);
}

TEST(Store, LetsSeveralProcessesWriteTheirOwnRecordingsAtOnce) {
  const TemporaryDirectory directory;
  (void)Store::open_or_create(directory.path());
  std::vector<pid_t> children;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        Store store = Store::open(directory.path(), Store::Access::ReadWrite);
        StoreModel model;
        RandomWriter writer(store, model, "writer" + std::to_string(i), i);
        for (int commits = 0; commits < 30; ++commits) writer.commit_one();
        expect_all_equal(store, model);
        ::_exit(::testing::Test::HasFailure() ? 1 : 0);
      } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        ::_exit(2);
      }
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const Store store = Store::open(directory.path(), Store::Access::ReadOnly);
  EXPECT_EQ(store.recordings().size(), 3U);
  EXPECT_TRUE(store.verify({}).damages.empty());
}

TEST(Store, RefusesANewerFormatAndChangesNothing) {
  const TemporaryDirectory directory;
  (void)Store::open_or_create(directory.path());
  sqlite3* index = nullptr;
  ASSERT_EQ(sqlite3_open((directory.path() / "index.db").c_str(), &index), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(index, "PRAGMA user_version=99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(index);
  for (const auto access : {Store::Access::ReadOnly, Store::Access::ReadWrite}) {
    const Error newer = error_of([&] { (void)Store::open(directory.path(), access); });
    EXPECT_NE(std::string(newer.what()).find("99"), std::string::npos) << newer.what();
  }
}

TEST(Store, SaysWhatIsWrongWithADirectoryThatIsNone) {
  const TemporaryDirectory directory;
  const auto open = [&](const std::filesystem::path& path) {
    return error_of([&] { (void)Store::open(path, Store::Access::ReadOnly); });
  };
  EXPECT_EQ(open(directory.path() / "none").exit_status(), ExitStatus::NoSuchStore);
  EXPECT_EQ(open(directory.path()).exit_status(), ExitStatus::NoSuchStore);
  std::ofstream(directory.path() / "letter.txt") << "dear";
  EXPECT_EQ(error_of([&] { (void)Store::open_or_create(directory.path()); }).exit_status(),
            ExitStatus::NoSuchStore);
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "packs"));
  std::ofstream(directory.path() / "index.db") << "not a database at all";
  EXPECT_NE(std::string(open(directory.path()).what()).find("index.db"), std::string::npos);
}

TEST(Store, KeepsItsFilesFromOthers) {
  const TemporaryDirectory directory;
  const auto where = directory.path() / "made";
  Store store = Store::open_or_create(where);
  StoreModel model;
  RandomWriter writer(store, model, "secret", 41);
  writer.commit_one();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(where)) {
    struct stat status {};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, entry.is_directory() ? 0700U : 0600U) << entry.path();
  }
  struct stat status {};
  ASSERT_EQ(::stat(where.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

}  // namespace
}  // namespace icecore::store::test
