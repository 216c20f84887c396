// SPDX-License-Identifier: Apache-2.0
#include "replay/files/own_table.h"

#include <sched.h>

#include <exception>
#include <thread>

#include "base/error.h"

namespace icecore::replay {

void with_own_table(const std::function<void()>& body) {
  std::exception_ptr failure;
  std::thread([&] {
    try {
      if (::unshare(CLONE_FILES) != 0) throw_errno("unshare the descriptor table");
      body();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace icecore::replay
