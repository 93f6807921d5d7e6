#include <gmock/gmock.h>

#include "tests/train/lm/worker/worker_fixture.h"

namespace cultivar {
namespace {

// Models in which one part or another takes most of the memory.
struct Shape {
    const char* name;
    Genes genes;
    int threads;
};

const std::vector<Shape>& shapes() {
    static const std::vector<Shape> all{
        {"many_layers", {{"model.layers", std::int64_t{24}}, {"model.width", std::int64_t{128}}}, 2},
        {"wide",
         {{"model.layers", std::int64_t{3}},
          {"model.width", std::int64_t{768}},
          {"model.heads", std::int64_t{8}},
          {"model.mlp", std::string("swiglu")},
          {"data.tokens_per_step", std::int64_t{4096}}},
         2},
        {"averaged_and_quantised",
         {{"model.layers", std::int64_t{4}},
          {"model.width", std::int64_t{512}},
          {"model.norm_placement", std::string("sandwich")},
          {"model.value_residual", true},
          {"optim.averaging", std::string("ema")},
          {"artifact.qat_share", 0.99}},
         1},
        {"many_pairs",
         {{"model.bigram_buckets", std::int64_t{16384}},
          {"model.bigram_width", std::int64_t{512}},
          {"model.smear_gate", true}},
         2},
    };
    return all;
}

class Memory : public Worker, public testing::WithParamInterface<Shape> {};

TEST_P(Memory, OfARunIsWithinAFifthOfTheEstimate) {
    for (const auto& [name, value] : GetParam().genes) specification_.genes[name] = value;
    specification_.threads = GetParam().threads;
    specification_.budget_s = 30;
    specification_.artifact_cap_bytes = 1 << 30;
    specification_.mode = Specification::Mode::replay;  // of two steps: no score, whatever the machine's speed
    specification_.clock = {0, 1};
    const Ending ending = run();
    ASSERT_EQ(ending.exit_code, 0) << ending.error_message();
    const double estimate_bytes = ending.all<StartEvent>().front().memory_bytes;
    EXPECT_LT(ending.peak_rss_bytes, 1.2 * estimate_bytes);
    EXPECT_GT(ending.peak_rss_bytes, 0.8 * estimate_bytes);
}

INSTANTIATE_TEST_SUITE_P(All, Memory, testing::ValuesIn(shapes()),
                         [](const auto& chosen) { return std::string(chosen.param.name); });

}  // namespace
}  // namespace cultivar
