// Attributes a pool's improvements to contributors. A pure function of lineage, scores and verdicts: the same refs give
// the same credits everywhere.
//
//   Improvement  An accepted candidate in a category. Its finder is the writer of its first accepted claim, by the
//                verifier's time; or of an older claim that the verifier of that one had seen before, once it is
//                accepted too, or where it is the verifier's own, which no verdict of this key may confirm. Later
//                claims gain nothing.
//   Gain         The difference between its score and the best score of all its ancestors in that category; 0 without a
//                scored ancestor, or if an ancestor is as good. Only scores that nobody could make up count.
//   Credit       A root or a child of one parent: all of the gain to its finder. A cross: half to its finder, and half in
//                equal parts to the genes in which its parents differ. The part of a gene goes to the finder of the
//                candidate that introduced its value: from the parent that the value came from (the trailers of the
//                cross's commit name it; it follows from the values) up through ancestors that have the same value. If
//                no claim of that candidate was accepted, or a repair set the gene, the part goes to the finder of the
//                cross.
// The sum of all credits is the sum of all gains.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace cultivar {

struct Relative {
    std::vector<std::string> parents;          // candidate ids
    std::map<std::string, std::string> genes;  // values other than the default, by name, as canonical text
};

struct Improvement {
    std::string candidate, category;
    std::string finder;  // key
};

struct AttributionInput {
    std::function<const Relative*(const std::string& candidate)> relative;  // null: unknown
    // The parents of a candidate for the gain of a finder; without this function, those of `relative`.
    std::function<std::vector<std::string>(const std::string& candidate, const std::string& finder)> parents{};
    // The proven score of a candidate in a category; null: none.
    std::function<const double*(const std::string& candidate, const std::string& category)> score;
    // In the order in which they were accepted, each candidate once per category.
    std::vector<Improvement> improvements;
};

struct AttributedCredit {
    double found = 0;     // gains of the finder's own improvements, in units of the score
    double credited = 0;  // its parts of all gains
};
// By finder. Linear in the improvements and their ancestors.
std::map<std::string, AttributedCredit> credit_of(const AttributionInput& input);

// The lines "name = value" of canonical TOML, by name.
std::map<std::string, std::string> gene_lines(const std::string& toml);

}  // namespace cultivar
