// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "base/unique_fd.h"
#include "replay/restore/late_memory.h"
#include "replay/restore/memory_fill.h"
#include "replay/restore/restored_process.h"
#include "replay/restore/shared_objects.h"
#include "replay/restore/transport.h"

namespace icecore::replay {

/// Gives puppets the address space of the snapshot: every mapping at its address with its
/// protection, flags and advice, and the contents. A puppet born as a fork of one that has its
/// memory already keeps the mappings and pages that are the same, so that they stay shared by
/// copy-on-write.
class MemoryBuilder {
 public:
  /// A file to map: the mapping's, or the executable. Throws Error or Refused naming it.
  struct Files {
    std::function<UniqueFd(const model::Mapping& mapping)> open_mapped;
    std::function<UniqueFd(const model::Process& process)> open_executable;
    /// Has pages that need not be decoded; may be null.
    const PageSource* pages = nullptr;
    LateMemory* late = nullptr;  ///< may be null
  };

  MemoryBuilder(const snapshot::StoredSnapshot& snapshot, const SharedObjects& shared,
                const Transport& transport, Files files);

  void build(RestoredProcess& process, const RestoredProcess* image);
  /// The last of it: mappings that can be changed no more (mseal).
  void seal(RestoredProcess& process);

 private:
  struct Work;
  void find_place(Work& work);
  void clear(Work& work);
  void move_vdso(Work& work);
  void send_files(Work& work);
  void map(Work& work);
  void fill(Work& work);
  [[nodiscard]] bool may_be_late(const Work& work) const;
  void fill_anew(const model::Process& process, const model::Mapping& mapping,
                 std::vector<PageFill>& fills);
  void fill_kept(const model::Mapping& mapping, Work& work, std::vector<PageFill>& fills);
  static void add_guards(const model::Mapping& mapping, CallBatch& batch);
  static void lock(const model::Mapping& mapping, unsigned flags, CallBatch& batch);
  void finish(Work& work);
  void set_layout(Work& work);
  int file_for(const model::Mapping& mapping, Work& work);

  const snapshot::StoredSnapshot& snapshot_;
  const SharedObjects& shared_;
  const Transport& transport_;
  Files files_;
  std::vector<AddressRange> seed_;  ///< what is mapped in the seed and its forks
};

}  // namespace icecore::replay
