#include "pool/rules/retirement.h"

#include <algorithm>
#include <optional>

namespace cultivar {
namespace {

using Newest = std::map<std::string, const RetirementStatement*>;  // the newest of each writer

// Null: no verifier has decided.
const RetirementStatement* decision_of_verifiers(const Newest& statements, const RetirementAuthority& authority) {
    const RetirementStatement* newest = nullptr;
    for (const auto& [writer, statement] : statements) {
        if (!authority.verifiers.contains(statement->key)) continue;
        if (newest == nullptr || newest->said.at <= statement->said.at) newest = statement;
    }
    return newest;
}

// Null: its scorers have not decided.
const RetirementStatement* decision_of_scorers(const std::string& candidate, const Newest& statements,
                                               const RetirementAuthority& authority) {
    const RetirementStatement* newest = nullptr;
    for (const std::string& scorer : authority.scorers(candidate)) {
        const auto found = statements.find(scorer);
        if (found == statements.end() || !found->second->said.retired) return nullptr;
        if (newest == nullptr || newest->said.at <= found->second->said.at) newest = found->second;
    }
    return newest;
}

std::optional<Retired> decide(const std::string& candidate, const Newest& statements,
                              const RetirementAuthority& authority) {
    const RetirementStatement* verifiers = decision_of_verifiers(statements, authority);
    const RetirementStatement* all =
        verifiers != nullptr ? verifiers : decision_of_scorers(candidate, statements, authority);
    const auto own = statements.find(authority.own);
    const RetirementStatement* decides = own != statements.end() ? own->second : all;
    if (decides == nullptr || !decides->said.retired) return std::nullopt;
    return Retired{decides->said.writer, decides->said.reason, decides->said.at, all != nullptr && all->said.retired,
                   own == statements.end() && verifiers == nullptr};
}

}  // namespace

std::map<std::string, Retired> retired_by(const std::vector<RetirementStatement>& statements,
                                          const RetirementAuthority& authority) {
    std::map<std::string, Newest> newest;
    for (const RetirementStatement& statement : statements) {
        const RetirementStatement*& last = newest[statement.said.candidate][statement.said.writer];
        if (last == nullptr || last->said.at <= statement.said.at) last = &statement;
    }
    std::map<std::string, Retired> retired;
    for (const auto& [candidate, said] : newest) {
        if (auto found = decide(candidate, said, authority)) retired.emplace(candidate, std::move(*found));
    }
    return retired;
}

}  // namespace cultivar
