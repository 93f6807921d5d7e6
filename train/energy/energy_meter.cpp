#include "train/energy/energy_meter.h"

#include <algorithm>
#include <cmath>

namespace cultivar {
namespace {

constexpr double kReadEvery_s = 1;
constexpr double kClocksDiffer_s = 2;  // more than rounding explains: the machine slept, or its clock was set

}  // namespace

EnergyMeter::EnergyMeter(const Clock& clock, EnergyPlan plan, IdlePowers idle, SharedMachine* shared, int threads)
    : clock_(clock),
      plan_(std::move(plan)),
      sources_(plan_.sources()),
      idle_(std::move(idle)),
      shared_(shared),
      threads_(threads) {}

void EnergyMeter::start() {
    book_ = {};
    so_far_.clear();
    told_.clear();
    if (shared_) {
        std::set<std::string> devices;
        for (const auto& source : sources_) {
            if (source->domain() == "gpu") devices.insert(source->key());
        }
        run_ = shared_->join(threads_, std::move(devices));
    }
    for (const auto& source : sources_) source->begin();
    started_s_ = read_s_ = anchor_s_ = clock_.now_s();
    anchor_unix_s_ = static_cast<double>(clock_.unix_s());
}

void EnergyMeter::follow(pid_t group) {
    if (shared_) shared_->follow(run_, group);
}

void EnergyMeter::poll() {
    if (clock_.now_s() - read_s_ >= kReadEvery_s) read();
}

double EnergyMeter::begun_unix_s(double seconds) {
    const double now_s = clock_.now_s(), by_clock_s = static_cast<double>(clock_.unix_s());
    if (std::abs(anchor_unix_s_ + now_s - anchor_s_ - by_clock_s) > kClocksDiffer_s)
        anchor_s_ = now_s, anchor_unix_s_ = by_clock_s;
    return anchor_unix_s_ + now_s - anchor_s_ - seconds;
}

// Every source is read, so that none of those that count later begins with the joules of this time.
void EnergyMeter::read() {
    const double now_s = clock_.now_s(), seconds = now_s - std::exchange(read_s_, now_s);
    for (const auto& source : sources_) {
        taken_[source.get()] = source->take(seconds);
        if (!source->trouble().empty() && told_.insert(source->trouble()).second)
            troubles_.push_back(source->trouble());
    }
    if (shared_ && !sources_.empty()) part_ = shared_->part(run_);
    const auto can_tell = [&](const EnergyCoverage& one) {
        return one.sources.empty() ||
               std::ranges::any_of(one.sources, [&](const auto& source) { return taken_[source.get()].has_value(); });
    };
    const auto counts = std::ranges::find_if(plan_.coverages, can_tell);
    if (counts != plan_.coverages.end()) book_.add(begun_unix_s(seconds), seconds, drawn(*counts, seconds));
}

std::vector<MeasuredPower> EnergyMeter::drawn(const EnergyCoverage& coverage, double seconds) {
    std::vector<MeasuredPower> all;
    for (const auto& source : coverage.sources) {
        const auto& joules = taken_[source.get()];
        if (joules) all.push_back(told_by(*source, *joules, seconds));
        if (joules) continue;
        if (const auto lost = lost_by(*source, seconds)) all.push_back(*lost);
    }
    for (const ConstantPower& constant : coverage.constants)
        all.push_back({constant.domain, constant.method, error_of(constant.method), constant.watts * seconds, 0});
    return all;
}

double EnergyMeter::part_of(const EnergySource& source) {
    if (!shared_) return 1;
    return source.domain() == "gpu" ? shared_->part_of_device(source.key()) : part_;
}

double EnergyMeter::idle_of(const EnergySource& source, double seconds) {
    const auto idle = idle_.find(source.key());
    return idle == idle_.end() ? 0 : idle->second.watts * seconds * part_of(source);
}

MeasuredPower EnergyMeter::told_by(const EnergySource& source, double joules, double seconds) {
    const double part = part_of(source);
    const bool is_shared = shared_ && (source.domain() != "gpu" || part < 1);
    so_far_[&source].joules += joules * part;
    so_far_[&source].seconds += seconds;
    return {source.domain(), is_shared ? "shared" : source.method(),
            is_shared ? std::max(source.error(), error_of("shared")) : source.error(), joules * part,
            idle_of(source, seconds)};
}

// One of several sources fell silent: its time counts as its mean so far, and as an estimate.
std::optional<MeasuredPower> EnergyMeter::lost_by(const EnergySource& source, double seconds) {
    const Spent& so_far = so_far_[&source];
    if (so_far.seconds <= 0) return std::nullopt;
    const double joules = so_far.joules / so_far.seconds * seconds;
    return MeasuredPower{source.domain(), "estimated", error_of("estimated"), joules, idle_of(source, seconds)};
}

EnergyMeter::Spent EnergyMeter::spent() {
    read();
    return {book_.gross_joules() - book_.idle_joules(), clock_.now_s() - started_s_};
}

Energy EnergyMeter::stop() {
    const Spent all = spent();
    if (shared_) shared_->leave(run_);
    return book_.energy(all.seconds);
}

std::vector<std::string> EnergyMeter::take_troubles() { return std::exchange(troubles_, {}); }

}  // namespace cultivar
