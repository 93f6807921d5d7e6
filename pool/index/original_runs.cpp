#include "pool/index/original_runs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "pool/index/sql.h"

namespace cultivar {
namespace {

constexpr double kSameScore = 1e-5;  // relative; machines differ by a hundred times as much

struct TrainedRun {
    std::string id, key;
    bool trusted = false;   // of this clone or of a verifier
    bool verified = false;  // its claim was accepted after a replay
    std::int64_t seen_s = 0;
    double score = 0;
    std::string accepted_at{};  // the first verdict that accepted it, if it was given before this clone saw the run
};
using Trainings = std::map<std::tuple<std::string, std::string, std::int64_t>, std::vector<TrainedRun>>;

// The scored runs of every candidate with a verified one, by candidate, category and replicate.
Result<Trainings> read_trainings(IndexDatabase& database) {
    TRY_ASSIGN(Statement get, database.sql().prepare(fmt::format(R"(
WITH verified AS MATERIALIZED ({})
SELECT made.candidate, made.category, made.replicate, made.id, COALESCE(NULLIF(writer.key, ''), writer.name),
    writer.name = :own OR writer.key IN (SELECT key FROM verdict), made.id IN verified, made.seen_s, made.score,
    COALESCE((SELECT MIN(at) FROM claim_run JOIN verdict USING(claim) WHERE claim_run.run = made.id AND result = 'accepted'
        AND at < strftime('%Y-%m-%dT%H:%M:%SZ', made.seen_s, 'unixepoch')), '')
FROM (SELECT DISTINCT candidate FROM record WHERE id IN verified) AS known
CROSS JOIN record AS made ON made.candidate = known.candidate JOIN writer ON writer.name = made.writer
WHERE made.type = 'run' AND made.status = 'done' AND made.refused IS NULL AND made.rejected = 0 ORDER BY made.seq)",
                                                                 kVerifiedRuns)));
    Trainings trainings;
    TRY(get.bind(":own", database.clone().writer).each([&](Row& row) {
        std::string candidate = row.text(), category = row.text();
        auto& runs = trainings[{std::move(candidate), std::move(category), row.whole()}];
        runs.push_back({row.text(), row.text(), row.flag(), row.flag(), row.whole(), row.real(), row.text()});
    }));
    return trainings;
}

// Tells runs with the same losses on every part of the slice, which nobody can foretell as they can a score.
class SameLosses {
public:
    explicit SameLosses(IndexDatabase& database) : database_(database) {}

    bool operator()(const TrainedRun& a, const TrainedRun& b) {
        if (std::abs(a.score - b.score) > kSameScore * std::abs(b.score)) return false;
        return std::ranges::equal(losses_of(a.id), losses_of(b.id), [](double one, double other) {
            return std::abs(one - other) <= kSameScore * std::abs(other);
        });
    }

private:
    // Of a run that cannot be read, none.
    const std::vector<double>& losses_of(const std::string& id) {
        const auto found = losses_.try_emplace(id);
        std::vector<double>& losses = found.first->second;
        if (!found.second) return losses;
        auto get =
            database_.sql().prepare(fmt::format("SELECT {} FROM {} WHERE record.id = :id", kLineColumns, kLineTables));
        if (!get) return losses;
        const auto take = [&](const std::string&, const Run& run, Row&) { losses = run.chunk_loss_sums; };
        if (!for_each_record<Run>(database_.clone().repo, get->bind(":id", id), take)) losses.clear();
        return losses;
    }

    IndexDatabase& database_;
    std::map<std::string, std::vector<double>> losses_{};
};

// A verified run, and the runs of other keys with its result that came by the same pull.
struct Contested {
    const TrainedRun* run = nullptr;
    std::vector<const TrainedRun*> rivals{};
};

// Did a verifier accept the one before, and before this clone met the two?
bool accepted_before(const TrainedRun& one, const TrainedRun& other) {
    return !one.accepted_at.empty() && (other.accepted_at.empty() || one.accepted_at < other.accepted_at);
}

// Nothing: it is a copy of an earlier run, or repeats one of its own key.
std::optional<Contested> first_of(const std::vector<TrainedRun>& runs, const TrainedRun& run, SameLosses& same) {
    Contested found{&run};
    for (const TrainedRun& other : runs) {
        if (&other == &run || (!other.verified && !same(other, run))) continue;
        const bool earlier = other.seen_s < run.seen_s;
        if (other.key == run.key) {
            if (earlier || (other.seen_s == run.seen_s && &other < &run)) return std::nullopt;
        } else if (earlier) {
            return std::nullopt;
        } else if (other.seen_s == run.seen_s && !accepted_before(run, other)) {
            if (accepted_before(other, run)) return std::nullopt;
            found.rivals.push_back(&other);
        }
    }
    return found;
}

std::set<std::string> originals_among(const Trainings& trainings, SameLosses same) {
    std::set<std::string> originals, proven;  // ids; keys
    std::vector<Contested> contested;
    for (const auto& [training, runs] : trainings) {
        for (const TrainedRun& run : runs) {
            std::optional<Contested> one = run.verified ? first_of(runs, run, same) : std::nullopt;
            if (!one) continue;
            if (!one->rivals.empty()) {
                contested.push_back(std::move(*one));
                continue;
            }
            originals.insert(run.id);
            proven.insert(run.key);
        }
    }
    const auto rank = [&](const TrainedRun& run) { return run.trusted ? 2 : proven.contains(run.key) ? 1 : 0; };
    for (const Contested& one : contested) {
        const bool ahead =
            std::ranges::all_of(one.rivals, [&](const TrainedRun* rival) { return rank(*rival) < rank(*one.run); });
        if (ahead) originals.insert(one.run->id);
    }
    return originals;
}

}  // namespace

Result<void> derive_originals(IndexDatabase& database) {
    TRY_ASSIGN(const Trainings trainings, read_trainings(database));
    TRY(database.sql().execute("DELETE FROM original"));
    TRY_ASSIGN(Statement put, database.sql().prepare("INSERT INTO original VALUES(:run)"));
    for (const std::string& run : originals_among(trainings, SameLosses(database))) TRY(put.bind(":run", run).run());
    return {};
}

}  // namespace cultivar
