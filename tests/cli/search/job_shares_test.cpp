#include "cli/search/job_shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;

Settings machine(int threads) {
    Settings settings;
    settings.threads.value = threads;
    return settings;
}

std::vector<std::string> devices_of(const std::vector<Settings>& shares) {
    std::vector<std::string> devices;
    for (const Settings& share : shares) devices.push_back(share.device.value + ":" + share.device_number);
    return devices;
}

TEST(JobShares, AreEqualPartsOfTheThreads) {
    const auto shares = must(job_shares({.jobs = 3}, machine(8)));
    ASSERT_EQ(shares.size(), 3U);
    for (const Settings& share : shares) {
        EXPECT_EQ(share.jobs, 3);
        EXPECT_EQ(share.threads.value, 2);
    }
    EXPECT_EQ(must(job_shares({.jobs = 4}, machine(2))).back().threads.value, 1);
    EXPECT_EQ(must(job_shares({.jobs = 4, .threads = "7"}, machine(2))).back().threads.value, 7);
    EXPECT_EQ(must(job_shares({}, machine(2))).size(), 1U);
}

TEST(JobShares, HaveTheDevicesInTurn) {
    const auto two = must(job_shares({.devices = "cuda:0,cuda:1"}, machine(8)));
    EXPECT_THAT(devices_of(two), ElementsAre("cuda:0", "cuda:1")) << "a job for each device";
    EXPECT_EQ(two.front().threads.value, 4);
    EXPECT_THAT(devices_of(must(job_shares({.jobs = 3, .devices = "cuda:4,cuda:2"}, machine(8)))),
                ElementsAre("cuda:4", "cuda:2", "cuda:4"));
    EXPECT_THAT(devices_of(must(job_shares({.jobs = 2, .devices = "cuda"}, machine(8)))),
                ElementsAre("cuda:", "cuda:"));
    Settings settings = machine(8);
    must(settings.set("device", "cuda:3", "environment"));
    EXPECT_THAT(devices_of(must(job_shares({.jobs = 2}, settings))), ElementsAre("cuda:3", "cuda:3"));
}

TEST(JobShares, AreRefusedWhereTheyMeanNothing) {
    for (const std::int64_t jobs : {-1, 0, 257})
        EXPECT_EQ(trouble(job_shares({.jobs = jobs}, machine(2))).code, Code::usage);
    for (const char* devices : {"", "cuda:0,", ",cuda:0", "cuda:0,mps", "cpu,cuda", "cuda:0 cuda:1", "gpu"})
        EXPECT_EQ(trouble(job_shares({.devices = devices}, machine(2))).code, Code::usage) << devices;
    EXPECT_EQ(trouble(job_shares({.threads = "0"}, machine(2))).code, Code::usage);
}

}  // namespace
}  // namespace cultivar
