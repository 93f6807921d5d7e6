#include "pool/rules/retirement.h"

#include <algorithm>
#include <optional>

namespace cultivar {
namespace {

using Words = std::map<std::string, const RetirementStatement*>;  // the newest of each writer

// Nothing: nobody whose word counts for everybody has decided.
const RetirementStatement* decision_for_all(const std::string& candidate, const Words& words,
                                            const RetirementAuthority& jury) {
    const RetirementStatement* newest = nullptr;
    for (const auto& [writer, word] : words) {
        if (!jury.verifiers.contains(word->key)) continue;
        if (newest == nullptr || newest->said.at <= word->said.at) newest = word;
    }
    if (newest != nullptr) return newest;
    for (const std::string& keeper : jury.keepers(candidate)) {
        const auto word = words.find(keeper);
        if (word == words.end() || !word->second->said.retired) return nullptr;
        if (newest == nullptr || newest->said.at <= word->second->said.at) newest = word->second;
    }
    return newest;
}

std::optional<Retired> decide(const std::string& candidate, const Words& words, const RetirementAuthority& jury) {
    const RetirementStatement* all = decision_for_all(candidate, words, jury);
    const auto own = words.find(jury.own);
    const RetirementStatement* decides = own != words.end() ? own->second : all;
    if (decides == nullptr || !decides->said.retired) return std::nullopt;
    return Retired{decides->said.writer, decides->said.reason, decides->said.at, all != nullptr && all->said.retired};
}

}  // namespace

std::map<std::string, Retired> retired_by(const std::vector<RetirementStatement>& words,
                                          const RetirementAuthority& jury) {
    std::map<std::string, Words> newest;
    for (const RetirementStatement& word : words) {
        const RetirementStatement*& last = newest[word.said.candidate][word.said.writer];
        if (last == nullptr || last->said.at <= word.said.at) last = &word;
    }
    std::map<std::string, Retired> retired;
    for (const auto& [candidate, said] : newest) {
        if (auto found = decide(candidate, said, jury)) retired.emplace(candidate, std::move(*found));
    }
    return retired;
}

}  // namespace cultivar
