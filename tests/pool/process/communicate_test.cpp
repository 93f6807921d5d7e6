#include "pool/process/communicate.h"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

// The pipes of a child that this test plays; both writing ends stay open, as those of a process that a child leaves
// behind.
struct OpenPipes {
    OpenPipes() {
        EXPECT_EQ(::pipe2(out, O_NONBLOCK | O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(err, O_NONBLOCK | O_CLOEXEC), 0);
    }
    ~OpenPipes() {
        for (const int end : {out[0], out[1], err[0], err[1]}) ::close(end);
    }
    void say(int end, const std::string& text) {
        EXPECT_EQ(::write(end, text.data(), text.size()), ssize_t(text.size()));
    }
    int out[2], err[2];
};

const SilenceCheck kPatient = [](double) -> Result<void> { return {}; };

TEST(Communicate, HearsWhatAChildSaysJustBeforeItEnds) {
    OpenPipes pipes;
    ProcessOutput output;
    int looks = 0;
    const auto ends_at_the_second_look = [&] {
        if (++looks < 2) return false;
        if (looks == 2) pipes.say(pipes.out[1], "the report"), pipes.say(pipes.err[1], "a word");
        return true;
    };
    must(read_both({pipes.out[0], pipes.err[0]}, 100, output, ends_at_the_second_look, kPatient));
    EXPECT_EQ(output.out, "the report");
    EXPECT_EQ(output.err, "a word");
}

TEST(Communicate, EndsWithAnErrorOfItsCheck) {
    OpenPipes pipes;
    ProcessOutput output;
    const auto read = read_both(
        {pipes.out[0], pipes.err[0]}, 100, output, [] { return false; },
        [](double) -> Result<void> { return fail(Code::interrupted, "enough"); });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message, "enough");
}

}  // namespace
}  // namespace cultivar
