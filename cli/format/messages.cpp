#include "cli/format/messages.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "pool/util/short_id.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostRefusals = 20;  // one hostile push may bring thousands
constexpr std::size_t kMaxHint_bytes = 2000;

void tell_rejoined(Ui& ui, const JournalMerge& rejoined) {
    if (rejoined.theirs == 0) return;
    ui.warn(fmt::format("merged {} written elsewhere under this clone's name; nothing is lost or double",
                        counted(rejoined.theirs, "record")));
    ui.note(
        "a copy of this clone is at work, or this one was restored from a backup; 'cultivar clone URL DIR' makes a "
        "clone with a name of its own");
}

}  // namespace

void tell_refresh(Ui& ui, const PullReport& report) {
    tell_rejoined(ui, report.rejoined);
    std::vector<std::string> parts;
    auto add = [&](int count, const char* word) {
        if (count > 0) parts.push_back(counted(count, word));
    };
    add(report.runs, "run");
    add(report.candidates, "candidate");
    add(report.claims, "claim");
    add(report.verdicts, "verdict");
    add(report.retirements, "retirement");
    add(report.proposals, "proposal");
    add(report.contributors, "contributor");
    if (report.leases > 0) parts.push_back(counted(report.leases, "run") + " under way");
    if (report.archived > 0) parts.push_back(counted(report.archived, "candidate") + " archived");
    if (report.main_moved) parts.emplace_back("main");
    ui.note(parts.empty() ? "nothing new" : fmt::format("new: {}", fmt::join(parts, ", ")));
    for (const std::string& change : report.changed_terms)
        ui.warn(fmt::format("main changed: {}; 'cultivar trust' agrees, and until then nothing runs by it", change));
    if (report.other_task > 0)
        ui.note(
            fmt::format("{} of an earlier task of this pool: they do not count", counted(report.other_task, "run")));
    if (report.left > 0)
        ui.warn(fmt::format("the remote offers more new branches than a pull takes: {} were left for later ones",
                            report.left));
    const std::size_t told = std::min(report.refused.size(), kMostRefusals);
    for (const Refusal& refusal : std::span(report.refused).first(told))
        ui.warn(fmt::format("refused: {} {}", clean(refusal.where), clean(refusal.reason)));
    const std::size_t more = report.refused.size() - told + static_cast<std::size_t>(report.more_refused);
    if (more > 0) ui.warn(fmt::format("refused: {} more; 'cultivar fsck' lists them", more));
}

void tell_proposed(Ui& ui, const ProposeReport& report) {
    tell_rejoined(ui, report.rejoined);
    if (report.damaged > 0)
        ui.warn(fmt::format("{} of the spool is damaged and was set aside, in .git/cultivar/spool.damaged",
                            counted(static_cast<std::int64_t>(report.damaged), "line")));
    for (const Refusal& one : report.left_out)
        ui.warn(fmt::format("left out {}: {}", short_id(one.where), clean(one.reason)));
    if (report.sent_again) ui.warn("the remote had lost records of this clone; they were sent again");
    if (!report.anything && report.refused.empty()) {
        ui.note("nothing to propose");
        return;
    }
    std::vector<std::string> parts;
    auto add = [&](std::size_t count, const char* word) {
        if (count > 0) parts.push_back(counted(count, word));
    };
    add(report.records, "record");
    add(report.candidates.size(), "candidate");
    add(report.artifacts.size(), "artifact");
    if (report.verdicts) parts.push_back("verdicts");
    if (report.main_moved) parts.push_back("main");
    if (!report.proposal.empty()) parts.push_back("one proposal");
    if (report.anything)
        ui.note(fmt::format("sent {}", parts.empty() ? "the journal" : fmt::format("{}", fmt::join(parts, ", "))));
    if (!report.proposal.empty()) ui.note(fmt::format("open a pull request from the branch {}", report.proposal));
    for (const PushStatus& status : report.refused)
        ui.warn(fmt::format("the remote refused {}: {}", clean(status.remote), clean(status.reason)));
    if (!report.hint.empty()) ui.note(clean("to take the name back: " + report.hint, kMaxHint_bytes));
}

void tell_clock(Ui& ui, const Task& task, std::int64_t now_s) {
    if (!is_to_come(task.created, now_s)) return;
    ui.warn(fmt::format("this machine's clock is wrong: it says {}, and the pool was created on {}", utc_text(now_s),
                        task.created));
}

std::string cost_text(const UseCost& cost) {
    std::vector<std::string> parts;
    if (cost.parameters) parts.push_back(fmt::format("{} parameters", *cost.parameters));
    if (cost.forward_flops_per_token)
        parts.push_back(fmt::format("{:.4g} MFLOP per token forward", *cost.forward_flops_per_token / 1e6));
    if (cost.joules_per_token) parts.push_back(fmt::format("{:.3g} mJ per token", *cost.joules_per_token * 1e3));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string score_text(const ScoreText& text, const Run& run) {
    if (run.val_bpb) return text.of(*run.val_bpb);
    if (run.expected_bpb) return "~" + text.of(*run.expected_bpb);
    return "-";
}

void add_score(Json& json, const Task& task, std::optional<double> loss) {
    json["score"] = loss ? Json(task.score_of(*loss)) : Json(nullptr);
    json["metric"] = task.metric;
}

std::string run_line(const Ui& ui, const ScoreText& text, const Run& run) {
    bool judged = run.status == RunStatus::done;
    std::string word(judged ? name(run.decision) : name(run.status));
    Paint paint = run.decision == Decision::kept    ? Paint::good
                  : run.status == RunStatus::failed ? Paint::bad
                                                    : Paint::none;
    return fmt::format("{}  {:>8}  {:<9}  {}  {}", ui.paint(paint, fmt::format("{:<9}", word)), score_text(text, run),
                       clean(run.operator_name, 16), run.candidate.substr(0, 8), clean(run.reason));
}

void tell_first_result(Ui& ui, const Task& task, const RunRow& first) {
    ui.note(fmt::format("it scored {} before (cultivar show {})", score_text(ScoreText(task), first.run),
                        short_id(first.id)));
}

Result<void> refuse_second_run(Session& session, const std::string& candidate) {
    TRY_ASSIGN(const std::optional<RunRow> settled, settled_by(session, candidate));
    if (!settled) return {};
    return fail(Code::unfit,
                fmt::format("a second run of {} is pointless: it scored {}, and by the task its runs score alike",
                            short_id(candidate), score_text(ScoreText(session.clone->task), settled->run)),
                fmt::format("cultivar show {}", short_id(settled->id)));
}

std::string record_text(const RecordMark& record) {
    const std::string seeds = counted(record.seeds, "seed");
    if (!record.against.empty())
        return fmt::format("{}, {}: {:.6f} {} than {} (95 % interval {:.6f} to {:.6f}, p {:.2g})",
                           record.accepted ? "a record" : "no record", seeds, std::abs(record.gain),
                           record.gain < 0 ? "worse" : "better", short_id(record.against), record.low, record.high,
                           record.p);
    return record.accepted ? fmt::format("a record, {}, none stood before", seeds)
                           : fmt::format("no record, {}: too few", seeds);
}

}  // namespace cultivar
