#include "train/energy/user_meter.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "pool/process/child_process.h"
#include "pool/process/communicate.h"
#include "pool/types/energy.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostAnswer_bytes = 4096, kMostTold = 80;

// The first word of its output: a number of watts.
std::optional<double> watts_in(const std::string& output) {
    const std::size_t begin = output.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return std::nullopt;
    const std::string word = output.substr(begin, output.find_first_of(" \t\r\n", begin) - begin);
    double watts = 0;
    const char* end = word.data() + word.size();
    const auto [at, error] = std::from_chars(word.data(), end, watts);
    const bool is_number = error == std::errc() && at == end && std::isfinite(watts);
    return is_number && watts >= 0 && watts <= kMostPower_w ? std::optional(watts) : std::nullopt;
}

class UserMeter final : public EnergySource {
public:
    UserMeter(std::string command, double error)
        : EnergySource("meter", "machine", "meter", error), command_(std::move(command)) {}

    // Waits for the first reading, so that it covers the beginning.
    void begin() override {
        watts_.reset();
        age_s_ = 0;
        ask();
        if (child_) hear();
        before_watts_ = watts_;
    }

    std::optional<double> take(double seconds) override {
        asked_s_ += seconds;
        age_s_ += seconds;
        if (child_ && child_->has_ended()) hear();
        if (child_ && asked_s_ > kMeterLimit_s) give_up();
        if (!child_ && asked_s_ >= kMeterEvery_s) ask();
        if (age_s_ > kMeterStale_s) watts_.reset();
        const std::optional<double> before = std::exchange(before_watts_, watts_);
        if (!before || !watts_) return std::nullopt;
        return (*before + *watts_) / 2 * seconds;
    }

private:
    void ask() {
        asked_s_ = 0;
        auto child = Child::start({"/bin/sh", "-c", command_}, 0);
        if (child) child_ = std::make_unique<Child>(std::move(*child));
        if (!child) fail("the meter of power.command cannot be started: " + child.error().message);
    }

    void hear() {
        CommunicateLimits limits;
        limits.silence_s = limits.total_s = kMeterLimit_s;
        limits.message_bytes = kMostAnswer_bytes;
        const auto said = communicate(
            *child_, limits, [] { return false; }, "the meter of power.command");
        child_.reset();
        if (!said) return fail(said.error().message);
        const auto watts = said->exit_code == 0 ? watts_in(said->out) : std::nullopt;
        if (!watts && said->exit_code != 0)
            return fail(fmt::format("the meter of power.command left with exit code {}", said->exit_code));
        if (!watts)
            return fail(fmt::format("the meter of power.command printed '{}', which is no number of watts",
                                    clean(said->out, kMostTold)));
        go_well();
        watts_ = watts;
        age_s_ = 0;
    }

    void give_up() {
        child_.reset();  // which ends it
        fail(fmt::format("the meter of power.command gave no answer within {:g} s", kMeterLimit_s));
    }

    std::string command_;
    std::unique_ptr<Child> child_;
    double asked_s_ = 0, age_s_ = 0;  // since it was asked, and since it answered
    std::optional<double> watts_, before_watts_;
};

}  // namespace

std::shared_ptr<EnergySource> user_meter_source(const std::string& command, std::optional<double> error) {
    return std::make_shared<UserMeter>(command, error.value_or(error_of("meter")));
}

}  // namespace cultivar
