// Reads a TOML file key by key into values of known types. finish() reports keys that nobody read: they are typing
// mistakes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pool/util/text.h"
#include "pool/util/toml_reader.h"

namespace cultivar {

class TomlTable {
public:
    TomlTable(std::vector<TomlEntry> entries, std::string where) : where_(std::move(where)) {
        for (TomlEntry& entry : entries) entries_.emplace(entry.dotted(), std::move(entry));
    }

    const TomlEntry* take(const std::string& key) {
        known_.insert(key);
        auto found = entries_.find(key);
        return found == entries_.end() ? nullptr : &found->second;
    }

    Error wrong(const TomlEntry& entry, const std::string& what) const {
        return {Code::usage, fmt::format("{}:{}:{}: {}", where_, entry.line, entry.column, what), ""};
    }

    template <typename T>
    Result<void> read(const std::string& key, T& into, bool required = false) {
        const TomlEntry* entry = take(key);
        if (!entry) {
            if (required) return fail(Code::usage, fmt::format("{}: '{}' is missing", where_, key));
            return {};
        }
        if (entry->is_array) return fail(wrong(*entry, fmt::format("'{}' is a list", key)));
        const Value& value = entry->values.front();
        if constexpr (std::is_same_v<T, double>) {
            if (auto* whole = std::get_if<std::int64_t>(&value))
                return into = static_cast<double>(*whole), Result<void>{};
        }
        using Held = std::conditional_t<std::is_same_v<T, int>, std::int64_t, T>;
        auto* held = std::get_if<Held>(&value);
        if (!held) return fail(wrong(*entry, fmt::format("'{}' has a value of the wrong type", key)));
        if constexpr (std::is_same_v<T, int>) {
            if (!std::in_range<int>(*held)) return fail(wrong(*entry, fmt::format("'{}' is out of range", key)));
        }
        into = static_cast<T>(*held);
        return {};
    }

    template <typename T>
    Result<void> read(const std::string& key, std::optional<T>& into) {
        return take(key) ? read(key, into.emplace()) : Result<void>();
    }

    Result<void> finish() const {
        for (const auto& [key, entry] : entries_) {
            if (known_.count(key)) continue;
            auto near = nearest(key, {known_.begin(), known_.end()});
            return fail(wrong(entry, fmt::format("unknown key '{}'{}", key,
                                                 near.empty() ? "" : fmt::format(", did you mean '{}'?", near[0]))));
        }
        return {};
    }

    const std::string& where() const { return where_; }

private:
    std::map<std::string, TomlEntry> entries_;
    std::set<std::string> known_;  // every key that was asked for
    std::string where_;
};

}  // namespace cultivar
