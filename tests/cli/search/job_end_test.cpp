#include "cli/search/job_end.h"

#include <cstdlib>
#include <ctime>
#include <map>

#include <gtest/gtest.h>

#include "pool/util/local_time.h"

namespace cultivar {
namespace {

constexpr std::int64_t kNow = 1'795'000'000;  // 2026-11-18T11:06:40Z

class LocalTime : public ::testing::Test {
protected:
    LocalTime() {
        ::setenv("TZ", "UTC-1", 1);  // an hour ahead
        ::tzset();
    }
    ~LocalTime() override {
        ::unsetenv("TZ");
        ::tzset();
    }
    static std::int64_t later_s(const std::string& text) {
        const auto moment = parse_moment(text, kNow);
        return moment ? *moment - kNow : -1;
    }
};

TEST_F(LocalTime, IsTheNextTimeOfDayOrADateWithATime) {
    EXPECT_EQ(later_s("12:10"), 200);
    EXPECT_EQ(later_s("12:06"), 86400 - 40);
    EXPECT_EQ(later_s("2026-11-18T12:07"), 20);
    EXPECT_EQ(later_s("2026-11-18T12:06:41"), 1);
    EXPECT_EQ(later_s("2026-11-18T11:06:41Z"), 1);
    EXPECT_EQ(later_s("2026-11-18T13:06:41+02:00"), 1);
    EXPECT_EQ(later_s("2026-11-18T06:06:41-05:00"), 1);
}

TEST_F(LocalTime, IsNothingElse) {
    for (const char* text :
         {"", "7:30", "24:00", "07:60", "07:30pm", "-1:30", "noon", "+8h", "2026-11-31T07:30", "2026-00-18T07:30",
          "2026-11-18", "2026-11-18 07:30", "2026-11-18T07:30+1", "2026-11-18T07:30Zx"})
        EXPECT_FALSE(parse_moment(text, kNow)) << text;
}

class JobEndTest : public LocalTime {
protected:
    std::optional<JobEnd> end() {
        return slurm_job_end(
            kNow, [this](const char* name) { return variables_[name]; },
            [this](const std::string& job) { return asked_ = job, answer_; });
    }
    std::map<std::string, std::string> variables_;
    std::string answer_, asked_;
};

TEST_F(JobEndTest, IsToldByTheEnvironment) {
    EXPECT_FALSE(end());
    variables_["SLURM_JOB_END_TIME"] = "1795003600";
    EXPECT_FALSE(end()) << "no job";
    variables_["SLURM_JOB_ID"] = "12";
    ASSERT_TRUE(end());
    EXPECT_EQ(end()->unix_s, kNow + 3600);
    EXPECT_EQ(end()->job, "12");
    EXPECT_EQ(asked_, "");
}

TEST_F(JobEndTest, IsAskedForWhereTheEnvironmentDoesNotTell) {
    variables_["SLURM_JOB_ID"] = "12";
    answer_ = "13 2026-11-18T12:06:41\n12 2026-11-18T13:06:40\n";
    ASSERT_TRUE(end());
    EXPECT_EQ(end()->unix_s, kNow + 3600);
    EXPECT_EQ(asked_, "12");
    for (const char* none : {"12 N/A\n", "12 NONE\n", "", "slurm_load_jobs error\n", "13 2026-11-18T13:06:40\n"}) {
        answer_ = none;
        EXPECT_FALSE(end()) << none;
    }
    variables_["SLURM_JOB_ID"] = "12; true";
    EXPECT_FALSE(end());
}

}  // namespace
}  // namespace cultivar
