// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "replay/image/late_pages.h"
#include "replay/image/page_order.h"

struct uffd_msg;

namespace icecore::replay {

/// Serves the missing pages of a process through userfaultfd(2): those that are touched at once,
/// the others when nothing is asked for, until there is none. What the program does meanwhile to
/// its memory (munmap, mremap, MADV_DONTNEED, fork) the kernel tells before it goes on, so that
/// what is brought is what would have been there.
class Pager {
 public:
  /// The bytes of a page of the snapshot and of those behind it, in whole pages.
  using Source = std::function<std::span<const std::byte>(std::uint64_t page)>;
  enum class Ending { Done, Failed };

  /// `fault` is the process's userfaultfd, without O_NONBLOCK or with, whose API was agreed on with
  /// features().
  Pager(UniqueFd fault, LatePages pages, Source source);

  /// What the kernel must be able to tell.
  static std::uint64_t features();

  Ending run();
  /// The pages that were asked for, in that order, of the snapshot; of no space.
  [[nodiscard]] const std::vector<std::uint64_t>& touched() const { return touched_; }

 private:
  /// One address space: the process, or a fork of it.
  struct Space {
    UniqueFd fault;
    LatePages pages;
    std::deque<std::uint64_t> asked{};  ///< pages that somebody waits for
    bool gone = false;
  };
  enum class Copied { All, Again, Gone };

  bool take_messages(int timeout_ms);
  void take(Space& space, const uffd_msg& message);
  void answer(Space& space);
  void fill(Space& space);
  Copied copy(Space& space, const LatePages::Run& run);
  Copied zero(Space& space, std::uint64_t page);

  Source source_;
  std::deque<Space> spaces_;  // grows while one of them is looked at
  std::vector<std::uint64_t> touched_;
  bool failed_ = false;
};

}  // namespace icecore::replay
