// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "snapshot/capture/borrowed_descriptor.h"
#include "snapshot/capture/kernel_order.h"
#include "snapshot/capture/pipes.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/model/snapshot.pb.h"
#include "snapshot/proc/fdinfo.h"

namespace icecore::snapshot {

/// The descriptors of a whole tree: fills descriptor_table, fs_struct and descriptors of every
/// process of `snapshot`, and Snapshot.open_files. The processes must have their pid, threads and
/// namespaces.
///
/// Descriptions that several descriptors share are found by kcmp(2), which compares the kernel's
/// own objects. So as not to compare each with each, only those are compared that agree in what
/// fdinfo says of the description (inode, mount, flags, position), and those in the order that kcmp
/// defines. That is right as long as nothing changes meanwhile: for a frozen tree. Of a running one
/// the view is as good as a look at /proc.
class DescriptorCapture {
 public:
  explicit DescriptorCapture(model::Snapshot& snapshot) : snapshot_(snapshot) {}

  void capture() {
    capture_tables();
    capture_objects();
  }
  /// The first half: which descriptors there are, and what their links and fdinfo say. Disturbs
  /// nobody, so that it may be done ahead of a freeze, if nothing has run by then.
  void capture_tables();
  /// While frozen, after capture_tables() ahead of it of processes of which only those in `rested`
  /// did not run since: takes back what was read of the others, brings up to date what these may
  /// have changed of the open files of the former, and adds the tables of processes that were not
  /// there. False when those have a table in common with one that was read.
  bool capture_other_tables(const std::set<int>& rested);
  /// The other half: what must be asked of the objects, through duplicates of their descriptors.
  /// While one is open, the object outlives a close(): only for a tree that does not run.
  void capture_objects();

 private:
  struct Key {
    std::uint64_t inode;
    std::uint64_t mount_id;
    std::int64_t position;
    unsigned flags;
    auto operator<=>(const Key&) const = default;
  };
  struct Holder {
    int tid;
    int fd;
  };

  static Key key_of(const proc::FdInfo& info);
  static KernelOrder compare_holders(const Holder& a, const Holder& b);
  void capture_process(model::Process& process);
  void keep_only(const std::set<int>& rested);
  void read_open_files_again();
  void assign_tables(int tid, model::Process& process);
  void check_threads(int tid, const model::Process& process);
  void capture_descriptors(const ProcDirectory& directory, model::Process& process);
  void capture_descriptor(const ProcDirectory& directory, int fd, model::Process& process);
  std::uint32_t add_description(const ProcDirectory& directory, int fd, const proc::FdInfo& info);
  void ask_object(std::size_t index);
  void capture_queues();
  void capture_queue(std::uint32_t id);
  std::uint32_t capture_in_flight(UniqueFd fd);
  void note_uncertain(int pid);

  model::Snapshot& snapshot_;
  PipeCapture pipes_;
  KernelObjectSet<int> tables_;
  KernelObjectSet<int> fs_structs_;
  std::map<std::uint32_t, const model::Process*> table_owners_;
  std::map<int, int> tids_;  // by pid: the thread through which it was read
  std::map<Key, KernelObjectSet<Holder>> descriptions_;
  std::vector<Holder> holders_;                             // by OpenFile.id - 1
  std::optional<std::pair<int, DescriptorLender>> lender_;  // of the last object asked, by tid
  std::vector<UniqueFd> in_flight_;  // ours, of what only waits in a queue; they are holders too
  unsigned last_table_ = 0;
  unsigned last_fs_struct_ = 0;
  bool uncertain_ = false;
};

}  // namespace icecore::snapshot
