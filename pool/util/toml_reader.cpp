#include "pool/util/toml_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace cultivar {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kUsualDots = 8;
constexpr std::size_t kMaxUnusualDots = 2000;

// toml++ bounds how deep values nest but not how deep dotted keys do, and frees tables by recursion: a hostile file of
// one long key would overflow the stack. So a file may hold lines of many dots only within reason.
bool has_endless_keys(std::string_view text) {
    std::size_t unusual = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string_view line = text.substr(begin, end - begin);
        begin = end + 1;
        std::size_t first = line.find_first_not_of(" \t");
        if (first != std::string_view::npos && line[first] == '#') continue;
        auto dots = static_cast<std::size_t>(std::count(line.begin(), line.end(), '.'));
        if (dots > kUsualDots) unusual += dots - kUsualDots;
    }
    return unusual > kMaxUnusualDots;
}

struct Flattener {
    const std::string& where;
    std::vector<TomlEntry> entries;

    Error at(const toml::node& node, const std::string& what) const {
        auto begin = node.source().begin;
        return {Code::usage, fmt::format("{}:{}:{}: {}", where, begin.line, begin.column, what), ""};
    }

    Result<Value> scalar(const toml::node& node) const {
        if (auto* whole = node.as_integer()) return Value(whole->get());
        if (auto* real = node.as_floating_point()) return Value(real->get());
        if (auto* yes = node.as_boolean()) return Value(yes->get());
        if (auto* word = node.as_string()) return Value(word->get());
        return fail(at(node, "a number, a word, true or false was expected"));
    }

    Result<void> visit(const toml::node& node, std::vector<std::string>& path) {
        if (path.size() > kMaxDepth) return fail(at(node, "nested too deep"));
        if (auto* table = node.as_table()) return visit_table(*table, path);
        auto* array = node.as_array();
        if (array && !array->empty() && array->is_array_of_tables()) {
            std::size_t index = 0;
            for (const toml::node& item : *array) {
                path.push_back(std::to_string(index++));
                TRY(visit(item, path));
                path.pop_back();
            }
            return {};
        }
        TomlEntry entry{path,
                        {},
                        array != nullptr,
                        static_cast<int>(node.source().begin.line),
                        static_cast<int>(node.source().begin.column)};
        if (array) {
            for (const toml::node& item : *array) {
                TRY_ASSIGN(Value value, scalar(item));
                entry.values.push_back(std::move(value));
            }
        } else {
            TRY_ASSIGN(Value value, scalar(node));
            entry.values.push_back(std::move(value));
        }
        entries.push_back(std::move(entry));
        return {};
    }

    Result<void> visit_table(const toml::table& table, std::vector<std::string>& path) {
        for (auto&& [key, child] : table) {
            path.emplace_back(key.str());
            TRY(visit(child, path));
            path.pop_back();
        }
        return {};
    }
};

}  // namespace

std::string TomlEntry::dotted(std::size_t from) const {
    std::string name;
    for (std::size_t i = from; i < path.size(); ++i) {
        if (i > from) name += '.';
        name += path[i];
    }
    return name;
}

Result<std::vector<TomlEntry>> read_toml(std::string_view text, const std::string& where, std::size_t limit_bytes) {
    if (text.size() > limit_bytes)
        return fail(Code::usage,
                    fmt::format("{}: {} bytes are more than the {} allowed", where, text.size(), limit_bytes));
    if (has_endless_keys(text)) return fail(Code::usage, fmt::format("{}:1:1: nested too deep", where));
    try {
        toml::table root = toml::parse(text, where);
        Flattener flattener{where, {}};
        std::vector<std::string> path;
        TRY(flattener.visit(root, path));
        std::stable_sort(flattener.entries.begin(), flattener.entries.end(), [](const auto& a, const auto& b) {
            return std::pair(a.line, a.column) < std::pair(b.line, b.column);
        });
        return std::move(flattener.entries);
    } catch (const toml::parse_error& error) {
        auto begin = error.source().begin;
        std::string what(error.description());
        return fail(Code::usage, fmt::format("{}:{}:{}: {}", where, begin.line, begin.column, what));
    }
}

}  // namespace cultivar
