// A value of a configuration, and its text in canonical TOML.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace cultivar {

// A gene's value: whole number (at most 2^53 either way), real number, yes or no, or one of a list of words.
using Value = std::variant<std::int64_t, double, bool, std::string>;

// The text of a value in canonical TOML: floats in the shortest form that reads back to the same double and always
// with a '.' or an 'e'; words in double quotes with TOML escapes.
std::string to_toml(const Value& value);

// The shortest text that reads back to the same double, always with a '.' or an 'e'.
std::string real_text(double value);

}  // namespace cultivar
