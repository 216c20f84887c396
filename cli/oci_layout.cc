// SPDX-License-Identifier: Apache-2.0
#include "cli/oci_layout.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "cli/quantities.h"
#include "cli/sha256.h"

namespace icecore::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr const char* kPackType = "application/vnd.icecore.pack.v1";
constexpr const char* kLabel = "icecore.image";

fs::path blobs(const fs::path& directory) { return directory / "blobs" / "sha256"; }

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << text << std::flush)) throw_errno("write " + path.string());
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) throw_errno("read " + path.string());
  return text.str();
}

Json descriptor(const char* type, const std::string& digest, std::uint64_t size) {
  return {{"mediaType", type}, {"digest", "sha256:" + digest}, {"size", size}};
}

Json add_json(const fs::path& directory, const char* type, const Json& json) {
  const std::string text = json.dump();
  const std::string digest = sha256_of(text);
  write_text(blobs(directory) / digest, text);
  return descriptor(type, digest, text.size());
}

/// The blob that a descriptor names, its digest checked.
fs::path checked_blob(const fs::path& directory, const Json& descriptor) {
  const std::string digest = descriptor.at("digest").get<std::string>();
  constexpr std::string_view kKind = "sha256:";
  const std::string name = digest.substr(std::min(kKind.size(), digest.size()));
  const bool plain = digest.starts_with(kKind) && name.size() == 64 &&
                     name.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!plain) throw Error(directory.string() + ": " + digest + " is no digest that we know");
  const fs::path path = blobs(directory) / name;
  if (sha256_of_file(path) != name) {
    throw Error(path.string() + " is damaged: its digest is another");
  }
  return path;
}

OciContents read_manifest(const fs::path& directory) {
  const Json index = Json::parse(read_text(directory / "index.json"));
  const Json manifest =
      Json::parse(read_text(checked_blob(directory, index.at("manifests").at(0))));
  const Json config = Json::parse(read_text(checked_blob(directory, manifest.at("config"))));
  OciContents contents;
  contents.image =
      replay::parse_image(config.at("config").at("Labels").at(kLabel).get<std::string>());
  for (const auto& layer : manifest.at("layers")) {
    if (layer.at("mediaType") != kPackType) continue;
    contents.packs.push_back(checked_blob(directory, layer));
  }
  return contents;
}

}  // namespace

void write_oci_layout(const fs::path& directory, const replay::Image& image,
                      const std::vector<fs::path>& packs) {
  fs::create_directories(blobs(directory));
  Json layers = Json::array();
  Json layer_ids = Json::array();
  for (const auto& pack : packs) {
    const std::string digest = sha256_of_file(pack);
    layers.push_back(descriptor(kPackType, digest, fs::file_size(pack)));
    layer_ids.push_back("sha256:" + digest);
    fs::rename(pack, blobs(directory) / digest);
  }
  const Json config = {
      {"created", utc_time_text(image.built_ns)},
      {"architecture", "amd64"},
      {"os", "linux"},
      {"config", {{"Cmd", image.command}, {"Labels", {{kLabel, replay::image_text(image)}}}}},
      {"rootfs", {{"type", "layers"}, {"diff_ids", layer_ids}}}};
  const Json manifest = {{"schemaVersion", 2},
                         {"mediaType", kManifestType},
                         {"config", add_json(directory, kConfigType, config)},
                         {"layers", layers}};
  Json entry = add_json(directory, kManifestType, manifest);
  entry["annotations"] = {{"org.opencontainers.image.ref.name", image.name}};
  write_text(directory / "index.json",
             Json{{"schemaVersion", 2}, {"manifests", Json::array({entry})}}.dump());
  write_text(directory / "oci-layout", Json{{"imageLayoutVersion", "1.0.0"}}.dump());
}

OciContents read_oci_layout(const fs::path& directory) {
  try {
    return read_manifest(directory);
  } catch (const nlohmann::json::exception& error) {
    throw Error(directory.string() + " holds no image of icecore: " + error.what())
        .set_hint("icecore image export NAME DIR");
  }
}

}  // namespace icecore::cli
