// An external proposer: a program of the user's, such as an agent or another optimiser. It reads the pool's state as
// one JSON object from its standard input and answers with one on its standard output:
//
//   {"parent": ID, "changes": {GENE: VALUE, ...}, "note": TEXT, "cost": {"tokens": N, "seconds": S, "price": USD, "joules": J}}
//
// note, cost and each of its figures may be left out; other fields are ignored. /bin/sh runs it in a process group of
// its own, within limits of time, memory, files and answer. A bad answer costs the call and no more.
#pragma once

#include <functional>
#include <string>

#include "bandit/planner/planner.h"
#include "cli/runs/planned_run.h"

namespace cultivar {

inline constexpr std::size_t kMaxAnswerBytes = 64 * 1024;

struct ProposerOptions {
    std::string command;
    std::string name;  // of the operator: "proposer", or "proposer:NAME"
    double limit_s = 60;
};

// Its answer. A bad one has a text in `wrong`, and its cost as far as that can be read.
struct Answer {
    Suggestion suggestion;
    std::optional<std::int64_t> tokens;
    std::optional<double> usd, joules;
    double seconds = 0;  // as it says
    std::string wrong;   // one line, or ""
};
Answer parse_answer(std::string_view text);

class ExternalProposer {
public:
    ExternalProposer(ProposerOptions options, std::function<bool()> stop)
        : options_(std::move(options)), stop_(std::move(stop)) {}

    const std::string& operator_name() const { return options_.name; }

    // Asks it, within its limit of time. Errors: unfit (no answer or a bad one; one line says why), interrupted, io.
    Result<Suggestion> suggest(Session& session, const History& history, double budget_s);
    // The cost of the call since the last take_call(); without a name if there was none.
    ProposerCall take_call() { return std::exchange(call_, {}); }

private:
    Result<std::string> answer_to(const std::string& state_path);

    ProposerOptions options_;
    std::function<bool()> stop_;
    ProposerCall call_;
};

}  // namespace cultivar
