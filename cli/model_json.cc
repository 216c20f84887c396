// SPDX-License-Identifier: Apache-2.0
#include "cli/model_json.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>

#include "cli/process_text.h"

namespace icecore::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += kDigits[value >> 4U];
    text += kDigits[value & 15U];
  }
  return text;
}

Json bytes_json(const FieldDescriptor& field, const std::string& bytes) {
  if (field.type() == FieldDescriptor::TYPE_STRING) return bytes;
  const bool is_strings = field.name() == "command_line" || field.name() == "environment";
  return is_strings ? Json(zero_separated(bytes)) : Json(hexadecimal(bytes));
}

Json single(const Message& record, const FieldDescriptor& field) {
  const auto& reflection = *record.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(record, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(record, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(record, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetUInt64(record, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.GetDouble(record, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.GetFloat(record, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(record, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetEnum(record, &field)->name();
    case FieldDescriptor::CPPTYPE_STRING:
      return bytes_json(field, reflection.GetString(record, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return model_json(reflection.GetMessage(record, &field));
  }
  return nullptr;
}

Json element(const Message& record, const FieldDescriptor& field, int index) {
  const auto& reflection = *record.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetRepeatedInt32(record, &field, index);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetRepeatedInt64(record, &field, index);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetRepeatedUInt32(record, &field, index);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetRepeatedUInt64(record, &field, index);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.GetRepeatedDouble(record, &field, index);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.GetRepeatedFloat(record, &field, index);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetRepeatedBool(record, &field, index);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetRepeatedEnum(record, &field, index)->name();
    case FieldDescriptor::CPPTYPE_STRING:
      return bytes_json(field, reflection.GetRepeatedString(record, &field, index));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return model_json(reflection.GetRepeatedMessage(record, &field, index));
  }
  return nullptr;
}

}  // namespace

Json model_json(const Message& record) {
  Json object = Json::object();
  const auto& descriptor = *record.GetDescriptor();
  const auto& reflection = *record.GetReflection();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.is_repeated()) {
      Json array = Json::array();
      for (int n = 0; n < reflection.FieldSize(record, &field); ++n) {
        array.push_back(element(record, field, n));
      }
      object[field.name()] = array;
    } else if (!field.has_presence() || reflection.HasField(record, &field)) {
      object[field.name()] = single(record, field);
    }
  }
  return object;
}

}  // namespace icecore::cli
