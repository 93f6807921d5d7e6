// Fuzzes conditions of `explore --when`: what is read is written in a form that reads the same, and is judged without a fault.
#include "energy/when/condition.h"
#include "energy/when/judge.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

namespace {

class FuzzSignals final : public Signals {
public:
    Reading now(Signal signal) override {
        if (signal == Signal::battery) return {{}, "", "none"};
        return {25.0, signal == Signal::price ? "EUR/kWh" : "", ""};
    }
    Reading percentile(Signal, double percent) override { return {percent, "", ""}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto condition = parse_when(text_of(data, size));
    if (!condition) return 0;
    FuzzSignals signals;
    const WhenJudged judged = judge_when(*condition, signals);
    demand((judged.answer == WhenAnswer::yes) == judged.why.empty());
    const std::string written = to_text(*condition);
    const auto again = parse_when(written);  // may be too long or too deep in full
    demand(!again || to_text(*again) == written);
    demand(!again || judge_when(*again, signals).answer == judged.answer);
    return 0;
}
