// A program's artifact, a file or a folder, and the bytes that the pool keeps of it.
#include "cli/runs/artifact_files.h"

#include <filesystem>

#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/types/artifact_folder.h"
#include "pool/util/file.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ArtifactFiles : public ::testing::Test {
protected:
    static constexpr std::int64_t kCap_bytes = 100'000;

    void leave(const std::string& path, const std::string& bytes) {
        fs::create_directories(fs::path(folder_.file(path)).parent_path());
        folder_.write(path, bytes);
    }
    std::string artifact() const { return folder_.file("work/artifact"); }
    auto left() const { return left_artifact(artifact(), kCap_bytes); }
    std::string refusal() const {
        const Error error = trouble(left());
        EXPECT_EQ(error.code, Code::corrupt) << error.message;
        return error.message;
    }

    TempFolder folder_;
};

TEST_F(ArtifactFiles, AreNothingOrAFileAsItIs) {
    EXPECT_FALSE(must(left()));
    leave("work/artifact", "weights");
    EXPECT_EQ(must(left()), "weights");
    leave("work/artifact", std::string(kCap_bytes + 1, 'w'));
    EXPECT_THAT(refusal(), HasSubstr("over the cap"));
}

TEST_F(ArtifactFiles, OfAFolderHaveTheSameBytesWhateverItsTimesModesAndEmptyFolders) {
    leave("work/artifact/model/weights", "w");
    leave("work/artifact/config", "c");
    const std::string bytes = must(left()).value();
    fs::permissions(folder_.file("work/artifact/config"), fs::perms::owner_read);
    fs::permissions(folder_.file("work/artifact/model/weights"), fs::perms::all);
    fs::last_write_time(folder_.file("work/artifact/config"), fs::file_time_type::clock::now() - std::chrono::hours(9));
    fs::create_directories(folder_.file("work/artifact/empty/er"));
    EXPECT_EQ(must(left()), bytes);
    leave("work/artifact/config", "d");
    EXPECT_NE(must(left()), bytes);
}

TEST_F(ArtifactFiles, LieAgainAsTheyWereLeft) {
    leave("work/artifact/model/weights", "w");
    leave("work/artifact/config", "c");
    must(lay_out_artifact(must(left()).value(), folder_.file("there")));
    EXPECT_EQ(must(read_file(folder_.file("there/model/weights"))), "w");
    EXPECT_EQ(must(left_artifact(folder_.file("there"), kCap_bytes)), must(left()));
    must(lay_out_artifact("weights", folder_.file("file")));
    EXPECT_EQ(must(read_file(folder_.file("file"))), "weights");
}

TEST_F(ArtifactFiles, OfAFolderLeadNowhereElse) {
    leave("home/secret", "secret");
    leave("work/artifact/fine", "fine");
    fs::create_symlink(folder_.file("home/secret"), folder_.file("work/artifact/link"));
    EXPECT_THAT(refusal(), HasSubstr("'link' is neither a file nor a folder"));
    fs::remove(folder_.file("work/artifact/link"));
    fs::create_directory_symlink(folder_.file("home"), folder_.file("work/artifact/way"));
    EXPECT_THAT(refusal(), HasSubstr("'way' is neither"));
    fs::remove(folder_.file("work/artifact/way"));
    ::mkfifo(folder_.file("work/artifact/pipe").c_str(), 0600);
    EXPECT_THAT(refusal(), HasSubstr("'pipe' is neither"));
    fs::remove(folder_.file("work/artifact/pipe"));
    leave("work/artifact/a b", "");
    EXPECT_THAT(refusal(), HasSubstr("'a b' in its artifact"));
    fs::remove_all(artifact());
    fs::create_directory_symlink(folder_.file("home"), artifact());
    EXPECT_THAT(refusal(), HasSubstr("neither a file nor a folder"));
}

// A run costs no more than its cap allows, whatever it leaves.
TEST_F(ArtifactFiles, OfAFolderEndAtTheirLimits) {
    for (std::size_t i = 0; i <= kMaxArtifactFiles; ++i) leave(fmt::format("work/artifact/f{}", i), "");
    EXPECT_THAT(refusal(), HasSubstr("more than 1000 files and folders"));
    fs::remove_all(artifact());
    leave("work/artifact/sparse", "");
    fs::resize_file(folder_.file("work/artifact/sparse"), std::uintmax_t{1} << 40);
    EXPECT_THAT(refusal(), HasSubstr("more than 100000 bytes"));
    fs::remove_all(artifact());
    leave("work/artifact/a/b/c/d/e/f/g/h/i", "");
    EXPECT_THAT(refusal(), HasSubstr("lies too deep"));
    fs::remove_all(artifact());
    for (int i = 0; i < 200; ++i) leave(fmt::format("work/artifact/f{}", i), "x");  // 200 KB of archive
    EXPECT_THAT(refusal(), HasSubstr("over the cap"));
    fs::remove_all(artifact());
    fs::create_directories(artifact());
    EXPECT_THAT(refusal(), HasSubstr("without files"));
}

// A verifier would lay it out as a folder.
TEST_F(ArtifactFiles, OfAFileThatBeginsAsAFoldersArchiveAreThatArchive) {
    const std::string archive = must(pack_artifact_folder({{"a", "x"}}));
    leave("work/artifact", archive);
    EXPECT_EQ(must(left()), archive);
    EXPECT_TRUE(check_artifact_form(archive));
    leave("work/artifact", archive + "more");
    EXPECT_THAT(refusal(), HasSubstr("begins as a folder's archive"));
    EXPECT_EQ(trouble(check_artifact_form(archive + "more")).code, Code::corrupt);
    EXPECT_EQ(trouble(lay_out_artifact(archive + "more", folder_.file("there"))).code, Code::corrupt);
    EXPECT_FALSE(fs::exists(folder_.file("there")));
}

}  // namespace
}  // namespace cultivar
