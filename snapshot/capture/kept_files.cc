// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/kept_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "snapshot/capture/file_identity.h"
#include "snapshot/capture/file_pages.h"

namespace icecore::snapshot {
namespace {

// Below this much data a file is read in the pause: opening it costs as much.
constexpr std::uint64_t kWorthWaitingBytes = std::uint64_t{256} << 10U;

bool is_settled(const model::FileIdentity& identity, std::chrono::nanoseconds age) {
  return realtime_ns() - std::max(identity.mtime_ns(), identity.ctime_ns()) > age.count();
}

bool is_unchanged(const model::FileIdentity& a, const model::FileIdentity& b) {
  return a.size() == b.size() && a.mtime_ns() == b.mtime_ns() && a.ctime_ns() == b.ctime_ns();
}

void add_limitation(model::Snapshot& snapshot, const KeptCandidate& candidate, std::string reason) {
  auto& limitation = *snapshot.add_limitations();
  limitation.set_pid(candidate.pid);
  limitation.set_object(candidate.object);
  limitation.set_reason(std::move(reason));
  // Of a file that has a path, the restored tree still finds the file.
  limitation.set_effect(candidate.cause == model::KeptFile::WRITTEN ? model::Limitation::INCOMPLETE
                                                                    : model::Limitation::VIEW_ONLY);
}

std::string larger_than(std::uint64_t limit) {
  return "its content is not kept: it is larger than the limit of " + std::to_string(limit >> 20U) +
         " MiB (--files-limit)";
}

}  // namespace

KeptFiles::Line& KeptFiles::line_of(const model::FileIdentity& identity) {
  auto& line = lines_[{identity.device(), identity.inode()}];
  if (!line) {
    line = std::make_shared<Line>();
    line->space = new_space_();
  }
  line->last_seen = generation_;
  return *line;
}

std::vector<KeptFiles::Delta> KeptFiles::capture(model::Snapshot& snapshot, PageBuffer& buffer) {
  ++generation_;
  pending_.clear();
  std::vector<Delta> deltas;
  const auto written = keeping_.written ? Written::Keep : Written::Ignore;
  for (const auto& candidate : find_kept_candidates(snapshot, written)) {
    capture_file(candidate, snapshot, buffer, deltas);
  }
  // An inode number may come back for another file: that begins a space of its own.
  std::erase_if(lines_,
                [this](const auto& entry) { return entry.second->last_seen != generation_; });
  return deltas;
}

void KeptFiles::capture_file(const KeptCandidate& candidate, model::Snapshot& snapshot,
                             PageBuffer& buffer, std::vector<Delta>& deltas) {
  const auto known = lines_.find({candidate.identity.device(), candidate.identity.inode()});
  const bool same = known != lines_.end() && known->second->stored && known->second->settled &&
                    !candidate.mapped_for_writing &&
                    is_unchanged(known->second->seen, candidate.identity);
  UniqueFd fd;
  PageSet pages;
  if (!same) {
    fd = open_candidate(candidate);
    if (!fd.valid()) {
      if (candidate.cause != model::KeptFile::WRITTEN) {
        add_limitation(snapshot, candidate, "its content cannot be read");
      }
      return;
    }
    // Looking for holes moves the position, which here is the program's own.
    pages =
        candidate.has_lease
            ? PageSet{{0, (candidate.identity.size() + store::kPageSize - 1) / store::kPageSize}}
            : data_pages(fd.get(), candidate.identity.size());
    if (page_count(pages) * store::kPageSize > keeping_.limit) {
      add_limitation(snapshot, candidate, larger_than(keeping_.limit));
      return;
    }
  }
  Line& line = line_of(candidate.identity);
  auto& kept = *snapshot.add_kept_files();
  kept.set_cause(candidate.cause);
  kept.set_path(candidate.path);
  *kept.mutable_identity() = candidate.identity;
  kept.set_space(static_cast<std::uint64_t>(line.space));
  line.seen = candidate.identity;
  if (same) {
    line.stored_before = line.present;
    deltas.push_back({line.space, {}});
    return;
  }
  line.settled = is_settled(candidate.identity, keeping_.settled);
  line.stored = true;
  line.stored_before = std::exchange(line.present, std::move(pages));
  const bool can_wait = line.settled && !candidate.mapped_for_writing && !line.changed_between;
  if (can_wait && page_count(line.present) * store::kPageSize > kWorthWaitingBytes) {
    Pending pending;
    pending.line_ = lines_.at({candidate.identity.device(), candidate.identity.inode()});
    pending.fd_ = std::move(fd);
    pending.before_ = line.stored_before;
    pending_.push_back(std::move(pending));
    return;
  }
  Delta delta{line.space, {}};
  read_pages(fd.get(), line.present, buffer, delta.runs);
  end_missing_pages(line.stored_before, line.present, delta.runs);
  deltas.push_back(std::move(delta));
}

std::optional<std::vector<store::PageRun>> KeptFiles::Pending::read(PageBuffer& buffer) const {
  std::vector<store::PageRun> runs;
  read_pages(fd_.get(), line_->present, buffer, runs);
  struct stat status {};
  model::FileIdentity now;
  if (::fstat(fd_.get(), &status) == 0) fill_identity(status, now);
  if (!is_unchanged(now, line_->seen)) {
    line_->stored = false;
    line_->changed_between = true;
    // Nothing of it was written: the store has what it had.
    line_->present = before_;
    return std::nullopt;
  }
  end_missing_pages(before_, line_->present, runs);
  return runs;
}

void KeptFiles::forget() {
  for (auto& [key, line] : lines_) {
    line->stored = false;
    line->present = unite(line->present, line->stored_before);
  }
}

}  // namespace icecore::snapshot
