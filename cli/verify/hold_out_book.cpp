#include "cli/verify/hold_out_book.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <numbers>
#include <numeric>
#include <sstream>

#include <fmt/format.h>

#include "cli/app/json.h"
#include "eval/judge/rescore_test.h"
#include "pool/types/record.h"
#include "pool/util/secret_random.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr unsigned kPrivate = 0600;
constexpr std::int64_t kDay_s = 86400;
constexpr std::size_t kSaltDigits = 32;

Json json_of(const Appearance& one) {
    Json json = {{"on", one.on},     {"claim", one.claim},  {"candidate", one.candidate}, {"slice_bpb", one.slice_bpb},
                 {"sums", one.sums}, {"judged", one.judged}};
    if (one.score) json["score"] = *one.score;
    return json;
}

// Of claims that were judged more than once, the last.
Result<std::vector<Appearance>> read_seen(const std::string& path) {
    auto text = read_file(path);
    if (!text)
        return text.error().code == Code::not_found ? Result<std::vector<Appearance>>(std::vector<Appearance>())
                                                    : fail(text.error());
    std::map<std::pair<std::string, std::string>, Appearance> last;
    std::istringstream lines(*text);
    try {
        for (std::string line; std::getline(lines, line);) {
            const Json json = Json::parse(line);
            Appearance one{json.at("on"),        json.at("claim"), json.at("candidate"),
                           json.at("slice_bpb"), json.at("sums"),  json.value("judged", false)};
            if (json.contains("score")) one.score = json.at("score").get<double>();
            last[{one.on, one.claim}] = std::move(one);
        }
    } catch (const std::exception&) {
        return fail(Code::corrupt, fmt::format("'{}' cannot be read", path),
                    fmt::format("mv {} {}", shell_word(path), shell_word(path + ".broken")));
    }
    std::vector<Appearance> seen;
    for (auto& [key, one] : last) seen.push_back(std::move(one));
    return seen;
}

// Of a command's file, its loss there; else of the first `chunks` of a part's 64, bytes taken in proportion.
double loss_there(const Appearance& one, std::size_t chunks, std::int64_t bytes) {
    if (one.score) return *one.score;
    const std::vector<double>& sums = one.sums;
    const double sum = std::accumulate(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(chunks), 0.0);
    const double share = static_cast<double>(chunks) / kScoreChunks;
    return sum / (share * static_cast<double>(bytes)) / std::numbers::ln2;
}

// The weights of one model, claimed for several candidates, lose the same on every chunk.
bool same_weights(const Appearance& a, const Appearance& b, std::size_t chunks) {
    if (a.score) return a.score == b.score && a.slice_bpb == b.slice_bpb;
    constexpr double kSame = 1e-5;  // relative; seeds differ by a hundred times as much
    for (std::size_t i = 0; i < chunks; ++i) {
        if (std::abs(a.sums[i] - b.sums[i]) > kSame * std::abs(b.sums[i])) return false;
    }
    return true;
}

}  // namespace

std::string hold_out_folder(const Clone& clone) { return clone.state_dir + "hold-out/"; }

bool HoldOut::Slice::used_up(std::int64_t now_s) const {
    return claims >= kSliceClaims || (since_s > 0 && now_s - since_s > kSliceDays * kDay_s);
}

Result<void> HoldOut::settle(const Clone& clone, const HoldOutMade& made) {
    HoldOut fresh;
    fresh.folder_ = hold_out_folder(clone);
    for (const HoldOutSlice& slice : made.slices) {
        TRY_ASSIGN(std::string sha256, sha256_file_hex(fresh.folder_ + slice.name));
        fresh.slices_.push_back({slice.name, SecretRandom().hex_digits(kSaltDigits), std::move(sha256),
                                 slice.scored.tokens, slice.scored.bytes, 0, draw_order(), 0});
    }
    std::error_code ec;
    std::filesystem::remove(fresh.folder_ + "seen.jsonl", ec);
    return fresh.save();
}

Result<HoldOut> HoldOut::open(const Clone& clone) {
    HoldOut here;
    here.folder_ = hold_out_folder(clone);
    TRY_ASSIGN(here.seen_, read_seen(here.folder_ + "seen.jsonl"));
    auto text = read_file(here.folder_ + "slices.json", 1 << 20);
    if (!text) return text.error().code == Code::not_found ? Result<HoldOut>(std::move(here)) : fail(text.error());
    try {
        const Json json = Json::parse(*text);
        for (const Json& one : json.at("slices"))
            here.slices_.push_back({one.at("name"), one.at("salt"), one.at("sha256"), one.at("targets"),
                                    one.at("bytes"), one.at("since_s"), one.at("order"), one.at("claims")});
    } catch (const std::exception&) {
        return fail(Code::corrupt, fmt::format("'{}slices.json' cannot be read", here.folder_),
                    "cultivar data import --hold-out FILE...");
    }
    return here;
}

std::optional<ServingSlice> HoldOut::serving(std::int64_t now_s) const {
    for (const Slice& slice : slices_) {
        if (slice.used_up(now_s)) continue;
        return ServingSlice{slice.name,  folder_ + slice.name, slice.targets,
                            slice.bytes, slice.order,          sha256_hex(slice.salt + "\n" + slice.sha256)};
    }
    return std::nullopt;
}

int HoldOut::unused(std::int64_t now_s) const {
    return static_cast<int>(std::count_if(slices_.begin(), slices_.end(), [&](const Slice& slice) {
        return slice.claims == 0 && !slice.used_up(now_s);
    }));
}

GapJudgement HoldOut::judge(const Appearance& claim, std::int64_t bytes, const GapScale& scale) const {
    const std::size_t chunks = claim.sums.size();
    if (!claim.score && (chunks == 0 || bytes < 1)) return {};
    std::map<std::string, const Appearance*> by_candidate;
    for (const Appearance& one : seen_) {
        if (one.on != claim.on || one.candidate == claim.candidate || one.sums.size() < chunks) continue;
        if (one.score.has_value() != claim.score.has_value()) continue;
        if (left_out_.contains(one.claim)) continue;
        by_candidate[one.candidate] = &one;
    }
    std::vector<const Appearance*> distinct;
    std::vector<Gap> others;
    for (const auto& entry : by_candidate) {
        const Appearance* one = entry.second;
        if (std::ranges::any_of(distinct, [&](const auto* other) { return same_weights(*one, *other, chunks); }))
            continue;
        distinct.push_back(one);
        others.push_back({one->slice_bpb, loss_there(*one, chunks, bytes)});
    }
    return judge_gap({claim.slice_bpb, loss_there(claim, chunks, bytes)}, others, scale);
}

std::int64_t HoldOut::bytes_of(const std::string& on) const {
    const auto found = std::ranges::find(slices_, on, &Slice::name);
    return found == slices_.end() ? 0 : found->bytes;
}

std::set<std::string> HoldOut::candidates_on(const std::string& on) const {
    std::set<std::string> candidates;
    for (const Appearance& one : seen_) {
        if (one.on == on && !left_out_.contains(one.claim)) candidates.insert(one.candidate);
    }
    return candidates;
}

std::vector<Appearance> HoldOut::unjudged() const {
    std::vector<Appearance> open;
    std::ranges::copy_if(seen_, std::back_inserter(open), [](const Appearance& one) { return !one.judged; });
    return open;
}

Result<void> HoldOut::save_seen() const {
    std::string lines;
    for (const Appearance& one : seen_)
        lines += json_of(one).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    std::error_code ec;
    std::filesystem::create_directories(folder_, ec);
    return write_file_atomically(folder_ + "seen.jsonl", lines, kPrivate);
}

Result<void> HoldOut::mark_judged(const std::vector<Appearance>& claims) {
    std::set<std::pair<std::string, std::string>> judged;
    for (const Appearance& one : claims) judged.emplace(one.on, one.claim);
    for (Appearance& one : seen_) one.judged = one.judged || judged.contains({one.on, one.claim});
    return save_seen();
}

Result<void> HoldOut::forget(const std::string& claim) {
    return std::erase_if(seen_, [&](const Appearance& one) { return one.claim == claim; }) > 0 ? save_seen()
                                                                                               : Result<void>();
}

Result<void> HoldOut::remember(const Appearance& claim, std::int64_t now_s, Use use) {
    std::erase_if(seen_, [&](const Appearance& one) { return one.on == claim.on && one.claim == claim.claim; });
    seen_.push_back(claim);
    TRY(save_seen());
    if (use == Use::known_weights) return {};
    for (Slice& slice : slices_) {
        if (slice.name != claim.on) continue;
        ++slice.claims;
        if (slice.since_s == 0) slice.since_s = now_s;
    }
    return slices_.empty() ? Result<void>() : save();
}

Result<void> HoldOut::save() const {
    Json slices = Json::array();
    for (const Slice& slice : slices_)
        slices.push_back({{"name", slice.name},
                          {"targets", slice.targets},
                          {"bytes", slice.bytes},
                          {"salt", slice.salt},
                          {"sha256", slice.sha256},
                          {"order", slice.order},
                          {"since_s", slice.since_s},
                          {"claims", slice.claims}});
    return write_file_atomically(folder_ + "slices.json", pretty({{"schema", 1}, {"slices", slices}}), kPrivate);
}

}  // namespace cultivar
