// SPDX-License-Identifier: Apache-2.0
#include "replay/image/image.h"

#include <charconv>

#include "base/error.h"

namespace icecore::replay {
namespace {

constexpr std::string_view kFirstLine = "icecore-image 1";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape) ++i;
    out += escape && text[i] == 'n' ? '\n' : text[i];
  }
  return out;
}

template <typename Number>
Number number_of(std::string_view key, std::string_view text) {
  Number value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    throw Error("the image's " + std::string(key) + " is no number: " + std::string(text));
  }
  return value;
}

void take(Image& image, std::string_view key, std::string_view value) {
  if (key == "name") image.name = unescaped(value);
  if (key == "snapshot") image.number = number_of<std::uint64_t>(key, value);
  if (key == "word") image.command.push_back(unescaped(value));
  if (key == "ready") image.ready = unescaped(value);
  if (key == "built") image.built_ns = number_of<std::int64_t>(key, value);
  if (key == "start") image.start_us = number_of<std::uint64_t>(key, value);
  if (key == "port") image.ports.push_back(number_of<int>(key, value));
  if (key == "advice") image.advice.push_back(unescaped(value));
  if (key == "copy-file") image.copy_file = unescaped(value);
  if (key == "connections" && value == "reset") image.connections = Image::Connections::Reset;
}

}  // namespace

std::string image_text(const Image& image) {
  std::string text(kFirstLine);
  const auto add = [&text](std::string_view key, std::string_view value) {
    text += "\n" + std::string(key) + " " + escaped(value);
  };
  add("name", image.name);
  add("snapshot", std::to_string(image.number));
  for (const auto& word : image.command) add("word", word);
  add("ready", image.ready);
  add("built", std::to_string(image.built_ns));
  add("start", std::to_string(image.start_us));
  for (const int port : image.ports) add("port", std::to_string(port));
  for (const auto& line : image.advice) add("advice", line);
  if (!image.copy_file.empty()) add("copy-file", image.copy_file);
  if (image.connections == Image::Connections::Reset) add("connections", "reset");
  return text + "\n";
}

Image parse_image(std::string_view text) {
  Image image;
  bool first = true;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (first && line != kFirstLine) {
      throw Error("this is no image that this icecore knows: it begins with \"" +
                  std::string(line.substr(0, 40)) + "\"");
    }
    const auto space = line.find(' ');
    if (!first && space != std::string_view::npos) {
      take(image, line.substr(0, space), line.substr(space + 1));
    }
    first = false;
  }
  if (image.name.empty() || image.number == 0) throw Error("the image's description is damaged");
  return image;
}

}  // namespace icecore::replay
