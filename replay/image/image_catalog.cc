// SPDX-License-Identifier: Apache-2.0
#include "replay/image/image_catalog.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/unique_fd.h"
#include "replay/image/copy_file.h"

namespace icecore::replay {
namespace {

constexpr std::string_view kSuffix = ".image";

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) throw_errno("read " + path.string());
  return text.str();
}

void write_all(int fd, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0) throw_errno("write " + name);
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

}  // namespace

void ImageCatalog::make_directory() const {
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_errno("create " + directory_.string());
  }
}

std::filesystem::path ImageCatalog::make_copy_file(std::string_view name) const {
  make_directory();
  auto path = copy_file_path(directory_, name);
  replay::make_copy_file(path);
  return path;
}

std::filesystem::path ImageCatalog::file(std::string_view name, std::string_view suffix) const {
  return directory_ / (std::string(name) + "." + std::string(suffix));
}

std::vector<Image> ImageCatalog::list() const {
  std::vector<Image> images;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, none)) {
    if (entry.path().extension() != kSuffix) continue;
    try {
      images.push_back(parse_image(read_text(entry.path())));
    } catch (const Error&) {
      continue;
    }
  }
  std::ranges::sort(images, {}, &Image::name);
  return images;
}

bool ImageCatalog::contains(std::string_view name) const {
  std::error_code none;
  return std::filesystem::exists(file(name, "image"), none);
}

Image ImageCatalog::find(std::string_view name) const {
  const auto path = file(name, "image");
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    std::string known;
    for (const auto& image : list()) known += (known.empty() ? "" : ", ") + image.name;
    throw Error("there is no image '" + std::string(name) + "'")
        .set_why(known.empty() ? "this store has no images" : "there are: " + known)
        .set_hint("icecore image build " + std::string(name) + " -- PROGRAM ARGS");
  }
  if (status.st_uid != ::geteuid()) {
    Refused refused("image " + std::string(name) + " was built by user " +
                    std::to_string(status.st_uid) + ", whose memory it holds");
    refused.set_hint("let that user export it, and import it: icecore image import DIR");
    throw refused;
  }
  return with_context("image " + std::string(name), [&] { return parse_image(read_text(path)); });
}

void ImageCatalog::write(const Image& image) const {
  make_directory();
  const auto path = file(image.name, "image");
  const std::string passing = path.string() + ".new";
  const UniqueFd fd(::open(passing.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) throw_errno("create " + passing);
  write_all(fd.get(), image_text(image), passing);
  if (::fsync(fd.get()) != 0) throw_errno("write " + passing);
  if (::rename(passing.c_str(), path.c_str()) != 0) throw_errno("rename " + passing);
  const UniqueFd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || ::fsync(directory.get()) != 0) throw_errno("write " + path.string());
}

void ImageCatalog::remove(std::string_view name) const {
  const auto images = list();
  const auto known = std::ranges::find(images, name, &Image::name);
  std::string told = known == images.end() ? std::string() : known->copy_file;
  if (told.empty()) told = copy_file_path(directory_, name);
  // An image that was imported beside the one that it comes from has the same.
  if (std::ranges::count(images, told, &Image::copy_file) <= 1) remove_copy_file(told);
  // The description last: what has one can still be made anew.
  for (const char* suffix :
       {"memory", "memory.new", "touched", "order", "verified", "bank", "image.new", "image"}) {
    std::error_code none;
    std::filesystem::remove(file(name, suffix), none);
  }
}

}  // namespace icecore::replay
