#include "eval/formats/artifact.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace cultivar {
namespace {

using Json = nlohmann::ordered_json;
using HeaderJson = nlohmann::json;  // the ordered one takes time by the square of the number of keys

constexpr std::string_view kFormat = "cultivar-artifact-1";
constexpr std::string_view kMetadata = "__metadata__";
constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 1 << 20;
constexpr int kMaxDepth = 3;  // header, tensor, shape
constexpr std::size_t kMaxTensors = 16384, kMaxSides = 8, kMaxNameBytes = 256;

auto corrupt(std::string what) { return fail(Code::corrupt, "not an artifact: " + std::move(what)); }

std::optional<std::uint64_t> bytes_per_value(std::string_view dtype) {
    if (dtype == "F32") return 4;
    if (dtype == "F16") return 2;
    if (dtype == "I8") return 1;
    return std::nullopt;
}

// Returns the bytes of a tensor; nothing if the shape overflows or has a negative side.
std::optional<std::uint64_t> size_of(const std::vector<std::int64_t>& shape, std::uint64_t value_bytes) {
    std::uint64_t total = value_bytes;
    for (std::int64_t side : shape) {
        if (side < 0) return std::nullopt;
        if (__builtin_mul_overflow(total, static_cast<std::uint64_t>(side), &total)) return std::nullopt;
    }
    return total;
}

Result<void> check_tensor(const std::string& name, const Tensor& tensor) {
    const auto value_bytes = bytes_per_value(tensor.dtype);
    if (!value_bytes) return corrupt(fmt::format("tensor '{}' has unknown type '{}'", name, tensor.dtype));
    if (size_of(tensor.shape, *value_bytes) != tensor.bytes.size()) {
        return corrupt(fmt::format("tensor '{}' has {} bytes, which its shape denies", name, tensor.bytes.size()));
    }
    return {};
}

Result<std::string> header_text(const Artifact& artifact) {
    Json header;
    Json& metadata = header[std::string(kMetadata)];
    metadata["format"] = kFormat;
    for (const auto& [key, value] : artifact.metadata) {
        if (key != "format") metadata[key] = value;
    }
    std::uint64_t offset = 0;
    for (const auto& [name, tensor] : artifact.tensors) {
        if (name == kMetadata) return corrupt(fmt::format("a tensor may not be called '{}'", name));
        TRY(check_tensor(name, tensor));
        header[name] = {
            {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + tensor.bytes.size()}}};
        offset += tensor.bytes.size();
    }
    try {
        std::string text = header.dump();
        text.resize((text.size() + 7) / 8 * 8, ' ');
        if (text.size() > kMaxHeaderBytes) return corrupt("its header would be over 1 MiB");
        return text;
    } catch (const nlohmann::json::exception&) {
        return corrupt("a name is not valid UTF-8");
    }
}

// Looks for two things that JSON allows, duplicate keys and needless depth, and for too many keys. It goes before the parser:
// the parser's own callbacks take time by the square of the number of tensors.
class HeaderWatch : public nlohmann::json_sax<HeaderJson> {
public:
    const std::string& trouble() const { return trouble_; }

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return keys_.emplace_back(), deeper(); }
    bool end_object() override { return keys_.pop_back(), higher(); }
    bool start_array(std::size_t) override { return deeper(); }
    bool end_array() override { return higher(); }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
        return refuse("its header is not a JSON object");
    }
    bool key(string_t& name) override {
        if (!keys_.back().insert(name).second) return refuse(fmt::format("its header names '{}' twice", name));
        return keys_.back().size() <= kMaxTensors + 1 || refuse("it has over 16384 tensors");
    }

private:
    bool refuse(std::string why) { return trouble_ = std::move(why), false; }
    bool deeper() { return ++depth_ <= kMaxDepth || refuse("its header is nested too deeply"); }
    bool higher() { return --depth_, true; }

    std::string trouble_;
    std::vector<std::set<std::string>> keys_;
    int depth_ = 0;
};

Result<HeaderJson> parse_strictly(std::string_view text) {
    HeaderWatch watch;
    if (!HeaderJson::sax_parse(text, &watch)) return corrupt(watch.trouble());
    HeaderJson header = HeaderJson::parse(text, nullptr, false);
    if (!header.is_object()) return corrupt("its header is not a JSON object");
    return header;
}

Result<std::map<std::string, std::string>> read_metadata(const HeaderJson& header) {
    const auto found = header.find(std::string(kMetadata));
    if (found == header.end() || !found->is_object()) return corrupt("its header has no metadata");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, value] : found->items()) {
        if (!value.is_string()) return corrupt(fmt::format("metadata '{}' is not a string", key));
        metadata[key] = value.get<std::string>();
    }
    const auto format = metadata.find("format");
    if (format == metadata.end()) return corrupt("its metadata names no format");
    if (format->second != kFormat) return corrupt(fmt::format("its format is '{}'", format->second));
    metadata.erase(format);
    return metadata;
}

// A tensor as its header entry describes it; the bytes are not filled in yet.
struct Entry {
    std::string name;
    Tensor tensor;
    std::uint64_t begin = 0, end = 0;
};

Result<Entry> read_entry(const std::string& name, const HeaderJson& json) {
    const auto bad = [&](std::string_view what) { return corrupt(fmt::format("tensor '{}' {}", name, what)); };
    if (!json.is_object() || json.size() != 3) return bad("needs exactly dtype, shape and data_offsets");
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!json.contains(field)) return bad(fmt::format("has no {}", field));
    }
    if (!json["dtype"].is_string()) return bad("has a dtype that is not a string");
    if (name.size() > kMaxNameBytes) return corrupt("a tensor's name is over 256 bytes");
    if (json["shape"].is_array() && json["shape"].size() > kMaxSides) return bad("has a shape of over 8 sides");
    Entry entry;
    entry.name = name;
    entry.tensor.dtype = json["dtype"].get<std::string>();
    const auto value_bytes = bytes_per_value(entry.tensor.dtype);
    if (!value_bytes) return bad("has an unknown dtype");
    if (!json["shape"].is_array()) return bad("has a shape that is not a list");
    for (const HeaderJson& side : json["shape"]) {
        if (!side.is_number_unsigned() || side.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
            return bad("has a shape that is not of whole numbers");
        }
        entry.tensor.shape.push_back(side.get<std::int64_t>());
    }
    const HeaderJson& offsets = json["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
        return bad("has offsets that are not two whole numbers");
    }
    entry.begin = offsets[0].get<std::uint64_t>();
    entry.end = offsets[1].get<std::uint64_t>();
    const auto size_bytes = size_of(entry.tensor.shape, *value_bytes);
    if (!size_bytes) return bad("has a shape that overflows");
    if (entry.end < entry.begin || entry.end - entry.begin != *size_bytes)
        return bad("has offsets that its shape denies");
    return entry;
}

// Fills in the tensors' bytes. They must follow one another and use the whole buffer exactly once.
Result<std::map<std::string, Tensor>> fill(std::vector<Entry> entries, std::string_view buffer) {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
    std::map<std::string, Tensor> tensors;
    std::uint64_t at = 0;
    for (Entry& entry : entries) {
        if (entry.begin != at) return corrupt(fmt::format("tensor '{}' leaves a hole or overlaps", entry.name));
        if (entry.end > buffer.size()) return corrupt(fmt::format("tensor '{}' ends beyond the content", entry.name));
        entry.tensor.bytes = buffer.substr(entry.begin, entry.end - entry.begin);
        at = entry.end;
        tensors.emplace(std::move(entry.name), std::move(entry.tensor));
    }
    if (at != buffer.size()) return corrupt(fmt::format("{} bytes belong to no tensor", buffer.size() - at));
    return tensors;
}

Result<Artifact> read_content(std::string_view content) {
    if (content.size() < kLengthBytes) return corrupt("its content is too short");
    std::uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, content.data(), kLengthBytes);
    content.remove_prefix(kLengthBytes);
    if (header_bytes > kMaxHeaderBytes) return corrupt("its header is over 1 MiB");
    if (header_bytes > content.size()) return corrupt("its header ends beyond the content");
    if (header_bytes == 0 || content.front() != '{') return corrupt("its header does not begin with '{'");
    TRY_ASSIGN(const HeaderJson header, parse_strictly(content.substr(0, header_bytes)));
    Artifact artifact;
    TRY_ASSIGN(artifact.metadata, read_metadata(header));
    std::vector<Entry> entries;
    for (const auto& [name, json] : header.items()) {
        if (name == kMetadata) continue;
        TRY_ASSIGN(Entry entry, read_entry(name, json));
        entries.push_back(std::move(entry));
    }
    TRY_ASSIGN(artifact.tensors, fill(std::move(entries), content.substr(header_bytes)));
    return artifact;
}

}  // namespace

Result<std::string> pack_artifact(const Artifact& artifact, Compressor compressor) {
    TRY_ASSIGN(const std::string header, header_text(artifact));
    const std::uint64_t header_bytes = header.size();
    std::string content(reinterpret_cast<const char*>(&header_bytes), kLengthBytes);
    content += header;
    for (const auto& [name, tensor] : artifact.tensors) content += tensor.bytes;
    return compress(compressor, content, kLengthBytes + header.size());
}

Result<Artifact> unpack_artifact(std::string_view bytes, std::int64_t limit_bytes) {
    return decompress(bytes, limit_bytes).and_then(read_content);
}

}  // namespace cultivar
