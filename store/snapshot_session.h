// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "store/pending_rows.h"
#include "store/recording_writer.h"
#include "store/writer_session.h"

namespace icecore::store {

/// One snapshot on its way: records go to the pack as they come; the index learns all of them at
/// once in commit(). Until then the recording's heads are as before, so that giving up costs
/// nothing.
class SnapshotWriter::Impl {
 public:
  explicit Impl(std::shared_ptr<RecordingWriter::Impl> recording);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  [[nodiscard]] std::uint64_t number() const { return number_; }
  void write_pages(SpaceId space, std::span<const PageRun> runs);
  void end_other_spaces(std::span<const SpaceId> spaces);
  FileId add_file(int fd, const FileIdentity& identity);
  void add_file(const FileId& id);
  std::uint64_t commit(SnapshotSummary summary, std::span<const std::byte> record,
                       std::span<const ProcessRow> processes);

 private:
  enum class State { Open, Failed, Done };

  /// Runs `body`; when it throws, nothing of this snapshot can be committed any more.
  template <typename Body>
  decltype(auto) guarded(Body&& body);
  void require_open() const;
  void give_up() noexcept;

  [[nodiscard]] PageMap current_map(SpaceId space);
  void add_list(SpaceId space, VersionRuns changes);
  [[nodiscard]] std::optional<FileId> find_identity(const FileIdentity& identity);
  [[nodiscard]] bool need_known(const FileId& id);
  [[nodiscard]] bool pin(const FileId& id);

  [[nodiscard]] bool stays(SpaceId space) const;
  [[nodiscard]] SnapshotRecord make_record(const SnapshotSummary& summary,
                                           std::span<const ProcessRow> processes) const;
  Locator append_record(SnapshotSummary& summary, std::span<const std::byte> model,
                        std::span<const ProcessRow> processes);
  void update_index(const SnapshotSummary& summary, const Locator& record,
                    std::span<const ProcessRow> processes);
  void insert_spaces();
  void advance_heads();

  std::shared_ptr<RecordingWriter::Impl> recording_;
  std::uint64_t number_;
  State state_ = State::Open;
  PendingRows rows_;
  std::set<SpaceId> written_;
  std::map<SpaceId, SpaceHead> new_heads_;  // of spaces that changed
  std::optional<std::set<SpaceId>> kept_;
  std::uint64_t page_budget_;
  std::uint64_t file_budget_;
};

}  // namespace icecore::store
