#include "cli/compare/arm_spec.h"

#include <algorithm>

#include <fmt/format.h>

#include "energy/series/grid_time.h"
#include "pool/util/text.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr std::string_view kContributor = "contributor:", kCategory = "category:", kPeriod = "period:";
constexpr std::size_t kDay = 10;  // characters of "2026-11-30"

Result<std::int64_t> parse_moment(std::string_view text) {
    const std::string whole = std::string(text) + (text.size() == kDay ? "T00:00Z" : "");
    if (const auto unix_s = parse_grid_time(whole)) return *unix_s;
    return fail(Code::usage, fmt::format("'{}' is no day or time", clean(text, 40)),
                "period:2026-11-01..2026-11-08T12:00Z");
}

Result<ArmSpec> parse_period(ArmSpec spec, std::string_view text) {
    const std::size_t dots = text.find("..");
    if (dots == std::string_view::npos)
        return fail(Code::usage, fmt::format("arm '{}' has no '..'", clean(spec.text, 60)),
                    "period:2026-11-01..2026-11-08");
    TRY_ASSIGN(spec.from_s, parse_moment(text.substr(0, dots)));
    TRY_ASSIGN(spec.to_s, parse_moment(text.substr(dots + 2)));
    if (spec.from_s >= spec.to_s)
        return fail(Code::usage, fmt::format("the period of arm '{}' is empty", clean(spec.text, 60)),
                    "period:2026-11-01..2026-11-08");
    return spec;
}

bool is_named(const SpentRow& run, const std::string& name) {
    return name == run.writer || name == run.key || name == run.writer.substr(0, run.writer.find('.'));
}

}  // namespace

bool ArmSpec::takes(const SpentRow& run) const {
    switch (kind) {
        case Kind::pools:
            return true;
        case Kind::contributors:
            return std::ranges::any_of(words, [&](const std::string& one) { return is_named(run, one); });
        case Kind::category:
            return run.category == words.front();
        case Kind::period: {
            const std::int64_t end_s = parse_utc(run.at).value_or(0);
            return end_s >= from_s && end_s < to_s;
        }
    }
    return false;
}

Result<std::vector<std::string>> parse_list(const std::string& text) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (;;) {
        const std::size_t comma = text.find(',', from);
        parts.push_back(text.substr(from, comma == std::string::npos ? comma : comma - from));
        if (parts.back().empty())
            return fail(Code::usage, fmt::format("'{}' has an empty part", clean(text, 60)), "cultivar compare --help");
        if (comma == std::string::npos) return parts;
        from = comma + 1;
    }
}

Result<ArmSpec> parse_arm(const std::string& text) {
    ArmSpec spec{.text = text};
    if (text.starts_with(kPeriod)) {
        spec.kind = ArmSpec::Kind::period;
        return parse_period(std::move(spec), std::string_view(text).substr(kPeriod.size()));
    }
    std::string rest = text;
    if (text.starts_with(kContributor)) {
        spec.kind = ArmSpec::Kind::contributors, rest = text.substr(kContributor.size());
    } else if (text.starts_with(kCategory)) {
        spec.kind = ArmSpec::Kind::category, rest = text.substr(kCategory.size());
    }
    TRY_ASSIGN(spec.words, parse_list(rest));
    return spec;
}

}  // namespace cultivar
