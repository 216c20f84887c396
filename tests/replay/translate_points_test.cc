// SPDX-License-Identifier: Apache-2.0
// Translated execution against the processor's own, instruction by instruction.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "replay/translate/instruction.h"
#include "snapshot/tracing/process_memory.h"
#include "tests/replay/translated_program.h"

namespace icecore::replay {
namespace {

using test::ProgramState;
using test::TranslatedProgram;

std::string victim(const char* name) { return std::string(ICECORE_VICTIM_DIR) + "/" + name; }

/// Runs to the end of the next sched_yield(2).
void run_to_marker(TranslatedProgram& program) {
  do {
    program.run_natively_to_system_call();
  } while (!program.ended() && program.registers().orig_rax != SYS_sched_yield);
  program.finish_system_call();
}

struct Reference {
  ExecutionPoint point;
  ProgramState state;
};

/// The points of a stepped execution, told apart as translation tells them.
class SteppedExecution {
 public:
  explicit SteppedExecution(TranslatedProgram& program) : program_(program) {
    point_.pc = program.registers().rip;
  }
  [[nodiscard]] const ExecutionPoint& point() const { return point_; }
  /// False in front of sched_yield(2).
  bool step() {
    const Instruction& form = instruction(point_.pc);
    const user_regs_struct before = program_.registers();
    if (form.flow == Flow::SystemCall && before.rax == SYS_sched_yield) return false;
    if (form.flow == Flow::SystemCall) {
      program_.pass_system_call();
    } else {
      program_.step_natively();
    }
    const std::uint64_t pc = program_.registers().rip;
    if (is_transfer(form.flow)) {
      point_ = {point_.transfers + 1, pc, 0};
    } else if (form.is_repeated_string() && pc == point_.pc) {
      ++point_.rep_done;
    } else {
      point_ = {point_.transfers, pc, 0};
    }
    return true;
  }

 private:
  static bool is_transfer(Flow flow) {
    return flow == Flow::Jump || flow == Flow::Conditional || flow == Flow::CountedJump ||
           flow == Flow::Call || flow == Flow::CallIndirect || flow == Flow::JumpIndirect ||
           flow == Flow::Return;
  }
  const Instruction& instruction(std::uint64_t pc) {
    const auto [known, is_new] = instructions_.try_emplace(pc);
    if (!is_new) return known->second;
    std::array<std::uint8_t, 15> bytes{};
    snapshot::read_process(program_.pid(), pc, std::as_writable_bytes(std::span(bytes)));
    const auto form = decode(bytes);
    if (!form) throw std::runtime_error("an unknown instruction");
    return known->second = *form;
  }

  TranslatedProgram& program_;
  ExecutionPoint point_;
  std::map<std::uint64_t, Instruction> instructions_;
};

/// Every `distance` steps, and in the middle of `rep`.
std::vector<Reference> step_through(TranslatedProgram& program, std::size_t distance) {
  std::vector<Reference> result;
  SteppedExecution execution(program);
  std::size_t steps = 0;
  do {
    const bool in_repetition = execution.point().rep_done % 50 == 7;
    if (steps++ % distance != 0 && !in_repetition) continue;
    result.push_back({execution.point(), state_of(program)});
  } while (execution.step());
  result.push_back({execution.point(), state_of(program)});
  return result;
}

std::string name_of(const ExecutionPoint& point) {
  std::ostringstream out;
  out << point.transfers << " transfers, pc " << std::hex << point.pc << ", rep " << std::dec
      << point.rep_done;
  return out.str();
}

/// Runs to a point, doing natively what stops it before.
void reach(TranslatedProgram& program, TranslatedRun& run, const ExecutionPoint& point) {
  for (;;) {
    const Outcome outcome = run.run({.point = point});
    if (std::holds_alternative<PointReached>(outcome)) return;
    ASSERT_TRUE(program.settle(outcome, run)) << "outcome " << outcome.index();
  }
}

void are_native_one_after_the_other(TranslatedProgram& original,
                                    const std::vector<Reference>& points) {
  TranslatedProgram program(original, 2);
  TranslatedRun run(program.pid());
  for (const Reference& reference : points) {
    SCOPED_TRACE(name_of(reference.point));
    ASSERT_NO_FATAL_FAILURE(reach(program, run, reference.point));
    ASSERT_EQ(run.point(), reference.point);
    ASSERT_EQ(difference(reference.state, state_of(program)), "");
  }
}

void are_native_at_once(TranslatedProgram& original, const std::vector<Reference>& points) {
  for (std::size_t i = 3; i < points.size(); i += points.size() / 12) {
    SCOPED_TRACE(name_of(points[i].point));
    TranslatedProgram program(original, 2);
    TranslatedRun run(program.pid());
    ASSERT_NO_FATAL_FAILURE(reach(program, run, points[i].point));
    ASSERT_EQ(difference(points[i].state, state_of(program)), "");
  }
}

void are_native_after_entering_again(TranslatedProgram& original,
                                     const std::vector<Reference>& points) {
  TranslatedProgram program(original, 2);
  ExecutionPoint from;
  for (const Reference& reference : points) {
    SCOPED_TRACE(name_of(reference.point));
    TranslatedRun run(program.pid());
    ExecutionPoint distance = reference.point;
    distance.transfers -= from.transfers;
    if (reference.point.transfers == from.transfers && reference.point.pc == from.pc) {
      distance.rep_done -= from.rep_done;
    }
    ASSERT_NO_FATAL_FAILURE(reach(program, run, distance));
    ASSERT_EQ(difference(reference.state, state_of(program)), "");
    from = reference.point;
  }
}

void are_found_by_their_registers(TranslatedProgram& original,
                                  const std::vector<Reference>& points) {
  TranslatedProgram program(original, 2);
  TranslatedRun run(program.pid());
  for (std::size_t i = 1; i < points.size(); i += 5) {
    SCOPED_TRACE(name_of(points[i].point));
    for (;;) {
      const Outcome outcome = run.run({.state = points[i].state.registers});
      if (std::holds_alternative<StateMatched>(outcome)) {
        // Registers alone may be those of an earlier point.
        if (run.point() == points[i].point) break;
        ASSERT_LT(run.point(), points[i].point);
      } else {
        ASSERT_TRUE(program.settle(outcome, run));
      }
    }
    ASSERT_EQ(difference(points[i].state, state_of(program)), "");
  }
}

void are_missed_where_there_is_none(TranslatedProgram& original,
                                    const std::vector<Reference>& points) {
  TranslatedProgram program(original, 2);
  TranslatedRun run(program.pid());
  ExecutionPoint nowhere = points[2].point;
  nowhere.pc = 1;
  EXPECT_TRUE(std::holds_alternative<PointMissed>(run.run({.point = nowhere})));
}

// One test, because the stepping takes most of its time.
TEST(TranslatedPoints, AreThoseOfNativeExecution) {
  TranslatedProgram original({victim("translate_mixed")});
  run_to_marker(original);
  std::vector<Reference> points;
  {
    TranslatedProgram stepped(original, 1);
    points = step_through(stepped, 397);
  }
  ASSERT_GT(points.size(), 50U);
  ASSERT_NO_FATAL_FAILURE(are_native_one_after_the_other(original, points));
  ASSERT_NO_FATAL_FAILURE(are_native_at_once(original, points));
  ASSERT_NO_FATAL_FAILURE(are_native_after_entering_again(original, points));
  ASSERT_NO_FATAL_FAILURE(are_found_by_their_registers(original, points));
  ASSERT_NO_FATAL_FAILURE(are_missed_where_there_is_none(original, points));
}

}  // namespace
}  // namespace icecore::replay
