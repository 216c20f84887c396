// SPDX-License-Identifier: Apache-2.0
#include "store/collector.h"
#include "store/index_rebuilder.h"
#include "store/store_impl.h"
#include "store/verifier.h"

namespace icecore::store {

GarbageReport Store::collect_garbage() {
  impl_->require_writable("collect garbage");
  return Collector(impl_->directory, *impl_->index).run();
}

VerifyReport Store::verify(
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) const {
  return Verifier(impl_->directory, *impl_->index).run(progress);
}

RebuildReport Store::rebuild_index(const std::filesystem::path& directory) {
  return IndexRebuilder(directory).run();
}

}  // namespace icecore::store
