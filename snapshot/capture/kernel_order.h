// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace icecore::snapshot {

/// Two tasks' (or descriptors') kernel objects compared by kcmp(2), whose order is total while none
/// of them goes away: so a new one is found among N known in log N calls.
enum class KernelOrder { Equal, Less, Greater, Unknown };

KernelOrder compare_descriptor_tables(int tid_a, int tid_b);
KernelOrder compare_fs_structs(int tid_a, int tid_b);
KernelOrder compare_descriptions(int tid_a, int fd_a, int tid_b, int fd_b);

/// A sorted set of kernel objects, each known by one holder of it and by its number in the model.
template <typename Holder>
class KernelObjectSet {
 public:
  struct Found {
    unsigned id;  ///< of the known object, or the one given for a new
    bool is_new;
    bool certain;  ///< false when the kernel would not compare
  };

  /// `compare(known holder, holder)` gives the order.
  template <typename Compare>
  Found find_or_add(const Holder& holder, unsigned new_id, Compare compare) {
    std::size_t low = 0;
    std::size_t high = entries_.size();
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      switch (compare(entries_[middle].holder, holder)) {
        case KernelOrder::Equal:
          return {entries_[middle].id, false, true};
        case KernelOrder::Less:
          low = middle + 1;
          break;
        case KernelOrder::Greater:
          high = middle;
          break;
        case KernelOrder::Unknown:
          return {new_id, true, false};
      }
    }
    entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(low), Entry{holder, new_id});
    return {new_id, true, true};
  }

 private:
  struct Entry {
    Holder holder;
    unsigned id;
  };
  std::vector<Entry> entries_;
};

}  // namespace icecore::snapshot
