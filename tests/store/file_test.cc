// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <random>

#include "base/unique_fd.h"
#include "store/digest.h"
#include "store/recording_writer.h"
#include "store/snapshot_reader.h"
#include "store/store.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

class StoredFiles : public ::testing::Test {
 protected:
  StoredFiles() : store_(Store::open_or_create(directory_.path() / "store")) {}

  std::string make_file(const char* name, std::size_t size, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::string content(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      if (i / 8192 % 3 != 1)
        content[i] = static_cast<char>(random() % 5);  // with zero pages between
    }
    std::ofstream(directory_.path() / name, std::ios::binary) << content;
    return content;
  }

  UniqueFd open(const char* name) const {
    return UniqueFd(::open((directory_.path() / name).c_str(), O_RDONLY | O_CLOEXEC));
  }

  static FileIdentity identity_of(int fd) {
    struct stat status {};
    EXPECT_EQ(::fstat(fd, &status), 0);
    return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
            status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec,
            status.st_ctim.tv_sec * 1'000'000'000LL + status.st_ctim.tv_nsec};
  }

  std::uint64_t commit_with(RecordingWriter& writer, const char* name, FileId* id) {
    SnapshotWriter snapshot = writer.begin();
    const UniqueFd fd = open(name);
    *id = snapshot.add_file(fd.get(), identity_of(fd.get()));
    return snapshot.commit({}, {}, {});
  }

  static std::string read_all(const StoredFile& file) {
    std::string content(file.size(), 'x');
    EXPECT_EQ(file.read(0, std::as_writable_bytes(std::span(content))), content.size());
    return content;
  }

  TemporaryDirectory directory_;
  Store store_;
};

TEST_F(StoredFiles, AreReadBackWholeAndInPieces) {
  RecordingWriter writer = store_.write("files");
  for (const std::size_t size : {0U, 1U, 4096U, 4097U, 3'000'001U}) {
    const std::string content = make_file("a", size, static_cast<std::uint32_t>(size));
    FileId id;
    commit_with(writer, "a", &id);
    EXPECT_EQ(id.hash, digest_of(std::as_bytes(std::span(content))));
    const StoredFile file = store_.open_file(id);
    ASSERT_EQ(file.size(), size);
    ASSERT_EQ(read_all(file), content);
    std::array<std::byte, 5000> piece{};
    for (const std::uint64_t offset : {0UL, 1UL, 4095UL, 100'000UL, size - size / 3}) {
      const std::size_t wanted = offset >= size ? 0 : std::min(piece.size(), size - offset);
      ASSERT_EQ(file.read(offset, piece), wanted);
      ASSERT_EQ(
          content.compare(std::min<std::size_t>(offset, size), wanted,
                          std::string_view(reinterpret_cast<const char*>(piece.data()), wanted)),
          0);
    }
  }
  EXPECT_TRUE(store_.verify({}).damages.empty());
}

TEST_F(StoredFiles, AreStoredOnceHoweverOftenTheyAreNamed) {
  make_file("a", 500'000, 1);
  make_file("same", 500'000, 1);
  FileId first;
  FileId second;
  RecordingWriter writer = store_.write("one");
  commit_with(writer, "a", &first);
  commit_with(writer, "same", &second);
  EXPECT_EQ(first, second);
  RecordingWriter other = store_.write("two");
  commit_with(other, "a", &second);
  EXPECT_EQ(first, second);
  EXPECT_GT(store_.summary({"one", 1}).stored_bytes, 50'000U);
  EXPECT_LT(store_.summary({"one", 2}).stored_bytes, 2'000U);
  EXPECT_LT(store_.summary({"two", 1}).stored_bytes, 2'000U);
}

TEST_F(StoredFiles, LiveAsLongAsASnapshotNamesThem) {
  const std::string content = make_file("a", 500'000, 2);
  FileId id;
  RecordingWriter writer = store_.write("files");
  commit_with(writer, "a", &id);
  {
    SnapshotWriter snapshot = writer.begin();
    snapshot.add_file(id);
    snapshot.commit({}, {}, {});
  }
  store_.remove(std::vector<SnapshotKey>{{"files", 1}});
  store_.collect_garbage();
  EXPECT_EQ(read_all(store_.open_file(id)), content);
  store_.remove(std::vector<SnapshotKey>{{"files", 2}});
  store_.collect_garbage();
  EXPECT_TRUE(store_.has_file(id)) << "its writer may name it again";
  { RecordingWriter done = std::move(writer); }
  store_.collect_garbage();
  EXPECT_FALSE(store_.has_file(id));
  EXPECT_THROW((void)store_.open_file(id), Error);
}

TEST_F(StoredFiles, ThatAreUnknownCannotBeNamed) {
  RecordingWriter writer = store_.write("files");
  SnapshotWriter snapshot = writer.begin();
  EXPECT_THROW(snapshot.add_file(FileId{}), Error);
}

}  // namespace
}  // namespace icecore::store::test
