// SPDX-License-Identifier: Apache-2.0
#include "replay/image/bank.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <vector>

#include "base/error.h"
#include "replay/files/mapped_file.h"
#include "replay/image/bank_model.h"
#include "replay/image/parking.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::replay {
namespace {

constexpr std::uint64_t kHugePage = 2U << 20U;
// A block of 512 pages with at least so many becomes one huge page: what it costs more in memory
// is shared by all copies.
constexpr std::uint64_t kDense = 384;
constexpr std::uint64_t kCollapse = 25;  // MADV_COLLAPSE, since Linux 6.1

Nursery::Options here() {
  Nursery::Options options;
  options.in_place = true;
  return options;
}

/// The changes of files since do not matter: what is mapped privately and unwritten is checked
/// again by every copy.
FileOptions as_they_are() {
  FileOptions options;
  options.changed = FileOptions::Changed::Keep;
  return options;
}

/// Blocks of the mapping, by address, that are worth a huge page.
std::vector<std::uint64_t> dense_blocks(const snapshot::StoredSnapshot& snapshot,
                                        const model::Process& process,
                                        const model::Mapping& mapping) {
  std::vector<std::uint64_t> blocks;
  const std::uint64_t first = (mapping.start() + kHugePage - 1) / kHugePage * kHugePage;
  for (std::uint64_t block = first; block + kHugePage <= mapping.end(); block += kHugePage) {
    std::uint64_t pages = 0;
    const store::PageRange range{block / store::kPageSize, kHugePage / store::kPageSize};
    for (const auto& run : snapshot.reader().present(store::SpaceId{process.space()}, range)) {
      pages += run.count;
    }
    if (pages >= kDense) blocks.push_back(block);
  }
  return blocks;
}

}  // namespace

Bank::Bank(const snapshot::StoredSnapshot& image, const PageSource* pages)
    : banked_(image, bank_model(image.model())),
      transport_(transport_number(image.model())),
      nursery_(here(), transport_),
      shared_(banked_, [](const model::SharedObject&) { return UniqueFd(); }),
      memory_(banked_, shared_, transport_,
              {[this](const model::Mapping& mapping) {
                 return open_mapped_file(banked_, mapping, surroundings_, false, as_they_are());
               },
               [this](const model::Process& process) {
                 return open_executable(banked_, process, surroundings_);
               },
               pages}) {
  if (banked_.model().processes().empty()) throw Error("the image has no root process");
  const auto& root = banked_.model().processes(0);
  surroundings_.root = nursery_.root();
  surroundings_.maker = &nursery_.puppet();
  surroundings_.in_place = true;
  process_.emplace(RestoredProcess{&root, nursery_.pid(), nursery_.puppet(), {}});
  memory_.build(*process_, nullptr);
  use_huge_pages();
  park(process_->puppet);
  snapshot::ptrace_call::detach(nursery_.pid(), 0);
}

/// What cannot be collapsed, or not on this kernel, stays in small pages.
void Bank::use_huge_pages() {
  CallBatch batch(process_->puppet, process_->puppet.pid());
  for (const auto& mapping : process_->model->mappings()) {
    const bool anonymous = mapping.file() == 0 && mapping.content() == model::Mapping::HELD;
    if (!anonymous) continue;
    for (const std::uint64_t block : dense_blocks(banked_, *process_->model, mapping)) {
      batch.add(SYS_madvise, {block, kHugePage, kCollapse}, [](std::int64_t) {});
    }
  }
  batch.run();
}

BankRecord Bank::record() const {
  const auto stat = snapshot::task_stat(nursery_.pid(), nursery_.pid());
  if (!stat) throw Error("the process that holds the memory has died");
  return {nursery_.pid(), stat->start_time, process_->puppet.area(), banked_.key().number};
}

}  // namespace icecore::replay
