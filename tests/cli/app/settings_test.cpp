#include "cli/app/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace cultivar {
namespace {

// A home folder per test, and an environment without settings.
class SettingsTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "cultivar-settings.XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        home_ = pattern;
        ::setenv("XDG_CONFIG_HOME", home_.c_str(), 1);
        for (const std::string& key : known_settings()) ::unsetenv(variable(key).c_str());
    }
    void TearDown() override {
        for (const std::string& key : known_settings()) ::unsetenv(variable(key).c_str());
        ::unsetenv("XDG_CONFIG_HOME");
        std::error_code ec;
        std::filesystem::remove_all(home_, ec);
    }

    static std::string variable(std::string key) {
        for (char& c : key) c = c == '.' ? '_' : static_cast<char>(std::toupper(c));
        return "CULTIVAR_" + key;
    }
    std::string file() const { return home_ + "/cultivar/config.toml"; }
    void write_user_file(const std::string& text) {
        std::filesystem::create_directories(home_ + "/cultivar");
        std::ofstream(file()) << text;
    }

    std::string home_;
};

TEST_F(SettingsTest, TakesEachValueFromTheHighestLayerThatHasIt) {
    write_user_file("threads = 3\nzone = \"DE\"\n");
    const Settings::PoolValue pool = [](const std::string& name) -> Result<std::optional<std::string>> {
        return name == "cultivar.threads" ? std::optional<std::string>("4") : std::nullopt;
    };
    auto threads = [&](const Settings::PoolValue& from) {
        auto settings = Settings::load(from);
        EXPECT_TRUE(settings);
        return std::to_string(settings->threads.value) + " " + settings->threads.origin;
    };
    EXPECT_EQ(threads({}), "3 " + file());
    EXPECT_EQ(threads(pool), "4 pool");
    ::setenv("CULTIVAR_THREADS", "5", 1);
    EXPECT_EQ(threads(pool), "5 environment");
    auto settings = Settings::load(pool);
    ASSERT_TRUE(settings);
    ASSERT_TRUE(settings->set("threads", "6", "flag"));
    EXPECT_EQ(settings->threads.origin, "flag");
    EXPECT_EQ(settings->threads.value, 6);
    EXPECT_EQ(settings->zone.value, "DE");
}

TEST_F(SettingsTest, NameTheUsersMeterAndItsError) {
    write_user_file("[power]\ncommand = \"plug watts\"\nerror = 0.02\n");
    auto settings = Settings::load();
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->power_command.value, "plug watts");
    EXPECT_EQ(settings->power_error.value, 0.02);
    ::setenv("CULTIVAR_POWER_COMMAND", "other plug", 1);
    settings = Settings::load();
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->power_command.value, "other plug");
    const char* const variables[] = {"CULTIVAR_POWER_COMMAND=x", "CULTIVAR_POWER_COMAND=x", nullptr};
    const auto told = unknown_settings({"power.command", "power.comand"}, variables);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_NE(told[0].find("did you mean 'cultivar.power.command'"), std::string::npos) << told[0];
    EXPECT_NE(told[1].find("did you mean 'CULTIVAR_POWER_COMMAND'"), std::string::npos) << told[1];
    for (const char* wrong : {"0", "-0.1", "11", "ten"}) EXPECT_FALSE(settings->set("power.error", wrong, "flag"));
}

TEST_F(SettingsTest, WithoutAnySettingHasDefaults) {
    auto settings = Settings::load();
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->threads.origin, "default");
    EXPECT_GE(settings->threads.value, 1);
    EXPECT_EQ(settings->device.value, "cpu");
    EXPECT_EQ(settings->watts.value, 0) << "not declared";
    EXPECT_TRUE(settings->watts.is_default());
}

TEST_F(SettingsTest, PassesOnAnErrorOfTheClonesConfiguration) {
    auto settings = Settings::load([](const std::string&) -> Result<std::optional<std::string>> {
        return fail(Code::git, "the configuration is broken");
    });
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().message, "the configuration is broken");
}

TEST_F(SettingsTest, LocatesAMisspeltKeyAndSuggestsTheRightOne) {
    write_user_file("name = \"me\"\n  wats = 30\n");
    auto settings = Settings::load();
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().code, Code::usage);
    EXPECT_EQ(settings.error().message, file() + ":2:10: unknown key 'wats', did you mean 'watts'?");
}

TEST_F(SettingsTest, LocatesMalformedToml) {
    write_user_file("threads = \n");
    auto settings = Settings::load();
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().code, Code::usage);
    EXPECT_EQ(settings.error().message.rfind(file() + ":1:", 0), 0U) << settings.error().message;
}

TEST_F(SettingsTest, RefusesMalformedFigures) {
    for (const char* text : {"0", "-1", "two", "1.5", "1025", "2 "}) {
        ::setenv("CULTIVAR_THREADS", text, 1);
        auto settings = Settings::load();
        ASSERT_FALSE(settings) << text;
        EXPECT_EQ(settings.error().code, Code::usage);
    }
    ::unsetenv("CULTIVAR_THREADS");
    for (const char* text : {"0", "-3", "nan", "inf", "much", "1e9"}) {
        ::setenv("CULTIVAR_WATTS", text, 1);
        EXPECT_FALSE(Settings::load()) << text;
    }
    ::unsetenv("CULTIVAR_WATTS");
    EXPECT_TRUE(Settings::load());
    ::setenv("CULTIVAR_DEVICE", "gpu", 1);
    EXPECT_EQ(Settings::load().error().message, "device = 'gpu' (environment) is none of cpu, cuda, mps");
}

TEST_F(SettingsTest, MayNameOneDeviceOfSeveral) {
    Settings settings;
    ASSERT_TRUE(settings.set("device", "cuda:1", "flag"));
    EXPECT_EQ(settings.device.value, "cuda");
    EXPECT_EQ(settings.device_number, "1");
    ASSERT_TRUE(settings.set("device", "cuda", "flag"));
    EXPECT_EQ(settings.device_number, "");
    for (const char* text : {"cuda:", "cuda:x", "cuda:-1", "cuda:999", "cpu:0", ":0", ""})
        EXPECT_FALSE(settings.set("device", text, "flag")) << text;
}

TEST_F(SettingsTest, NamesTheWorkerThatCannotBeRun) {
    ::setenv("CULTIVAR_LM", (home_ + "/absent").c_str(), 1);
    auto worker = find_worker(Settings::load().value());
    ASSERT_FALSE(worker);
    EXPECT_EQ(worker.error().code, Code::not_found);
    EXPECT_NE(worker.error().message.find(home_ + "/absent"), std::string::npos);
}

}  // namespace
}  // namespace cultivar
