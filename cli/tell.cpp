#include "cli/tell.h"

#include <fmt/format.h>

namespace cultivar {
namespace {

std::string counted(std::size_t count, const char* word) {
    return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

}  // namespace

void tell_refresh(Ui& ui, const RefreshReport& report) {
    std::vector<std::string> parts;
    auto add = [&](int count, const char* word) {
        if (count > 0) parts.push_back(counted(static_cast<std::size_t>(count), word));
    };
    add(report.runs, "run");
    add(report.candidates, "candidate");
    add(report.claims, "claim");
    add(report.verdicts, "verdict");
    add(report.contributors, "contributor");
    ui.note(parts.empty() ? "nothing new" : fmt::format("new: {}", fmt::join(parts, ", ")));
    for (const Refusal& refusal : report.refused)
        ui.warn(fmt::format("refused: {} {}", clean(refusal.where), clean(refusal.reason)));
}

void tell_proposed(Ui& ui, const ProposeReport& report) {
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
    if (report.anything) ui.note(fmt::format("sent {}", fmt::join(parts, ", ")));
    if (!report.proposal.empty()) ui.note(fmt::format("open a pull request from the branch {}", report.proposal));
    for (const PushStatus& status : report.refused)
        ui.warn(fmt::format("the remote refused {}: {}", clean(status.remote), clean(status.reason)));
}

std::string cost_text(const UseCost& cost) {
    std::vector<std::string> parts;
    if (cost.parameters) parts.push_back(fmt::format("{} parameters", *cost.parameters));
    if (cost.forward_flops_per_token)
        parts.push_back(fmt::format("{:.4g} MFLOP a token forward", *cost.forward_flops_per_token / 1e6));
    if (cost.joules_per_token) parts.push_back(fmt::format("{:.3g} mJ a token", *cost.joules_per_token * 1e3));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string score_text(const Run& run) {
    if (run.val_bpb) return fmt::format("{:.4f}", *run.val_bpb);
    if (run.expected_bpb) return fmt::format("~{:.4f}", *run.expected_bpb);
    return "-";
}

std::string run_line(const Ui& ui, const Run& run) {
    bool judged = run.status == RunStatus::done;
    std::string word(judged ? name(run.decision) : name(run.status));
    Paint paint = run.decision == Decision::kept    ? Paint::good
                  : run.status == RunStatus::failed ? Paint::bad
                                                    : Paint::none;
    return fmt::format("{}  {:>8}  {:<9}  {}  {}", ui.paint(paint, fmt::format("{:<9}", word)), score_text(run),
                       clean(run.operator_name, 16), run.candidate.substr(0, 8), clean(run.reason));
}

}  // namespace cultivar
