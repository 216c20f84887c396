// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "snapshot/symbols/xsave_layout.h"

namespace icecore::symbols {
namespace {

void add_component(model::Machine& machine, std::uint32_t number, std::uint32_t offset,
                   std::uint32_t size) {
  model::XsaveComponent& component = *machine.add_xsave_components();
  component.set_number(number);
  component.set_offset(offset);
  component.set_size(size);
}

// As CPUID says on a Zen 4, with one component (11) that no Intel layout has.
model::Machine zen4() {
  model::Machine machine;
  add_component(machine, 2, 576, 256);
  add_component(machine, 5, 832, 64);
  add_component(machine, 6, 896, 512);
  add_component(machine, 7, 1408, 1024);
  add_component(machine, 9, 2432, 8);
  add_component(machine, 11, 2440, 16);
  return machine;
}

std::uint64_t word_at(const std::string& image, std::size_t offset) {
  std::uint64_t word = 0;
  std::memcpy(&word, image.data() + offset, sizeof word);
  return word;
}

// Each component is filled with its number.
std::string image_of(const model::Machine& machine, std::size_t size) {
  std::string image(size, '\0');
  std::uint64_t mask = 3;
  for (const auto& component : machine.xsave_components()) {
    image.replace(component.offset(), component.size(), component.size(),
                  static_cast<char>(component.number()));
    mask |= std::uint64_t{1} << component.number();
  }
  std::memcpy(image.data() + 464, &mask, sizeof mask);
  std::memcpy(image.data() + 512, &mask, sizeof mask);
  image.replace(0, 464, 464, 'l');
  return image;
}

TEST(XsaveLayout, MovesEachComponentToWhereIntelHasIt) {
  const std::string moved = in_intel_layout(image_of(zen4(), 2456), zen4());
  ASSERT_EQ(moved.size(), 2696U);
  EXPECT_EQ(moved.substr(0, 464), std::string(464, 'l'));
  EXPECT_EQ(moved.substr(576, 256), std::string(256, '\2'));
  EXPECT_EQ(moved.substr(832, 256), std::string(256, '\0'));
  EXPECT_EQ(moved.substr(1088, 64), std::string(64, '\5'));
  EXPECT_EQ(moved.substr(1152, 512), std::string(512, '\6'));
  EXPECT_EQ(moved.substr(1664, 1024), std::string(1024, '\7'));
  EXPECT_EQ(moved.substr(2688), std::string(8, '\11'));
}

TEST(XsaveLayout, TakesComponentsThatIntelLacksOutOfBothMasks) {
  const std::string moved = in_intel_layout(image_of(zen4(), 2456), zen4());
  EXPECT_EQ(word_at(moved, 464), 0x2e7U);
  EXPECT_EQ(word_at(moved, 512), 0x2e7U);
}

TEST(XsaveLayout, LeavesIntelsOwnImagesAsTheyAre) {
  model::Machine machine;
  add_component(machine, 2, 576, 256);
  add_component(machine, 5, 1088, 64);
  add_component(machine, 6, 1152, 512);
  add_component(machine, 7, 1664, 1024);
  const std::string image = image_of(machine, 2688);
  EXPECT_EQ(in_intel_layout(image, machine), image);
}

TEST(XsaveLayout, ReadsNothingBehindAnImageThatIsCutOff) {
  const std::string cut = in_intel_layout(image_of(zen4(), 2456).substr(0, 900), zen4());
  EXPECT_EQ(cut.size(), 1088U + 64U);
  EXPECT_EQ(word_at(cut, 512), 0x27U);
  EXPECT_EQ(in_intel_layout(std::string(512, 'l'), zen4()), std::string(512, 'l'));
}

}  // namespace
}  // namespace icecore::symbols
