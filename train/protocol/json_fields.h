// Reads typed fields from a foreign JSON object. Only train/protocol/protocol.cpp includes it, since it includes
// nlohmann/json.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pool/types/record.h"
#include "pool/types/search_space.h"
#include "pool/types/use_cost.h"

namespace cultivar {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kExactLimit = std::uint64_t{1}
                                      << 53;  // whole numbers up to this are exact in every JSON reader

// Reads fields one by one and keeps the first error; later reads change nothing.
class Fields {
public:
    Fields(const Json& json, Code code, std::string what) : json_(json), code_(code), what_(std::move(what)) {}

    bool has(const char* field) const { return json_.contains(field); }

    void take(const char* field, std::string& target) {
        if (const Json* value = find(field, &Json::is_string, "text")) target = value->get<std::string>();
    }
    void take(const char* field, double& target) {
        if (const Json* value = find(field, &Json::is_number, "a number")) {
            const double number = value->get<double>();
            if (!std::isfinite(number)) return blame(field, "a finite number");
            target = number;
        }
    }
    // Whole numbers from `low` to `high`, both included.
    template <std::integral T>
    void take(const char* field, T& target, std::int64_t low = 0, std::int64_t high = std::int64_t{1} << 53) {
        if (const Json* value = find(field, &Json::is_number_integer, "a whole number")) {
            if (value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(high)) {
                return blame(field, fmt::format("at most {}", high));
            }
            const auto number = value->get<std::int64_t>();
            if (number < low || number > high) return blame(field, fmt::format("from {} to {}", low, high));
            target = static_cast<T>(number);
        }
    }
    void take(const char* field, std::vector<std::string>& target) {
        take_list(field, target, &Json::is_string, "a list of texts");
    }
    void take(const char* field, std::vector<double>& target) {
        take_list(field, target, &Json::is_number, "a list of numbers");
        for (double number : target) {
            if (!std::isfinite(number)) blame(field, "a list of finite numbers");
        }
    }
    void take_chunks(const char* field, std::vector<int>& target) {
        std::vector<std::int64_t> numbers;
        take_list(field, numbers, &Json::is_number_integer, "a list of whole numbers");
        for (std::int64_t number : numbers) {
            if (number < 0 || number >= kScoreChunks) return blame(field, "a list of chunks from 0 to 63");
            target.push_back(static_cast<int>(number));
        }
    }
    void take(const char* field, UseCost& target) {
        const Json* caps = find(field, &Json::is_object, "an object of caps");
        if (!caps) return;
        Fields inside(*caps, code_, what_ + " caps");
        if (inside.has("parameters")) inside.take("parameters", target.parameters.emplace());
        if (inside.has("forward_flops_per_token"))
            inside.take("forward_flops_per_token", target.forward_flops_per_token.emplace());
        if (inside.has("joules_per_token")) inside.take("joules_per_token", target.joules_per_token.emplace());
        if (!error_) error_ = inside.error();
    }
    void take(const char* field, Genes& target) {
        const Json* genes = find(field, &Json::is_object, "an object of genes");
        if (!genes) return;
        for (const auto& [name, value] : genes->items()) {
            const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > kExactLimit;
            if (value.is_number_integer() && !too_large)
                target[name] = value.get<std::int64_t>();
            else if (value.is_number_float())
                target[name] = value.get<double>();
            else if (value.is_boolean())
                target[name] = value.get<bool>();
            else if (value.is_string())
                target[name] = value.get<std::string>();
            else
                return blame(name.c_str(), "a number, a boolean or a string");
        }
    }

    void blame(const char* field, std::string_view expected) {
        if (!error_) error_ = Error{code_, fmt::format("{}: '{}' must be {}", what_, field, expected), {}};
    }
    const std::optional<Error>& error() const { return error_; }

private:
    const Json* find(const char* field, bool (Json::*is_type)() const noexcept, std::string_view expected) {
        const auto found = json_.find(field);
        if (found != json_.end() && ((*found).*is_type)()) return &*found;
        blame(field, expected);
        return nullptr;
    }
    template <typename T>
    void take_list(const char* field, std::vector<T>& target, bool (Json::*is_type)() const noexcept,
                   std::string_view expected) {
        const Json* list = find(field, &Json::is_array, expected);
        if (!list) return;
        for (const Json& item : *list) {
            if (!(item.*is_type)()) return blame(field, expected);
            target.push_back(item.get<T>());
        }
    }

    const Json& json_;
    Code code_;
    std::string what_;
    std::optional<Error> error_;
};

}  // namespace cultivar
