// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "replay/translate/code_cache.h"
#include "replay/translate/traced_thread.h"
#include "replay/translate/transfer_counter.h"
#include "replay/translate/translated_run.h"

namespace icecore::replay {

/// What is behind TranslatedRun. It *sprints* through counted blocks while the limit is far, and
/// *steps* from transfer to transfer through uncounted ones when it is near: these leave every
/// flag as it is natively, and end where they are told to.
class TranslatedRun::Engine {
 public:
  Engine(int tid, std::vector<AddressRange> keep_free);

  /// Logs what translation cost.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void set_places(const std::vector<Place>& places);
  Outcome run(const Limit& limit);
  [[nodiscard]] const ExecutionPoint& point() const { return point_; }
  void restart_count();
  [[nodiscard]] const std::vector<Visits>& visits() const { return counter_.visits(); }
  void forget_code(std::uint64_t start, std::uint64_t end);

 private:
  /// Nothing: it goes on at the point, with native registers.
  using Step = std::optional<Outcome>;
  /// How it came to the point, as to what is to be done for a place there.
  enum class Arrival {
    Started,  ///< run() began here: a visit, but no reason to stop
    Arrived,  ///< from elsewhere
    Resumed   ///< all was done: in the middle of a block, or of a `rep`
  };

  void begin(const Limit& limit);
  void apply_places(const Limit& limit);
  void finish();
  void arrive(std::uint64_t pc, Arrival arrival);
  [[nodiscard]] bool is_near(const Limit& limit) const;

  Step go_on(const Limit& limit);
  Step limit_reached(const Limit& limit);
  Step place_reached(const PlaceActions& actions);
  Step matched();

  Step step(const Limit& limit);
  Step sprint(const Limit& limit);
  void arm(const Limit& limit);
  void make_room();
  /// The code to go on with in the cache; nothing when it leaves the sprint.
  std::optional<std::uint64_t> after_link(const Exit& exit);
  std::optional<std::uint64_t> after_indirect();
  std::optional<std::uint64_t> after_empty_lane(const Limit& limit);
  std::optional<std::uint64_t> take(const std::variant<std::uint64_t, WhyNot>& code,
                                    std::uint64_t pc);

  // engine_stops.cc
  Step leave_at(const Exit& exit, const ThreadStop& stop);
  Step stopped(ThreadStop stop);
  Step fault_natively(WhyNot why_not);
  Step fault_at_transfer();
  Step input_instruction();
  unsigned make_native(std::uint64_t address);
  void make_siginfo_native(ThreadStop& stop);
  std::uint64_t take_target();
  bool advance_repetition(std::uint64_t times);
  void mend_x87();

  TracedThread thread_;
  std::vector<AddressRange> keep_free_;
  int cpu_;  ///< that the thread is pinned to, -1: not to one
  std::optional<CodeCache> cache_;
  TransferCounter counter_;
  std::vector<Place> places_;
  std::optional<user_regs_struct> match_;
  std::vector<MemoryWord> matched_words_;
  bool places_changed_ = true;
  ExecutionPoint point_;
  ExecutionPoint start_;  ///< of the current run()
  Arrival arrival_ = Arrival::Started;
  std::optional<WhyNot> no_code_;  ///< at the point
  bool bad_target_ = false;        ///< of the indirect transfer behind which the point is
  bool interrupted_ = false;
  std::size_t stops_ = 0;  ///< while sprinting, as logged
};

}  // namespace icecore::replay
