// Who did what, by key: Index::contributors().
#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

#include <fmt/format.h>

#include "pool/index/index.h"
#include "pool/index/sql.h"
#include "pool/rules/attribution.h"

namespace cultivar {
namespace {

struct JudgedClaim {
    std::string id, key, candidate, category, result, at;
};

}  // namespace

Result<std::vector<Contributor>> Index::contributors() {
    std::map<std::string, Contributor> by_key;
    std::map<std::string, std::string> key_of;  // of a writer
    TRY_ASSIGN(Statement writers, db_->prepare(R"(
SELECT name, COALESCE(NULLIF(key, ''), name), COALESCE(runs, 0), COALESCE(joules, 0) FROM writer LEFT JOIN (
    SELECT writer, COUNT(*) AS runs, TOTAL(search_joules) AS joules FROM record
    WHERE type = 'run' AND refused IS NULL GROUP BY writer) AS made ON made.writer = name ORDER BY name)"));
    for (;;) {
        TRY_ASSIGN(bool more, writers.step());
        if (!more) break;
        key_of[writers.text(0)] = writers.text(1);
        Contributor& one = by_key[writers.text(1)];
        one.key = writers.text(1);
        one.writers.push_back(writers.text(0));
        one.runs += static_cast<int>(writers.whole(2));
        one.joules += writers.real(3);
    }
    TRY_ASSIGN(Statement get,
               db_->prepare(fmt::format(
                   "SELECT id, writer, candidate, category, {} FROM record WHERE type = 'claim' ORDER BY seq",
                   kResultAndTimeOf)));
    std::vector<JudgedClaim> judged;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        auto known = key_of.find(get.text(1));
        if (known == key_of.end()) continue;
        std::istringstream words(get.text(4));
        JudgedClaim claim{get.text(0), known->second, get.text(2), get.text(3), "", ""};
        words >> claim.result >> claim.at;
        Contributor& one = by_key[claim.key];
        ++one.claims;
        if (!claim.result.empty()) judged.push_back(std::move(claim));
    }
    std::sort(judged.begin(), judged.end(),
              [](const JudgedClaim& a, const JudgedClaim& b) { return std::tie(a.at, a.id) < std::tie(b.at, b.id); });
    AttributionInput kinship;
    std::set<std::pair<std::string, std::string>> met;
    for (const JudgedClaim& claim : judged) {
        Contributor& one = by_key[claim.key];
        if (claim.result == "accepted") ++one.valid, ++one.valid_in_a_row;
        if (claim.result == "rejected") ++one.rejected, one.valid_in_a_row = 0;
        if (claim.result == "accepted" && met.emplace(claim.candidate, claim.category).second)
            kinship.finds.push_back({claim.candidate, claim.category, claim.key});
    }
    TRY(credit_finds(kinship, by_key));
    std::vector<Contributor> rows;
    for (auto& [key, one] : by_key) rows.push_back(std::move(one));
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Contributor& a, const Contributor& b) { return a.gain_credited > b.gain_credited; });
    return rows;
}

Result<void> Index::credit_finds(AttributionInput& kinship, std::map<std::string, Contributor>& by_key) {
    if (kinship.finds.empty()) return {};
    std::map<std::string, Relative> relatives;
    TRY_ASSIGN(std::vector<CandidateRow> rows, candidates());
    for (CandidateRow& row : rows) relatives[row.id] = {std::move(row.parents), gene_lines(row.toml)};
    std::map<std::pair<std::string, std::string>, double> scores;
    TRY_ASSIGN(Statement get, db_->prepare("SELECT candidate, category, val_bpb FROM standing WHERE runs > 0"));
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        scores[{get.text(0), get.text(1)}] = get.real(2);
    }
    kinship.relative = [&](const std::string& candidate) -> const Relative* {
        auto found = relatives.find(candidate);
        return found == relatives.end() ? nullptr : &found->second;
    };
    kinship.score = [&](const std::string& candidate, const std::string& category) -> const double* {
        auto found = scores.find({candidate, category});
        return found == scores.end() ? nullptr : &found->second;
    };
    for (const auto& [key, credit] : credit_of(kinship)) {
        by_key[key].gain_found = credit.found;
        by_key[key].gain_credited = credit.credited;
    }
    return {};
}

}  // namespace cultivar
