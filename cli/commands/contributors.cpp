#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/session/session.h"

namespace cultivar {
namespace {

constexpr std::size_t kKeyShown = 16;

Json as_json(const std::vector<Contributor>& contributors) {
    Json rows = Json::array();
    for (const Contributor& one : contributors)
        rows.push_back({{"key", one.key},
                        {"writers", one.writers},
                        {"runs", one.runs},
                        {"claims", one.claims},
                        {"valid", one.valid},
                        {"rejected", one.rejected},
                        {"valid_in_a_row", one.valid_in_a_row},
                        {"gain_found", one.gain_found},
                        {"gain_credited", one.gain_credited},
                        {"joules", one.joules},
                        {"most_joules", one.most_joules}});
    return {{"schema", 1}, {"contributors", rows}};
}

std::string gain_text(const Task& task, double gain) {
    return task.command ? fmt::format("{:.4g}", gain) : fmt::format("{:.4f}", gain);
}

double error_of_sum(const Contributor& one) { return one.joules > 0 ? one.most_joules / one.joules - 1 : 0; }

std::string as_text(const Ui& ui, const Task& task, const std::vector<Contributor>& contributors) {
    TextTable table({{"key"},
                     {"runs", true},
                     {"claims", true},
                     {"valid", true},
                     {"rejected", true},
                     {"found", true},
                     {"credited", true},
                     {"energy", true},
                     {"writers"}});
    for (const Contributor& one : contributors) {
        std::vector<std::string> writers;
        for (const std::string& writer : one.writers) writers.push_back(clean(writer, 48));
        table.row(
            {clean(one.key, kKeyShown), std::to_string(one.runs), std::to_string(one.claims), std::to_string(one.valid),
             std::to_string(one.rejected), gain_text(task, one.gain_found), gain_text(task, one.gain_credited),
             joules_text(one.joules, error_of_sum(one)), fmt::format("{}", fmt::join(writers, ", "))},
            one.rejected > 0 ? Paint::bad : Paint::none);
    }
    return table.text(ui);
}

Result<int> contributors(Context& context) {
    TRY_ASSIGN(Session session, look_at_session(context));
    TRY_ASSIGN(std::vector<Contributor> rows, session.index->contributors());
    if (context.ui.json()) {
        context.ui.print(pretty(as_json(rows)));
    } else if (rows.empty()) {
        context.ui.note("nothing was run yet: cultivar explore --runs 3");
    } else {
        context.ui.print(as_text(context.ui, session.clone->task, rows));
    }
    return kYes;
}

}  // namespace

Action declare_contributors(Parser& parser) {
    parser.example("cultivar contributors", "runs, claims and credit of each key");
    parser.example("cultivar contributors --json | jq '.contributors[0]'", "the contributor with the most credit");
    return [](Context& context) { return contributors(context); };
}

}  // namespace cultivar
