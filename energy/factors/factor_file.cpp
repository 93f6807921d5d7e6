// Reads a user's energy.toml.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "energy/factors/factors.h"
#include "energy/series/grid_unit.h"
#include "energy/series/read_series.h"
#include "pool/util/file.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostFile_bytes = 1 << 20, kMostWords = 100;
constexpr double kMostFetch_s = 600;

std::optional<FactorKind> kind_of(const StatedFactor& stated) {
    if (stated.quantity == "carbon" && stated.grid == "average") return FactorKind::carbon_average;
    if (stated.quantity == "carbon" && stated.grid == "marginal") return FactorKind::carbon_marginal;
    if (stated.quantity == "price") return FactorKind::price;
    if (stated.quantity == "water_on_site") return FactorKind::water_on_site;
    if (stated.quantity == "water_off_site") return FactorKind::water_off_site;
    if (stated.quantity == "pue") return FactorKind::pue;
    if (stated.quantity == "network") return FactorKind::network;
    if (stated.quantity == "embodied") return FactorKind::embodied;
    return std::nullopt;
}

const char* unit_of(FactorKind kind) {
    switch (kind) {
        case FactorKind::water_on_site:
        case FactorKind::water_off_site:
            return "L/kWh";
        case FactorKind::network:
            return "kWh/GB";
        case FactorKind::embodied:
            return "kg";
        case FactorKind::pue:
            return "";
        default:
            return "g/kWh";
    }
}

struct StatedFile {
    std::string file, format, area;
    FetchedFile fetch;
};

// One [[factor]] of the user's file, with its keys for a file of grid data.
Result<StatedFile> read_stated_file(TomlTable& table, const std::string& at, const std::string& folder) {
    StatedFile stated;
    TRY(table.read(at + "file", stated.file));
    TRY(table.read(at + "format", stated.format));
    TRY(table.read(at + "area", stated.area));
    TRY(table.read(at + "fetch_limit_s", stated.fetch.limit_s));
    if (!stated.file.empty()) stated.file = (std::filesystem::path(folder) / stated.file).string();
    const TomlEntry* command = table.take(at + "fetch");
    if (!command) return stated;
    for (const Value& value : command->values) {
        const auto* word = std::get_if<std::string>(&value);
        if (!word || command->values.size() > kMostWords) return fail(table.wrong(*command, "'fetch' takes words"));
        stated.fetch.command.push_back(*word);
    }
    const bool good = !stated.file.empty() && !stated.fetch.command.empty() && stated.fetch.limit_s > 0 &&
                      stated.fetch.limit_s <= kMostFetch_s;
    if (!good) return fail(table.wrong(*command, "'fetch' takes a command, a 'file' and at most 600 s"));
    stated.fetch.path = stated.file;
    return stated;
}

Result<Factor> series_factor(const StatedFactor& stated, const StatedFile& file, const std::string& stated_in) {
    const SeriesTerms terms{file.format, file.area, stated.unit, stated.source,
                            grid_kind(stated.grid).value_or(GridKind::unknown)};
    TRY_ASSIGN(Series series, read_series_file(file.file, terms));
    StatedFactor whole = stated;
    if (whole.grid.empty()) whole.grid = name(series.head.kind);
    const auto kind = kind_of(whole);
    const bool same = stated.quantity == name(series.head.quantity);
    if (!same || !kind)
        return fail(Code::usage,
                    fmt::format("{}: it holds {} in {}, not {} {}", file.file, name(series.head.quantity),
                                series.head.unit, stated.quantity, whole.grid),
                    "grid = \"average\"");
    if (series.head.source.empty())
        return fail(Code::usage, fmt::format("{}: the factor with file '{}' has no source", stated_in, file.file),
                    "source = \"...\"");
    Factor factor{.kind = *kind, .zone = stated.zone, .unit = series.head.unit, .source = series.head.source};
    factor.year = stated.year;
    factor.stated_in = stated_in;
    const auto [low, high] = std::ranges::minmax(series.quarters, {}, &Quarter::value);
    double sum = 0;
    for (const Quarter& one : series.quarters) sum += one.value;
    factor.range = {sum / static_cast<double>(series.quarters.size()), low.value, high.value};
    factor.series = std::make_shared<const Series>(std::move(series));
    return factor;
}

Result<std::optional<TomlTable>> read_table(const std::string& path) {
    auto text = read_file(path, kMostFile_bytes);
    if (!text && text.error().code == Code::not_found) return std::optional<TomlTable>();
    if (!text) return fail(text.error());
    TRY_ASSIGN(std::vector<TomlEntry> entries, read_toml(*text, path));
    return std::optional<TomlTable>(std::in_place, std::move(entries), path);
}

using TakeStated = std::function<Result<void>(const StatedFactor& stated, StatedFile file)>;

Result<void> each_stated(const std::string& path, const TakeStated& take) {
    TRY_ASSIGN(std::optional<TomlTable> table, read_table(path));
    if (!table) return {};
    const std::string folder = std::filesystem::path(path).parent_path().string();
    for (int i = 0; i < kMostStatedFactors; ++i) {
        const std::string at = fmt::format("factor.{}.", i);
        if (!table->take(at + "quantity")) break;
        TRY_ASSIGN(const StatedFactor stated, read_stated_factor(*table, at));
        TRY_ASSIGN(StatedFile file, read_stated_file(*table, at, folder));
        TRY(take(stated, std::move(file)));
    }
    return table->finish();
}

}  // namespace

std::string user_factor_file() {
    const char* base = std::getenv("XDG_CONFIG_HOME");
    const char* home = std::getenv("HOME");
    const std::string folder = base && *base ? base : std::string(home ? home : "") + "/.config";
    return folder + "/cultivar/energy.toml";
}

Result<Factor> constant_factor(const StatedFactor& stated, const std::string& stated_in) {
    const auto wrong = [&](std::string why, std::string hint) {
        return fail(Code::usage, fmt::format("{}: a factor of {} {}", stated_in, stated.quantity, why),
                    std::move(hint));
    };
    if (!stated.value) return wrong("has no value", "value = 211");
    if (stated.source.empty()) return wrong("has no source", "source = \"...\"");
    const auto kind = kind_of(stated);
    if (!kind) return wrong("does not name its grid", "grid = \"average\"");
    Factor factor{.kind = *kind, .zone = stated.zone, .unit = unit_of(*kind), .source = stated.source};
    factor.range = {*stated.value, stated.low.value_or(*stated.value), stated.high.value_or(*stated.value)};
    factor.life_years = stated.life_years;
    factor.year = stated.year;
    factor.stated_in = stated_in;
    const bool of_grid = stated.quantity == "carbon" || stated.quantity == "price";
    if (!of_grid && !stated.unit.empty() && stated.unit != factor.unit) return wrong("has another unit", factor.unit);
    if (!of_grid || (stated.quantity == "carbon" && stated.unit.empty())) return factor;
    const auto unit = parse_grid_unit(stated.unit);
    if (!unit || stated.quantity != name(unit->quantity)) return wrong("has no unit that fits", "unit = \"EUR/kWh\"");
    factor.unit = unit->unit;
    factor.range = factor.range * unit->factor;
    return factor;
}

Result<std::vector<Factor>> read_factor_file(const std::string& path) {
    std::vector<Factor> factors;
    TRY(each_stated(path, [&](const StatedFactor& stated, const StatedFile& file) -> Result<void> {
        auto factor = file.file.empty() ? constant_factor(stated, path) : series_factor(stated, file, path);
        if (!factor) return fail(factor.error());
        factors.push_back(std::move(*factor));
        return {};
    }));
    return factors;
}

Result<std::vector<FetchedFile>> fetched_files(const std::string& path) {
    std::vector<FetchedFile> files;
    TRY(each_stated(path, [&](const StatedFactor&, StatedFile file) -> Result<void> {
        if (!file.fetch.command.empty()) files.push_back(std::move(file.fetch));
        return {};
    }));
    return files;
}

}  // namespace cultivar
