// SPDX-License-Identifier: Apache-2.0
#include "cli/open_store.h"

namespace icecore::cli {

store::Store open_store(const Invocation& invocation, store::Store::Access access) {
  try {
    return store::Store::open(invocation.store_directory(), access);
  } catch (Error& error) {
    if (error.exit_status() == ExitStatus::NoSuchStore && error.hint().empty()) {
      error.set_hint("icecore run -- PROGRAM ARGS   (makes the store; --store DIR names another)");
    }
    throw;
  }
}

store::Store open_or_create_store(const Invocation& invocation) {
  try {
    return store::Store::open_or_create(invocation.store_directory());
  } catch (Error& error) {
    if (error.exit_status() == ExitStatus::NoSuchStore && error.hint().empty()) {
      error.set_hint("--store DIR names another; an empty or new directory becomes a store");
    }
    throw;
  }
}

}  // namespace icecore::cli
