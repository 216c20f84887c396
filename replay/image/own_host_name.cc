// SPDX-License-Identifier: Apache-2.0
#include "replay/image/own_host_name.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

namespace icecore::replay {

OwnHostName::OwnHostName(const std::string& name)
    : before_(::open("/proc/thread-self/ns/uts", O_RDONLY | O_CLOEXEC)) {
  if (!before_.valid() || ::unshare(CLONE_NEWUTS) != 0) {
    throw_errno("make a UTS namespace for host name " + name);
  }
  if (::sethostname(name.data(), name.size()) != 0) throw_errno("set host name " + name);
}

OwnHostName::~OwnHostName() {
  if (::setns(before_.get(), CLONE_NEWUTS) != 0) log(Topic::Tracing, "setns: cannot go back");
}

}  // namespace icecore::replay
