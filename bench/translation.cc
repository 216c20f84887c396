// SPDX-License-Identifier: Apache-2.0
// bench/translation PROGRAM ARGS: how much slower a single-threaded program is under translation,
// and what it costs to get to a point far inside of it.
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "base/error.h"
#include "tests/replay/translated_program.h"

namespace {

using icecore::test::TranslatedProgram;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Reads the output while the program runs, so that the pipe is never full.
class Reader {
 public:
  explicit Reader(TranslatedProgram& program)
      : program_(program), thread_([this] { text_ = program_.output(); }) {}
  ~Reader() {
    program_.end();
    if (thread_.joinable()) thread_.join();
  }
  std::string text() {
    thread_.join();
    return text_;
  }

 private:
  TranslatedProgram& program_;
  std::string text_;
  std::thread thread_;
};

std::string run_natively(const std::vector<std::string>& arguments) {
  TranslatedProgram program(arguments);
  Reader reader(program);
  const auto start = Clock::now();
  program.run_natively();
  std::printf("native      %8.3f s\n", seconds_since(start));
  return reader.text();
}

std::string run_translated(const std::vector<std::string>& arguments) {
  TranslatedProgram program(arguments);
  Reader reader(program);
  const auto start = Clock::now();
  icecore::replay::TranslatedRun run(program.pid());
  const std::uint64_t transfers = program.run_to_end(run);
  std::printf("translated  %8.3f s, %llu transfers, status %x\n", seconds_since(start),
              static_cast<unsigned long long>(transfers), static_cast<unsigned>(program.status()));
  return reader.text();
}

/// From the start to the instruction behind so many transfers, if it has them.
void arrive(const std::vector<std::string>& arguments, std::uint64_t transfers) {
  TranslatedProgram program(arguments);
  Reader reader(program);
  const auto start = Clock::now();
  icecore::replay::TranslatedRun run(program.pid());
  const icecore::replay::Limit limit{.point = icecore::replay::ExecutionPoint{transfers, 0, 0}};
  for (;;) {
    const auto outcome = run.run(limit);
    if (std::holds_alternative<icecore::replay::PointReached>(outcome)) break;
    if (!program.settle(outcome, run)) return;
  }
  std::printf("arrival     %8.3f s behind 10^%zu transfers\n", seconds_since(start),
              std::to_string(transfers).size() - 1);
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> program(arguments + 1, arguments + count);
  if (program.empty()) {
    std::fprintf(stderr, "usage: translation PROGRAM ARGS\n");
    return 2;
  }
  try {
    const std::string native = run_natively(program);
    const std::string translated = run_translated(program);
    std::printf("output      %s, %zu bytes\n", native == translated ? "equal" : "DIFFERENT",
                native.size());
    for (std::uint64_t transfers = 100'000; transfers <= 1'000'000'000; transfers *= 10) {
      arrive(program, transfers);
    }
    return native == translated ? 0 : 1;
  } catch (const icecore::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
