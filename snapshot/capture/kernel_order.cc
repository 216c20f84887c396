// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/kernel_order.h"

#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace icecore::snapshot {
namespace {

KernelOrder compare(int tid_a, int tid_b, int type, int index_a, int index_b) {
  switch (::syscall(SYS_kcmp, tid_a, tid_b, type, index_a, index_b)) {
    case 0:
      return KernelOrder::Equal;
    case 1:
      return KernelOrder::Less;
    case 2:
      return KernelOrder::Greater;
    default:
      return KernelOrder::Unknown;
  }
}

}  // namespace

KernelOrder compare_descriptor_tables(int tid_a, int tid_b) {
  return compare(tid_a, tid_b, KCMP_FILES, 0, 0);
}

KernelOrder compare_fs_structs(int tid_a, int tid_b) {
  return compare(tid_a, tid_b, KCMP_FS, 0, 0);
}

KernelOrder compare_descriptions(int tid_a, int fd_a, int tid_b, int fd_b) {
  return compare(tid_a, tid_b, KCMP_FILE, fd_a, fd_b);
}

}  // namespace icecore::snapshot
