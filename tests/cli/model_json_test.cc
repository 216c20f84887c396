// SPDX-License-Identifier: Apache-2.0
#include "cli/model_json.h"

#include <gtest/gtest.h>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::cli {
namespace {

TEST(ModelJson, PrintsNumbersAsNumbersWhateverTheirWidth) {
  model::Snapshot snapshot;
  snapshot.set_number(7);
  snapshot.mutable_timing()->set_dirty_bytes(std::uint64_t{1} << 40U);
  snapshot.add_processes()->add_mappings()->set_start(0x7ffff7dd0000);
  const Json json = model_json(snapshot);
  EXPECT_EQ(json["number"].dump(), "7");
  EXPECT_EQ(json["timing"]["dirty_bytes"].dump(), "1099511627776");
  EXPECT_EQ(json["processes"][0]["mappings"][0]["start"].dump(), "140737351843840");
}

TEST(ModelJson, PrintsEveryPlainFieldButOnlyTheRecordsThatAreThere) {
  const Json json = model_json(model::Snapshot());
  EXPECT_EQ(json["tag"], "");
  EXPECT_EQ(json["parent"], 0);
  EXPECT_EQ(json["processes"], Json::array());
  EXPECT_FALSE(json.contains("timing"));
}

TEST(ModelJson, PrintsCommandLinesAsStringsAndOtherBytesInHexadecimal) {
  model::Snapshot snapshot;
  auto& process = *snapshot.add_processes();
  process.set_command_line(std::string("cat\0-n\0\0", 8));
  process.set_environment("A=1");
  process.set_auxv(std::string("\x00\xff", 2));
  process.add_pending_signals("\x0b");
  const Json json = model_json(process);
  EXPECT_EQ(json["command_line"], Json::parse(R"(["cat", "-n", ""])"));
  EXPECT_EQ(json["environment"], Json::parse(R"(["A=1"])"));
  EXPECT_EQ(json["auxv"], "00ff");
  EXPECT_EQ(json["pending_signals"], Json::parse(R"(["0b"])"));
}

TEST(ModelJson, NamesEnumerators) {
  model::Cause cause;
  cause.set_kind(model::Cause::CRASH);
  EXPECT_EQ(model_json(cause)["kind"], "CRASH");
}

}  // namespace
}  // namespace icecore::cli
