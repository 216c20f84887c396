// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <iostream>
#include <vector>

#include "cli/commands.h"
#include "cli/doctor/probe.h"
#include "cli/invocation.h"
#include "cli/json_text.h"
#include "cli/text_lines.h"

namespace icecore::cli {
namespace {

using doctor::Finding;
using doctor::Need;
using doctor::Probe;

constexpr std::array kOptions = {
    Option{"json", 0, "", "print one JSON object"},
};

struct Result {
  const Probe* probe;
  Finding finding;
};

std::vector<Result> run_probes() {
  std::vector<Result> results;
  for (const auto probes : {doctor::tracing_probes(), doctor::memory_probes(),
                            doctor::restore_probes(), doctor::surroundings_probes()}) {
    for (const Probe& probe : probes) {
      try {
        results.push_back({&probe, probe.run()});
      } catch (const Error& error) {
        results.push_back({&probe, doctor::fails(error.what())});
      }
    }
  }
  return results;
}

void print_json(const std::vector<Result>& results, bool able) {
  Json features = Json::array();
  for (const auto& [probe, finding] : results) {
    features.push_back({{"name", probe->name},
                        {"works", finding.works},
                        {"required", probe->need == Need::Required},
                        {"detail", finding.detail},
                        {"gives", probe->gives},
                        {"without", probe->without},
                        {"fix", probe->fix}});
  }
  std::cout << json_text({{"version", kJsonVersion}, {"able", able}, {"features", features}});
}

void print_text(const Invocation& invocation, const std::vector<Result>& results) {
  const bool colour = invocation.colour(STDOUT_FILENO);
  const auto paint = [&](const char* code, const std::string& word) {
    return colour ? std::string("\033[") + code + "m" + word + "\033[0m" : word;
  };
  for (const auto& [probe, finding] : results) {
    const std::string detail = finding.detail.empty() ? "" : " (" + finding.detail + ")";
    if (finding.works) {
      std::cout << paint("32", "ok     ") << " " << probe->name << detail << "\n";
      continue;
    }
    std::cout << paint("31", "missing") << " " << probe->name << detail << "\n"
              << "          for:     " << probe->gives << "\n"
              << "          without: " << probe->without << "\n"
              << "          fix:     " << probe->fix << "\n";
  }
}

std::string verdict(const std::vector<Result>& results, bool able) {
  if (!able) return "This machine cannot take snapshots as it is.";
  for (const Result& result : results) {
    if (!result.finding.works) return "Looks good, but some abilities are missing: see above.";
  }
  return "Looks good.";
}

int run(const Invocation& invocation) {
  const auto results = run_probes();
  bool able = true;
  for (const auto& [probe, finding] : results) {
    able = able && (finding.works || probe->need == Need::Useful);
  }
  if (invocation.has("json")) {
    print_json(results, able);
  } else {
    print_text(invocation, results);
    std::cout << verdict(results, able) << "\n";
  }
  return able ? 0 : 1;
}

}  // namespace

Command doctor_command() {
  return {.name = "doctor",
          .group = Group::About,
          .summary = "find out what this machine can do, what is missing, and the remedy",
          .usage = "doctor [--json]",
          .description =
              "Each ability is tried out on processes of icecore's own, never guessed from the "
              "kernel's "
              "version. Exit status 0 when snapshots can be taken, 1 when not.",
          .options = kOptions,
          .run = run};
}

}  // namespace icecore::cli
