// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "snapshot/symbols/image_memory.h"
#include "snapshot/symbols/variables.h"
#include "tests/snapshot/live_image.h"

namespace icecore::symbols {
namespace {

using test::LiveImage;
using test::LiveVictim;
using testing::ElementsAre;
using testing::MatchesRegex;

/// A copy of what a process had in one range of memory; the rest is as it is now.
class KeptImage : public ProcessImage {
 public:
  KeptImage(const LiveImage& live, std::uint64_t start, std::uint64_t end)
      : process_(live.process()), start_(start), bytes_(read_bytes(live, start, end - start)) {}
  const model::Process& process() const override { return process_; }
  const model::Machine& machine() const override { return model::Machine::default_instance(); }
  std::size_t read_memory(std::uint64_t address, std::span<std::byte> out) const override {
    if (address < start_ || address - start_ >= bytes_.size()) return 0;
    const auto rest = std::span(bytes_).subspan(address - start_);
    const auto part = rest.first(std::min(out.size(), rest.size()));
    std::ranges::copy(part, out.begin());
    return part.size();
  }
  UniqueFd open_module(const model::Mapping&) const override { return {}; }
  UniqueFd open_debug(const model::Mapping&) const override { return {}; }

 private:
  model::Process process_;
  std::uint64_t start_;
  std::vector<std::byte> bytes_;
};

std::string value(const Symbolizer& symbolizer, const std::string& name) {
  const auto found = find_variables(symbolizer, name);
  if (found.size() != 1) return std::to_string(found.size()) + " variables";
  return format_variable(found[0], symbolizer.image());
}

class Variables : public testing::Test {
 protected:
  LiveVictim victim{"symbols_globals"};
  ModuleCache cache;
};

TEST_F(Variables, AreShownByTheirTypes) {
  const LiveImage image(victim.pid());
  const Symbolizer symbolizer(image, cache);
  const std::map<std::string, std::string> expected = {
      {"counter", "41"},
      {"hidden", "-7"},
      {"ready", "true"},
      {"letter", "120 'x'"},
      {"ratio", "0.5"},
      {"numbers", "[1, 2, 3, 4]"},
      {"text", "\"hello\""},
      {"path", "[{x = 1, y = 2}, {x = 3, y = 4}]"},
      {"grid", "[[1, 2, 3], [4, 5, 6]]"},
      {"raw", "[1, 2, 255]"},
      {"either", "{number = 1, real = 1.40129846e-45}"},
      {"shop::stock", "100"},
      {"shop::(anonymous namespace)::reserve", "12"},
      {"shop::Till::total", "1099511627776"},
      {"plain_c_function::calls", "0"},
  };
  for (const auto& [name, text] : expected) EXPECT_EQ(value(symbolizer, name), text) << name;
  EXPECT_THAT(value(symbolizer, "message"), MatchesRegex("0x[0-9a-f]+ \"a message\""));
  EXPECT_THAT(value(symbolizer, "record"),
              MatchesRegex("\\{position = \\{x = 3, y = -4\\}, name = 0x[0-9a-f]+ \"home\", "
                           "weight = 2.5, level = 6, flags = 17, colour = kGreen\\}"));
  // Each thread has its own: it is not at one address.
  EXPECT_EQ(value(symbolizer, "per_thread"), "0 variables");
}

TEST_F(Variables, KnowTheirTypeFileAndLine) {
  const LiveImage image(victim.pid());
  const Symbolizer symbolizer(image, cache);
  const auto record = find_variables(symbolizer, "record");
  ASSERT_EQ(record.size(), 1U);
  EXPECT_EQ(record[0].variable->type, "Record");
  EXPECT_TRUE(record[0].variable->file.ends_with("symbols_globals.cc"));
  EXPECT_GT(record[0].variable->line, 1U);
  EXPECT_EQ(find_variables(symbolizer, "grid")[0].variable->type, "int[2][3]");
  EXPECT_EQ(find_variables(symbolizer, "message")[0].variable->type, "const char *");
  EXPECT_EQ(find_variables(symbolizer, "ready")[0].variable->type, "volatile bool");
}

TEST_F(Variables, AreFoundByTheAddressesTheyLieAt) {
  const LiveImage image(victim.pid());
  const Symbolizer symbolizer(image, cache);
  const std::uint64_t numbers = find_variables(symbolizer, "numbers")[0].address;
  const auto one = variables_in(symbolizer, numbers + 7, numbers + 8);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].variable->name, "numbers");
  EXPECT_TRUE(variables_in(symbolizer, numbers, numbers).empty());
  EXPECT_TRUE(variables_in(symbolizer, 0x10, 0x20).empty());
}

TEST_F(Variables, TellWhatChangedBetweenTwoMoments) {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::unique_ptr<KeptImage> before;
  {
    const LiveImage image(victim.pid());
    const Symbolizer symbolizer(image, cache);
    start = find_variables(symbolizer, "counter")[0].address & ~std::uint64_t{4095};
    end = start + 4096;
    before = std::make_unique<KeptImage>(image, start, end);
  }
  victim.command("count");
  victim.command("stock");
  const LiveImage after(victim.pid());
  const Symbolizer symbolizer(after, cache);
  std::vector<std::string> changes;
  for (const LocatedVariable& variable : variables_in(symbolizer, start, end)) {
    for (const auto& change : compare_variable(variable, *before, after)) {
      changes.push_back(format_change(change));
    }
  }
  EXPECT_THAT(changes,
              testing::UnorderedElementsAre("counter 41 -> 42 (symbols_globals.cc)",
                                            "shop::stock 100 -> 112 (symbols_globals.cc)",
                                            "plain_c_function::calls 0 -> 1 (symbols_globals.cc)"));
}

TEST_F(Variables, NameTheMembersThatChanged) {
  LiveImage image(victim.pid());
  const Symbolizer symbolizer(image, cache);
  const auto record = find_variables(symbolizer, "record")[0];
  auto bytes = read_bytes(image, record.address, record.variable->size);
  const auto values = [&] {
    std::map<std::string, std::string> parts;
    for (const auto& part : record.table->parts(*record.variable, bytes, image)) {
      parts[part.path] = part.value;
    }
    return parts;
  };
  const auto before = values();
  EXPECT_EQ(before.size(), 7U);
  EXPECT_EQ(before.at(".position.y"), "-4");
  bytes[4] = std::byte{9};
  EXPECT_EQ(values().at(".position.y"), "-247");
  EXPECT_EQ(values().at(".level"), "6");
}

TEST_F(Variables, AreElfSymbolsWithSizesWhereThereIsNoDebugInformation) {
  std::string pattern = testing::TempDir() + "icecore-nodebug-XXXXXX";
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  const std::string program = directory / "program";
  const std::string strip = "objcopy --strip-debug --remove-section=.note.gnu.build-id " +
                            LiveVictim::path("symbols_globals") + " " + program + " 2>/dev/null";
  ASSERT_EQ(std::system(strip.c_str()), 0);
  {
    LiveVictim stripped(program);
    const LiveImage image(stripped.pid());
    const Symbolizer symbolizer(image, cache);
    EXPECT_EQ(value(symbolizer, "counter"), "0x29");
    EXPECT_EQ(value(symbolizer, "shop::stock"), "0x64");
    EXPECT_EQ(value(symbolizer, "path"), "01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00");
    const auto path = find_variables(symbolizer, "path")[0];
    EXPECT_EQ(path.variable->type, "");
    const auto bytes = read_bytes(image, path.address, path.variable->size);
    std::vector<std::string> parts;
    for (const auto& part : path.table->parts(*path.variable, bytes, image)) {
      parts.push_back(part.path + " " + part.value);
    }
    EXPECT_THAT(parts, ElementsAre("+0 0x200000001", "+8 0x400000003"));
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace icecore::symbols
