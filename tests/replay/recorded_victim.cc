// SPDX-License-Identifier: Apache-2.0
#include "tests/replay/recorded_victim.h"

#include <signal.h>

#include "snapshot/recorder.h"

namespace icecore::replay::test {

RecordedVictim::RecordedVictim(const std::string& victim, const std::vector<std::string>& arguments)
    : victim_(std::make_unique<icecore::test::Victim>(victim, arguments)) {}

void RecordedVictim::snap() {
  stored_.reset();
  if (!store_) {
    store_ =
        std::make_unique<store::Store>(store::Store::open_or_create(directory_.path() / "store"));
  }
  const sigset_t before = snapshot::block_recorder_signals();
  const std::string name = store_->unused_name("victim");
  {
    snapshot::Recorder recorder(store_->write(name), store_->directory(), victim_->pid(), {});
    recorder.snap_once(snapshot::Recorder::Afterwards::Resume);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  stored_ = std::make_unique<snapshot::StoredSnapshot>(*store_, store_->resolve(name));
}

}  // namespace icecore::replay::test
