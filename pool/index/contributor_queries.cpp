#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "pool/clone/trust_roots.h"
#include "pool/git/allowed_signers.h"
#include "pool/index/index_queries.h"
#include "pool/index/sql.h"
#include "pool/rules/attribution.h"

namespace cultivar {
namespace {

struct MadeClaim {
    std::string id, writer, candidate, category;
    std::set<std::string> runs{};
    std::string result{}, at{}, verifier{}, first{};  // of the newest verdict that counts; verifier: its key
    bool earns = false;                               // pool/index/original_runs.h
    bool shows_run = true;                            // pool/types/verdict.h: earns
    std::string first_run{};                          // orders claims that earn by the first run that earns
    std::string key{};                                // of its writer
};

// Without claims that name no run that an earlier one of the same key does not name.
void leave_out_repeats(std::vector<MadeClaim>& claims) {
    std::map<std::string, std::set<std::string>> named;  // runs, by key
    std::erase_if(claims, [&](const MadeClaim& one) {
        std::set<std::string>& known = named[one.key];
        const std::size_t before = known.size();
        known.insert(one.runs.begin(), one.runs.end());
        return known.size() == before;
    });
}

// The key that found the improvement of an accepted claim: the claim's, or that of an older claim that its verifier had
// seen, once that one is accepted too and shows a run, or where nobody but its own key judged.
const std::string& finder_of(const MadeClaim& claim, const std::map<std::string, const MadeClaim*>& by_id) {
    const auto found = by_id.find(claim.first);
    if (found == by_id.end()) return claim.key;
    const MadeClaim& first = *found->second;
    const bool same = first.candidate == claim.candidate && first.category == claim.category;
    const bool confirmed =
        (first.result == "accepted" && first.shows_run) || (first.result != "rejected" && first.key == claim.verifier);
    return same && confirmed ? first.key : claim.key;
}

// Every writer and its runs, by key; `key_of` its key.
Result<void> read_writers(Statement& get, std::map<std::string, Contributor>& by_key,
                          std::map<std::string, std::string>& key_of) {
    return get.each([&](Row& row) {
        const std::string writer = row.text(), key = row.text();
        key_of[writer] = key;
        Contributor& one = by_key[key];
        one.key = key;
        one.writers.push_back(writer);
        one.runs += row.count();
        one.joules += row.real();
        one.most_joules += row.real();
    });
}

// Counts claims and verdicts, in the order of the verdicts. Returns the accepted candidates, each once per category. The
// finder is whoever had the first run that earns, whichever claim was judged first. A claim of copied runs is no valid one,
// and finds nothing beside a claim of the runs that were copied.
std::vector<Improvement> count_claims(std::vector<MadeClaim> claims, std::map<std::string, Contributor>& by_key,
                                      const std::map<std::string, std::string>& key_of) {
    std::erase_if(claims, [&](MadeClaim& one) {
        const auto known = key_of.find(one.writer);
        if (known != key_of.end()) one.key = known->second;
        return known == key_of.end();
    });
    leave_out_repeats(claims);
    std::ranges::sort(claims, {}, [](const MadeClaim& one) { return std::tie(one.at, one.id); });
    std::map<std::string, const MadeClaim*> by_id;
    for (const MadeClaim& claim : claims) by_id[claim.id] = &claim;
    std::vector<Improvement> improvements;
    struct Place {
        std::size_t at;  // in `improvements`
        const MadeClaim* claim;
    };
    std::map<std::pair<std::string, std::string>, Place> places;
    for (const MadeClaim& claim : claims) {
        Contributor& one = by_key[claim.key];
        ++one.claims;
        if (claim.result == "rejected") ++one.rejected, one.valid_in_a_row = 0;
        if (claim.result != "accepted") continue;
        if (!claim.shows_run) continue;
        if (claim.earns) ++one.valid, ++one.valid_in_a_row;
        const auto [place, first] =
            places.try_emplace({claim.candidate, claim.category}, Place{improvements.size(), &claim});
        if (first) improvements.push_back({claim.candidate, claim.category, finder_of(claim, by_id)});
        const MadeClaim& before = *place->second.claim;
        if (first || !claim.earns || (before.earns && before.first_run <= claim.first_run)) continue;
        place->second.claim = &claim;
        improvements[place->second.at].finder = finder_of(claim, by_id);
    }
    return improvements;
}

}  // namespace

Result<std::vector<Contributor>> IndexQueries::contributors() {
    TRY_ASSIGN(Statement writers, prepare(fmt::format(R"(
SELECT name, COALESCE(NULLIF(key, ''), name), COALESCE(runs, 0), COALESCE(joules, 0), COALESCE(most, 0) FROM writer LEFT JOIN (
    SELECT writer, COUNT(*) AS runs, TOTAL({0}) AS joules, TOTAL({0} * (1 + energy_error)) AS most FROM record
    WHERE type = 'run' AND refused IS NULL GROUP BY writer) AS made ON made.writer = name ORDER BY name)",
                                                      believed_joules(clone()))));
    std::map<std::string, Contributor> by_key;
    std::map<std::string, std::string> key_of;  // of a writer
    TRY(read_writers(writers, by_key, key_of));
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT made.id, made.writer, made.candidate, made.category,
    (SELECT group_concat(run, ' ') FROM claim_run WHERE claim = made.id), word, at, verdict.key, first,
    (SELECT MIN(printf('%020d ', seen_s) || (SELECT MIN(at) FROM verdict WHERE verdict.claim = made.id AND result = 'accepted')
            || printf(' %012d', turn)) FROM claim_run JOIN original USING(run)
        JOIN record AS run ON run.id = claim_run.run JOIN writer ON writer.name = run.writer WHERE claim = made.id),
    COALESCE(earns, 1)
FROM (SELECT id, writer, candidate, category, seq, {} AS newest FROM record WHERE type = 'claim') AS made
LEFT JOIN verdict ON verdict.seq = made.newest ORDER BY made.seq)",
                                                  kVerdictSeqOf)));
    TRY_ASSIGN(std::vector<MadeClaim> claims, get.all([](Row& row) {
        MadeClaim claim{row.text(), row.text(), row.text(), row.text()};
        const std::vector<std::string> runs = split(row.text());
        claim.runs = {runs.begin(), runs.end()};
        claim.result = row.text(), claim.at = row.text(), claim.verifier = row.text(), claim.first = row.text();
        claim.first_run = row.text();
        claim.earns = !claim.first_run.empty();
        claim.shows_run = row.flag();
        return claim;
    }));
    AttributionInput input;
    input.improvements = count_claims(std::move(claims), by_key, key_of);
    TRY(attribute_gains(input, by_key));
    std::vector<Contributor> rows;
    for (auto& [key, one] : by_key) rows.push_back(std::move(one));
    std::ranges::stable_sort(rows, std::ranges::greater(), &Contributor::gain_credited);
    return rows;
}

// The scores that nobody could make up: of accepted candidates, of fresh seeds, and the runs of the pool's verifiers, whom no other may be there
// to judge.
Result<void> IndexQueries::read_proven_scores(ProvenScores& scores) {
    TRY_ASSIGN(Statement proven, prepare(R"(
SELECT candidate, category, AVG(score) FROM record WHERE type = 'run' AND status = 'done' AND refused IS NULL
    AND rejected = 0 AND writer IN (SELECT name FROM writer WHERE key IN (SELECT value FROM json_each(:verifiers)))
    GROUP BY candidate, category
UNION ALL SELECT candidate, category, val_bpb FROM standing
    WHERE runs > 0 AND (verdict = 'accepted' OR fresh_seeds > 0))"));
    std::vector<std::string> verifiers;
    if (auto roots = trusted_roots(clone())) {
        for (const AllowedSigner& verifier : roots->now.verifiers) verifiers.push_back(verifier.fingerprint);
    }
    const std::string list = fmt::format("[\"{}\"]", fmt::join(verifiers, "\",\""));
    return proven.bind(":verifiers", list).each([&](Row& row) {
        std::string candidate = row.text();
        double& score = scores[{std::move(candidate), row.text()}];
        score = row.real();
    });
}

Result<void> IndexQueries::attribute_gains(AttributionInput& input, std::map<std::string, Contributor>& by_key) {
    if (input.improvements.empty()) return {};
    std::map<std::string, Relative> relatives;
    TRY_ASSIGN(std::vector<CandidateRow> candidate_rows, candidates());
    for (CandidateRow& row : candidate_rows) relatives[row.id] = {std::move(row.parents), gene_lines(row.toml)};
    ProvenScores scores;
    TRY(read_proven_scores(scores));
    input.relative = [&](const std::string& candidate) -> const Relative* {
        auto found = relatives.find(candidate);
        return found == relatives.end() ? nullptr : &found->second;
    };
    input.score = [&](const std::string& candidate, const std::string& category) -> const double* {
        auto found = scores.find({candidate, category});
        return found == scores.end() ? nullptr : &found->second;
    };
    TRY_ASSIGN(const std::set<std::string> settled,
               texts(fmt::format("SELECT id FROM candidate WHERE vouched IS NOT NULL OR belief >= {}",
                                 static_cast<int>(Belief::seed))));
    // Where only strangers tell the parents of an ancestor, the finder's own word goes before another's.
    TRY_ASSIGN(Statement told, prepare(R"(
SELECT parents FROM record WHERE candidate = :candidate AND type IN ('run', 'claim') AND refused IS NULL
    AND writer IN (SELECT name FROM writer WHERE COALESCE(NULLIF(key, ''), name) = :finder) ORDER BY seq LIMIT 1)"));
    input.parents = [&](const std::string& candidate, const std::string& finder) {
        const Relative* known = input.relative(candidate);
        std::vector<std::string> parents = known ? known->parents : std::vector<std::string>();
        if (settled.contains(candidate)) return parents;
        auto own = told.bind(":candidate", candidate).bind(":finder", finder).first([](Row& row) {
            return split(row.text());
        });
        return own && *own ? **own : parents;
    };
    for (const auto& [key, credit] : credit_of(input)) {
        by_key[key].gain_found = credit.found;
        by_key[key].gain_credited = credit.credited;
    }
    return {};
}

}  // namespace cultivar
