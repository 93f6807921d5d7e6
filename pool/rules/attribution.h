// Who is credited with what a pool has gained. A pure function of lineage, scores and verdicts, so that everybody who
// holds the same refs works out the same.
//
//   What counts  An accepted candidate in a category. Its first accepted claim, by the verifier's time, says who found it;
//                who claims it again later gains nothing.
//   The gain     How far its score is below the best of all its ancestors in that category; nothing without a scored
//                ancestor, and nothing for making up what an ancestor had lost.
//   The credit   An improvement of one parent, and a root: all to who found it. A cross: half to who found it, the other
//                half in equal parts to the genes in which its parents differ. Each gene's part goes to who found the
//                candidate that brought its value in: from the parent it came from (the trailers of the cross's commit
//                say which, and follow from the values) up through ancestors that have the same value. Where nobody's
//                claim of that candidate was accepted, and of genes that a repair set, the part stays with who found the
//                cross.
// What is credited adds up to what was found.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace cultivar {

struct Relative {
    std::vector<std::string> parents;          // candidate ids
    std::map<std::string, std::string> genes;  // those that are not at their default, by name, as canonical text
};

struct Improvement {
    std::string candidate, category;
    std::string finder;  // whoever holds the key that claimed it first
};

struct AttributionInput {
    std::function<const Relative*(const std::string& candidate)> relative;  // null: unknown
    // The mean of a candidate's runs that count in a category; null: none.
    std::function<const double*(const std::string& candidate, const std::string& category)> score;
    // In the order in which they were accepted, each candidate once in a category.
    std::vector<Improvement> finds;
};

struct AttributedCredit {
    double found = 0, credited = 0;  // in units of the score
};
std::map<std::string, AttributedCredit> credit_of(const AttributionInput& kinship);  // by finder

// The lines "name = value" of canonical TOML.
std::map<std::string, std::string> gene_lines(const std::string& toml);

}  // namespace cultivar
