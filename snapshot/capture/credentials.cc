// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/credentials.h"

namespace icecore::snapshot {

void fill_credentials(const proc::Status& status, model::Credentials& credentials) {
  credentials.set_uid(status.uids[0]);
  credentials.set_euid(status.uids[1]);
  credentials.set_suid(status.uids[2]);
  credentials.set_fsuid(status.uids[3]);
  credentials.set_gid(status.gids[0]);
  credentials.set_egid(status.gids[1]);
  credentials.set_sgid(status.gids[2]);
  credentials.set_fsgid(status.gids[3]);
  credentials.mutable_groups()->Assign(status.groups.begin(), status.groups.end());
  credentials.set_capabilities_inheritable(status.capabilities_inheritable);
  credentials.set_capabilities_permitted(status.capabilities_permitted);
  credentials.set_capabilities_effective(status.capabilities_effective);
  credentials.set_capabilities_bounding(status.capabilities_bounding);
  credentials.set_capabilities_ambient(status.capabilities_ambient);
  credentials.set_no_new_privs(status.no_new_privs);
  credentials.set_seccomp_mode(status.seccomp_mode);
  credentials.set_seccomp_filters(status.seccomp_filters);
}

}  // namespace icecore::snapshot
