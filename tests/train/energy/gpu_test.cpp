#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/train/energy/fake_machine.h"
#include "train/energy/nvml.h"
#include "train/energy/visible_gpus.h"

namespace cultivar {
namespace {

std::string indices(const std::optional<std::string>& visible) {
    const std::vector<Gpu> all = {{0, "GPU-aaaa1111", ""}, {1, "GPU-bbbb2222", ""}, {2, "GPU-cccc3333", ""}};
    std::string seen;
    for (const Gpu& gpu : visible_gpus(all, visible)) seen += std::to_string(gpu.index);
    return seen;
}

TEST(VisibleGpus, AreListedByIndexAndByUuid) {
    EXPECT_EQ(indices(std::nullopt), "012");
    EXPECT_EQ(indices(""), "");
    EXPECT_EQ(indices("1"), "1");
    EXPECT_EQ(indices("2, 0"), "20");
    EXPECT_EQ(indices("GPU-bbbb2222"), "1");
    EXPECT_EQ(indices("GPU-c,0"), "20") << "the beginning of a UUID is enough";
}

TEST(VisibleGpus, EndAtTheFirstWordThatNamesNone) {
    EXPECT_EQ(indices("0,-1,1"), "0");
    EXPECT_EQ(indices("NoDevFiles"), "");
    EXPECT_EQ(indices("1,7,0"), "1");
    EXPECT_EQ(indices("1,1,0"), "1");
    EXPECT_EQ(indices("GPU-,0"), "");
}

class NvidiaGpus : public ::testing::Test {
protected:
    NvidiaGpus() { ::setenv("CULTIVAR_FAKE_NVML_STATE", machine_.path("gpus").c_str(), 1); }
    ~NvidiaGpus() override { ::unsetenv("CULTIVAR_FAKE_NVML_STATE"); }
    void set(const std::string& figures) { machine_.set("gpus", figures); }
    EnergyPlan plan(const std::string& device, const std::optional<std::string>& visible = {},
                    const std::string& number = "") {
        EnergyPlaces places = machine_.places();
        places.nvml = CULTIVAR_FAKE_NVML;
        EnergyUse use;
        use.device = device, use.visible_gpus = visible, use.device_number = number;
        return plan_energy(places, use);
    }
    FakeMachine machine_;
};

TEST_F(NvidiaGpus, AreCountedByTheirEnergyCountersInMillijoules) {
    set("5000 100000 0 0 0 70000");
    std::string why;
    const auto nvml = Nvml::load(CULTIVAR_FAKE_NVML, why);
    ASSERT_TRUE(nvml) << why;
    ASSERT_EQ(nvml->gpus().size(), 3U);
    const auto gpu = nvidia_gpu_source(nvml, nvml->gpus()[1]);
    EXPECT_EQ(gpu->key(), "nvml:GPU-bbbb2222");
    EXPECT_EQ(gpu->domain(), "gpu");
    EXPECT_EQ(gpu->error(), 0.05);
    gpu->begin();
    set("5000 350000 0 0 0 70000");
    EXPECT_DOUBLE_EQ(gpu->take(1).value(), 250);
    set("5000 2000 0 0 0 70000");  // the driver was loaded again
    EXPECT_DOUBLE_EQ(gpu->take(1).value(), 2);
}

TEST_F(NvidiaGpus, OlderThanTheCounterAreReadInWattsWithTwiceTheError) {
    set("0 0 0 0 0 70000");
    std::string why;
    const auto nvml = Nvml::load(CULTIVAR_FAKE_NVML, why);
    const auto gpu = nvidia_gpu_source(nvml, nvml->gpus()[2]);
    EXPECT_EQ(gpu->error(), 0.1);
    gpu->begin();
    EXPECT_DOUBLE_EQ(gpu->take(3).value(), 210);
}

TEST_F(NvidiaGpus, CountOnlyWhereTheRunUsesThemAndOnlyThoseThatItSees) {
    set("0 0 0 0 0 0");
    EXPECT_TRUE(plan("cpu").sources().empty());
    EXPECT_EQ(plan("cuda").sources().size(), 3U);
    ASSERT_EQ(plan("cuda", "1").sources().size(), 1U);
    EXPECT_EQ(plan("cuda", "1").sources()[0]->key(), "nvml:GPU-bbbb2222");
    EXPECT_EQ(plan("cuda", "GPU-c").sources()[0]->key(), "nvml:GPU-cccc3333");
    const auto second = plan("cuda", "2,0", "1").sources();
    ASSERT_EQ(second.size(), 1U) << "a number counts those that are visible";
    EXPECT_EQ(second[0]->key(), "nvml:GPU-aaaa1111");
}

TEST_F(NvidiaGpus, WithoutALibraryOrADriverAreAbsentAndTheReasonIsTold) {
    std::string why;
    EXPECT_FALSE(Nvml::load(machine_.path("none.so"), why));
    EXPECT_NE(why.find("there is no"), std::string::npos);
    set("dead");
    EXPECT_FALSE(Nvml::load(CULTIVAR_FAKE_NVML, why));
    EXPECT_NE(why.find("cannot start (NVML error 9)"), std::string::npos) << why;
    EXPECT_TRUE(plan("cuda").sources().empty());
}

}  // namespace
}  // namespace cultivar
