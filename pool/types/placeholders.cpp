#include "pool/types/placeholders.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::array kOfEveryRun = {"seed",     "budget_s", "threads", "device",       "work",
                                    "artifact", "files",    "data",    "specification"};
constexpr std::string_view kGenePrefix = "gene.";

bool in_a_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

// The name of the placeholder that begins at `at`, where a '{' is; none if there is no such thing.
std::optional<std::string_view> name_at(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && in_a_name(text[end])) ++end;
    if (end == text.size() || text[end] != '}' || end == at + 1) return std::nullopt;
    return text.substr(at + 1, end - at - 1);
}

}  // namespace

std::string plain_text(const Value& value) {
    if (const auto* word = std::get_if<std::string>(&value)) return *word;
    return to_toml(value);
}

std::vector<std::string> placeholders_in(std::string_view text) {
    std::vector<std::string> names;
    for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
        if (auto name = name_at(text, at)) names.emplace_back(*name);
    }
    return names;
}

Result<void> check_placeholders(std::string_view text, const Space& space, PlaceholdersOf of) {
    for (const std::string& name : placeholders_in(text)) {
        const bool of_a_gene = name.starts_with(kGenePrefix) && space.find(name.substr(kGenePrefix.size())) != nullptr;
        std::vector<std::string> known(kOfEveryRun.begin(), kOfEveryRun.end());
        if (of == PlaceholdersOf::evaluator) known.insert(known.end(), {"validation", "hold_out"});
        if (of_a_gene || std::ranges::find(known, name) != known.end()) continue;
        for (const Gene& gene : space.genes()) known.push_back(std::string(kGenePrefix) + gene.name);
        const auto near = nearest(name, known);
        return fail(Code::usage,
                    fmt::format("'{{{}}}' is no placeholder{}", name,
                                near.empty() ? std::string() : fmt::format(", did you mean '{{{}}}'?", near[0])),
                    "man cultivar-pool");
    }
    return {};
}

std::string filled(std::string_view text, const Placeholders& values) {
    std::string out;
    std::size_t done = 0;
    for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
        const auto name = name_at(text, at);
        const auto found = name ? values.find(*name) : values.end();
        if (found == values.end()) continue;
        out.append(text.substr(done, at - done)).append(found->second);
        done = at + name->size() + 2;
    }
    return out.append(text.substr(done));
}

}  // namespace cultivar
