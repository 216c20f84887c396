// SPDX-License-Identifier: Apache-2.0
#include "tests/store/store_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace icecore::store::test {
namespace {

constexpr std::uint32_t kPages = 160;  // of a space; small, so that changes meet

std::vector<PageRange> ranges_of(const StoreModel::Pages& pages) {
  std::vector<PageRange> ranges;
  for (const auto& [page, bytes] : pages) {
    if (!ranges.empty() && ranges.back().first + ranges.back().count == page) {
      ++ranges.back().count;
    } else {
      ranges.push_back({page, 1});
    }
  }
  return ranges;
}

}  // namespace

std::vector<std::byte> record_of(const SnapshotKey& key) {
  const std::string text = "the model of " + key.text();
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void expect_equal(const Store& store, const SnapshotKey& key,
                  const StoreModel::Snapshot& snapshot) {
  const SnapshotReader reader = store.read(key);
  ASSERT_EQ(reader.record(), record_of(key)) << key.text();
  for (const auto& [space, pages] : snapshot) {
    const auto present = reader.present(SpaceId{space}, {0, kPages});
    const auto wanted = ranges_of(pages);
    ASSERT_EQ(present.size(), wanted.size()) << key.text() << " space " << space;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_EQ(present[i].first, wanted[i].first);
      ASSERT_EQ(present[i].count, wanted[i].count);
    }
    std::array<std::byte, kPageSize> bytes{};
    for (const auto& [page, content] : pages) {
      const auto kind = reader.read_page(SpaceId{space}, page, bytes);
      ASSERT_NE(kind, PageVersion::Kind::Absent);
      ASSERT_EQ(std::memcmp(bytes.data(), content->data(), kPageSize), 0)
          << key.text() << " space " << space << " page " << page;
    }
  }
}

void expect_all_equal(const Store& store, const StoreModel& model) {
  for (const auto& [name, recording] : model.recordings) {
    for (const auto& [number, snapshot] : recording) {
      expect_equal(store, {name, number}, snapshot);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

RandomWriter::RandomWriter(Store& store, StoreModel& model, const std::string& recording,
                           std::uint32_t seed)
    : recording_(model.recordings[recording]), writer_(store.write(recording)), random_(seed) {}

StoreModel::PageBytes RandomWriter::random_page(const StoreModel::PageBytes& before) {
  auto page = std::make_shared<std::vector<std::byte>>(kPageSize);
  const std::uint32_t kind = pick(10);
  if (kind == 0) return page;              // zero
  if (kind == 1 && before) return before;  // written again, but equal
  if (kind <= 7 && before) {               // a small change
    *page = *before;
    for (std::uint32_t i = pick(60) + 1; i > 0; --i)
      (*page)[pick(kPageSize)] = std::byte(pick(256));
    return page;
  }
  const std::uint32_t letters = kind == 8 ? 256 : 3;  // incompressible or not
  for (auto& byte : *page) byte = std::byte(pick(letters));
  return page;
}

void RandomWriter::write_space(SnapshotWriter& snapshot, std::uint64_t space,
                               StoreModel::Snapshot& next) {
  StoreModel::Pages& pages = next[space];
  std::vector<PageRun> runs;
  std::vector<std::unique_ptr<std::vector<std::byte>>> buffers;
  for (std::uint32_t page = pick(12); page < kPages; page += pick(30)) {
    const std::uint32_t count = std::min(pick(5) + 1, kPages - page);
    PageRun run{PageRun::Kind::Data, page, count, nullptr, {}};
    const std::uint32_t kind = pick(8);
    if (kind == 0) {
      run.kind = PageRun::Kind::Absent;
      for (std::uint32_t i = 0; i < count; ++i) pages.erase(page + i);
    } else if (kind == 1 && !head_.empty()) {
      run.kind = PageRun::Kind::CopyOf;
      auto source = next.begin();
      std::advance(source, pick(static_cast<std::uint32_t>(next.size())));
      run.source = SpaceId{source->first};
      if (source->first != space) {
        for (std::uint32_t i = 0; i < count; ++i) {
          const auto found = source->second.find(page + i);
          if (found == source->second.end())
            pages.erase(page + i);
          else
            pages[page + i] = found->second;
        }
      }
    } else {
      auto& buffer = *buffers.emplace_back(std::make_unique<std::vector<std::byte>>());
      for (std::uint32_t i = 0; i < count; ++i) {
        auto& slot = pages[page + i];
        slot = random_page(slot);
        buffer.insert(buffer.end(), slot->begin(), slot->end());
      }
      run.data = buffer.data();
    }
    if (run.kind != PageRun::Kind::CopyOf || run.source != SpaceId{space}) runs.push_back(run);
    page += count;
  }
  snapshot.write_pages(SpaceId{space}, runs);
}

void RandomWriter::add_spaces() {
  if (head_.empty() || (pick(6) == 0 && head_.size() < 5)) {
    head_[static_cast<std::uint64_t>(writer_.new_space())] = {};
  }
  if (pick(6) == 0 && head_.size() < 5 && !recording_.empty()) {  // branch off a random snapshot
    auto snapshot = recording_.begin();
    std::advance(snapshot, pick(static_cast<std::uint32_t>(recording_.size())));
    auto parent = snapshot->second.begin();
    std::advance(parent, pick(static_cast<std::uint32_t>(snapshot->second.size())));
    const SpaceId space = writer_.new_space(SpaceId{parent->first}, snapshot->first);
    head_[static_cast<std::uint64_t>(space)] = parent->second;
  }
}

void RandomWriter::end_spaces(SnapshotWriter& snapshot, StoreModel::Snapshot& next) {
  if (next.size() > 1 && pick(5) == 0) {
    next.erase(std::next(next.begin(), pick(static_cast<std::uint32_t>(next.size()))));
  }
  std::vector<SpaceId> spaces;
  for (const auto& [space, pages] : next) spaces.push_back(SpaceId{space});
  snapshot.end_other_spaces(spaces);
}

std::uint64_t RandomWriter::commit_one() {
  add_spaces();
  StoreModel::Snapshot next = head_;
  SnapshotWriter snapshot = writer_.begin();
  for (const auto& [space, pages] : head_) {
    if (pick(4) != 0) write_space(snapshot, space, next);
  }
  end_spaces(snapshot, next);
  const SnapshotKey key{writer_.name(), snapshot.number()};
  SnapshotSummary summary;
  summary.parent = key.number - 1;
  summary.cause = "requested";
  summary.realtime_ns = static_cast<std::int64_t>(key.number) * 1'000'000'000;
  const ProcessRow process{1, 0, "victim", "/bin/victim", 1, 2, 3};
  snapshot.commit(summary, record_of(key), std::span(&process, 1));
  head_ = next;
  recording_[key.number] = std::move(next);
  return key.number;
}

void RandomWriter::drop_one() {
  StoreModel::Snapshot scratch = head_;
  SnapshotWriter snapshot = writer_.begin();
  for (const auto& [space, pages] : head_) {
    if (pick(2) == 0) write_space(snapshot, space, scratch);
  }
}

}  // namespace icecore::store::test
