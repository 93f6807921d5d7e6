// doctor --power: all that can tell the energy of runs on this machine, and a remedy for each thing that is missing.
#include "cli/commands/doctor_power.h"

#include <fmt/format.h>

#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/runs/run_meter.h"
#include "cli/session/session.h"
#include "pool/util/utc_time.h"
#include "train/energy/power_survey.h"

namespace cultivar {
namespace {

struct Power {
    std::vector<PowerFinding> findings;
    std::string zone, device;
};

bool may_be_idle(const PowerFinding& one) { return !one.key.empty(); }

Json power_json(const Power& power) {
    Json rows = Json::array();
    for (const PowerFinding& one : power.findings) {
        Json row = {{"kind", one.kind}, {"counts", one.counts}, {"text", one.text}, {"remedy", one.remedy}};
        row["source"] = one.key.empty() ? Json(nullptr) : Json(one.key);
        row["idle_watts"] = one.idle ? Json(one.idle->watts) : Json(nullptr);
        row["idle_at"] = one.idle ? Json(utc_text(one.idle->at_unix_s)) : Json(nullptr);
        rows.push_back(std::move(row));
    }
    return {{"schema", 1},
            {"device", power.device},
            {"zone", power.zone.empty() ? Json(nullptr) : Json(power.zone)},
            {"power", rows}};
}

std::string idle_text(const PowerFinding& one) {
    if (!may_be_idle(one)) return "";
    if (!one.idle) return ", idle power not measured yet: explore does so on a machine that is idle";
    return fmt::format(", idle {:.1f} W ({})", one.idle->watts, utc_text(one.idle->at_unix_s));
}

std::string power_text(const Power& power) {
    std::string text;
    for (const PowerFinding& one : power.findings) {
        text += fmt::format("{:<11} {} {}{}\n", one.kind, one.counts ? "counts:" : "-", one.text, idle_text(one));
        for (const std::string& line : one.remedy) text += fmt::format("            {}\n", line);
    }
    text += fmt::format("{:<11} {}\n", "zone",
                        power.zone.empty() ? "- not set: cultivar.zone (git config), such as DE or GB" : power.zone);
    return text;
}

// Within a clone its settings count, elsewhere those of the user and the environment.
Result<Settings> settings_here(Context& context) {
    auto session = look_at_session(context);
    if (session) return session->settings;
    return Settings::load();
}

}  // namespace

Result<int> doctor_power(Context& context) {
    TRY_ASSIGN(const Settings settings, settings_here(context));
    const EnergyPlaces places = energy_places();
    const Power power{survey_power(places, energy_use(settings), kept_idle_powers(places)), clean(settings.zone.value),
                      settings.device.value};
    context.ui.print(context.ui.json() ? pretty(power_json(power)) : power_text(power));
    return kYes;
}

}  // namespace cultivar
