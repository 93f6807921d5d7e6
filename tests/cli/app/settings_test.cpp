#include "cli/app/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace cultivar {
namespace {

// A home folder per test, and an environment without settings.
class ConfigTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "cultivar-config.XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        home_ = pattern;
        ::setenv("XDG_CONFIG_HOME", home_.c_str(), 1);
        for (const auto& [key, help] : Config::known()) ::unsetenv(variable(key).c_str());
    }
    void TearDown() override {
        for (const auto& [key, help] : Config::known()) ::unsetenv(variable(key).c_str());
        ::unsetenv("XDG_CONFIG_HOME");
        std::error_code ec;
        std::filesystem::remove_all(home_, ec);
    }

    static std::string variable(std::string key) {
        for (char& c : key) c = static_cast<char>(std::toupper(c));
        return "CULTIVAR_" + key;
    }
    std::string file() const { return home_ + "/cultivar/config.toml"; }
    void write_user_file(const std::string& text) {
        std::filesystem::create_directories(home_ + "/cultivar");
        std::ofstream(file()) << text;
    }

    std::string home_;
};

TEST_F(ConfigTest, TakesEachValueFromTheHighestLayerThatHasIt) {
    write_user_file("threads = 3\nzone = \"DE\"\n");
    auto repo = Repo::create(home_ + "/pool", true);
    ASSERT_TRUE(repo) << repo.error().message;
    ASSERT_TRUE(repo->set_config("cultivar.threads", "4"));
    auto origin = [&](const Repo* from) {
        auto config = Config::load(from);
        EXPECT_TRUE(config);
        Setting setting = config->get("threads");
        return setting.value + " " + setting.origin;
    };
    EXPECT_EQ(origin(nullptr), "3 " + file());
    EXPECT_EQ(origin(&*repo), "4 pool");
    ::setenv("CULTIVAR_THREADS", "5", 1);
    EXPECT_EQ(origin(&*repo), "5 environment");
    auto config = Config::load(&*repo);
    ASSERT_TRUE(config);
    config->override_by_flag("threads", "6");
    EXPECT_EQ(config->get("threads").origin, "flag");
    EXPECT_EQ(config->threads().value(), 6);
    EXPECT_EQ(config->get("zone").value, "DE");
}

TEST_F(ConfigTest, WithoutAnySettingHasDefaults) {
    auto config = Config::load(nullptr);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->get("threads").origin, "default");
    EXPECT_GE(config->threads().value(), 1);
    EXPECT_EQ(config->watts().value(), 0) << "not declared";
}

TEST_F(ConfigTest, LocatesAMisspeltKeyAndSuggestsTheRightOne) {
    write_user_file("name = \"me\"\n  wats = 30\n");
    auto config = Config::load(nullptr);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Code::usage);
    EXPECT_EQ(config.error().message, file() + ":2:10: unknown key 'wats', did you mean 'watts'?");
}

TEST_F(ConfigTest, LocatesMalformedToml) {
    write_user_file("threads = \n");
    auto config = Config::load(nullptr);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Code::usage);
    EXPECT_EQ(config.error().message.rfind(file() + ":1:", 0), 0U) << config.error().message;
}

TEST_F(ConfigTest, RefusesFiguresThatAreNone) {
    for (const char* text : {"0", "-1", "two", "1.5", "1025", "2 "}) {
        ::setenv("CULTIVAR_THREADS", text, 1);
        auto threads = Config::load(nullptr)->threads();
        ASSERT_FALSE(threads) << text;
        EXPECT_EQ(threads.error().code, Code::usage);
    }
    for (const char* text : {"0", "-3", "nan", "inf", "much", "1e9"}) {
        ::setenv("CULTIVAR_WATTS", text, 1);
        EXPECT_FALSE(Config::load(nullptr)->watts()) << text;
    }
}

TEST_F(ConfigTest, NamesTheWorkerThatCannotBeRun) {
    ::setenv("CULTIVAR_LM", (home_ + "/absent").c_str(), 1);
    auto worker = Config::load(nullptr)->worker();
    ASSERT_FALSE(worker);
    EXPECT_EQ(worker.error().code, Code::not_found);
    EXPECT_NE(worker.error().message.find(home_ + "/absent"), std::string::npos);
}

}  // namespace
}  // namespace cultivar
