// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "base/unique_fd.h"
#include "replay/image/late_pages.h"
#include "replay/image/page_order.h"
#include "replay/image/raw_memory.h"
#include "replay/restore/late_memory.h"

namespace icecore::replay {

/// What copies have touched first at earlier starts is there when they begin; all else comes from
/// the raw pages, brought by a pager: a process beside each copy's, which ends when all is there
/// and adds to the order what was asked for. It outlives us, so that a program never finds zeros
/// where its memory was because its starter was killed.
class PagedMemory : public LateMemory {
 public:
  /// Null where the kernel does not let us serve another process's faults. `pages` must outlive
  /// it; `file` is where `order` is kept.
  static std::unique_ptr<PagedMemory> create(const RawMemory& pages, const PageOrder& order,
                                             const std::filesystem::path& file);
  /// Ends what is still being brought: whoever needed it has ended.
  ~PagedMemory() override;

  std::vector<PageFill> put_off(const model::Process& process, const model::Mapping& mapping,
                                const std::vector<PageFill>& fills) override;
  void begin(RestoredProcess& process) override;

 private:
  struct Late {
    LatePages pages{};
    std::vector<AddressRange> ranges{};  ///< of mappings, ascending
  };
  PagedMemory(const RawMemory& pages, const PageOrder& order, std::filesystem::path file);
  [[noreturn]] void serve(UniqueFd fault, std::uint64_t space, int pid);

  const RawMemory& pages_;
  std::filesystem::path file_;
  PageOrder order_;
  std::map<std::uint64_t, Late> late_;  // by space
  std::vector<int> pagers_;
};

}  // namespace icecore::replay
