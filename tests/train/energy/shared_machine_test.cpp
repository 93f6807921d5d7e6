#include "train/energy/shared_machine.h"

#include <sys/types.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "pool/process/group_time.h"

namespace cultivar {
namespace {

class Sharing : public ::testing::Test {
protected:
    SharedMachine machine_{[this](const std::set<pid_t>&) { return times_; }};
    std::map<pid_t, double> times_;
};

TEST_F(Sharing, GivesEachItsPartByProcessorTime) {
    const int a = machine_.join(1, {}), b = machine_.join(1, {});
    machine_.follow(a, 10), machine_.follow(b, 20);
    times_ = {{10, 3.0}, {20, 1.0}};
    EXPECT_DOUBLE_EQ(machine_.part(a), 0.75);
    EXPECT_DOUBLE_EQ(machine_.part(b), 0.25);
    times_ = {{10, 4.0}, {20, 4.0}};
    EXPECT_DOUBLE_EQ(machine_.part(a), 0.25) << "of the time since it asked last";
    EXPECT_DOUBLE_EQ(machine_.part(b), 0.75);
}

TEST_F(Sharing, GoesByThreadsWhereNobodysProcessorTimeIsKnown) {
    const int a = machine_.join(3, {}), b = machine_.join(1, {});
    EXPECT_DOUBLE_EQ(machine_.part(a), 0.75);
    EXPECT_DOUBLE_EQ(machine_.part(b), 0.25);
    machine_.leave(b);
    EXPECT_DOUBLE_EQ(machine_.part(a), 1);
}

TEST_F(Sharing, CountsTheTimeOfARunThatLeftMeanwhileAndOfOneThatCame) {
    const int a = machine_.join(1, {}), b = machine_.join(1, {});
    machine_.follow(a, 10), machine_.follow(b, 20);
    times_ = {{10, 1.0}, {20, 3.0}};
    machine_.leave(b);
    times_ = {{10, 1.0}};
    EXPECT_DOUBLE_EQ(machine_.part(a), 0.25);
    const int c = machine_.join(1, {});
    machine_.follow(c, 30);
    times_ = {{10, 2.0}, {30, 1.0}};
    EXPECT_DOUBLE_EQ(machine_.part(a), 0.5);
}

TEST_F(Sharing, FollowsARunFromOneProgramToTheNext) {
    const int a = machine_.join(1, {}), b = machine_.join(1, {});
    machine_.follow(a, 10), machine_.follow(b, 20);
    times_ = {{10, 2.0}, {20, 1.0}};
    machine_.follow(a, 11);  // its evaluator
    times_ = {{11, 1.0}, {20, 1.0}};
    EXPECT_DOUBLE_EQ(machine_.part(a), 0.75);
}

TEST_F(Sharing, DividesADeviceAmongThoseThatUseIt) {
    const int a = machine_.join(1, {"nvml:GPU-1"});
    machine_.join(1, {"nvml:GPU-1"});
    machine_.join(1, {"nvml:GPU-2"});
    EXPECT_DOUBLE_EQ(machine_.part_of_device("nvml:GPU-1"), 0.5);
    EXPECT_DOUBLE_EQ(machine_.part_of_device("nvml:GPU-2"), 1);
    machine_.leave(a);
    EXPECT_DOUBLE_EQ(machine_.part_of_device("nvml:GPU-1"), 1);
}

TEST(GroupTime, TellsTheProcessorTimeOfLivingGroupsAlone) {
    const pid_t mine = ::getpgrp();
    const auto times = processor_s_of({mine, 0x7ffffff0});
    EXPECT_EQ(times.size(), 1U);
    EXPECT_GE(times.at(mine), 0);
}

}  // namespace
}  // namespace cultivar
