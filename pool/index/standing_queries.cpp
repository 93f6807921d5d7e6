#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"

namespace cultivar {
namespace {

Standing read_standing(Row& row) {
    Standing standing;
    standing.candidate = row.text();
    standing.category = row.text();
    standing.runs = row.count();
    standing.val_bpb = row.real();
    standing.kept = row.flag();
    standing.contributor = row.text();
    standing.cost = {row.whole_if(), row.real_if(), row.real_if()};
    standing.verdict = row.text();
    standing.record = row.flag();
    standing.fresh_seeds = row.count();
    return standing;
}

}  // namespace

Result<std::vector<Standing>> IndexQueries::standings(const std::string& category, int most, bool verified) {
    std::vector<std::string> categories = {category};
    if (category.empty()) {
        categories.clear();
        TRY_ASSIGN(auto counts, scored());
        for (const auto& count : counts) categories.push_back(count.first);
    }
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT candidate, category, runs, val_bpb, kept, contributor, parameters, flops, joules, verdict, record, fresh_seeds FROM standing
WHERE category = :category {} AND candidate NOT IN (SELECT candidate FROM retired)
ORDER BY category, runs = 0, val_bpb, candidate LIMIT :most)",
                                                  verified ? "AND verdict = 'accepted'" : "")));
    std::vector<Standing> rows;
    for (const std::string& name : categories) {
        get.bind(":category", name).bind(":most", most > 0 ? most : -1);
        TRY(get.each([&](Row& row) { rows.push_back(read_standing(row)); }));
    }
    return rows;
}

Result<std::optional<double>> IndexQueries::noise(const std::string& category) {
    TRY_ASSIGN(Statement get, prepare(R"(
SELECT SUM((score - mean) * (score - mean)), COUNT(*) - COUNT(DISTINCT candidate) FROM (
    SELECT candidate, score, AVG(score) OVER (PARTITION BY candidate) AS mean
    FROM (SELECT candidate, contributor FROM standing WHERE +category = :category AND runs > 1  -- its index is slower
        ORDER BY val_bpb LIMIT 100) CROSS JOIN record USING(candidate)
    WHERE category = :category AND writer = contributor AND type = 'run' AND status = 'done' AND refused IS NULL
        AND rejected = 0))"));
    TRY_ASSIGN(auto sums, get.bind(":category", category).first([](Row& row) {
        const double squares = row.real();
        return std::pair(squares, row.count());
    }));
    if (!sums || sums->second < 1) return std::optional<double>();
    return std::optional(std::sqrt(sums->first / sums->second));
}

Result<std::optional<RecordHolder>> IndexQueries::record_holder(const std::string& category,
                                                                const std::string& but_claim) {
    TRY_ASSIGN(Statement get,
               prepare(fmt::format("SELECT id, record.candidate, {}, {} AS is_record FROM record JOIN standing "
                                   "USING(candidate, category) WHERE type = 'claim' AND record.category = :category "
                                   "AND id <> :but_claim AND is_record ORDER BY standing.val_bpb, id LIMIT 1",
                                   kVerdictOf, kRecordOf)));
    std::string line;
    TRY_ASSIGN(auto holder, get.bind(":category", category).bind(":but_claim", but_claim).first([&](Row& row) {
        RecordHolder found{row.text(), row.text(), {}};
        line = row.text();
        return found;
    }));
    if (!holder) return holder;
    TRY_ASSIGN(const Verdict verdict, parse_verdict(line));
    holder->scores = fresh_scores(verdict.reruns);
    if (holder->scores.empty()) {
        TRY_ASSIGN(holder->scores, claim_scores(holder->claim));
    }
    return holder;
}

// Of a claim's own runs, one per seed, the worst of each.
Result<std::vector<double>> IndexQueries::claim_scores(const std::string& claim) {
    TRY_ASSIGN(Statement get, prepare("SELECT MAX(score) FROM claim_run JOIN record ON record.id = claim_run.run "
                                      "WHERE claim_run.claim = :claim AND type = 'run' AND status = 'done' AND "
                                      "refused IS NULL GROUP BY replicate ORDER BY replicate"));
    return get.bind(":claim", claim).all([](Row& row) { return row.real(); });
}

Result<std::map<std::string, int>> IndexQueries::scored() {
    TRY_ASSIGN(Statement get, prepare("SELECT substr(name, 8), value FROM total WHERE name LIKE 'scored %'"));
    std::map<std::string, int> counts;
    TRY(get.each([&](Row& row) {
        int& count = counts[row.text()];
        count = row.count();
    }));
    return counts;
}

Result<std::vector<CategoryRow>> IndexQueries::categories() {
    TRY_ASSIGN(auto counts, scored());
    TRY_ASSIGN(const std::set<std::string> verified,
               texts("SELECT DISTINCT category FROM standing WHERE verdict = 'accepted'"));
    TRY_ASSIGN(Statement get,
               prepare("SELECT category, MAX(writer = :writer) FROM record NOT INDEXED WHERE type = 'run' "
                       "AND status = 'done' AND refused IS NULL GROUP BY category ORDER BY MIN(seq)"));
    TRY_ASSIGN(std::vector<CategoryRow> rows, get.bind(":writer", clone().writer).all([&](Row& row) {
        const std::string name = row.text();
        return CategoryRow{name, counts[name], row.flag(), verified.contains(name)};
    }));
    std::ranges::stable_sort(rows, std::greater(),
                             [](const CategoryRow& row) { return std::pair(row.own, row.verified); });
    return rows;
}

Result<std::vector<Unfit>> IndexQueries::unfit(int most) {
    TRY_ASSIGN(Statement get, prepare(R"(
SELECT candidate, category, reason, writer FROM record AS one WHERE type = 'run' AND status = 'unfit' AND refused IS NULL
    AND NOT EXISTS (SELECT 1 FROM standing WHERE standing.candidate = one.candidate AND standing.category = one.category)
    AND NOT EXISTS (SELECT 1 FROM record AS newer WHERE newer.candidate = one.candidate
        AND newer.category = one.category AND newer.type = 'run' AND newer.status = 'unfit' AND newer.refused IS NULL
        AND newer.seq > one.seq)
ORDER BY seq DESC LIMIT :most)"));
    TRY_ASSIGN(auto rows, get.bind(":most", most > 0 ? most : -1).all([](Row& row) {
        return Unfit{row.text(), row.text(), row.text(), row.text()};
    }));
    std::ranges::sort(rows, {}, [](const Unfit& one) { return std::tie(one.category, one.candidate); });
    return rows;
}

Result<Totals> IndexQueries::totals() {
    Totals totals;
    const std::map<std::string, int*> counts = {{"runs", &totals.runs},
                                                {"done", &totals.done},
                                                {"kept", &totals.kept},
                                                {"failed", &totals.failed},
                                                {"unfit", &totals.unfit},
                                                {"stopped", &totals.stopped},
                                                {"claims", &totals.claims},
                                                {"pending", &totals.pending},
                                                {"accepted", &totals.accepted},
                                                {"provisional", &totals.provisional},
                                                {"scored", &totals.scored},
                                                {"rejected", &totals.rejected},
                                                {"refused", &totals.refused},
                                                {"other task", &totals.other_task},
                                                {"candidates", &totals.candidates},
                                                {"contributors", &totals.contributors}};
    const std::map<std::string, double*> sums = {{"search_s", &totals.search_s},
                                                 {"search_joules", &totals.search_joules},
                                                 {"search_most_joules", &totals.search_most_joules},
                                                 {"paying_s", &totals.paying_s},
                                                 {"verify_s", &totals.verify_s},
                                                 {"verify_joules", &totals.verify_joules},
                                                 {"verify_most_joules", &totals.verify_most_joules}};
    TRY_ASSIGN(Statement get, prepare("SELECT name, value FROM total"));
    TRY(get.each([&](Row& row) {
        const std::string name = row.text();
        const double value = row.real();
        if (auto count = counts.find(name); count != counts.end()) *count->second = static_cast<int>(value);
        if (auto sum = sums.find(name); sum != sums.end()) *sum->second = value;
    }));
    return totals;
}

}  // namespace cultivar
