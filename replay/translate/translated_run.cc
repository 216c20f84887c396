// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/translated_run.h"

#include <utility>

#include "replay/translate/engine.h"

namespace icecore::replay {

TranslatedRun::TranslatedRun(int tid, std::vector<AddressRange> keep_free)
    : engine_(std::make_unique<Engine>(tid, std::move(keep_free))) {}

TranslatedRun::~TranslatedRun() = default;

void TranslatedRun::set_places(const std::vector<Place>& places) { engine_->set_places(places); }
Outcome TranslatedRun::run(const Limit& limit) { return engine_->run(limit); }
const ExecutionPoint& TranslatedRun::point() const { return engine_->point(); }
void TranslatedRun::restart_count() { engine_->restart_count(); }
std::vector<Visits> TranslatedRun::visits() const { return engine_->visits(); }
void TranslatedRun::forget_code(std::uint64_t start, std::uint64_t end) {
  engine_->forget_code(start, end);
}

}  // namespace icecore::replay
