// SPDX-License-Identifier: Apache-2.0
#include "store/file_manifest.h"

#include <algorithm>

namespace icecore::store {

FileId to_file_id(std::span<const std::byte> blob) {
  FileId id;
  std::ranges::copy(blob.first(std::min(blob.size(), id.hash.size())), id.hash.begin());
  return id;
}

std::vector<std::byte> encode(const FileManifest& manifest) {
  ByteWriter writer;
  writer.append(manifest.id.hash);
  writer.write(manifest.size);
  encode_runs(writer, manifest.runs);
  return writer.release();
}

FileManifest decode_file_manifest(std::span<const std::byte> body) {
  ByteReader reader(body);
  FileManifest manifest;
  std::ranges::copy(reader.take(manifest.id.hash.size()), manifest.id.hash.begin());
  manifest.size = reader.read<std::uint64_t>();
  manifest.runs = decode_runs(reader);
  return manifest;
}

}  // namespace icecore::store
