// SPDX-License-Identifier: Apache-2.0
#include "store/pack_sink.h"

#include <unistd.h>

#include <exception>
#include <limits>

#include "base/error.h"
#include "base/log.h"
#include "store/index.h"

namespace icecore::store {
namespace {

constexpr std::uint64_t kObjectsAtOnce = 256;

}  // namespace

PackSink::PackSink(std::filesystem::path store, SqliteConnection& index, std::int64_t recording)
    : store_(std::move(store)), index_(index), recording_(recording), uuid_(store_uuid(index)) {}

std::uint32_t PackSink::next_object() {
  if (next_object_ == end_object_) {
    Transaction transaction(index_);
    {
      Rows rows = index_.query("SELECT next_object FROM store");
      rows.next();
      next_object_ = rows.number(0);
    }
    if (next_object_ + kObjectsAtOnce > std::numeric_limits<std::uint32_t>::max()) {
      throw Error("store " + store_.string() + ": all object numbers are used up");
    }
    index_.run("UPDATE store SET next_object=?1", next_object_ + kObjectsAtOnce);
    transaction.commit();
    end_object_ = next_object_ + kObjectsAtOnce;
  }
  return static_cast<std::uint32_t>(next_object_++);
}

PackWriter& PackSink::pack() {
  if (packs_.empty() || packs_.back()->size() >= kPackSizeToRoll) open_pack();
  return *packs_.back();
}

void PackSink::open_pack() {
  // The row first: a file without a row is an orphan that gc may delete.
  Transaction transaction(index_);
  index_.run("INSERT INTO packs (recording_id, state, bytes) VALUES (?1, 'writing', 0)",
             recording_);
  const auto id = static_cast<std::uint64_t>(index_.last_insert_id());
  transaction.commit();
  try {
    packs_.push_back(std::make_unique<PackWriter>(store_, uuid_, id));
  } catch (...) {
    index_.run("DELETE FROM packs WHERE id=?1", id);
    throw;
  }
}

std::uint64_t PackSink::appended() const {
  std::uint64_t bytes = 0;
  for (const auto& pack : packs_) bytes += pack->size();
  return bytes - size_at_begin_;
}

void PackSink::begin() {
  if (packs_.size() > 1) packs_.erase(packs_.begin(), packs_.end() - 1);
  size_at_begin_ = packs_.empty() ? 0 : packs_.front()->size();
}

void PackSink::sync() {
  try {
    for (const auto& pack : packs_) pack->sync();
  } catch (...) {
    // After a failed fdatasync nobody knows what of the pack is on disk: never append to it again.
    packs_.clear();
    size_at_begin_ = 0;
    throw;
  }
}

void PackSink::update_index() {
  for (std::size_t i = 0; i < packs_.size(); ++i) {
    const bool done = i + 1 < packs_.size();
    index_.run("UPDATE packs SET bytes=?2, state=?3 WHERE id=?1", packs_[i]->pack(),
               packs_[i]->size(), done ? "sealed" : "writing");
  }
}

void PackSink::discard(const PackWriter& pack) noexcept {
  try {
    unlink_pack(store_, pack.pack());
    index_.run("DELETE FROM packs WHERE id=?1", pack.pack());
  } catch (const std::exception& error) {
    log(Topic::Store, std::string("a pack stays for gc: ") + error.what());
  }
}

void PackSink::roll_back() noexcept {
  try {
    const std::size_t old = size_at_begin_ == 0 ? 0 : 1;
    for (std::size_t i = old; i < packs_.size(); ++i) discard(*packs_[i]);
    packs_.resize(std::min(old, packs_.size()));
    if (!packs_.empty()) packs_.front()->truncate(size_at_begin_);
  } catch (const std::exception& error) {
    log(Topic::Store, std::string("a pack ends with torn bytes: ") + error.what());
    packs_.clear();
    size_at_begin_ = 0;
  }
}

}  // namespace icecore::store
