#include "pool/util/value.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace cultivar {
namespace {

std::string quoted(const std::string& word) {
    std::string text = "\"";
    for (unsigned char c : word) {
        if (c == '"' || c == '\\') {
            text += '\\';
            text += static_cast<char>(c);
        } else if (c < 0x20 || c == 0x7f) {
            text += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        } else {
            text += static_cast<char>(c);
        }
    }
    return text + '"';
}

}  // namespace

std::string real_text(double value) {
    std::array<char, 32> buffer{};
    auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    std::string text(buffer.data(), end);
    if (text.find_first_of(".en") == std::string::npos) text += ".0";
    return text;
}

std::string to_toml(const Value& value) {
    if (auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
    if (auto* real = std::get_if<double>(&value)) return real_text(*real);
    if (auto* yes = std::get_if<bool>(&value)) return *yes ? "true" : "false";
    return quoted(std::get<std::string>(value));
}

}  // namespace cultivar
