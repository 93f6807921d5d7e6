#include "pool/util/log.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include <gtest/gtest.h>

namespace cultivar {
namespace {

class LogTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "cultivar-log.XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override {
        close_log();
        std::error_code ec;
        std::filesystem::remove_all(folder_, ec);
    }

    std::string file() const { return folder_ + "/log"; }
    static std::string text_of(const std::string& path) {
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    // The standard error of three messages.
    static std::string logged(LogOptions options) {
        ::testing::internal::CaptureStderr();
        EXPECT_TRUE(open_log(std::move(options)));
        write_log(LogLevel::warn, "one");
        log_debug("two {}", 2);
        log_trace("three");
        close_log();
        return ::testing::internal::GetCapturedStderr();
    }

    std::string folder_;
};

TEST(MaskSecrets, HidesPasswordsAndTokensInUrls) {
    EXPECT_EQ(mask_secrets("https://user:secret@host/x"), "https://***@host/x");
    EXPECT_EQ(mask_secrets("https://ghp_token@host/x"), "https://***@host/x");
    EXPECT_EQ(mask_secrets("http://user:p@ss@host:8080"), "http://***@host:8080");
    EXPECT_EQ(mask_secrets("ssh://git:secret@host/x"), "ssh://***@host/x");
    EXPECT_EQ(mask_secrets("from HTTPS://a:b@one/x to https://c:d@two/y"),
              "from HTTPS://***@one/x to https://***@two/y");
}

TEST(MaskSecrets, HidesThemInTheTextOfGit) {
    EXPECT_EQ(mask_secrets("fatal: unable to access 'https://user:secret@host/x/': Could not resolve host: host"),
              "fatal: unable to access 'https://***@host/x/': Could not resolve host: host");
    EXPECT_EQ(mask_secrets("git -c http.extraHeader=Authorization: Basic dXNlcg== fetch"),
              "git -c http.extraHeader=Authorization: ***");
    EXPECT_EQ(mask_secrets("> authorization: Bearer abc"), "> authorization: ***");
}

TEST(MaskSecrets, LeavesOtherTextAsItIs) {
    for (const char* text : {"", "https://host/x", "https://host/x@y", "ssh://git@host/x", "git@host:x", "a :// b",
                             "://", "me@host https://host", "https://"})
        EXPECT_EQ(mask_secrets(text), text);
}

TEST_F(LogTest, IsSilentByDefault) {
    EXPECT_FALSE(log_enabled(LogLevel::warn));
    EXPECT_EQ(logged({}), "");
    EXPECT_FALSE(log_enabled(LogLevel::off));
}

TEST_F(LogTest, WritesTheLevelsThatAreAskedFor) {
    const std::string time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z ";
    const std::string warning = time + "warning one\n", debug = time + "debug two 2\n", trace = time + "trace three\n";
    EXPECT_TRUE(std::regex_match(logged({.console = LogLevel::info}), std::regex(warning)));
    EXPECT_TRUE(std::regex_match(logged({.console = LogLevel::debug}), std::regex(warning + debug)));
    EXPECT_TRUE(std::regex_match(logged({.console = LogLevel::trace}), std::regex(warning + debug + trace)));
}

TEST_F(LogTest, CallsBackBeforeEachLineOnTheConsole) {
    int calls = 0;
    logged(
        {.console = LogLevel::debug, .before_line = [&] { ++calls; }, .file = file(), .file_level = LogLevel::trace});
    EXPECT_EQ(calls, 2);
}

TEST_F(LogTest, WritesAFileBesideASilentConsole) {
    EXPECT_EQ(logged({.file = file(), .file_level = LogLevel::debug}), "");
    const std::string text = text_of(file());
    EXPECT_NE(text.find("debug two 2\n"), std::string::npos);
    EXPECT_EQ(text.find("three"), std::string::npos);
}

TEST_F(LogTest, AppendsToTheFileThatIsThere) {
    for (int i = 0; i < 2; ++i) logged({.file = file(), .file_level = LogLevel::warn});
    const std::string text = text_of(file());
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST_F(LogTest, RotatesTheFile) {
    ASSERT_TRUE(open_log({.file = file(), .file_level = LogLevel::debug, .file_bytes = 2000, .files = 3}));
    for (int i = 0; i < 200; ++i) log_debug("message {} of a log that is longer than its file may be", i);
    close_log();
    for (const char* tail : {"", ".1", ".2"}) {
        ASSERT_TRUE(std::filesystem::exists(file() + tail)) << tail;
        EXPECT_LE(std::filesystem::file_size(file() + tail), 2000U);
    }
    EXPECT_FALSE(std::filesystem::exists(file() + ".3"));
    EXPECT_NE(text_of(file()).find("message 199"), std::string::npos);
}

TEST_F(LogTest, RefusesAFileThatCannotBeWritten) {
    auto opened = open_log({.file = "/proc/none/log", .file_level = LogLevel::debug});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::io);
    EXPECT_FALSE(log_enabled(LogLevel::warn));
}

TEST_F(LogTest, MasksAndCleansEveryMessage) {
    ::testing::internal::CaptureStderr();
    ASSERT_TRUE(open_log({.console = LogLevel::debug}));
    log_debug("git fetch {}", "https://user:secret@host/x\n\x1b[31m");
    close_log();
    const std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("git fetch https://***@host/x??[31m\n"), std::string::npos) << text;
}

TEST(LogLevel, IsReadByItsName) {
    EXPECT_EQ(parse_log_level("trace"), LogLevel::trace);
    EXPECT_EQ(parse_log_level("off"), LogLevel::off);
    EXPECT_FALSE(parse_log_level("loud"));
    EXPECT_FALSE(parse_log_level(""));
}

}  // namespace
}  // namespace cultivar
