// Reads the fields of a JSON object that came from a pool: hostile bytes into values, or the first fault in them.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "pool/types/energy.h"
#include "pool/util/sha256.h"

namespace cultivar {

inline constexpr std::size_t kMostRecordDepth = 8;
inline constexpr double kHuge = 1e18;

// Reads fields of one record and keeps the first thing that is wrong.
class RecordReader {
public:
    using array = simdjson::dom::array;
    using element = simdjson::dom::element;
    using object = simdjson::dom::object;

    explicit RecordReader(object json) : json_(json) {}
    RecordReader() = default;  // of nothing: every field is missing

    const std::string& wrong() const { return wrong_; }
    void refuse(const std::string& field, const std::string& why) {
        if (wrong_.empty()) wrong_ = fmt::format("'{}' {}", field, why);
    }

    bool has(const char* field) const { return json_ && json_->at_key(field).error() == simdjson::SUCCESS; }

    std::optional<element> get(const char* field) {
        element value;
        if (json_ && json_->at_key(field).get(value) == simdjson::SUCCESS) return value;
        refuse(field, "is missing");
        return std::nullopt;
    }

    std::string text(const char* field, bool may_be_null = false) {
        auto value = get(field);
        if (!value || (may_be_null && value->is_null())) return {};
        if (auto text = text_of(*value)) return std::move(*text);
        refuse(field, "is not text");
        return {};
    }

    std::string hex(const char* field, std::size_t digits, bool may_be_null = false) {
        std::string value = text(field, may_be_null);
        if (!is_hex(value, digits) && !(may_be_null && value.empty())) refuse(field, "is not a digest");
        return value;
    }

    bool truth(const char* field) {
        auto value = get(field);
        bool truth = false;
        if (value && value->get(truth) != simdjson::SUCCESS) refuse(field, "is neither true nor false");
        return truth;
    }

    double number(const char* field, double low, double high) {
        auto value = get(field);
        return value ? checked(field, *value, low, high) : 0;
    }

    std::int64_t whole(const char* field, std::int64_t high) {
        auto value = get(field);
        if (!value) return 0;
        auto number = whole_of(*value);
        if (number && *number >= 0 && *number <= high) return *number;
        refuse(field, "is not a whole number in range");
        return 0;
    }

    std::optional<double> maybe_number(const char* field, double low, double high) {
        auto value = get(field);
        if (!value || value->is_null()) return std::nullopt;
        return checked(field, *value, low, high);
    }

    std::vector<double> numbers(const char* field, std::size_t most, double low, double high) {
        std::vector<double> out;
        auto value = list(field, most);
        if (!value) return out;
        out.reserve(value->size());
        for (element item : *value) out.push_back(checked(field, item, low, high));
        return out;
    }

    std::vector<std::string> digests(const char* field, std::size_t most, std::size_t digits) {
        std::vector<std::string> out;
        auto value = list(field, most);
        if (!value) return out;
        for (element item : *value) {
            auto text = text_of(item);
            if (!text || !is_hex(*text, digits)) {
                refuse(field, "holds something that is not a digest");
                return out;
            }
            out.push_back(std::move(*text));
        }
        return out;
    }

    std::optional<array> list(const char* field, std::size_t most) {
        auto value = get(field);
        array items;
        if (value && value->get(items) == simdjson::SUCCESS && items.size() <= most) return items;
        if (value) refuse(field, "is not a list of the right length");
        return std::nullopt;
    }

    double checked(const char* field, element value, double low, double high) {
        auto number = number_of(value);
        if (number && std::isfinite(*number) && *number >= low && *number <= high) return *number;
        refuse(field, "is not a number in range");
        return 0;
    }

    RecordReader inside(const char* field) {
        auto value = get(field);
        object inner;
        if (value && value->get(inner) == simdjson::SUCCESS) return RecordReader(inner);
        refuse(field, "is not an object");
        return {};
    }
    void adopt(const RecordReader& inner) {
        if (wrong_.empty()) wrong_ = inner.wrong_;
    }

    static std::optional<double> number_of(element value) {
        double number = 0;
        return value.get(number) == simdjson::SUCCESS ? std::optional(number) : std::nullopt;
    }
    static std::optional<std::int64_t> whole_of(element value) {
        std::int64_t number = 0;
        return value.get(number) == simdjson::SUCCESS ? std::optional(number) : std::nullopt;
    }
    static std::optional<std::string> text_of(element value) {
        std::string_view text;
        return value.get(text) == simdjson::SUCCESS ? std::optional<std::string>(text) : std::nullopt;
    }

private:
    std::optional<object> json_;
    std::string wrong_;
};

Energy read_energy(RecordReader& reader);

}  // namespace cultivar
